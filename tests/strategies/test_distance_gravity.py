"""Distance gravity: nearness alone decides."""

import math

import numpy as np
import pytest
from hand_made import features_of, unknown

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy

NEARER = load_strategy("distance_gravity")


def at(sigmas):
    """Prices this many daily volatilities from 100."""
    return 100 * np.exp(0.04 * np.asarray(sigmas))


@pytest.fixture(scope="module")
def flat(make_market):
    return make_market(close=[100.0] * 6)


def test_it_enters_towards_the_zone_that_is_so_much_nearer_on_the_first_bar_of_each_spell(flat):
    """The share of the way on the far side: 0.5, 0.59, 0.61, 0.9, 0.3, 0.5 of 1 sigma."""
    up = np.array([0.5, 0.41, 0.39, 0.25, 0.7, 0.5])
    features = features_of(flat, above_near=at(up), below_near=at(up - 1))
    assert NEARER.signals(flat, features).entry.tolist() == [0, 0, 1, 0, -1, 0]


def test_heat_says_nothing(flat):
    """Whatever dominance, amounts and shares are, the signals stay the same."""
    zones = {"above_near": at([0.3] * 6), "below_near": at([-0.9] * 6)}
    hot = features_of(flat, dominance=0.01, above_share=0.01, below_share=0.99, heat_below=1e9, **zones)
    signals, others = NEARER.signals(flat, hot), NEARER.signals(flat, features_of(flat, **zones))
    assert signals.entry.tolist() == [1, 0, 0, 0, 0, 0]
    assert signals.to_frame().equals(others.to_frame())


def test_levels_are_those_of_gravity(flat):
    """Where both go to the same zone they send the same order."""
    features = features_of(flat, dominance=0.9, above_near=at(0.3), below_near=at(-0.9))
    mine, gravity = (load_strategy(name, stop_multiple=0.5).signals(flat, features).to_frame() for name in ("distance_gravity", "gravity"))
    assert mine.entry.iloc[0] == 1
    assert mine.drop(columns="valid_bars").equals(gravity.drop(columns="valid_bars"))


@pytest.mark.parametrize(("side", "name"), [(1, "above"), (-1, "below")])
def test_no_zone_is_an_endlessly_far_one(flat, side, name):
    signals = NEARER.signals(flat, unknown(flat, sigma_day=0.04, **{f"{name}_near": at(side * 1.4)}))
    assert signals.entry.tolist() == [side, 0, 0, 0, 0, 0]
    assert not NEARER.signals(flat, unknown(flat, sigma_day=0.04)).entry.any()


@pytest.mark.parametrize(("distance", "entered"), [(0.19, False), (0.21, True), (1.49, True), (1.51, False)])
@pytest.mark.parametrize("side", [1, -1])
def test_zones_too_near_or_too_far_are_left_alone(flat, distance, entered, side):
    near, other = ("above_near", "below_near")[::side]
    features = features_of(flat, **{near: at(side * distance), other: at(-side * 5)})
    assert NEARER.signals(flat, features).entry[0] == (side if entered else 0)


@pytest.mark.parametrize("side", [1, -1])
def test_a_zone_around_the_close_is_no_way_to_go(flat, side):
    """Its edge lies beyond the close: the distance to it is 0, not less, and the zone on the other side is no nearer."""
    near, other = ("above_near", "below_near")[::side]
    features = features_of(flat, **{near: at(side * 0.3), other: at(side * 0.4)})
    assert not load_strategy("distance_gravity", min_distance=0).signals(flat, features).entry.any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold": 0.4}, r"threshold 0.4 must be at least 0.5 and below 1"),
        ({"min_distance": 1.5}, r"min_distance 1.5 must be below max_distance 1.5"),
        ({"stop_multiple": 0}, r"stop_multiple 0.0 must be above 0"),
        ({"max_hours": 0}, r"max_hours 0.0 must be above 0"),
        ({"max_distance": 101}, r"max_distance 101.0 .*at most 100"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ConfigError, match=rf"^distance_gravity: {message}"):
        load_strategy("distance_gravity", **parameters)


def test_the_time_out_is_in_hours(flat):
    features = features_of(flat, above_near=at(0.3), below_near=at(-0.9))
    assert load_strategy("distance_gravity", max_hours=5).signals(flat, features).max_bars[0] == 5
    assert math.isclose(NEARER.signals(flat, features).target_price[0], 100 * math.exp(0.012))

"""Gravity on features that were made by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hand_made import unknown

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy

GRAVITY = load_strategy("gravity")


def features_of(market, **columns):
    """Features without any zone, but for the columns given."""
    return unknown(market, sigma_day=0.04, **columns)


@pytest.fixture(scope="module")
def flat(make_market):
    return make_market(close=[100.0] * 6)


def test_it_enters_towards_the_heavier_side_on_the_first_bar_of_each_spell(flat):
    features = features_of(flat, dominance=[0.5, 0.7, 0.8, 0.5, 0.2, 0.7], above_near=103.0, below_near=97.0)
    assert GRAVITY.signals(flat, features).entry.tolist() == [0, 1, 0, 0, -1, 1]


def test_the_threshold_itself_is_enough(flat):
    features = features_of(flat, dominance=[0.5, 0.6, 0.5, 0.4, 0.5, 0.59], above_near=103.0, below_near=97.0)
    assert GRAVITY.signals(flat, features).entry.tolist() == [0, 1, 0, -1, 0, 0]


def test_the_target_is_the_near_edge_and_the_stop_its_mirror_in_log_price(flat):
    features = features_of(flat, dominance=[0.5, 0.9, 0.5, 0.1, 0.5, 0.5], above_near=103.0, below_near=97.0)
    signals = GRAVITY.signals(flat, features)
    assert signals.target_price[[1, 3]].tolist() == [103, 97]
    np.testing.assert_allclose(signals.stop_price[[1, 3]], [100 * 100 / 103, 100 * 100 / 97])
    half = load_strategy("gravity", stop_multiple=0.5).signals(flat, features)
    np.testing.assert_allclose(half.stop_price[1], 100 * (100 / 103) ** 0.5)
    for bar, side in ((1, 1), (3, -1)):
        assert side * (signals.target_price[bar] - 100) > 0 > side * (signals.stop_price[bar] - 100)


@pytest.mark.parametrize(("distance", "entered"), [(0.19, False), (0.21, True), (1.49, True), (1.51, False)])
@pytest.mark.parametrize("side", [1, -1])
def test_zones_too_near_or_too_far_are_left_alone(flat, distance, entered, side):
    edge = 100 * math.exp(side * distance * 0.04)
    features = features_of(flat, dominance=0.5 + 0.4 * side, **{"above_near" if side > 0 else "below_near": edge})
    assert GRAVITY.signals(flat, features).entry[0] == (side if entered else 0)


def test_without_features_there_are_no_wishes(flat):
    assert not GRAVITY.signals(flat, features_of(flat)).entry.any()
    assert not GRAVITY.signals(flat, features_of(flat, dominance=0.9)).entry.any()


@pytest.mark.parametrize(("interval", "bars"), [("1h", 24), ("5m", 288), ("30m", 48), ("1d", 1), ("7d", 1)])
def test_the_time_out_is_in_hours_whatever_the_interval(flat, interval, bars):
    market = replace(flat, interval=interval)
    features = features_of(flat, dominance=0.9, above_near=103.0)
    assert GRAVITY.signals(market, features).max_bars[0] == bars


def test_the_record_names_strategy_and_parameters(flat):
    signals = load_strategy("gravity", threshold=0.7).signals(flat, features_of(flat))
    assert signals.name == "gravity"
    assert signals.parameters == {
        "threshold": 0.7, "min_distance": 0.2, "max_distance": 1.5, "stop_multiple": 1.0, "max_hours": 24.0, "pullback": 0.0,
        "rest_hours": 4.0,
    }  # fmt: skip


def test_a_market_order_unless_a_pullback_is_asked_for(flat):
    features = features_of(flat, dominance=[0.5, 0.9, 0.5, 0.1, 0.5, 0.5], above_near=103.0, below_near=97.0)
    assert np.isnan(GRAVITY.signals(flat, features).limit_price).all()
    patient = load_strategy("gravity", pullback=0.25, rest_hours=2).signals(flat, features)
    np.testing.assert_allclose(patient.limit_price[[1, 3]], [100 * math.exp(-0.01), 100 * math.exp(0.01)])
    assert patient.valid_bars[[1, 3]].tolist() == [2, 2]
    assert patient.target_price[[1, 3]].tolist() == [103, 97]
    np.testing.assert_allclose(patient.stop_price[[1, 3]], [100 * 100 / 103, 100 * 100 / 97])


def test_a_pullback_beyond_the_stop_is_not_sent(flat):
    features = features_of(flat, dominance=[0.5, 0.9, 0.5, 0.5, 0.5, 0.5], above_near=101.0)
    signals = load_strategy("gravity", pullback=0.3).signals(flat, features)  # 1.2 % below, the stop 1 %
    assert (signals.entry.any(), signals.dropped) == (False, 1)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"threshold": 0.49}, r"gravity: threshold 0.49 must be at least 0.5 and below 1"),
        ({"threshold": 1.0}, r"gravity: threshold 1.0"),
        ({"pullback": -0.1}, r"gravity: pullback -0.1 must be at least 0 and at most 100"),
        ({"rest_hours": 0.0}, r"gravity: rest_hours 0.0 must be above 0 and at most 8760"),
        ({"threshold": math.nan}, r"gravity: threshold:? nan"),
        ({"min_distance": -0.1}, r"gravity: min_distance -0.1"),
        ({"min_distance": 1.5}, r"gravity: min_distance 1.5 must be below max_distance 1.5"),
        ({"max_distance": math.nan}, r"max_distance:? nan"),
        ({"stop_multiple": 0.0}, r"gravity: stop_multiple 0.0 .*must be above 0"),
        ({"max_hours": 0.0}, r"max_hours 0.0"),
        ({"max_hours": -1.0}, r"max_hours -1.0"),
        ({"max_hours": math.nan}, r"max_hours:? nan"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ConfigError, match=message):
        load_strategy("gravity", **parameters)


@pytest.mark.parametrize("hours", [math.inf, 1e30])
def test_a_time_out_beyond_counting(flat, hours):
    with pytest.raises(ConfigError):
        load_strategy("gravity", max_hours=hours).signals(flat, features_of(flat, dominance=0.9, above_near=103.0))

"""Zone levels on features that were made by hand."""

import math

import numpy as np
import pytest
from hand_made import features_of, unknown

from liqbt.errors import ConfigError
from liqbt.scoring import backtest
from liqbt.strategy import load_strategy

LEVELS = load_strategy("zone_levels")


@pytest.fixture(scope="module")
def market(make_market):
    return make_market(close=[99.0, 99.9, 100.0, 100.1, 101.0])


def test_an_order_rests_at_the_nearer_zone(market):
    signals = LEVELS.signals(market, features_of(market))
    assert signals.entry.tolist() == [1, 1, -1, -1, -1]  # in log price 100 is nearer to 102 than to 98
    assert signals.limit_price.tolist() == [98, 98, 102, 102, 102]
    assert signals.valid_bars.tolist() == [1] * 5


def test_stop_beyond_the_far_edge_and_target_as_far_from_the_near_one(market):
    signals = LEVELS.signals(market, features_of(market))
    buffers = np.array([99.0, 101.0]) * 0.04 * 0.1
    np.testing.assert_allclose(signals.stop_price[[0, 4]], [97 - buffers[0], 103 + buffers[1]])
    np.testing.assert_allclose(signals.target_price[[0, 4]], [98 + 1 + buffers[0], 102 - 1 - buffers[1]])
    double = load_strategy("zone_levels", reward=2.0, stop_buffer=0.0, max_hours=3).signals(market, features_of(market))
    assert double.target_price[[0, 4]].tolist() == [100, 100]
    assert double.stop_price[[0, 4]].tolist() == [97, 103]
    assert double.max_bars[0] == 3


@pytest.mark.parametrize(("distance", "entered"), [(-0.01, False), (0.01, True), (0.99, True), (1.01, False)])
@pytest.mark.parametrize("side", [1, -1])
def test_zones_around_the_close_or_too_far_are_left_alone(market, distance, entered, side):
    near, far = (market.close * math.exp(-side * d * 0.04) for d in (distance, distance + 0.1))
    name = "below" if side > 0 else "above"
    zone = {f"{name}_near": near, f"{name}_far": far, f"{name}_share": 0.5}
    entry = LEVELS.signals(market, unknown(market, sigma_day=0.04, **zone)).entry
    assert entry.tolist() == [side if entered else 0] * 5


def test_a_small_zone_is_passed_over_for_a_farther_one(market):
    entry = LEVELS.signals(market, features_of(market, below_share=[0.19, 0.2, 0.2, 0.2, 0.2], above_share=[0.2] * 4 + [0.1])).entry
    assert entry.tolist() == [-1, 1, -1, -1, 1]


def test_two_zones_as_near_as_each_other_say_nothing(make_market):
    market = make_market(close=[100.0] * 3)
    assert not LEVELS.signals(market, features_of(market, below_near=100 / 1.02, above_near=100 * 1.02)).entry.any()


def test_without_zones_there_are_no_wishes(market):
    assert not LEVELS.signals(market, unknown(market)).entry.any()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_share": 1.1}, r"min_share 1.1 must be at least 0 and at most 1"),
        ({"max_distance": 0}, r"max_distance 0.0 must be above 0 and at most 100"),
        ({"reward": 0}, r"reward 0.0 must be above 0"),
        ({"stop_buffer": -1}, r"stop_buffer -1.0"),
        ({"max_hours": 0}, r"max_hours 0.0"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ConfigError, match=rf"^zone_levels: {message}"):
        load_strategy("zone_levels", **parameters)


def test_the_order_is_filled_at_the_zone_and_renewed_until_then(make_market):
    """Orders rest in bars 1 to 3, at 98, 98 and 97.9 as the zone moves; price comes down to 97.5 in bar 3 and to 98.95 again in bar 4."""
    market = make_market(close=[100.0, 100.0, 100.0, 99.0, 99.0], low=[100.0, 98.01, 99.0, 97.5, 98.95])
    features = features_of(market, below_near=[98.0, 98.0, 97.9, 97.0, 97.0], below_far=95.0, above_near=np.nan)
    trades = backtest(LEVELS.signals(market, features), market).trades
    assert trades["entry_price"].tolist() == [97.9]
    assert trades["entry_time"].tolist() == [market.index[3]]
    assert trades["side"].tolist() == ["long"]

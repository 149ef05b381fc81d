"""Breakout by hand."""

import math

import pytest
from hand_made import unknown

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy


@pytest.fixture(scope="module")
def market(make_market):
    """A range from 99 to 101 that ends with a close above it in bar 4 and one below in bar 7."""
    close = [100.0, 100.5, 99.5, 100.5, 102.0, 103.0, 102.0, 98.0]
    return make_market(close=close, high=[101.0, 101, 100, 101, 102, 103, 103, 102], low=[99.0, 100, 99, 100, 100, 102, 101, 98])


def test_it_trades_the_first_close_outside_of_the_range_of_the_bars_before(market):
    signals = load_strategy("breakout", range_hours=3).signals(market, unknown(market, sigma_day=0.04))
    assert signals.entry.tolist() == [0, 0, 0, 0, 1, 0, 0, -1]
    assert signals.stop_price[4] == pytest.approx(102 * math.exp(-0.02))
    assert signals.target_price[4] == pytest.approx(102 + 1.5 * (102 - 102 * math.exp(-0.02)))
    assert signals.stop_price[7] == pytest.approx(98 * math.exp(0.02))
    assert signals.max_bars[[4, 7]].tolist() == [24, 24]


def test_a_close_at_the_edge_is_inside(make_market):
    market = make_market(close=[100.0, 101.0, 100.0, 101.0, 101.1])
    assert load_strategy("breakout", range_hours=3).signals(market, unknown(market, sigma_day=0.04)).entry.tolist() == [0, 0, 0, 0, 1]


def test_no_entry_before_the_range_is_full_or_without_volatility(market):
    assert not load_strategy("breakout", range_hours=8).signals(market, unknown(market, sigma_day=0.04)).entry.any()
    assert not load_strategy("breakout", range_hours=3).signals(market, unknown(market)).entry.any()


@pytest.mark.parametrize("name", ["range_hours", "stop_distance", "reward", "max_hours"])
def test_parameters_out_of_range(name):
    with pytest.raises(ConfigError, match=rf"^breakout: {name} 0.0 must be above 0 and at most"):
        load_strategy("breakout", **{name: 0})

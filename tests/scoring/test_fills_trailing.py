"""Trailing stops, worked by hand."""

from __future__ import annotations

import pytest
from hand_markets import CALM, FEES, FREE, ended, market_of, wishes

from liqbt.scoring import backtest


def test_it_starts_at_the_fill_price_and_counts_in_the_bar_of_the_fill():
    market = market_of(CALM, (100, 120, 95, 119), CALM)
    assert ended(backtest(wishes(market, {0: 1}, trail=0.05), market, costs=FREE)) == [(1, 1, 1, 95.0, "trail")]
    alive = market_of(CALM, (100, 120, 95.1, 119), (119, 119, 114.1, 119))
    assert ended(backtest(wishes(alive, {0: 1}, trail=0.05), alive, costs=FREE))[0][-1] == "open"


def test_it_follows_the_extremes_of_finished_bars():
    # 110 of bar 1 puts it to 99 from bar 2 on; 120 of bar 2 to 108 from bar 3 on
    market = market_of(CALM, (100, 110, 99, 109), (109, 120, 99.5, 119), (119, 130, 108, 125), CALM)
    assert ended(backtest(wishes(market, {0: 1}, trail=0.1), market, costs=FREE)) == [(1, 3, 1, 108.0, "trail")]


def test_of_a_short():
    market = market_of(CALM, (100, 101, 90, 91), (91, 99.1, 90.5, 98))
    assert ended(backtest(wishes(market, {0: -1}, trail=0.1), market, costs=FREE)) == [(1, 2, -1, pytest.approx(99.0), "trail")]


def test_a_gap_fills_at_the_open_with_slippage_and_the_taker_fee():
    market = market_of(CALM, (100, 101, 99, 100), (90, 91, 89, 90))
    score = backtest(wishes(market, {0: 1}, trail=0.05), market, costs=FEES)
    order = score.fills.orders[1]
    assert order["price"] == pytest.approx(90 * 0.999)
    assert order["fee"] == pytest.approx(0.001 * order["price"] * order["size"])


@pytest.mark.parametrize(("stop", "price", "reason"), [(97.0, 97.0, "stop"), (94.0, 95.0, "trail"), (95.0, 95.0, "stop")])
def test_the_tighter_of_stop_and_trail_counts(stop, price, reason):
    market = market_of(CALM, (100, 100, 90, 91), CALM)
    assert ended(backtest(wishes(market, {0: 1}, trail=0.05, stop=stop), market, costs=FREE)) == [(1, 1, 1, price, reason)]


def test_it_only_ever_tightens():
    market = market_of(CALM, (100, 110, 100, 105), (105, 106, 104.5, 105), (105, 105, 104.4, 105), CALM)
    assert ended(backtest(wishes(market, {0: 1}, trail=0.05), market, costs=FREE)) == [(1, 2, 1, 104.5, "trail")]


def test_after_a_limit_entry_only_the_close_of_that_bar_counts():
    # the high of 110 may have come before the fill at 95: from the close of 100 on the stop is at 90, not at 99
    market = market_of(CALM, (100, 110, 94, 100), (100, 101, 91, 100), (100, 101, 90.5, 100))
    score = backtest(wishes(market, {0: 1}, limit=95, trail=0.1), market, costs=FREE)
    assert ended(score) == [(1, 3, 1, pytest.approx(90.9), "trail")]  # 101 in bar 2


def test_a_stop_before_the_liquidation_price_saves():
    market = market_of(CALM, CALM, (100, 100, 80, 85))
    score = backtest(wishes(market, {0: 1}, trail=0.05), market, costs=FREE, leverage=10)
    assert ended(score) == [(1, 2, 1, pytest.approx(101 * 0.95), "trail")]

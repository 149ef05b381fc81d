"""Slippage from recorded books, worked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hand_markets import CALM, FREE, market_of, wishes

from liqbt.errors import ConfigError
from liqbt.scoring import FixedNotional, TradingRules, backtest
from liqbt.scoring._slippage import walk

DEEP = dataclasses.replace(FREE, depth_slippage=True)
DISTANCE = (0.001, 0.003)


def with_book(market, bids, asks=None, distance=DISTANCE):
    """The market with one book at each close: quote up to each distance, of bids and asks."""
    bid = np.array(bids, dtype=float)
    return dataclasses.replace(market, depth_distance=np.array(distance), depth_bid=bid, depth_ask=bid if asks is None else np.array(asks))


def buy(market, notional, *, costs=DEEP, **options):
    return backtest(wishes(market, {0: 1}, **options), market, costs=costs, leverage=10, sizing=FixedNotional(notional=notional))


@pytest.mark.parametrize(("value", "mean", "beyond"), [
    (500, 0.00025, False),               # half of the first step, at 0 to 0.0005
    (1_000, 0.0005, False),
    (2_000, (0.5 + 1_000 / 1e3 * 1.25) / 2_000, False),   # 1,000 at 0.0005, 1,000 from 0.001 to 0.0015
    (5_000, (0.5 + 4_000 * 0.002) / 5_000, False),
    (9_000, (0.5 + 4_000 * 0.002 + 4_000 * 0.004) / 9_000, True),   # and 4,000 more from 0.003 to 0.005, as dense as the last step
])  # fmt: skip
def test_a_walk(value, mean, beyond):
    cost, known, more = walk(float(value), np.array(DISTANCE), np.array([1_000.0, 5_000.0]))
    assert (cost / value, known, more) == (pytest.approx(mean), True, beyond)


@pytest.mark.parametrize(("notional", "expected"), [
    ([np.nan, np.nan], (0.0, False, False)),
    ([np.nan, 3_000.0], (1_500 * 0.00075, True, False)),     # a distance that was not recorded: even up to the next
    ([3_000.0, np.nan], (1_500 * 0.00025, True, False)),
    ([0.0, 0.0], (1_500 * 0.003, True, True)),               # an empty book: all of it beyond
    ([0.0, 3_000.0], (1_500 * 0.0015, True, False)),         # nothing up to 0.001
    ([1_000.0, 1_000.0], (0.5 + 500 * (0.003 + 0.00025), True, True)),  # as dense as the last step that held any
])  # fmt: skip
def test_books_with_holes(notional, expected):
    assert walk(1_500.0, np.array(DISTANCE), np.array(notional)) == pytest.approx(expected)


def test_an_order_walks_the_book_of_the_close_before():
    market = with_book(market_of(CALM, CALM, CALM), [[1_000, 5_000], [9e9, 9e9], [9e9, 9e9]])
    score = buy(market, 2_000)
    row = score.fills.orders[0]
    slip = (0.5 + 1.25) / 2_000
    assert row["price"] == pytest.approx(100 * (1 + slip))
    assert row["slippage"] == pytest.approx(row["size"] * 100 * slip)
    assert score.notes == ("no leverage tiers are shipped for X on nowhere: 0.50% maintenance margin and at most 100x are assumed",
                           "funding was switched off")  # fmt: skip


def test_buys_walk_asks_and_sells_bids():
    market = with_book(market_of(CALM, CALM, CALM, CALM), [[500, 5e9]] * 4, [[1_000, 5e9]] * 4)
    score = backtest(wishes(market, {0: 1}, exits=[1]), market, costs=DEEP, leverage=10, sizing=FixedNotional(notional=500))
    bought, sold = score.fills.orders
    assert bought["price"] == pytest.approx(100 * 1.00025)
    value = sold["size"] * 100
    assert value < 500
    assert sold["price"] == pytest.approx(100 * (1 - 0.0005 * value / 500))


def test_stops_walk_too_and_targets_do_not():
    market = with_book(market_of(CALM, CALM, (100, 100, 94, 95)), [[9e9, 9e9], [100, 1_000], [9e9, 9e9]])
    score = buy(market, 1_000, stop=95)
    order = score.fills.orders[1]
    value = order["size"] * 95
    cost = 100 * 0.0005 + (value - 100) * (0.001 + 0.001 * (value - 100) / 900)
    assert order["price"] == pytest.approx(95 * (1 - cost / value))
    up = with_book(market_of(CALM, CALM, (100, 106, 100, 105)), [[9e9, 9e9], [100, 1_000], [9e9, 9e9]])
    assert buy(up, 1_000, target=105).fills.orders["price"][1] == 105


def test_slippage_is_at_least_the_fixed_one():
    market = with_book(market_of(CALM, CALM, CALM), [[1e9, 2e9]] * 3)
    fixed = dataclasses.replace(DEEP, slippage_bps=4.0)
    assert buy(market, 2_000, costs=fixed).fills.orders["price"][0] == pytest.approx(100 * 1.0004)


def test_an_order_greater_than_the_book_is_counted():
    market = with_book(market_of(CALM, CALM, CALM), [[1_000, 5_000]] * 3)
    score = buy(market, 9_000)
    assert score.fills.orders["price"][0] == pytest.approx(100 * (1 + (0.5 + 8 + 16) / 9_000))
    assert score.fills.beyond == 1
    assert score.notes[-1] == "1 market order was greater than the recorded book, which was taken to go on as it ended"


def test_where_no_book_is_known_slippage_is_fixed_and_counted():
    market = with_book(market_of(CALM, CALM, CALM), [[np.nan, np.nan], [1, 2], [1, 2]])
    score = buy(market, 2_000, costs=dataclasses.replace(DEEP, slippage_bps=4.0))
    assert score.fills.orders["price"][0] == pytest.approx(100 * 1.0004)
    assert score.notes[-1] == "1 market order was filled where no order book was known, at the fixed slippage"


def test_the_second_half_of_a_reversal_comes_after_the_first():
    market = with_book(market_of(*[CALM] * 4), [[1e9, 5e9], [1_000, 5_000], [1e9, 5e9], [1e9, 5e9]])
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=DEEP, leverage=10, sizing=FixedNotional(notional=1_000))
    closed, opened = score.fills.orders[1:]
    used = closed["size"] * 100
    assert used == pytest.approx(1_000, rel=1e-4)
    assert closed["price"] == pytest.approx(100 * (1 - 0.0005 * used / 1_000))
    first = used * 0.0005 * used / 1_000
    total = 1_000 + used
    both = 0.5 + (total - 1_000) * (0.001 + 0.001 * (total - 1_000) / 4_000)
    assert opened["price"] == pytest.approx(100 * (1 - (both - first) / 1_000))


def test_a_limit_bounds_what_the_walk_costs():
    market = with_book(market_of(CALM, (99.99, 101, 99, 100), CALM), [[100, 1_000]] * 3)
    row = buy(market, 5_000, limit=100).fills.orders[0]
    assert row["price"] == 100
    assert row["slippage"] == pytest.approx(row["size"] * 0.01)


def test_nothing_costs_more_than_nine_tenths():
    market = with_book(market_of(CALM, CALM, CALM, CALM), [[0.001, 0.002]] * 4)
    score = backtest(wishes(market, {0: -1}), market, costs=DEEP, leverage=1, rules=TradingRules())
    assert score.fills.orders["price"][0] == pytest.approx(10.0)


def test_depth_that_is_not_recorded_is_refused():
    market = market_of(CALM, CALM)
    with pytest.raises(ConfigError, match=r"^depth_slippage: no order book is recorded for X on nowhere"):
        buy(market, 100)

"""Edge against size, worked by hand from small books, and against slow arithmetic."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hand_fills import flat_market, portfolio_by_hand, score_by_hand, trip
from hypothesis import given
from hypothesis import strategies as st
from test_portfolio import random_market

from liqbt.scoring import Costs, FixedNotional, backtest
from liqbt.scoring.capacity import trade_capacity, walk_costs
from liqbt.signals import Signals

UNTIL = 1e6  # quote within a hundredth of mid, evenly: an order of N costs N / 2e6 of a hundredth on average


def with_depth(market, bid, ask, distance=(0.01,)):
    """bid, ask: quote by distance, a row a bar or one for all."""
    shape = (market.n_bars, len(distance))
    books = {side: np.array(np.broadcast_to(np.asarray(book, dtype=float), shape)) for side, book in (("bid", bid), ("ask", ask))}
    return replace(market, depth_distance=np.array(distance), depth_bid=books["bid"], depth_ask=books["ask"])


EVEN = with_depth(flat_market(20), UNTIL, UNTIL)


def cost(notional):
    return notional / UNTIL * 0.01 / 2


def test_capacity_of_one_long_trade():
    capacity = score_by_hand(EVEN, trip(2, 5, exit=102.0)).capacity
    both = 1 + 1.02**2  # the exit sells 1.02 of the notional at 1.02 times the cost
    assert capacity.edge_bps == pytest.approx(200.0)
    assert capacity.capacity == pytest.approx(0.02 / (cost(1.0) * both), rel=1e-9)
    frame = capacity.to_frame()
    assert frame["net_bps"].to_numpy() == pytest.approx(200 - 1e4 * cost(frame.index.to_numpy()) * both)
    assert frame["cost_bps"].to_numpy() == pytest.approx(1e4 * cost(frame.index.to_numpy()) * both)
    assert frame["beyond"].to_numpy() == pytest.approx(np.mean([frame.index > UNTIL, 1.02 * frame.index > UNTIL], axis=0))
    assert (capacity.trades, capacity.unknown, capacity.traded) == (1, 0, 100.0)


def test_fees_and_funding_stay_and_slippage_is_replaced():
    row = trip(2, 5, exit=102.0, fees=0.1, funding=0.05, slippage=0.03)  # the prices are worse by 0.03 than without slippage
    capacity = score_by_hand(EVEN, row).capacity
    assert capacity.edge_bps == pytest.approx(200 - 15 + 3)


def test_the_fixed_slippage_is_the_least():
    costs = Costs(taker_fee_rate=0.0, maker_fee_rate=0.0, slippage_bps=4.0)
    capacity = score_by_hand(EVEN, trip(2, 5, exit=102.0, slippage=0.0808), costs=costs).capacity
    assert capacity.edge_bps == pytest.approx(200)
    frame = capacity.to_frame()
    small = frame[1.02 * frame.index < 2 * UNTIL * 0.04]  # the walk costs less than 4 bps
    assert len(small) > 20
    assert small["net_bps"].to_numpy() == pytest.approx(200.0)
    assert capacity.capacity == pytest.approx(0.020808 / (cost(1.0) * (1 + 1.02**2)), rel=1e-9)


def test_a_long_buys_from_asks_and_a_short_sells_to_bids_of_the_close_before():
    bid, ask = np.full((20, 1), 7e5), np.full((20, 1), 9e5)
    bid[1], ask[1], bid[4], ask[4] = 2e6, 1e6, 4e6, 5e6
    market = with_depth(flat_market(20), bid, ask)
    long = score_by_hand(market, trip(2, 5, 1, exit=100.0)).capacity
    short = score_by_hand(market, trip(2, 5, -1, exit=100.0)).capacity
    size = long.notional[20]
    assert long.cost_bps[20] == pytest.approx(50 * size * (1 / 1e6 + 1 / 4e6))
    assert short.cost_bps[20] == pytest.approx(50 * size * (1 / 2e6 + 1 / 5e6))


def test_resting_orders_walk_nothing():
    exits = [
        score_by_hand(EVEN, trip(2, 5, exit=102.0, reason=reason)).capacity.cost_bps[20] for reason in ("target", "liquidation", "stop")
    ]
    size = score_by_hand(EVEN).capacity.notional[20]
    assert exits[:2] == pytest.approx([1e4 * cost(size)] * 2)
    assert exits[2] > 2 * exits[0]
    entry = np.zeros(20)
    entry[[1, 8]] = 1.0
    limit = np.where(np.arange(20) == 1, 99.0, np.nan)
    wishes = {"entry": entry, "limit_price": limit, "valid_bars": 6}
    rested = score_by_hand(EVEN, trip(4, 6, exit=102.0), **wishes).capacity  # the newest wish before bar 4 is the limit
    assert rested.cost_bps[20] == pytest.approx(1e4 * cost(size) * 1.02**2)
    market = score_by_hand(EVEN, trip(9, 12, exit=102.0), **wishes).capacity  # that of bar 8 has none
    assert market.cost_bps[20] == pytest.approx(1e4 * cost(size) * (1 + 1.02**2))
    same_bar = score_by_hand(EVEN, trip(8, 12, exit=102.0), **wishes).capacity  # which reaches the market after the open of bar 8
    assert same_bar.cost_bps[20] == rested.cost_bps[20]
    both = score_by_hand(EVEN, trip(4, 6, exit=102.0, reason="target"), **wishes).capacity
    assert (both.capacity, both.beyond.max(), both.cost_bps.max()) == (np.inf, 0.0, 0.0)


def test_a_reversal_takes_both_orders_from_one_book():
    # an exit of 1.02 of the size and an entry of the size at one open cost as one order of 2.02 of it
    rows = trip(2, 5, 1, exit=102.0, reason="reversal"), trip(5, 8, -1, entry=102.0, exit=102.0)
    capacity = score_by_hand(EVEN, *rows).capacity
    expected = cost(capacity.notional) * (1 + 2.02**2 + 1) / 2
    assert capacity.cost_bps == pytest.approx(1e4 * expected)
    apart = score_by_hand(EVEN, rows[0], trip(6, 8, -1, entry=102.0, exit=102.0)).capacity
    assert apart.cost_bps == pytest.approx(1e4 * cost(capacity.notional) * (1 + 1.02**2 + 2) / 2)
    entry, limit = np.zeros(20), np.full(20, np.nan)
    entry[[1, 3]], limit[3] = (1, -1), 103.0
    rested = score_by_hand(EVEN, *rows, entry=entry, limit_price=limit).capacity  # closed and opened by a resting order
    assert rested.cost_bps == pytest.approx(1e4 * cost(capacity.notional) * (1 + 1) / 2)


def test_the_mean_of_trades_falls_to_zero():
    # by hand: gains of 3 %, -1 % and nothing, all long; 0.02 / 3 is left on average
    rows = trip(2, 5, exit=103.0), trip(7, 9, exit=99.0), trip(11, 12, exit=100.0)
    capacity = score_by_hand(EVEN, *rows).capacity
    assert capacity.edge_bps == pytest.approx(200 / 3)
    assert capacity.capacity == pytest.approx(0.02 / (cost(1.0) * (3 + 1.03**2 + 0.99**2 + 1)), rel=1e-9)


def test_no_edge_and_no_depth_have_no_capacity():
    assert np.isnan(score_by_hand(EVEN, trip(2, 5, exit=99.0)).capacity.capacity)
    assert np.isnan(score_by_hand(EVEN, trip(2, 5, exit=100.0)).capacity.capacity)
    bare = score_by_hand(flat_market(20), trip(2, 5, exit=102.0)).capacity
    assert np.isnan([bare.capacity, bare.edge_bps, bare.traded, *bare.net_bps]).all()
    assert (bare.trades, bare.unknown) == (0, 1)
    assert score_by_hand(flat_market(20)).capacity.unknown == 0


def test_trades_without_a_book_are_left_out():
    ask = np.full((20, 1), UNTIL)
    ask[6] = np.nan
    market = with_depth(flat_market(20), UNTIL, ask)
    capacity = score_by_hand(market, trip(2, 5, exit=102.0), trip(7, 9, exit=150.0)).capacity
    assert (capacity.trades, capacity.unknown, capacity.edge_bps) == (1, 1, pytest.approx(200.0))


def test_an_edge_that_nothing_ends_is_infinite():
    thick = with_depth(flat_market(20), 1e15, 1e15)
    assert score_by_hand(thick, trip(2, 5, exit=102.0)).capacity.capacity == np.inf


def test_an_open_trade_does_not_count():
    assert score_by_hand(EVEN, trip(2, None, exit=102.0)).capacity.trades == 0


def test_a_portfolio_walks_each_symbols_book():
    thin = with_depth(flat_market(20, symbol="THIN"), UNTIL / 10, UNTIL / 10)
    score = portfolio_by_hand([EVEN, thin], trip(2, 5, exit=100.0), trip(2, 5, exit=100.0, asset=1))
    capacity = score.capacity
    assert capacity.cost_bps == pytest.approx(1e4 * cost(capacity.notional) * (2 + 20) / 2)
    assert capacity.trades == 2


def test_the_edge_at_a_size_is_that_of_fills_that_walk_the_book():
    market = random_market(3, funding=False)
    rng = np.random.default_rng(3)
    depth = np.cumsum(rng.uniform(1e5, 1e6, (market.n_bars, 3)), axis=1)
    market = replace(market, depth_distance=np.array([0.0005, 0.002, 0.01]), depth_bid=depth, depth_ask=1.3 * depth)
    entry = rng.choice([-1, 0, 1], market.n_bars, p=[0.05, 0.9, 0.05])  # without levels, which a worse fill might have passed
    signals = Signals.of(market, entry=entry, exit=rng.random(market.n_bars) < 0.02, max_bars=30)
    costs = Costs(taker_fee_rate=0.0005, maker_fee_rate=0.0002, slippage_bps=1.0, depth_slippage=True)
    small = backtest(signals, market, costs=replace(costs, depth_slippage=False), sizing=FixedNotional(notional=100.0))
    for size in (1e4, 1e6):
        curve = trade_capacity(small.fills, [market], [signals], slippage=1e-4, notional=np.array([size]))
        filled = backtest(signals, market, costs=costs, sizing=FixedNotional(notional=size), initial_cash=1e9).trading_stats
        # the second order: a worse fill also moves where the trade is measured from
        assert curve.net_bps[0] == pytest.approx(filled["Net Edge [bps]"], abs=0.03 * curve.cost_bps[0])


def test_stats_tell_the_capacity():
    score = score_by_hand(EVEN, trip(2, 5, exit=102.0))
    assert score.trading_stats["Capacity"] == score.capacity.capacity


@st.composite
def books(draw):
    count = draw(st.integers(1, 4))
    distance = np.cumsum(draw(st.lists(st.sampled_from((0.001, 0.002, 0.01)), min_size=count, max_size=count)))
    steps = draw(st.lists(st.sampled_from((0.0, 50.0, 1e3, 3e4)), min_size=count, max_size=count))
    hidden = draw(st.lists(st.sampled_from((False, False, True)), min_size=count, max_size=count))
    return distance, np.where(hidden, np.nan, np.cumsum(steps))


def average_distance(size, distance, depth, parts=20_000):
    """Of thin slices of the order, each where the book holds it; beyond the book as thick as its last stretch that holds any."""
    points = [(0.0, 0.0)] + [(float(d), float(q)) for d, q in zip(distance, depth, strict=True) if not np.isnan(q)]
    density = [(q1 - q0) / (d1 - d0) for (d0, q0), (d1, q1) in itertools.pairwise(points) if q1 > q0]
    paid = 0.0
    for slice_ in (np.arange(parts) + 0.5) / parts * size:
        for (d0, q0), (d1, q1) in itertools.pairwise(points):
            if q0 <= slice_ < q1:
                paid += d0 + (d1 - d0) * (slice_ - q0) / (q1 - q0)
                break
        else:
            paid += points[-1][0] + ((slice_ - points[-1][1]) / density[-1] if density else 0.0)
    return paid / parts


@given(books(), books(), st.sampled_from((10.0, 700.0, 5e4)), st.booleans())
def test_walk_costs_are_those_of_thin_slices(asks, bids, size, long):
    (distance, ask), (_, bid) = asks, bids
    bid = np.resize(bid, ask.size)
    bid = np.where(np.isnan(bid), np.nan, np.maximum.accumulate(np.nan_to_num(bid)))
    cost_, beyond = np.zeros((1, 2)), np.zeros((1, 2))
    flags = np.array([True])
    walk_costs(
        np.array([1 if long else -1]), np.array([1]), np.array([2]), np.array([1.5]), np.array([0.0]), flags, flags, 1e-4,
        np.array([0.0, size]), distance, np.stack([ask, bid]), np.stack([ask, bid]), cost_, beyond,
    )  # fmt: skip
    legs = [(1.0, ask), (1.5, bid)]
    assert cost_[0, 0] == pytest.approx(2.5e-4)
    if any(np.isnan(book).all() for _, book in legs):
        assert np.isnan(cost_[0, 1])
    else:
        expected = sum(scale * max(1e-4, average_distance(scale * size, distance, book, 2_000)) for scale, book in legs)
        assert cost_[0, 1] == pytest.approx(expected, rel=2e-3, abs=1e-6)
        assert beyond[0, 1] == sum(scale * size > np.nanmax(book) for scale, book in legs)

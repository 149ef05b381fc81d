"""Limit and trigger entries, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hand_markets import CALM, FEES, FREE, ended, market_of, reasons, wishes

from liqbt.scoring import TradingRules, backtest


def entries(score):
    """(bar, price) of each entry."""
    rows = score.fills.trades
    return list(zip(rows["entry_bar"].tolist(), rows["entry_price"].tolist(), strict=True))


def per_bar(market, levels):
    column = np.full(market.n_bars, np.nan)
    for bar, price in levels.items():
        column[bar] = price
    return column


# limits


@pytest.mark.parametrize(("side", "limit", "touch", "through"), [
    (1, 95, (100, 101, 95, 96), (100, 101, 94.9, 96)),
    (-1, 105, (100, 105, 99, 104), (100, 105.1, 99, 104)),
])  # fmt: skip
def test_a_limit_that_is_touched_but_not_traded_through_does_not_fill(side, limit, touch, through):
    market = market_of(CALM, CALM, touch, through, CALM)
    score = backtest(wishes(market, {0: side}, limit=limit), market, costs=FREE)
    assert entries(score) == [(3, limit)]


def test_a_limit_that_rested_pays_the_maker_fee_and_no_slippage():
    market = market_of(CALM, (100, 101, 94, 96), CALM)
    row = backtest(wishes(market, {0: 1}, limit=95), market, costs=FEES).fills.orders[0]
    assert (row["price"], row["slippage"]) == (95.0, 0.0)
    assert row["fee"] == pytest.approx(-0.0005 * 95 * row["size"])


@pytest.mark.parametrize(("open_", "fill"), [(94.95, 95.0), (94.0, 94.094), (95.0, 95.0)])
def test_a_marketable_limit_takes_at_the_open_but_never_for_more_than_its_limit(open_, fill):
    market = market_of(CALM, (open_, 101, 90, 96), CALM)
    row = backtest(wishes(market, {0: 1}, limit=95), market, costs=FEES).fills.orders[0]
    assert row["price"] == pytest.approx(fill)  # 0.1 % of slippage, cut at 95
    assert row["price"] <= 95
    assert row["fee"] == pytest.approx(0.001 * row["price"] * row["size"])
    assert row["slippage"] == pytest.approx(row["size"] * (fill - open_))


def test_a_resting_limit_fills_at_its_limit_when_a_bar_opens_beyond_it():
    market = market_of(CALM, CALM, (90, 96, 89, 95), CALM)
    assert entries(backtest(wishes(market, {0: 1}, limit=95), market, costs=FREE)) == [(2, 95.0)]


def test_a_stop_that_the_gap_has_passed_too_fills_at_the_open():
    market = market_of(CALM, CALM, (90, 96, 89, 95), CALM)
    assert ended(backtest(wishes(market, {0: 1}, limit=95, stop=92), market, costs=FREE)) == [(2, 2, 1, 90.0, "stop")]
    assert ended(backtest(wishes(market, {0: 1}, limit=95, trail=0.01), market, costs=FREE)) == [(2, 2, 1, 90.0, "trail")]


def test_orders_live_as_long_as_they_are_valid():
    market = market_of(CALM, CALM, CALM, (100, 101, 94, 96), CALM)
    assert entries(backtest(wishes(market, {0: 1}, limit=95, valid_bars=2), market, costs=FREE)) == []
    assert entries(backtest(wishes(market, {0: 1}, limit=95, valid_bars=3), market, costs=FREE)) == [(3, 95.0)]
    assert entries(backtest(wishes(market, {0: 1}, limit=95, valid_bars=0), market, costs=FREE)) == [(3, 95.0)]


def test_an_exit_takes_an_order_back():
    market = market_of(CALM, CALM, CALM, (100, 101, 94, 96), CALM)
    score = backtest(wishes(market, {0: 1}, limit=95, exits=[2]), market, costs=FREE)
    assert entries(score) == []
    late = backtest(wishes(market, {0: 1}, limit=95, exits=[3]), market, costs=FREE)
    assert ended(late) == [(3, 4, 1, 100.0, "exit")]


def test_a_new_entry_replaces_the_order_that_rests():
    market = market_of(CALM, CALM, CALM, (100, 101, 94, 96), CALM)
    score = backtest(wishes(market, {0: 1, 1: 1}, limit=per_bar(market, {0: 95, 1: 94.5})), market, costs=FREE)
    assert entries(score) == [(3, 94.5)]
    # also by one that is dropped itself, for a long is held already
    rising = market_of(CALM, CALM, CALM, (100, 104, 99, 100), CALM)
    for bar, count in ((2, 1), (3, 2)):
        held = backtest(wishes(rising, {0: 1, 1: -1, bar: 1}, limit=per_bar(rising, {1: 103})), rising, costs=FREE)
        assert [one[2] for one in ended(held)][:2] == [1, -1][:count]


def test_the_target_of_a_limit_entry_counts_only_by_the_close_in_the_bar_of_its_fill():
    high_before = market_of(CALM, (100, 111, 94, 96), (97, 98, 96, 97))
    score = backtest(wishes(high_before, {0: 1}, limit=95, target=110), high_before, costs=FREE)
    assert ended(score) == [(1, -1, 1, pytest.approx(np.nan, nan_ok=True), "open")]
    assert score.fills.trades["mfe"][0] == pytest.approx(98 / 95 - 1)  # of the bar of the fill only its close is known to be later
    closes_beyond = market_of(CALM, (100, 112, 94, 111), CALM)
    assert ended(backtest(wishes(closes_beyond, {0: 1}, limit=95, target=110), closes_beyond, costs=FREE)) == [(1, 1, 1, 110.0, "target")]


def test_the_stop_of_an_entry_within_the_bar_is_held_to_the_whole_bar():
    market = market_of(CALM, (100, 101, 90, 100), CALM)
    assert ended(backtest(wishes(market, {0: 1}, limit=95, stop=92), market, costs=FREE)) == [(1, 1, 1, 92.0, "stop")]
    # the low may have come before the trigger, which nobody can tell
    assert ended(backtest(wishes(market, {0: 1}, trigger=100.5, stop=92), market, costs=FREE)) == [(1, 1, 1, 92.0, "stop")]


def test_liquidation_too_is_held_to_the_whole_bar():
    market = market_of(CALM, (100, 106, 94, 100), CALM)
    score = backtest(wishes(market, {0: 1}, trigger=105), market, costs=FREE, leverage=10)  # bankrupt at 94.5, liquidated at 94.97
    assert ended(score) == [(1, 1, 1, pytest.approx(94.5), "liquidation")]


# triggers


@pytest.mark.parametrize(("side", "trigger", "bars", "fill"), [
    (1, 105, [(100, 104.9, 99, 104), (104, 105, 103, 104)], (2, 105.0)),      # touching suffices
    (1, 105, [CALM, (107, 108, 106, 107)], (2, 107.0)),                      # the gap is paid
    (1, 105, [(106, 107, 105.5, 106)], (1, 106.0)),                          # the open is beyond it when it comes
    (-1, 95, [(100, 101, 95.1, 96), (96, 97, 95, 96)], (2, 95.0)),
    (-1, 95, [CALM, (93, 94, 92, 93)], (2, 93.0)),
])  # fmt: skip
def test_a_trigger_enters_at_the_market(side, trigger, bars, fill):
    market = market_of(CALM, *bars, (100, 100, 100, 100))
    score = backtest(wishes(market, {0: side}, trigger=trigger), market, costs=FREE)
    assert entries(score) == [fill]


def test_a_trigger_pays_slippage_and_the_taker_fee():
    market = market_of(CALM, (100, 106, 99, 104), CALM)
    row = backtest(wishes(market, {0: 1}, trigger=105), market, costs=FEES).fills.orders[0]
    assert row["price"] == pytest.approx(105 * 1.001)
    assert row["slippage"] == pytest.approx(row["size"] * 0.105)
    assert row["fee"] == pytest.approx(0.001 * row["size"] * row["price"])


def test_the_target_of_a_trigger_entry_counts_by_the_extreme():
    market = market_of(CALM, (100, 111, 99, 100), CALM)
    assert ended(backtest(wishes(market, {0: 1}, trigger=105, target=110), market, costs=FREE)) == [(1, 1, 1, 110.0, "target")]


def test_a_gap_beyond_the_target_refuses_the_trigger():
    market = market_of(CALM, (112, 113, 111, 112), CALM)
    score = backtest(wishes(market, {0: 1}, trigger=105, target=110), market, costs=FREE)
    assert (score.fills.orders.size, score.fills.rejected) == (0, 1)


# orders and positions

HELD = {0: 1, 1: -1}


@pytest.mark.parametrize(("policy", "ends", "position"), [
    ("reverse", [(1, 3, 1, 105.0, "reversal"), (3, -1, -1)], -1),
    ("close", [(1, 3, 1, 105.0, "exit")], 0),
    ("ignore", [(1, -1, 1)], 1),
])  # fmt: skip
def test_an_order_against_the_position_follows_the_rule_when_it_fills(policy, ends, position):
    market = market_of(CALM, CALM, CALM, (100, 106, 99, 100), CALM)
    signals = wishes(market, HELD, limit=per_bar(market, {1: 105}))
    score = backtest(signals, market, costs=FREE, rules=TradingRules(on_opposite=policy))
    assert [one[: len(end)] for one, end in zip(ended(score), ends, strict=True)] == ends
    assert score.fills.position.tolist() == [0, 1, 1, position, position]


def test_a_reversal_by_a_limit_pays_the_maker_fee_twice():
    market = market_of(CALM, CALM, CALM, (100, 106, 99, 100), CALM)
    score = backtest(wishes(market, HELD, limit=per_bar(market, {1: 105})), market, costs=FEES)
    assert reasons(score) == ["entry", "reversal", "entry"]
    rows = score.fills.orders[1:]
    assert rows["price"].tolist() == [105.0, 105.0]
    assert rows["fee"] == pytest.approx(-0.0005 * 105 * rows["size"])


@pytest.mark.parametrize(("kind", "level", "bar", "ends"), [
    # the nearer of two on one way
    ("trigger", 94, (100, 101, 90, 95), [(3, 94.0, "reversal")]),
    ("trigger", 91, (100, 101, 90, 95), [(3, 92.0, "stop")]),
    ("limit", 105, (100, 111, 99, 100), [(3, 105.0, "reversal")]),
    ("limit", 110.5, (100, 111, 99, 100), [(3, 110.0, "target")]),
    # against the position first
    ("limit", 105, (100, 111, 90, 95), [(3, 92.0, "stop")]),
    ("trigger", 94, (100, 111, 93, 95), [(3, 94.0, "reversal")]),
    # what the open has passed first
    ("limit", 105, (106, 111, 90, 95), [(3, 105.0, "reversal")]),
    ("trigger", 94, (112, 113, 90, 95), [(3, 112.0, "target")]),
])  # fmt: skip
def test_an_order_and_the_end_of_a_position_in_one_bar(kind, level, bar, ends):
    market = market_of(CALM, CALM, CALM, bar, CALM)
    signals = wishes(market, HELD, stop=per_bar(market, {0: 92}), target=per_bar(market, {0: 110}), **{kind: per_bar(market, {1: level})})
    score = backtest(signals, market, costs=FREE)
    assert [(one[1], *one[3:]) for one in ended(score)[:1]] == ends
    assert ended(score)[1][:3] == (3, -1, -1)  # and the order has filled in any case


def test_an_order_in_the_direction_held_is_dropped_when_it_fills():
    market = market_of(CALM, CALM, (100, 101, 94, 96), (96, 97, 93, 94), (94, 96, 90, 91))
    signals = wishes(market, {0: 1, 1: 1}, stop=per_bar(market, {0: 92}), limit=per_bar(market, {1: 95}))
    assert ended(backtest(signals, market, costs=FREE)) == [(1, 4, 1, 92.0, "stop")]
    # where the stop comes first it opens anew, in the same bar
    tight = wishes(market, {0: 1, 1: 1}, stop=per_bar(market, {0: 97}), limit=per_bar(market, {1: 95}))
    assert [one[:3] for one in ended(backtest(tight, market, costs=FREE))] == [(1, 2, 1), (2, -1, 1)]


def test_orders_wait_over_unobserved_bars_and_their_time_runs_on():
    bars = (CALM, CALM, CALM, (100, 101, 94, 96), CALM)
    market = market_of(*bars, missing=(2,))
    assert entries(backtest(wishes(market, {0: 1}, limit=95, valid_bars=3), market, costs=FREE)) == [(3, 95.0)]
    assert entries(backtest(wishes(market, {0: 1}, limit=95, valid_bars=2), market, costs=FREE)) == []
    # one that comes in an unobserved bar is served, and its time begins, in the next
    assert entries(backtest(wishes(market, {1: 1}, limit=95, valid_bars=1), market, costs=FREE)) == [(3, 95.0)]


def test_time_runs_from_the_fill():
    market = market_of(CALM, CALM, (100, 101, 94, 96), CALM, CALM, CALM)
    assert ended(backtest(wishes(market, {0: 1}, limit=95, max_bars=2), market, costs=FREE)) == [(2, 4, 1, 100.0, "time")]

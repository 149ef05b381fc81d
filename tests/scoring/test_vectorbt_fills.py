"""Fills by vectorbt: worked by hand, with what it cannot do, and what it is not asked to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_portfolio import random_market, random_signals

from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.scoring import Costs, EquityShare, FixedNotional, TradingRules, VolatilityTarget, backtest
from liqbt.scoring._records import REASONS
from liqbt.scoring.vectorbt_fills import simulate
from liqbt.signals import Signals

FREE = Costs.free()
CASH = 1_000.0


def market_of(*bars, missing=()):
    """Bars as (open, high, low, close), hourly."""
    stamps = pd.date_range("2026-01-05", periods=len(bars), freq="h", tz="UTC")
    table = pd.DataFrame(bars, columns=["open", "high", "low", "close"], dtype=float).assign(timestamp=stamps, volume=1.0)
    return MarketFrame.from_frames(bars=table.drop(index=list(missing)), venue="nowhere", symbol="TESTUSDT", interval="1h")


def filled(signals, market, **options):
    fills, _ = simulate(signals, market, **({"costs": FREE, "initial_cash": CASH} | options))
    return fills


def told(fills):
    return [(int(row["bar"]), int(row["side"]), REASONS[row["reason"]], float(row["price"])) for row in fills.orders]


CALM = (100, 101, 99, 100)


def test_a_wish_is_filled_at_the_next_open_and_not_stopped_in_that_bar():
    market = market_of(CALM, (100, 101, 90, 99), (98, 99, 94, 95), CALM)
    signals = Signals.of(market, entry=[1, 0, 0, 0], stop_price=95)
    assert told(filled(signals, market)) == [(1, 1, "entry", 100.0), (2, -1, "stop", pytest.approx(95.0))]
    assert told(backtest(signals, market, costs=FREE).fills)[1] == (1, -1, "stop", 95.0)  # ours is


def test_costs_and_equity_by_hand():
    market = market_of(CALM, (100, 104, 100, 104), (104, 110, 104, 110), (110, 110, 110, 110))
    costs = Costs(taker_fee_rate=0.01, maker_fee_rate=0.0, slippage_bps=100.0, funding=False)
    fills = filled(Signals.of(market, entry=[1, 0, 0, 0], exit=[0, 0, 1, 0]), market, costs=costs)
    amount = CASH / 1.01 / 101.0  # at 1 % worse than the open, fee of 1 % on top
    assert fills.orders["size"].tolist() == pytest.approx([amount] * 2)
    assert fills.orders["price"].tolist() == pytest.approx([101.0, 108.9])
    assert fills.orders["fee"].tolist() == pytest.approx([0.01 * amount * 101.0, 0.01 * amount * 108.9])
    assert fills.orders["slippage"].tolist() == pytest.approx([amount * 1.0, amount * 1.1])
    assert fills.equity.tolist() == pytest.approx([CASH, amount * 104, amount * 110, amount * 108.9 * 0.99])
    row = fills.trades[0]
    assert row["pnl"] == pytest.approx(fills.equity[-1] - CASH)
    assert (row["mae"], row["mfe"]) == (pytest.approx(1 / 101), pytest.approx(9 / 101))
    assert fills.position.tolist() == [0, 1, 1, 0]


def test_a_reversal_is_one_order_of_theirs_and_two_of_ours():
    market = market_of(*[CALM] * 5)
    costs = Costs(taker_fee_rate=0.01, maker_fee_rate=0.0, slippage_bps=0.0, funding=False)
    fills = filled(Signals.of(market, entry=[1, 0, -1, 0, 0]), market, costs=costs)
    assert told(fills) == [(1, 1, "entry", 100.0), (3, -1, "reversal", 100.0), (3, -1, "entry", 100.0)]
    first = CASH / 1.01
    left = first * 0.99
    assert (fills.orders["size"] * 100).tolist() == pytest.approx([first, first, left / 1.01])
    assert fills.orders["fee"].tolist() == pytest.approx([first * 0.01, first * 0.01, left / 1.01 * 0.01])


@pytest.mark.parametrize(("on_opposite", "expected"), [("close", [(3, -1, "exit", 100.0)]), ("ignore", [])])
def test_opposite_entries_as_the_rules_say(on_opposite, expected):
    market = market_of(*[CALM] * 5)
    fills = filled(Signals.of(market, entry=[1, 0, -1, 0, 0]), market, rules=TradingRules(on_opposite=on_opposite))
    assert told(fills) == [(1, 1, "entry", 100.0), *expected]


def test_time_exits_fall_due_after_a_run_without_them():
    market = market_of(*[CALM] * 9)
    fills = filled(Signals.of(market, entry=[1, 0, 0, 1, 0, 0, -1, 0, 0], max_bars=2), market)
    assert [row[:3] for row in told(fills)] == [
        (1, 1, "entry"), (3, -1, "time"), (4, 1, "entry"), (6, -1, "time"), (7, -1, "entry"),
    ]  # fmt: skip


def test_a_time_exit_does_not_reopen():
    market = market_of(*[CALM] * 7)
    fills = filled(Signals.of(market, entry=[1, 0, 1, 0, 0, 0, 0], max_bars=2), market)
    assert [row[:3] for row in told(fills)] == [(1, 1, "entry"), (3, -1, "time")]


def test_wishes_wait_over_bars_that_were_not_recorded():
    market = market_of(CALM, CALM, CALM, (101, 102, 100, 101), CALM, missing=(1, 2))
    assert told(filled(Signals.of(market, entry=[1, 0, 0, 0, 0]), market)) == [(3, 1, "entry", 101.0)]
    assert told(filled(Signals.of(market, entry=[1, -1, 0, 0, 0]), market)) == [(3, -1, "entry", 101.0)]
    assert told(filled(Signals.of(market, entry=[1, 0, 0, 0, 0], exit=[0, 1, 0, 0, 0]), market)) == []
    fills = filled(Signals.of(market, entry=[1, 0, 0, 0, 0]), market)
    assert fills.equity.tolist() == pytest.approx([CASH, CASH, CASH, CASH, CASH * 100 / 101])
    assert fills.position.tolist() == [0, 0, 0, 1, 1]


def test_a_market_may_begin_with_bars_that_were_not_recorded():
    market = replace(market_of(*[CALM] * 3, (100, 110, 100, 110)), observed=np.array([False, False, True, True]))
    fills = filled(Signals.of(market, entry=[1, 0, 0, 0]), market)
    assert told(fills) == [(2, 1, "entry", 100.0)]
    assert fills.equity.tolist() == pytest.approx([CASH, CASH, CASH, 1.1 * CASH])
    assert fills.position.tolist() == [0, 0, 1, 1]


def test_an_exit_with_an_entry_is_the_entry_where_nothing_is_held():
    market = market_of(*[CALM] * 6)
    fills = filled(Signals.of(market, entry=[1, 0, 1, 0, -1, 0], exit=[1, 0, 1, 0, 1, 0]), market)
    expected = [(1, 1, "entry"), (5, -1, "exit"), (5, -1, "entry")]  # held in the same direction it changes nothing
    assert [row[:3] for row in told(fills)] == expected


def test_targets_pay_slippage_only_beside_stops():
    market = market_of(CALM, CALM, (100, 106, 100, 105), CALM)
    costs = Costs(taker_fee_rate=0.001, maker_fee_rate=0.0, slippage_bps=10.0, funding=False)
    alone = filled(Signals.of(market, entry=[1, 0, 0, 0], target_price=105), market, costs=costs).orders[1]
    beside = filled(Signals.of(market, entry=[1, 0, 0, 0], target_price=105, stop_price=90), market, costs=costs).orders[1]
    assert (REASONS[alone["reason"]], REASONS[beside["reason"]]) == ("target", "target")
    assert (alone["price"], alone["slippage"]) == (pytest.approx(105.0), pytest.approx(0.0, abs=1e-9))
    assert (beside["price"], beside["slippage"]) == (pytest.approx(105 * 0.999), pytest.approx(beside["size"] * 0.105))
    assert alone["fee"] == pytest.approx(0.001 * alone["size"] * 105)  # taker


def test_a_stop_comes_before_what_was_wished_for_the_open():
    market = market_of(CALM, CALM, (100, 101, 94, 100), CALM)
    signals = Signals.of(market, entry=[1, 0, 0, 0], exit=[0, 1, 0, 0], stop_price=95)
    assert told(filled(signals, market))[1] == (2, -1, "stop", pytest.approx(95.0))
    assert told(backtest(signals, market, costs=FREE).fills)[1] == (2, -1, "exit", 100.0)


def test_a_trailing_stop_does_not_know_the_bar_of_its_entry():
    market = market_of(CALM, (100, 110, 99, 100), (100, 101, 95, 100), CALM)
    wishes = {"entry": [1, 0, 0, 0], "trailing_stop": 0.1}
    assert told(filled(Signals.of(market, **wishes), market)) == [(1, 1, "entry", 100.0)]  # stands at 90, not at 99
    left = filled(Signals.of(market, exit=[0, 1, 0, 0], **wishes), market)
    assert told(left)[1] == (2, -1, "exit", 100.0)
    assert told(backtest(Signals.of(market, **wishes), market, costs=FREE).fills)[1] == (2, -1, "trail", pytest.approx(99.0))


def test_a_short_may_lose_more_than_there_is():
    market = market_of(CALM, CALM, (100, 100, 100, 100), (250, 250, 250, 250), (250, 250, 250, 250))
    fills = filled(Signals.of(market, entry=[-1, 0, 0, 0, 0]), market)
    assert fills.equity[-1] == pytest.approx(-500.0)
    assert fills.ruined
    assert fills.trades["exit_bar"].tolist() == [-1]
    bought = filled(Signals.of(market, entry=[-1, 0, 0, 0, 0], exit=[0, 0, 0, 1, 0]), market)
    assert bought.equity[-1] == pytest.approx(-500.0)
    assert bought.trades["exit_bar"].tolist() == [-1]  # the cash does not buy it all back


def test_refused_entries_close_what_they_would_have_reversed():
    market = market_of(CALM, CALM, (100, 101, 99, 100), (104, 105, 103, 104), CALM)
    signals = Signals.of(market, entry=[1, 0, -1, 0, 0], stop_price=[np.nan, np.nan, 102, np.nan, np.nan])
    fills = filled(signals, market)
    assert told(fills) == [(1, 1, "entry", 100.0), (3, -1, "reversal", 104.0)]
    assert fills.rejected == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"leverage": 2.0}, "leverage: 2 cannot"),
        ({"sizing": VolatilityTarget()}, r"sizing: VolatilityTarget\("),
        ({"sizing": EquityShare(share=0.5)}, r"sizing: EquityShare\(share=0.5\) with entries that reverse"),
        ({"rules": TradingRules(latency_bars=1)}, "latency_bars: 1"),
        ({"rules": TradingRules(latency_ms=5.0)}, "latency_ms: 5"),
        ({"rules": TradingRules(cooldown_bars=3)}, "cooldown_bars: 3"),
        ({"costs": Costs(taker_fee_rate=0.0, maker_fee_rate=0.0, slippage_bps=0.0, depth_slippage=True)}, "depth_slippage: True"),
    ],
)
def test_settings_that_it_cannot_express_are_refused(options, message):
    market = market_of(*[CALM] * 4)
    with pytest.raises(ConfigError, match=message) as caught:
        filled(Signals.of(market, entry=[1, 0, -1, 0]), market, **options)
    assert "fills='liqbt'" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"limit_price": 99}, "limit_price of the entry decided at 2026-01-05 01:00:00"),
        ({"trigger_price": 101}, "trigger_price of the entry"),
        ({"stop_price": 95, "trailing_stop": 0.02}, "trailing_stop beside a stop_price"),
    ],
)
def test_wishes_that_it_cannot_express_are_refused(wish, message):
    market = market_of(*[CALM] * 4)
    with pytest.raises(ConfigError, match=message):
        filled(Signals.of(market, entry=[0, 1, 0, 0], **wish), market)


def test_a_share_without_reversals_and_a_fixed_notional():
    market = market_of(*[CALM] * 4)
    wishes = Signals.of(market, entry=[1, 0, 0, 0])
    assert filled(wishes, market, sizing=EquityShare(share=0.3)).orders["size"].tolist() == pytest.approx([3.0])
    assert filled(wishes, market, sizing=FixedNotional(notional=250.0)).orders["size"].tolist() == pytest.approx([2.5])
    assert filled(wishes, market, sizing=FixedNotional(notional=9e9)).orders["size"].tolist() == pytest.approx([10.0])
    short = Signals.of(market, entry=[-1, 0, 0, 0])
    assert filled(short, market, sizing=FixedNotional(notional=9e9)).orders["size"].tolist() == pytest.approx([10.0])


def test_notes_tell_what_matters_of_these_signals():
    market = market_of(*[CALM] * 4)
    costs = Costs.binance_usdm()

    def notes(**wishes):
        return " | ".join(simulate(Signals.of(market, entry=[1, 0, 0, 0], **wishes), market, costs=costs, initial_cash=CASH)[1])

    assert notes() == "filled by vectorbt's from_signals: one order a bar, no leverage, no funding and no liquidation"
    assert "stops nothing on the bar of its entry" in notes(stop_price=90)
    assert "targets fill at a touch and pay the taker fee" in notes(target_price=110)
    assert "taker fee and slippage" in notes(target_price=110, stop_price=90)
    assert "time exits" in notes(max_bars=2)
    assert "trailing stops" in notes(trailing_stop=0.1)
    assert "one order or none" in notes(exit=[1, 0, 0, 0])


def test_records_are_one_account_on_a_random_market():
    market = random_market(31, bars=600)
    fills, notes = simulate(random_signals(31, market), market, costs=Costs.binance_usdm(), initial_cash=CASH)
    assert {"exit", "stop", "target", "reversal"} <= {REASONS[reason] for reason in fills.trades["reason"]}
    orders, signed = fills.orders, fills.orders["side"] * fills.orders["size"]
    cash = CASH + np.cumsum(np.bincount(orders["bar"], -signed * orders["price"] - orders["fee"], minlength=market.n_bars))
    held = np.cumsum(np.bincount(orders["bar"], signed, minlength=market.n_bars))
    assert fills.equity == pytest.approx(cash + held * market.close, rel=1e-9)
    assert np.sign(np.round(held, 9)).tolist() == fills.position.tolist()
    assert fills.trades["pnl"].sum() == pytest.approx(fills.equity[-1] - CASH, rel=1e-9)
    assert len(notes) == 5
    assert not fills.orders.flags.writeable


def test_a_score_of_vectorbts_fills_is_its_own_account():
    market = random_market(32, funding=False)
    signals = random_signals(32, market)
    score = backtest(signals, market, costs=Costs.binance_usdm(), initial_cash=CASH, fills="vectorbt")
    assert score.portfolio.value().to_numpy() == pytest.approx(score.fills.equity, rel=1e-9)
    assert score.stats["Total Trades"] == len(score.trades)
    assert score.notes[0].startswith("filled by vectorbt's from_signals")

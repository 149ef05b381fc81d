"""Market entries and what ends them, worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hand_markets import CALM, FEES, FREE, FUNDED, ended, market_of, wishes

from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.scoring import Costs, backtest


def test_a_wish_is_filled_at_the_next_open():
    market = market_of(CALM, (102, 103, 101, 102), CALM)
    score = backtest(wishes(market, {0: 1}), market, costs=FREE)
    assert score.fills.trades["entry_price"].tolist() == [102.0]
    assert score.fills.position.tolist() == [0, 1, 1]
    assert score.fills.equity == pytest.approx([10_000, 10_000, 10_000 * 100 / 102])


def test_a_wish_at_the_last_close_is_never_filled():
    market = market_of(CALM, CALM)
    assert backtest(wishes(market, {1: 1}), market, costs=FREE).fills.orders.size == 0


def test_stop_on_the_entry_bar():
    market = market_of(CALM, (100, 101, 94, 100), CALM)
    assert ended(backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE)) == [(1, 1, 1, 95.0, "stop")]


def test_gap_through_the_stop_fills_at_the_open():
    market = market_of(CALM, CALM, (90, 92, 89, 91))
    assert ended(backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE)) == [(1, 2, 1, 90.0, "stop")]


def test_stop_of_a_short_pays_slippage_and_taker_fee():
    market = market_of(CALM, (100, 106, 99, 100))
    costs = Costs(taker_fee_rate=0.001, maker_fee_rate=0, slippage_bps=10)
    row = backtest(wishes(market, {0: -1}, stop=105), market, costs=costs).fills.trades[0]
    assert row["entry_price"] == pytest.approx(99.9)
    assert row["exit_price"] == pytest.approx(105 * 1.001)
    notional = 10_000 / 1.001  # and the fee on it
    assert row["fees"] == pytest.approx(notional * 0.001 + notional / 99.9 * 105.105 * 0.001)
    assert row["slippage"] == pytest.approx(notional / 99.9 * (0.1 + 0.105))


def test_stop_and_target_in_one_bar_the_stop_wins():
    market = market_of(CALM, (100, 111, 94, 100))
    assert ended(backtest(wishes(market, {0: 1}, stop=95, target=110), market, costs=FREE)) == [(1, 1, 1, 95.0, "stop")]


def test_a_target_needs_trade_through():
    market = market_of(CALM, (100, 110, 99, 100), (100, 110.5, 99, 100))
    assert ended(backtest(wishes(market, {0: 1}, target=110), market, costs=FREE)) == [(1, 2, 1, 110.0, "target")]


def test_a_target_pays_the_maker_fee_and_no_slippage():
    market = market_of(CALM, (100, 112, 99, 100))
    row = backtest(wishes(market, {0: 1}, target=110), market, costs=FEES).fills.orders[1]
    assert (row["price"], row["slippage"]) == (110.0, 0.0)
    assert row["fee"] == pytest.approx(-0.0005 * 110 * row["size"])


def test_gap_beyond_the_target_fills_at_the_open_even_where_the_stop_follows():
    market = market_of(CALM, CALM, (115, 116, 90, 100))
    assert ended(backtest(wishes(market, {0: 1}, stop=95, target=110), market, costs=FREE)) == [(1, 2, 1, 115.0, "target")]


def test_reversal_closes_and_opens_at_one_open():
    market = market_of(CALM, CALM, (103, 104, 102, 103), CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE)
    assert ended(score)[0] == (1, 2, 1, 103.0, "reversal")
    assert score.fills.trades["side"].tolist() == [1, -1]
    assert score.fills.trades["entry_price"].tolist() == [100.0, 103.0]


def test_an_entry_in_the_direction_held_is_ignored():
    market = market_of(CALM, CALM, CALM, CALM)
    assert ended(backtest(wishes(market, {0: 1, 1: 1, 2: 1}), market, costs=FREE))[0][:3] == (1, -1, 1)


def test_exit_and_time_exit():
    market = market_of(*[CALM] * 8)
    assert ended(backtest(wishes(market, {0: 1}, max_bars=3), market, costs=FREE)) == [(1, 4, 1, 100.0, "time")]
    assert ended(backtest(wishes(market, {0: 1}, exits=[3]), market, costs=FREE)) == [(1, 4, 1, 100.0, "exit")]
    again = backtest(wishes(market, {0: 1, 3: 1}, exits=[3]), market, costs=FREE)
    assert [one[:2] for one in ended(again)] == [(1, 4), (4, -1)]


def test_an_entry_beyond_its_stop_or_target_is_rejected():
    market = market_of(CALM, (94, 96, 93, 95), CALM)
    assert backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE).rejected == 1
    assert backtest(wishes(market, {0: -1}, target=95), market, costs=FREE).rejected == 1
    assert backtest(wishes(market, {0: 1}, stop=94), market, costs=FREE).rejected == 1


def test_a_rejected_reversal_still_closes():
    market = market_of(CALM, CALM, (94, 96, 93, 95), CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}, target=np.array([np.nan, 95, np.nan, np.nan])), market, costs=FREE)
    assert ended(score) == [(1, 2, 1, 94.0, "reversal")]
    assert score.rejected == 1


def test_unobserved_bars_wait():
    market = market_of(CALM, CALM, CALM, (101, 102, 100, 101), CALM, missing=(1, 2))
    assert ended(backtest(wishes(market, {0: 1}), market, costs=FREE))[0][:3] == (3, -1, 1)
    assert ended(backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE))[0][:3] == (3, -1, -1)
    assert ended(backtest(wishes(market, {0: 1}, exits=[1]), market, costs=FREE)) == []


def test_holding_time_counts_unobserved_bars_and_funding_is_charged_in_them():
    market = market_of(*[CALM] * 7, missing=(3,), funding={3: 0.01})
    score = backtest(wishes(market, {0: 1}, max_bars=2), market, costs=FUNDED)
    assert ended(score) == [(1, 4, 1, 100.0, "time")]
    assert score.fills.trades["funding"].tolist() == [pytest.approx(score.fills.trades["amount"][0] * 100.0 * 0.01)]


def test_excursions_count_only_the_exit_price_of_the_last_bar():
    market = market_of(CALM, (100, 104, 98, 100), (100, 120, 94, 100))
    row = backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE).fills.trades[0]
    assert (row["mae"], row["mfe"]) == (pytest.approx(0.05), pytest.approx(0.04))


def test_notional_is_cut_to_what_the_venue_allows():
    stamps = pd.date_range("2026-01-05", periods=4, freq="h", tz="UTC")
    bars = pd.DataFrame({"timestamp": stamps, "open": 100.0, "high": 101.0, "low": 100.0, "close": 100.0, "volume": 1.0})
    bars.loc[2, ["high", "close"]] = 110.0
    bars.loc[3, ["open", "high"]] = 110.0
    market = MarketFrame.from_frames(bars=bars, venue="binance", symbol="BTCUSDT", interval="1h")
    score = backtest(wishes(market, {0: 1, 2: -1}), market, costs=FREE, leverage=150, initial_cash=2_000)
    assert score.fills.trades["amount"][1] * 110 == pytest.approx(300_000)  # 150x is allowed up to here
    assert score.fills.capped == 1
    with pytest.raises(ConfigError, match="above the maximum of 100 "):
        backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=150, initial_cash=2_001)

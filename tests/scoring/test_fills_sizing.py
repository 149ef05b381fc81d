"""How large entries are, worked by hand; and what the parameters may be."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hand_markets import CALM, FEES, FREE, ended, market_of, wishes

from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.scoring import EquityShare, FixedNotional, VolatilityTarget, backtest
from liqbt.signals import Signals
from liqbt.volatility import daily_volatility


def notional(score):
    rows = score.fills.trades
    return rows["amount"] * rows["entry_price"]


def test_size_follows_from_the_equity_at_the_close_that_decided():
    market = market_of(CALM, (100, 121, 99, 120), (150, 151, 149, 150), CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE, sizing=EquityShare(share=0.5))
    # 50 bought at 100; at the close of 120 equity is 11,000, at the open of 150, where the short is opened, 12,500
    assert notional(score) == pytest.approx([5_000, 5_500])


def test_what_was_lost_since_the_decision_is_not_there_to_be_put_up():
    market = market_of(CALM, CALM, (80, 81, 79, 80), CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE)
    assert notional(score) == pytest.approx([10_000, 8_000])
    assert score.fills.reduced == 1
    assert score.notes[-1] == "1 entry was cut down to the free margin"


def test_nothing_is_sent_where_nothing_is_free():
    market = market_of(CALM, CALM, (80, 81, 79, 80), CALM, CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE, leverage=10)
    assert [one[-1] for one in ended(score)] == ["liquidation"]
    assert score.fills.starved == 1
    assert "1 entry was not sent: no margin was free" in score.notes


def test_a_fixed_notional_is_the_same_whatever_the_account_became():
    market = market_of(CALM, (100, 121, 99, 120), (150, 151, 149, 150), CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE, leverage=2, sizing=FixedNotional(notional=3_000))
    assert notional(score) == pytest.approx([3_000, 3_000])


def test_a_fixed_notional_is_cut_to_what_margin_and_fee_leave():
    market = market_of(CALM, CALM, CALM)
    score = backtest(wishes(market, {0: 1}), market, costs=FEES, leverage=4, sizing=FixedNotional(notional=1e6), initial_cash=1_000)
    assert notional(score) == pytest.approx([1_000 / (1 / 4 + 0.001)])
    assert score.fills.reduced == 1


@pytest.fixture(scope="module")
def daily():
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.03, 40)))
    stamps = pd.date_range("2026-01-05", periods=40, freq="D", tz="UTC")
    table = pd.DataFrame({"timestamp": stamps, "open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "volume": 1.0})
    return MarketFrame.from_frames(bars=table, venue="nowhere", symbol="X", interval="1d")


def entry_at(market, bar, side=1):
    wanted = np.zeros(market.n_bars)
    wanted[bar] = side
    return Signals.of(market, entry=wanted)


def test_a_volatility_target(daily):
    known = daily_volatility(daily, 3.0)[20]
    assert 0.01 < known < 0.06
    score = backtest(entry_at(daily, 20), daily, costs=FREE, leverage=5, sizing=VolatilityTarget(daily=0.01, volatility_days=3.0))
    assert notional(score) == pytest.approx([10_000 * 0.01 / known])
    bound = VolatilityTarget(daily=0.9, volatility_days=3.0, max_share=0.6)
    assert notional(backtest(entry_at(daily, 20), daily, costs=FREE, leverage=5, sizing=bound)) == pytest.approx([0.6 * 10_000 * 5])


def test_without_a_known_volatility_nothing_is_opened(daily):
    score = backtest(entry_at(daily, 1), daily, costs=FREE, sizing=VolatilityTarget())
    assert (score.fills.trades.size, score.fills.unsized) == (0, 1)
    assert score.notes[-1] == "1 entry was not sent: the volatility was not known yet"


def test_a_market_that_does_not_move_is_entered_with_all_that_is_allowed():
    stamps = pd.date_range("2026-01-05", periods=6, freq="D", tz="UTC")
    table = pd.DataFrame({"timestamp": stamps, **dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0)})
    still = MarketFrame.from_frames(bars=table, venue="nowhere", symbol="X", interval="1d")
    score = backtest(entry_at(still, 4), still, costs=FREE, leverage=2, sizing=VolatilityTarget(max_share=0.5))
    assert notional(score) == pytest.approx([10_000])


def test_size_is_cut_to_what_the_venue_allows_also_where_sizing_could_not_tell_before(daily):
    binance = dataclasses.replace(daily, venue="binance", symbol="BTCUSDT")
    sizing = VolatilityTarget(daily=0.99, volatility_days=3.0)
    score = backtest(entry_at(binance, 20), binance, costs=FREE, leverage=150, sizing=sizing)
    assert notional(score) == pytest.approx([300_000])  # 150x is allowed up to here
    assert score.fills.capped == 1
    with pytest.raises(ConfigError, match=r"above the maximum of 100 for a BTCUSDT position of 400000 quote"):
        backtest(entry_at(binance, 20), binance, leverage=150, sizing=FixedNotional(notional=400_000))


@pytest.mark.parametrize(("make", "name"), [
    (lambda: EquityShare(share=0.0), "share"), (lambda: EquityShare(share=1.01), "share"), (lambda: EquityShare(share=np.nan), "share"),
    (lambda: FixedNotional(notional=0.0), "notional"), (lambda: FixedNotional(notional=np.inf), "notional"),
    (lambda: VolatilityTarget(daily=0.0), "daily"), (lambda: VolatilityTarget(daily=1.0), "daily"),
    (lambda: VolatilityTarget(volatility_days=0.0), "volatility_days"), (lambda: VolatilityTarget(max_share=1.5), "max_share"),
])  # fmt: skip
def test_sizing_out_of_range(make, name):
    with pytest.raises(ConfigError, match=f"^{name}: "):
        make()

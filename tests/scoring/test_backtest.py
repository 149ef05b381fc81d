"""Parameters, errors, notes and the frames of a Score."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.scoring import Costs, EquityShare, TradingRules, backtest, buy_and_hold
from liqbt.signals import Signals


def market_at(start="2026-01-05", *, venue="binance", symbol="BTCUSDT", bars=6):
    stamps = pd.date_range(start, periods=bars, freq="h", tz="UTC")
    close = 100.0 + np.arange(bars)
    table = pd.DataFrame({"timestamp": stamps, "open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1.0})
    rates = pd.DataFrame({"timestamp": stamps[[3]], "funding_rate": [0.0001]}) if bars > 3 else None
    return MarketFrame.from_frames(bars=table, funding=rates, venue=venue, symbol=symbol, interval="1h")


@pytest.fixture
def market():
    return market_at()


@pytest.fixture
def signals(market):
    return Signals.of(market, entry=[1, 0, 0, -1, 0, 0], name="two trades", parameters={"threshold": 0.6})


@pytest.mark.parametrize(("field", "value"), [
    ("taker_fee_rate", -0.0001), ("taker_fee_rate", 0.05), ("taker_fee_rate", float("nan")),
    ("maker_fee_rate", 0.05), ("maker_fee_rate", -0.05), ("slippage_bps", -1), ("slippage_bps", float("inf")),
])  # fmt: skip
def test_costs_out_of_range(field, value):
    with pytest.raises(ConfigError, match=f"^{field}: "):
        dataclasses.replace(Costs.binance_usdm(), **{field: value})


@pytest.mark.parametrize(("name", "value"), [
    ("leverage", 0.5), ("leverage", float("nan")), ("leverage", 1e9), ("initial_cash", 0.0), ("initial_cash", float("inf")),
    ("fills", "nautilus"),
])  # fmt: skip
def test_parameters_out_of_range(signals, market, name, value):
    with pytest.raises(ConfigError, match=f"^{name}: "):
        backtest(signals, market, **{name: value})


def test_leverage_above_the_venues_maximum_names_it(signals, market):
    with pytest.raises(ConfigError, match="leverage: 200 is above the maximum of 150 for BTCUSDT on binance"):
        backtest(signals, market, leverage=200, initial_cash=100)
    with pytest.raises(ConfigError, match=r"leverage: 150 is above the maximum of 75 for a BTCUSDT position"):
        backtest(signals, market, leverage=150, initial_cash=10_000)


def test_signals_of_another_market(signals):
    with pytest.raises(ConfigError, match="bar 0 of the signals is 2026-01-05 00:00:00, of the market 2026-01-06 00:00:00"):
        backtest(signals, market_at("2026-01-06"))
    with pytest.raises(ConfigError, match="the market has 7 bars"):
        backtest(signals, market_at(bars=7))


@pytest.mark.parametrize("name", ["stop_price", "target_price", "limit_price", "trigger_price", "trailing_stop"])
def test_infinite_levels_are_refused(signals, market, name):
    with pytest.raises(ConfigError, match=f"two trades: {name} is infinite"):
        backtest(dataclasses.replace(signals, **{name: np.full(6, -np.inf)}), market)


def test_an_order_is_a_limit_or_a_trigger(signals, market):
    both = {name: np.full(6, 100.0) for name in ("limit_price", "trigger_price")}
    with pytest.raises(ConfigError, match="two trades: the entry decided at 2026-01-05 00:00:00 has a limit and a trigger"):
        backtest(dataclasses.replace(signals, **both), market)


def test_notes(signals, market):
    assert backtest(signals, market).notes == ()
    unknown = market_at(symbol="UNKNOWN")
    assert "0.50%" in backtest(Signals.of(unknown, entry=0), unknown).notes[0]
    assert backtest(signals, market, costs=Costs.free()).notes == ("funding was switched off",)
    unfunded = dataclasses.replace(market, funding_rate=None)
    assert backtest(signals, unfunded).notes == ("no funding is recorded: none was paid or received",)


def test_dropped_entries_are_rejected_and_said_so(market):
    signals = Signals.of(market, entry=[1, 0, 1, 0, -1, 0], stop_price=[99, 0, 200, 0, 1, 0])
    score = backtest(signals, market)
    assert signals.dropped == 2
    assert score.notes == ("2 entries were not sent: stop or target on the wrong side of the price, or a trigger that would fire at once",)
    assert score.fills.rejected == 0
    assert score.rejected == score.trading_stats["Rejected Entries"] == 2
    one = Signals.of(market, entry=1, stop_price=[200, *[99] * 5])
    assert backtest(one, market).notes[0].startswith("1 entry was not sent: ")


def test_bars_longer_than_the_funding_interval_say_so():
    def notes(interval, costs=None):
        stamps = pd.date_range("2026-01-05", periods=3, freq=interval, tz="UTC")
        table = pd.DataFrame({"timestamp": stamps, **dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0)})
        rates = pd.DataFrame({"timestamp": stamps, "funding_rate": 0.0001})
        market = MarketFrame.from_frames(bars=table, funding=rates, venue="binance", symbol="BTCUSDT", interval=interval)
        return buy_and_hold(market, costs=costs).notes

    assert notes("8h") == ()
    expected = "bars are longer than 8 hours: payments within a bar are charged at its open to what was carried into it"
    assert notes("12h") == (expected,)
    assert notes("12h", Costs.free()) == ("funding was switched off",)


def test_the_entry_fee_counts_where_leverage_is_checked(signals, market):
    # 2,001 x 150 is above the 300,000 up to which 150x is allowed, but with the fee put aside the position is below
    assert backtest(signals, market, leverage=150, initial_cash=2_001).fills.capped == 0


def test_settings_are_kept(signals, market):
    sizing, rules = EquityShare(share=0.5), TradingRules(cooldown_bars=2)
    score = backtest(signals, market, leverage=3, sizing=sizing, rules=rules, initial_cash=500)
    assert (score.leverage, score.sizing, score.rules, score.initial_cash) == (3.0, sizing, rules, 500.0)
    plain = backtest(signals, market)
    assert (plain.sizing, plain.rules, plain.costs) == (EquityShare(), TradingRules(), Costs.binance_usdm())


def test_vectorbt_may_fill_too(signals, market):
    score = backtest(signals, market, costs=Costs.free(), fills="vectorbt")
    assert score.trades["side"].tolist() == ["long", "short"]
    assert any("vectorbt" in note for note in score.notes)


@pytest.mark.parametrize(("name", "more"), [
    ("leverage", {"leverage": 2.0}), ("sizing", {"sizing": EquityShare(share=0.5)}),
    ("cooldown_bars", {"rules": TradingRules(cooldown_bars=1)}),
])  # fmt: skip
def test_what_vectorbt_cannot_simulate_is_refused(signals, market, name, more):
    with pytest.raises(ConfigError, match=f"^{name}: .* cannot be expressed by vectorbt"):
        backtest(signals, market, costs=Costs.free(), fills="vectorbt", **more)


def test_frames(signals, market):
    score = backtest(signals, market, leverage=2)
    assert (score.name, score.parameters["threshold"], score.leverage) == ("two trades", 0.6, 2.0)
    assert score.trades["entry_time"].tolist() == [market.index[1], market.index[4]]
    assert score.trades["exit_time"].iloc[0] == market.index[4]
    assert pd.isna(score.trades["exit_time"].iloc[1])
    assert str(score.trades["exit_time"].dtype) == str(score.trades["entry_time"].dtype) == "datetime64[ns, UTC]"
    assert score.trades["side"].tolist() == ["long", "short"]
    assert score.trades["reason"].tolist() == ["reversal", "open"]
    assert score.trades["bars"].tolist() == [3, 1]
    assert score.orders["reason"].tolist() == ["entry", "funding", "reversal", "entry"]
    assert score.orders["side"].tolist() == ["buy", "long", "sell", "sell"]
    assert score.orders["size"].iloc[1] == 0
    assert score.equity.index.equals(market.index)
    assert score.equity.iloc[-1] == pytest.approx(10_000 + score.trades["pnl"].sum())
    assert score.trading_stats["Exposure [%]"] == pytest.approx(100 * 5 / 6)
    assert score.trading_stats["Average Holding"] == pd.Timedelta("2h")
    traded = score.orders["size"] * score.orders["price"]
    assert score.trading_stats["Turnover"] == pytest.approx(traded.sum() / score.equity.mean())


def test_frames_without_trades(market):
    score = backtest(Signals.of(market, entry=0), market)
    assert score.trades.empty
    assert str(score.trades["exit_time"].dtype) == "datetime64[ns, UTC]"
    assert score.orders.empty
    assert score.trading_stats["Fees Paid"] == 0


def test_results_are_read_only_and_travel(signals, market):
    score = backtest(signals, market)
    with pytest.raises(ValueError, match="read-only"):
        score.fills.equity[0] = 1.0
    again = pickle.loads(pickle.dumps(score.fills))  # noqa: S301 - made on the line itself; workers send scores this way
    assert again.equity.tobytes() == score.fills.equity.tobytes()


def test_one_bar():
    assert buy_and_hold(market_at(bars=1)).equity.tolist() == [10_000.0]

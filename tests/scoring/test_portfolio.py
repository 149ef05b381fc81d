"""The seam to vectorbt: its account is ours, and where it can simulate the case itself, its orders are ours too."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from liqbt.market import MarketFrame
from liqbt.scoring import Costs, EquityShare, backtest, buy_and_hold
from liqbt.signals import Signals


def random_market(seed, *, bars=400, volatility=0.004, funding=True, symbol="BTCUSDT"):
    rng = np.random.default_rng(seed)
    close = 50_000 * np.exp(np.cumsum(rng.normal(0, volatility, bars)))
    open_ = np.r_[50_000.0, close[:-1]] * np.exp(rng.normal(0, volatility / 10, bars))
    high = np.maximum(open_, close) * (1 + np.abs(rng.normal(0, volatility / 2, bars)))
    low = np.minimum(open_, close) * (1 - np.abs(rng.normal(0, volatility / 2, bars)))
    stamps = pd.date_range("2026-01-05", periods=bars, freq="15min", tz="UTC")
    table = pd.DataFrame({"timestamp": stamps, "open": open_, "high": high, "low": low, "close": close, "volume": 1.0})
    rates = pd.DataFrame({"timestamp": stamps[::8], "funding_rate": rng.normal(0, 3e-4, stamps[::8].size)})
    return MarketFrame.from_frames(bars=table, funding=rates if funding else None, venue="binance", symbol=symbol, interval="15m")


def random_signals(seed, market):
    rng = np.random.default_rng(seed)
    entry = rng.choice([-1, 0, 1], market.n_bars, p=[0.1, 0.8, 0.1])
    distance = rng.uniform(0.004, 0.02, market.n_bars)
    return Signals.of(
        market,
        entry=entry,
        exit=rng.random(market.n_bars) < 0.02,
        stop_price=market.close * (1 - entry * distance),
        target_price=market.close * (1 + entry * 1.5 * distance),
        max_bars=30,
        name=f"random {seed}",
    )


@pytest.fixture(scope="module", params=[(1, 1.0, 1.0), (2, 5.0, 0.5), (3, 50.0, 0.2), (4, 75.0, 1.0)], ids=["1x", "5x", "50x", "ruin"])
def score(request):
    seed, leverage, share = request.param
    market = random_market(seed)
    return backtest(random_signals(seed, market), market, leverage=leverage, sizing=EquityShare(share=share))


def test_value_is_our_equity_at_every_bar(score):
    assert score.portfolio.value().to_numpy() == pytest.approx(score.fills.equity, rel=1e-9, abs=1e-9 * score.initial_cash)


def test_trades_are_ours(score):
    trades = score.portfolio.trades
    rows = score.fills.trades
    assert len(trades.records) == rows.size
    assert trades.records["pnl"].to_numpy() == pytest.approx(rows["pnl"], rel=1e-9, abs=1e-9 * score.initial_cash)
    assert trades.records["size"].to_numpy() == pytest.approx(rows["amount"], rel=1e-9)
    assert trades.records["entry_idx"].tolist() == rows["entry_bar"].tolist()
    assert (trades.records["status"] == 1).tolist() == (rows["exit_bar"] >= 0).tolist()


def test_the_markets_cover_liquidation_and_ruin():
    market = random_market(4)
    score = backtest(random_signals(4, market), market, leverage=75)
    assert "liquidation" in set(score.trades["reason"])
    assert score.fills.ruined


def test_stats_hold_what_a_perpetual_trader_needs():
    market = random_market(2)
    score = backtest(random_signals(2, market), market, leverage=5, sizing=EquityShare(share=0.5))
    stats = score.stats
    assert stats["End Value"] == pytest.approx(score.equity.iloc[-1])
    assert stats["Total Trades"] == len(score.trades)
    assert stats["Fees Paid"] == pytest.approx(score.trades["fees"].sum())
    assert stats["Funding Paid"] == pytest.approx(score.trades["funding"].sum())
    assert stats["Funding Paid"] != 0
    assert stats["Start"] == market.index[0]
    wanted = ("Total Return [%]", "Price Change [%]", "Sharpe Ratio", "Sortino Ratio", "Calmar Ratio", "Max Drawdown [%]")
    assert {*wanted, "Win Rate [%]", "Profit Factor"} <= set(stats.index)
    assert stats.index.is_unique
    assert not {"Total Fees Paid", "Max Gross Exposure [%]", "Benchmark Return [%]"} & set(stats.index)
    assert stats["Price Change [%]"] == pytest.approx(100 * (market.close[-1] / market.close[0] - 1))
    wanted = (
        "Gross Edge [bps]",
        "Net Edge [bps]",
        "Largest Loss",
        "Time Under Water [%]",
        "Average MAE [%]",
        "Average MFE [%]",
        "Capacity",
    )
    assert set(wanted) <= set(stats.index)
    for reason, label in (("stop", "Stops"), ("target", "Targets"), ("time", "Time Exits"), ("liquidation", "Liquidations")):
        assert stats[label] == (score.trades["reason"] == reason).sum()


def test_stats_of_an_account_that_never_traded():
    market = random_market(5, bars=50)
    stats = backtest(Signals.of(market, entry=0), market).stats
    assert stats["Total Trades"] == 0
    assert stats["Total Return [%]"] == 0
    assert pd.isna(stats["Average Holding"])


@pytest.mark.parametrize("bars", [1, 2, 3])
@pytest.mark.parametrize("growth", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("side", [-1, 0, 1])
def test_stats_of_short_and_of_flat_markets(bars, growth, side):
    close = 100 * growth ** np.arange(bars)
    stamps = pd.date_range("2026-01-05", periods=bars, freq="1min", tz="UTC")
    table = pd.DataFrame({"timestamp": stamps, "open": close, "high": close, "low": close, "close": close, "volume": 1.0})
    market = MarketFrame.from_frames(bars=table, venue="nowhere", symbol="X", interval="1m")
    for costs, leverage in ((Costs.free(), 1), (Costs.binance_usdm(), 50)):
        score = backtest(Signals.of(market, entry=np.r_[side, np.zeros(bars - 1)]), market, costs=costs, leverage=leverage)
        assert score.stats["End Value"] == pytest.approx(score.equity.iloc[-1], abs=1e-9)
        assert score.stats["Total Trades"] == len(score.trades)


def test_at_1x_an_entry_borrows_nothing():
    market = random_market(7, funding=False)
    score = buy_and_hold(market)
    cash = score.portfolio.cash().to_numpy()
    assert cash[1:] == pytest.approx(0.0, abs=1e-9)
    assert score.fills.orders["size"] * score.fills.orders["price"] + score.fills.orders["fee"] == pytest.approx([10_000])


def test_a_score_pickles_before_and_after_its_numbers_were_asked_for(score):
    for _ in range(2):
        again = pickle.loads(pickle.dumps(score))  # noqa: S301 - made on the line itself; workers send scores this way
        for name in ("orders", "trades", "equity", "position"):
            assert getattr(again.fills, name).tobytes() == getattr(score.fills, name).tobytes()
        assert (again.name, again.parameters, again.notes) == (score.name, score.parameters, score.notes)
        assert again.stats.astype(str).equals(score.stats.astype(str))  # and now both have a Portfolio


def test_stats_of_a_ruined_account():
    market = random_market(4)
    stats = backtest(random_signals(4, market), market, leverage=75).stats
    assert stats["Ruined"]
    assert stats["End Value"] < 0.1 * stats["Start Value"]


def test_buy_and_hold_is_vectorbts_holding():
    market = random_market(6, funding=False)
    score = buy_and_hold(market, costs=Costs.free())
    assert score.equity.iloc[-1] == pytest.approx(10_000 * market.close[-1] / market.open[1])
    assert score.portfolio.total_return() == pytest.approx(score.equity.iloc[-1] / 10_000 - 1)
    assert score.name == "buy and hold"


def test_scoring_does_not_import_vectorbt():
    code = "import sys, liqbt.scoring; sys.exit('vectorbt' in sys.modules or 'plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

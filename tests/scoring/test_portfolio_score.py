"""Several symbols out of one wallet: vectorbt's group value is ours, and what each symbol earned adds up to it."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hand_fills import CASH, flat_market, portfolio_by_hand, trip
from test_portfolio import random_market, random_signals

from liqbt.scoring import EquityShare, Fills, backtest, backtest_portfolio
from liqbt.scoring._records import ORDER, REASONS, TRADE


@pytest.fixture(scope="module", params=[(11, 1.0, 0.4), (12, 5.0, 0.3), (13, 50.0, 0.25)], ids=["1x", "5x", "50x"])
def score(request):
    seed, leverage, share = request.param
    markets = [random_market(seed + k, symbol=symbol) for k, symbol in enumerate(("BTCUSDT", "ETHUSDT", "SOLUSDT"))]
    signals = [random_signals(seed + k, market) for k, market in enumerate(markets)]
    return backtest_portfolio(signals, markets, leverage=leverage, sizing=EquityShare(share=share))


def test_group_value_is_our_equity_at_every_bar(score):
    value = score.portfolio.value()
    assert isinstance(value, pd.Series)  # one group
    assert value.to_numpy() == pytest.approx(score.fills.equity, rel=1e-9, abs=1e-9 * score.initial_cash)
    assert list(score.portfolio.wrapper.columns) == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


def test_contributions_add_up_to_equity(score):
    total = score.initial_cash + score.contributions.sum(axis=1)
    assert total.to_numpy() == pytest.approx(score.fills.equity, rel=1e-9, abs=1e-8 * score.initial_cash)
    by_trade = score.trades.groupby("symbol")["pnl"].sum()
    assert score.contributions.iloc[-1].to_dict() == pytest.approx(by_trade.to_dict(), abs=1e-8 * score.initial_cash)


def test_vectorbts_trades_are_ours_symbol_by_symbol(score):
    trades = score.portfolio.trades.records
    for asset, symbol in enumerate(score.symbols):
        own, rows = trades[trades["col"] == asset], score.trades[score.trades["symbol"] == symbol]
        assert own["entry_idx"].tolist() == [score.markets[0].index.get_loc(stamp) for stamp in rows["entry_time"]]
        assert own["pnl"].to_numpy() == pytest.approx(rows["pnl"].to_numpy(), rel=1e-9, abs=1e-8 * score.initial_cash)


def test_stats_are_of_the_whole_account(score):
    stats = score.stats
    assert stats["Total Trades"] == len(score.trades)
    assert stats["End Value"] == pytest.approx(score.equity.iloc[-1])
    assert stats["Fees Paid"] == pytest.approx(score.trades["fees"].sum())
    assert stats["Exposure [%]"] == pytest.approx(100 * (score.position != 0).any(axis=1).mean())
    assert stats["Price Change [%]"] == pytest.approx(100 * np.mean([m.close[-1] / m.close[0] - 1 for m in score.markets]))
    assert stats.index.is_unique
    assert score.by_symbol["trades"].sum() == stats["Total Closed Trades"]


def test_tables_name_the_symbol(score):
    assert score.trades.columns[0] == "symbol"
    assert score.orders.columns[0] == "symbol"
    assert set(score.orders["symbol"]) == set(score.symbols)
    assert score.position.columns.tolist() == list(score.symbols)
    assert "PortfolioScore(" in repr(score)
    assert "BTCUSDT, ETHUSDT, SOLUSDT" in repr(score)


def test_a_portfolio_score_pickles(score):
    assert score.portfolio is score.portfolio  # kept
    again = pickle.loads(pickle.dumps(score))  # noqa: S301 - made on the line itself; workers send scores this way
    assert again.fills.orders.tobytes() == score.fills.orders.tobytes()
    assert again.symbols == score.symbols


def test_one_market_is_the_score_of_it():
    market = random_market(21)
    signals = random_signals(21, market)
    alone, group = backtest(signals, market, leverage=3), backtest_portfolio([signals], [market], leverage=3)
    assert group.fills.equity == pytest.approx(alone.fills.equity, rel=1e-12)
    theirs, ours = group.stats, alone.stats
    different = [label for label in ours.index if not (theirs[label] == ours[label] or (pd.isna(theirs[label]) and pd.isna(ours[label])))]
    assert all(theirs[label] == pytest.approx(ours[label], rel=1e-9) for label in different), different


def test_contributions_by_hand():
    # A: buys 2 at 100 for a fee of 1, pays funding of 3 in bar 3, sells at 110 in bar 5; B: shorts 1 at 50 in bar 2 and holds it
    closes = np.array([100.0, 100, 104, 104, 106, 110, 90, 90]), np.array([50.0, 50, 49, 48, 47, 46, 45, 44])
    markets = [flat_market(8, close=close, symbol=symbol) for close, symbol in zip(closes, "AB", strict=True)]
    orders = np.zeros(4, dtype=ORDER)
    rows = [(1, 0, 1, "entry", 2.0, 100.0, 1.0), (2, 1, -1, "entry", 1.0, 50.0, 0.5),
            (3, 0, 1, "funding", 0.0, 104.0, 3.0), (5, 0, -1, "exit", 2.0, 110.0, 0.0)]  # fmt: skip
    for order, (bar, asset, side, reason, size, price, fee) in zip(orders, rows, strict=True):
        order["bar"], order["asset"], order["side"], order["reason"] = bar, asset, side, REASONS.index(reason)
        order["size"], order["price"], order["fee"] = size, price, fee
    earned_a = np.array([0, -1, 7, 4, 8, 16, 16, 16.0])
    earned_b = np.array([0, 0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    position = np.zeros((8, 2), dtype=np.int8)
    position[1:5, 0], position[2:, 1] = 1, -1
    fills = Fills(
        orders=orders, trades=np.zeros(0, dtype=TRADE), equity=CASH + earned_a + earned_b, position=position, rejected=0, capped=0,
        ruined=False,
    )  # fmt: skip
    score = portfolio_by_hand(markets, fills=fills)
    assert score.contributions["A"].tolist() == pytest.approx(earned_a.tolist())
    assert score.contributions["B"].tolist() == pytest.approx(earned_b.tolist())
    assert score.portfolio.value().to_numpy() == pytest.approx(fills.equity)


def test_symbols_are_told_apart():
    def names(*pairs):
        return portfolio_by_hand([flat_market(3, symbol=symbol, venue=venue) for venue, symbol in pairs]).symbols

    assert names(("binance", "BTC"), ("bybit", "ETH")) == ("BTC", "ETH")
    assert names(("binance", "BTC"), ("bybit", "BTC"), ("bybit", "ETH")) == ("binance BTC", "bybit BTC", "ETH")
    assert names(("binance", "BTC"), ("binance", "BTC")) == ("binance BTC 1", "binance BTC 2")


def test_a_portfolio_that_never_traded():
    score = portfolio_by_hand([flat_market(30, symbol="A"), flat_market(30, symbol="B")])
    assert score.stats["Total Trades"] == 0
    assert score.contributions.to_numpy().tolist() == [[0.0, 0.0]] * 30
    assert score.by_symbol["trades"].tolist() == [0, 0]
    assert np.isnan(score.capacity.capacity)


def test_exposure_is_a_position_in_any_symbol():
    markets = [flat_market(20, symbol="A"), flat_market(20, symbol="B")]
    score = portfolio_by_hand(markets, trip(2, 6), trip(4, 10, asset=1), trip(15, 16, asset=1))
    assert score.trading_stats["Exposure [%]"] == pytest.approx(100 * 9 / 20)

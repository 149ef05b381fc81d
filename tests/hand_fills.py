"""Fills and scores written down by hand, for tests of what is made from them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from liqbt.market import MarketFrame
from liqbt.scoring import Costs, EquityShare, Fills, PortfolioScore, Score, TradingRules
from liqbt.scoring._records import ORDER, REASONS, TRADE
from liqbt.signals import Signals

CASH = 1_000.0


def flat_market(count, *, interval="1h", start="2026-01-05", close=100.0, symbol="TESTUSDT", venue="nowhere", **tables):
    """A market whose bars stand still at `close`, a number or one a bar."""
    stamps = pd.date_range(start, periods=count, freq=pd.Timedelta(interval), tz="UTC")
    price = np.broadcast_to(np.asarray(close, dtype=float), (count,))
    bars = pd.DataFrame({"timestamp": stamps, "open": price, "high": price, "low": price, "close": price, "volume": 1.0})
    return MarketFrame.from_frames(bars=bars, venue=venue, symbol=symbol, interval=interval, **tables)


def trip(first, last, side=1, *, entry=100.0, exit=101.0, amount=1.0, fees=0.0, funding=0.0, slippage=0.0, reason="exit", asset=0, **more):
    """A round trip; last is None while it is open, and then `exit` is what it is valued at. fees are paid at the entry."""
    return {
        "asset": asset, "entry_bar": first, "exit_bar": -1 if last is None else last, "side": side, "amount": amount,
        "entry_price": entry, "exit_price": np.nan if last is None else exit, "reason": "open" if last is None else reason,
        "fees": fees, "funding": funding, "slippage": slippage, "pnl": side * amount * (exit - entry) - fees - funding,
        "mae": 0.0, "mfe": 0.0,
    } | more  # fmt: skip


def fills_by_hand(n_bars, *trips, n_assets=1):
    """Fills of these trips; equity moves when a trade ends, and that of open ones at the last bar."""
    trades, orders = np.zeros(len(trips), dtype=TRADE), []
    equity, position = np.full(n_bars, CASH), np.zeros((n_bars, n_assets), dtype=np.int8)
    for row, one in zip(trades, trips, strict=True):
        for name, value in one.items():
            row[name] = REASONS.index(value) if name == "reason" else value
        end = n_bars if one["exit_bar"] < 0 else one["exit_bar"]
        equity[min(end, n_bars - 1) :] += one["pnl"]
        position[one["entry_bar"] : end, one["asset"]] = one["side"]
        orders.append((one["entry_bar"], one["side"], "entry", one["entry_price"], one["fees"], one))
        if one["exit_bar"] >= 0:
            orders.append((one["exit_bar"], -one["side"], one["reason"], one["exit_price"], 0.0, one))
    orders.sort(key=lambda order: order[0])
    records = np.zeros(len(orders), dtype=ORDER)
    for row, (bar, side, reason, price, fee, one) in zip(records, orders, strict=True):
        row["bar"], row["asset"], row["side"], row["reason"] = bar, one["asset"], side, REASONS.index(reason)
        row["size"], row["price"], row["fee"] = one["amount"], price, fee
    position = position[:, 0] if n_assets == 1 else position
    return Fills(orders=records, trades=trades, equity=equity, position=position, rejected=0, capped=0, ruined=False)


def score_by_hand(market, *trips, costs=None, **signals):
    """A Score of these trips; signals: fields for `Signals.of`, no wishes without."""
    wanted = Signals.of(market, name="by hand", **({"entry": 0} | signals))
    return Score(
        name="by hand", parameters={}, signals=wanted, market=market, costs=costs or Costs.free(), leverage=1.0, sizing=EquityShare(),
        rules=TradingRules(), initial_cash=CASH, fills=fills_by_hand(market.n_bars, *trips),
    )  # fmt: skip


def portfolio_by_hand(markets, *trips, fills=None, cash=CASH):
    """A PortfolioScore of these trips, or of `fills`."""
    fills = fills if fills is not None else fills_by_hand(markets[0].n_bars, *trips, n_assets=len(markets))
    return PortfolioScore(
        name="by hand", signals=tuple(Signals.of(market, entry=0) for market in markets), markets=tuple(markets), costs=Costs.free(),
        leverage=1.0, sizing=EquityShare(), rules=TradingRules(), initial_cash=cash, fills=fills,
    )  # fmt: skip

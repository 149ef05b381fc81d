"""Trades and orders as tables that people read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.scoring._records import REASONS
from liqbt.scoring.fills import Fills

__all__ = ["ended", "last_bars", "orders_table", "trade_returns", "trades_table"]


def ended(fills: Fills) -> NDArray[Any]:
    """Return the trades that have ended; the account still holds the others."""
    rows: NDArray[Any] = fills.trades[fills.trades["exit_bar"] >= 0]
    return rows


def last_bars(trades: NDArray[Any], n_bars: int) -> IntArray1D:
    """Return the bar in which each trade ended, the last bar of those that have not."""
    return np.where(trades["exit_bar"] >= 0, trades["exit_bar"], n_bars - 1)


def trade_returns(trades: NDArray[Any]) -> Float64Array1D:
    """Return pnl over the notional at entry of each trade, as a fraction."""
    notional: Float64Array1D = trades["amount"] * trades["entry_price"]
    return trades["pnl"] / notional


def trades_table(fills: Fills, index: pd.DatetimeIndex, symbols: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row a round trip, in the order of entry; `Score.trades` tells the columns. symbols: names of the assets, for a column."""
    rows = fills.trades
    last = last_bars(rows, index.size)
    table = pd.DataFrame(
        {
            "entry_time": index[rows["entry_bar"]],
            "exit_time": pd.Series(index[last]).where(rows["exit_bar"] >= 0),
            "side": pd.Series(np.where(rows["side"] > 0, "long", "short"), dtype="str"),
            "amount": rows["amount"],
            "entry_price": rows["entry_price"],
            "exit_price": rows["exit_price"],
            "fees": rows["fees"],
            "funding": rows["funding"],
            "slippage": rows["slippage"],
            "pnl": rows["pnl"],
            "return": trade_returns(rows),
            "reason": _reasons(rows["reason"]),
            "bars": last - rows["entry_bar"],
            "mae": rows["mae"],
            "mfe": rows["mfe"],
        }
    )
    return _with_symbol(table, rows, symbols)


def orders_table(fills: Fills, index: pd.DatetimeIndex, symbols: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row an order or funding payment; `Score.orders` tells the columns. symbols: names of the assets, for a column."""
    rows = fills.orders
    funding = rows["reason"] == REASONS.index("funding")
    buys = rows["side"] > 0
    side = np.where(funding, np.where(buys, "long", "short"), np.where(buys, "buy", "sell"))
    table = pd.DataFrame(
        {
            "time": index[rows["bar"]],
            "side": pd.Series(side, dtype="str"),
            "size": rows["size"],
            "price": rows["price"],
            "fee": rows["fee"],
            "slippage": rows["slippage"],
            "reason": _reasons(rows["reason"]),
        }
    )
    return _with_symbol(table, rows, symbols)


def _with_symbol(table: pd.DataFrame, rows: NDArray[Any], symbols: Sequence[str] | None) -> pd.DataFrame:
    if symbols is not None:
        table.insert(0, "symbol", pd.Series(np.array(list(symbols), dtype=object)[rows["asset"]], dtype="str"))
    return table


def _reasons(codes: Any) -> pd.Series[str]:
    return pd.Series(np.array(REASONS, dtype=object)[codes], dtype="str")

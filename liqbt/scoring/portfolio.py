"""The seam to vectorbt: the only module that imports it, and only when a portfolio is asked for.

vectorbt cannot simulate leverage, funding or stops on the entry bar, but it can hold the records of an account that could.
It gets a tz-naive UTC index (a tz-aware one costs seconds) and returns tz-naive times.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqbt._typing import IntArray1D
from liqbt.market import MarketFrame
from liqbt.scoring._records import REASONS
from liqbt.scoring.fills import Fills

__all__ = ["build_grouped_portfolio", "build_portfolio", "load_vectorbt", "naive_index", "portfolio_stats"]

DUST: Final = 1e-20  # of the position: above 0, as vectorbt demands, and below what adding it to the position can show


@cache
def load_vectorbt() -> Any:
    """Return the module, imported when first asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the libraries that vectorbt imports
        import vectorbt as vbt
    vbt.settings.plotting["use_widgets"] = False
    return vbt


def naive_index(timestamp: IntArray1D) -> pd.DatetimeIndex:
    """Return UTC nanoseconds as a tz-naive index."""
    return pd.DatetimeIndex(timestamp.view("datetime64[ns]"), name="timestamp")


def build_portfolio(fills: Fills, market: MarketFrame, *, initial_cash: float, name: str) -> Any:
    """Return a `vectorbt.Portfolio` of these fills, whose value at each bar's close equals `fills.equity`.

    Funding is carried as the fees of orders so small that they leave the position as it is: trades stay whole, and their
    fees are fees and funding together. Cash is negative where leverage borrowed it.
    """
    close = pd.Series(market.close, index=naive_index(market.timestamp), name=name)
    return _portfolio(close, _records(fills.orders, 0), market.interval_ns, initial_cash, shared=False)


def build_grouped_portfolio(fills: Fills, markets: Sequence[MarketFrame], *, initial_cash: float, columns: Sequence[str]) -> Any:
    """Return a `vectorbt.Portfolio` of one group that shares its cash, with a column a market, as `build_portfolio` otherwise.

    markets: on the same bars, in the order of the orders' `asset`. columns: their names, each once.
    """
    closes = np.column_stack([market.close for market in markets])
    frame = pd.DataFrame(closes, index=naive_index(markets[0].timestamp), columns=pd.Index(list(columns), name="symbol"))
    records = [_records(fills.orders[fills.orders["asset"] == asset], asset) for asset in range(len(markets))]
    return _portfolio(frame, np.concatenate(records), markets[0].interval_ns, initial_cash, shared=True)


def _records(rows: NDArray[Any], column: int) -> NDArray[Any]:
    """Return the orders of one column in vectorbt's form; vectorbt wants them column by column, numbered within each."""
    vbt = load_vectorbt()
    records = np.zeros(rows.size, dtype=vbt.portfolio.enums.order_dt)
    records["id"], records["col"], records["idx"] = np.arange(rows.size), column, rows["bar"]
    records["side"] = np.where(rows["side"] > 0, vbt.portfolio.enums.OrderSide.Buy, vbt.portfolio.enums.OrderSide.Sell)
    for field, source in (("size", "size"), ("price", "price"), ("fees", "fee")):
        records[field] = rows[source]
    paid = rows["reason"] == REASONS.index("funding")
    opened = np.where(rows["reason"] == REASONS.index("entry"), np.arange(rows.size), 0)
    records["size"][paid] = DUST * rows["size"][np.maximum.accumulate(opened)][paid] if paid.any() else 0.0
    return records


def _portfolio(close: Any, records: NDArray[Any], interval_ns: int, initial_cash: float, *, shared: bool) -> Any:
    vbt = load_vectorbt()
    return vbt.Portfolio(
        vbt.ArrayWrapper.from_obj(close, freq=pd.Timedelta(interval_ns, unit="ns"), group_by=True if shared else None),
        close,
        records,
        np.empty(0, dtype=vbt.portfolio.enums.log_dt),
        np.array([initial_cash], dtype=np.float64),
        shared,
        engine="numba",  # the Rust engine, where installed, would be taken silently
    )


def portfolio_stats(portfolio: Any) -> pd.Series[Any]:
    """Return vectorbt's own statistics of a portfolio, computed once; times are tz-naive UTC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # ratios of an account that never traded are 0 / 0, which NaN tells
        stats: pd.Series[Any] = portfolio.stats()
    return stats

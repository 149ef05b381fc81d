"""The seam to vectorbt: the only module that imports it, and only when a portfolio is asked for.

vectorbt cannot simulate leverage, funding or stops on the entry bar, but it can hold the records of an account that could.
It gets a tz-naive UTC index (a tz-aware one costs seconds) and returns tz-naive times.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd

from liqbt.market import MarketFrame
from liqbt.scoring._kernels import REASONS
from liqbt.scoring.fills import Fills

__all__ = ["build_portfolio", "portfolio_stats"]

DUST: Final = 1e-20  # of the position: above 0, as vectorbt demands, and below what adding it to the position can show


@cache
def _vectorbt() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the libraries that vectorbt imports
        import vectorbt as vbt
    vbt.settings.plotting["use_widgets"] = False
    return vbt


def build_portfolio(fills: Fills, market: MarketFrame, *, initial_cash: float, name: str) -> Any:
    """Return a `vectorbt.Portfolio` of these fills, whose value at each bar's close equals `fills.equity`.

    Funding is carried as the fees of orders so small that they leave the position as it is: trades stay whole, and their
    fees are fees and funding together. Cash is negative where leverage borrowed it.
    """
    vbt = _vectorbt()
    index = pd.DatetimeIndex(market.timestamp.view("datetime64[ns]"), name="timestamp")
    close = pd.Series(market.close, index=index, name=name)
    rows = fills.orders
    records = np.zeros(rows.size, dtype=vbt.portfolio.enums.order_dt)
    records["id"] = np.arange(rows.size)
    records["idx"] = rows["bar"]
    records["side"] = np.where(rows["side"] > 0, vbt.portfolio.enums.OrderSide.Buy, vbt.portfolio.enums.OrderSide.Sell)
    for field, source in (("size", "size"), ("price", "price"), ("fees", "fee")):
        records[field] = rows[source]
    paid = rows["reason"] == REASONS.index("funding")
    opened = np.where(rows["reason"] == REASONS.index("entry"), np.arange(rows.size), 0)
    records["size"][paid] = DUST * rows["size"][np.maximum.accumulate(opened)][paid] if paid.any() else 0.0
    return vbt.Portfolio(
        vbt.ArrayWrapper.from_obj(close, freq=pd.Timedelta(market.interval_ns, unit="ns")),
        close,
        records,
        np.empty(0, dtype=vbt.portfolio.enums.log_dt),
        np.array([initial_cash], dtype=np.float64),
        False,
        engine="numba",  # the Rust engine, where installed, would be taken silently
    )


def portfolio_stats(portfolio: Any) -> pd.Series[Any]:
    """Return vectorbt's own statistics of a portfolio, computed once; times are tz-naive UTC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # ratios of an account that never traded are 0 / 0, which NaN tells
        stats: pd.Series[Any] = portfolio.stats()
    return stats

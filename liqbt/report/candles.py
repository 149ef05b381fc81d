"""Bars put together into fewer candles, for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqbt._time import parse_interval
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.market import MarketFrame

__all__ = ["Candles", "candles"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Candles:
    """Candles of one length, aligned to UTC; arrays of shape (n_candles,). start: UTC nanoseconds; prices in quote."""

    step: int
    start: IntArray1D
    open: Float64Array1D
    high: Float64Array1D
    low: Float64Array1D
    close: Float64Array1D


def candles(market: MarketFrame, cadence: str) -> Candles:
    """Return the market's bars as candles of `cadence`, such as 4h, a multiple of its interval."""
    step = parse_interval(cadence)
    group = market.timestamp // step
    first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    last = np.append(first[1:], market.n_bars) - 1
    return Candles(
        step=step,
        start=group[first] * step,
        open=market.open[first],
        high=np.maximum.reduceat(market.high, first),
        low=np.minimum.reduceat(market.low, first),
        close=market.close[last],
    )

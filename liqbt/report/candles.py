"""Bars put together into fewer candles, for pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from liqbt._time import format_interval, parse_interval
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.market import MarketFrame

__all__ = ["Candles", "candles", "picture_cadence"]

_MINUTES: Final = (1, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 10080)


@dataclass(frozen=True, kw_only=True, eq=False)
class Candles:
    """Candles of one length; arrays of shape (n_candles,). start: open of the first bar, UTC nanoseconds; prices in quote."""

    step: int
    start: IntArray1D
    open: Float64Array1D
    high: Float64Array1D
    low: Float64Array1D
    close: Float64Array1D


def picture_cadence(market: MarketFrame, most: int) -> str:
    """Return the shortest round interval, such as `4h`, that divides the market into at most `most` parts.

    Where no round one is a multiple of the bars' interval, the shortest multiple.
    """
    step, bars = market.interval_ns, market.n_bars
    rounds = (minutes * 60_000_000_000 for minutes in _MINUTES)
    fitting = (one for one in rounds if one % step == 0 and bars * step <= one * most)
    return format_interval(next(fitting, step * math.ceil(bars / most)))


def candles(market: MarketFrame, cadence: str) -> Candles:
    """Return the market's bars as candles of `cadence`, such as 4h, a multiple of its interval."""
    step = parse_interval(cadence)
    group = market.timestamp // step
    first = np.flatnonzero(np.diff(group, prepend=group[0] - 1))
    last = np.append(first[1:], market.n_bars) - 1
    return Candles(
        step=step,
        start=market.timestamp[first],
        open=market.open[first],
        high=np.maximum.reduceat(market.high, first),
        low=np.minimum.reduceat(market.low, first),
        close=market.close[last],
    )

"""Bars put together into fewer candles, for pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.market import MarketFrame

__all__ = ["Candles", "candles", "picture_step"]

_ROUND_STEPS_NS = tuple(int(minutes * 60e9) for minutes in (1, 5, 15, 30, 60, 120, 240, 360, 720, 1440, 2880, 10080, 20160, 43200))


@dataclass(frozen=True, kw_only=True, eq=False)
class Candles:
    """Candles of one length, aligned to UTC; arrays of shape (n_candles,). start: UTC nanoseconds; prices in quote."""

    step: int
    start: IntArray1D
    open: Float64Array1D
    high: Float64Array1D
    low: Float64Array1D
    close: Float64Array1D


def picture_step(market: MarketFrame, most: int) -> int:
    """Return the shortest round step, in nanoseconds, with which the market has at most `most` candles."""
    span = market.n_bars * market.interval_ns
    steps = [step for step in _ROUND_STEPS_NS if step % market.interval_ns == 0]
    return next((step for step in steps if span / step <= most), max(steps, default=market.interval_ns))


def candles(market: MarketFrame, step: int) -> Candles:
    """Return the market's bars as candles of `step` nanoseconds, a multiple of its interval."""
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

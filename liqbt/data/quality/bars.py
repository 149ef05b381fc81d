"""Bars that cannot be true: inconsistent or repeated ones, ticks that nobody traded, prices at another scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from liqbt._typing import BoolArray1D, Float64Array1D
from liqbt.data.quality._frames import lasting_jumps, numbers, runs, stamps_of
from liqbt.data.quality.finding import Finding, tell

if TYPE_CHECKING:
    from liqbt._typing import IntArray1D

__all__ = ["find_bad_ticks", "find_inconsistent_bars", "find_price_scale", "find_repeated_bars", "find_silent_bars"]

_AROUND: Final = 49  # bars around one of them that tell the usual range and volume
# In 700,000 recorded bars of 7 coins (1 minute to 1 hour, 2020 to 2026, crashes included) every excursion beyond the bars on
# both sides of more than 8 usual ranges came with 3.9 usual volumes or more, but for one, which the mark price denies.
_EXCURSION: Final = 8.0
_TRADED: Final = 3.0
_LEAST_RANGE: Final = 0.25  # of the recording's median range; no bar around counts as quieter
_RETURNED: Final = 0.25  # of a jump, left after the next bar
_SCALE: Final = 0.9  # decades between two closes: a factor of 8, which no perpetual has moved from one bar to the next
_SHORTEST_RUN: Final = 3


def find_inconsistent_bars(bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find bars whose high is not the highest or whose low is not the lowest of their four prices."""
    wrong = bars.filter((pl.max_horizontal("open", "low", "close") > pl.col("high")) | (pl.min_horizontal("open", "close") < pl.col("low")))
    if wrong.is_empty():
        return []
    what, then = "the high or low does not enclose open and close", "their ranges are wrong: import again with the right columns"
    return [tell("inconsistent_prices", "error", stamps_of(wrong), what=what, then=then, table=table, noun="bar")]


def find_bad_ticks(bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find prices far beyond the bars before and after without the volume that such a move takes.

    A wick counts where it leaves the range of both neighbours by more than 8 usual ranges, a close where it jumps as far and
    is back in the next bar; and where fewer than 3 usual volumes were traded. Usual is the median of the 49 bars around.
    """
    if bars.height < _AROUND:
        return []
    high, low, close, volume = (numbers(bars, name) for name in ("high", "low", "close", "volume"))
    reach = np.log(high / low)
    usual = np.maximum(_usual(reach), _LEAST_RANGE * np.median(reach))
    traded = _usual(volume)
    inside = slice(1, -1)
    above = np.log(high[inside] / np.maximum(high[:-2], high[2:]))
    below = np.log(np.minimum(low[:-2], low[2:]) / low[inside])
    wick = np.maximum(above, below)
    there, back = np.log(close[inside] / close[:-2]), np.log(close[2:] / close[inside])
    spike = np.where(np.abs(there + back) < _RETURNED * np.abs(there), np.abs(there), 0.0)
    thin = volume < _TRADED * traded
    far = _EXCURSION * usual[inside]
    bad = (far > 0) & thin[inside] & ((wick > far) | (spike > far) & thin[2:])
    if not bad.any():
        return []
    farthest = -np.expm1(-np.maximum(wick, spike)[bad].max())
    what = f"the price leaves the bars on both sides by up to {farthest:.1%} on less than {_TRADED:g} times the usual volume"
    then = "if no other source confirms them they would set off liquidations that never were; store the mark price, which triggers them"
    return [tell("bad_tick", "warning", stamps_of(bars)[inside][bad], what=what, then=then, table=table, noun="bar")]


def find_price_scale(bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find where the price jumps by a factor of 8 or more and stays: a contract of another size or unit."""
    where, factor = lasting_jumps(numbers(bars, "close"), _SCALE)
    if where.size == 0:
        return []
    what = f"the price goes to {factor[0]:,.4g} times the close before and stays there"
    then = "the contract was renamed or redenominated: import the two parts as two symbols"
    return [tell("price_scale", "error", stamps_of(bars)[where], what=what, then=then, table=table, noun="bar")]


def find_repeated_bars(bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find bars that repeat all prices and the volume of the bar before although something was traded: a stuck recorder."""
    columns = [numbers(bars, name) for name in ("open", "high", "low", "close", "volume")]
    high, low, volume = columns[1], columns[2], columns[4]
    same = np.logical_and.reduce([np.diff(column) == 0 for column in columns]) & (volume[1:] > 0) & (high[1:] > low[1:])
    if not same.any():
        return []
    what, then = "all prices and the volume repeat those of the bar before", "they are copies, not a market: compare with another source"
    return [tell("repeated", "warning", stamps_of(bars)[1:][same], what=what, then=then, table=table, noun="bar")]


def find_silent_bars(bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find runs of at least 3 bars without volume where the market otherwise trades, and bars whose price moved without any."""
    volume, stamps = numbers(bars, "volume"), stamps_of(bars)
    if volume.size == 0 or np.median(volume) == 0:
        return []
    found = []
    moved = (volume == 0) & (numbers(bars, "high") > numbers(bars, "low"))
    if moved.any():
        what, then = "the price moved without volume", "the volume is missing: positions opened in them are unknown to the map"
        found.append(tell("price_without_volume", "warning", stamps[moved], what=what, then=then, table=table, noun="bar"))
    start, length = runs(np.diff((volume == 0).astype(np.int8)) == 0)
    silent = _rows(
        start[(length >= _SHORTEST_RUN) & (volume[start] == 0)], length[(length >= _SHORTEST_RUN) & (volume[start] == 0)], volume.size
    )
    silent &= ~moved
    if silent.any():
        what, then = "nothing was traded", "the venue stood still or the recorder filled them"
        found.append(tell("no_volume", "note", stamps[silent], what=what, then=then, table=table, noun="bar"))
    return found


def _usual(values: Float64Array1D) -> Float64Array1D:
    return np.asarray(pl.Series(values).rolling_median(_AROUND, min_samples=1, center=True).to_numpy())


def _rows(start: IntArray1D, length: IntArray1D, count: int) -> BoolArray1D:
    edges = np.zeros(count + 1, dtype=np.int64)
    np.add.at(edges, start, 1)
    np.add.at(edges, start + length, -1)
    return np.asarray(np.cumsum(edges[:-1]) > 0)

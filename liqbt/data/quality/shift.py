"""A clock that is hours off: two series of one market are alike at another lag than none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.data.quality._frames import numbers, stamps_of
from liqbt.data.quality.finding import Finding

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Series", "change_series", "find_clock_shift", "find_following_shift", "return_series"]

_MINUTE_NS: Final = 60_000_000_000
_HOUR_NS: Final = 60 * _MINUTE_NS
_FURTHEST_NS: Final = 14 * _HOUR_NS  # clocks of the world run from UTC-12 to UTC+14
_FINEST_NS: Final = 15 * _MINUTE_NS  # and differ from it by quarters of an hour
_FEWEST: Final = 200  # steps that both have
_STRETCH: Final = 1500  # steps that are judged together: a month at half an hour, so that a change of summer time shows
_ALIKE: Final = 0.9  # correlation of the returns of one market in two recordings
_BETTER: Final = 0.15  # by which it must exceed that at no lag; a quarter of an hour takes 0.25 off that of hourly returns
# Rank correlations with what bars show at the same time: the least that counts, and its margin over that at no lag.
# Liquidations (shorts less longs) follow returns with 0.65 to 0.69 in three recordings of two months, with 0.33 at most an hour
# beside and 0.1 elsewhere. Changes of open interest follow volume with 0.44 to 0.54, with 0.34 an hour beside.
_LEAST: Final = 0.3
_MARGIN: Final = 0.15
_SHOWN: Final = 1 / 3  # of the stretches
_UNKNOWN: Final = -2.0  # less than any correlation

Judge = Callable[[Float64Array1D, int, int], bool]


@dataclass(frozen=True, kw_only=True)
class Series:
    """Amounts that add up over time, each of `[timestamp, timestamp + step_ns)`; shape (n,), UTC nanoseconds, ascending."""

    timestamp: IntArray1D
    values: Float64Array1D
    step_ns: int

    def over(self, window_ns: int) -> Series:
        """Return the sums over each window of whole steps that has all of them; windows overlap."""
        parts = window_ns // self.step_ns
        if parts == 1 or self.timestamp.size < parts:
            return self
        total = np.concatenate([[0.0], np.cumsum(self.values)])
        whole = self.timestamp[parts - 1 :] - self.timestamp[: 1 - parts] == (parts - 1) * self.step_ns
        sums = total[parts:] - total[:-parts]
        return Series(timestamp=self.timestamp[: 1 - parts][whole], values=sums[whole], step_ns=window_ns)

    def where(self, rows: slice | IntArray1D) -> Series:
        """Return some of the rows."""
        return Series(timestamp=self.timestamp[rows], values=self.values[rows], step_ns=self.step_ns)


def return_series(rows: pl.DataFrame, interval_ns: int) -> Series:
    """Return the log return of each bar since the close of the bar before; bars after a gap are left out."""
    stamps, close = stamps_of(rows), np.log(numbers(rows, "close"))
    whole = np.diff(stamps) == interval_ns
    return Series(timestamp=stamps[1:][whole], values=np.diff(close)[whole], step_ns=interval_ns)


def change_series(stamps: IntArray1D, values: Float64Array1D) -> Series:
    """Return the log changes between samples at their usual step; jitter of the stamps is rounded away, gaps are left out."""
    if stamps.size < 2:
        return Series(timestamp=stamps, values=values, step_ns=_HOUR_NS)
    step = max(round(float(np.median(np.diff(stamps))) / _MINUTE_NS), 1) * _MINUTE_NS
    rounded = (stamps + step // 2) // step * step
    whole = (np.diff(rounded) == step) & (values[1:] > 0) & (values[:-1] > 0)
    logs = np.log(np.where(values > 0, values, 1.0))
    return Series(timestamp=rounded[:-1][whole], values=np.diff(logs)[whole], step_ns=step)


def find_clock_shift(ours: Series, theirs: Series, *, table: str, our_name: str, their_name: str) -> list[Finding]:
    """Find hours by which the clock of `ours` differs from that of `theirs`, both returns of the same market.

    Lags of up to 14 hours are tried in steps of a quarter of an hour, or of the shorter interval where that is longer. Each
    stretch of 1500 steps is judged by itself, and only where returns correlate by more than 0.9 at the best lag, and by at
    least 0.15 less at none.
    """

    def alike(correlation: Float64Array1D, best: int, zero: int) -> bool:
        return bool(correlation[best] > _ALIKE and (best == zero or correlation[best] - correlation[zero] > _BETTER))

    return _tell(list(_lags(ours, theirs, alike)), table, our_name, their_name, exact=True)


def find_following_shift(
    ours: Series, theirs: Series, *, table: str, our_name: str, their_name: str, absolute: bool = False
) -> list[Finding]:
    """Find hours by which the clock of a series differs from that of the bars that it must follow.

    ours: liquidations (shorts less longs, base) against returns; or changes of open interest against volume, with `absolute`.
    Hourly sums are ranked; a stretch is judged where the best correlation is above 0.3, and exceeds that at no lag by more than
    0.15. Nothing is told of a shift that fewer than a third of the stretches show.
    """

    def follows(correlation: Float64Array1D, best: int, zero: int) -> bool:
        return bool(correlation[best] > _LEAST and (best == zero or correlation[best] - correlation[zero] > _MARGIN))

    lags = list(_lags(ours, theirs, follows, window_ns=_HOUR_NS, ranked=True, absolute=absolute))
    return _tell(lags, table, our_name, their_name, exact=False)


def _lags(
    ours: Series, theirs: Series, judge: Judge, *, window_ns: int = _FINEST_NS, ranked: bool = False, absolute: bool = False
) -> Iterator[tuple[int, int]]:
    """Yield start and best lag of each stretch that can be judged, nanoseconds; the lag is how far ours runs ahead."""
    window = max(ours.step_ns, theirs.step_ns, window_ns)
    if window % ours.step_ns or window % theirs.step_ns:
        return
    step = max(min(ours.step_ns, theirs.step_ns), _FINEST_NS)
    mine, other = ours.over(window), theirs.over(window)
    if absolute:
        mine = replace(mine, values=np.abs(mine.values))
    if mine.timestamp.size == 0 or other.timestamp.size == 0:
        return
    # Windows of the finer series begin more often, so that at any lag one of them begins with each of the coarser series.
    ahead = 1
    if ours.step_ns < theirs.step_ns:
        mine, other, ahead = other, mine, -1
    shared = (mine.timestamp >= other.timestamp[0] - _FURTHEST_NS) & (mine.timestamp <= other.timestamp[-1] + _FURTHEST_NS)
    mine = mine.where(np.flatnonzero(shared & ((mine.timestamp - mine.timestamp[0]) % window == 0)))
    lags = np.arange(-(_FURTHEST_NS // step), _FURTHEST_NS // step + 1) * step
    zero = lags.size // 2
    for start in range(0, mine.timestamp.size, _STRETCH):
        part = mine.where(slice(start, start + _STRETCH))
        low, high = np.searchsorted(other.timestamp, part.timestamp[[0, -1]] + np.array([-_FURTHEST_NS, _FURTHEST_NS + 1]))
        beside = other.where(slice(low, high))
        x, y = (_ranks(part.values), _ranks(beside.values)) if ranked else (part.values, beside.values)
        correlation = np.array([_correlation(part.timestamp - lag, x, beside.timestamp, y) for lag in lags])
        best = int(correlation.argmax())
        if correlation[zero] > _UNKNOWN and judge(correlation, best, zero):
            yield int(part.timestamp[0]), ahead * int(lags[best])


def _correlation(at: IntArray1D, ours: Float64Array1D, stamps: IntArray1D, theirs: Float64Array1D) -> float:
    place = np.minimum(np.searchsorted(stamps, at), max(stamps.size - 1, 0))
    both = stamps[place] == at if stamps.size else np.zeros(at.size, dtype=np.bool_)
    if both.sum() < _FEWEST:
        return _UNKNOWN
    x, y = ours[both], theirs[place[both]]
    x, y = x - x.mean(), y - y.mean()
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread > 0 else _UNKNOWN


def _ranks(values: Float64Array1D) -> Float64Array1D:
    """Return the rank of each value, equal ones sharing theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place], dtype=np.float64)


def _tell(found: list[tuple[int, int]], table: str, our_name: str, their_name: str, *, exact: bool) -> list[Finding]:
    shifted = [(start, lag / _HOUR_NS) for start, lag in found if lag]
    if not shifted or (not exact and len(shifted) < _SHOWN * len(found)):
        return []
    first, hours = shifted[0]
    lags = [lag / _HOUR_NS for _, lag in found]
    if not exact and max(lags) - min(lags) < 1:
        hours = round(4 * float(np.median(lags))) / 4
        lags = [hours]
    others = sorted(set(lags) - {hours})
    about = "" if exact else "about "
    message = f"the clock of {our_name} runs {about}{abs(hours):g} h {'ahead of' if hours > 0 else 'behind'} that of {their_name}"
    if others:
        message += f" from {format_ns(first)}, and {' or '.join(f'{other:g}' for other in others)} h in other months; "
        message += f"if the latter is UTC, import each part again with its own --utc-offset, {hours:g} for that one"
    else:
        message += f"; if the latter is UTC, import the former again with --utc-offset {hours:g}, or as much more than before"
    count = len(shifted)
    return [Finding(code="clock_shift", severity="error", count=count, message=message, table=table, first=first, last=shifted[-1][0])]

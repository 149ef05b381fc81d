"""Trades and depth, which do not fit in memory: one day at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import DAY_NS, parse_interval
from liqbt._typing import IntArray1D
from liqbt.data.quality._frames import stamps_of
from liqbt.data.quality.clocks import find_crossed_clocks, find_late_rows
from liqbt.data.quality.finding import Finding, merged
from liqbt.data.quality.frozen import find_frozen_depth, find_uneven_depth
from liqbt.data.quality.gaps import Activity, Gaps, activity, sample_gaps, silences
from liqbt.data.quality.trades import find_trade_numbers

__all__ = ["Stream", "check_depth", "check_trades", "days_between"]

_SECOND_NS: Final = 1_000_000_000
_TRADES_SILENT_NS: Final = 60 * _SECOND_NS  # the shortest bar that is common

Days = Iterator[pl.DataFrame]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stream:
    """What one pass over the days of a table gave: findings, gaps, first and last stamp (UTC ns), and bars made from trades."""

    findings: tuple[Finding, ...]
    gaps: Gaps
    span: tuple[int, int]
    bars: pl.DataFrame | None = None


def days_between(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield `[start, end)` in UTC nanoseconds of each day from that of `first` to that of `last`, cut to just after `last`."""
    for day in range(first // DAY_NS, last // DAY_NS + 1):
        yield max(day * DAY_NS, first), min((day + 1) * DAY_NS, last + 1)


def check_trades(days: Days, interval: str) -> Stream | None:
    """Check trades that come day by day, and make bars of `interval` from them; None where there are none."""
    from liqbt.data.aggregate import BarBuilder

    builder = BarBuilder(interval)
    made: list[pl.DataFrame] = []

    def checks(day: pl.DataFrame) -> list[Finding]:
        made.append(builder.add(day))
        return find_crossed_clocks(day, table="trades") + find_late_rows(day, table="trades") + find_trade_numbers(day)

    findings, active = _pass(days, checks, _SECOND_NS)
    if active.first.size == 0:
        return None
    gaps = silences(active, shortest_ns=_TRADES_SILENT_NS)
    bars = _with_silent_bars(pl.concat([*made, builder.finish()]), parse_interval(interval), gaps)
    return Stream(findings=findings, gaps=gaps, span=_span(active), bars=bars)


def check_depth(days: Days) -> Stream | None:
    """Check depth that comes day by day; None where there is none."""

    def checks(day: pl.DataFrame) -> list[Finding]:
        found = find_crossed_clocks(day, table="depth") + find_late_rows(day, table="depth")
        return found + find_frozen_depth(day) + find_uneven_depth(day)

    findings, active = _pass(days, checks, _SECOND_NS)
    if active.first.size == 0:
        return None
    # Of each minute the first and the last snapshot are enough, for shorter steps are never gaps.
    return Stream(findings=findings, gaps=sample_gaps(np.sort(np.concatenate([active.first, active.last]))), span=_span(active))


def _with_silent_bars(bars: pl.DataFrame, step: int, gaps: Gaps) -> pl.DataFrame:
    """Return bars made from trades with those in which nothing was traded, flat and without volume, but for those in gaps."""
    every = bars.select("timestamp", "open", "high", "low", "close", "volume").upsample("timestamp", every=f"{step}ns")
    every = every.with_columns(pl.col("close").forward_fill(), pl.col("volume").fill_null(0.0)).with_columns(
        *(pl.col(name).fill_null(pl.col("close")) for name in ("open", "high", "low")),
        available_at=pl.col("timestamp") + pl.duration(nanoseconds=step),
    )
    stamps = stamps_of(every)
    before = np.searchsorted(gaps.end, stamps, side="right")  # the first gap that ends after the bar opens
    gone = (before < gaps.start.size) & (np.append(gaps.start, 0)[before] < stamps + step) & (every["volume"] == 0).to_numpy()
    return every.filter(pl.Series(~gone))


def _pass(days: Days, checks: Callable[[pl.DataFrame], list[Finding]], tick_ns: int) -> tuple[tuple[Finding, ...], Activity]:
    found: list[Finding] = []
    none = np.zeros(0, dtype=np.int64)
    parts = [Activity(first=none, last=none, ticks=none)]
    for day in days:
        if not day.is_empty():
            found += checks(day)
            parts.append(activity(stamps_of(day), tick_ns))
    joined: dict[str, IntArray1D] = {name: np.concatenate([getattr(one, name) for one in parts]) for name in ("first", "last", "ticks")}
    return tuple(merged(found)), Activity(**joined)


def _span(active: Activity) -> tuple[int, int]:
    return int(active.first[0]), int(active.last[-1])

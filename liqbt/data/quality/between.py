"""What the tables of one symbol tell of each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import format_interval
from liqbt.data.quality._frames import numbers, stamps_of
from liqbt.data.quality.agreement import compare_bars, compare_liquidations
from liqbt.data.quality.finding import Finding
from liqbt.data.quality.gaps import Gaps, activity
from liqbt.data.quality.shift import find_clock_shift, return_series
from liqbt.data.quality.spans import find_span_differences
from liqbt.data.quality.tables import check_against_bars

__all__ = ["CheckedTable", "compare_tables", "compare_venues"]

_HOUR_NS: Final = 3_600_000_000_000
_DUE: Final = 20  # active minutes that a feed of events must have missed before its end counts as early


@dataclass(frozen=True, kw_only=True, eq=False)
class CheckedTable:
    """One stored table after it was checked by itself.

    name: canonical table. interval_ns: what a row covers, 0 for instants. label: name and interval. rows: None where they do
    not fit in memory. gaps: where rows are missing. span: first instant and end of what it covers, UTC nanoseconds.
    made: bars made from trades, of `made_ns` each.
    """

    name: str
    interval_ns: int
    label: str
    gaps: Gaps = field(repr=False)
    span: tuple[int, int]
    findings: tuple[Finding, ...]
    rows: pl.DataFrame | None = field(default=None, repr=False)
    made: pl.DataFrame | None = field(default=None, repr=False)
    made_ns: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bars:
    """Bars of one interval, and what messages call them."""

    rows: pl.DataFrame
    interval_ns: int
    name: str

    @property
    def label(self) -> str:
        return f"bars {format_interval(self.interval_ns)}"


def compare_tables(tables: Sequence[CheckedTable], spare: Sequence[CheckedTable] = ()) -> list[Finding]:
    """Compare every table of a symbol with its bars, and bars of different intervals, trades and candles, totals and events.

    spare: tables of another venue, whose bars are used where the symbol has none of its own.
    """
    found: list[Finding] = []
    all_bars = _bars_of(tables)
    finest = next(iter(all_bars or _bars_of(spare)), None)
    for one in tables:
        if one.rows is None or one.name == "bars":
            continue
        same = next((bars for bars in all_bars if bars.interval_ns == one.interval_ns), finest)
        rows, step = (one.rows.clear(), 0) if same is None else (same.rows, same.interval_ns)
        found += check_against_bars(one.name, one.rows, one.interval_ns or None, rows, step, table=one.label)
    spans = [one.span for one in tables if one.name == "bars"]
    if spans:
        span = min(first for first, _ in spans), max(end for _, end in spans)
        for one in tables:
            found += find_span_differences(one.name, one.span, span, slack_ns=_slack(one), table=one.label)
    for shorter, longer in combinations(all_bars, 2):
        found += _compare(shorter, longer)
    for one in tables:
        same = next((bars for bars in all_bars if bars.interval_ns == one.made_ns), None)
        if one.made is not None and same is not None:
            whole = one.made[1:-1]  # of the first and the last bar only some trades may be recorded
            found += _compare(_Bars(rows=whole, interval_ns=one.made_ns, name="the trades"), same, table=one.label)
    return found + _events_and_totals(tables)


def compare_venues(tables: Sequence[CheckedTable], others: Sequence[CheckedTable], *, name: str, other_name: str) -> list[Finding] | None:
    """Compare all bars of a symbol with those of another venue that share most of their time; None where there are none."""
    found: list[Finding] = []
    compared = False
    theirs = _bars_of(others)
    for ours in _bars_of(tables):
        shared = {_shared(ours, one): one for one in reversed(theirs) if _divides(ours.interval_ns, one.interval_ns)}
        if shared and max(shared) > 0:
            compared = True
            pair = replace(ours, name=name), replace(shared[max(shared)], name=other_name)
            found += _compare(*pair)
    return found if compared else None


def _shared(ours: _Bars, theirs: _Bars) -> int:
    """Return for how long both have bars, nanoseconds."""
    first, second = stamps_of(ours.rows), stamps_of(theirs.rows)
    return int(min(first[-1] + ours.interval_ns, second[-1] + theirs.interval_ns) - max(first[0], second[0]))


def _divides(one: int, other: int) -> bool:
    return max(one, other) % min(one, other) == 0


def _bars_of(tables: Iterable[CheckedTable]) -> list[_Bars]:
    """Return stored bars, the shortest first, else those made from trades."""
    stored = [one for one in tables if one.name == "bars" and one.rows is not None]
    stored.sort(key=lambda one: one.interval_ns)
    found = [
        _Bars(rows=one.rows, interval_ns=one.interval_ns, name=f"the {format_interval(one.interval_ns)} bars")
        for one in stored
        if one.rows is not None
    ]
    made = [_Bars(rows=one.made, interval_ns=one.made_ns, name="the trades") for one in tables if one.made is not None]
    return found or made


def _compare(ours: _Bars, theirs: _Bars, *, table: str | None = None) -> list[Finding]:
    """Compare two sets of bars on the longer of their intervals: their clocks first, for nothing agrees where they differ."""
    label = table or ours.label
    series = [return_series(one.rows, one.interval_ns) for one in (ours, theirs)]
    moved = find_clock_shift(*series, table=label, our_name=ours.name, their_name=theirs.name)
    step = max(ours.interval_ns, theirs.interval_ns)
    if moved or not _divides(ours.interval_ns, theirs.interval_ns):
        return moved
    rows = [_longer(one, step) for one in (ours, theirs)]
    return compare_bars(*rows, table=label, our_name=ours.name, their_name=theirs.name)


def _longer(bars: _Bars, step: int) -> pl.DataFrame:
    """Return the whole bars of `step` that the given ones make."""
    if bars.interval_ns == step:
        return bars.rows
    from liqbt.data.aggregate import resample_bars

    on_grid = bars.rows.filter(pl.col("timestamp").to_physical() % bars.interval_ns == 0)
    made = resample_bars(on_grid, format_interval(step), source_interval=format_interval(bars.interval_ns))
    return made.rows.filter(pl.Series(made.complete))


def _events_and_totals(tables: Sequence[CheckedTable]) -> list[Finding]:
    events = next((one.rows for one in tables if one.name == "liquidations" and one.rows is not None), None)
    if events is None:
        return []
    found = []
    at, amount = stamps_of(events), numbers(events, "amount")
    for one in tables:
        if one.name == "liquidation_totals" and one.rows is not None:
            opened = stamps_of(one.rows)
            place = np.searchsorted(opened, at, side="right") - 1
            inside = (place >= 0) & (at < opened[np.maximum(place, 0)] + one.interval_ns)
            sums = np.bincount(place[inside], weights=amount[inside], minlength=opened.size)
            whole = (opened >= at[0]) & (opened + one.interval_ns <= at[-1])
            found += compare_liquidations(one.rows, np.where(whole, sums, np.nan), table=one.label)
    return found


def _slack(one: CheckedTable) -> int:
    """Return how much later than the bars a table may begin, or earlier end, without a word."""
    if one.interval_ns or one.rows is None:
        return one.interval_ns
    stamps = stamps_of(one.rows)
    if one.name == "liquidations":
        alive = one.span[1] - one.span[0] - int(one.gaps.lengths.sum())
        return max(_HOUR_NS, _DUE * alive // max(activity(stamps).first.size, 1))
    return 2 * int(np.median(np.diff(stamps))) if stamps.size > 1 else 0

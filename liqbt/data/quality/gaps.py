"""Stretches of time in which a recording has no rows although it should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import format_ns
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.data.quality.finding import Finding, Severity, duration

__all__ = ["Activity", "Gaps", "activity", "cadence", "interval_gaps", "sample_gaps", "silences", "tell_gaps"]

_SECOND_NS: Final = 1_000_000_000
_MINUTE_NS: Final = 60 * _SECOND_NS
_HOUR_NS: Final = 60 * _MINUTE_NS

_NEIGHBOURS: Final = 25  # steps that tell the cadence around one of them: two hours at 5 minutes
_ACTIVE: Final = 30  # active minutes on each side of a silence that tell the rate around it
_FEWEST: Final = 10  # active minutes without which a side tells no rate
# Active minutes that a silence must have been expected to hold. For independent events the chance of none is exp(-20) = 2e-9;
# bursts and the change from day to night make real feeds less regular, and a fifth of the rate still leaves it at 2 %.
_EXPECTED: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class Gaps:
    """Stretches `[start, end)` without rows, UTC nanoseconds, and the rows that each should have had; shape (n_gaps,) each.

    rows is 0 for events, of which no number is due.
    """

    start: IntArray1D
    end: IntArray1D
    rows: IntArray1D

    @property
    def lengths(self) -> IntArray1D:
        """Nanoseconds, shape (n_gaps,)."""
        return self.end - self.start

    def joined(self, others: Sequence[Gaps]) -> Gaps:
        """Return these gaps and others, by time."""
        start, end, rows = (np.concatenate([getattr(one, name) for one in (self, *others)]) for name in ("start", "end", "rows"))
        order = np.argsort(start, kind="stable")
        return Gaps(start=start[order], end=end[order], rows=rows[order])


@dataclass(frozen=True, kw_only=True)
class Activity:
    """Minutes in which something happened: first and last event in UTC nanoseconds, and ticks; shape (n_minutes,) each.

    ticks: distinct seconds (or minutes) with an event, so that a burst counts once.
    """

    first: IntArray1D
    last: IntArray1D
    ticks: IntArray1D


def interval_gaps(stamps: IntArray1D, interval_ns: int) -> Gaps:
    """Return the intervals without a row between the first and the last; `stamps` ascends, shape (n_rows,), UTC nanoseconds."""
    step = np.diff(stamps)
    at = np.flatnonzero(step > interval_ns)
    return Gaps(start=stamps[at] + interval_ns, end=stamps[at + 1], rows=np.round(step[at] / interval_ns).astype(np.int64) - 1)


def cadence(stamps: IntArray1D) -> Float64Array1D:
    """Return the usual step around each step, nanoseconds, shape (n_rows - 1,): the median of the 25 around it.

    Two recordings at different cadences, one after the other, each keep their own.
    """
    step = pl.Series(np.diff(stamps), dtype=pl.Float64)
    return np.asarray(step.rolling_median(_NEIGHBOURS, min_samples=1, center=True).to_numpy())


def sample_gaps(stamps: IntArray1D) -> Gaps:
    """Return where samples of a quantity are missing: steps of more than one and a half times the usual one around them.

    stamps: shape (n_rows,), UTC nanoseconds, ascending; equal ones count once. Steps of up to a minute are never gaps: feeds
    that sample every few seconds are irregular, and bars of a minute carry a value that long.
    """
    stamps = np.unique(stamps)
    if stamps.size < 3:
        return Gaps(start=stamps[:0], end=stamps[:0], rows=stamps[:0])
    step, usual = np.diff(stamps), cadence(stamps)
    at = np.flatnonzero((step > 1.5 * usual) & (step > _MINUTE_NS))
    rows = np.round(step[at] / usual[at]).astype(np.int64) - 1
    return Gaps(start=stamps[at] + usual[at].astype(np.int64), end=stamps[at + 1], rows=np.maximum(rows, 1))


def activity(stamps: IntArray1D, tick_ns: int = _MINUTE_NS) -> Activity:
    """Return the minutes with events; `stamps` ascends, shape (n_events,), UTC nanoseconds.

    tick_ns: events in the same tick count once: a minute for liquidations, which come in cascades; a second for trades.
    """
    minute = stamps // _MINUTE_NS
    start = np.flatnonzero(np.diff(minute, prepend=minute[:1] - 1))
    if start.size == 0:
        return Activity(first=stamps, last=stamps, ticks=stamps)
    fresh = np.diff(stamps // tick_ns, prepend=-1) != 0
    end = np.append(start[1:], stamps.size) - 1
    return Activity(first=stamps[start], last=stamps[end], ticks=np.add.reduceat(fresh.astype(np.int64), start))


def silences(active: Activity, *, shortest_ns: int = _HOUR_NS) -> Gaps:
    """Return the silences of a feed of events that its rate before and after does not explain.

    The rate is that of the 30 active minutes before, or of the 30 after where that is lower; a silence counts where at least
    20 ticks were to be expected in it and it lasts at least `shortest_ns` nanoseconds. So a market with few liquidations
    may be silent for long, and nights are not outages.
    """
    length = active.first[1:] - active.last[:-1]
    found = []
    for at in np.flatnonzero(length >= shortest_ns).tolist():
        rates = [_rate(active, max(0, at + 1 - _ACTIVE), at + 1), _rate(active, at + 1, at + 1 + _ACTIVE)]
        known = [rate for rate in rates if rate is not None]
        if known and min(known) * length[at] >= _EXPECTED:
            found.append(at)
    where = np.array(found, dtype=np.int64)
    return Gaps(start=active.last[where], end=active.first[where + 1], rows=np.zeros(where.size, dtype=np.int64))


def _rate(active: Activity, low: int, high: int) -> float | None:
    """Return ticks a nanosecond over some active minutes, None where they are too few."""
    first, last, ticks = active.first[low:high], active.last[low:high], active.ticks[low:high]
    return float(ticks.sum() / (last[-1] - first[0] + _MINUTE_NS)) if first.size >= _FEWEST else None


def tell_gaps(gaps: Gaps, *, table: str, what: str, then: str, mild_rows: int = 0, code: str = "gap") -> list[Finding]:
    """Return a finding about gaps: a warning, or a note where each misses at most `mild_rows` rows; none without gaps.

    what: the rows, such as `open interest snapshots`. then: what liqbt does about it or what to do.
    """
    if gaps.start.size == 0:
        return []
    longest = int(gaps.lengths.argmax())
    count, rows = gaps.start.size, int(gaps.rows.sum())
    mild = 0 < int(gaps.rows.max()) <= mild_rows
    severity: Severity = "note" if mild else "warning"
    where = f"of {duration(int(gaps.lengths[longest]))} from {format_ns(gaps.start[longest])} to {format_ns(gaps.end[longest])}"
    many = f"{count} gaps, the first from {format_ns(gaps.start[0])}, the longest {where}" if count > 1 else f"one gap {where}"
    message = f"{f'{rows} ' if rows else ''}{what} are missing in {many}; {then}"
    first, last = int(gaps.start[0]), int(gaps.end[-1])
    return [Finding(code=code, severity=severity, count=rows or count, message=message, table=table, first=first, last=last)]

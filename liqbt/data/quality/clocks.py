"""Clocks that cannot be right: rows known before they happened, off their grid, late, or in local time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._time import DAY_NS, format_ns
from liqbt._typing import IntArray1D
from liqbt.data.quality._frames import stamps_of
from liqbt.data.quality.finding import Finding, duration, tell
from liqbt.data.quality.gaps import Gaps, cadence

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_crossed_clocks", "find_late_rows", "find_off_grid", "find_summer_time"]

_SECOND_NS: Final = 1_000_000_000
_HOUR_NS: Final = 3600 * _SECOND_NS
_OLDEST_NS: Final = 1_293_840_000 * _SECOND_NS  # 2011, before which no perpetual future was traded
_NEWEST_NS: Final = 2_840_140_800 * _SECOND_NS  # 2060
_LATE_NS: Final = 60 * _SECOND_NS  # no bar is so short that it would matter less
_ON_GRID: Final = 0.9  # share of rows at the same place in their step, from which on the rest is told


def find_crossed_clocks(rows: pl.DataFrame, *, table: str, interval_ns: int | None = None) -> list[Finding]:
    """Find rows that were known before they happened, or before their interval ended, and stamps outside 2011 to 2060.

    rows: a canonical table. interval_ns: what a row covers, nanoseconds; None for instants.
    """
    stamps, available = stamps_of(rows), stamps_of(rows, "available_at")
    found = []
    odd = (stamps < _OLDEST_NS) | (stamps >= _NEWEST_NS)
    if odd.any():
        what, then = "the time is not between 2011 and 2060", "the unit of the times is wrong: import again with the right one"
        found.append(tell("impossible_time", "error", stamps[odd], what=what, then=then, table=table))
    early = available < stamps + (interval_ns or 0)
    if early.any():
        what = "available_at is before the end of the interval" if interval_ns else "available_at is before timestamp"
        then = "using these rows would look ahead: import again without available_at, or with the right one"
        found.append(tell("crossed_clocks", "error", stamps[early], what=what, then=then, table=table))
    return found


def find_late_rows(rows: pl.DataFrame, *, table: str, interval_ns: int | None = None) -> list[Finding]:
    """Find rows that became known much later than usual: by more than one step of the recording, and a minute.

    rows: a canonical table. interval_ns: what a row covers, nanoseconds; None for instants.
    """
    stamps = stamps_of(rows)
    if stamps.size < 3:
        return []
    delay = stamps_of(rows, "available_at") - stamps - (interval_ns or 0)
    step = interval_ns or int(np.median(np.diff(stamps)))
    late = delay - int(np.median(delay)) > max(step, _LATE_NS)
    if not late.any():
        return []
    what = f"available_at is up to {duration(int(delay[late].max()))} late"
    then = "bars use them only from then on"
    return [tell("late", "note", stamps[late], what=what, then=then, table=table)]


def find_off_grid(stamps: IntArray1D, *, table: str, interval_ns: int | None = None) -> list[Finding]:
    """Find rows that are off the grid of nearly all others.

    stamps: shape (n_rows,), UTC nanoseconds, ascending. interval_ns: what a row covers, nanoseconds; None for samples, whose
    grid is their shortest regular step. Samples without a regular grid are left alone, and so is anything under a second.
    """
    if stamps.size < 3:
        return []
    step = interval_ns or round(float(np.min(cadence(stamps))))
    if step < _SECOND_NS:
        return []
    place, where, counts = np.unique(stamps % step, return_inverse=True, return_counts=True)
    usual = int(counts.argmax())
    if counts[usual] < _ON_GRID * stamps.size and interval_ns is None:
        return []
    off = (place - place[usual] + step // 2) % step - step // 2  # nearest point of the grid, early ones below 0
    beside = np.abs(off[where]) >= (1 if interval_ns else _SECOND_NS)
    if not beside.any():
        return []
    farthest = duration(int(np.abs(off[where][beside]).max()))
    if interval_ns is None:
        what, then = f"the time is up to {farthest} off the grid of the others", "each counts from when it became known"
        return [tell("off_grid", "note", stamps[beside], what=what, then=then, table=table)]
    what = f"the time is up to {farthest} off the grid of the others"
    then = "they cannot be loaded together: import only one of the recordings, or correct its clock with --utc-offset"
    return [tell("off_grid", "error", stamps[beside], what=what, then=then, table=table)]


def find_summer_time(gaps: Gaps, *, table: str) -> list[Finding]:
    """Find gaps of exactly the hour that local clocks skip in March, in Europe or America: the times are then not UTC."""
    days = gaps.start // DAY_NS
    skipped = [int(day) in _changeovers(int(day)) for day in days]
    where = (np.abs(gaps.lengths - _HOUR_NS) < _SECOND_NS) & np.array(skipped, dtype=np.bool_)
    if not where.any():
        return []
    stamps = gaps.start[where]
    message = (
        f"the hour from {format_ns(stamps[0])} is missing, which clocks with summer time skip on that day; compare with another "
        "source (--against), and import again in UTC if half of the year is an hour off"
    )
    count, first, last = int(stamps.size), int(stamps[0]), int(stamps[-1])
    return [Finding(code="summer_time", severity="warning", count=count, message=message, table=table, first=first, last=last)]


def _changeovers(day: int) -> tuple[int, int]:
    """Return the second and the last Sunday of March, as days since 1970, of the year of that day."""
    year = (date(1970, 1, 1) + timedelta(days=day)).year
    march = (date(year, 3, 1) - date(1970, 1, 1)).days
    to_sunday = (3 - march) % 7  # day 3, 1970-01-04, was a Sunday
    sundays = [march + to_sunday + 7 * week for week in range(5)]
    return sundays[1], max(one for one in sundays if one < march + 31)

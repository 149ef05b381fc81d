"""When a funding payment was due: venues stamp it some milliseconds off the whole hour."""

from __future__ import annotations

from typing import Final

import polars as pl

from liqbt.data.validation import CLOCK

__all__ = ["MOVED", "due_times"]

MOVED: Final = "stamps moved to the whole hour, by a second at most"
"""What `mended` says of the stamps that `due_times` moved."""

_HOUR_NS: Final = 3_600_000_000_000
_JITTER_NS: Final = 1_000_000_000
"""Farther from the hour than this a stamp is taken as it is: recorded jitter is a few milliseconds, up to tens of them."""


def due_times(stamps: pl.Series) -> tuple[pl.Series, pl.Series, int]:
    """Return when payments stamped at `stamps` were due, when they were known, and how many stamps were moved.

    stamps: UTC nanoseconds. A payment of 08:00 is one of the bar that opens at 08:00, and the same in every source, whether it
    is stamped some milliseconds before or after; it is known at the later of both, never before either.
    """
    given = stamps.to_physical()
    hours = (given + _HOUR_NS // 2) // _HOUR_NS * _HOUR_NS
    moved = ((given - hours).abs() <= _JITTER_NS) & (given != hours)
    due = pl.select(pl.when(moved).then(hours).otherwise(given).cast(CLOCK)).to_series()
    known = pl.select(pl.max_horizontal(due.to_physical(), given).cast(CLOCK)).to_series()
    return due.alias("timestamp"), known.alias("available_at"), int(moved.sum())

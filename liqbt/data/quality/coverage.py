"""How much of each day, or hour, a table was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from liqbt._time import DAY_NS
from liqbt._typing import Float64Array1D
from liqbt.data.quality.finding import iso
from liqbt.data.quality.gaps import Gaps

__all__ = ["HOUR_NS", "Coverage", "bucket_for", "cover"]

HOUR_NS: Final = 3_600_000_000_000
_SHORT_NS: Final = 14 * DAY_NS  # spans of up to two weeks are shown by the hour


@dataclass(frozen=True, kw_only=True, eq=False)
class Coverage:
    """Share of each bucket of time in which a table has the rows that are due; of events, in which its feed was alive.

    table: with its interval, such as `bars 5m`. start: of the first bucket, UTC nanoseconds. step_ns: a day or an hour.
    share: shape (n_buckets,), 0 to 1; what lies before the first row or after the last counts as not recorded.
    """

    table: str
    start: int
    step_ns: int
    share: Float64Array1D

    def to_dict(self) -> dict[str, Any]:
        """Return the fields in types that JSON can hold; `share` to three digits."""
        step = "hour" if self.step_ns == HOUR_NS else "day"
        return {"table": self.table, "start": iso(self.start), "step": step, "share": np.round(self.share, 3).tolist()}


def bucket_for(first: int, end: int) -> int:
    """Return the bucket for a span in UTC nanoseconds: an hour for up to two weeks, else a day."""
    return HOUR_NS if end - first <= _SHORT_NS else DAY_NS


def cover(table: str, first: int, end: int, gaps: Gaps, *, step_ns: int) -> Coverage:
    """Return what a table recorded from `first` to `end` (UTC nanoseconds) without its gaps, in buckets of `step_ns`."""
    start = first // step_ns * step_ns
    edges = np.arange(start, end + step_ns, step_ns)
    edges = edges[: int(np.searchsorted(edges, end)) + 1]
    # Recorded time up to each instant grows in every stretch between two gaps and rests in the gaps.
    begin = np.concatenate([[first], gaps.end])
    stop = np.concatenate([gaps.start, [end]])
    recorded = np.concatenate([[0], np.cumsum(np.maximum(stop - begin, 0))])
    at = np.stack([begin, stop], axis=1).ravel() - start
    done = np.stack([recorded[:-1], recorded[1:]], axis=1).ravel()
    share = np.diff(np.interp(edges - start, at, done)) / step_ns
    return Coverage(table=table, start=start, step_ns=step_ns, share=np.clip(share, 0.0, 1.0))

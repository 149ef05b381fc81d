"""Values that stand still while the market moves: a recorder that repeats the last answer it got."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from liqbt._time import format_ns
from liqbt._typing import IntArray1D
from liqbt.data.quality._frames import numbers, runs, stamps_of
from liqbt.data.quality.finding import Finding, duration, tell

__all__ = ["find_frozen_depth", "find_frozen_mark", "find_frozen_open_interest", "find_open_interest_spikes", "find_uneven_depth"]

_MINUTE_NS: Final = 60_000_000_000
_SAMPLES: Final = 6  # equal samples in a row before anything is said; venues that sample each minute repeat 7 at times
# Volume that passes in a frozen stretch, as a share of open interest. A trade between someone who opens and someone who closes
# leaves open interest as it is; that every one of a hundredth of it in trades did so is out of the question.
_TURNED_OVER: Final = 0.01
_SAMPLES_ALONE, _LONG_NS = 12, 60 * _MINUTE_NS  # where no bars tell what was traded
_SNAPSHOTS, _BOOK_NS = 10, 5 * _MINUTE_NS
_MOVED: Final = 0.005  # of price while the mark stands still; twice what separates the two in 99 of 100 recorded hours
# The largest jump that was back in the next sample is 2.6 % in 170,000 recorded ones of 4 coins.
_SPIKE: Final = 0.1
_RETURNED: Final = 0.25


def find_frozen_open_interest(open_interest: pl.DataFrame, bars: pl.DataFrame | None, *, table: str = "open_interest") -> list[Finding]:
    """Find stretches in which open interest kept its last digit although volume passed, and values of 0.

    Six equal samples in a row are told where the bars traded more than 1 % of it meanwhile; without bars, twelve over an hour.
    """
    values, stamps = numbers(open_interest, "open_interest"), stamps_of(open_interest)
    if values.size == 0:
        return []
    found = []
    empty = values == 0
    if empty.any():
        then = "it reads as if every position was closed: remove these rows"
        found.append(tell("open_interest_zero", "error", stamps[empty], what="open interest is 0", then=then, table=table))
    start, length = runs(np.diff(values) == 0)
    end = start + length - 1
    kept = (length >= _SAMPLES) & (values[start] > 0)
    start, end, length = start[kept], end[kept], length[kept]
    passed, seen = _volume_between(bars, stamps[start], stamps[end])
    alone = (length >= _SAMPLES_ALONE) & (stamps[end] - stamps[start] >= _LONG_NS)
    frozen = np.where(seen, passed > _TURNED_OVER * values[start], alone)
    found += _tell_frozen(stamps, start[frozen], end[frozen], "open interest", "its flows are missing and bunch at the end", table)
    return found


def find_open_interest_spikes(open_interest: pl.DataFrame, *, table: str = "open_interest") -> list[Finding]:
    """Find samples of open interest that leave their neighbours by more than 10 % and are back in the next one."""
    held = open_interest.filter(pl.col("open_interest") > 0)
    step = np.diff(np.log(numbers(held, "open_interest")))
    there, back = step[:-1], step[1:]
    spike = (np.abs(there) > _SPIKE) & (np.abs(there + back) < _RETURNED * np.abs(there))
    if not spike.any():
        return []
    farthest = np.abs(np.expm1(there[spike])).max()
    what = f"open interest jumps by up to {farthest:.0%} and is back in the next sample"
    then = "positions would open and close that never were: remove these rows"
    return [tell("open_interest_spike", "warning", stamps_of(held)[1:-1][spike], what=what, then=then, table=table)]


def find_frozen_mark(mark: pl.DataFrame, bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find stretches of at least 6 bars in which the mark price stood still while trades moved by more than 0.5 %."""
    both = mark.select("timestamp", mark="close").join(bars.select("timestamp", "close"), on="timestamp", maintain_order="left")
    if both.height < _SAMPLES:
        return []
    values, close, stamps = numbers(both, "mark"), numbers(both, "close"), stamps_of(both)
    start, length = runs(np.diff(values) == 0)
    long = length >= _SAMPLES
    start, end = start[long], (start + length - 1)[long]
    moved = [bool(np.ptp(np.log(close[first : last + 1])) > _MOVED) for first, last in zip(start, end, strict=True)]
    where = np.array(moved, dtype=np.bool_)
    return _tell_frozen(stamps, start[where], end[where], "the mark price", "liquidations are triggered by it: leave the mark out", table)


def find_frozen_depth(depth: pl.DataFrame, *, table: str = "depth") -> list[Finding]:
    """Find at least 10 snapshots over 5 minutes in which no amount of the book changed; `depth` may be one day of it."""
    if depth.is_empty():
        return []
    books = (
        depth.select("timestamp", row=pl.struct("side", "distance", "amount").hash())
        .group_by("timestamp", maintain_order=True)
        .agg(book=pl.col("row").sum(), rows=pl.len())
    )
    book, rows = books["book"].to_numpy(), books["rows"].to_numpy()
    start, length = runs((book[1:] == book[:-1]) & (rows[1:] == rows[:-1]))
    stamps = stamps_of(books)
    end = start + length - 1
    frozen = (length >= _SNAPSHOTS) & (stamps[end] - stamps[start] >= _BOOK_NS)
    return _tell_frozen(stamps, start[frozen], end[frozen], "the order book", "depth-adjusted maps use an old book in them", table)


def find_uneven_depth(depth: pl.DataFrame, *, table: str = "depth") -> list[Finding]:
    """Find snapshots whose amounts are not cumulative, so that a wider band holds less, and snapshots with one side only."""
    if depth.is_empty():
        return []
    ordered = depth.select("timestamp", "side", "distance", "amount").sort("timestamp", "side", "distance", maintain_order=True)
    same_side = (pl.col("timestamp") == pl.col("timestamp").shift()) & (pl.col("side") == pl.col("side").shift())
    falls = ordered.filter(same_side & (pl.col("amount") < pl.col("amount").shift() * (1 - 1e-9)))
    found = []
    if not falls.is_empty():
        what, then = "a wider band of the book holds less than a narrower one", "depth is cumulative: import again, summing the levels"
        found.append(tell("depth_not_cumulative", "error", stamps_of(falls), what=what, then=then, table=table))
    sided = ordered.group_by("timestamp", maintain_order=True).agg(sides=pl.col("side").n_unique()).filter(pl.col("sides") == 1)
    if not sided.is_empty():
        what, then = "bids or asks are missing", "the other side counts as empty: remove these snapshots"
        found.append(tell("depth_one_sided", "warning", stamps_of(sided), what=what, then=then, table=table, noun="snapshot"))
    return found


def _volume_between(bars: pl.DataFrame | None, start: IntArray1D, end: IntArray1D) -> tuple[np.ndarray, np.ndarray]:
    """Return the volume of the bars that open in each `[start, end)`, and whether there is any such bar."""
    if bars is None or bars.is_empty():
        return np.zeros(start.size), np.zeros(start.size, dtype=np.bool_)
    opened = stamps_of(bars)
    total = np.concatenate([[0.0], np.cumsum(numbers(bars, "volume"))])
    low, high = np.searchsorted(opened, start), np.searchsorted(opened, end)
    return total[high] - total[low], high > low


def _tell_frozen(stamps: IntArray1D, start: IntArray1D, end: IntArray1D, what: str, then: str, table: str) -> list[Finding]:
    if start.size == 0:
        return []
    length = stamps[end] - stamps[start]
    longest = int(length.argmax())
    count = int((end - start + 1).sum())
    where = f"{duration(int(length[longest]))} from {format_ns(stamps[start[longest]])}"
    many = f"in {start.size} stretches of {count} rows, the longest {where}" if start.size > 1 else f"for {count} rows, {where}"
    message = f"{what} stands still {many}; {then}"
    first, last = int(stamps[start[0]]), int(stamps[end[-1]])
    return [Finding(code="frozen", severity="warning", count=count, message=message, table=table, first=first, last=last)]

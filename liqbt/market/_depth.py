"""Order-book depth as of each bar's close."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.data.quality import Finding
from liqbt.data.quality.finding import duration, tell
from liqbt.errors import DataError
from liqbt.market._traded import frames_of

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    Frame = pl.DataFrame | pd.DataFrame

__all__ = ["Depth", "depth_at_closes", "oldest_depth"]

_MINUTE_NS: Final = 60_000_000_000
_MOST_DISTANCES: Final = 200


@dataclass(frozen=True, kw_only=True, eq=False)
class Depth:
    """Cumulative notional in quote by distance, as fraction of mid, shapes (n_distances,) and (n_bars, n_distances)."""

    distance: Float64Array1D
    bid: Float64Array2D
    ask: Float64Array2D
    findings: tuple[Finding, ...]


def oldest_depth(step: int) -> int:
    """Return how old a book may be at a bar's close, in nanoseconds: two bars, but at least one and at most five minutes.

    A convention: venues publish depth about twice a minute, and a book that is older than minutes is another book.
    """
    return min(max(2 * step, _MINUTE_NS), 5 * _MINUTE_NS)


def depth_at_closes(depth: Frame | Iterable[Frame], grid: IntArray1D, step: int, close: Float64Array1D) -> Depth | None:
    """Return the newest book known at each bar's close; None where there are no rows.

    close: quote, shape (n_bars,), values amounts whose notional was not recorded.
    Raises DataError where rows are not canonical or have too many distances.
    """
    import polars as pl

    from liqbt.data.validation import canonical

    first = int(grid[0])
    frames = [_newest_by_close(canonical(frame, "depth", source="depth"), first, step) for frame in frames_of(depth)]
    if not frames:
        return None
    rows = _newest_by_close(pl.concat(frames, how="diagonal"), first, step)  # again, where a bar takes from two days
    rows = rows.sort("timestamp", "available_at", maintain_order=True)
    stamps, known = (rows[name].to_physical().to_numpy() for name in ("timestamp", "available_at"))
    begins = (np.diff(stamps, prepend=stamps[0] - 1) != 0) | (np.diff(known, prepend=known[0] - 1) != 0)
    book = np.cumsum(begins) - 1  # of each row
    chosen = _as_of(stamps[begins], known[begins], grid + step, oldest_depth(step))
    distances, column = np.unique(np.round(rows["distance"].to_numpy(), 9), return_inverse=True)
    if distances.size > _MOST_DISTANCES:
        raise DataError(
            f"depth: {distances.size} different distances, more than {_MOST_DISTANCES}; "
            "give cumulative depth at fixed distances, as `depth_from_levels` makes it"
        )
    side = (rows["side"] == "ask").to_numpy().astype(np.int64)
    used = np.unique(chosen[chosen >= 0])
    wanted = np.isin(book, used)
    place = np.searchsorted(used, book[wanted]), side[wanted], column[wanted]
    tables = {}
    for name in ("amount", "notional"):
        tables[name] = np.full((used.size + 1, 2, distances.size), np.nan)  # the last row is the book that is not known
        if name in rows.columns:
            tables[name][place] = rows[name].to_numpy()[wanted]
    at = np.where(chosen >= 0, np.searchsorted(used, chosen), used.size)
    notional = tables["notional"][at]
    guessed = np.isnan(notional) & ~np.isnan(tables["amount"][at])
    notional = np.where(guessed, tables["amount"][at] * close[:, None, None], notional)
    findings = _findings(grid, chosen < 0, guessed.any(axis=(1, 2)), oldest_depth(step))
    return Depth(distance=distances, bid=notional[:, 0], ask=notional[:, 1], findings=findings)


def _newest_by_close(rows: pl.DataFrame, anchor: int, step: int) -> pl.DataFrame:
    """Return the rows of the one book that counts among those that became known between two closes; a day shrinks to its bars."""
    import polars as pl

    bar = -((anchor - rows["available_at"].to_physical()) // step)
    rows = rows.with_columns(_bar=bar).filter(pl.col("timestamp") == pl.col("timestamp").max().over("_bar"))
    return rows.filter(pl.col("available_at") == pl.col("available_at").max().over("_bar")).drop("_bar")


def _as_of(stamps: IntArray1D, known: IntArray1D, end: IntArray1D, oldest: int) -> IntArray1D:
    """Return the number of the newest book known at each instant of `end`, -1 where it is too old or there is none."""
    order = np.argsort(known, kind="stable")
    newest = np.maximum.accumulate(order)  # books are sorted by timestamp, so the greatest number is the newest
    seen = np.searchsorted(known[order], end, side="right")
    chosen = newest[np.maximum(seen, 1) - 1]
    return np.where((seen > 0) & (end - stamps[chosen] <= oldest), chosen, -1)


def _findings(grid: IntArray1D, bare: BoolArray1D, guessed: BoolArray1D, oldest: int) -> tuple[Finding, ...]:
    found = []
    if bare.any():
        what, then = f"no order book younger than {duration(oldest)} at the close", "their depth is not known"
        found.append(tell("depth_stale", "note", grid[bare], what=what, then=then, table="depth", noun="bar"))
    if guessed.any():
        what, then = "depth without a recorded notional", "it is taken as the amount times the bar's close"
        found.append(tell("depth_notional", "note", grid[guessed], what=what, then=then, table="depth", noun="bar"))
    return tuple(found)

"""Order-book snapshots reduced to cumulative depth by distance from mid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import polars as pl

from liqbt._time import format_ns
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.data.aggregate._book_kernels import CROSSED, EMPTY, KEPT, MALFORMED, UNSORTED, reduce_levels
from liqbt.data.validation import CLOCK
from liqbt.errors import ConfigError, DataError

__all__ = ["DISTANCES", "DepthRows", "depth_from_levels"]

DISTANCES: Final = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05)
"""Fractions of mid: 1 to 50 basis points for what a strategy trades against, and the 1 to 5 % bands that Binance publishes."""

Levels: TypeAlias = Float64Array2D | pl.Series


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthRows:
    """Depth of a run of snapshots, and how many could not be used.

    rows: canonical table `depth`: cumulative amount (base) and notional (quote) of each side within a distance from mid.
    empty: snapshots with a side without levels. crossed: snapshots whose best bid is not below their best ask.
    """

    rows: pl.DataFrame
    empty: int
    crossed: int


def depth_from_levels(
    timestamp: IntArray1D,
    *,
    bid_price: Levels,
    bid_amount: Levels,
    ask_price: Levels,
    ask_amount: Levels,
    available_at: IntArray1D | None = None,
    distances: Sequence[float] = DISTANCES,
) -> DepthRows:
    """Return the canonical table `depth` of order-book snapshots.

    timestamp, available_at: shape (n,), UTC nanoseconds, `timestamp` ascending; without `available_at` a snapshot is known at once.
    bid_price, bid_amount, ask_price, ask_amount: quote and base, shape (n, n_levels), or polars Series of n lists; the best level
    first. Levels without a price or amount above 0, NaN among them, are padding.
    distances: ascending fractions of mid, the middle between best bid and best ask.

    A row sums the levels that lie within the distance, the boundary included. Distances beyond the deepest recorded level of a side
    are not known and left out; so are all of a snapshot that is empty on one side, or crossed. Both are counted.

    Raises DataError naming the snapshot where levels are not sorted, negative or infinite, or shapes differ; ConfigError for
    distances that do not ascend between 0 and 1.
    """
    away = checked_distances(distances)
    stamps = np.ascontiguousarray(timestamp, dtype=np.int64)
    known = stamps if available_at is None else np.ascontiguousarray(available_at, dtype=np.int64)
    if known.size != stamps.size:
        raise DataError(f"depth: {stamps.size} timestamps and {known.size} available_at; give as many of one as of the other")
    if (np.diff(stamps) < 0).any():
        row = int((np.diff(stamps) < 0).argmax()) + 1
        raise DataError(f"depth: snapshot {row + 1} ({format_ns(stamps[row])}) is earlier than the one before it; sort the file by time")
    bids, asks = _side("bid", bid_price, bid_amount, stamps.size), _side("ask", ask_price, ask_amount, stamps.size)
    amount, notional = (np.full((stamps.size, 2, away.size), np.nan) for _ in range(2))
    status = np.empty(stamps.size, dtype=np.int8)
    reduce_levels(*bids, *asks, away, amount, notional, status)
    for code, what in ((UNSORTED, "has levels that do not run from the best outwards"), (MALFORMED, "has a negative or infinite level")):
        wrong = status == code
        if wrong.any():
            row = int(wrong.argmax())
            raise DataError(f"depth: snapshot {row + 1} ({format_ns(stamps[row])}) {what}; check which column is which")
    kept = status == KEPT
    rows = depth_frame(stamps[kept], known[kept], away, amount[kept], notional[kept])
    return DepthRows(rows=rows, empty=int((status == EMPTY).sum()), crossed=int((status == CROSSED).sum()))


def checked_distances(distances: Sequence[float]) -> Float64Array1D:
    """Return distances as an array; raises ConfigError where they do not ascend between 0 and 1."""
    away = np.asarray(distances, dtype=np.float64)
    if away.ndim != 1 or away.size == 0 or not (away[0] > 0 and away[-1] < 1 and (np.diff(away) > 0).all()):
        raise ConfigError(f"distances: {tuple(distances)} must ascend, above 0 and below 1: 0.01 is one percent from mid")
    return away


def depth_frame(
    timestamp: IntArray1D, available: IntArray1D, distances: Float64Array1D, amount: Float64Array3D, notional: Float64Array3D
) -> pl.DataFrame:
    """Return the canonical rows of what is not NaN; timestamp, available: shape (n,), amount, notional: (n, 2, n_distances)."""
    row, side, k = np.nonzero(~np.isnan(amount))
    return pl.DataFrame(
        [
            pl.Series("timestamp", timestamp[row]).cast(CLOCK),
            pl.Series("available_at", available[row]).cast(CLOCK),
            pl.Series("side", side).replace_strict({0: "bid", 1: "ask"}, return_dtype=pl.Enum(["bid", "ask"])),
            pl.Series("distance", distances[k]),
            pl.Series("amount", amount[row, side, k]),
            pl.Series("notional", notional[row, side, k]),
        ]
    )


def _side(name: str, price: Levels, amount: Levels, count: int) -> tuple[Float64Array1D, Float64Array1D, IntArray1D]:
    """Return prices and amounts of all levels one after another, and where each snapshot begins."""
    (prices, first), (amounts, other) = _flat(price), _flat(amount)
    if first.size != count + 1 or not np.array_equal(first, other):
        raise DataError(f"depth: {name}_price and {name}_amount do not have the same levels for {count} snapshots; check their shapes")
    return prices, amounts, first


def _flat(levels: Levels) -> tuple[Float64Array1D, IntArray1D]:
    if isinstance(levels, pl.Series):
        lengths = levels.list.len().fill_null(0).to_numpy()
        inner = levels.filter(pl.Series(lengths > 0)).explode().cast(pl.Float64).fill_null(math.nan)
        return inner.to_numpy(), np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    table = np.ascontiguousarray(levels, dtype=np.float64)
    if table.ndim != 2:
        raise DataError(f"depth: levels have shape {table.shape}; give (n_snapshots, n_levels)")
    return table.ravel(), np.arange(table.shape[0] + 1, dtype=np.int64) * table.shape[1]

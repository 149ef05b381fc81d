"""Joins of recorded rows to bars that never use a row before it was available."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqbt._typing import Float64Array1D, IntArray1D

if TYPE_CHECKING:
    import polars as pl

__all__ = ["last_known", "sum_by_bar"]


def last_known(table: pl.DataFrame, column: str, end: IntArray1D) -> tuple[Float64Array1D, IntArray1D]:
    """Return, for each instant in `end`, the value of the latest row available by then, and its age in nanoseconds.

    The latest row is the one with the greatest `timestamp` among those with `available_at <= end`, so that a late
    correction of an old row never replaces a newer one. NaN and age 0 before the first.
    """
    available = table["available_at"].to_physical().to_numpy()
    order = np.argsort(available, kind="stable")
    newest = np.maximum.accumulate(order)  # rows are sorted by timestamp, so the greatest row number is the newest
    seen = np.searchsorted(available[order], end, side="right")
    known = seen > 0
    row = newest[np.maximum(seen, 1) - 1]
    values = np.where(known, table[column].to_numpy()[row], np.nan)
    return values, np.where(known, end - available[row], 0)


def sum_by_bar(table: pl.DataFrame, values: Float64Array1D, grid: IntArray1D, step: int) -> Float64Array1D:
    """Return the sum of `values` over the rows stamped in each bar `[grid, grid + step)`, 0 where there is none.

    A row that became available only after its bar closed counts in the bar in whose course it became known.
    """
    stamp = table["timestamp"].to_physical().to_numpy()
    available = table["available_at"].to_physical().to_numpy()
    bar = (stamp - grid[0]) // step
    known = -((grid[0] - available) // step) - 1  # the first bar that closes at or after `available`
    bar = np.maximum(bar, known)
    inside = (bar >= 0) & (bar < grid.size)
    return np.bincount(bar[inside], weights=values[inside], minlength=grid.size).astype(np.float64)

"""Columns of canonical frames as plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D

if TYPE_CHECKING:
    import polars as pl

__all__ = ["lasting_jumps", "numbers", "runs", "stamps_of"]


def stamps_of(frame: pl.DataFrame, column: str = "timestamp") -> IntArray1D:
    """Return a clock as UTC nanoseconds, shape (n_rows,)."""
    return np.asarray(frame[column].to_physical().to_numpy(), dtype=np.int64)


def numbers(frame: pl.DataFrame, column: str) -> Float64Array1D:
    """Return a column as floats, NaN where it is empty, shape (n_rows,)."""
    return np.asarray(frame[column].to_numpy(), dtype=np.float64)


def runs(same: BoolArray1D) -> tuple[IntArray1D, IntArray1D]:
    """Return the first row of each run of equal rows, and how many rows it has.

    same: whether each row but the first equals the row above it, shape (n_rows - 1,). Both results have shape (n_runs,).
    """
    start = np.flatnonzero(np.concatenate([[True], ~same]))
    return start, np.diff(np.append(start, same.size + 1))


def lasting_jumps(values: Float64Array1D, decades: float) -> tuple[IntArray1D, Float64Array1D]:
    """Return the rows at which values jump by more than so many decades and do not come back in the next row, and the factors.

    values: above 0, shape (n_rows,). Both results have shape (n_jumps,); a row is the first at the new level.
    """
    step = np.diff(np.log10(values))
    back = (np.abs(step[:-1]) > decades) & (np.abs(step[:-1] + step[1:]) <= decades)
    spike = np.zeros(step.size, dtype=np.bool_)
    spike[:-1] |= back
    spike[1:] |= back
    where = np.flatnonzero((np.abs(step) > decades) & ~spike)
    return where + 1, 10.0 ** step[where]

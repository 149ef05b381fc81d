"""Compiled parts of combinatorially symmetric cross-validation: the measure on both halves of time, and who was best."""

from __future__ import annotations

import math

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D

__all__ = ["count_measures", "judge_halves"]


@kernel
def _measure(total: float, square: float, shift: float, periods: int, still: float, ratio: bool) -> float:
    """Return the mean per period, or Sharpe ratio, from sums of values less `shift`; a ratio is 0 where the variance is at most `still`."""
    mean = total / periods
    if not ratio:
        return mean + shift
    variance = (square - periods * mean * mean) / (periods - 1)
    return (mean + shift) / math.sqrt(variance) if variance > still else 0.0


@kernel
def judge_halves(
    sums: Float64Array2D,
    squares: Float64Array2D,
    all_sums: Float64Array1D,
    all_squares: Float64Array1D,
    shift: Float64Array1D,
    still: Float64Array1D,
    periods: int,
    ratio: bool,
    one: Float64Array1D,
    other: Float64Array1D,
    best: IntArray1D,
    values: Float64Array2D,
    limits: Float64Array1D,
) -> None:
    """Write for each split, both ways round: best in sample; its measure in sample, out of sample, and its rank there from 1.

    sums, squares: shape (n_splits, n_strategies), over one half; all_sums, all_squares: over both. one, other: scratch of shape
    (n_strategies,). best: shape (n_splits, 2). values: shape (n_splits, 6), three for each way. limits: least and greatest measure.
    """
    count = all_sums.size
    for split in range(sums.shape[0]):
        for k in range(count):
            total, square = sums[split, k], squares[split, k]
            one[k] = _measure(total, square, shift[k], periods, still[k], ratio)
            other[k] = _measure(all_sums[k] - total, all_squares[k] - square, shift[k], periods, still[k], ratio)
            limits[0] = min(limits[0], one[k], other[k])
            limits[1] = max(limits[1], one[k], other[k])
        for way in range(2):
            inside, outside = (one, other) if way == 0 else (other, one)
            chosen = 0
            for k in range(count):
                if inside[k] > inside[chosen]:
                    chosen = k
            rank, value = 0.5, outside[chosen]
            for k in range(count):
                if outside[k] < value:
                    rank += 1.0
                elif outside[k] == value:
                    rank += 0.5
            best[split, way] = chosen
            values[split, 3 * way] = inside[chosen]
            values[split, 3 * way + 1] = value
            values[split, 3 * way + 2] = rank


@kernel
def count_measures(
    sums: Float64Array2D,
    squares: Float64Array2D,
    all_sums: Float64Array1D,
    all_squares: Float64Array1D,
    shift: Float64Array1D,
    still: Float64Array1D,
    periods: int,
    ratio: bool,
    lowest: float,
    step: float,
    counts: IntArray1D,
) -> None:
    """Add to `counts` the measures of both halves at or below each point of a regular grid and above the point before it."""
    for split in range(sums.shape[0]):
        for k in range(all_sums.size):
            total, square = sums[split, k], squares[split, k]
            one = _measure(total, square, shift[k], periods, still[k], ratio)
            other = _measure(all_sums[k] - total, all_squares[k] - square, shift[k], periods, still[k], ratio)
            counts[min(counts.size - 1, math.ceil((one - lowest) / step))] += 1
            counts[min(counts.size - 1, math.ceil((other - lowest) / step))] += 1

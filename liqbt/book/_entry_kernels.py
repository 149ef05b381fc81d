"""What a bar opens: at which prices, where those positions would be liquidated, and which of them the same bar liquidates."""

from __future__ import annotations

import math

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D

__all__ = ["NARROW", "add_entries", "add_survivors", "doomed_share", "early_shares", "entries_of", "triangular_cdf"]

NARROW = 4
"""Bins of a bar up to which a loop would cost more than the additions themselves; `price_grid` leaves room for as many."""


@kernel
def triangular_cdf(x: float, low: float, mode: float, high: float) -> float:
    """Return P(X <= x) of the triangular distribution on [low, high] with that mode."""
    if x <= low:
        return 0.0
    if x >= high:
        return 1.0
    if x < mode:
        return (x - low) * (x - low) / ((high - low) * (mode - low))
    return 1.0 - (high - x) * (high - x) / ((high - low) * (high - mode))


@kernel
def entries_of(low: float, high: float, close: float, bins: IntArray1D, shares: Float64Array1D, entries: Float64Array1D) -> int:
    """Fill entries[1..n] with the share of a bar's openings in each of the n bins that it traded in, and a 0 on each side; return n.

    low, high, close: places on the grid, in bins. bins, shares: what is recorded of the bar, which goes before the triangular
    distribution around the mean of low, high and close. Recorded bins beyond low and high count for the outermost.
    """
    first = math.floor(low)
    n = math.floor(high) - first + 1
    entries[0] = 0.0
    entries[n + 1 : max(n, NARROW) + 2] = 0.0
    if bins.size > 0:
        entries[1 : n + 1] = 0.0
        for i in range(bins.size):
            entries[1 + min(max(bins[i] - first, 0), n - 1)] += shares[i]
        return n
    below, mode = 0.0, (low + high + close) / 3.0
    for i in range(1, n):
        above = triangular_cdf(first + i, low, mode, high)
        entries[i] = max(0.0, above - below)
        below = above
    entries[n] = 1.0 - below
    return n


@kernel
def early_shares(
    low_first: bool, first: int, n: int, bin_open: int, bin_close: int, long_early: Float64Array1D, short_early: Float64Array1D
) -> None:
    """Fill, for each bin that the bar traded in, the share of its entries that come before the side's extreme is reached.

    The path goes open, nearer extreme, farther extreme, close. A bin's entries are split evenly among the legs that cross it;
    the middle leg crosses all. Longs fear the low, shorts the high.
    """
    for i in range(n):
        b = first + i
        on_first = (b <= bin_open) if low_first else (b >= bin_open)
        on_last = (b >= bin_close) if low_first else (b <= bin_close)
        legs = 1.0 + on_first + on_last
        to_nearer, to_farther = on_first / legs, (1.0 + on_first) / legs
        long_early[i] = to_nearer if low_first else to_farther
        short_early[i] = to_farther if low_first else to_nearer


@kernel
def add_entries(
    book: Float64Array3D,
    side: int,
    at: int,
    n: int,
    amount: Float64Array2D,
    shift: IntArray1D,
    to_lower: Float64Array3D,
    to_higher: Float64Array3D,
    entries: Float64Array1D,
) -> None:
    """Add a bar's entries, of which the lowest is in bin `at`, to all columns of a side; each goes to two bins side by side."""
    e1, e2, e3, e4 = entries[1], entries[2], entries[3], entries[4]
    for c in range(shift.shape[1]):
        for s in range(shift.shape[2]):
            lower, higher = amount[side, c] * to_lower[side, c, s], amount[side, c] * to_higher[side, c, s]
            j = np.uint64(at + shift[side, c, s])  # unsigned, so that indexing need not ask whether it counts from the end
            if n <= NARROW:
                book[side, c, j] += lower * e1
                book[side, c, j + np.uint64(1)] += lower * e2 + higher * e1
                book[side, c, j + np.uint64(2)] += lower * e3 + higher * e2
                book[side, c, j + np.uint64(3)] += lower * e4 + higher * e3
                book[side, c, j + np.uint64(4)] += higher * e4
            else:
                for i in range(n + 1):
                    book[side, c, j + np.uint64(i)] += lower * entries[i + 1] + higher * entries[i]


@kernel
def _doomed(side: int, j: int, hit: int, final: int, early: float) -> float:
    """Return the share of a level's new positions that what is still to come in the bar liquidates: the extreme, then the close."""
    if side == 0:
        return (early if j >= hit else 0.0) + (1.0 - early if j >= final else 0.0)
    return (early if j <= hit else 0.0) + (1.0 - early if j <= final else 0.0)


@kernel
def doomed_share(side: int, to: int, n: int, upper: float, hit: int, final: int, early: Float64Array1D, entries: Float64Array1D) -> float:
    """Return the share of the bar's openings that it liquidates again, where an entry in its lowest bin goes to bin `to`."""
    doomed = 0.0
    for i in range(n):
        lower = _doomed(side, to + i, hit, final, early[i])
        doomed += entries[i + 1] * ((1.0 - upper) * lower + upper * _doomed(side, to + i + 1, hit, final, early[i]))
    return doomed


@kernel
def add_survivors(
    row: Float64Array1D,
    origin: int,
    side: int,
    to: int,
    n: int,
    lower: float,
    higher: float,
    hit: int,
    final: int,
    early: Float64Array1D,
    entries: Float64Array1D,
) -> None:
    """Add a bar's entries to a column from the absolute bin `to` on, less what the bar liquidates again."""
    for i in range(n):
        j = to + i
        row[j - origin] += lower * entries[i + 1] * (1.0 - _doomed(side, j, hit, final, early[i]))
        row[j + 1 - origin] += higher * entries[i + 1] * (1.0 - _doomed(side, j + 1, hit, final, early[i]))

"""The book's inner loop, and how a map is read out of it.

Prices live on an absolute logarithmic grid: bin i holds log prices [i w, (i + 1) w) and stands for its centre. The grid's
origin is price 1, never the data, so that what a bar writes cannot depend on the prices of later bars. Masses are stored
divided by a scale a column that each bar's survival multiplies, so that a bar costs only the bins that it touches.
"""

from __future__ import annotations

import math

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, Float64Array3D, Float64Array4D, IntArray1D
from liqbt.book._entry_kernels import NARROW, add_entries, add_survivors, doomed_share, early_shares, entries_of

__all__ = ["NOWHERE", "advance"]

NOWHERE = 1 << 40
"""Stands for the bounds of an empty column: no price is that many bins from price 1."""

_TINY = 1e-100  # below this the scale is multiplied into the stored masses, long before it could underflow


@kernel
def _sweep(row: Float64Array1D, first: int, last: int) -> float:
    """Empty the bins first..last and return the stored mass that was in them."""
    mass = 0.0
    for j in range(first, last + 1):
        mass += row[j]
        row[j] = 0.0
    return mass


@kernel
def _write_heat(
    book: Float64Array2D,
    scale: Float64Array1D,
    lowest: IntArray1D,
    highest: IntArray1D,
    weights: Float64Array2D,
    origin: int,
    first: int,
    out: Float64Array2D,
) -> None:
    """Write one side's map: out[g, j] is the sum over columns of weights[g, column] times the mass in bin first + j.

    book: shape (n_columns, n_bins), bin 0 is `origin`. lowest, highest: shape (n_columns,), bounds of what holds mass.
    """
    for g in range(weights.shape[0]):
        row = out[g]
        row[:] = 0.0
        for c in range(weights.shape[1]):
            factor = weights[g, c] * scale[c]
            start, stop = max(lowest[c], first), min(highest[c] + 1, first + row.size)
            if factor == 0.0 or start >= stop:
                continue
            held, seen = book[c, start - origin : stop - origin], row[start - first : stop - first]
            for j in range(held.size):
                seen[j] += factor * held[j]


@kernel
def _liquidate(
    side: int,
    hit: int,
    book: Float64Array2D,
    origin: int,
    scale: Float64Array1D,
    live: Float64Array1D,
    lowest: IntArray1D,
    highest: IntArray1D,
    died: Float64Array1D,
) -> None:
    """Empty all levels of a side from `hit` on and fill `died` with the mass that was in them, shape (n_columns,)."""
    for c in range(scale.size):
        if side == 0:
            start, stop = max(hit, lowest[c]), highest[c]
        else:
            start, stop = lowest[c], min(hit, highest[c])
        if start > stop:
            continue
        died[c] = min(live[c], _sweep(book[c], start - origin, stop - origin) * scale[c])
        if start == lowest[c] and stop == highest[c]:
            died[c] = live[c]  # to the bit, so that nothing stays behind
            lowest[c], highest[c] = NOWHERE, -NOWHERE
        elif side == 0:
            highest[c] = start - 1
        else:
            lowest[c] = stop + 1


@kernel
def _close(
    count_liquidations: bool,
    stays: Float64Array1D,
    opens: Float64Array1D,
    died: Float64Array1D,
    fresh: Float64Array1D,
    scale: Float64Array1D,
    live: Float64Array1D,
) -> None:
    """Close what is to be closed and count what is opened; all of shape (n_columns,), see `advance`."""
    for c in range(stays.size):
        left = live[c] - died[c]
        if count_liquidations:
            voluntary = max(0.0, (1.0 - stays[c]) * live[c] - died[c] - fresh[c])
            kept = max(0.0, left - voluntary)
            scale[c] *= kept / left if left > 0.0 else 1.0
        else:
            died[c] *= stays[c]
            kept = left * stays[c]
            scale[c] *= stays[c]
        live[c] = kept + opens[c] - fresh[c]


@kernel
def _rescale(book: Float64Array2D, origin: int, scale: Float64Array1D, lowest: IntArray1D, highest: IntArray1D) -> None:
    """Multiply scales that are about to underflow into the stored masses; at 0, the column is empty."""
    for c in range(scale.size):
        if scale[c] >= _TINY:
            continue
        for j in range(lowest[c] - origin, highest[c] + 1 - origin):
            book[c, j] *= scale[c]
        if scale[c] == 0.0:
            lowest[c], highest[c] = NOWHERE, -NOWHERE
        scale[c] = 1.0


@kernel
def advance(
    open_: Float64Array1D,
    high: Float64Array1D,
    low: Float64Array1D,
    close: Float64Array1D,
    trigger_high: Float64Array1D,
    trigger_low: Float64Array1D,
    trigger_close: Float64Array1D,
    low_first: BoolArray1D,
    offsets: IntArray1D,
    bins: IntArray1D,
    shares: Float64Array1D,
    survival: Float64Array3D,
    retained: Float64Array3D,
    count_liquidations: bool,
    origin: int,
    shift: IntArray1D,
    upper: Float64Array3D,
    size_share: Float64Array3D,
    book: Float64Array3D,
    scale: Float64Array2D,
    live: Float64Array2D,
    lowest: IntArray1D,
    highest: IntArray1D,
    swept_out: Float64Array3D,
    live_out: Float64Array3D,
    emit: IntArray1D,
    weights: Float64Array2D,
    heat_out: Float64Array4D,
) -> int:
    """Carry the book over some bars and return how many heat rows were written.

    Prices of shape (n_bars,) are places on the grid, log price over bin width. low_first: whether the low is the nearer
    extreme. offsets: shape (n_bars + 1,), rows of `bins` and `shares` that tell where each bar traded; none for the triangular
    distribution. survival, retained: shape (n_bars, 2, n_columns). origin: absolute bin of index 0. shift, upper, size_share:
    shape (2, n_columns, n_sizes), whole bins from entry to liquidation, the share that goes one bin higher, and of each size.
    State, updated in place: book (2, n_columns, n_bins) stored mass; of shape (2, n_columns): scale, live mass, and the
    absolute bins between which there may be mass.
    Out, rows of the bar: swept_out, live_out (n_bars, 2, n_columns). heat_out (n_rows, 2, n_groups, n_window) gets the columns
    weighted by `weights`, shape (n_groups, n_columns), after each bar with emit[bar] >= 0, from index emit[bar] on.

    Order within a bar: liquidate carried positions up to the trigger extremes, from the far end of the book, so that a gap
    leaves nothing behind; open along the path, where positions opened on the way can be liquidated by what is still to come;
    close the rest of what is to be closed, which is the share 1 - survival of what was carried in, less what was liquidated.
    Without `count_liquidations`, that share is closed first, whatever is liquidated then.
    """
    n_columns, n_sizes = shift.shape[1], shift.shape[2]
    nearest_long, nearest_short = highest[0].max(), lowest[1].min()
    top_shift, bottom_shift = shift[0].max(), shift[1].min()
    low_shift, high_shift = np.empty((2, n_columns), np.int64), np.empty((2, n_columns), np.int64)
    for side in range(2):
        for c in range(n_columns):
            low_shift[side, c], high_shift[side, c] = shift[side, c].min(), shift[side, c].max()
    to_lower, to_higher = size_share * (1.0 - upper), size_share * upper
    widest = NARROW
    for t in range(low.size):
        widest = max(widest, math.floor(high[t]) - math.floor(low[t]) + 1)
    entries, early = np.zeros(widest + 2), np.zeros((2, widest))
    died, fresh, amount = np.zeros(n_columns), np.zeros(n_columns), np.zeros((2, n_columns))
    n, heats = 0, 0
    for t in range(low.size):
        opening = retained[t, 0, 0] > 0.0 or retained[t, 1, 0] > 0.0
        first, last = math.floor(low[t]), math.floor(high[t])
        if opening:
            n = entries_of(low[t], high[t], close[t], bins[offsets[t] : offsets[t + 1]], shares[offsets[t] : offsets[t + 1]], entries)
        # a level is hit where the price reaches the centre of its bin
        final = min(max(trigger_close[t], trigger_low[t]), trigger_high[t])
        hits = (math.ceil(trigger_low[t] - 0.5), math.floor(trigger_high[t] - 0.5))
        finals = (math.ceil(final - 0.5), math.floor(final - 0.5))
        reached = (nearest_long >= hits[0], nearest_short <= hits[1])
        dying = (opening and last + top_shift + 1 >= hits[0], opening and first + bottom_shift <= hits[1])
        if dying[0] or dying[1]:
            early_shares(low_first[t], first, n, math.floor(open_[t]), math.floor(close[t]), early[0], early[1])
        smallest = 1.0
        for side in range(2):
            if not (reached[side] or dying[side]):
                for c in range(n_columns):
                    scale[side, c] *= survival[t, side, c]
                    live[side, c] = live[side, c] * survival[t, side, c] + retained[t, side, c]
                    smallest = min(smallest, scale[side, c])
                    live_out[t, side, c] = live[side, c]
                continue
            died[:] = 0.0
            fresh[:] = 0.0
            if reached[side]:
                _liquidate(side, hits[side], book[side], origin, scale[side], live[side], lowest[side], highest[side], died)
            if dying[side]:
                for c in range(n_columns):
                    doomed = 0.0
                    for s in range(n_sizes):
                        doomed += size_share[side, c, s] * doomed_share(
                            side, first + shift[side, c, s], n, upper[side, c, s], hits[side], finals[side], early[side], entries
                        )
                    fresh[c] = retained[t, side, c] * doomed
            _close(count_liquidations, survival[t, side], retained[t, side], died, fresh, scale[side], live[side])
            for c in range(n_columns):
                swept_out[t, side, c] = died[c] + fresh[c]
                live_out[t, side, c] = live[side, c]
                smallest = min(smallest, scale[side, c])
        nearest_long, nearest_short = min(nearest_long, hits[0] - 1), max(nearest_short, hits[1] + 1)
        if smallest < _TINY:
            for side in range(2):
                _rescale(book[side], origin, scale[side], lowest[side], highest[side])
        if opening:
            for side in range(2):
                for c in range(n_columns):
                    amount[side, c] = retained[t, side, c] / scale[side, c]
                    lowest[side, c] = min(lowest[side, c], first + low_shift[side, c])
                    highest[side, c] = max(highest[side, c], first + n + high_shift[side, c])
                if dying[side]:
                    for c in range(n_columns):
                        for s in range(n_sizes):
                            lower, higher = amount[side, c] * to_lower[side, c, s], amount[side, c] * to_higher[side, c, s]
                            to = first + shift[side, c, s]
                            add_survivors(book[side, c], origin, side, to, n, lower, higher, hits[side], finals[side], early[side], entries)
                else:
                    add_entries(book, side, first - origin, n, amount, shift, to_lower, to_higher, entries)
            nearest_long, nearest_short = max(nearest_long, first + n + top_shift), min(nearest_short, first + bottom_shift)
        if emit[t] >= 0:
            for side in range(2):
                _write_heat(book[side], scale[side], lowest[side], highest[side], weights, origin, origin + emit[t], heat_out[heats, side])
            heats += 1
    return heats

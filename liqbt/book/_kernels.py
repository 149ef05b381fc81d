"""All compiled code of the book.

Prices live on an absolute logarithmic grid: bin i holds log prices [i w, (i + 1) w) and stands for its centre. The grid's
origin is price 1, never the data, so that what a bar writes cannot depend on the prices of later bars. Masses are stored
divided by a scale a side that the survival of each bar multiplies, so that a bar costs only the bins that it touches.
"""

from __future__ import annotations

import math

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, Float64Array4D, IntArray1D

__all__ = ["advance", "carry", "triangular_cdf"]

_TINY = 1e-100  # below this the scale is multiplied into the stored masses, long before it could underflow


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
def carry(survival: Float64Array2D, retained: Float64Array2D, out: Float64Array2D) -> None:
    """Fill `out` with what is left of all that was opened: what survives of the bar before, and what the bar retains.

    All of shape (n_bars, 2).
    """
    for t in range(survival.shape[0]):
        for side in range(2):
            before = out[t - 1, side] if t > 0 else 0.0
            out[t, side] = survival[t, side] * before + retained[t, side]


@kernel
def _sweep(book: Float64Array3D, side: int, column: int, first: int, last: int) -> float:
    """Empty the bins first..last and return the stored mass that was in them."""
    mass = 0.0
    for j in range(first, last + 1):
        mass += book[side, column, j]
        book[side, column, j] = 0.0
    return mass


@kernel
def advance(
    start: int,
    stop: int,
    high: Float64Array1D,
    low: Float64Array1D,
    open_: Float64Array1D,
    close: Float64Array1D,
    trigger_high: Float64Array1D,
    trigger_low: Float64Array1D,
    trigger_close: Float64Array1D,
    survival: Float64Array2D,
    retained: Float64Array2D,
    width: float,
    origin: int,
    edges: Float64Array1D,
    shift: Float64Array2D,
    column: IntArray1D,
    weights: Float64Array1D,
    book: Float64Array3D,
    scale: Float64Array1D,
    live: Float64Array2D,
    reach: IntArray1D,
    swept_out: Float64Array3D,
    live_out: Float64Array3D,
    emit: IntArray1D,
    heat_out: Float64Array4D,
) -> int:
    """Carry the book over bars start..stop-1 and return how many heat rows were written.

    survival, retained: shape (n_bars, 2). width: of a bin, in log price. origin: absolute index of bin 0. edges: prices of
    the n_bins + 1 edges. shift: shape (2, n_leverages), liquidation distance in bins, below 0 for longs. column,
    weights: shape (n_leverages,), the column of the book that a leverage belongs to, and its share of what is opened.
    State, updated in place: book (2, n_columns, n_bins) stored mass; scale (2,); live (2, n_columns) mass; reach (2,)
    highest long bin and lowest short bin that may hold mass.
    Out, rows of the bar: swept_out, live_out (n_bars, 2, n_columns). heat_out (n_rows, 2, n_columns, n_window) gets the
    book after each bar with emit[bar] >= 0, from bin emit[bar] on.

    Order within a bar: survive; liquidate carried positions up to the trigger extremes; open along the path open, nearer
    extreme, farther extreme, close, where positions opened on the way can be liquidated by what is still to come.
    """
    n_leverages = weights.size
    _, n_columns, n_bins = book.shape
    row = 0
    for t in range(start, stop):
        for side in range(2):
            s = survival[t, side]
            if s <= 0.0:
                book[side] = 0.0
                live[side] = 0.0
                scale[side] = 1.0
                reach[side] = -1 if side == 0 else n_bins
            elif s < 1.0:
                scale[side] *= s
                for c in range(n_columns):
                    live[side, c] *= s
                if scale[side] < _TINY:
                    book[side] *= scale[side]
                    scale[side] = 1.0

        # places on the grid are counted from price 1 and turned into indices last, so that rounding cannot depend on where the
        # data's grid begins. Carried positions go from the far end of the book up to the extremes: a gap leaves nothing behind
        at_low = math.log(trigger_low[t]) / width
        at_high = math.log(trigger_high[t]) / width
        long_hit = max(0, math.ceil(at_low - 0.5) - origin)  # bins whose centre is at or above the low
        short_hit = min(n_bins - 1, math.floor(at_high - 0.5) - origin)  # bins whose centre is at or below the high
        for c in range(n_columns):
            mass = _sweep(book, 0, c, long_hit, reach[0]) * scale[0]
            swept_out[t, 0, c] = mass
            live[0, c] = max(0.0, live[0, c] - mass)
            mass = _sweep(book, 1, c, reach[1], short_hit) * scale[1]
            swept_out[t, 1, c] = mass
            live[1, c] = max(0.0, live[1, c] - mass)
        reach[0] = min(reach[0], long_hit - 1)
        reach[1] = max(reach[1], short_hit + 1)

        if retained[t, 0] > 0.0 or retained[t, 1] > 0.0:
            lowest, highest = low[t], high[t]
            mode = (lowest + highest + close[t]) / 3.0
            # the path; ties go against the bar's direction first, so that a rising bar dips before it rises
            down, up = open_[t] - lowest, highest - open_[t]
            low_first = down < up or (down == up and close[t] >= open_[t])
            final = min(max(trigger_close[t], trigger_low[t]), trigger_high[t])
            at_final = math.log(final) / width
            long_final = math.ceil(at_final - 0.5) - origin
            short_final = math.floor(at_final - 0.5) - origin
            from_low = math.log(lowest) / width
            from_high = math.log(highest) / width
            bin_open = math.floor(math.log(open_[t]) / width)
            bin_close = math.floor(math.log(close[t]) / width)
            first, last = math.floor(from_low), math.floor(from_high)
            below = 0.0
            for b in range(first, last + 1):
                above = 1.0 if b == last else triangular_cdf(edges[b + 1 - origin], lowest, mode, highest)
                share = above - below
                below = above
                if share <= 0.0:
                    continue
                entry = (max(float(b), from_low) + min(float(b + 1), from_high)) / 2.0
                # legs of the path that trade in this bin: open to nearer, nearer to farther (always), farther to close
                on_first = (b <= bin_open) if low_first else (b >= bin_open)
                on_last = (b >= bin_close) if low_first else (b <= bin_close)
                legs = 1.0 + on_first + on_last
                for side in range(2):
                    amount = retained[t, side] * share
                    if amount <= 0.0:
                        continue
                    # what was opened before the side's extreme still meets it; all of it still meets the close
                    before = on_first if low_first == (side == 0) else 1.0 + on_first
                    by_extreme = before / legs
                    by_close = 1.0 - by_extreme
                    for k in range(n_leverages):
                        at = entry + shift[side, k] - 0.5
                        j0 = math.floor(at)
                        upper = at - j0
                        for part in range(2):
                            j = j0 + part - origin
                            m = amount * (upper if part == 1 else 1.0 - upper)
                            if m <= 0.0:
                                continue
                            dead = 0.0
                            if side == 0:
                                if j >= long_hit:
                                    dead += by_extreme
                                if j >= long_final:
                                    dead += by_close
                            else:
                                if j <= short_hit:
                                    dead += by_extreme
                                if j <= short_final:
                                    dead += by_close
                            c = column[k]
                            gone = m * weights[k] * dead
                            kept = m * weights[k] - gone
                            swept_out[t, side, c] += gone
                            if kept > 0.0:
                                book[side, c, j] += kept / scale[side]
                                live[side, c] += kept
                                if side == 0:
                                    reach[0] = max(reach[0], j)
                                else:
                                    reach[1] = min(reach[1], j)
        for side in range(2):
            for c in range(n_columns):
                live_out[t, side, c] = live[side, c]
        if emit[t] >= 0:
            for side in range(2):
                for c in range(n_columns):
                    for j in range(heat_out.shape[3]):
                        heat_out[row, side, c, j] = book[side, c, emit[t] + j] * scale[side]
            row += 1
    return row

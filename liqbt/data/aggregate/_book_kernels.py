"""Compiled passes over order books.

The book that updates build is two arrays of levels, sorted by a key that grows towards the best price (the price of bids, minus
the price of asks), so that the changes near the best price, which are nearly all, move few levels. It needs no tick size, and
what is summed from the best price outwards depends on the levels alone, never on how the book came by them.
"""

from __future__ import annotations

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, Float64Array3D, Int8Array1D, IntArray1D
from liqbt.data.aggregate._kernels import IntArray2D

__all__ = ["BID", "CROSSED", "DONE", "EMPTY", "FULL", "GROW", "KEPT", "MALFORMED", "UNSORTED", "apply_updates", "reduce_levels", "sample"]

BID, ASK = 0, 1
DONE, FULL, GROW = 0, 1, 2
KEPT, EMPTY, CROSSED, UNSORTED, MALFORMED = 0, 1, 2, 3, 4
_SLACK = 1e-9  # a level that lies exactly at a distance counts, whichever way the division rounds


@kernel
def _reduce_side(
    sign: float,
    price: Float64Array1D,
    amount: Float64Array1D,
    first: int,
    stop: int,
    stride: int,
    mid: float,
    edge: float,
    distances: Float64Array1D,
    out_amount: Float64Array1D,
    out_notional: Float64Array1D,
) -> None:
    """Fill the cumulative sums of one side up to the last distance that `edge`, the deepest known price, reaches.

    sign: -1 for bids, 1 for asks. price: keys or prices, of which the size counts. Levels first, first + stride, ... before stop
    run from the best outwards; those without a price or an amount above 0 are no levels.
    """
    reach = sign * (edge - mid) / mid * (1.0 + _SLACK)
    total, value = 0.0, 0.0
    k = 0
    for i in range(first, stop, stride):
        if not (abs(price[i]) > 0.0 and amount[i] > 0.0):
            continue
        level = abs(price[i])
        away = sign * (level - mid) / mid
        while k < distances.size and away > distances[k] * (1.0 + _SLACK):
            if distances[k] <= reach:
                out_amount[k], out_notional[k] = total, value
            k += 1
        if k == distances.size:
            return
        total += amount[i]
        value += level * amount[i]
    while k < distances.size:
        if distances[k] <= reach:
            out_amount[k], out_notional[k] = total, value
        k += 1


@kernel
def reduce_levels(
    bid_price: Float64Array1D,
    bid_amount: Float64Array1D,
    bid_first: IntArray1D,
    ask_price: Float64Array1D,
    ask_amount: Float64Array1D,
    ask_first: IntArray1D,
    distances: Float64Array1D,
    out_amount: Float64Array3D,
    out_notional: Float64Array3D,
    out_status: Int8Array1D,
) -> None:
    """Reduce one snapshot after the other.

    *_price, *_amount: levels of all snapshots one after another, each best first; *_first (n + 1,): where each begins, and the end.
    Out: out_amount, out_notional (n, 2, n_distances), prefilled with NaN; out_status (n,): KEPT, EMPTY, CROSSED, UNSORTED, MALFORMED.
    """
    best = np.empty(2)
    deepest = np.empty(2)
    for row in range(out_status.size):
        out_status[row] = KEPT
        for side in range(2):
            sign = -1.0 if side == BID else 1.0
            price, amount = (bid_price, bid_amount) if side == BID else (ask_price, ask_amount)
            first, stop = (bid_first[row], bid_first[row + 1]) if side == BID else (ask_first[row], ask_first[row + 1])
            best[side], deepest[side] = 0.0, 0.0
            for i in range(first, stop):
                if price[i] < 0.0 or amount[i] < 0.0 or price[i] == np.inf or amount[i] == np.inf:
                    out_status[row] = MALFORMED
                elif price[i] > 0.0 and amount[i] > 0.0:
                    if best[side] == 0.0:
                        best[side] = price[i]
                    elif sign * price[i] <= sign * deepest[side] and out_status[row] == KEPT:
                        out_status[row] = UNSORTED
                    deepest[side] = price[i]
        if out_status[row] != KEPT:
            continue
        if best[BID] == 0.0 or best[ASK] == 0.0:
            out_status[row] = EMPTY
            continue
        if best[BID] >= best[ASK]:
            out_status[row] = CROSSED
            continue
        mid = (best[BID] + best[ASK]) / 2.0
        for side in range(2):
            sign = -1.0 if side == BID else 1.0
            price, amount = (bid_price, bid_amount) if side == BID else (ask_price, ask_amount)
            first, stop = (bid_first[row], bid_first[row + 1]) if side == BID else (ask_first[row], ask_first[row + 1])
            _reduce_side(sign, price, amount, first, stop, 1, mid, deepest[side], distances, out_amount[row, side], out_notional[row, side])


@kernel
def sample(
    key: Float64Array2D,
    amount: Float64Array2D,
    count: IntArray1D,
    edge: Float64Array1D,
    trust_updates: bool,
    distances: Float64Array1D,
    out_amount: Float64Array2D,
    out_notional: Float64Array2D,
) -> int:
    """Reduce the book as it stands and return KEPT, EMPTY or CROSSED.

    key, amount (2, capacity): levels, best last; count (2,): how many. edge (2,): key of the deepest level of the last snapshot.
    out_amount, out_notional (2, n_distances): NaN where not known.
    """
    out_amount[:] = np.nan
    out_notional[:] = np.nan
    if count[BID] == 0 or count[ASK] == 0:
        return EMPTY
    best_bid, best_ask = key[BID, count[BID] - 1], -key[ASK, count[ASK] - 1]
    if best_bid >= best_ask:
        return CROSSED
    mid = (best_bid + best_ask) / 2.0
    for side in range(2):
        deepest = key[side, 0] if trust_updates else max(key[side, 0], edge[side])
        sign = -1.0 if side == BID else 1.0
        _reduce_side(
            sign, key[side], amount[side], count[side] - 1, -1, -1, mid, -sign * deepest, distances, out_amount[side], out_notional[side]
        )
    return KEPT


@kernel
def apply_updates(
    start: int,
    timestamp: IntArray1D,
    available: IntArray1D,
    snapshot: BoolArray1D,
    bid: BoolArray1D,
    price: Float64Array1D,
    size: Float64Array1D,
    every: int,
    trust_updates: bool,
    distances: Float64Array1D,
    clocks: IntArray1D,
    key: Float64Array2D,
    amount: Float64Array2D,
    count: IntArray1D,
    edge: Float64Array1D,
    counts: IntArray1D,
    out_clocks: IntArray2D,
    out_amount: Float64Array3D,
    out_notional: Float64Array3D,
) -> tuple[int, int, int]:
    """Pass over the updates from `start` on; return the update that was reached, the samples that were written, and why it stopped.

    State, updated in place: clocks (4,) instant of the next sample, latest `available`, latest `timestamp`, and 0 before the
    first snapshot, 1 within one, 2 after it; key, amount, count, edge as in `sample`; counts (3,) updates before the first
    snapshot, and samples of an empty and of a crossed book.
    Out: out_clocks (n, 2) timestamp, available_at; out_amount, out_notional (n, 2, n_distances).
    Stops: DONE; FULL where the samples are full; GROW where a side's levels are.
    """
    due, known, newest, phase = clocks[0], clocks[1], clocks[2], clocks[3]
    rows, reason, i = 0, DONE, start
    while i < timestamp.size:
        if available[i] > due:
            if phase > 0:
                if rows == out_clocks.shape[0]:
                    reason = FULL
                    break
                status = sample(key, amount, count, edge, trust_updates, distances, out_amount[rows], out_notional[rows])
                if status == KEPT:
                    out_clocks[rows, 0], out_clocks[rows, 1] = min(newest, due), due
                    rows += 1
                else:
                    counts[status] += 1
            due = -(-available[i] // every) * every
        if snapshot[i]:
            if phase != 1 or available[i] != known:
                count[:] = 0
                edge[:] = np.inf
            phase = 1
        elif phase == 0:
            counts[0] += 1
            known = available[i]
            i += 1
            continue
        else:
            phase = 2
        side = BID if bid[i] else ASK
        at = price[i] if bid[i] else -price[i]
        n = count[side]
        below, above = 0, n
        while below < above:
            middle = (below + above) // 2
            if key[side, middle] < at:
                below = middle + 1
            else:
                above = middle
        there = below < n and key[side, below] == at
        if size[i] > 0.0:
            if not there:
                if n == key.shape[1]:
                    reason = GROW
                    break
                for j in range(n, below, -1):
                    key[side, j] = key[side, j - 1]
                    amount[side, j] = amount[side, j - 1]
                key[side, below] = at
                count[side] = n + 1
            amount[side, below] = size[i]
            if snapshot[i]:
                edge[side] = min(edge[side], at)
        elif there:
            for j in range(below, n - 1):
                key[side, j] = key[side, j + 1]
                amount[side, j] = amount[side, j + 1]
            count[side] = n - 1
        known = available[i]
        newest = max(newest, timestamp[i])
        i += 1
    clocks[0], clocks[1], clocks[2], clocks[3] = due, known, newest, phase
    return i, rows, reason

"""Compiled code of zones: finding them in a row of heat, and telling them apart over time."""

from __future__ import annotations

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Int8Array1D, IntArray1D
from liqbt.heatmap._kernels import moving_sum

__all__ = ["FADED", "GRAZED", "LASTS", "MERGED", "OPEN", "SWEPT", "follow", "hot_runs", "runs_above", "scan_row", "summits"]

LASTS, OPEN, SWEPT, GRAZED, MERGED, FADED = 0, 1, 2, 3, 4, 5
"""What becomes of a zone at the next snapshot: it lasts, there is none, or it ends in one of four ways; `zones.tracks.FATES` tells."""


@kernel
def runs_above(smooth: Float64Array1D, level: float, first: IntArray1D, last: IntArray1D) -> int:
    """Write the inclusive bounds of the runs of bins of at least `level`; return their number. All of shape (n_bins,)."""
    count = 0
    inside = False
    for j in range(smooth.size):
        hot = smooth[j] >= level
        if hot and not inside:
            first[count] = j
        if inside and not hot:
            last[count] = j - 1
            count += 1
        inside = hot
    if inside:
        last[count] = smooth.size - 1
        count += 1
    return count


@kernel
def hot_runs(heat: Float64Array1D, half: int, threshold: float, first: IntArray1D, last: IntArray1D) -> int:
    """Write the bounds of the runs of bins whose smoothed heat is at least `threshold` times the highest; return their number.

    heat: shape (n_bins,). half: bins on each side in the moving average, which takes bins beyond the ends as empty.
    first, last: shape (n_bins,), filled with the inclusive bounds of each run.
    """
    smooth = np.empty(heat.size)
    moving_sum(heat, half, smooth)
    top = smooth.max()
    if top <= 0.0:
        return 0
    return runs_above(smooth, threshold * top, first, last)


@kernel
def summits(smooth: Float64Array1D, first: int, last: int) -> float:
    """Return the topographic prominence of the highest bin of first..last, as a share of its height, 0 to 1.

    That is how far one must go down from it before one can go up to higher ground: the height less the higher of the two lowest points
    on the ways to the nearest higher bins on both sides. Where there is none the way ends beyond the ends, where height is 0.
    """
    peak = first
    for j in range(first, last + 1):
        if smooth[j] > smooth[peak]:
            peak = j
    height = smooth[peak]
    if height <= 0.0:
        return 0.0
    saddle = 0.0
    for step in (-1, 1):
        lowest = height
        j = peak + step
        while 0 <= j < smooth.size and smooth[j] <= height:
            lowest = min(lowest, smooth[j])
            j += step
        if not 0 <= j < smooth.size:
            lowest = 0.0
        saddle = max(saddle, lowest)
    return float((height - saddle) / height)


@kernel
def scan_row(
    heat: Float64Array2D,
    price: Float64Array1D,
    edges: Float64Array1D,
    windows: IntArray1D,
    close: float,
    half: int,
    threshold: float,
    min_share: float,
    side_out: IntArray1D,
    out: Float64Array2D,
) -> int:
    """Write the zones of one snapshot, longs first and then by price, and return their number.

    heat: shape (2, n_prices), base. windows: shape (2, 2), bins in which a side counts, first and one past the last. half: bins of the
    moving average on each side. side_out: shape (n_most,). out: shape (n_most, 8): low, high, peak, amount, notional, share,
    prominence, distance.
    """
    n = price.size
    first, last, smooth = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    count = 0
    for side in range(2):
        start, stop = windows[side, 0], windows[side, 1]
        if stop <= start:
            continue
        cells = heat[side, start:stop]
        total = cells.sum()
        moving_sum(cells, half, smooth[: cells.size])
        top = smooth[: cells.size].max()
        if top <= 0.0:
            continue
        for i in range(runs_above(smooth[: cells.size], threshold * top, first, last)):
            amount, notional, peak = 0.0, 0.0, first[i]
            for j in range(first[i], last[i] + 1):
                amount += cells[j]
                notional += cells[j] * price[start + j]
                if cells[j] > cells[peak]:
                    peak = j
            if amount < min_share * total:
                continue
            low, high = edges[start + first[i]], edges[start + last[i] + 1]
            gap = (close - high if side == 0 else low - close) / close
            side_out[count] = side
            out[count, 0], out[count, 1], out[count, 2] = low, high, price[start + peak]
            out[count, 3], out[count, 4], out[count, 5] = amount, notional, amount / total
            out[count, 6] = summits(smooth[: cells.size], first[i], last[i])
            out[count, 7] = max(0.0, gap)
            count += 1
    return count


@kernel
def follow(
    begins: IntArray1D,
    side: IntArray1D,
    low: Float64Array1D,
    high: Float64Array1D,
    peak: Float64Array1D,
    lowest: Float64Array1D,
    highest: Float64Array1D,
    before: IntArray1D,
    fate: Int8Array1D,
    reached: Float64Array1D,
) -> None:
    """Say of each zone which zone of the snapshot before it goes on, and what becomes of it at the next.

    begins: shape (n_snapshots + 1,), where the zones of each snapshot begin. side, low, high, peak: shape (n_zones,), bounds and peak
    in log price. lowest, highest: shape (n_snapshots,), log of the extremes of price since the snapshot before.
    Out, shape (n_zones,): before, row of the zone that it goes on, -1 for none; fate; reached, share of its width that price covered
    until the next snapshot, NaN for zones of the last one.
    """
    n_snapshots = begins.size - 1
    for row in range(begins[0], begins[n_snapshots]):
        before[row], fate[row], reached[row] = -1, OPEN, np.nan
    for t in range(1, n_snapshots):
        for old in range(begins[t - 1], begins[t]):
            width = high[old] - low[old]
            into = high[old] - lowest[t] if side[old] == 0 else highest[t] - low[old]
            reached[old] = min(max(into / width, 0.0), 1.0)
            touched = into >= 0.0
            through = lowest[t] <= low[old] if side[old] == 0 else highest[t] >= high[old]
            at_peak = lowest[t] <= peak[old] if side[old] == 0 else highest[t] >= peak[old]
            fate[old] = SWEPT if through else LASTS  # to be followed, whatever overlaps it
            if not through:
                for new in range(begins[t], begins[t + 1]):
                    if side[new] == side[old] and min(high[new], high[old]) > max(low[new], low[old]):
                        fate[old] = MERGED  # unless it turns out to go on
                        break
                if fate[old] == LASTS:
                    fate[old] = SWEPT if at_peak else GRAZED if touched else FADED
        while True:  # the pair that overlaps most first, of equal ones the lowest
            best, best_old, best_new = 0.0, -1, -1
            for old in range(begins[t - 1], begins[t]):
                if fate[old] != MERGED:
                    continue
                for new in range(begins[t], begins[t + 1]):
                    if before[new] >= 0 or side[new] != side[old]:
                        continue
                    overlap = min(high[new], high[old]) - max(low[new], low[old])
                    if overlap > best:
                        best, best_old, best_new = overlap, old, new
            if best_old < 0:
                break
            before[best_new] = best_old
            fate[best_old] = LASTS

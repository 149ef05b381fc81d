"""Compiled code of the maps."""

from __future__ import annotations

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, Float64Array4D, IntArray1D

__all__ = ["NOTIONAL", "SHARE", "TIMES_MEDIAN", "exceedance", "moving_sum"]

NOTIONAL, SHARE, TIMES_MEDIAN = 0, 1, 2
_SLACK = 1e-12  # relative; a bound nearer to 0 than this decides nothing, for sums round


@kernel
def moving_sum(heat: Float64Array1D, half: int, out: Float64Array1D) -> None:
    """Fill `out` with the sum of each bin and `half` bins on both sides; beyond the ends there is nothing. Both of shape (n_bins,)."""
    n = heat.size
    for j in range(n):
        total = 0.0
        for i in range(max(0, j - half), min(n, j + half + 1)):
            total += heat[i]
        out[j] = total


@kernel
def _share_above(
    excess: Float64Array1D, weights: Float64Array2D, least: Float64Array1D, most: Float64Array1D, sums: Float64Array1D
) -> float:
    """Return the share of mixes whose weighted sum of `excess` is above 0.

    excess: shape (n_leverages,). weights: shape (n_leverages, n_mixes). least, most: smallest and greatest weight of each leverage.
    sums: room of shape (n_mixes,).
    """
    n_leverages, n_mixes = weights.shape
    low, high, size = 0.0, 0.0, 0.0
    for k in range(n_leverages):
        value = excess[k]
        size += abs(value)
        if value > 0.0:
            high += value * most[k]
            low += value * least[k]
        else:
            high += value * least[k]
            low += value * most[k]
    if high < -_SLACK * size or size == 0.0:
        return 0.0
    if low > _SLACK * size:
        return 1.0
    value = excess[0]
    for m in range(n_mixes):
        sums[m] = value * weights[0, m]
    for k in range(1, n_leverages):
        value = excess[k]
        for m in range(n_mixes):
            sums[m] += value * weights[k, m]
    count = 0
    for m in range(n_mixes):
        count += sums[m] > 0.0
    return float(count / n_mixes)


@kernel
def _above_median(
    zones: Float64Array2D, weights: Float64Array2D, times: float, row: Float64Array1D, held: Float64Array1D, out: Float64Array1D
) -> None:
    """Add to `out`, shape (n_bins,), the share of mixes in which each zone is above `times` the median zone that holds anything.

    zones: shape (n_leverages, n_bins). weights: shape (n_leverages, n_mixes). row, held: room of shape (n_bins,).
    """
    n_leverages, n = zones.shape
    n_mixes = weights.shape[1]
    for m in range(n_mixes):
        for j in range(n):
            row[j] = zones[0, j] * weights[0, m]
        for k in range(1, n_leverages):
            weight = weights[k, m]
            for j in range(n):
                row[j] += zones[k, j] * weight
        count = 0
        for j in range(n):
            if row[j] > 0.0:
                held[count] = row[j]
                count += 1
        if count > 0:
            least = times * np.median(held[:count])
            for j in range(n):
                if row[j] > least:
                    out[j] += 1.0
    for j in range(n):
        out[j] /= n_mixes


@kernel
def exceedance(
    heat: Float64Array4D,
    price: Float64Array1D,
    windows: IntArray1D,
    half: int,
    measure: int,
    size: float,
    weights: Float64Array2D,
    out: Float64Array3D,
) -> None:
    """Fill `out`, shape (n_rows, 2, n_prices), with the share of mixes in which the zone around a bin is greater than `size`.

    heat: shape (n_rows, 2, n_leverages, n_prices), base. price: of bins, quote. windows: shape (n_rows, 2, 2), bins in which a side
    counts, first and one past the last. half: bins on each side of a zone. measure: NOTIONAL, quote; SHARE, of the side; TIMES_MEDIAN.
    weights: shape (n_leverages, n_mixes).
    """
    n_rows, _, n_leverages, n_prices = heat.shape
    n_mixes = weights.shape[1]
    least, most = np.empty(n_leverages), np.empty(n_leverages)
    for k in range(n_leverages):
        least[k], most[k] = weights[k].min(), weights[k].max()
    zones = np.empty((n_leverages, n_prices))
    notional, row, held = np.empty(n_prices), np.empty(n_prices), np.empty(n_prices)
    sums = np.empty(n_mixes)
    floor, excess = np.empty(n_leverages), np.empty(n_leverages)
    for t in range(n_rows):
        for side in range(2):
            out[t, side] = 0.0
            first, stop = windows[t, side, 0], windows[t, side, 1]
            n = stop - first
            if n <= 0:
                continue
            for k in range(n_leverages):
                total = 0.0
                for j in range(n):
                    notional[j] = heat[t, side, k, first + j] * price[first + j]
                    total += notional[j]
                moving_sum(notional[:n], half, zones[k, :n])
                # both measures are linear in the weights, which sum to 1: sum w (zone - floor) > 0
                floor[k] = size if measure == NOTIONAL else size * total
            if measure == TIMES_MEDIAN:
                _above_median(zones[:, :n], weights, size, row[:n], held[:n], out[t, side, first:stop])
                continue
            for j in range(n):
                for k in range(n_leverages):
                    excess[k] = zones[k, j] - floor[k]
                out[t, side, first + j] = _share_above(excess, weights, least, most, sums)

"""Compiled code of the flows: recurrences from bar to bar, each of which goes on from where another chunk ended."""

from __future__ import annotations

import math

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D

__all__ = ["carry", "decayed_mean", "retained_under"]

_NEARLY_ZERO = 1e-4  # below it the series is better than the difference of two numbers close to 1


@kernel
def carry(survival: Float64Array2D, retained: Float64Array2D, before: Float64Array1D, out: Float64Array2D) -> None:
    """Fill `out` with what is left of all that was opened: what survives of the bar before, and what the bar retains.

    Shapes (n_bars, 2); before: shape (2,), what was left before the first bar.
    """
    for t in range(survival.shape[0]):
        for side in range(2):
            held = out[t - 1, side] if t > 0 else before[side]
            out[t, side] = survival[t, side] * held + retained[t, side]


@kernel
def decayed_mean(values: Float64Array1D, decay: float, needed: int, state: Float64Array1D, out: Float64Array1D) -> None:
    """Fill `out` with the exponentially weighted mean of all values so far, NaN until `needed` of them are not NaN.

    A value's weight falls by `decay` a bar, also over bars without a value. state: weighted sum, sum of weights and count of
    values; updated in place.
    """
    for t in range(values.size):
        state[0] *= decay
        state[1] *= decay
        if not math.isnan(values[t]):
            state[0] += values[t]
            state[1] += 1.0
            state[2] += 1.0
        out[t] = state[0] / state[1] if state[2] >= needed else math.nan


@kernel
def _mean_survival(z: float, end: float) -> float:
    """Return (1 - end) / z, where end = exp(-z), also where z is next to 0."""
    if abs(z) < _NEARLY_ZERO:
        return 1.0 - z / 2.0 * (1.0 - z / 3.0 * (1.0 - z / 4.0))
    return (1.0 - end) / z


@kernel
def retained_under(
    hazard: Float64Array2D,
    growth: Float64Array1D,
    retained: Float64Array2D,
    multiple: Float64Array2D,
    share: Float64Array1D,
    survival: Float64Array3D,
    out: Float64Array3D,
) -> None:
    """Fill `out` with what a bar opens and does not close again at `multiple` times the hazard.

    hazard, retained: shape (n_bars, 2). growth: shape (n_bars,), log of open interest over that before. multiple: shape
    (2, n_columns). share: shape (n_columns,), of what is opened. survival: shape (n_bars, 2, n_columns), exp(-multiple hazard).

    With open interest linear in time, openings O and closings at h times the rate of the recorded ones, the integral over the
    bar is O O1 / M (1 - exp(-z)) / z with z = h hazard + growth; at h = 1 it is `retained`, so only the last factor changes.
    """
    for t in range(hazard.shape[0]):
        fallen = math.exp(-growth[t])
        for side in range(2):
            if retained[t, side] <= 0.0:
                out[t, side] = 0.0
                continue
            z = hazard[t, side] + growth[t]
            one = retained[t, side] / _mean_survival(z, math.exp(-z))
            for c in range(multiple.shape[1]):
                z = multiple[side, c] * hazard[t, side] + growth[t]
                out[t, side, c] = share[c] * one * _mean_survival(z, survival[t, side, c] * fallen)

"""Liquidation prices as compiled code, for arrays and to be called by other kernels; the formula is told in `liqbt.margin.prices`.

Brackets are flat arrays `rate` and `constant` of one shape (n_brackets,), in ascending notional: `TierArrays` makes them. Margin is
free margin: without charges that no price can change. Nothing is checked here, and NaN stays NaN.
"""

from __future__ import annotations

import math

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D

__all__ = ["fill_liquidation_prices", "liquidation_notional", "liquidation_price_of"]


@kernel
def liquidation_notional(slope: float, value: float, margin: float, rate: Float64Array1D, constant: Float64Array1D, fee: float) -> float:
    """Return the position's value, in the coin of its margin, at which it is liquidated; 0.0 where it never is.

    slope: +1 where equity rises with that value (linear long, inverse short), else -1. value: at entry.
    """
    # The requirement is the greatest of the brackets' lines, so equity less requirement is the least of rising (slope 1) or
    # falling lines: the last of their roots counts, or the first.
    notional = (margin + constant[0] - slope * value) / (rate[0] + fee - slope)
    for i in range(1, rate.size):
        root = (margin + constant[i] - slope * value) / (rate[i] + fee - slope)
        if slope * (root - notional) > 0.0:
            notional = root
    return 0.0 if notional <= 0.0 else notional


@kernel
def liquidation_price_of(
    side: float, entry: float, amount: float, margin: float, inverse: bool, rate: Float64Array1D, constant: Float64Array1D, fee: float
) -> float:
    """Return the liquidation price in quote; where none, 0.0 for a linear long and inf for an inverse short.

    side: +1 long, -1 short. amount: base, of inverse contracts their quote value.
    """
    if inverse:
        notional = liquidation_notional(-side, amount / entry, margin, rate, constant, fee)
        return math.inf if notional == 0.0 else amount / notional
    return liquidation_notional(side, amount * entry, margin, rate, constant, fee) / amount


@kernel
def fill_liquidation_prices(
    side: Float64Array1D, entry: Float64Array1D, amount: Float64Array1D, margin: Float64Array1D,
    inverse: bool, rate: Float64Array1D, constant: Float64Array1D, fee: float, out: Float64Array1D,
) -> None:  # fmt: skip
    """Fill `out` with the liquidation price of each position, all arrays of shape (n_positions,)."""
    for i in range(out.size):
        out[i] = liquidation_price_of(side[i], entry[i], amount[i], margin[i], inverse, rate, constant, fee)

"""PriceGrid: the book's price bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array3D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame

__all__ = ["PriceGrid", "price_grid"]

_MARGIN: Final = 0.35
"""Log price beyond the traded range that the grid covers at least, so that windows of features and heatmaps fit in it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PriceGrid:
    """Logarithmic price bins with their origin at price 1, whatever the data.

    width: of a bin, in log price. origin: absolute index of the first bin. edges: shape (n_bins + 1,), quote.
    """

    width: float
    origin: int
    edges: Float64Array1D

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return self.edges.size - 1

    def bin_of(self, price: Float64Array1D) -> IntArray1D:
        """Return the bin that holds each price; may lie outside of 0..n_bins-1."""
        return np.floor(np.log(price) / self.width).astype(np.int64) - self.origin


def price_grid(market: MarketFrame, shift: Float64Array3D, bin_bps: float, held: tuple[int, int] | None = None) -> PriceGrid:
    """Return bins that hold every liquidation price that the market's entries can have.

    shift: log(liquidation price / entry price). held: first and last absolute bin that already hold positions.
    Raises ConfigError where a bin is wider than half of the smallest liquidation distance.
    """
    width = math.log1p(bin_bps * 1e-4)
    nearest = float(np.abs(shift).min())
    if width > nearest / 2:
        raise ConfigError(
            f"bin_bps: {bin_bps:g} is too wide for the highest leverage, which is liquidated {nearest * 1e4:.1f} bps away; "
            f"use at most {nearest * 5e3:.1f}"
        )
    lowest = math.log(float(min(market.low.min(), market.trigger_low.min())))
    highest = math.log(float(max(market.high.max(), market.trigger_high.max())))
    origin = math.floor((lowest + min(float(shift.min()), -_MARGIN)) / width) - 2
    end = math.ceil((highest + max(float(shift.max()), _MARGIN)) / width) + 6  # the kernel adds zeros to the few bins above a narrow bar
    if held is not None:
        origin, end = min(origin, held[0]), max(end, held[1] + 1)
    return PriceGrid(width=width, origin=origin, edges=np.exp(np.arange(origin, end + 1) * width))

"""The book between two bars: everything needed to go on, and the pass over bars that carries it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liqbt._typing import SIDES, Float64Array1D, Float64Array2D, Float64Array3D, Float64Array4D, IntArray1D
from liqbt.book._kernels import advance
from liqbt.book.flows import Flows
from liqbt.errors import ConfigError
from liqbt.margin import liquidation_price
from liqbt.market import MarketFrame

_MARGIN = 0.35
"""Log price beyond the traded range that the grid covers at least, so that windows of features and heatmaps fit in it."""

__all__ = ["BookPass", "PriceGrid", "liquidation_shift", "price_grid"]


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


def liquidation_shift(leverage: Sequence[float], rate: float) -> Float64Array2D:
    """Return log(liquidation price / entry price) of small linear positions, shape (2, n_leverages), [long, short].

    rate: maintenance margin rate of the first bracket. Raises ConfigError where a position would be liquidated at entry.
    """
    for value in leverage:
        if value * rate >= 1:
            raise ConfigError(
                f"leverage: {value:g} with a maintenance margin rate of {rate:g} is liquidated as it opens; it must be below {1 / rate:g}"
            )
    return np.array(
        [
            [
                math.log(liquidation_price(side=side, entry_price=1.0, amount=1.0, leverage=value, maintenance_margin_rate=rate))
                for value in leverage
            ]
            for side in SIDES
        ]
    )


def price_grid(market: MarketFrame, shift: Float64Array2D, bin_bps: float) -> PriceGrid:
    """Return bins that hold every liquidation price that the market's entries can have.

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
    end = math.ceil((highest + max(float(shift.max()), _MARGIN)) / width) + 2
    return PriceGrid(width=width, origin=origin, edges=np.exp(np.arange(origin, end + 1) * width))


class BookPass:
    """One pass over a market; `run_to` carries the book bar by bar and hands out the heat after the bars that are asked for.

    weights: shape (n_leverages,), shares of a mix, whose sum is kept in one column; None keeps a column for each leverage, with
    unit weight.
    swept, live: shape (n_bars, 2, n_columns), base; filled up to the bar that was reached.
    """

    def __init__(
        self, market: MarketFrame, flows: Flows, grid: PriceGrid, shift: Float64Array2D, weights: Float64Array1D | None = None
    ) -> None:
        leverages = shift.shape[1]
        columns = leverages if weights is None else 1
        self.market, self.flows, self.grid = market, flows, grid
        self.weights = np.ones(leverages) if weights is None else weights
        self._column = np.arange(leverages) if weights is None else np.zeros(leverages, dtype=np.int64)
        self.shift = shift / grid.width
        self.done = 0
        self.swept: Float64Array3D = np.zeros((market.n_bars, 2, columns))
        self.live: Float64Array3D = np.zeros((market.n_bars, 2, columns))
        self.book: Float64Array3D = np.zeros((2, columns, grid.n_bins))
        self._scale = np.ones(2)
        self._mass = np.zeros((2, columns))
        self._reach = np.array([-1, grid.n_bins], dtype=np.int64)

    def run_to(self, stop: int, emit: IntArray1D | None = None, n_window: int = 0) -> Float64Array4D:
        """Carry the book up to bar `stop` (exclusive) and return windows of heat, in base.

        emit: shape (n_bars,), the first bin of the window wanted after each bar, or -1 for none. n_window: bins of a window.
        Returns shape (n_rows, 2, n_columns, n_window).
        """
        market, flows = self.market, self.flows
        wanted = np.full(market.n_bars, -1, dtype=np.int64) if emit is None else emit
        heat = np.empty((int((wanted[self.done : stop] >= 0).sum()), *self.book.shape[:2], n_window))
        advance(
            self.done, stop, market.high, market.low, market.open, market.close,
            market.trigger_high, market.trigger_low, market.trigger_close, flows.survival, flows.retained,
            self.grid.width, self.grid.origin, self.grid.edges, self.shift, self._column, self.weights,
            self.book, self._scale, self._mass, self._reach, self.swept, self.live, wanted, heat,
        )  # fmt: skip
        self.done = stop
        return heat

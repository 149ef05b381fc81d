"""Heatmap: how much would be liquidated at which price, as it was known at which time.

A heatmap knows nothing of how it was made; the book hands it out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from liqbt._time import format_ns, to_index
from liqbt._typing import LONG, SHORT, SIDES, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.errors import ConfigError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Heatmap"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Heatmap:
    """Expected liquidations by time, side and price: a reconstruction, not a measurement.

    timestamp: shape (n_times,), UTC nanoseconds, when each snapshot was known (the close of its bar).
    price_edges: shape (n_prices + 1,), quote, ascending; logarithmic bins with their origin at price 1.
    intensity: shape (n_times, 2, n_prices), base; [:, 0] longs that would be liquidated there (below price), [:, 1] shorts.
    close: shape (n_times,), quote, last price at each snapshot.
    explained_share: shape (n_times,), share of open interest whose entry was seen; NaN before the book starts.
    symbol: for labels. open_interest_source: `recorded` or `volume`. synthetic: True where the market was simulated.
    """

    timestamp: IntArray1D
    price_edges: Float64Array1D
    intensity: Float64Array3D
    close: Float64Array1D
    explained_share: Float64Array1D
    symbol: str
    open_interest_source: str
    synthetic: bool = False

    @property
    def price(self) -> Float64Array1D:
        """Geometric centres of the price bins, shape (n_prices,), quote."""
        return np.sqrt(self.price_edges[:-1] * self.price_edges[1:])

    @property
    def index(self) -> pd.DatetimeIndex:
        """Snapshot times, `datetime64[ns, UTC]`."""
        return to_index(self.timestamp)

    @property
    def total(self) -> Float64Array2D:
        """Both sides together, shape (n_times, n_prices), base."""
        return np.asarray(self.intensity.sum(axis=1))

    def notional(self) -> Float64Array3D:
        """Return the intensity valued at its own price, shape (n_times, 2, n_prices), quote."""
        return self.intensity * self.price

    def to_xarray(self) -> xr.DataArray:
        """Return a DataArray with dims (timestamp, side, price), in base; naive UTC times, as xarray wants them."""
        import xarray as xr

        return xr.DataArray(
            self.intensity,
            dims=("timestamp", "side", "price"),
            coords={
                "timestamp": self.index.tz_localize(None),
                "side": list(SIDES),
                "price": self.price,
                "close": ("timestamp", self.close),
                "explained_share": ("timestamp", self.explained_share),
            },
            name="liquidation_intensity",
            attrs={
                "units": "base",
                "symbol": self.symbol,
                "open_interest_source": self.open_interest_source,
                "synthetic": int(self.synthetic),
            },
        )

    def between(self, low: float, high: float) -> Heatmap:
        """Return the part whose price bins overlap [low, high], quote. Raises ConfigError where none does."""
        first = max(0, int(np.searchsorted(self.price_edges, low, side="right")) - 1)
        last = min(self.price_edges.size - 1, int(np.searchsorted(self.price_edges, high, side="left")))
        if not (low <= high and first < last):
            raise ConfigError(f"prices {low:g} to {high:g} lie outside of the heatmap, {self.price_edges[0]:g} to {self.price_edges[-1]:g}")
        return replace(self, price_edges=self.price_edges[first : last + 1], intensity=self.intensity[:, :, first:last])

    def downsample(self, n_times: int, n_prices: int) -> Heatmap:
        """Return at most `n_times` x `n_prices` cells, each the maximum of those that it covers, so that no hot cell is lost.

        A snapshot stands for those that it covers from the time of the first of them on. For pictures: the values are the
        hottest of several bins and no longer add up.
        """
        if n_times < 1 or n_prices < 1:
            raise ConfigError(f"downsample: {n_times} x {n_prices} cells; both must be at least 1")
        rows = np.unique(np.linspace(0, self.timestamp.size, min(n_times, self.timestamp.size), endpoint=False).astype(np.int64))
        cells = self.price_edges.size - 1
        columns = np.unique(np.linspace(0, cells, min(n_prices, cells), endpoint=False).astype(np.int64))
        coarse = np.maximum.reduceat(np.maximum.reduceat(self.intensity, rows, axis=0), columns, axis=2)
        return replace(
            self,
            timestamp=self.timestamp[rows],
            close=self.close[rows],
            explained_share=self.explained_share[rows],
            price_edges=np.append(self.price_edges[columns], self.price_edges[-1]),
            intensity=coarse,
        )

    def at(self, instant: int) -> Float64Array2D:
        """Return the last snapshot known at `instant` (UTC nanoseconds), shape (2, n_prices), base.

        Raises ConfigError where nothing was known yet.
        """
        row = int(np.searchsorted(self.timestamp, instant, side="right")) - 1
        if row < 0:
            raise ConfigError(f"instant: nothing is known at {format_ns(instant)}; the first snapshot is of {format_ns(self.timestamp[0])}")
        return np.asarray(self.intensity[row])

    def __repr__(self) -> str:
        return (
            f"Heatmap({self.symbol}, {self.timestamp.size} snapshots {format_ns(self.timestamp[0])} to {format_ns(self.timestamp[-1])}, "
            f"{self.price_edges.size - 1} prices {self.price_edges[0]:.6g} to {self.price_edges[-1]:.6g}, "
            f"peak long {self.intensity[:, LONG].max():.4g}, short {self.intensity[:, SHORT].max():.4g})"
        )

"""Heatmap: how much would be liquidated at which price, as it was known at which time.

A heatmap knows nothing of how it was made; the book hands it out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import LONG, SHORT, SIDES, Float64Array2D, Float64Array3D, Side
from liqbt.errors import ConfigError, did_you_mean
from liqbt.heatmap.axes import MapAxes, Unit, check_unit
from liqbt.heatmap.liquidation_map import LiquidationMap

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

__all__ = ["Heatmap"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Heatmap(MapAxes):
    """Expected liquidations by time, side and price: a reconstruction, not a measurement. Its axes are told by `MapAxes`.

    intensity: shape (n_times, 2, n_prices), base; [:, 0] longs that would be liquidated there (below price), [:, 1] shorts.
    """

    intensity: Float64Array3D

    @property
    def total(self) -> Float64Array2D:
        """Both sides together, shape (n_times, n_prices), base."""
        return np.asarray(self.intensity.sum(axis=1))

    def notional(self) -> Float64Array3D:
        """Return the intensity valued at its own price, shape (n_times, 2, n_prices), quote."""
        return self.intensity * self.price

    def of(self, side: Side, unit: Unit = "base") -> Float64Array2D:
        """Return the intensity of one side, shape (n_times, n_prices), in base or quote.

        Raises ConfigError for another side or unit.
        """
        check_unit(unit)
        if side not in SIDES:
            raise ConfigError(f"side: {side!r} is not a position side{did_you_mean(str(side), SIDES)}")
        one = self.intensity[:, SIDES.index(side)]
        return one if unit == "base" else one * self.price

    def to_xarray(self, unit: Unit = "base") -> xr.DataArray:
        """Return a DataArray with dims (timestamp, side, price), in base or quote; naive UTC times, as xarray wants them."""
        import xarray as xr

        check_unit(unit)
        return xr.DataArray(
            self.intensity if unit == "base" else self.notional(),
            dims=("timestamp", "side", "price"),
            coords={**self.coordinates(), "side": list(SIDES)},
            name="liquidation_intensity",
            attrs={"units": unit, **self.origin()},
        )

    def to_zarr(self, path: str | Path) -> Path:
        """Write the map as a zarr group and return its path; `read_heatmap` gives it back to the last bit.

        See `liqbt.heatmap.files.write_heatmap`.
        """
        from liqbt.heatmap.files import write_heatmap

        return write_heatmap(self, path)

    def figure(self) -> go.Figure:
        """Return an interactive figure of the map under its last prices; cells are the hottest of those that they cover."""
        from liqbt.heatmap.figures import heatmap_figure

        return heatmap_figure(self)

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
        return np.asarray(self.intensity[self.row_at(instant)])

    def liquidation_map(self, instant: int | None = None) -> LiquidationMap:
        """Return the last snapshot known at `instant` (UTC nanoseconds, None for the last of all) as a map by price, in one group.

        Raises ConfigError where nothing was known yet.
        """
        return LiquidationMap.of(self, self.intensity[:, :, None, :], ("all",), instant)

    def __repr__(self) -> str:
        return (
            f"Heatmap({self.symbol}, {self.timestamp.size} snapshots {format_ns(self.timestamp[0])} to {format_ns(self.timestamp[-1])}, "
            f"{self.price_edges.size - 1} prices {self.price_edges[0]:.6g} to {self.price_edges[-1]:.6g}, "
            f"peak long {self.intensity[:, LONG].max():.4g}, short {self.intensity[:, SHORT].max():.4g})"
        )

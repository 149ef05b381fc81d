"""What all maps of a market share: snapshots in time, bins of price, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from liqbt._time import format_ns, to_index
from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import ConfigError

__all__ = ["MapAxes", "Unit", "check_unit", "outward", "side_windows"]

Unit: TypeAlias = Literal["base", "quote"]
"""`base`: coins. `quote`: coins times the price of their bin."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MapAxes:
    """Snapshots and price bins of a map.

    timestamp: shape (n_times,), UTC nanoseconds, when each snapshot was known (the close of its bar).
    price_edges: shape (n_prices + 1,), quote, ascending; logarithmic bins with their origin at price 1.
    close: shape (n_times,), quote, last price at each snapshot.
    explained_share: shape (n_times,), share of open interest whose entry was seen; NaN before the book starts.
    symbol: for labels. open_interest_source: `recorded` or `volume`. synthetic: True where the market was simulated.
    """

    timestamp: IntArray1D
    price_edges: Float64Array1D
    close: Float64Array1D
    explained_share: Float64Array1D
    symbol: str
    open_interest_source: str
    synthetic: bool = False

    @property
    def axes(self) -> dict[str, Any]:
        """The fields of `MapAxes` by name, for a map that is made from this one."""
        return {name: getattr(self, name) for name in MapAxes.__dataclass_fields__}

    @property
    def price(self) -> Float64Array1D:
        """Geometric centres of the price bins, shape (n_prices,), quote."""
        return np.sqrt(self.price_edges[:-1] * self.price_edges[1:])

    @property
    def index(self) -> pd.DatetimeIndex:
        """Snapshot times, `datetime64[ns, UTC]`."""
        return to_index(self.timestamp)

    @property
    def bin_width(self) -> float:
        """Width of the price bins in log price.

        Raises ConfigError where they differ, as they do in a coarser picture of a map.
        """
        widths = np.diff(np.log(self.price_edges))
        if np.ptp(widths) > 1e-6 * widths[0]:
            raise ConfigError(
                "heatmap: its price bins differ in width, as those of a down-sampled map do; use the map that it was made from"
            )
        return float(np.log(self.price_edges[-1] / self.price_edges[0]) / widths.size)

    def row_at(self, instant: int) -> int:
        """Return the number of the last snapshot known at `instant`, UTC nanoseconds.

        Raises ConfigError where nothing was known yet.
        """
        row = int(np.searchsorted(self.timestamp, instant, side="right")) - 1
        if row < 0:
            raise ConfigError(f"instant: nothing is known at {format_ns(instant)}; the first snapshot is of {format_ns(self.timestamp[0])}")
        return row

    def coordinates(self) -> dict[str, Any]:
        """Return the coordinates of a DataArray: naive UTC times, as xarray wants them, and centres and bounds of the price bins."""
        return {
            "timestamp": self.index.tz_localize(None),
            "price": self.price,
            "price_low": ("price", self.price_edges[:-1]),
            "price_high": ("price", self.price_edges[1:]),
            "close": ("timestamp", self.close),
            "explained_share": ("timestamp", self.explained_share),
        }

    def origin(self) -> dict[str, Any]:
        """Return where the map comes from, as attributes of a DataArray."""
        return {"symbol": self.symbol, "open_interest_source": self.open_interest_source, "synthetic": int(self.synthetic)}


def side_windows(axes: MapAxes, reach: float) -> IntArray1D:
    """Return the bins in which each side counts, shape (n_times, 2, 2): first and one past the last, of longs and of shorts.

    Longs count from `reach`, a fraction of price, below the last price up to the bin that holds it, shorts from there to as far above.
    """
    edges, last = axes.price_edges, axes.price_edges.size - 1
    here = np.searchsorted(edges, axes.close, side="right") - 1
    windows = np.empty((axes.close.size, 2, 2), dtype=np.int64)
    windows[:, 0, 0] = np.searchsorted(edges, axes.close * (1 - reach))
    windows[:, 0, 1] = here + 1
    windows[:, 1, 0] = here
    windows[:, 1, 1] = np.searchsorted(edges, axes.close * (1 + reach))
    return np.clip(windows, 0, last)


def outward(amounts: Float64Array2D) -> Float64Array2D:
    """Return what is liquidated on the way to the far end of each bin; the last two axes are side and price.

    Longs add up downwards from the top of the map, shorts upwards from its bottom: price reaches the nearest of them first.
    """
    longs = np.cumsum(amounts[..., 0, ::-1], axis=-1)[..., ::-1]
    return np.stack((longs, np.cumsum(amounts[..., 1, :], axis=-1)), axis=-2)


def check_unit(unit: str) -> None:
    """Raise ConfigError for anything but `base` and `quote`."""
    if unit not in ("base", "quote"):
        raise ConfigError(f"unit: {unit!r} is neither 'base' nor 'quote'")

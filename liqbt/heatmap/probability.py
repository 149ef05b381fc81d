"""ProbabilityMap: in which share of an ensemble of leverage mixes a zone is greater than a given size."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import SIDES, Float64Array2D, Float64Array3D
from liqbt.errors import ConfigError
from liqbt.heatmap._kernels import NOTIONAL, SHARE, TIMES_MEDIAN, exceedance
from liqbt.heatmap.axes import MapAxes, side_windows
from liqbt.heatmap.by_leverage import LeverageHeat
from liqbt.heatmap.ensemble import checked_mixes

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

__all__ = ["ProbabilityMap", "ZoneSize", "probability_map"]

_MEASURES: Final = {"notional": NOTIONAL, "share": SHARE, "times_median": TIMES_MEDIAN}


@dataclass(frozen=True, kw_only=True)
class ZoneSize:
    """When a zone counts as great. Conventions, fitted to nothing, but for `size`, which is the question and has no default.

    A zone is a bin with the bins around it. measure: what `size` is compared with: `notional`, quote in the zone; `share`, 0 to 1, of the
    side's notional within reach; `times_median`, multiples of the median zone of the same side, mix and snapshot that holds anything.
    size: above 0; a zone must be greater. smooth_bps: half-width of a zone in basis points, as in `ZoneParams`. reach: distance from the
    last price, as a fraction of it, beyond which nothing counts.
    """

    measure: Literal["notional", "share", "times_median"]
    size: float
    smooth_bps: float = 15.0
    reach: float = 0.12

    def __post_init__(self) -> None:
        if self.measure not in _MEASURES:
            raise ConfigError(f"measure: {self.measure!r} must be one of {', '.join(_MEASURES)}")
        if not (math.isfinite(self.size) and self.size > 0) or (self.measure == "share" and self.size >= 1):
            raise ConfigError(f"size: {self.size!r} must be above 0" + (" and below 1, as a share" if self.measure == "share" else ""))
        if not 0 <= self.smooth_bps <= 1000:
            raise ConfigError(f"smooth_bps: {self.smooth_bps!r} must be between 0 and 1000 basis points")
        if not 0 < self.reach < 1:
            raise ConfigError(f"reach: {self.reach!r} must be a fraction of price between 0 and 1")

    def __str__(self) -> str:
        if self.measure == "share":
            return f"more than {self.size * 100:g} % of the side within {self.reach * 100:g} % of price"
        return f"more than {self.size:g} quote" if self.measure == "notional" else f"more than {self.size:g} times the median zone"


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbabilityMap(MapAxes):
    """How sure an ensemble of leverage mixes is that a zone is great. Its axes are told by `MapAxes`.

    probability: shape (n_times, 2, n_prices), 0 to 1, the share of mixes in which the zone around a bin exceeds `size`; 0 where nothing
    counts. It knows of the leverage mix only: other assumptions are the same in the whole ensemble. n_mixes: size of the ensemble.
    """

    probability: Float64Array3D
    size: ZoneSize
    n_mixes: int

    def to_xarray(self) -> xr.DataArray:
        """Return a DataArray with dims (timestamp, side, price), 0 to 1; naive UTC times, as xarray wants them."""
        import xarray as xr

        return xr.DataArray(
            self.probability,
            dims=("timestamp", "side", "price"),
            coords={**self.coordinates(), "side": list(SIDES)},
            name="zone_probability",
            attrs={"units": "1", "zone": str(self.size), "n_mixes": self.n_mixes, **self.origin()},
        )

    def figure(self) -> go.Figure:
        """Return an interactive figure of the map under its last prices; cells are the surest of those that they cover."""
        from liqbt.heatmap.figures import probability_figure

        return probability_figure(self)

    def __repr__(self) -> str:
        return (
            f"ProbabilityMap({self.symbol}, {self.timestamp.size} snapshots {format_ns(self.timestamp[0])} to "
            f"{format_ns(self.timestamp[-1])}, zones of {self.size}, {self.n_mixes} mixes)"
        )


def probability_map(heat: LeverageHeat | Iterable[LeverageHeat], mixes: Float64Array2D, size: ZoneSize) -> ProbabilityMap:
    """Return in which share of the mixes the zone around each bin is greater than `size`, snapshot by snapshot.

    heat: unit-weight maps; an iterable of them, in order of time and on the same price bins, is consumed one at a time, with the same
    result to the last bit. mixes: shape (n_mixes, n_leverages), such as `dirichlet_mixes` or a posterior gives them; all count the same.
    Each snapshot is known when its heat was.

    Raises ConfigError for mixes that do not fit the leverages, parts that do not fit each other, or no part at all.
    """
    parts: list[MapAxes] = []
    found: list[Float64Array3D] = []
    for part in (heat,) if isinstance(heat, LeverageHeat) else heat:
        weights = np.ascontiguousarray(checked_mixes(mixes, len(part.leverage)).T)
        axes = MapAxes(**part.axes)
        if parts and not np.array_equal(axes.price_edges, parts[0].price_edges):
            raise ConfigError(f"heat: part {len(parts) + 1} has other price bins than the first; give parts of one map")
        out = np.empty((part.timestamp.size, 2, part.price.size))
        half = round(size.smooth_bps * 1e-4 / part.bin_width)
        windows = side_windows(part, size.reach)
        exceedance(np.ascontiguousarray(part.intensity), part.price, windows, half, _MEASURES[size.measure], size.size, weights, out)
        parts.append(axes)
        found.append(out)
    if not parts:
        raise ConfigError("heat: there are no snapshots; give at least one part")
    stacked = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("timestamp", "close", "explained_share")}
    return ProbabilityMap(**parts[0].axes | stacked, probability=np.concatenate(found), size=size, n_mixes=len(mixes))

"""LeverageHeat: the map of each leverage on its own, from which the map of any leverage mix is a weighted sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import SIDES, Float64Array1D, Float64Array2D, Float64Array4D
from liqbt.errors import ConfigError
from liqbt.heatmap.axes import MapAxes
from liqbt.heatmap.ensemble import checked_mixes
from liqbt.heatmap.heatmap import Heatmap
from liqbt.heatmap.liquidation_map import LiquidationMap

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LEVERAGE_GROUPS", "LeverageHeat", "leverage_groups"]

LEVERAGE_GROUPS: Final = (10.0, 25.0, 50.0)
"""Upper bounds of all groups of leverage but the last: those that published liquidation maps draw in one colour each."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LeverageHeat(MapAxes):
    """Expected liquidations by time, side, leverage and price, if all traders used that one leverage. Its axes are told by `MapAxes`.

    leverage: ascending multiples. intensity: shape (n_times, 2, n_leverages, n_prices), base; [:, 0] longs, [:, 1] shorts.

    A long history comes as an iterator of these, some snapshots each, so that memory does not grow with it.
    """

    leverage: tuple[float, ...]
    intensity: Float64Array4D

    def mix(self, weights: Sequence[float] | Float64Array1D) -> Heatmap:
        """Return the map of a leverage mix: shares of the leverages, shape (n_leverages,), that sum to 1.

        Raises ConfigError for weights that are not a mix of these leverages.
        """
        mixed = self.mixed(np.asarray(weights, dtype=np.float64)[None])
        return Heatmap(**self.axes, intensity=mixed[0])

    def mixed(self, mixes: Float64Array2D) -> Float64Array4D:
        """Return the maps of many mixes, shape (n_mixes, n_leverages), by one matrix product: (n_mixes, n_times, 2, n_prices), base.

        Raises ConfigError for rows that are not mixes of these leverages.
        """
        checked = checked_mixes(mixes, len(self.leverage))
        return np.asarray(np.moveaxis(checked @ self.intensity, 2, 0))

    def liquidation_map(
        self,
        weights: Sequence[float] | Float64Array1D,
        instant: int | None = None,
        *,
        groups: Sequence[float] = LEVERAGE_GROUPS,
    ) -> LiquidationMap:
        """Return the last snapshot known at `instant` (UTC nanoseconds, None for the last of all) as a map by price and group of leverage.

        weights: the leverage mix, shape (n_leverages,). groups: upper bounds of all groups but the last, ascending; empty groups
        are left out.
        Raises ConfigError where nothing was known yet, for weights that are not a mix, and for bounds that do not ascend.
        """
        mix = checked_mixes(np.asarray(weights, dtype=np.float64)[None], len(self.leverage))[0]
        row = self.timestamp.size - 1 if instant is None else self.row_at(instant)
        labels, group = leverage_groups(self.leverage, groups)
        amount = np.zeros((1, 2, len(labels), self.intensity.shape[3]))
        for k, at in enumerate(group):
            amount[0, :, at] += self.intensity[row, :, k] * mix[k]
        one = MapAxes(
            **self.axes
            | {name: getattr(self, name)[row : row + 1] for name in ("timestamp", "close", "explained_share")}
        )  # fmt: skip
        return LiquidationMap.of(one, amount, labels, None)

    def to_xarray(self) -> xr.DataArray:
        """Return a DataArray with dims (timestamp, side, leverage, price), in base; naive UTC times, as xarray wants them."""
        import xarray as xr

        return xr.DataArray(
            self.intensity,
            dims=("timestamp", "side", "leverage", "price"),
            coords={**self.coordinates(), "side": list(SIDES), "leverage": list(self.leverage)},
            name="liquidation_intensity_by_leverage",
            attrs={"units": "base", **self.origin()},
        )

    def __repr__(self) -> str:
        levels = ", ".join(f"{one:g}" for one in self.leverage)
        return (
            f"LeverageHeat({self.symbol}, {self.timestamp.size} snapshots {format_ns(self.timestamp[0])} to "
            f"{format_ns(self.timestamp[-1])}, {self.price_edges.size - 1} prices, leverage {levels})"
        )


def leverage_groups(leverage: Sequence[float], bounds: Sequence[float]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return labels of the groups that hold any of these leverages, such as `30x–50x`, and the group of each leverage.

    bounds: upper bounds, included, of all groups but the last. Raises ConfigError where they do not ascend.
    """
    if any(not b > a for a, b in zip((0.0, *bounds), bounds, strict=False)):
        raise ConfigError(f"groups: {tuple(bounds)} must be upper bounds of leverage that ascend, such as {LEVERAGE_GROUPS}")
    wanted = np.searchsorted(np.asarray(bounds, dtype=np.float64), leverage)
    present, group = np.unique(wanted, return_inverse=True)
    labels = []
    for one in present:
        inside = [value for value, at in zip(leverage, wanted, strict=True) if at == one]
        labels.append(f"{inside[0]:g}x" if len(inside) == 1 else f"{inside[0]:g}x–{inside[-1]:g}x")
    return tuple(labels), tuple(int(at) for at in group)

"""DepthAdjustedMap: what would be liquidated on the way to a price, against what rests in the order book on that way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from liqbt._time import format_ns
from liqbt._typing import LONG, SHORT, SIDES, BoolArray1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.heatmap.axes import MapAxes, outward
from liqbt.heatmap.heatmap import Heatmap
from liqbt.market import MarketFrame

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr

__all__ = ["Beyond", "DepthAdjustedMap", "depth_adjusted"]

Beyond = Literal["nothing", "average"]


@dataclass(frozen=True, kw_only=True, eq=False)
class DepthAdjustedMap(MapAxes):
    """Where a cascade would feed itself. Its axes are told by `MapAxes`; each snapshot is known when its heat was.

    liquidated: shape (n_times, 2, n_prices), quote: what is liquidated on the way from the last price to the far end of each bin,
    [:, 0] longs downwards, which sell into bids, [:, 1] shorts upwards, which buy from asks.
    depth: same shape, quote: what rests in the book on that way, as of the same instant; NaN where it is not known and on the other
    side of price.
    deepest: shape (n_times, 2), fraction of price, the farthest distance at which depth was recorded, NaN where none was. What lies
    beyond it in `depth` was not recorded but extrapolated.

    The book that rests now is not the book that a cascade would meet: orders are pulled and refilled. It compares places, no more.
    """

    liquidated: Float64Array3D
    depth: Float64Array3D
    deepest: Float64Array2D

    @property
    def ratio(self) -> Float64Array3D:
        """Liquidated notional over resting depth on the way there, shape (n_times, 2, n_prices); NaN where depth is not known.

        Above 1 the liquidations on the way outweigh all that rests on it: what is forced to trade needs no further seller (or buyer).
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.liquidated / self.depth
        return np.where((self.liquidated == 0) & (self.depth == 0), 0.0, ratio)

    @property
    def tipping_price(self) -> Float64Array2D:
        """Far end of the nearest bin whose ratio is above 1, shape (n_times, 2), quote; NaN where there is none."""
        above = self.ratio > 1
        longs = above[:, LONG].shape[1] - 1 - above[:, LONG, ::-1].argmax(axis=1)
        price = np.column_stack((self.price_edges[longs], self.price_edges[above[:, SHORT].argmax(axis=1) + 1]))
        return np.where(above.any(axis=2), price, np.nan)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a snapshot, indexed by time: close, and of each side `tipping_price_long` and `deepest_long`, or `_short`."""
        columns = {"close": self.close}
        columns |= {f"tipping_price_{side}": self.tipping_price[:, at] for at, side in enumerate(SIDES)}
        columns |= {f"deepest_{side}": self.deepest[:, at] for at, side in enumerate(SIDES)}
        return pd.DataFrame(columns, index=self.index)

    def to_xarray(self) -> xr.Dataset:
        """Return a Dataset of ratio, liquidated and depth with dims (timestamp, side, price), and deepest with (timestamp, side)."""
        import xarray as xr

        dims = ("timestamp", "side", "price")
        return xr.Dataset(
            {
                "ratio": (dims, self.ratio, {"units": "1"}),
                "liquidated": (dims, self.liquidated, {"units": "quote"}),
                "depth": (dims, self.depth, {"units": "quote"}),
                "deepest": (dims[:2], self.deepest, {"units": "fraction of price"}),
            },
            coords={**self.coordinates(), "side": list(SIDES)},
            attrs=self.origin(),
        )

    def figure(self) -> go.Figure:
        """Return an interactive figure of the ratio under the last prices; cells are the greatest of those that they cover."""
        from liqbt.heatmap.figures import depth_figure

        return depth_figure(self)

    def __repr__(self) -> str:
        known = int(np.isfinite(self.deepest).all(axis=1).sum())
        return (
            f"DepthAdjustedMap({self.symbol}, {self.timestamp.size} snapshots {format_ns(self.timestamp[0])} to "
            f"{format_ns(self.timestamp[-1])}, depth known in {known}, beyond 1 in {int((self.ratio > 1).any(axis=(1, 2)).sum())})"
        )


def depth_adjusted(heat: Heatmap, market: MarketFrame, *, beyond: Beyond = "nothing") -> DepthAdjustedMap:
    """Hold the liquidations on the way to each price against the order book on that way, snapshot by snapshot.

    market: has the recorded depth. A snapshot takes the book of the newest bar closed by then, where that bar is not older than one bar;
    `MarketFrame` says how old its book may be. Depth is cumulative notional by distance from mid, for which the last price stands; between
    recorded distances, and from 0 to the first, it is interpolated linearly.
    beyond: behind the deepest recorded distance, `nothing` is known (NaN), or the `average` notional per distance from mid to there goes
    on. Books thin out or thicken farther away, so the second is a guess.

    Raises ConfigError where the market has no depth, or for another `beyond`.
    """
    if beyond not in ("nothing", "average"):
        raise ConfigError(f"beyond: {beyond!r} is neither 'nothing' nor 'average'")
    if market.depth_distance is None or market.depth_bid is None or market.depth_ask is None:
        raise ConfigError(
            f"market: no order book was recorded for {market.symbol}; import files with depth for it (Binance bookDepth, "
            "Hyperliquid l2, Tardis book snapshots) and load the market with depth=True"
        )
    bar, known = _bars_of(heat.timestamp, market)
    rows, bins = heat.timestamp.size, heat.price.size
    far_end = np.vstack((heat.price_edges[:-1], heat.price_edges[1:]))
    depth = np.full((rows, 2, bins), np.nan)
    deepest = np.full((rows, 2), np.nan)
    for row in np.flatnonzero(known):
        for side, book in ((LONG, market.depth_bid[bar[row]]), (SHORT, market.depth_ask[bar[row]])):
            recorded = np.isfinite(book) & (market.depth_distance > 0)
            if not recorded.any():
                continue
            at = np.append(0.0, market.depth_distance[recorded])
            held = np.maximum.accumulate(np.append(0.0, book[recorded]))
            away = (far_end[side] / heat.close[row] - 1) * (-1 if side == LONG else 1)
            resting = np.interp(away, at, held, left=np.nan, right=np.nan)
            if beyond == "average":
                resting = np.where(away > at[-1], held[-1] / at[-1] * away, resting)
            depth[row, side] = np.where(away > 0, resting, np.nan)
            deepest[row, side] = at[-1]
    return DepthAdjustedMap(**heat.axes, liquidated=outward(heat.notional()), depth=depth, deepest=deepest)


def _bars_of(timestamp: IntArray1D, market: MarketFrame) -> tuple[IntArray1D, BoolArray1D]:
    """Return the newest bar closed at each instant, and whether there is one and it closed at most a bar before."""
    close = market.timestamp + market.interval_ns
    bar = np.searchsorted(close, timestamp, side="right") - 1
    return bar, (bar >= 0) & (timestamp - close[bar] <= market.interval_ns)

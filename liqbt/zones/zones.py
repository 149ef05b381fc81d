"""Hot zones: the stretches of price where a map holds most of what would be liquidated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from liqbt._time import to_index
from liqbt._typing import LONG, SIDES, BoolArray1D, Float64Array1D, IntArray1D
from liqbt.heatmap import Heatmap
from liqbt.heatmap.axes import side_windows
from liqbt.market import MarketFrame
from liqbt.volatility import VOLATILITY_DAYS, volatility_at
from liqbt.zones._kernels import scan_row
from liqbt.zones.params import ZoneParams, smoothing_bins

__all__ = ["Zones", "find_zones"]

_MEASURED: Final = ("low", "high", "peak", "amount", "notional", "share", "prominence", "distance")


@dataclass(frozen=True, kw_only=True, eq=False)
class Zones:
    """Hot zones of all snapshots of a map, in the order of time, side and price. All arrays but `snapshots` have shape (n_zones,).

    timestamp: UTC nanoseconds, when the zone was known. side: 0 long, 1 short (index of `SIDES`).
    low, high: bounds, quote. peak: hottest price, quote. amount: base. notional: quote, each bin at its own price.
    share: of the side's heat within reach, 0 to 1.
    prominence: topographic prominence of its smoothed heat over its height, 0 to 1: how far heat falls before it rises to a hotter zone.
    1 for the hottest of its side; near 0 for a shoulder.
    distance: from the last price to the zone's near edge, as a fraction of price; 0 where price is inside.
    distance_sigma: log distance to the near edge over the volatility of log price in a day, as known then; NaN where that is not known.
    snapshots: shape (n_snapshots,), UTC nanoseconds, all snapshots that were looked at, also those without zones.
    """

    timestamp: IntArray1D
    side: IntArray1D
    low: Float64Array1D
    high: Float64Array1D
    peak: Float64Array1D
    amount: Float64Array1D
    notional: Float64Array1D
    share: Float64Array1D
    prominence: Float64Array1D
    distance: Float64Array1D
    distance_sigma: Float64Array1D
    snapshots: IntArray1D

    def __len__(self) -> int:
        return int(self.timestamp.size)

    @property
    def distance_bps(self) -> Float64Array1D:
        """Distance in basis points of the last price, shape (n_zones,)."""
        return self.distance * 1e4

    def where(self, kept: BoolArray1D) -> Zones:
        """Return the zones for which `kept`, shape (n_zones,), is true, with all snapshots."""
        return Zones(**{name: value if name == "snapshots" else value[kept] for name, value in vars(self).items()})

    def to_frame(self) -> pd.DataFrame:
        """Return one row a zone, with `side` as text and UTC times."""
        columns = {"timestamp": to_index(self.timestamp), "side": np.array(SIDES)[self.side]}
        columns |= {name: getattr(self, name) for name in (*_MEASURED, "distance_bps", "distance_sigma")}
        return pd.DataFrame(columns)


def find_zones(
    heat: Heatmap, params: ZoneParams | None = None, *, market: MarketFrame | None = None, volatility_days: float = VOLATILITY_DAYS
) -> Zones:
    """Return the hot zones of each snapshot: of longs below the last price and of shorts above it, within reach.

    market: gives the volatility for `distance_sigma`, as known at each snapshot; without it that is NaN. volatility_days: its half-life.
    Everything said of a zone was known at its snapshot.

    Raises ConfigError for a down-sampled map.
    """
    params = params or ZoneParams()
    half = smoothing_bins(params, heat.bin_width)
    windows, price = side_windows(heat, params.reach), heat.price
    counts = np.zeros(heat.timestamp.size, dtype=np.int64)
    sides: list[IntArray1D] = []
    found: list[Float64Array1D] = []
    side = np.empty(2 * price.size + 2, dtype=np.int64)
    values = np.empty((side.size, len(_MEASURED)))
    for row in range(heat.timestamp.size):
        counts[row] = scan_row(
            np.ascontiguousarray(heat.intensity[row]), price, heat.price_edges, windows[row], float(heat.close[row]), half,
            params.threshold, params.min_share, side, values,
        )  # fmt: skip
        sides.append(side[: counts[row]].copy())
        found.append(values[: counts[row]].copy())
    table = np.concatenate(found) if found else np.empty((0, len(_MEASURED)))
    which = np.concatenate(sides) if sides else np.empty(0, dtype=np.int64)
    columns = {name: np.ascontiguousarray(table[:, i]) for i, name in enumerate(_MEASURED)}
    close = np.repeat(heat.close, counts)
    near_edge = np.where(which == LONG, np.minimum(columns["high"], close), np.maximum(columns["low"], close))
    sigma = np.full(close.size, np.nan) if market is None else np.repeat(volatility_at(market, heat.timestamp, volatility_days), counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance_sigma = np.where(sigma > 0, np.abs(np.log(near_edge / close)) / sigma, np.nan)
    return Zones(
        timestamp=np.repeat(heat.timestamp, counts), side=which, **columns, distance_sigma=distance_sigma, snapshots=heat.timestamp.copy()
    )

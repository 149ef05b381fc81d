"""Hot zones: the stretches of price where a map holds most of what would be liquidated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from liqbt._jit import kernel
from liqbt._time import to_index
from liqbt._typing import LONG, SHORT, SIDES, Float64Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.heatmap import Heatmap

__all__ = ["ZoneParams", "Zones", "find_zones", "hot_runs"]

MAX_REACH: Final = 0.25  # the book's price grid reaches at least this far beyond every traded price


@dataclass(frozen=True, kw_only=True)
class ZoneParams:
    """What counts as a hot zone. All defaults are conventions, fitted to nothing; test others before trusting any.

    threshold: smoothed heat of at least this share of the hottest smoothed bin on the same side within reach.
    smooth_bps: half-width, in basis points, of the moving average over price. min_share: smallest share, 0 to 1, of the
    side's heat within reach that a zone holds. reach: distance from price, as a fraction of it, beyond which nothing counts.
    """

    threshold: float = 0.5
    smooth_bps: float = 15.0
    min_share: float = 0.05
    reach: float = 0.12

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold: {self.threshold!r} must be a share above 0 and at most 1")
        if not 0 <= self.smooth_bps <= 1000:
            raise ConfigError(f"smooth_bps: {self.smooth_bps!r} must be between 0 and 1000 basis points")
        if not 0 <= self.min_share < 1:
            raise ConfigError(f"min_share: {self.min_share!r} must be a share of at least 0 and below 1")
        if not 0 < self.reach <= MAX_REACH:
            raise ConfigError(f"reach: {self.reach!r} must be a fraction of price above 0 and at most {MAX_REACH}")


_ZONE: Final = np.dtype(
    [("timestamp", "i8"), ("side", "i8")] + [(name, "f8") for name in ("low", "high", "peak", "amount", "share", "distance")]
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Zones:
    """Hot zones of all snapshots of a map, in the order of time, side and price. All arrays have shape (n_zones,).

    timestamp: UTC nanoseconds, when the zone was known. side: 0 long, 1 short (index of `SIDES`).
    low, high: bounds, quote. peak: hottest price, quote. amount: base. share: of the side's heat within reach, 0 to 1.
    distance: from the last price to the zone's near edge, as a fraction of price; 0 where price is inside.
    """

    timestamp: IntArray1D
    side: IntArray1D
    low: Float64Array1D
    high: Float64Array1D
    peak: Float64Array1D
    amount: Float64Array1D
    share: Float64Array1D
    distance: Float64Array1D

    def __len__(self) -> int:
        return int(self.timestamp.size)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a zone, with `side` as text and UTC times."""
        names = ("low", "high", "peak", "amount", "share", "distance")
        columns = {"timestamp": to_index(self.timestamp), "side": np.array(SIDES)[self.side]}
        return pd.DataFrame({**columns, **{name: getattr(self, name) for name in names}})


@kernel
def hot_runs(heat: Float64Array1D, half: int, threshold: float, first: IntArray1D, last: IntArray1D) -> int:
    """Write the bounds of the runs of bins whose smoothed heat is at least `threshold` times the highest; return their number.

    heat: shape (n_bins,). half: bins on each side in the moving average, which takes bins beyond the ends as empty.
    first, last: shape (n_bins,), filled with the inclusive bounds of each run.
    """
    n = heat.size
    smooth = np.zeros(n)
    top = 0.0
    for j in range(n):
        total = 0.0
        for i in range(max(0, j - half), min(n, j + half + 1)):
            total += heat[i]
        smooth[j] = total
        top = max(top, total)
    if top <= 0.0:
        return 0
    count = 0
    inside = False
    for j in range(n):
        hot = smooth[j] >= threshold * top
        if hot and not inside:
            first[count] = j
        if inside and not hot:
            last[count] = j - 1
            count += 1
        inside = hot
    if inside:
        last[count] = n - 1
        count += 1
    return count


def find_zones(heat: Heatmap, params: ZoneParams | None = None) -> Zones:
    """Return the hot zones of each snapshot: of longs below the last price and of shorts above it, within reach."""
    params = params or ZoneParams()
    half = smoothing_bins(params, math.log(heat.price_edges[1] / heat.price_edges[0]))
    n = heat.price_edges.size - 1
    first, last = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    found: list[tuple[int, int, float, float, float, float, float, float]] = []
    for row, (stamp, close) in enumerate(zip(heat.timestamp, heat.close, strict=True)):
        here = int(np.searchsorted(heat.price_edges, close, side="right")) - 1
        bounds = np.searchsorted(heat.price_edges, (close * (1 - params.reach), close * (1 + params.reach)))
        for side, window in ((LONG, slice(int(bounds[0]), here + 1)), (SHORT, slice(max(0, here), int(bounds[1])))):
            cells = heat.intensity[row, side, window]
            total = cells.sum()
            for i in range(hot_runs(cells, half, params.threshold, first, last) if cells.size else 0):
                run = slice(window.start + int(first[i]), window.start + int(last[i]) + 1)
                amount = float(heat.intensity[row, side, run].sum())
                if amount < params.min_share * total:
                    continue
                low, high = float(heat.price_edges[run.start]), float(heat.price_edges[run.stop])
                peak = float(heat.price[run.start + int(heat.intensity[row, side, run].argmax())])
                gap = (close - high if side == LONG else low - close) / close
                found.append((int(stamp), side, low, high, peak, amount, amount / total, max(0.0, float(gap))))
    table = np.array(found, dtype=_ZONE)
    return Zones(**{name: np.ascontiguousarray(table[name]) for name in _ZONE.names or ()})


def smoothing_bins(params: ZoneParams, width: float) -> int:
    """Return the half-width of the moving average in bins of `width` log price."""
    return round(params.smooth_bps * 1e-4 / width)

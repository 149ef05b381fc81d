"""Per-bar features of the map, known at each bar's close."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D, Progress
from liqbt.book.reconstruct import Reconstruction
from liqbt.errors import ConfigError
from liqbt.volatility import VOLATILITY_DAYS, daily_volatility
from liqbt.zones import ZoneParams, hot_runs, smoothing_bins

__all__ = ["FEATURES", "FeatureParams", "build_features"]

FEATURES: Final = (
    "sigma_day", "explained_share", "dominance",
    "heat_above", "above_near", "above_peak", "above_far", "above_amount", "above_share", "above_swept",
    "heat_below", "below_near", "below_peak", "below_far", "below_amount", "below_share", "below_swept",
)  # fmt: skip
"""Columns of `build_features`."""

_SIDE_COLUMNS: Final = 7  # heat, near, peak, far, amount, share, swept


@dataclass(frozen=True, kw_only=True)
class FeatureParams:
    """How features read the map. Conventions, fitted to nothing.

    zones: what a hot zone is. discount_days: heat at a distance of d counts exp(-d / s), with s the volatility of this many
    days. volatility_days: half-life of the exponentially weighted volatility. min_explained_share: share of open interest
    whose entry must have been seen before the map says anything; until then its columns are NaN.
    """

    zones: ZoneParams = field(default_factory=ZoneParams)
    discount_days: float = 1.0
    volatility_days: float = VOLATILITY_DAYS
    min_explained_share: float = 0.5

    def __post_init__(self) -> None:
        for name in ("discount_days", "volatility_days"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 < value <= 1000):
                raise ConfigError(f"{name}: {value!r} must be above 0 and at most 1000 days")
        if not 0 <= self.min_explained_share < 1:
            raise ConfigError(f"min_explained_share: {self.min_explained_share!r} must be a share of at least 0 and below 1")


def build_features(book: Reconstruction, params: FeatureParams | None = None, *, progress: Progress | None = None) -> pd.DataFrame:
    """Return one row a bar, indexed by bar open, with what is known at that bar's close; columns are `FEATURES`.

    sigma_day: volatility of log price over a day. explained_share: see Reconstruction.
    heat_above, heat_below: liquidations of shorts above and of longs below price within reach, discounted by distance, base.
    dominance: heat_above / (heat_above + heat_below), 0 to 1.
    above_*, below_*: the hot zone with the most discounted heat on that side: near, peak and far price (quote), amount
    (base), share of the side's heat within reach; `swept`: share of the zone that stood there at the previous close which
    this bar's range reached. NaN where there is no zone.
    """
    params = params or FeatureParams()
    market, grid = book.market, book.grid
    explained = book.explained_share
    sigma = daily_volatility(market, params.volatility_days)
    half_window = math.ceil(-math.log1p(-params.zones.reach) / grid.width)
    reach_up = math.ceil(math.log1p(params.zones.reach) / grid.width)  # the same fraction is fewer bins upwards
    first_bin = grid.bin_of(market.close) - half_window
    out = np.full((market.n_bars, 2, _SIDE_COLUMNS), np.nan)
    previous = np.zeros((2, 2 * half_window))
    zone = np.full((2, 2), -1, dtype=np.int64)
    usable = (explained >= params.min_explained_share) & (sigma > 0)
    scale = params.discount_days**0.5 * np.where(usable, sigma, np.nan)
    hits = np.column_stack(
        (np.ceil(np.log(market.trigger_low) / grid.width - 0.5), np.floor(np.log(market.trigger_high) / grid.width - 0.5))
    ).astype(np.int64) - grid.origin  # fmt: skip
    done = 0
    for heat in book.snapshots(first_bin, 2 * half_window, progress):
        _features(
            done, heat, first_bin, hits, scale, grid.width, grid.edges, reach_up, smoothing_bins(params.zones, grid.width),
            params.zones.threshold, params.zones.min_share, previous, zone, out,
        )  # fmt: skip
        done += heat.shape[0]
    above, below = out[:, 1], out[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        dominance = above[:, 0] / (above[:, 0] + below[:, 0])
    columns = (sigma, explained, dominance, *above.T, *below.T)
    return pd.DataFrame(dict(zip(FEATURES, columns, strict=True)), index=market.index)


@kernel
def _features(
    start: int,
    heat: Float64Array3D,
    first_bin: IntArray1D,
    hits: IntArray1D,
    scale: Float64Array1D,
    width: float,
    edges: Float64Array1D,
    reach_up: int,
    half: int,
    threshold: float,
    min_share: float,
    previous: Float64Array2D,
    zone: IntArray1D,
    out: Float64Array3D,
) -> None:
    """Fill `out` for the bars start..start + heat.shape[0].

    heat: shape (n_rows, 2, n_window), windows of the book with the close's bin in the middle. hits: shape (n_bars, 2),
    lowest long bin and highest short bin that the bar reached. scale: shape (n_bars,), log distance at which heat counts
    1 / e, NaN where the map may not be used yet. State: previous (2, n_window), the last bar's window; zone (2, 2), first
    and last absolute bin of its zones, -1 for none.
    """
    n_window = heat.shape[2]
    middle = n_window // 2
    first, last = np.empty(n_window, np.int64), np.empty(n_window, np.int64)
    discount = np.ones(middle + 1)  # by distance in bins
    for i in range(heat.shape[0]):
        t = start + i
        nearer = math.exp(-width / scale[t])
        for d in range(1, middle + 1):
            discount[d] = discount[d - 1] * nearer
        for side in range(2):
            if zone[side, 0] >= 0:  # of the previous bar, so t is at least 1
                whole, eaten = 0.0, 0.0
                for j in range(zone[side, 0], zone[side, 1] + 1):
                    mass = previous[side, j - first_bin[t - 1]]
                    whole += mass
                    if (side == 0 and j >= hits[t, 0]) or (side == 1 and j <= hits[t, 1]):
                        eaten += mass
                out[t, side, 6] = eaten / whole
            zone[side, 0] = -1
            for j in range(n_window):
                previous[side, j] = heat[i, side, j]
            if np.isnan(scale[t]):
                continue
            lo, hi = (0, middle + 1) if side == 0 else (middle, middle + reach_up)
            cells = heat[i, side, lo:hi]
            total, discounted = 0.0, 0.0
            for j in range(lo, hi):
                total += heat[i, side, j]
                discounted += heat[i, side, j] * discount[abs(j - middle)]
            out[t, side, 0] = discounted
            best = 0.0
            for run in range(hot_runs(cells, half, threshold, first, last)):
                amount, weighted, peak = 0.0, 0.0, lo + first[run]
                for j in range(lo + first[run], lo + last[run] + 1):
                    mass = heat[i, side, j]
                    amount += mass
                    weighted += mass * discount[abs(j - middle)]
                    if mass > heat[i, side, peak]:
                        peak = j
                if weighted <= best or amount < min_share * total:
                    continue
                best = weighted
                zone[side, 0] = first_bin[t] + lo + first[run]
                zone[side, 1] = first_bin[t] + lo + last[run]
                lower, upper = edges[zone[side, 0]], edges[zone[side, 1] + 1]
                out[t, side, 1] = upper if side == 0 else lower
                out[t, side, 2] = math.sqrt(edges[first_bin[t] + peak] * edges[first_bin[t] + peak + 1])
                out[t, side, 3] = lower if side == 0 else upper
                out[t, side, 4] = amount
                out[t, side, 5] = amount / total

"""Zones that price has eaten of late: where they stood, and how far price went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame

__all__ = ["SweptZones", "swept_zones"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SweptZones:
    """What was eaten of the zones on one side of price within the last bars; arrays of shape (n_bars,), NaN where too little was.

    Row t is known at that bar's close.
    near, far: quote, the edges of the zone as it stood before the first bite; near is towards price.
    extreme: quote, the lowest traded price since the first bite for zones below price, the highest for zones above.
    """

    near: Float64Array1D
    far: Float64Array1D
    extreme: Float64Array1D


def swept_zones(market: MarketFrame, features: pd.DataFrame, side: Literal["below", "above"], *, min_swept: float, bars: int) -> SweptZones:
    """Return the zones on one side of price of which at least `min_swept` was eaten within the last `bars` bars, this one included.

    features: as `build_features` gives them. What several bars eat compounds: 40 % and then half of the rest are 70 %. Whether it was
    the same zone each time, the hottest of that side, is not asked.

    Raises ConfigError for a side that is neither `below` nor `above`, a share that is not above 0 and at most 1, fewer bars than 1, and
    features of another number of bars than the market's.
    """
    if side not in ("below", "above"):
        raise ConfigError(f"swept_zones: side {side!r} must be 'below' or 'above'")
    if not 0 < min_swept <= 1:
        raise ConfigError(f"swept_zones: min_swept {min_swept!r} must be a share above 0 and at most 1")
    if not bars >= 1:
        raise ConfigError(f"swept_zones: bars {bars!r} must be at least 1")
    if len(features) != market.n_bars:
        raise ConfigError(f"swept_zones: {len(features)} rows of features for {market.n_bars} bars; build features from the same market")
    sign = 1.0 if side == "below" else -1.0  # zones above price are zones below it, upside down
    swept, near, far = (features[f"{side}_{name}"].to_numpy(np.float64) for name in ("swept", "near", "far"))
    bites = np.flatnonzero(swept[1:] > 0) + 1
    out = np.full((3, market.n_bars), np.nan)
    _eaten(bites, 1.0 - swept, sign * near, sign * far, sign * (market.low if side == "below" else market.high), 1.0 - min_swept, bars, out)
    near, far, extreme = sign * out
    return SweptZones(near=near, far=far, extreme=extreme)


@kernel
def _eaten(
    bites: IntArray1D,
    left: Float64Array1D,
    near: Float64Array1D,
    far: Float64Array1D,
    low: Float64Array1D,
    most_left: float,
    window: int,
    out: Float64Array2D,
) -> None:
    """Fill `out`, shape (3, n_bars), with near edge, far edge and extreme where at most `most_left` of zones below price is left.

    bites: shape (n_bites,), bars in which something was eaten, ascending, none of them the first. left: shape (n_bars,), share that each
    bar left of the zone. near, far: quote, at each bar's close. low: quote.
    """
    oldest, newest = 0, 0  # the bites of the window are oldest..newest - 1
    rest, extreme = 1.0, np.inf
    for t in range(low.size):
        gone = oldest
        while oldest < newest and bites[oldest] <= t - window:
            oldest += 1
        if oldest > gone:  # what the window has lost cannot be taken back: begin again
            rest, extreme = 1.0, np.inf
            for i in range(oldest, newest):
                rest *= left[bites[i]]
            if oldest < newest:
                extreme = low[bites[oldest] : t].min()
        if newest < bites.size and bites[newest] == t:
            rest *= left[t]
            newest += 1
        if oldest == newest:
            continue
        extreme = min(extreme, low[t])
        if rest <= most_left:
            before = bites[oldest] - 1
            out[0, t], out[1, t], out[2, t] = near[before], far[before], extreme

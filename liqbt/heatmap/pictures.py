"""What pictures of all maps share: which cells are shown, and in how many bars and colours."""

from __future__ import annotations

from typing import Final

import numpy as np

from liqbt._typing import LONG, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.heatmap.axes import MapAxes
from liqbt.heatmap.heatmap import Heatmap
from liqbt.heatmap.liquidation_map import LiquidationMap

__all__ = ["GROUP_COLOURS", "RATIO_COLOURS", "RATIO_RANGE", "bars_of", "coarse", "columns", "curve", "log_ratio"]

GROUP_COLOURS: Final = ("#5b6ee1", "#3fb6c6", "#f2c14e", "#ef7b45", "#d64d8a", "#9b6bd6")
"""Of groups of leverage, lowest first."""
RATIO_RANGE: Final = (-2.0, 1.0)
"""Decimal logarithms between which colours of a depth-adjusted map differ: 1 % to ten times the resting depth."""
RATIO_COLOURS: Final = (
    (0.0, "#14091f"),
    (0.4, "#2b2159"),
    (2 / 3 - 1e-6, "#5a4fa3"),
    (2 / 3, "#e0533d"),
    (0.85, "#ff9f45"),
    (1.0, "#fff3b0"),
)
"""Of `log_ratio`; they break where the ratio is 1."""

_BARS: Final = 160
_NOTHING: Final = -np.inf
_ALONE_NS: Final = 3_600_000_000_000  # how wide a single snapshot is drawn


def coarse(axes: MapAxes, values: Float64Array3D, cells: tuple[int, int], margin: float) -> tuple[MapAxes, Float64Array2D]:
    """Return at most `cells` = (n_times, n_prices) of a map, near the prices that it went through, each the maximum of what it covers.

    values: shape (n_times, 2, n_prices), NaN where nothing is known; the greater of both sides is shown. margin: share of price shown
    beyond the last prices. The second has shape (n_prices, n_times), as pictures want it.
    """
    low = max(float(axes.close.min()) * (1 - margin), float(axes.price_edges[0]))
    high = min(float(axes.close.max()) * (1 + margin), float(axes.price_edges[-1]))
    filled = Heatmap(**axes.axes, intensity=np.where(np.isnan(values), _NOTHING, values))
    small = filled.between(low, high).downsample(*cells)
    shown = small.intensity.max(axis=1)
    return MapAxes(**small.axes), np.where(shown == _NOTHING, np.nan, shown).T


def columns(axes: MapAxes) -> IntArray1D:
    """Return when each column of a picture begins, and when the last one ends, UTC nanoseconds, shape (n_times + 1,)."""
    usual = int(np.median(np.diff(axes.timestamp))) if axes.timestamp.size > 1 else _ALONE_NS
    return np.append(axes.timestamp, axes.timestamp[-1] + usual)


def log_ratio(ratio: Float64Array3D) -> Float64Array3D:
    """Return decimal logarithms within `RATIO_RANGE`, NaN where nothing is known."""
    with np.errstate(divide="ignore"):
        return np.clip(np.log10(ratio), *RATIO_RANGE)


def bars_of(levels: LiquidationMap, reach: float) -> LiquidationMap:
    """Return what lies within `reach` of the last price, a fraction of it, in as many bars as an eye can tell apart; they add up."""
    return levels.between(levels.close * (1 - reach), levels.close * (1 + reach)).merged(_BARS)


def curve(levels: LiquidationMap, side: int) -> tuple[Float64Array1D, Float64Array1D]:
    """Return prices and cumulative notional of one side's curve, from the last price outwards, each of shape (n_points,)."""
    far_end = levels.price_edges[:-1] if side == LONG else levels.price_edges[1:]
    away = far_end < levels.close if side == LONG else far_end > levels.close
    price, total = far_end[away], levels.cumulative()[side, away]
    if side == LONG:
        price, total = price[::-1], total[::-1]
    return np.append(levels.close, price), np.append(0.0, total)

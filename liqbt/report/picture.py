"""What both pictures of a map share: which prices are shown, in how many cells, and on which axis."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.heatmap import Heatmap
from liqbt.market import MarketFrame

__all__ = ["COLOUR_LABEL", "column_edges", "full_colour", "log_ticks", "notional_picture", "visible", "wants_log_axis"]

COLOUR_LABEL: Final = "relative liquidation intensity"
_MARGIN: Final = 0.12  # of the traded range of log price, shown above and below it
_LOG_RANGE: Final = 3.0  # prices that range over more than this are drawn on a log axis


def visible(heat: Heatmap, market: MarketFrame) -> Heatmap:
    """Return the prices of the map that were traded, and some more on each side."""
    low, high = float(market.low.min()), float(market.high.max())
    margin = max((high / low) ** _MARGIN, 1.01)
    return heat.between(max(low / margin, float(heat.price_edges[0])), min(high * margin, float(heat.price_edges[-1])))


def column_edges(heat: Heatmap, market: MarketFrame) -> IntArray1D:
    """Return when each column begins, and when the last one ends, UTC nanoseconds, shape (n_times + 1,)."""
    usual = int(np.median(np.diff(heat.timestamp))) if heat.timestamp.size > 1 else market.interval_ns
    end = max(int(market.timestamp[-1]) + market.interval_ns, int(heat.timestamp[-1]) + usual)
    return np.append(heat.timestamp, end)


def notional_picture(heat: Heatmap) -> Float64Array2D:
    """Return both sides of the map in quote, shape (n_prices, n_times), as pictures want it."""
    return np.asarray(heat.notional().sum(axis=1).T)


def full_colour(picture: Float64Array2D) -> float:
    """Return the value at which a picture's colour is full: its 99.7th percentile, for a few cells would darken the rest."""
    positive = picture[picture > 0]
    return float(np.quantile(positive, 0.997)) if positive.size else 1.0


def log_ticks(low: float, high: float) -> list[float]:
    """Return the prices 1, 2, 3, 5 and 7 times a power of ten between two prices, for a logarithmic axis."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [float(f"{digit}e{exponent}") for exponent in exponents for digit in (1, 2, 3, 5, 7) if low <= digit * 10.0**exponent <= high]


def wants_log_axis(price_edges: Float64Array1D) -> bool:
    """Return whether prices range so far that equal moves would not look equal on a linear axis."""
    return bool(price_edges[-1] > _LOG_RANGE * price_edges[0])

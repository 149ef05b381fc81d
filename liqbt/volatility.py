"""How much price moves in a day, as known at each bar's close."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd

from liqbt._time import DAY_NS
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame

__all__ = ["VOLATILITY_DAYS", "daily_volatility", "volatility_at"]

VOLATILITY_DAYS: Final = 2.0
"""Half-life of the volatility in days: a convention, fitted to nothing."""


def daily_volatility(market: MarketFrame, half_life_days: float) -> Float64Array1D:
    """Return the volatility of log price over a day at each bar's close, shape (n_bars,), NaN for the first day.

    Exponentially weighted mean of squared log returns between bars that were recorded and follow each other, scaled by the
    number of bars in a day. Markets of daily or longer bars need two returns.
    """
    bars_a_day = DAY_NS / market.interval_ns
    follows = market.observed & np.append(False, market.observed[:-1])
    returns = pd.Series(np.log(market.close)).diff().where(follows)
    variance = (returns**2).ewm(halflife=half_life_days * bars_a_day, min_periods=max(2, math.ceil(bars_a_day))).mean()
    return np.sqrt(variance.to_numpy() * bars_a_day)


def volatility_at(market: MarketFrame, timestamp: IntArray1D, half_life_days: float = VOLATILITY_DAYS) -> Float64Array1D:
    """Return the volatility of log price over a day as known at each instant, UTC nanoseconds: that of the newest bar closed by then.

    NaN before the first close and where `daily_volatility` is NaN. Raises ConfigError for a half-life that is not above 0.
    """
    if not (math.isfinite(half_life_days) and half_life_days > 0):
        raise ConfigError(f"volatility_days: {half_life_days!r} must be above 0")
    bar = np.searchsorted(market.timestamp + market.interval_ns, timestamp, side="right") - 1
    return np.where(bar >= 0, daily_volatility(market, half_life_days)[np.maximum(bar, 0)], np.nan)

"""What every hypothesis looks at: the market, the features of its map, and the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from liqbt._time import DAY_NS, format_ns
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame

__all__ = ["Context"]

HOUR_NS = DAY_NS // 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """A market with the features of its map, row t of both known at the close of bar t.

    features: as `build_features` gives them. first_bar: bars before it make no events, for they tuned what is evaluated.

    Raises ConfigError where features are not of this market's bars, or the map never explained enough open interest to say anything.
    """

    market: MarketFrame
    features: pd.DataFrame
    first_bar: int = 0

    def __post_init__(self) -> None:
        if len(self.features) != self.market.n_bars or not self.features.index.equals(self.market.index):
            raise ConfigError("features: they are not of this market's bars; make them with build_features from a book of this market")
        if self.features["dominance"].isna().all():
            best = self.features["explained_share"].max()
            raise ConfigError(
                f"features: the map says nothing in any bar from {self.market.span[0]} to {self.market.span[1]}; the entries of at most "
                f"{best:.0%} of open interest were seen; evaluate a longer span, or lower min_explained_share"
            )

    @cached_property
    def open(self) -> Float64Array1D:
        """Price at which what was decided at the close before can first be done: the open, shape (n_bars,), quote."""
        return self.market.open

    @cached_property
    def sigma(self) -> Float64Array1D:
        """Volatility of log price in a day, as known at each close, shape (n_bars,), NaN where it is not known."""
        return self.features["sigma_day"].to_numpy(dtype=np.float64)

    @cached_property
    def day(self) -> IntArray1D:
        """Days since the epoch, UTC, of each bar's close, shape (n_bars,)."""
        return (self.market.timestamp + self.market.interval_ns) // DAY_NS

    @cached_property
    def hour(self) -> IntArray1D:
        """Hour of the day, UTC, of each bar's close, shape (n_bars,)."""
        return (self.market.timestamp + self.market.interval_ns) % DAY_NS // HOUR_NS

    def bars(self, hours: float) -> int:
        """Return how many bars `hours` are, at least one; raises ConfigError where a bar is longer."""
        count = round(hours * HOUR_NS / self.market.interval_ns)
        if count < 1:
            raise ConfigError(f"hours: {hours!r} is less than a bar of {self.market.interval}; use a longer horizon or shorter bars")
        return count

    def feature(self, name: str) -> Float64Array1D:
        """Return a column of the features as an array of shape (n_bars,)."""
        return self.features[name].to_numpy(dtype=np.float64)

    def move(self, hours: float) -> Float64Array1D:
        """Return the move of log price over the last `hours`, in daily volatilities known at its end, shape (n_bars,), NaN at the start."""
        lag = self.bars(hours)
        log_close = np.log(self.market.close)
        moved = np.full(log_close.size, np.nan)
        moved[lag:] = (log_close[lag:] - log_close[:-lag]) / self.sigma[lag:]
        return moved

    def spaced(self, wanted: IntArray1D, spacing: int) -> IntArray1D:
        """Return those of the ascending bars `wanted` that lie at least `spacing` bars after the one kept before."""
        kept, earliest = [], -1
        for bar in wanted:
            if bar >= earliest:
                kept.append(bar)
                earliest = bar + spacing
        return np.array(kept, dtype=np.int64)

    def when(self, bar: int) -> str:
        """Return the close of a bar as UTC text."""
        return format_ns(int(self.market.timestamp[bar]) + self.market.interval_ns)

"""Gravity: price is said to be drawn to the hottest liquidation zone. Trade towards it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.signals import Signals


@dataclass(frozen=True, kw_only=True)
class Gravity:
    """Enter towards the hot zone when one side of the map outweighs the other; leave where the zone begins.

    The defaults are round numbers, fitted to nothing.

    threshold: share of the discounted heat, 0.5 to 1, that must lie on one side of price.
    min_distance, max_distance: distance to the zone's near edge, in daily volatilities, within which the trade is taken.
    stop_multiple: distance of the stop in multiples of the distance to the target.
    max_hours: close after this time if neither was reached.
    """

    threshold: float = 0.6
    min_distance: float = 0.2
    max_distance: float = 1.5
    stop_multiple: float = 1.0
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        if not 0.5 <= self.threshold < 1:
            raise ConfigError(f"gravity: threshold {self.threshold!r} must be at least 0.5 and below 1")
        if not 0 <= self.min_distance < self.max_distance:
            raise ConfigError(
                f"gravity: min_distance {self.min_distance!r} must be at least 0 and below max_distance {self.max_distance!r}"
            )
        if not 0 < self.stop_multiple <= 100:
            raise ConfigError(f"gravity: stop_multiple {self.stop_multiple!r} must be above 0 and at most 100")
        if not 0 < self.max_hours <= 8760:
            raise ConfigError(f"gravity: max_hours {self.max_hours!r} must be above 0 and at most 8760, a year")

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first bar of each spell in which the condition holds."""
        close = pd.Series(market.close, index=features.index)
        up = np.log(features.above_near / close) / features.sigma_day
        down = np.log(close / features.below_near) / features.sigma_day
        go_long = (features.dominance >= self.threshold) & up.between(self.min_distance, self.max_distance)
        go_short = (features.dominance <= 1 - self.threshold) & down.between(self.min_distance, self.max_distance)
        wish = go_long.astype(int) - go_short.astype(int)
        entry = wish.where(wish != wish.shift(1), 0)
        target = features.above_near.where(entry > 0, features.below_near)
        stop = close * (close / target) ** self.stop_multiple
        max_bars = max(1, round(self.max_hours * 3600e9 / market.interval_ns))
        return Signals.of(
            market, entry=entry, stop_price=stop, target_price=target, max_bars=max_bars, name="gravity", parameters=vars(self)
        )

"""Gravity: price is said to be drawn to the hottest liquidation zone. Trade towards it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import ConfigError, MarketFrame, Signals
from liqbt.parameters import check_parameters


@dataclass(frozen=True, kw_only=True)
class Gravity:
    """Enter towards the hot zone when one side of the map outweighs the other; leave where the zone begins.

    The defaults are round numbers, fitted to nothing.

    threshold: share of the discounted heat, 0.5 to 1, that must lie on one side of price.
    min_distance, max_distance: distance to the zone's near edge, in daily volatilities, within which the trade is taken.
    stop_multiple: distance of the stop in multiples of the distance to the target, both in log price.
    max_hours: close after this time if neither was reached.
    pullback: enter by a limit order this far on the better side of the close, in daily volatilities; 0 for a market order.
    rest_hours: take such an order back after this time.
    """

    threshold: float = 0.6
    min_distance: float = 0.2
    max_distance: float = 1.5
    stop_multiple: float = 1.0
    max_hours: float = 24.0
    pullback: float = 0.0
    rest_hours: float = 4.0

    def __post_init__(self) -> None:
        check_parameters(
            "gravity", self, threshold="[0.5, 1)", min_distance="[0, 100)", max_distance="(0, 100]", stop_multiple="(0, 100]",
            max_hours="(0, 8760]", pullback="[0, 100]", rest_hours="(0, 8760]",
        )  # fmt: skip
        if self.min_distance >= self.max_distance:
            raise ConfigError(f"gravity: min_distance {self.min_distance!r} must be below max_distance {self.max_distance!r}")

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first bar of each spell in which the condition holds."""
        up = np.log(features.above_near / market.close) / features.sigma_day
        down = np.log(market.close / features.below_near) / features.sigma_day
        go_long = (features.dominance >= self.threshold) & up.between(self.min_distance, self.max_distance)
        go_short = (features.dominance <= 1 - self.threshold) & down.between(self.min_distance, self.max_distance)
        wish = go_long.astype(int) - go_short.astype(int)
        entry = wish.where(wish.diff() != 0, 0)
        target = features.above_near.where(entry > 0, features.below_near)
        stop = market.close * (market.close / target) ** self.stop_multiple
        limit = market.close * np.exp(-entry * self.pullback * features.sigma_day) if self.pullback else None
        bars_an_hour = 3600e9 / market.interval_ns
        return Signals.of(
            market, entry=entry, limit_price=limit, valid_bars=max(1, round(self.rest_hours * bars_an_hour)), stop_price=stop,
            target_price=target, max_bars=max(1, round(self.max_hours * bars_an_hour)), name="gravity", parameters=vars(self),
        )  # fmt: skip

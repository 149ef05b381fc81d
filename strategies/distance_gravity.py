"""Distance gravity: a control for gravity. The zones are the map's, but only how near they are decides, never how hot they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import ConfigError, MarketFrame, Signals
from liqbt.parameters import check_parameters


@dataclass(frozen=True, kw_only=True)
class DistanceGravity:
    """Enter towards the zone that is the nearer one; leave where it begins, as gravity does.

    What gravity earns beyond this comes from heat; what both earn comes from distance alone. Where zones stand is still the map's word.

    threshold: how much nearer: the share of the way from zone to zone, 0.5 to 1, that must lie on the far side of price. It stands in for
    gravity's share of heat, and is as large. The rest as in gravity, with the same defaults.
    min_distance, max_distance: distance to the zone's near edge, in daily volatilities, within which the trade is taken.
    stop_multiple: distance of the stop in multiples of the distance to the target, both in log price.
    max_hours: close after this time if neither was reached.
    """

    threshold: float = 0.6
    min_distance: float = 0.2
    max_distance: float = 1.5
    stop_multiple: float = 1.0
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        check_parameters(
            "distance_gravity", self, threshold="[0.5, 1)", min_distance="[0, 100)", max_distance="(0, 100]", stop_multiple="(0, 100]",
            max_hours="(0, 8760]",
        )  # fmt: skip
        if self.min_distance >= self.max_distance:
            raise ConfigError(f"distance_gravity: min_distance {self.min_distance!r} must be below max_distance {self.max_distance!r}")

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first bar of each spell in which one zone is so much nearer."""
        up = (np.log(features.above_near / market.close) / features.sigma_day).clip(lower=0).fillna(np.inf)  # no zone: endlessly far
        down = (np.log(market.close / features.below_near) / features.sigma_day).clip(lower=0).fillna(np.inf)
        go_long = (1 - up / (up + down) >= self.threshold) & up.between(self.min_distance, self.max_distance)
        go_short = (1 - down / (up + down) >= self.threshold) & down.between(self.min_distance, self.max_distance)
        wish = go_long.astype(int) - go_short.astype(int)
        entry = wish.where(wish.diff() != 0, 0)
        target = features.above_near.where(entry > 0, features.below_near)
        stop = market.close * (market.close / target) ** self.stop_multiple
        max_bars = max(1, round(self.max_hours * 3600e9 / market.interval_ns))
        return Signals.of(
            market, entry=entry, stop_price=stop, target_price=target, max_bars=max_bars, name="distance_gravity", parameters=vars(self)
        )

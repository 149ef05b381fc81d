"""Sweep continuation: price has eaten a hot zone and closed beyond it, and nothing is left there to hold it. Trade with the sweep."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import MarketFrame, Signals
from liqbt.parameters import check_parameters
from liqbt.sweeps import swept_zones


@dataclass(frozen=True, kw_only=True)
class SweepContinuation:
    """Enter with the sweep when a hot zone was eaten and price has closed beyond its far edge: sweep_reversal's mirror image.

    The defaults are round numbers, fitted to nothing.

    min_swept: share of the zone, 0 to 1, that must have been eaten within the last `within_hours`.
    within_hours: time from the first bite in which price must eat that much and close beyond the zone's far edge.
    stop_buffer: distance of the stop behind the zone's near edge, in daily volatilities: closing the way back costs the trade its reason.
    reward: distance of the target in multiples of the distance to the stop.
    max_hours: close after this time if neither was reached.
    """

    min_swept: float = 0.5
    within_hours: float = 4.0
    stop_buffer: float = 0.1
    reward: float = 1.5
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        check_parameters(
            "sweep_continuation", self, min_swept="(0, 1]", within_hours="(0, 8760]", stop_buffer="[0, 100]", reward="(0, 100]",
            max_hours="(0, 8760]",
        )  # fmt: skip

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first close beyond a swept zone."""
        bars_an_hour = 3600e9 / market.interval_ns
        window = max(1, round(self.within_hours * bars_an_hour))
        below = swept_zones(market, features, "below", min_swept=self.min_swept, bars=window)
        above = swept_zones(market, features, "above", min_swept=self.min_swept, bars=window)
        wish = (market.close > above.far).astype(int) - (market.close < below.far).astype(int)
        entry = np.where(np.diff(wish, prepend=0) != 0, wish, 0)
        buffer = market.close * features.sigma_day.to_numpy() * self.stop_buffer
        stop = np.where(entry > 0, above.near - buffer, below.near + buffer)
        target = market.close + self.reward * (market.close - stop)
        return Signals.of(
            market, entry=np.where(np.isnan(stop), 0, entry), stop_price=stop, target_price=target,
            max_bars=max(1, round(self.max_hours * bars_an_hour)), name="sweep_continuation", parameters=vars(self),
        )  # fmt: skip

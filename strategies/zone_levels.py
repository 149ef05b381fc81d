"""Zone levels: hot zones as support and resistance. Rest a limit order where the nearest one begins, and fade the touch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import MarketFrame, Signals
from liqbt.parameters import check_parameters


@dataclass(frozen=True, kw_only=True)
class ZoneLevels:
    """Bid at the zone below, or offer at the zone above, whichever is nearer; the stop lies beyond the zone's far edge.

    The order rests until the next close, at which it is renewed where the zone still stands: it is never older than the map.
    The defaults are round numbers, fitted to nothing.

    min_share: share of its side's heat, 0 to 1, that a zone must hold to be traded.
    max_distance: distance to the zone's near edge, in daily volatilities, up to which an order rests there.
    stop_buffer: distance of the stop beyond the zone's far edge, in daily volatilities.
    reward: distance of the target from the near edge in multiples of the distance to the stop.
    max_hours: close after this time if neither was reached.
    """

    min_share: float = 0.2
    max_distance: float = 1.0
    stop_buffer: float = 0.1
    reward: float = 1.0
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        check_parameters(
            "zone_levels", self, min_share="[0, 1]", max_distance="(0, 100]", stop_buffer="[0, 100]", reward="(0, 100]",
            max_hours="(0, 8760]",
        )  # fmt: skip

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return an order for each bar in which a zone is near enough."""
        down = np.log(market.close / features.below_near) / features.sigma_day
        up = np.log(features.above_near / market.close) / features.sigma_day
        support = down.between(0, self.max_distance, inclusive="right") & (features.below_share >= self.min_share)
        resistance = up.between(0, self.max_distance, inclusive="right") & (features.above_share >= self.min_share)
        down, up = down.where(support, np.inf), up.where(resistance, np.inf)
        entry = (down < up).astype(int) - (up < down).astype(int)
        limit = features.below_near.where(entry > 0, features.above_near)
        far = features.below_far.where(entry > 0, features.above_far)
        stop = far - entry * market.close * features.sigma_day * self.stop_buffer
        return Signals.of(
            market, entry=entry, limit_price=limit, valid_bars=1, stop_price=stop, target_price=limit + self.reward * (limit - stop),
            max_bars=max(1, round(self.max_hours * 3600e9 / market.interval_ns)), name="zone_levels", parameters=vars(self),
        )  # fmt: skip

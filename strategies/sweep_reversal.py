"""Sweep reversal: once price has eaten a hot zone, the forced orders are gone and it is said to turn. Trade the turn."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.signals import Signals


@dataclass(frozen=True, kw_only=True)
class SweepReversal:
    """Enter against the sweep when a hot zone was eaten and price has closed back out of it.

    The defaults are round numbers, fitted to nothing.

    min_swept: share of the zone, 0 to 1, that one bar must eat.
    within_hours: time after the sweep in which price must close back beyond the zone's near edge.
    stop_buffer: distance of the stop beyond the extreme of the last `within_hours`, in daily volatilities.
    reward: distance of the target in multiples of the distance to the stop.
    max_hours: close after this time if neither was reached.
    """

    min_swept: float = 0.5
    within_hours: float = 4.0
    stop_buffer: float = 0.1
    reward: float = 1.5
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        if not 0 < self.min_swept <= 1:
            raise ConfigError(f"sweep_reversal: min_swept {self.min_swept!r} must be a share above 0 and at most 1")
        for name in ("within_hours", "max_hours"):
            if not 0 < getattr(self, name) <= 8760:
                raise ConfigError(f"sweep_reversal: {name} {getattr(self, name)!r} must be above 0 and at most 8760, a year")
        if not 0 < self.reward <= 100:
            raise ConfigError(f"sweep_reversal: reward {self.reward!r} must be above 0 and at most 100")
        if not 0 <= self.stop_buffer <= 100:
            raise ConfigError(f"sweep_reversal: stop_buffer {self.stop_buffer!r} must be at least 0 and at most 100")

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first close back outside of a swept zone."""
        bars = market.to_frame()
        window = max(1, round(self.within_hours * 3600e9 / market.interval_ns))
        # the edge of a zone that this bar ate is the one that stood at the previous close
        swept_low = features.below_near.shift(1).where(features.below_swept >= self.min_swept)
        swept_high = features.above_near.shift(1).where(features.above_swept >= self.min_swept)
        level_below = swept_low.ffill(limit=window - 1) if window > 1 else swept_low
        level_above = swept_high.ffill(limit=window - 1) if window > 1 else swept_high
        back_up = bars.close > level_below
        back_down = bars.close < level_above
        wish = (back_up & ~back_down).astype(int) - (back_down & ~back_up).astype(int)
        entry = wish.where(wish != wish.shift(1), 0)
        buffer = bars.close * features.sigma_day * self.stop_buffer
        lowest, highest = bars.low.rolling(window, min_periods=1).min(), bars.high.rolling(window, min_periods=1).max()
        stop = (lowest - buffer).where(entry > 0, highest + buffer)
        target = bars.close + self.reward * (bars.close - stop)
        max_bars = max(1, round(self.max_hours * 3600e9 / market.interval_ns))
        return Signals.of(
            market, entry=entry, stop_price=stop, target_price=target, max_bars=max_bars, name="sweep_reversal", parameters=vars(self)
        )

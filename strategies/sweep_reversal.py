"""Sweep reversal: once price has eaten a hot zone, the forced orders are gone and it is said to turn. Trade the turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import MarketFrame, Signals
from liqbt.parameters import check_parameters
from liqbt.sweeps import swept_zones


@dataclass(frozen=True, kw_only=True)
class SweepReversal:
    """Enter against the sweep when a hot zone was eaten and price has closed back out of it.

    The defaults are round numbers, fitted to nothing.

    min_swept: share of the zone, 0 to 1, that must have been eaten within the last `within_hours`.
    within_hours: time from the first bite in which price must eat that much and close back beyond the zone's near edge.
    stop_buffer: distance of the stop beyond the extreme of the sweep, in daily volatilities.
    target: `multiple` of the distance to the stop, the `vwap`, or the near edge of the `opposite_zone`; no entry without one.
    reward: that multiple. vwap_hours: length of the window of the volume-weighted average price.
    max_hours: close after this time if neither stop nor target was reached.
    """

    min_swept: float = 0.5
    within_hours: float = 4.0
    stop_buffer: float = 0.1
    target: str = "multiple"
    reward: float = 1.5
    vwap_hours: float = 24.0
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        check_parameters(
            "sweep_reversal", self, min_swept="(0, 1]", within_hours="(0, 8760]", stop_buffer="[0, 100]", reward="(0, 100]",
            target=("multiple", "vwap", "opposite_zone"), vwap_hours="(0, 8760]", max_hours="(0, 8760]",
        )  # fmt: skip

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first close back outside of a swept zone."""
        bars_an_hour = 3600e9 / market.interval_ns
        window = max(1, round(self.within_hours * bars_an_hour))
        below = swept_zones(market, features, "below", min_swept=self.min_swept, bars=window)
        above = swept_zones(market, features, "above", min_swept=self.min_swept, bars=window)
        wish = (market.close > below.near).astype(int) - (market.close < above.near).astype(int)
        entry = np.where(np.diff(wish, prepend=0) != 0, wish, 0)
        buffer = market.close * features.sigma_day.to_numpy() * self.stop_buffer
        stop = np.where(entry > 0, below.extreme - buffer, above.extreme + buffer)
        if self.target == "multiple":
            target = market.close + self.reward * (market.close - stop)
        elif self.target == "vwap":
            target = _vwap(market, max(1, round(self.vwap_hours * bars_an_hour)))
        else:
            target = np.where(entry > 0, features.above_near, features.below_near)
        entry = np.where(np.isnan(stop + target), 0, entry)
        max_bars = max(1, round(self.max_hours * bars_an_hour))
        return Signals.of(
            market, entry=entry, stop_price=stop, target_price=target, max_bars=max_bars, name="sweep_reversal", parameters=vars(self)
        )


def _vwap(market: MarketFrame, bars: int) -> np.ndarray:
    """Return the volume-weighted average of typical prices over the last bars, this one included; NaN where nothing traded."""
    typical = (market.high + market.low + market.close) / 3
    paid, traded = (pd.Series(x).rolling(bars, min_periods=1).sum() for x in (typical * market.volume, market.volume))
    return (paid / traded).to_numpy()

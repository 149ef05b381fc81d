"""Breakout: price has left the range of the last hours. Trade with it. It knows nothing of the map; `confluence` builds on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import MarketFrame, Signals
from liqbt.parameters import check_parameters


@dataclass(frozen=True, kw_only=True)
class Breakout:
    """Enter when price closes outside of the range of the hours before: Donchian's channel.

    The defaults are round numbers, fitted to nothing.

    range_hours: length of the range, which ends with the bar before.
    stop_distance: distance of the stop from the close, in daily volatilities.
    reward: distance of the target in multiples of the distance to the stop.
    max_hours: close after this time if neither was reached.
    """

    range_hours: float = 24.0
    stop_distance: float = 0.5
    reward: float = 1.5
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        check_parameters(
            "breakout", self, range_hours="(0, 8760]", stop_distance="(0, 100]", reward="(0, 100]", max_hours="(0, 8760]"
        )  # fmt: skip

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first close outside of the range."""
        bars_an_hour = 3600e9 / market.interval_ns
        window = max(1, round(self.range_hours * bars_an_hour))
        highest = pd.Series(market.high).rolling(window).max().shift(1).to_numpy()
        lowest = pd.Series(market.low).rolling(window).min().shift(1).to_numpy()
        wish = (market.close > highest).astype(int) - (market.close < lowest).astype(int)
        entry = np.where(np.diff(wish, prepend=0) != 0, wish, 0)
        stop = market.close * np.exp(-entry * self.stop_distance * features.sigma_day.to_numpy())
        return Signals.of(
            market, entry=np.where(np.isnan(stop), 0, entry), stop_price=stop,
            target_price=market.close + self.reward * (market.close - stop),
            max_bars=max(1, round(self.max_hours * bars_an_hour)), name="breakout", parameters=vars(self),
        )  # fmt: skip

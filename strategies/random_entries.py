"""Random entries: a control for any strategy. As many trades, held as long, at times and in directions that mean nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import MarketFrame, Signals
from liqbt.parameters import check_parameters


@dataclass(frozen=True, kw_only=True)
class RandomEntries:
    """Enter by the throw of a die, which is a hash of the bar's time and the seed: no bar's wish depends on any other bar.

    It throws only where the map is known, as the strategies that it is compared with do. Match its parameters to theirs; the defaults
    are round numbers.

    entries_per_day: mean number of wishes a day; those in the direction held are ignored by the scoring.
    long_share: share of them, 0 to 1, that are long.
    stop_distance, target_distance: from the close, in daily volatilities; 0 for none.
    max_hours: close after this time if neither was reached.
    seed: another one, another row of throws.
    """

    entries_per_day: float = 1.0
    long_share: float = 0.5
    stop_distance: float = 0.5
    target_distance: float = 0.5
    max_hours: float = 24.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_parameters(
            "random_entries", self, entries_per_day="(0, 86400]", long_share="[0, 1]", stop_distance="[0, 100]",
            target_distance="[0, 100]", max_hours="(0, 8760]", seed="[0, 1e18]",
        )  # fmt: skip

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries at random."""
        die = pd.util.hash_array(pd.util.hash_array(market.timestamp) ^ np.uint64(self.seed)) / 2.0**64
        chance = self.entries_per_day * market.interval_ns / 86_400e9
        thrown = np.where(die < chance * self.long_share, 1, np.where(die < chance, -1, 0))
        entry = np.where(features.dominance.notna(), thrown, 0)
        away = entry * features.sigma_day.to_numpy()
        stop = market.close * np.exp(-away * self.stop_distance) if self.stop_distance else None
        target = market.close * np.exp(away * self.target_distance) if self.target_distance else None
        max_bars = max(1, round(self.max_hours * 3600e9 / market.interval_ns))
        return Signals.of(
            market, entry=entry, stop_price=stop, target_price=target, max_bars=max_bars, name="random_entries", parameters=vars(self)
        )

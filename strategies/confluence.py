"""Confluence: another strategy's entries, confirmed or vetoed by the map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from liqbt import ConfigError, MarketFrame, Signals, load_strategy
from liqbt.parameters import check_parameters


@dataclass(frozen=True, kw_only=True)
class Confluence:
    """Take an entry of the base strategy only where the map speaks for it (`confirm`), or does not speak against it (`veto`).

    The map speaks for a side when most of the heat and a hot zone within reach lie on it. Stops, targets, exits and all else stay the
    base's. The defaults are round numbers, fitted to nothing.

    base: the strategy that proposes: the name of a shipped one, or the path of a file. base_parameters: what differs from its defaults.
    mode: `confirm` leaves out all entries of which the map says nothing, `veto` takes them.
    threshold: share of the discounted heat, 0.5 to 1, that must lie on a side.
    max_distance: distance to the zone's near edge on that side, in daily volatilities, at most.
    """

    base: str = "breakout"
    base_parameters: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "confirm"
    threshold: float = 0.6
    max_distance: float = 1.5

    def __post_init__(self) -> None:
        check_parameters("confluence", self, mode=("confirm", "veto"), threshold="[0.5, 1)", max_distance="(0, 100]")
        if not isinstance(self.base_parameters, Mapping):
            raise ConfigError(f"confluence: base_parameters {self.base_parameters!r} must be a table, as {{ reward = 2.0 }}")
        load_strategy(self.base, **self.base_parameters)  # a base that cannot be loaded is told at once

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return the base's signals without the entries that the map does not support."""
        base = load_strategy(self.base, **self.base_parameters).signals(market, features)
        reach = self.max_distance * features.sigma_day
        for_longs = (features.dominance >= self.threshold) & (np.log(features.above_near / market.close) <= reach)
        for_shorts = (features.dominance <= 1 - self.threshold) & (np.log(market.close / features.below_near) <= reach)
        if self.mode == "confirm":
            taken = np.where(base.entry > 0, for_longs, for_shorts)
        else:
            taken = ~np.where(base.entry > 0, for_shorts, for_longs)
        return Signals.of(
            market, entry=np.where(taken, base.entry, 0), exit=base.exit, stop_price=base.stop_price, target_price=base.target_price,
            max_bars=base.max_bars, limit_price=base.limit_price, trigger_price=base.trigger_price, valid_bars=base.valid_bars,
            trailing_stop=base.trailing_stop, name="confluence", parameters=vars(self),
        )  # fmt: skip

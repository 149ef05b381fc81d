"""Fade moves: a control for sweep_reversal. The same trade after a move and a turn of the same size, but no hot zone was eaten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt import MarketFrame, Signals
from liqbt.parameters import check_parameters
from liqbt.sweeps import swept_zones


@dataclass(frozen=True, kw_only=True)
class FadeMoves:
    """Enter against a move when price has turned, where the move ate no zone.

    What sweep_reversal earns beyond this comes from the zone; what both earn comes from the move.

    move: daily volatilities from the close `within_hours` ago to the extreme since then, at least.
    turn: daily volatilities from there back to the close, at least. At both defaults the medians of move and stop, 0.5 each, are those of
    sweep_reversal on seven recorded markets.
    within_hours: time that the move may take. max_swept: no entry where this share of a zone, 0 to 1, was eaten in it, on either side.
    stop_buffer: distance of the stop beyond the extreme, in daily volatilities.
    reward: distance of the target in multiples of the distance to the stop.
    max_hours: close after this time if neither was reached.
    """

    move: float = 0.4
    turn: float = 0.3
    within_hours: float = 4.0
    max_swept: float = 0.5
    stop_buffer: float = 0.1
    reward: float = 1.5
    max_hours: float = 24.0

    def __post_init__(self) -> None:
        check_parameters(
            "fade_moves", self, move="(0, 100]", turn="[0, 100]", within_hours="(0, 8760]", max_swept="(0, 1]", stop_buffer="[0, 100]",
            reward="(0, 100]", max_hours="(0, 8760]",
        )  # fmt: skip

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:
        """Return entries on the first close that has turned far enough."""
        bars_an_hour = 3600e9 / market.interval_ns
        window = max(1, round(self.within_hours * bars_an_hour))
        close, sigma = pd.Series(market.close), features.sigma_day.reset_index(drop=True)
        lowest, highest = pd.Series(market.low).rolling(window).min(), pd.Series(market.high).rolling(window).max()
        before, move, turn = close.shift(window), np.exp(self.move * sigma), np.exp(self.turn * sigma)
        fell = (before >= lowest * move) & (close >= lowest * turn)
        rose = (before * move <= highest) & (close * turn <= highest)
        eaten = [swept_zones(market, features, side, min_swept=self.max_swept, bars=window).near for side in ("below", "above")]
        calm = features.dominance.notna().to_numpy() & np.isnan(eaten).all(axis=0)
        wish = (fell & calm).astype(int) - (rose & calm).astype(int)
        entry = wish.where(wish.diff() != 0, 0)
        stop = (lowest - self.stop_buffer * close * sigma).where(entry > 0, highest + self.stop_buffer * close * sigma)
        return Signals.of(
            market, entry=entry, stop_price=stop, target_price=close + self.reward * (close - stop),
            max_bars=max(1, round(self.max_hours * bars_an_hour)), name="fade_moves", parameters=vars(self),
        )  # fmt: skip

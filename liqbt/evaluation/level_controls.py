"""Controls that are levels, but not of liquidations: they tell whether the zone matters, or any line on a chart would do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.errors import ConfigError, did_you_mean
from liqbt.evaluation.context import Context
from liqbt.evaluation.events import Events
from liqbt.evaluation.levels import KINDS, LevelKind, Levels, levels_at, nearest_levels
from liqbt.evaluation.matching import Matching, check_range, share_eaten, usable
from liqbt.evaluation.outcomes import Outcomes

__all__ = ["OtherLevels", "TouchedLevels"]


@dataclass(frozen=True, kw_only=True)
class OtherLevels:
    """Another kind of level at the same bar, on the same side and about as far away: of those within reach the one most alike.

    kind: see `levels_at`. band: farthest and nearest level that counts, as a ratio to the event's distance. A level inside the hot zone of
    that side is no other level. For outcomes that look at the level; of others it says nothing. Direction and path are those of the event,
    so this tells whether the place of the zone matters, not whether its side does.
    """

    kind: LevelKind
    band: float = 2.0
    decisive: bool = False

    def __post_init__(self) -> None:
        _check_kind("OtherLevels", self.kind)
        if not 1 < self.band <= 10:
            raise ConfigError(f"OtherLevels: band {self.band!r} must be above 1 and at most 10")

    @property
    def name(self) -> str:
        """What results call it."""
        return f"other_levels_{self.kind}"

    def stand_ins(self, context: Context, outcomes: Outcomes, rng: np.random.Generator) -> Events:  # noqa: ARG002 - nothing is drawn
        """Return one level for each event that has such a level in its band."""
        events = outcomes.events
        bars, at = np.unique(events.bar, return_inverse=True)
        levels = levels_at(context, self.kind, bars)
        close, rising = context.market.close[events.bar], events.direction > 0
        edges = [np.where(rising, context.feature(f"above_{edge}")[events.bar], context.feature(f"below_{edge}")[events.bar])
                 for edge in ("near", "far")]  # fmt: skip
        with np.errstate(divide="ignore", invalid="ignore"):
            away = events.direction * np.log(events.level / close) / context.sigma[events.bar]
        found = nearest_levels(context, levels.of(at), events.bar, events.direction, away, self.band, (np.fmin(*edges), np.fmax(*edges)))
        origin = np.flatnonzero(~np.isnan(found))
        return Events.at(events.bar[origin], events.direction[origin], found[origin], origin=origin)


@dataclass(frozen=True, kw_only=True)
class TouchedLevels(Matching):
    """Bars that touched another kind of level and closed back before it, and touched no zone.

    kind: see `levels_at`; the level stood there at the close before, on the side that the event's zone was. max_depth: how far
    beyond it price may have gone, in daily volatilities. The rest as in `Matching`.
    """

    kind: LevelKind
    hours: tuple[float, ...] = (1.0, 4.0)
    memory_hours: float = 72.0
    move_caliper: float = 0.35
    max_depth: float = 0.1
    decisive: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_kind("TouchedLevels", self.kind)
        check_range("TouchedLevels", "max_depth", self.max_depth, 10)

    @property
    def name(self) -> str:
        """What results call it."""
        return f"touched_levels_{self.kind}"

    def stand_ins(self, context: Context, outcomes: Outcomes, rng: np.random.Generator) -> Events:
        """Return up to `per_event` touches for each event, each with the level that was touched."""
        levels = levels_at(context, self.kind, np.arange(context.market.n_bars - 1))
        above, below = _touched(context, levels, 1, self.max_depth), _touched(context, levels, -1, self.max_depth)
        level = np.where(np.isnan(below), above, below)
        side = np.where(~np.isnan(below), 1, -1)
        pool = usable(context) & (np.isnan(above) != np.isnan(below)) & ~(share_eaten(context) > 0)

        def same_side(event: int, bars: IntArray1D) -> BoolArray1D:
            return np.asarray(side[bars] == outcomes.events.direction[event])

        found = self.matched(context, outcomes, pool, rng, same_side)
        return Events.at(found.bar, found.direction, level[found.bar], origin=found.origin)


def _touched(context: Context, levels: Levels, direction: int, max_depth: float) -> Float64Array1D:
    """Return the level above (1) or below (-1) that each bar touched and closed before, the farthest of them; NaN for none.

    levels: of every bar but the last, as known at its close; a bar touches those of the one before. Shape (n_bars,).
    """
    market, row = context.market, levels.row
    high, low, close, sigma = market.high[1:], market.low[1:], market.close, context.sigma
    if direction > 0:
        beyond, ahead = high[row] - levels.price, (levels.price > close[row]) & (levels.price > close[row + 1])
    else:
        beyond, ahead = levels.price - low[row], (levels.price < close[row]) & (levels.price < close[row + 1])
    met = np.flatnonzero(ahead & (beyond >= 0) & (beyond <= max_depth * sigma[row] * close[row]))
    farthest = np.full(market.n_bars, -np.inf)
    np.maximum.at(farthest, row[met] + 1, direction * levels.price[met])
    return np.where(np.isinf(farthest), np.nan, direction * farthest)


def _check_kind(name: str, kind: str) -> None:
    if kind not in KINDS:
        raise ConfigError(f"{name}: kind {kind!r} is unknown{did_you_mean(kind, KINDS)}")

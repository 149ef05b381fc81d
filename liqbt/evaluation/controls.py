"""Controls: what else could have come true. Events that share all with those of a hypothesis but the zone, to be measured alike.

The direction and level of each are known at the close of its bar, so that on a martingale it earns nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._typing import BoolArray1D, IntArray1D
from liqbt.evaluation.context import HOUR_NS, Context
from liqbt.evaluation.events import EventFinder, Events, HotZone
from liqbt.evaluation.level_controls import OtherLevels, TouchedLevels
from liqbt.evaluation.levels import KINDS
from liqbt.evaluation.matching import YEAR_HOURS, Matching, check_range, drawn, moved_to, share_eaten, usable, within_last
from liqbt.evaluation.outcomes import Outcomes

if TYPE_CHECKING:
    from liqbt.evaluation.hypotheses import Control

__all__ = [
    "DRIFT_CONTROLS", "LEVEL_CONTROLS", "SWEEP_CONTROLS", "TOUCH_CONTROLS", "EqualMoves", "OtherLevels", "PlaceboLevels", "SameDay",
    "TouchedLevels",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class PlaceboLevels(Matching):
    """Levels as far away, on the same side, at bars that were alike but for the zone.

    Alike over an hour, for price has mostly just come nearer, and over a day. No stand-in where `avoid`, the finder of the hypothesis,
    makes a claim, whose level lies in the hot zone of its side, or on whose side more than `max_dominance` of the discounted heat lies,
    for that would be half an event. The rest as in `Matching`.
    """

    hours: tuple[float, ...] = (1.0, 24.0)
    avoid: EventFinder = field(default_factory=HotZone)
    max_dominance: float = 0.55
    name: str = "placebo_levels"
    decisive: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("PlaceboLevels", "max_dominance", self.max_dominance, 1)

    def stand_ins(self, context: Context, outcomes: Outcomes, rng: np.random.Generator) -> Events:
        """Return up to `per_event` levels for each event."""
        pool = usable(context)
        pool[self.avoid.events(context).bar] = False
        above = context.feature("dominance")
        share = 1 - above, above
        zones = [np.log([context.feature(f"{side}_{edge}") for edge in ("near", "far")]) for side in ("below", "above")]
        log_close, events = np.log(context.market.close), outcomes.events
        away = (np.log(events.level) - log_close[events.bar]) / context.sigma[events.bar]

        def no_zone(event: int, bars: IntArray1D) -> BoolArray1D:
            level, side = log_close[bars] + away[event] * context.sigma[bars], int(events.direction[event] > 0)
            near, far = zones[side][:, bars]
            inside = (level >= np.minimum(near, far)) & (level <= np.maximum(near, far))
            return np.asarray(~inside & (share[side][bars] <= self.max_dominance))

        return self.matched(context, outcomes, pool, rng, no_zone)


@dataclass(frozen=True, kw_only=True)
class EqualMoves(Matching):
    """Bars after a move of equal size and sign that swept no zone.

    swept_from: share of a zone, 0 to 1, from which a bar counts as having swept it; none may within the longest of `hours`.
    memory_hours is shorter than in `PlaceboLevels`, for here the direction follows from the move. The rest as in `Matching`.
    """

    hours: tuple[float, ...] = (1.0, 4.0)
    memory_hours: float = 72.0
    swept_from: float = 0.5
    name: str = "equal_moves"
    decisive: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("EqualMoves", "swept_from", self.swept_from, 1)

    def stand_ins(self, context: Context, outcomes: Outcomes, rng: np.random.Generator) -> Events:
        """Return up to `per_event` bars for each event."""
        lookback = self.lookback(context)
        pool = usable(context) & ~within_last(share_eaten(context) >= self.swept_from, lookback)
        sign = np.sign(np.log(context.market.close[lookback:] / context.market.close[:-lookback]))
        sign = np.concatenate((np.zeros(min(lookback, pool.size)), sign))

        def same_sign(event: int, bars: IntArray1D) -> BoolArray1D:
            return np.asarray(sign[bars] == sign[outcomes.events.bar[event]])

        return self.matched(context, outcomes, pool, rng, same_sign)


@dataclass(frozen=True, kw_only=True)
class SameDay:
    """Any bars of what is left of the UTC day: it tells whether the moment mattered, or only the day.

    After the event only. Before it price went where it had to go for the event to happen: given that, a bar there loses on any market.
    per_event: how many. gap_hours: that must lie between, a bar at least. An event late in the day has none.
    """

    per_event: int = 5
    gap_hours: float = 1.0
    name: str = "same_day"
    decisive: bool = False

    def __post_init__(self) -> None:
        check_range("SameDay", "per_event", self.per_event, 1000)
        check_range("SameDay", "gap_hours", self.gap_hours, YEAR_HOURS)

    def stand_ins(self, context: Context, outcomes: Outcomes, rng: np.random.Generator) -> Events:
        """Return up to `per_event` bars for each event, with its direction and its distance in daily volatilities."""
        events, fit = outcomes.events, usable(context)
        gap = context.bars(max(self.gap_hours, context.market.interval_ns / HOUR_NS))
        first = (events.bar + gap + 1).tolist()
        last = np.searchsorted(context.day, context.day[events.bar], side="right").tolist()
        seeds = rng.integers(0, 2**63, size=len(events), dtype=np.uint64).tolist()
        chosen = [np.empty(0, np.int64)]
        for begin, end, seed in zip(first, last, seeds, strict=True):
            chosen.append(drawn(begin + np.flatnonzero(fit[begin:end]), self.per_event, seed))
        origin = np.repeat(np.arange(len(events)), [bars.size for bars in chosen[1:]])
        return moved_to(context, events, origin, np.concatenate(chosen))


LEVEL_CONTROLS: Final[tuple[Control, ...]] = (PlaceboLevels(), *(OtherLevels(kind=kind) for kind in KINDS), SameDay())
"""Of claims about a level ahead."""

DRIFT_CONTROLS: Final[tuple[Control, ...]] = (PlaceboLevels(), SameDay())
"""Of claims about a direction, whose outcome does not look at the level."""

TOUCH_CONTROLS: Final[tuple[Control, ...]] = (EqualMoves(swept_from=0.01), *(TouchedLevels(kind=kind) for kind in KINDS), SameDay())
"""Of claims about a level that was touched."""

SWEEP_CONTROLS: Final[tuple[Control, ...]] = (EqualMoves(), SameDay())
"""Of claims about what follows when a zone was eaten."""

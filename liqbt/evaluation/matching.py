"""Matching: bars that were like the bar of an event in all that was known, chosen without a look at what followed.

On a martingale no choice among bars earns anything, so long as it is made by what was known at each of them. Three rules keep it so; what
breaks each was measured on random walks.

- All bars within the calipers are equally good. The nearest one is the bar after which price did not come nearer still.
- Of a spell of like bars the first counts. The more of them there are the less each would weigh, and how many there are shows afterwards.
- A bar before the event lies so far before it that the event does not remember what came of the bar. After a fall the map is heavy above,
  so bars shortly before an upward claim lose: .39 daily volatilities the day before, .29 the day before that, then .09.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.evaluation.context import HOUR_NS, Context
from liqbt.evaluation.events import Events
from liqbt.evaluation.outcomes import Outcomes

__all__ = ["Matching", "check_range", "drawn", "first_of_spells", "moved_to", "share_eaten", "usable", "within_last"]

BLOCK_HOURS: Final = 6
YEAR_HOURS: Final = 24.0 * 365


@dataclass(frozen=True, kw_only=True)
class Matching:
    """What the bars that stand in for an event share with it. All numbers are conventions, fitted to nothing.

    per_event: how many stand in for each, at random among those that suit. hours: over each of these (over a bar, where that is longer)
    the move must be alike, see `move_scale`; move_caliper: how far apart it may be there. volatility_caliper: how far apart log
    volatility may be. The quarter of the UTC day is the same. apart_hours: that must lie between the two: more than an outcome lasts, and
    than an outcome and the longest of `hours` together, lest they share a path. memory_hours: that must lie between, where the event
    comes later.
    """

    per_event: int = 5
    hours: tuple[float, ...] = (24.0,)
    apart_hours: float = 72.0
    memory_hours: float = 168.0
    move_caliper: float = 0.25
    volatility_caliper: float = 0.25

    def __post_init__(self) -> None:
        named = type(self).__name__
        check_range(named, "per_event", self.per_event, 1000)
        for one in self.hours or (np.nan,):
            check_range(named, "hours", one, YEAR_HOURS)
        for name in ("apart_hours", "memory_hours"):
            check_range(named, name, getattr(self, name), YEAR_HOURS)
        for name in ("move_caliper", "volatility_caliper"):
            check_range(named, name, getattr(self, name), 10)

    def lookback(self, context: Context) -> int:
        """Return the bars of the longest of `hours`."""
        return max(context.bars(hours) for hours in self._hours(context))

    def matched(
        self,
        context: Context,
        outcomes: Outcomes,
        pool: BoolArray1D,
        rng: np.random.Generator,
        also: Callable[[int, IntArray1D], BoolArray1D] | None = None,
    ) -> Events:
        """Return the bars of `pool`, shape (n_bars,), that stand in for each event.

        also: given the position of an event and bars, which of these suit it. Direction is the event's; the level lies as far away in
        daily volatilities. Which bars suit an event depends on nothing later than the later of the two, and which of them are drawn on
        nothing but `rng`, the event's position and the bars themselves.

        Raises ConfigError where an outcome took longer than `apart_hours`.
        """
        events, apart = outcomes.events, context.bars(self.apart_hours)
        if len(events) and int(outcomes.bars.max()) > apart:
            took = int(outcomes.bars.max()) * context.market.interval_ns / HOUR_NS
            raise ConfigError(f"apart_hours: {self.apart_hours!r} is less than the {took:g} hours that an outcome took; take more")
        before, spacing = max(apart, context.bars(self.memory_hours)), self.lookback(context)
        table, block = self._table(context), context.hour // BLOCK_HOURS
        seeds = rng.integers(0, 2**63, size=len(events), dtype=np.uint64)
        fit = pool & ~np.isnan(table).any(axis=0)
        ranked = np.argsort(table[0], kind="stable")
        bars_of = {one: ranked[(fit & (block == one))[ranked]] for one in np.unique(block).tolist()}
        tables = {one: table[:, bars] for one, bars in bars_of.items()}
        chosen = [np.empty(0, np.int64)]
        for i, (bar, here) in enumerate(zip(events.bar.tolist(), block[events.bar].tolist(), strict=True)):
            # only the stretch within the first caliper, which ascends, is looked at
            near = slice(*np.searchsorted(tables[here][0], table[0, bar] + np.array((-1.001, 1.001))))
            alike = (np.abs(tables[here][:, near] - table[:, bar, None]) <= 1).all(axis=0)
            found = np.sort(bars_of[here][near][alike])
            found = found[(found > bar + apart) | (found < bar - before)]
            if also is not None:
                found = found[also(i, found)]
            chosen.append(drawn(found[first_of_spells(found, spacing)], self.per_event, int(seeds[i])))
        origin = np.repeat(np.arange(len(events)), [found.size for found in chosen[1:]])
        return moved_to(context, events, origin, np.concatenate(chosen))

    def _hours(self, context: Context) -> list[float]:
        return list(dict.fromkeys(max(hours, context.market.interval_ns / HOUR_NS) for hours in self.hours))

    def _table(self, context: Context) -> Float64Array2D:
        """Return what is matched, in calipers, shape (n_covariates, n_bars)."""
        moves = [move_scale(context, hours) / self.move_caliper for hours in self._hours(context)]
        log_sigma = np.log(np.where(context.sigma > 0, context.sigma, np.nan))
        return np.stack([*moves, log_sigma / self.volatility_caliper])


def check_range(named: str, parameter: str, value: float, most: float) -> None:
    """Raise ConfigError unless `value` is above 0 and at most `most`."""
    if not 0 < value <= most:
        raise ConfigError(f"{named}: {parameter} {value!r} must be above 0 and at most {most:g}")


def usable(context: Context) -> BoolArray1D:
    """Return the bars that may stand in for an event, shape (n_bars,): those at which the map says something, and with one after them."""
    at = np.arange(context.market.n_bars)
    return np.asarray((at >= context.first_bar) & (at < at.size - 1) & (context.sigma > 0) & ~np.isnan(context.feature("dominance")))


def move_scale(context: Context, hours: float) -> Float64Array1D:
    """Return the move over the last `hours` on the scale on which it is matched, shape (n_bars,).

    In standard deviations of such a move, through asinh: small moves count by their difference, large ones by their ratio.
    """
    deviation = np.sqrt(context.bars(hours) * context.market.interval_ns / (24 * HOUR_NS))
    return np.asarray(np.arcsinh(context.move(hours) / deviation))


def share_eaten(context: Context) -> Float64Array1D:
    """Return the largest share of a hot zone that each bar ate, shape (n_bars,), 0 where there was no zone."""
    return np.asarray(np.fmax(0.0, np.fmax(context.feature("below_swept"), context.feature("above_swept"))))


def within_last(flags: BoolArray1D, bars: int) -> BoolArray1D:
    """Return whether any of the last `bars` bars, the own one included, is flagged, shape of `flags`."""
    count = np.concatenate(([0], np.cumsum(flags)))
    at = np.arange(1, count.size)
    return np.asarray(count[at] > count[np.maximum(at - bars, 0)])


@kernel
def first_of_spells(bars: IntArray1D, spacing: int) -> BoolArray1D:
    """Return which of the ascending bars lie at least `spacing` after the last one that does, shape (n,)."""
    kept = np.zeros(bars.size, np.bool_)
    earliest = -1
    for i in range(bars.size):
        if bars[i] >= earliest:
            kept[i] = True
            earliest = bars[i] + spacing
    return kept


def drawn(bars: IntArray1D, count: int, seed: int) -> IntArray1D:
    """Return up to `count` of the bars: those with the lowest lots, which depend on the bar and the seed alone (SplitMix64).

    So what is added to `bars` can push a bar out, and changes nothing else.
    """
    if bars.size <= count:
        return bars
    lot = (bars.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed)
    lot = (lot ^ (lot >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    lot = (lot ^ (lot >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bars[np.argsort(lot ^ (lot >> np.uint64(31)), kind="stable")[:count]]


def moved_to(context: Context, events: Events, origin: IntArray1D, bar: IntArray1D) -> Events:
    """Return the events at positions `origin` moved to other bars, in order of these: same direction, same distance in volatilities."""
    order = np.lexsort((origin, bar))
    origin, bar = origin[order], bar[order]
    close, sigma, here = context.market.close, context.sigma, events.bar[origin]
    away = np.log(events.level[origin] / close[here]) / sigma[here]
    return Events.at(bar, events.direction[origin], close[bar] * np.exp(away * sigma[bar]), origin=origin)

"""Events: the bars at which a claim about the future is made, and which way it says that price will go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from liqbt._time import to_index
from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.evaluation.context import Context

__all__ = ["EventFinder", "Events", "HotZone", "SweptZone", "TouchedZone"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Events:
    """Bars at whose close something is claimed. All arrays have shape (n_events,), ascending by bar.

    bar: the bar at whose close the event is known; nothing is measured before the open of the next.
    direction: +1 where the claim says that price goes up, -1 where down.
    level: quote, the price that the claim is about (a zone's edge), NaN for none.
    origin: of an event of a control, the position of the event that it stands in for; else the event's own position.
    """

    bar: IntArray1D
    direction: IntArray1D
    level: Float64Array1D
    origin: IntArray1D

    @classmethod
    def at(cls, bar: IntArray1D, direction: IntArray1D, level: Float64Array1D, *, origin: IntArray1D | None = None) -> Events:
        """Return events that stand for themselves, or for those at the positions `origin`."""
        return cls(bar=bar, direction=direction, level=level, origin=np.arange(bar.size) if origin is None else origin)

    def __len__(self) -> int:
        return int(self.bar.size)

    def where(self, kept: BoolArray1D | IntArray1D) -> Events:
        """Return those events for which `kept` is true, or that it indexes."""
        return Events(bar=self.bar[kept], direction=self.direction[kept], level=self.level[kept], origin=self.origin[kept])

    def renumbered(self) -> Events:
        """Return the same events, each standing for itself."""
        return Events.at(self.bar, self.direction, self.level)

    def to_frame(self, context: Context) -> pd.DataFrame:
        """Return one row an event: known_at (UTC), bar, direction, level."""
        known = context.market.timestamp[self.bar] + context.market.interval_ns
        return pd.DataFrame({"known_at": to_index(known), "bar": self.bar, "direction": self.direction, "level": self.level})


class EventFinder(Protocol):
    """Finds events; a frozen dataclass of parameters with this one pure method."""

    def events(self, context: Context) -> Events:
        """Return all events of the market, overlapping or not; event t may use rows up to t only."""
        ...


@dataclass(frozen=True, kw_only=True)
class HotZone:
    """One side of the map outweighs the other, and its zone is within reach: the claim is that price goes there.

    The same condition as the strategy `gravity`. threshold: share of discounted heat, 0.5 to 1. min_distance, max_distance: to the
    zone's near edge, in daily volatilities. Every bar in which this holds is an event; outcomes thin them out.
    """

    threshold: float = 0.6
    min_distance: float = 0.2
    max_distance: float = 1.5

    def __post_init__(self) -> None:
        if not 0.5 <= self.threshold < 1:
            raise ConfigError(f"HotZone: threshold {self.threshold!r} must be at least 0.5 and below 1")
        if not 0 <= self.min_distance < self.max_distance:
            wrong = f"min_distance {self.min_distance!r}"
            raise ConfigError(f"HotZone: {wrong} must be at least 0 and below max_distance {self.max_distance!r}")

    def events(self, context: Context) -> Events:
        """Return an event for each bar in which the zone of the heavier side is within reach."""
        dominance, close = context.feature("dominance"), context.market.close
        above, below = context.feature("above_near"), context.feature("below_near")
        with np.errstate(invalid="ignore", divide="ignore"):
            up, down = np.log(above / close) / context.sigma, np.log(close / below) / context.sigma
        rising = (dominance >= self.threshold) & (up >= self.min_distance) & (up <= self.max_distance)
        falling = (dominance <= 1 - self.threshold) & (down >= self.min_distance) & (down <= self.max_distance)
        return _of(context, rising, falling, np.where(rising, above, below))


@dataclass(frozen=True, kw_only=True)
class SweptZone:
    """A hot zone was eaten in this bar: the claim is that price turns. min_swept: share of the zone, 0 to 1, that the bar ate."""

    min_swept: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.min_swept <= 1:
            raise ConfigError(f"SweptZone: min_swept {self.min_swept!r} must be a share above 0 and at most 1")

    def events(self, context: Context) -> Events:
        """Return an event for each bar that ate the zone of one side, and of one side only."""
        below, above = context.feature("below_swept") >= self.min_swept, context.feature("above_swept") >= self.min_swept
        edges = [_before(context.feature(name)) for name in ("below_near", "above_near")]
        return _of(context, below & ~above, above & ~below, np.where(below, edges[0], edges[1]))


@dataclass(frozen=True, kw_only=True)
class TouchedZone:
    """Price came into a hot zone in this bar and did not eat it: the claim is that the zone holds, so price goes back.

    max_swept: share of the zone, 0 to 1, that the bar may have eaten.
    """

    max_swept: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.max_swept <= 1:
            raise ConfigError(f"TouchedZone: max_swept {self.max_swept!r} must be a share above 0 and at most 1")

    def events(self, context: Context) -> Events:
        """Return an event for each bar that came into the zone of one side, and of one side only."""
        below, above = context.feature("below_swept"), context.feature("above_swept")
        low, high = (below > 0) & (below <= self.max_swept), (above > 0) & (above <= self.max_swept)
        edges = [_before(context.feature(name)) for name in ("below_near", "above_near")]
        return _of(context, low & ~(above > 0), high & ~(below > 0), np.where(low, edges[0], edges[1]))


def _before(values: Float64Array1D) -> Float64Array1D:
    """Return the values of the bar before: the zone that a bar met is the one that stood at the previous close."""
    return np.concatenate(([np.nan], values[:-1]))


def _of(context: Context, rising: BoolArray1D, falling: BoolArray1D, level: Float64Array1D) -> Events:
    """Return the events of bars that may make one: measured from on `first_bar`, and with a bar after them."""
    usable = np.arange(rising.size) >= context.first_bar
    usable[-1] = False
    bar = np.flatnonzero((rising | falling) & usable & (context.sigma > 0))
    return Events.at(bar, np.where(rising[bar], 1, -1), level[bar])

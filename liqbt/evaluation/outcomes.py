"""Outcomes: what came of a claim, measured from the open after it was made, so that its mean is 0 where price is a martingale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from liqbt._typing import BoolArray1D, Float64Array1D, Int8Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.evaluation._kernels import LOWER, UPPER, stop_at_barriers
from liqbt.evaluation.context import Context
from liqbt.evaluation.events import Events

__all__ = ["Bounce", "FirstTouch", "ForwardReturn", "Outcome", "Outcomes", "TouchWithin", "Unit"]

Unit = Literal["probability", "bps"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcomes:
    """What came of events. All arrays have shape (n_events,), of the events that could be measured.

    events: those. value: in the outcome's unit, positive where the claim came true. bps: what a position in the claim's
    direction earned before costs, basis points. bars: until it was known. touched: whether the level was met, where there is one.
    """

    events: Events
    value: Float64Array1D
    bps: Float64Array1D
    bars: IntArray1D
    touched: BoolArray1D

    def where(self, kept: BoolArray1D | IntArray1D) -> Outcomes:
        """Return those for which `kept` is true, or that it indexes."""
        return Outcomes(
            events=self.events.where(kept), value=self.value[kept], bps=self.bps[kept], bars=self.bars[kept], touched=self.touched[kept]
        )


class Outcome(Protocol):
    """Measures events; a frozen dataclass of parameters with these two members."""

    @property
    def unit(self) -> Unit:
        """Unit of `Outcomes.value`."""
        ...

    @property
    def hours(self) -> float:
        """Longest time that an event is followed."""
        ...

    def measure(self, context: Context, events: Events) -> Outcomes:
        """Return the outcome of each event whose whole horizon was recorded and whose barriers make sense at the next open."""
        ...


@dataclass(frozen=True, kw_only=True)
class FirstTouch:
    """Whether price touches the level before the mirror level at equal distance.

    Followed until either is met or `hours` have passed; value = direction x (price then - price at the start) / (2 x distance),
    which is +1/2 at the level, -1/2 at the mirror and in between where time ran out: its mean is the probability of touching
    the level first less one half, and by optional stopping 0 for any martingale, whatever its volatility does.
    """

    hours: float = 24.0
    unit: Unit = "probability"

    def measure(self, context: Context, events: Events) -> Outcomes:
        """Return the outcome of each event whose level still lies ahead at the next open."""
        events = _followed(context, events, self.hours)
        start = context.open[events.bar + 1]
        distance = events.direction * (events.level - start)
        events, start, distance = _ahead(events, start, distance)
        return _stopped(context, events, start, start + distance, start - distance, self.hours, scale=2 * distance)


@dataclass(frozen=True, kw_only=True)
class Bounce:
    """Whether price goes back, or on, by the same distance first; as `FirstTouch`, at `distance` daily volatilities each way."""

    hours: float = 24.0
    distance: float = 0.25
    unit: Unit = "probability"

    def __post_init__(self) -> None:
        if not 0 < self.distance <= 10:
            raise ConfigError(f"Bounce: distance {self.distance!r} must be above 0 and at most 10 daily volatilities")

    def measure(self, context: Context, events: Events) -> Outcomes:
        """Return the outcome of each event."""
        events = _followed(context, events, self.hours)
        start = context.open[events.bar + 1]
        distance = start * np.expm1(self.distance * context.sigma[events.bar])
        events, start, distance = _ahead(events, start, np.minimum(distance, 0.9 * start))
        return _stopped(context, events, start, start + distance, start - distance, self.hours, scale=2 * distance)


@dataclass(frozen=True, kw_only=True)
class TouchWithin:
    """Whether the level is touched in time, and the mirror level at equal distance is not; value = touched - mirror touched."""

    hours: float = 24.0
    unit: Unit = "probability"

    def measure(self, context: Context, events: Events) -> Outcomes:
        """Return the outcome of each event whose level still lies ahead at the next open."""
        events = _followed(context, events, self.hours)
        start = context.open[events.bar + 1]
        distance = events.direction * (events.level - start)
        events, start, distance = _ahead(events, start, distance)
        none = np.full(start.size, np.nan)
        up, low = start + distance, start - distance
        level = _stopped(context, events, start, np.where(events.direction > 0, up, none), np.where(events.direction < 0, low, none),
                         self.hours, scale=distance, mirrored=False)  # fmt: skip
        mirror = _stopped(context, events, start, np.where(events.direction < 0, up, none), np.where(events.direction > 0, low, none),
                          self.hours, scale=distance, mirrored=False)  # fmt: skip
        value = level.touched.astype(np.float64) - mirror.touched
        return Outcomes(events=events, value=value, bps=level.bps, bars=level.bars, touched=level.touched)


@dataclass(frozen=True, kw_only=True)
class ForwardReturn:
    """What a position in the claim's direction earns until `hours` later, before costs, in basis points."""

    hours: float = 4.0
    unit: Unit = "bps"

    def measure(self, context: Context, events: Events) -> Outcomes:
        """Return the outcome of each event."""
        events = _followed(context, events, self.hours)
        start = context.open[events.bar + 1]
        none = np.full(start.size, np.nan)
        return _stopped(context, events, start, none, none, self.hours, scale=start * 1e-4)


def _followed(context: Context, events: Events, hours: float) -> Events:
    """Return the events whose whole horizon was recorded: an end known beforehand keeps a martingale one."""
    if not 0 < hours <= 24 * 365:
        raise ConfigError(f"hours: {hours!r} must be above 0 and at most a year")
    return events.where(events.bar + 1 + context.bars(hours) <= context.market.n_bars)


def _ahead(events: Events, start: Float64Array1D, distance: Float64Array1D) -> tuple[Events, Float64Array1D, Float64Array1D]:
    """Leave out events whose level the next open has reached already, or that lies so far that its mirror would be below 0."""
    kept = (distance > 0) & (distance < start)
    return events.where(kept), start[kept], distance[kept]


def _stopped(
    context: Context, events: Events, start: Float64Array1D, upper: Float64Array1D, lower: Float64Array1D, hours: float,
    *, scale: Float64Array1D, mirrored: bool = True,
) -> Outcomes:  # fmt: skip
    """Follow price until a barrier; value = direction x move / scale. mirrored: the level is one of two barriers."""
    market = context.market
    met, price, bars = np.zeros(start.size, np.int8), np.empty(start.size), np.empty(start.size, np.int64)
    stop_at_barriers(
        market.open, market.high, market.low, market.close, events.bar + 1, context.bars(hours), upper, lower, met, price, bars
    )
    moved = events.direction * (price - start)
    return Outcomes(events=events, value=moved / scale, bps=1e4 * moved / start, bars=bars, touched=_touched(met, events, mirrored))


def _touched(met: Int8Array1D, events: Events, mirrored: bool) -> BoolArray1D:
    if not mirrored:
        return np.asarray(met != 0)
    return np.asarray(np.where(events.direction > 0, met == UPPER, met == LOWER))

"""Hypotheses as data: what the folklore claims, when, how it is measured, and what it has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from liqbt._typing import IntArray1D
from liqbt.errors import ConfigError, did_you_mean
from liqbt.evaluation.context import Context
from liqbt.evaluation.events import EventFinder, Events, HotZone, SweptZone, TouchedZone
from liqbt.evaluation.outcomes import Bounce, FirstTouch, ForwardReturn, Outcome, Outcomes, TouchWithin

__all__ = ["Control", "Hypothesis", "clusters_of", "find_hypotheses", "measure", "shipped_hypotheses"]


class Control(Protocol):
    """Finds events that share everything with those of a hypothesis but the zone; a frozen dataclass of parameters."""

    @property
    def name(self) -> str:
        """What results call it."""
        ...

    @property
    def decisive(self) -> bool:
        """Whether a claim holds only if it beats this control; the others tell what else may be behind it."""
        ...

    def stand_ins(self, context: Context, outcomes: Outcomes, rng: np.random.Generator) -> Events:
        """Return events whose `origin` says which event of `outcomes` each stands in for; an event may have none, one or many.

        They are measured by the hypothesis' own outcome. What they are matched on must be known at the bar of each.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A claim that can be wrong.

    name, claim: what results call it, and a sentence. find: when it makes its claim. outcome: what came of it.
    relevant: smallest effect that a trader would care about, in the outcome's unit: 0.05 is 5 percentage points of probability; of
    returns, None stands for the cost of a round trip. Where the data could not have shown it, the verdict is "not enough data".
    controls: what else could explain it. overlapping: whether events may begin before the last one's outcome is known.
    """

    name: str
    claim: str
    find: EventFinder
    outcome: Outcome
    relevant: float | None = None
    controls: tuple[Control, ...] = ()
    overlapping: bool = False


def measure(hypothesis: Hypothesis, context: Context) -> Outcomes:
    """Return the outcomes of the hypothesis' events, thinned out.

    Unless they may overlap, an event counts only if the outcome of the one before was known by then: for a martingale their outcomes
    are then uncorrelated. Where they may, the first bar of each spell of one direction counts.
    """
    found = hypothesis.outcome.measure(context, hypothesis.find.events(context))
    kept = _spells(found.events) if hypothesis.overlapping else _apart(found.events.bar, found.bars)
    thinned = found.where(kept)
    return Outcomes(events=thinned.events.renumbered(), value=thinned.value, bps=thinned.bps, bars=thinned.bars, touched=thinned.touched)


def clusters_of(hypothesis: Hypothesis, context: Context, outcomes: Outcomes) -> IntArray1D:
    """Return the day of each event; of events that may overlap, spans twice as long as the horizon, so that few overlaps cross them."""
    day = context.day[outcomes.events.bar]
    return day // max(1, round(hypothesis.outcome.hours / 12)) if hypothesis.overlapping else day


def _apart(bar: IntArray1D, bars: IntArray1D) -> IntArray1D:
    kept, known = [], -1
    for i, (here, lasts) in enumerate(zip(bar.tolist(), bars.tolist(), strict=True)):
        if here >= known:
            kept.append(i)
            known = here + lasts
    return np.array(kept, dtype=np.int64)


def _spells(events: Events) -> IntArray1D:
    follows = (np.diff(events.bar, prepend=-2) == 1) & (np.diff(events.direction, prepend=0) == 0)
    return np.flatnonzero(~follows)


def shipped_hypotheses() -> dict[str, Hypothesis]:
    """Return the hypotheses that come with liqbt, by name."""
    from liqbt.evaluation.controls import DRIFT_CONTROLS, LEVEL_CONTROLS, SWEEP_CONTROLS, TOUCH_CONTROLS

    every = [
        Hypothesis(
            name="gravity",
            claim="price touches the dominant hot zone before the mirror level at equal distance",
            find=HotZone(),
            outcome=FirstTouch(hours=24.0),
            relevant=0.05,
            controls=LEVEL_CONTROLS,
        ),
        Hypothesis(
            name="gravity_within_day",
            claim="price touches the dominant hot zone within a day more often than the mirror level",
            find=HotZone(),
            outcome=TouchWithin(hours=24.0),
            relevant=0.05,
            controls=LEVEL_CONTROLS,
        ),
        Hypothesis(
            name="gravity_drift",
            claim="price drifts towards the dominant hot zone in the next four hours",
            find=HotZone(),
            outcome=ForwardReturn(hours=4.0),
            controls=DRIFT_CONTROLS,
        ),
        *(
            Hypothesis(
                name=f"sweep_reversal_{hours:g}h",
                claim=f"after a hot zone was swept, price is back against the sweep {hours:g} hours later",
                find=SweptZone(),
                outcome=ForwardReturn(hours=hours),
                controls=SWEEP_CONTROLS,
            )
            for hours in (1.0, 4.0, 24.0)
        ),
        Hypothesis(
            name="zones_as_levels",
            claim="price that comes into a hot zone bounces off before it breaks on",
            find=TouchedZone(),
            outcome=Bounce(hours=24.0),
            relevant=0.05,
            controls=TOUCH_CONTROLS,
        ),
    ]
    return {one.name: one for one in every}


def find_hypotheses(wanted: Sequence[str | Hypothesis] | None) -> list[Hypothesis]:
    """Return hypotheses by name, by the beginning of a name (`sweep_reversal` is all horizons), or as they are; None for all shipped.

    Raises ConfigError for an unknown name, and where two have the same.
    """
    shipped = shipped_hypotheses()
    found: list[Hypothesis] = []
    for one in shipped if wanted is None else wanted:
        if isinstance(one, Hypothesis):
            found.append(one)
            continue
        named = [shipped[one]] if one in shipped else [value for name, value in shipped.items() if name.startswith(f"{one}_")]
        if not named:
            raise ConfigError(f"hypotheses: there is no {one!r}{did_you_mean(one, shipped)}")
        found += named
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"hypotheses: {twice!r} is asked for twice; give one of them another name")
    return found

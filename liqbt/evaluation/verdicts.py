"""From estimates to words. The rule is fixed before any data is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from liqbt.evaluation.estimates import Estimate

if TYPE_CHECKING:
    from liqbt.evaluation.results import ControlResult

__all__ = ["LEVEL", "MIN_CLUSTERS", "MIN_EVENTS", "UNKNOWN", "Verdict", "Word", "judge"]

Word = Literal["holds", "does not hold", "not enough data"]

LEVEL: Final = 0.05
"""Highest q-value, and highest one-sided p-value against each decisive control, at which a claim holds."""

MIN_EVENTS: Final = 30
"""Fewer events than these give no verdict, whatever their p-value: a convention."""

MIN_CLUSTERS: Final = 15
"""Fewer independent days than these give no verdict: with fewer, errors clustered by day are too small too often."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """word: holds, does not hold, or not enough data. reason: half a sentence that says why."""

    word: Word
    reason: str


UNKNOWN: Final = Verdict(word="not enough data", reason="not judged yet")
"""Until all hypotheses of an evaluation are estimated, for their q-values hang together."""


def judge(
    estimate: Estimate, q_value: float, controls: Sequence[ControlResult], p_shifted: float, *, relevant: float, unit: str
) -> Verdict:
    """Return what follows from an estimate and its controls.

    holds: the effect is positive, its q-value is at most `LEVEL`, it beats each decisive control, and it does so by more than a map moved
    by whole days does, which takes at least 24 days. does not hold: it is significantly negative, or a control explains it, or the sample
    would have shown an effect of `relevant` and did not. not enough data: anything else, so in a small sample no result is a result.
    """
    if estimate.n_events < MIN_EVENTS or estimate.n_clusters < MIN_CLUSTERS or math.isnan(estimate.p_value):
        return Verdict(
            word="not enough data",
            reason=f"{estimate.n_events} events on {estimate.n_clusters} days; {MIN_EVENTS} on {MIN_CLUSTERS} are needed, both ways",
        )
    significant = q_value <= LEVEL
    if significant and estimate.effect < 0:
        return Verdict(word="does not hold", reason="the opposite holds: the effect is significantly negative")
    if significant:
        alike = [one.name for one in controls if one.decisive and not _beaten(one.difference)]
        if math.isnan(p_shifted):
            return Verdict(word="not enough data", reason="significant, but the span is too short for maps of other days")
        if p_shifted > LEVEL:
            alike.append("maps of other days")
        if not alike:
            return Verdict(word="holds", reason="significant, and better than every decisive control")
        return Verdict(word="does not hold", reason=f"not told from {' and '.join(alike)}")
    detectable = estimate.minimum_detectable_effect
    if detectable <= relevant:
        return Verdict(word="does not hold", reason=f"an effect of {_told(relevant, unit)} would have shown")
    return Verdict(
        word="not enough data", reason=f"only an effect of {_told(detectable, unit)} would have shown, {_told(relevant, unit)} would matter"
    )


def _beaten(difference: Estimate) -> bool:
    return difference.effect > 0 and difference.p_value / 2 <= LEVEL


def _told(effect: float, unit: str) -> str:
    return f"{100 * effect:.1f} points" if unit == "probability" else f"{effect:.1f} bps"

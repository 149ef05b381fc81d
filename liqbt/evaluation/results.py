"""What an evaluation found: an estimate for each hypothesis and each of its controls, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from liqbt._typing import Float64Array1D
from liqbt.evaluation.context import Context
from liqbt.evaluation.estimates import Estimate
from liqbt.evaluation.event_study import EventStudy
from liqbt.evaluation.hypotheses import Hypothesis
from liqbt.evaluation.outcomes import Outcomes
from liqbt.evaluation.verdicts import Verdict

__all__ = ["VERDICT_COLUMNS", "AblationResult", "ControlResult", "Evaluation", "HypothesisResult"]

VERDICT_COLUMNS: Final = (
    "hypothesis", "verdict", "reason", "unit", "effect", "ci_low", "ci_high", "p_value", "q_value", "n_events", "n_clusters",
    "minimum_detectable_effect", "effect_bps", "bps_ci_low", "bps_ci_high", "after_costs_bps", "p_bootstrap", "p_shifted_days",
)  # fmt: skip
"""Columns of `Evaluation.verdicts`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlResult:
    """How much better the hypothesis' events did than what stood in for them.

    name. decisive: whether the hypothesis must beat it. difference: of each event and the mean of its stand-ins, in the outcome's unit.
    stand_ins: effect of the stand-ins by themselves. n_matched: events that had any; the estimates know of no others.
    """

    name: str
    decisive: bool
    difference: Estimate
    stand_ins: Estimate
    n_matched: int


@dataclass(frozen=True, kw_only=True, eq=False)
class AblationResult:
    """The same claim without a part of the map. left: what is left. estimate: its effect. difference: of the map's effect and this one."""

    left: str
    estimate: Estimate
    difference: Estimate


@dataclass(frozen=True, kw_only=True, eq=False)
class HypothesisResult:
    """What came of one hypothesis.

    estimate: effect in the outcome's unit, against 0, which is what a martingale would give. bps: what a position earned on average,
    before costs. controls: what stood in. ablations: the claim without a part of the map. bootstrap: draws of the effect by the
    stationary bootstrap of days, shape (draws,); p_bootstrap: two-sided. shifted: the effect with the map moved by whole days, shape
    (shifts,); p_shifted: share of them at least as far from 0. q_value: Benjamini-Hochberg across the evaluation. study: the mean path of
    price around the events, None where none has a day before and after it recorded. verdict: what follows.
    """

    hypothesis: Hypothesis
    outcomes: Outcomes
    estimate: Estimate
    bps: Estimate
    controls: tuple[ControlResult, ...]
    ablations: tuple[AblationResult, ...]
    bootstrap: Float64Array1D
    p_bootstrap: float
    shifted: Float64Array1D
    p_shifted: float
    q_value: float
    study: EventStudy | None
    verdict: Verdict


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """Verdicts on hypotheses about one market.

    context: the market and its features. results: by name of the hypothesis. cost_bps: of a round trip, basis points.
    draws, seed: of bootstrap and controls. notes: what a reader must know. span: first and last instant at which events were looked for.
    """

    context: Context
    results: Mapping[str, HypothesisResult]
    cost_bps: float
    draws: int
    seed: int
    span: tuple[str, str]
    notes: tuple[str, ...] = field(default=())

    @property
    def verdicts(self) -> pd.DataFrame:
        """One row a hypothesis; columns are `VERDICT_COLUMNS`.

        effect, ci_*, minimum_detectable_effect: in `unit`, of which probability is points above one half. effect_bps, bps_*: what a
        position in the claim's direction earned before costs, after_costs_bps less a round trip's. q_value: Benjamini-Hochberg across rows.
        """
        return pd.DataFrame([self._row(one) for one in self.results.values()], columns=list(VERDICT_COLUMNS))

    @property
    def controls(self) -> pd.DataFrame:
        """One row a hypothesis and control: decisive, stand_ins (their effect), difference, ci_low, ci_high, p_value, n_matched."""
        rows = [
            (name, control.name, control.decisive, control.stand_ins.effect, control.difference.effect, control.difference.ci_low,
             control.difference.ci_high, control.difference.p_value, control.n_matched)
            for name, one in self.results.items()
            for control in one.controls
        ]  # fmt: skip
        names = ("hypothesis", "control", "decisive", "stand_ins", "difference", "ci_low", "ci_high", "p_value", "n_matched")
        return pd.DataFrame(rows, columns=list(names))

    @property
    def ablations(self) -> pd.DataFrame:
        """One row a hypothesis and what is left of the map: effect, difference (of the map's effect and this), ci_low, ci_high, p_value."""
        rows = [
            (name, part.left, part.estimate.effect, part.estimate.n_events, part.difference.effect, part.difference.ci_low,
             part.difference.ci_high, part.difference.p_value)
            for name, one in self.results.items()
            for part in one.ablations
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["hypothesis", "left", "effect", "n_events", "difference", "ci_low", "ci_high", "p_value"])

    def _row(self, one: HypothesisResult) -> tuple[object, ...]:
        estimate, bps = one.estimate, one.bps
        return (
            one.hypothesis.name, one.verdict.word, one.verdict.reason, one.hypothesis.outcome.unit, estimate.effect, estimate.ci_low,
            estimate.ci_high, estimate.p_value, one.q_value, estimate.n_events, estimate.n_clusters, estimate.minimum_detectable_effect,
            bps.effect, bps.ci_low, bps.ci_high, bps.effect - self.cost_bps, one.p_bootstrap, one.p_shifted,
        )  # fmt: skip

    def __repr__(self) -> str:
        said = ", ".join(f"{name}: {one.verdict.word}" for name, one in self.results.items())
        market = self.context.market
        return f"Evaluation({market.venue} {market.symbol} {market.interval}, {self.span[0]} to {self.span[1]}; {said})"

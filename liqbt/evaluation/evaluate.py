"""Evaluate hypotheses on a market: events, outcomes, controls, estimates, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from liqbt._time import DAY_NS, parse_instant
from liqbt._typing import IntArray1D, Progress
from liqbt.book.reconstruct import Reconstruction
from liqbt.errors import ConfigError
from liqbt.evaluation.ablations import ablations
from liqbt.evaluation.context import Context
from liqbt.evaluation.estimates import balanced_difference, balanced_mean, resampled_means
from liqbt.evaluation.event_study import event_study
from liqbt.evaluation.hypotheses import Control, Hypothesis, clusters_of, find_hypotheses, measure
from liqbt.evaluation.outcomes import Outcomes
from liqbt.evaluation.paired import paired_difference
from liqbt.evaluation.results import AblationResult, ControlResult, Evaluation, HypothesisResult
from liqbt.evaluation.shifts import shift_p_values, shift_test
from liqbt.evaluation.verdicts import UNKNOWN, judge
from liqbt.features import FeatureParams, build_features
from liqbt.inference.multiple import adjust_p_values
from liqbt.market import MarketFrame
from liqbt.scoring import Costs

__all__ = ["DRAWS", "evaluate"]

DRAWS: Final = 2_000


def evaluate(
    market: MarketFrame,
    book: Reconstruction,
    hypotheses: Sequence[str | Hypothesis] | None = None,
    *,
    features: FeatureParams | pd.DataFrame | None = None,
    costs: Costs | None = None,
    tuned_until: str | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Return a verdict on each hypothesis.

    book: reconstructed from this market. hypotheses: names, see `shipped_hypotheses`, or `Hypothesis` objects of one's own; None for
    all shipped. features: parameters, or what `build_features` gave. costs: `Costs.binance_usdm()` where None. tuned_until: instant up to
    which data helped to choose the leverage mix, thresholds or anything else; events before it do not count, and
    neither do those in the day after. draws: of the bootstrap. seed: of bootstrap and controls; same seed, same result.

    Raises ConfigError where the map explains too little to say anything, `tuned_until` leaves nothing, or parameters are out of range.
    """
    if book.market is not market:
        raise ConfigError("book: it is of another market; reconstruct it from the one that is given")
    if draws < 100:
        raise ConfigError(f"draws: {draws!r} must be at least 100")
    wanted = find_hypotheses(hypotheses)
    costs = Costs.binance_usdm() if costs is None else costs
    tell = progress or _silent
    if not isinstance(features, pd.DataFrame):
        features = build_features(book, features, progress=lambda share, what: tell(0.3 * share, what))
    context = Context(market=market, features=features, first_bar=_first_bar(market, tuned_until))
    cost_bps = 2e4 * (costs.taker_fee_rate + costs.slippage)
    measured = []
    for done, one in enumerate(wanted):
        tell(0.3 + 0.7 * done / len(wanted), one.name)
        # a stream of its own for each hypothesis, so that leaving one out leaves the others as they are
        measured.append(_measured(one, context, draws, np.random.default_rng([seed, *one.name.encode()])))
    q_values = adjust_p_values([found.estimate.p_value for found in measured]).q_value
    results = {}
    for one, q_value, found in zip(wanted, q_values, measured, strict=True):
        relevant = cost_bps if one.relevant is None else one.relevant
        verdict = judge(found.estimate, float(q_value), found.controls, found.p_shifted, relevant=relevant, unit=one.outcome.unit)
        results[one.name] = replace(found, q_value=float(q_value), verdict=verdict)
    tell(1.0, "evaluated")
    return Evaluation(
        context=context, results=results, cost_bps=cost_bps, draws=draws, seed=seed, notes=tuple(book.notes),
        span=(context.when(context.first_bar), market.span[1]),
    )  # fmt: skip


def _measured(one: Hypothesis, context: Context, draws: int, rng: np.random.Generator) -> HypothesisResult:
    """Return everything but what depends on the other hypotheses."""
    outcomes = measure(one, context)
    cluster, direction = clusters_of(one, context, outcomes), outcomes.events.direction
    estimate = balanced_mean(outcomes.value, direction, cluster)
    bootstrap = resampled_means(outcomes.value, direction, cluster, draws=draws, rng=rng)
    shifts = shift_test(one, context, outcomes)
    return HypothesisResult(
        hypothesis=one,
        outcomes=outcomes,
        estimate=estimate,
        bps=balanced_mean(outcomes.bps, direction, cluster),
        controls=tuple(_compared(control, one, context, outcomes, cluster, rng) for control in one.controls),
        ablations=tuple(_ablated(left, variant, context, outcomes, cluster) for left, variant in ablations(one).items()),
        bootstrap=bootstrap,
        p_bootstrap=shift_p_values(bootstrap - estimate.effect, estimate.effect)[1],
        shifted=shifts.means,
        p_shifted=shifts.p_two_sided,
        q_value=float("nan"),
        study=event_study(context, outcomes),
        verdict=UNKNOWN,
    )


def _ablated(left: str, variant: Hypothesis, context: Context, outcomes: Outcomes, cluster: IntArray1D) -> AblationResult:
    found = measure(variant, context)
    days = clusters_of(variant, context, found)
    return AblationResult(
        left=left,
        estimate=balanced_mean(found.value, found.events.direction, days),
        difference=balanced_difference((outcomes.value, found.value), (outcomes.events.direction, found.events.direction), (cluster, days)),
    )


def _compared(
    control: Control, one: Hypothesis, context: Context, outcomes: Outcomes, cluster: IntArray1D, rng: np.random.Generator
) -> ControlResult:
    found = one.outcome.measure(context, control.stand_ins(context, outcomes, rng))
    origin = found.events.origin
    count = np.bincount(origin, minlength=len(outcomes.events))
    matched = count > 0
    mean = np.bincount(origin, weights=found.value, minlength=count.size)[matched] / count[matched]
    direction = outcomes.events.direction[matched]
    return ControlResult(
        name=control.name,
        decisive=control.decisive,
        difference=paired_difference(
            outcomes.value, outcomes.events.direction, cluster, found.value, origin, clusters_of(one, context, found)
        ),
        stand_ins=balanced_mean(mean, direction, cluster[matched]),
        n_matched=int(matched.sum()),
    )


def _first_bar(market: MarketFrame, tuned_until: str | None) -> int:
    if tuned_until is None:
        return 0
    embargo = parse_instant(tuned_until, parameter="tuned_until") + DAY_NS
    first = int(np.searchsorted(market.timestamp, embargo))
    if first >= market.n_bars - 1:
        raise ConfigError(
            f"tuned_until: {tuned_until!r} and a day after it leave nothing of {market.span[0]} to {market.span[1]}; what tuned the "
            "parameters cannot judge them, so evaluate a later span"
        )
    return first


def _silent(_share: float, _what: str) -> None:
    pass

"""Does an effect survive reasonable changes? The same hypothesis over zone thresholds, horizons and leverage mixes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from liqbt._typing import Float64Array3D, Progress
from liqbt.book.params import LeverageMix
from liqbt.book.reconstruct import Reconstruction, reconstruct
from liqbt.errors import ConfigError
from liqbt.evaluation.context import Context
from liqbt.evaluation.estimates import Estimate, balanced_mean
from liqbt.evaluation.hypotheses import Hypothesis, clusters_of, find_hypotheses, measure
from liqbt.features import FeatureParams, build_features

__all__ = ["HORIZON_FACTORS", "THRESHOLDS", "RobustnessGrid", "robustness", "tilted_mixes"]

THRESHOLDS: Final = (0.3, 0.4, 0.5, 0.6, 0.7)
"""Zone thresholds on both sides of the default of `ZoneParams`."""

HORIZON_FACTORS: Final = (0.25, 0.5, 1.0, 2.0)
"""Horizons as multiples of the hypothesis' own."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RobustnessGrid:
    """Estimates of one hypothesis over reasonable choices.

    mixes, thresholds, horizons (hours): the axes. effect, standard_error, n_events: shape (n_mixes, n_thresholds, n_horizons), in the
    outcome's unit, NaN where there were too few events. Not a search: no cell is chosen, and p-values of cells mean nothing by themselves.
    """

    hypothesis: Hypothesis
    mixes: tuple[str, ...]
    thresholds: tuple[float, ...]
    horizons: tuple[float, ...]
    effect: Float64Array3D
    standard_error: Float64Array3D
    n_events: Float64Array3D

    @property
    def same_sign(self) -> float:
        """Share of cells, among those with an estimate, whose effect is positive."""
        known = self.effect[np.isfinite(self.effect)]
        return float((known > 0).mean()) if known.size else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Return one row a cell: mix, threshold, hours, effect, standard_error, n_events."""
        index = pd.MultiIndex.from_product((self.mixes, self.thresholds, self.horizons), names=["mix", "threshold", "hours"])
        columns = {name: getattr(self, name).ravel() for name in ("effect", "standard_error", "n_events")}
        return pd.DataFrame(columns, index=index).reset_index()


def tilted_mixes(mix: LeverageMix) -> dict[str, LeverageMix]:
    """Return the mix as it is, and tilted to low and to high leverage: weights times leverage to the power of -1 and 1."""
    tilts = {"low leverage": -1.0, "as assumed": 0.0, "high leverage": 1.0}
    pairs = list(zip(mix.leverage, mix.weights, strict=True))
    return {name: LeverageMix.of({lev: weight * lev**power for lev, weight in pairs}) for name, power in tilts.items()}


def robustness(
    book: Reconstruction,
    hypothesis: str | Hypothesis,
    *,
    features: FeatureParams | None = None,
    mixes: Mapping[str, LeverageMix] | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    horizon_factors: Sequence[float] = HORIZON_FACTORS,
    progress: Progress | None = None,
) -> RobustnessGrid:
    """Return the hypothesis' estimates over mixes, zone thresholds and horizons.

    mixes: by name; `tilted_mixes` of the book's where None. thresholds: of `ZoneParams`. horizon_factors: multiples of the outcome's hours.

    Raises ConfigError for an unknown hypothesis, and where none of a kind is given.
    """
    found = find_hypotheses([hypothesis])
    if len(found) != 1:
        raise ConfigError(f"hypothesis: {hypothesis!r} is several, {', '.join(one.name for one in found)}; name one")
    (one,) = found
    features = features or FeatureParams()
    mixes = tilted_mixes(book.mix) if mixes is None else mixes
    if not (mixes and thresholds and horizon_factors):
        raise ConfigError("robustness: mixes, thresholds and horizon_factors must each have at least one entry")
    horizons = [one.outcome.hours * factor for factor in horizon_factors]
    rows = []
    for done, mix in enumerate(mixes.values()):
        other = book if mix == book.mix else reconstruct(book.market, mix, book.params)
        for step, threshold in enumerate(thresholds):
            if progress is not None:
                progress((done + step / len(thresholds)) / len(mixes), f"robustness of {one.name}")
            built = build_features(other, replace(features, zones=replace(features.zones, threshold=threshold)))
            context = Context(market=book.market, features=built)
            rows += [_estimated(replace(one, outcome=replace(one.outcome, hours=hours)), context) for hours in horizons]  # type: ignore[type-var]
    shape = (len(mixes), len(thresholds), len(horizons))
    return RobustnessGrid(
        hypothesis=one,
        mixes=tuple(mixes),
        thresholds=tuple(thresholds),
        horizons=tuple(horizons),
        effect=np.array([row.effect for row in rows]).reshape(shape),
        standard_error=np.array([row.standard_error for row in rows]).reshape(shape),
        n_events=np.array([float(row.n_events) for row in rows]).reshape(shape),
    )


def _estimated(one: Hypothesis, context: Context) -> Estimate:
    outcomes = measure(one, context)
    return balanced_mean(outcomes.value, outcomes.events.direction, clusters_of(one, context, outcomes))

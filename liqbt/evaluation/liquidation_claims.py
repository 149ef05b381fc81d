"""What is claimed for the map, and how it stands: one forecast against another, in nats an event."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.special import ndtri

from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.evaluation.estimates import CONFIDENCE, POWER
from liqbt.evaluation.liquidation_cells import LiquidationCells
from liqbt.evaluation.liquidation_forecasts import Baseline, Given
from liqbt.evaluation.liquidation_measures import log_likelihood_gain
from liqbt.evaluation.liquidation_tables import Forecasts, Sample, day_of, rescaled
from liqbt.evaluation.verdicts import LEVEL, MIN_CLUSTERS, Word
from liqbt.inference.blocks import automatic_block_length
from liqbt.inference.bootstrap import bootstrap_ratio
from liqbt.inference.multiple import adjust_p_values

__all__ = ["Claim", "claims_for", "comparison_table"]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """That `forecast` knows more than `against`. words: what that would mean. regions: where it is asked; None for all of them."""

    given: Given
    words: str
    forecast: str
    against: str
    regions: tuple[str, ...] | None = None


def claims_for(baseline: Baseline) -> tuple[Claim, ...]:
    """Return the claims.

    Fixed before any data was seen, but for that of the map of a day before: its first form failed on simulated markets on which the map
    did rank liquidations, so fresh extremes were given slopes of their own. On recordings of 2024 it is no test set beforehand.
    """
    plus = f"{baseline}+"
    return (
        Claim(given="range", words="the map beats price alone", forecast="map", against=baseline),
        Claim(given="range", words="the map adds to price", forecast=f"{plus}map", against=baseline),
        Claim(
            given="range", words="this day's map adds more than another's", forecast=f"{plus}carried map", against=f"{plus}other day's map"
        ),
        Claim(
            given="range", words="far levels add to near ones", forecast=f"{plus}near+far map", against=f"{plus}near map"
        ),
        Claim(
            given="range", words="the map of a day before adds to price", forecast=f"{plus}fresh+day-old map", against=f"{plus}fresh",
            regions=("fresh",),
        ),
        Claim(given="past", words="the map adds to volatility", forecast="volatility+map", against="volatility"),
        Claim(
            given="past", words="this day's map adds more than another's", forecast="volatility+map", against="volatility+other day's map"
        ),
    )  # fmt: skip


_COLUMNS: Final = (
    "given", "claim", "region", "days", "rescaled", "forecast", "against", "n_cells", "n_days", "gain", "ci_low", "ci_high", "p_value",
    "minimum_detectable_gain",
)  # fmt: skip


def comparison_table(
    cells: LiquidationCells,
    forecasts: Forecasts,
    samples: tuple[Sample, ...],
    claims: tuple[Claim, ...],
    *,
    relevant: float,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Return one row a claim, sample and scaling; see `LiquidationSkill.comparisons`. relevant: gain an event that would matter, nats."""
    rows = []
    for claim in claims:
        pair = [forecasts.get((claim.given, name)) for name in (claim.forecast, claim.against)]
        for sample in samples:
            if sample.given != claim.given or (claim.regions is not None and sample.region not in claim.regions):
                continue
            recorded, day = cells.recorded[sample.cells], day_of(cells)[sample.cells]
            means = [one.mean[sample.cells] for one in pair if one is not None]
            if len(means) < 2:
                continue
            for scaled in (False, True):
                mean, other = [rescaled(one, recorded) for one in means] if scaled else means
                rows.append(
                    (claim.given, claim.words, sample.region, sample.days, scaled, claim.forecast, claim.against, recorded.size,
                     int(np.unique(day).size), *_compared(recorded, mean, other, day, draws, seed))
                )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table["q_value"] = table.groupby(["days", "rescaled"])["p_value"].transform(lambda p: adjust_p_values(p).q_value)
    judged = zip(table["gain"], table["ci_high"], table["q_value"], strict=True)
    table["verdict"] = [_verdict(*numbers, relevant) for numbers in judged]
    return table


def _compared(
    recorded: Float64Array1D, mean: Float64Array1D, other: Float64Array1D, day: IntArray1D, draws: int, seed: int
) -> tuple[float, float, float, float, float]:
    """Return the information gain an event, its interval and p-value, and the least gain that would have shown; the latter may be NaN."""
    likelihood = log_likelihood_gain(recorded, mean, other)
    gained = float(likelihood.sum() / recorded.sum())
    if np.unique(day).size < MIN_CLUSTERS:
        return gained, math.nan, math.nan, math.nan, math.nan
    # long blocks of few days leave draws of a single block, whose standard error is 0
    by_day = np.bincount(day - day.min(), weights=likelihood - gained * recorded)
    length = max(1.0, min(automatic_block_length(by_day), by_day.size / MIN_CLUSTERS))
    one = bootstrap_ratio(likelihood, recorded, day, confidence=CONFIDENCE, draws=draws, block_length=length, seed=seed)
    detectable = float(ndtri(0.5 + CONFIDENCE / 2) + ndtri(POWER)) * one.standard_error
    return one.estimate, one.ci_low, one.ci_high, one.p_value, detectable


def _verdict(gained: float, ci_high: float, q_value: float, relevant: float) -> Word:
    """Return what follows: a gain that is significant holds; one that is ruled out, or significantly negative, does not."""
    if math.isnan(q_value):
        return "not enough data"
    if gained > 0 and q_value <= LEVEL:
        return "holds"
    return "does not hold" if ci_high < relevant or (gained < 0 and q_value <= LEVEL) else "not enough data"

"""How much better counts are forecast than by something simpler: Poisson deviance explained, and information gained per event.

References: McCullagh & Nelder (1989), "Generalized Linear Models", for the deviance; Rhoades, Schorlemmer, Gerstenberger,
Christophersen, Zechar & Imoto (2011), "Efficient testing of earthquake forecasting models", Acta Geophysica 59(4), for the T-test
and the W-test.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import finite, same_length, share_inside
from liqbt.inference.clusters import ClusteredEstimate, clustered_mean

__all__ = ["InformationGain", "deviance_explained", "information_gain", "mean_poisson_deviance", "poisson_deviances"]


def poisson_deviances(observed: Any, expected: Any) -> Float64Array1D:
    """Return what each count adds to the Poisson deviance: 2 (y ln(y / m) - y + m), 2 m where y is 0; shape (n,).

    observed: at least 0, whole or not (amounts may be scored as counts are). expected: above 0. Sums of these by day are what
    `bootstrap_ratio` takes for an interval of the deviance explained. Raises ConfigError for broken or negative numbers.
    """
    y, m = _counts(observed, expected)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(2.0 * (np.where(y > 0, y * np.log(y / m), 0.0) - y + m))


def mean_poisson_deviance(observed: Any, expected: Any) -> float:
    """Return the mean of `poisson_deviances`: 1.4260 for observed 2, 0, 1, 4 and expected .5, .5, 2, 2."""
    return float(poisson_deviances(observed, expected).mean())


def deviance_explained(observed: Any, expected: Any, baseline: Any = None) -> float:
    """Return the share of Poisson deviance that a forecast explains: 1 - deviance / deviance of the baseline.

    baseline: shape (n,), expected counts of something simpler; left out, the mean of what was observed (sklearn's
    `d2_tweedie_score` of power 1). 1 is perfect, 0 no better than the baseline, negative worse. NaN where the baseline is perfect.
    Raises ConfigError as `poisson_deviances` does.
    """
    y = finite("observed", observed)
    simple = np.full(y.size, y.mean()) if baseline is None else baseline
    if baseline is None and y.sum() == 0:
        return math.nan
    missed = float(poisson_deviances(y, simple).sum())
    return 1.0 - float(poisson_deviances(y, expected).sum()) / missed if missed > 0 else math.nan


@dataclass(frozen=True, kw_only=True)
class InformationGain:
    """By how much the logarithm of the likelihood rises per event over a baseline: e**gain is the gain in probability per event.

    gain, ci_low, ci_high, standard_error: nats per event. p_value: two-sided t test of no gain, of n_events - 1 degrees of freedom,
    or of the clusters. p_value_ranks: Wilcoxon's signed ranks (W-test), which takes events as independent. clustered: the same
    mean with errors by cluster, if clusters were given.
    """

    gain: float
    standard_error: float
    ci_low: float
    ci_high: float
    p_value: float
    p_value_ranks: float
    n_events: int
    clustered: ClusteredEstimate | None


def information_gain(
    rate: Any, baseline_rate: Any, *, total: float, baseline_total: float, cluster: Any = None, confidence: float = 0.95
) -> InformationGain:
    """Return the information gained per event over a baseline, with the T-test and the W-test.

    rate, baseline_rate: shape (n_events,), above 0, what each forecast expected in the cell where each event fell. total,
    baseline_total: events that each expected in all cells. Σ ln(rate / baseline) / n - (total - baseline_total) / n: Rhoades et
    al. (2011), equations 17 and 18 with the variance of the mean of the log ratios. cluster: shape (n_events,), days, for then
    the t test and the interval are clustered. Raises ConfigError for less than two events or rates that are not above 0.
    """
    from scipy.stats import wilcoxon

    ours, simple = finite("rate", rate, at_least=2), finite("baseline_rate", baseline_rate, at_least=2)
    same_length(rate=ours, baseline_rate=simple)
    if ours.min() <= 0 or simple.min() <= 0 or not (total > 0 and baseline_total > 0):
        raise ConfigError("rate, baseline_rate: must be above 0 wherever an event fell, and so must the totals; add a background")
    n = ours.size
    gains = np.log(ours / simple) - (total - baseline_total) / n
    share_inside("confidence", confidence)
    if cluster is None:
        error, degrees, clustered = float(gains.std(ddof=1)) / math.sqrt(n), n - 1, None
    else:
        clustered = clustered_mean(gains, cluster, confidence=confidence)
        error, degrees = clustered.standard_error, clustered.degrees
    gain, reach = float(gains.mean()), float(stdtrit(degrees, 0.5 + confidence / 2)) * error
    moved = bool((gains != 0).any())
    return InformationGain(
        gain=gain,
        standard_error=error,
        ci_low=gain - reach,
        ci_high=gain + reach,
        p_value=float(2 * stdtr(degrees, -abs(gain) / error)) if error > 0 else float(gain == 0),
        p_value_ranks=float(wilcoxon(gains).pvalue) if moved else 1.0,
        n_events=n,
        clustered=clustered,
    )


def _counts(observed: Any, expected: Any) -> tuple[Float64Array1D, Float64Array1D]:
    y, m = finite("observed", observed), finite("expected", expected)
    same_length(observed=y, expected=m)
    if y.min() < 0:
        raise ConfigError(f"observed: {y.min():g} is negative; counts are not")
    if m.min() <= 0:
        raise ConfigError(f"expected: {m.min():g} is not above 0; add a background, for a forecast of nothing cannot be scored")
    return y, m

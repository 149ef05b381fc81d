"""How large an effect is, and how sure: means that a drift of price cannot move, with errors clustered by day."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import t as student

from liqbt._typing import Float64Array1D, IntArray1D

__all__ = ["CONFIDENCE", "POWER", "Estimate", "balanced_difference", "balanced_mean", "from_error", "resampled_means"]

CONFIDENCE: Final = 0.95
POWER: Final = 0.8
"""Power at which the smallest detectable effect is stated, by convention."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """An effect in some unit, its standard error, interval and two-sided p-value against 0.

    n_events; n_clusters: independent clusters, such as days. minimum_detectable_effect: the smallest true effect that a sample
    like this one shows with 80 % power at the 5 % level. All but the counts are NaN where they cannot be told.
    """

    effect: float
    standard_error: float
    ci_low: float
    ci_high: float
    p_value: float
    n_events: int
    n_clusters: int
    minimum_detectable_effect: float


def balanced_mean(values: Float64Array1D, direction: IntArray1D, cluster: IntArray1D) -> Estimate:
    """Return the mean of upward claims and the mean of downward claims, averaged: a drift adds to one what it takes from the other.

    values, direction (+1, -1), cluster (any numbers): shape (n_events,). The standard error is the cluster jackknife (CV3 of MacKinnon,
    Nielsen & Webb 2023, "Cluster-robust inference: a guide to empirical practice", Journal of Econometrics 232), which stays honest with
    few and unequal clusters; interval and p-value are Student's t with one degree of freedom less than clusters.

    NaN where claims of one direction are missing, or all of one direction's lie in one cluster.
    """
    clusters = np.unique(cluster)
    effect, left_out = _left_out(values, direction, np.searchsorted(clusters, cluster), clusters.size)
    return _jackknifed(effect, left_out, n_events=values.size)


def balanced_difference(
    values: tuple[Float64Array1D, Float64Array1D], direction: tuple[IntArray1D, IntArray1D], cluster: tuple[IntArray1D, IntArray1D]
) -> Estimate:
    """Return the balanced mean of the first events less that of the second, other events of the same market.

    Clusters of equal number are left out of both together, so what they share does not count twice. n_events are the first's.
    """
    clusters = np.unique(np.concatenate(cluster))
    parts = [_left_out(v, d, np.searchsorted(clusters, c), clusters.size) for v, d, c in zip(values, direction, cluster, strict=True)]
    return _jackknifed(parts[0][0] - parts[1][0], parts[0][1] - parts[1][1], n_events=values[0].size)


def _left_out(values: Float64Array1D, direction: IntArray1D, group: IntArray1D, n_clusters: int) -> tuple[float, Float64Array1D]:
    """Return the balanced mean, and what it is without each cluster, shape (n_clusters,); NaN where a direction is missing."""
    up = direction > 0
    counts = np.stack([np.bincount(group[side], minlength=n_clusters) for side in (up, ~up)])
    sums = np.stack([np.bincount(group[side], weights=values[side], minlength=n_clusters) for side in (up, ~up)])
    total, count = sums.sum(axis=1), counts.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        without = (total[:, None] - sums) / (count[:, None] - counts)
        without[count[:, None] == counts] = np.nan
        return float(np.mean(np.where(count > 0, total / count, np.nan))), np.mean(without, axis=0)


def _jackknifed(effect: float, left_out: Float64Array1D, *, n_events: int) -> Estimate:
    n_clusters = left_out.size
    if n_clusters < 2 or np.isnan(left_out).any():
        unknown = dict.fromkeys(("standard_error", "ci_low", "ci_high", "p_value", "minimum_detectable_effect"), math.nan)
        return Estimate(effect=effect, n_events=n_events, n_clusters=n_clusters, **unknown)
    error = math.sqrt((n_clusters - 1) / n_clusters * float(np.sum((left_out - effect) ** 2)))
    return from_error(effect, error, n_events=n_events, n_clusters=n_clusters)


def from_error(effect: float, error: float, *, n_events: int, n_clusters: int) -> Estimate:
    """Return the estimate of an effect with a standard error, by Student's t with one degree of freedom less than clusters."""
    law = student(n_clusters - 1)
    half = float(law.ppf(0.5 + CONFIDENCE / 2)) * error
    return Estimate(
        effect=effect,
        standard_error=error,
        ci_low=effect - half,
        ci_high=effect + half,
        p_value=float(2 * law.sf(abs(effect) / error)) if error > 0 else math.nan,
        n_events=n_events,
        n_clusters=n_clusters,
        minimum_detectable_effect=half + float(law.ppf(POWER)) * error,
    )


def resampled_means(
    values: Float64Array1D, direction: IntArray1D, cluster: IntArray1D, *, draws: int, rng: np.random.Generator
) -> Float64Array1D:
    """Return the balanced mean of `draws` stationary bootstrap samples of clusters, shape (draws,), NaN where one lacks a direction.

    Clusters are drawn in blocks of geometric length, whose mean is the cube root of their number (the rate of Politis & Romano 1994, "The
    stationary bootstrap", Journal of the American Statistical Association 89), so that what hangs together across days stays together.
    """
    _, group = np.unique(cluster, return_inverse=True)
    n_clusters = int(group.max()) + 1 if group.size else 0
    if n_clusters < 2:
        return np.full(draws, np.nan)
    block = max(1.0, n_clusters ** (1 / 3))
    begins = rng.random((draws, n_clusters)) < 1 / block
    begins[:, 0] = True
    starts = rng.integers(0, n_clusters, (draws, n_clusters))
    place = np.arange(n_clusters)
    last_start = np.maximum.accumulate(np.where(begins, place, 0), axis=1)
    drawn = (np.take_along_axis(starts, last_start, axis=1) + place - last_start) % n_clusters
    times = np.stack([np.bincount(row, minlength=n_clusters) for row in drawn])  # how often each cluster was drawn
    means = []
    for side in (direction > 0, direction <= 0):
        sums = np.bincount(group[side], weights=values[side], minlength=n_clusters)
        counts = np.bincount(group[side], minlength=n_clusters)
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append((times @ sums) / (times @ counts))
    return np.asarray(0.5 * (means[0] + means[1]))

"""What a sample could have shown: power, the smallest effect found with 80 % power, and how many events that takes.

Every verdict of no effect is worth as much as this. All tests are two-sided. Events that resemble each other within a day are
worth fewer independent ones: Kish's design effect says how many.

References: Kish (1965), "Survey Sampling", for the design effect; Schoenfeld (1981), Biometrika 68, for the log-rank test;
statsmodels for the t test and for shares (pooled variance under the null, as Fleiss, Levin & Paik 2003, section 4.2).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from scipy.special import chdtr, ncfdtr, ndtr, ndtri, stdtrit

from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import above_zero, at_least, codes_of, finite, share_inside

__all__ = [
    "TARGET",
    "design_effect",
    "intraclass_correlation",
    "power_of_hazard_ratio",
    "power_of_mean",
    "power_of_share",
    "required_clusters",
    "required_events",
    "required_touches",
    "smallest_hazard_ratio",
    "smallest_mean",
    "smallest_share_difference",
]

TARGET: Final = 0.8
"""Power at which an effect counts as one that the sample would have shown: Cohen's convention."""

_FAR = 37.0  # standard errors
_FARTHEST = 1e3  # standard errors; beyond, power is 1 even with two clusters


def intraclass_correlation(values: Any, cluster: Any) -> float:
    """Return how alike events of one cluster are: 0 as strangers, 1 identical; the analysis-of-variance estimate, at least 0.

    values, cluster: shape (n_events,). NaN where every cluster has a single event, or values never vary. Donner (1986),
    International Statistical Review 54, equation 2.1. Raises ConfigError for values that are not finite or labels that do not fit.
    """
    numbers = finite("values", values, at_least=2)
    codes, count = codes_of("cluster", cluster, numbers.size)
    sizes = np.bincount(codes, minlength=count).astype(np.float64)
    means = np.bincount(codes, weights=numbers, minlength=count) / sizes
    if count < 2 or count == numbers.size:
        return math.nan
    between = float((sizes * (means - numbers.mean()) ** 2).sum()) / (count - 1)
    within = float(((numbers - means[codes]) ** 2).sum()) / (numbers.size - count)
    usual = (numbers.size - float((sizes**2).sum()) / numbers.size) / (count - 1)
    spread = between + (usual - 1) * within
    return max(0.0, (between - within) / spread) if spread > 0 else math.nan


def design_effect(cluster_sizes: Any, correlation: float) -> float:
    """Return by how much the variance of a mean exceeds that of as many independent events: 1 + (Σ n² / Σ n - 1) correlation.

    cluster_sizes: shape (n_clusters,), events in each. correlation: within clusters, 0 to 1. Raises ConfigError outside that.
    """
    sizes = finite("cluster_sizes", cluster_sizes)
    if sizes.min() <= 0 or not 0 <= correlation <= 1:
        raise ConfigError(f"correlation: {correlation!r} must be from 0 to 1, and every cluster must have events")
    return 1.0 + (float((sizes**2).sum() / sizes.sum()) - 1.0) * correlation


def power_of_mean(effect: Any, *, standard_error: float, n_clusters: int, level: float = 0.05) -> Float64Array1D:
    """Return the chance that a mean which is truly `effect` away from the null is told from it by a clustered t test.

    effect: any shape, in the unit of the standard error. Noncentral t with G - 1 degrees of freedom. Raises ConfigError for a
    standard error not above 0 or less than two clusters.
    """
    away = np.minimum(np.abs(np.asarray(effect, dtype=np.float64)) / above_zero("standard_error", standard_error), _FARTHEST)
    degrees = at_least("n_clusters", n_clusters, 2) - 1
    critical = float(stdtrit(degrees, 1 - share_inside("level", level) / 2))
    # the square of a noncentral t is a noncentral F; far out, where its terms underflow, only the error's own error matters
    near = 1.0 - ncfdtr(1, degrees, np.minimum(away, _FAR) ** 2, critical**2)
    return np.asarray(np.where(away > _FAR, chdtr(degrees, degrees * (away / critical) ** 2), near))


def smallest_mean(*, standard_error: float, n_clusters: int, level: float = 0.05, power: float = TARGET) -> float:
    """Return the smallest distance from the null that `power_of_mean` finds with chance `power`; infinite if none is."""
    error = above_zero("standard_error", standard_error)
    return error * _smallest(
        lambda away: float(power_of_mean(away, standard_error=1.0, n_clusters=n_clusters, level=level)), power, _FARTHEST
    )


def required_clusters(effect: float, *, deviation: float, level: float = 0.05, power: float = TARGET) -> int:
    """Return how many clusters it takes to find `effect`; statsmodels' `TTestPower`.

    deviation: standard deviation of what one cluster says, that is the clustered standard error times the root of the number of
    clusters that it came from. Raises ConfigError for an effect of 0 or a deviation not above 0.
    """
    from statsmodels.stats.power import TTestPower

    size = above_zero("effect", abs(effect)) / above_zero("deviation", deviation)
    if size > 10:  # found by two clusters whatever the rest; the solver does not go there
        return 2
    found = TTestPower().solve_power(effect_size=size, alpha=share_inside("level", level), power=share_inside("power", power))
    return max(2, math.ceil(float(np.ravel(found)[0]) - 1e-9))


def power_of_share(
    difference: Any, *, share: float, n_events: float, n_others: float = math.inf, design: float = 1.0, level: float = 0.05
) -> Float64Array1D:
    """Return the chance to tell a share that is `difference` above (or below) `share` from it.

    difference: any shape; share + difference must lie between 0 and 1. n_events: events of the group in question. n_others: events
    that `share` was estimated from; infinite for a share known from theory, such as the first touch of a martingale. design: design
    effect by which all counts are divided. Normal approximation. Raises ConfigError for shares outside 0 to 1 or counts not above 0.
    """
    null = share_inside("share", share)
    true = null + np.asarray(difference, dtype=np.float64)
    if ((true < 0) | (true > 1)).any():
        raise ConfigError(f"difference: {share!r} plus it must stay between 0 and 1")
    if not (n_events > 0 and n_others > 0 and design >= 1):
        raise ConfigError(f"n_events, n_others, design: {n_events!r}, {n_others!r}, {design!r} must be above 0, design at least 1")
    ratio = n_events / n_others
    pooled = (true * ratio + null) / (ratio + 1)
    if_null = np.sqrt(pooled * (1 - pooled) * (1 + ratio) * design / n_events)
    if_true = np.sqrt((true * (1 - true) + null * (1 - null) * ratio) * design / n_events)
    critical = float(ndtri(1 - share_inside("level", level) / 2)) * if_null
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(ndtr((np.abs(true - null) - critical) / if_true) + ndtr((-np.abs(true - null) - critical) / if_true))


def smallest_share_difference(
    *, share: float, n_events: float, n_others: float = math.inf, design: float = 1.0, level: float = 0.05, power: float = TARGET
) -> float:
    """Return the smallest increase over `share` that `power_of_share` finds with chance `power`; infinite if none below 1 is."""

    def found(difference: float) -> float:
        return float(power_of_share(difference, share=share, n_events=n_events, n_others=n_others, design=design, level=level))

    return _smallest(found, power, 1.0 - share_inside("share", share) - 1e-9)


def required_events(
    difference: float, *, share: float, others_per_event: float = math.inf, design: float = 1.0, level: float = 0.05, power: float = TARGET
) -> int:
    """Return how many events of the group in question it takes to find a share that is `difference` away from `share`.

    others_per_event: events that `share` is estimated from, for each event; infinite for a share known from theory. The other
    parameters and errors as in `power_of_share`; .5 against .6 with as many others takes 388, against a known .5 it takes 194.
    """
    null, true = share_inside("share", share), share + difference
    if not (0 < true < 1 and difference != 0):
        raise ConfigError(f"difference: {difference!r} must not be 0, and {share!r} plus it must lie between 0 and 1")
    if not (others_per_event > 0 and design >= 1):
        raise ConfigError(f"others_per_event, design: {others_per_event!r}, {design!r} must be above 0, design at least 1")
    ratio = 1.0 / others_per_event
    pooled = (true * ratio + null) / (ratio + 1)
    if_null = math.sqrt(pooled * (1 - pooled) * (1 + ratio))
    if_true = math.sqrt(true * (1 - true) + null * (1 - null) * ratio)
    reach = float(ndtri(1 - share_inside("level", level) / 2)) * if_null + float(ndtri(share_inside("power", power))) * if_true
    return math.ceil(design * (reach / difference) ** 2 - 1e-9)


def power_of_hazard_ratio(
    ratio: Any, *, n_touches: float, treated_share: float = 0.5, design: float = 1.0, level: float = 0.05
) -> Float64Array1D:
    """Return the chance that a log-rank test finds a hazard ratio: |ln ratio| √(touches p (1 - p) / design) standard errors.

    ratio: any shape, above 0. n_touches: touches in both groups, censored ones do not count. treated_share: of levels, p.
    Schoenfeld (1981). Raises ConfigError for a ratio or a number not above 0.
    """
    share = share_inside("treated_share", treated_share)
    rates = np.asarray(ratio, dtype=np.float64)
    if not (np.isfinite(rates) & (rates > 0)).all() or design < 1:
        raise ConfigError(f"ratio, design: ratios must be above 0 and the design effect, {design!r}, at least 1")
    away = np.abs(np.log(rates)) * math.sqrt(above_zero("n_touches", n_touches) * share * (1 - share) / design)
    critical = float(ndtri(1 - share_inside("level", level) / 2))
    return np.asarray(ndtr(away - critical) + ndtr(-away - critical))


def smallest_hazard_ratio(
    *, n_touches: float, treated_share: float = 0.5, design: float = 1.0, level: float = 0.05, power: float = TARGET
) -> float:
    """Return the smallest hazard ratio above 1 that `power_of_hazard_ratio` finds with chance `power`; its inverse is found as well."""

    def found(log_ratio: float) -> float:
        ratio = math.exp(log_ratio)
        return float(power_of_hazard_ratio(ratio, n_touches=n_touches, treated_share=treated_share, design=design, level=level))

    return math.exp(_smallest(found, power, 500.0))


def required_touches(ratio: float, *, treated_share: float = 0.5, design: float = 1.0, level: float = 0.05, power: float = TARGET) -> int:
    """Return how many touches a log-rank test needs: design (z_level + z_power)² / (p (1 - p) ln² ratio), rounded up.

    Schoenfeld (1981); a ratio of 2 at the defaults takes 66. Raises ConfigError for a ratio of 1 or not above 0.
    """
    share = share_inside("treated_share", treated_share)
    away = above_zero("ln ratio", abs(math.log(above_zero("ratio", ratio))))
    need = float(ndtri(1 - share_inside("level", level) / 2) + ndtri(share_inside("power", power)))
    return math.ceil(design * need**2 / (share * (1 - share) * away**2) - 1e-9)


def _smallest(found: Callable[[float], float], power: float, farthest: float) -> float:
    from scipy.optimize import brentq

    if found(farthest) < share_inside("power", power):
        return math.inf
    return float(brentq(lambda effect: found(effect) - power, 0.0, farthest, xtol=1e-12)) if found(0.0) < power else 0.0

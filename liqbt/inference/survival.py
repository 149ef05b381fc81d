"""Time until price touches a level, where some levels are not touched before the record, or the patience, ends.

References: Kaplan & Meier (1958), JASA 53; Aalen & Johansen (1978), Scandinavian Journal of Statistics 5, for two levels of which
one is touched first.
Censoring must not depend on what would have happened next: a fixed horizon and the end of the record do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import above_zero, finite, share_inside, watched

__all__ = [
    "IncidenceCurve",
    "RestrictedMean",
    "SurvivalCurve",
    "cumulative_incidence",
    "kaplan_meier",
    "restricted_mean",
]


@dataclass(frozen=True, kw_only=True, eq=False)
class SurvivalCurve:
    """Share of levels not touched yet, at each time at which one was. All of shape (n_times,), times in the caller's unit.

    survival: Kaplan & Meier. standard_error: Greenwood. ci_low, ci_high: pointwise, from the complementary log-log. All three
    treat events as independent. at_risk: levels watched just before. touched: levels touched then. last: longest time watched.
    """

    time: Float64Array1D
    survival: Float64Array1D
    standard_error: Float64Array1D
    ci_low: Float64Array1D
    ci_high: Float64Array1D
    at_risk: IntArray1D
    touched: IntArray1D
    last: float

    def at(self, time: Any) -> Float64Array1D:
        """Return the share not touched up to and including each of `time`; NaN beyond the last time watched, if any was left then."""
        asked = np.asarray(time, dtype=np.float64)
        steps = np.append(1.0, self.survival)[np.searchsorted(self.time, asked, side="right")]
        return np.where((asked > self.last) & (steps > 0), np.nan, steps)


@dataclass(frozen=True, kw_only=True, eq=False)
class IncidenceCurve:
    """Share of pairs of which each level was touched first by then, over times; `incidence`, `standard_error` (n_times, n_causes).

    Errors treat events as independent, and are NaN from where nobody is left.
    """

    time: Float64Array1D
    incidence: Float64Array1D
    standard_error: Float64Array1D


@dataclass(frozen=True, kw_only=True)
class RestrictedMean:
    """Mean time until the touch, or `horizon` where it comes later; time's unit."""

    mean: float
    standard_error: float
    horizon: float


def kaplan_meier(time: Any, touched: Any, *, confidence: float = 0.95) -> SurvivalCurve:
    """Return the survival curve of levels; statsmodels' `SurvfuncRight`.

    time: shape (n_levels,), until the touch, or until nobody watched any more. touched: shape (n_levels,), booleans, which of the
    two. Raises ConfigError for negative times, flags that are no booleans, or no touch at all.
    """
    from statsmodels.duration.survfunc import SurvfuncRight

    span, event = watched(time, touched)
    if not event.any():
        raise ConfigError("touched: no level was; a curve needs at least one")
    found = SurvfuncRight(span, event.astype(np.int64))
    survival = np.asarray(found.surv_prob, dtype=np.float64)
    error = np.asarray(found.surv_prob_se, dtype=np.float64)
    z = float(ndtri(0.5 + share_inside("confidence", confidence) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.exp(z * error / np.abs(survival * np.log(survival)))
        low, high = survival**reach, survival ** (1 / reach)
    inner = (survival > 0) & (survival < 1)
    return SurvivalCurve(
        time=np.asarray(found.surv_times, dtype=np.float64),
        survival=survival,
        standard_error=np.where(survival > 0, error, np.nan),
        ci_low=np.where(inner, low, survival),
        ci_high=np.where(inner, high, survival),
        at_risk=np.asarray(found.n_risk, dtype=np.int64),
        touched=np.asarray(found.n_events, dtype=np.int64),
        last=float(span.max()),
    )


def cumulative_incidence(time: Any, first: Any) -> IncidenceCurve:
    """Return how often each of several levels was touched first by then; statsmodels' `CumIncidenceRight` (Aalen & Johansen).

    time: shape (n_events,). first: shape (n_events,), 0 where none was touched while watched, else 1, 2, ... for the level that
    was. One minus Kaplan & Meier for one level would count those events on whose way the other was met, and is too much.
    Raises ConfigError for broken input, or a level that is never touched first.
    """
    from statsmodels.duration.survfunc import CumIncidenceRight

    span, cause = finite("time", time), np.asarray(first)
    causes = np.unique(cause[cause > 0]) if cause.shape == span.shape and cause.dtype.kind in "iu" else np.empty(0)
    if span.min() < 0 or causes.size == 0 or cause.min() < 0 or causes.size != causes.max():
        raise ConfigError("first: must be 0 for none, else 1, 2, ... without gaps, one an event, and times not negative")
    with np.errstate(divide="ignore", invalid="ignore"):  # its errors divide by who is left, at the last time nobody
        found = CumIncidenceRight(span, cause)
    return IncidenceCurve(
        time=np.asarray(found.times, dtype=np.float64),
        incidence=np.column_stack(found.cinc),
        standard_error=np.column_stack(found.cinc_se),
    )


def restricted_mean(curve: SurvivalCurve, horizon: float) -> RestrictedMean:
    """Return the area below a survival curve up to `horizon`: the mean time spent waiting, if nobody waits longer.

    Variance Σ (area beyond t)² d / (n (n - d)) over touches up to the horizon: Klein & Moeschberger (2003), "Survival Analysis",
    section 4.5. Raises ConfigError for a horizon not above 0, or beyond what the curve knows.
    """
    if above_zero("horizon", horizon) > curve.last and curve.survival[-1] > 0:
        raise ConfigError(f"horizon: {horizon!r} is beyond the last time watched, {curve.last:g}, with levels still untouched")
    inside = curve.time < horizon
    edges = np.concatenate(([0.0], curve.time[inside], [horizon]))
    areas = np.diff(edges) * np.append(1.0, curve.survival[inside])
    beyond = np.cumsum(areas[::-1])[::-1][1:]
    risk, events = curve.at_risk[inside].astype(np.float64), curve.touched[inside]
    left = risk > events  # where all were touched nothing lies beyond
    variance = float((beyond[left] ** 2 * events[left] / (risk[left] * (risk - events)[left])).sum())
    return RestrictedMean(mean=float(areas.sum()), standard_error=math.sqrt(variance), horizon=float(horizon))

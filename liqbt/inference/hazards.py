"""Whether the levels of one group are touched faster than those of another.

References: Mantel (1966) for the log-rank test; Cox (1972) with the ties of Efron (1977), JASA 72; Lin & Wei (1989), "The robust
inference for the Cox proportional hazards model", JASA 84, for clusters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import chdtrc, stdtr, stdtrit

from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.inference._design import treated_mask
from liqbt.inference._inputs import codes_of, one_of, share_inside, watched

__all__ = ["HazardRatio", "LogRank", "hazard_ratio", "log_rank"]

Weighting = Literal["log-rank", "gehan-breslow", "tarone-ware"]
_WEIGHTS = {"log-rank": None, "gehan-breslow": "gb", "tarone-ware": "tw"}
_STEPS = 50  # of Newton's method, which takes five


@dataclass(frozen=True, kw_only=True)
class LogRank:
    """Two groups of levels compared over time. statistic: chi-squared of one degree. observed, expected: touches of treated levels."""

    statistic: float
    p_value: float
    observed: int
    expected: float


@dataclass(frozen=True, kw_only=True)
class HazardRatio:
    """How many times as fast treated levels are touched. standard_error: of its logarithm, clustered; p_value: against 1."""

    ratio: float
    ci_low: float
    ci_high: float
    log_ratio: float
    standard_error: float
    p_value: float
    n_clusters: int


def log_rank(time: Any, touched: Any, treated: Any, *, strata: Any = None, weighting: Weighting = "log-rank") -> LogRank:
    """Test whether treated levels are touched at the same rate as the others; statsmodels' `survdiff`.

    treated: shape (n_levels,), booleans. strata: shape (n_levels,), compared within each (Mantel). weighting: `gehan-breslow` and
    `tarone-ware` give early touches more weight. Events count as independent: where those of a day resemble each other the test
    rejects too often; use `hazard_ratio` with clusters, or strata by day and `label_permutation_test`.
    Raises ConfigError for broken input, or where the two groups are never watched at the same time.
    """
    from statsmodels.duration.survfunc import survdiff

    span, event = watched(time, touched)
    chosen = treated_mask(treated, span.size)
    one_of("weighting", weighting, tuple(_WEIGHTS))
    layer = np.zeros(span.size, dtype=np.int64) if strata is None else codes_of("strata", strata, span.size)[0]
    expected, useful = _expected(span, event, chosen, layer)
    if not useful.any():
        raise ConfigError("strata: in none are both groups watched at the time of a touch; take coarser ones")
    kept = useful[layer]
    statistic, _ = survdiff(
        span[kept], event[kept].astype(np.int64), chosen[kept].astype(np.int64), weight_type=_WEIGHTS[weighting], strata=layer[kept]
    )
    return LogRank(
        statistic=float(statistic), p_value=float(chdtrc(1, statistic)), observed=int((event & chosen & kept).sum()), expected=expected
    )


def hazard_ratio(time: Any, touched: Any, treated: Any, cluster: Any, *, strata: Any = None, confidence: float = 0.95) -> HazardRatio:
    """Return how many times as fast treated levels are touched, with errors clustered.

    Cox regression on one indicator, ties by Efron, with the sandwich of Lin & Wei (1989), the factor G / (G - 1), and t of G - 1
    degrees of freedom. time, touched, treated, strata: as in `log_rank`. cluster: shape (n_levels,), the day of each.

    statsmodels' `PHReg` does the same, but needs time that grows with the square of the number of levels, and its clustered error
    is NaN as soon as a level stops being watched before the first touch; the tests hold this to it.

    Raises ConfigError for broken input, a single cluster, or touches that say nothing about the ratio (it is 0 or infinite).
    """
    span, event = watched(time, touched)
    chosen = treated_mask(treated, span.size)
    codes, n_clusters = codes_of("cluster", cluster, span.size)
    share_inside("confidence", confidence)
    if n_clusters < 2:
        raise ConfigError("cluster: all events are in one cluster; a standard error needs at least two")
    layer = np.zeros(span.size, dtype=np.int64) if strata is None else codes_of("strata", strata, span.size)[0]
    risk = _RiskSets(span, event, chosen, layer)
    log_ratio, information = risk.solve()
    scores = np.bincount(codes, weights=risk.score_residuals(log_ratio), minlength=n_clusters)
    error = float(np.linalg.norm(scores)) / information * math.sqrt(n_clusters / (n_clusters - 1))
    reach = float(stdtrit(n_clusters - 1, 0.5 + confidence / 2)) * error
    return HazardRatio(
        ratio=math.exp(log_ratio),
        ci_low=math.exp(log_ratio - reach),
        ci_high=math.exp(log_ratio + reach),
        log_ratio=log_ratio,
        standard_error=error,
        p_value=float(2 * stdtr(n_clusters - 1, -abs(log_ratio) / error)) if error > 0 else math.nan,
        n_clusters=n_clusters,
    )


class _RiskSets:
    """Who is watched when somebody is touched; one row a stratum and time of touch, in that order."""

    def __init__(self, span: Float64Array1D, event: BoolArray1D, chosen: BoolArray1D, layer: IntArray1D) -> None:
        # times become whole numbers, so that a stratum and a time make one sortable key
        rank = np.unique(span, return_inverse=True)[1].astype(np.int64)
        steps = int(rank.max()) + 1
        self._key, self._event, self._chosen = layer * steps + rank, event, chosen
        self._rows, self._row_of = np.unique(self._key[event], return_inverse=True)
        self._first = np.searchsorted(self._rows, layer * steps)
        after = (self._rows // steps + 1) * steps
        ends, own = np.sort(self._key), np.sort(self._key[chosen])
        self.watched = (np.searchsorted(ends, after) - np.searchsorted(ends, self._rows)).astype(np.float64)
        self.mine = (np.searchsorted(own, after) - np.searchsorted(own, self._rows)).astype(np.float64)
        self.touches = np.bincount(self._row_of, minlength=self._rows.size)
        self.my_touches = np.bincount(self._row_of, weights=chosen[event], minlength=self._rows.size)

    def solve(self) -> tuple[float, float]:
        """Return the logarithm of the hazard ratio and the information about it, by Newton's method from no difference."""
        row = np.repeat(np.arange(self._rows.size), self.touches)
        turn = np.arange(row.size) - np.repeat(np.cumsum(self.touches) - self.touches, self.touches)
        gone = turn / self.touches[row]  # Efron: the k-th of d tied touches finds k/d of them gone
        mine = self.mine[row] - gone * self.my_touches[row]
        others = self.watched[row] - self.mine[row] - gone * (self.touches - self.my_touches)[row]
        observed, alone = float(self.my_touches.sum()), np.count_nonzero((mine > 0) & (others == 0))
        if not alone < observed < np.count_nonzero(mine > 0):
            raise ConfigError("touched: wherever both groups were watched only one was touched, so that no ratio can be told")
        log_ratio = 0.0
        for _ in range(_STEPS):
            share = 1.0 / (1.0 + np.exp(-log_ratio) * others / np.maximum(mine, 1e-300))
            information = float((share * (1.0 - share)).sum())
            step = (observed - float(share.sum())) / information
            log_ratio += max(-2.0, min(2.0, step))
            if abs(step) < 1e-12:
                break
        return log_ratio, information

    def score_residuals(self, log_ratio: float) -> Float64Array1D:
        """Return what each level adds to the score, shape (n_levels,): Lin & Wei (1989)."""
        ratio = math.exp(log_ratio)
        weight = ratio * self.mine + self.watched - self.mine
        share, hazard = ratio * self.mine / weight, self.touches / weight
        last = np.searchsorted(self._rows, self._key, side="right")
        expected = []
        for pull in (-share, ratio * (1.0 - share)):
            total = np.append(0.0, np.cumsum(pull * hazard))
            expected.append(total[last] - total[self._first])
        residuals = -np.where(self._chosen, expected[1], expected[0])
        residuals[self._event] += self._chosen[self._event] - share[self._row_of]
        return np.asarray(residuals)


def _expected(span: Float64Array1D, event: BoolArray1D, chosen: BoolArray1D, layer: IntArray1D) -> tuple[float, BoolArray1D]:
    """Return the touches of treated levels expected under equal rates, and in which strata both groups are watched at some touch."""
    total, useful = 0.0, np.zeros(int(layer.max()) + 1, dtype=np.bool_)
    for stratum in range(useful.size):
        inside = layer == stratum
        ends, own = np.sort(span[inside]), np.sort(span[inside & chosen])
        at, count = np.unique(span[inside & event], return_counts=True)
        risk, mine = ends.size - np.searchsorted(ends, at), own.size - np.searchsorted(own, at)
        useful[stratum] = bool(((mine > 0) & (mine < risk)).any())
        total += float((count * mine / risk).sum()) if useful[stratum] else 0.0
    return total, useful

"""Tests of means and differences of means by the wild cluster bootstrap, for samples of few clusters.

References: Cameron, Gelbach & Miller (2008), "Bootstrap-based improvements for inference with clustered errors", Review of
Economics and Statistics 90(3); Webb (2023), "Reworking wild bootstrap-based inference for clustered errors", Canadian Journal of
Economics 56(3); MacKinnon, Nielsen & Webb (2023), Journal of Econometrics 232(2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array2D
from liqbt.inference._design import Design, difference_design, mean_design
from liqbt.inference._inputs import at_least, share_inside
from liqbt.inference._streams import stream

__all__ = ["MIN_CLUSTERS_WILD", "WildEstimate", "wild_cluster_difference", "wild_cluster_mean"]

MIN_CLUSTERS_WILD: Final = 6
"""Effective clusters that the wild bootstrap needs. On the samples of `clusters.MIN_CLUSTERS` it rejected, with 6, 11 and 39 effective
clusters: normal .045 .046 .050, fat tails .051 .054 .048, shares .051 .049 .051, skewed .075 .080 .076. With fewer it still keeps
its level, but finds nothing."""

_WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
_SIGNS = np.array([-1.0, 1.0])
_FEW = 12  # below that many clusters signs alone give too few distinct draws: Webb's six points
_FARTHEST = 1e3  # standard errors; squares of more than that drown the rest in rounding
_ROUNDING = 1e-8  # of a squared t


@dataclass(frozen=True, kw_only=True)
class WildEstimate:
    """A mean, or a difference of means, tested by the wild cluster bootstrap.

    estimate, ci_low, ci_high: in the unit of the values. t: distance from the null in clustered standard errors. p_value:
    two-sided. draws: weights drawn. n_events, n_clusters: as given. effective_clusters: how many equal clusters they are worth.
    enough: whether that reaches `MIN_CLUSTERS_WILD`.
    """

    estimate: float
    t: float
    p_value: float
    ci_low: float
    ci_high: float
    draws: int
    n_events: int
    n_clusters: int
    effective_clusters: float
    enough: bool


def wild_cluster_mean(
    values: Any, cluster: Any, *, null: float = 0.0, confidence: float = 0.95, draws: int = 1999, seed: int
) -> WildEstimate:
    """Return the mean of `values`, its p-value against `null` and the interval of all nulls that are not rejected.

    values: shape (n_events,). cluster: shape (n_events,), any labels. Residuals under the null change sign by whole clusters, or
    are scaled by Webb's six points where there are fewer than 12; each draw's mean is divided by its own clustered standard error
    (CV1). p is (1 + draws at least as extreme) / (1 + draws). `draws`: such that (1 - confidence) (draws + 1) is whole.

    Raises ConfigError for values that are not finite, labels that do not fit, a single cluster, or less than 99 draws.
    """
    return _wild(mean_design(values, cluster), null, confidence, draws, seed)


def wild_cluster_difference(
    values: Any, treated: Any, cluster: Any, *, null: float = 0.0, confidence: float = 0.95, draws: int = 1999, seed: int
) -> WildEstimate:
    """Return mean(treated) - mean(others), tested as in `wild_cluster_mean`; clusters may hold events of both groups.

    treated: shape (n_events,), booleans. Where few clusters hold treated events the test hardly ever rejects. Raises ConfigError
    as `wild_cluster_mean` does, and for a group without events.
    """
    return _wild(difference_design(values, treated, cluster), null, confidence, draws, seed)


class _Draws:
    """Bootstrap t-statistics as a function of the null, from sums over clusters that are formed once."""

    def __init__(self, design: Design, draws: int, seed: int) -> None:
        count, rng = design.n_clusters, stream(seed)
        points = _WEBB if count < _FEW else _SIGNS
        weights = points[rng.integers(0, points.size, (draws, count))]
        tested, kept = design.regressors[:, -1], design.regressors[:, :-1]
        own = design.bread[-1]
        self.estimate = float(design.weights @ design.values)
        # nulls are told as distances from the estimate, so that the squares below do not cancel
        score, slope = (_sums(design, _residual(column, kept)) for column in (design.values - self.estimate * tested, tested))
        leverage = _sums(design, design.regressors @ own)
        self.error = float(np.linalg.norm(_sums(design, design.values - design.regressors @ (design.bread @ _moments(design))) @ own))
        self._coefficients = [weights @ one @ design.bread for one in (score, slope)]
        first, second = score @ own, slope @ own
        self._squares = [weights**2 @ one for one in (first**2, first * second, second**2)]
        self._crossed = [weights @ (one[:, None] * leverage) for one in (first, second)]
        self._leverage = leverage.T @ leverage

    def p_value(self, null: float) -> float:
        """Return the share of draws whose t under `null` is at least as far out as the sample's, the sample counted as one."""
        away = null - self.estimate
        coefficient = self._coefficients[0] - away * self._coefficients[1]
        crossed = self._crossed[0] - away * self._crossed[1]
        squares = self._squares[0] - 2 * away * self._squares[1] + away**2 * self._squares[2]
        variance = squares - 2 * (crossed * coefficient).sum(axis=1) + ((coefficient @ self._leverage) * coefficient).sum(axis=1)
        # t² >= t0² without dividing, for a variance of 0 (all clusters drawn alike) is as far out as can be
        extreme = coefficient[:, -1] ** 2 * self.error**2 >= away**2 * np.maximum(variance, 0.0) * (1 - _ROUNDING)
        return (1.0 + int(np.count_nonzero(extreme))) / (1.0 + int(extreme.size))


def _wild(design: Design, null: float, confidence: float, draws: int, seed: int) -> WildEstimate:
    share_inside("confidence", confidence)
    bootstrap = _Draws(design, at_least("draws", draws, 99), seed)
    estimate, error, effective = bootstrap.estimate, bootstrap.error, design.effective_clusters
    t = (estimate - null) / (error * np.sqrt(design.n_clusters / (design.n_clusters - 1))) if error > 0 else np.nan
    return WildEstimate(
        estimate=estimate,
        t=float(t),
        p_value=bootstrap.p_value(null),
        ci_low=_end(bootstrap, -1.0, 1.0 - confidence),
        ci_high=_end(bootstrap, 1.0, 1.0 - confidence),
        draws=draws,
        n_events=design.values.size,
        n_clusters=design.n_clusters,
        effective_clusters=effective,
        enough=effective >= MIN_CLUSTERS_WILD,
    )


def _end(bootstrap: _Draws, direction: float, alpha: float) -> float:
    """Return the farthest null in one direction that is not rejected; infinite where none within a thousand standard errors is rejected."""
    step = bootstrap.error
    if step == 0:
        return bootstrap.estimate
    inside, outside = 0.0, 2.0
    while bootstrap.p_value(bootstrap.estimate + direction * outside * step) > alpha:
        inside, outside = outside, 2 * outside
        if outside > _FARTHEST:
            return direction * np.inf
    while outside - inside > 1e-4 * outside:
        middle = (inside + outside) / 2
        if bootstrap.p_value(bootstrap.estimate + direction * middle * step) > alpha:
            inside = middle
        else:
            outside = middle
    return bootstrap.estimate + direction * outside * step


def _moments(design: Design) -> Float64Array1D:
    return design.regressors.T @ design.values


def _residual(column: Float64Array1D, kept: Float64Array2D) -> Float64Array1D:
    """Return what is left of a column after the regressors that the null keeps (a constant, or nothing)."""
    return column - column.mean() if kept.shape[1] else column


def _sums(design: Design, column: Float64Array1D) -> Float64Array2D:
    """Return the sum of regressors times `column` over each cluster, shape (n_clusters, n_coefficients)."""
    return np.column_stack([np.bincount(design.cluster, weights=one * column, minlength=design.n_clusters) for one in design.regressors.T])

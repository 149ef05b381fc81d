"""The two regressions behind means and differences of means, and how much of a sample its largest clusters hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import codes_of, finite

__all__ = ["Design", "difference_design", "mean_design", "treated_mask"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """A least-squares problem whose last coefficient is the one asked for.

    values: shape (n_events,). regressors: shape (n_events, n_coefficients). cluster: shape (n_events,), codes from 0.
    bread: (X'X)⁻¹, shape (n_coefficients, n_coefficients).
    """

    values: Float64Array1D
    regressors: Float64Array2D
    cluster: IntArray1D
    n_clusters: int
    bread: Float64Array2D

    @property
    def weights(self) -> Float64Array1D:
        """Weight of each event in the last coefficient, shape (n_events,): the estimate is `weights @ values`."""
        return np.asarray(self.regressors @ self.bread[-1])

    @property
    def effective_clusters(self) -> float:
        """How many equally weighted clusters the sample is worth: (Σ w)² / Σ w², w a cluster's sum of squared event weights.

        Carter, Schnepel & Steigerwald (2017), "Asymptotic behavior of a t-test robust to cluster heterogeneity", Review of
        Economics and Statistics 99(4), for events that are independent inside their cluster.
        """
        share = np.bincount(self.cluster, weights=self.weights**2, minlength=self.n_clusters)
        return float(share.sum() ** 2 / (share**2).sum())


def mean_design(values: Any, cluster: Any) -> Design:
    """Return the regression of `values` on a constant. Raises ConfigError for broken input or a single cluster."""
    numbers = finite("values", values, at_least=2)
    return _design(numbers, np.ones((numbers.size, 1)), cluster)


def difference_design(values: Any, treated: Any, cluster: Any) -> Design:
    """Return the regression of `values` on a constant and on being `treated`. Raises ConfigError for broken input."""
    numbers = finite("values", values, at_least=3)
    chosen = treated_mask(treated, numbers.size)
    return _design(numbers, np.column_stack((np.ones(numbers.size), chosen.astype(np.float64))), cluster)


def treated_mask(treated: Any, length: int, name: str = "treated") -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return which events are treated as booleans; raises ConfigError where they are no yes or no, or all alike."""
    array = np.asarray(treated)
    if array.shape != (length,):
        raise ConfigError(f"{name}: shape {array.shape} must be {(length,)}, one yes or no an event")
    if not np.isin(array, (0, 1)).all():
        raise ConfigError(f"{name}: must hold booleans, or 0 and 1")
    chosen = array.astype(np.bool_)
    if chosen.all() or not chosen.any():
        raise ConfigError(f"{name}: {int(chosen.sum())} of {length} events; both groups need at least one")
    return chosen


def _design(values: Float64Array1D, regressors: Float64Array2D, cluster: Any) -> Design:
    codes, n_clusters = codes_of("cluster", cluster, values.size)
    if n_clusters < 2:
        raise ConfigError("cluster: all events are in one cluster; a standard error needs at least two")
    bread: Float64Array2D = np.asarray(np.linalg.inv(regressors.T @ regressors), dtype=np.float64)
    return Design(values=values, regressors=regressors, cluster=codes, n_clusters=n_clusters, bread=bread)

"""Is a forecast consistent with what came: number tests for counts, the continuous ranked probability score for distributions.

References: Schorlemmer, Gerstenberger, Wiemer, Jackson & Rhoades (2007), "Earthquake likelihood model testing", Seismological
Research Letters 78, and Zechar (2010), CORSSA, for the N-test; Kagan (2010), Geophysical Journal International 180, for its
overdispersed form; Gneiting & Raftery (2007), "Strictly proper scoring rules", JASA 102; Ferro (2014), Quarterly Journal of
the Royal Meteorological Society 140, for the fair score of an ensemble.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, pdtr, pdtrc

from liqbt._typing import Float64Array1D, Float64Array2D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import above_zero, at_least, finite

__all__ = ["NumberTest", "crps_ensemble", "crps_normal", "number_test"]


@dataclass(frozen=True, kw_only=True)
class NumberTest:
    """Chance of at least (`at_least`) and of at most (`at_most`) as many events as came, if the forecast is right.

    Both include what came, so that they add up to more than 1. p_value: two-sided, twice the smaller, at most 1.
    """

    at_least: float
    at_most: float
    p_value: float


def number_test(forecast: float, observed: int, *, variance: float | None = None) -> NumberTest:
    """Return whether the number of events is what was forecast; CSEP's N-test.

    forecast: expected number. observed: number that came. variance: of the number, above the forecast, then negative binomial, for
    events come in clusters; left out, Poisson (forecast 10 and observed 14 give .13554 and .91654). Raises ConfigError for numbers
    out of range.
    """
    mean, count = above_zero("forecast", forecast), at_least("observed", observed, 0)
    if variance is None:
        least, most = float(pdtrc(count - 1, mean)) if count else 1.0, float(pdtr(count, mean))
    else:
        if not (math.isfinite(variance) and variance > mean):
            raise ConfigError(f"variance: {variance!r} must be above the forecast, {mean:g}; leave it out for Poisson")
        from scipy.stats import nbinom

        spread = nbinom(mean**2 / (variance - mean), mean / variance)
        least, most = float(spread.sf(count - 1)), float(spread.cdf(count))
    return NumberTest(at_least=least, at_most=most, p_value=min(1.0, 2 * min(least, most)))


def crps_normal(observed: Any, mean: Any, deviation: Any) -> Float64Array1D:
    """Return the continuous ranked probability score of normal forecasts; .233695 for the standard normal at 0.

    All broadcast; deviation above 0. In the unit of what is observed, smaller is better. Gneiting & Raftery (2007), equation 21 with
    the sign turned. Raises ConfigError for a deviation not above 0.
    """
    spread = np.asarray(deviation, dtype=np.float64)
    if not (np.isfinite(spread) & (spread > 0)).all():
        raise ConfigError("deviation: every value must be finite and above 0")
    z = (np.asarray(observed, dtype=np.float64) - np.asarray(mean, dtype=np.float64)) / spread
    density = np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return np.asarray(spread * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / math.sqrt(math.pi)))


def crps_ensemble(observed: Any, ensemble: Float64Array2D, *, fair: bool = True) -> Float64Array1D:
    """Return the continuous ranked probability score of forecasts given as draws, shape (n,).

    observed: shape (n,). ensemble: shape (n, n_members), at least two. E|X - y| - E|X - X'| / 2; `fair` counts pairs of different
    members only, so that few members are not punished for being few (Ferro 2014). Raises ConfigError for shapes that do not fit.
    """
    y, draws = finite("observed", observed), np.asarray(ensemble, dtype=np.float64)
    if draws.ndim != 2 or draws.shape[0] != y.size or draws.shape[1] < 2 or not np.isfinite(draws).all():
        raise ConfigError(f"ensemble: shape {draws.shape} must be ({y.size}, n_members) of at least two finite members")
    members = draws.shape[1]
    ordered = np.sort(draws, axis=1)
    # the mean distance of pairs, from order statistics instead of all pairs
    pairs = 2 * (ordered @ (2 * np.arange(1, members + 1) - members - 1)) / (members * (members - 1 if fair else members))
    return np.asarray(np.abs(draws - y[:, None]).mean(axis=1) - pairs / 2)

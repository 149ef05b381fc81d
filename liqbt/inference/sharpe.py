"""What a Sharpe ratio is worth after a short, skewed, fat-tailed record and many trials.

All ratios are per period of the returns (a day, an hour), never annualised: an annual ratio is divided by the square root of the
periods in a year, an annual variance of ratios by their number.

References: Bailey & López de Prado (2012), "The Sharpe ratio efficient frontier", Journal of Risk 15(2); Bailey & López de
Prado (2014), "The deflated Sharpe ratio", Journal of Portfolio Management 40(5); Bailey, Borwein, López de Prado & Zhu (2014),
"Pseudo-mathematics and financial charlatanism", Notices of the AMS 61(5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from liqbt.errors import ConfigError
from liqbt.inference._inputs import above_zero, at_least, finite, share_inside

__all__ = [
    "SharpeMoments",
    "deflated_sharpe_ratio",
    "effective_trials",
    "expected_maximum_sharpe",
    "minimum_backtest_length",
    "minimum_track_record_length",
    "probabilistic_sharpe_ratio",
    "sharpe_moments",
]


@dataclass(frozen=True, kw_only=True)
class SharpeMoments:
    """What the tests below need to know of returns: `sharpe` per period, `n_obs`, `skew`, and `kurtosis` (3 for a normal)."""

    sharpe: float
    n_obs: int
    skew: float
    kurtosis: float


def sharpe_moments(returns: Any) -> SharpeMoments:
    """Return the Sharpe ratio per period and the moments of `returns`, shape (n_obs,), fractions.

    The standard deviation has n - 1 degrees of freedom, skew and kurtosis are the biased sample moments. Returns that never vary
    have NaN for all three. Raises ConfigError for less than two returns or one that is not finite.
    """
    values = finite("returns", returns, at_least=2)
    centred = values - values.mean()
    variance = float(np.mean(centred**2))
    if variance <= (1e-14 * float(np.abs(values).max())) ** 2:
        return SharpeMoments(sharpe=math.nan, n_obs=values.size, skew=math.nan, kurtosis=math.nan)
    return SharpeMoments(
        sharpe=float(values.mean() / values.std(ddof=1)),
        n_obs=values.size,
        skew=float(np.mean(centred**3) / variance**1.5),
        kurtosis=float(np.mean(centred**4) / variance**2),
    )


def probabilistic_sharpe_ratio(sharpe: float, n_obs: int, skew: float, kurtosis: float, benchmark: float = 0.0) -> float:
    """Return the probability that the true Sharpe ratio exceeds `benchmark`.

    Φ((SR - SR*) √(n_obs - 1) / √(1 - skew SR + (kurtosis - 1)/4 SR²)): equation 11 of Bailey & López de Prado (2012). `kurtosis`
    is 3 for a normal (not its excess). All ratios per period. NaN where a ratio or moment is NaN.

    Raises ConfigError for less than two returns, and for moments that no distribution has (kurtosis below 1 + skew²).
    """
    variance = _variance_of_ratio(sharpe, skew, kurtosis)
    return float(ndtr((sharpe - benchmark) * math.sqrt(at_least("n_obs", n_obs, 2) - 1) / math.sqrt(variance)))


def expected_maximum_sharpe(n_trials: float, sharpe_variance: float) -> float:
    """Return the Sharpe ratio that the best of `n_trials` skill-less strategies is expected to show.

    √V ((1 - g) Φ⁻¹(1 - 1/N) + g Φ⁻¹(1 - 1/(N e))), g = 0.5772 Euler's constant: Bailey & López de Prado (2014), for large N; 0 for
    one trial. `sharpe_variance`: variance V of the trials' ratios, per period as they are. `n_trials` may be an effective number.

    Raises ConfigError for less than one trial or a negative variance.
    """
    if not (math.isfinite(n_trials) and n_trials >= 1):
        raise ConfigError(f"n_trials: {n_trials!r} must be at least 1; the strategy itself was tried")
    if sharpe_variance < 0:
        raise ConfigError(f"sharpe_variance: {sharpe_variance!r} must not be negative")
    return math.sqrt(sharpe_variance) * _expected_maximum_normal(n_trials)


def deflated_sharpe_ratio(sharpe: float, n_obs: int, skew: float, kurtosis: float, n_trials: float, sharpe_variance: float) -> float:
    """Return the probability that the true Sharpe ratio exceeds what the best of `n_trials` skill-less trials would show.

    `probabilistic_sharpe_ratio` against `expected_maximum_sharpe`: Bailey & López de Prado (2014), equation 2. All per period.
    Their example: an annual ratio of 2.5 (2.5 / √250 a day), 1250 days, skew -3, kurtosis 10, 100 trials of annual variance 1/2
    (0.5 / 250) gives SR0 = 0.1132 and 0.9004.

    Raises ConfigError as the two functions do.
    """
    return probabilistic_sharpe_ratio(sharpe, n_obs, skew, kurtosis, expected_maximum_sharpe(n_trials, sharpe_variance))


def effective_trials(n_trials: int, mean_correlation: float) -> float:
    """Return how many independent trials `n_trials` correlated ones are worth: c + (1 - c) N.

    c: `mean_correlation` over all pairs. Bailey & López de Prado (2014), appendix 3: a line between its two known ends. Raises
    ConfigError outside 0 <= c <= 1; take 0 where the mean correlation is negative.
    """
    if not 0 <= mean_correlation <= 1:
        raise ConfigError(f"mean_correlation: {mean_correlation!r} must lie between 0 and 1; take 0 for negative ones")
    return mean_correlation + (1.0 - mean_correlation) * at_least("n_trials", n_trials, 1)


def minimum_backtest_length(n_trials: float, annual_sharpe: float = 1.0) -> float:
    """Return the years of backtest below which the best of `n_trials` skill-less trials is expected to exceed `annual_sharpe`.

    (E[max of N standard normals] / annual_sharpe)²: Bailey, Borwein, López de Prado & Zhu (2014), theorem 2; 45 trials and a
    ratio of 1 give 5.0 years. Raises ConfigError for less than one trial or a ratio not above 0.
    """
    return (expected_maximum_sharpe(n_trials, 1.0) / above_zero("annual_sharpe", annual_sharpe)) ** 2


def minimum_track_record_length(sharpe: float, skew: float, kurtosis: float, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Return the number of periods above which `sharpe` exceeds `benchmark` with `confidence`; infinite where it is not above it.

    1 + (1 - skew SR + (kurtosis - 1)/4 SR²) (Φ⁻¹(confidence) / (SR - SR*))²: Bailey & López de Prado (2012), equation 13; the
    inverse of `probabilistic_sharpe_ratio`. All ratios per period. Raises ConfigError for a confidence not between 0 and 1.
    """
    variance = _variance_of_ratio(sharpe, skew, kurtosis)
    quantile = float(ndtri(share_inside("confidence", confidence)))
    if sharpe <= benchmark:
        return math.inf
    return 1.0 + variance * (quantile / (sharpe - benchmark)) ** 2


def _variance_of_ratio(sharpe: float, skew: float, kurtosis: float) -> float:
    if kurtosis < (1.0 + skew**2) * (1.0 - 1e-9):
        raise ConfigError(f"kurtosis: {kurtosis!r} is below 1 + skew² = {1 + skew**2:g}, which no distribution has; give 3 for a normal")
    # at the bound (a coin) the variance can be 0; the smallest positive number keeps the probability at 0 or 1
    variance = 1.0 - skew * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    return max(variance, np.finfo(np.float64).tiny) if not math.isnan(variance) else math.nan


def _expected_maximum_normal(n_trials: float) -> float:
    if n_trials == 1:
        return 0.0
    # fractional (effective) numbers just above 1 would fall below the mean of one trial
    value = (1.0 - np.euler_gamma) * ndtri(1.0 - 1.0 / n_trials) + np.euler_gamma * ndtri(1.0 - 1.0 / (n_trials * math.e))
    return max(0.0, float(value))

"""Sharpe ratios after many trials: numbers of the papers, and what must hold whatever they are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from liqbt.errors import ConfigError
from liqbt.inference.sharpe import (
    deflated_sharpe_ratio,
    effective_trials,
    expected_maximum_sharpe,
    minimum_backtest_length,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_moments,
)


def test_the_example_of_the_deflated_sharpe_ratio():
    """Bailey & López de Prado (2014): an annual ratio of 2.5 over five years of 250 days, found among 100 trials."""
    assert expected_maximum_sharpe(100, 0.5 / 250) == pytest.approx(0.1132, abs=5e-5)
    ratio = 2.5 / math.sqrt(250)
    assert deflated_sharpe_ratio(ratio, 1250, -3.0, 10.0, 100, 0.5 / 250) == pytest.approx(0.9004, abs=5e-5)
    # with 46 trials instead of 100 the paper finds it just significant
    assert deflated_sharpe_ratio(ratio, 1250, -3.0, 10.0, 46, 0.5 / 250) == pytest.approx(0.9505, abs=5e-5)


def test_five_years_for_45_trials():
    assert minimum_backtest_length(45) == pytest.approx(5.0, abs=0.01)
    assert minimum_backtest_length(45, 2.0) == pytest.approx(1.25, abs=0.003)
    assert minimum_backtest_length(1) == 0.0


@pytest.mark.parametrize(
    ("periods", "skew", "kurtosis", "years"),
    [(252, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_years_to_tell_a_ratio_of_two_from_one(periods, skew, kurtosis, years):
    """Bailey & López de Prado (2012), section on the minimum track record."""
    length = minimum_track_record_length(2 / math.sqrt(periods), skew, kurtosis, 1 / math.sqrt(periods))
    assert length / periods == pytest.approx(years, abs=0.005)


def test_the_probability_by_hand():
    assert probabilistic_sharpe_ratio(0.1, 101, 0.0, 3.0) == pytest.approx(stats.norm.cdf(1.0 / math.sqrt(1.005)))
    assert probabilistic_sharpe_ratio(0.1, 101, -1.0, 7.0, 0.05) == pytest.approx(stats.norm.cdf(0.5 / math.sqrt(1 + 0.1 + 0.015)))


@pytest.mark.parametrize(("trials", "exact"), [(10, 1.53875), (100, 2.50759), (1000, 3.24144)])
def test_the_expected_maximum_is_near_the_exact_one(trials, exact):
    """Exact means of the largest of N normals (Harter 1961); the formula is one for large N and a little above them."""
    assert 0 < expected_maximum_sharpe(trials, 1.0) / exact - 1 < 0.025
    assert expected_maximum_sharpe(trials, 4.0) == pytest.approx(2 * expected_maximum_sharpe(trials, 1.0))


@given(st.floats(0.01, 0.5), st.floats(-2, 2), st.floats(0, 20), st.floats(0.6, 0.999), st.floats(-0.2, 0.0))
def test_the_track_record_is_the_inverse_of_the_probability(sharpe, skew, excess, confidence, benchmark):
    kurtosis = 1 + skew**2 + excess
    length = minimum_track_record_length(sharpe, skew, kurtosis, benchmark, confidence)
    below, above = max(2, math.floor(length)), max(2, math.ceil(length))
    assert probabilistic_sharpe_ratio(sharpe, above, skew, kurtosis, benchmark) >= confidence - 1e-9
    if length >= 2:
        assert probabilistic_sharpe_ratio(sharpe, below, skew, kurtosis, benchmark) <= confidence + 1e-9


@given(st.floats(1, 1e6), st.floats(1, 1e6))
def test_more_trials_raise_the_bar(one, other):
    fewer, more = sorted((one, other))
    assert 0 <= expected_maximum_sharpe(fewer, 0.01) <= expected_maximum_sharpe(more, 0.01)


def test_a_ratio_at_or_below_the_benchmark_is_never_proved():
    assert minimum_track_record_length(0.1, 0.0, 3.0, 0.1) == math.inf


def test_correlated_trials_count_less():
    assert effective_trials(101, 0.0) == 101
    assert effective_trials(101, 1.0) == 1
    assert effective_trials(101, 0.25) == 76


def test_moments_are_those_of_scipy():
    returns = np.random.default_rng(3).standard_t(5, 400) * 0.01 + 0.001
    moments = sharpe_moments(returns)
    assert moments.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert moments.skew == pytest.approx(stats.skew(returns))
    assert moments.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False))
    assert moments.n_obs == 400


def test_returns_that_never_vary_have_no_ratio():
    moments = sharpe_moments([0.001] * 7)
    assert math.isnan(moments.sharpe)
    assert math.isnan(probabilistic_sharpe_ratio(moments.sharpe, moments.n_obs, moments.skew, moments.kurtosis))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: sharpe_moments([0.1]), "returns"),
        (lambda: sharpe_moments([0.1, np.nan]), "returns: nan at position 1"),
        (lambda: probabilistic_sharpe_ratio(0.1, 1, 0, 3), "n_obs"),
        (lambda: probabilistic_sharpe_ratio(0.1, 10, 2, 3), "kurtosis"),
        (lambda: expected_maximum_sharpe(0, 1), "n_trials"),
        (lambda: expected_maximum_sharpe(5, -1), "sharpe_variance"),
        (lambda: effective_trials(5, 1.5), "mean_correlation"),
        (lambda: minimum_backtest_length(5, 0), "annual_sharpe"),
        (lambda: minimum_track_record_length(0.1, 0, 3, confidence=1.0), "confidence"),
    ],
)
def test_what_cannot_be_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

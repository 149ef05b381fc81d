"""Balanced means, their errors by the cluster jackknife, and the bootstrap of days."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, t

from liqbt.evaluation.estimates import balanced_difference, balanced_mean, from_error, resampled_means


def test_by_hand():
    values = np.array([1.0, 3.0, 5.0, 7.0])
    direction = np.array([1, -1, 1, -1])
    cluster = np.array([0, 0, 1, 1])
    one = balanced_mean(values, direction, cluster)
    assert one.effect == 4.0  # (3 + 5) / 2
    # without the first day (5 + 7) / 2 = 6, without the second 2: sqrt(1/2 * (4 + 4)) = 2
    assert one.standard_error == pytest.approx(2.0)
    assert one.p_value == pytest.approx(2 * t.sf(2.0, 1))
    assert one.ci_low == pytest.approx(4 - 2 * t.ppf(0.975, 1))
    assert one.minimum_detectable_effect == pytest.approx(2 * (t.ppf(0.975, 1) + t.ppf(0.8, 1)))
    assert (one.n_events, one.n_clusters) == (4, 2)


def slow_jackknife(values, direction, cluster):
    def effect(kept):
        return np.mean([values[kept & (direction == side)].mean() for side in (1, -1)])

    whole = effect(np.ones(values.size, bool))
    days = np.unique(cluster)
    left_out = np.array([effect(cluster != day) for day in days])
    return whole, math.sqrt((days.size - 1) / days.size * ((left_out - whole) ** 2).sum())


@given(st.integers(0, 2**32 - 1))
def test_against_leaving_days_out_one_by_one(seed):
    rng = np.random.default_rng(seed)
    cluster = np.sort(rng.integers(0, 9, 60)) * 7
    values, direction = rng.normal(size=60), rng.choice([-1, 1], 60)
    effect, error = slow_jackknife(values, direction, cluster)
    one = balanced_mean(values, direction, cluster)
    assert one.effect == pytest.approx(effect)
    assert one.standard_error == pytest.approx(error)
    assert one.n_clusters == np.unique(cluster).size


def test_a_drift_that_favours_one_direction_cancels():
    rng = np.random.default_rng(1)
    direction = rng.choice([-1, 1], 400, p=[0.2, 0.8])
    values = 0.3 * direction
    one = balanced_mean(values, direction, np.arange(400) // 4)
    assert one.effect == pytest.approx(0.0, abs=1e-15)
    assert values.mean() > 0.1


@pytest.mark.parametrize("direction", [[1, 1, 1, 1], [1, 1, 1, -1], []])
def test_claims_of_one_direction_alone_tell_nothing(direction):
    direction = np.array(direction, dtype=np.int64)
    one = balanced_mean(np.ones(direction.size), direction, np.arange(direction.size))
    assert math.isnan(one.p_value)
    assert math.isnan(one.minimum_detectable_effect)


def test_size_with_fat_tails_and_unequal_days():
    """1,000 samples of 40 days, 1 to 12 events each that share the day's shock: 5 % reject, within the binomial interval."""
    rng = np.random.default_rng(5)
    rejected = 0
    for _ in range(1_000):
        per_day = rng.integers(1, 13, 40)
        cluster = np.repeat(np.arange(40), per_day)
        direction = rng.choice([-1, 1], cluster.size)
        shock = rng.standard_t(4, 40)[cluster]
        values = 0.5 * shock * direction + rng.standard_t(4, cluster.size)
        rejected += balanced_mean(values, direction, cluster).p_value < 0.05
    low, high = binom.ppf([0.005, 0.995], 1_000, 0.05)
    assert low <= rejected <= high


def test_power_is_what_the_detectable_effect_says():
    rng = np.random.default_rng(6)
    detected, told = 0, []
    for _ in range(400):
        cluster, direction = np.repeat(np.arange(50), 3), np.tile([1, -1, 1], 50)
        values = rng.normal(size=150)
        told.append(balanced_mean(values, direction, cluster).minimum_detectable_effect)
        detected += balanced_mean(values + 0.238, direction, cluster).p_value < 0.05
    assert np.mean(told) == pytest.approx(0.238, rel=0.05)
    assert detected / 400 == pytest.approx(0.8, abs=0.05)


def test_the_bootstrap_of_days_has_the_same_spread():
    rng = np.random.default_rng(7)
    cluster, direction = np.repeat(np.arange(60), 5), rng.choice([-1, 1], 300)
    values = 0.4 * rng.normal(size=60)[cluster] + rng.normal(size=300)
    draws = resampled_means(values, direction, cluster, draws=4_000, rng=np.random.default_rng(0))
    one = balanced_mean(values, direction, cluster)
    assert draws.mean() == pytest.approx(one.effect, abs=0.02)
    assert draws.std() == pytest.approx(one.standard_error, rel=0.15)
    again = resampled_means(values, direction, cluster, draws=4_000, rng=np.random.default_rng(0))
    assert again.tobytes() == draws.tobytes()


def test_an_error_of_nothing_is_no_certainty():
    assert math.isnan(from_error(1.0, 0.0, n_events=9, n_clusters=3).p_value)


def test_a_difference_leaves_days_out_of_both():
    rng = np.random.default_rng(8)
    one, other = ((rng.normal(size=n), rng.choice([-1, 1], n), rng.integers(0, 12, n)) for n in (80, 50))
    found = balanced_difference(*zip(one, other, strict=True))
    days = np.arange(12)

    def effect(values, direction, cluster, day):
        kept = cluster != day
        return np.mean([values[kept & (direction == side)].mean() for side in (1, -1)])

    whole = effect(*one, -1) - effect(*other, -1)
    left_out = np.array([effect(*one, day) - effect(*other, day) for day in days])
    assert found.effect == pytest.approx(whole)
    assert found.standard_error == pytest.approx(math.sqrt(11 / 12 * ((left_out - whole) ** 2).sum()))
    same = balanced_difference(*zip(one, one, strict=True))
    assert (same.effect, same.standard_error) == (0.0, 0.0)

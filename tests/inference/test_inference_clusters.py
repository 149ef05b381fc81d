"""Means and differences of means with clustered errors, and the wild cluster bootstrap, against loops and closed cases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_statistics import clustered_fit, jackknife_error, wild_p_value
from scipy import stats

from liqbt.errors import ConfigError
from liqbt.inference.clusters import MIN_CLUSTERS, clustered_difference, clustered_mean
from liqbt.inference.wild import MIN_CLUSTERS_WILD, wild_cluster_difference, wild_cluster_mean


def sample(seed, n_events=60, n_clusters=8, n_symbols=4):
    rng = np.random.default_rng(seed)
    cluster = np.concatenate([np.arange(n_clusters), rng.integers(0, n_clusters, n_events - n_clusters)])
    symbol = rng.integers(0, n_symbols, n_events)
    treated = rng.random(n_events) < 0.4
    values = rng.standard_t(4, n_events) + rng.standard_normal(n_clusters)[cluster] + 0.5 * rng.standard_normal(n_symbols)[symbol]
    return values, cluster, treated, symbol


def test_a_mean_by_hand():
    """Three days of 2, 2 and 1 events: leaving one out gives 13/3, 2 and 3.25; their mean is 3.19444."""
    found = clustered_mean([1.0, 2.0, 3.0, 7.0, 3.0], ["a", "a", "b", "b", "c"])
    left = np.array([13 / 3, 2.0, 3.25])
    assert found.estimate == pytest.approx(3.2)
    assert found.standard_error == pytest.approx(math.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum()))
    assert found.degrees == 2
    assert found.t == pytest.approx(3.2 / found.standard_error)
    assert found.p_value == pytest.approx(2 * stats.t.sf(found.t, 2))
    assert found.ci_high - 3.2 == pytest.approx(stats.t.ppf(0.975, 2) * found.standard_error)
    assert 3.2 - found.ci_low == pytest.approx(found.ci_high - 3.2)
    assert (found.n_events, found.n_clusters) == (5, 3)
    assert found.effective_clusters == pytest.approx(25 / 9)  # 5² / (2² + 2² + 1²)
    assert not found.enough


def test_clusters_of_one_event_are_students_t():
    values = np.random.default_rng(0).standard_normal(25) + 0.3
    found, classic = clustered_mean(values, np.arange(25), null=0.1), stats.ttest_1samp(values, 0.1)
    assert found.t == pytest.approx(classic.statistic)
    assert found.p_value == pytest.approx(classic.pvalue)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(classic.confidence_interval()))
    assert found.effective_clusters == pytest.approx(25)
    assert found.enough


@pytest.mark.parametrize("seed", range(5))
def test_errors_are_the_jackknife(seed):
    values, cluster, treated, _ = sample(seed)
    found = clustered_mean(values, cluster)
    assert found.standard_error == pytest.approx(jackknife_error(lambda keep: values[keep].mean(), cluster))
    difference = clustered_difference(values, treated, cluster)
    assert difference.estimate == pytest.approx(values[treated].mean() - values[~treated].mean())
    expected = jackknife_error(lambda keep: values[keep & treated].mean() - values[keep & ~treated].mean(), cluster)
    assert difference.standard_error == pytest.approx(expected)


def test_events_that_are_copies_add_nothing():
    """Ten copies of every event of a day do not move the error, which a naive one would make three times too small."""
    values, cluster, treated, _ = sample(1)
    many = [np.repeat(column, 10) for column in (values, treated, cluster)]
    assert clustered_mean(many[0], many[2]).standard_error == pytest.approx(clustered_mean(values, cluster).standard_error)
    one, ten = clustered_difference(values, treated, cluster), clustered_difference(*many)
    assert ten.standard_error == pytest.approx(one.standard_error)
    assert ten.effective_clusters == pytest.approx(one.effective_clusters)


@pytest.mark.parametrize("seed", range(5))
def test_two_ways_add_up_as_cameron_gelbach_and_miller_say(seed):
    values, cluster, treated, symbol = sample(seed)
    both = cluster * 10 + symbol
    for regressors, found in (
        (np.ones((60, 1)), clustered_mean(values, cluster, second=symbol)),
        (np.column_stack((np.ones(60), treated)), clustered_difference(values, treated, cluster, second=symbol)),
    ):
        # statsmodels counts regressors: (n - 1) / (n - k)
        factor = 59 / (60 - regressors.shape[1])
        first, second, crossed = (factor * clustered_fit(values, regressors, one)[1] ** 2 for one in (cluster, symbol, both))
        assert found.standard_error**2 == pytest.approx(max(first + second - crossed, first, second))
        assert found.degrees == 3
        assert found.n_clusters == 4


def test_two_ways_are_never_surer_than_one():
    """Where values alternate within days and within symbols the sum of three variances is negative."""
    values = np.array([1.0, -1.0, -1.0, 1.0])
    found = clustered_mean(values, [0, 0, 1, 1], second=[0, 1, 0, 1])
    assert found.standard_error == 0.0
    assert found.p_value == 1.0


def test_an_effect_without_any_noise_is_certain():
    found = clustered_mean([2.0, 2.0, 2.0], [0, 1, 2], null=1.0)
    assert found.t == math.inf
    assert found.p_value == 0.0
    assert clustered_mean([0.1] * 7, range(7), null=0.1).p_value == 1.0
    assert clustered_mean([0.1] * 7, range(7)).p_value == 0.0


@pytest.mark.parametrize("n_clusters", [8, 11, 12])
@pytest.mark.parametrize("null", [0.0, 0.3])
def test_the_wild_bootstrap_is_that_of_a_loop(n_clusters, null):
    values, cluster, treated, _ = sample(7, n_clusters=n_clusters)
    ones = np.ones((60, 1))
    mean = wild_cluster_mean(values, cluster, null=null, draws=199, seed=4)
    assert mean.p_value == wild_p_value(values, ones, cluster, null, 199, 4)
    estimate, error = clustered_fit(values, ones, cluster)
    assert mean.estimate == pytest.approx(estimate)
    assert mean.t == pytest.approx((estimate - null) / error)
    difference = wild_cluster_difference(values, treated, cluster, null=null, draws=199, seed=4)
    regressors = np.column_stack((np.ones(60), treated))
    assert difference.p_value == wild_p_value(values, regressors, cluster, null, 199, 4)
    assert difference.estimate == pytest.approx(values[treated].mean() - values[~treated].mean())


@given(st.integers(0, 10_000))
def test_wild_intervals_hold_the_nulls_that_are_not_rejected(seed):
    values, cluster, treated, _ = sample(seed, n_clusters=12)
    found = wild_cluster_difference(values, treated, cluster, draws=199, seed=seed)
    width = found.ci_high - found.ci_low
    assert found.ci_low < found.estimate < found.ci_high
    for null, rejected in ((found.ci_low - 0.01 * width, True), (found.ci_low + 0.01 * width, False), (found.estimate, False)):
        p = wild_cluster_difference(values, treated, cluster, null=null, draws=199, seed=seed).p_value
        assert (p <= 0.05) == rejected


def test_two_clusters_reject_nothing_and_say_so():
    found = wild_cluster_mean([1.0, 1.1, 0.9, 1.0], [0, 0, 1, 1], confidence=0.99, draws=999, seed=0)
    assert found.p_value > 0.05
    assert found.ci_high == math.inf
    assert found.ci_low == -math.inf
    assert not found.enough


def test_enough_is_counted_in_effective_clusters():
    sizes = [200] + [1] * (2 * MIN_CLUSTERS)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    values = np.random.default_rng(0).standard_normal(cluster.size)
    assert not clustered_mean(values, cluster).enough
    assert clustered_mean(values[: 2 * MIN_CLUSTERS], np.arange(2 * MIN_CLUSTERS)).enough
    assert not wild_cluster_mean(values, cluster, draws=99, seed=0).enough
    assert wild_cluster_mean(values[:MIN_CLUSTERS_WILD], np.arange(MIN_CLUSTERS_WILD), draws=99, seed=0).enough


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: clustered_mean([1.0, np.inf], [0, 1]), "values: inf at position 1"),
        (lambda: clustered_mean([1.0, 2.0], [0, 1, 2]), "cluster: shape"),
        (lambda: clustered_mean([1.0, 2.0], [0.0, np.nan]), "cluster: a label"),
        (lambda: clustered_mean([1.0, 2.0], [0, 0]), "cluster: all events"),
        (lambda: clustered_mean([1.0, 2.0], [0, 1], second=[0, 0]), "second"),
        (lambda: clustered_mean([1.0, 2.0], [0, 1], confidence=1.0), "confidence"),
        (lambda: clustered_difference([1.0, 2.0, 3.0], [1, 1, 1], [0, 1, 2]), "treated: 3 of 3"),
        (lambda: clustered_difference([1.0, 2.0, 3.0], [2, 1, 0], [0, 1, 2]), "treated: must hold"),
        (lambda: clustered_difference([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0], [0, 0, 1, 2]), "treated: all events that are treated"),
        (lambda: wild_cluster_mean([1.0, 2.0], [0, 1], draws=10, seed=0), "draws"),
    ],
)
def test_what_cannot_be_told_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

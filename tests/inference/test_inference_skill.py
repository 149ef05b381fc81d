"""Skill of forecasts: reference numbers, cases by hand, and sklearn and scipy where they say the same."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn.metrics import d2_tweedie_score, roc_auc_score
from sklearn.metrics import mean_poisson_deviance as sklearn_deviance

from liqbt.errors import ConfigError
from liqbt.inference.forecasts import crps_ensemble, crps_normal, number_test
from liqbt.inference.ranking import molchan_diagram, roc_auc
from liqbt.inference.skill import deviance_explained, information_gain, mean_poisson_deviance, poisson_deviances


def test_the_deviance_of_reference():
    assert mean_poisson_deviance([2, 0, 1, 4], [0.5, 0.5, 2, 2]) == pytest.approx(1.4260, abs=5e-5)
    by_hand = [2 * (2 * math.log(4) - 1.5), 1.0, 2 * (math.log(0.5) + 1), 2 * (4 * math.log(2) - 2)]
    assert poisson_deviances([2, 0, 1, 4], [0.5, 0.5, 2, 2]) == pytest.approx(by_hand)


@given(st.integers(0, 10_000))
def test_deviances_are_those_of_sklearn(seed):
    rng = np.random.default_rng(seed)
    observed, expected = rng.poisson(2.0, 20) + np.eye(20)[0], rng.exponential(2.0, 20) + 0.01
    assert mean_poisson_deviance(observed, expected) == pytest.approx(sklearn_deviance(observed, expected))
    assert deviance_explained(observed, expected) == pytest.approx(d2_tweedie_score(observed, expected, power=1))


def test_deviance_is_explained_over_a_baseline():
    observed, ours, simple = [3.0, 0.0, 1.0], [2.0, 0.5, 1.0], [1.0, 1.0, 1.0]
    share = 1 - poisson_deviances(observed, ours).sum() / poisson_deviances(observed, simple).sum()
    assert deviance_explained(observed, ours, simple) == pytest.approx(share)
    assert deviance_explained(observed, simple, simple) == 0.0
    assert deviance_explained([1.0, 2.0], [1.0, 2.0], [3.0, 3.0]) == 1.0
    assert math.isnan(deviance_explained([0.0, 0.0], [1.0, 1.0]))
    assert math.isnan(deviance_explained([2.0, 2.0], [1.0, 1.0]))


def test_information_gained_by_hand():
    """Gains ln 2, ln 4, 0 and ln 2, less (6 - 4) / 4 each."""
    found = information_gain([2.0, 4.0, 1.0, 6.0], [1.0, 1.0, 1.0, 3.0], total=6.0, baseline_total=4.0)
    gains = np.log([2, 4, 1, 2]) - 0.5
    assert found.gain == pytest.approx(gains.mean())
    assert found.standard_error == pytest.approx(gains.std(ddof=1) / 2)
    classic = stats.ttest_1samp(gains, 0.0)
    assert found.p_value == pytest.approx(classic.pvalue)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(classic.confidence_interval()))
    assert found.p_value_ranks == pytest.approx(stats.wilcoxon(gains).pvalue)
    assert found.clustered is None


def test_information_gained_on_the_same_day_is_gained_once():
    rng = np.random.default_rng(0)
    rate, day = np.exp(0.3 + 0.5 * rng.standard_normal(30)), np.arange(30)
    one = information_gain(rate, np.ones(30), total=10.0, baseline_total=10.0, cluster=day)
    many = information_gain(np.repeat(rate, 9), np.ones(270), total=90.0, baseline_total=90.0, cluster=np.repeat(day, 9))
    naive = information_gain(np.repeat(rate, 9), np.ones(270), total=90.0, baseline_total=90.0)
    assert many.standard_error == pytest.approx(one.standard_error)
    assert many.p_value == pytest.approx(one.p_value) == one.clustered.p_value
    assert naive.standard_error < 0.4 * many.standard_error


def test_a_forecast_against_itself_gains_nothing():
    found = information_gain([2.0, 3.0], [2.0, 3.0], total=5.0, baseline_total=5.0)
    assert (found.gain, found.p_value, found.p_value_ranks) == (0.0, 1.0, 1.0)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_the_area_is_that_of_sklearn(pairs):
    score, event = (np.array(column) for column in zip(*pairs, strict=True))
    if event.all() or not event.any():
        event[:2] = True, False
    assert roc_auc(score, event) == pytest.approx(roc_auc_score(event, score))
    assert roc_auc(-score, event) == pytest.approx(1 - roc_auc(score, event))


def test_the_molchan_diagram_by_hand():
    """Scores 3, 2, 2, 1 of cells of size 1, 1, 2, 4, in which 1, 0, 2, 1 events fell."""
    found = molchan_diagram([3.0, 2.0, 2.0, 1.0], [1, 0, 2, 1], [1.0, 1.0, 2.0, 4.0])
    assert found.alarm == pytest.approx([0, 1 / 8, 4 / 8, 1])
    assert found.missed == pytest.approx([1, 3 / 4, 1 / 4, 0])
    assert found.area_skill == pytest.approx(1 - (1 / 8 * 7 / 8 + 3 / 8 * 1 / 2 + 1 / 2 * 1 / 8))
    assert found.n_events == 4


@given(st.integers(0, 10_000))
def test_the_area_skill_of_single_events_is_the_area_of_all_cells(seed):
    """With cells of equal size: P(event's cell scores higher than any cell), its own tie counting half."""
    rng = np.random.default_rng(seed)
    score, events = rng.integers(0, 6, 30), rng.integers(0, 3, 30) + np.eye(30, dtype=int)[0]
    wins = (score[:, None] > score).mean(axis=1) + (score[:, None] == score).mean(axis=1) / 2
    assert molchan_diagram(score, events).area_skill == pytest.approx(np.average(wins, weights=events))
    assert molchan_diagram(np.zeros(30), events).area_skill == pytest.approx(0.5)


def test_the_number_test_of_reference():
    found = number_test(10.0, 14)
    assert found.at_least == pytest.approx(0.13554, abs=5e-6)
    assert found.at_most == pytest.approx(0.91654, abs=5e-6)
    assert found.p_value == pytest.approx(2 * found.at_least)
    assert number_test(10.0, 0).at_least == 1.0
    assert number_test(10.0, 0).at_most == pytest.approx(math.exp(-10))


def test_a_number_of_events_in_clusters_may_stray_farther():
    """Negative binomial of mean 10 and variance 20: 10 failures at chance one half."""
    found = number_test(10.0, 14, variance=20.0)
    chance = [math.comb(k + 9, k) * 0.5 ** (10 + k) for k in range(15)]
    assert found.at_most == pytest.approx(sum(chance))
    assert found.at_least == pytest.approx(1 - sum(chance[:14]))
    assert found.p_value > number_test(10.0, 14).p_value
    assert number_test(10.0, 14, variance=10.0 + 1e-6).at_least == pytest.approx(number_test(10.0, 14).at_least, abs=1e-6)


def test_the_score_of_a_normal_forecast():
    assert crps_normal(0.0, 0.0, 1.0) == pytest.approx(0.233695, abs=5e-7)
    for observed, mean, deviation in ((1.3, 0.2, 0.7), (-4.0, 1.0, 2.0)):
        said = stats.norm(mean, deviation)
        below = integrate.quad(lambda x, said=said: said.cdf(x) ** 2, -30, observed)[0]
        area = below + integrate.quad(lambda x, said=said: said.sf(x) ** 2, observed, 30)[0]
        assert crps_normal(observed, mean, deviation) == pytest.approx(area, abs=1e-6)


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.floats(-5, 5))
def test_the_score_of_an_ensemble_is_of_all_pairs(members, observed):
    draws, size = np.array(members), len(members)
    away, pairs = np.abs(draws - observed).mean(), np.abs(draws[:, None] - draws).sum() / 2
    assert crps_ensemble([observed], draws[None])[0] == pytest.approx(away - pairs / (size * (size - 1)), abs=1e-9)
    assert crps_ensemble([observed], draws[None], fair=False)[0] == pytest.approx(away - pairs / size**2, abs=1e-9)


def test_a_fair_score_does_not_punish_few_members():
    rng = np.random.default_rng(0)
    observed = rng.standard_normal(20_000)
    scores = {size: crps_ensemble(observed, rng.standard_normal((20_000, size))) for size in (3, 30)}
    truth = crps_normal(observed, 0.0, 1.0).mean()
    assert scores[3].mean() == pytest.approx(truth, abs=0.01)
    assert scores[30].mean() == pytest.approx(truth, abs=0.01)
    assert crps_ensemble(observed, rng.standard_normal((20_000, 3)), fair=False).mean() > truth + 0.1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: poisson_deviances([-1.0], [1.0]), "observed: -1 is negative"),
        (lambda: poisson_deviances([1.0], [0.0]), "expected: 0 is not above 0"),
        (lambda: poisson_deviances([1.0, 2.0], [1.0]), "lengths differ: observed has 2, expected has 1"),
        (lambda: information_gain([1.0, 0.0], [1.0, 1.0], total=2, baseline_total=2), "rate, baseline_rate"),
        (lambda: roc_auc([1.0, 2.0], [1, 1]), "event: 2 of 2"),
        (lambda: molchan_diagram([1.0, 2.0], [0, 0]), "events, measure"),
        (lambda: number_test(0.0, 3), "forecast"),
        (lambda: number_test(3.0, -1), "observed"),
        (lambda: number_test(3.0, 1, variance=3.0), "variance"),
        (lambda: crps_normal(0.0, 0.0, 0.0), "deviation"),
        (lambda: crps_ensemble([0.0], np.zeros((1, 1))), "ensemble"),
    ],
)
def test_what_cannot_be_scored_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

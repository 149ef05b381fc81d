"""Power: published sample sizes, statsmodels, and simulated studies that find as often as was said."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from liqbt.errors import ConfigError
from liqbt.inference.power import (
    TARGET,
    design_effect,
    intraclass_correlation,
    power_of_hazard_ratio,
    power_of_mean,
    power_of_share,
    required_clusters,
    required_events,
    required_touches,
    smallest_hazard_ratio,
    smallest_mean,
    smallest_share_difference,
)


def test_a_mean_of_half_a_deviation_takes_34():
    """Cohen's textbook case, as G*Power prints it: d = .5, two-sided, 34 subjects, power .8078."""
    assert required_clusters(0.5, deviation=1.0) == 34
    assert required_clusters(-0.05, deviation=0.1) == 34
    assert power_of_mean(0.5, standard_error=1 / math.sqrt(34), n_clusters=34) == pytest.approx(0.8078, abs=5e-5)
    assert power_of_mean(0.0, standard_error=1.0, n_clusters=34) == pytest.approx(0.05)
    assert required_clusters(100.0, deviation=1.0) == 2


@given(st.integers(2, 400), st.floats(1e-6, 1e3), st.sampled_from([0.01, 0.05, 0.1]), st.floats(0.3, 0.99))
def test_the_smallest_mean_has_the_power_that_was_asked_for(n_clusters, error, level, power):
    smallest = smallest_mean(standard_error=error, n_clusters=n_clusters, level=level, power=power)
    found = power_of_mean(np.array([0.9, 1.0, -1.0, 1.1]) * smallest, standard_error=error, n_clusters=n_clusters, level=level)
    assert found[0] < power < found[3]
    assert found[1:3] == pytest.approx(power, abs=2e-4)


@pytest.mark.parametrize("degrees", [1, 3, 50])
def test_far_effects_are_found_for_sure_and_ever_surer(degrees):
    found = power_of_mean(np.linspace(30, 45, 31), standard_error=1.0, n_clusters=degrees + 1)
    assert (np.diff(found) >= -1e-12).all()
    assert found[-1] <= 1.0
    assert np.abs(np.diff(found, 2)).max() < 3e-4


def test_many_clusters_are_two_point_eight_errors():
    assert smallest_mean(standard_error=1.0, n_clusters=100_000) == pytest.approx(1.959964 + 0.841621, abs=1e-4)
    assert smallest_mean(standard_error=1.0, n_clusters=5) > 3.7


def test_simulated_studies_find_the_smallest_mean_as_often_as_said():
    smallest = smallest_mean(standard_error=1 / math.sqrt(12), n_clusters=12)
    samples = np.random.default_rng(0).standard_normal((4000, 12)) + smallest
    found = stats.ttest_1samp(samples, 0.0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(TARGET, abs=3 * math.sqrt(0.16 / 4000))


def test_half_against_three_fifths_takes_388_of_each():
    """Fleiss, Levin & Paik (2003), table A.4 without continuity correction: 388 in each group for 80 %."""
    assert power_of_share(0.1, share=0.5, n_events=388, n_others=388) == pytest.approx(0.80, abs=0.001)
    assert power_of_share(-0.1, share=0.5, n_events=388, n_others=388) == pytest.approx(0.80, abs=0.001)
    assert smallest_share_difference(share=0.5, n_events=388, n_others=388) == pytest.approx(0.1, abs=2e-4)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.sampled_from([0.5, 1.0, 3.0, math.inf]), st.sampled_from([1.0, 2.5]))
def test_required_events_are_just_enough(share, other, others_per_event, design):
    difference = other - share
    assume(0.01 < abs(difference) < 0.3)
    n = required_events(difference, share=share, others_per_event=others_per_event, design=design)
    enough, short = (
        float(power_of_share(difference, share=share, n_events=m, n_others=m * others_per_event, design=design)) for m in (n, n - 1)
    )
    assert short < TARGET + 1e-3  # the far tail, of which the formula knows nothing
    assert enough >= TARGET - 1e-9


@pytest.mark.parametrize(("n_events", "n_others"), [(388, 100), (100, 388), (50, 50)])
def test_shares_are_those_of_statsmodels(n_events, n_others):
    from statsmodels.stats.proportion import power_proportions_2indep

    theirs = power_proportions_2indep(0.15, 0.3, n_events, ratio=n_others / n_events, return_results=False)
    assert power_of_share(0.15, share=0.3, n_events=n_events, n_others=n_others) == pytest.approx(theirs)


def test_events_that_tables_print():
    assert required_events(0.1, share=0.5, others_per_event=1.0) == 388
    assert required_events(0.1, share=0.5) == 194


def test_a_share_known_from_theory_by_hand():
    """.6 against .5 in 200 events: (.1 - 1.96 √(.25 / 200)) / √(.24 / 200)."""
    z = (0.1 - 1.959964 * math.sqrt(0.25 / 200)) / math.sqrt(0.24 / 200)
    other = (-0.1 - 1.959964 * math.sqrt(0.25 / 200)) / math.sqrt(0.24 / 200)
    assert power_of_share(0.1, share=0.5, n_events=200) == pytest.approx(stats.norm.cdf(z) + stats.norm.cdf(other))
    assert power_of_share(0.1, share=0.5, n_events=600, design=3.0) == pytest.approx(float(power_of_share(0.1, share=0.5, n_events=200)))
    smallest = smallest_share_difference(share=0.5, n_events=200)
    assert power_of_share(smallest, share=0.5, n_events=200) == pytest.approx(0.8)
    assert smallest_share_difference(share=0.98, n_events=10) == math.inf


def test_schoenfelds_numbers():
    """(1.96 + .8416)² / (.25 ln² 2) = 65.3 touches for a ratio of two."""
    assert required_touches(2.0) == required_touches(0.5) == 66
    assert required_touches(2.0, treated_share=0.25) == math.ceil(65.347 * 0.25 / 0.1875)
    assert required_touches(2.0, design=2.0) == 131
    assert power_of_hazard_ratio([1.0, 2.0, 0.5], n_touches=65.346)[[0, 1, 2]] == pytest.approx([0.05, 0.8, 0.8], abs=1e-4)
    assert smallest_hazard_ratio(n_touches=65.346) == pytest.approx(2.0, abs=1e-4)
    assert smallest_hazard_ratio(n_touches=130.692, design=2.0) == pytest.approx(2.0, abs=1e-4)


def test_alike_within_clusters_by_hand():
    """Clusters (1, 3), (5, 7): between 16, within 2, so (16 - 2) / (16 + 2)."""
    assert intraclass_correlation([1.0, 3.0, 5.0, 7.0], [0, 0, 1, 1]) == pytest.approx(14 / 18)
    assert intraclass_correlation([1.0, 1.0, 5.0, 5.0], list("aabb")) == pytest.approx(1.0)
    assert intraclass_correlation([1.0, 5.0, 1.0, 5.0], list("aabb")) == 0.0
    assert math.isnan(intraclass_correlation([1.0, 5.0], [0, 1]))
    assert math.isnan(intraclass_correlation([1.0, 1.0, 1.0, 1.0], [0, 0, 1, 1]))


def test_the_correlation_of_a_simulation_comes_back():
    rng, cluster = np.random.default_rng(1), np.repeat(np.arange(400), rng_sizes := np.random.default_rng(2).integers(1, 12, 400))
    values = rng.standard_normal(400)[cluster] * math.sqrt(0.3) + rng.standard_normal(rng_sizes.sum()) * math.sqrt(0.7)
    assert intraclass_correlation(values, cluster) == pytest.approx(0.3, abs=0.06)


def test_the_design_effect_by_hand():
    assert design_effect([5, 5, 5], 0.5) == pytest.approx(3.0)
    assert design_effect([9, 1], 1.0) == pytest.approx(8.2)
    assert design_effect([1, 1, 1], 0.9) == 1.0


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: power_of_mean(1.0, standard_error=0.0, n_clusters=5), "standard_error"),
        (lambda: power_of_mean(1.0, standard_error=1.0, n_clusters=1), "n_clusters"),
        (lambda: smallest_mean(standard_error=1.0, n_clusters=5, power=1.0), "power"),
        (lambda: required_clusters(0.0, deviation=1.0), "effect"),
        (lambda: power_of_share(0.6, share=0.5, n_events=5), "difference"),
        (lambda: power_of_share(0.1, share=0.5, n_events=0), "n_events"),
        (lambda: power_of_share(0.1, share=0.5, n_events=9, design=0.5), "design"),
        (lambda: required_events(0.0, share=0.5), "difference"),
        (lambda: required_events(0.1, share=0.5, others_per_event=0.0), "others_per_event"),
        (lambda: power_of_hazard_ratio(0.0, n_touches=5), "ratio"),
        (lambda: required_touches(1.0), "ln ratio"),
        (lambda: design_effect([2, 0], 0.5), "correlation"),
    ],
)
def test_what_cannot_be_planned_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

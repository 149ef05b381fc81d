"""Times to touch: the leukaemia trial of every textbook, statsmodels where it is slow, and areas by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqbt.errors import ConfigError
from liqbt.inference.hazards import hazard_ratio, log_rank
from liqbt.inference.survival import cumulative_incidence, kaplan_meier, restricted_mean

# Freireich et al. (1963), Blood 21: weeks in remission under 6-mercaptopurine, and under placebo, where all relapsed
DRUG = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
DRUG_RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
WEEKS, RELAPSED = np.array(DRUG + PLACEBO, dtype=float), np.array(DRUG_RELAPSED + [1] * 21)
UNTREATED = np.arange(42) >= 21


def market(seed, n=300, n_days=15):
    rng = np.random.default_rng(seed)
    day, treated, strata = rng.integers(0, n_days, n), rng.random(n) < 0.4, rng.integers(0, 3, n)
    touch = rng.exponential(size=n) * np.exp(0.4 * rng.standard_normal(n_days))[day] / np.where(treated, 1.5, 1.0)
    end = rng.exponential(2.0, n)
    return np.minimum(touch, end).round(1), touch <= end, treated, day, strata


def test_the_curve_of_the_textbook():
    """Kalbfleisch & Prentice (2002), table 1.1 and section 1.4; Greenwood errors of Klein & Moeschberger, table 4.1A."""
    curve = kaplan_meier(DRUG, DRUG_RELAPSED)
    at = {6: (0.857, 0.0764), 7: (0.807, 0.0869), 10: (0.753, 0.0963), 13: (0.690, 0.1068), 16: (0.627, 0.1141)}
    at |= {22: (0.538, 0.1282), 23: (0.448, 0.1346)}
    for week, (share, error) in at.items():
        row = np.flatnonzero(curve.time == week)[0]
        assert curve.survival[row] == pytest.approx(share, abs=5e-4)
        assert curve.standard_error[row] == pytest.approx(error, abs=5e-4)
    assert curve.at([5.9, 6, 6.5, 34, 35, 35.1]) == pytest.approx([1.0, 0.8571, 0.8571, 0.4482, 0.4482, np.nan], abs=1e-4, nan_ok=True)
    first = curve.time == 6
    # exp(-exp(ln(-ln S) -+ z s / (S ln S)))
    middle, reach = math.log(-math.log(6 / 7)), 1.959964 * curve.standard_error[first][0] / (6 / 7 * math.log(7 / 6))
    assert curve.ci_low[first][0] == pytest.approx(math.exp(-math.exp(middle + reach)))
    assert curve.ci_high[first][0] == pytest.approx(math.exp(-math.exp(middle - reach)))
    assert kaplan_meier(PLACEBO, [1] * 21).at([23, 99]).tolist() == [0.0, 0.0]


def test_the_log_rank_test_of_the_textbook():
    found = log_rank(WEEKS, RELAPSED, UNTREATED)
    assert found.statistic == pytest.approx(16.79, abs=0.005)
    assert found.p_value == pytest.approx(4.2e-5, abs=5e-7)
    assert (found.observed, round(found.expected, 2)) == (21, 10.75)
    assert log_rank(WEEKS, RELAPSED, UNTREATED, weighting="gehan-breslow").statistic == pytest.approx(13.46, abs=0.005)


def test_the_hazard_ratio_of_the_textbook():
    """Efron's ties: 1.5721, as R's coxph prints it; with events as their own clusters its robust error, and G / (G - 1)."""
    found = hazard_ratio(WEEKS, RELAPSED, UNTREATED, np.arange(42))
    assert found.log_ratio == pytest.approx(1.5721, abs=5e-5)
    assert found.ratio == pytest.approx(4.817, abs=5e-4)
    assert found.ci_low == pytest.approx(math.exp(found.log_ratio - 2.0195 * found.standard_error), rel=1e-4)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_hazard_ratios_are_those_of_statsmodels(seed, stratified):
    from statsmodels.duration.hazard_regression import PHReg

    time, touched, treated, day, strata = market(seed)
    layer = strata if stratified else np.zeros_like(strata)
    # theirs is NaN where somebody leaves before the first touch of the stratum, who says nothing
    first = np.array([time[touched & (layer == one)].min() for one in range(layer.max() + 1)])
    known = time >= first[layer]
    theirs = PHReg(time[known], treated[known, None].astype(float), touched[known].astype(int), strata=layer[known], ties="efron").fit(
        groups=day[known]
    )
    ours = hazard_ratio(time, touched, treated, day, strata=strata if stratified else None)
    assert ours.log_ratio == pytest.approx(theirs.params[0], abs=1e-6)
    assert ours.standard_error == pytest.approx(theirs.bse[0] * math.sqrt(15 / 14), rel=1e-4)


def test_a_log_rank_test_within_strata_adds_them_up():
    """Where each stratum has its own time scale only comparisons inside them count; strata without comparison say nothing."""
    time, touched, treated, _, strata = market(4)
    plain = log_rank(time, touched, treated, strata=strata)
    stretched = log_rank(time * np.array([1.0, 10.0, 100.0])[strata], touched, treated, strata=strata)
    assert stretched == plain
    alone = log_rank(
        np.append(time, [1.0, 2.0]), np.append(touched, [True, True]), np.append(treated, [True, True]), strata=np.append(strata, [9, 9])
    )
    assert alone == plain


@given(st.integers(0, 10_000))
def test_all_shares_add_up_while_two_levels_compete(seed):
    rng = np.random.default_rng(seed)
    time, first = rng.integers(1, 9, 60).astype(float), rng.integers(0, 3, 60)
    first[:2] = 1, 2
    curves, either = cumulative_incidence(time, first), kaplan_meier(time, first > 0)
    at = np.searchsorted(curves.time, either.time)
    np.testing.assert_allclose(curves.incidence[at].sum(axis=1) + either.survival, 1.0)
    assert (np.diff(curves.incidence, axis=0) >= -1e-12).all()


def test_without_censoring_incidence_is_a_share():
    curves = cumulative_incidence([1.0, 2.0, 3.0, 4.0, 5.0], [1, 2, 1, 1, 2])
    assert curves.incidence[-1] == pytest.approx([0.6, 0.4])
    assert curves.incidence[2] == pytest.approx([0.4, 0.2])


def test_the_restricted_mean_is_an_area():
    """Touched at 1 and 3 of four, one left at 2, one at 4: 1 + 2 x 3/4 + 1 x 3/8 up to 4."""
    curve = kaplan_meier([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 0])
    found = restricted_mean(curve, 4.0)
    assert found.mean == pytest.approx(1 + 2 * 0.75 + 1 * 0.375)
    # Σ A² d / (n (n - d)): beyond 1 lies 1.875 of 4 levels, beyond 3 .375 of 2
    assert found.standard_error == pytest.approx(math.sqrt(1.875**2 / 12 + 0.375**2 / 2))
    assert restricted_mean(curve, 0.5).mean == 0.5
    assert restricted_mean(curve, 0.5).standard_error == 0.0


@given(st.lists(st.floats(0.01, 50), min_size=3, max_size=40), st.floats(0.1, 50))
def test_without_censoring_the_restricted_mean_is_a_mean(times, horizon):
    curve = kaplan_meier(times, [1] * len(times))
    found = restricted_mean(curve, horizon)
    waited = np.minimum(times, horizon)
    assert found.mean == pytest.approx(waited.mean())
    assert found.standard_error == pytest.approx(waited.std() / math.sqrt(len(times)), abs=1e-6)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: kaplan_meier([1.0, -2.0], [1, 1]), "time: -2 is negative"),
        (lambda: kaplan_meier([1.0, 2.0], [1, 2]), "touched: must be one yes or no"),
        (lambda: kaplan_meier([1.0, 2.0], [0, 0]), "touched: no level was"),
        (lambda: cumulative_incidence([1.0, 2.0], [0, 2]), "first"),
        (lambda: cumulative_incidence([1.0, 2.0], [0.5, 1.0]), "first"),
        (lambda: log_rank([1.0, 2.0], [1, 1], [1, 1]), "treated"),
        (lambda: log_rank([1.0, 2.0], [1, 1], [0, 1], strata=[0, 1]), "strata: in none"),
        (lambda: log_rank([1.0, 2.0], [1, 1], [0, 1], weighting="fh"), "weighting"),
        (lambda: hazard_ratio([1.0, 2.0], [1, 1], [0, 1], [0, 0]), "cluster"),
        (lambda: hazard_ratio([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 1, 2, 3]), "no ratio can be told"),
        (lambda: hazard_ratio([1.0, 2.0, 3.0, 4.0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 1, 2, 3]), "no ratio can be told"),
        (lambda: restricted_mean(kaplan_meier([1.0, 2.0], [1, 0]), 3.0), "horizon"),
    ],
)
def test_what_cannot_be_told_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

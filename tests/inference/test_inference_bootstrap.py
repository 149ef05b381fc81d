"""Block bootstrap over days: against a loop over the same days, closed forms, scipy's BCa, and what must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_statistics import block_bootstrap
from scipy import stats

from liqbt.errors import ConfigError
from liqbt.inference.blocks import automatic_block_length, stationary_indices
from liqbt.inference.bootstrap import MIN_BLOCKS, bootstrap_difference, bootstrap_mean, bootstrap_ratio


def sample(seed, n_events=80, n_days=30):
    rng = np.random.default_rng(seed)
    day = rng.integers(0, n_days, n_events)
    day[:2] = 0, n_days - 1
    values = rng.standard_normal(n_events) + rng.standard_normal(n_days)[day]
    return values, rng.random(n_events) < 0.4, day


def test_blocks_have_the_length_that_was_asked_for():
    index = stationary_indices(500, 8.0, draws=400, seed=3)
    assert index.shape == (400, 500)
    goes_on = (index[:, 1:] - index[:, :-1]) % 500 == 1
    # a new block begins with chance 1/8, less the 1 in 500 that it begins where the last ended
    assert 1 - goes_on.mean() == pytest.approx(1 / 8 * (1 - 1 / 500), rel=0.02)
    assert np.bincount(index.ravel(), minlength=500).std() / 400 < 0.2
    assert index.min() == 0
    assert index.max() == 499


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(1, 600), st.integers(0, 2**31))
def test_draws_do_not_depend_on_how_many_follow(n, draws, seed):
    few, many = stationary_indices(n, 1.0, draws=draws, seed=seed), stationary_indices(n, 1.0, draws=700, seed=seed)
    np.testing.assert_array_equal(few[: draws // 250 * 250], many[: draws // 250 * 250])
    np.testing.assert_array_equal(few, stationary_indices(n, 1.0, draws=draws, seed=seed))


def test_the_automatic_length_grows_with_dependence():
    noise = np.random.default_rng(0).standard_normal(2000)
    persistent = np.convolve(noise, 0.9 ** np.arange(60))[:2000]
    assert automatic_block_length(noise) < 5
    assert automatic_block_length(persistent) > 15
    assert automatic_block_length(np.ones(50)) == 1.0
    assert automatic_block_length(noise[:11]) == 1.0
    assert automatic_block_length(np.eye(30)[4]) == 1.0


@pytest.mark.parametrize("length", [1.0, 3.0])
def test_draws_are_those_of_a_loop(length):
    """Interval and p-value of the studentised bootstrap, from a loop over the same days, blocks and events."""
    values, treated, day = sample(5)

    def mean_influence(everything, block):
        return (values[block] - values[everything].mean()).sum() / len(everything)

    def difference(events):
        return values[events][treated[events]].mean() - values[events][~treated[events]].mean()

    def difference_influence(everything, block):
        parts = []
        for group in (treated, ~treated):
            inside = everything[group[everything]]
            parts.append((values[block][group[block]] - values[inside].mean()).sum() / len(inside))
        return parts[0] - parts[1]

    index = stationary_indices(30, length, draws=199, seed=11)
    cases = (
        (bootstrap_mean(values, day, block_length=length, draws=199, seed=11), lambda events: values[events].mean(), mean_influence),
        (bootstrap_difference(values, treated, day, block_length=length, draws=199, seed=11), difference, difference_influence),
    )
    for found, statistic, influence in cases:
        estimate = statistic(np.arange(80))
        assert found.estimate == pytest.approx(estimate)
        if length == 1.0:
            blocks = [np.flatnonzero(day == one) for one in range(30)]
            assert found.standard_error == pytest.approx(np.sqrt(sum(influence(np.arange(80), one) ** 2 for one in blocks)))
            continue  # single days that happen to follow each other are blocks of their own, which the loop does not know
        drawn, errors = block_bootstrap(statistic, influence, day, index)
        scaled = np.sort(np.abs((drawn - estimate) / errors))
        assert found.ci_high - estimate == pytest.approx(scaled[189] * found.standard_error)  # the 190th of 199 and the sample
        assert estimate - found.ci_low == pytest.approx(found.ci_high - estimate)
        assert found.p_value == pytest.approx((1 + (scaled * found.standard_error >= abs(estimate)).sum()) / 200)


@pytest.mark.parametrize("length", [1.0, 2.5, 10.0])
def test_the_closed_form_is_the_spread_of_many_draws(length):
    values, _, day = sample(2, n_events=30)
    day = np.arange(30)
    found = bootstrap_mean(values, day, block_length=length, draws=99, seed=0)
    drawn = values[stationary_indices(30, length, draws=20_000, seed=1)].mean(axis=1)
    assert found.standard_error == pytest.approx(drawn.std(), rel=0.02)


def test_bca_and_percentile_are_those_of_scipy():
    values = np.random.default_rng(8).lognormal(0.0, 1.2, 60)
    theirs = {
        "bca": stats.bootstrap((values,), np.mean, method="BCa", n_resamples=20_000, rng=1),
        "percentile": stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=1),
    }
    for method, other in theirs.items():
        ours = bootstrap_mean(values, np.arange(60), block_length=1, method=method, draws=19_999, seed=2)
        width = ours.ci_high - ours.ci_low
        assert ours.ci_low == pytest.approx(other.confidence_interval.low, abs=0.05 * width)
        assert ours.ci_high == pytest.approx(other.confidence_interval.high, abs=0.05 * width)
    # the two differ by more than that, for values lean to the right
    low, high = (theirs[method].confidence_interval.high for method in ("percentile", "bca"))
    assert high - low > 0.1 * width


def test_a_ratio_is_of_sums():
    found = bootstrap_ratio([1.0, 2.0, 3.0, 6.0], [2.0, 2.0, 0.0, 4.0], [0, 0, 1, 2], block_length=1, draws=99, seed=0)
    assert found.estimate == pytest.approx(12 / 8)
    # influence of each day: (3 - 6) / 8, (3 - 0) / 8, (6 - 6) / 8
    assert found.standard_error == pytest.approx(np.sqrt(18) / 8)


@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(0.1, 10))
def test_order_unit_and_origin_of_days_do_not_matter(seed, shift, scale):
    values, treated, day = sample(seed)
    first = bootstrap_difference(values, treated, day, block_length=3, draws=99, seed=seed)
    order = np.random.default_rng(seed).permutation(80)
    other = bootstrap_difference((scale * values + shift)[order], treated[order], day[order] + 20_000, block_length=3, draws=99, seed=seed)
    assert other.estimate == pytest.approx(scale * first.estimate)
    assert other.ci_high == pytest.approx(scale * first.ci_high)
    assert other.p_value == pytest.approx(first.p_value, abs=0.0101)  # a tie may fall either way


def test_days_without_events_count():
    values, day = np.array([1.0, 3.0, 2.0, 4.0]), np.array([0, 1, 8, 9])
    assert bootstrap_mean(values, day, draws=99, seed=0).n_days == 10
    assert bootstrap_mean(values, np.arange(4), draws=99, seed=0).n_days == 4


def test_events_that_take_days_are_drawn_with_their_neighbours():
    values, _, day = sample(3)
    of_days = automatic_block_length(np.bincount(day, weights=values - values.mean()))
    assert 1 < of_days < 11
    assert bootstrap_mean(values, day, draws=99, seed=0).block_length == pytest.approx(of_days)
    assert bootstrap_mean(values, day, span_days=11, draws=99, seed=0).block_length == 21
    assert bootstrap_mean(values, day, span_days=500, draws=99, seed=0).block_length == 30
    assert bootstrap_mean(values, day, span_days=11, block_length=2, draws=99, seed=0).block_length == 2


def test_enough_is_counted_in_blocks():
    values = np.random.default_rng(0).standard_normal(4 * MIN_BLOCKS)
    day = np.arange(values.size)
    assert bootstrap_mean(values, day, block_length=4, draws=99, seed=0).enough
    assert not bootstrap_mean(values, day, block_length=4.1, draws=99, seed=0).enough


def test_a_group_on_one_day_only_leaves_draws_undefined_and_speaks_for_the_null():
    values, treated, day = np.arange(12.0), np.zeros(12, dtype=bool), np.arange(12)
    treated[3] = True
    found = bootstrap_difference(values, treated, day, null=100.0, block_length=1, draws=999, seed=0)
    # the chance that twelve draws miss one of twelve days
    assert found.p_value == pytest.approx((11 / 12) ** 12, abs=0.05)


def test_values_that_never_vary():
    found = bootstrap_mean(np.ones(20), np.arange(20), null=1.0, draws=99, seed=0)
    assert (found.ci_low, found.ci_high, found.p_value) == (1.0, 1.0, 1.0)
    assert bootstrap_mean(np.ones(20), np.arange(20), draws=99, seed=0).p_value == 0.01


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: bootstrap_mean([1.0, np.nan], [0, 1], seed=0), "values: nan"),
        (lambda: bootstrap_mean([1.0, 2.0], [0.5, 1.0], seed=0), "day: float64"),
        (lambda: bootstrap_mean([1.0, 2.0], [0, 0], seed=0), "day: all events"),
        (lambda: bootstrap_mean([1.0, 2.0], [0, 1_700_000_000_000], seed=0), "give days, not instants"),
        (lambda: bootstrap_mean([1.0, 2.0], [0, 1], method="bc", seed=0), "method: 'bc' is unknown"),
        (lambda: bootstrap_mean([1.0, 2.0, 3.0], [0, 1, 2], method="bca", block_length=2, seed=0), "needs independent days"),
        (lambda: bootstrap_mean([1.0, 2.0], [0, 1], block_length=3, seed=0), "block_length"),
        (lambda: bootstrap_mean([1.0, 2.0], [0, 1], span_days=0.5, seed=0), "span_days"),
        (lambda: bootstrap_mean([1.0, 2.0], [0, 1], draws=10, seed=0), "draws"),
        (lambda: bootstrap_ratio([1.0, 2.0], [0.0, 0.0], [0, 1], seed=0), "denominator"),
        (lambda: bootstrap_ratio([1.0, 2.0], [1.0], [0, 1], seed=0), "lengths differ"),
        (lambda: bootstrap_difference([1.0, 2.0], [0, 0], [0, 1], seed=0), "treated"),
        (lambda: stationary_indices(5, 0.5, draws=3, seed=0), "block_length"),
    ],
)
def test_what_cannot_be_drawn_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

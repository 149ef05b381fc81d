"""Many tests at once: adjusted p-values worked by hand, and many strategies against one benchmark."""

import numpy as np
import pytest

from liqbt.errors import ConfigError
from liqbt.inference.multiple import adjust_p_values, step_m, superior_predictive_ability

P = [0.01, 0.04, np.nan, 0.03, 0.50]


@pytest.mark.parametrize(
    ("correction", "expected"),
    [
        # n p / rank, then the least of those above: .04, .06 -> .16 / 3, .16 / 3, .5
        ("benjamini-hochberg", [0.04, 0.16 / 3, np.nan, 0.16 / 3, 0.5]),
        # times 1 + 1/2 + 1/3 + 1/4
        ("benjamini-yekutieli", [0.04 * 25 / 12, 0.16 / 3 * 25 / 12, np.nan, 0.16 / 3 * 25 / 12, 1.0]),
        # 4 p, 3 p, 2 p, p, never decreasing: .04, .09, .09, .5
        ("holm", [0.04, 0.09, np.nan, 0.09, 0.5]),
    ],
)
def test_adjusted_by_hand(correction, expected):
    found = adjust_p_values(P, correction=correction)
    np.testing.assert_allclose(found.q_value, expected)
    np.testing.assert_array_equal(found.rejected, np.nan_to_num(np.array(expected), nan=1.0) <= 0.05)


def test_nothing_tested_is_nothing_found():
    found = adjust_p_values([np.nan, np.nan])
    assert np.isnan(found.q_value).all()
    assert not found.rejected.any()


def strategies(seed, edge=0.0, n_periods=300, n_strategies=12):
    returns = np.random.default_rng(seed).standard_t(5, (n_periods, n_strategies)) * 0.01
    returns[:, 3] += edge
    return returns


def test_one_good_strategy_is_found_among_many():
    returns, cash = strategies(0, edge=0.003), np.zeros(300)
    found = superior_predictive_ability(returns, cash, block_length=2, draws=499, seed=1)
    assert found.best == 3
    assert found.p_value == found.p_lower == found.p_upper == 1 / 500
    assert step_m(returns, cash, block_length=2, draws=499, seed=1).tolist() == [3]
    assert found == superior_predictive_ability(returns, cash, block_length=2, draws=499, seed=1)


def test_the_best_of_many_that_are_worth_nothing_is_not():
    returns, cash = strategies(2), np.zeros(300)
    found = superior_predictive_ability(returns, cash, block_length=2, draws=499, seed=1)
    assert 0.05 < found.p_lower <= found.p_value <= found.p_upper
    assert step_m(returns, cash, block_length=2, draws=499, seed=1).size == 0


def test_only_the_difference_to_the_benchmark_counts():
    returns, market = strategies(3, edge=0.003), np.random.default_rng(9).standard_normal(300)
    plain = superior_predictive_ability(returns, np.zeros(300), block_length=2, draws=199, seed=4)
    shifted = superior_predictive_ability(returns + market[:, None], market, block_length=2, draws=199, seed=4)
    assert shifted == plain


def test_the_block_length_follows_the_most_dependent_strategy():
    returns = strategies(5)
    returns[:, 0] = np.convolve(returns[:, 0], np.ones(20) / 20)[:300]
    assert superior_predictive_ability(returns, np.zeros(300), draws=99, seed=0).block_length > 5


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: adjust_p_values([0.5, 1.5]), "p_values"),
        (lambda: adjust_p_values([0.5], correction="bonferroni"), "correction"),
        (lambda: superior_predictive_ability(np.ones((5, 2)), np.zeros(4), seed=0), "returns: shape"),
        (lambda: superior_predictive_ability(np.full((5, 2), np.nan), np.zeros(5), seed=0), "returns: must be finite"),
        (lambda: step_m(np.ones((5, 2)), np.zeros(5), seed=0), "strategy 0 differs from the benchmark by a constant"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

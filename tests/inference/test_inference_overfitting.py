"""Probability of backtest overfitting: against the paper's procedure done slowly, and on matrices of known answer."""

from math import comb, log

import numpy as np
import pytest
from reference_statistics import overfitting
from scipy import stats

from liqbt.errors import ConfigError
from liqbt.inference.overfitting import backtest_overfitting


@pytest.mark.parametrize("measure", ["sharpe", "mean"])
@pytest.mark.parametrize("seed", [0, 1])
def test_it_is_the_procedure_of_the_paper(measure, seed):
    returns = np.random.default_rng(seed).standard_t(4, (67, 7)) * 0.01 + 0.0005 * np.arange(7)
    found = backtest_overfitting(returns, n_blocks=8, measure=measure)
    rows, everything = overfitting(returns, 8, measure)
    np.testing.assert_array_equal(found.chosen, rows[:, 0])
    np.testing.assert_allclose(found.in_sample, rows[:, 1])
    np.testing.assert_allclose(found.out_of_sample, rows[:, 2])
    share = rows[:, 3] / 8
    np.testing.assert_allclose(found.logits, np.log(share / (1 - share)))
    assert found.probability == pytest.approx((share <= 0.5).mean())
    assert found.probability_of_loss == pytest.approx((rows[:, 2] < 0).mean())
    line = stats.linregress(rows[:, 1], rows[:, 2])
    assert found.degradation_slope == pytest.approx(line.slope)
    assert found.degradation_intercept == pytest.approx(line.intercept)
    assert (found.grid[0], found.grid[-1]) == pytest.approx((everything.min(), everything.max()))
    inner = found.grid[1:-1]
    np.testing.assert_allclose(found.any_distribution[1:-1], [(everything <= x).mean() for x in inner])
    np.testing.assert_allclose(found.chosen_distribution[1:-1], [(rows[:, 2] <= x).mean() for x in inner])
    assert found.any_distribution[-1] == 1.0


def test_sixteen_blocks_are_12870_splits():
    found = backtest_overfitting(np.random.default_rng(0).standard_normal((160, 3)))
    assert found.logits.size == comb(16, 8) == 12_870


def test_a_strategy_that_is_truly_better_stays_so():
    returns = np.random.default_rng(1).standard_normal((800, 20)) * 0.01
    returns[:, 7] += 0.004
    found = backtest_overfitting(returns, n_blocks=10)
    assert found.probability == 0.0
    assert (found.chosen == 7).all()
    assert found.probability_of_loss == 0.0
    assert found.logits == pytest.approx(log(20))  # the best of twenty: 20/21 against 1/21
    assert found.first_order_dominance
    assert found.second_order_dominance


def test_what_was_best_because_it_will_be_worst_is_overfitting():
    """Returns of each strategy add up to nothing over all blocks: who gained in one half lost in the other."""
    rng = np.random.default_rng(2)
    level = rng.standard_normal((8, 30))
    level -= level.mean(axis=0)
    returns = np.repeat(level, 20, axis=0) + 1e-3 * rng.standard_normal((160, 30))
    found = backtest_overfitting(returns, n_blocks=8, measure="mean")
    assert found.probability > 0.99
    assert found.degradation_slope == pytest.approx(-1.0, abs=0.01)
    assert found.probability_of_loss > 0.99
    assert not found.first_order_dominance
    assert not found.second_order_dominance


def test_noise_is_overfitting_half_the_time():
    shares = [backtest_overfitting(np.random.default_rng(k).standard_normal((200, 10)), n_blocks=8).probability for k in range(60)]
    # splits of one sample are dependent; samples are not
    assert np.mean(shares) == pytest.approx(0.5, abs=3 * np.std(shares) / np.sqrt(60))
    assert np.std(shares) / np.sqrt(60) < 0.04


def test_strategies_that_are_copies_share_their_rank():
    returns = np.repeat(np.random.default_rng(3).standard_normal((80, 1)), 5, axis=1)
    found = backtest_overfitting(returns, n_blocks=4)
    assert (found.chosen == 0).all()
    assert found.logits == pytest.approx(0.0)
    assert found.probability == 1.0


def test_scale_and_idle_strategies():
    returns = np.random.default_rng(4).standard_normal((96, 6)) + 0.1
    returns[:, 5] = 0.0
    one = backtest_overfitting(returns, n_blocks=8)
    scaled = backtest_overfitting(returns * np.array([1e-6, 1.0, 1e3, 2.0, 5.0, 1.0]), n_blocks=8)
    np.testing.assert_array_equal(one.chosen, scaled.chosen)
    np.testing.assert_allclose(one.out_of_sample, scaled.out_of_sample)
    idle = backtest_overfitting(np.column_stack((np.zeros(96), -np.abs(returns[:, :2]))), n_blocks=8)
    assert (idle.chosen == 0).all()
    assert (idle.out_of_sample == 0.0).all()


def test_periods_that_do_not_divide_are_left_out_at_the_beginning():
    returns = np.random.default_rng(5).standard_normal((83, 4))
    whole, cut = backtest_overfitting(returns, n_blocks=8), backtest_overfitting(returns[3:], n_blocks=8)
    np.testing.assert_array_equal(whole.logits, cut.logits)


def test_many_strategies_are_taken_in_parts():
    """More than fit at once: the same as one by one in the first columns, where the rest never wins."""
    returns = np.random.default_rng(6).standard_normal((64, 4))
    many = np.column_stack((returns, np.full((64, 40_000), -1.0) + 0.01 * np.random.default_rng(7).standard_normal((64, 40_000))))
    few, all_of_them = backtest_overfitting(returns, n_blocks=10), backtest_overfitting(many, n_blocks=10)
    np.testing.assert_array_equal(few.chosen, all_of_them.chosen)
    np.testing.assert_allclose(few.out_of_sample, all_of_them.out_of_sample)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: backtest_overfitting(np.zeros((100, 3)), n_blocks=7), "n_blocks"),
        (lambda: backtest_overfitting(np.zeros((100, 3)), n_blocks=22), "n_blocks"),
        (lambda: backtest_overfitting(np.zeros((100, 1))), "returns: shape"),
        (lambda: backtest_overfitting(np.zeros((31, 3))), "returns: shape"),
        (lambda: backtest_overfitting(np.full((100, 3), np.nan)), "returns: must be finite"),
        (lambda: backtest_overfitting(np.zeros((100, 3)), measure="sortino"), "measure"),
    ],
)
def test_what_cannot_be_judged_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

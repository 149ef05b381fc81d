"""First touches of a price that goes nowhere: closed cases, a lattice, and simulated paths that are looked at now and then."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_statistics import random_walk_exits
from scipy import stats
from scipy.special import zeta

from liqbt.errors import ConfigError
from liqbt.inference.first_touch import (
    DISCRETE_SHIFT,
    first_touch_probability,
    first_touch_within,
    touch_probability,
    up_first_probability,
)

LEVELS = st.floats(1e-3, 0.5)
KINDS = st.sampled_from(["price", "log"])


def test_two_up_before_three_down():
    assert first_touch_probability(2.0, 3.0) == pytest.approx(0.6)
    np.testing.assert_allclose(first_touch_probability([1.0, 9.0], 1.0), [0.5, 0.1])


def test_the_shift_is_the_constant_of_the_paper():
    assert pytest.approx(-zeta(0.5) / math.sqrt(2 * math.pi)) == DISCRETE_SHIFT
    assert pytest.approx(0.5826, abs=5e-5) == DISCRETE_SHIFT


def test_equal_log_distances_are_not_equally_likely_for_a_martingale_price():
    """From 100 to 100 e^.05 = 105.127 and 95.123: (100 - 95.123) / (105.127 - 95.123)."""
    assert up_first_probability(0.05, 0.05) == pytest.approx(4.87706 / 10.00417, rel=1e-5)
    assert up_first_probability(0.05, 0.05, martingale="log") == 0.5


@given(LEVELS, LEVELS)
def test_log_distances_say_the_same_as_prices(up, down):
    prices = first_touch_probability(100 * math.exp(up) - 100, 100 - 100 * math.exp(-down))
    assert up_first_probability(up, down) == pytest.approx(float(prices))


def test_one_level_is_the_reflection_principle():
    found = touch_probability(0.03, 0.02, [1.0, 4.0], martingale="log")
    np.testing.assert_allclose(found, 2 * stats.norm.sf(0.03 / 0.02 / np.array([1.0, 2.0])))


@given(LEVELS, st.floats(0.005, 1.0), st.floats(0.01, 100))
def test_one_level_with_drift_is_the_inverse_gaussian(distance, volatility, horizon):
    """scipy's distribution of the first passage, which needs drift towards the level: down, for a martingale price."""
    shape = distance**2 / volatility**2
    found = touch_probability(distance, volatility, horizon, up=False)
    mean = distance / (volatility**2 / 2)
    passage = stats.invgauss(mean / shape, scale=shape)
    assert found == pytest.approx(passage.cdf(horizon), abs=1e-9)


@given(LEVELS, LEVELS, st.floats(0.005, 1.0), st.floats(0.01, 100), KINDS)
def test_two_levels_share_what_there_is(up, down, volatility, horizon, martingale):
    found = first_touch_within(up, down, volatility, horizon, martingale=martingale)
    assert found.up + found.down + found.neither == pytest.approx(1.0)
    assert 0 <= found.up <= touch_probability(up, volatility, horizon, martingale=martingale) + 1e-12
    assert 0 <= found.down <= touch_probability(down, volatility, horizon, up=False, martingale=martingale) + 1e-12
    longer = first_touch_within(up, down, volatility, 1.5 * horizon, martingale=martingale)
    assert longer.up >= found.up - 1e-12
    assert longer.neither <= found.neither + 1e-12


@given(LEVELS, LEVELS, st.floats(0.05, 1.0), KINDS)
def test_with_patience_the_horizon_does_not_matter(up, down, volatility, martingale):
    found = first_touch_within(up, down, volatility, 2000.0, martingale=martingale)
    assert found.up == pytest.approx(float(up_first_probability(up, down, martingale=martingale)), abs=1e-9)
    assert found.neither == pytest.approx(0.0, abs=1e-9)


@given(LEVELS, st.floats(0.005, 1.0), st.floats(0.01, 10))
def test_a_level_out_of_reach_does_not_matter(up, volatility, horizon):
    far = up + 60 * volatility * math.sqrt(horizon)
    found = first_touch_within(up, far, volatility, horizon)
    assert found.up == pytest.approx(float(touch_probability(up, volatility, horizon)), abs=1e-12)


@pytest.mark.parametrize(("up", "down", "horizon"), [(60, 40, 400), (60, 40, 2_000), (60, 40, 6_000), (20, 80, 1_500)])
@pytest.mark.parametrize("martingale", ["price", "log"])
def test_two_levels_are_the_limit_of_a_lattice(up, down, horizon, martingale):
    """A walk of steps of 5 bps; for a martingale price a step up is less likely than one down, 1 / (1 + e^step)."""
    step = 0.0005
    rise = 1 / (1 + math.exp(step)) if martingale == "price" else 0.5
    above, below, neither = random_walk_exits(up, down, horizon, rise)
    found = first_touch_within(up * step, down * step, step, float(horizon), martingale=martingale)
    assert (found.up, found.down, found.neither) == pytest.approx((above, below, neither), abs=2e-3)


@pytest.mark.parametrize(("up", "down"), [(0.0625, 0.0375), (0.02, 0.08), (0.05, 0.05)])
def test_both_series_agree_where_they_meet(up, down):
    """The sums of images and of eigenfunctions change places where the levels are one deviation apart."""
    assert up + down == 0.1
    found = first_touch_within(up, down, np.array([0.1, np.nextafter(0.1, 0.0)]), 1.0)
    assert found.up[0] == pytest.approx(found.up[1], abs=1e-14)
    assert found.down[0] == pytest.approx(found.down[1], abs=1e-14)


def test_looking_now_and_then_moves_levels_away():
    moved = 0.03 + DISCRETE_SHIFT * 0.02 * math.sqrt(1 / 288)
    assert touch_probability(0.03, 0.02, 1.0, step=1 / 288) == touch_probability(moved, 0.02, 1.0)
    looked, ever = first_touch_within(0.03, 0.02, 0.02, 1.0, step=1 / 288), first_touch_within(0.03, 0.02, 0.02, 1.0)
    assert looked.neither > ever.neither


def simulated(up, down, volatility, n_steps, paths, seed):
    """Shares of geometric Brownian paths that are first seen above, and below, when looked at after each of n_steps of a day."""
    rng, above, below = np.random.default_rng(seed), 0, 0
    place, alive = np.zeros(paths), np.ones(paths, dtype=bool)
    for _ in range(n_steps):
        place += -(volatility**2) / 2 / n_steps + volatility / math.sqrt(n_steps) * rng.standard_normal(paths)
        higher, lower = alive & (place >= up), alive & (place <= -down)
        above, below = above + higher.sum(), below + lower.sum()
        alive &= ~(higher | lower)
    return above / paths, below / paths


@pytest.mark.parametrize(("up", "down"), [(0.03, 0.02), (0.02, 9.0)])
def test_paths_looked_at_every_hour(up, down):
    found = first_touch_within(up, down, 0.03, 1.0, step=1 / 24)
    ever = first_touch_within(up, down, 0.03, 1.0)
    above, below = simulated(up, down, 0.03, 24, 40_000, 1)
    error = 4 * math.sqrt(0.25 / 40_000)
    assert found.up == pytest.approx(above, abs=error)
    assert found.down == pytest.approx(below, abs=error)
    assert abs(ever.up - above) > 3 * error  # without the shift it would not do


@pytest.mark.slow
@pytest.mark.parametrize(("up", "down"), [(0.03, 0.02), (0.05, 0.05), (0.01, 0.04), (0.02, 9.0)])
@pytest.mark.parametrize("n_steps", [48, 288])
def test_many_paths_looked_at_now_and_then(up, down, n_steps):
    found = first_touch_within(up, down, 0.03, 1.0, step=1 / n_steps)
    above, below = simulated(up, down, 0.03, n_steps, 400_000, 2)
    error = 4 * math.sqrt(0.25 / 400_000)
    assert found.up == pytest.approx(above, abs=error)
    assert found.down == pytest.approx(below, abs=error)


def test_a_horizon_favours_the_nearer_level():
    found = first_touch_within(0.03, 0.02, 0.02, 1.0)
    assert found.up / (found.up + found.down) == pytest.approx(0.29, abs=0.005)
    assert up_first_probability(0.03, 0.02) == pytest.approx(0.394, abs=5e-4)


def test_arrays_broadcast():
    found = first_touch_within(np.array([[0.01], [0.02]]), 0.03, np.array([0.02, 0.03, 0.04]), 1.0)
    assert found.up.shape == (2, 3)
    assert found.up[1, 2] == first_touch_within(0.02, 0.03, 0.04, 1.0).up


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: first_touch_probability(0.0, 1.0), "up: every value"),
        (lambda: up_first_probability(1.0, np.nan), "down: every value"),
        (lambda: up_first_probability(1.0, 1.0, martingale="sqrt"), "martingale"),
        (lambda: touch_probability(0.1, 0.0, 1.0), "volatility"),
        (lambda: touch_probability(0.1, 0.1, -1.0), "horizon"),
        (lambda: touch_probability(0.1, 0.1, 1.0, step=-1.0), "step"),
    ],
)
def test_what_cannot_be_touched_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

"""Outcomes by hand, against a slow oracle, and on martingales."""

import numpy as np
import pytest
from contexts import context_of
from generators import markets
from hypothesis import given
from hypothesis import strategies as st

from liqbt.errors import ConfigError
from liqbt.evaluation._kernels import BOTH, LOWER, NONE, UPPER, stop_at_barriers
from liqbt.evaluation.events import Events
from liqbt.evaluation.outcomes import Bounce, FirstTouch, ForwardReturn, TouchWithin


@pytest.fixture
def at(make_market):
    """A context of hourly bars with sigma 2 % a day."""
    return lambda **prices: context_of(make_market(**prices))


def events(*rows):
    bar, direction, level = (np.array(column) for column in zip(*rows, strict=True))
    return Events.at(bar.astype(np.int64), direction.astype(np.int64), level.astype(float))


def test_the_level_or_its_mirror_comes_first(at):
    # decided at the close of bar 0 (100), measured from the next open (100): level 104, mirror 96
    context = at(close=[100, 100, 101, 99, 100], open=[100, 100, 100, 101, 99], high=[100, 103, 104, 101, 101], low=[100, 99, 100, 96, 98])
    up, down = (FirstTouch(hours=3).measure(context, events((0, side, level))) for side, level in ((1, 104), (-1, 96)))
    assert up.value.tolist() == [0.5]
    assert up.bps.tolist() == [400.0]
    assert up.bars.tolist() == [2]
    assert up.touched.tolist() == [True]
    assert down.value.tolist() == [-0.5]
    assert down.touched.tolist() == [False]


def test_a_gap_beyond_the_level_counts_to_where_it_opened(at):
    context = at(close=[100, 101, 107], open=[100, 100, 106], high=[100, 102, 108], low=[100, 100, 105])
    one = FirstTouch(hours=2).measure(context, events((0, 1, 104)))
    assert one.value.tolist() == [6 / 8]
    assert one.bps.tolist() == pytest.approx([600.0])


def test_time_out_counts_what_was_earned_by_then(at):
    context = at(close=[100, 101, 102, 90], open=[100, 100, 101, 102])
    one = FirstTouch(hours=2).measure(context, events((0, 1, 104)))
    assert one.value.tolist() == [2 / 8]
    assert one.touched.tolist() == [False]
    assert one.bars.tolist() == [2]


def test_a_bar_that_holds_both_tells_nothing(at):
    context = at(close=[100, 100], open=[100, 100], high=[100, 105], low=[100, 95])
    one = FirstTouch(hours=1).measure(context, events((0, 1, 104)))
    assert one.value.tolist() == [0.0]
    assert one.touched.tolist() == [False]


def test_levels_that_the_next_open_has_passed_are_left_out(at):
    context = at(close=[100, 106, 100], open=[100, 105, 100])
    assert len(FirstTouch(hours=1).measure(context, events((0, 1, 104), (1, 1, 104))).events) == 1


def test_events_whose_horizon_was_not_recorded_are_left_out(at):
    context = at(close=[100.0] * 5)
    found = ForwardReturn(hours=2).measure(context, events(*((bar, 1, np.nan) for bar in range(4))))
    assert found.events.bar.tolist() == [0, 1, 2]  # the last begins at the open of bar 3 and ends at the close of bar 4


def test_touched_within_is_a_difference(at):
    context = at(close=[100, 100, 100, 100], open=[100, 100, 100, 100], high=[100, 104, 100, 100], low=[100, 100, 96, 100])
    both, level = (TouchWithin(hours=hours).measure(context, events((0, 1, 104))) for hours in (2, 1))
    assert both.value.tolist() == [0.0]
    assert level.value.tolist() == [1.0]
    mirror = TouchWithin(hours=1).measure(context, events((1, 1, 104)))
    assert mirror.value.tolist() == [-1.0]


def test_forward_returns_are_of_a_position_in_the_claims_direction(at):
    context = at(close=[100, 100, 110], open=[100, 100, 100])
    found = ForwardReturn(hours=2).measure(context, events((0, -1, np.nan)))
    assert found.value.tolist() == pytest.approx([-1000.0])
    assert found.bps.tolist() == found.value.tolist()


def test_bounce_is_measured_in_daily_volatilities(at):
    context = at(close=[100, 100, 100], open=[100, 100, 100], high=[100, 100.9, 101.1], low=[100, 99.5, 99.5])
    found = Bounce(hours=2, distance=0.5).measure(context, events((0, 1, np.nan)))  # 100 * (exp(0.01) - 1) = 1.005
    assert found.value.tolist() == pytest.approx([0.5])
    assert found.bars.tolist() == [2]
    assert found.bps.tolist() == pytest.approx([1e4 * np.expm1(0.01)])


@pytest.mark.parametrize("hours", [0, -1, 1e9, 0.1])
def test_horizons_that_cannot_be(at, hours):
    context = at(close=[100.0] * 5)
    with pytest.raises(ConfigError, match="hours: "):
        ForwardReturn(hours=hours).measure(context, events((0, 1, np.nan)))


def slow_stop(market, start, horizon, upper, lower):
    """One event, bar by bar, in words."""
    for t in range(start, start + horizon):
        if t > start and market.open[t] >= upper:
            return UPPER, market.open[t], t - start + 1
        if t > start and market.open[t] <= lower:
            return LOWER, market.open[t], t - start + 1
        reached_up, reached_low = market.high[t] >= upper, market.low[t] <= lower
        if reached_up and reached_low:
            return BOTH, (upper + lower) / 2, t - start + 1
        if reached_up or reached_low:
            return (UPPER, upper, t - start + 1) if reached_up else (LOWER, lower, t - start + 1)
    return NONE, market.close[start + horizon - 1], horizon


@given(data=st.data(), market=markets(min_bars=5))
def test_the_kernel_is_the_oracle(data, market):
    horizon = data.draw(st.integers(1, market.n_bars - 1))
    start = np.arange(0, market.n_bars - horizon + 1)
    upper = market.open[start] * data.draw(st.sampled_from((1.0, 1.001, 1.02, np.nan)))
    lower = market.open[start] * data.draw(st.sampled_from((1.0, 0.999, 0.97, np.nan)))
    met, price, bars = np.zeros(start.size, np.int8), np.empty(start.size), np.empty(start.size, np.int64)
    stop_at_barriers(market.open, market.high, market.low, market.close, start, horizon, upper, lower, met, price, bars)
    expected = [slow_stop(market, int(t), horizon, u, low) for t, u, low in zip(start, upper, lower, strict=True)]
    assert list(zip(met.tolist(), price.tolist(), bars.tolist(), strict=True)) == [(m, float(p), b) for m, p, b in expected]


@pytest.mark.parametrize("outcome", [FirstTouch(hours=12), Bounce(hours=12, distance=0.3), ForwardReturn(hours=6), TouchWithin(hours=12)])
def test_the_mean_is_zero_on_a_martingale(at, outcome):
    """2,000 days of a walk with fat tails, volatility that clusters and gaps; a level 1 % ahead, in the direction of the last hour."""
    rng = np.random.default_rng(11)
    count = 48_000
    volatility = 2e-3 * np.exp(0.4 * np.convolve(rng.normal(size=count + 47), np.ones(48) / 7, "valid"))
    steps = np.clip(rng.standard_t(3, (count, 8)) * volatility[:, None] / 8**0.5, -0.2, 0.2)
    path = 100 * np.cumprod(1 + steps.ravel()).reshape(count, 8)
    gap = 1 + rng.normal(0, 3e-4, count)
    path *= np.cumprod(gap)[:, None]
    close = path[:, -1]
    open_ = np.r_[100.0, close[:-1]] * gap
    high, low = np.maximum(open_, path.max(axis=1)), np.minimum(open_, path.min(axis=1))
    context = at(close=close, open=list(open_), high=list(high), low=list(low))
    bar = np.arange(24, count - 24, 12)
    direction = np.where(close[bar] >= close[bar - 1], 1, -1)
    found = outcome.measure(context, Events.at(bar, direction, close[bar] * (1 + 0.01 * direction)))
    ratio = found.value.mean() / (found.value.std() / found.value.size**0.5)
    assert found.value.size > 3_000
    assert abs(ratio) < 3

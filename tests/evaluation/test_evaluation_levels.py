"""Round numbers, previous extremes and volume nodes, each against a slow oracle, and none of them sees the future."""

import math
from dataclasses import replace

import numpy as np
import pytest
from contexts import context_of
from hypothesis import given
from hypothesis import strategies as st
from random_walks import PER_DAY, walk, with_map

from liqbt.errors import ConfigError
from liqbt.evaluation.levels import KINDS, Levels, levels_at, nearest_levels, round_step
from liqbt.evaluation.volume_nodes import traded_by_price, volume_nodes
from liqbt.market import VolumeProfile

NAN = np.nan


@pytest.fixture(scope="module")
def context():
    rng = np.random.default_rng(5)
    return with_map(walk(rng, 16), rng)


def rows(levels):
    return [levels.price[a:b].tolist() for a, b in zip(levels.offsets[:-1], levels.offsets[1:], strict=True)]


@pytest.mark.parametrize(
    ("size", "step"), [(1234.0, 1000), (2.0, 2), (4.99, 2), (5.0, 5), (9.99, 5), (10.0, 10), (1.0, 1), (0.99, 0.5), (0.0007, 0.0005)]
)
def test_steps_are_one_two_or_five_times_a_power_of_ten(size, step):
    mantissa, exponent = round_step(np.array([size]))
    assert mantissa[0] * 10.0 ** exponent[0] == pytest.approx(step, rel=1e-12)


@given(st.floats(1e-9, 1e9))
def test_the_step_is_the_greatest_that_fits(size):
    mantissa, exponent = (one[0] for one in round_step(np.array([size])))
    step = mantissa * 10.0**exponent
    following = {1.0: 2.0, 2.0: 5.0, 5.0: 10.0}[mantissa] * 10.0**exponent
    assert step <= size * (1 + 1e-12)
    assert following > size * (1 - 1e-12)


def test_round_numbers_around_a_price(make_market):
    context = context_of(make_market(close=[100.0, 0.3, 50_000.0]), sigma=np.array([0.02, 0.05, 0.011]))
    of_hundred, of_cents, of_thousands = rows(levels_at(context, "round_numbers", np.arange(3)))
    assert of_hundred == [96, 98, 100, 102, 104, 106]  # a step of 2 within 94.2 to 106.2
    assert of_cents == [0.26, 0.27, 0.28, 0.29, 0.3, 0.31, 0.32, 0.33, 0.34]  # to the bit, though 3 x 0.1 is not 0.3
    assert of_thousands == [48_500, 49_000, 49_500, 50_000, 50_500, 51_000, 51_500]  # 550 lets 500 in


def test_bars_without_volatility_have_no_levels(make_market):
    context = context_of(make_market(close=[100.0] * 4), sigma=np.array([NAN, 0.02, NAN, 0.0]))
    for kind in KINDS:
        assert [bool(found) for found in rows(levels_at(context, kind, np.arange(4)))] == [False, True, False, False]


def test_extremes_are_those_of_a_slow_oracle(context):
    market, bars = context.market, np.arange(0, context.market.n_bars, 7)
    half, week = 12, 7 * PER_DAY
    for bar, found in zip(bars, rows(levels_at(context, "extremes", bars)), strict=True):
        expected = [
            how(values[max(0, bar + 1 - span) : bar + 1])
            for values, how in ((market.high, max), (market.low, min))
            for span in (PER_DAY, week)
        ]
        today = bar // PER_DAY
        if today:
            before = slice((today - 1) * PER_DAY, today * PER_DAY)
            expected += [max(market.high[before]), min(market.low[before])]
        for values, how in ((market.high, max), (market.low, min)):
            expected += [
                values[at]
                for at in range(max(half, bar - week + 1), bar - half + 1)
                if values[at] == how(values[at - half : at + half + 1])
            ]
        reach = 3 * context.sigma[bar]
        assert sorted(found) == sorted(one for one in expected if abs(math.log(one / market.close[bar])) <= reach)


def test_a_swing_is_known_once_six_hours_have_passed(make_market):
    close = [100.0] * 10 + [105.0] + [100.0] * 30
    context = context_of(make_market(close=close, high=close, low=close, interval="1h"), sigma=0.05)
    found = rows(levels_at(context, "extremes", np.array([9, 10, 15, 16, 33, 34])))
    # first of the last day and week; at 16 of a swing as well; at 33 of the UTC day before; at 34 it is more than a day ago
    assert [one.count(105.0) for one in found] == [0, 2, 2, 3, 4, 3]


def slow_profile(market, width, bar, window):
    profile = {}
    for t in range(max(0, bar - window + 1), bar + 1):
        low, high = math.log(market.low[t]) / width, math.log(market.high[t]) / width
        for place in range(math.floor(low), math.floor(high) + 1):
            share = (min(place + 1, high) - max(place, low)) / (high - low) if high > low else 1.0
            profile[place] = profile.get(place, 0.0) + market.volume[t] * share
    return profile


def slow_nodes(profile, close, sigma, width):
    centre, scale = math.floor(math.log(close) / width), sigma / width
    reach, apart, half = (max(1, round(share * scale)) for share in (3.0, 0.25, 0.1))

    def smooth(j):
        return sum((half + 1 - abs(k)) * profile.get(j + k, 0.0) for k in range(-half, half + 1)) / (half + 1) ** 2

    near = {j: smooth(j) for j in range(centre - reach - apart, centre + reach + apart + 1)}
    within = range(centre - reach, centre + reach + 1)
    mean = sum(near[j] for j in within) / len(within)
    tops = [j for j in within if near[j] > mean and near[j] == max(near[k] for k in range(j - apart, j + apart + 1))]
    above = sum(profile.get(centre + k, 0.0) * math.exp(-k / scale) for k in range(1, reach + 1))
    below = sum(profile.get(centre - k, 0.0) * math.exp(-k / scale) for k in range(1, reach + 1))
    return [math.exp((j + 0.5) * width) for j in tops], [near[j] * math.exp(-abs(j - centre) / scale) for j in tops], above, below


def test_volume_nodes_are_those_of_a_slow_oracle(context):
    market, bars, width = context.market, np.arange(PER_DAY, context.market.n_bars, 37), math.log1p(10e-4)
    found = volume_nodes(context, bars)
    assert np.diff(found.offsets).max() > 3
    for i, bar in enumerate(bars):
        price, weight, above, below = slow_nodes(
            slow_profile(market, width, bar, 7 * PER_DAY), market.close[bar], context.sigma[bar], width
        )
        mine = slice(found.offsets[i], found.offsets[i + 1])
        assert found.price[mine] == pytest.approx(price, rel=1e-12)
        assert found.weight[mine] == pytest.approx(weight, rel=1e-9)
        assert [found.above[i], found.below[i]] == pytest.approx([above, below], rel=1e-9)


def test_nodes_of_fewer_days_forget_sooner(context):
    bars, width = np.array([600]), math.log1p(10e-4)
    found = volume_nodes(context, bars, days=2)
    profile = slow_profile(context.market, width, 600, 2 * PER_DAY)
    assert found.price == pytest.approx(slow_nodes(profile, context.market.close[600], context.sigma[600], width)[0])
    assert found.price.tolist() != volume_nodes(context, bars).price.tolist()


def test_recorded_trades_win(make_market):
    market = make_market(close=[100.0] * 3, high=[110.0] * 3, low=[90.0] * 3, volume=[5.0, 5.0, 5.0])
    width = math.log1p(10e-4)
    place = math.floor(math.log(102) / width)
    profile = VolumeProfile(
        width=width, offsets=np.array([0, 1, 1, 2]), bin=np.array([place, place]), buy=np.array([1.0, 2.0]), sell=np.array([3.0, 0.5])
    )
    market = replace(market, volume_profile=profile)
    assert [one.tolist() for one in traded_by_price(market, 10.0)[1:]] == [[0, 1, 1, 2], [place, place], [4.0, 2.5]]
    found = volume_nodes(context_of(market, sigma=0.02), np.array([2]))
    assert found.price.tolist() == [math.exp((place + 0.5) * width)]
    distance = place - math.floor(math.log(100) / width)
    assert found.above[0] == pytest.approx(6.5 * math.exp(-distance * width / 0.02))
    assert found.below[0] == 0


def test_a_level_belongs_to_the_bar_that_asked():
    levels = Levels(offsets=np.array([0, 2, 2, 3]), price=np.array([1.0, 2.0, 3.0]))
    assert levels.row.tolist() == [0, 0, 2]
    assert rows(levels.of(np.array([2, 0, 1, 2]))) == [[3.0], [1.0, 2.0], [], [3.0]]


def test_nearest_levels_are_those_of_a_slow_oracle(context):
    rng = np.random.default_rng(8)
    bars = np.sort(rng.integers(PER_DAY, context.market.n_bars, 200))
    direction, away = rng.choice([-1, 1], 200), rng.uniform(0.1, 2.0, 200)
    low = np.where(rng.random(200) < 0.5, context.market.close[bars] * (1 + 0.01 * direction), NAN)
    unique, at = np.unique(bars, return_inverse=True)
    levels = levels_at(context, "extremes", unique).of(at)
    found = nearest_levels(context, levels, bars, direction, away, 1.5, (low, low * 1.02))
    assert 20 < np.isnan(found).sum() < 180
    for i, candidates in enumerate(rows(levels)):
        best, smallest = NAN, math.inf
        for price in candidates:
            distance = direction[i] * math.log(price / context.market.close[bars[i]]) / context.sigma[bars[i]]
            if low[i] <= price <= low[i] * 1.02 or distance <= 0:
                continue
            ratio = max(distance / away[i], away[i] / distance)
            if ratio <= 1.5 and ratio < smallest:
                best, smallest = price, ratio
        assert found[i] == best or (math.isnan(found[i]) and math.isnan(best))


@pytest.mark.parametrize("kind", KINDS)
def test_levels_depend_on_the_past_alone(context, kind):
    market, cut = context.market, 500
    rng = np.random.default_rng(2)
    future = np.arange(market.n_bars) > cut
    shock = np.where(future, np.exp(rng.normal(size=market.n_bars) * 0.1), 1.0)
    changed = {name: getattr(market, name) * shock for name in ("open", "high", "low", "close")}
    volume = np.where(future, 100.0, market.volume)
    other = context_of(replace(market, **changed, volume=volume), sigma=np.where(future, 0.07, context.sigma))
    before, after = (levels_at(one, kind, np.arange(cut + 1)) for one in (context, other))
    assert before.price.tobytes() == after.price.tobytes()
    assert before.offsets.tobytes() == after.offsets.tobytes()


def test_unknown_kinds_are_refused(context):
    with pytest.raises(ConfigError, match="'extreme'; did you mean 'extremes'"):
        levels_at(context, "extreme", np.array([3]))

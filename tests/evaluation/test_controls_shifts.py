"""The map of other days: whole days, round and round, measured as the events are."""

import math
from dataclasses import replace

import numpy as np
import pytest
from contexts import context_of
from random_walks import PER_DAY, walk, with_map

from liqbt.errors import ConfigError
from liqbt.evaluation.estimates import balanced_mean
from liqbt.evaluation.events import Events, HotZone, SweptZone
from liqbt.evaluation.hypotheses import Hypothesis, measure
from liqbt.evaluation.outcomes import FirstTouch, ForwardReturn, Outcomes
from liqbt.evaluation.shifts import ShiftedDays, shift_p_values, shift_test, shifted_means

NAN = np.nan
GRAVITY = Hypothesis(name="gravity", claim="", find=HotZone(), outcome=FirstTouch())
REVERSAL = Hypothesis(name="reversal", claim="", find=SweptZone(), outcome=ForwardReturn(hours=1.0))


def outcomes_of(bar, direction, level):
    events = Events.at(np.array(bar), np.array(direction), np.array(level, dtype=float))
    count = len(events)
    return Outcomes(events=events, value=np.zeros(count), bps=np.zeros(count), bars=np.ones(count, np.int64), touched=np.zeros(count, bool))


@pytest.fixture(scope="module")
def context():
    rng = np.random.default_rng(1)
    return with_map(walk(rng, 30), rng)


def test_days_go_round_in_a_circle(make_market):
    # bars of 6 hours; the map speaks from bar 2 on, which leaves 5 whole days: bars 4 to 23
    close = 100.0 + np.arange(24)
    dominance = np.where(np.arange(24) < 2, NAN, 0.5)
    context = context_of(make_market(close=close.tolist(), interval="6h"), sigma=0.02, dominance=dominance)
    outcomes = outcomes_of([3, 5, 18], [1, 1, -1], [NAN, 105 * math.exp(0.01), 118 * math.exp(-0.02)])
    moved = list(ShiftedDays(apart_days=1).shifts(context, outcomes))
    assert [sorted(one.bar.tolist()) for one in moved] == [[9, 22], [6, 13], [10, 17], [14, 21]]  # bar 3 lies before the circle
    for one in moved:
        for bar, origin, direction, level in zip(one.bar, one.origin, one.direction, one.level, strict=True):
            assert (bar - outcomes.events.bar[origin]) % 4 == 0
            assert direction == outcomes.events.direction[origin]
            assert level == pytest.approx((100 + bar) * math.exp({1: 0.01, 2: -0.02}[origin]))
    assert [one.origin.tolist() for one in moved][:2] == [[1, 2], [2, 1]]
    assert [len(list(ShiftedDays(apart_days=days).shifts(context, outcomes))) for days in (2, 3)] == [2, 0]


def test_bars_that_cannot_be_used_are_left_out(make_market):
    dominance = np.full(16, 0.5)
    dominance[9] = NAN
    context = context_of(make_market(close=[100.0] * 16, interval="6h"), sigma=0.02, dominance=dominance)
    outcomes = outcomes_of([1, 3], [1, -1], [101, 99])
    moved = [one.bar.tolist() for one in ShiftedDays(apart_days=1).shifts(context, outcomes)]
    assert moved == [[5, 7], [11], [13]]  # 9 says nothing, 15 is the last


def test_many_days_are_thinned_out_evenly(context):
    outcomes = measure(GRAVITY, context)
    every = list(ShiftedDays(apart_days=2).shifts(context, outcomes))
    assert len(every) == 29 - 2 * 2 + 1  # volatility is known after a day
    few = list(ShiftedDays(apart_days=2, max_shifts=4).shifts(context, outcomes))
    assert [one.bar.tolist() for one in few] == [every[i].bar.tolist() for i in (0, 8, 17, 25)]


def test_means_are_those_of_each_shift_alone(context):
    outcomes = measure(GRAVITY, context)
    expected = []
    for moved in ShiftedDays().shifts(context, outcomes):
        found = GRAVITY.outcome.measure(context, moved)
        up = found.events.direction > 0
        expected.append((found.value[up].mean() + found.value[~up].mean()) / 2)
    assert len(expected) == 24
    assert shifted_means(GRAVITY, context, outcomes) == pytest.approx(expected, rel=1e-12)


def test_statistics_are_means_over_their_errors(context):
    outcomes = measure(REVERSAL, context)
    test = shift_test(REVERSAL, context, outcomes)
    statistics = []
    for moved in [outcomes.events, *ShiftedDays().shifts(context, outcomes)]:
        found = REVERSAL.outcome.measure(context, moved)
        estimate = balanced_mean(found.value, found.events.direction, context.day[found.events.bar])
        statistics.append(estimate.effect / estimate.standard_error)
    assert [test.statistic, *test.statistics] == pytest.approx(statistics, rel=1e-9)
    beyond = sum(abs(one) >= abs(statistics[0]) for one in statistics)  # the events themselves are counted, once
    assert test.p_two_sided == beyond / len(statistics)
    assert test.p_greater == sum(one >= statistics[0] for one in statistics) / len(statistics)


def test_an_effect_that_belongs_to_its_days_stands_out():
    rng = np.random.default_rng(4)
    dominance = np.where(np.repeat(rng.random(40) < 0.5, PER_DAY), 0.65, 0.35)
    push = np.where(dominance > 0.5, 1, -1) * 0.02 / PER_DAY  # 2 % a day towards the heavier side
    context = with_map(walk(rng, 40, push=push), rng, dominance=dominance)
    drift = replace(GRAVITY, outcome=ForwardReturn(hours=4.0))
    test = shift_test(drift, context, measure(drift, context))
    assert test.p_greater == pytest.approx(1 / 35)  # 39 days of the map, 34 shifts
    assert test.p_two_sided <= 2 / 35
    assert abs(np.mean(test.means)) < 10
    assert balanced_mean_of(drift, context) > 20


def balanced_mean_of(hypothesis, context):
    outcomes = measure(hypothesis, context)
    return balanced_mean(outcomes.value, outcomes.events.direction, context.day[outcomes.events.bar]).effect


def test_p_values_count_the_events_among_the_shifts():
    shifted = np.array([0.1, -0.3, 0.2, NAN, -0.1])
    assert shift_p_values(shifted, 0.2) == (2 / 5, 3 / 5)
    assert shift_p_values(shifted, -0.2) == (4 / 5, 3 / 5)
    assert shift_p_values(shifted, 1.0) == (1 / 5, 1 / 5)
    for unknown in (shift_p_values(shifted, NAN), shift_p_values(np.array([NAN]), 0.1), shift_p_values(np.empty(0), 0.1)):
        assert all(math.isnan(one) for one in unknown)


def test_too_few_days_leave_nothing_to_compare_with():
    rng = np.random.default_rng(1)
    short = with_map(walk(rng, 6), rng)
    test = shift_test(GRAVITY, short, measure(GRAVITY, short))
    assert test.means.size == test.statistics.size == 0
    assert math.isnan(test.p_greater)
    assert math.isnan(test.p_two_sided)


@pytest.mark.parametrize("wrong", [{"max_shifts": 0}, {"apart_days": 0}, {"apart_days": 1.5}])
def test_parameters_that_make_no_sense_are_refused(wrong):
    name, value = next(iter(wrong.items()))
    with pytest.raises(ConfigError, match=f"ShiftedDays: {name} {value!r} must be a whole number of at least 1"):
        ShiftedDays(**wrong)


def test_a_day_must_be_whole_bars(make_market):
    context = context_of(make_market(close=[100.0] * 40, interval="5h"))
    with pytest.raises(ConfigError, match="no whole number of bars of 5h"):
        list(ShiftedDays().shifts(context, outcomes_of([3], [1], [101])))

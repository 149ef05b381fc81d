"""On a martingale nothing beats its stand-ins, and choosing these carelessly would say otherwise; where the map pulls, they are beaten."""

from dataclasses import replace

import numpy as np
import pytest
from random_walks import PER_DAY, slow_noise, walk, with_map

from liqbt.evaluation.controls import DRIFT_CONTROLS, LEVEL_CONTROLS, SWEEP_CONTROLS, TOUCH_CONTROLS, PlaceboLevels
from liqbt.evaluation.events import Events, HotZone, SweptZone
from liqbt.evaluation.hypotheses import Hypothesis, measure
from liqbt.evaluation.outcomes import Bounce, FirstTouch, ForwardReturn

MARKETS = 60
CLAIMS = {
    "gravity": (Hypothesis(name="gravity", claim="", find=HotZone(), outcome=FirstTouch()), LEVEL_CONTROLS),
    "drift": (Hypothesis(name="drift", claim="", find=HotZone(), outcome=ForwardReturn(hours=4.0)), DRIFT_CONTROLS),
    "reversal": (Hypothesis(name="reversal", claim="", find=SweptZone(), outcome=ForwardReturn(hours=4.0)), SWEEP_CONTROLS),
    "bounce": (Hypothesis(name="bounce", claim="", find=SweptZone(), outcome=Bounce()), TOUCH_CONTROLS),
}


def difference(hypothesis, control, context, seed):
    """Sum over matched events of their value less their stand-ins', that of the stand-ins, and how many."""
    outcomes = measure(hypothesis, context)
    found = hypothesis.outcome.measure(context, control.stand_ins(context, outcomes, np.random.default_rng(seed)))
    count = np.bincount(found.events.origin, minlength=len(outcomes.events))
    total = np.bincount(found.events.origin, weights=found.value, minlength=count.size)
    ok = count > 0
    mean = total[ok] / count[ok]
    return (outcomes.value[ok] - mean).sum(), mean.sum(), ok.sum()


def ratio(sums, counts):
    """Mean and standard error over markets."""
    sums, counts = np.array(sums), np.array(counts)
    mean = sums.sum() / counts.sum()
    return mean, np.sqrt(((sums - mean * counts) ** 2).sum()) / counts.sum()


@pytest.fixture(scope="module")
def nulls():
    return [with_map(walk(np.random.default_rng([1, seed]), 40), np.random.default_rng([2, seed])) for seed in range(MARKETS)]


@pytest.mark.parametrize("claim", CLAIMS)
def test_nothing_beats_its_stand_ins_on_a_martingale(nulls, claim):
    hypothesis, controls = CLAIMS[claim]
    for control in controls:
        found = np.array([difference(hypothesis, control, context, seed) for seed, context in enumerate(nulls)])
        better, error = ratio(found[:, 0], found[:, 2])
        own, own_error = ratio(found[:, 1], found[:, 2])
        assert found[:, 2].sum() > 200, control.name
        assert abs(better) < 3.5 * error, control.name
        assert abs(own) < 3.5 * own_error, control.name


class BarsBefore:
    """What must not be done: any bars of the same day or the day before."""

    def stand_ins(self, context, outcomes, rng):
        events = outcomes.events
        bar = events.bar - rng.integers(1, PER_DAY, len(events))
        kept = np.flatnonzero(context.sigma[bar] > 0)
        return Events.at(bar[kept], events.direction[kept], np.full(kept.size, np.nan), origin=kept)


@pytest.mark.parametrize("claim", ["drift", "reversal"])
def test_bars_shortly_before_an_event_lose_on_any_market(nulls, claim):
    """So the test above can fail."""
    found = np.array([difference(CLAIMS[claim][0], BarsBefore(), context, seed) for seed, context in enumerate(nulls)])
    own, error = ratio(found[:, 1], found[:, 2])
    assert own < -5 * error
    better, error = ratio(found[:, 0], found[:, 2])
    assert better > 4 * error


def test_placebo_levels_too_soon_before_the_event_lose(nulls):
    hypothesis = CLAIMS["gravity"][0]

    def own(memory):
        control = replace(PlaceboLevels(per_event=1000), apart_hours=25.0, memory_hours=memory)
        sums, counts = [], []
        for context in nulls:
            outcomes = measure(hypothesis, context)
            found = hypothesis.outcome.measure(context, control.stand_ins(context, outcomes, np.random.default_rng(0)))
            soon = found.events.bar > outcomes.events.bar[found.events.origin] - 4 * PER_DAY
            before = soon & (found.events.bar < outcomes.events.bar[found.events.origin])
            sums.append(found.value[before].sum())
            counts.append(before.sum())
        return sums, counts

    mean, error = ratio(*own(25.0))
    assert mean < -3 * error
    assert sum(own(168.0)[1]) == 0


def test_what_the_map_does_shows():
    """Price drifts towards the heavier side by a daily volatility a day."""
    found = []
    for seed in range(12):
        rng = np.random.default_rng([3, seed])
        dominance = 1 / (1 + np.exp(-0.5 * slow_noise(rng, 40 * PER_DAY, 24)))
        push = np.sign(dominance - 0.5) * np.where(np.abs(dominance - 0.5) > 0.1, 0.03, 0.0) / PER_DAY
        context = with_map(walk(rng, 40, push=push), rng, dominance=dominance)
        found.append([difference(CLAIMS[claim][0], PlaceboLevels(), context, seed) for claim in ("gravity", "drift")])
    for one in np.array(found).transpose(1, 0, 2):
        better, error = ratio(one[:, 0], one[:, 2])
        assert better > 4 * error

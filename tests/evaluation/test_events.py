"""When claims are made, which way, and how they are thinned out."""

import numpy as np
import pytest
from contexts import context_of

from liqbt.errors import ConfigError
from liqbt.evaluation.events import Events, HotZone, SweptZone, TouchedZone
from liqbt.evaluation.hypotheses import Hypothesis, measure
from liqbt.evaluation.outcomes import FirstTouch, ForwardReturn

NAN = np.nan


def test_the_heavier_side_with_a_zone_in_reach(make_market):
    market = make_market(close=[100.0] * 7)
    context = context_of(
        market,
        sigma=0.02,
        dominance=[0.7, 0.7, 0.3, 0.59, 0.7, NAN, 0.7],
        above_near=[101, 104, 101, 101, NAN, 101, 101],  # 0.5, 1.96 daily volatilities away
        below_near=[99, 99, 99, 99, 99, 99, 99],
    )
    found = HotZone().events(context)
    assert found.bar.tolist() == [0, 2]  # the last bar has no open after it
    assert found.direction.tolist() == [1, -1]
    assert found.level.tolist() == [101, 99]
    assert HotZone(threshold=0.55).events(context).bar.tolist() == [0, 2, 3]
    assert HotZone(max_distance=2.0).events(context).bar.tolist() == [0, 1, 2]
    assert HotZone(min_distance=0.51).events(context).bar.tolist() == []


def test_sweeps_are_of_the_zone_that_stood_before(make_market):
    context = context_of(
        make_market(close=[100.0] * 5),
        below_swept=[NAN, 0.6, 0.2, 0.9, 0], above_swept=[NAN, 0, 0.5, 0.9, 0],
        below_near=[98, 97, 96, 95, 94], above_near=[102, 103, 104, 105, 106],
    )  # fmt: skip
    found = SweptZone(min_swept=0.5).events(context)
    assert found.bar.tolist() == [1, 2]  # both sides at once say nothing
    assert found.direction.tolist() == [1, -1]  # against the sweep
    assert found.level.tolist() == [98, 103]


def test_touches_are_sweeps_that_failed(make_market):
    context = context_of(
        make_market(close=[100.0] * 5),
        below_swept=[NAN, 0.1, 0.6, 0.1, 0], above_swept=[NAN, 0, 0, 0.7, 0.2],
        below_near=[98, 97, 96, 95, 94], above_near=[102, 103, 104, 105, 106],
    )  # fmt: skip
    found = TouchedZone(max_swept=0.5).events(context)
    assert found.bar.tolist() == [1]
    assert found.level.tolist() == [98]


def test_bars_that_tuned_the_parameters_make_no_events(make_market):
    context = context_of(make_market(close=[100.0] * 5), first_bar=2, dominance=0.7, above_near=101)
    assert HotZone().events(context).bar.tolist() == [2, 3]


def test_an_event_counts_only_when_the_last_one_is_known(make_market):
    # price touches 101 in the third bar after each decision at 100
    high = [100, 100, 100, 101, 100, 100, 100, 100, 101, 100]
    context = context_of(make_market(close=[100.0] * 10, high=high), dominance=0.7, above_near=101)
    one = Hypothesis(name="one", claim="", find=HotZone(), outcome=FirstTouch(hours=5))
    assert measure(one, context).events.bar.tolist() == [0, 3]  # the first is known at the close of bar 3; from 8 on nothing is left
    assert measure(one, context).events.origin.tolist() == [0, 1]
    overlapping = Hypothesis(name="one", claim="", find=HotZone(), outcome=FirstTouch(hours=5), overlapping=True)
    assert measure(overlapping, context).events.bar.tolist() == [0]  # the first bar of the spell


def test_spells_begin_anew_when_the_direction_changes(make_market):
    dominance = [0.7, 0.7, 0.3, 0.5, 0.3, 0.3, 0.5, 0.5]
    context = context_of(make_market(close=[100.0] * 8), dominance=dominance, above_near=101, below_near=99)
    one = Hypothesis(name="one", claim="", find=HotZone(), outcome=ForwardReturn(hours=1), overlapping=True)
    assert measure(one, context).events.bar.tolist() == [0, 2, 4]


def test_events_as_a_table(make_market):
    market = make_market(close=[100.0] * 3)
    frame = Events.at(np.array([1]), np.array([-1]), np.array([99.0])).to_frame(context_of(market))
    assert frame["known_at"].tolist() == [market.index[2]]
    assert frame[["bar", "direction", "level"]].to_numpy().tolist() == [[1, -1, 99.0]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HotZone(threshold=0.4), "threshold 0.4"),
        (lambda: HotZone(min_distance=2), "min_distance 2 must be"),
        (lambda: SweptZone(min_swept=0), "min_swept 0 must be"),
        (lambda: TouchedZone(max_swept=1.5), "max_swept 1.5 must be"),
    ],
)
def test_parameters_that_cannot_be(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_features_of_other_bars_are_refused(make_market):
    from liqbt.evaluation.context import Context

    features = context_of(make_market(close=[100.0] * 4)).features
    with pytest.raises(ConfigError, match="not of this market's bars"):
        Context(market=make_market(close=[100.0] * 5), features=features)


def test_a_map_that_explains_nothing_is_refused(make_market):
    with pytest.raises(ConfigError, match=r"the map says nothing in any bar .* at most 20% of open interest were seen"):
        context_of(make_market(close=[100.0] * 4), dominance=NAN, explained_share=[0.0, 0.1, 0.2, 0.2])


def test_moves_are_in_volatilities_known_at_their_end(make_market):
    context = context_of(make_market(close=[100.0, 100.0, 102.0, 104.0]), sigma=[0.01, 0.01, 0.01, 0.02])
    moved = context.move(2)
    assert np.isnan(moved[:2]).all()
    assert moved[2:].tolist() == pytest.approx([np.log(1.02) / 0.01, np.log(1.04) / 0.02])

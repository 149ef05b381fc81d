"""Stand-ins: who may be one is told by a slow oracle, and who is one depends on nothing that came later."""

import math
from dataclasses import replace

import numpy as np
import pytest
from contexts import context_of
from hypothesis import given
from hypothesis import strategies as st
from random_walks import PER_DAY, walk, with_map

from liqbt.errors import ConfigError
from liqbt.evaluation.balance import balance
from liqbt.evaluation.context import Context
from liqbt.evaluation.controls import (
    DRIFT_CONTROLS,
    LEVEL_CONTROLS,
    SWEEP_CONTROLS,
    TOUCH_CONTROLS,
    EqualMoves,
    OtherLevels,
    PlaceboLevels,
    SameDay,
    TouchedLevels,
)
from liqbt.evaluation.events import Events, HotZone, SweptZone
from liqbt.evaluation.hypotheses import Hypothesis, measure
from liqbt.evaluation.levels import KINDS, levels_at
from liqbt.evaluation.matching import drawn, first_of_spells, share_eaten, within_last
from liqbt.evaluation.outcomes import FirstTouch, ForwardReturn, Outcomes

ALL = 1000
GRAVITY = Hypothesis(name="gravity", claim="", find=HotZone(), outcome=FirstTouch())
REVERSAL = Hypothesis(name="reversal", claim="", find=SweptZone(), outcome=ForwardReturn(hours=4.0))


@pytest.fixture(scope="module")
def context():
    rng = np.random.default_rng(1)
    return with_map(walk(rng, 45), rng)


def rng():
    return np.random.default_rng(7)


def pairs(events):
    return set(zip(events.origin.tolist(), events.bar.tolist(), strict=True))


def suits(control, context, event, bar):
    """Whether two bars are alike, by the book."""
    sigma, log_close = context.sigma, np.log(context.market.close)
    apart = bar - event
    if -PER_DAY * max(control.apart_hours, control.memory_hours) / 24 <= apart <= PER_DAY * control.apart_hours / 24:
        return False
    if context.hour[bar] // 6 != context.hour[event] // 6 or not sigma[bar] > 0:
        return False
    if abs(math.log(sigma[bar] / sigma[event])) > control.volatility_caliper:
        return False
    for hours in control.hours:
        lag = round(hours * PER_DAY / 24)
        if min(bar, event) < lag:
            return False
        one, other = (math.asinh((log_close[t] - log_close[t - lag]) / sigma[t] / math.sqrt(hours / 24)) for t in (bar, event))
        if not abs(one - other) <= control.move_caliper:
            return False
    return True


def spells(bars, spacing):
    kept = []
    for bar in bars:
        if not kept or bar >= kept[-1] + spacing:
            kept.append(bar)
    return kept


def oracle(control, context, outcomes, fits):
    """(event, bar) of all that suit, first of each spell; fits: whether a bar suits the event at a position in all else."""
    spacing = round(max(control.hours) * PER_DAY / 24)
    found = set()
    for i, event in enumerate(outcomes.events.bar.tolist()):
        alike = [bar for bar in range(context.market.n_bars - 1) if suits(control, context, event, bar) and fits(i, bar)]
        found |= {(i, bar) for bar in spells(alike, spacing)}
    return found


@pytest.mark.parametrize("first_bar", [0, 700])
def test_placebo_levels_are_those_of_a_slow_oracle(context, first_bar):
    context = replace(context, first_bar=first_bar)
    outcomes = measure(GRAVITY, context).where(np.arange(0, len(measure(GRAVITY, context).events), 2))
    outcomes = replace(outcomes, events=outcomes.events.renumbered())
    control = PlaceboLevels(per_event=ALL, move_caliper=0.6, volatility_caliper=0.4)
    claimed = set(HotZone().events(replace(context, first_bar=0)).bar.tolist())
    events, dominance = outcomes.events, context.feature("dominance")

    def fits(i, bar):
        if bar < first_bar or bar in claimed or math.isnan(dominance[bar]):
            return False
        up = events.direction[i] > 0
        if (dominance[bar] if up else 1 - dominance[bar]) > 0.55:
            return False
        away = math.log(events.level[i] / context.market.close[events.bar[i]]) / context.sigma[events.bar[i]]
        level = context.market.close[bar] * math.exp(away * context.sigma[bar])
        near, far = (context.feature(f"{'above' if up else 'below'}_{edge}")[bar] for edge in ("near", "far"))
        return not min(near, far) <= level <= max(near, far)

    found = control.stand_ins(context, outcomes, rng())
    assert pairs(found) == oracle(control, context, outcomes, fits)
    assert len(found) > 40
    assert found.direction.tolist() == events.direction[found.origin].tolist()
    distance = np.log(found.level / context.market.close[found.bar]) / context.sigma[found.bar]
    asked = np.log(events.level / context.market.close[events.bar]) / context.sigma[events.bar]
    assert distance == pytest.approx(asked[found.origin], rel=1e-9)
    assert (np.diff(found.bar) >= 0).all()


def test_equal_moves_are_those_of_a_slow_oracle(context):
    outcomes = measure(REVERSAL, context)
    control = EqualMoves(per_event=ALL, memory_hours=120.0, move_caliper=0.4)
    swept = (context.feature("above_swept") >= 0.5) | (context.feature("below_swept") >= 0.5)
    log_close = np.log(context.market.close)

    def fits(i, bar):
        event = outcomes.events.bar[i]
        if swept[max(0, bar - 7) : bar + 1].any() or math.isnan(context.feature("dominance")[bar]):
            return False
        return (log_close[bar] - log_close[bar - 8]) * (log_close[event] - log_close[event - 8]) > 0

    found = control.stand_ins(context, outcomes, rng())
    assert pairs(found) == oracle(control, context, outcomes, fits)
    assert len(found) > 50
    assert not any(swept[bar - 7 : bar + 1].any() for bar in found.bar.tolist())


def test_touched_levels_are_those_of_a_slow_oracle(context):
    outcomes = measure(REVERSAL, context)
    control = TouchedLevels(kind="round_numbers", per_event=ALL, hours=(4.0,), max_depth=0.05, move_caliper=0.8, volatility_caliper=0.5)
    market, bars = context.market, np.arange(context.market.n_bars)
    levels = levels_at(context, "round_numbers", bars)
    touched = {}
    for bar in range(1, market.n_bars):
        price = levels.price[levels.offsets[bar - 1] : levels.offsets[bar]]
        depth = 0.05 * context.sigma[bar - 1] * market.close[bar - 1]
        inside = (market.close[bar - 1], market.close[bar])
        above = [one for one in price if max(inside) < one <= market.high[bar] <= one + depth]
        below = [one for one in price if min(inside) > one >= market.low[bar] >= one - depth]
        if bool(above) != bool(below) and not share_eaten(context)[bar] > 0:
            touched[bar] = (1, min(below)) if below else (-1, max(above))

    found = control.stand_ins(context, outcomes, rng())
    wanted = oracle(control, context, outcomes, lambda i, bar: bar in touched and touched[bar][0] == outcomes.events.direction[i])
    assert pairs(found) == wanted
    assert len(found) > 30
    assert [(d, level) for d, level in zip(found.direction, found.level, strict=True)] == [touched[bar] for bar in found.bar.tolist()]


def test_bars_that_touch_a_level_on_both_sides_say_nothing(make_market):
    # round numbers are 100 and 102; bar 150 touches the one, 250 the other, 200 both; all in the same quarter of the day
    close, high, low = np.full(400, 101.0), np.full(400, 101.5), np.full(400, 100.5)
    high[[150, 200]], low[[200, 250]] = 102.05, 99.95
    context = context_of(make_market(close=close.tolist(), high=high.tolist(), low=low.tolist(), interval="1h"), sigma=0.02)
    events = Events.at(np.array([30, 31]), np.array([1, -1]), np.array([100.0, 102.0]))
    outcomes = Outcomes(events=events, value=np.zeros(2), bps=np.zeros(2), bars=np.ones(2, np.int64), touched=np.zeros(2, bool))
    found = TouchedLevels(kind="round_numbers", apart_hours=72.0).stand_ins(context, outcomes, rng())
    assert pairs(found) == {(1, 150), (0, 250)}
    assert found.level.tolist() == [102, 100]


def test_stand_ins_are_drawn_from_those_that_suit(context):
    outcomes = measure(GRAVITY, context)
    every = PlaceboLevels(per_event=ALL).stand_ins(context, outcomes, rng())
    some = PlaceboLevels(per_event=2).stand_ins(context, outcomes, rng())
    assert pairs(some) < pairs(every)
    available = np.bincount(every.origin, minlength=len(outcomes.events))
    assert np.bincount(some.origin, minlength=len(outcomes.events)).tolist() == np.minimum(available, 2).tolist()
    assert pairs(PlaceboLevels(per_event=2).stand_ins(context, outcomes, rng())) == pairs(some)
    assert pairs(PlaceboLevels(per_event=2).stand_ins(context, outcomes, np.random.default_rng(8))) != pairs(some)
    assert PlaceboLevels(per_event=5).stand_ins(context, outcomes, rng()).bar.tolist() != some.bar.tolist()


@pytest.mark.parametrize(
    ("hypothesis", "control"),
    [
        (GRAVITY, PlaceboLevels()),
        (REVERSAL, EqualMoves(per_event=1)),
        (REVERSAL, TouchedLevels(kind="extremes")),
        (GRAVITY, OtherLevels(kind="volume_profile")),
        (GRAVITY, OtherLevels(kind="extremes")),
        (REVERSAL, SameDay()),
    ],
)
def test_a_changed_future_only_adds_to_or_takes_away_later_bars(context, hypothesis, control):
    """Those drawn from the whole that lie before a cut are among those drawn when the recording ends there; none of them is new."""
    cut = 1500
    market = context.market
    past = Context(
        market=replace(market, **{name: value[: cut + 1] for name, value in vars(market).items() if isinstance(value, np.ndarray)}),
        features=context.features.iloc[: cut + 1],
    )
    outcomes = measure(hypothesis, context)
    known = outcomes.where(outcomes.events.bar < cut)
    every = {} if isinstance(control, OtherLevels) else {"per_event": ALL}

    def before(events):
        kept = (events.bar < cut) & (outcomes.events.bar[events.origin] < cut)
        return {(o, b, lv) for o, b, lv in zip(events.origin[kept].tolist(), events.bar[kept].tolist(), events.level[kept], strict=True)}

    drawn_whole, drawn_past = (before(control.stand_ins(one, given, rng())) for one, given in ((context, outcomes), (past, known)))
    assert drawn_whole <= drawn_past
    assert drawn_whole
    suit_whole, suit_past = (
        before(replace(control, **every).stand_ins(one, given, rng())) for one, given in ((context, outcomes), (past, known))
    )
    if not isinstance(control, SameDay):  # of a day that was cut off there is less to draw from
        assert suit_whole == suit_past


@given(st.sets(st.integers(0, 400)), st.sets(st.integers(0, 400)), st.integers(1, 8), st.integers(0, 2**63 - 1))
def test_more_bars_to_draw_from_only_push_others_out(some, more, count, seed):
    before = set(drawn(np.array(sorted(some), np.int64), count, seed).tolist())
    after = set(drawn(np.array(sorted(some | more), np.int64), count, seed).tolist())
    assert len(after) == min(count, len(some | more))
    assert after & some <= before


def test_all_bars_are_drawn_equally_often():
    bars = np.arange(20)
    often = np.bincount(np.concatenate([drawn(bars, 5, seed * 2**40) for seed in range(4000)]), minlength=20)
    assert often.sum() == 20_000
    assert np.abs(often - 1000).max() < 5 * math.sqrt(1000 * 0.75)


@given(st.lists(st.integers(0, 60), unique=True), st.integers(1, 9))
def test_the_first_of_each_spell(bars, spacing):
    bars = sorted(bars)
    kept = first_of_spells(np.array(bars, np.int64), spacing)
    assert np.array(bars, np.int64)[kept].tolist() == spells(bars, spacing)


@given(st.lists(st.booleans(), min_size=1), st.integers(1, 9))
def test_within_the_last_bars(flags, bars):
    assert within_last(np.array(flags), bars).tolist() == [any(flags[max(0, t - bars + 1) : t + 1]) for t in range(len(flags))]


def test_a_zone_of_either_side_may_have_been_eaten(make_market):
    nan = np.nan
    context = context_of(make_market(close=[1.0] * 4), below_swept=[nan, 0.2, 0.1, nan], above_swept=[nan, nan, 0.7, 0.4])
    assert share_eaten(context).tolist() == [0, 0.2, 0.7, 0.4]


def test_the_same_day_goes_on_after_the_event(context):
    outcomes, last = measure(REVERSAL, context), context.market.n_bars - 1
    events = outcomes.events
    found = SameDay(per_event=ALL).stand_ins(context, outcomes, rng())
    # bar t closes at the end of the (t + 1)-th half hour; the one that closes at midnight belongs to the next day
    day = [(t + 1) // PER_DAY for t in range(last)]
    wanted = {(i, bar) for i, event in enumerate(events.bar.tolist()) for bar in range(event + 3, last) if day[bar] == day[event]}
    assert pairs(found) == wanted
    few = SameDay(per_event=3).stand_ins(context, outcomes, rng())
    assert pairs(few) < pairs(found)
    assert np.bincount(few.origin).max() == 3


def test_long_bars_are_their_own_lookback(make_market):
    context = context_of(make_market(close=[100.0, 101.0] * 60, interval="4h"), sigma=0.02)
    events = Events.at(np.array([20, 61]), np.array([1, 1]), np.array([102.0, 102.0]))
    outcomes = Outcomes(events=events, value=np.zeros(2), bps=np.zeros(2), bars=np.ones(2, np.int64), touched=np.zeros(2, bool))
    # 20 closes at 12:00 and the day's last, 22, at 20:00; 61 closes at 8:00
    assert pairs(SameDay().stand_ins(context, outcomes, rng())) == {(0, 22), (1, 63), (1, 64)}
    found = EqualMoves(per_event=ALL).stand_ins(context, outcomes, rng())
    assert {bar % 2 for bar in found.bar[found.origin == 1].tolist()} == {1}  # after a rise


def test_other_levels_stand_where_the_event_stands(make_market):
    # a step of 2 gives 104 and 106 above; the event's level is 105, its zone 105 to 105.5
    market = make_market(close=[100.0] * 4, interval="1h")
    context = context_of(market, sigma=0.02, above_near=105.0, above_far=105.5, below_near=97.0, below_far=95.5)
    events = Events.at(np.array([0, 1, 1, 2]), np.array([1, 1, -1, 1]), np.array([105.0, 104.0, 97.0, 100.4]))
    outcomes = Outcomes(events=events, value=np.zeros(4), bps=np.zeros(4), bars=np.ones(4, np.int64), touched=np.zeros(4, bool))
    found = OtherLevels(kind="round_numbers", band=1.5).stand_ins(context, outcomes, rng())
    # 104 is 0.80 times as far, 106 1.19 times; below, 96 lies inside the zone and 98 is 0.66 times as far; 102 is 5 times as far as 100.4
    assert [found.origin.tolist(), found.bar.tolist(), found.direction.tolist(), found.level.tolist()] == [
        [0, 1],
        [0, 1],
        [1, 1],
        [106, 104],
    ]
    wider = OtherLevels(kind="round_numbers", band=1.6).stand_ins(context, outcomes, rng())
    assert wider.origin.tolist() == [0, 1, 2]
    assert wider.level.tolist() == [106, 104, 98]


def test_nothing_stands_in_for_nothing(make_market):
    rng_ = np.random.default_rng(0)
    context = with_map(walk(rng_, 4), rng_)
    none = measure(replace(GRAVITY, find=HotZone(threshold=0.999)), context)
    for control in {*LEVEL_CONTROLS, *DRIFT_CONTROLS, *TOUCH_CONTROLS, *SWEEP_CONTROLS}:
        assert len(control.stand_ins(context, none, rng())) == 0
    one = measure(GRAVITY, context)
    assert len(one.events)
    assert len(PlaceboLevels().stand_ins(context, one, rng())) == 0  # four days hold no two bars that are three days and a horizon apart


def test_names_tell_controls_apart():
    for controls in (LEVEL_CONTROLS, DRIFT_CONTROLS, TOUCH_CONTROLS, SWEEP_CONTROLS):
        names = [one.name for one in controls]
        assert len(set(names)) == len(names)
        assert [one.decisive for one in controls] == [True] + [False] * (len(controls) - 1)
    assert [one.name for one in LEVEL_CONTROLS] == [
        "placebo_levels", "other_levels_volume_profile", "other_levels_extremes", "other_levels_round_numbers", "same_day"
    ]  # fmt: skip


def test_balance_tells_how_alike_they_are(context):
    outcomes = measure(GRAVITY, context)
    near, far = (PlaceboLevels(move_caliper=one, volatility_caliper=one) for one in (0.25, 3.0))
    tight, loose = (balance(context, outcomes, one.stand_ins(context, outcomes, rng())) for one in (near, far))
    assert tight.index.tolist() == ["move_1h", "move_4h", "move_24h", "log_volatility", "hour"]
    assert abs(tight.difference["move_24h"]) < 0.25 < abs(loose.difference["move_24h"])
    assert tight.attrs["unmatched"] > loose.attrs["unmatched"]

    events = Events.at(np.array([500, 900]), np.array([1, -1]), np.array([1.0, 1.0]))
    two = Outcomes(events=events, value=np.zeros(2), bps=np.zeros(2), bars=np.ones(2, np.int64), touched=np.zeros(2, bool))
    stand_ins = Events.at(np.array([600, 602]), np.array([1, 1]), np.array([1.0, 1.0]), origin=np.array([0, 0]))
    by_hand = balance(context, two, stand_ins, hours=(4.0,))
    move = context.move(4.0)
    assert by_hand.attrs["unmatched"] == 1
    assert by_hand.events["move_4h"] == pytest.approx(move[500])
    assert by_hand.stand_ins["move_4h"] == pytest.approx((move[600] + move[602]) / 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PlaceboLevels(per_event=0), "PlaceboLevels: per_event 0 must be above 0 and at most 1000"),
        (lambda: PlaceboLevels(hours=()), "PlaceboLevels: hours nan must be above 0"),
        (lambda: PlaceboLevels(hours=(4.0, -1.0)), "PlaceboLevels: hours -1.0 must"),
        (lambda: PlaceboLevels(max_dominance=1.5), "max_dominance 1.5 must be above 0 and at most 1"),
        (lambda: EqualMoves(apart_hours=0.0), "EqualMoves: apart_hours 0.0"),
        (lambda: EqualMoves(swept_from=0.0), "EqualMoves: swept_from 0.0"),
        (lambda: EqualMoves(move_caliper=math.nan), "EqualMoves: move_caliper nan"),
        (lambda: OtherLevels(kind="round"), "OtherLevels: kind 'round' is unknown; did you mean 'round_numbers'"),
        (lambda: OtherLevels(kind="extremes", band=1.0), "OtherLevels: band 1.0 must be above 1"),
        (lambda: TouchedLevels(kind="nodes"), "TouchedLevels: kind 'nodes' is unknown"),
        (lambda: TouchedLevels(kind="extremes", max_depth=0.0), "TouchedLevels: max_depth 0.0"),
        (lambda: SameDay(gap_hours=-1.0), "SameDay: gap_hours -1.0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_stand_ins_must_not_share_the_event_s_path(context):
    outcomes = measure(replace(REVERSAL, outcome=ForwardReturn(hours=30.0)), context)
    with pytest.raises(ConfigError, match=r"apart_hours: 20.0 is less than the 30 hours that an outcome took; take more"):
        EqualMoves(apart_hours=20.0).stand_ins(context, outcomes, rng())


def test_every_kind_of_level_has_its_control():
    assert {one.kind for one in LEVEL_CONTROLS if isinstance(one, OtherLevels)} == set(KINDS)
    assert {one.kind for one in TOUCH_CONTROLS if isinstance(one, TouchedLevels)} == set(KINDS)

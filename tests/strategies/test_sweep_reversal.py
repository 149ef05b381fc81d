"""Sweep reversal on features that were made by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hand_made import features_of, unknown

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy

SWEEP = load_strategy("sweep_reversal")
SWEPT = [0, 0, 0.8, 0, 0, 0, 0, 0]  # in bar 2


@pytest.fixture(scope="module")
def dip(make_market):
    """Down through 98 in bar 2, back above it in bar 4."""
    return make_market(close=[100.0, 99.0, 97.0, 97.5, 99.0, 99.5, 100.0, 100.0], low=[100.0, 99.0, 96.0, 97.0, 97.5, 99.0, 99.5, 100.0])


@pytest.fixture(scope="module")
def spike(make_market):
    """The mirror image."""
    close = [100.0, 101.0, 103.0, 102.5, 101.0, 100.5, 100.0, 100.0]
    return make_market(close=close, high=[100.0, 101.0, 104.0, 103.0, 102.5, 101.0, 100.5, 100.0])


def test_it_buys_the_first_close_back_above_a_zone_that_was_eaten(dip):
    features = features_of(dip, below_swept=SWEPT)
    signals = SWEEP.signals(dip, features)
    assert signals.entry.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    stop = 96 - 99 * 0.04 * 0.1  # a tenth of a day's volatility below the low of the last four hours
    assert signals.stop_price[4] == pytest.approx(stop)
    assert signals.target_price[4] == pytest.approx(99 + 1.5 * (99 - stop))
    assert signals.max_bars[4] == 24


def test_it_sells_the_first_close_back_below_a_zone_that_was_eaten(spike):
    features = features_of(spike, above_swept=SWEPT)
    signals = SWEEP.signals(spike, features)
    assert signals.entry.tolist() == [0, 0, 0, 0, -1, 0, 0, 0]
    stop = 104 + 101 * 0.04 * 0.1
    assert signals.stop_price[4] == pytest.approx(stop)
    assert signals.target_price[4] == pytest.approx(101 - 1.5 * (stop - 101))


@pytest.mark.parametrize(("swept", "entered"), [(0.49, False), (0.5, True), (1.0, True)])
def test_only_a_large_enough_share_counts(dip, swept, entered):
    features = features_of(dip, below_swept=[0, 0, swept, 0, 0, 0, 0, 0])
    assert bool(SWEEP.signals(dip, features).entry.any()) is entered


@pytest.mark.parametrize(("hours", "entered"), [(1, False), (2, False), (3, True)])
def test_price_must_come_back_in_time(dip, hours, entered):
    features = features_of(dip, below_swept=SWEPT)
    assert bool(load_strategy("sweep_reversal", within_hours=hours).signals(dip, features).entry.any()) is entered


def test_the_edge_is_that_of_the_zone_before_it_was_eaten(dip):
    """After the sweep the map's next zone lies at 90; coming back above that is not coming back above the swept one."""
    edge = [98.0, 98.0, 90.0, 90.0, 90.0, 90.0, 90.0, 90.0]
    features = features_of(dip, below_swept=[0, 0, 0.8, 0, 0, 0, 0, 0], below_near=edge)
    assert SWEEP.signals(dip, features).entry.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]


def test_a_bar_that_eats_a_zone_and_closes_back_is_entered_at_once(make_market):
    market = make_market(close=[100.0, 100.0, 99.0, 99.0], low=[100.0, 100.0, 96.0, 99.0])
    features = features_of(market, below_swept=[0, 0, 0.8, 0])
    assert SWEEP.signals(market, features).entry.tolist() == [0, 0, 1, 0]


def test_both_sides_at_once_say_nothing(make_market):
    market = make_market(close=[100.0] * 4, low=[100.0, 100.0, 96.0, 100.0], high=[100.0, 100.0, 104.0, 100.0])
    features = features_of(market, below_swept=[0, 0, 0.8, 0], above_swept=[0, 0, 0.8, 0])
    assert not SWEEP.signals(market, features).entry.any()


def test_without_a_sweep_there_are_no_wishes(dip):
    assert not SWEEP.signals(dip, features_of(dip)).entry.any()
    assert not SWEEP.signals(dip, unknown(dip)).entry.any()


def test_what_two_bars_eat_is_one_sweep(dip):
    """40 % and then half of the rest; price must come back above the edge that the first bite found."""
    swept, edge = [0, 0, 0.4, 0.5, 0, 0, 0, 0], [98.6, 98.6, 97.2, 97.2, 97.2, 97.2, 97.2, 97.2]
    features = features_of(dip, below_swept=swept, below_near=edge, below_far=97.0)
    assert load_strategy("sweep_reversal", min_swept=0.7).signals(dip, features).entry.tolist() == [0, 0, 0, 0, 1, 0, 0, 0]
    assert not load_strategy("sweep_reversal", min_swept=0.71).signals(dip, features).entry.any()


def test_the_stop_lies_beyond_the_extreme_since_the_first_bite(make_market):
    """The low of 94 came before the zone was touched, and says nothing about the sweep."""
    market = make_market(close=[100.0, 99.0, 97.0, 97.5, 99.0], low=[94.0, 99.0, 96.0, 95.5, 97.5])
    signals = SWEEP.signals(market, features_of(market, below_swept=[0, 0, 0.8, 0, 0]))
    assert signals.stop_price[4] == pytest.approx(95.5 - 99 * 0.04 * 0.1)


def test_the_target_may_be_the_vwap(make_market):
    """Typical prices of the last two bars are 98 and 99, with volumes of 3 and 1; or of the last three, with 110 and 1 before."""
    close, low, high = [110.0, 97.0, 99.0], [110.0, 96.0, 97.5], [110.0, 101.0, 100.5]
    market = make_market(close=close, low=low, high=high, volume=[1.0, 3.0, 1.0])
    features = features_of(market, below_swept=[0, 0.8, 0])
    three = load_strategy("sweep_reversal", target="vwap", vwap_hours=3).signals(market, features)
    assert three.target_price[2] == pytest.approx((110 + 3 * 98 + 99) / 5)
    two = load_strategy("sweep_reversal", target="vwap", vwap_hours=2).signals(market, features)
    assert (two.entry.any(), two.dropped) == (False, 1)  # 98.25 is below the close: nothing to win


def test_a_vwap_of_no_volume_is_no_target(dip, make_market):
    quiet = make_market(close=list(dip.close), low=list(dip.low), volume=[0.0] * 8)
    signals = load_strategy("sweep_reversal", target="vwap").signals(quiet, features_of(quiet, below_swept=SWEPT))
    assert (signals.entry.any(), signals.dropped) == (False, 0)


def test_the_target_may_be_the_zone_on_the_other_side(dip, spike):
    opposite = load_strategy("sweep_reversal", target="opposite_zone")
    assert opposite.signals(dip, features_of(dip, below_swept=SWEPT)).target_price[4] == 102
    assert opposite.signals(spike, features_of(spike, above_swept=SWEPT)).target_price[4] == 98
    assert not opposite.signals(dip, features_of(dip, below_swept=SWEPT, above_near=np.nan)).entry.any()


def test_hours_are_counted_in_bars_of_the_market(dip):
    features = features_of(dip, below_swept=SWEPT)
    signals = SWEEP.signals(replace(dip, interval="2h"), features)  # four hours are two bars, and price comes back in the third
    assert not signals.entry.any()
    signals = SWEEP.signals(replace(dip, interval="30m"), features)
    assert signals.max_bars[4] == 48


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_swept": 0.0}, r"sweep_reversal: min_swept 0.0 must be above 0 and at most 1"),
        ({"min_swept": 1.1}, r"min_swept 1.1"),
        ({"min_swept": math.nan}, r"min_swept:? nan"),
        ({"within_hours": 0.0}, r"within_hours 0.0 must be above 0"),
        ({"max_hours": -1.0}, r"max_hours -1.0 must be above 0"),
        ({"reward": 0.0}, r"reward 0.0 must be above 0"),
        ({"reward": math.nan}, r"reward:? nan"),
        ({"target": "vwp"}, r"sweep_reversal: target 'vwp' is none of multiple, vwap, opposite_zone; did you mean 'vwap'\?"),
        ({"vwap_hours": 0.0}, r"vwap_hours 0.0 must be above 0"),
        ({"stop_buffer": -0.1}, r"stop_buffer -0.1 must be at least 0"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ConfigError, match=message):
        load_strategy("sweep_reversal", **parameters)


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_hours": math.inf},
        {"max_hours": 1e30},
        {"within_hours": math.inf},
        {"within_hours": 1e30},
        {"reward": math.inf},
    ],
)
def test_parameters_beyond_counting(dip, parameters):
    with pytest.raises(ConfigError):
        load_strategy("sweep_reversal", **parameters).signals(dip, features_of(dip, below_swept=SWEPT))

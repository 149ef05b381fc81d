"""Sweep continuation on features that were made by hand."""

import math

import pytest
from hand_made import features_of, unknown

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy

ON = load_strategy("sweep_continuation")
SWEPT = [0, 0, 0.6, 0.9, 0, 0, 0, 0]


@pytest.fixture(scope="module")
def fall(make_market):
    """Into the zone from 98 to 97 in bar 2, below it in bar 3."""
    return make_market(close=[100.0, 99.0, 97.5, 96.5, 96.0, 97.5, 99.0, 99.0])


@pytest.fixture(scope="module")
def rise(make_market):
    """The mirror image."""
    return make_market(close=[100.0, 101.0, 102.5, 103.5, 104.0, 102.5, 101.0, 101.0])


def test_it_sells_the_first_close_below_a_zone_that_was_eaten(fall):
    signals = ON.signals(fall, features_of(fall, below_swept=SWEPT))
    assert signals.entry.tolist() == [0, 0, 0, -1, 0, 0, 0, 0]
    stop = 98 + 96.5 * 0.04 * 0.1
    assert signals.stop_price[3] == pytest.approx(stop)
    assert signals.target_price[3] == pytest.approx(96.5 - 1.5 * (stop - 96.5))
    assert signals.max_bars[3] == 24


def test_it_buys_the_first_close_above_a_zone_that_was_eaten(rise):
    signals = ON.signals(rise, features_of(rise, above_swept=SWEPT))
    assert signals.entry.tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    stop = 102 - 103.5 * 0.04 * 0.1
    assert signals.stop_price[3] == pytest.approx(stop)
    assert signals.target_price[3] == pytest.approx(103.5 + 1.5 * (103.5 - stop))


def test_where_it_enters_the_reversal_does_not(fall):
    """A close is back above the near edge, or below the far one, or inside of the zone: then neither trades."""
    features = features_of(fall, below_swept=SWEPT)
    on, back = (load_strategy(name).signals(fall, features).entry for name in ("sweep_continuation", "sweep_reversal"))
    assert on.tolist() == [0, 0, 0, -1, 0, 0, 0, 0]
    assert back.tolist() == [0, 0, 0, 0, 0, 0, 1, 0]  # 99 in bar 6, four bars after the first bite


@pytest.mark.parametrize(("min_swept", "bar"), [(0.5, 3), (0.9, 3), (0.97, None)])
def test_enough_must_have_been_eaten(fall, min_swept, bar):
    entry = load_strategy("sweep_continuation", min_swept=min_swept).signals(fall, features_of(fall, below_swept=SWEPT)).entry
    assert entry.tolist() == [-1 if t == bar else 0 for t in range(8)]


@pytest.mark.parametrize(("hours", "entered"), [(1, False), (2, True)])
def test_the_close_beyond_must_come_in_time(fall, hours, entered):
    features = features_of(fall, below_swept=[0, 0, 0.8, 0, 0, 0, 0, 0])
    assert bool(load_strategy("sweep_continuation", within_hours=hours).signals(fall, features).entry.any()) is entered


def test_without_a_sweep_there_are_no_wishes(fall):
    assert not ON.signals(fall, features_of(fall)).entry.any()
    assert not ON.signals(fall, unknown(fall)).entry.any()
    assert not ON.signals(fall, features_of(fall, below_swept=SWEPT, sigma_day=math.nan)).entry.any()


@pytest.mark.parametrize("name", ["min_swept", "within_hours", "reward", "max_hours"])
def test_parameters_out_of_range(name):
    with pytest.raises(ConfigError, match=rf"^sweep_continuation: {name} 0.0 must be above 0 and at most"):
        load_strategy("sweep_continuation", **{name: 0})
    with pytest.raises(ConfigError, match=r"^sweep_continuation: stop_buffer -1.0 must be at least 0"):
        load_strategy("sweep_continuation", stop_buffer=-1)

"""Signals: wishes that a trader could send, on the bars of their market."""

import numpy as np
import pandas as pd
import pytest
from generators import markets
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from liqbt.errors import ConfigError
from liqbt.signals import Signals


@pytest.fixture(scope="module")
def market(make_market):
    return make_market(close=[100.0, 101.0, 102.0, 103.0])


def test_scalars_lists_and_series_are_taken_alike(market):
    wishes = [
        Signals.of(market, entry=entry, stop_price=stop, max_bars=3, name="one")
        for entry, stop in ((1, 90), ([1] * 4, [90] * 4), (pd.Series([1.0] * 4, index=market.index), np.full(4, 90)))
    ]
    for one in wishes[1:]:
        pd.testing.assert_frame_equal(one.to_frame(), wishes[0].to_frame())
    frame = wishes[0].to_frame()
    assert list(frame)[:5] == ["entry", "exit", "stop_price", "target_price", "max_bars"]
    assert frame.index.equals(market.index)
    assert frame["stop_price"].tolist() == [90] * 4
    assert frame["target_price"].isna().all()
    assert frame["max_bars"].tolist() == [3] * 4
    assert not frame["exit"].any()


def test_what_is_empty_is_no_wish(market):
    one = Signals.of(market, entry=[np.nan, 1, np.nan, -1], exit=[np.nan, 0, 1, True])
    assert one.entry.tolist() == [0, 1, 0, -1]
    assert one.exit.tolist() == [False, False, True, True]


def test_stops_and_targets_belong_to_entries(market):
    one = Signals.of(market, entry=[0, 1, 0, 0], stop_price=90, target_price=110, max_bars=5)
    assert np.isnan(one.stop_price).tolist() == np.isnan(one.target_price).tolist() == [True, False, True, True]
    assert one.max_bars.tolist() == [0, 5, 0, 0]


@pytest.mark.parametrize(
    ("entry", "stop", "target", "kept"),
    [
        (1, 99, 104, [1, 1, 1, 1]),
        (1, 101, 104, [0, 0, 1, 1]),  # a stop at the close is on no side of it
        (1, 99, 102, [1, 1, 0, 0]),
        (-1, 104, 99, [-1, -1, -1, -1]),
        (-1, 102, 99, [-1, -1, 0, 0]),
        (-1, 104, 101, [0, 0, -1, -1]),
        (1, np.nan, np.nan, [1, 1, 1, 1]),
        (1, 0, np.nan, [1, 1, 1, 1]),
    ],
)
def test_entries_whose_levels_are_on_the_wrong_side_are_dropped(market, entry, stop, target, kept):
    one = Signals.of(market, entry=entry, stop_price=stop, target_price=target)
    assert one.entry.tolist() == kept
    assert one.dropped == kept.count(0)


@given(st.data(), markets(max_bars=20))
def test_every_entry_that_is_left_makes_sense(data, market):
    level = hnp.arrays(np.float64, market.n_bars, elements=st.one_of(st.just(np.nan), st.floats(50, 150)))
    wanted = data.draw(hnp.arrays(np.int64, market.n_bars, elements=st.integers(-1, 1)))
    one = Signals.of(market, entry=wanted, stop_price=data.draw(level), target_price=data.draw(level))
    side = one.entry.astype(float)
    assert ((side == wanted) | (side == 0)).all()
    assert not (side * (market.close - one.stop_price) <= 0)[side != 0].any()
    assert not (side * (one.target_price - market.close) <= 0)[side != 0].any()
    assert np.isnan(one.stop_price[side == 0]).all()


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"entry": [1, 0]}, r"mine: entry has shape \(2,\), the market has 4 bars"),
        ({"entry": np.ones((4, 1))}, r"mine: entry has shape \(4, 1\)"),
        ({"entry": 1, "stop_price": [1.0] * 5}, r"mine: stop_price has shape \(5,\)"),
        ({"entry": [0, 0, 2, 0]}, r"mine: entry is .*2.0.* at 2026-01-01 02:00:00; it must be -1, 0 or 1"),
        ({"entry": 0.5}, r"mine: entry is .*0.5.* at 2026-01-01 00:00:00"),
        ({"entry": 1, "max_bars": -1}, r"mine: max_bars is .*-1.0.*; it must be a number of bars from 0"),
        ({"entry": 1, "max_bars": np.inf}, r"mine: max_bars is "),
        ({"entry": 1, "max_bars": 1e30}, r"mine: max_bars is .*1e\+30"),
    ],
)
def test_wishes_that_cannot_be(market, wish, message):
    with pytest.raises(ConfigError, match=message):
        Signals.of(market, name="mine", **wish)


def test_parameters_are_a_record_that_later_changes_do_not_reach(market):
    given_ = {"threshold": 0.6}
    one = Signals.of(market, entry=0, parameters=given_)
    given_["threshold"] = 0.9
    assert one.parameters == {"threshold": 0.6}

"""MarketFrame: the order book as of each bar's close."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading import NS, START_NS, cut_at

from liqbt.data.validation import CLOCK
from liqbt.errors import DataError
from liqbt.market import MarketFrame, oldest_depth

MINUTE = 60 * NS
NAN = float("nan")


def market(count=4, interval="1m", **tables):
    step = {"1s": NS, "1m": MINUTE, "1h": 60 * MINUTE}[interval]
    stamps = pl.Series([START_NS + step * i for i in range(count)]).cast(CLOCK)
    bars = pl.DataFrame({"timestamp": stamps, "open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": 1.0})
    return MarketFrame.from_frames(bars=bars, venue="binance", symbol="TEST", interval=interval, **tables)


def depth(*rows, notional=True):
    """Canonical depth from (seconds, side, distance, notional) or (.., seconds when known); amounts are a hundredth."""
    frame = pl.DataFrame(
        {
            "timestamp": pl.Series([START_NS + round(row[0] * NS) for row in rows]).cast(CLOCK),
            "available_at": pl.Series([START_NS + round((row[4] if len(row) > 4 else row[0]) * NS) for row in rows]).cast(CLOCK),
            "side": [row[1] for row in rows],
            "distance": [row[2] for row in rows],
            "amount": [row[3] / 100 for row in rows],
            "notional": [float(row[3]) for row in rows],
        }
    )
    return frame if notional else frame.drop("notional")


def both(second, value, known=None):
    """A book with two distances a side: value and twice of it bid, ten times as much asked."""
    late = () if known is None else (known,)
    return [
        (second, side, distance, value * times * share, *late)
        for side, times in (("bid", 1), ("ask", 10))
        for distance, share in ((0.01, 1), (0.02, 2))
    ]


def test_the_newest_book_known_at_the_close():
    made = market(depth=depth(*both(5, 1), *both(60, 2), *both(61, 3), *both(175, 4), *both(240.5, 5)))
    assert made.depth_distance.tolist() == [0.01, 0.02]
    # Closes at 60, 120, 180, 240: a book stamped at a close is known at it.
    assert made.depth_bid.tolist() == [[2, 4], [3, 6], [4, 8], [4, 8]]
    assert made.depth_ask.tolist() == [[20, 40], [30, 60], [40, 80], [40, 80]]
    assert made.findings == ()


def test_a_book_is_not_known_before_it_was_published():
    made = market(depth=depth(*both(5, 1), *both(50, 2, known=61)))
    assert made.depth_bid[:2, 0].tolist() == [1, 2]


def test_a_book_that_came_late_does_not_replace_a_newer_one():
    made = market(depth=depth(*both(5, 1), *both(58, 2, known=130), *both(70, 3)))
    assert made.depth_bid[:3, 0].tolist() == [1, 3, 3]


def test_of_two_books_of_one_instant_the_later_known_counts():
    made = market(depth=depth(*both(5, 1, known=6), *both(5, 2, known=100)))
    assert made.depth_bid[:2, 0].tolist() == [1, 2]


def test_distances_that_the_newest_book_does_not_know_are_unknown():
    rows = [*both(5, 1), (70, "bid", 0.01, 7), (70, "ask", 0.005, 9)]
    made = market(depth=depth(*rows))
    assert made.depth_distance.tolist() == [0.005, 0.01, 0.02]
    np.testing.assert_array_equal(made.depth_bid[:2], [[NAN, 1, 2], [NAN, 7, NAN]])
    np.testing.assert_array_equal(made.depth_ask[:2], [[NAN, 10, 20], [9, NAN, NAN]])


def test_distances_that_differ_by_rounding_are_one():
    made = market(depth=depth((5, "bid", 0.1 + 0.2, 7), (70, "bid", 0.3, 8)))
    assert made.depth_distance.tolist() == [0.3]
    assert made.depth_bid[:2, 0].tolist() == [7, 8]


def test_how_old_a_book_may_be():
    assert [oldest_depth(step) // NS for step in (NS, 30 * NS, MINUTE, 2 * MINUTE, 150 * NS, 60 * MINUTE)] == [60, 60, 120, 240, 300, 300]


def test_an_old_book_is_not_known_and_told():
    made = market(count=6, depth=depth(*both(60, 1), *both(301, 2)))
    assert made.depth_bid[:, 0].tolist()[:3] == [1, 1, 1]  # 0, 60 and 120 s old at their closes
    assert np.isnan(made.depth_bid[3:5]).all()
    assert np.isnan(made.depth_ask[3:5]).all()
    assert made.depth_bid[5].tolist() == [2, 4]
    [found] = made.findings
    assert (found.code, found.severity, found.count, found.first) == ("depth_stale", "note", 2, START_NS + 3 * MINUTE)
    assert "no order book younger than 2 min at the close in 2 bars, the first at 2024-01-01 00:03:00" in found.message


def test_age_counts_from_the_exchange_and_not_from_the_news():
    made = market(count=6, depth=depth(*both(5, 1, known=290)))
    assert np.isnan(made.depth_bid).all()


def test_books_of_another_time():
    made = market(depth=depth(*both(5000, 1)))
    assert np.isnan(made.depth_bid).all()
    assert [(one.code, one.count) for one in made.findings] == [("depth_stale", 4)]


def test_books_from_before_the_bars_count():
    assert market(depth=depth(*both(-30, 3))).depth_bid[0].tolist() == [3, 6]


def test_without_notional_amounts_are_valued_at_the_close():
    made = market(count=1, depth=depth(*both(5, 200), notional=False))
    assert made.depth_bid.tolist() == [[2 * 100.5, 4 * 100.5]]
    assert [(one.code, one.count) for one in made.findings] == [("depth_notional", 1)]
    partly = depth(*both(5, 200)).with_columns(notional=pl.Series([200.0, None, 2000.0, 4000.0]))
    mixed = market(count=1, depth=partly)
    assert mixed.depth_bid.tolist() == [[200, 4 * 100.5]]
    assert mixed.depth_ask.tolist() == [[2000, 4000]]


def test_no_depth():
    made = market()
    assert (made.depth_distance, made.depth_bid, made.depth_ask) == (None, None, None)
    assert market(depth=[]).depth_bid is None


def test_arrays_are_read_only():
    made = market(depth=depth(*both(5, 1)))
    for name in ("depth_distance", "depth_bid", "depth_ask"):
        with pytest.raises(ValueError, match=r"read-only"):
            getattr(made, name)[0] = 0


def test_to_frame_and_repr():
    made = market(count=1, depth=depth((5, "bid", 0.0001, 1), (5, "ask", 0.05, 2)))
    frame = made.to_frame()
    assert frame.columns[-4:].tolist() == ["depth_bid_1bps", "depth_bid_500bps", "depth_ask_1bps", "depth_ask_500bps"]
    assert frame["depth_bid_1bps"].tolist() == [1]
    assert frame["depth_ask_500bps"].tolist() == [2]
    assert "with depth)" in repr(made)


def test_a_bar_that_takes_from_two_days():
    """The axis has the distances of the books that count, whichever batch they came in."""
    rows = depth((5, "bid", 0.03, 1), *both(30, 2))
    for tables in (rows, [rows[:1], rows[1:]]):
        made = market(count=1, depth=tables)
        assert made.depth_distance.tolist() == [0.01, 0.02]
        assert made.depth_bid.tolist() == [[2, 4]]


def test_levels_are_no_depth():
    rows = [(5, "bid", (k + 1) / 1000, k) for k in range(201)]
    with pytest.raises(DataError, match=r"depth: 201 different distances, more than 200; give cumulative depth at fixed distances"):
        market(depth=depth(*rows))


def test_depth_that_is_not_canonical():
    with pytest.raises(DataError, match=r"depth: row 1 .*: distance is 5.0; a fraction lies between 0 and 1"):
        market(depth=depth((5, "bid", 5.0, 1)))


seconds = st.integers(-100, 500)
books = st.lists(st.tuples(seconds, st.integers(1, 1000), st.integers(0, 200), st.sampled_from([1, 2])), min_size=1, max_size=15)


def table(rows):
    """Depth from (second, value, delay, number of distances), and the rows sorted as it is."""
    rows = sorted(rows, key=lambda row: row[0])
    return depth(
        *[
            (at, side, 0.01 * (k + 1), value * (k + 1), at + late)
            for at, value, late, n in rows
            for side in ("bid", "ask")
            for k in range(n)
        ]
    )


@settings(max_examples=150, deadline=None)
@given(rows=books)
def test_equals_a_slow_obvious_join(rows):
    rows = list({(at, late): (at, value, late, n) for at, value, late, n in rows}.values())
    made = market(count=8, depth=table(rows))
    for bar in range(8):
        close = 60 * (bar + 1)
        known = [row for row in rows if row[0] + row[2] <= close]
        newest = max(known, key=lambda row: (row[0], row[2]), default=None)
        expected = [NAN, NAN]
        if newest is not None and close - newest[0] <= 120:
            expected = [newest[1], newest[1] * 2 if newest[3] == 2 else NAN]
        np.testing.assert_array_equal(made.depth_bid[bar], expected[: made.depth_distance.size])


@settings(max_examples=100, deadline=None)
@given(rows=books, cuts=st.lists(st.integers(0, 60), max_size=5))
def test_days_give_the_same_as_the_whole(rows, cuts):
    whole = market(count=8, depth=table(rows))
    days = market(count=8, depth=iter(cut_at(table(rows), cuts)))
    np.testing.assert_array_equal(whole.depth_distance, days.depth_distance)
    np.testing.assert_array_equal(whole.depth_bid, days.depth_bid)
    np.testing.assert_array_equal(whole.depth_ask, days.depth_ask)
    assert whole.findings == days.findings


@settings(max_examples=150, deadline=None)
@given(rows=books, cut=st.integers(0, 7), seed=st.one_of(st.none(), st.integers(0, 2**32 - 1)))
def test_what_became_known_after_a_close_never_changes_its_bar(rows, cut, seed):
    """Scrambled or cut off, books that became known after a close leave depth up to it as it was, bit for bit."""
    before = table(rows)
    future = (before["available_at"].to_physical() > START_NS + 60 * (cut + 1) * NS).to_numpy()
    if seed is None:
        after = before.filter(pl.Series(~future))
    else:
        noise = np.where(future, np.random.default_rng(seed).lognormal(0, 1, before.height), 1.0)
        after = before.with_columns(pl.col("amount", "notional") * noise)
    one = market(count=8, depth=before)
    other = market(count=8, depth=after) if after.height else None
    for side in ("depth_bid", "depth_ask"):
        for k, distance in enumerate(one.depth_distance):  # a book of the future may be the first to have a distance
            column = getattr(one, side)[: cut + 1, k]
            same = None if other is None else np.flatnonzero(other.depth_distance == distance)
            if same is None or same.size == 0:
                assert np.isnan(column).all()
            else:
                np.testing.assert_array_equal(column, getattr(other, side)[: cut + 1, same[0]])

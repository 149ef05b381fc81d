"""Feeds of liquidations that are throttled, doubled, mixed up or out; and trades that are missing."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from quality_frames import DAY, HOUR, MINUTE, START, make_bars, make_events, set_at, table

from liqbt.data.quality.liquidations import (
    find_doubled_events,
    find_foreign_events,
    find_silent_moves,
    find_throttle,
    find_twin_events,
)
from liqbt.data.quality.trades import find_trade_numbers

SECOND = 1_000_000_000
BARS = make_bars(3 * 288)
EVENTS = make_events(BARS, rate=4.0)


def stamps_of(frame):
    return frame["timestamp"].to_physical().to_numpy()


def poisson(count, mean_ns, seed=1):
    return START + np.cumsum(np.random.default_rng(seed).exponential(mean_ns, count).astype(np.int64))


def test_a_feed_without_defects():
    assert find_throttle(stamps_of(EVENTS)) == []
    assert find_doubled_events(EVENTS) == []
    assert find_twin_events(EVENTS) == []
    assert find_foreign_events(EVENTS, BARS) == []
    assert find_foreign_events(EVENTS, None) == []


@pytest.mark.parametrize("mean", [SECOND // 2, 5 * SECOND, 60 * SECOND])
def test_a_poisson_feed_is_not_throttled(mean):
    assert find_throttle(poisson(5000, mean)) == []


def test_a_feed_of_one_event_a_second():
    feed = make_events(BARS, rate=4.0, throttle=SECOND)
    (found,) = find_throttle(stamps_of(feed))
    assert (found.code, found.severity, found.count) == ("throttled", "warning", feed.height)


def test_trade_times_of_a_throttled_feed_jitter_around_the_second():
    cascades = START + (10 * MINUTE * np.arange(30)[:, None] + SECOND * np.arange(8)).ravel()
    jitter = np.random.default_rng(1).integers(-8_000_000, 8_000_000, cascades.size)
    assert (np.diff(cascades + jitter) < SECOND).mean() > 0.3
    (found,) = find_throttle(cascades + jitter)
    assert "88% of its 240 events come as soon as they can" in found.message


def test_few_events_do_not_tell_a_throttle():
    assert find_throttle(START + 5 * SECOND * np.arange(100)) == []
    assert find_throttle(START + SECOND * np.arange(20)) == []  # nineteen steps


def test_a_throttled_feed_that_has_every_row_twice_is_both():
    feed = make_events(BARS, rate=4.0, throttle=SECOND)
    twice = pl.concat([feed, feed]).sort("timestamp", maintain_order=True)
    assert len(find_throttle(stamps_of(twice))) == 1
    (found,) = find_doubled_events(twice)
    assert (found.code, found.severity, found.count) == ("doubled", "error", 2 * feed.height)
    assert "there 2 times" in found.message


def test_some_equal_rows_are_no_doubled_recording():
    some = pl.concat([EVENTS, EVENTS.head(EVENTS.height // 3)]).sort("timestamp", maintain_order=True)
    assert find_doubled_events(some) == []


def test_two_sources_of_the_same_events():
    other = EVENTS.filter(pl.col("timestamp").to_physical() >= START + DAY).with_columns(pl.col("price") * 1.004)
    both = pl.concat([EVENTS, other]).sort("timestamp", maintain_order=True)
    (found,) = find_twin_events(both)
    assert (found.code, found.severity, found.count, found.first) == ("twins", "error", 2, START + DAY)
    assert find_twin_events(EVENTS.drop("price")) == []


def test_fills_of_one_order_are_no_twins():
    # One in ten events is filled twice at the same instant and amount.
    fills = EVENTS.gather_every(10).with_columns(pl.col("price") * 1.001)
    assert find_twin_events(pl.concat([EVENTS, fills]).sort("timestamp", maintain_order=True)) == []


@pytest.mark.parametrize("bars", [BARS, None])
def test_events_of_another_symbol(bars):
    rows = np.arange(400, 500, 2)
    (found,) = find_foreign_events(set_at(EVENTS, "price", rows, 2.5), bars)
    assert (found.code, found.severity, found.count, found.first) == ("foreign_price", "error", 50, stamps_of(EVENTS)[400])
    assert "2.5 at first" in found.message


def test_prices_of_orders_and_bankruptcy_are_near_the_market():
    for factor in (0.97, 1.03):
        assert find_foreign_events(EVENTS.with_columns(pl.col("price") * factor), BARS) == []
    filled = EVENTS.with_columns(average_price=pl.col("price"), price=pl.lit(1.0))
    assert find_foreign_events(filled, BARS) == []  # what it was filled at decides
    assert find_foreign_events(EVENTS.drop("price"), BARS) == []


def hours(count=400, seed=1):
    rng = np.random.default_rng(seed)
    reach = rng.lognormal(-5, 0.6, count)
    return START + HOUR * np.arange(count), 1e4 * reach**2 + (reach > np.quantile(reach, 0.3)), reach


def test_hours_in_which_price_moved_and_nothing_was_liquidated():
    stamps, liquidated, reach = hours()
    calm = reach < np.quantile(reach, 0.3)
    assert find_silent_moves(stamps, np.where(calm, 0.0, liquidated), reach, table="x") == []
    wildest = int(reach.argmax())
    liquidated[wildest] = 0.0
    (found,) = find_silent_moves(stamps, liquidated, reach, table="x")
    assert (found.code, found.severity, found.count, found.first) == ("silent_moves", "warning", 1, stamps[wildest])


def test_a_market_in_which_few_are_liquidated_may_move_without():
    stamps, liquidated, reach = hours()
    liquidated[np.random.default_rng(2).random(400) < 0.3] = 0.0
    assert find_silent_moves(stamps, liquidated, reach, table="x") == []
    assert find_silent_moves(stamps[:0], liquidated[:0], reach[:0], table="x") == []


def trades(ids):
    count = len(ids)
    side = np.where(np.arange(count) % 2 == 0, "buy", "sell")
    return table("trades", START + MINUTE * np.arange(count), price=[100.0] * count, amount=[1.0] * count, side=side, id=np.asarray(ids))


def test_numbered_trades():
    ids = np.arange(1000, 2000)
    assert find_trade_numbers(trades(ids)) == []
    (missing,) = find_trade_numbers(trades(np.delete(ids, [10, 11, 500])))
    assert (missing.code, missing.severity, missing.count, missing.first) == ("gap", "warning", 2, START + 10 * MINUTE)
    assert missing.message.startswith("3 ids of trades are left out in 2 places")
    (again,) = find_trade_numbers(trades([*ids, 1500]))
    assert (again.code, again.severity, again.count) == ("doubled", "error", 1)


def test_ids_that_do_not_count_and_trades_without():
    rng = np.random.default_rng(1)
    assert find_trade_numbers(trades(np.sort(rng.choice(10**12, 500, replace=False)))) == []
    assert find_trade_numbers(trades([1, 2]).drop("id")) == []

"""Values that stand still."""

from __future__ import annotations

import numpy as np
import polars as pl
from quality_frames import HOUR, MINUTE, START, make_bars, make_open_interest, set_at, table

from liqbt.data.quality.frozen import (
    find_frozen_depth,
    find_frozen_mark,
    find_frozen_open_interest,
    find_open_interest_spikes,
    find_uneven_depth,
)

BARS = make_bars(1000)
HELD = make_open_interest(BARS)
AT = START + 5 * MINUTE * np.arange(1, 1001)


def frozen(frame, column, first, count):
    return set_at(frame, column, np.arange(first, first + count), frame[column][first])


def test_open_interest_of_a_good_recording():
    for bars in (BARS, None):
        assert find_frozen_open_interest(HELD, bars) == []
    assert find_open_interest_spikes(HELD) == []


def test_open_interest_that_stands_still_while_volume_passes():
    # 1000 coins a bar of 200,000: the sixth sample makes it 2.5 %.
    (found,) = find_frozen_open_interest(frozen(HELD, "open_interest", 300, 6), BARS)
    assert (found.code, found.severity, found.count) == ("frozen", "warning", 6)
    assert (found.first, found.last) == (AT[300], AT[305])
    assert "stands still for 6 rows, 25 min from 2026-01-06 01:05:00" in found.message
    assert find_frozen_open_interest(frozen(HELD, "open_interest", 300, 5), BARS) == []


def test_open_interest_of_a_market_without_trades_may_stand_still():
    quiet = BARS.with_columns(pl.col("volume") / 100)
    assert find_frozen_open_interest(frozen(HELD, "open_interest", 300, 20), quiet) == []
    assert len(find_frozen_open_interest(frozen(HELD, "open_interest", 300, 300), quiet)) == 1


def test_without_bars_it_takes_an_hour_of_the_same_value():
    assert find_frozen_open_interest(frozen(HELD, "open_interest", 300, 12), None) == []
    (found,) = find_frozen_open_interest(frozen(HELD, "open_interest", 300, 13), None)
    assert found.count == 13
    two = frozen(frozen(HELD, "open_interest", 300, 13), "open_interest", 600, 30)
    assert "in 2 stretches of 43 rows, the longest 2.42 h from" in find_frozen_open_interest(two, None)[0].message


def test_open_interest_of_nothing():
    (found,) = find_frozen_open_interest(set_at(HELD, "open_interest", [5, 6], 0.0), BARS)
    assert (found.code, found.severity, found.count) == ("open_interest_zero", "error", 2)


def test_open_interest_that_jumps_and_is_back():
    (found,) = find_open_interest_spikes(set_at(HELD, "open_interest", [400], 1.3 * HELD["open_interest"][400]))
    assert (found.code, found.severity, found.count, found.first) == ("open_interest_spike", "warning", 1, AT[400])
    assert "by up to 30%" in found.message
    stays = HELD.with_columns(pl.col("open_interest") * pl.Series(np.where(np.arange(1000) < 400, 1.0, 0.8)))
    assert find_open_interest_spikes(stays) == []  # a crash closes positions
    assert find_open_interest_spikes(set_at(HELD, "open_interest", [400], 1.02 * HELD["open_interest"][400])) == []


def mark_of(bars):
    return bars.select("timestamp", "available_at", "open", "high", "low", "close")


def test_a_mark_price_that_stands_still():
    assert find_frozen_mark(mark_of(BARS), BARS, table="mark 5m") == []
    (found,) = find_frozen_mark(frozen(mark_of(BARS), "close", 300, 40), BARS, table="mark 5m")
    assert (found.code, found.count, found.first) == ("frozen", 40, AT[299])
    calm = BARS.with_columns(close=pl.lit(100.0) + pl.int_range(pl.len()) % 2 * 0.01)
    assert find_frozen_mark(frozen(mark_of(calm), "close", 300, 40), calm, table="mark 5m") == []


def book(count=60, step=MINUTE // 2, seed=1):
    """Cumulative amounts in five bands of each side, every half minute."""
    rng = np.random.default_rng(seed)
    amounts = rng.lognormal(3, 0.5, (count, 2, 5)).cumsum(axis=2)
    at = np.repeat(START + step * np.arange(count), 10)
    distances = np.tile(np.arange(1, 6) / 100, 2 * count)
    sides = np.tile(np.repeat(["bid", "ask"], 5), count)
    return table("depth", at, side=sides, distance=distances, amount=amounts.ravel())


def test_a_book_that_moves():
    assert find_frozen_depth(book()) == []
    assert find_uneven_depth(book()) == []


def test_a_book_that_stands_still():
    rows = book()
    amounts = rows["amount"].to_numpy().copy()
    amounts[200:400] = np.tile(amounts[200:210], 20)  # snapshots 20 to 39: nine and a half minutes
    still = rows.with_columns(amount=pl.Series(amounts))
    (found,) = find_frozen_depth(still)
    assert (found.code, found.count, found.first) == ("frozen", 20, START + 10 * MINUTE)
    fast = book(step=2_000_000_000).with_columns(amount=still["amount"])  # the same in forty seconds
    assert find_frozen_depth(fast) == []
    assert find_frozen_depth(still.filter(pl.col("timestamp").to_physical() < START + 14 * MINUTE)) == []  # four minutes


def test_depth_that_is_not_cumulative():
    rng = np.random.default_rng(2)
    rows = book().with_columns(amount=pl.Series(rng.permutation(book()["amount"].to_numpy())))
    (found,) = find_uneven_depth(rows)
    assert (found.code, found.severity) == ("depth_not_cumulative", "error")
    (one,) = find_uneven_depth(set_at(book(), "amount", [14], 0.0))
    assert (one.count, one.first) == (1, START + MINUTE // 2)


def test_half_a_book():
    rows = book().filter((pl.col("timestamp").to_physical() != START + HOUR // 6) | (pl.col("side") == "bid"))
    (found,) = find_uneven_depth(rows)
    assert (found.code, found.severity, found.count, found.first) == ("depth_one_sided", "warning", 1, START + HOUR // 6)


def test_empty_tables():
    assert find_frozen_depth(book().clear()) == find_uneven_depth(book().clear()) == []
    assert find_frozen_open_interest(HELD.clear(), BARS) == find_open_interest_spikes(HELD.clear()) == []

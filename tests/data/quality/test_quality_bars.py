"""Bars that cannot be true, and true ones that only look odd."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from quality_frames import MINUTE, START, codes, make_bars, set_at

from liqbt.data.quality.bars import find_bad_ticks, find_inconsistent_bars, find_price_scale, find_repeated_bars, find_silent_bars

BARS = make_bars(2000)
CRASH = 2000 // 3
CALM = 1200


@pytest.mark.parametrize("check", [find_bad_ticks, find_inconsistent_bars, find_price_scale, find_repeated_bars, find_silent_bars])
@pytest.mark.parametrize("interval", ["1m", "5m", "1h"])
def test_a_good_recording(check, interval):
    assert check(make_bars(2000, interval, seed=11), table=f"bars {interval}") == []


def test_the_market_of_the_tests_crashes():
    assert BARS["low"][CRASH] < 0.9 * BARS["low"][CRASH - 1]
    assert BARS["volume"][CRASH] > 10 * BARS["volume"].median()


@pytest.mark.parametrize(("column", "factor"), [("high", 0.9), ("low", 1.1), ("open", 1.2), ("close", 0.8)])
def test_inconsistent_prices(column, factor):
    (found,) = find_inconsistent_bars(set_at(BARS, column, [40], BARS[column][40] * factor), table="bars 5m")
    assert (found.code, found.severity, found.count, found.first) == ("inconsistent_prices", "error", 1, START + 40 * 5 * MINUTE)


@pytest.mark.parametrize(("column", "factor"), [("high", 1.12), ("low", 0.88)])
def test_a_wick_that_nobody_traded(column, factor):
    (found,) = find_bad_ticks(set_at(BARS, column, [CALM], BARS[column][CALM] * factor), table="bars 5m")
    assert (found.code, found.severity, found.count, found.first) == ("bad_tick", "warning", 1, START + CALM * 5 * MINUTE)


def test_a_wick_with_the_volume_of_a_crash_is_one():
    wick = set_at(BARS, "low", [CALM], BARS["low"][CALM] * 0.88)
    assert find_bad_ticks(set_at(wick, "volume", [CALM], BARS["volume"][CALM] * 15), table="bars 5m") == []


def test_a_crash_whose_volume_is_missing_is_a_bad_tick():
    around = BARS["volume"][CRASH - 24 : CRASH + 24].median()
    (found,) = find_bad_ticks(set_at(BARS, "volume", [CRASH], around), table="bars 5m")
    assert found.first == START + CRASH * 5 * MINUTE


def test_a_close_that_is_back_in_the_next_bar():
    # Each bar opens at the close before it, so that the next bar reaches as far and only the closes show the tick.
    bad = set_at(set_at(BARS, "close", [CALM], BARS["close"][CALM] * 1.1), "open", [CALM + 1], BARS["close"][CALM] * 1.1)
    bad = bad.with_columns(high=pl.max_horizontal("open", "high", "close"))
    (found,) = find_bad_ticks(bad, table="bars 5m")
    assert (found.count, found.first) == (1, START + CALM * 5 * MINUTE)
    for rows in ([CALM], [CALM + 1]):
        traded = set_at(bad, "volume", rows, BARS["volume"][CALM] * 15)
        assert find_bad_ticks(traded, table="bars 5m") == []


def test_a_price_that_jumps_and_stays():
    factor = np.where(np.arange(2000) < CALM, 1.0, 1000.0)
    other = BARS.with_columns(pl.col(name) * pl.Series(factor) for name in ("open", "high", "low", "close"))
    (found,) = find_price_scale(other, table="bars 5m")
    assert (found.code, found.severity, found.count, found.first) == ("price_scale", "error", 1, START + CALM * 5 * MINUTE)
    assert "to 1,000 times" in found.message
    once = BARS.with_columns(pl.col("close") * pl.Series(np.where(np.arange(2000) == CALM, 1000.0, 1.0)))
    assert find_price_scale(once, table="bars 5m") == []  # that is a bad tick


def test_bars_of_a_stuck_recorder():
    stuck = BARS.with_columns(
        pl.when(pl.int_range(pl.len()).is_between(CALM, CALM + 3)).then(pl.col(name).get(CALM)).otherwise(pl.col(name)).alias(name)
        for name in ("open", "high", "low", "close", "volume")
    )
    (found,) = find_repeated_bars(stuck, table="bars 5m")
    assert (found.code, found.count, found.first) == ("repeated", 3, START + (CALM + 1) * 5 * MINUTE)
    silent = set_at(stuck, "volume", np.arange(CALM, CALM + 4), 0.0)
    flat = stuck.with_columns(
        pl.when(stuck["close"] == stuck["close"][CALM]).then(pl.col("close")).otherwise(pl.col(n)).alias(n) for n in ("open", "high", "low")
    )
    for alike in (silent, flat):  # a market in which little happens
        assert find_repeated_bars(alike, table="bars 5m") == []


def test_bars_in_which_nothing_was_traded():
    rows = np.arange(CALM, CALM + 4)
    silent = set_at(BARS, "volume", rows, 0.0)
    (moved,) = find_silent_bars(silent, table="bars 5m")
    assert (moved.code, moved.severity, moved.count) == ("price_without_volume", "warning", 4)
    flat = silent.with_columns(
        pl.when(pl.col("volume") == 0).then(pl.col("open").get(CALM)).otherwise(pl.col(name)).alias(name)
        for name in ("open", "high", "low", "close")
    )
    (still,) = find_silent_bars(flat, table="bars 5m")
    assert (still.code, still.severity, still.count, still.first) == ("no_volume", "note", 4, START + CALM * 5 * MINUTE)
    two = set_at(flat, "volume", rows[:2], 1.0)
    assert find_silent_bars(two, table="bars 5m") == []  # two in a row happen


def test_a_market_that_hardly_trades_is_not_told_of_each_silent_bar():
    rng = np.random.default_rng(1)
    rare = BARS.with_columns(volume=pl.Series(np.where(rng.random(2000) < 0.3, 1.0, 0.0)))
    assert codes(find_silent_bars(rare, table="bars 5m")) == []
    assert find_bad_ticks(rare, table="bars 5m") == []


def test_empty_and_short_recordings():
    for check in (find_bad_ticks, find_inconsistent_bars, find_price_scale, find_repeated_bars, find_silent_bars):
        for count in (0, 1, 2):
            assert check(BARS.head(count), table="bars 5m") == []

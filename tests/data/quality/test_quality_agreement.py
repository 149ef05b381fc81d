"""Two recordings of one market, and clocks that differ."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from quality_frames import HOUR, MINUTE, START, codes, make_bars, make_events, make_open_interest, moved, set_at, table

from liqbt.data.quality.agreement import compare_bars, compare_liquidations, compare_mark
from liqbt.data.quality.shift import Series, change_series, find_clock_shift, find_following_shift, return_series
from liqbt.data.quality.tables import hourly_liquidations

BARS = make_bars(2000)
AT = START + 5 * MINUTE * np.arange(2000)


def compare(ours, theirs=BARS):
    return compare_bars(ours, theirs, table="bars 5m", our_name="ours", their_name="theirs")


def scaled(frame, column, rows, factor):
    return set_at(frame, column, rows, frame[column].to_numpy()[rows] * factor)


def test_equal_recordings_agree():
    assert compare(BARS) == []
    assert compare(BARS[100:-100]) == []  # what only one has is no disagreement
    assert compare(BARS[:500], BARS[500:]) == []


def test_volume_that_a_recorder_missed():
    (found,) = compare(scaled(BARS, "volume", [40, 41, 900], 0.6))
    assert (found.code, found.severity, found.count) == ("volume_missing", "warning", 3)
    assert (found.first, found.last) == (AT[40], AT[900])
    assert found.message.startswith("more than 2 % of the volume of theirs is missing from ours (at most 40% of it at")
    (other,) = compare(BARS, scaled(BARS, "volume", [40], 0.6))
    assert "of ours is missing from theirs" in other.message
    assert compare(scaled(BARS, "volume", [40, 41, 900], 0.99)) == []


def test_bars_without_volume_in_one_of_them():
    none = set_at(BARS, "volume", [40], 0.0)
    assert codes(compare(none, none)) == []
    (ours,) = compare(none)
    assert "at most 100% of it" in ours.message
    (theirs,) = compare(BARS, none)
    assert (theirs.code, theirs.count) == ("volume_missing", 1)


def test_prices_that_a_recorder_missed():
    (found,) = compare(scaled(BARS, "low", [1000], 1.004))
    assert (found.code, found.count, found.first) == ("range_missing", 1, AT[1000])
    low = BARS["low"][1000]
    assert f"low {low * 1.004:.8g}, not {low:.8g}" in found.message
    (high,) = compare(BARS, scaled(BARS, "high", [1000], 0.996))
    assert "of ours is missing from theirs" in high.message
    assert compare(scaled(BARS, "low", [1000], 1.0005)) == []


def test_closes_that_differ():
    (found,) = compare(scaled(BARS, "close", [7], 1.002))
    assert (found.code, found.severity, found.count, found.first) == ("close_differs", "warning", 1, AT[7])
    assert compare(scaled(BARS, "close", [7], 1.0005)) == []


def test_a_last_bar_that_was_not_finished():
    last = scaled(scaled(BARS[:1500], "volume", [1499], 0.3), "close", [1499], 1.01)
    (found,) = compare(last)
    assert (found.code, found.count, found.first) == ("unfinished", 1, AT[1499])
    assert found.message.startswith("the end of ours was recorded before it closed in 1 bar")
    (other,) = compare(BARS, last)
    assert "the end of theirs" in other.message


def test_another_market_or_clock():
    other = make_bars(2000, seed=8, price=300.0)
    (found,) = compare(other)
    assert (found.code, found.severity, found.count) == ("close_differs", "error", 2000)


def test_another_venue_trades_other_volumes():
    rng = np.random.default_rng(1)
    elsewhere = BARS.with_columns(pl.col("volume") * pl.Series(rng.lognormal(-1, 0.5, 2000)))
    (found,) = compare(elsewhere)
    assert (found.code, found.severity) == ("volume_differs", "warning")
    assert "times that of theirs" in found.message


def mark_of(bars):
    return bars.select("timestamp", "available_at", "open", "high", "low", "close")


def test_mark_prices():
    assert compare_mark(mark_of(BARS), BARS, table="mark 5m") == []
    beyond = scaled(mark_of(BARS), "low", [300], 1.08)
    (found,) = compare_mark(beyond, BARS, table="mark 5m")
    assert (found.code, found.severity, found.count, found.first) == ("beyond_mark", "note", 1, AT[300])
    (other,) = compare_mark(mark_of(make_bars(2000, price=102.0)), BARS, table="mark 5m")
    assert (other.code, other.severity) == ("mark_differs", "error")
    assert "usually 2.0% away" in other.message


def test_totals_and_events():
    stamps = START + HOUR * np.arange(10)
    totals = table("liquidation_totals", stamps, "1h", long=[3.0] * 10, short=[1.0] * 10)
    events = np.full(10, 4.0)
    assert compare_liquidations(totals, events, table="x") == []
    events[:2] = np.nan  # not recorded is no disagreement
    assert compare_liquidations(totals, events, table="x") == []
    (less,) = compare_liquidations(totals, events * 0.6, table="x")
    assert (less.code, less.severity, less.count) == ("liquidations_differ", "note", 8)
    assert "hold 60%" in less.message
    (more,) = compare_liquidations(totals, events * 2, table="x")
    assert more.severity == "warning"
    assert compare_liquidations(totals, events * np.nan, table="x") == []


def hourly(bars):
    hour = pl.col("timestamp").dt.truncate("1h")
    rows = bars.group_by(hour, maintain_order=True).agg(pl.first("open"), pl.max("high"), pl.min("low"), pl.last("close"), pl.sum("volume"))
    return table("bars", rows["timestamp"].to_physical().to_numpy(), "1h", **rows.drop("timestamp").to_dict(as_series=False))


LONG = make_bars(40 * 288, crash=False)


def shift(ours, our_step, theirs, their_step):
    names = {"table": "bars", "our_name": "ours", "their_name": "theirs"}
    return find_clock_shift(return_series(ours, our_step), return_series(theirs, their_step), **names)


@pytest.mark.parametrize("hours", [6, -3, 5.5, 0.25, -14, 14])
def test_a_clock_that_is_hours_off(hours):
    (found,) = shift(moved(hourly(LONG), int(hours * HOUR)), HOUR, LONG, 5 * MINUTE)
    assert (found.code, found.severity) == ("clock_shift", "error")
    direction = "ahead of" if hours > 0 else "behind"
    assert found.message.startswith(f"the clock of ours runs {abs(hours):g} h {direction} that of theirs")
    assert f"--utc-offset {hours:g}," in found.message
    (other,) = shift(LONG, 5 * MINUTE, moved(hourly(LONG), int(hours * HOUR)), HOUR)
    assert f"--utc-offset {-hours:g}," in other.message


def test_clocks_that_agree():
    assert shift(hourly(LONG), HOUR, LONG, 5 * MINUTE) == []
    assert shift(LONG, 5 * MINUTE, LONG, 5 * MINUTE) == []
    rng = np.random.default_rng(1)
    noise = pl.Series(np.exp(rng.normal(0, 2e-4, LONG.height)))
    noisy = LONG.with_columns(pl.col(name) * noise for name in ("open", "high", "low", "close"))
    assert shift(hourly(noisy), HOUR, LONG, 5 * MINUTE) == []


def test_other_markets_have_no_shift():
    assert shift(make_bars(40 * 288, seed=9), 5 * MINUTE, LONG, 5 * MINUTE) == []
    assert shift(LONG[:300], 5 * MINUTE, LONG, 5 * MINUTE) == []  # too short to tell


def test_a_clock_with_summer_time():
    year = make_bars(240 * 24, "1h", crash=False)
    local = moved(year, HOUR)
    half = local.height // 2
    changed = pl.concat([local[:half], moved(local[half + 1 :], HOUR)])
    (found,) = shift(changed, HOUR, year, HOUR)
    assert "1 h ahead of" in found.message
    assert "and 2 h in other months" in found.message
    assert found.count == 4


def follow_liquidations(hours):
    events = make_events(LONG, rate=1.0)
    events = set_at(events, "amount", [500], 1e5)  # one that outweighs all others, at its own time
    events = hourly_liquidations(moved(events, int(hours * HOUR)))
    net = Series(timestamp=events["timestamp"].to_physical().to_numpy(), values=(events["short"] - events["long"]).to_numpy(), step_ns=HOUR)
    return find_following_shift(net, return_series(LONG, 5 * MINUTE), table="x", our_name="the liquidations", their_name="the bars")


def follow_open_interest(hours):
    rows = moved(make_open_interest(LONG), int(hours * HOUR))
    traded = Series(timestamp=LONG["timestamp"].to_physical().to_numpy(), values=LONG["volume"].to_numpy(), step_ns=5 * MINUTE)
    changes = change_series(rows["timestamp"].to_physical().to_numpy(), rows["open_interest"].to_numpy())
    return find_following_shift(changes, traded, table="x", our_name="open interest", their_name="the bars", absolute=True)


@pytest.mark.parametrize("follow", [follow_liquidations, follow_open_interest])
def test_liquidations_and_open_interest_follow_the_bars(follow):
    assert follow(0) == []
    for hours in (6, -5.5):
        (found,) = follow(hours)
        assert (found.code, found.severity) == ("clock_shift", "error")
        assert f"about {abs(hours):g} h {'ahead of' if hours > 0 else 'behind'} that of the bars" in found.message


def test_hours_without_events_are_zeros():
    events = table("liquidations", START + np.array([0, 5 * MINUTE, 3 * HOUR]), side=["long", "short", "long"], amount=[1.0, 2.0, 4.0])
    sums = hourly_liquidations(events)
    assert sums["long"].to_list() == [1.0, 0.0, 0.0, 4.0]
    assert sums["short"].to_list() == [2.0, 0.0, 0.0, 0.0]


def test_sums_over_windows_leave_out_gaps():
    series = Series(timestamp=np.delete(START + MINUTE * np.arange(8), 5), values=np.array([1.0, 2, 3, 4, 5, 7, 8]), step_ns=MINUTE)
    wide = series.over(2 * MINUTE)
    np.testing.assert_array_equal(wide.timestamp - START, MINUTE * np.array([0, 1, 2, 3, 6]))
    np.testing.assert_array_equal(wide.values, [3.0, 5, 7, 9, 15])
    assert wide.step_ns == 2 * MINUTE


def test_changes_of_samples_that_jitter():
    stamps = START + HOUR * np.array([0, 1, 2, 4, 5]) + np.array([0, 2, -1, 0, 0]) * 1_000_000_000
    series = change_series(stamps, np.array([1.0, 2.0, 0.0, 4.0, 8.0]))
    assert series.step_ns == HOUR
    np.testing.assert_array_equal(series.timestamp - START, HOUR * np.array([0, 4]))
    np.testing.assert_allclose(series.values, np.log([2.0, 2.0]))
    assert change_series(stamps[:1], np.ones(1)).timestamp.size == 1

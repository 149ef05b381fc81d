"""Clocks that cannot be right."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from quality_frames import DAY, HOUR, MINUTE, START, clock, codes, make_bars, make_open_interest, moved, table

from liqbt.data.quality.clocks import find_crossed_clocks, find_late_rows, find_off_grid, find_summer_time
from liqbt.data.quality.gaps import interval_gaps, sample_gaps
from liqbt.data.validation import CLOCK

SECOND = 1_000_000_000
BARS = make_bars(500)
STAMPS = BARS["timestamp"].to_physical().to_numpy()


def known(frame, change):
    """The frame with `available_at` moved by nanoseconds, one for each row."""
    return frame.with_columns((pl.col("available_at").to_physical() + pl.Series(change)).cast(CLOCK))


def test_clocks_of_a_good_recording():
    snapshots = make_open_interest(BARS)
    for rows, interval in ((BARS, 5 * MINUTE), (snapshots, None)):
        assert find_crossed_clocks(rows, table="x", interval_ns=interval) == []
        assert find_late_rows(rows, table="x", interval_ns=interval) == []
        assert find_off_grid(rows["timestamp"].to_physical().to_numpy(), table="x", interval_ns=interval) == []


def test_a_snapshot_known_before_it_was_taken():
    change = np.zeros(500, dtype=np.int64)
    change[[7, 9]] = -1
    (found,) = find_crossed_clocks(known(make_open_interest(BARS), change), table="open_interest")
    assert (found.code, found.severity, found.count) == ("crossed_clocks", "error", 2)
    assert found.first == STAMPS[8]  # snapshot 7 is taken when bar 7 closes


def test_a_bar_known_before_it_closes():
    change = np.zeros(500, dtype=np.int64)
    change[3] = -MINUTE
    assert find_crossed_clocks(known(BARS, change), table="bars 5m") == []  # not before its stamp
    (found,) = find_crossed_clocks(known(BARS, change), table="bars 5m", interval_ns=5 * MINUTE)
    assert (found.code, found.count, found.first) == ("crossed_clocks", 1, STAMPS[3])
    assert "look ahead" in found.message


def test_times_in_another_unit():
    (found,) = find_crossed_clocks(moved(BARS, 1_700_000_000 * SECOND // 1000 - START), table="bars 5m")  # seconds read as milliseconds
    assert (found.code, found.severity, found.count) == ("impossible_time", "error", 500)
    assert "1970-01-20" in found.message


def test_rows_that_became_known_late():
    change = np.full(500, 10 * MINUTE)  # all of them come ten minutes after the close, as usual
    assert find_late_rows(known(BARS, change), table="bars 5m", interval_ns=5 * MINUTE) == []
    change[100:103] = 2 * HOUR
    (found,) = find_late_rows(known(BARS, change), table="bars 5m", interval_ns=5 * MINUTE)
    assert (found.code, found.severity, found.count, found.first) == ("late", "note", 3, STAMPS[100])
    assert "up to 2 h late" in found.message


def test_snapshots_that_were_stamped_two_seconds_late():
    stamps = STAMPS.copy()
    stamps[[4, 90, 200, 201, 400]] += 2 * SECOND
    (found,) = find_off_grid(stamps, table="open_interest")
    assert (found.code, found.severity, found.count) == ("off_grid", "note", 5)
    assert (found.first, found.last) == (stamps[4], stamps[400])
    assert "up to 2 s off the grid" in found.message
    early = STAMPS.copy()
    early[50] -= 3 * SECOND
    assert find_off_grid(early, table="open_interest")[0].count == 1


def test_snapshots_without_a_grid_and_jitter_of_milliseconds_are_left_alone():
    rng = np.random.default_rng(1)
    assert find_off_grid(STAMPS + rng.integers(0, 40 * SECOND, 500), table="open_interest") == []
    assert find_off_grid(STAMPS + np.where(np.arange(500) % 50 == 0, 16_000_000, 0), table="funding") == []
    assert find_off_grid(START + np.arange(500) * (60 * SECOND + 537_000_001), table="open_interest") == []


def test_two_cadences_share_a_grid():
    stamps = np.concatenate([START + HOUR * np.arange(100), START + 100 * HOUR + 5 * MINUTE * np.arange(300)])
    assert find_off_grid(stamps, table="open_interest") == []


def test_bars_of_two_clocks_cannot_be_loaded_together():
    stamps = np.concatenate([START + HOUR * np.arange(100), START + 100 * HOUR + HOUR // 2 + HOUR * np.arange(60)])
    (found,) = find_off_grid(stamps, table="bars 1h", interval_ns=HOUR)
    assert (found.code, found.severity, found.count, found.first) == ("off_grid", "error", 60, stamps[100])
    assert "30 min" in found.message


def local_year(zone, year, step):
    """A year of stamps as a recorder shows them that takes the local clock for UTC; hours that repeat come once."""
    span = pl.datetime_range(pl.datetime(year, 1, 1), pl.datetime(year + 1, 1, 1), f"{step // MINUTE}m", eager=True)
    local = span.dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return local.cast(pl.Datetime("ns")).to_physical().unique().sort().to_numpy()


@pytest.mark.parametrize(("zone", "gap"), [("Europe/Berlin", "2025-03-30 02:00:00"), ("America/New_York", "2025-03-09 02:00:00")])
def test_the_hour_that_summer_time_skips(zone, gap):
    stamps = local_year(zone, 2025, 5 * MINUTE)
    (found,) = find_summer_time(interval_gaps(stamps, 5 * MINUTE), table="bars 5m")
    assert (found.code, found.severity) == ("summer_time", "warning")
    assert gap in found.message
    (sampled,) = find_summer_time(sample_gaps(stamps), table="open_interest")
    assert sampled.first == found.first


def test_other_gaps_are_no_summer_time():
    assert find_summer_time(interval_gaps(local_year("Asia/Kolkata", 2025, 5 * MINUTE), 5 * MINUTE), table="bars 5m") == []
    sunday = int(np.datetime64("2025-03-30T02:00", "ns").astype(np.int64))
    for start, length in ((sunday, 2 * HOUR), (sunday + 2 * DAY, HOUR), (sunday - 7 * DAY, HOUR)):
        stamps = sunday - 10 * DAY + 5 * MINUTE * np.arange(20 * 288)
        stamps = stamps[(stamps < start) | (stamps >= start + length)]
        assert find_summer_time(interval_gaps(stamps, 5 * MINUTE), table="bars 5m") == []


def test_few_rows_are_no_recording():
    two = table("open_interest", [START, START + HOUR], open_interest=[1.0, 2.0])
    assert codes(find_late_rows(two, table="x") + find_off_grid(clock([START]).to_physical().to_numpy(), table="x")) == []

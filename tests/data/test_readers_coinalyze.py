"""Coinalyze exports: kinds, clocks, and rows shown again under a later stamp."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from reading import read_one

from liqbt.errors import DataError


def write(tmp_path, *rows):
    path = tmp_path / "export.csv"
    path.write_text("".join(f"2024-06-20 {hour:02d}:00:00,{values}\n" for hour, values in rows))
    return path


def hours(recording):
    return [stamp.hour for stamp in recording.rows["timestamp"].to_list()]


def test_bars(tmp_path):
    path = write(tmp_path, (6, "10,12,9,11,100,60,7,4"), (7, "11,13,10,12,50,20,5,2"))
    recording = read_one(path, reader="coinalyze", utc_offset_hours=6)
    assert (recording.table, recording.interval, recording.notes) == ("bars", "1h", ())
    assert recording.rows.drop("available_at").row(0, named=True) == {
        "timestamp": datetime(2024, 6, 20, tzinfo=UTC),
        "open": 10.0,
        "high": 12.0,
        "low": 9.0,
        "close": 11.0,
        "volume": 100.0,
        "taker_buy_volume": 60.0,
        "trade_count": 7,
    }


def test_open_interest_is_the_close_at_the_end_of_its_interval(tmp_path):
    recording = read_one(write(tmp_path, (0, "10,12,9,11"), (1, "11,13,10,12")), reader="coinalyze")
    assert (recording.table, recording.interval) == ("open_interest", None)
    assert recording.rows["open_interest"].to_list() == [11.0, 12.0]
    assert hours(recording) == [1, 2]
    assert recording.rows["available_at"].to_list() == recording.rows["timestamp"].to_list()


def test_liquidation_totals_are_known_after_their_interval(tmp_path):
    recording = read_one(write(tmp_path, (0, "1,2"), (1, "3,4")), reader="coinalyze")
    assert (recording.table, recording.interval) == ("liquidation_totals", "1h")
    assert recording.rows["long"].to_list() == [1.0, 3.0]
    assert recording.rows["available_at"][0] - recording.rows["timestamp"][0] == timedelta(hours=1)


def test_repeated_liquidations_are_zeros(tmp_path):
    path = write(tmp_path, (0, "1,2"), (2, "5,6"), (2, "5,6"), (3, "7,8"), (6, "9,1"), (6, "9,1"), (6, "9,1"), (7, "2,2"))
    recording = read_one(path, reader="coinalyze")
    assert hours(recording) == list(range(8))
    assert recording.rows["long"].to_list() == [1, 5, 0, 7, 9, 0, 0, 2]
    assert recording.rows["short"].to_list() == [2, 6, 0, 8, 1, 0, 0, 2]
    assert recording.notes == ("3 duplicated rows reassigned to the intervals before them as zeros",)


def test_repeated_bars_and_open_interest_leave_gaps(tmp_path):
    bar, copy = "10,12,9,11,100,60,7,4", "11,13,10,12,50,20,5,2"
    recording = read_one(write(tmp_path, (0, bar), (1, bar), (4, copy), (4, copy), (4, copy), (5, bar)), reader="coinalyze")
    assert hours(recording) == [0, 1, 2, 5]
    assert recording.rows["close"].to_list() == [11.0, 11.0, 12.0, 11.0]
    assert recording.notes == ("2 duplicated rows dropped, which leaves gaps",)
    path = write(tmp_path, (0, "1,1,1,1"), (1, "1,1,1,1"), (3, "2,2,2,2"), (3, "2,2,2,2"), (4, "3,3,3,3"))
    assert hours(read_one(path, reader="coinalyze")) == [1, 2, 3, 5]


@pytest.mark.parametrize(
    "rows",
    [
        ((0, "1,2"), (1, "5,6"), (1, "5,6"), (2, "7,8")),  # nothing is missing before them
        ((0, "1,2"), (1, "1,2"), (3, "5,6"), (3, "5,6"), (3, "5,6")),  # one is missing, two would have to be
        ((1, "5,6"), (1, "5,6"), (2, "7,8")),  # nothing above them tells
    ],
)
def test_equal_stamps_without_missing_ones_before_them(tmp_path, rows):
    with pytest.raises(DataError, match=r"rows \d to \d share the stamp 2024-06-20 0\d:00:00 \(UTC\), and the . intervals before it"):
        read_one(write(tmp_path, *rows), reader="coinalyze")


def test_equal_stamps_with_other_values(tmp_path):
    with pytest.raises(DataError, match=r"row 4 .* has the stamp of the row above it but other values"):
        read_one(write(tmp_path, (0, "1,2"), (1, "1,2"), (3, "5,6"), (3, "5,7"), (4, "7,8")), reader="coinalyze")


def test_given_interval(tmp_path):
    path = write(tmp_path, (0, "1,2"), (2, "3,4"))
    assert read_one(path, reader="coinalyze").interval == "2h"
    assert read_one(path, reader="coinalyze", interval="1h").interval == "1h"


def test_other_widths_and_tables(tmp_path):
    with pytest.raises(DataError, match=r"has 4 columns; a Coinalyze export has 9 \(bars\), 5 \(open interest\) or 3"):
        read_one(write(tmp_path, (0, "1,2,3")), reader="coinalyze")
    with pytest.raises(DataError, match=r"has 3 columns, which is 'liquidation_totals', not table 'bars'"):
        read_one(write(tmp_path, (0, "1,2")), reader="coinalyze", table="bars")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2024-06-20 00:00:00,1,2\nyesterday,1,2\n", "row 2: time is 'yesterday', not an ISO time"),
        ("2024-06-20 00:00:00,1,2\n\n2024-06-20 02:00:00,1,2\n", "row 2: time is None, not an ISO time"),
        ("2024-06-20 00:00:00,1,2\n2024-06-20 01:00:00,x,2\n", "row 2: long is 'x', not a number"),
        ("2024-06-20 00:00:00,1,2\n2024-06-20 01:00:00,1\n", "row 2 has 2 cells, expected 3"),
        ("2024-06-20 00:00:00,1,2\n2024-06-20 01:00:00,1,-2\n", r"row 2 .*: short is -2.0; an amount"),
        ("2024-06-20 00:00:00,1,2\n2024-06-20 01:00:00,1,2,3\n", "row 2 has 4 cells, expected 3"),
        ("\n\n", "holds no rows"),
    ],
)
def test_unreadable_rows_are_named(tmp_path, text, message):
    path = tmp_path / "export.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"export.csv: {message}"):
        read_one(path, reader="coinalyze")

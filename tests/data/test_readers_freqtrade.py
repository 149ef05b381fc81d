"""Freqtrade's feather files: the kind from the name, the interval from the steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from reading import read_one

from liqbt.errors import ConfigError, DataError

START = datetime(2025, 1, 1, tzinfo=UTC)


def write(tmp_path, name, *, steps=(0, 5, 10, 20), **changes):
    n = len(steps)
    prices = {"open": [10.0] * n, "high": [12.0] * n, "low": [9.0] * n, "close": [11.0] * n, "volume": [3.0] * n}
    frame = pl.DataFrame({"date": [START + timedelta(minutes=m) for m in steps], **prices, **changes})
    path = tmp_path / name
    frame.write_ipc(path)
    return path


def test_candles(tmp_path):
    recording = read_one(write(tmp_path, "SOL_USDT_USDT-5m-futures.feather"), reader="freqtrade")
    assert (recording.table, recording.interval, recording.rows.height) == ("bars", "5m", 4)
    assert recording.rows.columns == ["timestamp", "available_at", "open", "high", "low", "close", "volume"]
    assert recording.rows["available_at"][0] == START + timedelta(minutes=5)


def test_mark(tmp_path):
    recording = read_one(write(tmp_path, "SOL_USDT_USDT-5m-mark.feather"), reader="freqtrade")
    assert (recording.table, recording.interval) == ("mark", "5m")
    assert "volume" not in recording.rows.columns


def test_funding_is_in_open_and_is_due_at_the_hour(tmp_path):
    late, early = START + timedelta(milliseconds=1), START + timedelta(hours=8, milliseconds=-2)
    path = write(tmp_path, "SOL_USDT_USDT-8h-funding_rate.feather", steps=(0, 480), open=[0.0001, 0.0], high=[0.0, 0.0])
    recording = read_one(path, reader="freqtrade")
    assert (recording.table, recording.interval) == ("funding", None)
    assert recording.rows["funding_rate"].to_list() == [0.0001, 0.0]
    path = write(tmp_path, "A-8h-funding_rate.feather", steps=(0, 480), date=[late, early], open=[-0.0002, 0.0])
    recording = read_one(path, reader="freqtrade")
    hours = [START, START + timedelta(hours=8)]
    assert recording.rows["timestamp"].to_list() == hours
    assert recording.rows["available_at"].to_list() == [late, hours[1]]  # known when stamped, and never before it is due
    assert recording.notes == ("2 stamps moved to the whole hour, by a second at most",)


def test_table_given_for_a_name_that_does_not_tell(tmp_path):
    path = write(tmp_path, "SOL.feather")
    with pytest.raises(DataError, match=r"does not end in -futures, -mark or -funding_rate"):
        read_one(path, reader="freqtrade")
    assert read_one(path, reader="freqtrade", table="mark").table == "mark"
    with pytest.raises(DataError, match=r"hold bars, mark or funding, not table 'trades'"):
        read_one(path, reader="freqtrade", table="trades")
    with pytest.raises(ConfigError, match=r"takes none"):
        read_one(path, reader="freqtrade", table="mark", mapping="ohlcv")


def test_name_and_steps_must_agree(tmp_path):
    path = write(tmp_path, "SOL-1m-futures.feather")
    with pytest.raises(DataError, match=r"the name says 1m, but the smallest step is 5m; give the interval"):
        read_one(path, reader="freqtrade")
    assert read_one(path, reader="freqtrade", interval="1m").interval == "1m"
    assert read_one(write(tmp_path, "ONE-15m-futures.feather", steps=(0,)), reader="freqtrade").interval == "15m"


def test_naive_dates_and_offset(tmp_path):
    naive = [(START + timedelta(hours=6 + h)).replace(tzinfo=None) for h in range(4)]
    recording = read_one(write(tmp_path, "S-1h-futures.feather", date=naive), reader="freqtrade", utc_offset_hours=6)
    assert recording.rows["timestamp"][0] == START


def test_other_files(tmp_path):
    path = tmp_path / "S-1h-futures.feather"
    path.write_text("date,open\n")
    with pytest.raises(DataError, match=r"is not a readable feather file"):
        read_one(path, reader="freqtrade")
    pl.DataFrame({"date": [START], "Open": [1.0]}).write_ipc(path)
    with pytest.raises(DataError, match=r"has no column 'open'; did you mean 'Open'\?"):
        read_one(path, reader="freqtrade")
    with pytest.raises(DataError, match=r"column 'date' holds Int64, not times"):
        read_one(write(tmp_path, "S-1h-futures.feather", date=[1, 2, 3, 4]), reader="freqtrade")
    whole = write(tmp_path, "S-5m-futures.feather").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"is not a readable feather file"):
        read_one(path, reader="freqtrade")

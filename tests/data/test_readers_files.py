"""read_one(): the parts that all readers share."""

from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest
from reading import read_one

from liqbt.data.readers import READERS
from liqbt.data.readers._interval import interval_name, resolve_interval
from liqbt.errors import ConfigError, DataError

ROWS = "2024-01-01 00:00:00,1,2\n2024-01-01 01:00:00,3,4\n"
HOUR = 3_600_000_000_000


def test_unknown_reader_did_you_mean(tmp_path):
    with pytest.raises(ConfigError, match=r"reader: 'coinalyse' is not a reader; did you mean 'coinalyze'\?"):
        read_one(tmp_path / "x", reader="coinalyse")


@pytest.mark.parametrize("reader", sorted(READERS))
def test_files_that_are_none(tmp_path, reader):
    options = {"mapping": "ohlcv"} if reader == "generic_csv" else {"table": "bars"}
    with pytest.raises(DataError, match=r"absent.csv: there is no such file"):
        read_one(tmp_path / "absent.csv", reader=reader, **options)
    with pytest.raises(DataError, match=r"is a folder; give the files in it"):
        read_one(tmp_path, reader=reader, **options)
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(DataError, match=r"empty.csv: is empty"):
        read_one(tmp_path / "empty.csv", reader=reader, **options)
    (tmp_path / "noise.csv").write_bytes(bytes(range(256)) * 4)
    with pytest.raises(DataError, match=r"noise.csv: "):
        read_one(tmp_path / "noise.csv", reader=reader, **options)


def test_unreadable_file(tmp_path, monkeypatch):
    def refuse(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(DataError, match=r"cannot be read .Permission denied."):
        read_one(tmp_path / "x.csv", reader="coinalyze")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": "bar"}, "table: 'bar' is not a canonical table"),
        ({"interval": "1 hour"}, "is not an interval"),
        ({"utc_offset_hours": 360.0}, "utc_offset_hours: 360.0 is not a clock's offset"),
        ({"mapping": "ohlcv"}, "mapping: reader 'coinalyze' knows its columns"),
    ],
)
def test_options_are_checked(tmp_path, options, message):
    path = tmp_path / "x.csv"
    path.write_text(ROWS)
    with pytest.raises(ConfigError, match=message):
        read_one(path, reader="coinalyze", **options)


def test_a_recording_says_where_it_is_from(tmp_path):
    path = tmp_path / "totals.csv"
    path.write_text(ROWS)
    recording = read_one(str(path), reader="coinalyze")
    assert recording.source == "totals.csv"
    assert recording.sha256 == hashlib.sha256(ROWS.encode()).hexdigest()
    assert recording.reader == "coinalyze"


def test_damaged_gzip(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(ROWS.encode() * 100)[:-20])
    with pytest.raises(DataError, match=r"is a damaged gzip file"):
        read_one(path, reader="coinalyze")


@pytest.mark.parametrize(("step", "name"), [(HOUR, "1h"), (HOUR // 12, "5m"), (24 * HOUR, "1d"), (168 * HOUR, "7d"), (1_500_000_000, None)])
def test_interval_names(step, name):
    assert interval_name(step) == name


def test_interval_is_the_smallest_step_or_must_divide_all():
    stamps = HOUR * np.array([0, 3, 3, 4, 8])
    assert resolve_interval(stamps, None, label="x") == "1h"
    assert resolve_interval(stamps, "60m", label="x") == "1h"
    with pytest.raises(DataError, match=r"x: row 2 .* comes 3h after the row above it, which is no multiple of interval 2h"):
        resolve_interval(stamps, "2h", label="x")
    with pytest.raises(DataError, match=r"one row does not tell its interval"):
        resolve_interval(stamps[:1], None, label="x")
    with pytest.raises(DataError, match=r"not whole seconds"):
        resolve_interval(np.array([0, 1]), None, label="x")

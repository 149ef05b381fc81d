"""Suggestions that can be printed, whatever a broken file holds."""

import pytest

from liqbt.data.readers import read_file
from liqbt.errors import DataError, did_you_mean


def test_the_closest_is_suggested_and_else_all_are_listed():
    assert did_you_mean("gravty", ["gravity", "sweep_reversal"]) == "; did you mean 'gravity'?"
    assert did_you_mean("xyz", ["b", "a"]) == "; known: a, b"
    assert did_you_mean("xyz", []) == ""


def test_a_long_list_is_cut():
    assert did_you_mean("nothing like it", [f"{i:02d}" for i in range(20)]).endswith("10, 11 and 8 more")


@pytest.mark.parametrize("name", ["\x1b[31mred", "two\nlines", "\ufffd\x00", "x" * 500])
def test_names_stay_on_one_short_line(name):
    shown = did_you_mean("time", [name])
    assert shown.isprintable()
    assert len(shown) < 80


HEAD = "time,open,high,low,close,volume\n"
FIRST, SECOND = "2026-01-01 00:00,1,2,1,2,5\n", "2026-01-01 01:00,2,3,1,2,5\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEAD, "mine.csv: has no rows; check that the file is complete"),
        (HEAD + SECOND + FIRST, r"mine.csv: row 2 \(2026-01-01 00:00:00\) is earlier than the row above it"),
        (HEAD + FIRST, "mine.csv: one row does not tell its interval"),
    ],
)
def test_files_too_short_to_tell_their_interval(tmp_path, content, says):
    (tmp_path / "mine.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=says):
        read_file(tmp_path / "mine.csv", reader="generic_csv", mapping="ohlcv")

"""Bars that lie across two files: the store keeps the fuller part, whichever file is imported first."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from samples_hyperliquid import write as write_lines
from samples_tardis import TICKER, line, write

from liqbt.data.importing import import_files
from liqbt.data.readers import read_file
from liqbt.data.readers._cut_bars import CUT, without_cut_bars
from liqbt.data.store import Store
from liqbt.data.validation import CLOCK
from liqbt.errors import DataError

DAY = 86_400
HOUR_MS = 3_600_000
NOON = 1_760_097_600_000  # 2025-10-10 12:00
ORDERS = [(0, 1), (1, 0)]


def kept(opens, stamps, *, step=60, first_known=None):
    bars = pl.DataFrame({"timestamp": pl.Series(opens, dtype=pl.Int64).cast(CLOCK)})
    known = stamps[0] if first_known is None else first_known
    rows, count = without_cut_bars(bars, np.array(stamps, dtype=np.int64), step=step, first_known=known)
    assert count == len(opens) - rows.height
    return rows["timestamp"].to_physical().to_list()


def test_a_bar_of_which_more_than_half_was_seen_is_given():
    # The file sees from 10 before its first sample to 10 after its last.
    assert kept([0, 60, 120], list(range(39, 142, 10))) == [0, 60]  # 31 of the first, 29 of the last (139 + 10 - 120)
    assert kept([0, 60, 120], list(range(40, 152, 10))) == [60, 120]  # 30 of the first, 40 of the last


def test_a_piece_in_the_middle_is_given_where_it_is_the_greater_part():
    assert kept([0], list(range(20, 41, 2)), step=60) == []  # 18 to 42
    assert kept([0], list(range(14, 47, 2)), step=60) == [0]  # 12 to 48


def test_one_sample_a_bar_stands_for_all_of_it():
    assert kept([0, 60, 120], [59, 119, 179]) == [0, 60, 120]
    assert kept([0, 60, 120], [0, 60, 120]) == [0, 60, 120]
    assert kept([0], [59]) == [0]  # nothing tells how often samples come


def test_an_outage_is_no_usual_distance():
    stamps = [*range(50, 80, 1), *range(1000, 1030, 1)]
    assert kept([0, 60, 960, 1020], stamps) == [60, 960]  # what lies between is missing, not cut


def test_a_bar_that_had_ended_when_the_file_began_is_of_the_file_before():
    assert kept([0, 60], [59, 119], first_known=60) == [60]
    assert kept([0, 60], [59, 119], first_known=59) == [0, 60]


# --- Tardis: a file of a day begins with what reached it after midnight


def tick(second, price, delay=0.1):
    return line(second, "", "", "", "", price, price, price, delay=delay)


def days(tmp_path, every):
    first = [tick(second, 100 + second // every % 7) for second in range(0, DAY, every)]
    later = [tick(DAY - 0.05, 999), *(tick(DAY + second, 50) for second in range(0, 2 * 3600, every))]
    return [write(tmp_path / f"{number}.csv.gz", TICKER, rows) for number, rows in enumerate((first, later))]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("interval", ["1m", "1h"])
@pytest.mark.parametrize("every", [10, 60])
@pytest.mark.parametrize("table", ["mark", "index"])
def test_the_next_day_does_not_replace_the_last_bar(tmp_path, order, interval, every, table):
    paths = days(tmp_path, every)
    whole = read_file(paths[0], table=table, interval=interval)[0].rows
    for number in order:
        import_files([paths[number]], store=tmp_path / "store", interval=interval, table=table)
    rows, _ = Store(tmp_path / "store").read("binance", "BTCUSDT", table, interval)
    assert rows.head(whole.height).equals(whole)
    assert set(rows["close"][whole.height :]) == {50.0}
    assert rows.height == whole.height + (120 if interval == "1m" else 2)


def test_what_is_left_out_is_told(tmp_path):
    recording = read_file(days(tmp_path, 10)[1], table="mark")[0]
    assert recording.notes == (f"1 {CUT}",)
    assert recording.rows["high"].max() == 50.0


def test_a_week_is_not_told_by_one_day(tmp_path):
    with pytest.raises(DataError, match="holds no rows"):
        read_file(days(tmp_path, 60)[0], table="mark", interval="7d")


# --- contexts: a recorder that began anew in mid-bar


def contexts(path, samples):
    return write_lines(
        path, *({"ts": NOON + second * 1_000, "funding": 1e-5, "oi": 1.0, "mark": price, "oracle": price} for second, price in samples)
    )


def restarted(tmp_path, at, every=60):
    """Three hours of samples from noon, in a file to second `at` and one from there; the price is the number of the sample."""
    samples = [(second, 1.0 + number) for number, second in enumerate(range(5, 3 * 3600, every))]
    parts = [sample for sample in samples if sample[0] < at], [sample for sample in samples if sample[0] >= at]
    return [contexts(tmp_path / f"ctx_DOGE_2025101{number}.jsonl", part) for number, part in enumerate(parts)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("minute", "opened", "closed"), [(80, 81.0, 120.0), (100, 61.0, 100.0)])
def test_the_greater_part_of_a_bar_stays(tmp_path, order, minute, opened, closed):
    paths = restarted(tmp_path, minute * 60)
    for number in order:
        import_files([paths[number]], store=tmp_path / "store", interval="1h", table="mark")
    rows, _ = Store(tmp_path / "store").read("hyperliquid", "DOGE", "mark", "1h")
    # Samples 1 to 60 are of the first hour, 61 to 120 of the second, which the restart cuts, 121 to 180 of the third.
    assert rows["open"].to_list() == [1.0, opened, 121.0]
    assert rows["close"].to_list() == [60.0, closed, 180.0]


@pytest.mark.parametrize("order", ORDERS)
def test_bars_of_a_minute_are_cut_by_a_recorder_that_samples_faster(tmp_path, order):
    paths = restarted(tmp_path, 90 * 60 + 45, every=2)
    for number in order:
        import_files([paths[number]], store=tmp_path / "store", table="index")
    rows, _ = Store(tmp_path / "store").read("hyperliquid", "DOGE", "index", "1m")
    assert rows.height == 180
    cut = rows[90]
    # Minute 90 begins at 5,400 s: samples at 5,401 (number 2,699) to 5,443 s (number 2,720) are in the first file.
    assert (cut["open"].item(), cut["close"].item()) == (2699.0, 2720.0)


@pytest.mark.parametrize("minute", range(61, 120))
def test_a_restart_without_a_gap_loses_no_bar(tmp_path, minute):
    paths = restarted(tmp_path, minute * 60)
    opened = [set(read_file(path, table="mark", interval="1h")[0].rows["timestamp"].dt.hour()) for path in paths]
    assert opened[0] | opened[1] == {12, 13, 14}


def test_minutes_with_one_sample_each_are_all_given(tmp_path):
    path = contexts(tmp_path / "ctx_DOGE_20251010.jsonl", [(60 * minute + 58, 1.0) for minute in range(5)])
    recording = read_file(path, table="mark")[0]
    assert recording.rows.height == 5
    assert recording.notes == ()

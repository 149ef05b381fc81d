"""Longer bars from shorter ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading import random_trades

from liqbt.data.aggregate import bars_from_trades, resample_bars
from liqbt.data.validation import CLOCK, canonical
from liqbt.errors import ConfigError, DataError

START = datetime(2024, 1, 1, tzinfo=UTC)


def minutes(*rows, **columns):
    """Canonical 1m bars from (minute, open, high, low, close, volume)."""
    frame = pl.DataFrame(rows, schema=["m", "open", "high", "low", "close", "volume"], orient="row", infer_schema_length=None)
    stamps = pl.Series("timestamp", [START + timedelta(minutes=row[0]) for row in rows])
    return canonical(frame.drop("m").with_columns(stamps, **columns), "bars", source="x", interval="1m")


def test_by_hand():
    fine = minutes((0, 10, 12, 9, 11, 1), (2, 11, 15, 10, 14, 2), (4, 14, 14, 8, 9, 4), (5, 9, 9, 9, 9, 8), (11, 7, 8, 6, 7, 16))
    fine = fine.with_columns(trade_count=pl.Series([1, 2, 3, 4, 5]), taker_buy_volume=pl.Series([0.5, None, 1, 2, 3]))
    made = resample_bars(fine, "5m", source_interval="1m")
    assert made.rows["timestamp"].to_list() == [START, START + timedelta(minutes=5), START + timedelta(minutes=10)]
    assert made.rows["available_at"].to_list() == [START + timedelta(minutes=m) for m in (5, 10, 15)]
    assert made.rows.select("open", "high", "low", "close").rows() == [(10, 15, 8, 9), (9, 9, 9, 9), (7, 8, 6, 7)]
    assert made.rows["volume"].to_list() == [7, 8, 16]
    assert made.rows["trade_count"].to_list() == [6, 4, 5]
    assert made.rows["taker_buy_volume"].to_list() == [None, 2, 3]  # a part is not known
    assert made.complete.tolist() == [False, False, False]
    assert made.incomplete == 3
    assert made.rows.columns == fine.columns
    assert canonical(made.rows, "bars", source="x").select(made.rows.columns).equals(made.rows)


def test_whole_bars_are_complete():
    fine = minutes(*((m, 1, 1, 1, 1, 1) for m in range(7)))
    made = resample_bars(fine, "5m", source_interval="1m")
    assert made.complete.tolist() == [True, False]
    assert made.incomplete == 1


def test_a_short_bar_that_came_late_makes_the_long_one_late():
    fine = minutes((0, 1, 1, 1, 1, 1), (5, 1, 1, 1, 1, 1))
    late = fine.with_columns(available_at=pl.Series([START + timedelta(minutes=2), START + timedelta(minutes=12)]).cast(CLOCK))
    known = resample_bars(late, "5m", source_interval="1m").rows["available_at"].to_list()
    assert known == [START + timedelta(minutes=5), START + timedelta(minutes=12)]


def test_marks_and_totals():
    mark = minutes((0, 10, 12, 9, 11, 1), (1, 11, 15, 10, 14, 2)).drop("volume")
    assert resample_bars(mark, "2m", source_interval="1m").rows.select("open", "high", "low", "close").rows() == [(10, 15, 9, 14)]
    totals = mark.select("timestamp", "available_at", long=pl.lit(1.5), short=pl.lit(2.0))
    assert resample_bars(totals, "2m", source_interval="1m").rows.select("long", "short").rows() == [(3, 4)]


def test_bars_that_do_not_fit():
    fine = minutes((0, 1, 1, 1, 1, 1))
    with pytest.raises(ConfigError, match=r"interval: 5m is no whole multiple of 2m"):
        resample_bars(fine, "5m", source_interval="2m")
    shifted = fine.with_columns(pl.col("timestamp", "available_at").dt.offset_by("4m30s"))
    with pytest.raises(DataError, match=r"bars: row 1 \(2024-01-01 00:04:30\) is not on the 1m grid of its 5m bar"):
        resample_bars(shifted, "5m", source_interval="1m")
    with pytest.raises(DataError, match=r"bars: column 'available_at' must be UTC nanoseconds without nulls, not Datetime\(time_unit='ms'"):
        resample_bars(fine.with_columns(pl.col("available_at").dt.cast_time_unit("ms")), "5m", source_interval="1m")


def test_no_bars_give_none():
    made = resample_bars(minutes((0, 1, 1, 1, 1, 1)).clear(), "5m", source_interval="1m")
    assert (made.rows.height, made.incomplete) == (0, 0)


@settings(max_examples=100, deadline=None)
@given(rows=random_trades(delays=(0,)), intervals=st.sampled_from([("1s", "1m"), ("1m", "5m"), ("20s", "1h"), ("1m", "1w")]))
def test_bars_of_bars_are_bars_of_trades(rows, intervals):
    fine, coarse = intervals
    made = resample_bars(bars_from_trades(rows, fine), coarse, source_interval=fine).rows
    direct = bars_from_trades(rows, coarse)
    exact = ["timestamp", "available_at", "open", "high", "low", "close", "trade_count"]
    assert made.select(exact).equals(direct.select(exact))
    for name in ("volume", "quote_volume", "taker_buy_volume"):
        np.testing.assert_allclose(made[name].to_numpy(), direct[name].to_numpy(), rtol=1e-15)

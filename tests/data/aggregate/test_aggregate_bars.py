"""Bars from trades: hand-worked, equal to the oracle, and the same bits however the trades are cut."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_trades import reference_bars
from trading import NS, START_NS, as_tuples, cut_at, random_trades, trades_of

from liqbt._time import parse_interval
from liqbt.data.aggregate import LATE_NS, BarBuilder, bars_from_batches, bars_from_trades, on_time
from liqbt.data.schema import TABLES
from liqbt.data.validation import canonical
from liqbt.errors import ConfigError, DataError

MINUTE = 60 * NS


def test_by_hand():
    trades = trades_of((0, 100, 1, "buy"), (59, 103, 2, "sell"), (59.999, 99, 4, "buy"), (60, 101, 8, "sell"), (200, 50, 0.5, "buy"))
    bars = bars_from_trades(trades, "1m")
    assert bars["timestamp"].to_list() == [datetime(2024, 1, 1, 0, m, tzinfo=UTC) for m in (0, 1, 3)]  # none in minute 2
    assert bars["available_at"].to_list() == [datetime(2024, 1, 1, 0, m, tzinfo=UTC) for m in (1, 2, 4)]
    assert bars.select("open", "high", "low", "close").rows() == [(100, 103, 99, 99), (101, 101, 101, 101), (50, 50, 50, 50)]
    assert bars["volume"].to_list() == [7, 8, 0.5]
    assert bars["quote_volume"].to_list() == [100 + 206 + 396, 808, 25]
    assert bars["taker_buy_volume"].to_list() == [5, 0, 0.5]
    assert bars["trade_count"].to_list() == [3, 1, 1]


def test_the_result_is_the_canonical_table():
    bars = bars_from_trades(trades_of((0, 100, 1, "buy")), "1h")
    assert tuple(bars.columns) == TABLES["bars"].names
    assert canonical(bars, "bars", source="bars", interval="1h").equals(bars)


def test_trades_of_one_instant_keep_their_order():
    bars = bars_from_trades(trades_of((5, 3, 1, "buy"), (5, 1, 1, "buy"), (5, 2, 1, "sell")), "1s")
    assert bars.select("open", "high", "low", "close").row(0) == (3, 3, 1, 2)


@pytest.mark.parametrize(
    ("interval", "opens"),
    [
        ("7m", "2024-06-12 10:35:00"),  # 7 * 4,090,925 minutes after the epoch
        ("4h", "2024-06-12 08:00:00"),
        ("1d", "2024-06-12 00:00:00"),
        ("1w", "2024-06-10 00:00:00"),  # a Monday
        ("7d", "2024-06-10 00:00:00"),
        ("2w", "2024-06-10 00:00:00"),  # 2 * 1,420 weeks after Monday 1970-01-05
        ("3w", "2024-05-27 00:00:00"),  # 3 * 946 weeks after it
    ],
)
def test_the_grid_starts_at_the_epoch_and_weeks_on_mondays(interval, opens):
    trades = trades_of((0, 1, 1, "buy"), start=datetime(2024, 6, 12, 10, 35, 17, tzinfo=UTC))
    bars = bars_from_trades(trades, interval)
    assert str(bars["timestamp"][0]).startswith(opens)
    length = (bars["available_at"] - bars["timestamp"]).dt.total_nanoseconds()[0]
    assert length == parse_interval(interval)


def test_trades_before_the_epoch():
    trades = trades_of((0, 1, 1, "buy"), start=datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert str(bars_from_trades(trades, "1h")["timestamp"][0]).startswith("1969-12-31 23:00:00")


def test_sums_are_rounded_once_and_not_once_a_trade():
    tenths = trades_of(*((i, 1, 0.1, "buy") for i in range(1000)))
    bars = bars_from_trades(tenths, "1h")
    assert sum([0.1] * 1000) != 100.0
    assert (bars["volume"][0], bars["taker_buy_volume"][0], bars["quote_volume"][0]) == (100.0, 100.0, 100.0)
    small_first = trades_of((0, 1, 1e16, "sell"), *((i, 1, 1.0, "sell") for i in range(1, 11)))
    assert bars_from_trades(small_first, "1h")["volume"][0] == 1e16 + 10


def test_news_of_the_last_moments_leave_a_bar_known_at_its_close():
    trades = trades_of((59.95, 100, 1, "buy"), (60.5, 100, 1, "buy"), known=(60.05, 130.5))
    assert bars_from_trades(trades, "1m")["available_at"].to_physical().to_list() == [START_NS + 60 * NS, START_NS + 130 * NS + NS // 2]
    edge = trades_of((0, 100, 1, "buy"), known=(70,))
    assert bars_from_trades(edge, "1m")["available_at"].to_physical().to_list() == [START_NS + 60 * NS]
    assert LATE_NS == 10 * NS
    over = trades_of((0, 100, 1, "buy"), (1, 100, 1, "buy"), known=(70.000000001, 2))
    assert bars_from_trades(over, "1m")["available_at"].to_physical().to_list() == [START_NS + 70 * NS + 1]


def test_without_available_at_a_bar_is_known_at_its_close():
    trades = trades_of((0, 100, 1, "buy")).drop("available_at")
    assert bars_from_trades(trades, "1m")["available_at"].to_physical().to_list() == [START_NS + 60 * NS]


def test_trades_that_came_too_late_are_not_on_time():
    trades = trades_of((1, 1, 1, "buy"), (2, 2, 2, "buy"), (61, 3, 3, "buy"), known=(70, 70.1, 130))
    kept, lost = on_time(trades, "1m")
    assert kept["price"].to_list() == [1, 3]
    assert lost.tolist() == [START_NS]
    same, none = on_time(trades.with_columns(available_at=pl.col("timestamp")), "1m")
    assert same.height == 3
    assert none.size == 0
    shifted, gone = on_time(trades, "1m", anchor_ns=START_NS - 58 * NS)  # a bar from 2 s to 62 s
    assert shifted["price"].to_list() == [2]
    assert gone.tolist() == [START_NS - 58 * NS, START_NS + 2 * NS]


def test_only_whole_bars_of_the_span():
    trades = trades_of(*((10 * i, 100 + i, 1, "buy") for i in range(30)))
    whole = bars_from_trades(trades, "1m")
    part = bars_from_trades(trades, "1m", start_ns=START_NS + 1, end_ns=START_NS + 200 * NS)
    assert part.equals(whole[1:4])  # opens at 1, 2 and 3 minutes; the one that opened before the start is left out
    on_grid = bars_from_trades(trades, "1m", start_ns=START_NS + MINUTE, end_ns=START_NS + 2 * MINUTE)
    assert on_grid.equals(whole[1:2])


def test_nothing_gives_nothing():
    empty = bars_from_trades(trades_of((0, 1, 1, "buy")).clear(), "1m")
    assert empty.height == 0
    assert tuple(empty.columns) == TABLES["bars"].names
    assert bars_from_batches([], "1m").height == 0
    builder = BarBuilder("1m")
    assert builder.finish().height == 0
    builder.add(trades_of((0, 1, 1, "buy")))
    assert (builder.finish().height, builder.finish().height) == (1, 0)


@settings(max_examples=100, deadline=None)
@given(rows=random_trades(), interval=st.sampled_from(["1s", "7s", "1m", "5m", "1w"]))
def test_equals_the_oracle(rows, interval):
    step = parse_interval(interval)
    anchor = 4 * 24 * 60 * MINUTE if interval == "1w" else 0
    expected = reference_bars(as_tuples(rows), step, anchor=anchor, late=LATE_NS)
    found = bars_from_trades(rows, interval).with_columns(pl.col("timestamp", "available_at").to_physical()).rows()
    assert [row[:6] + row[9:] for row in found] == [row[:6] + row[9:] for row in expected]
    np.testing.assert_allclose([row[6:9] for row in found], [row[6:9] for row in expected], rtol=4e-16, atol=0)


@settings(max_examples=100, deadline=None)
@given(rows=random_trades(), cuts=st.lists(st.integers(0, 60), max_size=6), interval=st.sampled_from(["1s", "10s", "1m", "1h"]))
def test_batches_give_the_same_bits_as_the_whole(rows, cuts, interval):
    assert bars_from_batches(cut_at(rows, cuts), interval).equals(bars_from_trades(rows, interval))


def test_more_bars_than_one_call_of_the_kernel_closes():
    count = 70_000
    stamps = START_NS + NS * np.arange(count)
    trades = pl.DataFrame({"timestamp": stamps, "price": 1.0 + np.arange(count) % 5, "amount": 1.0, "side": "buy"})
    trades = trades.with_columns(pl.col("timestamp").cast(pl.Datetime("ns", "UTC")))
    bars = bars_from_trades(trades, "1s")
    assert bars["timestamp"].to_physical().to_list() == stamps.tolist()
    assert bars["close"].to_list() == trades["price"].to_list()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"price": [1.0, float("nan"), 1.0]}, r"trades: row 2 \(2024-01-01 00:00:01\) has a price that is not finite and above 0"),
        ({"price": [1.0, 1.0, 0.0]}, r"trades: row 3 .* has a price"),
        ({"price": [float("inf"), 1.0, 1.0]}, r"trades: row 1 .* has a price"),
        ({"amount": [1.0, 1.0, -1.0]}, r"trades: row 3 .* has an amount that is not finite and at least 0"),
        ({"amount": [1.0, None, 1.0]}, r"trades: row 2 .* has an amount"),
        ({"side": ["buy", "Sell", "sell"]}, r"trades: row 2 .* has a side that is not buy or sell"),
        ({"side": ["buy", None, "sell"]}, r"trades: row 2 .* has a side"),
    ],
)
def test_a_trade_that_is_none(change, message):
    trades = trades_of((0, 1, 1, "buy"), (1, 1, 1, "sell"), (2, 1, 1, "sell"))
    columns = [pl.Series(name, values, strict=False) for name, values in change.items()]
    with pytest.raises(DataError, match=message):
        bars_from_trades(trades.with_columns(columns), "1m")


def test_time_runs_forwards_across_batches():
    first, second = trades_of((0, 1, 1, "buy"), (5, 1, 1, "buy")), trades_of((4, 1, 1, "buy"))
    with pytest.raises(DataError, match=r"trades: row 3 \(2024-01-01 00:00:04\) is earlier than the trade before it"):
        bars_from_batches([first, second], "1m")
    with pytest.raises(DataError, match=r"trades: row 2 .* is earlier"):
        bars_from_trades(pl.concat([second, first]), "1m")


def test_tables_that_are_not_canonical():
    trades = trades_of((0, 1, 1, "buy"))
    with pytest.raises(DataError, match=r"trades: needs column 'side'"):
        bars_from_trades(trades.drop("side"), "1m")
    with pytest.raises(DataError, match=r"column 'timestamp' must be UTC nanoseconds without nulls, not Datetime\(time_unit='us'"):
        bars_from_trades(trades.with_columns(pl.col("timestamp").cast(pl.Datetime("us", "UTC"))), "1m")


def test_bad_spans():
    trades = trades_of((0, 1, 1, "buy"))
    with pytest.raises(ConfigError, match=r"'1 minute' is not an interval"):
        bars_from_trades(trades, "1 minute")
    with pytest.raises(ConfigError, match=r"start_ns: 1970-01-01 00:00:01 is not before end_ns 1970-01-01 00:00:01"):
        bars_from_trades(trades, "1m", start_ns=NS, end_ns=NS)

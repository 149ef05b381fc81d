"""A CSV of forced orders that changes its layout half way."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from reading import read_one
from samples_recorder import HEADER, samples, write

from liqbt.data.readers import read_file
from liqbt.errors import ConfigError, DataError


def long_row(second, *, side="SELL", symbol="BTCUSDT", quantity="0.040", price="94434.91", average="94809.6", last="0.013", filled="0.033"):
    clock = f"2024-12-04 22:16:{second:02d}.584000+05:30"
    sent = f"2024-12-04 22:16:{second:02d}.587000+05:30"
    return f"{symbol},{side},LIMIT,IOC,{quantity},{price},{average},FILLED,{last},{filled},{sent},{clock}"


def short_row(second, *, word="Short Trade", price="95000", quantity="1.316", last="0.485", rest="0.831"):
    return f"2024-12-04 22:17:{second:02d}.154000+05:30,{word},{price},{quantity},{last},{rest}"


def file(folder, *rows):
    return write(folder / "liquidation_orders.csv", HEADER, *rows)


def test_both_layouts(tmp_path):
    rows = [long_row(25), long_row(26, side="BUY"), short_row(0), short_row(1, word="Long Trade", quantity="0.1", last="0.1", rest="0.0")]
    recording = read_one(file(tmp_path, *rows))
    assert (recording.table, recording.venue, recording.symbol) == ("liquidations", "binance", "BTCUSDT")
    assert recording.rows["side"].to_list() == ["long", "short", "short", "long"]
    assert recording.rows["amount"].to_list() == [0.033, 0.033, 1.316, 0.1]
    assert recording.rows["price"].to_list() == [94434.91, 94434.91, 95000.0, 95000.0]
    assert recording.rows["average_price"].to_list() == [94809.6, 94809.6, None, None]
    assert recording.rows["timestamp"][0] == datetime(2024, 12, 4, 16, 46, 25, 584_000, tzinfo=UTC)
    assert recording.rows["available_at"][0] == datetime(2024, 12, 4, 16, 46, 25, 587_000, tzinfo=UTC)
    assert recording.rows["timestamp"][2] == recording.rows["available_at"][2] == datetime(2024, 12, 4, 16, 47, 0, 154_000, tzinfo=UTC)
    assert recording.notes == ()


def test_short_rows_of_other_markets_are_left_out(tmp_path):
    rows = [
        long_row(25),
        short_row(0, price="2.55"),
        short_row(1, price="60000"),
        short_row(2, price="200000"),
        short_row(3, price="110000"),
    ]
    recording = read_one(file(tmp_path, *rows))
    assert recording.rows["price"].to_list() == [94434.91, 60000.0, 110000.0]
    assert recording.notes == ("2 rows without a symbol at the price of another market left out",)


def test_doubled_rows_are_dropped_and_rows_out_of_order_sorted(tmp_path):
    recording = read_one(file(tmp_path, long_row(26), long_row(25), long_row(25), long_row(27, filled="0")))
    assert [stamp.second for stamp in recording.rows["timestamp"]] == [25, 26]
    assert recording.notes == (
        "1 doubled rows dropped",
        "1 orders of which nothing was filled left out",
        "1 rows out of order sorted",
    )


def test_contracts_on_coins(tmp_path):
    recording = read_one(file(tmp_path, long_row(25, symbol="BTCUSD_PERP", filled="500", average="50000", price="49000")))
    assert recording.rows["amount"].to_list() == [1.0]
    with pytest.raises(ConfigError, match=r"contract_size: .* counts BTCUSDT in base coin"):
        read_file(file(tmp_path, long_row(25)), contract_size=2)


def test_several_symbols_in_long_rows(tmp_path):
    path = file(tmp_path, long_row(25), long_row(26, symbol="ETHUSDT", price="3800", average="3810"))
    assert [one.symbol for one in read_file(path)] == ["BTCUSDT", "ETHUSDT"]
    assert read_one(path, symbol="ETHUSDT").symbol == "ETHUSDT"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([long_row(25).rpartition(",")[0]], r"row 1 has 11 cells, expected 12 or 6; check the file, it may be torn"),
        ([long_row(25), short_row(0)[:-14]], r"row 2 has 4 cells"),
        ([short_row(0)], r"row 1 names no symbol, and the rows before it name 0"),
        ([long_row(25), long_row(26, symbol="ETHUSDT"), short_row(0)], r"row 3 names no symbol, and the rows before it name 2"),
        ([long_row(25, side="HOLD")], r"row 1: the side is 'HOLD', expected one of SELL, BUY, Long Trade, Short Trade"),
        ([long_row(25, filled="many")], r"row 1: cell 10 is 'many', not a number of at least 0"),
        ([long_row(25, price="-1")], r"row 1: cell 6 is '-1', not a number above 0"),
        ([long_row(25, average="-1")], r"row 1: cell 7 is '-1', not a number of at least 0"),
        ([long_row(25), short_row(0, rest="0.9")], r"row 2: 0.485 and 0.9 do not make 1.316"),
        ([long_row(25).replace("+05:30", "")], r"row 1: time '2024-12-04 22:16:25.584000' has no offset from UTC"),
        ([long_row(25).replace("2024-12-04 22:16:25.584000", "noon0")], r"row 1: time is 'noon0\+05:30', not an ISO time"),
        ([long_row(25).replace("2024-12-04", "1824-12-04")], r"outside the years 2000 to 2100"),
        ([], r"holds no rows"),
    ],
)
def test_what_is_of_neither_layout_is_named_with_its_row(tmp_path, rows, message):
    with pytest.raises(DataError, match=message) as caught:
        read_file(file(tmp_path, *rows), reader="recorder")
    assert "\n" not in str(caught.value)


def test_another_header_is_not_claimed(tmp_path):
    path = samples(tmp_path)["forced_orders_csv"]
    path.write_text(path.read_text().replace("Filled Quantity,Event", "Quantity Filled,Event"))
    with pytest.raises(DataError, match=r"is of no kind that liqbt knows"):
        read_file(path)


@pytest.fixture
def orders(recorded):
    return read_one(recorded / "binance_forceorder_2024" / "liquidation_orders.csv")


@pytest.mark.recorded
def test_recorded_orders(orders):
    assert orders.rows.height == 1_844 + 573 - 104
    assert orders.notes == ("104 rows without a symbol at the price of another market left out",)
    assert orders.rows["side"].value_counts().sort("side").rows() == [("long", 729 + 93), ("short", 1_115 + 376)]
    assert orders.rows["timestamp"][0] == datetime(2024, 12, 4, 16, 46, 25, 584_000, tzinfo=UTC)
    assert 0.0009 < orders.rows["amount"].min() < orders.rows["amount"].max() < 50
    assert orders.rows["timestamp"].diff().dt.total_milliseconds().drop_nulls().min() >= 988


@pytest.mark.recorded
def test_recorded_sides_agree_with_the_official_prices(orders, recorded):
    """A limit that surely fills lies below the market where a long is sold, and above where a short is bought back."""
    bars = read_one(recorded / "ccxt_klines" / "BTCUSDT_30m_1095.csv.gz", mapping="ohlcv").rows
    both = orders.rows.join_asof(bars, on="timestamp", strategy="backward")
    middle = (pl.col("high") + pl.col("low")) / 2
    bought = both.filter(pl.col("side") == "short")
    sold = both.filter(pl.col("side") == "long")
    assert bought.select((pl.col("price") > middle).mean()).item() > 0.97
    assert sold.select((pl.col("price") < middle).mean()).item() > 0.95
    later = both.filter(pl.col("average_price").is_null())
    assert later.height == 469
    assert later.select(((pl.col("price") > middle) == (pl.col("side") == "short")).all()).item()

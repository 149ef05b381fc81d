"""Files of Binance's archive: told apart by what is in them, and what their names and folders add."""

from __future__ import annotations

import pytest
from samples_binance import AGGREGATES, DEPTH, FUNDING, KLINES, LIQUIDATIONS, METRICS, T0, TRADES, kline, samples, write

from liqbt.data.readers import READERS, open_reading, read_file
from liqbt.data.schema import table as canonical_table
from liqbt.errors import ConfigError, DataError


def test_each_sample_is_of_one_kind(tmp_path):
    kinds = {kind.name: kind for kind in READERS["binance_vision"]}
    files = samples(tmp_path)
    assert set(files) == set(kinds)
    for name, path in files.items():
        reading = open_reading(path)
        assert (reading.kind.reader, reading.kind.name, reading.venue) == ("binance_vision", name, "binance")
        [recording] = read_file(path)
        assert (recording.table,) == kinds[name].tables
        names = canonical_table(recording.table).names
        assert recording.rows.columns == [column for column in names if column in recording.rows.columns]


@pytest.mark.parametrize("name", ["aggTrades", "metrics", "fundingRate", "bookDepth", "klines"])
def test_zip_and_plain_text_give_the_same_rows(tmp_path, name):
    zipped = samples(tmp_path)[name]
    import zipfile

    plain = tmp_path / f"{zipped.stem}.csv"
    plain.write_bytes(zipfile.ZipFile(zipped).read(f"{zipped.stem}.csv"))
    [one], [other] = read_file(zipped), read_file(plain)
    assert one.rows.equals(other.rows)
    assert (one.symbol, one.table, one.interval) == (other.symbol, other.table, other.interval)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2024-01-01.csv", "BTCUSDT"),
        ("BTCUSD_PERP-1m-2024-01.csv", "BTCUSD_PERP"),
        ("BTCUSDT_240628-1m-2024-01.csv", "BTCUSDT_240628"),
        ("1000PEPEUSDC-5m-2024-01-01.zip", "1000PEPEUSDC"),
        ("BTCBUSD-1m-2022-01.csv", "BTCBUSD"),
        ("BTCUSD-1m-2024-01.csv", None),  # a pair, whose index several contracts share
        ("btcusdt-1m-2024-01.csv", None),
        ("BTCUSDT-1m.csv", None),
        ("my BTCUSDT-1m-2024-01.csv", None),
    ],
)
def test_symbol_in_the_name(tmp_path, name, symbol):
    path = write(tmp_path / "markPriceKlines" / name, kline(0, "100,110,90,105"), kline(1, "105,106,104,105"))
    [recording] = read_file(path)
    assert recording.symbol == symbol


def test_symbol_in_the_rows_wins_over_the_name(tmp_path):
    path = write(tmp_path / "ETHUSDT-metrics-2024-01-01.csv", METRICS, "2024-01-01 00:05:00,BTCUSDT,80000,3360000000,1,1,1,1")
    [recording] = read_file(path)
    assert recording.symbol == "BTCUSDT"


def test_mark_and_index_look_alike(tmp_path):
    rows = [kline(0, "100,110,90,105"), kline(1, "105,106,104,105")]
    path = write(tmp_path / "BTCUSDT-1m-2024-01-01.csv", *rows)
    with pytest.raises(
        DataError, match=r"could be Binance mark price klines \(mark\) or Binance index price klines \(index\); give the table"
    ):
        read_file(path)
    assert read_file(path, table="index")[0].table == "index"
    for folder, table in (("markPriceKlines", "mark"), ("indexPriceKlines", "index")):
        path = write(tmp_path / folder / "BTCUSDT" / "1m" / "BTCUSDT-1m-2024-01-01.csv", *rows)
        assert read_file(path)[0].table == table


def test_contents_win_over_the_folder(tmp_path):
    traded = kline(0, "100,110,90,105", ("2", "200", "4", "1", "101"))
    assert read_file(write(tmp_path / "markPriceKlines" / "BTCUSDT-1m-2024-01-01.csv", traded))[0].table == "bars"
    negative = kline(0, "-0.0001,0.0001,-0.0002,0")
    assert read_file(write(tmp_path / "klines" / "BTCUSDT-1m-2024-01-02.csv", negative))[0].table == "premium"


def test_prices_far_from_a_premium(tmp_path):
    cheap = [kline(0, "0.0100,0.0101,0.0099,0.0100"), kline(1, "0.0100,0.0101,0.0099,0.0100")]
    with pytest.raises(DataError, match=r"\(mark\) or .*\(index\) or .*\(premium\); give the table"):
        read_file(write(tmp_path / "a.csv", *cheap))
    with pytest.raises(DataError, match=r"could be Binance mark price klines \(mark\) or Binance index price klines \(index\);"):
        read_file(write(tmp_path / "b.csv", kline(0, "0.2,0.21,0.19,0.2")))


def test_bars_without_trades_are_not_mark_prices(tmp_path):
    silent = [kline(0, "100,100,100,100"), kline(1, "100,100,100,100")]
    path = write(tmp_path / "klines" / "BTCUSD_240628-1m-2024-01-01.csv", *silent)
    assert read_file(path)[0].table == "bars"
    assert read_file(write(tmp_path / "BTCUSD_240628-1m-2024-01-01.csv", *silent), table="bars")[0].rows["volume"].to_list() == [0.0, 0.0]
    counted = [kline(0, "100,100,100,100", ("0", "0", "60", "0", "0"))]
    with pytest.raises(DataError, match=r"could be Binance mark price klines \(mark\) or .*\(index\);"):
        read_file(write(tmp_path / "c.csv", *counted))


@pytest.mark.parametrize(
    "lines",
    [
        ["timestamp,open,high,low,close,volume,a,b,c,d,e,f", kline(0, "1,2,1,2", ("2", "3", "1", "1", "1"))],  # other names
        [kline(0, "1,2,1,2", ("2", "3", "1", "1", "1"), unit=1).replace(str(T0), "1704067200")],  # seconds
        ["1,2,3,4,5,6,7,8,9,10,11,12"],
        ["7,42000.5,0.25,12,11,1704067200005,true"],  # last trade before the first
        [f"3,40000,4,170000,{T0},false"],  # worth neither quantity times price nor contracts by price
        [f"3,40000,4,160000,{T0},maybe"],
        [FUNDING.replace("calc_time", "time"), f"{T0},8,0.0001"],
        ["create_time,symbol,open_interest", "2024-01-01 00:05:00,BTCUSDT,80000"],
    ],
)
def test_foreign_files_are_not_claimed(tmp_path, lines):
    path = write(tmp_path / "BTCUSDT-aggTrades-2024-01-01.csv", *lines)
    with pytest.raises(DataError, match=r"BTCUSDT-aggTrades-2024-01-01.csv: is no file of reader 'binance_vision'"):
        read_file(path, reader="binance_vision")


@pytest.mark.parametrize("name", ["aggTrades", "trades", "metrics", "fundingRate", "bookDepth", "liquidationSnapshot"])
def test_options_that_nobody_can_use(tmp_path, name):
    path = samples(tmp_path)[name]
    for option in ({"utc_offset_hours": 1.0}, {"interval": "5m"}):
        with pytest.raises(ConfigError, match=rf"{next(iter(option))}: reader 'binance_vision'"):
            read_file(path, **option)


@pytest.mark.parametrize("name", ["klines", "markPriceKlines", "aggTrades", "metrics", "fundingRate", "bookDepth"])
def test_a_contract_size_of_what_has_no_contracts(tmp_path, name):
    with pytest.raises((ConfigError, DataError), match=r"contract_size: reader 'binance_vision'"):
        read_file(samples(tmp_path)[name], contract_size=10.0)


@pytest.mark.parametrize("header", [KLINES, AGGREGATES, TRADES, METRICS, FUNDING, DEPTH, LIQUIDATIONS])
def test_a_header_and_nothing_else(tmp_path, header):
    with pytest.raises(DataError, match=r"BTCUSDT-x-2024-01-01.csv: holds no rows"):
        read_file(write(tmp_path / "BTCUSDT-x-2024-01-01.csv", header))


def test_microseconds_are_told(tmp_path):
    path = write(tmp_path / "BTCUSDT-1m-2025-01-01.csv", kline(0, "100,110,90,105", ("2", "200", "4", "1", "101"), unit=1000))
    [recording] = read_file(path)
    assert recording.kind == "Binance klines, no header, microseconds, as Binance writes for spot markets"

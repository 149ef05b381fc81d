"""generic_csv: any text file by a mapping, and mappings that say what is wrong with them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from reading import read_one

from liqbt.data.readers.csv_mapping import built_in_mappings, load_mapping
from liqbt.errors import ConfigError, DataError

EVENTS = """
table = "liquidations"
delimiter = ";"
[time]
column = "ts"
unit = "ms"
[columns]
side = "S"
amount = "v"
price = "p"
[values]
side = { Buy = "long", Sell = "short" }
"""
CANDLES = "time,open,high,low,close,volume\n2024-01-01 00:00:00,1,2,0.5,1.5,10\n2024-01-01 00:30:00,1,2,0.5,1.5,10\n"


def write(tmp_path, text, name="rows.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def mapped(tmp_path, toml):
    return write(tmp_path, toml, "own.toml")


def test_built_in_mappings():
    assert built_in_mappings() == ("ohlcv", "open_interest")
    for name in built_in_mappings():
        load_mapping(name)


def test_candles_plain_and_gzip(tmp_path):
    plain = read_one(write(tmp_path, CANDLES), reader="generic_csv", mapping="ohlcv")
    assert (plain.table, plain.interval, plain.rows.height) == ("bars", "30m", 2)
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(CANDLES.encode()))
    packed = read_one(tmp_path / "rows.csv.gz", reader="generic_csv", mapping="ohlcv")
    assert packed.rows.equals(plain.rows)
    assert packed.sha256 != plain.sha256


def test_bom_and_carriage_returns(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"\xef\xbb\xbf" + CANDLES.replace("\n", "\r\n").encode() + b"\r\n")
    assert read_one(path, reader="generic_csv", mapping="ohlcv").rows.height == 2


def test_open_interest(tmp_path):
    path = write(tmp_path, "t,oi,oi_usd\n1764547500000,10.5,2000\n1764547800000,11,\n")
    recording = read_one(path, reader="generic_csv", mapping="open_interest")
    assert (recording.table, recording.interval) == ("open_interest", None)
    assert recording.rows["timestamp"][0] == datetime(2025, 12, 1, 0, 5, tzinfo=UTC)
    assert recording.rows["open_interest_value"].to_list() == [2000.0, None]


def test_sides_delimiter_and_own_mapping(tmp_path):
    path = write(tmp_path, "ts;S;v;p\n1704067200000;Buy;1;100\n1704067200000;Sell;2;101\n")
    rows = read_one(path, reader="generic_csv", mapping=mapped(tmp_path, EVENTS)).rows
    assert rows["side"].to_list() == ["long", "short"]
    assert rows["price"].to_list() == [100.0, 101.0]


def test_no_header_and_availability(tmp_path):
    toml = """
table = "trades"
header = false
[time]
column = 1
unit = "us"
[available_at]
column = 2
unit = "us"
[columns]
price = 3
amount = 4
side = 5
id = 6
"""
    path = write(tmp_path, "1704067200000001,1704067200000101,100.5,2,buy,9007199254740993\n")
    rows = read_one(path, reader="generic_csv", mapping=str(mapped(tmp_path, toml))).rows
    assert rows["id"].to_list() == [9007199254740993]
    assert (rows["available_at"] - rows["timestamp"]).dt.total_microseconds().to_list() == [100]


@pytest.mark.parametrize(
    ("unit", "stamp", "expected"),
    [
        ("iso", "2024-01-01T05:30:00+05:30", 1704067200_000_000_000),
        ("iso", "2024-01-01 00:00:00.123456789", 1704067200_123_456_789),
        ("iso", "2024-01-01", 1704067200_000_000_000),
        ("s", "1704067200", 1704067200_000_000_000),
        ("s", "1704067200.1234", 1704067200_123_400_000),
        ("ms", "1704067200001", 1704067200_001_000_000),
        ("ms", "1.7040672E+12", 1704067200_000_000_000),
        ("us", "1704067200000001", 1704067200_000_001_000),
        ("ns", "1704067200000000001", 1704067200_000_000_001),
    ],
)
def test_units_of_time(tmp_path, unit, stamp, expected):
    toml = f'table = "funding"\n[time]\ncolumn = "t"\nunit = "{unit}"\n[columns]\nfunding_rate = "r"\n'
    rows = read_one(write(tmp_path, f"t,r\n{stamp},0.0001\n"), reader="generic_csv", mapping=mapped(tmp_path, toml)).rows
    assert rows["timestamp"].to_physical().to_list() == [expected]


@pytest.mark.parametrize(("unit", "stamp"), [("s", "1704067200000"), ("ms", "1704067200"), ("ns", "1704067200000"), ("s", "9e300")])
def test_a_wrong_unit_is_seen(tmp_path, unit, stamp):
    toml = f'table = "funding"\n[time]\ncolumn = "t"\nunit = "{unit}"\n[columns]\nfunding_rate = "r"\n'
    with pytest.raises(DataError, match=r"row 1: t is .*, outside the years 2000 to 2100"):
        read_one(write(tmp_path, f"t,r\n{stamp},0.0001\n"), reader="generic_csv", mapping=mapped(tmp_path, toml))


def test_offset_of_mapping_or_caller(tmp_path):
    toml = '[time]\ncolumn = "time"\nunit = "iso"\nutc_offset_hours = 5.5\n[columns]\nfunding_rate = "r"\n'
    own = mapped(tmp_path, 'table = "funding"\n' + toml)
    path = write(tmp_path, "time,r\n2024-01-01 05:30:00,0.0001\n")
    expected = datetime(2024, 1, 1, tzinfo=UTC)
    assert read_one(path, reader="generic_csv", mapping=own).rows["timestamp"][0] == expected
    with pytest.raises(ConfigError, match=r"utc_offset_hours: 6.0 contradicts the mapping, which says 5.5"):
        read_one(path, reader="generic_csv", mapping=own, utc_offset_hours=6.0)
    own = mapped(tmp_path, 'table = "funding"\n' + toml.replace("utc_offset_hours = 5.5", ""))
    assert read_one(path, reader="generic_csv", mapping=own, utc_offset_hours=5.5).rows["timestamp"][0] == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("00:30:00,1", "00:30:00,one", "row 2: open is 'one', not a number"),
        ("00:30:00,1", "00:30:00,", r"row 2 .*: open is empty or NaN"),
        ("2024-01-01 00:30:00", "soon", "row 2: time is 'soon', not an ISO time"),
        ("2024-01-01 00:30:00", "", "row 2: time is '', not an ISO time|row 2: time is None, not an ISO time"),
        ("00:30:00", "00:00:00", "has the same timestamp|one row does not tell"),
        ("close,", "Close,", "has no column 'close'; did you mean 'Close'"),
        ("close,", "open,", "column 'open' is there more than once"),
        ("1.5,10\n2024", "1.5,10,9\n2024", r"row \d has \d cells, expected \d"),
    ],
)
def test_bad_files(tmp_path, old, new, message):
    assert old in CANDLES
    with pytest.raises(DataError, match=rf"rows.csv: .*({message})"):
        read_one(write(tmp_path, CANDLES.replace(old, new)), reader="generic_csv", mapping="ohlcv", interval=None)


def test_unknown_side_text(tmp_path):
    path = write(tmp_path, "ts;S;v;p\n1704067200000;Buy;1;100\n1704067200000;None;2;101\n")
    with pytest.raises(DataError, match=r"row 2: S is 'None'; the mapping's values.side does not know it"):
        read_one(path, reader="generic_csv", mapping=mapped(tmp_path, EVENTS))


def test_mapping_is_needed_and_known(tmp_path):
    path = write(tmp_path, CANDLES.replace("volume", "vol", 1))
    with pytest.raises(ConfigError, match=r"needs one: ohlcv, open_interest, or the path of a .toml file"):
        read_one(path, reader="generic_csv")
    with pytest.raises(ConfigError, match=r"there is no built-in 'ohlc'; did you mean 'ohlcv'\?"):
        read_one(path, reader="generic_csv", mapping="ohlc")
    with pytest.raises(ConfigError, match=r"mapping gone.toml: cannot be read"):
        read_one(path, reader="generic_csv", mapping="gone.toml")
    with pytest.raises(ConfigError, match=r"table: 'mark' contradicts mapping ohlcv, which is for 'bars'"):
        read_one(path, reader="generic_csv", mapping="ohlcv", table="mark")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('table = "liquidations"', 'table = "liquidation"', "table is 'liquidation', no canonical table; did you mean 'liquidations'"),
        ('table = "liquidations"', "", "key 'table' is missing"),
        ('table = "liquidations"', "table = ", "is not TOML"),
        ("delimiter", "delimeter", r"unknown key 'delimeter'; did you mean 'delimiter'\?"),
        ('delimiter = ";"', 'delimiter = ";;"', "delimiter is ';;'"),
        ('unit = "ms"', 'unit = "min"', "time.unit is 'min'"),
        ('unit = "ms"', 'units = "ms"', r"key 'time.unit' is missing|unknown key 'time.units'; did you mean 'unit'\?"),
        ('column = "ts"', "column = 1", "time.column is 1; write the column's name, or header = false"),
        ('price = "p"', 'prize = "p"', r"columns.prize: table 'liquidations' has no such column; did you mean 'price'\?"),
        ('amount = "v"', "", "columns: table 'liquidations' needs 'amount'"),
        ('amount = "v"', "amount = 1.5", "columns.amount is 1.5"),
        ('side = { Buy = "long"', 'side = { Buy = "buy"', "values.side: 'buy' is not one of long, short"),
        ("side = { Buy", "sides = { Buy", r"values.sides: is no mapped column; did you mean 'side'\?"),
        ("side = { Buy", "amount = { Buy", "values.amount: only a side takes values"),
        ("[time]", 'interval = "5 min"\n[time]', "interval: '5 min' is not an interval"),
        ("[time]", "header = false\n[time]", "time.column is 'ts'; without a header write the column's number"),
    ],
)
def test_bad_mappings(tmp_path, old, new, message):
    assert old in EVENTS
    with pytest.raises(ConfigError, match=rf"own.toml: .*({message})"):
        load_mapping(mapped(tmp_path, EVENTS.replace(old, new, 1)))


def test_number_beyond_the_columns(tmp_path):
    toml = 'table = "funding"\nheader = false\n[time]\ncolumn = 1\nunit = "s"\n[columns]\nfunding_rate = 3\n'
    with pytest.raises(DataError, match=r"has 2 columns, the mapping asks for number 3"):
        read_one(write(tmp_path, "1704067200,0.1\n"), reader="generic_csv", mapping=mapped(tmp_path, toml))

"""Klines of Binance's archive: units, intervals, and what is wrong with single bars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from samples_binance import KLINES, T0, kline, write

from liqbt.data.readers import read_file
from liqbt.errors import ConfigError, DataError

START = datetime(2024, 1, 1, tzinfo=UTC)
PLAIN = ("2", "200", "4", "1", "101")


def bars(path, *lines, **options):
    [recording] = read_file(write(path, *lines), **options)
    return recording


def minutes(recording):
    return [(stamp - START) // timedelta(minutes=1) for stamp in recording.rows["timestamp"]]


@pytest.mark.parametrize("unit", [1, 1000])
@pytest.mark.parametrize("header", [[KLINES], []])
@pytest.mark.parametrize("name", ["BTCUSDT-1m-2024-01-01.zip", "BTCUSDT-1m-2024-01-01.csv"])
def test_coins(tmp_path, name, header, unit):
    recording = bars(tmp_path / name, *header, kline(0, "100,110,90,105", PLAIN, unit=unit), kline(1, "105,105,105,105", unit=unit))
    assert (recording.table, recording.interval, recording.symbol, recording.notes) == ("bars", "1m", "BTCUSDT", ())
    assert recording.rows.rows() == [
        (START, START + timedelta(minutes=1), 100.0, 110.0, 90.0, 105.0, 2.0, 200.0, 1.0, 4),
        (START + timedelta(minutes=1), START + timedelta(minutes=2), 105.0, 105.0, 105.0, 105.0, 0.0, 0.0, 0.0, 0),
    ]


@pytest.mark.parametrize(
    ("symbol", "prices", "volumes", "size"),
    [
        # 800 contracts of 100 USD at 40,000 are 2 BTC; 200 of them bought at 40,000 are 0.5 BTC
        ("BTCUSD_PERP", "40000,41000,39000,40000", ("800", "2.00000000", "9", "200", "0.50000000"), 100),
        # 600 contracts of 10 USD at 2,000 are 3 ETH; 200 are 1 ETH
        ("ETHUSD_240628", "2000,2010,1990,2000", ("600", "3.00000000", "9", "200", "1.00000000"), 10),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_contracts(tmp_path, symbol, prices, volumes, size, named):
    silent = kline(1, ",".join([prices.split(",")[3]] * 4))
    path = tmp_path / (f"{symbol}-1m-2024-01-01.zip" if named else "bars.zip")
    recording = bars(path, KLINES, kline(0, prices, volumes), silent)
    assert recording.symbol == (symbol if named else None)
    assert recording.rows["volume"].to_list() == [float(volumes[1]), 0.0]
    assert recording.rows["quote_volume"].to_list() == [float(volumes[0]) * size, 0.0]
    assert recording.rows["taker_buy_volume"].to_list() == [float(volumes[4]), 0.0]
    assert recording.rows["trade_count"].to_list() == [9, 0]


def test_prices_at_which_coins_and_contracts_look_alike(tmp_path):
    # 10 coins at 3.16 are worth 31.6; 10 contracts of 10 USD at 3.16 are 31.6 coins
    row = kline(0, "3.1,3.2,3.1,3.2", ("10", "31.6", "3", "5", "15.8"))
    with pytest.raises(ConfigError, match=r"symbol: the volumes of .*bars.csv may be coins or contracts at its prices; give it"):
        bars(tmp_path / "bars.csv", row)
    assert bars(tmp_path / "bars.csv", row, symbol="XUSDT").rows.select("volume", "quote_volume", "taker_buy_volume").row(0) == (
        10,
        31.6,
        5,
    )
    contracts = bars(tmp_path / "bars.csv", row, symbol="XUSD_PERP").rows
    assert contracts.select("volume", "quote_volume", "taker_buy_volume").row(0) == (31.6, 100.0, 15.8)
    folder = tmp_path / "futures" / "cm" / "daily" / "klines"
    assert bars(folder / "bars.csv", row).rows["volume"].to_list() == [31.6]
    # another bar at another price decides
    other = kline(1, "6,6.2,6,6.1", ("10", "61", "3", "5", "30.5"))
    assert bars(tmp_path / "bars.csv", row, other).rows["volume"].to_list() == [10.0, 10.0]


def test_volumes_that_contradict_the_symbol(tmp_path):
    contracts = kline(3, "40000,41000,39000,40000", ("800", "2", "9", "200", "0.5"))
    message = r"row 2 \(2024-01-01 00:03:00\): volume 800.0 and quote_volume 2.0 are not coins at prices of 39000.0 to 41000.0; check"
    with pytest.raises(DataError, match=message):
        bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", kline(0, "40000,41000,39000,40000"), contracts)
    coins = kline(0, "100,110,90,105", PLAIN)
    with pytest.raises(DataError, match=r"are not contracts of 10 USD nor contracts of 100 USD at prices of 90.0 to 110.0"):
        bars(tmp_path / "BTCUSD_PERP-1m-2024-01-01.csv", coins)
    with pytest.raises(
        DataError, match=r"volume 2.0 and quote_volume 300.0 are not coins nor contracts of 10 USD nor contracts of 100 USD"
    ):
        bars(tmp_path / "bars.csv", kline(0, "100,110,90,105", ("2", "300", "4", "1", "101")))
    with pytest.raises(DataError, match=r"are not contracts of 10 USD at prices"):
        bars(tmp_path / "BTCUSD_PERP-1m-2024-01-01.csv", contracts, contract_size=10.0)
    with pytest.raises(ConfigError, match=r"symbol: .*BTCUSDT-1m.* is of BTCUSDT by its name, not 'BTCUSD_PERP'"):
        bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", coins, symbol="BTCUSD_PERP")


def test_one_odd_bar_in_many_does_not_turn_the_units(tmp_path):
    odd = kline(100, "100,110,90,105", ("2", "300", "4", "1", "101"))
    recording = bars(tmp_path / "BTCUSDT-1m-2024-01.csv", *[kline(n, "100,110,90,105", PLAIN) for n in range(100)], odd)
    assert recording.rows["quote_volume"].to_list() == [200.0] * 100 + [300.0]


def test_interval(tmp_path):
    path, row = tmp_path / "BTCUSDT-5m-2024-01-01.csv", kline(0, "100,110,90,105", PLAIN, step=300_000)
    assert bars(path, row).interval == "5m"  # by its two times, though it is alone
    assert bars(path, row, interval="5m").interval == "5m"
    with pytest.raises(ConfigError, match=r"interval: .*BTCUSDT-5m-2024-01-01.csv holds bars of 5m, not 1h; leave the interval out"):
        bars(path, row, interval="1h")


def test_weeks_and_months(tmp_path):
    week, monday = 7 * 86_400_000, 1_704_067_200_000  # 2024-01-01 was a Monday
    rows = [f"{monday + n * week},100,110,90,105,2,{monday + (n + 1) * week - 1},200,4,1,101,0" for n in range(3)]
    assert bars(tmp_path / "BTCUSDT-1w-2024-01.csv", *rows).interval == "7d"
    month = f"{T0},100,110,90,105,2,{T0 + 31 * 86_400_000 - 1},200,4,1,101,0"
    with pytest.raises(DataError, match=r"holds bars of 31 days, months perhaps, which have no fixed length; use 1d bars"):
        bars(tmp_path / "BTCUSDT-1mo-2024-01.csv", month)


def with_close_time(minute, closed):
    cells = kline(minute, "100,110,90,105", PLAIN).split(",")
    return ",".join([*cells[:6], str(closed), *cells[7:]])


def test_closing_times(tmp_path):
    rows = [kline(n, "100,110,90,105", PLAIN) for n in range(4)]
    early = with_close_time(4, T0 + 4 * 60_000 + 30_000)
    before = with_close_time(5, T0)
    late = with_close_time(6, T0 + 9 * 60_000 - 1)
    recording = bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", KLINES, *rows, early, before, late)
    assert minutes(recording) == [0, 1, 2, 3, 4, 5]
    assert set(recording.notes) == {
        "1 bars left out that close after their interval, so that they were known later",
        "2 closing times that are not the end of their bar ignored",
    }


def test_bars_off_the_grid(tmp_path):
    rows = [kline(n, "100,110,90,105", PLAIN) for n in range(3)]
    cells = kline(3, "100,110,90,105", PLAIN).split(",")
    off = ",".join([str(int(cells[0]) + 17_000), *cells[1:6], str(int(cells[6]) + 17_000), *cells[7:]])
    recording = bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", *rows, off)
    assert minutes(recording) == [0, 1, 2]
    assert recording.notes == ("1 bars left out that do not open on the grid of their interval",)
    cells = kline(4, "100,110,90,105", PLAIN).split(",")
    too = ",".join([str(int(cells[0]) + 17_000), *cells[1:6], str(int(cells[6]) + 17_000), *cells[7:]])
    with pytest.raises(DataError, match=r"row 4 \(2024-01-01 00:03:17\) and 1 others do not open on the 1m grid; check the file"):
        bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", *rows, off, too)


def test_order_and_doubles(tmp_path):
    one, two, three = (kline(n, "100,110,90,105", PLAIN) for n in range(3))
    recording = bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", KLINES, one, three, two, two)
    assert minutes(recording) == [0, 1, 2]
    assert set(recording.notes) == {"1 rows out of order sorted", "1 doubled rows dropped"}
    other = kline(1, "100,111,90,105", PLAIN)
    with pytest.raises(DataError, match=r"row 3 \(2024-01-01 00:01:00\) has the stamp of row 2 but other values"):
        bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", KLINES, one, two, other)


@pytest.mark.parametrize("folder", ["markPriceKlines", "indexPriceKlines"])
def test_prices_that_are_not_traded(tmp_path, folder):
    rows = [kline(0, "100,110,90,105", ("0", "0", "60", "0", "0")), kline(2, "105,106,104,105", ("0", "0", "60", "0", "0"))]
    recording = bars(tmp_path / folder / "BTCUSDT-1m-2024-01-01.zip", KLINES, *rows)
    assert recording.rows.columns == ["timestamp", "available_at", "open", "high", "low", "close"]
    assert minutes(recording) == [0, 2]  # gaps stay gaps
    assert recording.rows.row(0)[2:] == (100.0, 110.0, 90.0, 105.0)
    assert recording.rows["available_at"][0] == START + timedelta(minutes=1)


def test_premium(tmp_path):
    row = kline(0, "-0.00042931,0.00023641,-0.00059406,-0.00043659", ("0", "0", "12", "0", "0"))
    recording = bars(tmp_path / "BTCUSD_PERP-1m-2024-01-01.csv", row)
    assert (recording.table, recording.rows.row(0)[2:]) == ("premium", (-0.00042931, 0.00023641, -0.00059406, -0.00043659))


GOOD = kline(0, "100,110,90,105", PLAIN)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([KLINES, GOOD, kline(1, "100,110,90,105", PLAIN)[:40]], r"row 2 has 7 cells, expected 12; check the file, it may be torn"),
        ([KLINES, GOOD, kline(1, "100,x,90,105", PLAIN)], "row 2: high is 'x', not a number"),
        ([GOOD, kline(1, "100,x,90,105", PLAIN)], "row 2: high is 'x', not a number"),
        ([KLINES, kline(0, "100,x,90,105", PLAIN)], "row 1: high is 'x', not a number"),
        ([KLINES, GOOD, kline(1, "100,110,90,105", ("2", "200", "4.5", "1", "1"))], "row 2: count is '4.5', not a whole number"),
        ([KLINES, GOOD, kline(1, "100,110,90,105", ("-2", "200", "4", "1", "101"))], r"row 2 .*: volume is -2.0; an amount must be"),
        ([KLINES, GOOD, kline(1, "100,110,90,", PLAIN)], r"row 2 \(2024-01-01 00:01:00\): close is empty or NaN"),
        ([KLINES, GOOD, kline(1, "100,99,90,95", PLAIN)], r"row 2 \(2024-01-01 00:01:00\): high 99.0 is below open 100.0"),
        ([KLINES, GOOD, kline(1, "100,inf,90,95", PLAIN)], r"row 2 \(2024-01-01 00:01:00\): high is inf; a price must be finite"),
        ([KLINES, GOOD, GOOD.replace(str(T0), "1704067200")], "row 2: open_time is 1704067200, outside the years 2000 to 2100 as ms"),
        ([KLINES, GOOD, GOOD.replace(str(T0), "5000000000000")], "row 2: open_time is 5000000000000, outside the years 2000 to 2100"),
        ([KLINES, GOOD, GOOD.replace(str(T0), "")], "row 2: open_time is empty"),
        ([KLINES.replace("count", "trades"), GOOD], "is of no kind that liqbt knows"),
    ],
)
def test_broken_files(tmp_path, lines, message):
    with pytest.raises(DataError, match=rf"BTCUSDT-1m-2024-01-01.csv: {message}") as raised:
        bars(tmp_path / "BTCUSDT-1m-2024-01-01.csv", *lines)
    assert "\n" not in str(raised.value)


def test_contracts_without_trades(tmp_path):
    path = tmp_path / "klines" / "BTCUSD_PERP-1m-2024-01-01.csv"
    recording = bars(path, kline(0, "40000,40000,40000,40000"), contract_size=100.0)
    assert recording.rows.select("volume", "quote_volume", "taker_buy_volume").row(0) == (0.0, 0.0, 0.0)

"""Book depth and liquidations of Binance's archive: sides, distances, units, and rows that are there twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from samples_binance import DEPTH, LIQUIDATIONS, T0, write

from liqbt.data.readers import read_file
from liqbt.errors import ConfigError, DataError


def depth(path, *lines, **options):
    [recording] = read_file(write(path, DEPTH, *lines), **options)
    return recording


NOON = "2024-01-01 12:00:00"


def test_depth(tmp_path):
    lines = [f"{NOON},-5.00,300,28800.5", f"{NOON},-0.20,100.5,9990", f"{NOON},0.2,90,9010", f"{NOON},5,250,25600"]
    recording = depth(tmp_path / "BTCUSDT-bookDepth-2024-01-01.zip", *lines)
    assert (recording.table, recording.symbol, recording.notes) == ("depth", "BTCUSDT", ())
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert recording.rows.rows() == [
        (noon, noon, "bid", 0.05, 300.0, 28800.5),
        (noon, noon, "bid", 0.002, 100.5, 9990.0),
        (noon, noon, "ask", 0.002, 90.0, 9010.0),
        (noon, noon, "ask", 0.05, 250.0, 25600.0),
    ]


def test_depth_in_contracts_with_coins_beside_them(tmp_path):
    # 400 contracts of 100 USD are 1 coin at 40,000; 1,000 are 2.6 coins at 38,462: farther bids are cheaper
    lines = [f"{NOON},-5,1000,2.6", f"{NOON},-1,400,1.0", f"{NOON},1,410,1.0", f"{NOON},5,1100,2.6"]
    rows = depth(tmp_path / "BTCUSD_PERP-bookDepth-2024-01-01.csv", *lines).rows
    assert rows["amount"].to_list() == [2.6, 1.0, 1.0, 2.6]
    assert rows["notional"].to_list() == [100_000.0, 40_000.0, 41_000.0, 110_000.0]
    rows = depth(tmp_path / "a.csv", *lines, symbol="BTCUSD_PERP", contract_size=10.0).rows
    assert rows["notional"].to_list() == [10_000.0, 4_000.0, 4_100.0, 11_000.0]


def test_depth_in_contracts_with_contracts_times_price_beside_them(tmp_path):
    # 1,000 contracts at 38,000 on average, 400 at 40,000; an empty band
    lines = [f"{NOON},-5,1000,38000000", f"{NOON},-1,400,16000000", f"{NOON},1,0,0"]
    rows = depth(tmp_path / "BTCUSD_PERP-bookDepth-2024-01-01.csv", *lines).rows
    assert rows["amount"].to_list() == pytest.approx([100_000 / 38_000, 1.0, 0.0])
    assert rows["notional"].to_list() == [100_000.0, 40_000.0, 0.0]


@pytest.mark.parametrize(
    "lines",
    [
        [f"{NOON},-5,1000,100000", f"{NOON},-1,400,40000", f"{NOON},1,410,41000"],  # USD beside contracts: no price anywhere
        [f"{NOON},-5,1000,2.6", f"{NOON},5,1100,2.6"],
    ],
)
def test_depth_in_contracts_without_a_price(tmp_path, lines):
    with pytest.raises(DataError, match=r"the bids of no two distances tell whether notional is in coins or in quote"):
        depth(tmp_path / "BTCUSD_PERP-bookDepth-2024-01-01.csv", *lines)


def test_depth_of_an_unknown_market(tmp_path):
    with pytest.raises(ConfigError, match=r"symbol: nothing tells whether .*a.csv counts coins or COIN-M contracts"):
        depth(tmp_path / "a.csv", f"{NOON},-5,1000,2.6")


def test_depth_order_doubles_and_the_mid(tmp_path):
    lines = [f"2024-01-01 12:00:3{second},{at},{10 * at * at},1000" for second in (1, 0) for at in (-1, 0, 1)]
    recording = depth(tmp_path / "BTCUSDT-bookDepth-2024-01-01.csv", *lines, lines[0])
    assert [(stamp.second, side) for stamp, side in recording.rows.select("timestamp", "side").rows()] == [
        (30, "bid"),
        (30, "ask"),
        (31, "bid"),
        (31, "ask"),
    ]
    assert set(recording.notes) == {
        "2 rows at the mid itself, of neither side, left out",
        "1 doubled rows dropped",
        "1 rows out of order sorted",
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"{NOON},-5,lots,1", "row 2: depth is 'lots', not a number"),
        (f"{NOON},,3,1", r"row 2 \(2024-01-01 12:00:00\): distance is empty or NaN"),
        (f"{NOON},-5,,1", r"row 2 .*: amount is empty or NaN"),
        (f"{NOON},-5,-3,1", r"row 2 .*: amount is -3.0; an amount"),
        (f"{NOON},-500,3,1", r"row 2 .*: distance is 5.0; a fraction lies between 0 and 1"),
        ("noon,-5,3,1", "row 2: timestamp is 'noon', not a time"),
        (f"{NOON},-5,3", "row 2 has 3 cells, expected 4"),
    ],
)
def test_broken_depth(tmp_path, line, message):
    with pytest.raises(DataError, match=rf"2024-01-01.csv: {message}"):
        depth(tmp_path / "BTCUSDT-bookDepth-2024-01-01.csv", f"{NOON},-1,3,1", line)


def order(at, side="SELL", *, filled="7", price="30741.3", average="30000", original="9", status="FILLED"):
    return f"{T0 + at},{side},LIMIT,IOC,{original},{price},{average},{status},1,{filled}"


def liquidations(path, *lines, **options):
    [recording] = read_file(write(path, LIQUIDATIONS, *lines), **options)
    return recording


def twice(*lines):
    return [line for line in lines for _ in range(2)]


def test_liquidations_in_contracts(tmp_path):
    lines = twice(order(926), order(3356, "BUY", filled="43", average="20000", price="20100"))
    recording = liquidations(tmp_path / "BTCUSD_PERP-liquidationSnapshot-2023-06-25.zip", *lines)
    assert (recording.table, recording.symbol, recording.notes) == ("liquidations", "BTCUSD_PERP", ("2 doubled rows dropped",))
    first, second = datetime(2024, 1, 1, microsecond=926_000, tzinfo=UTC), datetime(2024, 1, 1, 0, 0, 3, 356_000, tzinfo=UTC)
    # what was filled, 7 and 43 contracts of 100 USD, at the average price
    assert recording.rows.rows() == [
        (first, first, "long", 700 / 30_000, 30741.3, 30000.0),
        (second, second, "short", 4300 / 20_000, 20100.0, 20000.0),
    ]


def test_liquidations_in_coins(tmp_path):
    recording = liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", *twice(order(0, filled="0.25", original="0.5")))
    assert recording.rows["amount"].to_list() == [0.25]
    with pytest.raises(ConfigError, match=r"symbol: nothing tells whether .* counts coins or COIN-M contracts"):
        liquidations(tmp_path / "a.csv", order(0))


@pytest.mark.parametrize("arranged", [lambda a, b: [a, a, b, b], lambda a, b: [a, b, a, b], lambda a, b: [a, b, b, a]])
def test_rows_that_are_all_there_twice(tmp_path, arranged):
    recording = liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", *arranged(order(1), order(2)))
    assert recording.rows.height == 2
    assert "2 doubled rows dropped" in recording.notes


def test_two_equal_orders_in_a_doubled_file_stay_two(tmp_path):
    recording = liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", *twice(order(1), order(1), order(2)))
    assert recording.rows["timestamp"].dt.millisecond().to_list() == [1, 1, 2]
    assert recording.notes == ("3 doubled rows dropped",)


@pytest.mark.parametrize("single", [order(3), order(1, original="10")])
def test_a_file_that_is_not_doubled_throughout_keeps_its_rows(tmp_path, single):
    recording = liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", *twice(order(1), order(2)), single)
    assert recording.rows.height == 5
    assert "2 rows equal to an earlier one kept, since not every row of the file is doubled" in recording.notes


def test_orders_that_were_not_filled_whole(tmp_path):
    lines = [
        order(1, filled="5", status="PARTIALLY_FILLED"),
        order(2, filled="3", status="EXPIRED"),
        order(3, filled="0", average="0", status="NEW"),
    ]
    recording = liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", *lines)
    assert recording.rows["amount"].to_list() == [5.0, 3.0]
    assert recording.notes == ("1 orders left out of which nothing was filled",)
    with pytest.raises(DataError, match="holds no rows"):
        liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", lines[2])


def test_orders_without_a_limit(tmp_path):
    recording = liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", order(1, price="0"))
    assert recording.rows.select("price", "average_price").row(0) == (None, 30000.0)


def test_liquidations_out_of_order(tmp_path):
    recording = liquidations(tmp_path / "BTCUSDT-liquidationSnapshot-2023-06-25.csv", order(9, "BUY"), order(1), order(9))
    assert recording.rows["side"].to_list() == ["long", "short", "long"]
    assert recording.notes == ("1 rows out of order sorted",)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (order(1, "LONG"), r"row 2 \(2024-01-01 00:00:00\): side is 'LONG', expected one of long, short"),
        (order(1, filled="-2"), r"row 2 .*: amount is -\d"),
        (order(1, filled="x"), "row 2: accumulated_fill_quantity is 'x', not a number"),
        (order(1, filled=""), r"row 2 .*: amount is empty or NaN"),
        (order(1, average="0"), "row 2: average_price is 0.0, without which its contracts are no coins"),
        (order(-T0 + 5), "row 2: time is 5, outside the years 2000 to 2100 as ms"),
        (order(1)[:30], r"row 2 has 5 cells, expected 10"),
    ],
)
def test_broken_liquidations(tmp_path, line, message):
    with pytest.raises(DataError, match=rf"2023-06-25.csv: {message}"):
        liquidations(tmp_path / "BTCUSD_PERP-liquidationSnapshot-2023-06-25.csv", order(0), line)

"""Bybit's trade archive: its clock, its order, its units."""

from __future__ import annotations

import pytest
from reading import read_one
from samples_bybit import HEADER, ID, ROWS, START, row, samples, write

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError

MS = 1_000_000
START_NS = START * 1_000_000_000


def stamps(recording, column="timestamp"):
    return [(stamp - START_NS) / MS for stamp in recording.rows[column].to_physical()]


def test_linear_trades(tmp_path):
    recording = read_one(samples(tmp_path)["trades"])
    assert (recording.table, recording.venue, recording.symbol, recording.reader) == ("trades", "bybit", "BTCUSDT", "bybit")
    assert recording.rows.columns == ["timestamp", "available_at", "price", "amount", "side"]
    assert stamps(recording) == [54.7, 54.7, 1200.0, 7999.9]
    assert stamps(recording, "available_at") == stamps(recording)
    assert recording.rows["side"].to_list() == ["buy", "sell", "buy", "sell"]
    assert recording.rows["amount"].to_list() == [0.038, 0.5, 0.001, 2.25]
    assert recording.rows["price"].to_list() == [61150.4, 61150.3, 61151.0, 61140.1]
    assert recording.notes == ()


def test_the_column_of_retail_orders_is_passed_over(tmp_path):
    path = write(tmp_path / "a.csv.gz", [f"{one},{k % 2}" for k, one in enumerate(ROWS)], header=f"{HEADER},RPI")
    assert read_one(path).rows["amount"].sum() == pytest.approx(2.789)


def test_inverse_sizes_are_dollars(tmp_path):
    rows = [row("0.5", "Buy", "641", "26027.00", symbol="BTCUSD"), row("1", "Sell", "100", "25000", symbol="BTCUSDH25")]
    perpetual, dated = read_file(write(tmp_path / "a.csv.gz", rows))
    assert perpetual.symbol == "BTCUSD"
    assert perpetual.rows["amount"].to_list() == pytest.approx([0.02462827064202559], rel=1e-15)  # as the archive's own foreignNotional
    assert (dated.symbol, dated.rows["amount"].to_list()) == ("BTCUSDH25", [0.004])


@pytest.mark.parametrize("symbol", ["BTCUSDT", "BTCPERP", "BTC-26APR24", "1000PEPEUSDT"])
def test_linear_symbols(tmp_path, symbol):
    path = write(tmp_path / "a.csv.gz", [row("0.5", "Buy", "3", "7", symbol=symbol)])
    assert read_one(path).rows["amount"].to_list() == [3.0]


def test_early_files_run_backwards_within_an_instant_too(tmp_path):
    forward = read_one(write(tmp_path / "a.csv.gz", ROWS))
    backward = read_one(write(tmp_path / "b.csv.gz", ROWS[::-1]))
    assert backward.rows.equals(forward.rows)
    assert backward.notes == ("4 rows turned round, the file runs newest first",)


@pytest.mark.parametrize("step", [1, -1])
def test_a_file_of_several_blocks_is_the_same_in_whatever_order_it_runs(tmp_path, monkeypatch, step):
    many = [row(f"{k // 3}.5", "Buy", str(k + 1), "100") for k in range(60)]
    monkeypatch.setattr("liqbt.data.readers._blocks._BLOCK", 1000)
    path = write(tmp_path / "a.csv.gz", many[::step])
    monkeypatch.setattr("liqbt.data.readers._containers._PIECE", 700)
    assert len([batch for batch in open_reading(path).batches() if batch.rows is not None]) > 3
    recording = read_one(path)
    assert recording.rows["amount"].to_list() == [float(k + 1) for k in range(60)]
    assert stamps(recording) == [k // 3 * 1000 + 500.0 for k in range(60)]


def test_a_row_out_of_order_is_sorted_and_told(tmp_path):
    rows = (ROWS[0], ROWS[2], ROWS[1], ROWS[3])
    recording = read_one(write(tmp_path / "a.csv.gz", rows))
    assert stamps(recording) == [54.7, 54.7, 1200.0, 7999.9]
    assert recording.notes == ("1 rows out of order sorted",)


def test_whole_seconds_are_known_a_second_later(tmp_path):
    path = write(
        tmp_path / "a.csv.gz", [row("1", "Sell", "258", "38458.00"), row("1", "Buy", "2", "38458.50"), row("3", "Buy", "1", "38459")]
    )
    recording = read_one(path)
    assert (stamps(recording), stamps(recording, "available_at")) == ([1000.0, 1000.0, 3000.0], [2000.0, 2000.0, 4000.0])
    assert recording.notes == ("3 rows stamped in whole seconds, taken as known a second later",)
    assert "whole seconds" in recording.kind


def test_microseconds_survive(tmp_path):
    assert stamps(read_one(write(tmp_path / "a.csv.gz", [row("94.507791", "Sell", "10", "49910.0")]))) == [94507.791]


def test_other_symbols_than_asked_for(tmp_path):
    path = write(tmp_path / "a.csv.gz", [row("0.5", "Buy", "1", "10"), row("0.6", "Buy", "2", "10", symbol="ETHUSDT")])
    assert read_one(path, symbol="ETHUSDT").rows["amount"].to_list() == [2.0]
    with pytest.raises(ConfigError, match=r"symbol: .* has no 'ETHUSD'; did you mean 'ETHUSDT'\?"):
        read_file(path, symbol="ETHUSD")


def test_files_of_others_are_left_alone(tmp_path):
    bitmex = f"2024-03-01D00:00:00.123456000,XBTUSD,Buy,100,61000,PlusTick,{ID},1,2,3"
    with pytest.raises(DataError, match="of no kind that liqbt knows"):
        read_file(write(tmp_path / "a.csv.gz", [bitmex]))
    with pytest.raises(DataError, match="of no kind that liqbt knows"):
        read_file(write(tmp_path / "b.csv.gz", ["1,1709251200662,64142.5,0.00016,buy,0"], header="id,timestamp,price,volume,side,rpi"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda one: one.replace("0.038", "0.03x"), "row 2: size is '0.03x', not a number"),
        (lambda one: one.replace("0.038", "-0.038"), r"row 2 \(2024-03-01 00:00:00\): amount is -0.038; an amount must be"),
        (lambda one: one.replace("61150.40", "0"), r"row 2 \(2024-03-01 00:00:00\): price is 0.0; a price must be"),
        (lambda one: one.replace("61150.40", ""), r"row 2 \(2024-03-01 00:00:00\): price is empty"),
        (lambda one: one.replace("Buy", "Bought"), r"row 2 \(2024-03-01 00:00:00\): side is 'bought', expected one of buy, sell"),
        (lambda one: one.replace("BTCUSDT", ""), "row 2: symbol is empty"),
        (
            lambda one: one.replace("1709251200.0547", "1709251200054.7"),
            "row 2: timestamp is 1709251200054.7, outside the years 2000 to 2100",
        ),
        (lambda one: one.replace("1709251200.0547", "4709251200.0547"), "row 2: timestamp is 4709251200.0547, outside the years"),
        (lambda one: one.replace("1709251200.0547", ""), "row 2: timestamp is empty"),
        (lambda one: one[:40], "row 2 has 5 cells, expected 10"),
    ],
)
def test_broken_rows_are_named(tmp_path, change, message):
    path = write(tmp_path / "a.csv.gz", [ROWS[0].replace("0.038", "0.039"), change(ROWS[0]), *ROWS[2:]])
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_files(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'price'"):
        read_file(write(tmp_path / "a.csv.gz", ROWS, header=HEADER.replace("price", "px")))
    with pytest.raises(DataError, match="holds no rows"):
        read_file(write(tmp_path / "b.csv.gz", []))
    torn = samples(tmp_path)["trades"]
    torn.write_bytes(torn.read_bytes()[:-20])
    with pytest.raises(DataError, match="damaged gzip"):
        read_file(torn)


@pytest.mark.parametrize("option", [{"mapping": "ohlcv", "reader": "bybit"}, {"utc_offset_hours": 1.0}, {"interval": "1m"}])
def test_options_of_no_use(tmp_path, option):
    with pytest.raises(ConfigError, match=f"{next(iter(option))}: reader 'bybit'"):
        read_file(samples(tmp_path)["trades"], **option)


def test_contract_size_must_agree(tmp_path):
    with pytest.raises(ConfigError, match=r"contract_size: .* counts BTCUSDT in base coin, not 0.1; leave it out"):
        read_file(samples(tmp_path)["trades"], contract_size=0.1)
    inverse = write(tmp_path / "b.csv.gz", [row("0.5", "Buy", "100", "25000", symbol="BTCUSD")])
    assert read_one(inverse, contract_size=1).rows["amount"].to_list() == [0.004]
    with pytest.raises(ConfigError, match="counts BTCUSD in contracts of 1 USD, not 100; leave it out"):
        read_file(inverse, contract_size=100)

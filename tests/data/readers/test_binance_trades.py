"""Trades of Binance's archive: sides, units, clocks, and files that do not tell their market."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from samples_binance import AGGREGATES, COIN_TRADES, T0, TRADES, write

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError


def trades(path, *lines, **options):
    [recording] = read_file(write(path, *lines), **options)
    return recording


def aggregate(number, *, price="42000.5", quantity="0.25", at=T0, maker="true", tail=""):
    return f"{number},{price},{quantity},{number * 2},{number * 2 + 1},{at},{maker}{tail}"


@pytest.mark.parametrize("header", [[AGGREGATES], [], [f"{AGGREGATES},is_best_match"]])
def test_aggregates(tmp_path, header):
    tail = ",true" if "is_best_match" in "".join(header) else ""
    rows = [aggregate(7, at=T0 + 5, tail=tail), aggregate(8, price="42000.6", quantity="0.5", at=T0 + 9, maker="false", tail=tail)]
    recording = trades(tmp_path / "BTCUSDT-aggTrades-2024-01-01.zip", *header, *rows)
    assert (recording.table, recording.interval, recording.symbol, recording.notes) == ("trades", None, "BTCUSDT", ())
    first, second = (datetime(2024, 1, 1, microsecond=milliseconds * 1000, tzinfo=UTC) for milliseconds in (5, 9))
    assert recording.rows.rows() == [(first, first, 42000.5, 0.25, "sell", 7), (second, second, 42000.6, 0.5, "buy", 8)]


def test_aggregates_with_eight_cells_and_no_header(tmp_path):
    recording = trades(tmp_path / "BTCUSDT-aggTrades-2024-01-01.csv", aggregate(7, maker="True", tail=",True"))
    assert recording.rows.row(0)[2:] == (42000.5, 0.25, "sell", 7)


def test_microseconds(tmp_path):
    recording = trades(tmp_path / "BTCUSDT-aggTrades-2025-01-01.csv", aggregate(7, at=T0 * 1000 + 5))
    assert recording.rows["timestamp"][0] == datetime(2024, 1, 1, microsecond=5, tzinfo=UTC)


@pytest.mark.parametrize(("name", "amount"), [("BTCUSD_PERP", 4 * 100 / 40_000), ("ETHUSD_240628", 4 * 10 / 40_000)])
def test_aggregates_in_contracts(tmp_path, name, amount):
    row = aggregate(7, price="40000", quantity="4")
    assert trades(tmp_path / f"{name}-aggTrades-2024-01-01.csv", row).rows["amount"].to_list() == [amount]
    assert trades(tmp_path / "a.csv", row, symbol=name).rows["amount"].to_list() == [amount]
    assert trades(tmp_path / "a.csv", row, symbol=name, contract_size=50.0).rows["amount"].to_list() == [4 * 50 / 40_000]
    inside = tmp_path / "futures" / "cm" / "daily" / "aggTrades" / "a.csv"
    assert trades(inside, row, contract_size=50.0).rows["amount"].to_list() == [4 * 50 / 40_000]
    with pytest.raises(ConfigError, match=r"contract_size: .*a.csv counts COIN-M contracts of an unknown symbol; give the symbol, or"):
        trades(inside, row)


def test_delivery_contracts_in_busd_are_coins(tmp_path):
    recording = trades(tmp_path / "BTCBUSD_210129-aggTrades-2021-01.csv", aggregate(7))
    assert (recording.symbol, recording.rows["amount"].to_list()) == ("BTCBUSD_210129", [0.25])
    recording = trades(tmp_path / "BNBUSD_210326-aggTrades-2021-01.csv", aggregate(7, price="50", quantity="20"))
    assert recording.rows["amount"].to_list() == [4.0]


def test_aggregates_of_an_unknown_market(tmp_path):
    path = write(tmp_path / "a.csv", aggregate(7))
    assert open_reading(path).kind.name == "aggTrades"
    with pytest.raises(
        ConfigError, match=r"symbol: nothing tells whether .*a.csv counts coins or COIN-M contracts; give the symbol, such as"
    ):
        read_file(path)
    assert read_file(path, symbol="BTCUSDT")[0].rows["amount"].to_list() == [0.25]
    with pytest.raises(ConfigError, match=r"symbol: .* is of BTCUSD_PERP by its name, not 'ETHUSDT'"):
        read_file(write(tmp_path / "BTCUSD_PERP-aggTrades-2024-01-01.csv", aggregate(7)), symbol="ETHUSDT")


# 4 coins at 40,000 are worth 160,000; 4 contracts of 100 USD at 40,000 are 0.01 coins
COINS = f"3,40000.0,4.000,160000.0000,{T0 + 5},false"
CONTRACTS = f"3,40000.0,4.0,0.01000000,{T0 + 5},true"


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_trades_tell_their_market(tmp_path, header, named):
    path = tmp_path / ("BTCUSDT-trades-2024-01-01.csv" if named else "a.csv")
    recording = trades(path, *([TRADES] if header else []), COINS)
    assert recording.rows.drop("available_at").row(0) == (datetime(2024, 1, 1, microsecond=5000, tzinfo=UTC), 40000.0, 4.0, "buy", 3)
    path = tmp_path / ("BTCUSD_PERP-trades-2024-01-01.csv" if named else "a.csv")
    recording = trades(path, *([COIN_TRADES] if header else []), CONTRACTS)
    assert recording.rows.select("amount", "side").row(0) == (0.01, "sell")


def test_trades_of_ten_dollar_contracts(tmp_path):
    assert trades(tmp_path / "a.csv", f"3,2000.00,5.0,0.02500000,{T0},true").rows["amount"].to_list() == [0.025]


def test_trades_with_eight_cells(tmp_path):
    assert trades(tmp_path / "a.csv", f"{COINS},true").rows["amount"].to_list() == [4.0]
    assert trades(tmp_path / "a.csv", f"{TRADES},is_best_match", f"{COINS},true").rows["amount"].to_list() == [4.0]


def test_trades_that_contradict_their_symbol(tmp_path):
    with pytest.raises(DataError, match=r"BTCUSD_PERP-trades-2024-01-01.csv: counts coins, but its symbol is COIN-M; check"):
        trades(tmp_path / "BTCUSD_PERP-trades-2024-01-01.csv", COINS)
    with pytest.raises(DataError, match=r"counts contracts, but its symbol is margined in USDT or USDC"):
        trades(tmp_path / "BTCUSDT-trades-2024-01-01.csv", COIN_TRADES, CONTRACTS)


def test_trades_at_prices_where_both_markets_fit(tmp_path):
    row = f"3,{10**0.5},4.0,{4 * 10**0.5},{T0},true"
    with pytest.raises(ConfigError, match=r"symbol: the numbers in .*a.csv do not tell whether they are coins or COIN-M contracts; give"):
        trades(tmp_path / "a.csv", row)
    assert trades(tmp_path / "a.csv", row, symbol="XUSDT").rows["amount"].to_list() == [4.0]
    assert trades(tmp_path / "a.csv", row, symbol="XUSD_PERP").rows["amount"].to_list() == [4 * 10**0.5]


def test_rows_out_of_order(tmp_path):
    rows = [aggregate(n, at=T0 + at) for n, at in ((1, 0), (2, 9), (3, 4), (4, 9), (5, 9))]
    recording = trades(tmp_path / "BTCUSDT-aggTrades-2024-01-01.csv", *rows)
    assert recording.rows["id"].to_list() == [1, 3, 2, 4, 5]  # those of one instant stay as they are
    assert recording.notes == ("1 rows out of order sorted",)


def test_equal_trades_are_trades(tmp_path):
    recording = trades(tmp_path / "BTCUSDT-aggTrades-2024-01-01.csv", aggregate(1), aggregate(2), aggregate(2))
    assert recording.rows["id"].to_list() == [1, 2, 2]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (aggregate(2)[:20], r"row 2 has 6 cells, expected 7; check the file, it may be torn"),
        (f"{aggregate(2)},7", r"row 2 has 8 cells, expected 7"),
        (aggregate(2, price="x"), "row 2: price is 'x', not a number"),
        (aggregate(2, price="0"), r"row 2 \(2024-01-01 00:00:00\): price is 0.0; a price must be finite and above 0"),
        (aggregate(2, quantity="-1"), r"row 2 .*: amount is -1.0; an amount must be finite and at least 0"),
        (aggregate(2, quantity=""), r"row 2 .*: amount is empty or NaN"),
        (aggregate(2, at=1_704_067_200), "row 2: transact_time is 1704067200, outside the years 2000 to 2100 as ms"),
        (aggregate(2, at=T0 * 1_000_000), r"row \d: transact_time is .*, outside the years 2000 to 2100 as ms"),
        (aggregate(2, at=""), "row 2: transact_time is empty"),
        (aggregate(2, maker="maybe"), "row 2: is_buyer_maker is 'maybe', not true or false"),
        (aggregate(2, maker=""), r"row 2 .*: side is None, expected one of buy, sell"),
        (aggregate(2).replace("2,", "2.5,", 1), "row 2: agg_trade_id is '2.5', not a whole number"),
    ],
)
@pytest.mark.parametrize("header", [[AGGREGATES], []])
def test_broken_files(tmp_path, header, row, message):
    with pytest.raises(DataError, match=rf"BTCUSDT-aggTrades-2024-01-01.csv: {message}") as raised:
        trades(tmp_path / "BTCUSDT-aggTrades-2024-01-01.csv", *header, aggregate(1), row)
    assert "\n" not in str(raised.value)


def test_blocks_name_the_row_of_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("liqbt.data.readers._containers._PIECE", 200)
    monkeypatch.setattr("liqbt.data.readers._blocks._BLOCK", 1)
    rows = [aggregate(n, at=T0 + n) for n in range(1, 50)]
    path = write(tmp_path / "BTCUSDT-aggTrades-2024-01-01.zip", AGGREGATES, *rows)
    batches = list(open_reading(path).batches())
    assert len(batches) > 5
    assert [number for batch in batches for number in batch.rows["id"]] == list(range(1, 50))
    path = write(tmp_path / "BTCUSDT-aggTrades-2024-01-01.csv", AGGREGATES, *rows, aggregate(50, price="-1"))
    with pytest.raises(DataError, match=r"row 50 .*: price is -1.0"):
        read_file(path)

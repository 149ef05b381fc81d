"""Tardis' trades and liquidations: two clocks, sides of orders, units by exchange."""

from __future__ import annotations

import pytest
from reading import read_one
from samples_tardis import EVENTS, START, line, samples, stamp, write

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError

START_NS = START * 1_000


def seconds(recording, column="timestamp"):
    return [(value - START_NS) / 1e9 for value in recording.rows[column].to_physical()]


def trade(of, price, amount, *, side="buy", second=1.0):
    return line(second, 7, side, price, amount, of=of)


def trades(tmp_path, *rows, name="x_trades_2024-03-01_X.csv.gz"):
    return write(tmp_path / name, EVENTS, rows)


def liquidations(tmp_path, *rows):
    return write(tmp_path / "x_liquidations_2024-03-01_X.csv.gz", EVENTS, rows)


def test_trades(tmp_path):
    recording = read_one(samples(tmp_path)["trades"])
    assert (recording.table, recording.venue, recording.symbol, recording.reader) == ("trades", "binance", "BTCUSDT", "tardis")
    assert recording.rows.columns == ["timestamp", "available_at", "price", "amount", "side", "id"]
    assert seconds(recording) == [0.245, 0.49, 61.0]
    assert seconds(recording, "available_at") == [0.395, 0.64, 61.15]
    assert recording.rows.drop("timestamp", "available_at").rows() == [
        (61000.0, 0.011, "sell", 4711),
        (61000.1, 1.215, "buy", 4712),
        (61010.0, 0.5, "buy", 4713),
    ]
    assert recording.notes == ()


def test_files_run_by_the_local_clock_and_are_sorted_by_the_exchange_s(tmp_path):
    late = line(1.0, 1, "buy", 10, 1, delay=3.0)
    between = line(2.0, 2, "buy", 10, 2, delay=0.5)
    path = trades(tmp_path, between, late, line(2.0, 3, "sell", 10, 3, delay=4.0))
    recording = read_one(path)
    assert recording.rows["id"].to_list() == [1, 2, 3]
    assert seconds(recording) == [1.0, 2.0, 2.0]
    assert seconds(recording, "available_at") == [4.0, 2.5, 6.0]


def test_a_local_clock_that_runs_behind_is_told(tmp_path):
    recording = read_one(trades(tmp_path, line(1.0, 1, "buy", 10, 1, delay=-0.2), line(2.0, 2, "buy", 10, 2)))
    assert seconds(recording, "available_at") == [1.0, 2.15]
    assert recording.notes == ("1 rows whose local clock ran behind the exchange's",)


def test_trades_without_a_taker(tmp_path):
    recording = read_one(trades(tmp_path, line(1, 1, "unknown", 10, 1), line(2, 2, "buy", 10, 2)))
    assert recording.rows["id"].to_list() == [2]
    assert recording.notes == ("1 trades without a taker's side left out",)
    with pytest.raises(DataError, match="holds no rows"):
        read_file(trades(tmp_path, line(1, 1, "unknown", 10, 1)))


def test_ids_that_are_no_numbers_are_left_out(tmp_path):
    path = trades(tmp_path, line(1, "d6b9a5ac-3439-5cea-b590-fd245e5b3992", "buy", 10, 1, of="bybit,BTCUSDT"))
    assert "id" not in read_one(path).rows.columns


def test_liquidations_are_orders_on_the_other_side(tmp_path):
    recording = read_one(samples(tmp_path)["liquidations"])
    assert (recording.table, recording.venue, recording.symbol) == ("liquidations", "binance", "BTCUSDT")
    assert recording.rows["side"].to_list() == ["long", "short"]
    assert recording.rows["amount"].to_list() == [0.014, 2.0]
    assert recording.rows["average_price"].to_list() == [60900.5, 61500.0]
    assert seconds(recording, "available_at") == [14.481, 3000.15]


@pytest.mark.parametrize(
    ("of", "column"),
    [
        ("bybit,BTCUSDT", "bankruptcy_price"),
        ("okex-swap,BTC-USDT-SWAP", "bankruptcy_price"),
        ("binance-delivery,BTCUSD_PERP", "average_price"),
        ("deribit,BTC-PERPETUAL", "price"),
    ],
)
def test_what_price_a_liquidation_has(tmp_path, of, column):
    size = 0.01 if of.startswith("okex") else None
    rows = read_one(liquidations(tmp_path, line(1, "", "sell", 50000, 100, of=of)), contract_size=size).rows
    assert rows.columns == ["timestamp", "available_at", "side", "amount", column]
    assert rows[column].to_list() == [50000.0]
    assert rows["side"].to_list() == ["long"]


@pytest.mark.parametrize(
    ("of", "venue", "size", "base"),
    [
        ("binance-futures,BTCUSDT", "binance", None, 100.0),
        ("binance-delivery,BTCUSD_PERP", "binance", None, 100 * 100 / 50_000),
        ("binance-delivery,ETHUSD_240628", "binance", None, 100 * 10 / 50_000),
        ("binance,BTCUSDT", "binance-spot", None, 100.0),
        ("bybit,BTCUSDT", "bybit", None, 100.0),
        ("bybit,BTCUSD", "bybit", None, 100 / 50_000),
        ("okex-swap,BTC-USDT-SWAP", "okx", 0.01, 1.0),
        ("okex-swap,BTC-USD-SWAP", "okx", 100, 100 * 100 / 50_000),
        ("okex-futures,BTC-USD-240628", "okx", 100, 100 * 100 / 50_000),
        ("hyperliquid,BTC", "hyperliquid", None, 100.0),
        ("deribit,BTC-PERPETUAL", "deribit", None, 100 / 50_000),
        ("deribit,ETH-28JUN24", "deribit", None, 100 / 50_000),
        ("deribit,BTC_USDC-PERPETUAL", "deribit", None, 100.0),
        ("bitmex,XBTUSD", "bitmex", None, 100 / 50_000),
        ("bitmex,XBTH24", "bitmex", None, 100 / 50_000),
        ("bitmex,XBTUSDT", "bitmex", 0.000001, 0.0001),
        ("huobi-dm-swap,BTC-USD", "huobi-dm-swap", 100, 100 * 100 / 50_000),
        ("huobi-dm-linear-swap,BTC-USDT", "huobi-dm-linear-swap", 0.001, 0.1),
        ("kraken,XBT/USD", "kraken", 1, 100.0),
    ],
)
def test_units(tmp_path, of, venue, size, base):
    recording = read_one(trades(tmp_path, trade(of, 50_000, 100)), contract_size=size)
    assert (recording.venue, recording.symbol) == (venue, of.split(",")[1])
    assert recording.rows["amount"].to_list() == pytest.approx([base], rel=1e-15)


@pytest.mark.parametrize(
    ("of", "size", "message"),
    [
        ("okex-swap,BTC-USDT-SWAP", None, "counts BTC-USDT-SWAP in contracts; give base coin a contract, OKX's ctVal"),
        ("okex-futures,BTC-USD-240628", None, "counts BTC-USD-240628 in contracts; give USD a contract, OKX's ctVal"),
        ("huobi-dm,BTC_CQ", None, "counts BTC_CQ in contracts; give USD a contract, as huobi-dm publishes it"),
        (
            "gate-io-futures,BTC_USDT",
            None,
            "counts BTC_USDT in contracts; give base coin a contract, as gate-io-futures publishes it, or 1 where",
        ),
        ("binance-futures,BTCUSDT", 0.001, "counts BTCUSDT in base coin, not 0.001; leave it out"),
        ("bybit,BTCUSD", 100, "counts BTCUSD in contracts of 1 USD, not 100; leave it out"),
        ("bitmex,ETHUSD", 1, "BitMEX's ETHUSD in .* is worth a fixed amount of bitcoin a point"),
        ("binance-delivery,BTCUSDT", None, "'BTCUSDT' is no COIN-M symbol"),
    ],
)
def test_units_that_are_not_known(tmp_path, of, size, message):
    with pytest.raises(ConfigError, match=f"contract_size: .*{message}"):
        read_file(trades(tmp_path, trade(of, 50_000, 100)), contract_size=size)


def test_a_group_of_symbols(tmp_path):
    rows = [
        trade("okex-swap,BTC-USDT-SWAP", 50_000, 1),
        trade("okex-swap,ETH-USDT-SWAP", 3_000, 2),
        trade("okex-swap,BTC-USDT-SWAP", 50_000, 3),
    ]
    path = trades(tmp_path, *rows)
    with pytest.raises(ConfigError, match="holds BTC-USDT and ETH-USDT, whose contracts differ; give the symbol too"):
        read_file(path, contract_size=0.01)
    assert read_one(path, contract_size=0.1, symbol="ETH-USDT-SWAP").rows["amount"].to_list() == [0.2]
    of_binance = trades(tmp_path, trade("binance-futures,A", 1, 1), trade("binance-futures,B", 1, 2), trade("binance-futures,A", 1, 3))
    assert [(one.symbol, one.rows["amount"].to_list()) for one in read_file(of_binance)] == [("A", [1.0, 3.0]), ("B", [2.0])]


@pytest.mark.parametrize(
    ("place", "table"),
    [
        ("binance-futures_trades_2024-03-01_BTCUSDT.csv.gz", "trades"),
        ("binance-futures_liquidations_2024-03-01_BTCUSDT.csv.gz", "liquidations"),
        ("trades/2024/03/01/BTCUSDT.csv.gz", "trades"),
        ("liquidations/2024/03/01/BTCUSDT.csv.gz", "liquidations"),
        ("trades/liquidations/BTCUSDT.csv.gz", "liquidations"),
        ("trades/liquidations_BTCUSDT.csv.gz", "liquidations"),
    ],
)
def test_name_and_folder_tell_trades_from_liquidations(tmp_path, place, table):
    assert read_one(write(tmp_path / place, EVENTS, [line(1, 5, "sell", 10, 1)])).table == table


def test_where_nothing_tells_the_table_is_asked_for(tmp_path):
    path = write(tmp_path / "BTCUSDT.csv.gz", EVENTS, [line(1, 5, "sell", 10, 1)])
    with pytest.raises(DataError, match=r"could be Tardis trades \(trades\) or Tardis liquidations \(liquidations\); give the table"):
        open_reading(path)
    assert read_one(path, table="liquidations").rows["side"].to_list() == ["long"]
    assert read_one(path, table="trades").rows["side"].to_list() == ["sell"]
    assert read_one(path, table="trades").venue == "binance"


def test_several_blocks_give_the_same(tmp_path, monkeypatch):
    rows = [line(k / 3, k, "buy", 10, k + 1) for k in range(60)]
    whole = read_one(trades(tmp_path, *rows))
    monkeypatch.setattr("liqbt.data.readers._blocks._BLOCK", 1000)
    monkeypatch.setattr("liqbt.data.readers._containers._PIECE", 700)
    reading = open_reading(trades(tmp_path, *rows))
    assert len(list(reading.batches())) > 3
    assert read_one(trades(tmp_path, *rows)).rows.equals(whole.rows)


@pytest.mark.parametrize("kind", ["trades", "liquidations"])
@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("side", "long", "row 2.*: side is 'long', expected (one of buy, sell|buy or sell)"),
        ("side", "", "row 2.*: side is None, expected (one of buy, sell|buy or sell)"),
        ("price", "x", "row 2: price is 'x', not a number"),
        ("price", "-1", r"row 2 \(2024-03-01 00:00:02\): (average_)?price is -1.0; a price must be"),
        ("amount", "-1", r"row 2 \(2024-03-01 00:00:02\): amount is -1.0; an amount must be"),
        ("amount", "", r"row 2 \(2024-03-01 00:00:02\): amount is empty"),
        ("timestamp", stamp(2) // 1000, "row 2: timestamp is 1709251202000, outside the years 2000 to 2100 as us"),
        ("local_timestamp", stamp(2) * 1000, "row 2: local_timestamp is 1709251202000000000, outside the years"),
        ("local_timestamp", "", "row 2: local_timestamp is empty"),
        ("timestamp", "5e15", "row 2: timestamp is '5e15', not a whole number"),
        ("symbol", "", "row 2: symbol is empty"),
        ("exchange", "", "row 2: exchange is empty"),
    ],
)
def test_broken_rows_are_named(tmp_path, kind, column, value, message):
    rows = [line(k, k, "sell", 10, 1).split(",") for k in (1, 2, 3)]
    rows[1][EVENTS.split(",").index(column)] = str(value)
    path = write(tmp_path / f"x_{kind}_x.csv.gz", EVENTS, [",".join(one) for one in rows])
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_files(tmp_path):
    for k, (header, rows, message) in enumerate(
        [
            (EVENTS.replace("price", "px"), [trade("bybit,BTCUSDT", 1, 1)], "has no column 'price'"),
            (EVENTS, [], "holds no rows"),
            (EVENTS, [trade("bybit,BTCUSDT", 1, 1), trade("bybit,BTCUSDT", 1, 1)[:30]], "row 2 has 3 cells, expected 8"),
        ]
    ):
        with pytest.raises(DataError, match=message):
            read_file(write(tmp_path / f"{k}_trades.csv.gz", header, rows))


def test_quotes_and_option_chains_are_left_alone(tmp_path):
    for k, columns in enumerate(("ask_amount,ask_price,bid_price,bid_amount", "type,strike_price,expiration,open_interest")):
        with pytest.raises(DataError, match="of no kind that liqbt knows"):
            open_reading(write(tmp_path / f"{k}.csv.gz", f"exchange,symbol,timestamp,local_timestamp,{columns}", [line(1, 1, 2, 3, 4)]))


@pytest.mark.parametrize("kind", ["trades", "liquidations", "book_snapshot", "incremental_book_L2"])
@pytest.mark.parametrize("option", [{"mapping": "ohlcv", "reader": "tardis"}, {"utc_offset_hours": 8.0}, {"interval": "1m"}])
def test_options_of_no_use(tmp_path, kind, option):
    with pytest.raises(ConfigError, match=f"{next(iter(option))}: reader 'tardis'"):
        read_file(samples(tmp_path)[kind], **option)

"""What ccxt returned: candles, open interest, funding, liquidations and trades whose units and sides depend on the venue."""

from __future__ import annotations

import json

import pytest
from reading import read_one
from samples_ccxt import (
    HOUR,
    MINUTE,
    T0,
    binance_info,
    bybit_info,
    funding_rate,
    liquidation,
    okx_info,
    open_interest,
    samples,
    trade,
    write,
)  # fmt: skip

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError

INVERSE = "BTC/USD:BTC"


def ms(recording, column="timestamp"):
    return [(stamp - T0 * 1_000_000) / 1_000_000 for stamp in recording.rows[column].to_physical()]


def saved(folder, *elements):
    return write(folder / "a.json", list(elements))


def candle(minute, *, volume=1.0):
    return [T0 + minute * MINUTE, 100.0, 110.0, 90.0, 105.0, volume]


# --- candles


def test_candles_are_bars(tmp_path):
    recording = read_one(samples(tmp_path)["ohlcv"])
    assert (recording.table, recording.interval, recording.reader) == ("bars", "1m", "ccxt")
    assert (recording.venue, recording.symbol) == (None, None)
    assert recording.rows.drop("timestamp", "available_at").rows() == [(100.0, 110.0, 90.0, 105.0, 2.5), (105.0, 106.0, 104.0, 105.5, 1.0)]
    assert ms(recording) == [0, MINUTE]
    assert ms(recording, "available_at") == [MINUTE, 2 * MINUTE]


def test_a_single_candle_needs_its_interval(tmp_path):
    path = saved(tmp_path, candle(0))
    assert ms(read_one(path, interval="5m"), "available_at") == [5 * MINUTE]
    with pytest.raises(DataError, match=r"one row does not tell its interval"):
        read_file(path)


@pytest.mark.parametrize("volume", [None, 0, 0.0])
def test_without_volumes_the_table_is_asked_for(tmp_path, volume):
    path = saved(tmp_path, candle(0, volume=volume), candle(1, volume=volume))
    with pytest.raises(DataError, match=r"no candle has a volume; give the table: mark, index or premium, or bars"):
        read_file(path)
    for table in ("mark", "index"):
        recording = read_one(path, table=table)
        assert (recording.table, recording.rows.columns[2:]) == (table, ["open", "high", "low", "close"])
    with pytest.raises(ConfigError, match=r"contract_size: table 'mark' has no volume"):
        read_file(path, table="mark", contract_size=0.01)


def test_pages_that_overlap_are_joined(tmp_path):
    recording = read_one(saved(tmp_path, candle(2), candle(3), candle(0), candle(1), candle(2)))
    assert ms(recording) == [0, MINUTE, 2 * MINUTE, 3 * MINUTE]
    assert recording.notes == ("1 rows out of order sorted", "1 doubled rows dropped")
    with pytest.raises(DataError, match=r"row 3 \(2025-10-10 22:01:00\) has the stamp of row 2 but other values"):
        read_file(saved(tmp_path, candle(0), candle(1, volume=0.5), candle(1)))


def test_volume_in_contracts(tmp_path):
    assert read_one(saved(tmp_path, candle(0, volume=250), candle(1)), contract_size=0.01).rows["volume"].to_list() == [2.5, 0.01]


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ([T0 + MINUTE, 100.0, 110.0, 90.0, 105.0], r"row 2 is .* not \[ms, open, high, low, close, volume\]"),
        ([T0 + MINUTE, "open", 110.0, 90.0, 105.0, 1.0], r"row 2: open is 'open', not a number"),
        ([T0 + MINUTE, 100.0, 90.0, 110.0, 105.0, 1.0], r"row 2 .*: high 90.0 is below low 110.0"),
        ([T0 + MINUTE, None, 110.0, 90.0, 105.0, 1.0], r"row 2 .*: open is empty"),
        ([T0 + MINUTE, 100.0, 110.0, 90.0, 105.0, -1.0], r"row 2 .*: volume is -1.0"),
        ([T0 // 1_000, 100.0, 110.0, 90.0, 105.0, 1.0], r"row 2: time is 1760133600, outside the years 2000 to 2100"),
        ({"t": T0}, r"row 2 is .* not \[ms, open"),
        ([2**63, 100.0, 110.0, 90.0, 105.0, 1.0], r"row 2: time is '9223372036854775808', outside the years 2000 to 2100 as ms"),
        ([T0 + MINUTE, 10**400, 110.0, 90.0, 105.0, 1.0], r"row 2: open is '1000.*', not a number"),
    ],
)
def test_what_is_no_candle_is_named_with_its_place(tmp_path, element, message):
    with pytest.raises(DataError, match=message) as caught:
        read_file(saved(tmp_path, candle(0), element))
    assert "\n" not in str(caught.value)


def test_a_torn_list(tmp_path):
    path = saved(tmp_path, candle(0), candle(1))
    path.write_text(path.read_text()[:-4])
    with pytest.raises(DataError, match=r"is no JSON \(.*\); check the file, it may be torn"):
        read_file(path)
    path.write_text("[]")
    with pytest.raises(DataError, match=r"is of no kind that liqbt knows"):
        read_file(path)


def test_candles_of_a_venue_s_own_form_are_not_claimed(tmp_path):
    own = [T0, "100", "110", "90", "105", "1", T0 + MINUTE - 1, "105", 3, "1", "1", "0"]
    with pytest.raises(DataError, match=r"is of no kind that liqbt knows"):
        open_reading(saved(tmp_path, own, own))


# --- open interest and funding


def test_open_interest_of_binance_is_in_coins(tmp_path):
    recording = read_one(samples(tmp_path)["open_interest"])
    assert (recording.table, recording.interval, recording.venue, recording.symbol) == ("open_interest", None, "binance", "BTCUSDT")
    assert recording.rows["open_interest"].to_list() == [80_872.801, 80_900.0]
    assert recording.rows["open_interest_value"].to_list() == [3_508_262_107.38] * 2
    assert ms(recording) == ms(recording, "available_at") == [0, 5 * MINUTE]


def test_open_interest_of_bybit_is_in_coins_without_a_value(tmp_path):
    recording = read_one(saved(tmp_path, open_interest(amount=5.0, value=None, info={"openInterest": "5.0", "timestamp": str(T0)})))
    assert (recording.venue, recording.symbol) == ("bybit", "BTCUSDT")
    assert recording.rows["open_interest"].to_list() == [5.0]
    assert recording.rows["open_interest_value"].to_list() == [None]


def test_open_interest_of_okx_is_taken_from_its_own_words(tmp_path):
    history = [str(T0), "2800476.45", "28004.76", "2360916466.88"]
    recording = read_one(saved(tmp_path, open_interest(amount=2_800_476.45, value=2_360_916_466.88, info=history)))
    assert (recording.venue, recording.symbol) == ("okx", "BTC-USDT-SWAP")
    assert recording.rows["open_interest"].to_list() == [28_004.76]
    now = {"instId": "BTC-USD-SWAP", "oi": "300", "oiCcy": "3", "oiUsd": "30000", "ts": str(T0)}
    inverse = read_one(saved(tmp_path, open_interest(amount=300, value=30_000.0, symbol=INVERSE, info=now)))
    assert (inverse.symbol, inverse.rows["open_interest"].to_list()) == ("BTC-USD-SWAP", [3.0])
    with pytest.raises(DataError, match=r"row 1 has no open interest in coins or contracts"):
        read_file(saved(tmp_path, open_interest(amount=None, info=[str(T0), "2183354317.9", "74285877.6"])))


def test_elsewhere_open_interest_needs_the_size_of_a_contract(tmp_path):
    path = saved(tmp_path, open_interest(amount=200.0, info={"value": 200}))
    with pytest.raises(
        ConfigError, match=r"counts BTCUSDT in contracts; give base coin a contract, as ccxt's .* says, or 1 where amounts are in base"
    ):
        read_file(path)
    recording = read_one(path, contract_size=0.001)
    assert (recording.venue, recording.rows["open_interest"].to_list()) == (None, [0.2])


def test_open_interest_of_inverse_contracts_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"row 1: open interest of BTC/USD:BTC counts contracts, and no price is there; leave it out"):
        read_file(saved(tmp_path, open_interest(symbol=INVERSE)))


def test_several_symbols(tmp_path):
    path = saved(tmp_path, open_interest(), open_interest(symbol="ETH/USDT:USDT", amount=1.0), open_interest(T0 + MINUTE, 7.0))
    assert [(one.symbol, one.rows.height) for one in read_file(path)] == [("BTCUSDT", 2), ("ETHUSDT", 1)]
    assert read_one(path, symbol="ETHUSDT").rows["open_interest"].to_list() == [1.0]
    with pytest.raises(ConfigError, match=r"has no 'SOLUSDT'"):
        read_file(path, symbol="SOLUSDT")


def test_funding(tmp_path):
    recording = read_one(samples(tmp_path)["funding"])
    assert (recording.table, recording.venue, recording.symbol) == ("funding", "binance", "BTCUSDT")
    assert recording.rows["funding_rate"].to_list() == [0.0001, -0.0002]
    assert ms(recording) == ms(recording, "available_at") == [0, 8 * HOUR]


@pytest.mark.parametrize(
    ("symbol", "info", "venue", "name"),
    [
        (INVERSE, {"symbol": "BTCUSD_PERP", "fundingRate": "0.0001", "fundingTime": str(T0)}, "binance", "BTCUSD_PERP"),
        (INVERSE, {"symbol": "BTCUSD", "fundingRate": "0.0001", "fundingRateTimestamp": str(T0)}, "bybit", "BTCUSD"),
        ("ETH/USDC:USDC", {"symbol": "ETHPERP", "fundingRate": "0.0001", "fundingRateTimestamp": str(T0)}, "bybit", "ETHPERP"),
        ("BTC/USDT:USDT", {"instId": "BTC-USDT-SWAP", "fundingRate": "0.1", "realizedRate": "0.0001"}, "okx", "BTC-USDT-SWAP"),
        ("KPEPE/USDC:USDC", {"coin": "kPEPE", "fundingRate": "0.0001", "premium": "0", "time": T0}, "hyperliquid", "kPEPE"),
        (INVERSE, {"rate": "0.0001"}, None, "BTCUSD"),
        ("BTC/USDT:USDT-260626", {"rate": "0.0001"}, None, "BTCUSDT_260626"),
    ],
)
def test_symbols_are_written_as_the_venue_does(tmp_path, symbol, info, venue, name):
    recording = read_one(saved(tmp_path, funding_rate(symbol=symbol, info=info)))
    assert (recording.venue, recording.symbol) == (venue, name)


def test_forecasts_of_funding_are_not_history(tmp_path):
    with pytest.raises(DataError, match=r"is of no kind"):
        open_reading(saved(tmp_path, {**funding_rate(), "fundingTimestamp": T0 + 8 * HOUR, "nextFundingRate": None}))


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (funding_rate(T0 + 1, rate="high"), r"row 2: fundingRate is 'high', not a number"),
        (funding_rate(T0 + 1, rate=1.5), r"row 2 .*: funding_rate is 1.5; a rate is a fraction"),
        (funding_rate(T0 + 1, rate=None), r"row 2 .*: funding_rate is empty"),
        (funding_rate(None), r"row 2: timestamp is 'None', no ms since 1970"),
        (funding_rate(-(2**63) - 1), r"row 2: timestamp is '-9223372036854775809', outside the years 2000 to 2100 as ms"),
        (funding_rate(T0 + 1, rate=10**400), r"row 2: fundingRate is '1000.*', not a number"),
        (funding_rate(T0 // 1_000), r"row 2: time is 1760133600, outside the years"),
        (funding_rate(T0 + 1, symbol="BTC/USDT"), r"row 2: symbol is 'BTC/USDT', no contract such as BTC/USDT:USDT"),
        (funding_rate(T0 + 1, symbol="BTC/USD:BTC-260626-100000-C"), r"row 2: symbol is 'BTC/USD:BTC-260626-100000-C', no contract"),
        ([1], r"row 2 is a JSON list, not an object"),
    ],
)
def test_what_is_no_rate_is_named_with_its_place(tmp_path, element, message):
    with pytest.raises(DataError, match=message) as caught:
        read_file(saved(tmp_path, funding_rate(), element))
    assert "\n" not in str(caught.value)
    assert "a.json" in str(caught.value)


def test_an_object_a_line_is_read_as_a_list_is(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in (funding_rate(), funding_rate(T0 + HOUR, 0.0003))))
    assert read_one(path).rows["funding_rate"].to_list() == [0.0001, 0.0003]


# --- liquidations


def test_liquidations_of_binance_are_what_was_filled_and_the_order_s_other_side(tmp_path):
    recording = read_one(samples(tmp_path)["liquidations"])
    assert (recording.table, recording.venue, recording.symbol) == ("liquidations", "binance", "BTCUSDT")
    assert recording.rows["side"].to_list() == ["long", "short"]
    assert recording.rows["amount"].to_list() == [0.033, 0.033]  # not `contracts`, the last fill
    assert recording.rows["average_price"].to_list() == [94_809.6, 94_809.6]
    assert recording.rows["price"].to_list() == [94_434.91, 94_434.91]
    assert ms(recording) == ms(recording, "available_at") == [0, 2_000]


def test_liquidations_of_binance_on_coins(tmp_path):
    info = binance_info(s="BTCUSD_PERP", z="500", ap="50000")
    recording = read_one(saved(tmp_path, liquidation(info, side="sell", contracts=500, size=100, symbol=INVERSE)))
    assert (recording.symbol, recording.rows["amount"].to_list()) == ("BTCUSD_PERP", [1.0])


def test_liquidations_of_bybit_tell_the_position_s_side(tmp_path):
    old = {"symbol": "BTCUSDT", "side": "Sell", "size": "2", "price": "100000", "updatedTime": T0 + 1}
    path = saved(tmp_path, liquidation(bybit_info(), side="buy", contracts=0.5), liquidation(old, side="sell", contracts=2))
    recording = read_one(path)
    assert (recording.venue, recording.rows["side"].to_list()) == ("bybit", ["long", "short"])
    assert recording.rows["amount"].to_list() == [0.5, 2.0]
    assert recording.rows["bankruptcy_price"].to_list() == [100_000.0] * 2
    assert recording.rows.columns == ["timestamp", "available_at", "side", "amount", "bankruptcy_price"]


def test_liquidations_of_okx_are_all_that_its_own_words_hold(tmp_path):
    info = okx_info({}, {"posSide": "net", "side": "sell", "sz": "7", "ts": str(T0 + 3)})
    recording = read_one(saved(tmp_path, liquidation(info, side="buy", contracts=13, size=0.01)))
    assert (recording.venue, recording.symbol) == ("okx", "BTC-USDT-SWAP")
    assert recording.rows["side"].to_list() == ["short", "long"]
    assert recording.rows["amount"].to_list() == [0.13, 0.07]
    inverse = okx_info({}, instrument="BTC-USD-SWAP")
    assert read_one(saved(tmp_path, liquidation(inverse, side="buy", contracts=13, size=100))).rows["amount"].to_list() == [0.026]


def test_the_size_of_okx_contracts_comes_from_the_element_or_the_caller(tmp_path):
    bare = saved(tmp_path, liquidation(okx_info(), side="buy", contracts=13) | {"contractSize": None})
    with pytest.raises(ConfigError, match=r"contract_size: .* counts BTC-USDT-SWAP in contracts"):
        read_file(bare)
    assert read_one(bare, contract_size=0.01).rows["amount"].to_list() == [0.13]
    told = saved(tmp_path, liquidation(okx_info(), side="buy", contracts=13, size=0.01))
    with pytest.raises(ConfigError, match=r"contract_size: .* not 0.1; leave it out"):
        read_file(told, contract_size=0.1)
    other = liquidation(okx_info({"ts": str(T0 + 1)}), side="buy", contracts=13, size=0.1)
    with pytest.raises(DataError, match=r"row 2: contractSize of BTC-USDT-SWAP is 0.1 and was 0.01"):
        read_file(saved(tmp_path, liquidation(okx_info(), side="buy", contracts=13, size=0.01), other))


def test_elements_that_come_again_are_dropped(tmp_path):
    first, second = (liquidation(bybit_info(T=T0 + time), side="buy", contracts=0.5) for time in (0, 9))
    recording = read_one(saved(tmp_path, first, first, second, first))
    assert ms(recording) == [0, 9]
    assert recording.notes == ("2 doubled elements dropped",)


@pytest.mark.parametrize("info", [None, {}, {"orderId": 1, "executedQty": "1", "avgPrice": "5"}])
def test_where_nothing_tells_the_venue_it_is_not_guessed(tmp_path, info):
    path = saved(tmp_path, liquidation(info, side="buy", contracts=1))
    with pytest.raises(ConfigError, match=r"reader: .* row 1 does not tell its venue in 'info'"):
        read_file(path)


def test_two_venues_in_one_file_are_refused(tmp_path):
    path = saved(tmp_path, liquidation(bybit_info(), side="buy", contracts=0.5), liquidation(binance_info(), side="sell", contracts=0.013))
    with pytest.raises(DataError, match=r"row 2 is of binance, row 1 of bybit; save one venue a file"):
        read_file(path)


@pytest.mark.parametrize(
    ("info", "message"),
    [
        (bybit_info(S="Up"), r"row 2: S is 'Up', neither buy nor sell"),
        (bybit_info(v="many"), r"row 2: v is 'many', not a number"),
        (bybit_info(T=T0 // 1_000), r"row 2: time is 1760133600, outside the years"),
    ],
)
def test_what_is_no_liquidation_is_named_with_its_place(tmp_path, info, message):
    path = saved(tmp_path, liquidation(bybit_info(), side="buy", contracts=1), liquidation(info, side="buy", contracts=1))
    with pytest.raises(DataError, match=message):
        read_file(path)


# --- trades


def test_trades(tmp_path):
    recording = read_one(samples(tmp_path)["trades"])
    assert (recording.table, recording.venue, recording.symbol) == ("trades", "binance", "BTCUSDT")
    assert recording.rows.drop("timestamp", "available_at").rows() == [(100_000.0, 0.5, "sell", 1), (100_000.0, 0.5, "buy", 2)]
    assert ms(recording) == ms(recording, "available_at") == [0, 7]


def test_an_own_trade_of_a_maker_is_turned_round(tmp_path):
    assert read_one(saved(tmp_path, trade(side="buy", role="maker"))).rows["side"].to_list() == ["sell"]
    assert read_one(saved(tmp_path, trade(side="buy", role=None))).rows["side"].to_list() == ["buy"]


@pytest.mark.parametrize(
    ("symbol", "info", "name", "size", "amount"),
    [
        (
            "BTC/USDT:USDT",
            {"execId": "a", "symbol": "BTCUSDT", "price": "1", "size": "1", "side": "Buy", "time": "1"},
            "BTCUSDT",
            None,
            0.5,
        ),
        (INVERSE, {"execId": "a", "symbol": "BTCUSD", "price": "1", "size": "1", "side": "Buy", "time": "1"}, "BTCUSD", None, 0.000005),
        (INVERSE, {"id": 1, "price": "1", "qty": "1", "baseQty": "1", "time": 1, "isBuyerMaker": True}, "BTCUSD_PERP", None, 0.0005),
        ("BTC/USDT:USDT", {"instId": "a", "tradeId": "1", "px": "1", "sz": "1", "side": "buy", "ts": "1"}, "BTC-USDT-SWAP", 0.01, 0.005),
        (INVERSE, {"instId": "a", "tradeId": "1", "px": "1", "sz": "1", "side": "buy", "ts": "1"}, "BTC-USD-SWAP", 100, 0.0005),
        ("BTC/USDC:USDC", {"coin": "BTC", "side": "A", "px": "1", "sz": "1", "tid": 1, "time": 1}, "BTC", None, 0.5),
        ("BTC/USDT:USDT", {"whatever": 1}, "BTCUSDT", 0.001, 0.0005),
    ],
)
def test_amounts_are_what_each_venue_counts(tmp_path, symbol, info, name, size, amount):
    recording = read_one(saved(tmp_path, trade(symbol=symbol, info=info)), contract_size=size)
    assert recording.symbol == name
    assert recording.rows["amount"].to_list() == [pytest.approx(amount, rel=1e-12)]  # 0.5 at 100,000


@pytest.mark.parametrize("info", [{"instId": "a", "tradeId": "1", "px": "1", "sz": "1"}, {"whatever": 1}])
def test_the_size_of_contracts_is_asked_for(tmp_path, info):
    with pytest.raises(ConfigError, match=r"contract_size: .* in contracts; give base coin a contract"):
        read_file(saved(tmp_path, trade(info=info)))


def test_pages_of_trades_that_overlap_count_once(tmp_path):
    recording = read_one(saved(tmp_path, trade(1), trade(2, time=T0 + 5), trade(2, time=T0 + 5), trade(1, amount=0.7)))
    assert recording.rows["amount"].to_list() == [0.5, 0.7, 0.5]
    assert recording.notes == ("1 doubled trades dropped", "1 rows out of order sorted")


def test_trades_without_a_number_are_all_kept(tmp_path):
    alike = trade(None)
    recording = read_one(saved(tmp_path, alike, alike))
    assert recording.rows.height == 2
    assert "id" not in recording.rows.columns
    assert "id" not in read_one(saved(tmp_path, trade("d7f0-11"))).rows.columns


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (trade(2, symbol="BTC/USDT"), r"row 2: symbol is 'BTC/USDT', no contract"),
        (trade(2, side=None), r"row 2: side is 'None', neither buy nor sell"),
        (trade(2) | {"price": "cheap"}, r"row 2: price is 'cheap', not a number"),
        (trade(2, price=-1.0), r"row 2 .*: price is -1.0"),
        (trade(2, amount=-1.0), r"row 2 .*: amount is -1.0"),
        (trade(2) | {"amount": None}, r"row 2 .*: amount is empty"),
        (trade(2) | {"timestamp": T0 * 1_000}, r"row 2: time is 1760133600000000, outside the years"),
    ],
)
def test_what_is_no_trade_is_named_with_its_place(tmp_path, element, message):
    with pytest.raises(DataError, match=message) as caught:
        read_file(saved(tmp_path, trade(), element))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", [{"utc_offset_hours": 5.5}, {"interval": "1m"}])
def test_options_without_a_meaning_are_refused(tmp_path, option):
    for kind, path in samples(tmp_path).items():
        if kind == "ohlcv" and "interval" in option:
            continue
        with pytest.raises(ConfigError, match=rf"{next(iter(option))}: reader 'ccxt'"):
            read_file(path, **option)

"""Bracket tables out of JSON files in the very forms that venues and tools write."""

import hashlib
import math
from copy import deepcopy
from datetime import date

import pytest
from venue_answers import BYBIT, BYBIT_INVERSE, COINM, FREQTRADE, META, OKX, USDM, ccxt_rows, okx_rows

from liqbt.errors import ConfigError, DataError
from liqbt.margin import leverage_tiers


def numbers(table):
    return [
        (tier.min_notional, tier.max_notional, tier.maintenance_margin_rate, tier.max_leverage, round(tier.maintenance_amount, 9))
        for tier in table.tiers
    ]


BONK = [(0, 5000, 0.015, 50, 0), (5000, 50000, 0.02, 25, 25), (50000, 100000, 0.025, 20, 275)]


@pytest.mark.parametrize("payload", [USDM[:1], USDM[0]], ids=["all", "one"])
def test_binance_usdm(read, payload):
    tables = read(payload)
    assert list(tables) == ["1000BONKUSDT"]
    table = tables["1000BONKUSDT"]
    assert numbers(table) == BONK
    assert (table.venue, table.contract, table.as_of, table.notes) == ("binance", "linear", None, ())


def test_an_account_of_its_own_brackets_is_said_so(read):
    (note,) = read(USDM, symbol="ETH/USDT:USDT")["ETH/USDT:USDT"].notes
    assert "those of one account, which Binance adjusted by 1.5" in note


@pytest.mark.parametrize("change", ["as documented", "spelled well", "by pair"])
def test_binance_coinm_is_in_coins(read, change):
    payload = deepcopy(COINM)
    if change == "spelled well":
        for row in payload[0]["brackets"]:
            row["qtyFloor"] = row.pop("qtylFloor")
    if change == "by pair":  # /dapi/v1, whose older answers have no `cum`
        payload[0]["pair"] = payload[0].pop("symbol").removesuffix("_PERP")
        for row in payload[0]["brackets"]:
            del row["cum"]
    (table,) = read(payload).values()
    assert table.contract == "inverse"
    assert all(tier.contract == "inverse" for tier in table.tiers)
    assert numbers(table) == [(0, 5, 0.004, 125, 0), (5, 10, 0.005, 100, 0.005), (10, 20, 0.01, 50, 0.055)]
    assert list(read(payload, symbol="BTC/USD:BTC")) == ["BTC/USD:BTC"]


def test_freqtrade_and_ccxt(read):
    table = read(FREQTRADE)["1000BONK/USDT:USDT"]
    assert (table.venue, table.contract) == ("binance", "linear")
    assert numbers(table) == BONK
    dump = {"1000BONK/USDT:USDT": ccxt_rows(USDM[0]["brackets"], "1000BONK/USDT:USDT", "notionalFloor", "notionalCap")}
    assert numbers(read(dump)["1000BONK/USDT:USDT"]) == BONK
    assert numbers(read(dump["1000BONK/USDT:USDT"])["1000BONK/USDT:USDT"]) == BONK


@pytest.mark.parametrize("symbol", ["BTC/USD:BTC", "BTCUSD_PERP"])
def test_ccxt_of_coinm(read, symbol):
    """ccxt looks for `qtyFloor`, Binance writes `qtylFloor`: the lower bound is only in `info`."""
    rows = ccxt_rows(COINM[0]["brackets"], symbol, "qtyFloor", "qtyCap")
    assert rows[1]["minNotional"] is None
    table = read({symbol: rows})[symbol]
    assert table.contract == "inverse"
    assert numbers(table)[1] == (5, 10, 0.005, 100, 0.005)
    nameless = [{name: value for name, value in row.items() if name != "symbol"} for row in rows]
    assert read(nameless, symbol="BTCUSD_PERP")["BTCUSD_PERP"].contract == "inverse"


def test_a_ccxt_dump_of_another_venue_needs_its_name(read):
    rows = [{"minNotional": 0, "maxNotional": math.inf, "maintenanceMarginRate": 0.005, "maxLeverage": 100}]
    with pytest.raises(ConfigError, match=r"venue: .*tiers.json does not say whose tables it holds; give venue"):
        read({"BTC/USDT:USDT": rows})
    table = read({"BTC/USDT:USDT": rows}, venue="gate")["BTC/USDT:USDT"]
    assert (table.venue, table.tiers[0].max_notional) == ("gate", math.inf)
    assert read({"BTC/USD:BTC": rows}, venue="gate")["BTC/USD:BTC"].contract == "inverse"
    assert read({"BTC/USD:BTC": rows}, venue="gate", symbol="BTCUSD")["BTCUSD"].contract == "inverse"
    assert read({"BTC/USD:USDC": rows}, venue="gate")["BTC/USD:USDC"].contract == "linear"


def test_bybit(read):
    table = read(BYBIT)["ADAUSDT"]
    assert (table.venue, table.contract, table.as_of) == ("bybit", "linear", date(2026, 8, 5))
    assert numbers(table) == [(0, 200000, 0.0075, 75, 0), (200000, 300000, 0.01, 50, 500), (300000, 500000, 0.015, 33.33, 2000)]
    assert table.tiers == leverage_tiers("bybit", "ADAUSDT")[:3]
    assert read(BYBIT["result"]["list"])["ADAUSDT"].as_of is None  # the rows alone bear no date


def test_bybit_in_percent(read):
    with pytest.raises(DataError) as caught:
        read(BYBIT_INVERSE)
    assert str(caught.value).endswith(
        "tiers.json: BTCUSD tier 1: maintenanceMargin 0.5 is not below the initial margin 1/100 = 0.01; "
        "it looks like percent, read the file with rate_unit='percent'"
    )
    table = read(BYBIT_INVERSE, rate_unit="percent")["BTCUSD"]
    assert (table.contract, table.as_of) == ("inverse", date(2022, 12, 26))
    assert numbers(table) == [(0, 150, 0.005, 100, 0), (150, 300, 0.01, 66.67, 0.75)]  # 150 BTC x .005
    with pytest.raises(DataError, match=r"ADAUSDT: maintenanceMargin 0.0075 is a fraction already; read the file without rate_unit"):
        read(BYBIT, rate_unit="percent")
    with pytest.raises(ConfigError, match=r"rate_unit: 'bps' must be"):
        read(BYBIT, rate_unit="bps")


def test_bybit_contracts_are_told_by_their_symbol_where_no_category_is(read):
    rows = BYBIT_INVERSE["result"]["list"]
    assert read(rows, rate_unit="percent")["BTCUSD"].contract == "inverse"
    assert read(rows, rate_unit="percent", venue="my-venue")["BTCUSD"].contract == "inverse"
    assert read(BYBIT["result"]["list"])["ADAUSDT"].contract == "linear"


def test_okx_counts_contracts(read):
    """.01 BTC a contract at 60,000: 1,000 contracts are 600,000 quote; a bracket may start one contract above the last."""
    for missing in ({}, {"contract_size": 0.01}, {"price": 60_000}):
        with pytest.raises(ConfigError, match=r"(contract_size|price): bounds in .*tiers.json count contracts; give contract_size"):
            read(OKX, **missing)
    table = read(OKX, symbol="BTC-USDT-SWAP", contract_size=0.01, price=60_000)["BTC-USDT-SWAP"]
    assert (table.venue, table.contract) == ("okx", "linear")
    assert numbers(table) == [(0, 6e5, 0.004, 100, 0), (6e5, 1.5e6, 0.005, 75, 600), (1.5e6, 3e6, 0.01, 50, 8100)]
    whole, valued = table.notes
    assert whole.startswith("OKX asks the rate of a position's bracket on all of it")
    assert valued == "bounds were 0.01 a contract, valued at a price of 60000"
    assert read(OKX["data"], contract_size=0.01, price=60_000)["BTC-USDT"].tiers == table.tiers


def test_okx_inverse_contracts_are_worth_dollars(read):
    """100 USD a contract at 50,000: 1,000 contracts are 2 BTC."""
    table = read(okx_rows("BTC-USD"), contract_size=100, price=50_000)["BTC-USD"]
    assert table.contract == "inverse"
    assert numbers(table) == [(0, 2, 0.004, 100, 0), (2, 5, 0.005, 75, 0.002), (5, 10, 0.01, 50, 0.027)]
    assert read(okx_rows("BTC-USD"), venue="mine", contract_size=100, price=50_000)["BTC-USD"].contract == "inverse"


def test_okx_through_ccxt_still_counts_contracts(read):
    rows = [
        {"minNotional": float(row["minSz"]), "maxNotional": float(row["maxSz"]), "maintenanceMarginRate": float(row["mmr"]),
         "maxLeverage": float(row["maxLever"]), "symbol": "BTC/USDT:USDT", "info": row}
        for row in okx_rows()
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"count contracts"):
        read(rows)
    table = read(rows, contract_size=0.01, price=60_000)["BTC/USDT:USDT"]
    assert [tier.max_notional for tier in table.tiers] == [6e5, 1.5e6, 3e6]


def test_okx_refusals(read):
    with pytest.raises(DataError, match=r"row 1: instId 'BTC-USDT' is spot margin, which borrows coins; ask for instType=SWAP"):
        read({"code": "0", "data": [{**okx_rows()[0], "instId": "BTC-USDT", "instFamily": "", "uly": ""}]})
    with pytest.raises(ConfigError, match=r"holds 2 symbols, contract_size and price are those of one; give symbol"):
        read([*okx_rows(), *okx_rows("ETH-USDT")], contract_size=0.01, price=60_000)
    with pytest.raises(ConfigError, match=r"price: -1 must be a finite number above 0"):
        read(OKX, contract_size=0.01, price=-1)
    gap = okx_rows()
    gap[1]["minSz"] = "1002"
    with pytest.raises(DataError, match=r"BTC-USDT tier 2: minSz is 1002 but tier 1 ends at 1000"):
        read(gap, contract_size=0.01, price=60_000)
    with pytest.raises(ConfigError, match=r"contract_size: bounds in .* are values, not contracts; leave contract_size and price out"):
        read(BYBIT, price=60_000)


@pytest.mark.parametrize("payload", [META, [META, [{"markPx": "1"}]]], ids=["meta", "metaAndAssetCtxs"])
def test_hyperliquid(read, payload):
    """Half of the initial margin is maintained: 1/80, 1/40 above 150 million, which adds 150e6 / 80."""
    tables = read(payload)
    assert list(tables) == ["BTC", "kPEPE", "XYZ"]
    assert numbers(tables["BTC"]) == [(0, 150e6, 0.0125, 40, 0), (150e6, math.inf, 0.025, 20, 1_875_000)]
    assert tables["BTC"].tiers == leverage_tiers("hyperliquid", "BTC")
    assert numbers(tables["XYZ"]) == [(0, math.inf, 1 / 6, 3, 0)]
    assert {table.venue for table in tables.values()} == {"hyperliquid"}


def test_hyperliquid_one_table_and_a_missing_one(read):
    one = META["marginTables"][1][1]
    with pytest.raises(ConfigError, match=r"symbol: .* holds a table without a name; give symbol"):
        read(one)
    assert read(one, symbol="BTC")["BTC"].tiers == leverage_tiers("hyperliquid", "BTC")
    with pytest.raises(DataError, match=r"BTC: marginTableId 56 is not among its marginTables; fetch it again"):
        read({**META, "marginTables": []})
    with pytest.raises(DataError, match=r"is no whole answer of Hyperliquid's meta"):
        read({**META, "universe": [{"name": "BTC"}]})


def test_where_it_came_from(read, tmp_path):
    table = read(USDM, symbol="1000BONKUSDT", as_of="2024-03-01")["1000BONKUSDT"]
    content = (tmp_path / "tiers.json").read_bytes()
    assert (table.source, table.sha256) == ("tiers.json", hashlib.sha256(content).hexdigest())
    assert table.as_of == date(2024, 3, 1)
    assert read(BYBIT, as_of=date(2026, 8, 6))["ADAUSDT"].as_of == date(2026, 8, 6)  # who fetched it knows best
    with pytest.raises(ConfigError, match=r"as_of: 'March' is no ISO day such as 2026-09-29"):
        read(USDM, as_of="March")


def test_one_of_many_by_any_spelling_and_the_others_are_not_checked(read):
    broken = deepcopy(USDM)
    broken[1]["brackets"][0]["maintMarginRatio"] = 0.65
    with pytest.raises(DataError, match=r"ETHUSDT tier 1: maintMarginRatio 0.65"):
        read(broken)
    assert numbers(read(broken, symbol="1000BONK/USDT:USDT")["1000BONK/USDT:USDT"]) == BONK
    with pytest.raises(ConfigError, match=r"tiers.json has no leverage tiers of 'ETHUSDC'; did you mean 'ETHUSDT'\?"):
        read(USDM, symbol="ETHUSDC")
    with pytest.raises(ConfigError, match=r"'btcusdt' on binance may mean any of BTC/USDT:USDT, BTCUSDT"):
        read({"BTC/USDT:USDT": FREQTRADE["1000BONK/USDT:USDT"], "BTCUSDT": FREQTRADE["1000BONK/USDT:USDT"]}, symbol="btcusdt")


def test_the_venue_must_not_contradict_the_file(read):
    with pytest.raises(ConfigError, match=r"venue: .*tiers.json holds tables of bybit, not of 'binance'"):
        read(BYBIT, venue="binance")
    assert read(BYBIT, venue="Bybit")["ADAUSDT"].venue == "Bybit"
    assert read(BYBIT, venue="my-bybit")["ADAUSDT"].venue == "my-bybit"

"""The shipped bracket tables: complete, dated, continuous, and found by any usual spelling."""

import json
import math
from datetime import date
from itertools import pairwise

import pytest

from liqbt.errors import ConfigError
from liqbt.margin import GENERIC_TIERS, leverage_tiers, shipped_tables, tier_table, tiers_or_generic
from liqbt.margin._symbols import contract_of, symbol_key

TABLES = shipped_tables()
IDS = [f"{table.venue} {table.symbol}" for table in TABLES]


def test_what_is_shipped():
    shipped = {}
    for table in TABLES:
        shipped.setdefault(table.venue, set()).add(table.symbol)
    majors = {f"{coin}USDT" for coin in ("BTC", "ETH", "SOL", "ADA", "ENA", "ALT", "DOGE", "XRP")}
    assert shipped == {"binance": majors, "bybit": {"BTCUSDT", "ADAUSDT"}, "hyperliquid": {"BTC", "ETH", "SOL", "XRP", "ADA", "ENA"}}


def test_every_table_says_where_it_is_from_and_when():
    days = {"binance": date(2026, 9, 29), "bybit": date(2026, 8, 5), "hyperliquid": None}  # the last copy bears no date
    for table in TABLES:
        assert table.as_of == days[table.venue]
        assert table.source
        assert table.contract == "linear"


@pytest.mark.parametrize("table", TABLES, ids=IDS)
def test_brackets_are_continuous_and_get_stricter(table):
    tiers = table.tiers
    assert tiers[0].min_notional == 0
    assert tiers[0].maintenance_amount == 0
    taxed = 0.0  # the requirement added up bracket by bracket, as an income tax
    for below, above in pairwise(tiers):
        edge = above.min_notional
        assert below.max_notional == edge
        taxed += (edge - below.min_notional) * below.maintenance_margin_rate
        for tier in (below, above):
            assert edge * tier.maintenance_margin_rate - tier.maintenance_amount == pytest.approx(taxed, rel=1e-9)
        assert above.maintenance_margin_rate > below.maintenance_margin_rate
        assert above.max_leverage < below.max_leverage
    assert all(tier.max_leverage * tier.maintenance_margin_rate < 1 for tier in tiers)


def test_amounts_by_hand():
    """c = 300,000 x (.005 - .004) = 300; + 800,000 x .0015 = 1,500; + 3,000,000 x .0035 = 12,000."""
    assert [tier.maintenance_amount for tier in leverage_tiers("binance", "BTCUSDT")[:4]] == pytest.approx([0, 300, 1500, 12000], rel=1e-12)
    (first, second) = leverage_tiers("hyperliquid", "BTC")
    assert (first.max_leverage, first.max_notional, first.maintenance_margin_rate) == (40, 150e6, 1 / 80)
    assert (second.max_notional, second.maintenance_amount) == (math.inf, pytest.approx(1_875_000, rel=1e-12))


def test_a_table_cut_short_says_so():
    (note,) = tier_table("bybit", "ADAUSDT").notes
    assert "first 10 of Bybit's 30 brackets" in note
    assert tiers_or_generic("bybit", "ADAUSDT") == (leverage_tiers("bybit", "ADAUSDT"), (note,))
    assert [table.symbol for table in TABLES if table.notes] == ["ADAUSDT"]


@pytest.mark.recorded
def test_the_tables_are_those_of_the_reference(recorded):
    file = recorded.parent / "reference" / "tiers.json"
    if not file.is_file():
        pytest.skip("the reference of bracket tables is not beside the recorded market data")
    reference = json.loads(file.read_text("utf-8"))
    found = set()
    for venue in ("binance", "bybit", "hyperliquid"):
        for symbol, rows in reference[venue].items():
            if symbol.startswith("_"):
                continue
            table = tier_table(venue, symbol)
            found.add((table.venue, table.symbol))
            assert len(table.tiers) == len(rows)
            for tier, row in zip(table.tiers, rows, strict=True):
                assert tier.min_notional == row["minNotional"]
                assert tier.max_notional == (math.inf if row["maxNotional"] is None else row["maxNotional"])
                assert tier.maintenance_margin_rate == row["maintenanceMarginRate"]
                assert tier.max_leverage == row["maxLeverage"]
                assert tier.maintenance_amount == pytest.approx(row["maintAmt"], rel=1e-9)
                if "info" in row:
                    assert tier.maintenance_amount == pytest.approx(row["info"]["cum"], rel=1e-9)
    assert found == {(table.venue, table.symbol) for table in TABLES}


@pytest.mark.parametrize("spelling", ["BTCUSDT", "btcusdt", "BTC/USDT:USDT", "BTC-USDT-SWAP", "BTC_USDT_USDT", "BTC-USDT", "BTCUSDT_PERP"])
@pytest.mark.parametrize("venue", ["binance", "Binance", "binanceusdm", "binance-futures"])
def test_spellings_of_one_market(venue, spelling):
    assert leverage_tiers(venue, spelling) is leverage_tiers("binance", "BTCUSDT")


@pytest.mark.parametrize("spelling", ["BTC", "BTC/USDC:USDC", "BTC-PERP", "BTC-USD", "BTCUSDC"])
def test_hyperliquid_names_the_coin_alone(spelling):
    assert leverage_tiers("hyperliquid", spelling) is leverage_tiers("hyperliquid", "BTC")


@pytest.mark.parametrize(
    ("venue", "symbol", "key", "contract"),
    [
        ("binance", "BTC/USD:BTC", "BTCUSD", "inverse"),
        ("binance", "BTCUSD_PERP", "BTCUSD", "inverse"),
        ("binance", "BTCUSD_240329", "BTCUSD240329", "inverse"),
        ("binance", "BTC/USD:BTC-240329", "BTCUSD240329", "inverse"),
        ("binance", "BTCUSDT_240329", "BTCUSDT240329", "linear"),
        ("binance", "BTC/USDT:USDT-240329", "BTCUSDT240329", "linear"),
        ("binance", "BTCUSDC", "BTCUSDC", "linear"),
        ("bybit", "BTCUSD", "BTCUSD", "inverse"),
        ("bybit", "BTCUSDH24", "BTCUSDH24", "inverse"),
        ("bybit", "BTCPERP", "BTCUSDC", "linear"),
        ("bybit", "BTC/USDC:USDC", "BTCUSDC", "linear"),
        ("okx", "BTC-USD-SWAP", "BTCUSD", "inverse"),
        ("okx", "BTC-USD_UM-SWAP", "BTCUSDUM", "linear"),
        ("hyperliquid", "kPEPE", "KPEPE", "linear"),
        ("hyperliquid", "BTC-USD", "BTC", "linear"),
        ("elsewhere", "BTC-USD", "BTCUSD", "linear"),
    ],
)
def test_what_spellings_mean(venue, symbol, key, contract):
    assert symbol_key(venue, symbol) == key
    assert contract_of(venue, symbol) == contract


@pytest.mark.parametrize(
    ("venue", "symbol", "message"),
    [
        ("binanse", "BTCUSDT", r"no leverage tiers are shipped for 'binanse'; did you mean 'binance'\?"),
        ("binance", "BTCUSD", r"no leverage tiers are shipped for 'BTCUSD' on binance; did you mean 'BTCUSDT'\?"),
        ("binance", "BTC/USD:BTC", r"no leverage tiers are shipped for 'BTC/USD:BTC' on binance"),
        ("binance", "BTC", r"no leverage tiers are shipped for 'BTC' on binance"),
        ("binance", "qqqq", r"'qqqq' on binance; known: .*ALTUSDT"),
    ],
)
def test_what_is_not_shipped(venue, symbol, message):
    with pytest.raises(ConfigError, match=message):
        leverage_tiers(venue, symbol)
    tiers, notes = tiers_or_generic(venue, symbol)
    assert tiers == GENERIC_TIERS
    assert notes == (f"no leverage tiers are shipped for {symbol} on {venue}: 0.50% maintenance margin and at most 100x are assumed",)


def test_shipped_tiers_come_without_a_note():
    assert tiers_or_generic("binance", "BTCUSDT") == (leverage_tiers("binance", "BTCUSDT"), ())

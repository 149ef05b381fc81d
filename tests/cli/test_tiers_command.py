"""`liqbt data tiers`: bracket tables into the store, and from there into the market and the map."""

from __future__ import annotations

import json
import math

import pytest
from command import fingerprint, refused, run
from margin.venue_answers import BYBIT, FREQTRADE, OKX
from samples_plain import INTEREST, OHLCV, hour, write

from liqbt.book.reconstruct import reconstruct
from liqbt.loading import load_market

SYMBOL = "1000BONKUSDT"  # liqbt comes without a table of it
STRICT = {
    "SOL/USDT:USDT": [
        {"minNotional": 0, "maxNotional": 1000, "maintenanceMarginRate": 0.04, "maxLeverage": 20},
        {"minNotional": 1000, "maxNotional": math.inf, "maintenanceMarginRate": 0.1, "maxLeverage": 5},
    ]
}


def file_of(folder, content, name="tiers.json"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.fixture
def store(tmp_path):
    """Two days of hourly bars, and open interest that grows, of a coin without a table and of one with."""
    for symbol in (SYMBOL, "SOLUSDT"):
        bars = [f"{hour(n)},{100 + n % 5},{107 + n % 5},{98 + n % 5},{101 + n % 5},50" for n in range(48)]
        interest = [f"{1_704_067_200_000 + 3_600_000 * (n + 1)},{1000 + 10 * n},{100_000 + 1000 * n}" for n in range(48)]
        paths = [write(tmp_path / f"{symbol}_bars.csv", OHLCV, *bars), write(tmp_path / f"{symbol}_oi.csv", INTEREST, *interest)]
        assert run("import", *paths, "--store", tmp_path / "store").code == 0
    return tmp_path / "store"


def tiers(store, *arguments):
    return run("data", "tiers", *arguments, "--store", store)


def market_of(store, symbol=SYMBOL):
    return load_market(store, venue="binance", symbol=symbol, interval="1h")


def test_an_imported_table_replaces_what_was_assumed(store, tmp_path):
    before = market_of(store)
    assert before.tiers is None
    assumed = reconstruct(before)
    assert assumed.rate == 0.005
    assert any(note.startswith(f"no leverage tiers are shipped for {SYMBOL} on binance") for note in assumed.notes)
    done = tiers(store, file_of(tmp_path, FREQTRADE), "--as-of", "2024-03-01")
    assert (done.code, done.err) == (0, "")
    for told in ("binance 1000BONK/USDT:USDT", "imported", "linear", "50x", "1.50%", "2024-03-01"):
        assert told in done.out
    after = market_of(store)
    assert [(tier.min_notional, tier.maintenance_margin_rate) for tier in after.tiers.tiers] == [(0, 0.015), (5000, 0.02), (50000, 0.025)]
    assert str(after.tiers.as_of) == "2024-03-01"
    book = reconstruct(after)
    assert book.rate == 0.015
    assert not any("no leverage tiers are shipped" in note for note in book.notes)
    assert any("75x, 100x is above the venue's maximum of 50x" in note for note in book.notes)
    assert max(assumed.mix.leverage) == 100
    assert max(book.mix.leverage) == 50


def test_an_imported_table_wins_over_the_one_that_comes_with_liqbt(store, tmp_path):
    shipped = reconstruct(market_of(store, "SOLUSDT"))
    assert tiers(store, file_of(tmp_path, STRICT), "--venue", "binance").code == 0
    strict = reconstruct(market_of(store, "SOLUSDT"))
    assert shipped.rate < strict.rate == 0.04
    assert max(shipped.mix.leverage) > max(strict.mix.leverage)
    assert reconstruct(market_of(store)).rate == 0.005  # of another coin


def test_the_listing_shows_what_was_imported(store, tmp_path):
    listed = tiers(store, "--json")
    assert {one["from"] for one in listed.json} == {"with liqbt"}
    tiers(store, file_of(tmp_path, FREQTRADE), "--as-of", "2024-03-01")
    tiers(store, file_of(tmp_path, BYBIT))
    shown = tiers(store)
    assert (shown.code, shown.err) == (0, "")
    assert "binance 1000BONK/USDT:USDT" in shown.out
    assert "with liqbt" in shown.out
    imported = [one for one in tiers(store, "--json").json if one["from"] == "imported"]
    assert [(one["venue"], one["symbol"], one["as_of"], len(one["tiers"])) for one in imported] == [
        ("binance", "1000BONK/USDT:USDT", "2024-03-01", 3),
        ("bybit", "ADAUSDT", "2026-08-05", 3),
    ]
    assert len(tiers(store, "--json").json) == len(listed.json) + 2
    assert run("data", "ls", "--store", store).code == 0  # tables are no recordings, and in nobody's way
    assert run("data", "check", "--store", store).code == 0


def test_what_is_printed_for_machines_is_json(store, tmp_path):
    """Python's `Infinity` is none."""

    def strict(text):
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    [table] = strict(tiers(store, file_of(tmp_path, STRICT), "--venue", "binance", "--json").out)
    assert [tier["max_notional"] for tier in table["tiers"]] == [1000, None]
    assert len(strict(tiers(store, "--json").out)) > 1


def test_importing_the_same_again_changes_nothing(store, tmp_path):
    path = file_of(tmp_path, FREQTRADE)
    assert tiers(store, path).code == 0
    before = fingerprint(store)
    assert tiers(store, path).code == 0
    assert fingerprint(store) == before


def test_tables_can_come_before_recordings(tmp_path):
    store = tmp_path / "new"
    assert tiers(store, file_of(tmp_path, FREQTRADE)).code == 0
    assert run("data", "ls", "--store", store, "--json").json["store"] == []
    path = write(tmp_path / f"{SYMBOL}_bars.csv", OHLCV, *(f"{hour(n)},100,101,99,100,5" for n in range(3)))
    assert run("import", path, "--store", store).code == 0
    assert market_of(store).tiers.symbol == "1000BONK/USDT:USDT"


def broken(**changes):
    """The file with other values in its second bracket."""
    first, second, *rest = FREQTRADE["1000BONK/USDT:USDT"]
    return {"1000BONK/USDT:USDT": [first, {**second, **changes}, *rest]}


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        pytest.param("", [], "tiers.json: is empty", id="empty"),
        pytest.param('{"1000BONK/USDT:USDT": [', [], "tiers.json: is no JSON", id="torn"),
        pytest.param("[]", [], "tiers.json: ", id="empty list"),
        pytest.param({"a": 1}, [], "tiers.json: ", id="another form"),
        pytest.param(broken(maintenanceMarginRate=1.5), [], "tier 2", id="rate above 1"),
        pytest.param(broken(minNotional=7000.0), [], "tier 2", id="gap between brackets"),
        pytest.param(broken(maxLeverage=0), [], "tier 2", id="no leverage"),
        pytest.param(broken(maintenanceMarginRate="high"), [], "tier 2", id="text for a rate"),
        pytest.param(STRICT, [], "venue: ", id="nobody tells the venue"),
        pytest.param(FREQTRADE, ["--venue", "bybit"], "holds tables of binance, not of 'bybit'", id="another venue"),
        pytest.param(FREQTRADE, ["--symbol", "BTCUSDT"], "has no leverage tiers of 'BTCUSDT'", id="symbol that is not there"),
        pytest.param(FREQTRADE, ["--as-of", "lately"], "as_of: 'lately'", id="day"),
        pytest.param(FREQTRADE, ["--percent"], "is a fraction already", id="percent of fractions"),
        pytest.param(FREQTRADE, ["--contract-size", "1"], "are values, not contracts", id="contract size of values"),
        pytest.param(OKX, ["--symbol", "BTC-USDT-SWAP"], "contract_size: bounds in", id="contract size missing"),
        pytest.param(STRICT, ["--venue", "../up"], "venue: '../up' is no plain name", id="venue that climbs"),
    ],
)
def test_a_broken_file_is_refused_and_nothing_changes(store, tmp_path, content, options, says):
    assert tiers(store, file_of(tmp_path / "good", FREQTRADE)).code == 0
    before, path = fingerprint(store), file_of(tmp_path, content)
    refused("data", "tiers", path, *options, "--store", store, says=says)
    assert fingerprint(store) == before
    refused("data", "tiers", path, *options, "--store", tmp_path / "fresh", says=says)
    assert not (tmp_path / "fresh").exists()


def test_a_damaged_table_in_the_store(store, tmp_path):
    assert tiers(store, file_of(tmp_path, FREQTRADE)).code == 0
    saved = store / "leverage_tiers" / "binance.json"
    saved.write_text(saved.read_text()[:-20])
    before = fingerprint(store)
    refused("data", "tiers", "--store", store, says="delete the file and import its tables again")
    refused("data", "tiers", file_of(tmp_path, FREQTRADE), "--store", store, says=str(saved))
    assert fingerprint(store) == before


def test_a_store_on_s3_keeps_none(tmp_path):
    refused("data", "tiers", file_of(tmp_path, FREQTRADE), "--store", "s3://bucket/store", says="is on S3, which keeps no bracket tables")

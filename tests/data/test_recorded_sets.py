"""Every recorded set by one command, and what `liqbt data check` then says of it, against what is known to be wrong with it."""

from __future__ import annotations

import pytest
from command import run

pytestmark = pytest.mark.recorded

CANDLES = 3 * 35_040 + 4 * 52_560
HOURS = 1465
SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")


@pytest.fixture(scope="module")
def imported(recorded, tmp_path_factory):
    """Import sets into a store of their own; returns the store and, by set, what the command answered."""

    def make(*sets):
        store = tmp_path_factory.mktemp("recorded") / "store"
        answers = {name: run("import", recorded / name, *options, "--store", store, "--json") for name, *options in sets}
        assert {name: answer.code for name, answer in answers.items()} == dict.fromkeys(answers, 0), answers
        return store, {name: answer.json for name, answer in answers.items()}

    return make


@pytest.fixture(scope="module")
def shifted(imported):
    """Coinalyze on the clock that it was exported on, and the official candles."""
    return imported(("coinalyze_2024", "--venue", "coinalyze"), ("ccxt_klines",))


@pytest.fixture(scope="module")
def corrected(imported):
    return imported(("coinalyze_2024", "--venue", "coinalyze", "--utc-offset", 6), ("ccxt_klines",))


@pytest.fixture(scope="module")
def futures(imported):
    """Freqtrade's candles, and open interest beside them."""
    return imported(("freqtrade_binance",), ("open_interest_binance", "--quote", "USDT"))


@pytest.fixture(scope="module")
def hyperliquid(imported):
    return imported(("hyperliquid_doge",))


@pytest.fixture(scope="module")
def forced(imported):
    return imported(("binance_forceorder_2024",))


def kept(results):
    """Rows by market, table and interval of what an import stored."""
    sums = {}
    for one in [one for file in results for one in file["stored"]]:
        key = (one["venue"], one["symbol"], one["table"], one["interval"])
        sums[key] = sums.get(key, 0) + one["rows"]
    return sums


def check(place, *options):
    """What the command says, by venue and symbol: findings by code and table."""
    done = run("data", "check", "--store", place[0], *options, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["counts"] == {
        severity: sum(one["severity"] == severity for some in done.json["symbols"] for one in some["findings"])
        for severity in ("note", "warning", "error")
    }
    return {
        (some["venue"], some["symbol"]): {(one["code"], one["table"]): one for one in some["findings"]} for some in done.json["symbols"]
    }


def grave(findings):
    return {key for key, one in findings.items() if one["severity"] != "note"}


def test_coinalyze_is_imported_by_one_command(shifted):
    files = shifted[1]["coinalyze_2024"]
    assert len(files) == 9
    assert all(file["taken_for"].startswith("a Coinalyze export, ") for file in files)
    rows = kept(files)
    assert rows == {
        ("coinalyze", symbol, table, interval): HOURS - 2 * (symbol == "SOLUSDT" and table != "liquidation_totals")
        for symbol in SYMBOLS
        for table, interval in (("bars", "1h"), ("open_interest", None), ("liquidation_totals", "1h"))
    }
    copied = {file["source"]: file["notes"] for file in files if "liquidation" in file["source"]}
    assert copied["BTCUSDT_PERP.A_liquidation-history.csv"] == ["19 duplicated rows reassigned to the intervals before them as zeros"]


def test_candles_are_imported_by_one_command(shifted):
    files = shifted[1]["ccxt_klines"]
    assert {file["taken_for"] for file in files} == {"text with named columns, mapping 'ohlcv'"}
    rows = kept(files)
    assert sum(rows.values()) == CANDLES
    assert rows["binance", "ADAUSDT", "bars", "15m"] == 35_040
    assert rows["binance", "ADAUSDT", "bars", "30m"] == 52_560


def test_a_clock_that_is_six_hours_off_is_told_with_the_remedy(shifted):
    found = check(shifted, "--against", "binance")
    for symbol in SYMBOLS:
        finding = found["coinalyze", symbol]["clock_shift", "bars 1h"]
        assert finding["severity"] == "error"
        assert "the clock of coinalyze runs 6 h ahead of that of binance" in finding["message"]
        assert "--utc-offset 6," in finding["message"]
        assert ("volume_missing", "bars 1h") not in found["coinalyze", symbol]
    shown = run("data", "check", "--store", shifted[0], "--venue", "coinalyze", "--symbol", "BTCUSDT", "--against", "binance")
    assert shown.code == 0
    assert "clock_shift" in shown.out
    assert "--utc-offset 6" in " ".join(shown.out.split())
    assert "1 error" in shown.err


def test_on_the_right_clock_the_outages_show(corrected):
    found = check(corrected, "--against", "binance")
    assert not [key for findings in found.values() for key in findings if key[0] == "clock_shift"]
    for symbol, hours in zip(SYMBOLS, (21, 21, 24), strict=True):
        assert found["coinalyze", symbol]["volume_missing", "bars 1h"]["count"] == hours
    crash = found["coinalyze", "BTCUSDT"]["range_missing", "bars 1h"]
    assert crash["first"] == "2024-08-05T01:00:00.000Z"
    assert "low 52601.5, not 52222" in crash["message"]
    hour = ("--venue", "coinalyze", "--symbol", "BTCUSDT", "--start", "2024-08-05T00:00", "--end", "2024-08-05T04:00")
    [(key, findings)] = check(corrected, *hour, "--against", "binance").items()
    assert key == ("coinalyze", "BTCUSDT")
    assert {code for code, _ in findings} == {"volume_missing", "range_missing"}
    assert all((one["count"], one["first"]) == (1, "2024-08-05T01:00:00.000Z") for one in findings.values())


def test_rows_that_were_made_up_are_gaps(corrected):
    found = check(corrected)
    gap = found["coinalyze", "SOLUSDT"]["gap", "bars 1h"]
    assert (gap["count"], gap["first"], gap["last"]) == (2, "2024-07-19T10:00:00.000Z", "2024-07-19T12:00:00.000Z")
    assert set(found["coinalyze", "SOLUSDT"]) == {("gap", "bars 1h"), ("gap", "open_interest")}
    assert found["coinalyze", "BTCUSDT"] == found["coinalyze", "ETHUSDT"] == {}


def test_candles_without_gaps_get_no_warning(corrected):
    found = check(corrected, "--venue", "binance")
    assert {symbol for _, symbol in found} == {*SYMBOLS, "ADAUSDT", "ALTUSDT", "ENAUSDT"}
    ada = found.pop(("binance", "ADAUSDT"))
    assert not any(found.values())
    # Its 15m and 30m files disagree on two half hours, and the end of the former was fetched before it closed.
    assert set(ada) == {("volume_missing", "bars 15m"), ("unfinished", "bars 15m")}
    assert ada["volume_missing", "bars 15m"]["first"] == "2024-10-28T20:30:00.000Z"


def test_freqtrade_and_open_interest_are_imported_by_one_command_each(futures):
    files = futures[1]["freqtrade_binance"]
    assert len(files) == 11
    assert {file["taken_for"] for file in files} == {"a freqtrade feather file"}
    tables = {(symbol, table, interval) for _, symbol, table, interval in kept(files)}
    assert {("ADAUSDT", "mark", "1h"), ("ADAUSDT", "funding", None), ("ENAUSDT", "funding", None), ("DOGEUSDT", "bars", "1m")} <= tables
    interest = kept(futures[1]["open_interest_binance"])
    assert {key[1:] for key in interest} == {(f"{coin}USDT", "open_interest", None) for coin in ("DOGE", "ETH", "SOL")}


def test_funding_at_another_pace_than_its_name_says(futures):
    found = check(futures)
    for coin, hours, named in (("ADA", 8, "1h"), ("ENA", 4, "8h")):
        cadence = found["binance", f"{coin}USDT"]["funding_cadence", "funding"]
        assert f"every {hours} h although {coin}_USDT_USDT-{named}-funding_rate.feather is named {named}" in cadence["message"]
    assert ("funding_cadence", "funding") not in found["binance", "SOLUSDT"]
    gap = found["binance", "ENAUSDT"]["gap", "funding"]
    assert (gap["first"], gap["last"]) == ("2025-07-17T16:00:00.000Z", "2025-12-31T08:00:00.000Z")


def test_open_interest_that_came_two_seconds_late(futures):
    found = check(futures)
    for coin, rows in (("SOL", 5), ("ETH", 2), ("DOGE", 2)):
        late = found["binance", f"{coin}USDT"]["off_grid", "open_interest"]
        assert (late["severity"], late["count"]) == ("note", rows)
        assert "up to 2 s off the grid" in late["message"]
        assert grave(found["binance", f"{coin}USDT"]) <= {("ends_early", "funding")}


def test_a_healthy_span_has_no_warning(futures):
    found = check(futures, "--start", "2025-12-01", "--end", "2026-05-01")
    assert {symbol for _, symbol in found} == {"ADAUSDT", "DOGEUSDT", "ENAUSDT", "ETHUSDT", "SOLUSDT"}
    assert not any(map(grave, found.values()))


def test_hyperliquid_is_imported_by_one_command(hyperliquid):
    files = hyperliquid[1]["hyperliquid_doge"]
    assert {file["taken_for"] for file in files} == {
        f"recorded Hyperliquid {what}, recorded lines" for what in ("trades", "contexts", "order books")
    }
    rows = kept(files)
    assert {key[:3] for key in rows} == {
        ("hyperliquid", "DOGE", table) for table in ("trades", "depth", "open_interest", "funding", "mark", "index")
    }
    [findings] = check(hyperliquid).values()
    # Contexts come a little more than a minute apart, so that now and then a minute has none.
    assert grave(findings) == {("gap", "mark 1m"), ("gap", "index 1m")}
    assert "the longest of 60 s" in findings["gap", "mark 1m"]["message"]


def test_forced_orders_with_outages_and_one_event_a_second(forced):
    [file] = forced[1]["binance_forceorder_2024"]
    assert file["taken_for"].startswith("a recorded CSV of Binance's forced orders, ")
    assert kept([file]) == {("binance", "BTCUSDT", "liquidations", None): 2313}
    assert file["notes"] == ["104 rows without a symbol at the price of another market left out"]
    [findings] = check(forced).values()
    assert set(findings) == {("throttled", "liquidations"), ("gap", "liquidations")}
    assert "at most one event a second" in findings["throttled", "liquidations"]["message"]
    [findings] = check(forced, "--end", "2024-12-06T19:00").values()
    gap = findings["gap", "liquidations"]
    assert (gap["severity"], gap["count"], gap["first"]) == ("warning", 3, "2024-12-05T01:54:56.590Z")
    assert "the longest of 21.3 h from 2024-12-05 20:47:36 to 2024-12-06 18:08:15" in gap["message"]
    coverage = run("data", "check", "--store", forced[0], "--end", "2024-12-06T19:00", "--json").json["symbols"][0]["coverage"]
    [shares] = [one["share"] for one in coverage]
    silent = "".join("x" if share == 0 else "." for share in shares)
    assert [len(run_) for run_ in silent.split(".") if run_] == [4, 8, 21]  # whole hours of gaps of 5, 9 and 21

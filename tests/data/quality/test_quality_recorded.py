"""What the checks say of real recordings, whose defects are known."""

from __future__ import annotations

import functools
import gzip
import io

import numpy as np
import polars as pl
import pytest
from quality_frames import codes, put

from liqbt._time import parse_instant
from liqbt.data.importing import import_files
from liqbt.data.quality import check_store, check_tables
from liqbt.data.store import Store
from liqbt.data.validation import canonical

pytestmark = pytest.mark.recorded

HOUR = 3_600_000_000_000
COINALYZE = ("ohlcv", "open-interest", "liquidation")


@pytest.fixture(scope="module")
def store(recorded, tmp_path_factory):
    """Coinalyze in UTC and as exported, the official candles, and freqtrade's files with open interest."""
    folder = tmp_path_factory.mktemp("recorded") / "store"
    for symbol in ("BTC", "ETH", "SOL"):
        files = [recorded / "coinalyze_2024" / f"{symbol}USDT_PERP.A_{kind}-history.csv" for kind in COINALYZE]
        for venue, offset in (("coinalyze", 6), ("raw", 0)):
            import_files(files, store=folder, venue=venue, symbol=f"{symbol}USDT", reader="coinalyze", utc_offset_hours=offset)
        candles = recorded / "ccxt_klines" / f"{symbol}USDT_30m_1095.csv.gz"
        import_files([candles], store=folder, venue="official", symbol=f"{symbol}USDT", reader="generic_csv", mapping="ohlcv")
        import_files(files[1:], store=folder, venue="mixed", symbol=f"{symbol}USDT", reader="coinalyze")
        put(folder, "mixed", f"{symbol}USDT", "bars", Store(folder).read("official", f"{symbol}USDT", "bars", "30m")[0], "30m")
    for symbol in ("ENA", "ALT", "ADA"):
        candles = recorded / "ccxt_klines" / f"{symbol}USDT_15m_365.csv.gz"
        import_files([candles], store=folder, venue="official", symbol=f"{symbol}USDT", reader="generic_csv", mapping="ohlcv")
    for file in sorted((recorded / "freqtrade_binance").iterdir()):
        import_files([file], store=folder, venue="freqtrade", symbol=f"{file.name.split('_')[0]}USDT", reader="freqtrade")
    for symbol in ("ETH", "SOL", "DOGE"):
        file = recorded / "open_interest_binance" / f"{symbol}_oi_5m.csv.gz"
        import_files([file], store=folder, venue="freqtrade", symbol=f"{symbol}USDT", reader="generic_csv", mapping="open_interest")
    return folder


def found(store, venue, symbol, **options):
    (only,) = check_store(store, venue=venue, symbol=symbol, **options).symbols
    return list(only.findings)


told = functools.cache(found)  # of the store that does not change


def pick(findings, code, table):
    (only,) = [one for one in findings if (one.code, one.table) == (code, table)]
    return only


def stamp(text):
    return parse_instant(text, parameter="text")


@pytest.mark.parametrize(("symbol", "hours", "ranges"), [("BTCUSDT", 21, 3), ("ETHUSDT", 21, 4), ("SOLUSDT", 24, 5)])
def test_hours_in_which_the_recorder_of_coinalyze_was_out(store, symbol, hours, ranges):
    findings = told(store, "coinalyze", symbol, against="official")
    assert pick(findings, "volume_missing", "bars 1h").count == hours
    assert pick(findings, "range_missing", "bars 1h").count == ranges
    gaps = 2 if symbol == "SOLUSDT" else 0
    assert codes(findings) == ["volume_missing", "range_missing", *["gap"] * gaps]


def test_the_hour_of_the_crash_is_among_them(store):
    findings = told(store, "coinalyze", "BTCUSDT", against="official", start="2024-08-05T00:00", end="2024-08-05T05:00")
    at = stamp("2024-08-05T01:00")
    assert [(one.code, one.count, one.first) for one in findings] == [("volume_missing", 1, at), ("range_missing", 1, at)]
    assert "low 52601.5, not 52222" in findings[1].message


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_the_clock_of_the_exports(store, symbol):
    finding = pick(told(store, "raw", symbol, against="official"), "clock_shift", "bars 1h")
    assert finding.severity == "error"
    assert "the clock of raw runs 6 h ahead of that of official" in finding.message
    assert "--utc-offset 6," in finding.message
    assert not [one for one in told(store, "coinalyze", symbol, against="official") if one.code == "clock_shift"]


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_exports_beside_official_candles_without_their_offset(store, symbol):
    findings = told(store, "mixed", symbol)
    for table in ("liquidation_totals 1h", "open_interest"):
        assert "runs about 6 h ahead of that of the bars" in pick(findings, "clock_shift", table).message


def test_rows_that_sol_lacks(store):
    findings = told(store, "coinalyze", "SOLUSDT")
    assert [(one.code, one.table, one.count) for one in findings] == [("gap", "bars 1h", 2), ("gap", "open_interest", 2)]
    assert (findings[0].first, findings[0].last) == (stamp("2024-07-19T10:00"), stamp("2024-07-19T12:00"))
    assert told(store, "coinalyze", "BTCUSDT") == told(store, "coinalyze", "ETHUSDT") == []


@pytest.mark.parametrize(("symbol", "rows", "first"), [("SOL", 5, "2025-12-02T01:15:02"), ("ETH", 2, None), ("DOGE", 2, None)])
def test_open_interest_two_seconds_late(store, symbol, rows, first):
    finding = pick(told(store, "freqtrade", f"{symbol}USDT"), "off_grid", "open_interest")
    assert (finding.severity, finding.count) == ("note", rows)
    assert "up to 2 s off the grid" in finding.message
    assert first is None or finding.first == stamp(first)


def test_a_healthy_recording_has_no_warning(store):
    findings = told(store, "freqtrade", "SOLUSDT", start="2025-12-01", end="2026-05-01")
    assert [(one.code, one.severity) for one in findings] == [("off_grid", "note")]
    source = Store(store)
    tables = {"bars": source.read("freqtrade", "SOLUSDT", "bars", "5m")[0]}
    tables |= {name: source.read("freqtrade", "SOLUSDT", name)[0] for name in ("open_interest", "funding")}
    assert check_tables(tables, "5m") == ()


@pytest.mark.parametrize("symbol", ["ENAUSDT", "ALTUSDT", "ADAUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT"])
def test_crashes_are_no_defects(store, symbol):
    assert told(store, "official", symbol) == []


def test_funding_and_its_files_names(store):
    findings = told(store, "freqtrade", "ADAUSDT")
    assert "every 8 h although ADA_USDT_USDT-1h-funding_rate.feather is named 1h" in pick(findings, "funding_cadence", "funding").message
    findings = told(store, "freqtrade", "ENAUSDT")
    assert "every 4 h although ENA_USDT_USDT-8h-funding_rate.feather is named 8h" in pick(findings, "funding_cadence", "funding").message
    gap = pick(findings, "gap", "funding")
    assert (gap.count, gap.first, gap.last) == (1000, stamp("2025-07-17T16:00"), stamp("2025-12-31T08:00"))
    findings = told(store, "freqtrade", "SOLUSDT")
    assert "funding_cadence" not in codes(findings)
    early = pick(findings, "ends_early", "funding")
    assert (early.severity, early.last) == ("warning", stamp("2026-05-16T06:05"))
    assert "the record of funding ends at 2026-05-06 08:00:00, 9.92 d before that of the bars" in early.message


def test_a_wick_that_the_mark_price_denies(store):
    findings = told(store, "freqtrade", "ADAUSDT")
    tick = pick(findings, "bad_tick", "bars 1h")
    assert (tick.count, tick.first) == (1, stamp("2020-02-28T17:00"))
    assert "low 0.02286, high 0.04869, mark 0.0476847 to 0.0486356" in pick(findings, "beyond_mark", "mark 1h").message


def test_candles_of_a_venue_that_stood_still(store):
    for symbol in ("SOLUSDT", "DOGEUSDT"):
        silent = pick(told(store, "freqtrade", symbol), "no_volume", "bars 5m")
        assert (silent.severity, silent.count, silent.first) == ("note", 3, stamp("2025-08-29T06:20"))


def test_candles_that_were_fetched_before_they_closed(store):
    finding = pick(told(store, "freqtrade", "SOLUSDT", against="official"), "unfinished", "bars 5m")
    assert (finding.count, finding.first) == (1, stamp("2025-10-24T02:00"))
    assert "the end of official was recorded before it closed" in finding.message


def forced_orders(recorded, rows):
    lines = (recorded / "binance_forceorder_2024" / "liquidation_orders.csv").read_text().splitlines()[1:][rows]
    fields = [line.split(",") for line in lines]
    events = [
        # The later layout names the position; its orders to buy stand above the market as the earlier ones of shorts do.
        (one[11], "long" if one[1] == "SELL" else "short", one[9], one[6])
        if len(one) == 12
        else (one[0], "long" if one[1] == "Long Trade" else "short", one[4], one[2])
        for one in fields
    ]
    time = pl.col("time").str.to_datetime("%Y-%m-%d %H:%M:%S%.f%:z").dt.convert_time_zone("UTC").alias("timestamp")
    frame = pl.DataFrame(events, schema=["time", "side", "amount", "price"], orient="row").with_columns(time).drop("time")
    return canonical(frame, "liquidations", source="forced orders")


def test_forced_orders_with_gaps_and_one_event_a_second(recorded, tmp_path):
    put(tmp_path / "store", "binance", "BTCUSDT", "liquidations", forced_orders(recorded, slice(1844)))
    throttled, gap = found(tmp_path / "store", "binance", "BTCUSDT")
    assert (throttled.code, throttled.count) == ("throttled", 1844)
    assert (gap.code, gap.count) == ("gap", 3)
    coverage = check_store(tmp_path / "store").symbols[0].coverage[0]
    out = np.flatnonzero(coverage.share == 0)
    runs = np.split(out, np.flatnonzero(np.diff(out) > 1) + 1)
    starts = [str(np.datetime64(coverage.start + HOUR * int(run[0]), "ns"))[:13] for run in runs]
    assert list(zip(starts, map(len, runs), strict=True)) == [("2024-12-05T02", 4), ("2024-12-05T09", 8), ("2024-12-05T21", 21)]
    assert "the longest of 21.3 h from 2024-12-05 20:47:36 to 2024-12-06 18:08:15" in gap.message


def test_forced_orders_of_other_symbols_in_the_later_layout(recorded, tmp_path):
    put(tmp_path / "store", "binance", "BTCUSDT", "liquidations", forced_orders(recorded, slice(None)))
    candles = recorded / "ccxt_klines" / "BTCUSDT_30m_1095.csv.gz"
    for bars in (False, True):
        if bars:
            import_files([candles], store=tmp_path / "store", venue="binance", symbol="BTCUSDT", reader="generic_csv", mapping="ohlcv")
        findings = found(tmp_path / "store", "binance", "BTCUSDT", start="2024-12-04T16:30", end="2024-12-13T13:00")
        assert codes(findings) == ["foreign_price", "throttled", "gap"]
        assert (findings[0].count, findings[0].first) == (104, stamp("2024-12-07T16:18:49.654"))
        assert findings[2].count == 7


def test_forced_orders_are_on_the_clock_of_the_candles(recorded, tmp_path):
    put(tmp_path / "store", "binance", "BTCUSDT", "liquidations", forced_orders(recorded, slice(1844)))
    candles = recorded / "ccxt_klines" / "BTCUSDT_30m_1095.csv.gz"
    import_files([candles], store=tmp_path / "store", venue="binance", symbol="BTCUSDT", reader="generic_csv", mapping="ohlcv")
    findings = found(tmp_path / "store", "binance", "BTCUSDT", start="2024-12-04T16:30", end="2024-12-06T18:30")
    assert codes(findings) == ["throttled", "gap"]


def test_trades_and_open_interest_of_hyperliquid(recorded, tmp_path):
    def lines(kind):
        files = sorted((recorded / "hyperliquid_doge").glob(f"{kind}_*"))
        rows = pl.concat([pl.read_ndjson(io.BytesIO(gzip.decompress(file.read_bytes()))) for file in files])
        return rows.with_columns(timestamp=pl.from_epoch("ts", time_unit="ms"))

    side = pl.when(pl.col("side") == "B").then(pl.lit("buy")).otherwise(pl.lit("sell"))
    trades = lines("trades").select("timestamp", price="px", amount="sz", side=side)
    put(tmp_path / "store", "hyperliquid", "DOGE", "trades", canonical(trades, "trades", source="trades"))
    held = canonical(lines("ctx").select("timestamp", open_interest="oi"), "open_interest", source="ctx")
    put(tmp_path / "store", "hyperliquid", "DOGE", "open_interest", held)
    (gap,) = found(tmp_path / "store", "hyperliquid", "DOGE")
    assert (gap.code, gap.severity, gap.table, gap.count) == ("gap", "note", "open_interest", 1)
    assert "2026-06-13 09:02:04" in gap.message

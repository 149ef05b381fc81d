"""The readers on real recordings: kinds, counts, clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from reading import read_one

from liqbt.data.importing import import_files
from liqbt.loading import load_market

RECORDED = Path(__file__).parents[2] / ".." / "shared" / "data"
COINALYZE, FREQTRADE = RECORDED / "coinalyze_2024", RECORDED / "freqtrade_binance"
HOURS = 1465
SPAN = (datetime(2024, 6, 19, 21, tzinfo=UTC), datetime(2024, 8, 19, 21, tzinfo=UTC))

pytestmark = [
    pytest.mark.recorded,
    pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded market data (../shared/data) is not here"),
]


def coinalyze(symbol, kind, **options):
    return read_one(COINALYZE / f"{symbol}USDT_PERP.A_{kind}-history.csv", reader="coinalyze", utc_offset_hours=6, **options)


def steps(rows):
    return rows["timestamp"].diff().drop_nulls().unique().to_list()


def official_hours(symbol):
    rows = read_one(RECORDED / "ccxt_klines" / f"{symbol}USDT_30m_1095.csv.gz", reader="generic_csv", mapping="ohlcv").rows
    hour = pl.col("timestamp").dt.truncate("1h")
    return (
        rows.group_by(hour, maintain_order=True)
        .agg(pl.first("open"), pl.max("high"), pl.min("low"), pl.last("close"), pl.sum("volume"), halves=pl.len())
        .filter(pl.col("halves") == 2)
    )


@pytest.mark.parametrize(("symbol", "repeated"), [("BTC", 19), ("ETH", 32), ("SOL", 22)])
def test_liquidation_stamps_are_complete_and_unique(symbol, repeated):
    recording = coinalyze(symbol, "liquidation")
    rows = recording.rows
    assert (recording.table, recording.interval, rows.height) == ("liquidation_totals", "1h", HOURS)
    assert steps(rows) == [timedelta(hours=1)]
    assert (rows["timestamp"][0], rows["timestamp"][-1]) == SPAN
    assert recording.notes == (f"{repeated} duplicated rows reassigned to the intervals before them as zeros",)
    assert rows.filter((pl.col("long") == 0) & (pl.col("short") == 0)).height >= repeated


@pytest.mark.parametrize(("symbol", "rows"), [("BTC", 1465), ("ETH", 1465), ("SOL", 1463)])
def test_bars_and_open_interest(symbol, rows):
    bars, oi = coinalyze(symbol, "ohlcv"), coinalyze(symbol, "open-interest")
    assert (bars.table, bars.interval, bars.rows.height) == ("bars", "1h", rows)
    assert (oi.table, oi.interval, oi.rows.height) == ("open_interest", None, rows)
    assert oi.rows["timestamp"].to_list() == bars.rows["available_at"].to_list()
    assert bool(bars.notes) == bool(oi.notes) == (rows < HOURS)


def close_agreement(symbol, offset):
    bars = read_one(COINALYZE / f"{symbol}USDT_PERP.A_ohlcv-history.csv", reader="coinalyze", utc_offset_hours=offset).rows
    both = bars.join(official_hours(symbol), on="timestamp", suffix="_official")
    assert both.height > 1400
    return float(((both["close"] / both["close_official"] - 1).abs() < 0.001).mean())


@pytest.mark.parametrize("symbol", ["BTC", "ETH", "SOL"])
def test_closes_agree_with_the_official_ones_after_the_shift_of_six_hours(symbol):
    assert close_agreement(symbol, 6) == 1.0
    for wrong in (0, 5, 7):
        assert close_agreement(symbol, wrong) < 0.5


def test_the_row_above_a_repetition_belongs_to_the_first_missing_hour():
    bars = coinalyze("SOL", "ohlcv").rows
    first = datetime(2024, 7, 19, 9, tzinfo=UTC)
    both = bars.filter(pl.col("timestamp") == first).join(official_hours("SOL"), on="timestamp", suffix="_official")
    assert both["open"][0] == pytest.approx(both["open_official"][0], rel=1e-3)


@pytest.mark.parametrize(
    ("name", "table", "interval", "rows"),
    [
        ("SOL_USDT_USDT-5m-futures", "bars", "5m", 116_425),
        ("ADA_USDT_USDT-1h-mark", "mark", "1h", 55_426),
        ("SOL_USDT_USDT-8h-funding_rate", "funding", None, 1_379),
        ("ADA_USDT_USDT-1h-funding_rate", "funding", None, 6_928),
    ],
)
def test_freqtrade(name, table, interval, rows):
    recording = read_one(FREQTRADE / f"{name}.feather", reader="freqtrade")
    assert (recording.table, recording.interval, recording.rows.height) == (table, interval, rows)
    if interval is not None:
        assert len(steps(recording.rows)) == 1
    else:
        assert recording.rows["funding_rate"].abs().max() < 0.05
        assert recording.rows["funding_rate"].abs().max() > 0


def test_open_interest_at_five_minutes():
    recording = read_one(RECORDED / "open_interest_binance" / "SOL_oi_5m.csv.gz", reader="generic_csv", mapping="open_interest")
    assert (recording.table, recording.rows.height) == ("open_interest", 55_296)
    assert recording.rows["timestamp"][0] == datetime(2025, 12, 1, 0, 5, tzinfo=UTC)
    # Five snapshots of this file were taken two seconds late; they are kept as stamped.
    late = recording.rows["timestamp"] - recording.rows["timestamp"].dt.truncate("5m")
    assert late.dt.total_seconds().value_counts().sort("timestamp").rows() == [(0, 55_291), (2, 5)]
    price = recording.rows["open_interest_value"] / recording.rows["open_interest"]
    assert 30 < price.min() < price.max() < 300


def test_from_files_to_a_market(tmp_path):
    store = tmp_path / "store"
    for kind in ("ohlcv", "open-interest", "liquidation"):
        path = COINALYZE / f"SOLUSDT_PERP.A_{kind}-history.csv"
        import_files([path], store=store, venue="binance", symbol="SOLUSDT", reader="coinalyze", utc_offset_hours=6)
    market = load_market(store, venue="binance", symbol="SOLUSDT", interval="1h")
    assert market.n_bars == HOURS
    assert market.observed.sum() == HOURS - 2
    assert market.taker_buy_volume is not None
    assert not np.isnan(market.open_interest).any()
    assert not np.isnan(market.liquidated).any()
    assert {one.table for one in market.inputs} == {"bars", "open_interest", "liquidation_totals"}
    part = load_market(store, venue="binance", symbol="SOLUSDT", interval="1h", start="2024-08-01", end="2024-08-06")
    at = int(np.searchsorted(market.timestamp, part.timestamp[0]))
    np.testing.assert_array_equal(part.open_interest, market.open_interest[at : at + part.n_bars])


def test_five_minutes_of_sol_with_open_interest_and_funding(tmp_path):
    store = tmp_path / "store"
    to = {"store": store, "venue": "binance", "symbol": "SOLUSDT"}
    import_files([FREQTRADE / f"SOL_USDT_USDT-{kind}.feather" for kind in ("5m-futures", "8h-funding_rate")], reader="freqtrade", **to)
    import_files([RECORDED / "open_interest_binance" / "SOL_oi_5m.csv.gz"], reader="generic_csv", mapping="open_interest", **to)
    market = load_market(**to, interval="5m", start="2026-01-01", end="2026-05-01")
    assert market.n_bars == 120 * 288
    assert market.findings == ()
    assert np.count_nonzero(market.funding_rate) >= 120 * 3 - 5

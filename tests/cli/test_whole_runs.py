"""The commands as a user runs them, in processes of their own: the demo, and every recorded market."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

LIQBT = str(Path(sys.executable).with_name("liqbt"))


def liqbt(*arguments):
    done = subprocess.run([LIQBT, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def test_demo(tmp_path):
    done = liqbt("demo", "--out", tmp_path)
    assert "SYNTHETIC" in done.stderr
    assert f"report: {tmp_path / 'report.html'}" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"heatmap.png", "report.html", "report.html.run.toml"}
    assert "This market is synthetic." in (tmp_path / "report.html").read_text("utf-8")


def coinalyze(recorded, coin):
    return [(sorted((recorded / "coinalyze_2024").glob(f"{coin}USDT_*.csv")), "--reader", "coinalyze", "--utc-offset", 6)]


def freqtrade(recorded, coin):
    bars = sorted((recorded / "freqtrade_binance").glob(f"{coin}_USDT_USDT-5m-futures.feather"))
    funding = sorted((recorded / "freqtrade_binance").glob(f"{coin}_USDT_USDT-8h-funding_rate.feather"))
    interest = [recorded / "open_interest_binance" / f"{coin}_oi_5m.csv.gz"]
    return [(bars + funding, "--reader", "freqtrade"), (interest, "--reader", "generic_csv", "--mapping", "open_interest")]


def ccxt(recorded, coin):
    return [([recorded / "ccxt_klines" / f"{coin}USDT_15m_365.csv.gz"], "--reader", "generic_csv", "--mapping", "ohlcv")]


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("files", "coin", "interval", "start", "said"),
    [
        (coinalyze, "BTC", "1h", None, "times the liquidations that were recorded"),
        (coinalyze, "ETH", "1h", None, "no funding is recorded"),
        (coinalyze, "SOL", "1h", None, "2 bars are missing"),
        (freqtrade, "SOL", "5m", "2025-12-01", "lack the funding that must have been due"),
        (freqtrade, "DOGE", "5m", "2025-12-01", "leverage 100x is above the venue's maximum of 75x"),
        (ccxt, "ENA", "15m", None, "no open interest was recorded"),
        (ccxt, "ALT", "15m", None, "leverage 75x, 100x is above the venue's maximum of 50x"),
        (ccxt, "ADA", "15m", None, "no open interest was recorded"),
    ],
)
def test_recorded_market(recorded, tmp_path, files, coin, interval, start, said):
    store, symbol = tmp_path / "store", f"{coin}USDT"
    for paths, *options in files(recorded, coin):
        liqbt("import", *paths, *options, "--symbol", symbol, "--store", store)
    place = ["--store", store, "--symbol", symbol, "--interval", interval, *(["--start", start] if start else [])]
    liqbt("heatmap", *place, "--out", tmp_path / "map.png")
    done = json.loads(liqbt("report", *place, "--out", tmp_path / "report.html", "--json").stdout)
    assert any(said in note for note in done["notes"])
    assert done["bars"] > 1400
    assert all(done["stats"][name]["Total Trades"] > 20 for name in ("gravity", "sweep_reversal"))
    assert (tmp_path / "map.png").stat().st_size > 50_000
    assert symbol in (tmp_path / "report.html").read_text("utf-8")

"""An import that is killed again and again ends where an uninterrupted one ends."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from liqbt.data.importing import import_files
from liqbt.data.store import Store

KILLS = 50
DAY = 86_400_000
START = 1_706_572_800_000  # 2024-01-30
SYMBOLS = ("BTCUSDT", "ETHUSDT")
IMPORT = """
import sys
from liqbt.data import _transaction
from liqbt.data.importing import import_files
_transaction._MOST_ROWS = 20_000  # so that rows wait on disk too
import_files([sys.argv[4]], store=sys.argv[1], mapping="ohlcv", symbol="WARM")  # warm: everything is loaded, nothing changes
print("ready", flush=True)
import_files(sys.argv[5:], store=sys.argv[2], mapping=sys.argv[3])
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Four days of trades of two symbols, 15,000 a day, in files that overlap by some hours."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(3)
    for symbol in SYMBOLS:
        stamps = np.sort(rng.integers(START, START + 4 * DAY, 60_000))
        trades = pl.DataFrame({
            "t": stamps, "p": np.round(rng.uniform(90, 110, stamps.size), 2), "q": rng.integers(1, 999, stamps.size) / 1000,
            "s": rng.choice(["buy", "sell"], stamps.size), "i": np.arange(stamps.size),
        })  # fmt: skip
        for day in range(4):
            inside = (pl.col("t") >= START + day * DAY - DAY // 8) & (pl.col("t") < START + (day + 1) * DAY)
            trades.filter(inside).write_csv(folder / f"{symbol}_{day}.csv")
    mapping = folder / "trades.toml"
    mapping.write_text('table = "trades"\n[time]\ncolumn = "t"\nunit = "ms"\n[columns]\nprice = "p"\namount = "q"\nside = "s"\nid = "i"\n')
    bars = folder / "warm.txt"
    bars.write_text("time,open,high,low,close,volume\n2024-01-01,1,1,1,1,1\n2024-01-02,1,1,1,1,1\n")
    return folder, mapping, bars


def state(store):
    """Everything that is stored: rows, and which files gave how many to which series; not when."""
    series = [(one.symbol, one.table, one.rows, [(i.source, i.sha256, i.rows) for i in one.sources]) for one in store.contents()]
    rows = {symbol: store.read("binance", symbol, "trades")[0] for symbol in SYMBOLS}
    return series, rows


def partitions(store):
    return len(list(store.glob("venue=*/symbol=*/table=*/interval=*/month=*/*.parquet")))


def assert_equal(store, expected):
    series, rows = state(store)
    assert series == expected[0]
    for symbol in SYMBOLS:
        assert rows[symbol].equals(expected[1][symbol])
    assert not (store.path / ".staging").exists()


@pytest.mark.slow
def test_fifty_kills(tmp_path, recordings):
    folder, mapping, warm = recordings
    files = sorted(folder.glob("*.csv"))
    whole = Store(tmp_path / "whole")
    began = time.perf_counter()
    import_files(files, store=whole, mapping=mapping)
    length = time.perf_counter() - began
    expected = state(whole)
    assert {symbol: rows.height for symbol, rows in expected[1].items()} == dict.fromkeys(SYMBOLS, 60_000)

    rng = np.random.default_rng(7)
    store = tmp_path / "killed"
    kills = partial = 0
    while kills < KILLS:
        command = [sys.executable, "-c", IMPORT, tmp_path / "warm", store, mapping, warm, *files]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            if rng.uniform() < 0.7:
                time.sleep(rng.uniform(0, 1.5 * length))
            else:  # as soon as a partition has come: a short time in a whole run, and the one that matters most
                before = partitions(store)
                while partitions(store) == before and process.poll() is None:
                    time.sleep(0.0005)
            process.kill()
            done = "done" in process.stdout.read()
        if done:
            assert_equal(Store(store), expected)
            store = tmp_path / f"killed-{kills}"  # again from nothing
            continue
        kills += 1
        if store.exists():  # what a reader would see now: each partition old or new, never torn
            entries = Store(store).contents()
            partial += 0 < sum(one.rows for one in entries) < 120_000
            for one in entries:
                Store(store).read("binance", one.symbol, "trades")
    import_files(files, store=store, mapping=mapping)
    assert_equal(Store(store), expected)
    assert partial > 0, "no kill fell between two partitions; the test does not test"


def test_two_imports_at_once(tmp_path, recordings):
    """Three processes import all files in different orders into one store."""
    folder, mapping, warm = recordings
    files = sorted(folder.glob("*.csv"))
    whole = Store(tmp_path / "whole")
    import_files(files, store=whole, mapping=mapping)
    processes = []
    for turn in range(3):
        command = [sys.executable, "-c", IMPORT, tmp_path / "warm", tmp_path / "both", mapping, warm, *files[turn:], *files[:turn]]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE))
    for process in processes:
        process.communicate(timeout=120)
        assert process.returncode == 0
    both = state(Store(tmp_path / "both"))[1]
    for symbol, rows in state(whole)[1].items():
        assert both[symbol].sort("timestamp", "id").equals(rows.sort("timestamp", "id"))

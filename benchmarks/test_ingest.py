"""Recorded files into the store, against reading the same file with pandas alone."""

import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest

from liqbt.data.importing import import_files
from liqbt.data.store import Store

ROWS = 2_000_000
NAME = "BTCUSDT-aggTrades-2024-01-31"
HEADER = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A day of two million aggregated trades as Binance's archive has it."""
    rng = np.random.default_rng(0)
    first = np.cumsum(rng.integers(1, 4, ROWS)) + 4_000_000_000
    frame = pd.DataFrame({
        "agg_trade_id": 1_900_000_000 + np.arange(ROWS),
        "price": np.round(43_000 + np.cumsum(rng.normal(0, 0.5, ROWS)), 1),
        "quantity": np.round(rng.exponential(0.05, ROWS) + 0.001, 3),
        "first_trade_id": first,
        "last_trade_id": first + 1,
        "transact_time": 1_706_659_200_000 + np.sort(rng.integers(0, 86_400_000, ROWS)),
        "is_buyer_maker": np.where(rng.random(ROWS) < 0.5, "true", "false"),
    })  # fmt: skip
    path = tmp_path_factory.mktemp("archive") / f"{NAME}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held, held.open(f"{NAME}.csv", "w") as member:
        frame.to_csv(member, index=False)
    return path


def test_yardstick_inflate_alone(benchmark, archive):
    with zipfile.ZipFile(archive) as held:
        benchmark.pedantic(held.read, args=(f"{NAME}.csv",), rounds=5)


def test_yardstick_pandas_read_csv(benchmark, archive):
    benchmark.pedantic(pd.read_csv, args=(archive,), rounds=5)


def test_import_of_aggregated_trades(benchmark, archive, tmp_path):
    """From zip to validated Parquet, hashes and sources included."""

    def fresh():
        shutil.rmtree(tmp_path / "store", ignore_errors=True)

    benchmark.pedantic(lambda: import_files([archive], store=tmp_path / "store"), setup=fresh, rounds=7)
    assert Store(tmp_path / "store").contents()[0].rows == ROWS


def test_importing_the_same_again(benchmark, archive, tmp_path):
    import_files([archive], store=tmp_path / "store")
    benchmark.pedantic(lambda: import_files([archive], store=tmp_path / "store"), rounds=5)


def test_read_a_day_of_trades(benchmark, archive, tmp_path):
    import_files([archive], store=tmp_path / "store")
    benchmark.pedantic(lambda: Store(tmp_path / "store").read("binance", "BTCUSDT", "trades"), rounds=5)

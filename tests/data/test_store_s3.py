"""The store on S3, against a real server on loopback."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import urllib.request
import uuid
from pathlib import Path

import polars as pl
import pytest

from liqbt.data import _partition
from liqbt.data._places import Bucket, ConflictError
from liqbt.data.importing import import_files
from liqbt.data.store import Store
from liqbt.errors import StoreError
from liqbt.loading import load_market

HOUR = 3_600_000
START = 1_706_716_800_000  # 2024-01-31 16:00


@pytest.fixture(scope="module")
def server():
    """A process that speaks S3."""
    command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in process.stderr:
        if "Running on http://" in line:
            url = line.split("Running on ")[1].split()[0]
            break
    drain = threading.Thread(target=lambda: [None for _ in process.stderr], daemon=True)  # else its log fills the pipe
    drain.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        yield url
    process.kill()
    process.wait()
    drain.join()
    process.stderr.close()


@pytest.fixture
def address(server):
    """The address of an empty store in a bucket of its own."""
    bucket = f"liqbt-{uuid.uuid4().hex[:12]}"
    urllib.request.urlopen(urllib.request.Request(f"{server}/{bucket}", method="PUT")).close()  # noqa: S310 - loopback
    return f"s3://{bucket}/some/store"


def candles(tmp_path, hours, name="BTCUSDT_1h.csv", close=100.0):
    path = tmp_path / name
    rows = [f"{START + hour * HOUR},{close},{close},{close},{close},{1 + hour}" for hour in hours]
    path.write_text("time,open,high,low,close,volume\n" + "\n".join(rows) + "\n")
    mapping = tmp_path / "ms.toml"
    mapping.write_text(
        'table = "bars"\n[time]\ncolumn = "time"\nunit = "ms"\n[columns]\n'
        + "".join(f'{one} = "{one}"\n' for one in ("open", "high", "low", "close", "volume"))
    )
    return path, {"mapping": mapping, "venue": "binance", "symbol": "BTCUSDT"}


def close_of(store):
    return store.read("binance", "BTCUSDT", "bars", "1h")[0]["close"].to_list()


def test_import_list_read_and_load(tmp_path, address):
    path, options = candles(tmp_path, range(20))
    [result] = import_files([path], store=address, **options)
    assert result.stored[0].written.partitions == ("2024-01", "2024-02")
    store = Store(address)
    [entry] = store.contents()
    assert (entry.symbol, entry.table, entry.interval, entry.rows) == ("BTCUSDT", "bars", "1h", 20)
    assert entry.sources[0].source == path.name
    local = Store(tmp_path / "local")
    import_files([path], store=local, **options)
    assert store.read("binance", "BTCUSDT", "bars", "1h")[0].equals(local.read("binance", "BTCUSDT", "bars", "1h")[0])
    market = load_market(address, venue="binance", symbol="BTCUSDT", interval="1h", start="2024-01-31T18:00", end="2024-02-01T02:00")
    assert market.n_bars == 8
    assert market.volume[0] == 3.0


def test_scan_opens_only_what_the_span_needs(tmp_path, address):
    path, options = candles(tmp_path, range(20))
    import_files([path], store=address, **options)
    Bucket(address)._store.put("venue=binance/symbol=BTCUSDT/table=bars/interval=1h/month=2024-02/part.parquet", b"damaged")
    end = 1_706_745_600_000_000_000  # 2024-02-01
    query = Store(address).scan("binance", "BTCUSDT", "bars", "1h", end_ns=end).filter(pl.col("volume") > 6).select("volume")
    assert query.collect()["volume"].to_list() == [7.0, 8.0]
    with pytest.raises(StoreError, match=r"month=2024-02/part.parquet: is damaged"):
        Store(address).read("binance", "BTCUSDT", "bars", "1h")


def test_importing_twice_changes_nothing(tmp_path, address):
    path, options = candles(tmp_path, range(20))
    import_files([path], store=address, **options)
    before = {key: Bucket(address).snapshot(key) for _, key in Store(address)._files("venue=binance/symbol=BTCUSDT/table=bars/interval=1h")}
    [again] = import_files([path], store=address, **options)
    assert again.stored[0].written.partitions == ()
    assert len(before) == 2
    assert {key: Bucket(address).snapshot(key) for key in before} == before


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path, address):
    place = Bucket(address)
    staged = tmp_path / "x.parquet"
    staged.write_bytes(b"one")
    place.put(staged, "a/part.parquet", None)
    version = place.snapshot("a/part.parquet").version
    staged.write_bytes(b"two")
    with pytest.raises(ConflictError, match=r"a/part.parquet: was changed by somebody else"):
        place.put(staged, "a/part.parquet", None)
    place.put(staged, "a/part.parquet", version)
    with pytest.raises(ConflictError):
        place.put(staged, "a/part.parquet", version)
    assert place.files("a") == ["part.parquet"]
    assert place.folders("") == ["a"]


def test_a_conflict_is_merged_again(tmp_path, address, monkeypatch):
    """Between reading what is stored and putting the merged file in its place, another import gets in."""
    one, options = candles(tmp_path, range(4), "one.csv")
    two, _ = candles(tmp_path, range(2, 6), "two.csv", close=200.0)
    whole, calls = _partition.write, []

    def interrupted(path, rows, sources):
        whole(path, rows, sources)
        calls.append(path)
        if len(calls) == 1:
            import_files([two], store=address, **options)

    monkeypatch.setattr(_partition, "write", interrupted)
    import_files([one], store=address, **options)
    assert len(calls) == 3  # ours, the other's, ours again
    assert close_of(Store(address)) == [100.0] * 4 + [200.0] * 2
    assert [i.source for i in Store(address).contents()[0].sources] == ["two.csv", "one.csv"]


def test_two_imports_at_once_lose_nothing(tmp_path, address):
    """Four processes, each with two hours of the same month."""
    code = (
        "import sys; from liqbt.data.importing import import_files; "
        "import_files([sys.argv[1]], store=sys.argv[2], mapping=sys.argv[3], symbol='BTCUSDT')"
    )
    paths = [candles(tmp_path, range(2 * n, 2 * n + 2), f"{n}.csv")[0] for n in range(4)]
    processes = [
        subprocess.Popen([sys.executable, "-c", code, path, address, tmp_path / "ms.toml"], env=dict(os.environ), stderr=subprocess.PIPE)
        for path in paths
    ]
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
    [entry] = Store(address).contents()
    assert entry.rows == 8
    assert {one.source for one in entry.sources} == {path.name for path in paths}


def test_places_that_cannot_be_reached(server, address, monkeypatch):
    with pytest.raises(StoreError, match=r"s3://no-such-bucket-here/x: cannot be listed"):
        Store("s3://no-such-bucket-here/x").contents()
    with pytest.raises(StoreError, match=r"a store is a local folder or s3://bucket/prefix"):
        Store("gs://bucket/x")
    assert Store(address).contents() == []

"""Files into the store: what is reported, and that a refusal changes nothing."""

from __future__ import annotations

import pytest
from command import fingerprint

from liqbt.data.importing import import_files
from liqbt.data.store import Store
from liqbt.errors import ConfigError, DataError, StoreError


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def totals_file(tmp_path, name, first_hour, values="1,2"):
    path = tmp_path / name
    path.write_text("".join(f"2024-06-20 {hour:02d}:00:00,{values}\n" for hour in range(first_hour, first_hour + 4)))
    return path


def test_import_files(tmp_path, store):
    paths = [totals_file(tmp_path, "one.csv", 0), totals_file(tmp_path, "two.csv", 2, "5,6")]
    told = []
    results = import_files(
        paths,
        store=store.path,
        venue="binance",
        symbol="BTCUSDT",
        reader="coinalyze",
        progress=lambda share, what: told.append((share, what)),
    )
    assert [(r.source, r.taken_for, [(s.table, s.interval, s.rows) for s in r.stored]) for r in results] == [
        ("one.csv", "a Coinalyze export, 3 columns", [("liquidation_totals", "1h", 4)]),
        ("two.csv", "a Coinalyze export, 3 columns", [("liquidation_totals", "1h", 4)]),
    ]
    assert [(s.written.rows_new, s.written.rows_replaced) for r in results for s in r.stored] == [(4, 0), (2, 2)]
    assert store.read("binance", "BTCUSDT", "liquidation_totals", "1h")[0].height == 6
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    again = import_files(paths, store=store, venue="binance", symbol="BTCUSDT", reader="coinalyze")
    assert [s.written.partitions for r in again for s in r.stored] == [(), ()]


def test_a_bad_file_among_good_ones_stores_nothing(tmp_path, store):
    paths = [totals_file(tmp_path, "one.csv", 0), totals_file(tmp_path, "bad.csv", 0, "1,x")]
    with pytest.raises(DataError, match=r"bad.csv: row 1: short is 'x'"):
        import_files(paths, store=store, venue="binance", symbol="BTCUSDT", reader="coinalyze")
    assert not store.path.exists()


def test_a_refused_file_among_good_ones_stores_nothing(tmp_path, store):
    one, two = totals_file(tmp_path, "one.csv", 0), totals_file(tmp_path, "two.csv", 2, "5,6")
    options = {"store": store, "venue": "binance", "symbol": "BTCUSDT", "reader": "coinalyze"}
    import_files([two], **options)
    before = fingerprint(store.path)
    with pytest.raises(StoreError, match=r"two.csv was imported before with other reading options"):
        import_files([one, two], **options, utc_offset_hours=1)
    assert fingerprint(store.path) == before


def test_a_folder_with_another_contract_of_the_symbol(tmp_path, store):
    for symbol in ("BTCUSDT", "BTCUSDT_240628"):
        path = tmp_path / "files" / f"{symbol}-aggTrades-2024-01-31.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("7,42000.5,0.25,11,12,1706716800000,true\n")
    with pytest.raises(ConfigError, match=r"is of BTCUSDT_240628 by its name, not 'BTCUSDT'"):
        import_files([tmp_path / "files"], store=store, symbol="BTCUSDT")
    assert not store.path.exists()


def test_import_arguments(tmp_path, store):
    options = {"store": store, "venue": "binance", "symbol": "BTCUSDT", "reader": "coinalyze"}
    with pytest.raises(ConfigError, match=r"no files were given"):
        import_files([], **options)
    with pytest.raises(ConfigError, match=r"give a list of files"):
        import_files("one.csv", **options)
    with pytest.raises(ConfigError, match=r"symbol: 'BTC/USDT' is no plain name"):
        import_files([totals_file(tmp_path, "one.csv", 0)], **options | {"symbol": "BTC/USDT"})

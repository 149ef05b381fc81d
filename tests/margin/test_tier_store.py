"""Imported bracket tables on disk: merged by market, whole or not at all."""

import json
import multiprocessing
from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest

from liqbt.errors import ConfigError, DataError, StoreError
from liqbt.margin import (
    GENERIC_TIERS,
    LeverageTier,
    TierTable,
    leverage_tiers,
    load_tiers,
    read_tiers,
    save_tiers,
    saved_tables,
    shipped_tables,
    tier_table,
    tiers_from_ccxt,
    tiers_or_generic,
)

COIN = LeverageTier(
    min_notional=0, max_notional=50, maintenance_margin_rate=0.004, max_leverage=125, maintenance_amount=0, contract="inverse"
)


def table(symbol="BTCUSDT", tiers=GENERIC_TIERS, **more):
    return TierTable(venue="binance", symbol=symbol, tiers=tiers, source="brackets.json", sha256="ab" * 32, **more)


def of(*tables):
    return {one.symbol: one for one in tables}


def test_what_is_saved_is_loaded(tmp_path):
    one = table(as_of=date(2026, 9, 29), notes=("a note — with a dash",))
    saved = save_tiers(tmp_path / "new" / "folder", "binance", of(one, table("BTCUSD_PERP", (COIN,))))
    assert (saved.added, saved.replaced, saved.unchanged) == (("BTCUSDT", "BTCUSD_PERP"), (), ())
    assert saved.path == tmp_path / "new" / "folder" / "binance.json"
    assert load_tiers(saved.path.parent, "binance", "BTCUSDT") == one
    assert load_tiers(saved.path.parent, "binance", "BTC/USDT:USDT") == one
    assert load_tiers(saved.path.parent, "binance", "BTC/USD:BTC").contract == "inverse"
    assert load_tiers(saved.path.parent, "binance", "ETHUSDT") is None
    assert load_tiers(saved.path.parent, "bybit", "BTCUSDT") is None
    assert load_tiers(tmp_path / "nowhere", "binance", "BTCUSDT") is None


def test_every_shipped_table_comes_back_the_same(tmp_path):
    for venue in ("binance", "bybit", "hyperliquid"):
        save_tiers(tmp_path, venue, of(*(one for one in shipped_tables() if one.venue == venue)))
    assert saved_tables(tmp_path) == shipped_tables()
    assert read_tiers(tmp_path / "bybit.json") == of(tier_table("bybit", "ADAUSDT"), tier_table("bybit", "BTCUSDT"))


def test_saving_again_changes_nothing(tmp_path):
    path = save_tiers(tmp_path, "binance", of(table(), table("ETHUSDT"))).path
    before, written = path.read_bytes(), path.stat().st_mtime_ns
    again = save_tiers(tmp_path, "binance", of(table("ETHUSDT"), table()))
    assert (again.added, again.replaced, again.unchanged) == ((), (), ("ETHUSDT", "BTCUSDT"))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (before, written)


def test_a_market_is_replaced_however_it_is_spelled(tmp_path):
    stricter = (replace(GENERIC_TIERS[0], max_leverage=50.0),)
    save_tiers(tmp_path, "binance", of(table(), table("ETHUSDT")))
    saved = save_tiers(tmp_path, "binance", of(table("BTC/USDT:USDT", stricter, as_of=date(2020, 1, 1))))
    assert (saved.added, saved.replaced) == ((), ("BTC/USDT:USDT",))
    assert [one.symbol for one in saved_tables(tmp_path)] == ["BTC/USDT:USDT", "ETHUSDT"]
    assert load_tiers(tmp_path, "binance", "BTCUSDT").tiers == stricter


def test_the_store_names_its_venues_as_it_likes(tmp_path):
    save_tiers(tmp_path, "my-binance", of(table()))
    assert load_tiers(tmp_path, "my-binance", "BTCUSDT").venue == "my-binance"
    for wrong in ("", "../up", ".hidden", "a/b"):
        with pytest.raises(ConfigError, match=r"venue: .* is no plain name"):
            save_tiers(tmp_path, wrong, of(table()))
        with pytest.raises(ConfigError, match=r"venue: .* is no plain name"):
            load_tiers(tmp_path, wrong, "BTCUSDT")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = save_tiers(tmp_path, "binance", of(table())).path
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(StoreError, match=r"No space left on device"):
        save_tiers(tmp_path, "binance", of(table("ETHUSDT")))
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if not file.name.startswith(".")] == ["binance.json"]


def test_a_damaged_file_is_named(tmp_path):
    path = save_tiers(tmp_path, "binance", of(table())).path
    good = json.loads(path.read_text("utf-8"))
    wrong_rate = json.dumps(good).replace("0.005", "0.5")
    for content in (path.read_text("utf-8")[:-20], "[]", "", wrong_rate):
        path.write_text(content, "utf-8")
        for action in (
            lambda: load_tiers(tmp_path, "binance", "BTCUSDT"),
            lambda: saved_tables(tmp_path),
            lambda: save_tiers(tmp_path, "binance", of(table("ETHUSDT"))),
        ):
            with pytest.raises(StoreError, match=r"binance.json.*; delete the file and import its tables again") as caught:
                action()
            assert "\n" not in str(caught.value)
        assert path.read_text("utf-8") == content


def test_tables_that_make_no_sense_are_not_put_in_place(tmp_path):
    path = save_tiers(tmp_path, "binance", of(table())).path
    before = path.read_bytes()
    jump = (replace(GENERIC_TIERS[0], maintenance_amount=5.0),)  # a requirement below zero for small positions
    with pytest.raises(DataError, match=r"tables: ETHUSDT tier 1: maintAmt 5 contradicts"):
        save_tiers(tmp_path, "binance", of(table("ETHUSDT", jump)))
    assert path.read_bytes() == before


def _save(folder, symbol):
    save_tiers(folder, "binance", of(table(symbol)))


def test_two_imports_at_once_lose_nothing(tmp_path):
    names = [f"COIN{number}USDT" for number in range(8)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(_save, [(tmp_path, name) for name in names])
    assert [one.symbol for one in saved_tables(tmp_path)] == names


def test_imported_tables_come_before_shipped_ones():
    own = table(tiers=(replace(GENERIC_TIERS[0], max_leverage=20.0),), notes=("a note",))
    assert tiers_or_generic("binance", "BTCUSDT", own) == (own.tiers, ("a note",))
    assert tiers_or_generic("binance", "BTCUSDT", None) == (leverage_tiers("binance", "BTCUSDT"), ())
    with pytest.raises(ConfigError, match=r"those imported for BTCUSD_PERP on binance are of an inverse contract"):
        tiers_or_generic("binance", "BTCUSD_PERP", table("BTCUSD_PERP", (COIN,)))


def test_scaled_bounds_stay_continuous_on_disk(tmp_path):
    """Bounds that are no round numbers come back bit for bit."""
    rows = [
        {"minNotional": low / 3, "maxNotional": high / 3, "maintenanceMarginRate": rate, "maxLeverage": lev}
        for (low, high), rate, lev in zip(pairwise([0, 100, 700, 1900]), (0.01, 0.0125, 0.031), (50, 40, 20), strict=True)
    ]
    one = table(tiers=tiers_from_ccxt(rows))
    save_tiers(tmp_path, "binance", of(one))
    assert load_tiers(tmp_path, "binance", "BTCUSDT") == one
    assert save_tiers(tmp_path, "binance", of(one)).unchanged == ("BTCUSDT",)

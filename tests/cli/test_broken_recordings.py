"""Whatever is wrong with a recording or with how it is called: one line, exit code 2, and a store as it was."""

from __future__ import annotations

import re

import broken_binance
import broken_containers
import broken_lines
import broken_options
import broken_venues
import pytest
import samples_binance
import samples_plain
from command import fingerprint, run

CASES = [one for module in (broken_containers, broken_binance, broken_venues, broken_lines, broken_options) for one in module.CASES]
LONGEST = 400  # characters of a message beside the path


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with bars and open interest, and what it looked like when it was new."""
    folder = tmp_path_factory.mktemp("store")
    for kind in ("klines", "metrics"):
        assert run("import", samples_binance.samples(folder / "files")[kind], "--store", folder / "store").code == 0
    return folder / "store", fingerprint(folder / "store")


def told(*arguments):
    """The one line that is said of a mistake."""
    done = run("import", *arguments)
    assert (done.code, done.out) == (2, ""), done
    [line] = done.err.splitlines()
    assert done.err == f"{line}\n"
    assert line.startswith("liqbt: ")
    assert "Traceback" not in line
    return line


def options_of(one, folder):
    return [option.replace("FOLDER", str(folder)) for option in one.options]


def test_the_kinds_are_many_and_each_has_its_name():
    assert len({one.name for one in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("one", CASES, ids=lambda one: one.name)
def test_it_is_told_in_one_line_and_the_store_stays_as_it_was(store, tmp_path, one):
    kept, before = store
    path, options = one.make(tmp_path), options_of(one, tmp_path)
    good = [] if one.beside is None else [one.beside(tmp_path / "beside")]
    line = told(*good, path, *options, "--store", kept)
    assert fingerprint(kept) == before
    assert one.says in line
    assert not one.names_file or f"{path}" in line
    assert one.row is None or re.search(rf"\brows? {one.row}\b", line)
    assert len(line.replace(str(path), "")) < LONGEST
    assert told(path, *options, "--store", tmp_path / "new") == line
    assert not (tmp_path / "new").exists()


BESIDE = {(one.beside, one.options): one for one in CASES if one.beside is not None}


@pytest.mark.parametrize("one", BESIDE.values(), ids=lambda one: one.name)
def test_what_was_given_beside_it_would_have_been_stored(tmp_path, one):
    done = run("import", one.beside(tmp_path), *options_of(one, tmp_path), "--store", tmp_path / "store")
    assert done.code == 0, done
    assert list((tmp_path / "store").rglob("*.parquet"))


def test_the_same_file_read_on_another_clock(tmp_path):
    path, store = samples_plain.samples(tmp_path)["export"], tmp_path / "store"
    assert run("import", path, "--store", store).code == 0
    before = fingerprint(store)
    good = samples_plain.other_forms(tmp_path / "more")[0][1]
    line = told(good, path, "--utc-offset", "-6", "--store", store)
    assert f"{path.name} was imported before with other reading options" in line
    assert fingerprint(store) == before


def test_a_damaged_partition(tmp_path):
    found, store = samples_binance.samples(tmp_path / "files"), tmp_path / "store"
    assert run("import", found["klines"], "--store", store).code == 0
    [partition] = store.rglob("*.parquet")
    partition.write_bytes(partition.read_bytes()[:-7])
    before = fingerprint(store)
    more = samples_binance.write(
        tmp_path / "BTCUSDT-1m-2024-01-02.zip",
        *(samples_binance.kline(1440 + n, "100,110,90,105", ("2", "200", "4", "1", "101")) for n in range(2)),
    )
    line = told(found["metrics"], more, "--store", store)
    assert f"{partition}: is damaged" in line
    assert fingerprint(store) == before


def test_rows_that_name_folders(tmp_path):
    """A name out of a file becomes no path."""
    from broken_lines import CCXT_TRADES, FORCED, array, text
    from samples_recorder import force_order

    for number, make in enumerate((
        text("a.jsonl", *FORCED, force_order(s="../../../up")),
        array("trades.json", CCXT_TRADES, 2, symbol="../up:USDT"),
        array("trades.json", CCXT_TRADES, 2, symbol=".. /USDT:USDT"),
    )):  # fmt: skip
        folder = tmp_path / str(number)
        folder.mkdir()
        path = make(folder)
        assert str(path) in told(path, "--store", folder / "store")
        assert [one.name for one in folder.iterdir()] == [path.name]

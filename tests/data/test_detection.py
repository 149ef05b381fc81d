"""What a file is, its contents tell: every kind's sample against all kinds, under any name and packed any way; and back from a store."""

from __future__ import annotations

import gzip
import re
import shutil
import zipfile

import lz4.frame
import pytest
import samples_binance
import samples_bybit
import samples_ccxt
import samples_hyperliquid
import samples_okx
import samples_plain
import samples_recorder
import samples_tardis
from command import fingerprint
from polars.testing import assert_frame_equal

from liqbt.data.importing import import_files
from liqbt.data.readers import READERS, open_reading, read_file
from liqbt.data.readers._source import open_source
from liqbt.data.store import Store
from liqbt.errors import DataError

VENUES = {
    "binance_vision": samples_binance,
    "bybit": samples_bybit,
    "ccxt": samples_ccxt,
    "hyperliquid": samples_hyperliquid,
    "okx": samples_okx,
    "recorder": samples_recorder,
    "tardis": samples_tardis,
}
ALL = sorted((kind.reader, kind.name) for kinds in READERS.values() for kind in kinds)
# What only the caller knows of a sample.
OPTIONS = {
    ("okx", "trades"): {"contract_size": 0.01},
    ("recorder", "okx_liquidation_orders"): {"contract_size": 0.01},
    ("ccxt", "ohlcv"): {"symbol": "BTCUSDT"},
}
# Kinds of one form, which the name of the file or folder tells apart, and that alone.
ALIKE = [
    {("binance_vision", "markPriceKlines"), ("binance_vision", "indexPriceKlines")},
    {("tardis", "trades"), ("tardis", "liquidations")},
]


def written(folder):
    """Samples of all kinds in a folder for each reader, as pairs of reader and kind to the paths."""
    found = {}
    for reader, module in VENUES.items():
        found |= {(reader, kind): [path] for kind, path in module.samples(folder / reader).items()}
    for kind, path in [*samples_plain.samples(folder / "plain").items(), *samples_plain.other_forms(folder / "plain")]:
        found.setdefault((samples_plain.KINDS[kind], kind), []).append(path)
    return found


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return written(tmp_path_factory.mktemp("all"))


def claims(path):
    """All kinds that take a file for their own."""
    head = open_source(path).head
    return {(kind.reader, kind.name) for kinds in READERS.values() for kind in kinds if kind.recognise(head) is not None}


def nameless(folder, data):
    """A file whose name and folder tell nothing."""
    folder.mkdir(exist_ok=True)
    path = folder / "data"
    path.write_bytes(data)
    return path


def test_every_kind_has_a_sample(samples):
    assert sorted(samples) == ALL
    assert len(ALL) > 30


@pytest.mark.parametrize("kind", ALL, ids="-".join)
def test_one_kind_claims_the_sample(samples, kind):
    for path in samples[kind]:
        assert claims(path) == {kind}
        reading = open_reading(path)
        assert (reading.kind.reader, reading.kind.name) == kind


@pytest.mark.parametrize("kind", ALL, ids="-".join)
def test_one_kind_claims_the_sample_without_its_name(samples, tmp_path, kind):
    alike = next((some for some in ALIKE if kind in some), None)
    for number, path in enumerate(samples[kind]):
        bare = nameless(tmp_path / str(number), path.read_bytes())
        assert claims(bare) == (alike or {kind})
        if alike is None:
            assert open_reading(bare).taken_for == open_reading(path).taken_for
            continue
        with pytest.raises(DataError) as caught:
            open_reading(bare)
        says = " or ".join(f"{one.says} ({one.tables[0]})" for one in READERS[kind[0]] if (one.reader, one.name) in alike)
        assert str(caught.value) == f"{bare}: could be {says}; give the table to say which"
        assert open_reading(bare, table=_kind(kind).tables[0]).kind is _kind(kind)


def _kind(name):
    return next(kind for kind in READERS[name[0]] if kind.name == name[1])


def zipped(path, data):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data", data)


PACKERS = {
    "": lambda path, data: path.write_bytes(data),
    ".gz": lambda path, data: path.write_bytes(gzip.compress(data)),
    ".zip": zipped,
    ".lz4": lambda path, data: path.write_bytes(lz4.frame.compress(data)),
}


@pytest.mark.parametrize("kind", ALL, ids="-".join)
@pytest.mark.parametrize("ending", PACKERS, ids=["plain", "gzip", "zip", "lz4"])
def test_one_kind_claims_the_sample_however_it_is_packed(samples, tmp_path, kind, ending):
    for path in samples[kind]:
        folder = tmp_path / path.parent.name  # which may break a tie
        folder.mkdir(exist_ok=True)
        packed = folder / f"{re.sub(r'[.](gz|zip|lz4)$', '', path.name)}{ending}"
        PACKERS[ending](packed, open_source(path).content())
        assert claims(packed) == {kind}
        options = OPTIONS.get(kind, {})
        for ours, theirs in zip(read_file(packed, **options), read_file(path, **options), strict=True):
            assert (ours.table, ours.interval, ours.venue, ours.kind) == (theirs.table, theirs.interval, theirs.venue, theirs.kind)
            if ending in ("", ".gz"):
                assert ours.symbol == theirs.symbol
            assert_frame_equal(ours.rows, theirs.rows)


LINE_ENDS = {
    "windows": lambda data: data.replace(b"\n", b"\r\n"),
    "none at the end": lambda data: data.rstrip(b"\n"),
}


@pytest.mark.parametrize("kind", [kind for kind in ALL if kind[0] != "freqtrade"], ids="-".join)
@pytest.mark.parametrize("ends", LINE_ENDS)
def test_line_ends_do_not_matter(samples, tmp_path, kind, ends):
    for path in samples[kind]:
        folder = tmp_path / path.parent.name
        folder.mkdir(exist_ok=True)
        other = folder / re.sub(r"[.](gz|zip|lz4)$", "", path.name)
        other.write_bytes(LINE_ENDS[ends](open_source(path).content()))
        assert claims(other) == {kind}
        options = OPTIONS.get(kind, {})
        for ours, theirs in zip(read_file(other, **options), read_file(path, **options), strict=True):
            assert_frame_equal(ours.rows, theirs.rows)


@pytest.mark.parametrize("kind", ALL, ids="-".join)
def test_no_other_kind_claims_what_is_left_without_the_first_line(samples, tmp_path, kind):
    """Without its header, or begun in the middle, a file is refused or taken for what it is."""
    for path in samples[kind]:
        _, _, rest = open_source(path).content().partition(b"\n")
        if rest.strip():
            alike = next((some for some in ALIKE if kind in some), {kind})
            assert claims(nameless(tmp_path / "rest", rest)) <= alike


@pytest.mark.parametrize("kind", ALL, ids="-".join)
def test_the_sample_comes_back_from_a_store(samples, tmp_path, kind):
    options, store = OPTIONS.get(kind, {}), tmp_path / "store"
    for path in samples[kind]:
        recordings = read_file(path, **options)
        [result] = import_files([path], store=store, **options)
        kept = {(one.venue, one.symbol, one.table, one.interval): one for one in result.stored}
        assert len(kept) == len(recordings) > 0
        for recording in recordings:
            venue = recording.venue or "binance"
            rows, sources = Store(store).read(venue, recording.symbol, recording.table, recording.interval)
            assert_frame_equal(rows, recording.rows)
            assert [(one.source, one.sha256, one.rows) for one in sources] == [(path.name, recording.sha256, rows.height)]
            one = kept[venue, recording.symbol, recording.table, recording.interval]
            assert (one.rows, one.written.rows_new, one.written.rows_replaced) == (rows.height, rows.height, 0)
        before = fingerprint(store)
        [again] = import_files([path], store=store, **options)
        assert all((one.written.rows_new, one.written.rows_replaced, one.written.partitions) == (0, 0, ()) for one in again.stored)
        assert fingerprint(store) == before
        shutil.rmtree(store)


def test_a_folder_of_all_kinds_is_imported_at_once(tmp_path):
    found = written(tmp_path / "all")
    for kind in OPTIONS:
        for path in found.pop(kind):
            path.unlink()
    results = import_files([tmp_path / "all"], store=tmp_path / "store")
    assert sorted(result.source for result in results) == sorted(path.name for paths in found.values() for path in paths)
    by_hash = {result.sha256: result for result in results}
    for kind, paths in found.items():
        for path in paths:
            result = by_hash[open_source(path).sha256]
            assert result.taken_for.startswith(_kind(kind).says)
            expected = sorted((one.symbol, one.table, one.rows.height) for one in read_file(path))
            assert sorted((one.symbol, one.table, one.rows) for one in result.stored) == expected
    assert {entry.venue for entry in Store(tmp_path / "store").contents()} == {"binance", "bybit", "okx", "hyperliquid"}

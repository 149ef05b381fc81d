"""Recorded files into the store: all are read and checked before the first partition changes."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from liqbt._typing import Progress
from liqbt.data._transaction import Origin, Transaction
from liqbt.data.readers import Reading, open_reading
from liqbt.data.readers._containers import prefetched
from liqbt.data.schema import table as canonical_table
from liqbt.data.store import Store, WriteResult
from liqbt.errors import ConfigError, DataError

__all__ = ["ImportResult", "Stored", "find_files", "import_files"]

_DEFAULT_VENUE: Final = "binance"
_NEVER: Final = (".CHECKSUM", ".part", ".md", ".lock")  # what lies beside recordings and is none


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What one file gave to one series: where it went, its rows, and what writing them changed."""

    venue: str
    symbol: str
    table: str
    interval: str | None
    rows: int
    written: WriteResult


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """One imported file: its name and hash, what it was taken for, what the reader mended, and what it gave to which series."""

    source: str
    sha256: str
    taken_for: str
    notes: tuple[str, ...]
    stored: tuple[Stored, ...]


def find_files(paths: Sequence[str | Path]) -> list[Path]:
    """Return the files at these paths, folders opened to any depth and sorted by name.

    Left out of folders are hidden files, checksums, texts about the data (README, LICENSE) and unfinished downloads; a file
    that is named itself is always taken.
    Raises DataError for a path that is not there, or a folder without files.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.is_dir():
            if not path.exists():
                raise DataError(f"{path}: there is no such file or folder; check the path")
            found.append(path)
            continue
        inside = sorted(_inside(path))
        if not inside:
            raise DataError(f"{path}: holds no files to import; check the path")
        found += inside
    return list(dict.fromkeys(found))


def _inside(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "venue="))]  # the latter are a store's
        for name in names:
            if not (name.startswith((".", "README", "LICENSE", "LICENCE")) or name.endswith(_NEVER)):
                yield Path(root, name)


def import_files(
    paths: Sequence[str | Path],
    *,
    store: Store | str | Path,
    venue: str | None = None,
    symbol: str | None = None,
    quote: str | None = None,
    reader: str | None = None,
    table: str | None = None,
    interval: str | None = None,
    utc_offset_hours: float = 0.0,
    mapping: str | Path | None = None,
    contract_size: float | None = None,
    depth_interval: str = "10s",
    progress: Progress | None = None,
) -> list[ImportResult]:
    """Read files, or all files of folders, and merge them into the store in the given order; returns one result a file.

    store: a folder, an `s3://` address, or a Store. venue, symbol: where the files do not tell; `binance` if nobody tells the
    venue. With a symbol, only its rows are taken from files that hold several. The other options are those of
    `liqbt.data.readers.open_reading`; what they leave out, the files' contents tell.
    progress: called with the share done, 0 to 1, and the file at hand.
    Where any file is refused nothing is written. An import that was killed while writing is finished by running it again.

    Raises DataError or ConfigError for what the readers or the names refuse, StoreError for what the store refuses.
    """
    if isinstance(paths, str | Path):
        raise ConfigError(f"paths: give a list of files, [{str(paths)!r}]")
    if not paths:
        raise ConfigError("paths: no files were given")
    files = find_files(paths)
    options: dict[str, Any] = {
        "reader": reader, "table": table, "interval": interval, "venue": venue, "symbol": symbol, "quote": quote,
        "utc_offset_hours": utc_offset_hours, "mapping": mapping, "contract_size": contract_size, "depth_interval": depth_interval,
    }  # fmt: skip
    target = store if isinstance(store, Store) else Store(store)
    told = progress or (lambda _share, _what: None)
    readings = [open_reading(path, **options) for path in files]  # before hours are spent on reading what comes first
    for reading in readings:
        # refuses names that are not plain
        target.series(_venue(reading), "X" if reading.symbol is None else reading.symbol, "trades", None)
    gathered = []
    with target.transaction() as transaction:
        for done, reading in enumerate(readings):
            told(0.8 * done / len(files), f"reading {reading.file.label}")
            gathered.append(_gather(reading, transaction, target))
        told(0.8, "storing")
        written = transaction.commit(lambda share: told(0.8 + 0.2 * share, "storing"))
    told(1.0, f"imported {len(files)} files")
    return [_result(reading, *what, written, target) for reading, what in zip(readings, gathered, strict=True)]


def _venue(reading: Reading) -> str:
    return _DEFAULT_VENUE if reading.venue is None else reading.venue


def _gather(reading: Reading, transaction: Transaction, store: Store) -> tuple[Origin, Counter[tuple[str, ...]]]:
    """Read one file into the transaction; the rows are counted by venue, symbol, table and interval (empty for none)."""
    file = reading.file
    origin = Origin(label=file.label, name=file.name, sha256=file.sha256, reader=reading.kind.reader)
    venue = _venue(reading)
    counts: Counter[tuple[str, ...]] = Counter()
    for batch in prefetched(reading.batches()):
        if batch.rows is None:
            continue
        if batch.symbol is None:
            raise ConfigError(f"symbol: {file.label} ({reading.taken_for}) does not tell it; give it, such as symbol BTCUSDT")
        try:
            series = store.series(venue, batch.symbol, batch.table, batch.interval)
        except ConfigError as error:  # what the caller named was checked before: the rows say so
            raise DataError(f"{file.label}: {error}") from None
        transaction.add(series, canonical_table(batch.table), batch.rows, origin)
        counts[venue, batch.symbol, batch.table, batch.interval or ""] += batch.rows.height
    return origin, counts


def _result(
    reading: Reading,
    origin: Origin,
    counts: Counter[tuple[str, ...]],
    written: dict[tuple[str, Origin], WriteResult],
    store: Store,
) -> ImportResult:
    stored = tuple(
        Stored(
            venue=venue,
            symbol=symbol,
            table=table,
            interval=interval or None,
            rows=rows,
            written=written[store.series(venue, symbol, table, interval or None), origin],
        )
        for (venue, symbol, table, interval), rows in counts.items()
    )
    return ImportResult(source=origin.name, sha256=origin.sha256, taken_for=reading.taken_for, notes=reading.notes, stored=stored)

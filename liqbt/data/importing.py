"""Recorded files into the store: all are read and checked before the first is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from liqbt._typing import Progress
from liqbt.data.readers import read_file
from liqbt.data.store import Store, WriteResult
from liqbt.errors import ConfigError

__all__ = ["ImportResult", "import_files"]


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """One imported file: its name, what it held, what the reader mended, and what writing it changed in the store."""

    source: str
    sha256: str
    table: str
    interval: str | None
    rows: int
    notes: tuple[str, ...]
    written: WriteResult


def import_files(
    paths: Sequence[str | Path],
    *,
    store: Store | str | Path,
    venue: str,
    symbol: str,
    reader: str,
    table: str | None = None,
    interval: str | None = None,
    utc_offset_hours: float = 0.0,
    mapping: str | Path | None = None,
    progress: Progress | None = None,
) -> list[ImportResult]:
    """Read files and merge them into the store, in the given order; returns one result a file.

    reader, table, interval, utc_offset_hours, mapping: as in `liqbt.data.readers.read_file`. store: a folder or Store.
    progress: called with the share done, 0 to 1, and the file at hand.
    Where any file is refused nothing is written. An import that was killed while writing is finished by running it again.

    Raises DataError or ConfigError for what `read_file` or the names refuse, StoreError for what the store refuses.
    """
    if isinstance(paths, str | Path):
        raise ConfigError(f"paths: give a list of files, [{str(paths)!r}]")
    if not paths:
        raise ConfigError("paths: no files were given")
    target = store if isinstance(store, Store) else Store(store)

    def tell(done: int, what: str) -> None:
        if progress is not None:
            progress(done / (2 * len(paths)), what)

    recordings = []
    for done, path in enumerate(paths):
        tell(done, f"reading {path}")
        recording = read_file(path, reader=reader, table=table, interval=interval, utc_offset_hours=utc_offset_hours, mapping=mapping)
        target.check(recording, venue, symbol)
        recordings.append(recording)
    results = []
    for done, recording in enumerate(recordings, start=len(paths)):
        tell(done, f"storing {recording.source}")
        results.append(
            ImportResult(
                source=recording.source,
                sha256=recording.sha256,
                table=recording.table,
                interval=recording.interval,
                rows=recording.rows.height,
                notes=recording.notes,
                written=target.write(recording, venue, symbol),
            )
        )
    tell(2 * len(paths), f"imported {len(paths)} files")
    return results

"""What a reader is given and what it hands back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from liqbt.errors import ConfigError, DataError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ReadOptions", "Reader", "Recording", "SourceFile", "open_source"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """One recorded file as one canonical table.

    table: name of the canonical table. interval: such as `5m`, None for tables whose rows cover no interval.
    rows: polars frame that `liqbt.data.validation.canonical` has passed; a row is known from its `available_at`.
    source: the file's name, without its folder. sha256: of the file's bytes as they lie on disk. reader: name in `READERS`.
    notes: what the reader mended, in words.
    """

    table: str
    interval: str | None
    rows: pl.DataFrame
    source: str
    sha256: str
    reader: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What the caller knows about a file that the file does not tell; a reader raises ConfigError for what it cannot use.

    table, interval: canonical table and interval, None to take them from the file. utc_offset_hours: hours by which the
    file's clock runs ahead of UTC; they are subtracted. mapping: built-in name or path of a column mapping.
    """

    table: str | None = None
    interval: str | None = None
    utc_offset_hours: float = 0.0
    mapping: str | Path | None = None

    @property
    def offset_ns(self) -> int:
        """Nanoseconds to subtract from the file's stamps."""
        return round(self.utc_offset_hours * 3_600_000_000_000)

    def refuse_mapping(self, reader: str) -> None:
        """Raise ConfigError where a mapping was given to a reader that knows its columns."""
        if self.mapping is not None:
            raise ConfigError(f"mapping: reader {reader!r} knows its columns and takes none; use reader 'generic_csv' or leave it out")


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file's bytes, read once, so that what is parsed is what was hashed.

    label: the path as the user wrote it, for messages. name: without the folder.
    """

    label: str
    name: str
    content: bytes = field(repr=False)
    sha256: str

    def recording(self, *, table: str, interval: str | None, rows: pl.DataFrame, reader: str, notes: tuple[str, ...] = ()) -> Recording:
        """Return a Recording of these rows that came from this file."""
        return Recording(table=table, interval=interval, rows=rows, source=self.name, sha256=self.sha256, reader=reader, notes=notes)


Reader: TypeAlias = Callable[[SourceFile, ReadOptions], Recording]
"""Parses one file; raises DataError for what is in the file and ConfigError for what the caller asked."""


def open_source(path: str | Path) -> SourceFile:
    """Read a file; raises DataError where it is missing, a folder, unreadable or empty."""
    where = Path(path)
    if where.is_dir():
        raise DataError(f"{path}: is a folder; give the files in it")
    try:
        content = where.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; check the path") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error
    if not content:
        raise DataError(f"{path}: is empty; download or export it again")
    return SourceFile(label=str(path), name=where.name, content=content, sha256=hashlib.sha256(content).hexdigest())

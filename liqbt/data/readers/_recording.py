"""What a reader is given and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeAlias

from liqbt.data.readers._source import Head, SourceFile
from liqbt.errors import ConfigError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Batch", "Kind", "Read", "ReadOptions", "Recognise", "Recognition", "Recording"]

_NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Some rows of a file as one canonical table.

    table: name of the canonical table. interval: such as `5m`, None for tables whose rows cover no interval.
    rows: polars frame that `liqbt.data.validation.canonical` has passed, or None where there is only something to tell.
    symbol: as the rows themselves name it, None where they do not.
    mended: what the reader mended, as words that follow a count: {"doubled rows dropped": 12}.
    """

    table: str
    interval: str | None
    rows: pl.DataFrame | None
    symbol: str | None = None
    mended: Mapping[str, int] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, kw_only=True, eq=False)
class Recording:
    """One table of one recorded file, whole.

    table, interval, rows: as in `Batch`. venue, symbol: as the file or its name tells, else as the caller said; None where nobody does.
    source: the file's name, without its folder. sha256: of the file's bytes as they lie on disk. reader: name in `READERS`.
    kind: what the file was taken for. notes: what the reader mended, in words.
    """

    table: str
    interval: str | None
    rows: pl.DataFrame
    venue: str | None
    symbol: str | None
    source: str
    sha256: str
    reader: str
    kind: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """What the caller knows about a file that the file does not tell; a reader raises ConfigError for what it cannot use.

    table, interval: canonical table and interval, None to take them from the file.
    symbol: as the caller names it, None to take it from the file; rows of other symbols are left out after the reader.
    quote: currency to append to a symbol that only the file's name tells, and that does not end with it: SOL to SOLUSDT.
    utc_offset_hours: hours by which the file's clock runs ahead of UTC; they are subtracted.
    mapping: built-in name or path of a column mapping.
    contract_size: of venues that count in contracts: base coin a contract (linear), or USD a contract (inverse).
    depth_interval: order books are reduced to one depth profile in each such interval.
    """

    table: str | None = None
    interval: str | None = None
    symbol: str | None = None
    quote: str | None = None
    utc_offset_hours: float = 0.0
    mapping: str | Path | None = None
    contract_size: float | None = None
    depth_interval: str = "10s"

    @property
    def offset_ns(self) -> int:
        """Nanoseconds to subtract from the file's stamps."""
        return round(self.utc_offset_hours * 3_600_000_000_000)

    def refuse(self, reader: str, *names: str) -> None:
        """Raise ConfigError where one of these options was given to a reader that has no use for it."""
        reasons = {
            "mapping": "knows its columns and takes none; use reader 'generic_csv' or leave it out",
            "utc_offset_hours": "reads stamps that are UTC by definition; leave it out",
            "contract_size": "reads amounts in base coin; leave it out",
            "interval": "reads rows that cover no interval; leave it out",
        }
        for name in names:
            if getattr(self, name) not in (None, 0.0):
                raise ConfigError(f"{name}: reader {reader!r} {reasons[name]}")


@dataclass(frozen=True, kw_only=True)
class Recognition:
    """What a kind of file says about a file that it takes for its own.

    detail: what its contents showed, for people, such as `no header, microseconds`. venue: None where the format does not tell.
    symbol: where the file's name tells it in the venue's manner; rows that name a symbol themselves win over it.
    """

    detail: str = ""
    venue: str | None = None
    symbol: str | None = None


Recognise: TypeAlias = Callable[[Head], "Recognition | None"]
"""Tells from its contents whether a file is of a kind; never from its name alone."""

Read: TypeAlias = Callable[[SourceFile, ReadOptions], Iterator[Batch]]
"""Parses a file; raises DataError for what is in the file and ConfigError for what the caller asked."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of file that can be read.

    reader: name of its reader. name: of the kind, unique within the reader. says: in words, such as `Binance USDT-M metrics`.
    tables: canonical tables that it gives.
    """

    reader: str
    name: str
    says: str
    tables: tuple[str, ...]
    recognise: Recognise
    read: Read

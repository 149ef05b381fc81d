"""The store of imported recordings: Parquet files in hive partitions, in a local folder or an S3 bucket, replaced whole or not at all.

    venue=binance/symbol=BTCUSDT/table=bars/interval=5m/month=2026-01/part.parquet
    venue=binance/symbol=BTCUSDT/table=trades/interval=none/month=2026-01/31.parquet

Tables whose rows cover no interval have `interval=none`; trades and depth have a file a day. A file's footer lists the files
that it came from: their names and hashes, the reader, and when they were imported.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl

from liqbt._time import parse_interval
from liqbt.data import _partition
from liqbt.data._places import Place, open_place
from liqbt.data._transaction import Origin, Transaction, WriteResult, file_key
from liqbt.data.provenance import Input
from liqbt.data.readers._interval import interval_name
from liqbt.data.readers._recording import Recording
from liqbt.data.schema import TABLES, Table
from liqbt.data.schema import table as canonical_table
from liqbt.errors import ConfigError, StoreError, did_you_mean

__all__ = ["Store", "StoreEntry", "WriteResult"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}")
_FILE: Final = re.compile(r"(part|[0-9]{2})\.parquet")  # what synchronising programs put beside it would double its rows
_INTERVAL: Final = re.compile(r"[1-9][0-9]{0,4}[smhdw]")
_NO_INTERVAL: Final = "none"
_FIRST_DAY: Final = "0000-00-00"
_LAST_DAY: Final = "9999-99-99"
_READERS_AT_ONCE: Final = 16  # of footers, which are small and may be far away


@dataclass(frozen=True, kw_only=True)
class StoreEntry:
    """One stored series: its rows, `timestamp` of the first and the last in UTC nanoseconds, and the files that it came from.

    interval: None for tables whose rows cover none.
    """

    venue: str
    symbol: str
    table: str
    interval: str | None
    rows: int
    first: int
    last: int
    sources: tuple[Input, ...]


@dataclass(frozen=True)
class Store:
    """Imported recordings in a local folder, which need not exist before the first write, or under `s3://bucket/prefix`.

    Credentials, region and endpoint of S3 come from the usual AWS_* environment variables.
    """

    path: Path | str
    _place: Place = field(repr=False, compare=False)

    def __init__(self, path: str | Path) -> None:
        place = open_place(path)
        object.__setattr__(self, "path", path if "://" in str(path) else Path(path))
        object.__setattr__(self, "_place", place)

    def transaction(self) -> contextlib.closing[Transaction]:
        """Return a context that gathers rows until they are committed; without a commit nothing changes.

        While it writes to a local folder others wait; a killed process lets go.
        """
        return contextlib.closing(Transaction(self._place, _now()))

    def write(self, recording: Recording, venue: str, symbol: str) -> WriteResult:
        """Merge one recording into the store and return what that changed.

        In tables with unique timestamps a new row replaces the stored one; of events, only those that are not stored are
        added. A file that was imported before, by its SHA-256, changes nothing. Whoever reads sees a file's old rows or its
        new ones, and an import that was killed is finished by importing again.

        Raises ConfigError for a venue or symbol that is no plain name; StoreError where the store cannot be written, a partition
        is damaged, or has rows that the same file gave when it was read with other options.
        """
        series = self.series(venue, symbol, recording.table, recording.interval)
        origin = Origin(label=recording.source, name=recording.source, sha256=recording.sha256, reader=recording.reader)
        with self.transaction() as transaction:
            transaction.add(series, canonical_table(recording.table), recording.rows, origin)
            return transaction.commit()[series, origin]

    @property
    def local_folder(self) -> Path | None:
        """The folder of a local store, for what lies in it beside recordings; None on S3."""
        return self.path if isinstance(self.path, Path) else None

    def series(self, venue: str, symbol: str, table: str, interval: str | None) -> str:
        """Return the key of the folder that holds a series.

        Raises ConfigError for names that are not plain, and for an interval that is missing or does not belong to the table.
        """
        spec = canonical_table(table)
        return f"{self._table_key(venue, symbol, table)}/interval={_interval_key(spec, interval)}"

    def scan(
        self, venue: str, symbol: str, table: str, interval: str | None = None, *, start_ns: int | None = None, end_ns: int | None = None
    ) -> pl.LazyFrame:
        """Return the rows stamped in `[start_ns, end_ns)` (UTC nanoseconds), unread and sorted by time.

        Only files that overlap the span are opened when it is collected, and of them only what the query needs.
        Raises as `read`.
        """
        keys = self._keys(venue, symbol, table, interval, start_ns, end_ns)
        if keys:
            return _partition.scan(self._place, keys, canonical_table(table).names, start_ns=start_ns, end_ns=end_ns)
        return self._empty(venue, symbol, table, interval).lazy()

    def read(
        self, venue: str, symbol: str, table: str, interval: str | None = None, *, start_ns: int | None = None, end_ns: int | None = None
    ) -> tuple[pl.DataFrame, tuple[Input, ...]]:
        """Return the rows stamped in `[start_ns, end_ns)` (UTC nanoseconds), sorted by time, and the files that gave them.

        Only months or days that overlap the span are opened; without rows in it the frame is empty. The files are those of
        the opened partitions, with the rows that they gave to them.

        Raises StoreError listing what is stored where this is not, or naming a damaged file; ConfigError for an unknown table,
        or an interval that is missing or does not belong to the table.
        """
        keys = self._keys(venue, symbol, table, interval, start_ns, end_ns)
        if not keys:
            return self._empty(venue, symbol, table, interval), ()
        sources = [source for header in self._headers(keys) for source in header.sources]
        rows = _partition.load(self._place, keys, canonical_table(table).names, start_ns=start_ns, end_ns=end_ns)
        return rows, _inputs(table, sources)

    def contents(self) -> list[StoreEntry]:
        """Return what is stored, sorted by venue, symbol, table and interval, from the files' footers alone.

        Raises StoreError where a file is damaged.
        """
        entries = []
        for venue, symbol, table, interval, folder in self._all_series():
            headers = self._headers([key for _, key in self._files(folder)])
            if not headers:
                continue
            entries.append(
                StoreEntry(
                    venue=venue,
                    symbol=symbol,
                    table=table,
                    interval=None if interval == _NO_INTERVAL else interval,
                    rows=sum(header.extent.rows for header in headers),
                    first=min(header.extent.first for header in headers),
                    last=max(header.extent.last for header in headers),
                    sources=_inputs(table, [source for header in headers for source in header.sources]),
                )
            )
        return entries

    def extent(self, venue: str, symbol: str, table: str, interval: str | None = None) -> tuple[int, int]:
        """Return the first and the last `timestamp` stored of a series, UTC nanoseconds, from two footers; raises as `read`."""
        keys = self._keys(venue, symbol, table, interval, None, None)
        headers = self._headers(sorted({keys[0], keys[-1]}))
        return min(one.extent.first for one in headers), max(one.extent.last for one in headers)

    def intervals(self, venue: str, symbol: str, table: str) -> tuple[str, ...]:
        """Return the intervals stored of a table, shortest first; empty where it is not stored or covers no interval."""
        folder = self._table_key(venue, symbol, table)
        names = [name for name in self._children(folder, "interval") if name != _NO_INTERVAL]
        return tuple(name for name in names if next(self._files(f"{folder}/interval={name}"), None))  # a killed import leaves empty folders

    def has(self, venue: str, symbol: str, table: str, interval: str | None = None) -> bool:
        """Return whether rows of that table (and interval, where it has one) are stored."""
        return next(self._files(self.series(venue, symbol, table, interval)), None) is not None

    def _table_key(self, venue: str, symbol: str, table: str) -> str:
        return f"venue={_name(venue, 'venue')}/symbol={_name(symbol, 'symbol')}/table={table}"

    def _keys(self, venue: str, symbol: str, table: str, interval: str | None, start_ns: int | None, end_ns: int | None) -> list[str]:
        """Return the keys of the files that can hold rows of the span."""
        if interval is None and canonical_table(table).has_interval:
            self._descend(venue, symbol, table, interval)  # raises with those that are stored
        folder = self.series(venue, symbol, table, interval)
        first = _FIRST_DAY if start_ns is None else _day_of(start_ns)
        last = _LAST_DAY if end_ns is None else _day_of(end_ns - 1)
        found = list(self._files(folder, first, last))
        if not found and next(self._files(folder), None) is None:
            self._descend(venue, symbol, table, interval)  # raises with what is stored instead
            raise StoreError(f"{self._place.url(folder)}: holds no data; import it again")
        # A month `2026-01` and a day `2026-01-31` are both compared by as much as they tell.
        return [key for span, key in found if first[: len(span)] <= span <= last[: len(span)]]

    def _empty(self, venue: str, symbol: str, table: str, interval: str | None) -> pl.DataFrame:
        _, key = next(self._files(self.series(venue, symbol, table, interval)))
        return _partition.scan(self._place, [key], canonical_table(table).names).head(0).collect()

    def _headers(self, keys: list[str]) -> list[_partition.Stored]:
        if len(keys) == 1:
            return [_partition.read_header(self._place, keys[0])]
        with ThreadPoolExecutor(_READERS_AT_ONCE) as pool:
            return list(pool.map(lambda key: _partition.read_header(self._place, key), keys))

    def _files(self, folder: str, first: str = _FIRST_DAY, last: str = _LAST_DAY) -> Iterator[tuple[str, str]]:
        """Yield the span, as `2026-01` or `2026-01-31`, and key of each file of a series in the months between two days, in order."""
        for month in self._children(folder, "month"):
            if not _MONTH.fullmatch(month) or not first[:7] <= month <= last[:7]:
                continue
            for name in filter(_FILE.fullmatch, self._place.files(f"{folder}/month={month}")):
                day = name.removesuffix(".parquet")
                span = month if day == "part" else f"{month}-{day}"
                yield span, file_key(folder, span)

    def _all_series(self) -> Iterator[tuple[str, str, str, str, str]]:
        for venue in self._children("", "venue"):
            symbols = f"venue={venue}"
            for symbol in self._children(symbols, "symbol"):
                tables = f"{symbols}/symbol={symbol}"
                for table in self._children(tables, "table"):
                    if table not in TABLES:
                        continue
                    intervals = f"{tables}/table={table}"
                    for interval in self._children(intervals, "interval"):
                        yield venue, symbol, table, interval, f"{intervals}/interval={interval}"

    def _children(self, folder: str, kind: str) -> list[str]:
        """Names of the hive folders of a kind, intervals by length, the rest by name."""
        prefix = f"{kind}="
        names = [name.removeprefix(prefix) for name in self._place.folders(folder) if name.startswith(prefix)]
        if kind != "interval":
            return names
        names = [name for name in names if name == _NO_INTERVAL or _INTERVAL.fullmatch(name)]
        return sorted(names, key=lambda name: (0 if name == _NO_INTERVAL else parse_interval(name), name))

    def _descend(self, venue: str, symbol: str, table: str, interval: str | None) -> str:
        """Return the key of a stored series' folder; raises StoreError telling what is stored at the first level where it is not."""
        spec = canonical_table(table)
        folder = ""
        for kind, wanted in (("venue", _name(venue, "venue")), ("symbol", _name(symbol, "symbol")), ("table", table)):
            folder = self._step(folder, kind, wanted)
        if spec.has_interval and interval is None:
            raise ConfigError(f"interval: table {table!r} needs one; stored: {', '.join(self._children(folder, 'interval'))}")
        return self._step(folder, "interval", _interval_key(spec, interval))

    def _step(self, folder: str, kind: str, wanted: str) -> str:
        known = self._children(folder, kind)
        if wanted in known:
            return f"{folder}/{kind}={wanted}".removeprefix("/")
        if not known:
            raise StoreError(f"{self.path}: holds no data{f' under {folder}' if folder else ''}; import some first")
        hint = did_you_mean(wanted, known)
        listed = "" if "known:" in hint else f"; known: {', '.join(known)}"
        inside = f" of {' '.join(part.partition('=')[2] for part in folder.split('/'))}" if folder else ""
        raise StoreError(f"{self.path}: has no {kind} {wanted!r}{inside}{hint}{listed}")


def _name(value: str, parameter: str) -> str:
    # It becomes a folder's name: no separators, and no leading dot that hides it or climbs.
    if not _NAME.fullmatch(value):
        raise ConfigError(f"{parameter}: {value!r} is no plain name; use letters, digits, '.', '_' and '-', not '.' first")
    return value


def _interval_key(spec: Table, interval: str | None) -> str:
    if not spec.has_interval:
        if interval is not None:
            raise ConfigError(f"interval: table {spec.name!r} has none; leave {interval!r} out")
        return _NO_INTERVAL
    if interval is None:
        raise ConfigError(f"interval: table {spec.name!r} needs one, such as 5m")
    return interval_name(parse_interval(interval)) or interval


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day_of(stamp_ns: int) -> str:
    return datetime.fromtimestamp(stamp_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")


def _inputs(table: str, sources: Iterable[_partition.Source]) -> tuple[Input, ...]:
    found: dict[tuple[str, str, str], tuple[int, str]] = {}
    for one in sources:
        key = (one.source, one.sha256, one.reader)
        rows, at = found.get(key, (0, one.imported_at))
        found[key] = (rows + one.rows, min(at, one.imported_at))
    return tuple(
        Input(table=table, source=name, sha256=sha256, reader=reader, rows=rows, imported_at=at)
        for (name, sha256, reader), (rows, at) in found.items()
    )

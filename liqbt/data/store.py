"""The store of imported recordings: Parquet files in hive partitions, replaced whole or not at all.

    venue=binance/symbol=BTCUSDT/table=bars/interval=5m/month=2026-01/part.parquet

Tables whose rows cover no interval have `interval=none`. A partition's footer lists the files that it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from liqbt._time import parse_interval
from liqbt.data import _partition
from liqbt.data.provenance import Input
from liqbt.data.readers._interval import interval_name
from liqbt.data.readers._recording import Recording
from liqbt.data.schema import TABLES, Table
from liqbt.data.schema import table as canonical_table
from liqbt.errors import ConfigError, StoreError, did_you_mean

__all__ = ["Store", "StoreEntry", "WriteResult"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_MONTH: Final = re.compile(r"[0-9]{4}-[0-9]{2}")
_NO_INTERVAL: Final = "none"


@dataclass(frozen=True, kw_only=True)
class WriteResult:
    """What writing one recording changed.

    rows_new: rows that were not there. rows_replaced: rows that took the place of one with other values.
    rows_total: rows now stored of that venue, symbol, table and interval. partitions: months whose file changed, as `2026-01`.
    """

    rows_new: int
    rows_replaced: int
    rows_total: int
    partitions: tuple[str, ...]


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
    """Imported recordings under one folder, which need not exist before the first write."""

    path: Path

    def __init__(self, path: str | Path) -> None:
        object.__setattr__(self, "path", Path(path))
        if self.path.exists() and not self.path.is_dir():
            raise StoreError(f"{path}: is a file; a store is a folder")

    def check(self, recording: Recording, venue: str, symbol: str) -> None:
        """Raise where `write` would refuse this recording, without changing anything.

        ConfigError for a venue or symbol that is no plain name; StoreError where a partition is damaged, or has rows that the
        same file gave when it was read with other options.
        """
        folder = self._folder(recording, venue, symbol)
        for month, rows in _by_month(recording.rows):
            self._known(folder / f"month={month}", recording, rows)

    def write(self, recording: Recording, venue: str, symbol: str) -> WriteResult:
        """Merge a recording into the store and return what that changed.

        In tables with unique timestamps a new row replaces the stored one; of events, only those that are not stored are
        added. A file that was imported before, by its SHA-256, changes nothing. All partitions are written beside their
        place before the first is put in place, each in one step: whoever reads sees the old rows or the new ones, and an
        import that was killed is finished by importing again.

        Raises as `check`, and StoreError where the folder cannot be written.
        """
        folder = self._folder(recording, venue, symbol)
        spec = canonical_table(recording.table)
        added = replaced = 0
        staged: dict[str, Path] = {}
        with _partition.locked(self.path):
            try:
                for month, rows in _by_month(recording.rows):
                    place = folder / f"month={month}"
                    sources, known = self._known(place, recording, rows)
                    if known:
                        continue
                    merged, new, other = rows, rows.height, 0
                    if sources:
                        old = _partition.load([place / _partition.FILE_NAME], spec.names)
                        merged, new, other = _partition.merge(old, rows, spec)
                    staged[month] = _partition.stage(place, merged, (*sources, _source(recording, rows)))
                    added, replaced = added + new, replaced + other
            except BaseException:
                for file in staged.values():
                    file.unlink(missing_ok=True)
                raise
            for file in staged.values():
                _partition.publish(file)
            total = sum(_partition.read_header(file)[1].rows for _, file in _months(folder))
        return WriteResult(rows_new=added, rows_replaced=replaced, rows_total=total, partitions=tuple(staged))

    def read(
        self,
        venue: str,
        symbol: str,
        table: str,
        interval: str | None = None,
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> tuple[pl.DataFrame, tuple[Input, ...]]:
        """Return the rows stamped in `[start_ns, end_ns)` (UTC nanoseconds), sorted by time, and the files that gave them.

        Only months that overlap the span are opened; without rows in it the frame is empty. The files are those of the opened
        months, with the rows that they gave to them.

        Raises StoreError listing what is stored where this is not, or naming a damaged file; ConfigError for an unknown table,
        or an interval that is missing or does not belong to the table.
        """
        spec = canonical_table(table)
        level = self.path
        for kind, wanted in (("venue", _name(venue, "venue")), ("symbol", _name(symbol, "symbol")), ("table", table)):
            level = _descend(level, kind, wanted, self.path)
        if spec.has_interval and interval is None:
            raise ConfigError(f"interval: table {table!r} needs one; stored: {', '.join(_children(level, 'interval'))}")
        level = _descend(level, "interval", _interval_key(spec, interval), self.path)
        months = _months(level)
        if not months:
            raise StoreError(f"{level}: holds no data; import it again")
        first = None if start_ns is None else _month_of(start_ns)
        last = None if end_ns is None else _month_of(end_ns - 1)
        files = [file for month, file in months if (first is None or month >= first) and (last is None or month <= last)]
        if not files:
            return _partition.load([months[0][1]], spec.names).clear(), ()
        sources = [source for file in files for source in _partition.read_header(file)[0]]
        return _partition.load(files, spec.names, start_ns=start_ns, end_ns=end_ns), _inputs(table, sources)

    def contents(self) -> list[StoreEntry]:
        """Return what is stored, sorted by venue, symbol, table and interval, from the files' footers alone.

        Raises StoreError where a file is damaged.
        """
        entries = []
        for venue, symbol, table, interval, folder in self._series():
            headers = [_partition.read_header(file) for _, file in _months(folder)]
            if not headers:
                continue
            entries.append(
                StoreEntry(
                    venue=venue,
                    symbol=symbol,
                    table=table,
                    interval=None if interval == _NO_INTERVAL else interval,
                    rows=sum(extent.rows for _, extent in headers),
                    first=min(extent.first for _, extent in headers),
                    last=max(extent.last for _, extent in headers),
                    sources=_inputs(table, [source for sources, _ in headers for source in sources]),
                )
            )
        return entries

    def intervals(self, venue: str, symbol: str, table: str) -> tuple[str, ...]:
        """Return the intervals stored of a table, shortest first; empty where it is not stored or covers no interval."""
        level = self.path / f"venue={_name(venue, 'venue')}" / f"symbol={_name(symbol, 'symbol')}" / f"table={table}"
        return tuple(name for name in _children(level, "interval") if name != _NO_INTERVAL)

    def has(self, venue: str, symbol: str, table: str, interval: str | None = None) -> bool:
        """Return whether rows of that table (and interval, where it has one) are stored."""
        key = _interval_key(canonical_table(table), interval)
        level = self.path / f"venue={_name(venue, 'venue')}" / f"symbol={_name(symbol, 'symbol')}" / f"table={table}"
        return bool(_months(level / f"interval={key}"))

    def _folder(self, recording: Recording, venue: str, symbol: str) -> Path:
        spec = canonical_table(recording.table)
        series = self.path / f"venue={_name(venue, 'venue')}" / f"symbol={_name(symbol, 'symbol')}"
        return series / f"table={spec.name}" / f"interval={_interval_key(spec, recording.interval)}"

    def _known(self, place: Path, recording: Recording, rows: pl.DataFrame) -> tuple[tuple[_partition.Source, ...], bool]:
        """Return the sources of a partition, and whether this recording is one of them."""
        file = place / _partition.FILE_NAME
        if not file.exists():
            return (), False
        sources, _ = _partition.read_header(file)
        for source in sources:
            if source.sha256 != recording.sha256:
                continue
            if source.digest != _partition.digest(rows):
                raise StoreError(
                    f"{recording.source} was imported before with other reading options, and {file} holds those rows; "
                    f"delete {place.parent} and import its files again"
                )
            return sources, True
        return sources, False

    def _series(self) -> Iterator[tuple[str, str, str, str, Path]]:
        for venue in _children(self.path, "venue"):
            symbols = self.path / f"venue={venue}"
            for symbol in _children(symbols, "symbol"):
                tables = symbols / f"symbol={symbol}"
                for table in _children(tables, "table"):
                    if table not in TABLES:
                        continue
                    intervals = tables / f"table={table}"
                    for interval in _children(intervals, "interval"):
                        yield venue, symbol, table, interval, intervals / f"interval={interval}"


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


def _children(level: Path, kind: str) -> list[str]:
    """Names of the hive folders of a kind, intervals by length, the rest by name."""
    prefix = f"{kind}="
    if not level.is_dir():
        return []
    names = [entry.name.removeprefix(prefix) for entry in level.iterdir() if entry.name.startswith(prefix) and entry.is_dir()]
    if kind != "interval":
        return sorted(names)
    return sorted(names, key=lambda name: (0 if name == _NO_INTERVAL else parse_interval(name), name))


def _descend(level: Path, kind: str, wanted: str, store: Path) -> Path:
    known = _children(level, kind)
    if wanted in known:
        return level / f"{kind}={wanted}"
    if not known:
        raise StoreError(f"{store}: holds no data{'' if level == store else f' under {level.relative_to(store)}'}; import some first")
    hint = did_you_mean(wanted, known)
    listed = "" if "known:" in hint else f"; known: {', '.join(known)}"
    inside = "" if level == store else f" of {' '.join(part.partition('=')[2] for part in level.relative_to(store).parts)}"
    raise StoreError(f"{store}: has no {kind} {wanted!r}{inside}{hint}{listed}")


def _months(folder: Path) -> list[tuple[str, Path]]:
    """Return the months under a series' folder and their files, in order; one that was never finished has no file yet."""
    found = [(month, folder / f"month={month}" / _partition.FILE_NAME) for month in _children(folder, "month") if _MONTH.fullmatch(month)]
    return [(month, file) for month, file in found if file.exists()]


def _month_of(stamp_ns: int) -> str:
    return str(pl.Series([stamp_ns]).cast(pl.Datetime("ns", "UTC")).dt.strftime("%Y-%m")[0])


def _by_month(rows: pl.DataFrame) -> Iterable[tuple[str, pl.DataFrame]]:
    month = rows["timestamp"].dt.strftime("%Y-%m")
    for key in month.unique(maintain_order=True):
        yield str(key), rows.filter(month == key)


def _source(recording: Recording, rows: pl.DataFrame) -> _partition.Source:
    return _partition.Source(
        source=recording.source, sha256=recording.sha256, reader=recording.reader, rows=rows.height, digest=_partition.digest(rows)
    )


def _inputs(table: str, sources: Iterable[_partition.Source]) -> tuple[Input, ...]:
    rows: dict[tuple[str, str, str], int] = {}
    for one in sources:
        key = (one.source, one.sha256, one.reader)
        rows[key] = rows.get(key, 0) + one.rows
    return tuple(Input(table=table, source=s, sha256=h, reader=r, rows=n) for (s, h, r), n in rows.items())

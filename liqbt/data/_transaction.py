"""Rows on their way into the store: gathered by partition, merged when all are there, then put in place file by file."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from liqbt._time import format_ns
from liqbt.data import _partition
from liqbt.data._places import Place, Snapshot
from liqbt.data.schema import Table
from liqbt.errors import DataError, StoreError

__all__ = ["Origin", "Transaction", "WriteResult", "file_key"]

_MOST_ROWS: Final = 6_000_000  # held in memory, about 300 MB; what is more waits on disk


@dataclass(frozen=True, kw_only=True)
class WriteResult:
    """What one file changed in one series.

    rows_new: rows that were not there. rows_replaced: rows that took the place of one with other values.
    partitions: months or days whose file changed, as `2026-01` or `2026-01-31`.
    """

    rows_new: int
    rows_replaced: int
    partitions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A file that rows come from. label: the path as the user wrote it. name: without its folder."""

    label: str
    name: str
    sha256: str
    reader: str


@dataclass(kw_only=True)
class _Share:
    """What one file has for one partition: frames in memory, those that were put on disk before them, and the last stamp of all."""

    frames: list[pl.DataFrame] = field(default_factory=list)
    spilled: list[Path] = field(default_factory=list)
    last: int = -(2**63)

    def rows(self) -> pl.DataFrame:
        whole = pl.concat([*(_partition.unspill(path) for path in self.spilled), *self.frames], how="diagonal")
        return whole if whole["timestamp"].is_sorted() else whole.sort("timestamp", maintain_order=True)


class Transaction:
    """Gathers rows and commits them. Nothing in the store changes before `commit`, and each of its files changes in one step.

    The right to write is taken when it is first needed: for rows that memory does not hold, or to commit. It is let go of by `close`.
    """

    def __init__(self, place: Place, imported_at: str) -> None:
        self._place = place
        self._imported_at = imported_at
        self._shares: dict[str, dict[str, tuple[Table, dict[Origin, _Share]]]] = defaultdict(dict)
        self._held = 0
        self._spills = 0
        self._right = contextlib.ExitStack()
        self._folder: Path | None = None

    @property
    def _staging(self) -> Path:
        """The folder for files that are not yet in place; whoever has it has the right to write."""
        if self._folder is None:
            self._folder = self._right.enter_context(self._place.writing())
        return self._folder

    def close(self) -> None:
        """Forget what was not committed, and let others write."""
        self._right.close()

    def add(self, series: str, spec: Table, rows: pl.DataFrame, origin: Origin) -> None:
        """Take canonical rows of a file for a series, the key of its folder.

        Raises DataError where a table's unique timestamps repeat or go back from one batch of a file to the next.
        """
        for span, part in _spans(rows, spec):
            _, shares = self._shares[series].setdefault(span, (spec, {}))
            share = shares.setdefault(origin, _Share())
            stamps = part["timestamp"].to_physical()
            if spec.unique and stamps[0] <= share.last:
                raise DataError(
                    f"{origin.label}: {spec.name} of {format_ns(stamps[0])} come after later ones or twice; "
                    "sort the file by time and remove what is doubled"
                )
            share.frames.append(part)
            share.last = stamps[-1]
            self._held += part.height
        if self._held > _MOST_ROWS:
            self._spill()

    def commit(self, told: Callable[[float], None] | None = None) -> dict[tuple[str, Origin], WriteResult]:
        """Merge what was gathered into the store and return what that changed, by series and file.

        All partitions are merged and written beside the store before the first is put in its place.
        told: called with the share that is done. Raises StoreError where a partition is damaged or cannot be written, or holds
        rows that the same file gave with other reading options; ConflictError where somebody else wrote meanwhile.
        """
        staging = self._staging
        changed: dict[tuple[str, Origin], list[tuple[str, int, int]]] = {}
        ready: list[tuple[Path, str, str | None]] = []
        spans = [(series, span) for series in self._shares for span in sorted(self._shares[series])]
        for done, (series, span) in enumerate(spans):
            spec, shares = self._shares[series].pop(span)
            key = file_key(series, span)
            staged = staging / f"{len(ready)}.parquet"
            now = self._place.snapshot(key)
            gains = self._merged(key, now, spec, shares, staged)
            for origin, (new, replaced, whether) in gains.items():
                changed.setdefault((series, origin), []).extend([(span, new, replaced)] if whether else [])
            if any(whether for _, _, whether in gains.values()):
                ready.append((staged, key, None if now is None else now.version))
            if told is not None:
                told((done + 1) / len(spans))
        for staged, key, version in ready:
            self._place.put(staged, key, version)
        return {
            place: WriteResult(
                rows_new=sum(new for _, new, _ in parts),
                rows_replaced=sum(replaced for _, _, replaced in parts),
                partitions=tuple(span for span, _, _ in parts),
            )
            for place, parts in changed.items()
        }

    def _merged(
        self, key: str, now: Snapshot | None, spec: Table, shares: dict[Origin, _Share], staged: Path
    ) -> dict[Origin, tuple[int, int, bool]]:
        """Write a partition as it will be, and return what each file changed in it: rows new, rows replaced, whether at all."""
        sources = () if now is None else _partition.header_of(now.content, self._place.url(key)).sources
        merged = None
        gains: dict[Origin, tuple[int, int, bool]] = {}
        for origin, share in shares.items():
            rows = share.rows()
            mark = _partition.fingerprint(rows)
            before = next((one for one in sources if one.sha256 == origin.sha256), None)
            if before is not None:
                if before.fingerprint != mark:
                    raise StoreError(
                        f"{origin.name} was imported before with other reading options, and {self._place.url(key)} holds those rows; "
                        "delete that file and import the files of its time again"
                    )
                gains[origin] = (0, 0, False)
                continue
            if merged is None and now is not None:
                merged = _partition.rows_of(now.content, self._place.url(key), spec.names)
            merged, new, replaced = (rows, rows.height, 0) if merged is None else _partition.merge(merged, rows, spec)
            sources = (
                *sources,
                _partition.Source(
                    source=origin.name,
                    sha256=origin.sha256,
                    reader=origin.reader,
                    rows=rows.height,
                    imported_at=self._imported_at,
                    fingerprint=mark,
                ),
            )
            gains[origin] = (new, replaced, True)
        if merged is not None:
            _partition.write(staged, merged, sources)
        return gains

    def _spill(self) -> None:
        """Put what is held in memory on disk, to be taken up at the commit."""
        for spans in self._shares.values():
            for _, shares in spans.values():
                for share in shares.values():
                    if not share.frames:
                        continue
                    path = self._staging / f"{self._spills}.arrow"
                    self._spills += 1
                    _partition.spill(path, share.frames)
                    share.spilled.append(path)
                    share.frames = []
        self._held = 0


def file_key(series: str, span: str) -> str:
    """Return the key of the file that holds a month (`2026-01`) or a day (`2026-01-31`) of a series."""
    month, day = span[:7], span[8:]
    return f"{series}/month={month}/{day or 'part'}.parquet"


def _spans(rows: pl.DataFrame, spec: Table) -> Iterator[tuple[str, pl.DataFrame]]:
    by_month = spec.stored_by == "month"
    starts = rows["timestamp"].dt.truncate("1mo" if by_month else "1d")
    if starts[0] == starts[-1] and starts.is_sorted():  # nearly always, and then there is nothing to copy
        yield starts[0].strftime("%Y-%m" if by_month else "%Y-%m-%d"), rows
        return
    for start in starts.unique(maintain_order=True):
        yield start.strftime("%Y-%m" if by_month else "%Y-%m-%d"), rows.filter(starts == start)

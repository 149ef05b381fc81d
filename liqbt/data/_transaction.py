"""Rows on their way into the store: gathered by partition, merged when all are there, then put in place file by file."""

from __future__ import annotations

import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final, TypeAlias

import polars as pl

from liqbt._time import format_ns
from liqbt.data import _partition
from liqbt.data._places import ConflictError, Place
from liqbt.data.schema import Table
from liqbt.errors import DataError, StoreError

__all__ = ["Origin", "Transaction", "WriteResult", "file_key"]

_MOST_ROWS: Final = 6_000_000  # held in memory, about 300 MB; what is more waits on disk
_WAITS: Final = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6, 1.6, 1.6)  # at most, in seconds, before a partition is merged again that others changed


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


_Gains: TypeAlias = dict[Origin, tuple[int, int, bool]]
"""What each file changes in a partition: rows new, rows replaced, whether at all."""


@dataclass(frozen=True, kw_only=True)
class _Merged:
    """A partition as it will be, in a file that is not yet in place. version: of what it was merged into, None where nothing was."""

    series: str
    span: str
    staged: Path
    version: str | None
    gains: _Gains

    def put(self, place: Place) -> _Gains:
        if any(whether for _, _, whether in self.gains.values()):
            place.put(self.staged, file_key(self.series, self.span), self.version)
        return self.gains


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
            wrong = (stamps.diff() <= 0).fill_null(stamps[0] <= share.last)
            if spec.unique and wrong.any():
                raise DataError(
                    f"{origin.label}: {spec.name} of {format_ns(stamps[int(wrong.arg_max() or 0)])} come after later ones or twice; "
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
        rows that the same file gave with other reading options; ConflictError where others keep on writing to the same partition.
        """
        staging = self._staging
        changed: dict[tuple[str, Origin], list[tuple[str, int, int]]] = {}
        ready: list[_Merged] = []
        self._refuse_other_readings()
        spans = [(series, span) for series in self._shares for span in sorted(self._shares[series])]
        for done, (series, span) in enumerate(spans):
            ready.append(self._merged(series, span, staging / f"{done}.parquet"))
            if told is not None:
                told((done + 1) / len(spans))
        for one in ready:
            for origin, (new, replaced, whether) in self._placed(one).items():
                changed.setdefault((one.series, origin), []).extend([(one.span, new, replaced)] if whether else [])
        return {
            place: WriteResult(
                rows_new=sum(new for _, new, _ in parts),
                rows_replaced=sum(replaced for _, _, replaced in parts),
                partitions=tuple(span for span, _, _ in parts),
            )
            for place, parts in changed.items()
        }

    def _refuse_other_readings(self) -> None:
        """Raise StoreError where a file has rows beside those that it gives now: it was read with another clock before."""
        for series, spans in self._shares.items():
            by_month = next(iter(spans.values()))[0].stored_by == "month"
            for beside in {near for span in spans for near in _neighbours(span, by_month)} - set(spans):
                now = self._place.snapshot(file_key(series, beside))
                if now is None:
                    continue
                url = self._place.url(file_key(series, beside))
                known = {one.sha256 for one in _partition.header_of(now.content, url).sources}
                for origin in {origin for _, shares in spans.values() for origin in shares}:
                    if origin.sha256 in known:
                        raise _read_otherwise(origin, url)

    def _placed(self, one: _Merged) -> _Gains:
        """Put a merged partition in its place, and return what each file changed in it."""
        for wait in _WAITS:
            with contextlib.suppress(ConflictError):
                return one.put(self._place)
            time.sleep(random.uniform(0, wait))  # noqa: S311 - so that those who conflict do not meet again
            one = self._merged(one.series, one.span, one.staged)  # into what is there now
        return one.put(self._place)

    def _merged(self, series: str, span: str, staged: Path) -> _Merged:
        """Write a partition as it will be beside the store."""
        spec, shares = self._shares[series][span]
        key = file_key(series, span)
        now = self._place.snapshot(key)
        sources = () if now is None else _partition.header_of(now.content, self._place.url(key)).sources
        merged = None
        gains: _Gains = {}
        for origin, share in shares.items():
            rows = share.rows()
            mark = _partition.fingerprint(rows)
            before = next((one for one in sources if one.sha256 == origin.sha256), None)
            if before is not None:
                if before.fingerprint != mark:
                    raise _read_otherwise(origin, self._place.url(key))
                gains[origin] = (0, 0, False)
                continue
            if merged is None and now is not None:
                merged = _partition.rows_of(now.content, self._place.url(key), spec.names)
            before_it = merged
            merged, new, replaced = (rows, rows.height, 0) if merged is None else _partition.merge(merged, rows, spec)
            if before_it is not None and spec.adds_up and _partition.interleaved(before_it, rows, new):
                raise StoreError(
                    f"{origin.name} has no {spec.name} in common with {self._place.url(key)}, which is of the same time: it would count "
                    "them twice; keep only one kind of recording, or give this one a venue of its own"
                )
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
        return _Merged(series=series, span=span, staged=staged, version=None if now is None else now.version, gains=gains)

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


def _read_otherwise(origin: Origin, url: str) -> StoreError:
    return StoreError(
        f"{origin.name} was imported before with other reading options, and {url} holds those rows; "
        "delete that file and import the files of its time again"
    )


def _neighbours(span: str, by_month: bool) -> tuple[str, str]:
    """Return the months or days before and after one; a clock is never off by more."""
    start = date.fromisoformat(f"{span}-01" if by_month else span)
    form = "%Y-%m" if by_month else "%Y-%m-%d"
    return (start - timedelta(days=1)).strftime(form), (start + timedelta(days=31 if by_month else 1)).strftime(form)


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

"""A recorded file: hashed once, then read as a stream that is known to be what was hashed."""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Final

from liqbt.data.readers._containers import decompressed, prefetched
from liqbt.errors import DataError

__all__ = ["Head", "SourceFile", "open_source"]

_HEAD: Final = 1 << 16
_HASH: Final = 1 << 22
_SAMPLE_ROWS: Final = 50


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """A file on disk.

    label: the path as the user wrote it, for messages. path: where it lies. sha256: of its bytes as they lie there.
    state: size and times when it was hashed; a file that changes while it is read is refused.
    """

    label: str
    path: Path
    sha256: str
    state: tuple[int, ...] = field(repr=False)

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    @property
    def stem(self) -> str:
        """The file's name without what tells its format: `.csv`, `.zip`, `.jsonl.gz` and so on."""
        name = self.name
        for ending in (".gz", ".lz4", ".zip", ".csv", ".jsonl", ".ndjson", ".json", ".feather", ".txt"):
            name = name.removesuffix(ending)
        return name

    def stream(self) -> Iterator[bytes]:
        """Yield the contents, undone where compressed, in pieces made by a thread of its own.

        Raises DataError where the file is damaged, or has changed since it was hashed.
        """
        return prefetched(self._pieces())

    def content(self) -> bytes:
        """Return the whole contents, undone where compressed; raises as `stream`."""
        return b"".join(self._pieces())

    @cached_property
    def head(self) -> Head:
        """The beginning of the contents; raises as `stream`."""
        start = b""
        pieces = self._pieces()
        for piece in pieces:
            start += piece[: _HEAD + 1]
            if len(start) > _HEAD:
                break
        return Head(file=self, start=start[:_HEAD], whole=len(start) <= _HEAD)

    def _pieces(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                yield from decompressed(file, self.label)
                if _state(file) != self.state:
                    raise DataError(f"{self.label}: changed while it was read; wait until whatever writes it has finished")
        except OSError as error:
            raise DataError(f"{self.label}: cannot be read ({error.strerror or error}); check the file and its disk") from error


@dataclass(frozen=True, kw_only=True)
class Head:
    """The first 64 KiB of a file's contents, in the forms that tell what it is.

    start: bytes. whole: whether that is all of it.
    """

    file: SourceFile
    start: bytes = field(repr=False)
    whole: bool

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The first lines that are whole and not empty, up to 50; none where the file is no text."""
        data = self.start
        if b"\0" in data:
            return ()
        if not self.whole:
            data = data[: data.rfind(b"\n") + 1]
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            return ()
        return tuple(line for line in text.splitlines() if line.strip())[:_SAMPLE_ROWS]

    @cached_property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The first lines, split at commas, spaces around values removed."""
        try:
            return tuple(tuple(cell.strip() for cell in row) for row in csv.reader(self.lines))
        except csv.Error:
            return ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The cells of the first line: names where it is a header."""
        return self.rows[0] if self.rows else ()

    @cached_property
    def has_header(self) -> bool:
        """Whether no cell of the first line is a number or a time: a line of names."""
        return bool(self.columns) and not any(cell[:1].isdigit() or cell[:2].strip("-.")[:1].isdigit() for cell in self.columns)

    @cached_property
    def objects(self) -> tuple[dict[str, Any], ...]:
        """The first lines as JSON objects; none where the first is not one."""
        found: list[dict[str, Any]] = []
        for line in self.lines:
            if not line.startswith("{"):
                break
            try:
                value = json.loads(line)
            except ValueError:
                break
            found.append(value)
        return tuple(found)


def open_source(path: str | Path) -> SourceFile:
    """Hash a file; raises DataError where it is missing, a folder, unreadable or empty."""
    where = Path(path)
    if where.is_dir():
        raise DataError(f"{path}: is a folder; give the files in it")
    try:
        with where.open("rb") as file:
            state = _state(file)
            digest = hashlib.sha256()
            while piece := file.read(_HASH):
                digest.update(piece)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; check the path") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error
    if not state[0]:
        raise DataError(f"{path}: is empty; download or export it again")
    return SourceFile(label=str(path), path=where, sha256=digest.hexdigest(), state=state)


def _state(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns, status.st_ino

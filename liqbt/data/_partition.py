"""One Parquet file of the store: what it says about itself, how rows are merged into it, how it is replaced."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from liqbt.data.schema import Table
from liqbt.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows: two imports at once into one store are then the user's care
    fcntl = None  # type: ignore[assignment]

__all__ = ["FILE_NAME", "Extent", "Source", "digest", "load", "locked", "merge", "publish", "read_header", "stage"]

FILE_NAME: Final = "part.parquet"
_STAGED_NAME: Final = ".part.parquet.tmp"
_SOURCES: Final = "liqbt.sources"
_EXTENT: Final = "liqbt.extent"
# Fixed, so that the same rows give the same bytes whatever the library's default becomes.
_ROW_GROUP: Final = 262_144
_BROKEN: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One imported file's share in a partition.

    source: file name. sha256: of its bytes. reader: its name. rows: that it gave to this partition.
    digest: SHA-256 of those rows, which tells a second import with other reading options from a repeated one.
    """

    source: str
    sha256: str
    reader: str
    rows: int
    digest: str


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Rows of a partition, and its first and last `timestamp` in UTC nanoseconds."""

    rows: int
    first: int
    last: int


def digest(rows: pl.DataFrame) -> str:
    """Return the SHA-256 of the rows' values."""
    text = rows.with_columns(pl.col("timestamp", "available_at").to_physical()).write_csv()
    return hashlib.sha256(text.encode()).hexdigest()


def read_header(file: Path) -> tuple[tuple[Source, ...], Extent]:
    """Return what a partition says of itself, from its footer alone; raises StoreError where it is damaged or foreign."""
    try:
        metadata = pl.read_parquet_metadata(file)
    except _BROKEN as error:
        raise _damaged(file, error) from error
    try:
        sources = tuple(Source(**entry) for entry in json.loads(metadata[_SOURCES]))
        extent = Extent(**json.loads(metadata[_EXTENT]))
    except (KeyError, TypeError, ValueError):
        raise StoreError(f"{file}: was not written by liqbt; move it out of the store") from None
    return sources, extent


def load(files: list[Path], names: tuple[str, ...], *, start_ns: int | None = None, end_ns: int | None = None) -> pl.DataFrame:
    """Return the rows of partitions stamped in `[start_ns, end_ns)`, columns in the order of `names`.

    Raises StoreError naming the file that is damaged.
    """
    try:
        return _collect(files, names, start_ns, end_ns)
    except _BROKEN as error:
        for file in files:  # the error of a whole scan does not name its file
            try:
                _collect([file], names, None, None)
            except _BROKEN as cause:
                raise _damaged(file, cause) from cause
        raise StoreError(f"{files[0].parent.parent}: cannot be read ({_reason(error)})") from error


def _collect(files: list[Path], names: tuple[str, ...], start_ns: int | None, end_ns: int | None) -> pl.DataFrame:
    scans = [pl.scan_parquet(file, hive_partitioning=False, glob=False) for file in files]
    rows = pl.concat(scans, how="diagonal")
    stamp = pl.col("timestamp")
    if start_ns is not None:
        rows = rows.filter(stamp >= pl.lit(start_ns).cast(pl.Datetime("ns", "UTC")))
    if end_ns is not None:
        rows = rows.filter(stamp < pl.lit(end_ns).cast(pl.Datetime("ns", "UTC")))
    collected = rows.collect()
    return collected.select(name for name in names if name in collected.columns)


def merge(old: pl.DataFrame, new: pl.DataFrame, spec: Table) -> tuple[pl.DataFrame, int, int]:
    """Return both tables as one, with the number of rows that are new and of rows that replaced one with other values.

    Where timestamps are unique the new row wins as a whole, so that no row mixes two files. Events are kept as often as the
    file that has them most often has them: an overlap of two files adds nothing, two equal events in one file stay two.
    """
    names = [name for name in spec.names if name in old.columns or name in new.columns]
    schema = {**new.schema, **old.schema}
    old, new = (
        frame.with_columns(pl.lit(None, dtype=schema[name]).alias(name) for name in names if name not in frame.columns).select(names)
        for frame in (old, new)
    )
    if spec.unique:
        added = new.join(old, on="timestamp", how="anti").height
        same = new.join(old, on=names, how="semi", nulls_equal=True).height
        merged = pl.concat([old.join(new, on="timestamp", how="anti"), new]).sort("timestamp")
        replaced = new.height - added - same
    else:
        nth = pl.int_range(pl.len()).over(names).alias("_nth")
        fresh = new.with_columns(nth).join(old.with_columns(nth), on=[*names, "_nth"], how="anti", nulls_equal=True, maintain_order="left")
        merged = pl.concat([old, fresh.select(names)]).sort("timestamp", maintain_order=True)
        added, replaced = fresh.height, 0
    return _without_empty(merged, spec), added, replaced


def _without_empty(rows: pl.DataFrame, spec: Table) -> pl.DataFrame:
    optional = {column.name for column in spec.columns if not column.required}
    return rows.drop(name for name in rows.columns if name in optional and rows[name].null_count() == rows.height)


def stage(folder: Path, rows: pl.DataFrame, sources: tuple[Source, ...]) -> Path:
    """Write a partition beside its place, on disk for good, and return the staged file; raises StoreError where it cannot."""
    stamps = rows["timestamp"].to_physical()
    extent = Extent(rows=rows.height, first=int(stamps[0]), last=int(stamps[-1]))
    metadata = {_SOURCES: json.dumps([asdict(one) for one in sources]), _EXTENT: json.dumps(asdict(extent))}
    staged = folder / _STAGED_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with staged.open("wb") as file:
            rows.write_parquet(file, compression="zstd", statistics=True, row_group_size=_ROW_GROUP, metadata=metadata)
            file.flush()
            os.fsync(file.fileno())
    except _BROKEN as error:
        staged.unlink(missing_ok=True)
        raise StoreError(f"{folder}: cannot be written ({_reason(error)}); nothing was changed, check space and permissions") from error
    return staged


def publish(staged: Path) -> None:
    """Put a staged partition in its place in one step."""
    try:
        staged.replace(staged.with_name(FILE_NAME))
        _sync_folder(staged.parent)
    except OSError as error:
        raise StoreError(f"{staged}: cannot be put in place ({_reason(error)}); import again to finish") from error


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the store's lock, so that of two imports none loses what the other merges; a killed process lets go of it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("a")
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written ({_reason(error)}); check the path and its permissions") from error
    with handle:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _damaged(file: Path, error: BaseException) -> StoreError:
    return StoreError(f"{file}: is damaged ({_reason(error)}); delete this file and import the files of its month again")


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0]

"""One Parquet file of the store: what it says about itself, and how rows are merged into it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl
from isal import isal_zlib

from liqbt.data._places import Place
from liqbt.data.schema import Table
from liqbt.data.validation import CLOCK
from liqbt.errors import StoreError

__all__ = [
    "Extent",
    "Source",
    "Stored",
    "fingerprint",
    "header_of",
    "load",
    "merge",
    "read_header",
    "rows_of",
    "scan",
    "spill",
    "unspill",
    "write",
]

_SOURCES: Final = "liqbt.sources"
_EXTENT: Final = "liqbt.extent"
# Fixed, so that the same rows give the same bytes whatever the library's default becomes.
_ROW_GROUP: Final = 262_144
# Rows of one instant that are one book belong together; they are not added up, so that to have a book twice does no harm.
_SAMPLED: Final = frozenset({"depth"})
_PLACE, _NTH = "_place", "_nth"
_FEW: Final = 20  # events say nothing yet about what kind of recording they are of
_OFTEN: Final = 0.1  # turns from one recording to the other by event; two independent ones of equal rate have one in two
_BROKEN: Final = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)


@dataclass(frozen=True, kw_only=True)
class Source:
    """One imported file's share in a partition.

    source: file name. sha256: of its bytes. reader: its name. rows: that it gave to this partition. imported_at: ISO time, UTC.
    fingerprint: of those rows, which tells a second import with other reading options from a repeated one.
    """

    source: str
    sha256: str
    reader: str
    rows: int
    imported_at: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class Extent:
    """Rows of a partition, and its first and last `timestamp` in UTC nanoseconds."""

    rows: int
    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A partition's own account of itself."""

    sources: tuple[Source, ...]
    extent: Extent


def fingerprint(rows: pl.DataFrame) -> str:
    """Return a checksum of each column's values, as text."""
    sums = []
    for series in rows.get_columns():
        values = missing = 0
        for chunk in series.get_chunks():  # the sum over chunks is that of the whole, however they are cut
            values = isal_zlib.crc32(chunk.to_physical().fill_null(0).to_numpy(), values)
            missing = isal_zlib.crc32(chunk.is_null().to_numpy(), missing) if series.null_count() else 0
        sums.append(f"{series.name}:{values:08x}{missing:08x}")
    return " ".join(sums)


def read_header(place: Place, key: str) -> Stored:
    """Return what a partition says of itself, from its footer alone; raises StoreError where it is damaged or foreign."""
    try:
        metadata = pl.read_parquet_metadata(place.url(key), storage_options=place.options)
    except _BROKEN as error:
        return header_of(_whole(place, key, error), place.url(key))
    return _account(metadata, place.url(key))


def header_of(content: str | bytes, label: str) -> Stored:
    """Return what a partition says of itself, from its path or bytes; raises StoreError where it is damaged or foreign."""
    try:
        metadata = pl.read_parquet_metadata(content if isinstance(content, str) else io.BytesIO(content))
    except _BROKEN as error:
        raise _damaged(label, error) from error
    return _account(metadata, label)


def _account(metadata: Mapping[str, str], label: str) -> Stored:
    try:
        sources = tuple(Source(**entry) for entry in json.loads(metadata[_SOURCES]))
        return Stored(sources=sources, extent=Extent(**json.loads(metadata[_EXTENT])))
    except (KeyError, TypeError, ValueError):
        raise StoreError(
            f"{label}: was not written by this version of liqbt; move it out of the store and import its files again"
        ) from None


def rows_of(content: str | bytes, label: str, names: Sequence[str]) -> pl.DataFrame:
    """Return the rows of a partition from its path or bytes, columns in the order of `names`; raises StoreError where it is damaged."""
    try:
        rows = pl.read_parquet(content if isinstance(content, str) else io.BytesIO(content), hive_partitioning=False, glob=False)
    except _BROKEN as error:
        raise _damaged(label, error) from error
    return rows.select(name for name in names if name in rows.columns)


def _whole(place: Place, key: str, error: BaseException) -> str | bytes:
    """Return a file as it is at one moment, after reading it in parts failed: somebody may have replaced it between two parts."""
    now = place.snapshot(key)
    if now is None:
        raise _damaged(place.url(key), error) from error
    return now.content


def scan(
    place: Place, keys: Sequence[str], names: Sequence[str], *, start_ns: int | None = None, end_ns: int | None = None
) -> pl.LazyFrame:
    """Return the rows of partitions stamped in `[start_ns, end_ns)`, unread; columns in the order of `names`."""
    files = [pl.scan_parquet(place.url(key), hive_partitioning=False, glob=False, storage_options=place.options) for key in keys]
    return _between(pl.concat(files, how="diagonal"), names, start_ns, end_ns)


def _between(rows: pl.LazyFrame, names: Sequence[str], start_ns: int | None, end_ns: int | None) -> pl.LazyFrame:
    stamp = pl.col("timestamp")
    if start_ns is not None:
        rows = rows.filter(stamp >= pl.lit(start_ns).cast(CLOCK))
    if end_ns is not None:
        rows = rows.filter(stamp < pl.lit(end_ns).cast(CLOCK))
    known = set(rows.collect_schema().names())
    return rows.select(name for name in names if name in known)


def load(
    place: Place, keys: Sequence[str], names: Sequence[str], *, start_ns: int | None = None, end_ns: int | None = None
) -> pl.DataFrame:
    """Return the rows that `scan` describes; raises StoreError naming the file that is damaged."""
    try:
        return scan(place, keys, names, start_ns=start_ns, end_ns=end_ns).collect()
    except _BROKEN as error:  # it does not name its file, and the file may have been replaced while it was read
        parts = [rows_of(_whole(place, key, error), place.url(key), names) for key in keys]
        return _between(pl.concat(parts, how="diagonal").lazy(), names, start_ns, end_ns).collect()


def merge(old: pl.DataFrame, new: pl.DataFrame, spec: Table) -> tuple[pl.DataFrame, int, int]:
    """Return both tables as one, with the number of rows that are new and of rows that replaced one with other values.

    Where timestamps are unique the new row wins as a whole, so that no row mixes two files. Events are kept as often as the
    file that has them most often has them: an overlap of two files adds nothing, two equal events in one file stay two. They are
    the same where all that both tables tell is equal, whenever each recorder had them: the stored row stays.
    """
    identity = [name for name in spec.names if name in old.columns and name in new.columns]
    if spec.name not in _SAMPLED:
        identity.remove("available_at")
    names = [name for name in spec.names if name in old.columns or name in new.columns]
    schema = {**new.schema, **old.schema}
    old, new = (
        frame.with_columns(pl.lit(None, dtype=schema[name]).alias(name) for name in names if name not in frame.columns).select(names)
        for frame in (old, new)
    )
    if new["timestamp"][0] > old["timestamp"][-1]:
        return _without_empty(pl.concat([old, new]), spec), new.height, 0
    if new["timestamp"][-1] < old["timestamp"][0]:
        return _without_empty(pl.concat([new, old]), spec), new.height, 0
    if spec.unique:
        added = new.join(old, on="timestamp", how="anti").height
        same = new.join(old, on=names, how="semi", nulls_equal=True).height
        merged = pl.concat([old.join(new, on="timestamp", how="anti"), new]).sort("timestamp")
        replaced = new.height - added - same
    else:
        fresh = _fresh(old, new, identity)
        numbered = "id" in identity and _ascending(old) and _ascending(new)  # else trades of one instant stay as they came
        merged = pl.concat([old, fresh]).sort("timestamp", *(["id"] if numbered else []), maintain_order=True)
        added, replaced = fresh.height, 0
    return _without_empty(merged, spec), added, replaced


def interleaved(old: pl.DataFrame, new: pl.DataFrame, fresh: int) -> bool:
    """Return whether two recordings of events run through the same time and have no event in common.

    They tell the same events in other terms, such as aggregated trades beside trades: together they would count twice. Pieces
    of one recording lie side by side, and alternate seldom.
    """
    if fresh < new.height or min(old.height, new.height) < _FEW:
        return False
    both = pl.concat([old.select("timestamp", new=pl.lit(value=False)), new.select("timestamp", new=pl.lit(value=True))])
    turns = int(both.sort("timestamp", maintain_order=True)["new"].cast(pl.Int8).diff().abs().sum())
    return turns > _FEW and turns > _OFTEN * min(old.height, new.height)


def _ascending(rows: pl.DataFrame) -> bool:
    """Return whether ids ascend within each instant."""
    later, higher = (rows[name].to_physical().diff() > 0 for name in ("timestamp", "id"))
    return bool((later | higher).slice(1).fill_null(value=False).all())


def _fresh(old: pl.DataFrame, new: pl.DataFrame, identity: Sequence[str]) -> pl.DataFrame:
    """Return the rows of `new` that `old` does not have, or not as often, in their order."""
    stamp = pl.col("timestamp")
    old = old.filter(stamp.is_between(new["timestamp"][0], new["timestamp"][-1]))
    numbered = new.with_row_index(_PLACE)
    often = new.select(identity).is_duplicated()  # counting costs ten times a join, and most rows are there once
    once = numbered.filter(~often).join(old, on=identity, how="anti", nulls_equal=True)
    nth = pl.int_range(pl.len()).over(identity).alias(_NTH)
    several = numbered.filter(often).with_columns(nth)
    known = old.join(several, on=identity, how="semi", nulls_equal=True, maintain_order="left").with_columns(nth)
    beyond = several.join(known, on=[*identity, _NTH], how="anti", nulls_equal=True).drop(_NTH)
    return pl.concat([once, beyond]).sort(_PLACE).drop(_PLACE)


def _without_empty(rows: pl.DataFrame, spec: Table) -> pl.DataFrame:
    optional = {column.name for column in spec.columns if not column.required}
    return rows.drop(name for name in rows.columns if name in optional and rows[name].null_count() == rows.height)


def write(path: Path, rows: pl.DataFrame, sources: Sequence[Source]) -> None:
    """Write a partition to a local file; raises StoreError where it cannot be written."""
    stamps = rows["timestamp"].to_physical()
    extent = Extent(rows=rows.height, first=int(stamps[0]), last=int(stamps[-1]))
    metadata = {_SOURCES: json.dumps([asdict(one) for one in sources]), _EXTENT: json.dumps(asdict(extent))}
    try:
        rows.write_parquet(path, compression="zstd", compression_level=1, statistics=True, row_group_size=_ROW_GROUP, metadata=metadata)
    except _BROKEN as error:
        raise _unwritable(path, error) from error


def spill(path: Path, frames: Sequence[pl.DataFrame]) -> None:
    """Write rows to a local file, to be read by `unspill`; raises StoreError where it cannot be written."""
    try:
        pl.concat(frames, how="diagonal").write_ipc(path, compression="lz4")
    except _BROKEN as error:
        raise _unwritable(path, error) from error


def unspill(path: Path) -> pl.DataFrame:
    """Return the rows of a spilled file; raises StoreError where it cannot be read."""
    try:
        return pl.read_ipc(path)
    except _BROKEN as error:
        raise StoreError(
            f"{path.parent}: cannot be read ({_reason(error)}); nothing was changed, check the disk and import again"
        ) from error


def _unwritable(path: Path, error: BaseException) -> StoreError:
    return StoreError(f"{path.parent}: cannot be written ({_reason(error)}); nothing was changed, check space and permissions")


def _damaged(url: str, error: BaseException) -> StoreError:
    return StoreError(f"{url}: is damaged ({_reason(error)}); delete this file and import the files of its time again")


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

"""Order books: recorded lines, and the archive's `market_data/YYYYMMDD/H/l2Book/COIN.lz4`.

Both hold the best 20 levels a side. The last book of each `depth_interval` is reduced to cumulative depth; books that were written
twice do no harm that way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers._json_lines import json_blocks
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times, to_times
from liqbt.data.readers.hyperliquid._venue import READER, VENUE, by_symbol, named_symbol, perpetuals
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

if TYPE_CHECKING:
    from liqbt.data.aggregate import DepthRows

__all__ = ["KINDS"]

_Schema: TypeAlias = Mapping[str, pl.DataType | type[pl.DataType]]

_NUMBERS: Final = pl.List(pl.List(pl.Float64))
_RECORDED: Final[_Schema] = {"ts": pl.Int64, "bids": _NUMBERS, "asks": _NUMBERS}
_LEVELS: Final = pl.List(pl.List(pl.Struct({"px": pl.String, "sz": pl.String})))
_ARCHIVED: Final[_Schema] = {
    "time": pl.String,
    "raw": pl.Struct({"data": pl.Struct({"coin": pl.String, "time": pl.Int64, "levels": _LEVELS})}),
}
_SIDES: Final = ("bids", "asks")
_WORDS: Final = ("price", "amount")


def recognise_recorded(head: Head) -> Recognition | None:
    """Claim lines of a stamp, bids and asks, as pairs of price and size."""
    if set(next(iter(head.objects), {})) != set(_RECORDED):
        return None
    return Recognition(detail="recorded lines", venue=VENUE, symbol=named_symbol(head.file))


def read_recorded(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read recorded lines `{"ts", "bids": [[price, size], ...], "asks"}` as `depth`, each book known at its stamp.

    Raises DataError naming the row for what is no book; ConfigError for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "contract_size", "interval")
    step = parse_interval(options.depth_interval)
    kept, early = [], 0
    for block in json_blocks(file, _RECORDED):
        stamps = epoch_to_times(block["ts"], unit="ms", label=file.label, rows=block[ROW])
        rows, moved = _last_of_each(block.with_columns(stamps, stamps.alias("available_at")), step)
        early += moved
        kept.append(_levels(rows, [pl.element().list.get(place, null_on_oob=True) for place in range(2)], file))
    yield _depth(kept, early, step, file, symbol=None)


def recognise_archive(head: Head) -> Recognition | None:
    """Claim lines that wrap a message of the channel `l2Book`."""
    raw = next(iter(head.objects), {}).get("raw")
    if not isinstance(raw, dict) or raw.get("channel") != "l2Book":
        return None
    return Recognition(detail="archived lines", venue=VENUE)


def read_archive(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read the archive's `l2Book` as `depth`: a book is stamped by the venue, and known when the archive's recorder had it.

    Raises DataError naming the row for what is no book; ConfigError for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "contract_size", "interval")
    step = parse_interval(options.depth_interval)
    kept: dict[str, list[pl.DataFrame]] = {}
    early: Counter[str] = Counter()
    for block in json_blocks(file, _ARCHIVED):
        data = block["raw"].struct.field("data").struct.unnest()
        if data["coin"].null_count():
            raise DataError(
                f"{file.label}: row {block[ROW][data['coin'].is_null().arg_max() or 0]} names no coin; check the file and reader"
            )
        stamps = epoch_to_times(data["time"], unit="ms", label=file.label, rows=block[ROW])
        written = to_times(block["time"], unit="iso", offset_ns=0, label=file.label, rows=block[ROW])
        sides = [data["levels"].list.get(place, null_on_oob=True).alias(name) for place, name in enumerate(_SIDES)]
        # The two clocks may disagree by milliseconds, and nothing is known before it happened.
        rows = pl.DataFrame([data["coin"], stamps, written.alias("available_at"), block[ROW], *sides]).with_columns(
            pl.max_horizontal("timestamp", "available_at").alias("available_at")
        )
        rows, others = perpetuals(rows)
        yield Batch(table="depth", interval=None, rows=None, mended={"order books of spot and other markets left out": others})
        parts, unasked = by_symbol(rows, options.symbol)
        for name in unasked:
            yield Batch(table="depth", interval=None, rows=None, symbol=name)
        for name, part in parts:
            last, moved = _last_of_each(part, step)
            early[name] += moved
            fields = [pl.element().struct.field(key).cast(pl.Float64, strict=False) for key in ("px", "sz")]
            kept.setdefault(name, []).append(_levels(last, fields, file))
    for name, blocks in kept.items():
        yield _depth(blocks, early[name], step, file, symbol=name)


def _last_of_each(rows: pl.DataFrame, step: int) -> tuple[pl.DataFrame, int]:
    """Return the last row of each `step` nanoseconds, in order, and how many rows had to be moved."""
    rows, early = in_order(rows)
    slot = rows["timestamp"].to_physical() // step
    return rows.filter((slot != slot.shift(-1)).fill_null(value=True)), early


def _levels(rows: pl.DataFrame, fields: list[pl.Expr], file: SourceFile) -> pl.DataFrame:
    """Return books with a list of prices and one of amounts a side; `fields` take both from a level."""
    books = rows.select(
        "timestamp",
        "available_at",
        ROW,
        *(pl.col(side).list.eval(field).alias(f"{side}_{word}") for side in _SIDES for word, field in zip(_WORDS, fields, strict=True)),
    )
    for side in _SIDES:
        torn = pl.col(f"{side}_price").is_null()
        for word in _WORDS:
            torn |= pl.col(f"{side}_{word}").list.eval(pl.element().is_null()).list.any()
        wrong = books.select(torn.fill_null(value=True)).to_series()
        if wrong.any():
            row = books[ROW][wrong.arg_max() or 0]
            raise DataError(f"{file.label}: row {row}: {side} are missing, or hold a level without a price or size; check the file")
    return books


def _depth(kept: list[pl.DataFrame], early: int, step: int, file: SourceFile, *, symbol: str | None) -> Batch:
    books, moved = _last_of_each(pl.concat(kept), step)
    try:
        depth = _reduced(books)
    except DataError as error:
        raise _misplaced(books, file) or error from error
    mended = {
        "rows out of order sorted": early + moved,
        "crossed order books left out": depth.crossed,
        "order books without bids or asks left out": depth.empty,
    }
    rows = canonical(depth.rows, "depth", source=file.label) if depth.rows.height else None
    return Batch(table="depth", interval=None, rows=rows, symbol=symbol, mended=mended)


def _reduced(books: pl.DataFrame) -> DepthRows:
    from liqbt.data.aggregate import depth_from_levels  # compiles kernels that other files do not need

    stamps, known = (books[clock].to_physical().to_numpy() for clock in ("timestamp", "available_at"))
    bids, asks = (tuple(books[f"{side}_{word}"] for word in _WORDS) for side in _SIDES)
    return depth_from_levels(stamps, available_at=known, bid_price=bids[0], bid_amount=bids[1], ask_price=asks[0], ask_amount=asks[1])


def _misplaced(books: pl.DataFrame, file: SourceFile) -> DataError | None:
    """Return the error that names the row of the first book that is none."""
    for at in range(books.height):
        try:
            _reduced(books[at : at + 1])
        except DataError as error:
            reason = str(error).partition(") ")[2]
            return DataError(f"{file.label}: row {books[ROW][at]}: the book {reason}")
    return None


KINDS: Final = (
    Kind(
        reader=READER,
        name="l2",
        says="recorded Hyperliquid order books",
        tables=("depth",),
        recognise=recognise_recorded,
        read=read_recorded,
    ),
    Kind(
        reader=READER,
        name="l2_book",
        says="Hyperliquid's archived order books",
        tables=("depth",),
        recognise=recognise_archive,
        read=read_archive,
    ),
)
"""The kinds of files of this module."""

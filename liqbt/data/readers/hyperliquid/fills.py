"""Fills that a node writes: `node_fills`, a fill a line, and `node_fills_by_block`, a block a line.

    ["0x..", {"coin", "px", "sz", "side", "time", "dir", "crossed", "tid", "liquidation"?: {"liquidatedUser", "markPx", "method"}, ...}]
    {"local_time", "block_time", "block_number", "events": [["0x..", {...}], ...]}

A trade is there twice, once for each party; both rows carry its number `tid`, and `liquidation` where it closed a position by
force. The row that crossed the book is the taker's.

Liquidations. `market`: the venue sold or bought in the book. `backstop`: the position went to the liquidator vault as a whole, at
no market's price. Both count. The position of `liquidatedUser` was long where that user's row sells. What is auto-deleveraged
afterwards is left out: it closes what the vault took over, which has been counted, against traders who were not liquidated.

Trades are what happened in the book: backstops, auto-deleveraging and what vaults net among themselves are left out.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from liqbt.data.readers._blocks import line_blocks
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times, to_numbers, to_times
from liqbt.data.readers.hyperliquid._venue import READER, VENUE, by_symbol, perpetuals, taker_side
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["KINDS"]

_FIELDS: Final = ("coin", "px", "sz", "side", "time", "dir", "crossed", "tid")
_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    ROW: pl.UInt32, "user": pl.String, "coin": pl.String, "px": pl.String, "sz": pl.String, "side": pl.String, "time": pl.Int64,
    "dir": pl.String, "crossed": pl.Boolean, "tid": pl.Int64, "liquidated": pl.String, "method": pl.String,
}  # fmt: skip
_NEEDED: Final = ("user", "coin", "crossed", "tid")
_KEY: Final = ("coin", "time", "tid")
_BY_BLOCK: Final = re.compile(rb'\{"local_time": ?"[^"]+", ?"block_time": ?"[^"]+", ?"block_number": ?[0-9]+, ?"events": ?\[')
_IN_BOOK: Final = ("Open Long", "Open Short", "Close Long", "Close Short", "Long > Short", "Short > Long")
_DELEVERAGED: Final = "Auto-Deleveraging"


def recognise_fills(head: Head) -> Recognition | None:
    """Claim lines that are pairs of an address and a fill."""
    fill = _pair(next(iter(head.lines), ""))
    if fill is None or not {"coin", "px", "sz", "side", "crossed", "tid"} <= set(fill):
        return None
    return Recognition(detail="one fill a line", venue=VENUE)


def _pair(line: str) -> dict[str, Any] | None:
    if not line.startswith("["):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    match value:
        case [str(user), dict(fill)] if user.startswith("0x"):
            return fill
    return None


def recognise_blocks(head: Head) -> Recognition | None:
    """Claim lines that wrap fills in blocks; a line may be longer than the head that is looked at."""
    if not _BY_BLOCK.match(head.start) or not all(key in head.start for key in (b'"crossed":', b'"tid":', b'"dir":')):
        return None
    return Recognition(detail="one block a line", venue=VENUE)


def read_fills(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `node_fills` as `trades` and `liquidations`, each known at its own time.

    Raises DataError naming the row for what is no fill; ConfigError for options that have no meaning here.
    """
    yield from _tables(file, options, by_block=False)


def read_blocks(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `node_fills_by_block` as `trades` and `liquidations`, each known when the node wrote its block (`local_time`).

    Raises DataError naming the row for what is no block of fills; ConfigError for options that have no meaning here.
    """
    yield from _tables(file, options, by_block=True)


def _tables(file: SourceFile, options: ReadOptions, *, by_block: bool) -> Iterator[Batch]:
    options.refuse(READER, "mapping", "utc_offset_hours", "contract_size", "interval")
    kept, others = [], 0
    for block in _parsed(file, by_block=by_block):
        rows, left_out = perpetuals(_short(block, file))
        others += left_out
        kept.append(rows)
    yield Batch(table="trades", interval=None, rows=None, mended={"fills of spot and other markets left out": others})
    parts, unasked = by_symbol(pl.concat(kept), options.symbol)
    for name in unasked:
        yield Batch(table="trades", interval=None, rows=None, symbol=name)
    for name, part in parts:
        rows, early = in_order(part)
        yield Batch(table="trades", interval=None, rows=None, symbol=name, mended={"rows out of order sorted": early})
        if options.table in (None, "trades"):
            yield _trades(rows, file, name)
        if options.table in (None, "liquidations"):
            yield _liquidations(rows, file, name)


def _parsed(file: SourceFile, *, by_block: bool) -> Iterator[pl.DataFrame]:
    """Yield the fills with the row of the file that they are in, and when that became `known`, null where the file does not tell."""
    fields = operator.itemgetter(*_FIELDS)
    row = 0
    for text in line_blocks(file):
        found: list[tuple[Any, ...]] = []
        clocks: list[tuple[int, Any]] = []
        for line in text.removesuffix(b"\n").split(b"\n"):
            row += 1
            try:
                value = json.loads(line)
            except ValueError as error:
                raise DataError(f"{file.label}: row {row} is no JSON ({error}); check the file, it may be torn") from None
            try:
                clocks.append((row, value["local_time"] if by_block else None))
                for user, fill in value["events"] if by_block else (value,):
                    forced = fill.get("liquidation") or {}
                    found.append((row, user, *fields(fill), forced.get("liquidatedUser"), forced.get("method")))
            except KeyError as error:
                raise DataError(f"{file.label}: row {row} has no {error}; check the file and reader") from None
            except (ValueError, TypeError, AttributeError):
                raise DataError(f"{file.label}: row {row} is {line[:60].decode(errors='replace')!r}, no fill; check the reader") from None
        yield _typed(found, clocks, file)


def _typed(found: list[tuple[Any, ...]], clocks: list[tuple[int, Any]], file: SourceFile) -> pl.DataFrame:
    try:
        fills = pl.DataFrame(dict(zip(_SCHEMA, zip(*found, strict=True), strict=True)) if found else None, schema=_SCHEMA)
    except (TypeError, pl.exceptions.PolarsError):
        raise _mistyped(found, file) from None
    for name in _NEEDED:
        if fills[name].null_count():
            raise DataError(f"{file.label}: row {fills[ROW][fills[name].is_null().arg_max() or 0]}: {name} is empty; check the file")
    when = pl.DataFrame(clocks, schema={ROW: pl.UInt32, "local_time": pl.String}, orient="row").drop_nulls()
    times = to_times(when["local_time"], unit="iso", offset_ns=0, label=file.label, rows=when[ROW])
    return fills.join(when.select(ROW, known=times), on=ROW, how="left", maintain_order="left")


def _mistyped(found: list[tuple[Any, ...]], file: SourceFile) -> DataError:
    for values in found:
        for name, value in zip(_SCHEMA, values, strict=True):
            try:
                pl.Series([value], dtype=_SCHEMA[name], strict=True)
            except (TypeError, pl.exceptions.PolarsError):
                return DataError(f"{file.label}: row {values[0]}: {name} is {str(value)[:60]!r}; check the file and reader")
    return DataError(f"{file.label}: holds other values than fills have near row {found[0][0]}; check the file and reader")


def _short(block: pl.DataFrame, file: SourceFile) -> pl.DataFrame:
    """Return fills as few narrow columns: an hour of them can be millions."""
    stamps = epoch_to_times(block["time"], unit="ms", label=file.label, rows=block[ROW])
    price, amount = (to_numbers(block[key], label=file.label, rows=block[ROW]).cast(pl.Float64).alias(key) for key in ("px", "sz"))
    buys = taker_side(block, file) == "buy"
    liquidated = pl.col("liquidated")
    return block.with_columns(stamps, price, amount, buys.alias("buys")).select(
        ROW, "coin", "time", "tid", "timestamp", "px", "sz", "buys", "crossed",
        available_at=pl.max_horizontal("timestamp", "known"),
        forced=liquidated.is_not_null(),
        own=(liquidated.str.to_lowercase() == pl.col("user").str.to_lowercase()).fill_null(value=False),
        in_book=pl.col("dir").is_in(_IN_BOOK).fill_null(value=False) & pl.col("method").ne_missing("backstop"),
        deleveraged=pl.col("dir").eq_missing(_DELEVERAGED),
    )  # fmt: skip


def _once(rows: pl.DataFrame, preferred: str) -> pl.DataFrame:
    """Return one row of each trade, in order: one that is `preferred` where there is one."""
    first = rows.filter(preferred).unique(_KEY, keep="first", maintain_order=True)
    rest = rows.filter(~pl.col(preferred)).unique(_KEY, keep="first", maintain_order=True).join(first, on=_KEY, how="anti")
    return pl.concat([first, rest]).sort("timestamp", ROW, maintain_order=True)


def _trades(rows: pl.DataFrame, file: SourceFile, symbol: str) -> Batch:
    trades = _once(rows, "crossed")
    inside = trades.filter("in_book")
    side = pl.when(pl.col("buys") == pl.col("crossed")).then(pl.lit("buy")).otherwise(pl.lit("sell"))
    table = inside.select(ROW, "timestamp", "available_at", price="px", amount="sz", side=side, id="tid")
    mended = {
        "fills outside the order book left out of trades": trades.height - inside.height,
        "trades taken from their maker's row, the taker's is not there": inside.height - int(inside["crossed"].sum()),
    }
    checked = canonical(table, "trades", source=file.label) if table.height else None
    return Batch(table="trades", interval=None, rows=checked, symbol=symbol, mended=mended)


def _liquidations(rows: pl.DataFrame, file: SourceFile, symbol: str) -> Batch:
    deleveraged = rows.filter("deleveraged").select(_KEY).unique()
    forced = _once(rows.filter("forced"), "own")
    closed = forced.join(deleveraged, on=_KEY, how="anti", maintain_order="left")
    side = pl.when(pl.col("buys") == pl.col("own")).then(pl.lit("short")).otherwise(pl.lit("long"))
    table = closed.select(ROW, "timestamp", "available_at", side=side, amount="sz", price="px")
    mended = {"auto-deleveraged fills left out of liquidations": forced.height - closed.height}
    checked = canonical(table, "liquidations", source=file.label) if table.height else None
    return Batch(table="liquidations", interval=None, rows=checked, symbol=symbol, mended=mended)


KINDS: Final = (
    Kind(
        reader=READER,
        name="node_fills",
        says="Hyperliquid's node_fills",
        tables=("trades", "liquidations"),
        recognise=recognise_fills,
        read=read_fills,
    ),
    Kind(
        reader=READER,
        name="node_fills_by_block",
        says="Hyperliquid's node_fills_by_block",
        tables=("trades", "liquidations"),
        recognise=recognise_blocks,
        read=read_blocks,
    ),
)
"""The kinds of files of this module."""

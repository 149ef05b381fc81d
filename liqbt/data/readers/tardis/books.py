"""Tardis' order books, reduced to depth at a cadence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._venue_units import ContractSize, Unit
from liqbt.data.readers.tardis._exchanges import unit_of
from liqbt.data.readers.tardis._rows import BEHIND, READER, parts, recognised
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["INCREMENTAL", "SNAPSHOTS"]

_LEVEL: Final = re.compile(r"(?:asks|bids)\[([0-9]+)\]\.(?:price|amount)")
_SIDES: Final = ("asks", "bids")
_EMPTY, _CROSSED = "books with an empty side left out", "crossed books left out"
_SHORT: Final = "books whose levels reach no distance of the depth table left out"
# Whole books (Deribit, BitMEX, Hyperliquid's twenty levels), or windows of the best levels that are kept up to date (Bybit, OKX).
# Binance sends a snapshot of 1,000 levels and then changes anywhere, so that beyond it levels are missing.
_WHOLE: Final = frozenset({"bybit", "okex-swap", "okex-futures", "deribit", "bitmex", "hyperliquid"})


def recognise_snapshots(head: Head) -> Recognition | None:
    """Claim the columns of levels."""
    seen = recognised(head)
    if seen is None or len(head.columns) < 5 or not _LEVEL.fullmatch(head.columns[4]):
        return None
    levels = sum(column.startswith("asks[") and column.endswith(".price") for column in head.columns)
    return Recognition(venue=seen.venue, detail=f"{seen.detail}, {levels} levels".removeprefix(", "))


def recognise_incremental(head: Head) -> Recognition | None:
    """Claim the columns of updates."""
    return recognised(head) if "is_snapshot" in head.columns else None


def read_snapshots(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read book_snapshot_N as `depth`: of each `options.depth_interval` the last book known by its end, base coin.

    `timestamp` is the exchange time of that book, `available_at` the end of the interval; of the last book, which the file's end cut
    off, when it reached Tardis. Distances beyond the deepest of the N levels of a side are not known and left out.
    Raises DataError for what is in the file; ConfigError for a `contract_size` that is missing or wrong, or an option of no use.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "interval")
    every = parse_interval(options.depth_interval, parameter="depth_interval")
    size = ContractSize(file=file, options=options)
    depth = _levels(file)
    columns = {f"{side}[{level}].{what}": pl.Float64 for level in range(depth) for side in _SIDES for what in ("price", "amount")}
    held: dict[tuple[str, str], pl.DataFrame] = {}
    given = short = 0
    for part in parts(file, options, columns):
        if part.rows is None:
            yield Batch(table="depth", interval=None, rows=None, symbol=part.symbol)
            continue
        unit = unit_of(part.exchange, part.symbol, size)
        name = (part.exchange, part.symbol)
        rows = pl.concat([held[name], part.rows]) if name in held else part.rows
        known = pl.col("available_at").to_physical().cum_max()
        due = (known + every - 1) // every * every
        rows = rows.with_columns(available_at=known.cast(rows.schema["available_at"]), due=due.cast(rows.schema["available_at"]))
        done = rows.filter(pl.col("due") != pl.col("due").shift(-1))
        held[name] = rows[-1:].drop("due")
        batch = _reduced(done.with_columns(available_at="due"), part.symbol, unit, depth, file, behind=part.behind)
        given, short = given + (batch.rows is not None), short + batch.mended.get(_SHORT, 0)
        yield batch
    for (exchange, symbol), rows in held.items():
        batch = _reduced(rows, symbol, unit_of(exchange, symbol, size), depth, file)
        given, short = given + (batch.rows is not None), short + batch.mended.get(_SHORT, 0)
        yield batch
    if short and not given:
        raise DataError(
            f"{file.label}: its {depth} levels a side never reach 0.01 percent from mid, the nearest distance of the depth table; "
            "use book_snapshot files with more levels, or incremental_book_L2"
        )


def _levels(file: SourceFile) -> int:
    numbers = [int(named[1]) for column in file.head.columns if (named := _LEVEL.fullmatch(column))]
    return max(numbers, default=0) + 1


def _reduced(rows: pl.DataFrame, symbol: str, unit: Unit, levels: int, file: SourceFile, *, behind: int = 0) -> Batch:
    from liqbt.data.aggregate import depth_from_levels  # compiles kernels that other files do not need

    if rows.is_empty():
        return Batch(table="depth", interval=None, rows=None, symbol=symbol, mended={BEHIND: behind})
    rows, _ = in_order(rows)
    columns = {(side, what): [f"{side}[{level}].{what}" for level in range(levels)] for side in _SIDES for what in ("price", "amount")}
    price = {side: rows.select(columns[side, "price"]).to_numpy() for side in _SIDES}
    amount = {
        side: rows.select(
            unit.to_base(pl.col(one), pl.col(other)) for one, other in zip(columns[side, "amount"], columns[side, "price"], strict=True)
        ).to_numpy()
        for side in _SIDES
    }
    stamps, known = (rows[name].to_physical().to_numpy() for name in ("timestamp", "available_at"))
    try:
        reduced = depth_from_levels(
            stamps,
            available_at=known,
            bid_price=price["bids"],
            bid_amount=amount["bids"],
            ask_price=price["asks"],
            ask_amount=amount["asks"],
        )
    except DataError as error:
        raise DataError(f"{file.label}: rows {rows[ROW].min()!s} to {rows[ROW].max()!s}: {error}") from error
    depth = canonical(reduced.rows, "depth", source=file.label) if reduced.rows.height else None
    reaching = reduced.rows.n_unique(["timestamp", "available_at"])
    mended = {
        BEHIND: behind,
        _EMPTY: reduced.empty,
        _CROSSED: reduced.crossed,
        _SHORT: rows.height - reduced.empty - reduced.crossed - reaching,
    }
    return Batch(table="depth", interval=None, rows=depth, symbol=symbol, mended=mended)


def read_incremental(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read incremental_book_L2 as `depth` every `options.depth_interval`, base coin; a file of any size is read as a stream.

    Updates before the first snapshot are left out and counted, an amount of 0 deletes a level. `timestamp` and `available_at` are
    those of `DepthSampler`. On exchanges that send changes anywhere in the book after a snapshot of some levels (Binance), depth
    beyond the snapshot is not known and left out.
    Raises as `read_snapshots`.
    """
    from liqbt.data.aggregate import DepthSampler  # compiles kernels that other files do not need

    options.refuse(READER, "mapping", "utc_offset_hours", "interval")
    every = parse_interval(options.depth_interval, parameter="depth_interval")
    size = ContractSize(file=file, options=options)
    samplers: dict[tuple[str, str], DepthSampler] = {}
    latest: dict[tuple[str, str], int] = {}
    for part in parts(file, options, {"is_snapshot": pl.Boolean, "side": pl.String, "price": pl.Float64, "amount": pl.Float64}):
        if part.rows is None:
            yield Batch(table="depth", interval=None, rows=None, symbol=part.symbol)
            continue
        name = (part.exchange, part.symbol)
        if name not in samplers:
            samplers[name] = DepthSampler(every_ns=every, coverage="book" if part.exchange in _WHOLE else "snapshot")
        rows = part.rows
        _check(rows, file)
        unit = unit_of(part.exchange, part.symbol, size)
        known = np.maximum.accumulate(rows["available_at"].to_physical().to_numpy())
        known = np.maximum(known, latest.get(name, known[0]))  # a clock that was set back must not undo the order of the file
        latest[name] = int(known[-1])
        depth = samplers[name].add(
            rows["timestamp"].to_physical().to_numpy(),
            rows["is_snapshot"].to_numpy(),
            (rows["side"] == "bid").to_numpy(),
            rows["price"].to_numpy(),
            rows.select(unit.to_base(pl.col("amount"), pl.col("price"))).to_series().to_numpy(),
            available_at=known,
        )
        yield _sampled(depth, part.symbol, file, {BEHIND: part.behind})
    for (_, symbol), sampler in samplers.items():
        depth = sampler.finish()
        mended = {"updates before the first snapshot skipped": sampler.skipped, _EMPTY: sampler.empty, _CROSSED: sampler.crossed}
        yield _sampled(depth, symbol, file, mended)


def _check(rows: pl.DataFrame, file: SourceFile) -> None:
    """Raise DataError naming the first row that is no update."""
    price, amount = rows["price"], rows["amount"]
    rules = {
        "is_snapshot": (rows["is_snapshot"].is_not_null(), "expected true or false"),
        "side": (rows["side"].is_in(["bid", "ask"]), "expected bid or ask"),
        "price": ((price > 0) & price.is_finite(), "a price must be finite and above 0"),
        "amount": ((amount >= 0) & amount.is_finite(), "an amount must be finite and at least 0"),
    }
    for column, (good, rule) in rules.items():
        bad = ~good.fill_null(value=False)
        if bad.any():
            at = int(bad.arg_max() or 0)
            raise DataError(f"{file.label}: row {rows[ROW][at]}: {column} is {rows[column][at]!r}, {rule}; check the file")


def _sampled(depth: pl.DataFrame, symbol: str, file: SourceFile, mended: dict[str, int]) -> Batch:
    rows = canonical(depth, "depth", source=file.label) if depth.height else None
    return Batch(table="depth", interval=None, rows=rows, symbol=symbol, mended=mended)


SNAPSHOTS: Final = Kind(
    reader=READER,
    name="book_snapshot",
    says="Tardis order-book snapshots",
    tables=("depth",),
    recognise=recognise_snapshots,
    read=read_snapshots,
)
INCREMENTAL: Final = Kind(
    reader=READER,
    name="incremental_book_L2",
    says="Tardis order-book updates",
    tables=("depth",),
    recognise=recognise_incremental,
    read=read_incremental,
)

"""Tardis' trades and liquidations, which share their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._venue_units import ContractSize
from liqbt.data.readers.tardis._exchanges import unit_of
from liqbt.data.readers.tardis._rows import BEHIND, READER, parts, recognised
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["LIQUIDATIONS", "TRADES"]

_COLUMNS: Final = {"side": pl.String, "price": pl.Float64, "amount": pl.Float64}
_KINDS: Final = ("trades", "liquidations")
_FOLDERS: Final = 5  # Tardis' own layout is exchange/kind/year/month/day/symbol


def recognise_trades(head: Head) -> Recognition | None:
    """Claim the columns, unless the file's name, or a folder of it, says liquidations."""
    return _recognise(head, "trades")


def recognise_liquidations(head: Head) -> Recognition | None:
    """Claim the columns, unless the file's name, or a folder of it, says trades."""
    return _recognise(head, "liquidations")


def _recognise(head: Head, kind: str) -> Recognition | None:
    if not {"id", "side"} <= set(head.columns) or _named(head.file) not in (None, kind):
        return None
    return recognised(head)


def _named(file: SourceFile) -> str | None:
    """Return the kind of data that the file's name or the nearest folder names; nothing in the file tells."""
    words = re.split(r"[^a-z]+", file.name.lower())
    places = [words, *([folder] for folder in file.path.absolute().parent.parts[: -_FOLDERS - 1 : -1])]
    return next((kind for place in places for kind in _KINDS if kind in place), None)


def read_trades(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `trades`: amounts in base coin, sides of takers; known when they reached Tardis.

    Trades without a taker's side (`unknown`) are left out and counted. Ids are kept where an exchange numbers its trades.
    Raises DataError for what is in the file; ConfigError for a `contract_size` that is missing or wrong, or an option of no use.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "interval")
    size = ContractSize(file=file, options=options)
    ids = {"id": pl.Int64} if _numbered(file.head) else {}
    for part in parts(file, options, {**ids, **_COLUMNS}):
        if part.rows is None:
            yield Batch(table="trades", interval=None, rows=None, symbol=part.symbol)
            continue
        sided = part.rows.filter(pl.col("side").ne_missing("unknown"))
        mended = {BEHIND: part.behind, "trades without a taker's side left out": part.rows.height - sided.height}
        rows = None
        if sided.height:
            unit = unit_of(part.exchange, part.symbol, size)
            sided = sided.with_columns(amount=unit.to_base(pl.col("amount"), pl.col("price")))
            sided, _ = in_order(sided)
            rows = canonical(sided, "trades", source=file.label)
        yield Batch(table="trades", interval=None, rows=rows, symbol=part.symbol, mended=mended)


def _numbered(head: Head) -> bool:
    place = head.columns.index("id") if "id" in head.columns else None
    return place is not None and all(re.fullmatch(r"[0-9]{1,18}", row[place]) for row in head.rows[1:] if len(row) > place)


def read_liquidations(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `liquidations`: amounts in base coin, sides of positions; known when they reached Tardis.

    `side` in the file is the liquidating order's on every exchange (Tardis turns Bybit's): a sell closed a long. The price is the average
    fill of Binance's orders, the bankruptcy price on Bybit and OKX, and goes into the column of that name; elsewhere into `price`.
    Raises as `read_trades`.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "interval")
    size = ContractSize(file=file, options=options)
    for part in parts(file, options, _COLUMNS):
        if part.rows is None:
            yield Batch(table="liquidations", interval=None, rows=None, symbol=part.symbol)
            continue
        ordered = part.rows["side"].is_in(["buy", "sell"]).fill_null(value=False)
        if not ordered.all():
            at = int((~ordered).arg_max() or 0)
            wrong = f"row {part.rows[ROW][at]}: side is {part.rows['side'][at]!r}"
            raise DataError(f"{file.label}: {wrong}, expected buy or sell, the side of the liquidating order; check the file")
        unit = unit_of(part.exchange, part.symbol, size)
        position = pl.when(pl.col("side") == "sell").then(pl.lit("long")).otherwise(pl.lit("short"))
        amount = unit.to_base(pl.col("amount"), pl.col("price"))
        rows = part.rows.with_columns(amount=amount, side=position).rename({"price": _price_column(part.exchange)})
        rows, _ = in_order(rows)
        rows = canonical(rows, "liquidations", source=file.label)
        yield Batch(table="liquidations", interval=None, rows=rows, symbol=part.symbol, mended={BEHIND: part.behind})


def _price_column(exchange: str) -> str:
    if exchange.startswith("binance"):
        return "average_price"
    return "bankruptcy_price" if exchange.startswith(("bybit", "okex")) else "price"


TRADES: Final = Kind(reader=READER, name="trades", says="Tardis trades", tables=("trades",), recognise=recognise_trades, read=read_trades)
LIQUIDATIONS: Final = Kind(
    reader=READER,
    name="liquidations",
    says="Tardis liquidations",
    tables=("liquidations",),
    recognise=recognise_liquidations,
    read=read_liquidations,
)

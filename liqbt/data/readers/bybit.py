"""Bybit's trade archives (public.bybit.com/trading): one gzipped CSV a day and symbol.

    timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional[,RPI]

Stamps are seconds with up to six decimals, in some years without any. `side` is the taker's. `size` is base coin, or contracts of
1 USD where the symbol is inverse. Early files run from the newest trade to the oldest. Trades are identified by a UUID, which the
canonical table has no room for. BitMEX publishes the same columns with its stamps as text; those are not taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout, typed_blocks
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers._venue_units import ContractSize, bybit_unit
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["KINDS"]

_LAYOUT: Final = Layout(
    columns={"timestamp": pl.Float64, "symbol": pl.String, "side": pl.String, "size": pl.Float64, "price": pl.Float64},
)
_SECOND_NS: Final = 1_000_000_000


def recognise(head: Head) -> Recognition | None:
    """Claim the archive's header over stamps that are numbers."""
    if head.columns[:3] != ("timestamp", "symbol", "side") or "trdMatchID" not in head.columns:
        return None
    stamps = [row[0] for row in head.rows[1:]]
    if stamps and not any(_is_number(stamp) for stamp in stamps):
        return None
    detail = "whole seconds" if any(stamps) and not any("." in stamp for stamp in stamps) else ""
    return Recognition(venue="bybit", detail=detail)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal()


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read one archive as `trades`.

    Trades are known at their stamp. Where the stamps of a block are whole seconds, their fractions were cut off, and the trades
    count as known a second later. A file that runs newest first is turned round as a whole, trades of one instant included.
    Raises DataError for what is in the file, ConfigError for an option that it has no use for.
    """
    options.refuse("bybit", "mapping", "utc_offset_hours", "interval")
    size = ContractSize(file=file, options=options)
    held: list[Batch] = []
    backwards: bool | None = None
    for block in typed_blocks(file, _LAYOUT):
        rows = block.with_columns(epoch_to_times(block["timestamp"], unit="s", label=file.label, rows=block[ROW]))
        if backwards is None:
            backwards = bool(rows["timestamp"][0] > rows["timestamp"][-1])
        batches = _batches(rows.reverse() if backwards else rows, size, backwards=backwards)
        if backwards:
            held[:0] = batches
        else:
            yield from batches
    yield from held


def _batches(rows: pl.DataFrame, size: ContractSize, *, backwards: bool) -> list[Batch]:
    label = size.file.label
    if rows["symbol"].null_count():
        raise DataError(
            f"{label}: row {rows[ROW][rows['symbol'].is_null().arg_max() or 0]}: symbol is empty; check the file, it may be torn"
        )
    batches = []
    for part in rows.partition_by("symbol", maintain_order=True):
        symbol = str(part["symbol"][0])
        if size.options.symbol not in (None, symbol):
            batches.append(Batch(table="trades", interval=None, rows=None, symbol=symbol))
            continue
        part, early = in_order(part)  # noqa: PLW2901 - the same rows
        whole = bool((part["timestamp"].to_physical() % _SECOND_NS == 0).all())
        known = pl.col("timestamp") + pl.duration(seconds=int(whole))
        amount = bybit_unit(symbol, size).to_base(pl.col("size"), pl.col("price"))
        trades = part.select(ROW, "timestamp", "price", available_at=known, amount=amount, side=pl.col("side").str.to_lowercase())
        mended = {
            "rows turned round, the file runs newest first": part.height * backwards,
            "rows out of order sorted": early,
            "rows stamped in whole seconds, taken as known a second later": part.height * whole,
        }
        rows = canonical(trades, "trades", source=label)
        batches.append(Batch(table="trades", interval=None, rows=rows, symbol=symbol, mended=mended))
    return batches


KINDS: Final = (Kind(reader="bybit", name="trades", says="Bybit trade archive", tables=("trades",), recognise=recognise, read=read),)
"""The kinds of files of this reader."""

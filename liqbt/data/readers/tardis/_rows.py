"""The rows of a Tardis file with both clocks, symbol by symbol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout, typed_blocks
from liqbt.data.readers._recording import ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers.tardis._exchanges import venue_of
from liqbt.data.validation import ROW
from liqbt.errors import DataError

__all__ = ["BEHIND", "READER", "Part", "parts", "recognised"]

READER: Final = "tardis"
BEHIND: Final = "rows whose local clock ran behind the exchange's"

_FIRST: Final = ("exchange", "symbol", "timestamp", "local_timestamp")


@dataclass(frozen=True, kw_only=True, eq=False)
class Part:
    """Rows of one symbol, in the order of the file.

    rows: `timestamp`, `available_at` (never before `timestamp`) and the columns that were asked for; None for a symbol that was not.
    behind: rows whose local clock ran behind the exchange's.
    """

    exchange: str
    symbol: str
    rows: pl.DataFrame | None
    behind: int = 0


def recognised(head: Head) -> Recognition | None:
    """Return what every Tardis file shows: four columns at its start, and its exchange; None for other files."""
    if head.columns[:4] != _FIRST:
        return None
    exchange = head.rows[1][0] if len(head.rows) > 1 else None
    return Recognition(venue=venue_of(exchange) if exchange else None, detail=exchange or "")


def parts(file: SourceFile, options: ReadOptions, columns: Mapping[str, type[pl.DataType] | None]) -> Iterator[Part]:
    """Yield the rows block by block, and in each block symbol by symbol, with a column ROW.

    columns: what is asked for beside the first four. Raises DataError naming the row for what is no such row.
    """
    layout = Layout(columns={"exchange": pl.String, "symbol": pl.String, "timestamp": pl.Int64, "local_timestamp": pl.Int64, **columns})
    for block in typed_blocks(file, layout):
        for name in ("exchange", "symbol"):
            empty = block[name].is_null()
            if empty.any():
                raise DataError(f"{file.label}: row {block[ROW][empty.arg_max() or 0]}: {name} is empty; check the file, it may be torn")
        one = all((block[name] == block[name][0]).all() for name in ("exchange", "symbol"))
        for rows in [block] if one else block.partition_by("exchange", "symbol", maintain_order=True):
            exchange, symbol = str(rows["exchange"][0]), str(rows["symbol"][0])
            if options.symbol not in (None, symbol):
                yield Part(exchange=exchange, symbol=symbol, rows=None)
                continue
            stamps, known = (epoch_to_times(rows[name], unit="us", label=file.label, rows=rows[ROW]) for name in _FIRST[2:])
            clocked = rows.drop(_FIRST).with_columns(stamps, pl.max_horizontal(stamps, known.alias("known")).alias("available_at"))
            yield Part(exchange=exchange, symbol=symbol, rows=clocked, behind=int((known < stamps).sum()))

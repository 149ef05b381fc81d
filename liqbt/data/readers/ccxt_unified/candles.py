"""fetchOHLCV, saved: [[ms, open, high, low, close, volume], ...].

Mark, index and premium candles have the same form, their volume null or 0. Nothing in a list names its market or tells whether
the last candle was finished when it was fetched: an unfinished one is replaced when a later list is imported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from liqbt.data.readers._interval import resolve_interval
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._settled import settled
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers._whole import milliseconds
from liqbt.data.readers.ccxt_unified._elements import READER, elements, first_elements, number
from liqbt.data.validation import ROW, canonical
from liqbt.errors import ConfigError, DataError

__all__ = ["KINDS"]

_TABLES: Final = ("bars", "mark", "index", "premium")
_COLUMNS: Final = ("open", "high", "low", "close", "volume")
_FIRST_MS, _LAST_MS = 946_684_800_000, 4_102_444_800_000  # 2000 to 2100


def recognise(head: Head) -> Recognition | None:
    """Claim a list of lists of a time in ms and five numbers, of which the last may be null."""
    found = first_elements(head)
    return Recognition() if found and _is_candle(found[0]) else None


def _is_candle(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 1 + len(_COLUMNS):
        return False
    time, *prices, volume = value
    plain = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (time, *prices, volume or 0))
    return plain and _FIRST_MS <= time < _LAST_MS


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read candles as `bars`, or as the given table: `mark`, `index` or `premium`.

    interval: the smallest step of the list unless given. contract_size: base coin a contract, where volume counts contracts (OKX);
    without it volume is taken as base coin. Volume of inverse contracts cannot be converted, since a candle has no average price.
    Raises DataError naming the row (the first element is 1) for what is no candle, and for a list without volumes whose table is not
    given; ConfigError for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours")
    table = options.table or "bars"
    found = pl.DataFrame([_candle(one, row, file) for row, one in elements(file)], orient="row", schema=_SCHEMA)
    if options.table is None and not (found["volume"] > 0).any():
        raise DataError(f"{file.label}: no candle has a volume; give the table: mark, index or premium, or bars if nothing was traded")
    if table != "bars" and options.contract_size is not None:
        raise ConfigError(f"contract_size: table {table!r} has no volume; leave it out")
    stamps = epoch_to_times(found["time"], unit="ms", label=file.label, rows=found[ROW])
    rows, mended = settled(found.drop("time").with_columns(stamps), label=file.label)
    rows = rows.with_columns(pl.col("volume") * (options.contract_size or 1.0))
    interval = resolve_interval(rows["timestamp"].to_physical().to_numpy(), options.interval, label=file.label)
    yield Batch(table=table, interval=interval, rows=canonical(rows, table, source=file.label, interval=interval), mended=mended)


_SCHEMA: Final[dict[str, type[pl.DataType]]] = {ROW: pl.UInt32, "time": pl.Int64, **dict.fromkeys(_COLUMNS, pl.Float64)}


def _candle(value: Any, row: int, file: SourceFile) -> tuple[Any, ...]:
    where = f"{file.label}: row {row}"
    if not isinstance(value, list) or len(value) != 1 + len(_COLUMNS) or not isinstance(value[0], int):
        raise DataError(f"{where} is {str(value)[:60]!r}, not [ms, open, high, low, close, volume]; check the file and reader")
    return row, milliseconds(value[0], "time", where), *(number(one, name, where) for name, one in zip(_COLUMNS, value[1:], strict=True))


KINDS: Final = (Kind(reader=READER, name="ohlcv", says="ccxt candles", tables=_TABLES, recognise=recognise, read=read),)
"""The kinds of files of this module."""

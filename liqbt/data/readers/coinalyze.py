"""Coinalyze exports: text without a header whose kind shows in the number of columns.

    9 columns  bars                 time, open, high, low, close, volume, buy volume, trades, buy trades (base coin)
    5 columns  open interest        time, open, high, low, close (base coin)
    3 columns  liquidation totals   time, long, short (base coin, by position side)

Times are text and open the interval. Exports exist whose clock is not UTC; `utc_offset_hours` mends it.

Where the exporter had nothing for some intervals, it shows the row of the first of them again, all under the stamp of the
last: a run of n equal rows stamped T stands for T-(n-1) intervals to T, and only the first is real. For liquidations the
others mean that nothing was liquidated; for prices and open interest they carry nothing and are left out as gaps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers._interval import resolve_interval
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import read_rows, to_numbers, to_times
from liqbt.data.validation import CLOCK, canonical
from liqbt.errors import DataError

__all__ = ["KINDS"]

_TABLES: Final = {
    9: ("bars", ("open", "high", "low", "close", "volume", "taker_buy_volume", "trade_count", "buy_trade_count")),
    5: ("open_interest", ("open", "high", "low", "close")),
    3: ("liquidation_totals", ("long", "short")),
}


_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_SYMBOL: Final = re.compile(r"([A-Z0-9]+)_PERP\.")


def recognise(head: Head) -> Recognition | None:
    """Claim text without a header: a time, then 8, 4 or 2 numbers."""
    for row in head.rows:
        if len(row) not in _TABLES or not _TIME.fullmatch(row[0]) or not all(_is_number(cell) for cell in row[1:]):
            return None
    if not head.rows:
        return None
    named = _SYMBOL.match(head.file.name)
    return Recognition(detail=f"{len(head.rows[0])} columns", symbol=named[1] if named else None)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read one Coinalyze export as `bars`, `open_interest` or `liquidation_totals`.

    Open interest is the close of each row: a snapshot at the end of the interval, which is both its `timestamp` and its
    `available_at`. The interval is the smallest step of the file unless given.
    Raises DataError for any other number of columns, for text that is no number or time, and for equal stamps that are no run as
    described above; ConfigError for a mapping.
    """
    options.refuse("coinalyze", "mapping", "contract_size")
    text = read_rows(file, header=False)
    if text.width not in _TABLES:
        raise DataError(
            f"{file.label}: has {text.width} columns; a Coinalyze export has 9 (bars), 5 (open interest) or 3 (liquidations); "
            "check the reader"
        )
    table, names = _TABLES[text.width]
    if options.table not in (None, table):
        raise DataError(f"{file.label}: has {text.width} columns, which is {table!r}, not table {options.table!r}; leave the table out")
    times, *values = text.get_columns()
    stamps = to_times(times.alias("time"), unit="iso", offset_ns=options.offset_ns, label=file.label)
    numbers = [to_numbers(column.alias(name), label=file.label) for name, column in zip(names, values, strict=True)]
    rows = pl.DataFrame([stamps, *numbers])
    interval = resolve_interval(stamps.to_physical().to_numpy(), options.interval, label=file.label)
    step = parse_interval(interval)
    rows, copies = _reassigned(rows, step, file.label)
    mended = {}
    if table == "liquidation_totals":
        mended = {"duplicated rows reassigned to the intervals before them as zeros": copies}
        rows = rows.with_columns(pl.when("copy").then(0.0).otherwise(pl.col(name)).alias(name) for name in names)
    else:
        mended = {"duplicated rows dropped, which leaves gaps": copies}
        rows = rows.filter(~pl.col("copy"))
    if table == "open_interest":
        at_close = (pl.col("timestamp").to_physical() + step).cast(CLOCK)
        rows = rows.select(timestamp=at_close, open_interest=pl.col("close"))
    rows = canonical(rows, table, source=file.label, interval=interval)
    kept = None if table == "open_interest" else interval
    yield Batch(table=table, interval=kept, rows=rows, mended=mended)


def _reassigned(rows: pl.DataFrame, step: int, label: str) -> tuple[pl.DataFrame, int]:
    """Give the rows of each run of equal stamps the intervals that they stand for; `copy` marks all but the first of a run."""
    stamp = rows["timestamp"].to_physical()
    ranked = rows.select(
        stamp=stamp,
        run=stamp.rle_id(),
    ).with_columns(
        length=pl.len().over("run").cast(pl.Int64),
        place=pl.int_range(pl.len()).over("run"),
    )
    ranked = ranked.with_columns(
        start=pl.col("stamp") - (pl.col("length") - 1) * step,
        above=pl.col("stamp").shift(1),
        copy=pl.col("place") > 0,
    )
    copies = int(ranked["copy"].sum())
    if copies == 0:
        return rows.with_columns(copy=pl.lit(value=False)), 0
    first_of_run = (ranked["length"] > 1) & (ranked["place"] == 0)
    # Without the row above there is no telling whether the stamps before it are missing.
    unexplained = first_of_run & (ranked["above"].is_null() | (ranked["above"] >= ranked["start"])).fill_null(value=True)
    if unexplained.any():
        row = int(unexplained.arg_max() or 0)
        length = ranked["length"][row]
        raise DataError(
            f"{label}: rows {row + 1} to {row + length} share the stamp {rows['timestamp'][row]:%Y-%m-%d %H:%M:%S} (UTC), and the "
            f"{length - 1} intervals before it are not missing; remove the duplicates"
        )
    values = rows.drop("timestamp")
    differs = ranked["copy"] & ~values.select(pl.all_horizontal(pl.all().eq_missing(pl.all().shift(1)))).to_series()
    if differs.any():
        row = int(differs.arg_max() or 0)
        raise DataError(
            f"{label}: row {row + 1} ({rows['timestamp'][row]:%Y-%m-%d %H:%M:%S} UTC) has the stamp of the row above it but other values; "
            "remove the wrong one"
        )
    moved = (ranked["start"] + ranked["place"] * step).cast(CLOCK).alias("timestamp")
    return rows.with_columns(moved, ranked["copy"]), copies


KINDS: Final = (
    Kind(
        reader="coinalyze",
        name="export",
        says="a Coinalyze export",
        tables=("bars", "open_interest", "liquidation_totals"),
        recognise=recognise,
        read=read,
    ),
)
"""The kinds of files of this reader."""

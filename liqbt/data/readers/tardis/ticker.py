"""Tardis' derivative_ticker: open interest, funding, mark and index price, carried from message to message.

A row repeats the last value of everything that its message did not bring, so most values are old. `funding_timestamp` is the next
payment, empty where an exchange does not tell it (Hyperliquid, Deribit), and `funding_rate` what would be paid then; some exchanges
fix it in advance, others move it up to the payment (docs.tardis.dev, derivative_ticker).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers._cut_bars import CUT, without_cut_bars
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers._venue_units import ContractSize, Unit
from liqbt.data.readers.tardis._exchanges import unit_of
from liqbt.data.readers.tardis._rows import BEHIND, READER, parts, recognised
from liqbt.data.validation import CLOCK, ROW, canonical
from liqbt.errors import DataError

__all__ = ["TICKER"]

_COLUMNS: Final = {
    "funding_timestamp": pl.Int64,
    "funding_rate": pl.Float64,
    "open_interest": pl.Float64,
    "last_price": pl.Float64,
    "index_price": pl.Float64,
    "mark_price": pl.Float64,
}
_TABLES: Final = ("open_interest", "funding", "mark", "index")
_MINUTE_NS: Final = 60_000_000_000
_NEAR_NS: Final = 5 * _MINUTE_NS
"""How close to its end a file tells that a payment was made, and how old its rate may be unmentioned: a convention, fitted to nothing."""


@dataclass(frozen=True, kw_only=True, eq=False)
class _Made:
    rows: pl.DataFrame
    interval: str | None
    mended: Mapping[str, int]


def recognise(head: Head) -> Recognition | None:
    """Claim the columns."""
    return recognised(head) if {"funding_rate", "open_interest"} <= set(head.columns) else None


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `open_interest`, `funding`, `mark` and `index`, or only `options.table`, of each symbol; the file is held as a whole.

    open_interest: base coin, where it changed and at the end of each minute; the last row of those with one timestamp. Known when
    it reached Tardis. Inverse contracts are converted at the row's mark price, else last or index price.
    funding: one row a payment, see `_funding`. mark, index: bars of `options.interval`, 1m unless given, of the prices of all rows by
    exchange time, known at their end; prices that came over 10 seconds after it are left out, and bars of which the file saw half or less
    (`_cut_bars`): a day's file begins with prices that are stamped before midnight, whose bars the day before has whole.
    Raises DataError for what is in the file; ConfigError for a `contract_size` that is missing or wrong, or an option of no use.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", *(("interval",) if options.table in ("open_interest", "funding") else ()))
    held: dict[tuple[str, str], list[pl.DataFrame]] = {}
    behind: dict[tuple[str, str], int] = {}
    for part in parts(file, options, _COLUMNS):
        if part.rows is None:
            yield Batch(table=_TABLES[0], interval=None, rows=None, symbol=part.symbol)
            continue
        name = (part.exchange, part.symbol)
        held.setdefault(name, []).append(part.rows)
        behind[name] = behind.get(name, 0) + part.behind
    size = ContractSize(file=file, options=options)
    for (exchange, symbol), pieces in held.items():
        yield Batch(table=_TABLES[0], interval=None, rows=None, symbol=symbol, mended={BEHIND: behind[exchange, symbol]})
        rows, _ = in_order(pl.concat(pieces))
        for table in _TABLES if options.table is None else (options.table,):
            if table == "open_interest":
                made = _open_interest(rows, unit_of(exchange, symbol, size))
            elif table == "funding":
                made = _funding(rows, file)
            else:
                made = _bars(rows, f"{table}_price", options.interval or "1m", file)
            checked = canonical(made.rows, table, source=file.label, interval=made.interval) if made.rows.height else None
            yield Batch(table=table, interval=made.interval, rows=checked, symbol=symbol, mended=made.mended)


def _open_interest(rows: pl.DataFrame, unit: Unit) -> _Made:
    given = rows.filter(pl.col("open_interest").is_not_null()).with_columns(
        price=pl.coalesce("mark_price", "last_price", "index_price") if unit.inverse else pl.lit(1.0)
    )
    priced = given.filter(pl.col("price").is_not_null()).unique("timestamp", keep="last", maintain_order=True)
    contracts, minute = pl.col("open_interest"), pl.col("timestamp").to_physical() // _MINUTE_NS
    changed = contracts.ne_missing(contracts.shift(1))
    last = minute.ne_missing(minute.shift(-1))
    kept = priced.filter(changed | last).select(ROW, "timestamp", "available_at", open_interest=unit.to_base(contracts, pl.col("price")))
    mended = {"rows of open interest without a price to convert it by left out": int(given["price"].null_count())}
    return _Made(rows=kept, interval=None, mended=mended)


def _funding(rows: pl.DataFrame, file: SourceFile) -> _Made:
    """Return one row a payment: `timestamp` and `available_at` its instant, the rate the last that was known before it.

    A payment is taken for made where the last row known by its instant announced it, and later rows announce a later one, or the file
    ends within five minutes of it. So a payment at midnight comes from the file of the day before, and one that was moved is not told.
    """
    rated = rows.filter(pl.col("funding_rate").is_not_null())
    dated = rated.filter(pl.col("funding_timestamp").is_not_null()).sort("available_at", maintain_order=True)
    mended = {"rows with a funding rate but no time of payment, which give no funding": rated.height - dated.height}
    if dated.is_empty():
        return _Made(rows=dated, interval=None, mended=mended)
    due = epoch_to_times(dated["funding_timestamp"], unit="us", label=file.label, rows=dated[ROW]).to_physical().to_numpy()
    known = dated["available_at"].to_physical().to_numpy()
    end = int(rows["available_at"].to_physical().max())  # type: ignore[arg-type]
    payments = np.unique(due)
    seen = np.searchsorted(known, payments, side="right") - 1
    later = np.maximum.accumulate(due[::-1])[::-1][seen]  # the latest payment that rows from there on announce
    made = (seen >= 0) & (due[np.maximum(seen, 0)] == payments) & ((later > payments) | (np.abs(end - payments) <= _NEAR_NS))
    at = seen[made]
    mended["funding rates last seen over 5 minutes before their payment"] = int((payments[made] - known[at] > _NEAR_NS).sum())
    taken = dated[at.tolist()]
    return _Made(
        rows=pl.DataFrame([taken[ROW], pl.Series("timestamp", payments[made]).cast(CLOCK), taken["funding_rate"]]),
        interval=None,
        mended=mended,
    )


def _bars(rows: pl.DataFrame, column: str, interval: str, file: SourceFile) -> _Made:
    from liqbt.data.aggregate._trades import LATE_NS, BarSpan  # compiles kernels that other files do not need

    step = parse_interval(interval)
    ticks = rows.filter(pl.col(column).is_not_null())
    wrong = ~((ticks[column] > 0) & ticks[column].is_finite())
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        value = ticks[column][at]
        raise DataError(f"{file.label}: row {ticks[ROW][at]}: {column} is {value!r}; a price must be finite and above 0; check the file")
    opens = BarSpan.of(interval).open_of(ticks["timestamp"].to_physical().to_numpy())
    late = ticks["available_at"].to_physical().to_numpy() > opens + step + LATE_NS
    price = pl.col(column)
    bars = (
        ticks.with_columns(pl.Series("open_time", opens))
        .filter(pl.Series(~late))
        .group_by("open_time", maintain_order=True)
        .agg(pl.col(ROW).first(), open=price.first(), high=price.max(), low=price.min(), close=price.last())
        .with_columns(timestamp=pl.col("open_time").cast(CLOCK))
    )
    bars, cut = without_cut_bars(
        bars,
        rows["timestamp"].to_physical().to_numpy(),
        step=step,
        first_known=int(rows["available_at"].to_physical().min()),  # type: ignore[arg-type]
    )
    words = f"{column.removesuffix('_price')} prices that came over {LATE_NS // 1_000_000_000} s after the end of their bar left out"
    return _Made(rows=bars, interval=interval, mended={words: int(late.sum()), CUT: cut})


TICKER: Final = Kind(
    reader=READER, name="derivative_ticker", says="Tardis derivative ticker", tables=_TABLES, recognise=recognise, read=read
)

"""Liquidation snapshots: forced orders, at most one a second and symbol, so that their sum is a lower bound.

    time, side, order_type, time_in_force, original_quantity, price, average_price, order_status, last_fill_quantity,
    accumulated_fill_quantity

The files have every row exactly twice (issue 259 of binance/binance-public-data). Whose side is SELL, a long was liquidated.
`price` is the limit of the order, `average_price` what it was filled at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout
from liqbt.data.readers._contracts import inverse_to_base
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers.binance_vision import _head
from liqbt.data.readers.binance_vision._naming import contract_size, needed_market, refuse_foreign
from liqbt.data.readers.binance_vision._rows import whole
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["read_liquidations", "recognise_liquidations"]

_LAYOUT: Final = Layout(
    columns={
        "time": pl.Int64,
        "side": pl.String,
        "order_type": pl.String,
        "time_in_force": pl.String,
        "original_quantity": pl.Float64,
        "price": pl.Float64,
        "average_price": pl.Float64,
        "order_status": pl.String,
        "last_fill_quantity": pl.Float64,
        "accumulated_fill_quantity": pl.Float64,
    }
)


def recognise_liquidations(head: Head) -> Recognition | None:
    """Claim the archive's header."""
    return _head.recognition(head, time=0) if head.columns == tuple(_LAYOUT.columns) else None


def read_liquidations(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `liquidationSnapshot` as `liquidations`; the amount is what was filled, whatever the status of the order.

    Orders of which nothing was filled are left out. COIN-M contracts become coins at the average price.
    Raises DataError for what is in the file; ConfigError where neither symbol, name nor folder tells the market.
    """
    refuse_foreign(options)
    market = needed_market(file, options)
    mended: Counter[str] = Counter()
    rows = whole(file, _LAYOUT)
    stamps = epoch_to_times(rows["time"], unit="auto", label=file.label, rows=rows[ROW])
    rows = _without_copies(rows.with_columns(stamps), mended)
    filled = rows.filter(pl.col("accumulated_fill_quantity").ne_missing(0.0))
    mended["orders left out of which nothing was filled"] += rows.height - filled.height
    if filled.is_empty():
        yield Batch(table="liquidations", interval=None, rows=None, mended=mended)
        return
    amount, average = pl.col("accumulated_fill_quantity"), pl.col("average_price")
    if market == "cm":
        _require_prices(filled, file)
        amount = inverse_to_base(amount, average, contract_size(file, options))
    ordered = pl.col("side")
    side = pl.when(ordered == "SELL").then(pl.lit("long")).when(ordered == "BUY").then(pl.lit("short")).otherwise(ordered)
    limit = pl.when(pl.col("price") != 0).then(pl.col("price"))  # market orders have none
    rows = filled.select(ROW, "timestamp", side.alias("side"), amount.alias("amount"), limit.alias("price"), "average_price")
    rows, early = in_order(rows)
    mended["rows out of order sorted"] += early
    rows = canonical(rows, "liquidations", source=file.label)
    yield Batch(table="liquidations", interval=None, rows=rows, mended=mended)


def _require_prices(rows: pl.DataFrame, file: SourceFile) -> None:
    wrong = ~(rows["average_price"] > 0).fill_null(value=False)
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        raise DataError(
            f"{file.label}: row {rows[ROW][at]}: average_price is {rows['average_price'][at]!r}, without which its contracts are no coins; "
            "check the file"
        )


def _without_copies(rows: pl.DataFrame, mended: Counter[str]) -> pl.DataFrame:
    """Return one row of each pair of equal ones where all rows are in pairs; else all, since equal orders in one millisecond exist."""
    cells = [name for name in rows.columns if name != ROW]
    place = pl.int_range(pl.len()).over(cells)
    paired = rows.select((pl.len().over(cells) % 2 == 0).all()).item()
    if not paired:
        mended["rows equal to an earlier one kept, since not every row of the file is doubled"] += int(
            rows.select((place > 0).sum()).item()
        )
        return rows
    kept = rows.filter(place % 2 == 0)
    mended["doubled rows dropped"] += rows.height - kept.height
    return kept

"""Metrics: open interest every five minutes, and ratios that nobody here needs.

    create_time, symbol, sum_open_interest, sum_open_interest_value, then four ratios

COIN-M files count contracts in `sum_open_interest` and coins in `sum_open_interest_value` (Binance's REST documentation of
`openInterestHist`; 5,578,700 contracts of 100 USD at 18,265 BTC are 30,543 USD a coin, the price of that day).

`create_time` of USDT-M files was the instant of the snapshot until 2026-06-24, so that a day ran from 00:05 to the 00:00 after it.
Since 2026-06-25, and in COIN-M files always, it is five minutes before the snapshot, and a day runs from 00:00 to 23:55
(issue 491 of binance/binance-public-data). The last row of the old day and the first of the new one both say 2026-06-25 00:00;
the first of a file's labels tells which of the two it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout
from liqbt.data.readers._contracts import coin_m_size, is_coin_m
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers.binance_vision import _head
from liqbt.data.readers.binance_vision._naming import READER, refuse_foreign
from liqbt.data.readers.binance_vision._rows import each_once, text_to_times, whole
from liqbt.data.validation import CLOCK, ROW, canonical
from liqbt.errors import DataError

__all__ = ["read_metrics", "recognise_metrics"]

_LAYOUT: Final = Layout(
    columns={
        "create_time": pl.String,
        "symbol": pl.String,
        "sum_open_interest": pl.Float64,
        "sum_open_interest_value": pl.Float64,
        "count_toptrader_long_short_ratio": None,
        "sum_toptrader_long_short_ratio": None,
        "count_long_short_ratio": None,
        "sum_taker_long_short_vol_ratio": None,
    },
    optional=frozenset({"sum_open_interest_value"}),
)
_RELABELLED: Final = datetime(2026, 6, 25, tzinfo=UTC)
_PERIOD: Final = timedelta(minutes=5)


def recognise_metrics(head: Head) -> Recognition | None:
    """Claim the archive's header."""
    return _head.recognition(head) if head.columns == tuple(_LAYOUT.columns) else None


def read_metrics(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `metrics` as `open_interest`, both clocks at the instant of the snapshot; one batch a symbol.

    Rows without open interest are left out. Of rows of one instant with different values the first is kept: it is what was
    known first, and a second one may be a later snapshot under a wrong label.
    Raises DataError for what is in the file, ConfigError for options that have no use here.
    """
    refuse_foreign(options)
    rows = whole(file, _LAYOUT)
    unnamed = rows["symbol"].is_null()
    if unnamed.any():
        raise DataError(f"{file.label}: row {rows[ROW][int(unnamed.arg_max() or 0)]}: symbol is empty; check the file")
    rows = rows.with_columns(text_to_times(rows, "create_time", file))
    for part in rows.partition_by("symbol", maintain_order=True):
        symbol = str(part["symbol"][0])
        mended: Counter[str] = Counter()
        found = _open_interest(part, symbol, file, options)
        known = found.filter(pl.col("open_interest").is_not_null())
        mended["rows without open interest left out"] += found.height - known.height
        known, early = in_order(_at_snapshot(each_once(known, mended), symbol, mended))
        mended["rows out of order sorted"] += early
        first = known.unique(subset="timestamp", keep="first", maintain_order=True)
        mended["rows left out that contradict an earlier one of the same instant"] += known.height - first.height
        if first.is_empty():
            yield Batch(table="open_interest", interval=None, rows=None, symbol=symbol, mended=mended)
            continue
        first = canonical(first, "open_interest", source=file.label)
        yield Batch(table="open_interest", interval=None, rows=first, symbol=symbol, mended=mended)


def _open_interest(rows: pl.DataFrame, symbol: str, file: SourceFile, options: ReadOptions) -> pl.DataFrame:
    amount, value = pl.col("sum_open_interest"), pl.col("sum_open_interest_value")
    if is_coin_m(symbol):
        if value.meta.output_name() not in rows.columns:
            raise DataError(f"{file.label}: has no column 'sum_open_interest_value', which holds the coins of COIN-M; download it again")
        amount, value = value, amount * (options.contract_size or coin_m_size(symbol))
    else:
        options.refuse(READER, "contract_size")
    values = [value.alias("open_interest_value")] if "sum_open_interest_value" in rows.columns else []
    return rows.select(ROW, "timestamp", amount.alias("open_interest"), *values)


def _at_snapshot(rows: pl.DataFrame, symbol: str, mended: Counter[str]) -> pl.DataFrame:
    """Return rows stamped at the instant of their snapshot instead of by their label."""
    label = pl.col("timestamp")
    later = (label + _PERIOD).cast(CLOCK)
    labels = rows["timestamp"]
    if is_coin_m(symbol) or (labels >= _RELABELLED).all():
        return rows.with_columns(later)
    if (labels <= _RELABELLED).all():
        return rows
    # Files that somebody has joined: the label at the change stands for two instants.
    clear = rows.filter(label != _RELABELLED)
    mended["rows labelled 2026-06-25 00:00 left out, since the file has labels of both meanings"] += rows.height - clear.height
    return clear.with_columns(pl.when(label < _RELABELLED).then(label).otherwise(later).alias("timestamp"))

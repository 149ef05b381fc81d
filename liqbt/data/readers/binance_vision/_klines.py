"""Klines: of trades, of the mark price, of the index and of the premium. All four have the same twelve columns.

    open_time, open, high, low, close, volume, close_time, quote_volume, count, taker_buy_volume, taker_buy_quote_volume, ignore

Older files have no header. Volumes of anything but trades mean nothing. COIN-M files have the same header, but `volume` and
`taker_buy_volume` are contracts there, and the two quote volumes are coins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import polars as pl

from liqbt._time import DAY_NS, format_interval, parse_interval
from liqbt.data.readers._blocks import Layout
from liqbt.data.readers._interval import resolve_interval
from liqbt.data.readers._recording import Batch, ReadOptions, Recognition
from liqbt.data.readers._settled import settled
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers.binance_vision import _head
from liqbt.data.readers.binance_vision._naming import READER, folder_table, refuse_foreign
from liqbt.data.readers.binance_vision._rows import whole
from liqbt.data.readers.binance_vision._volumes import in_coins
from liqbt.data.validation import ROW, canonical
from liqbt.errors import ConfigError, DataError

__all__ = ["read_klines", "recognise_klines"]

_TABLE: Final = {"klines": "bars", "markPriceKlines": "mark", "indexPriceKlines": "index", "premiumIndexKlines": "premium"}
_PRICES: Final = {
    "open_time": pl.Int64,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": None,
    "close_time": pl.Int64,
    "quote_volume": None,
    "count": None,
    "taker_buy_volume": None,
    "taker_buy_quote_volume": None,
    "ignore": None,
}
_VOLUMES: Final = {
    "volume": pl.Float64,
    "quote_volume": pl.Float64,
    "count": pl.Int64,
    "taker_buy_volume": pl.Float64,
    "taker_buy_quote_volume": pl.Float64,
}
_ONLY_PRICES: Final = Layout(columns=_PRICES, optional=frozenset({"ignore"}))
_TRADED: Final = Layout(columns={**_PRICES, **_VOLUMES}, optional=frozenset({"ignore"}))
_WEEK_NS: Final = 7 * DAY_NS
_SECOND_NS: Final = 1_000_000_000
_NO_PREMIUM: Final = 0.1
"""Where no value is below 0, one of this height is a price: a premium of a tenth does not last for fifty bars (a convention)."""


def recognise_klines(table: str) -> Callable[[Head], Recognition | None]:
    """Return what claims files of one kline table: by their numbers, and by the folder where the numbers leave a choice."""

    def recognise(head: Head) -> Recognition | None:
        possible, folder = _possible(head), folder_table(head.file)
        claimed = {folder} if folder in possible else possible
        return _head.recognition(head, time=0) if table in claimed else None

    return recognise


def read_klines(table: str) -> Callable[[SourceFile, ReadOptions], Iterator[Batch]]:
    """Return what reads files of one kline table.

    A bar is stamped at its open and known when its interval ends. The interval is what most rows say by their two times.
    The reader raises DataError for what is in the file, ConfigError for an interval that the file contradicts, and where nothing
    tells whether its volumes are coins or contracts.
    """

    def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
        refuse_foreign(options, covers_interval=True)
        if table != "klines":
            options.refuse(READER, "contract_size")
        rows = whole(file, _TRADED if table == "klines" else _ONLY_PRICES)
        rows = rows.with_columns(epoch_to_times(rows["open_time"], unit="auto", label=file.label, rows=rows[ROW]))
        rows, settling = settled(rows, label=file.label)
        mended = Counter(settling)
        interval, rows = _of_one_interval(rows, file, options, mended)
        rows = _on_grid(rows, interval, file, mended)
        if table == "klines":
            rows = in_coins(rows, file, options)
        rows = canonical(rows, _TABLE[table], source=file.label, interval=interval)
        yield Batch(table=_TABLE[table], interval=interval, rows=rows, mended=mended)

    return read


def _possible(head: Head) -> set[str]:
    """Return the kline tables whose numbers look like those of the first rows; none where they are no klines."""
    names = tuple(_PRICES)
    rows = _head.data_rows(head)
    if head.has_header:
        if head.columns not in (names, names[:-1]):
            return set()
    elif not _head.mostly(rows, _is_kline):
        return set()
    numbers = [[_head.number(cell) for cell in row] for row in rows if _is_kline(row)]
    # Mark, index and premium count the values that a bar was made of, or have no counts at all, but never a volume.
    if not numbers or any(row[5] > 0 for row in numbers):
        return {"klines"}
    silent = all(high == low > 0 and count == 0 for _, _, high, low, _, _, _, _, count, *_ in numbers)
    return _of_values([value for row in numbers for value in row[1:5]]) | ({"klines"} if silent else set())


def _is_kline(row: tuple[str, ...]) -> bool:
    if len(row) not in (11, 12) or not _head.is_stamp(row[0]) or not row[6].isdecimal():
        return False
    first, high, low, last, volume = (_head.number(cell) for cell in row[1:6])
    return low <= min(first, last) <= max(first, last) <= high and volume >= 0


def _of_values(values: list[float]) -> set[str]:
    if min(values) <= 0.0:
        return {"premiumIndexKlines"} if max(map(abs, values)) < 1.0 else set()
    if max(values) >= _NO_PREMIUM:
        return {"markPriceKlines", "indexPriceKlines"}
    return {"markPriceKlines", "indexPriceKlines", "premiumIndexKlines"}


def _of_one_interval(rows: pl.DataFrame, file: SourceFile, options: ReadOptions, mended: Counter[str]) -> tuple[str, pl.DataFrame]:
    """Return the interval that most rows have by their times, and the rows that do not reach beyond it."""
    per_second = 1_000_000 if (rows["open_time"] > 10**14).any() else 1_000
    # Closing times are the last millisecond or microsecond of a bar.
    seconds = (rows["close_time"] - rows["open_time"]) // per_second + 1
    lengths = seconds.filter(seconds > 0)
    if lengths.is_empty():
        return resolve_interval(rows["timestamp"].to_physical().to_numpy(), options.interval, label=file.label), rows
    counts = lengths.alias("length").value_counts().sort("count", "length", descending=[True, False])
    length = int(counts["length"][0])
    if length * _SECOND_NS > _WEEK_NS:
        raise DataError(f"{file.label}: holds bars of {length // 86_400} days, months perhaps, which have no fixed length; use 1d bars")
    interval = format_interval(length * _SECOND_NS)
    if options.interval is not None and parse_interval(options.interval) != length * _SECOND_NS:
        raise ConfigError(f"interval: {file.label} holds bars of {interval}, not {options.interval}; leave the interval out")
    late = (seconds > length).fill_null(value=False)
    odd = (seconds != length).fill_null(value=True) & ~late
    mended["bars left out that close after their interval, so that they were known later"] += int(late.sum())
    mended["closing times that are not the end of their bar ignored"] += int(odd.sum())
    return interval, rows.filter(~late)


def _on_grid(rows: pl.DataFrame, interval: str, file: SourceFile, mended: Counter[str]) -> pl.DataFrame:
    """Return the bars that open at a multiple of the interval since midnight (or since the first bar, where days do not divide)."""
    step = parse_interval(interval)
    stamps = rows["timestamp"].to_physical()
    origin = 0 if DAY_NS % step == 0 else int(stamps[0])
    off = (stamps - origin) % step != 0
    count = int(off.sum())
    if count > max(1, rows.height // 100):
        at = int(off.arg_max() or 0)
        raise DataError(
            f"{file.label}: row {rows[ROW][at]} ({rows['timestamp'][at]:%Y-%m-%d %H:%M:%S}) and {count - 1} others do not open on "
            f"the {interval} grid; check the file"
        )
    mended["bars left out that do not open on the grid of their interval"] += count
    return rows.filter(~off)

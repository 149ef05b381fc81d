"""The rows of a small file: all of them, each once, their times out of text."""

from __future__ import annotations

from collections import Counter
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout, typed_blocks
from liqbt.data.readers._source import SourceFile
from liqbt.data.validation import CLOCK, ROW
from liqbt.errors import DataError

__all__ = ["each_once", "text_to_times", "whole"]

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


def whole(file: SourceFile, layout: Layout) -> pl.DataFrame:
    """Return all rows of a file that is small: a day or a month of one row a minute at most."""
    return pl.concat(typed_blocks(file, layout))


def each_once(rows: pl.DataFrame, mended: Counter[str]) -> pl.DataFrame:
    """Return rows without those that equal an earlier one in every column but ROW, and count them in `mended`."""
    kept = rows.unique(subset=[name for name in rows.columns if name != ROW], keep="first", maintain_order=True)
    mended["doubled rows dropped"] += rows.height - kept.height
    return kept


def text_to_times(rows: pl.DataFrame, column: str, file: SourceFile) -> pl.Series:
    """Return `2024-01-31 23:55:00`, which is UTC, as UTC nanoseconds named `timestamp`.

    Raises DataError for other text, a day without a time too: nothing would tell when in it the row was known.
    """
    stamps = rows[column].str.to_datetime(_FORMAT, time_unit="ns", strict=False)
    wrong = stamps.is_null() | ~stamps.dt.year().is_between(2000, 2099)
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        raise DataError(
            f"{file.label}: row {rows[ROW][at]}: {column} is {rows[column][at]!r}, not a time such as 2024-01-31 23:55:00; check the file"
        )
    return stamps.dt.replace_time_zone("UTC").cast(CLOCK).alias("timestamp")

"""Text tables to typed columns; every value that cannot be read is named with its row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Final

import pandas as pd
import polars as pl

from liqbt.data.readers._source import SourceFile
from liqbt.data.validation import CLOCK
from liqbt.errors import DataError

__all__ = ["epoch_to_times", "read_rows", "to_numbers", "to_times"]

_UNIT_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
# An instant outside these years is a wrong unit: milliseconds read as seconds lie tens of thousands of years ahead.
_FIRST_NS: Final = 946_684_800_000_000_000  # 2000-01-01
_MICROSECONDS: Final = 1e14  # in milliseconds the year 5138, in microseconds 1973
_DATE: Final = r"^[0-9]{4}-?[0-9]{2}-?[0-9]{2}([T ]|$)"
_LONGEST_VALUE: Final = 60  # characters of a value that a message shows
_LAST_NS: Final = 4_102_444_800_000_000_000  # 2100-01-01


def epoch_to_times(numbers: pl.Series, *, unit: str, label: str, rows: pl.Series) -> pl.Series:
    """Return numbers since 1970 as UTC nanoseconds, named `timestamp`.

    unit: `s`, `ms`, `us`, `ns`, or `auto`: microseconds where most are above 1e14, else milliseconds.
    rows: row numbers, for messages.
    Raises DataError naming row and value for instants outside 2000 to 2100, and for empty cells.
    """
    if unit == "auto":
        unit = "us" if float((numbers > _MICROSECONDS).mean() or 0.0) > 0.5 else "ms"  # type: ignore[arg-type]
    length = _UNIT_NS[unit]
    limit = 2**62 // length
    if numbers.dtype.is_float():
        # Fractions of seconds keep microseconds: a float of seconds since 1970 carries no more.
        stamps = (numbers.fill_nan(None).clip(-limit, limit) * (length / 1_000)).round().cast(pl.Int64) * 1_000
    else:
        stamps = numbers.clip(-limit, limit) * length
    wrong = ((stamps < _FIRST_NS) | (stamps >= _LAST_NS)).fill_null(value=True)
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        value = numbers[at]
        told = "empty" if value is None else f"{value!r}, outside the years 2000 to 2100 as {unit}"
        raise DataError(f"{label}: row {rows[at]}: {numbers.name} is {told}; check the file and the unit of its times")
    return stamps.cast(CLOCK).alias("timestamp")


def read_rows(file: SourceFile, *, header: bool, delimiter: str = ",") -> pl.DataFrame:
    """Return a delimited text file as columns of text; without a header they are `column_1` and so on.

    Raises DataError where it is not such a file.
    """
    content = file.content().rstrip(b"\r\n")
    if not content:
        raise DataError(f"{file.label}: holds no rows; download or export it again")
    try:
        rows = pl.read_csv(io.BytesIO(content), has_header=header, separator=delimiter, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        reason = _torn(content, header, delimiter) or f"cannot be read as delimited text ({str(error).splitlines()[0]})"
        raise DataError(f"{file.label}: {reason}; check the file, its delimiter and the reader") from error
    # A row with too few cells is filled up without a word.
    if rows[:, -1].null_count() and (torn := _torn(content, header, delimiter)) is not None:
        raise DataError(f"{file.label}: {torn}; check the file, it may be torn")
    repeated = next((name for name in rows.columns if re.search(r"_duplicated_\d+$", name)), None)
    if header and repeated is not None:
        raise DataError(f"{file.label}: column {repeated.rsplit('_duplicated_', 1)[0]!r} is there more than once; rename one")
    if not header:
        rows.columns = [f"column_{number}" for number in range(1, rows.width + 1)]  # polars counts from 0 or 1, by version
    return rows.with_columns(pl.all().str.strip_chars())


def _torn(content: bytes, header: bool, delimiter: str) -> str | None:
    """Return what tells the first row with another number of cells than the first line; None where there is none."""
    cells = None
    for line, row in enumerate(csv.reader(content.decode("utf-8-sig", errors="replace").splitlines(), delimiter=delimiter)):
        cells = len(row) if cells is None else cells
        if row and len(row) != cells:
            return f"row {line + (not header)} has {len(row)} cells, expected {cells}"
    return None


def to_numbers(text: pl.Series, *, label: str, rows: Sequence[int] | pl.Series | None = None) -> pl.Series:
    """Return text as Int64 where all of it is whole numbers, else Float64; empty text is null.

    rows: row numbers for messages, from 1 where left out.
    Raises DataError naming row, column and value.
    """
    text = text.replace("", None)
    whole = text.cast(pl.Int64, strict=False)  # first, since an identifier above 2**53 does not survive as a float
    if whole.null_count() == text.null_count():
        return whole
    numbers = text.cast(pl.Float64, strict=False)
    _refuse(text, numbers.is_null() & text.is_not_null(), label, "not a number; check the column mapping", rows)
    return numbers


def to_times(text: pl.Series, *, unit: str, offset_ns: int, label: str, rows: Sequence[int] | pl.Series | None = None) -> pl.Series:
    """Return text as UTC nanoseconds.

    unit: `iso` (naive text is UTC, an offset in the text counts), or the unit of numbers since 1970: `s`, `ms`, `us`, `ns`.
    offset_ns: subtracted. rows: row numbers for messages, from 1 where left out.
    Raises DataError naming row, column and value, for instants outside 2000 to 2100 too.
    """
    if unit == "iso":
        dated = text.str.contains(_DATE).fill_null(value=False)  # pandas takes `now` and a bare year too
        _refuse(text, ~dated, label, "not an ISO time such as 2026-01-31 12:00:00; check the time column and its unit", rows)
        parsed = pd.to_datetime(text.to_pandas(), format="ISO8601", utc=True, errors="coerce").dt.as_unit("ns")
        stamps = pl.from_pandas(parsed).cast(CLOCK).to_physical()
        _refuse(text, stamps.is_null(), label, "not an ISO time such as 2026-01-31 12:00:00; check the time column and its unit", rows)
    else:
        stamps = _since_epoch(text, _UNIT_NS[unit])
        _refuse(text, stamps.is_null(), label, f"not a number of {unit} since 1970; check the time column and its unit", rows)
    wrong = (stamps < _FIRST_NS) | (stamps >= _LAST_NS)
    _refuse(text, wrong, label, f"outside the years 2000 to 2100 as {unit}; check the unit of the time column", rows)
    return (stamps - offset_ns).cast(CLOCK).alias("timestamp")


def _since_epoch(text: pl.Series, unit_ns: int) -> pl.Series:
    limit = 2**62 // unit_ns
    whole = text.cast(pl.Int64, strict=False)
    numbers = text.cast(pl.Float64, strict=False).fill_nan(None).clip(-limit, limit)
    # Fractions, such as seconds with four decimals, keep microseconds: a float of seconds since 1970 carries no more.
    fraction = (numbers * (unit_ns / 1_000)).round().cast(pl.Int64) * 1_000
    return (whole.clip(-limit, limit) * unit_ns).fill_null(fraction)


def _refuse(text: pl.Series, wrong: pl.Series, label: str, reason: str, rows: Sequence[int] | pl.Series | None) -> None:
    wrong = wrong.fill_null(value=False)
    if wrong.any():
        at = int(wrong.arg_max() or 0)
        row = at + 1 if rows is None else rows[at]
        value = text[at] if text[at] is None else text[at][:_LONGEST_VALUE]
        raise DataError(f"{label}: row {row}: {text.name} is {value!r}, {reason}")

"""Text tables to typed columns; every value that cannot be read is named with its row."""

from __future__ import annotations

import gzip
import re
import zlib
from typing import Final

import pandas as pd
import polars as pl

from liqbt.data.readers._recording import SourceFile
from liqbt.data.validation import CLOCK
from liqbt.errors import DataError

__all__ = ["read_rows", "to_numbers", "to_times"]

_GZIP_MAGIC: Final = b"\x1f\x8b"
_UNIT_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
# An instant outside these years is a wrong unit: milliseconds read as seconds lie tens of thousands of years ahead.
_FIRST_NS: Final = 946_684_800_000_000_000  # 2000-01-01
_LAST_NS: Final = 4_102_444_800_000_000_000  # 2100-01-01


def read_rows(file: SourceFile, *, header: bool, delimiter: str = ",") -> pl.DataFrame:
    """Return a delimited text file, plain or gzip, as columns of text; without a header they are `column_1` and so on.

    Raises DataError where it is not such a file.
    """
    content = file.content
    if content.startswith(_GZIP_MAGIC):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{file.label}: is a damaged gzip file ({error}); download it again") from error
    content = content.rstrip(b"\r\n")
    if not content:
        raise DataError(f"{file.label}: holds no rows; download or export it again")
    try:
        rows = pl.read_csv(content, has_header=header, separator=delimiter, infer_schema=False)
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{file.label}: cannot be read as delimited text ({reason}); check the file, its delimiter and the reader"
        ) from error
    repeated = next((name for name in rows.columns if re.search(r"_duplicated_\d+$", name)), None)
    if header and repeated is not None:
        raise DataError(f"{file.label}: column {repeated.rsplit('_duplicated_', 1)[0]!r} is there more than once; rename one")
    if not header:
        rows.columns = [f"column_{number}" for number in range(1, rows.width + 1)]  # polars counts from 0 or 1, by version
    return rows.with_columns(pl.all().str.strip_chars())


def to_numbers(text: pl.Series, *, label: str) -> pl.Series:
    """Return text as Int64 where all of it is whole numbers, else Float64; empty text is null.

    Raises DataError naming row, column and value.
    """
    text = text.replace("", None)
    whole = text.cast(pl.Int64, strict=False)  # first, since an identifier above 2**53 does not survive as a float
    if whole.null_count() == text.null_count():
        return whole
    numbers = text.cast(pl.Float64, strict=False)
    _refuse(text, numbers.is_null() & text.is_not_null(), label, "not a number; check the column mapping")
    return numbers


def to_times(text: pl.Series, *, unit: str, offset_ns: int, label: str) -> pl.Series:
    """Return text as UTC nanoseconds.

    unit: `iso` (naive text is UTC, an offset in the text counts), or the unit of numbers since 1970: `s`, `ms`, `us`, `ns`.
    offset_ns: subtracted.
    Raises DataError naming row, column and value, for instants outside 2000 to 2100 too.
    """
    if unit == "iso":
        parsed = pd.to_datetime(text.to_pandas(), format="ISO8601", utc=True, errors="coerce").dt.as_unit("ns")
        stamps = pl.from_pandas(parsed).cast(CLOCK).to_physical()
        _refuse(text, stamps.is_null(), label, "not an ISO time such as 2026-01-31 12:00:00; check the time column and its unit")
    else:
        stamps = _since_epoch(text, _UNIT_NS[unit])
        _refuse(text, stamps.is_null(), label, f"not a number of {unit} since 1970; check the time column and its unit")
    wrong = (stamps < _FIRST_NS) | (stamps >= _LAST_NS)
    _refuse(text, wrong, label, f"outside the years 2000 to 2100 as {unit}; check the unit of the time column")
    return (stamps - offset_ns).cast(CLOCK).alias("timestamp")


def _since_epoch(text: pl.Series, unit_ns: int) -> pl.Series:
    limit = 2**62 // unit_ns
    whole = text.cast(pl.Int64, strict=False)
    numbers = text.cast(pl.Float64, strict=False).fill_nan(None).clip(-limit, limit)
    # Fractions, such as seconds with four decimals, keep microseconds: a float of seconds since 1970 carries no more.
    fraction = (numbers * (unit_ns / 1_000)).round().cast(pl.Int64) * 1_000
    return (whole.clip(-limit, limit) * unit_ns).fill_null(fraction)


def _refuse(text: pl.Series, wrong: pl.Series, label: str, reason: str) -> None:
    wrong = wrong.fill_null(value=False)
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise DataError(f"{label}: row {row + 1}: {text.name} is {text[row]!r}, {reason}")

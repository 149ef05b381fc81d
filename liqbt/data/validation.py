"""Check a frame against its canonical table once, so that nothing after it has to."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd
import polars as pl

from liqbt._time import parse_interval
from liqbt.data.schema import Column, Table, table
from liqbt.errors import ConfigError, DataError, did_you_mean

__all__ = ["CLOCK", "ROW", "canonical"]

CLOCK: Final = pl.Datetime("ns", "UTC")
"""The dtype of both clocks."""

ROW: Final = "_row"
"""A column of row numbers in the file, for messages; without it the first row of the frame is 1."""

_RULES: Final = {
    "price": "a price must be finite and above 0",
    "amount": "an amount must be finite and at least 0",
    "rate": "a rate is a fraction: 0.0001 is one basis point",
    "fraction": "a fraction lies between 0 and 1",
    "count": "a count is at least 0",
}


def canonical(frame: pl.DataFrame | pd.DataFrame, name: str, *, source: str, interval: str | None = None) -> pl.DataFrame:
    """Return `frame` as the canonical table `name`: its columns in order, both clocks in UTC nanoseconds, every value checked.

    frame: polars or pandas, `timestamp` as a column (or the index, pandas). Naive times are taken as UTC. Columns that the
    table does not know are dropped. A missing `available_at` is filled: the end of the interval for tables that cover one,
    else `timestamp`.
    source: what error messages call the frame, such as the path it was read from.
    interval: bar length such as `5m`; needed by tables that cover an interval.

    Raises DataError naming source, row (the first is 1), column, value and remedy; ConfigError for an unknown table or a missing interval.
    """
    spec = table(name)
    rows = _as_polars(frame, source)
    missing = [column for column in spec.required if column not in rows.columns]
    if missing:
        hint = did_you_mean(missing[0], rows.columns)
        raise DataError(f"{source}: table {name!r} needs column {missing[0]!r}, which is not there{hint}")
    if rows.is_empty():
        raise DataError(f"{source}: table {name!r} has no rows; check that the file is complete")
    rows = _clocks(rows, spec, source, interval)
    checked = [_checked(rows, column, source) for column in spec.columns if column.name in rows.columns]
    rows = rows.select("timestamp", "available_at", *checked, *([ROW] if ROW in rows.columns else []))
    _check_order(rows, spec, source)
    if {"open", "high", "low", "close"} <= set(rows.columns):
        _check_ohlc(rows, source)
    return rows.drop(ROW, strict=False)


def _as_polars(frame: pl.DataFrame | pd.DataFrame, source: str) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{source}: expected a pandas or polars DataFrame, got {type(frame).__name__}")
    if "timestamp" not in frame.columns and frame.index.name == "timestamp":
        frame = frame.reset_index()
    repeated = frame.columns[frame.columns.duplicated()]
    if len(repeated):
        raise DataError(f"{source}: column {repeated[0]!r} is there more than once; rename or drop one")
    # Object columns that mix numbers and text have no arrow type; as text they reach the check that names the row.
    mixed = {
        name: frame[name].map(lambda value: None if pd.isna(value) else str(value))
        for name in frame.columns
        if frame[name].dtype == object and pd.api.types.infer_dtype(frame[name], skipna=True).startswith("mixed")
    }
    return pl.from_pandas(frame.assign(**mixed) if mixed else frame)


def _clocks(rows: pl.DataFrame, spec: Table, source: str, interval: str | None) -> pl.DataFrame:
    for name in ("timestamp", "available_at"):
        if name in rows.columns:
            rows = rows.with_columns(_clock(rows, name, source))
    if "available_at" in rows.columns:
        early = rows["available_at"] < rows["timestamp"]
        if early.any():
            row = int(early.arg_max() or 0)
            raise DataError(
                f"{source}: {_where(rows, row)}: available_at {rows['available_at'][row]:%Y-%m-%d %H:%M:%S} is before timestamp; "
                "a row cannot be known before it happened"
            )
        return rows
    if not spec.has_interval:
        return rows.with_columns(available_at=pl.col("timestamp"))
    if interval is None:
        raise ConfigError(f"{source}: table {spec.name!r} needs its interval, such as 5m, to know when a row became known")
    return rows.with_columns(available_at=pl.col("timestamp") + pl.duration(nanoseconds=parse_interval(interval)))


def _clock(rows: pl.DataFrame, name: str, source: str) -> pl.Series:
    """Return times as UTC nanoseconds; naive ones are taken as UTC."""
    series, dtype = rows[name], rows.schema[name]
    if dtype == CLOCK and not series.null_count():
        return series
    if not isinstance(dtype, pl.Datetime | pl.Date):
        raise DataError(f"{source}: column {name!r} holds {dtype}, not times; convert it to datetimes (naive ones are taken as UTC)")
    if series.null_count():
        row = int(series.is_null().arg_max() or 0)
        raise DataError(f"{source}: row {_number(rows, row)}: column {name!r} is empty; every row needs a time")
    if isinstance(dtype, pl.Date) or dtype.time_zone is None:
        series = series.cast(pl.Datetime("us" if isinstance(dtype, pl.Date) else dtype.time_unit, "UTC"))
    fine = series.dt.convert_time_zone("UTC").cast(CLOCK, strict=False)
    if fine.null_count():
        row = int(fine.is_null().arg_max() or 0)
        raise DataError(
            f"{source}: row {_number(rows, row)}: column {name!r} is {series[row]}, outside 1678 to 2262; check the unit of the times"
        )
    return fine


def _checked(rows: pl.DataFrame, column: Column, source: str) -> pl.Series:
    if column.kind == "side":
        return _checked_side(rows, column, source)
    series = _numbers(rows, column, source)
    if not column.nullable and series.null_count():
        _raise_empty(rows, series, column, source)
    # Comparisons with NaN are false here, since NaN has become null.
    match column.kind:
        case "price":
            good = (series > 0) & (series < math.inf)
        case "amount":
            good = (series >= 0) & (series < math.inf)
        case "rate":
            good = series.abs() < 1
        case "fraction":
            good = (series >= 0) & (series <= 1)
        case "count":
            good = series >= 0
        case _:
            return series
    good = good.fill_null(value=True)
    if not good.all():
        row = int((~good).arg_max() or 0)
        raise DataError(f"{source}: {_where(rows, row)}: {column.name} is {series[row]!r}; {_RULES[column.kind]}")
    return series


def _numbers(rows: pl.DataFrame, column: Column, source: str) -> pl.Series:
    """Return a column as Float64, or Int64 for whole numbers, with NaN as null."""
    given = rows[column.name]
    if isinstance(given.dtype, pl.Categorical | pl.Enum):
        given = given.cast(pl.String)
    if not (given.dtype.is_numeric() or given.dtype in (pl.String, pl.Null)):
        raise DataError(f"{source}: column {column.name!r} holds {given.dtype}, not numbers; check the column mapping")
    if given.dtype.is_float() and given.is_nan().any():
        given = given.fill_nan(None)
    whole = column.kind in ("count", "identifier")
    if given.dtype == (pl.Int64 if whole else pl.Float64):
        return given
    series = given.cast(pl.Int64 if whole else pl.Float64, strict=False)
    wrong = series.is_null() & given.is_not_null()
    if whole and given.dtype.is_float():
        wrong |= (given != series.cast(given.dtype)).fill_null(value=False)
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        expected = "a whole number" if whole else "a number"
        raise DataError(f"{source}: {_where(rows, row)}: {column.name} is {given[row]!r}, not {expected}; check the column mapping")
    return series.fill_nan(None) if series.dtype.is_float() else series


def _checked_side(rows: pl.DataFrame, column: Column, source: str) -> pl.Series:
    series = rows[column.name]
    dtype = pl.Enum(column.choices)
    if series.dtype == dtype and not series.null_count():
        return series
    series = series.cast(pl.String, strict=False)
    sides = series.cast(dtype, strict=False)
    if sides.null_count():
        row = int(sides.is_null().arg_max() or 0)
        raise DataError(
            f"{source}: {_where(rows, row)}: {column.name} is {series[row]!r}, expected one of {', '.join(column.choices)}; "
            "convert it in the reader or mapping"
        )
    return sides


def _raise_empty(rows: pl.DataFrame, series: pl.Series, column: Column, source: str) -> None:
    empty = series.is_null()
    row = int(empty.arg_max() or 0)
    filled = empty[row:].not_().arg_max() or 0
    run = filled if filled else series.len() - row
    raise DataError(
        f"{source}: {_where(rows, row)}: {column.name} is empty or NaN for {run} row{'s' if run > 1 else ''} in a row; "
        "leave rows without a value out, gaps in time are handled"
    )


def _check_order(rows: pl.DataFrame, spec: Table, source: str) -> None:
    stamps = rows["timestamp"].to_physical()
    if stamps.is_sorted() and not spec.unique:
        return
    step = stamps.diff()
    back = (step < 0).fill_null(value=False)
    if back.any():
        row = int(back.arg_max() or 0)
        raise DataError(
            f"{source}: {_where(rows, row)} is earlier than the row above it ({rows['timestamp'][row - 1]:%Y-%m-%d %H:%M:%S}); "
            "sort the file by time"
        )
    same = (step == 0).fill_null(value=False)
    if spec.unique and same.any():
        row = int(same.arg_max() or 0)
        raise DataError(
            f"{source}: {_where(rows, row)} has the same timestamp as the row above it ({int(same.sum())} such rows); remove the duplicates"
        )


def _check_ohlc(rows: pl.DataFrame, source: str) -> None:
    for upper, lower in (("high", "low"), ("high", "open"), ("high", "close"), ("open", "low"), ("close", "low")):
        bad = rows[upper] < rows[lower]
        if bad.any():
            row = int(bad.arg_max() or 0)
            raise DataError(
                f"{source}: {_where(rows, row)}: {upper} {rows[upper][row]!r} is below {lower} {rows[lower][row]!r}; "
                "check the column mapping"
            )


def _where(rows: pl.DataFrame, row: int) -> str:
    return f"row {_number(rows, row)} ({rows['timestamp'][row]:%Y-%m-%d %H:%M:%S})"


def _number(rows: pl.DataFrame, row: int) -> int:
    return int(rows[ROW][row]) if ROW in rows.columns else row + 1

"""Check a frame against its canonical table once, so that nothing after it has to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from liqbt._time import parse_interval
from liqbt.data.schema import Column, Table, table
from liqbt.errors import ConfigError, DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLOCK", "canonical"]

CLOCK = pl.Datetime("ns", "UTC")
"""The dtype of both clocks."""


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
    rows = rows.select("timestamp", "available_at", *checked)
    _check_order(rows, spec, source)
    if {"open", "high", "low", "close"} <= set(rows.columns):
        _check_ohlc(rows, source)
    return rows


def _as_polars(frame: pl.DataFrame | pd.DataFrame, source: str) -> pl.DataFrame:
    if isinstance(frame, pl.DataFrame):
        return frame
    if not hasattr(frame, "reset_index"):
        raise DataError(f"{source}: expected a pandas or polars DataFrame, got {type(frame).__name__}")
    if "timestamp" not in frame.columns and frame.index.name == "timestamp":
        frame = frame.reset_index()
    return pl.from_pandas(frame)


def _clocks(rows: pl.DataFrame, spec: Table, source: str, interval: str | None) -> pl.DataFrame:
    for name in ("timestamp", "available_at"):
        if name not in rows.columns:
            continue
        dtype = rows.schema[name]
        if not isinstance(dtype, pl.Datetime | pl.Date):
            raise DataError(f"{source}: column {name!r} holds {dtype}, not times; convert it to datetimes (naive ones are taken as UTC)")
        column = pl.col(name).cast(pl.Datetime("ns")) if isinstance(dtype, pl.Date) or dtype.time_zone is None else pl.col(name)
        zoned = column.dt.replace_time_zone("UTC") if isinstance(dtype, pl.Date) or dtype.time_zone is None else column
        rows = rows.with_columns(zoned.dt.convert_time_zone("UTC").cast(CLOCK).alias(name))
        if rows[name].null_count():
            row = int(rows[name].is_null().arg_max() or 0)
            raise DataError(f"{source}: row {row + 1}: column {name!r} is empty; every row needs a time")
    if "available_at" in rows.columns:
        early = (rows["available_at"] < rows["timestamp"]).arg_max()
        if early is not None and rows["available_at"][early] < rows["timestamp"][early]:
            raise DataError(f"{source}: row {early + 1}: available_at {rows['available_at'][early]} is before timestamp {rows['timestamp'][early]}; a row cannot be known before it happened")
        return rows
    if not spec.has_interval:
        return rows.with_columns(available_at=pl.col("timestamp"))
    if interval is None:
        raise ConfigError(f"{source}: table {spec.name!r} needs its interval, such as 5m, to know when a row became known")
    return rows.with_columns(available_at=pl.col("timestamp") + pl.duration(nanoseconds=parse_interval(interval)))


def _checked(rows: pl.DataFrame, column: Column, source: str) -> pl.Series:
    series = rows[column.name]
    if column.kind == "side":
        return _checked_side(rows, series, column, source)
    try:
        series = series.cast(pl.Int64 if column.kind in ("count", "identifier") else pl.Float64)
    except pl.exceptions.PolarsError:
        bad = series.cast(pl.String).cast(pl.Float64, strict=False).is_null() & series.is_not_null()
        row = int(bad.arg_max() or 0)
        raise DataError(f"{source}: {_where(rows, row)}: {column.name} is {series[row]!r}, not a number; check the column mapping") from None
    if series.dtype.is_float():
        series = series.fill_nan(None)
    if not column.nullable and series.null_count():
        _raise_empty(rows, series, column, source)
    limits = {
        "price": (series.is_finite() & (series > 0), "a price must be finite and above 0"),
        "amount": (series.is_finite() & (series >= 0), "an amount must be finite and at least 0"),
        "rate": (series.is_finite() & (series.abs() < 1), "a rate is a fraction: 0.0001 is one basis point"),
        "fraction": (series.is_finite() & (series >= 0) & (series <= 1), "a fraction lies between 0 and 1"),
        "count": (series >= 0, "a count is at least 0"),
    } if series.dtype.is_float() else {"count": (series >= 0, "a count is at least 0")}
    if column.kind in limits:
        good, rule = limits[column.kind]
        good = good.fill_null(True)
        if not good.all():
            row = int((~good).arg_max() or 0)
            raise DataError(f"{source}: {_where(rows, row)}: {column.name} is {series[row]!r}; {rule}")
    return series


def _checked_side(rows: pl.DataFrame, series: pl.Series, column: Column, source: str) -> pl.Series:
    known = series.is_in(list(column.choices)).fill_null(False)
    if not known.all():
        row = int((~known).arg_max() or 0)
        raise DataError(f"{source}: {_where(rows, row)}: {column.name} is {series[row]!r}, expected one of {', '.join(column.choices)}; convert it in the reader or mapping")
    return series.cast(pl.String)


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
    step = stamps.diff()
    back = (step < 0).fill_null(False)
    if back.any():
        row = int(back.arg_max() or 0)
        raise DataError(f"{source}: {_where(rows, row)} is earlier than the row above it ({rows['timestamp'][row - 1]:%Y-%m-%d %H:%M:%S}); sort the file by time")
    same = (step == 0).fill_null(False)
    if spec.unique and same.any():
        row = int(same.arg_max() or 0)
        raise DataError(f"{source}: {_where(rows, row)} has the same timestamp as the row above it ({int(same.sum())} such rows); remove the duplicates")


def _check_ohlc(rows: pl.DataFrame, source: str) -> None:
    for upper, lower in (("high", "low"), ("high", "open"), ("high", "close"), ("open", "low"), ("close", "low")):
        bad = rows[upper] < rows[lower]
        if bad.any():
            row = int(bad.arg_max() or 0)
            raise DataError(f"{source}: {_where(rows, row)}: {upper} {rows[upper][row]!r} is below {lower} {rows[lower][row]!r}; check the column mapping")


def _where(rows: pl.DataFrame, row: int) -> str:
    return f"row {row + 1} ({rows['timestamp'][row]:%Y-%m-%d %H:%M:%S})"

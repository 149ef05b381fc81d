"""Any delimited text file, plain or gzip, by a mapping of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._interval import resolve_interval
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import read_rows, to_numbers, to_times
from liqbt.data.readers.csv_mapping import Mapping, TimeColumn, built_in_mappings, load_mapping
from liqbt.data.schema import TABLES, Column, table
from liqbt.data.validation import canonical
from liqbt.errors import ConfigError, DataError, did_you_mean

__all__ = ["KINDS", "symbol_of"]


_SYMBOL: Final = re.compile(r"([0-9]*[A-Z][A-Z0-9]+)_")


def recognise(head: Head) -> Recognition | None:
    """Claim text whose header is the one that a built-in mapping asks for."""
    name = _built_in(head)
    return None if name is None else Recognition(detail=f"mapping {name!r}", symbol=symbol_of(head.file.name))


def symbol_of(name: str) -> str | None:
    """Return the capital letters and digits up to the first underscore of a file's name, None where it begins otherwise."""
    named = _SYMBOL.match(name)
    return named[1] if named else None


def _built_in(head: Head) -> str | None:
    columns = set(head.columns)
    for name in built_in_mappings():
        mapping = load_mapping(name)
        if columns == {mapping.time.column, *mapping.columns.values()}:
            return name
    return None


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read one text file by its mapping (see `liqbt.data.readers.csv_mapping`), the given one or the built-in one that fits its header.

    The interval of tables that cover one is the given one, else the mapping's, else the smallest step of the file.
    Raises DataError naming row (the first after the header is 1), column and value for anything that cannot be read, no row is
    ever left out; ConfigError for a mapping that is missing, wrong or contradicts `table` or `utc_offset_hours`.
    """
    options.refuse("generic_csv", "contract_size")
    name = options.mapping or _built_in(file.head)
    if name is None:
        raise ConfigError(f"mapping: reader 'generic_csv' needs one: {', '.join(built_in_mappings())}, or the path of a .toml file")
    mapping = load_mapping(name)
    if options.table not in (None, mapping.table):
        raise ConfigError(f"table: {options.table!r} contradicts mapping {name}, which is for {mapping.table!r}")
    text = read_rows(file, header=mapping.header, delimiter=mapping.delimiter)
    columns = [_times(text, mapping.time, "timestamp", file, options)]
    if mapping.available_at is not None:
        columns.append(_times(text, mapping.available_at, "available_at", file, options))
    spec = table(mapping.table)
    columns += [_values(text, column, mapping, file) for column in spec.columns if column.name in mapping.columns]
    rows = pl.DataFrame(columns)
    interval = None
    if spec.has_interval:
        interval = resolve_interval(rows["timestamp"].to_physical().to_numpy(), options.interval or mapping.interval, label=file.label)
    rows = canonical(rows, spec.name, source=file.label, interval=interval)
    yield Batch(table=spec.name, interval=interval, rows=rows)


def _times(text: pl.DataFrame, column: TimeColumn, name: str, file: SourceFile, options: ReadOptions) -> pl.Series:
    if column.utc_offset_hours and options.utc_offset_hours not in (0.0, column.utc_offset_hours):
        raise ConfigError(f"utc_offset_hours: {options.utc_offset_hours} contradicts the mapping, which says {column.utc_offset_hours}")
    hours = column.utc_offset_hours or options.utc_offset_hours
    offset_ns = ReadOptions(utc_offset_hours=hours).offset_ns
    return to_times(_pick(text, column.column, file), unit=column.unit, offset_ns=offset_ns, label=file.label).alias(name)


def _values(text: pl.DataFrame, column: Column, mapping: Mapping, file: SourceFile) -> pl.Series:
    given = _pick(text, mapping.columns[column.name], file)
    if column.kind != "side":
        return to_numbers(given, label=file.label).alias(column.name)
    texts = mapping.values.get(column.name)
    if texts is None:
        return given.alias(column.name)
    known = given.is_in(list(texts)).fill_null(value=False)
    if not known.all():
        row = int((~known).arg_max() or 0)
        raise DataError(f"{file.label}: row {row + 1}: {given.name} is {given[row]!r}; the mapping's values.{column.name} does not know it")
    return given.replace_strict(texts, return_dtype=pl.String).alias(column.name)


def _pick(text: pl.DataFrame, column: str | int, file: SourceFile) -> pl.Series:
    name = column if isinstance(column, str) else f"column_{column}"
    if name not in text.columns:
        if isinstance(column, int):
            raise DataError(
                f"{file.label}: has {text.width} columns, the mapping asks for number {column}; check the mapping or its delimiter"
            )
        raise DataError(f"{file.label}: has no column {name!r}{did_you_mean(name, text.columns)}; check the mapping")
    return text[name]


KINDS: Final = (
    Kind(
        reader="generic_csv",
        name="mapped",
        says="text with named columns",
        tables=tuple(TABLES),
        recognise=recognise,
        read=read,
    ),
)
"""The kinds of files of this reader."""

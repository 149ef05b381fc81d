"""Readers: one recorded file in, one canonical table out.

A reader is a function of a `SourceFile` and `ReadOptions` that returns a `Recording`; it converts units, clocks and sides once,
and passes its rows through `liqbt.data.validation.canonical`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from liqbt._time import parse_interval
from liqbt.data.readers import coinalyze, freqtrade, generic_csv
from liqbt.data.readers._recording import Reader, ReadOptions, Recording, SourceFile, open_source
from liqbt.data.schema import table as canonical_table
from liqbt.errors import ConfigError, did_you_mean

__all__ = ["READERS", "ReadOptions", "Reader", "Recording", "SourceFile", "read_file"]

READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "coinalyze": coinalyze.read,
        "freqtrade": freqtrade.read,
        "generic_csv": generic_csv.read,
    }
)
"""The readers by name."""


def read_file(
    path: str | Path,
    *,
    reader: str,
    table: str | None = None,
    interval: str | None = None,
    utc_offset_hours: float = 0.0,
    mapping: str | Path | None = None,
) -> Recording:
    """Read and check one recorded file.

    reader: a name in `READERS`. table: canonical table, where the file does not tell. interval: such as `5m`, else inferred.
    utc_offset_hours: hours by which the file's clock runs ahead of UTC; they are subtracted.
    mapping: for `generic_csv`, a built-in name or the path of a TOML file.

    Raises DataError naming file, row, column, value and remedy; ConfigError for an option that cannot be used.
    """
    if reader not in READERS:
        raise ConfigError(f"reader: {reader!r} is not a reader{did_you_mean(reader, READERS)}")
    if table is not None:
        canonical_table(table)
    if interval is not None:
        parse_interval(interval)
    if not -24.0 < utc_offset_hours < 24.0:
        raise ConfigError(f"utc_offset_hours: {utc_offset_hours} is not a clock's offset; give hours ahead of UTC, such as 5.5")
    options = ReadOptions(table=table, interval=interval, utc_offset_hours=utc_offset_hours, mapping=mapping)
    return READERS[reader](open_source(path), options)

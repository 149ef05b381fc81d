"""Freqtrade's feather files: date, open, high, low, close, volume.

Candles, mark candles and funding share these columns, and nothing inside the file tells them apart; freqtrade does it by the
end of the name, as in `BTC_USDT_USDT-1h-mark.feather`. In funding files the rate is in `open` and the rest is 0.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers._interval import resolve_interval
from liqbt.data.readers._payments import MOVED, due_times
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.schema import table as canonical_table
from liqbt.data.validation import CLOCK, canonical
from liqbt.errors import DataError, did_you_mean

__all__ = ["KINDS"]

_NAMED: Final = {"futures": "bars", "mark": "mark", "funding_rate": "funding"}
_NAME: Final = re.compile(r"-(?P<interval>[0-9]+[smhdw])-(?P<kind>futures|mark|funding_rate)(\.|$)")
_COLUMNS: Final = ("date", "open", "high", "low", "close", "volume")


_SYMBOL: Final = re.compile(r"([A-Z0-9]+)_([A-Z0-9]+)_[A-Z0-9]+-")


def recognise(head: Head) -> Recognition | None:
    """Claim feather files, which begin with the letters of their format."""
    if not head.start.startswith(b"ARROW1"):
        return None
    named = _SYMBOL.match(head.file.name)
    return Recognition(symbol=named[1] + named[2] if named else None)


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read one feather file as `bars`, `mark` or `funding`: the given table, else by the end of the file's name.

    The interval of bars and mark is the smallest step of the file unless given. A funding payment is due at the whole hour that
    its stamp is a second or less away from, and known at its stamp.
    Raises DataError where the kind cannot be told, for another format, and for an interval that the name contradicts; ConfigError
    for a mapping.
    """
    options.refuse("freqtrade", "mapping", "contract_size")
    named = _NAME.search(file.name)
    table = _table(file, options, named)
    rows = _columns(file)
    stamps = (rows["date"].cast(CLOCK).to_physical() - options.offset_ns).cast(CLOCK).alias("timestamp")
    if table == "funding":
        due, known, moved = due_times(stamps)
        rows = canonical(rows.select(due, known, funding_rate="open"), table, source=file.label)
        yield Batch(table=table, interval=None, rows=rows, mended={MOVED: moved})
        return
    given = options.interval
    if given is None and named is not None and rows.height == 1:
        given = named["interval"]
    interval = resolve_interval(stamps.to_physical().to_numpy(), given, label=file.label)
    if options.interval is None and named is not None and parse_interval(interval) != parse_interval(named["interval"]):
        raise DataError(f"{file.label}: the name says {named['interval']}, but the smallest step is {interval}; give the interval")
    rows = canonical(rows.select(stamps, *_COLUMNS[1:]), table, source=file.label, interval=interval)
    yield Batch(table=table, interval=interval, rows=rows)


def _table(file: SourceFile, options: ReadOptions, named: re.Match[str] | None) -> str:
    if options.table is not None:
        if options.table not in _NAMED.values():
            canonical_table(options.table)
            raise DataError(f"{file.label}: freqtrade's feather files hold bars, mark or funding, not table {options.table!r}")
        return options.table
    if named is None:
        raise DataError(
            f"{file.label}: the name does not end in -futures, -mark or -funding_rate, which alone tells candles, mark and funding "
            "apart; give the table: bars, mark or funding"
        )
    return _NAMED[named["kind"]]


def _columns(file: SourceFile) -> pl.DataFrame:
    try:
        rows = pl.read_ipc(io.BytesIO(file.content()))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{file.label}: is not a readable feather file; check the reader, or download it again") from error
    missing = [name for name in _COLUMNS if name not in rows.columns]
    if missing:
        raise DataError(f"{file.label}: has no column {missing[0]!r}{did_you_mean(missing[0], rows.columns)}; check the reader")
    date = rows.schema["date"]
    if not isinstance(date, pl.Datetime):
        raise DataError(f"{file.label}: column 'date' holds {date}, not times; check the reader")
    if date.time_zone is None:
        rows = rows.with_columns(pl.col("date").dt.replace_time_zone("UTC"))
    return rows.with_columns(pl.col("date").dt.convert_time_zone("UTC"))


KINDS: Final = (
    Kind(
        reader="freqtrade",
        name="feather",
        says="a freqtrade feather file",
        tables=("bars", "mark", "funding"),
        recognise=recognise,
        read=read,
    ),
)
"""The kinds of files of this reader."""

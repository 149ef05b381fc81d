"""Readers: recorded files in, canonical tables out.

What a file is, its contents tell: every `Kind` looks at the head of the file and claims it or not. A reader then converts units,
clocks and sides once, and passes its rows through `liqbt.data.validation.canonical`, batch by batch, so that files of any size
take little memory.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers import binance_vision, bybit, ccxt_unified, coinalyze, freqtrade, generic_csv, hyperliquid, okx, recorder, tardis
from liqbt.data.readers._detect import detect
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition, Recording
from liqbt.data.readers._source import SourceFile, open_source
from liqbt.data.readers.csv_mapping import load_mapping
from liqbt.data.schema import table as canonical_table
from liqbt.errors import ConfigError, DataError, did_you_mean

__all__ = ["READERS", "Batch", "Kind", "ReadOptions", "Reading", "Recording", "SourceFile", "open_reading", "read_file"]

_MODULES: Final = (binance_vision, bybit, ccxt_unified, coinalyze, freqtrade, generic_csv, hyperliquid, okx, recorder, tardis)
_ADDED: Final = ("", "PERP", "USD", "USDC", "USDT")
"""What a caller may add to the symbol that a file's name tells; BTCUSDT_240628 is no BTCUSDT, nor is BTCUSDT a BTCUSD."""
READERS: Final[Mapping[str, tuple[Kind, ...]]] = MappingProxyType({module.KINDS[0].reader: module.KINDS for module in _MODULES})
"""The kinds of files by reader."""


@dataclass(kw_only=True, eq=False)
class Reading:
    """A file that was recognised, to be read batch by batch.

    kind: what it was taken for. venue: as the format tells, else as the caller said; None where neither does.
    mended: what the reader mended in the batches that were taken so far, by words.
    """

    file: SourceFile
    kind: Kind
    recognition: Recognition
    options: ReadOptions
    venue: str | None
    mended: Counter[str] = field(default_factory=Counter)

    @property
    def taken_for(self) -> str:
        """What the file was taken for, in words."""
        detail = f", {self.recognition.detail}" if self.recognition.detail else ""
        return f"{self.kind.says}{detail}"

    @property
    def symbol(self) -> str | None:
        """The symbol of rows that name none: as the caller says, else as the file's name tells, with the quote currency."""
        if self.options.symbol is not None or self.recognition.symbol is None:
            return self.options.symbol
        named, quote = self.recognition.symbol, self.options.quote or ""
        return named if named.endswith(quote) or not named.isalnum() else named + quote

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader mended so far, in words."""
        return tuple(f"{count:,} {words}" for words, count in self.mended.items() if count)

    def batches(self) -> Iterator[Batch]:
        """Yield the rows, each batch with its symbol where anything tells it; rows of other symbols than asked for are left out.

        Raises DataError for what is in the file, ConfigError for an option that its reader cannot use, and where the file holds
        other symbols only.
        """
        asked, others = self.options.symbol, set()
        found = False
        for batch in self._read():
            if batch.symbol is not None and asked not in (None, batch.symbol):
                others.add(batch.symbol)
                continue
            self.mended.update(batch.mended)
            if batch.rows is None or batch.rows.is_empty():
                continue
            found = True
            yield Batch(table=batch.table, interval=batch.interval, rows=batch.rows, symbol=batch.symbol or self.symbol)
        if not found and others:
            raise ConfigError(f"symbol: {self.file.label} has no {asked!r}{did_you_mean(str(asked), others)}")
        if not found:
            raise DataError(f"{self.file.label}: taken for {self.taken_for}, holds no rows; check that the file is complete")

    def _read(self) -> Iterator[Batch]:
        try:
            yield from self.kind.read(self.file, self.options)
        except ConfigError as error:
            if self.file.label in str(error):
                raise
            raise ConfigError(f"{self.file.label}: {error}") from None  # of many files the user wants to know which


def open_reading(
    path: str | Path,
    *,
    reader: str | None = None,
    table: str | None = None,
    interval: str | None = None,
    venue: str | None = None,
    symbol: str | None = None,
    quote: str | None = None,
    utc_offset_hours: float = 0.0,
    mapping: str | Path | None = None,
    contract_size: float | None = None,
    depth_interval: str = "10s",
) -> Reading:
    """Hash a file and tell what it is; nothing is read beyond its head yet.

    reader: a name in `READERS`, to choose among its kinds only. table: canonical table, where contents leave a choice, and the
    table to take from files that hold several. The other options are those of `ReadOptions`.

    Raises DataError where no kind or more than one takes the file for its own; ConfigError for an option that cannot be used.
    """
    if reader is not None and reader not in READERS:
        raise ConfigError(f"reader: {reader!r} is not a reader{did_you_mean(reader, READERS)}")
    if table is not None:
        canonical_table(table)
    if interval is not None:
        parse_interval(interval)
    parse_interval(depth_interval, parameter="depth_interval")
    if not -24.0 < utc_offset_hours < 24.0:
        raise ConfigError(f"utc_offset_hours: {utc_offset_hours} is not a clock's offset; give hours ahead of UTC, such as 5.5")
    if contract_size is not None and not 0.0 < contract_size < float("inf"):
        raise ConfigError(f"contract_size: {contract_size} must be a finite number above 0")
    options = ReadOptions(
        table=table,
        interval=interval,
        symbol=symbol,
        quote=quote,
        utc_offset_hours=utc_offset_hours,
        mapping=mapping,
        contract_size=contract_size,
        depth_interval=depth_interval,
    )
    if mapping is not None and reader in (None, "generic_csv"):
        load_mapping(mapping)  # what is wrong with it is told before what is wrong with the file
        [kind] = READERS["generic_csv"]
        file = open_source(path)
        recognition = Recognition(detail=f"mapping {str(mapping)!r}", symbol=generic_csv.symbol_of(file.name))
    else:
        file = open_source(path)
        kind, recognition = detect(file, READERS[reader] if reader else _all_kinds(), options)
    if venue is not None and recognition.venue not in (None, venue):
        raise ConfigError(f"venue: {file.label} is {kind.says}, of {recognition.venue!r}, not {venue!r}; leave the venue out")
    if symbol is not None and recognition.symbol is not None and kind.reader != "generic_csv":
        asked, named = (re.sub(r"[^A-Z0-9]", "", one.upper()) for one in (symbol, recognition.symbol))
        if asked not in {named + more for more in _ADDED}:
            raise ConfigError(f"symbol: {file.label} is of {recognition.symbol} by its name, not {symbol!r}; leave the symbol out")
    return Reading(
        file=file, kind=kind, recognition=recognition, options=options, venue=venue if recognition.venue is None else recognition.venue
    )


def read_file(
    path: str | Path,
    *,
    reader: str | None = None,
    table: str | None = None,
    interval: str | None = None,
    venue: str | None = None,
    symbol: str | None = None,
    quote: str | None = None,
    utc_offset_hours: float = 0.0,
    mapping: str | Path | None = None,
    contract_size: float | None = None,
    depth_interval: str = "10s",
) -> list[Recording]:
    """Read and check one recorded file as a whole: one recording for each table, symbol and interval in it, in order of appearance.

    Options and errors are those of `open_reading` and `Reading.batches`.
    """
    reading = open_reading(
        path, reader=reader, table=table, interval=interval, venue=venue, symbol=symbol, quote=quote, utc_offset_hours=utc_offset_hours,
        mapping=mapping, contract_size=contract_size, depth_interval=depth_interval,
    )  # fmt: skip
    parts: dict[tuple[str, str | None, str | None], list[pl.DataFrame]] = {}
    for batch in reading.batches():
        if batch.rows is not None:
            parts.setdefault((batch.table, batch.symbol, batch.interval), []).append(batch.rows)
    return [
        Recording(
            table=name,
            interval=length,
            rows=pl.concat(rows, how="diagonal").sort("timestamp", maintain_order=True),
            venue=reading.venue,
            symbol=coin,
            source=reading.file.name,
            sha256=reading.file.sha256,
            reader=reading.kind.reader,
            kind=reading.taken_for,
            notes=reading.notes,
        )
        for (name, coin, length), rows in parts.items()
    ]


def _all_kinds() -> tuple[Kind, ...]:
    return tuple(kind for kinds in READERS.values() for kind in kinds)

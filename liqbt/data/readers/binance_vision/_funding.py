"""Funding rates: calc_time, funding_interval_hours, last_funding_rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout
from liqbt.data.readers._payments import MOVED, due_times
from liqbt.data.readers._recording import Batch, ReadOptions, Recognition
from liqbt.data.readers._settled import settled
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers.binance_vision import _head
from liqbt.data.readers.binance_vision._naming import READER, refuse_foreign
from liqbt.data.readers.binance_vision._rows import whole
from liqbt.data.validation import ROW, canonical

__all__ = ["read_funding", "recognise_funding"]

_LAYOUT: Final = Layout(columns={"calc_time": pl.Int64, "funding_interval_hours": None, "last_funding_rate": pl.Float64})


def recognise_funding(head: Head) -> Recognition | None:
    """Claim the archive's header, whatever follows it."""
    return _head.recognition(head, time=0) if head.columns[:3] == tuple(_LAYOUT.columns) else None


def read_funding(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `fundingRate` as `funding`.

    Payments are due at whole hours, and `calc_time` says when they were worked out, some milliseconds off. `timestamp` is the
    hour where it lies within a second of one, so that a payment of 08:00 is one of the bar that opens at 08:00, and the same in
    every source; `available_at` is the later of both, never before either.
    Raises DataError for what is in the file, ConfigError for options that have no use here.
    """
    refuse_foreign(options)
    options.refuse(READER, "contract_size")
    rows = whole(file, _LAYOUT)
    due, known, moved = due_times(epoch_to_times(rows["calc_time"], unit="auto", label=file.label, rows=rows[ROW]))
    rows = rows.select(ROW, due, known, pl.col("last_funding_rate").alias("funding_rate"))
    kept = rows.unique(subset=["timestamp", "funding_rate"], keep="first", maintain_order=True)
    mended = {MOVED: moved, "doubled rows dropped": rows.height - kept.height}
    rows, settling = settled(kept, label=file.label)
    mended["rows out of order sorted"] = settling["rows out of order sorted"]
    rows = canonical(rows, "funding", source=file.label)
    yield Batch(table="funding", interval=None, rows=rows, mended=mended)

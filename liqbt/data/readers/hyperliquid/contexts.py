"""Contexts: a coin's funding, open interest, mark and oracle price, sampled about every minute.

Recorders write them as lines, the venue's archive as `asset_ctxs/YYYYMMDD.csv.lz4`, every coin at each minute.

A context is a sample at its stamp and known at once. Mark and index prices become bars of their samples, known at the bar's end; a
bar without a sample is missing, and so is one of which the file saw half or less (`_cut_bars`). Funding is paid at every full hour;
the rate drops to a fresh average right after, so what an hour paid is the rate of the last context before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import polars as pl

from liqbt._time import parse_interval
from liqbt.data.readers._blocks import Layout, typed_blocks
from liqbt.data.readers._cut_bars import CUT, without_cut_bars
from liqbt.data.readers._interval import interval_name
from liqbt.data.readers._json_lines import json_blocks
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._settled import settled
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times, to_times
from liqbt.data.readers.hyperliquid._venue import READER, VENUE, by_symbol, named_symbol, perpetuals
from liqbt.data.validation import ROW, canonical

__all__ = ["KINDS"]

_TABLES: Final = ("open_interest", "funding", "mark", "index")
_RECORDED: Final = {"ts": pl.Int64, "funding": pl.Float64, "oi": pl.Float64, "mark": pl.Float64, "oracle": pl.Float64}
_COLUMNS: Final = (
    "time", "coin", "funding", "open_interest", "prev_day_px", "day_ntl_vlm", "premium", "oracle_px", "mark_px", "mid_px",
    "impact_bid_px", "impact_ask_px",
)  # fmt: skip
_NEEDED: Final = {
    "time": pl.String, "coin": pl.String, "funding": pl.Float64, "open_interest": pl.Float64,
    "oracle_px": pl.Float64, "mark_px": pl.Float64,
}  # fmt: skip
_SAYS: Final = {"open_interest": "open interest", "funding": "a rate", "mark": "a mark price", "index": "an oracle price"}
_BAR: Final = "1m"  # contexts come once a minute
_HOUR: Final = timedelta(hours=1)
_OLDEST: Final = timedelta(minutes=5)  # of the rate that an hour is said to have paid: a convention, fitted to nothing


def recognise_recorded(head: Head) -> Recognition | None:
    """Claim lines of a stamp, funding, open interest, mark and oracle price."""
    if set(next(iter(head.objects), {})) != set(_RECORDED):
        return None
    return Recognition(detail="recorded lines", venue=VENUE, symbol=named_symbol(head.file))


def read_recorded(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read recorded lines `{"ts", "funding", "oi", "mark", "oracle"}` as `open_interest`, `funding`, `mark` and `index`.

    interval: of the mark and index bars, one minute unless given. Raises DataError naming row and value for what is no context;
    ConfigError for options that have no meaning here.
    """
    _refuse(options)
    samples = pl.concat(json_blocks(file, _RECORDED))
    times = epoch_to_times(samples["ts"], unit="ms", label=file.label, rows=samples[ROW])
    samples = samples.select(times, ROW, funding_rate="funding", open_interest="oi", mark="mark", index="oracle")
    yield from _tables(samples, file, options, symbol=None)


def recognise_archive(head: Head) -> Recognition | None:
    """Claim text with the archive's header."""
    return Recognition(detail="all coins", venue=VENUE) if head.columns == _COLUMNS else None


def read_archive(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read the archive's `asset_ctxs` as `open_interest`, `funding`, `mark` and `index` of every coin.

    A price of 0 stands for none, as of markets that are not open yet; it is left out. Stamps are full minutes but for a few.
    interval: of the mark and index bars, one minute unless given. Raises DataError naming row and value for what is no context;
    ConfigError for options that have no meaning here.
    """
    _refuse(options)
    columns = {name: _NEEDED.get(name) for name in _COLUMNS}
    rows, others = perpetuals(pl.concat(typed_blocks(file, Layout(columns=columns))))
    yield Batch(table="mark", interval=None, rows=None, mended={"rows of spot and other markets left out": others})
    parts, unasked = by_symbol(rows, options.symbol)
    for name in unasked:
        yield Batch(table="mark", interval=None, rows=None, symbol=name)
    for name, part in parts:
        times = to_times(part["time"], unit="iso", offset_ns=0, label=file.label, rows=part[ROW])
        samples = part.select(
            times,
            ROW,
            funding_rate="funding",
            open_interest="open_interest",
            mark=pl.col("mark_px").replace(0.0, None),
            index=pl.col("oracle_px").replace(0.0, None),
        )
        yield from _tables(samples, file, options, symbol=name)


def _refuse(options: ReadOptions) -> None:
    options.refuse(READER, "mapping", "utc_offset_hours", "contract_size")
    if options.table in ("open_interest", "funding"):
        options.refuse(READER, "interval")


def _tables(samples: pl.DataFrame, file: SourceFile, options: ReadOptions, *, symbol: str | None) -> Iterator[Batch]:
    """Yield the asked tables of one coin's samples: timestamp, funding_rate, open_interest, mark, index and ROW."""
    samples, moved = settled(samples, label=file.label)
    yield Batch(table="open_interest", interval=None, rows=None, symbol=symbol, mended=moved)
    step = parse_interval(options.interval or _BAR)
    interval = interval_name(step)
    for table in _TABLES if options.table is None else (options.table,):
        column = "funding_rate" if table == "funding" else table
        known = samples.select("timestamp", ROW, column).drop_nulls()
        mended = {f"contexts without {_SAYS[table]} left out of it": samples.height - known.height}
        length = None
        if table == "funding":
            known, missing = _paid(known)
            mended["hours without a context in their last five minutes, funding left out"] = missing
        elif table in ("mark", "index"):
            stamps = samples["timestamp"].to_physical().to_numpy()
            known, mended[CUT] = without_cut_bars(_bars(known, column, step), stamps, step=step, first_known=int(stamps[0]))
            length = interval
        rows = canonical(known, table, source=file.label, interval=length) if known.height else None
        yield Batch(table=table, interval=length, rows=rows, symbol=symbol, mended=mended)


def _bars(samples: pl.DataFrame, column: str, step: int) -> pl.DataFrame:
    """Return the open, high, low and close of the prices of each `step` nanoseconds since the epoch."""
    opened = (pl.col("timestamp").to_physical() // step * step).cast(samples.schema["timestamp"])
    price = pl.col(column)
    return samples.group_by(opened, maintain_order=True).agg(
        pl.first(ROW), open=price.first(), high=price.max(), low=price.min(), close=price.last()
    )


def _paid(samples: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the rate that each full hour paid, and how many hours between the first sample and the last have none."""
    if samples.is_empty():
        return samples, 0
    # A sample of the full hour itself comes after the payment and belongs to the next hour.
    following = samples.with_columns(hour=pl.col("timestamp").dt.truncate("1h") + pl.duration(hours=1))
    last = following.group_by("hour", maintain_order=True).last()
    paid = last.filter(pl.col("hour") - pl.col("timestamp") <= _OLDEST)
    spanned = (samples["timestamp"][-1] - following["hour"][0]) // _HOUR + 1
    inside = paid.filter(pl.col("hour") <= samples["timestamp"][-1]).height
    return paid.select("funding_rate", ROW, timestamp="hour"), max(0, spanned - inside)


KINDS: Final = (
    Kind(
        reader=READER,
        name="contexts",
        says="recorded Hyperliquid contexts",
        tables=_TABLES,
        recognise=recognise_recorded,
        read=read_recorded,
    ),
    Kind(
        reader=READER,
        name="asset_ctxs",
        says="Hyperliquid's archived asset_ctxs",
        tables=_TABLES,
        recognise=recognise_archive,
        read=read_archive,
    ),
)
"""The kinds of files of this module."""

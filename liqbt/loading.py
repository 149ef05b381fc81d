"""One market out of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from liqbt._time import DAY_NS, format_ns, parse_instant, parse_interval
from liqbt.data.provenance import Input
from liqbt.data.store import Store
from liqbt.errors import ConfigError, DataError, StoreError
from liqbt.market import MarketFrame

__all__ = ["load_market"]

# A snapshot from before the first bar is what a trader knew at its close. Venues publish one at least every hour, so two days
# bridge an outage; an older value would say nothing, and reading the whole history for one row would cost minutes.
_READ_BACK_NS: Final = 2 * DAY_NS


def load_market(
    store: Store | str | Path, *, venue: str, symbol: str, interval: str, start: str | None = None, end: str | None = None
) -> MarketFrame:
    """Load everything stored about one symbol on the grid of its bars.

    start, end: ISO date or date-time, UTC unless they say otherwise; bars with `start <= timestamp < end`. None for all.
    Open interest, funding, mark and recorded liquidations are joined where stored: mark and liquidation totals of the bars'
    interval, and liquidation events where there are no such totals. A bar is as it would be in the whole recording, but for
    open interest older than two days before `start`, which is not looked for.

    Raises StoreError listing what is stored where these bars are not; DataError where none fall in the span or a table
    contradicts itself; ConfigError for a bad name, interval or instant.
    """
    parse_interval(interval)
    source = store if isinstance(store, Store) else Store(store)
    start_ns = None if start is None else parse_instant(start, parameter="start")
    end_ns = None if end is None else parse_instant(end, parameter="end")
    if start_ns is not None and end_ns is not None and start_ns >= end_ns:
        raise ConfigError(f"start: {start} is not before end {end}")
    inputs: list[Input] = []

    def covering(table: str) -> pl.DataFrame | None:
        """Rows of a table of the bars' interval, stamped in the span."""
        if not source.has(venue, symbol, table, interval):
            return None
        return kept(source.read(venue, symbol, table, interval, start_ns=start_ns, end_ns=end_ns))

    def instants(table: str, *, carried: bool = False) -> pl.DataFrame | None:
        """Rows of a table of instants that a bar of the span may use; a carried value counts until the next one."""
        if not source.has(venue, symbol, table):
            return None
        # Rows from before the span may be known only in it; a row stamped at its end is known at the last bar's close.
        since = None if start_ns is None else start_ns - _READ_BACK_NS
        until = None if end_ns is None else end_ns + 1
        rows, files = source.read(venue, symbol, table, start_ns=since, end_ns=until)
        if start_ns is not None and not carried:
            rows = rows.filter(pl.col("available_at").to_physical() >= start_ns)
        return kept((rows, files))

    def kept(read: tuple[pl.DataFrame, tuple[Input, ...]]) -> pl.DataFrame | None:
        rows, files = read
        if rows.is_empty():
            return None
        inputs.extend(files)
        return rows

    _require_bars(source, venue, symbol, interval)
    bars = covering("bars")
    if bars is None:
        raise DataError(f"{source.path}: {_span(source, venue, symbol, interval)}, none from {start or 'the first'} to {end or 'the last'}")
    totals = covering("liquidation_totals")
    return MarketFrame.from_frames(
        bars=bars,
        open_interest=instants("open_interest", carried=True),
        funding=instants("funding"),
        mark=covering("mark"),
        liquidation_totals=totals,
        liquidations=instants("liquidations") if totals is None else None,
        venue=venue,
        symbol=symbol,
        interval=interval,
        inputs=tuple(inputs),
    )


def _require_bars(source: Store, venue: str, symbol: str, interval: str) -> None:
    stored = source.intervals(venue, symbol, "bars")
    if stored and not source.has(venue, symbol, "bars", interval):
        raise StoreError(
            f"{source.path}: has no {interval} bars of {venue} {symbol}; stored intervals: {', '.join(stored)}; "
            "use one of them, or import bars of this interval"
        )
    if not stored:
        source.read(venue, symbol, "bars", interval, end_ns=0)  # raises with what is stored instead


def _span(source: Store, venue: str, symbol: str, interval: str) -> str:
    rows, _ = source.read(venue, symbol, "bars", interval)
    stamps = rows["timestamp"].to_physical()
    return f"{interval} bars of {venue} {symbol} are stored from {format_ns(stamps[0])} to {format_ns(stamps[-1])}"

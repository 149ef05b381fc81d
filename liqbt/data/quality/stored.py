"""Check everything that a store holds, table by table and one against the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import polars as pl

from liqbt._time import parse_instant, parse_interval
from liqbt._typing import Progress
from liqbt.data.quality._frames import stamps_of
from liqbt.data.quality.between import CheckedTable, compare_tables, compare_venues
from liqbt.data.quality.coverage import bucket_for, cover
from liqbt.data.quality.finding import SEVERITIES, Finding
from liqbt.data.quality.report import QualityReport, SymbolQuality
from liqbt.data.quality.streams import check_depth, check_trades, days_between
from liqbt.data.quality.tables import check_gaps, check_rows, gaps_of
from liqbt.data.store import Store, StoreEntry
from liqbt.errors import ConfigError, StoreError, did_you_mean

__all__ = ["check_store"]

_SPARE_INTERVAL: Final = "1m"  # of bars made from trades where no bars are stored


def check_store(
    store: Store | str | Path,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    start: str | None = None,
    end: str | None = None,
    against: str | None = None,
    progress: Progress | None = None,
) -> QualityReport:
    """Check what is stored, each table by itself and against the others of its market.

    venue, symbol: only these; None for all. start, end: ISO date or date-time, UTC unless they say otherwise; rows with
    `start <= timestamp < end`. against: a venue whose bars of the same symbol those of the others are compared with, which shows
    a shifted clock and missing volume. progress: called with the share done, 0 to 1, and the table at hand.

    Trades and depth are read day by day; all other tables of one symbol are held in memory.
    Raises StoreError where nothing of this is stored, or a file is damaged; ConfigError for a bad instant or unknown venue.
    """
    source = store if isinstance(store, Store) else Store(store)
    since = None if start is None else parse_instant(start, parameter="start")
    until = None if end is None else parse_instant(end, parameter="end")
    if since is not None and until is not None and since >= until:
        raise ConfigError(f"start: {start} is not before end {end}")
    stored = source.contents()
    venues = {entry.venue for entry in stored}
    if against is not None and against not in venues:
        raise ConfigError(f"against: {against!r} is no venue of {source.path}{did_you_mean(against, venues)}")
    markets: dict[tuple[str, str], _Market] = {}
    for entry in stored:
        if (until is None or entry.first < until) and (since is None or entry.last >= since):
            market = markets.setdefault((entry.venue, entry.symbol), _Market(store=source, since=since, until=until))
            market.entries.append(entry)
    wanted = {key: market for key, market in markets.items() if venue in (None, key[0]) and symbol in (None, key[1])}
    if not wanted:
        known = ", ".join(dict.fromkeys(f"{entry.venue} {entry.symbol}" for entry in stored))
        asked = " ".join(one for one in (venue, symbol) if one is not None) or "any venue"
        span = f"from {start or 'the first'} to {end or 'the last'}"
        raise StoreError(f"{source.path}: holds nothing of {asked} {span}; stored: {known or 'nothing'}")
    spans = [market.span_of(entry) for market in wanted.values() for entry in market.entries]
    bucket = bucket_for(min(first for first, _ in spans), max(last for _, last in spans))
    done, results = 0, []
    for key, market in wanted.items():
        tables = []
        for entry in market.entries:
            if progress is not None:
                progress(done / len(spans), f"{entry.venue} {entry.symbol} {_label(entry)}")
            tables += market.checked(entry)
            done += 1
        found = [finding for one in tables for finding in one.findings]
        others = _bars_of(markets.get((against, key[1]))) if against not in (None, key[0]) else []
        found += compare_tables(tables, others)
        if against is not None and against != key[0]:
            between = compare_venues(tables, others, name=key[0], other_name=against)
            found += [_nothing_to_compare(key, against)] if between is None else between
        found.sort(key=lambda one: (-SEVERITIES.index(one.severity), one.first or 0))
        coverage = tuple(cover(one.label, *one.span, one.gaps, step_ns=bucket) for one in tables)
        results.append(SymbolQuality(venue=key[0], symbol=key[1], findings=tuple(found), coverage=coverage))
    if progress is not None:
        progress(1.0, f"checked {len(spans)} tables")
    return QualityReport(symbols=tuple(results))


@dataclass(frozen=True, kw_only=True)
class _Market:
    """The stored tables of one symbol, cut to a span in UTC nanoseconds."""

    store: Store
    since: int | None
    until: int | None
    entries: list[StoreEntry] = field(default_factory=list)

    def span_of(self, entry: StoreEntry) -> tuple[int, int]:
        """Return the first and the last stamp that rows of a table can have."""
        first = entry.first if self.since is None else max(entry.first, self.since)
        return first, entry.last if self.until is None else min(entry.last, self.until - 1)

    def checked(self, entry: StoreEntry) -> list[CheckedTable]:
        """Check one table by itself; nothing where it has no rows in the span."""
        first, last = self.span_of(entry)
        where = entry.venue, entry.symbol, entry.table
        if entry.table in ("trades", "depth"):
            days = (self.store.read(*where, start_ns=low, end_ns=high)[0] for low, high in days_between(first, last))
            return _checked_stream(entry, days, self._interval())
        rows, inputs = self.store.read(*where, entry.interval, start_ns=first, end_ns=last + 1)
        return [] if rows.is_empty() else [_checked_rows(entry, rows, tuple(one.source for one in inputs))]

    def _interval(self) -> str:
        """Return the shortest stored interval of bars."""
        intervals = [entry.interval for entry in self.entries if entry.table == "bars" and entry.interval is not None]
        return min(intervals, key=parse_interval, default=_SPARE_INTERVAL)


def _checked_rows(entry: StoreEntry, rows: pl.DataFrame, sources: tuple[str, ...]) -> CheckedTable:
    label = _label(entry)
    step = 0 if entry.interval is None else parse_interval(entry.interval)
    gaps = gaps_of(entry.table, rows, step or None)
    found = check_rows(entry.table, rows, step or None, table=label, sources=sources) + check_gaps(entry.table, gaps, table=label)
    stamps = stamps_of(rows)
    span = int(stamps[0]), int(stamps[-1]) + (step or 1)
    return CheckedTable(name=entry.table, interval_ns=step, label=label, gaps=gaps, span=span, findings=tuple(found), rows=rows)


def _checked_stream(entry: StoreEntry, days: Iterator[pl.DataFrame], interval: str) -> list[CheckedTable]:
    stream = check_depth(days) if entry.table == "depth" else check_trades(days, interval)
    if stream is None:
        return []
    found = (*stream.findings, *check_gaps(entry.table, stream.gaps, table=entry.table))
    span = stream.span[0], stream.span[1] + 1
    table = CheckedTable(name=entry.table, interval_ns=0, label=entry.table, gaps=stream.gaps, span=span, findings=found)
    return [table if stream.bars is None else replace(table, made=stream.bars, made_ns=parse_interval(interval))]


def _bars_of(market: _Market | None) -> list[CheckedTable]:
    """Return the bars of a market that another one is compared with."""
    entries = [] if market is None else [entry for entry in market.entries if entry.table == "bars"]
    return [one for entry in entries if market is not None for one in market.checked(entry)]


def _nothing_to_compare(key: tuple[str, str], against: str) -> Finding:
    message = (
        f"{key[0]} and {against} do not both have bars of {key[1]} in this span, so they are not compared; import them under one symbol"
    )
    return Finding(code="not_compared", severity="note", count=1, message=message)


def _label(entry: StoreEntry) -> str:
    return entry.table if entry.interval is None else f"{entry.table} {entry.interval}"

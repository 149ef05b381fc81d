"""One market out of the store."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import DAY_NS, format_ns, parse_instant, parse_interval
from liqbt._typing import Float64Array2D
from liqbt.data.provenance import Input
from liqbt.data.quality import Finding, check_tables
from liqbt.data.quality.finding import tell
from liqbt.data.store import Store
from liqbt.errors import ConfigError, DataError, StoreError
from liqbt.margin import load_tiers
from liqbt.market import MarketFrame, oldest_depth

__all__ = ["load_market", "tiers_folder"]

# A snapshot from before the first bar is what a trader knew at its close. Venues publish one at least every hour, so two days
# bridge an outage; an older value would say nothing, and reading the whole history for one row would cost minutes.
_READ_BACK_NS: Final = 2 * DAY_NS


def load_market(
    store: Store | str | Path,
    *,
    venue: str,
    symbol: str,
    interval: str,
    start: str | None = None,
    end: str | None = None,
    trades: bool | None = None,
    depth: bool = True,
    findings: tuple[Finding, ...] = (),
) -> MarketFrame:
    """Load everything stored about one symbol on the grid of its bars.

    start, end: ISO date or date-time, UTC unless they say otherwise; bars with `start <= timestamp < end`. None for all.
    Bars are the recorded ones of the interval; where none are stored in the span, they are made from the longest stored bars of
    which the interval is a multiple; where there are none of these, from trades. A finding tells so.
    Open interest, funding, mark, recorded liquidations and depth are joined where stored: mark and liquidation totals of the
    bars' interval, or made from shorter ones as bars are, and liquidation events where there are no such totals. A bar is as it
    would be in the whole recording, but for open interest older than two days before `start`, which is not looked for.

    trades: True also gives the volume profile where bars are recorded; None reads trades only where bars are made from them;
        False never. Trades and depth are read a day at a time.
    depth: False leaves the order book out.
    findings: what is known to be wrong with the recording besides what shows in the loaded tables; they are put first.
    What the quality checks find in the loaded tables (`liqbt.data.quality.check_tables`) is among the market's findings.
    Bracket tables that were imported into the store (`liqbt data tiers`) come with the market.

    Raises StoreError listing what is stored where these bars, or trades that were asked for, are not; DataError where none fall in
    the span or a table contradicts itself; ConfigError for a bad name, interval or instant.
    """
    parse_interval(interval)
    source = store if isinstance(store, Store) else Store(store)
    start_ns = None if start is None else parse_instant(start, parameter="start")
    end_ns = None if end is None else parse_instant(end, parameter="end")
    if start_ns is not None and end_ns is not None and start_ns >= end_ns:
        raise ConfigError(f"start: {start} is not before end {end}")
    shelf = _Shelf(store=source, venue=venue, symbol=symbol, interval=interval, start=start_ns, end=end_ns)

    bars, told = shelf.covering("bars")
    days: Iterator[pl.DataFrame] | None = None
    if bars is not None:
        opens = bars["timestamp"].to_physical()
        first, stop = int(opens[0]), int(opens[-1]) + parse_interval(interval)
        if trades:
            if not shelf.has("trades"):
                source.read(venue, symbol, "trades", end_ns=0)  # raises with what is stored instead
            days = shelf.days("trades", first, stop)
    else:
        if trades is False or not shelf.has("trades"):
            raise _missing(shelf, start, end, trades=False)
        first, stop = shelf.span_of_trades()
        days = shelf.days("trades", first, stop)
        day = next(days, None)
        if day is None:
            raise _missing(shelf, start, end, trades=True)
        days = itertools.chain([day], days)
    interest, funding = shelf.instants("open_interest", carried=True), shelf.instants("funding")
    mark, mark_told = shelf.covering("mark")
    totals, totals_told = shelf.covering("liquidation_totals")
    # The newest book that counts at the first close is not older than this; one stamped at the last close is known then.
    books = shelf.days("depth", first - oldest_depth(parse_interval(interval)), stop + 1) if depth and shelf.has("depth") else None
    events = shelf.instants("liquidations") if totals is None else None
    joined = {
        "bars": bars,
        "open_interest": interest,
        "funding": funding,
        "mark": mark,
        "liquidation_totals": totals,
        "liquidations": events,
    }
    wrong = check_tables({name: rows for name, rows in joined.items() if rows is not None}, interval)
    market = MarketFrame.from_frames(
        bars=bars,
        open_interest=interest,
        funding=funding,
        mark=mark,
        liquidation_totals=totals,
        liquidations=events,
        trades=days,
        depth=books,
        venue=venue,
        symbol=symbol,
        interval=interval,
        findings=(*findings, *told, *mark_told, *totals_told, *wrong),
    )
    folder = tiers_folder(source)
    return dataclasses.replace(
        market,
        liquidated=_recorded_since(market, shelf.known_since("liquidations"))
        if shelf.has("liquidations") and totals is None
        else market.liquidated,
        tiers=None if folder is None else load_tiers(folder, venue, symbol),
        inputs=tuple(shelf.inputs.values()),  # days are read, and their files known, only by now
    )


def _recorded_since(market: MarketFrame, since: int) -> Float64Array2D | None:
    """Return liquidations by bar with 0 where a feed that was already recording had none, NaN before it began; None before all of it."""
    if since > market.timestamp[-1] + market.interval_ns:
        return None
    sums = np.zeros((market.n_bars, 2)) if market.liquidated is None else np.nan_to_num(market.liquidated)
    sums[market.timestamp + market.interval_ns < since] = np.nan
    return sums


def tiers_folder(store: Store) -> Path | None:
    """Return the folder of a store's imported bracket tables; None for a store on S3, which keeps none."""
    return None if store.local_folder is None else store.local_folder / "leverage_tiers"


@dataclass(frozen=True, kw_only=True)
class _Shelf:
    """What is stored of one symbol, and the span of bars that is wanted; `inputs` gathers the files that gave rows."""

    store: Store
    venue: str
    symbol: str
    interval: str
    start: int | None
    end: int | None
    inputs: dict[tuple[str, str, str, str], Input] = field(default_factory=dict)

    def has(self, table: str, interval: str | None = None) -> bool:
        return self.store.has(self.venue, self.symbol, table, interval)

    def read(
        self, table: str, interval: str | None, start: int | None, end: int | None, *, known: int | None = None
    ) -> pl.DataFrame | None:
        """Return the rows stamped in `[start, end)` that became known at `known` or later; None where there are none."""
        rows, files = self.store.read(self.venue, self.symbol, table, interval, start_ns=start, end_ns=end)
        if known is not None:
            rows = rows.filter(pl.col("available_at").to_physical() >= known)
        if rows.is_empty():
            return None
        for one in files:
            key = (one.table, one.source, one.sha256, one.reader)
            before = self.inputs.get(key)  # a file that gave rows to several days
            self.inputs[key] = one if before is None else dataclasses.replace(one, rows=one.rows + before.rows)
        return rows

    def days(self, table: str, start: int, end: int) -> Iterator[pl.DataFrame]:
        """Yield the rows stamped in `[start, end)`, one UTC day at a time."""
        for day in range(start // DAY_NS * DAY_NS, end, DAY_NS):
            rows = self.read(table, None, max(start, day), min(end, day + DAY_NS))
            if rows is not None:
                yield rows

    def instants(self, table: str, *, carried: bool = False) -> pl.DataFrame | None:
        """Return rows of a table of instants that a bar of the span may use; a carried value counts until the next one."""
        if not self.has(table):
            return None
        # Rows from before the span may be known only in it; a row stamped at its end is known at the last bar's close.
        since = None if self.start is None else self.start - _READ_BACK_NS
        until = None if self.end is None else self.end + 1
        return self.read(table, None, since, until, known=None if carried else self.start)

    def usable(self, table: str) -> tuple[str, ...]:
        """Return the stored intervals of a table that give the wanted one: itself, else those that it is a multiple of, longest first."""
        step = parse_interval(self.interval)
        stored = self.store.intervals(self.venue, self.symbol, table)
        return tuple(name for name in reversed(stored) if parse_interval(name) <= step and step % parse_interval(name) == 0)

    def covering(self, table: str) -> tuple[pl.DataFrame | None, tuple[Finding, ...]]:
        """Return rows of the wanted interval, recorded or made from shorter ones, and what to tell of them."""
        for name in self.usable(table):
            if parse_interval(name) == parse_interval(self.interval):
                rows = self.read(table, name, self.start, self.end)
                if rows is not None:
                    return rows, ()
                continue
            made = self._resampled(table, name)
            if made is not None:
                return made
        return None, ()

    def _resampled(self, table: str, name: str) -> tuple[pl.DataFrame, tuple[Finding, ...]] | None:
        from liqbt.data.aggregate import BarSpan, resample_bars

        span = BarSpan.of(self.interval, start_ns=self.start, end_ns=self.end)  # whole bars, as far as the short ones go
        rows = self.read(table, name, span.start, span.end)
        if rows is None:
            return None
        made = resample_bars(rows, self.interval, source_interval=name)
        longer = made.rows
        then = f"they are made from {name} {table}, and {made.incomplete} lack some of these"
        if table == "liquidation_totals":  # a sum without some of its parts would pass for a quiet bar
            longer = longer.filter(pl.Series(made.complete))
            then = f"they are made from {name} {table}, and {made.incomplete} that lack some of these are left out"
        if longer.is_empty():
            return None
        stamps = longer["timestamp"].to_physical().to_numpy()
        what = f"no recorded {self.interval} {table}"
        return longer, (tell(f"{table}_resampled", "note", stamps, what=what, then=then, table=table, noun="bar"),)

    def extent(self, table: str, interval: str | None = None) -> tuple[int, int]:
        """Return the first and the last stamp that are stored."""
        return self.store.extent(self.venue, self.symbol, table, interval)

    def known_since(self, table: str) -> int:
        """Return when a stored row was known first."""
        first, _ = self.extent(table)
        rows, _ = self.store.read(self.venue, self.symbol, table, start_ns=first, end_ns=first + DAY_NS)  # no feed is later than a day
        return int(rows["available_at"].to_physical().to_numpy().min())

    def span_of_trades(self) -> tuple[int, int]:
        """Return the open of the first bar and the close of the last that trades can give to the span."""
        from liqbt.data.aggregate import BarSpan

        grid = BarSpan.of(self.interval, start_ns=self.start, end_ns=self.end)
        first, stop = grid.start, grid.end
        if first is None or stop is None:
            bounds = grid.open_of(np.array(self.extent("trades")))
            first = int(bounds[0]) if first is None else first
            stop = int(bounds[1]) + grid.step if stop is None else stop
        return first, stop


def _missing(shelf: _Shelf, start: str | None, end: str | None, *, trades: bool) -> DataError | StoreError:
    """Return the error that tells why there are no bars; trades: whether they may be made from trades."""
    source, of = shelf.store, f"{shelf.venue} {shelf.symbol}"
    stored, usable = source.intervals(shelf.venue, shelf.symbol, "bars"), shelf.usable("bars")
    if not stored and not shelf.has("trades"):
        source.read(shelf.venue, shelf.symbol, "bars", shelf.interval, end_ns=0)  # raises with what is stored instead
    series = [("bars", name) for name in usable[:1]] + [("trades", None)] * trades
    if series:
        spans = []
        for table, name in series:
            first, last = shelf.extent(table, name)
            spans.append(f"{f'{name} ' if name else ''}{table} of {of} are stored from {format_ns(first)} to {format_ns(last)}")
        return DataError(f"{source.path}: {'; '.join(spans)}, none from {start or 'the first'} to {end or 'the last'}")
    if stored:
        return StoreError(
            f"{source.path}: has no {shelf.interval} bars of {of}; stored intervals: {', '.join(stored)}; "
            "use one of them, or import bars of this interval or trades"
        )
    return StoreError(f"{source.path}: has no bars of {of}, only trades; leave trades=False out, so that bars are made from them")

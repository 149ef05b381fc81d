"""All that can be told from canonical tables in memory: each by itself, and against the bars of its market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import parse_interval
from liqbt.data.quality import bars as bar_checks
from liqbt.data.quality import clocks, frozen, funding, liquidations, units
from liqbt.data.quality._frames import numbers, stamps_of
from liqbt.data.quality.agreement import compare_mark
from liqbt.data.quality.coverage import HOUR_NS
from liqbt.data.quality.finding import Finding
from liqbt.data.quality.gaps import Gaps, activity, interval_gaps, sample_gaps, silences, tell_gaps
from liqbt.data.quality.shift import Series, change_series, find_clock_shift, find_following_shift, return_series
from liqbt.data.schema import table as canonical_table

__all__ = ["check_against_bars", "check_gaps", "check_rows", "check_tables", "gaps_of", "hourly_liquidations"]

_STREAMED: Final = frozenset({"trades", "depth"})  # too long for memory; `check_store` takes them day by day
_PRICES: Final = frozenset({"bars", "mark", "index"})
# What `MarketFrame.from_frames` tells by itself.
_TOLD: Final = frozenset({("gap", "bars"), ("gap", "open_interest"), ("gap", "funding"), ("price_without_volume", "bars")})
_GAPS: Final = {
    "bars": ("bars", "price is held and nothing is filled in them", 0),
    "mark": ("mark bars", "trade prices trigger liquidations in them", 0),
    "index": ("index bars", "nothing is put in their place", 0),
    "premium": ("premium bars", "nothing is put in their place", 0),
    "liquidation_totals": ("liquidation totals", "they count as not recorded", 0),
    "open_interest": ("open interest snapshots", "the last one is carried, so that flows bunch at the end", 1),
    "funding": ("funding payments", "none is charged in them", 0),
    "liquidations": ("liquidations", "bars in them read as if nothing was liquidated: end runs before, or start after", 0),
    "trades": ("trades", "bars made from them lack volume", 0),
    "depth": ("depth snapshots", "the last one is carried", 2),
}


def check_tables(tables: Mapping[str, pl.DataFrame], interval: str) -> tuple[Finding, ...]:
    """Check what was loaded for one market; quick, and only what may change results: no notes.

    tables: canonical tables by name, those of bars, mark, index, premium and liquidation_totals at `interval`. What
    `check_bars`, `check_open_interest` and `check_funding` tell is left to them; trades and depth to `check_store`.

    Raises ConfigError for a bad interval, or a name that is no canonical table.
    """
    step = parse_interval(interval)
    found: list[Finding] = []
    for name, rows in tables.items():
        if rows.is_empty() or name in _STREAMED:
            continue
        covered = step if canonical_table(name).has_interval else None
        label = f"{name} {interval}" if covered else name
        found += check_rows(name, rows, covered, table=label)
        found += check_gaps(name, gaps_of(name, rows, covered), table=label)
        if name != "bars" and "bars" in tables:
            found += check_against_bars(name, rows, covered, tables["bars"], step, table=label)
    return tuple(one for one in found if one.severity != "note" and (one.code, one.table.partition(" ")[0]) not in _TOLD)


def check_rows(name: str, rows: pl.DataFrame, interval_ns: int | None, *, table: str, sources: tuple[str, ...] = ()) -> list[Finding]:
    """Check one canonical table by itself, except for its gaps.

    name: of the canonical table. interval_ns: what a row covers, nanoseconds; None for instants. table: what findings call it.
    sources: names of the files that the rows came from.
    """
    found = clocks.find_crossed_clocks(rows, table=table, interval_ns=interval_ns)
    found += clocks.find_late_rows(rows, table=table, interval_ns=interval_ns)
    if interval_ns is not None or name == "open_interest":
        found += clocks.find_off_grid(stamps_of(rows), table=table, interval_ns=interval_ns)
    if name in _PRICES:
        found += bar_checks.find_inconsistent_bars(rows, table=table)
        found += bar_checks.find_price_scale(rows, table=table)
    match name:
        case "bars":
            for check in (bar_checks.find_bad_ticks, bar_checks.find_repeated_bars, bar_checks.find_silent_bars):
                found += check(rows, table=table)
            found += units.find_volume_units(rows, table=table)
            found += units.find_scale_changes(rows, table=table)
        case "open_interest":
            found += frozen.find_open_interest_spikes(rows)
            found += units.find_open_interest_scale(rows)
        case "funding":
            found += funding.find_funding_cadence(stamps_of(rows), sources)
            found += funding.find_funding_units(rows)
        case "liquidations":
            found += liquidations.find_throttle(stamps_of(rows))
            found += liquidations.find_doubled_events(rows)
            found += liquidations.find_twin_events(rows)
    return found


def gaps_of(name: str, rows: pl.DataFrame, interval_ns: int | None) -> Gaps:
    """Return where rows of a table are missing: off its interval, its own cadence, or silences that its rate does not explain."""
    stamps = stamps_of(rows)
    if interval_ns is not None:
        return interval_gaps(stamps, interval_ns)
    return silences(activity(stamps)) if name == "liquidations" else sample_gaps(stamps)


def check_gaps(name: str, gaps: Gaps, *, table: str) -> list[Finding]:
    """Tell the gaps of a table, and those that look like a change to summer time."""
    what, then, mild = _GAPS[name]
    found = tell_gaps(gaps, table=table, what=what, then=then, mild_rows=mild)
    return found + clocks.find_summer_time(gaps, table=table) if name != "liquidations" else found


def check_against_bars(
    name: str, rows: pl.DataFrame, interval_ns: int | None, bars: pl.DataFrame, bars_ns: int, *, table: str
) -> list[Finding]:
    """Check a table against bars of the same market: their prices, their volume and their clock.

    interval_ns, bars_ns: what a row and a bar cover, nanoseconds. Without bars nothing is told but what needs none.
    """
    if name == "open_interest":
        return _open_interest(rows, bars, bars_ns, table)
    if bars.is_empty():
        return liquidations.find_foreign_events(rows, None) if name == "liquidations" else []
    match name:
        case "mark" | "index" if interval_ns is not None:
            moved = _clock(return_series(rows, interval_ns), return_series(bars, bars_ns), f"the {name} prices", table)
            if moved or name == "index" or interval_ns != bars_ns:
                return moved
            return compare_mark(rows, bars, table=table) + frozen.find_frozen_mark(rows, bars, table=table)
        case "liquidation_totals" if interval_ns is not None:
            return _liquidated(rows.select("timestamp", "long", "short"), interval_ns, bars, bars_ns, table)
        case "liquidations":
            foreign = liquidations.find_foreign_events(rows, bars)
            return foreign or _liquidated(hourly_liquidations(rows), HOUR_NS, bars, bars_ns, table)
    return []


def hourly_liquidations(events: pl.DataFrame) -> pl.DataFrame:
    """Return what was liquidated in each hour from the first event to the last: timestamp, long, short (base)."""
    hour = pl.col("timestamp").dt.truncate("1h")
    sums = events.group_by(hour, maintain_order=True).agg(
        pl.col("amount").filter(pl.col("side") == side).sum().alias(side) for side in ("long", "short")
    )
    every = pl.datetime_range(sums["timestamp"][0], sums["timestamp"][-1], "1h", time_unit="ns", time_zone="UTC", eager=True)
    return every.alias("timestamp").to_frame().join(sums, on="timestamp", how="left", maintain_order="left").fill_null(0.0)


def _open_interest(rows: pl.DataFrame, bars: pl.DataFrame, bars_ns: int, table: str) -> list[Finding]:
    found = frozen.find_frozen_open_interest(rows, None if bars.is_empty() else bars)
    if bars.is_empty():
        return found
    found += units.find_turnover(rows, bars)
    stamps, held = stamps_of(rows), numbers(rows, "open_interest")
    moved: list[Finding] = []
    if "open_interest_value" in rows.columns:
        value = numbers(rows, "open_interest_value")
        price = np.divide(value, held, out=np.zeros_like(held), where=(held > 0) & np.isfinite(value))
        moved = _clock(change_series(stamps, price), return_series(bars, bars_ns), "open interest", table)
    if not moved:
        traded = Series(timestamp=stamps_of(bars), values=numbers(bars, "volume"), step_ns=bars_ns)
        moved = find_following_shift(
            change_series(stamps, held), traded, table=table, our_name="open interest", their_name="the bars", absolute=True
        )
    return found + (moved or units.find_open_interest_units(rows, bars))


def _clock(ours: Series, theirs: Series, name: str, table: str) -> list[Finding]:
    return find_clock_shift(ours, theirs, table=table, our_name=name, their_name="the bars")


def _liquidated(sums: pl.DataFrame, interval_ns: int, bars: pl.DataFrame, bars_ns: int, table: str) -> list[Finding]:
    net = Series(timestamp=stamps_of(sums), values=numbers(sums, "short") - numbers(sums, "long"), step_ns=interval_ns)
    moved = find_following_shift(net, return_series(bars, bars_ns), table=table, our_name="the liquidations", their_name="the bars")
    if moved:
        return moved
    window = max(interval_ns, bars_ns, HOUR_NS)
    opened = (pl.col("timestamp").to_physical() // window * window).alias("opened")
    total = sums.group_by(opened, maintain_order=True).agg(liquidated=(pl.col("long") + pl.col("short")).sum())
    market = bars.group_by(opened, maintain_order=True).agg(
        volume=pl.col("volume").sum(), reach=(pl.col("high").max() / pl.col("low").min()).log(), bars=pl.len()
    )
    both = total.join(market.filter(pl.col("bars") == window // bars_ns), on="opened", maintain_order="left")
    stamps, liquidated = both["opened"].to_numpy(), numbers(both, "liquidated")
    found = units.find_excess_liquidations(stamps, liquidated, numbers(both, "volume"), table=table)
    return found + liquidations.find_silent_moves(stamps, liquidated, numbers(both, "reach"), table=table)

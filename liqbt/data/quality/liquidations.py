"""Feeds of liquidations: throttled, doubled, mixed up with another market, or silent while price moved."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from liqbt._time import DAY_NS, format_ns
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.data.quality._frames import numbers, stamps_of
from liqbt.data.quality.finding import Finding, tell

__all__ = ["event_price", "find_doubled_events", "find_foreign_events", "find_silent_moves", "find_throttle", "find_twin_events"]

_SECOND_NS: Final = 1_000_000_000
# The stamps of a feed that lets one event a second through lie up to 15 ms closer, where they are those of the trades.
_CLOSE_NS: Final = 950_000_000
_FEWEST: Final = 20  # steps of one to two seconds without which there is no telling
_FEW: Final = 0.05
_DOUBLED: Final = 0.9  # share of rows with a copy, from which on the recording is doubled and not a coincidence
_TWINS: Final = 0.5  # share of a day's events
_OF_A_DAY: Final = 20
_OUTSIDE: Final = 0.2  # of price; the order of a forced close lies within the margin that is left, a few per cent
_OTHER: Final = 2.0  # times the median price of the events around, where no bars are there to compare with
_AROUND: Final = 1001
_BUSY, _USUAL_HOURS = 0.9, 0.5  # quantiles of ranges
_ALWAYS: Final = 0.99  # share of the usual hours with liquidations, from which on a busy hour without is odd
_FEWEST_HOURS: Final = 50


def find_throttle(stamps: IntArray1D, *, table: str = "liquidations") -> list[Finding]:
    """Find a feed that lets no more than one event a second through; `stamps` ascends, shape (n_events,), UTC nanoseconds.

    However events cluster, shorter steps are likelier than longer ones. So a feed that has steps of one to two seconds, and
    next to none of less than one, was throttled.
    """
    step = np.diff(np.unique(stamps))
    below, above = step < _CLOSE_NS, (step >= _CLOSE_NS) & (step < 2 * _CLOSE_NS)
    if above.sum() < _FEWEST or below.sum() > _FEW * above.sum():
        return []
    share = float((above & (step < _CLOSE_NS + _SECOND_NS // 5)).mean())
    count, first, last = int(stamps.size), int(stamps[0]), int(stamps[-1])
    message = (
        f"the feed has at most one event a second, {share:.0%} of its {count} events come as soon as they can and others were "
        "dropped between them; its amounts are a lower bound, most of all in cascades"
    )
    return [Finding(code="throttled", severity="warning", count=count, message=message, table=table, first=first, last=last)]


def find_doubled_events(events: pl.DataFrame, *, table: str = "liquidations") -> list[Finding]:
    """Find a recording that has nearly every row twice, or more often."""
    columns = [name for name in events.columns if name != "available_at"]
    if events.height < _FEWEST:
        return []
    copied = events.select(pl.struct(columns).is_duplicated()).to_series()
    if copied.sum() < _DOUBLED * events.height:
        return []
    times = events.height / events.select(columns).n_unique()
    what, then = f"nearly every event is there {times:.2g} times", "amounts are too large by as much: import one copy"
    return [tell("doubled", "error", stamps_of(events.filter(copied)), what=what, then=then, table=table)]


def find_twin_events(events: pl.DataFrame, *, table: str = "liquidations") -> list[Finding]:
    """Find days of which most events are there twice, with the same time, side and amount and another price: two sources."""
    key = ["timestamp", "side", "amount"]
    others = [name for name in events.columns if name not in (*key, "available_at")]
    if not others or events.is_empty():
        return []
    day = (pl.col("timestamp").to_physical() // DAY_NS).alias("day")
    kinds = events.group_by(key, maintain_order=True).agg(kinds=pl.struct(others).n_unique())
    days = kinds.group_by(day, maintain_order=True).agg(twins=(pl.col("kinds") > 1).mean(), events=pl.len())
    wrong = days.filter((pl.col("twins") >= _TWINS) & (pl.col("events") >= _OF_A_DAY))
    if wrong.is_empty():
        return []
    what = "most liquidations are there twice, with the same time, side and amount but other columns,"
    then = "two sources of one market count each twice: keep one of them"
    return [tell("twins", "error", numbers(wrong, "day").astype(np.int64) * DAY_NS, what=what, then=then, table=table, noun="day")]


def find_foreign_events(events: pl.DataFrame, bars: pl.DataFrame | None, *, table: str = "liquidations") -> list[Finding]:
    """Find events at prices that this market did not have: rows of another symbol, or another unit.

    With bars: more than 20 % outside the bar that they fall in. Without: more than twice, or less than half, the median of
    the 1001 events around them.
    """
    priced = events.select("timestamp", price=event_price(events)).drop_nulls()
    if priced.is_empty():
        return []
    price, stamps = numbers(priced, "price"), stamps_of(priced)
    usual = np.asarray(priced["price"].rolling_median(_AROUND, min_samples=1, center=True).to_numpy(), dtype=np.float64)
    low, high = usual / _OTHER, usual * _OTHER
    if bars is not None and not bars.is_empty():
        opened = stamps_of(bars)
        at = np.maximum(np.searchsorted(opened, stamps, side="right") - 1, 0)
        inside = (stamps >= opened[at]) & (stamps < stamps_of(bars, "available_at")[at])
        low = np.where(inside, numbers(bars, "low")[at] * (1 - _OUTSIDE), low)
        high = np.where(inside, numbers(bars, "high")[at] * (1 + _OUTSIDE), high)
    foreign = (price < low) | (price > high)
    if not foreign.any():
        return []
    what = f"the price, {price[foreign][0]:.6g} at first, is not one of this market"
    then = "they are of another symbol or in another unit: remove them"
    return [tell("foreign_price", "error", stamps[foreign], what=what, then=then, table=table, noun="event")]


def event_price(events: pl.DataFrame) -> pl.Expr:
    """Return the price of an event: what it was filled at, else the order's, else bankruptcy."""
    names = [name for name in ("average_price", "price", "bankruptcy_price") if name in events.columns]
    return pl.coalesce(names) if names else pl.lit(None, dtype=pl.Float64)


def find_silent_moves(stamps: IntArray1D, liquidated: Float64Array1D, reach: Float64Array1D, *, table: str) -> list[Finding]:
    """Find hours in which price ranged as in the busiest tenth of all, and nothing was liquidated although it always is then.

    All arrays have shape (n_hours,): the hour's start in UTC nanoseconds, base coin liquidated, and log of high over low.
    It is odd where 99 % of the hours between median and busiest tenth have liquidations; of fewer than 50 such hours nothing
    is said.
    """
    if reach.size == 0:
        return []
    usual, busy = np.quantile(reach, [_USUAL_HOURS, _BUSY])
    ordinary = (reach >= usual) & (reach < busy)
    silent = (reach >= busy) & (liquidated == 0)
    if not silent.any() or ordinary.sum() < _FEWEST_HOURS or (liquidated[ordinary] > 0).mean() < _ALWAYS:
        return []
    largest = stamps[silent][reach[silent].argmax()]
    what = f"nothing was liquidated while price ranged widely (by {np.expm1(reach[silent].max()):.1%} at {format_ns(largest)})"
    then = "the recorder was probably out, and these hours read as if none were liquidated"
    return [tell("silent_moves", "warning", stamps[silent], what=what, then=then, table=table, noun="hour")]

"""Recorded trades as checked flat arrays, and the bars that they fall in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from liqbt._time import DAY_NS, format_ns, parse_interval
from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.data.validation import CLOCK
from liqbt.errors import ConfigError, DataError

__all__ = ["LATE_NS", "BarSpan", "TradeArrays", "clock_of", "on_time", "trade_arrays"]

LATE_NS: Final = 10_000_000_000
"""Delay of a trade that a bar's close forgives: 10 s, a convention, fitted to nothing.

Feeds lag by milliseconds, and by seconds when markets crash; venues' own candles lag as much and count as known at their close.
"""

_WEEK_NS: Final = 7 * DAY_NS
_MONDAY_NS: Final = 4 * DAY_NS  # 1970-01-05, the first Monday of the epoch


@dataclass(frozen=True, kw_only=True)
class BarSpan:
    """The grid of bars of one interval, and which of them are wanted.

    step: length of a bar. anchor: an instant at which a bar opens. start, end: the first wanted open, and the first that is not;
    None for no bound. All in (UTC) nanoseconds.
    """

    step: int
    anchor: int
    start: int | None
    end: int | None

    @classmethod
    def of(cls, interval: str, *, start_ns: int | None = None, end_ns: int | None = None, anchor_ns: int | None = None) -> BarSpan:
        """Return the grid that starts at `anchor_ns`, or at the epoch (whole weeks: on its first Monday).

        Raises ConfigError for a bad interval, or a start that is not before the end.
        """
        step = parse_interval(interval)
        if start_ns is not None and end_ns is not None and start_ns >= end_ns:
            raise ConfigError(f"start_ns: {format_ns(start_ns)} is not before end_ns {format_ns(end_ns)}")
        anchor = anchor_ns if anchor_ns is not None else _MONDAY_NS if step % _WEEK_NS == 0 else 0
        start, end = (None if bound is None else -((anchor - bound) // step) * step + anchor for bound in (start_ns, end_ns))
        return cls(step=step, anchor=anchor, start=start, end=end)

    def open_of(self, timestamp: IntArray1D) -> IntArray1D:
        """Return the open of the bar that holds each instant, UTC nanoseconds."""
        return (timestamp - self.anchor) // self.step * self.step + self.anchor


@dataclass(frozen=True, kw_only=True, eq=False)
class TradeArrays:
    """Trades in order of time, all arrays of shape (n_trades,).

    timestamp, available: UTC nanoseconds. price: quote. amount: base. buy: whether the taker bought.
    """

    timestamp: IntArray1D
    available: IntArray1D
    price: Float64Array1D
    amount: Float64Array1D
    buy: BoolArray1D

    @classmethod
    def one_at(cls, timestamp: int, price: float = 1.0) -> TradeArrays:
        """Return a single trade of no amount."""
        stamps = np.array([timestamp], dtype=np.int64)
        return cls(timestamp=stamps, available=stamps, price=np.array([price]), amount=np.zeros(1), buy=np.zeros(1, dtype=np.bool_))

    def within(self, span: BarSpan) -> TradeArrays:
        """Return the trades of the wanted bars."""
        first = 0 if span.start is None else int(np.searchsorted(self.timestamp, span.start))
        stop = self.timestamp.size if span.end is None else int(np.searchsorted(self.timestamp, span.end))
        return TradeArrays(**{name: values[first:stop] for name, values in vars(self).items()})


def clock_of(rows: pl.DataFrame, name: str, source: str) -> IntArray1D:
    """Return a clock of a canonical table as UTC nanoseconds; raises DataError where the column holds anything else."""
    clock = rows[name]
    if clock.dtype != CLOCK or clock.null_count():
        raise DataError(f"{source}: column {name!r} must be UTC nanoseconds without nulls, not {clock.dtype}; pass the canonical table")
    return clock.to_physical().to_numpy()


def trade_arrays(trades: pl.DataFrame, *, before: int = 0, last: int | None = None) -> TradeArrays:
    """Return canonical trades as arrays.

    before, last: number of trades in the batches before this one, and the stamp of the last of them.
    Raises DataError naming the row where a column is missing, a value is no price, amount or side, or time runs backwards.
    """
    missing = [name for name in ("timestamp", "price", "amount", "side") if name not in trades.columns]
    if missing:
        raise DataError(f"trades: needs column {missing[0]!r}, which is not there; pass the canonical table 'trades'")
    stamps = clock_of(trades, "timestamp", "trades")
    _require(np.diff(stamps, prepend=stamps[:1] if last is None else last) >= 0, stamps, before, "is earlier than the trade before it")
    price, amount = (trades[name].cast(pl.Float64).to_numpy() for name in ("price", "amount"))
    if stamps.size and not (price.min() > 0 and price.max() < np.inf):  # also where one is NaN
        _require((price > 0) & (price < np.inf), stamps, before, "has a price that is not finite and above 0")
    if stamps.size and not (amount.min() >= 0 and amount.max() < np.inf):
        _require((amount >= 0) & (amount < np.inf), stamps, before, "has an amount that is not finite and at least 0")
    side = trades["side"]
    buy = (side == "buy").fill_null(value=False).to_numpy()
    if int(buy.sum()) + int((side == "sell").sum()) < stamps.size:
        _require((side.is_in(["buy", "sell"])).fill_null(value=False).to_numpy(), stamps, before, "has a side that is not buy or sell")
    available = clock_of(trades, "available_at", "trades") if "available_at" in trades.columns else stamps
    return TradeArrays(timestamp=stamps, available=available, price=price, amount=amount, buy=buy)


def on_time(trades: pl.DataFrame, interval: str, *, anchor_ns: int | None = None) -> tuple[pl.DataFrame, IntArray1D]:
    """Return the trades that were known by the close of their bar or up to `LATE_NS` after it, and the bars' opens of the others.

    trades: canonical. What came later was not in the bar that a trader saw. anchor_ns: as in `BarSpan.of`.
    """
    if "available_at" not in trades.columns or trades.is_empty():
        return trades, np.empty(0, dtype=np.int64)
    stamps, available = (clock_of(trades, name, "trades") for name in ("timestamp", "available_at"))
    if (available - stamps).max() <= LATE_NS:
        return trades, np.empty(0, dtype=np.int64)
    span = BarSpan.of(interval, anchor_ns=anchor_ns)
    opens = span.open_of(stamps)
    late = available > opens + span.step + LATE_NS
    return trades.filter(pl.Series(~late)), opens[late]


def _require(good: BoolArray1D, stamps: IntArray1D, before: int, what: str) -> None:
    if not good.all():
        row = int((~good).argmax())
        raise DataError(
            f"trades: row {before + row + 1} ({format_ns(stamps[row])}) {what}; check the recording with `canonical`, or sort it by time"
        )

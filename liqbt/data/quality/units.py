"""Amounts and values whose ratio to each other shows that one of them is in another unit."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from liqbt._time import DAY_NS
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.data.quality._frames import lasting_jumps, numbers, stamps_of
from liqbt.data.quality.finding import Finding, Severity, tell

__all__ = [
    "find_excess_liquidations",
    "find_open_interest_scale",
    "find_open_interest_units",
    "find_scale_changes",
    "find_turnover",
    "find_volume_units",
]

# Price moves between the snapshot and the bar that holds it: by 1 % at most in 140,000 recorded snapshots of 3 coins at 5 minutes.
_VALUE_OFF: Final = 0.2
# The usual day's volume is 2 to 3 times open interest in six recordings, and no day's is outside 0.06 to 21. The bounds are a
# convention that leaves room for odd markets and tells contracts of 1000 coins, and of 0.001.
_TURNOVER: Final = (0.01, 500.0)
_ROUNDING: Final = 1e-3  # of a quote volume that was rounded, against the range of its bar
_SCALE: Final = 0.9  # decades between two samples of open interest: a factor of 8
_VOLUME_SCALE: Final = 2.0  # decades between the usual volume of three days and of the next three
_DAYS: Final = 3
_SOME: Final = 0.01  # share of rows from which on single odd ones are a unit


def find_volume_units(bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find quote volumes that no price inside the bar explains, and bars that takers bought more of than was traded."""
    found = []
    volume, stamps = numbers(bars, "volume"), stamps_of(bars)
    if "taker_buy_volume" in bars.columns:
        over = numbers(bars, "taker_buy_volume") > volume * (1 + 1e-9)
        if over.any():
            what, then = "taker_buy_volume is above volume", "the flows of these bars are wrong: check the columns and their units"
            found.append(tell("taker_volume", "error", stamps[over], what=what, then=then, table=table, noun="bar"))
    if "quote_volume" in bars.columns:
        quote = numbers(bars, "quote_volume")
        traded = (volume > 0) & (quote > 0)
        price = np.divide(quote, volume, out=np.ones_like(volume), where=traded)
        low, high = numbers(bars, "low") * (1 - _ROUNDING), numbers(bars, "high") * (1 + _ROUNDING)
        outside = traded & ((price < low) | (price > high))
        if outside.any():
            many = outside.sum() > _SOME * outside.size
            factor = float(np.median(price[outside] / numbers(bars, "close")[outside]))
            what = f"quote_volume over volume is {factor:.3g} times the price, outside the range of the bar,"
            then = "one of them is in contracts or in the other currency" if many else "compare these bars with another source"
            severity: Severity = "error" if many else "warning"
            found.append(tell("quote_volume", severity, stamps[outside], what=what, then=then, table=table, noun="bar"))
    return found


def find_open_interest_units(open_interest: pl.DataFrame, bars: pl.DataFrame, *, table: str = "open_interest") -> list[Finding]:
    """Find snapshots whose value over amount is more than 20 % off the price of the bar that they fall in."""
    if "open_interest_value" not in open_interest.columns or bars.is_empty():
        return []
    joined = (
        open_interest.select("timestamp", "open_interest", "open_interest_value")
        .filter((pl.col("open_interest") > 0) & (pl.col("open_interest_value") > 0))
        .join_asof(bars.select("timestamp", "open", end="available_at"), on="timestamp", strategy="backward")
        .filter(pl.col("timestamp") <= pl.col("end"))
    )
    if joined.is_empty():
        return []
    factor = numbers(joined, "open_interest_value") / numbers(joined, "open_interest") / numbers(joined, "open")
    off = np.abs(np.log(factor)) > np.log1p(_VALUE_OFF)
    if not off.any():
        return []
    usual = float(np.median(factor[off]))
    many = off.sum() > _SOME * off.size
    what = f"open_interest_value over open_interest is {usual:,.4g} times the price"
    then = f"one of them is in another unit, such as contracts of {_plain(max(usual, 1 / usual))} coins" if many else "remove these rows"
    return [tell("open_interest_units", "error" if many else "warning", stamps_of(joined)[off], what=what, then=then, table=table)]


def find_turnover(open_interest: pl.DataFrame, bars: pl.DataFrame, *, table: str = "open_interest") -> list[Finding]:
    """Find a usual daily volume that is not between a hundredth and 500 times open interest."""
    days = _daily(bars, pl.sum("volume")).join(_daily(open_interest, pl.median("open_interest")), on="day")
    days = days.filter((pl.col("volume") > 0) & (pl.col("open_interest") > 0))
    if days.is_empty():
        return []
    usual = float(np.median(numbers(days, "volume") / numbers(days, "open_interest")))
    if _TURNOVER[0] <= usual <= _TURNOVER[1]:
        return []
    stamps = numbers(days, "day").astype(np.int64) * DAY_NS
    what = f"the usual volume of a day is {usual:.3g} times open interest, which no market shows,"
    then = "volume or open interest is in contracts or in quote: import again in base coin"
    return [tell("turnover", "warning", stamps, what=what, then=then, table=table, noun="day")]


def find_open_interest_scale(open_interest: pl.DataFrame, *, table: str = "open_interest") -> list[Finding]:
    """Find where open interest goes to more than 8 times, or less than an eighth, of the sample before and stays there."""
    held = open_interest.filter(pl.col("open_interest") > 0)
    where, factor = lasting_jumps(numbers(held, "open_interest"), _SCALE)
    if where.size == 0:
        return []
    what = f"open interest goes to {factor[0]:,.4g} times the sample before and stays there"
    then = "its unit changes: import the parts with the same unit"
    return [tell("open_interest_scale", "error", stamps_of(held)[where], what=what, then=then, table=table, noun="sample")]


def find_scale_changes(bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Find where the usual volume changes a hundredfold from three days to the next three: another unit from then on."""
    days = _daily(bars.filter(pl.col("volume") > 0), pl.median("volume"))
    if days.height < 2 * _DAYS:
        return []
    usual = days["volume"].rolling_median(_DAYS).to_numpy()
    decades = np.log10(usual[2 * _DAYS - 1 :] / usual[_DAYS - 1 : -_DAYS])
    where = np.flatnonzero(np.abs(decades) >= _VOLUME_SCALE)
    if where.size == 0:
        return []
    worst = where[np.abs(decades[where]).argmax()]
    stamps = numbers(days, "day").astype(np.int64)[[worst + _DAYS]] * DAY_NS
    what, then = f"the usual volume goes to {10 ** decades[worst]:,.4g} times that of the days before", "check that its unit stays the same"
    return [tell("volume_scale", "warning", stamps, what=what, then=then, table=table, noun="day")]


def find_excess_liquidations(stamps: IntArray1D, liquidated: Float64Array1D, volume: Float64Array1D, *, table: str) -> list[Finding]:
    """Find intervals in which more was liquidated than traded, although a liquidation is a trade.

    All arrays have shape (n,): the interval's open in UTC nanoseconds, and base coin liquidated and traded in it.
    """
    over = (volume > 0) & (liquidated > volume * (1 + 1e-9))
    if not over.any():
        return []
    many = over.sum() > _SOME * over.size
    what = "more is liquidated than traded"
    then = "amounts are in contracts or in quote: import again in base coin" if many else "the volume or the liquidations of them are wrong"
    return [tell("liquidations_exceed_volume", "error" if many else "warning", stamps[over], what=what, then=then, table=table, noun="bar")]


def _daily(frame: pl.DataFrame, value: pl.Expr) -> pl.DataFrame:
    day = (pl.col("timestamp").to_physical() // DAY_NS).alias("day")
    return frame.group_by(day, maintain_order=True).agg(value)


def _plain(factor: float) -> str:
    """Return the power of ten that a factor is within a fifth of, else the factor."""
    nearest = 10.0 ** round(np.log10(factor))
    return f"{nearest if abs(np.log(factor / nearest)) < np.log1p(_VALUE_OFF) else factor:.4g}"

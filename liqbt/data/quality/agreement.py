"""Two recordings of one market, bar by bar: where they disagree, and which of them lacks something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.data.quality._frames import numbers, stamps_of
from liqbt.data.quality.finding import Finding, Severity, tell

if TYPE_CHECKING:
    import polars as pl

__all__ = ["compare_bars", "compare_liquidations", "compare_mark"]

_CLOSE: Final = 1e-3  # 10 bps; the same trade ends a bar in every recording of one market
_VOLUME: Final = 0.02
_MOST: Final = 0.5  # share of bars from which on the two are not the same market, or not on the same clock
_COMPARABLE: Final = 0.5  # share of bars whose volume agrees, below which they are of two venues or in two units
_FAR: Final = 0.05  # of the mark; trades are within 0.5 % of it in 999 of 1,000 recorded hours
_OTHER_MARK: Final = 0.01  # usual distance of mark and trades; 0.016 % is recorded
_EVENTS: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class _Pair:
    """The bars that two recordings share: stamps, columns of either, and ours over their volume; shape (n_bars,) each."""

    stamps: IntArray1D
    ours: dict[str, Float64Array1D]
    theirs: dict[str, Float64Array1D]
    volume: Float64Array1D

    def where(self, rows: BoolArray1D) -> _Pair:
        ours, theirs = ({name: values[rows] for name, values in side.items()} for side in (self.ours, self.theirs))
        return _Pair(stamps=self.stamps[rows], ours=ours, theirs=theirs, volume=self.volume[rows])

    def turned(self) -> _Pair:
        with np.errstate(divide="ignore"):
            return _Pair(stamps=self.stamps, ours=self.theirs, theirs=self.ours, volume=1 / self.volume)


def compare_bars(
    ours: pl.DataFrame, theirs: pl.DataFrame, *, table: str, our_name: str = "this recording", their_name: str = "the other"
) -> list[Finding]:
    """Compare bars of one interval and market from two recordings, or candles with bars made from trades.

    Tells closes more than 10 bps apart, volume that one lacks by more than 2 %, ranges that one lacks by more than 10 bps, and
    a last bar that was recorded before it closed. Bars that only one of them has are no disagreement. Where fewer than half of
    the volumes agree they are of two venues or in two units, and only that is told of them.
    """
    pair = _pair(ours, theirs, ("high", "low", "close", "volume"))
    if pair.stamps.size == 0:
        return []
    off = np.abs(np.log(pair.ours["close"] / pair.theirs["close"])) > _CLOSE
    if off.mean() > _MOST:
        what = f"the close differs from that of {their_name} by more than 10 bps"
        then = "they are not the same market, or one clock is wrong: import again with the right symbol or --utc-offset"
        return [tell("close_differs", "error", pair.stamps[off], what=what, then=then, table=table, noun="bar")]
    ends = {one: stamps_of(rows)[-1] for one, rows in ((our_name, ours), (their_name, theirs))}
    agree = np.abs(pair.volume - 1) <= _VOLUME
    inner = ~np.isin(pair.stamps, list(ends.values()))
    comparable = bool(agree[inner].mean() >= _COMPARABLE) if inner.any() else True
    found = []
    whole = np.ones(off.size, dtype=np.bool_)
    for one, name in ((pair, our_name), (pair.turned(), their_name)):
        unfinished = (one.stamps == ends[name]) & (one.volume < 1 - _VOLUME)
        if comparable and unfinished.any():
            whole &= ~unfinished
            what, then = f"the end of {name} was recorded before it closed", "import it again, or end the run before"
            found.append(tell("unfinished", "warning", one.stamps[unfinished], what=what, then=then, table=table, noun="bar"))
    if off[whole].any():
        what = f"the close differs from that of {their_name} by more than 10 bps"
        then = "one of them lacks trades or has others: use the more complete one"
        found.append(tell("close_differs", "warning", pair.stamps[off & whole], what=what, then=then, table=table, noun="bar"))
    if not comparable:
        what = f"the volume is usually {np.median(pair.volume):.3g} times that of {their_name}, and differs"
        then = "they are of two venues, in two units, or one lacks much of it"
        found.append(tell("volume_differs", "warning", pair.stamps[~agree], what=what, then=then, table=table, noun="bar"))
    pair = pair.where(whole)
    for one, name, other in ((pair, our_name, their_name), (pair.turned(), their_name, our_name)):
        found += _lacking_volume(one, name, other, table) if comparable else []
        found += _lacking_range(one, name, other, table)
    return found


def compare_mark(mark: pl.DataFrame, bars: pl.DataFrame, *, table: str) -> list[Finding]:
    """Compare mark and traded prices of one interval: usually over 1 % apart, or traded over 5 % beyond the mark's range."""
    pair = _pair(mark, bars, ("high", "low", "close"))
    if pair.stamps.size == 0:
        return []
    apart = np.abs(np.log(pair.ours["close"] / pair.theirs["close"]))
    if np.median(apart) > _OTHER_MARK:
        what = f"the mark is usually {np.expm1(np.median(apart)):.1%} away from what was traded, and more than 1 %"
        then = "they are not of the same market, or one clock is wrong: import again with the right symbol or --utc-offset"
        return [tell("mark_differs", "error", pair.stamps[apart > _OTHER_MARK], what=what, then=then, table=table, noun="bar")]
    below = np.log(pair.ours["low"] / pair.theirs["low"])
    above = np.log(pair.theirs["high"] / pair.ours["high"])
    beyond = np.maximum(below, above)
    if not (beyond > _FAR).any():
        return []
    worst = beyond.argmax()
    what = (
        f"trades went more than 5 % beyond the mark (most on {format_ns(pair.stamps[worst])}: low {pair.theirs['low'][worst]:g}, "
        f"high {pair.theirs['high'][worst]:g}, mark {pair.ours['low'][worst]:g} to {pair.ours['high'][worst]:g})"
    )
    then = "liquidations follow the mark"
    return [tell("beyond_mark", "note", pair.stamps[beyond > _FAR], what=what, then=then, table=table, noun="bar")]


def compare_liquidations(totals: pl.DataFrame, events: Float64Array1D, *, table: str) -> list[Finding]:
    """Compare liquidation totals with events summed over the same intervals, shape (n_totals,), NaN where none were recorded.

    Tells a feed of events that holds less than 95 %, or more than 105 %, of what the totals say, in base coin.
    """
    sums = numbers(totals, "long") + numbers(totals, "short")
    both = np.isfinite(events)
    whole = float(sums[both].sum())
    if whole <= 0:
        return []
    share = float(events[both].sum()) / whole
    if abs(share - 1) <= _EVENTS:
        return []
    what = f"liquidation events hold {share:.0%} of the amounts that the totals say,"
    then = "the totals are used where both are stored; a feed of events is often throttled" if share < 1 else "events may be there twice"
    severity: Severity = "note" if share < 1 else "warning"
    return [tell("liquidations_differ", severity, stamps_of(totals)[both], what=what, then=then, table=table, noun="interval")]


def _pair(ours: pl.DataFrame, theirs: pl.DataFrame, columns: tuple[str, ...]) -> _Pair:
    both = ours.select("timestamp", *columns).join(
        theirs.select("timestamp", *columns), on="timestamp", suffix="_theirs", maintain_order="left"
    )
    mine = {name: numbers(both, name) for name in columns}
    other = {name: numbers(both, f"{name}_theirs") for name in columns}
    volume = np.ones(both.height)
    if "volume" in columns:
        with np.errstate(divide="ignore", invalid="ignore"):
            volume = np.where(mine["volume"] == other["volume"], 1.0, mine["volume"] / other["volume"])
    return _Pair(stamps=stamps_of(both), ours=mine, theirs=other, volume=volume)


def _lacking_volume(pair: _Pair, name: str, other: str, table: str) -> list[Finding]:
    less = pair.volume < 1 - _VOLUME
    if not less.any():
        return []
    worst = pair.volume.argmin()
    most = f"{1 - pair.volume[worst]:.0%} of it at {format_ns(pair.stamps[worst])}"
    what = f"more than 2 % of the volume of {other} is missing from {name} (at most {most})"
    then = "its recorder was out, so what was liquidated in them is recorded in part only"
    return [tell("volume_missing", "warning", pair.stamps[less], what=what, then=then, table=table, noun="bar")]


def _lacking_range(pair: _Pair, name: str, other: str, table: str) -> list[Finding]:
    above = np.log(pair.ours["low"] / pair.theirs["low"])
    below = np.log(pair.theirs["high"] / pair.ours["high"])
    short = np.maximum(above, below)
    if not (short > _CLOSE).any():
        return []
    worst = short.argmax()
    side = "low" if above[worst] >= below[worst] else "high"
    instead = f"{side} {pair.ours[side][worst]:.8g}, not {pair.theirs[side][worst]:.8g}"
    what = f"more than 10 bps of the range of {other} is missing from {name} (most at {format_ns(pair.stamps[worst])}: {instead})"
    then = "liquidations that the missing prices set off are not reconstructed from it"
    return [tell("range_missing", "warning", pair.stamps[short > _CLOSE], what=what, then=then, table=table, noun="bar")]

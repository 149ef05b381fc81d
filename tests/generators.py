"""Hypothesis strategies: random markets and random wishes on them.

Prices move on a coarse grid, so that ties (a low that just touches a stop, a gap to a level) happen often; the tick has no
short decimal form, so that no computed level falls on the grid by chance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from liqbt.market import MarketFrame
from liqbt.signals import Signals

TICK = 0.0997231
START_NS = pd.Timestamp("2026-01-05T00:00", tz="UTC").value
STEP_NS = 300_000_000_000


def whole(count: int, low: int, high: int) -> st.SearchStrategy[np.ndarray]:
    """Arrays of `count` whole numbers from `low` to `high`."""
    return hnp.arrays(np.int64, count, elements=st.integers(low, high))


@st.composite
def markets(
    draw: st.DrawFn,
    *,
    min_bars: int = 2,
    max_bars: int = 60,
    gaps: bool = True,
    funding: bool = True,
    mark: bool = True,
    open_interest: bool = True,
) -> MarketFrame:
    """5m markets from `MarketFrame.from_frames`; each flag says whether that table (or missing bars) may occur.

    Open interest never changes by more than the volume of its bar and never falls below 0.
    """
    count = draw(st.integers(min_bars, max_bars))
    scale = draw(st.sampled_from((1, 4, 15)))  # calm to wild: the wildest liquidates 10x within a few bars
    gap = draw(whole(count, -6, 6)) * draw(st.booleans())
    body = draw(whole(count, -10, 10))
    close = 1000 + scale * np.cumsum(gap + body)
    open_ = close - scale * body
    upper, lower = draw(whole(count, 0, 8)), draw(whole(count, 0, 8))
    high, low = np.maximum(open_, close) + scale * upper, np.minimum(open_, close) - scale * lower
    prices = {"open": open_, "high": high, "low": low, "close": close}
    volume = draw(whole(count, 0, 50)).astype(float)

    kept = np.ones(count, dtype=bool)
    if gaps and draw(st.booleans()):
        kept[1:-1] = draw(hnp.arrays(np.bool_, count, elements=st.sampled_from((True, True, False))))[1:-1]
    stamps = pd.to_datetime(START_NS + STEP_NS * np.arange(count), utc=True)[kept]
    bars = pd.DataFrame({name: TICK * np.maximum(values[kept], 1) for name, values in prices.items()})
    bars = bars.assign(timestamp=stamps, volume=volume[kept])

    tables = {}
    if funding and draw(st.booleans()):
        rates = draw(whole(count, -3, 3))[kept] * 1e-3
        paid = draw(hnp.arrays(np.bool_, int(kept.sum())))
        if paid.any():
            tables["funding"] = pd.DataFrame({"timestamp": stamps[paid], "funding_rate": rates[paid]})
    if mark and draw(st.booleans()):
        shift = draw(st.integers(-3, 3)) * scale
        tables["mark"] = pd.DataFrame({name: TICK * np.maximum(values[kept] + shift, 1) for name, values in prices.items()}).assign(
            timestamp=stamps
        )
    if open_interest and draw(st.booleans()):
        held, known = 100.0, []
        for share, traded in zip(draw(whole(count, -4, 4))[kept] / 4.0, volume[kept], strict=True):
            held = max(0.0, held + share * traded)
            known.append(held)
        tables["open_interest"] = pd.DataFrame({"timestamp": stamps + pd.Timedelta(STEP_NS, unit="ns"), "open_interest": known})
    return MarketFrame.from_frames(bars=bars, venue="nowhere", symbol="TESTUSDT", interval="5m", **tables)


@st.composite
def signals_for(draw: st.DrawFn, market: MarketFrame, *, stops: bool = True, exits: bool = True) -> Signals:
    """Wishes on `market`: rare or frequent entries, levels taken from prices of other bars, exits and time exits."""
    count = market.n_bars
    entry = draw(hnp.arrays(np.int64, count, elements=st.sampled_from(draw(st.sampled_from(((0, 0, 0, 1, -1), (0, 1), (1, -1)))))))
    stop = target = None
    held = np.zeros(count)
    if stops:
        spread = np.where(entry >= 0, 1.0, -1.0) * TICK

        def levels(sign: float) -> np.ndarray:
            ticks = draw(whole(count, 0, 40))
            other = draw(whole(count, 0, count - 1))
            borrowed = (market.low if sign < 0 else market.high)[other]
            level = np.where(ticks < 10, borrowed, market.close + sign * spread * 3 * (ticks - 9))
            return np.where((ticks == 0) | (level <= 0), np.nan, level)

        stop, target = levels(-1.0), levels(1.0)
    if exits:
        held = draw(whole(count, 0, 5))
    leave = draw(hnp.arrays(np.bool_, count, elements=st.sampled_from((False, False, False, True)))) if exits else None
    return Signals.of(market, entry=entry, exit=leave, stop_price=stop, target_price=target, max_bars=held, name="random")


def with_open_interest(**limits: int) -> st.SearchStrategy[MarketFrame]:
    """Markets whose open interest is recorded and somewhere above 0, as the book needs."""
    return markets(**limits).filter(lambda market: market.open_interest is not None and bool((market.open_interest > 0).any()))

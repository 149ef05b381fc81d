"""Recorded liquidations of each bar and side, beside all that may predict them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from liqbt._time import DAY_NS
from liqbt._typing import BoolArray1D, BoolArray2D, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.book.reconstruct import Reconstruction
from liqbt.errors import ConfigError
from liqbt.evaluation.liquidation_rings import HeatRings, heat_rings
from liqbt.market import MarketFrame
from liqbt.volatility import VOLATILITY_DAYS, daily_volatility

__all__ = ["LiquidationCells", "liquidation_cells"]

_QUICK_DAYS: Final = 0.25
"""Half-life in days of the quicker of two volatilities: a convention, which lets the baseline see the last hours."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LiquidationCells:
    """One row a bar of the market that recorded liquidations, prices and volume from the market of the book.

    timestamp: shape (n_bars,), bar open, UTC nanoseconds. bars_a_day. usable: shape (n_bars,), whether all below is known, something
    was traded and the map explains enough open interest. rings: the map around the close of each bar. All others of shape
    (n_bars, 2), [long, short], unless said otherwise; amounts in base, distances in log price, at least 0.

    Known at the bar's close:
    recorded: liquidations. volume: shape (n_bars,). distance: how far the bar went against the side from the close before.
    from_day: how far its extreme is from the close a day before. fresh: whether that is beyond the extremes of all bars in between.
    swept: liquidations that the map expects, by leverage, shape (n_bars, 2, n_leverages). level: how far from entry each leverage
    is liquidated, mean of both sides, shape (n_leverages,).
    carried: heat at the close before on the way to the bar's extreme, so without positions that the bar itself opened.
    day_old: heat of the map a day before between the day's extreme and that of the bar; 0 where that is not fresh.

    Known at the close before, the first three of shape (n_bars,):
    volatility, quick: of log price over a bar, with half-lives of 2 and 0.25 days. activity: mean volume of a bar in the day before.
    touched: heat that price is expected to reach in the bar.
    """

    timestamp: IntArray1D
    bars_a_day: int
    usable: BoolArray1D
    rings: HeatRings
    recorded: Float64Array2D
    volume: Float64Array1D
    distance: Float64Array2D
    from_day: Float64Array2D
    fresh: BoolArray2D
    swept: Float64Array3D
    level: Float64Array1D
    carried: Float64Array2D
    day_old: Float64Array2D
    volatility: Float64Array1D
    quick: Float64Array1D
    activity: Float64Array1D
    touched: Float64Array2D

    @property
    def day(self) -> IntArray1D:
        """Days since the epoch, UTC, of each bar's open, shape (n_bars,)."""
        return self.timestamp // DAY_NS

    def elsewhere(self, source: IntArray1D) -> tuple[Float64Array2D, Float64Array2D]:
        """Return `carried` and `touched` as if the map before each bar were that at the close of bar `source`, laid around today's price.

        source: shape (n_bars,), negative for none, which gives NaN. Distances and volatilities stay those of the bar.
        """
        return self.rings.between(source, np.zeros_like(self.distance), self.distance), self.rings.touched(source, self.volatility)


def liquidation_cells(market: MarketFrame, book: Reconstruction, *, min_explained_share: float = 0.5) -> LiquidationCells:
    """Return what is needed to ask whether a map knows of recorded liquidations.

    market: with recorded liquidations. book: of that market, or of the same one in shorter bars of which those of `market` consist;
    then prices and volume are the book's. min_explained_share: share of open interest whose entry must have been seen at the
    close before.

    Raises ConfigError without recorded liquidations, for a book that was made from them or is of another market, and for bars
    of a day or more.
    """
    recorded = market.liquidated
    if recorded is None or np.isnan(recorded).all():
        raise ConfigError(f"market: no liquidations of {market.symbol} were recorded; import liquidations or liquidation_totals with it")
    if book.params.recorded_liquidations_close:
        raise ConfigError("book: recorded_liquidations_close made its map from the liquidations that it is held against; switch it off")
    bars_a_day = DAY_NS // market.interval_ns
    if bars_a_day < 2:
        raise ConfigError(f"market: bars of {market.interval} are too long for a day before; use bars of 12h or less")
    bars, parts = _bars_of_book(market, book.market)
    fine, count = book.market, bars.size
    last = parts[:, -1]
    low, high = fine.low[parts].min(axis=1), fine.high[parts].max(axis=1)
    close, volume = fine.close[last], fine.volume[parts].sum(axis=1)
    rings = heat_rings(book, last)
    row = np.arange(count)
    before, yesterday = row - 1, np.maximum(row - bars_a_day, -1)
    distance, from_day = _against(low, high, close, before), _against(low, high, close, yesterday)
    lowest = pd.Series(low).rolling(bars_a_day).min().shift().to_numpy()
    highest = pd.Series(high).rolling(bars_a_day).max().shift().to_numpy()
    fresh = np.stack((low < lowest, high > highest), axis=1)
    by_day = _against(lowest, highest, close, yesterday)
    scale = bars_a_day**-0.5
    volatility, quick = (_shifted(daily_volatility(fine, days)[last] * scale) for days in (VOLATILITY_DAYS, _QUICK_DAYS))
    activity = pd.Series(volume).rolling(bars_a_day).mean().shift().to_numpy()
    carried, touched = rings.between(before, np.zeros_like(distance), distance), rings.touched(before, volatility)
    with np.errstate(invalid="ignore"):
        usable = (_shifted(book.explained_share[last]) >= min_explained_share) & (volatility > 0) & (quick > 0) & (activity > 0)
    usable &= fine.observed[parts].all(axis=1) & market.observed[bars] & (volume > 0)
    usable &= ~np.isnan(np.concatenate((recorded[bars], distance, from_day, by_day, carried, touched), axis=1)).any(axis=1)
    reach = (np.abs(np.expm1(book.levels.shift)) * book.levels.share).sum(axis=2).mean(axis=0)
    return LiquidationCells(
        timestamp=market.timestamp[bars],
        bars_a_day=bars_a_day,
        usable=usable,
        rings=rings,
        recorded=recorded[bars],
        volume=volume,
        distance=distance,
        from_day=from_day,
        fresh=fresh,
        swept=book.swept[parts].sum(axis=1) * book.weights,
        level=reach,
        carried=carried,
        day_old=np.where(fresh, rings.between(yesterday, by_day, from_day), 0.0),
        volatility=volatility,
        quick=quick,
        activity=activity,
        touched=touched,
    )


def _bars_of_book(market: MarketFrame, fine: MarketFrame) -> tuple[IntArray1D, IntArray1D]:
    """Return the bars of `market` that the book covers, shape (n_bars,), and the bars of the book in each, shape (n_bars, n_parts)."""
    if market.symbol != fine.symbol:
        raise ConfigError(f"book: it is of {fine.symbol} while the liquidations are of {market.symbol}; reconstruct the same market")
    n_parts, rest = divmod(market.interval_ns, fine.interval_ns)
    if rest or (market.timestamp[0] - fine.timestamp[0]) % fine.interval_ns:
        raise ConfigError(f"book: bars of {market.interval} do not consist of its bars of {fine.interval}; use bars that divide them")
    first = (market.timestamp - fine.timestamp[0]) // fine.interval_ns
    bars = np.flatnonzero((first >= 0) & (first + n_parts <= fine.n_bars))
    if bars.size == 0:
        raise ConfigError(f"book: it covers {' to '.join(fine.span)}, the liquidations {' to '.join(market.span)}; use one span for both")
    return bars, first[bars, None] + np.arange(n_parts)


def _against(low: Float64Array1D, high: Float64Array1D, close: Float64Array1D, row: IntArray1D) -> Float64Array2D:
    """Return how far below the close of `row` the low is, and how far above it the high; NaN where `row` is negative."""
    start = np.where(row >= 0, close[row], np.nan)
    return np.maximum(np.log(np.stack((start / low, high / start), axis=1)), 0.0)


def _shifted(values: Float64Array1D) -> Float64Array1D:
    return np.append(np.nan, values[:-1])

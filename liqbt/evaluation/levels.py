"""Levels that have nothing to do with liquidations: round numbers, previous highs and lows, nodes of the volume profile.

All as known at the close of a bar. Conventions, fitted to nothing: they are what chart readers look at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.errors import ConfigError, did_you_mean
from liqbt.evaluation.context import Context
from liqbt.evaluation.volume_nodes import volume_nodes

__all__ = ["KINDS", "REACH", "LevelKind", "Levels", "levels_at", "nearest_levels", "round_step"]

LevelKind: TypeAlias = Literal["volume_profile", "extremes", "round_numbers"]
KINDS: Final[tuple[LevelKind, ...]] = ("volume_profile", "extremes", "round_numbers")

REACH: Final = 3.0
"""Levels farther from price than this many daily volatilities are left out."""

WEEK_HOURS: Final = 24 * 7.0
SWING_HOURS: Final = 6.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """Levels by bar. offsets: shape (n_bars_asked + 1,), rows of the i-th bar are offsets[i] to offsets[i + 1] - 1.

    price: shape (n_rows,), quote, in no order and perhaps more than once.
    """

    offsets: IntArray1D
    price: Float64Array1D

    @property
    def row(self) -> IntArray1D:
        """Which of the bars asked for each level is of, shape (n_rows,)."""
        return np.repeat(np.arange(self.offsets.size - 1), np.diff(self.offsets))

    def of(self, bars: IntArray1D) -> Levels:
        """Return the levels of some of the bars asked for, given by position, any number of times."""
        count = np.diff(self.offsets)[bars]
        offsets = np.concatenate(([0], np.cumsum(count)))
        return Levels(offsets=offsets, price=self.price[np.repeat(self.offsets[bars] - offsets[:-1], count) + np.arange(offsets[-1])])


def levels_at(context: Context, kind: LevelKind, bars: IntArray1D) -> Levels:
    """Return the levels of a kind within `REACH` of the close of each of the strictly ascending `bars`, as known then.

    round_numbers: whole multiples of the greatest 1, 2 or 5 times a power of ten that is at most a daily volatility. extremes: highest and
    lowest price of the last day, of the last week and of the UTC day before, and swing points of the last week: highs above
    and lows below all prices of the six hours before and after, known once those have passed. volume_profile: see `volume_nodes`.

    Raises ConfigError for another kind.
    """
    if kind == "round_numbers":
        return _round_numbers(context, bars)
    if kind == "extremes":
        return _extremes(context, bars)
    if kind == "volume_profile":
        nodes = volume_nodes(context, bars)
        return Levels(offsets=nodes.offsets, price=nodes.price)
    raise ConfigError(f"kind: there are no levels {kind!r}{did_you_mean(kind, KINDS)}")


def nearest_levels(
    context: Context, levels: Levels, bars: IntArray1D, direction: IntArray1D, away: Float64Array1D, band: float,
    barred: tuple[Float64Array1D, Float64Array1D],
) -> Float64Array1D:  # fmt: skip
    """Return for each bar the level whose distance is nearest `away` in ratio, at most `band` times as far or as near; NaN for none.

    levels: of these bars. away: daily volatilities in `direction`. barred: bounds of the prices between which no level counts, NaN for
    none. All but levels of shape (n,).
    """
    row = levels.row
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = direction[row] * np.log(levels.price / context.market.close[bars][row]) / context.sigma[bars][row]
        off = np.abs(np.log(distance / away[row]))
    inside = (levels.price >= barred[0][row]) & (levels.price <= barred[1][row])
    fits = (off <= np.log(band)) & ~inside
    row, off, price = row[fits], off[fits], levels.price[fits]
    best = np.lexsort((price, off, row))
    first = best[np.diff(row[best], prepend=-1) > 0]
    nearest = np.full(bars.size, np.nan)
    nearest[row[first]] = price[first]
    return nearest


def round_step(size: Float64Array1D) -> tuple[Float64Array1D, IntArray1D]:
    """Return the greatest of 1, 2, 5 times a power of ten that is at most `size`: mantissa and exponent, each of the shape of `size`."""
    exponent = np.floor(np.log10(size)).astype(np.int64)
    lead = size / 10.0**exponent
    exponent = np.where(lead < 1, exponent - 1, np.where(lead >= 10, exponent + 1, exponent))  # rounding of log10
    lead = size / 10.0**exponent
    return np.where(lead >= 5, 5.0, np.where(lead >= 2, 2.0, 1.0)), exponent


def _round_numbers(context: Context, bars: IntArray1D) -> Levels:
    close, sigma = context.market.close[bars], context.sigma[bars]
    known = sigma > 0
    mantissa, exponent = round_step(np.where(known, close * sigma, 1.0))
    step = mantissa * 10.0**exponent
    span = np.where(known, REACH * sigma, 0.0)
    first = np.ceil(close * np.exp(-span) / step).astype(np.int64)
    last = np.floor(close * np.exp(span) / step).astype(np.int64)
    count = np.where(known, last - first + 1, 0)
    offsets = np.concatenate(([0], np.cumsum(count)))
    row = np.repeat(np.arange(bars.size), count)
    whole = mantissa[row] * (first[row] + np.arange(row.size) - offsets[row])
    scale = exponent[row]
    # dividing by a whole power of ten rounds once: 3 x 0.1 is not 0.3
    return Levels(offsets=offsets, price=np.where(scale < 0, whole / 10.0 ** np.maximum(-scale, 0), whole * 10.0 ** np.maximum(scale, 0)))


def _extremes(context: Context, bars: IntArray1D) -> Levels:
    market = context.market
    week, day, half = (context.bars(max(hours, market.interval_ns / 3600e9)) for hours in (WEEK_HOURS, 24.0, SWING_HOURS))
    fixed = [_trailing(values, size, top)[bars] for size in (day, week) for values, top in ((market.high, True), (market.low, False))]
    fixed += [values[bars] for values in _day_before(context)]
    swings = [(at, values[at]) for values, top in ((market.high, True), (market.low, False)) for at in [_swings(values, half, top)]]
    begins = [np.searchsorted(at, bars - week, side="right") for at, _ in swings]
    counts = [np.searchsorted(at, bars - half, side="right") - begin for (at, _), begin in zip(swings, begins, strict=True)]
    rows = np.concatenate([np.tile(np.arange(bars.size), len(fixed)), *(np.repeat(np.arange(bars.size), count) for count in counts)])
    price = np.concatenate([*fixed, *(
        values[np.repeat(begin, count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)]
        for (_, values), begin, count in zip(swings, begins, counts, strict=True)
    )])  # fmt: skip
    close, sigma = market.close[bars][rows], context.sigma[bars][rows]
    kept = (np.abs(np.log(price / close)) <= REACH * sigma) & (sigma > 0)
    rows, price = rows[kept], price[kept]
    order = np.argsort(rows, kind="stable")
    return Levels(offsets=np.searchsorted(rows[order], np.arange(bars.size + 1)), price=price[order])


def _trailing(values: Float64Array1D, size: int, top: bool) -> Float64Array1D:
    """Return the highest or lowest of the last `size` values, the own one included, shape of `values`."""
    filtered = maximum_filter1d if top else minimum_filter1d
    edge = -np.inf if top else np.inf
    return np.asarray(filtered(values, size, mode="constant", cval=edge, origin=(size - 1) // 2))  # a window that ends at the value


def _day_before(context: Context) -> tuple[Float64Array1D, Float64Array1D]:
    """Return the highest and lowest price of the UTC day before that of each bar, NaN where it was not recorded, shape (n_bars,)."""
    market = context.market
    day = market.timestamp // (24 * 3600 * 10**9)  # the day in which a bar trades, not that in which it is known
    known, first = np.unique(day, return_index=True)
    high, low = np.maximum.reduceat(market.high, first), np.minimum.reduceat(market.low, first)
    before = np.searchsorted(known, day - 1)
    found = known[before] == day - 1
    return np.where(found, high[before], np.nan), np.where(found, low[before], np.nan)


def _swings(values: Float64Array1D, half: int, top: bool) -> IntArray1D:
    """Return where a value is the highest, or lowest, of the `half` before and after it; ties are swings too."""
    filtered = maximum_filter1d if top else minimum_filter1d
    is_swing: BoolArray1D = values == filtered(values, 2 * half + 1, mode="nearest")
    is_swing[:half] = False
    is_swing[values.size - half :] = False
    return np.flatnonzero(is_swing)

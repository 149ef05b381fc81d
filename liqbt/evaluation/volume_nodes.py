"""Nodes of the trailing volume profile: the prices at which much was traded lately."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.evaluation.context import Context
from liqbt.market import MarketFrame

__all__ = ["VolumeNodes", "traded_by_price", "volume_nodes"]

BIN_BPS: Final = 10.0
DAYS: Final = 7.0
REACH, APART, SMOOTH = 3.0, 0.25, 0.1  # daily volatilities
MOST: Final = 32  # nodes of a bar: two of them are more than APART from each other


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeNodes:
    """Nodes by bar. offsets: shape (n_bars_asked + 1,), rows of the i-th bar are offsets[i] to offsets[i + 1] - 1.

    price: shape (n_rows,), quote, ascending within a bar. weight: shape (n_rows,), base, smoothed volume of its bin, discounted by
    distance: at d daily volatilities it counts exp(-d). above, below: shape (n_bars_asked,), base, discounted volume on each side.
    """

    offsets: IntArray1D
    price: Float64Array1D
    weight: Float64Array1D
    above: Float64Array1D
    below: Float64Array1D


def volume_nodes(context: Context, bars: IntArray1D, *, days: float = DAYS) -> VolumeNodes:
    """Return the nodes of the volume profile of the last `days` within 3 daily volatilities of each close of the strictly ascending `bars`.

    The profile is that of recorded trades, or each bar's volume spread evenly in log price from low to high, in bins of 10 bps,
    smoothed by a triangle that reaches 0.1 daily volatilities to each side. A node is a bin that none within 0.25 daily volatilities
    tops, and that holds more than the mean of all bins within reach. Known at the close of the bar; none where volatility is not
    known. All numbers are conventions.
    """
    market, sigma = context.market, context.sigma
    width, offsets, place, amount = traded_by_price(market, BIN_BPS)
    centre = np.floor(np.log(market.close) / width).astype(np.int64)
    known = sigma > 0
    scale = np.where(known, sigma, width) / width
    reach, apart, half = (np.maximum(1, np.round(share * scale)).astype(np.int64) for share in (REACH, APART, SMOOTH))
    margin = int((reach + apart + half).max()) + 1
    origin = int(min(place.min(initial=centre.min()), centre.min())) - margin
    size = int(max(place.max(initial=centre.max()), centre.max())) - origin + margin + 1
    wanted = np.zeros(market.n_bars, np.bool_)
    wanted[bars] = known[bars]
    rows, count, sides = np.empty((bars.size * MOST, 2)), np.zeros(market.n_bars, np.int64), np.zeros((market.n_bars, 2))
    window = context.bars(max(days * 24, market.interval_ns / 3600e9))
    _walk(offsets, place - origin, amount, size, window, wanted, centre - origin, reach, apart, half, 1 / scale, rows, count, sides)
    found = rows[: count.sum()]
    return VolumeNodes(
        offsets=np.concatenate(([0], np.cumsum(count[bars]))),
        price=np.exp((found[:, 0] + origin + 0.5) * width),
        weight=found[:, 1].copy(),
        below=sides[bars, 0],
        above=sides[bars, 1],
    )


def traded_by_price(market: MarketFrame, bin_bps: float) -> tuple[float, IntArray1D, IntArray1D, Float64Array1D]:
    """Return width of the bins in log price, and offsets, bins and amounts (base) of what each bar traded, as in `VolumeProfile`.

    Recorded trades win; a profile in wider bins than asked for stays as it is.
    """
    width = float(np.log1p(bin_bps * 1e-4))
    profile = market.volume_profile
    if profile is not None:
        profile = profile if profile.width >= width else profile.in_bins(bin_bps)
        return profile.width, profile.offsets, profile.bin, profile.buy + profile.sell
    low, high = np.log(market.low) / width, np.log(market.high) / width
    first, last = np.floor(low).astype(np.int64), np.floor(high).astype(np.int64)
    count = last - first + 1
    offsets = np.concatenate(([0], np.cumsum(count)))
    row = np.repeat(np.arange(market.n_bars), count)
    place = first[row] + np.arange(row.size) - offsets[row]
    span = (high - low)[row]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (np.minimum(place + 1, high[row]) - np.maximum(place, low[row])) / span
    return width, offsets, place, market.volume[row] * np.where(span > 0, share, 1.0)


@kernel
def _walk(
    offsets: IntArray1D, place: IntArray1D, amount: Float64Array1D, size: int, window: int, wanted: BoolArray1D, centre: IntArray1D,
    reach: IntArray1D, apart: IntArray1D, half: IntArray1D, nearer: Float64Array1D, rows: Float64Array2D, count: IntArray1D,
    sides: Float64Array2D,
) -> None:  # fmt: skip
    """Carry the profile of the last `window` bars along, and write the nodes around the close of each wanted bar.

    offsets, place, amount: what was traded, in bins 0 to size - 1, of which the outer ones, as many as any bar looks beyond its close,
    are empty. centre, reach, apart, half, nearer: shape (n_bars,), bin of the close, bins within reach on each side, bins that a node
    tops, bins of the triangle on each side, share of a daily volatility that a bin is.
    Out: rows, (bin, weight) of the nodes one after the other; count, shape (n_bars,); sides, shape (n_bars, 2), discounted volume
    below and above.
    """
    profile, smooth = np.zeros(size), np.zeros(size)
    n = 0
    for t in range(count.size):
        for i in range(offsets[t], offsets[t + 1]):
            profile[place[i]] += amount[i]
        if t >= window:
            for i in range(offsets[t - window], offsets[t - window + 1]):
                profile[place[i]] = max(0.0, profile[place[i]] - amount[i])  # never below 0 by rounding
        if not wanted[t]:
            continue
        h = half[t]
        lo, hi = centre[t] - reach[t], centre[t] + reach[t]
        for j in range(lo - apart[t], hi + apart[t] + 1):
            smooth[j] = 0.0
            for k in range(-h, h + 1):
                smooth[j] += (h + 1 - abs(k)) * profile[j + k]
            smooth[j] /= (h + 1) ** 2
        total = 0.0
        for j in range(lo, hi + 1):
            total += smooth[j]
        discount = 1.0
        for k in range(1, reach[t] + 1):
            discount *= np.exp(-nearer[t])
            sides[t, 0] += discount * profile[centre[t] - k]
            sides[t, 1] += discount * profile[centre[t] + k]
        mean = total / (2 * reach[t] + 1)
        for j in range(lo, hi + 1):
            if smooth[j] <= mean:
                continue
            top = True
            for other in range(j - apart[t], j + apart[t] + 1):
                if smooth[other] > smooth[j] or (smooth[other] == smooth[j] and other < j):
                    top = False
                    break
            if top:
                rows[n, 0], rows[n, 1] = j, smooth[j] * np.exp(-abs(j - centre[t]) * nearer[t])
                n += 1
                count[t] += 1

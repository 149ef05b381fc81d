"""How much the map holds within each distance of price, at chosen bar closes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import erfc

from liqbt._typing import SIDES, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.book.reconstruct import Reconstruction

__all__ = ["HeatRings", "heat_rings"]

_DISTANCES: Final = np.concatenate(([0.0], np.geomspace(2e-4, 0.3, 100)))
"""Log price. The ends are less than any liquidation distance in use and about where the book's grid ends; rings are 7 % wide."""


@dataclass(frozen=True, kw_only=True, eq=False)
class HeatRings:
    """Heat around price: what would be liquidated on the way from a close to some distance, as known at that close.

    distance: shape (n_distances,), log price, ascending from 0. within: shape (n_rows, 2, n_distances), base.
    """

    distance: Float64Array1D
    within: Float64Array3D

    def between(self, row: IntArray1D, near: Float64Array2D, far: Float64Array2D) -> Float64Array2D:
        """Return the heat between two log distances from the close of each row, shapes (n, 2), base; NaN where `row` is negative.

        Distances beyond the last ring count as that. Heat lies evenly within a ring.
        """
        return self._within(row, far) - self._within(row, np.minimum(near, far))

    def touched(self, row: IntArray1D, volatility: Float64Array1D) -> Float64Array2D:
        """Return the heat that price is expected to reach next, shape (n, 2), base; NaN where `row` is negative.

        volatility: shape (n,), standard deviation of log price over the time to come. A Brownian path reaches a distance d with
        probability erfc(d / (volatility √2)), by the reflection principle, and each ring counts with that.
        """
        middle = (self.distance[1:] + self.distance[:-1]) / 2
        with np.errstate(divide="ignore"):  # price that never moved reaches nothing
            chance = erfc(middle / (np.sqrt(2.0) * volatility[:, None]))
        heat = np.diff(self.within[row], axis=2) @ chance[:, :, None]
        return np.where(row[:, None] >= 0, heat[:, :, 0] + self.within[row][:, :, 0], np.nan)

    def _within(self, row: IntArray1D, distance: Float64Array2D) -> Float64Array2D:
        known = np.where(np.isnan(distance), 0.0, distance)
        ring = np.clip(np.searchsorted(self.distance, known, side="right") - 1, 0, self.distance.size - 2)
        inner, outer = self.distance[ring], self.distance[ring + 1]
        share = np.minimum((known - inner) / (outer - inner), 1.0)
        side = np.arange(len(SIDES))
        low, high = self.within[row[:, None], side, ring], self.within[row[:, None], side, ring + 1]
        return np.where((row[:, None] >= 0) & ~np.isnan(distance), low + share * (high - low), np.nan)


def heat_rings(book: Reconstruction, bars: IntArray1D) -> HeatRings:
    """Return the heat around the close of some bars of the book, a row for each; memory does not grow with the map's height.

    bars: shape (n_rows,), ascending numbers of bars. Longs count downwards from the close and shorts upwards; the little that stands
    on the wrong side of it, in the bin that holds the close, counts as at distance 0.
    """
    grid, market = book.grid, book.market
    half = math.ceil(_DISTANCES[-1] / grid.width) + 1
    wanted = np.full(market.n_bars, -1, dtype=np.int64)
    wanted[bars] = grid.bin_of(market.close[bars]) - half
    within = np.empty((bars.size, 2, _DISTANCES.size))
    done = 0
    for heat in book.snapshots(wanted, 2 * half + 1):
        rows = slice(done, done + heat.shape[0])
        here = np.log(market.close[bars[rows]]) / grid.width - grid.origin - wanted[bars[rows]]  # of the close, in bins of its window
        below = np.concatenate((np.zeros((heat.shape[0], 2, 1)), np.cumsum(heat, axis=2)), axis=2)
        for side, away in enumerate((-_DISTANCES, _DISTANCES)):
            place = here[:, None] + away / grid.width
            full = np.clip(np.floor(place).astype(np.int64), 0, 2 * half)
            row = np.arange(heat.shape[0])[:, None]
            reached = below[row, side, full] + (place - full) * heat[row, side, full]
            within[rows, side] = below[:, side, -1:] - reached if side == 0 else reached
        done = rows.stop
    return HeatRings(distance=_DISTANCES, within=within)

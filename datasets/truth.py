"""What no venue publishes: who holds what, where each position would be liquidated, and what ended it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from liqbt._time import format_ns
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.errors import ConfigError

__all__ = ["SyntheticTruth", "TrueHeat"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrueHeat:
    """The true map at some instants: what would be liquidated at which price if the mark went there straight, and nothing else happened.

    Positions with a stop are not in it, for they close before; those that will add margin are where they are liquidated after
    that. Hedged holders are not in it, nor longs whose margin lasts down to a small fraction of the lowest price.

    timestamp: shape (n_times,), UTC nanoseconds, the bar closes at which the snapshots were taken.
    width: of a bin, in log price; bin i holds log prices [i width, (i + 1) width), as in a book with the same `bin_bps`.
    offsets: shape (2 n_times + 1,); the cells of snapshot t are `offsets[2 t]` to `offsets[2 t + 1] - 1` for longs, then shorts.
    bin, amount (base): shape (n_cells,), bins ascending within a snapshot and side. All read-only.
    """

    timestamp: IntArray1D
    width: float
    offsets: IntArray1D
    bin: IntArray1D
    amount: Float64Array1D

    def edges(self, low: float, high: float) -> Float64Array1D:
        """Return the edges of the bins that hold the prices from `low` to `high`, quote; raises ConfigError where they are no range."""
        if not 0 < low < high < np.inf:
            raise ConfigError(f"low: {low!r} must be above 0 and below high {high!r}")
        first, last = np.floor(np.log([low, high]) / self.width)
        return np.exp(np.arange(first, last + 2) * self.width)

    def intensity(self, price_edges: Float64Array1D, timestamp: IntArray1D | None = None) -> Float64Array3D:
        """Return the map in base, shape (n_times, 2, n_prices), [long, short], as `Heatmap.intensity` has it.

        price_edges: quote, ascending edges of bins of this map or of whole groups of them, such as those of a `Heatmap` whose
        `bin_bps` is a multiple of `truth_bin_bps`. timestamp: UTC nanoseconds of snapshots, in any order; None for all.
        Raises ConfigError for other edges, and for an instant that has no snapshot.
        """
        rows = self._rows(timestamp)
        place = np.log(np.asarray(price_edges, dtype=np.float64)) / self.width
        edge = np.rint(place).astype(np.int64)
        wrong = np.abs(place - edge) > 1e-3
        if wrong.any() or (np.diff(edge) <= 0).any() or edge.size < 2:
            value = np.asarray(price_edges)[int(wrong.argmax())] if edge.size else None
            raise ConfigError(
                f"price_edges: {value!r} is no edge of bins of {np.expm1(self.width) * 1e4:.4g} basis points, or they do not ascend; use "
                "those of a map with a multiple of truth_bin_bps"
            )
        out = np.zeros((rows.size, 2, edge.size - 1))
        for place_out, row in enumerate(rows):
            for side in range(2):
                cells = slice(int(self.offsets[2 * row + side]), int(self.offsets[2 * row + side + 1]))
                column = np.searchsorted(edge, self.bin[cells], side="right") - 1
                inside = (column >= 0) & (column < edge.size - 1)
                out[place_out, side] = np.bincount(column[inside], weights=self.amount[cells][inside], minlength=edge.size - 1)
        return out

    @property
    def total(self) -> Float64Array2D:
        """All that could be liquidated of each side, shape (n_times, 2), base."""
        sums = np.concatenate([[0.0], np.cumsum(self.amount)])
        return np.diff(sums[self.offsets]).reshape(-1, 2)

    def _rows(self, timestamp: IntArray1D | None) -> IntArray1D:
        if timestamp is None:
            return np.arange(self.timestamp.size)
        wanted = np.asarray(timestamp, dtype=np.int64)
        rows = np.minimum(np.searchsorted(self.timestamp, wanted), self.timestamp.size - 1)
        missing = self.timestamp[rows] != wanted
        if missing.any():
            raise ConfigError(
                f"timestamp: the true map has no snapshot of {format_ns(int(wanted[int(missing.argmax())]))}; "
                "simulate with a truth_every that divides the cadence"
            )
        return rows


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticTruth:
    """What no venue publishes. Read-only arrays over the recorded bars; the `side` axis is long, short.

    leverages, weights: shape (n_leverages,), ascending leverages and the probability that a trader asks for each.
    entries, topped_up: shape (2, n_leverages), number of leveraged positions opened, and of those that added margin.
    opened, closed, liquidated: base, shape (n_bars, 2, n_leverages), by leveraged traders; after what brackets allow.
    stopped: the part of `closed` that stop losses did, same shape.
    hedged_opened, hedged_closed: base, shape (n_bars, 2), by hedged accounts.
    crowd: base, shape (n_bars, 2), leveraged positions live at each bar's end.
    holders: base, shape (n_bars, 2), leveraged and hedged positions live at each bar's end; recorded open interest is the
    larger of its two sides, for the market maker holds the difference.
    heat: the true map at the cadence that was asked for, or None.
    bursts: of liquidations, one row each: timestamp (end of the step), side (of the positions), notional (quote) of the last
    minutes; from each on, price turns where reversal is switched on.
    live: leveraged positions live at the end of the last bar, one row each: opened_at (may be before the first bar), side,
    leverage, amount (base), entry_price, margin (quote), cross, liquidation_price (quote, null where there is none), stop_price,
    top_up_price (null where there is none, or it has happened), and final_price: where a straight move would liquidate it after its
    top-up, null for those with a stop.
    """

    leverages: Float64Array1D
    weights: Float64Array1D
    entries: IntArray1D
    topped_up: IntArray1D
    opened: Float64Array3D
    closed: Float64Array3D
    liquidated: Float64Array3D
    stopped: Float64Array3D
    hedged_opened: Float64Array2D
    hedged_closed: Float64Array2D
    crowd: Float64Array2D
    holders: Float64Array2D
    heat: TrueHeat | None
    bursts: pl.DataFrame
    live: pl.DataFrame

    def __post_init__(self) -> None:
        for part in (self, self.heat):
            for value in vars(part).values() if part is not None else ():
                if isinstance(value, np.ndarray):
                    value.setflags(write=False)

    @property
    def effective_mix(self) -> Float64Array1D:
        """Share of the amount opened by leverage, shape (n_leverages,): large positions get less leverage than they ask for."""
        opened = self.opened.sum(axis=(0, 1))
        return np.asarray(opened / opened.sum() if opened.any() else self.weights)

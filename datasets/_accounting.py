"""Sums of positions over bars: what was opened, closed and liquidated, and what that makes of open interest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqbt._typing import LONG, SHORT, BoolArray1D, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D

from ._kernels import CLOSED, LIQUIDATED, LIVE
from ._traders import Positions
from .params import SyntheticParams

__all__ = ["Flows", "bar_of_step", "sum_flows"]


@dataclass(frozen=True, kw_only=True)
class Flows:
    """Sums a bar over all bars, warm-up first.

    opened, closed, liquidated: base, shape (n_bars, 2, n_tiers). live: base, shape (n_bars, 2), at each bar's end.
    bought, sold: base, shape (n_bars,), taken from the market maker. value: quote, shape (n_bars,), of both together.
    orders: shape (n_bars,), their count.
    """

    opened: Float64Array3D
    closed: Float64Array3D
    liquidated: Float64Array3D
    live: Float64Array2D
    bought: Float64Array1D
    sold: Float64Array1D
    value: Float64Array1D
    orders: IntArray1D


def bar_of_step(params: SyntheticParams, step: IntArray1D) -> IntArray1D:
    """Return the bar that each step (1 is the first) lies in; -1 for step 0, the state before the first bar."""
    return np.asarray((step - 1) // params.steps_per_bar, dtype=np.int64)


def sum_flows(params: SyntheticParams, positions: Positions, n_tiers: int) -> Flows:
    """Return what `positions` did in each bar. Every order is taken against the market maker, so volume counts each once."""
    shape = (params.n_warmup_bars + params.n_bars, 2, n_tiers)
    opened_bar = bar_of_step(params, positions.opened_at)
    ended_bar = bar_of_step(params, positions.ended_at)
    cell = positions.side * n_tiers + positions.tier

    def summed(bar: IntArray1D, which: BoolArray1D) -> Float64Array3D:
        at = bar[which] * (2 * n_tiers) + cell[which]
        return _binned(at, positions.amount[which], shape[0] * 2 * n_tiers).reshape(shape)

    began = opened_bar >= 0
    closed, liquidated = positions.fate == CLOSED, positions.fate == LIQUIDATED
    ended = positions.fate != LIVE
    flows = summed(opened_bar, began), summed(ended_bar, closed), summed(ended_bar, liquidated)
    entered, left, killed = (flow.sum(axis=2) for flow in flows)
    before = _binned(positions.side[~began], positions.amount[~began], 2)
    entry_value, exit_value = positions.amount * positions.entry_price, positions.amount * positions.exit_price
    return Flows(
        opened=flows[0],
        closed=flows[1],
        liquidated=flows[2],
        # sums of whole lots are far below 2 ** 53 lots; rounding away the last bits keeps the long sum from drifting
        live=np.round(before + np.cumsum(entered - left - killed, axis=0), 9),
        bought=entered[:, LONG] + left[:, SHORT] + killed[:, SHORT],
        sold=entered[:, SHORT] + left[:, LONG] + killed[:, LONG],
        value=_binned(opened_bar[began], entry_value[began], shape[0]) + _binned(ended_bar[ended], exit_value[ended], shape[0]),
        orders=np.bincount(opened_bar[began], minlength=shape[0]) + np.bincount(ended_bar[ended], minlength=shape[0]),
    )


def _binned(at: IntArray1D, weights: Float64Array1D, size: int) -> Float64Array1D:
    return np.bincount(at, weights=weights, minlength=size).astype(np.float64)

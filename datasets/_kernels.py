"""The compiled loops of the synthetic market."""

from __future__ import annotations

import heapq
from typing import Final

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Int8Array1D, IntArray1D

__all__ = ["CLOSED", "LIQUIDATED", "LIVE", "autoregress", "settle"]

LIVE: Final = 0
CLOSED: Final = 1
LIQUIDATED: Final = 2


@kernel
def autoregress(first: float, persistence: float, shocks: Float64Array1D, out: Float64Array1D) -> None:
    """Fill `out` with `out[t] = persistence * out[t - 1] + shocks[t]`, `first` before it; all of shape (n,)."""
    value = first
    for step in range(shocks.size):
        value = persistence * value + shocks[step]
        out[step] = value


@kernel
def settle(
    price: Float64Array1D,
    opened_at: IntArray1D,
    due_at: IntArray1D,
    by_due: IntArray1D,
    is_long: BoolArray1D,
    liquidation_price: Float64Array1D,
    fate: Int8Array1D,
    ended_at: IntArray1D,
) -> None:
    """Walk down the price path and end positions; `fate` and `ended_at` are filled, of shape (n_positions,).

    price: quote, shape (n_steps + 1,); step k moves from price[k - 1] to price[k].
    opened_at: step at whose end each position opens, ascending. due_at: step at whose end it closes, later than opened_at.
    by_due: positions in ascending due_at.
    fate: LIVE before, then CLOSED or LIQUIDATED. ended_at: the step of it, untouched for live positions.

    Within a step: the price moves, whatever it reaches is liquidated, what is due closes, new positions open.
    """
    # (key, position), the position nearest to liquidation on top; closed positions stay inside until they are passed
    longs = [(0.0, 0)]
    shorts = [(0.0, 0)]
    longs.pop()
    shorts.pop()
    count = opened_at.size
    opening = 0
    closing = 0
    for step in range(1, price.size):
        now = price[step]
        while len(longs) > 0 and -longs[0][0] >= now:
            position = heapq.heappop(longs)[1]
            if fate[position] == LIVE:
                fate[position] = LIQUIDATED
                ended_at[position] = step
        while len(shorts) > 0 and shorts[0][0] <= now:
            position = heapq.heappop(shorts)[1]
            if fate[position] == LIVE:
                fate[position] = LIQUIDATED
                ended_at[position] = step
        while closing < count and due_at[by_due[closing]] <= step:
            position = by_due[closing]
            if fate[position] == LIVE:
                fate[position] = CLOSED
                ended_at[position] = step
            closing += 1
        while opening < count and opened_at[opening] <= step:
            if is_long[opening]:
                heapq.heappush(longs, (-liquidation_price[opening], opening))
            else:
                heapq.heappush(shorts, (liquidation_price[opening], opening))
            opening += 1

"""Compiled passes over trades and bars.

A pass carries its open bar in small state arrays, so that trades that come in batches go through the very same additions in the
very same order as trades that come at once: what is handed out does not depend on where the batches were cut.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D

__all__ = ["IntArray2D", "build_bars", "build_profile", "plus", "sum_runs"]

IntArray2D: TypeAlias = NDArray[np.int64]


@kernel
def plus(total: float, rest: float, value: float) -> tuple[float, float]:
    """Add to a sum that is kept as `total + rest`, where `rest` holds what rounding lost (Neumaier 1974)."""
    new = total + value
    if abs(total) >= abs(value):
        return new, rest + ((total - new) + value)
    return new, rest + ((value - new) + total)


@kernel
def sum_runs(values: Float64Array1D, first: IntArray1D, out: Float64Array1D) -> None:
    """Fill `out` with the sum of each run of `values`; `first` (n_runs + 1,) is where runs begin, and the end."""
    for run in range(out.size):
        total, rest = 0.0, 0.0
        for i in range(first[run], first[run + 1]):
            total, rest = plus(total, rest, values[i])
        out[run] = total + rest


@kernel
def build_bars(
    start: int,
    timestamp: IntArray1D,
    available: IntArray1D,
    price: Float64Array1D,
    amount: Float64Array1D,
    buy: BoolArray1D,
    step: int,
    anchor: int,
    late: int,
    clocks: IntArray1D,
    values: Float64Array1D,
    out_clocks: IntArray2D,
    out_values: Float64Array2D,
) -> tuple[int, int]:
    """Pass over the trades from `start` on; return the trade that was reached and the bars that were closed.

    State, updated in place: clocks (3,) open of the bar, trades in it, latest `available`; values (10,) open, high, low,
    close, then total and rest of volume, quote volume and taker buy volume. No trades: no bar is open.
    Out: out_clocks (n, 3) open, known at, trades; out_values (n, 7). The pass stops short of the end where these are full.
    """
    bar, trades, known = clocks[0], clocks[1], clocks[2]
    open_, high, low, close = values[0], values[1], values[2], values[3]
    volume, volume_rest, quote, quote_rest, bought, bought_rest = values[4], values[5], values[6], values[7], values[8], values[9]
    rows, i = 0, start
    while i < timestamp.size:
        if trades > 0 and timestamp[i] >= bar + step:
            if rows == out_clocks.shape[0]:
                break
            out_clocks[rows, 0], out_clocks[rows, 2] = bar, trades
            out_clocks[rows, 1] = known if known > bar + step + late else bar + step
            out_values[rows, 0], out_values[rows, 1], out_values[rows, 2], out_values[rows, 3] = open_, high, low, close
            out_values[rows, 4], out_values[rows, 5] = volume + volume_rest, quote + quote_rest
            out_values[rows, 6] = bought + bought_rest
            rows += 1
            trades = 0
        paid = price[i]
        if trades == 0:
            bar = (timestamp[i] - anchor) // step * step + anchor
            known = available[i]
            open_, high, low = paid, paid, paid
            volume, volume_rest, quote, quote_rest, bought, bought_rest = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        trades += 1
        known = max(known, available[i])
        high, low, close = max(high, paid), min(low, paid), paid
        volume, volume_rest = plus(volume, volume_rest, amount[i])
        quote, quote_rest = plus(quote, quote_rest, amount[i] * paid)
        if buy[i]:
            bought, bought_rest = plus(bought, bought_rest, amount[i])
        i += 1
    clocks[0], clocks[1], clocks[2] = bar, trades, known
    values[0], values[1], values[2], values[3] = open_, high, low, close
    values[4], values[5], values[6], values[7], values[8], values[9] = volume, volume_rest, quote, quote_rest, bought, bought_rest
    return i, rows


@kernel
def build_profile(
    start: int,
    timestamp: IntArray1D,
    available: IntArray1D,
    price: Float64Array1D,
    amount: Float64Array1D,
    buy: BoolArray1D,
    step: int,
    anchor: int,
    late: int,
    width: float,
    base: int,
    clocks: IntArray1D,
    held: Float64Array2D,
    out_clocks: IntArray2D,
    out_amounts: Float64Array2D,
) -> tuple[int, int]:
    """Pass over the trades from `start` on; return the trade that was reached and the rows that were written.

    width: of a bin, in log price. base: number of the bin that column 0 of `held` stands for; `held` covers every price.
    State, updated in place: clocks (4,) open of the bar, latest `available`, lowest and highest column touched (highest below
    lowest: no bar is open); held (4, n_bins) total and rest of what takers bought and sold in each bin.
    Out, a row for each bin of a closed bar in which anything traded, bins ascending: out_clocks (n, 3) open, known at, bin;
    out_amounts (n, 2) bought, sold. The pass stops short of the end where these may not hold the next bar.
    """
    bar, known, lowest, highest = clocks[0], clocks[1], clocks[2], clocks[3]
    rows, i = 0, start
    last_price, column = -1.0, 0
    while i < timestamp.size:
        if highest >= lowest and timestamp[i] >= bar + step:
            if rows + highest - lowest + 1 > out_clocks.shape[0]:
                break
            close = bar + step
            for j in range(lowest, highest + 1):
                bought, sold = held[0, j] + held[1, j], held[2, j] + held[3, j]
                if bought + sold > 0.0:
                    out_clocks[rows, 0], out_clocks[rows, 2] = bar, base + j
                    out_clocks[rows, 1] = known if known > close + late else close
                    out_amounts[rows, 0], out_amounts[rows, 1] = bought, sold
                    rows += 1
                held[0, j], held[1, j], held[2, j], held[3, j] = 0.0, 0.0, 0.0, 0.0
            lowest, highest = 0, -1
        if price[i] != last_price:  # most trades print where the one before did
            last_price = price[i]
            column = math.floor(math.log(last_price) / width) - base
        if highest < lowest:
            bar = (timestamp[i] - anchor) // step * step + anchor
            known = available[i]
            lowest, highest = column, column
        known = max(known, available[i])
        lowest, highest = min(lowest, column), max(highest, column)
        total = 0 if buy[i] else 2
        held[total, column], held[total + 1, column] = plus(held[total, column], held[total + 1, column], amount[i])
        i += 1
    clocks[0], clocks[1], clocks[2], clocks[3] = bar, known, lowest, highest
    return i, rows

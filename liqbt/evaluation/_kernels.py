"""Where price stops: the compiled walk from an event to the first barrier that it meets."""

from __future__ import annotations

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Int8Array1D, IntArray1D

__all__ = ["BOTH", "LOWER", "NONE", "UPPER", "stop_at_barriers"]

NONE, UPPER, LOWER, BOTH = 0, 1, 2, 3


@kernel
def stop_at_barriers(
    open_: Float64Array1D, high: Float64Array1D, low: Float64Array1D, close: Float64Array1D,
    start: IntArray1D, horizon: int, upper: Float64Array1D, lower: Float64Array1D,
    met: Int8Array1D, price: Float64Array1D, bars: IntArray1D,
) -> None:  # fmt: skip
    """Follow price from the open of bar `start` until it meets a barrier or `horizon` bars have passed.

    open_, high, low, close: shape (n_bars,). start, upper, lower: shape (n_events,); NaN for no barrier; start + horizon <= n_bars.
    Out, shape (n_events,): met; price at which it stopped: the barrier, the open where that lay beyond it (so that a martingale
    stays one), the middle of the barriers where one bar holds both and nobody knows which came first, else the last close; bars
    until then, 1 for the first.
    """
    for i in range(start.size):
        first = start[i]
        met[i], price[i], bars[i] = NONE, close[first + horizon - 1], horizon
        for t in range(first, first + horizon):
            if t > first and open_[t] >= upper[i]:
                met[i], price[i] = UPPER, open_[t]
            elif t > first and open_[t] <= lower[i]:
                met[i], price[i] = LOWER, open_[t]
            elif high[t] >= upper[i] and low[t] <= lower[i]:
                met[i], price[i] = BOTH, 0.5 * (upper[i] + lower[i])
            elif high[t] >= upper[i]:
                met[i], price[i] = UPPER, upper[i]
            elif low[t] <= lower[i]:
                met[i], price[i] = LOWER, lower[i]
            if met[i] != NONE:
                bars[i] = t - first + 1
                break

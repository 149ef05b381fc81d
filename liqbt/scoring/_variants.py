"""The fill loop over many variants at once, each on its own, on all cores."""

from __future__ import annotations

from typing import Any

import numba

from liqbt._jit import parallel_kernel
from liqbt._typing import Float64Array2D, Float64Array3D, Float64Array4D, Int8Array1D, IntArray1D
from liqbt.scoring._kernels import fill_orders

__all__ = ["fill_variants"]


@parallel_kernel
def fill_variants(
    bars: Any, arrivals: Any, distance: Float64Array2D, books: Float64Array4D, venues: Any, brackets: Float64Array3D,
    wishes: Any, offsets: IntArray1D, settings: Any, orders: Any, trades: Any, equity: Any, position: Int8Array1D, out: Float64Array2D,
) -> None:  # fmt: skip
    """Fill `out`, shape (n_variants, 8): status, trades, equity, total, squares, drawdown, held, rejected of each variant's `Tally`.

    wishes: of all variants, one after the other; those of variant k are offsets[k] to offsets[k + 1]. orders, trades, equity, position:
    empty, for nothing is written. The rest as in `fill_orders`.
    """
    for k in numba.prange(offsets.size - 1):
        tally = fill_orders(
            bars,
            arrivals,
            distance,
            books,
            venues,
            brackets,
            wishes[offsets[k] : offsets[k + 1]],
            settings,
            orders,
            trades,
            equity,
            position,
        )
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = tally.status, tally.trades, tally.equity, tally.total
        out[k, 4], out[k, 5], out[k, 6], out[k, 7] = tally.squares, tally.drawdown, tally.held, tally.rejected

"""What a vectorbt user would do with many variants: its own compiled simulation, one column at a time, on all cores."""

from __future__ import annotations

import numba
import numpy as np
from vectorbt.portfolio.enums import DirectionConflictMode, OppositeEntryMode, SizeType, StopEntryPrice, StopExitPrice
from vectorbt.portfolio.nb import simulate_from_signals_nb

_SHAPE = (1, 1)  # of values for all bars; a parallel loop makes numbers of arrays without dimensions
_NONE, _TRUE = np.full(_SHAPE, False), np.full(_SHAPE, True)
_INF, _NAN, _ZERO = np.full(_SHAPE, np.inf), np.full(_SHAPE, np.nan), np.full(_SHAPE, 0.0)
_SIZE_TYPE = np.full(_SHAPE, SizeType.Amount)
_CONFLICT, _OPPOSITE = np.full(_SHAPE, DirectionConflictMode.Ignore), np.full(_SHAPE, OppositeEntryMode.Reverse)
_FROM_FILL, _AT_LIMIT = np.full(_SHAPE, StopEntryPrice.FillPrice), np.full(_SHAPE, StopExitPrice.StopLimit)
_MODE, _DIRECTION = np.full(_SHAPE, 0), np.full(_SHAPE, 2)


@numba.njit(parallel=True)
def simulate_columns(open_, high, low, close, long, short, stop, target, fees, slippage, cash, counts):
    """Fill `counts` with the number of orders of each column. Shapes: bars (n_bars, 1), the rest (n_columns, n_bars, 1)."""
    for k in numba.prange(long.shape[0]):
        shape, one = (long.shape[1], 1), np.ones(1, np.int64)
        orders, _ = simulate_from_signals_nb(
            shape, one, np.full(1, cash), np.zeros(shape, np.int64), _NONE, _NONE, _DIRECTION, long[k], _NONE, short[k], _NONE,
            _INF, open_, _SIZE_TYPE, fees, _ZERO, slippage, _ZERO, _INF, _NAN, _ZERO, _NONE, _TRUE, _NONE, _NONE, _MODE, _MODE, _MODE,
            _CONFLICT, _OPPOSITE, _INF, open_, high, low, close, stop[k], _NONE, target[k], _FROM_FILL, _AT_LIMIT, _MODE, _MODE,
            True, False, True, False, 2_000, 0, False, True,
        )  # fmt: skip
        counts[k] = orders.size

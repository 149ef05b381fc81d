"""The records that the compiled simulation works on: one row holds all that is used together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D

__all__ = [
    "BAR", "BURST", "CELL", "CLOSED", "HOLDER", "KILLED", "LIQUIDATE", "LIQUIDATED", "NOW", "OPENED", "POSITION", "RULES",
    "STEP", "STOP", "STOPPED", "TIER", "TOP_UP", "TRADE", "TRADER", "IntArray2D", "IntArray3D", "IntArray4D",
    "Record", "Records", "records",
]  # fmt: skip

Records: TypeAlias = NDArray[np.void]
Record: TypeAlias = Any
IntArray2D: TypeAlias = NDArray[np.int64]
IntArray3D: TypeAlias = NDArray[np.int64]
IntArray4D: TypeAlias = NDArray[np.int64]

LIQUIDATE, STOP, TOP_UP = 0, 1, 2
"""What happens where the mark reaches a position's trigger."""

OPENED, CLOSED, LIQUIDATED, STOPPED = 0, 1, 2, 3
"""Kinds of flow; what is stopped is part of what is closed."""


def _dtype(fields: str) -> np.dtype[np.void]:
    """Return the dtype of `name` (float), `name:i` (integer) and `name:b` (flag)."""
    kinds = {"": np.float64, "i": np.int64, "b": np.bool_}
    split = [field.partition(":") for field in fields.split()]
    return np.dtype([(name, kinds[kind]) for name, _, kind in split], align=True)


RULES: Final = _dtype(
    "tick decimals lot width origin:i n_bins:i steps_per_bar:i skip:i length:i marked:b tilt momentum_pace usual_trend cross_share "
    "cross_margin stop_share stop_nearest stop_farthest top_up_share top_up_at top_up_margin churn churn_pace usual_step gravity look:i "
    "impact lasting_share fade burst burst_fade turn turn_steps:i"
)
"""Parameters in steps, log prices, lots and quote. decimals: ten to the number of a price's. skip: bars of warm-up. length: of a
step, ns. gravity, turn: drift a step. look: steps between looks at the imbalance. impact: log return a unit of quote."""

TIER: Final = _dtype("cumulative leverage holding largest")
"""A leverage of the mix, ascending: cumulative probability, mean holding in steps, largest notional that brackets allow it."""

POSITION: Final = _dtype("side:i tier:i lots:i plan:i entry margin level trigger final bin:i heat:i serial:i opened:i due:i cross:b")
"""A live position; an empty slot has no lots. tier: the number of leverages for holders. level: where its present margin is used up.
plan, trigger: what happens next, and at which mark. final: where a straight move would liquidate it, after its top-up if it has one.
A price of 0 is never reached. bin, heat: of trigger and final, -1 for none. serial: order of opening. opened, due: steps."""

NOW: Final = _dtype(
    "lasting passing queued_lasting queued_passing mean before mark pull turn traded step:i ticks:i serial:i free:i turn_left:i "
    "trader:i holder:i trades:i killed:i bursts:i cells:i snapshots:i"
)
"""What a step hands to the next. lasting + passing: log price. queued: impact to come. mean: trend's average. before: log price a step
ago. ticks: last price. traded: average lots a step. free: empty slots. The last seven count what was used up and written."""

STEP: Final = _dtype("noise basis depth churn lean traders:i holders:i")
"""Draws of a step: log return, log of mark over price, depth relative to usual, factor of churn, lean of takers, arrivals."""

TRADER: Final = _dtype("side leverage mode plan stop notional holding extra")
"""Draws of a leveraged trader: uniform but the last three, which are quote, and exponential of mean 1."""

HOLDER: Final = _dtype("side notional holding")
"""Draws of a hedged holder: uniform, quote, steps."""

BAR: Final = _dtype("open:i high:i low:i close:i mark_open mark_high mark_low mark_close volume:i bought:i value:i trades:i emit:b")
"""Sums of a bar: ticks, quote for the mark, lots, ticks times lots. emit: whether the map is wanted at its close."""

TRADE: Final = _dtype("time:i ticks:i lots:i buy:b")
KILLED: Final = _dtype("time:i side:i tier:i lots:i ticks:i level bankrupt")
BURST: Final = _dtype("step:i side:i notional")
CELL: Final = _dtype("bin:i lots:i")
"""What happened, in order; times in ns since the warm-up began."""


def records(dtype: np.dtype[np.void], columns: Mapping[str, BoolArray1D | IntArray1D | Float64Array1D]) -> Records:
    """Return rows of `dtype` from one array a field, all of one length."""
    rows = np.empty(len(next(iter(columns.values()))), dtype=dtype)
    for name, column in columns.items():
        rows[name] = column
    return rows

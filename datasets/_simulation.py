"""The run of a synthetic market: day by day through the compiled simulation."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from liqbt._time import DAY_NS, parse_interval
from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D, Progress
from liqbt.margin import TierArrays

from ._draws import Draws
from ._kernels import advance, price_of
from ._layout import BAR, BURST, CELL, KILLED, NOW, POSITION, TRADE, IntArray2D, IntArray3D, IntArray4D, Records
from ._rules import discount_of, rules_of, tiers_of
from ._units import base
from .params import SyntheticParams

__all__ = ["Simulation"]

_CELLS: Final = 1_000_000  # of snapshots that are held before they are put away, or more where one may need more
_FEW: Final = 1_024


class Simulation:
    """A market from the first step of its warm-up on; `run` carries it to the end. Times are ns since the warm-up began.

    bars: shape (n_bars,), `BAR`, warm-up included. flows: lots, shape (n_bars, 4, 2, n_tiers + 1), by kind, side and tier, the last
    of them the hedged holders. positions: those that live have `lots` above 0. counts: shape (2, 2, n_tiers), recorded
    positions opened, and topped up, by side and tier. activity: shape (n_steps,), volatility relative to its mean.
    tape, killed, bursts: parts to be concatenated, of `TRADE`, `KILLED` and `BURST`. cells_of: parts of how many cells each snapshot
    has of each side; cell_bin, cell_amount: parts of their absolute bins and base amounts.
    """

    def __init__(self, params: SyntheticParams) -> None:
        self.params = params
        self._rules = rules_of(params)
        self.rules: Any = self._rules[0]
        n_bars, n_tiers, n_bins = params.n_warmup_bars + params.n_bars, params.leverages.size, int(self.rules["n_bins"])
        self.bars: Records = np.zeros(n_bars, dtype=BAR)
        self.bars["emit"] = _wanted(params)
        self.flows: IntArray4D = np.zeros((n_bars, 4, 2, n_tiers + 1), dtype=np.int64)
        self.counts: IntArray3D = np.zeros((2, 2, n_tiers), dtype=np.int64)
        self.activity: Float64Array1D = np.empty(params.n_steps)
        self.tape: list[Records] = []
        self.killed: list[Records] = []
        self.bursts: list[Records] = []
        self.cells_of: list[IntArray1D] = []
        self.cell_bin: list[IntArray1D] = []
        self.cell_amount: list[Float64Array1D] = []
        self._tiers, self._brackets, self._discount = tiers_of(params), TierArrays.of(params.tiers), discount_of(params)
        self._by_bin: IntArray2D = np.full((2, n_bins), -1, dtype=np.int64)
        self._by_step: IntArray1D = np.full(params.n_steps + 1, -1, dtype=np.int64)
        self._mass: IntArray2D = np.zeros((2, n_bins), dtype=np.int64)
        self._press, self._reach = np.zeros(2), np.array([-1, n_bins], dtype=np.int64)
        self._now: Records = np.zeros(1, dtype=NOW)
        for name in ("lasting", "before", "mean"):
            self._now[name] = math.log(params.initial_price)
        self._now["ticks"] = max(1, round(params.initial_price / params.tick_size))
        self._now["mark"] = price_of(int(self._now["ticks"][0]), self.rules["tick"], self.rules["decimals"])
        self.positions: Records = np.zeros(0, dtype=POSITION)
        self._in_bin: IntArray2D = np.zeros((0, 2), dtype=np.int64)
        self._in_step: IntArray2D = np.zeros((0, 2), dtype=np.int64)
        self._free: IntArray1D = np.zeros(0, dtype=np.int64)
        self._grow(_FEW)
        self._cells: Records = np.zeros(max(_CELLS if self.bars["emit"].any() else 0, 2 * n_bins), dtype=CELL)
        self._ends: IntArray1D = np.zeros(2 * _FEW, dtype=np.int64)

    def run(self, draws: Draws, progress: Progress) -> None:
        """Carry the market through all its days."""
        params = self.params
        a_day = DAY_NS // params.interval_ns * params.steps_per_bar
        days = params.n_steps // a_day
        for day in range(days):
            steps, self.activity[day * a_day : (day + 1) * a_day] = draws.steps(a_day)
            traders, holders = draws.traders(int(steps["traders"].sum())), draws.holders(int(steps["holders"].sum()))
            self.carry(steps, traders, holders, recorded=day >= params.warmup_days)
            progress((day + 1) / days, "simulating")

    def carry(self, steps: Records, traders: Records, holders: Records, *, recorded: bool) -> None:
        """Carry the market over whole bars; trades are kept where they are `recorded` and wanted."""
        coming = traders.size + holders.size
        if self._now["free"][0] < coming:
            self._grow(max(self.positions.size, coming))
        live = self.positions.size - int(self._now["free"][0])
        n_trades = 2 * steps.size + steps.size // self.params.steps_per_bar + 2 * coming + live
        tape = np.empty(n_trades if recorded and self.params.trades else 0, dtype=TRADE)
        killed, bursts = np.empty(live + coming, dtype=KILLED), np.empty(2 * steps.size, dtype=BURST)
        hit, hit_at = np.empty(self.positions.size, dtype=np.int64), np.empty(self.positions.size)
        for name in ("trader", "holder", "trades", "killed", "bursts"):
            self._now[name] = 0
        reached = 0
        while reached < steps.size:
            reached = advance(
                reached, self._rules, self._tiers, self._brackets.rate, self._brackets.constant, self._discount,
                self.positions, self._in_bin, self._in_step, self._free, hit, hit_at,
                self._by_bin, self._by_step, self._mass, self._now, self._press, self._reach, self.counts,
                steps, traders, holders, self.bars, self.flows, tape, killed, bursts, self._cells, self._ends,
            )  # fmt: skip
            self._put_snapshots_away()
        for name, kept, rows in (("trades", self.tape, tape), ("killed", self.killed, killed), ("bursts", self.bursts, bursts)):
            kept.append(rows[: self._now[name][0]].copy())

    def _put_snapshots_away(self) -> None:
        cells = self._cells[: self._now["cells"][0]]
        self.cells_of.append(np.diff(self._ends[: 2 * self._now["snapshots"][0]], prepend=0))
        self.cell_bin.append((cells["bin"] + self.rules["origin"]).astype(np.int32))  # half of the memory of a long market
        self.cell_amount.append(base(self.params, cells["lots"]))
        self._now["cells"], self._now["snapshots"] = 0, 0

    def _grow(self, more: int) -> None:
        """Add empty slots, the lowest to be filled first."""
        old, free = self.positions.size, int(self._now["free"][0])
        self.positions = np.concatenate([self.positions, np.zeros(more, dtype=POSITION)])
        self._in_bin, self._in_step = (np.concatenate([one, np.zeros((more, 2), dtype=np.int64)]) for one in (self._in_bin, self._in_step))
        self._free = np.concatenate([self._free, np.zeros(more, dtype=np.int64)])
        self._free[free : free + more] = np.arange(old + more - 1, old - 1, -1)
        self._now["free"] = free + more


def _wanted(params: SyntheticParams) -> BoolArray1D:
    """Return the bars, warm-up included, after which the true map is wanted: the first close at or after each multiple of the cadence."""
    wanted = np.zeros(params.n_warmup_bars + params.n_bars, dtype=np.bool_)
    if params.truth_every is not None:
        cadence, step = parse_interval(params.truth_every), params.interval_ns
        close = params.start_ns + step * np.arange(1, params.n_bars + 1)
        wanted[params.n_warmup_bars :] = close // cadence != (close - step) // cadence
    return wanted

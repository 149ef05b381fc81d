"""Sums of the simulation in the units of the tables, and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from liqbt._typing import BoolArray1D, Float64Array3D
from liqbt.data.validation import CLOCK

from ._layout import BURST, CLOSED, LIQUIDATED, OPENED, STOP, STOPPED, TOP_UP, IntArray2D
from ._simulation import Simulation
from ._units import base, side_names, stamp
from .truth import SyntheticTruth, TrueHeat

__all__ = ["Stock", "stock_of", "truth_of"]


@dataclass(frozen=True, kw_only=True)
class Stock:
    """Live positions at each bar's end, warm-up included, lots, shape (n_bars, 2). crowd: leveraged. holders: all."""

    crowd: IntArray2D
    holders: IntArray2D


def stock_of(simulation: Simulation) -> Stock:
    """Return what was opened and has not ended, bar by bar."""
    flows = simulation.flows

    def live(tiers: slice) -> IntArray2D:
        part = flows[..., tiers].sum(axis=3)
        return np.asarray(np.cumsum(part[:, OPENED] - part[:, CLOSED] - part[:, LIQUIDATED], axis=0))

    return Stock(crowd=live(slice(0, -1)), holders=live(slice(None)))


def truth_of(simulation: Simulation, stock: Stock) -> SyntheticTruth:
    """Return the truth behind a simulation; its snapshots move into it."""
    params = simulation.params
    skip = params.n_warmup_bars

    def flow(kind: int) -> Float64Array3D:
        return base(params, simulation.flows[skip:, kind])

    opened, closed = flow(OPENED), flow(CLOSED)
    return SyntheticTruth(
        leverages=params.leverages,
        weights=params.weights,
        entries=simulation.counts[0],
        topped_up=simulation.counts[1],
        opened=opened[..., :-1],
        closed=closed[..., :-1],
        liquidated=flow(LIQUIDATED)[..., :-1],
        stopped=flow(STOPPED)[..., :-1],
        hedged_opened=opened[..., -1],
        hedged_closed=closed[..., -1],
        crowd=base(params, stock.crowd[skip:]),
        holders=base(params, stock.holders[skip:]),
        heat=_heat_of(simulation),
        bursts=_bursts_of(simulation),
        live=_live_of(simulation),
    )


def _heat_of(simulation: Simulation) -> TrueHeat | None:
    params = simulation.params
    if params.truth_every is None:
        return None
    wanted = np.flatnonzero(simulation.bars["emit"])
    bins = np.concatenate(simulation.cell_bin)
    simulation.cell_bin.clear()  # a year of them is the largest thing in memory
    amounts = np.concatenate(simulation.cell_amount)
    simulation.cell_amount.clear()
    return TrueHeat(
        timestamp=stamp(params, (wanted + 1) * params.interval_ns),
        width=float(simulation.rules["width"]),
        offsets=np.concatenate([[0], np.cumsum(np.concatenate(simulation.cells_of))]),
        bin=bins,
        amount=amounts,
    )


def _bursts_of(simulation: Simulation) -> pl.DataFrame:
    params, bursts = simulation.params, np.concatenate([*simulation.bursts, np.empty(0, dtype=BURST)])
    ends = stamp(params, bursts["step"] * int(simulation.rules["length"]))
    return pl.DataFrame({"timestamp": pl.Series(ends).cast(CLOCK), "side": side_names(bursts["side"]), "notional": bursts["notional"]})


def _live_of(simulation: Simulation) -> pl.DataFrame:
    params, all_ = simulation.params, simulation.positions
    live = all_[(all_["lots"] > 0) & (all_["tier"] < params.leverages.size)]
    live = live[np.argsort(live["serial"])]

    def where(kept: BoolArray1D, name: str) -> pl.Series:
        return pl.Series(np.where(kept & (live[name] > 0), live[name], np.nan)).fill_nan(None)

    plan, always = live["plan"], np.ones(live.size, dtype=np.bool_)
    return pl.DataFrame(
        {
            "opened_at": pl.Series(stamp(params, live["opened"] * int(simulation.rules["length"]))).cast(CLOCK),
            "side": side_names(live["side"]),
            "leverage": params.leverages[live["tier"]],
            "amount": base(params, live["lots"]),
            "entry_price": live["entry"],
            "margin": live["margin"],
            "cross": live["cross"],
            "liquidation_price": where(always, "level"),
            "stop_price": where(plan == STOP, "trigger"),
            "top_up_price": where(plan == TOP_UP, "trigger"),
            "final_price": where(plan != STOP, "final"),
        }
    )

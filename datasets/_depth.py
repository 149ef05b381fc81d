"""The order book's depth, as a table."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from liqbt._time import parse_interval
from liqbt.data.validation import canonical

from ._simulation import Simulation
from ._tables import clocked
from ._units import price

__all__ = ["depth_table"]

_DISTANCES: Final = (0.002, 0.01, 0.02, 0.03, 0.04, 0.05)  # the bands of Binance's bookDepth files
_DEPTH_POWER: Final = 0.7  # cumulative depth grows more slowly than distance: an assumption
_DEPTH_SIGMA: Final = 0.25
_BOOK: Final = pl.Enum(("bid", "ask"))


def depth_table(simulation: Simulation, rng: np.random.Generator) -> pl.DataFrame:
    """Return the cumulative depth at bar closes, thinner when the market is volatile: with the inverse root of volatility."""
    params = simulation.params
    every = 1 if params.depth_every is None else parse_interval(params.depth_every) // params.interval_ns
    bar = np.arange(every, params.n_bars + 1, every)
    end = bar + params.n_warmup_bars
    mid = price(params, simulation.bars["close"][end - 1])
    thin = 1.0 / np.sqrt(simulation.activity[end * params.steps_per_bar - 1])
    distance = np.array(_DISTANCES)
    shape = np.diff((distance / 0.01) ** _DEPTH_POWER, prepend=0.0)
    noise = np.exp(_DEPTH_SIGMA * rng.standard_normal((bar.size, 2, distance.size)) - _DEPTH_SIGMA**2 / 2.0)
    usual = params.depth_notional / mid * thin
    amount = np.round(usual[:, None, None] * np.cumsum(shape * noise, axis=2), 6)
    centre = distance - np.diff(distance, prepend=0.0) / 2.0
    level = mid[:, None, None] * (1.0 + np.array([-1.0, 1.0])[:, None] * centre)
    side = np.repeat(np.array([0, 1], dtype=np.uint8), distance.size)
    frame = pl.DataFrame(
        {
            "timestamp": np.repeat(params.start_ns + bar * params.interval_ns, 2 * distance.size),
            "side": pl.Series(np.tile(side, bar.size)).replace_strict([0, 1], ["bid", "ask"], return_dtype=_BOOK),
            "distance": np.tile(distance, 2 * bar.size),
            "amount": amount.ravel(),
            "notional": np.cumsum(np.diff(amount, axis=2, prepend=0.0) * level, axis=2).ravel(),
        }
    )
    return canonical(clocked(frame), "depth", source="synthetic depth")

"""From lots, ticks and steps to the units of the tables."""

from __future__ import annotations

import math

import numpy as np
import polars as pl

from liqbt._typing import LONG, SHORT, SIDES, Float64Array1D, IntArray1D

from .params import SyntheticParams

__all__ = ["base", "decimals_of", "price", "side_names", "stamp"]


def decimals_of(unit: float) -> int:
    """Return to how many decimals multiples of `unit` are rounded, which turns 100.12300000000001 into 100.123."""
    return max(0, math.ceil(-math.log10(unit)) + 2)


def base(params: SyntheticParams, lots: IntArray1D) -> Float64Array1D:
    """Return lots in base coin, rounded to their decimals; of any shape."""
    return np.asarray(np.round(lots * params.lot_size, decimals_of(params.lot_size)))


def price(params: SyntheticParams, ticks: IntArray1D) -> Float64Array1D:
    """Return ticks in quote, rounded to their decimals as the simulation rounds them."""
    decimals = 10.0 ** decimals_of(params.tick_size)
    return np.asarray(np.rint(ticks * params.tick_size * decimals) / decimals)


def stamp(params: SyntheticParams, time: IntArray1D) -> IntArray1D:
    """Return UTC nanoseconds of times that count from where the warm-up begins."""
    return np.asarray(params.start_ns - params.n_warmup_bars * params.interval_ns + time)


def side_names(side: IntArray1D) -> pl.Series:
    """Return `long` and `short` for LONG and SHORT."""
    return pl.Series(side, dtype=pl.Int64).replace_strict([LONG, SHORT], list(SIDES), return_dtype=pl.String)

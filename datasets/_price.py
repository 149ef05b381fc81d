"""The price path: a martingale with clustered volatility, a daily season and jumps. Nothing else in the market moves it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from liqbt._typing import Float64Array1D

from ._kernels import autoregress
from .params import SyntheticParams

__all__ = ["Path", "draw_path"]

_PEAK_HOUR = 15.0  # UTC; the hour in which both Europe and America are at their desks
_YEAR_HOURS = 365.0 * 24.0


@dataclass(frozen=True, kw_only=True)
class Path:
    """price: quote, shape (n_steps + 1,). activity: volatility relative to its mean, shape (n_steps,), mean about 1."""

    price: Float64Array1D
    activity: Float64Array1D


def draw_path(params: SyntheticParams, rng: np.random.Generator) -> Path:
    """Return the path from the start of the warm-up to the end; it is at `initial_price` where the recording starts.

    Volatility is drawn without regard to price, and each step's drift takes out the convexity of the exponential, so
    the price, not only its logarithm, is a martingale up to rounding to ticks.
    """
    count, spread = params.n_steps, params.volatility_of_volatility
    persistence = 0.5 ** (params.step_hours / params.volatility_half_life_hours)
    shocks = rng.standard_normal(count) * (spread * math.sqrt(1.0 - persistence**2))
    log_volatility = np.empty(count)
    autoregress(spread * float(rng.standard_normal()), persistence, shocks, log_volatility)
    season_norm = math.sqrt(1.0 + params.daily_seasonality**2 / 2.0)
    # E[relative ** 2] = 1, so that annual_volatility means what it says
    relative = _season(params) / season_norm * np.exp(log_volatility - spread**2)
    variance = (params.annual_volatility**2 - params.jump_variance) * params.step_hours / _YEAR_HOURS * relative**2
    returns = np.sqrt(variance) * rng.standard_normal(count) - variance / 2.0
    jumps = rng.poisson(params.jumps_per_day * params.step_hours / 24.0, count)
    returns += np.sqrt(jumps) * params.jump_scale * rng.standard_normal(count) - jumps * params.jump_scale**2 / 2.0
    log_price = np.concatenate([[0.0], np.cumsum(returns)])
    log_price -= log_price[params.n_warmup_bars * params.steps_per_bar]
    mean_relative = math.exp(-(spread**2) / 2.0) / season_norm
    return Path(price=_to_ticks(params.initial_price * np.exp(log_price), params.tick_size), activity=relative / mean_relative)


def _season(params: SyntheticParams) -> Float64Array1D:
    first = (params.start_ns % 86_400_000_000_000) / 3.6e12  # the warm-up is whole days, so it starts at the same hour
    hour = first + params.step_hours * np.arange(params.n_steps)
    return np.asarray(1.0 + params.daily_seasonality * np.cos(2.0 * np.pi * (hour - _PEAK_HOUR) / 24.0), dtype=np.float64)


def _to_ticks(price: Float64Array1D, tick: float) -> Float64Array1D:
    # the second rounding turns 100.12300000000001 into 100.123
    decimals = max(0, math.ceil(-math.log10(tick)) + 2)
    return np.asarray(np.round(np.maximum(np.round(price / tick), 1.0) * tick, decimals), dtype=np.float64)

"""The accounts of the synthetic market: leveraged traders, hedged holders, and how their positions ended."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from liqbt._typing import LONG, SHORT, Float64Array1D, Int8Array1D, IntArray1D

from ._kernels import CLOSED, LIVE, settle
from ._price import Path
from .params import SyntheticParams

__all__ = ["Positions", "draw_hedged", "draw_traders"]

_MOMENTUM_HOURS = 4.0


@dataclass(frozen=True, kw_only=True)
class Positions:
    """Positions in order of opening, all arrays of shape (n_positions,).

    opened_at: step at whose end it was opened; 0 for those that were there before the first. ended_at: step in which it
    ended. fate: LIVE, CLOSED or LIQUIDATED. side: LONG or SHORT. tier: index into the leverages. amount: base.
    entry_price, liquidation_price, exit_price: quote; exit_price is NaN for live ones.
    """

    opened_at: IntArray1D
    ended_at: IntArray1D
    fate: Int8Array1D
    side: IntArray1D
    tier: IntArray1D
    amount: Float64Array1D
    entry_price: Float64Array1D
    liquidation_price: Float64Array1D
    exit_price: Float64Array1D


def draw_traders(params: SyntheticParams, path: Path, rng: np.random.Generator) -> Positions:
    """Draw leveraged traders and let the path decide who is liquidated before closing."""
    arrivals = rng.poisson(params.arrivals_per_hour * params.step_hours * path.activity)
    opened_at = np.repeat(np.arange(1, params.n_steps + 1), arrivals)
    count = opened_at.size
    tier = np.minimum(np.searchsorted(np.cumsum(params.weights), rng.random(count), side="right"), params.weights.size - 1)
    side = np.where(rng.random(count) < _long_probability(params, path.price)[opened_at], LONG, SHORT)
    amount, entry = _amounts(params, path.price, opened_at, rng)
    due_at = opened_at + _steps(params, params.holding_hours[tier] * rng.standard_exponential(count))
    sign = np.where(side == LONG, 1.0, -1.0)
    # P = (M + c - s q E) / (q (m - s)) with M = q E / L and, in the first bracket, c = 0
    liquidation = entry * (1.0 / params.leverages[tier] - sign) / (params.maintenance_margin_rate - sign)
    fate, ended_at = np.full(count, LIVE, dtype=np.int8), np.zeros(count, dtype=np.int64)
    settle(path.price, opened_at, due_at, np.argsort(due_at, kind="stable"), side == LONG, liquidation, fate, ended_at)
    left = np.where(fate == CLOSED, path.price[ended_at], liquidation)
    return Positions(
        opened_at=opened_at, ended_at=ended_at, fate=fate, side=side, tier=tier, amount=amount, entry_price=entry,
        liquidation_price=liquidation, exit_price=np.where(fate == LIVE, np.nan, left),
    )  # fmt: skip


def draw_hedged(params: SyntheticParams, path: Path, rng: np.random.Generator) -> Positions:
    """Draw hedged holders, who close by their own clock only; their number starts in its stationary law."""
    last, mean_live = params.n_steps, params.mean_live_hedged
    arrivals = rng.poisson(mean_live / params.hedged_holding_hours * params.step_hours, last)
    waiting = rng.poisson(mean_live)
    opened_at = np.repeat(np.arange(last + 1), np.concatenate([[waiting], arrivals]))
    count = opened_at.size
    side = rng.integers(0, 2, count)
    amount, entry = _amounts(params, path.price, opened_at, rng)
    # exponential holding has no memory, so those already there have the same law of what remains
    due_at = opened_at + _steps(params, params.hedged_holding_hours * rng.standard_exponential(count))
    closed = due_at <= last
    never = np.where(side == LONG, 0.0, np.inf)
    return Positions(
        opened_at=opened_at, ended_at=np.where(closed, due_at, 0), fate=np.where(closed, CLOSED, LIVE).astype(np.int8), side=side,
        tier=np.zeros(count, dtype=np.int64), amount=amount, entry_price=entry, liquidation_price=never,
        exit_price=np.where(closed, path.price[np.minimum(due_at, last)], np.nan),
    )  # fmt: skip


def _long_probability(params: SyntheticParams, price: Float64Array1D) -> Float64Array1D:
    """Return, at each point of the path, the probability that a trader who arrives there goes long."""
    back = max(1, round(_MOMENTUM_HOURS / params.step_hours))
    past = np.log(price / np.concatenate([np.full(back, price[0]), price[:-back]]))  # the warm-up is longer than `back`
    usual = params.annual_volatility * math.sqrt(back * params.step_hours / (365.0 * 24.0))
    return np.asarray(0.5 + params.momentum_tilt * np.tanh(past / usual), dtype=np.float64)


def _amounts(
    params: SyntheticParams, price: Float64Array1D, opened_at: IntArray1D, rng: np.random.Generator
) -> tuple[Float64Array1D, Float64Array1D]:
    entry = price[opened_at]
    notional = params.median_notional * np.exp(params.notional_sigma * rng.standard_normal(opened_at.size))
    lots = np.maximum(np.round(notional / entry / params.lot_size), 1.0)
    decimals = max(0, math.ceil(-math.log10(params.lot_size)) + 2)
    return np.round(lots * params.lot_size, decimals), entry


def _steps(params: SyntheticParams, hours: Float64Array1D) -> IntArray1D:
    # beyond the end is beyond the end: cap before the cast, which would overflow for absurd means
    return np.minimum(np.ceil(hours / params.step_hours), params.n_steps + 1.0).astype(np.int64).clip(1)

"""Parameters in the units of the simulation: steps, log prices, lots."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from liqbt._typing import Float64Array1D
from liqbt.data.aggregate import bin_width

from ._layout import RULES, TIER, Records, records
from ._units import decimals_of
from .params import YEAR_HOURS, SyntheticParams

__all__ = ["discount_of", "grid_of", "rules_of", "tiers_of"]

_CHURN_HOURS: Final = 1.0
_LOOK_SECONDS: Final = 60.0  # between two looks at the imbalance
_BELOW, _ABOVE = 2.5, 1.5  # log price that the grid covers beyond the path, for levels of low leverage
_SIGMAS: Final = 6.0


def rules_of(params: SyntheticParams) -> Records:
    """Return one record of the numbers that the compiled simulation needs."""
    hours = params.step_hours
    hourly = params.annual_volatility / math.sqrt(YEAR_HOURS)
    turn_steps = max(1, round(params.reversal_hours / hours))
    origin, n_bins = grid_of(params)
    values: dict[str, float] = {
        "tick": float(params.tick_size),
        "decimals": 10.0 ** decimals_of(params.tick_size),
        "lot": float(params.lot_size),
        "width": bin_width(params.truth_bin_bps),
        "origin": origin,
        "n_bins": n_bins,
        "steps_per_bar": params.steps_per_bar,
        "skip": params.n_warmup_bars,
        "length": params.interval_ns // params.steps_per_bar,
        "marked": params.mark_noise_bps > 0,
        "tilt": float(params.momentum_tilt),
        "momentum_pace": -math.expm1(-hours / params.momentum_hours),
        # of a Brownian path from its exponential average of mean age tau: sigma sqrt(tau / 2)
        "usual_trend": hourly * math.sqrt(params.momentum_hours / 2.0),
        "cross_share": float(params.cross_share),
        "cross_margin": float(params.cross_margin),
        "stop_share": float(params.stop_share),
        "stop_nearest": float(params.stop_nearest),
        "stop_farthest": float(params.stop_farthest),
        "top_up_share": float(params.top_up_share),
        "top_up_at": float(params.top_up_at),
        "top_up_margin": float(params.top_up_margin),
        "churn": float(params.maker_churn),
        "churn_pace": -math.expm1(-hours / _CHURN_HOURS),
        "usual_step": hourly * math.sqrt(hours),
        "gravity": params.gravity_bps_per_hour * 1e-4 * hours,
        "look": max(1, round(_LOOK_SECONDS / 3600.0 / hours)),
        "impact": params.cascade * 0.01 / params.depth_notional,
        "lasting_share": float(params.lasting_share),
        "fade": 0.5 ** (hours * 60.0 / params.cascade_half_life_minutes),
        "burst": params.burst_depth_share * params.depth_notional,
        "burst_fade": 0.5 ** (hours * 60.0 / params.burst_minutes),
        "turn": params.reversal_bps * 1e-4 / turn_steps,
        "turn_steps": turn_steps,
    }
    return records(RULES, {name: np.array([value]) for name, value in values.items()})


def tiers_of(params: SyntheticParams) -> Records:
    """Return the leverage mix with holding times, and with the largest notional that the brackets allow each leverage."""
    largest = [max(tier.max_notional for tier in params.tiers if tier.max_leverage >= leverage) for leverage in params.leverages]
    columns = {
        "cumulative": np.cumsum(params.weights),
        "leverage": params.leverages,
        "holding": params.holding_hours / params.step_hours,
        "largest": np.array(largest),
    }
    return records(TIER, columns)


def discount_of(params: SyntheticParams) -> Float64Array1D:
    """Return the weight of mass by distance in bins, shape (n_bins_within_reach,)."""
    width = bin_width(params.truth_bin_bps)
    return np.asarray(np.exp(-np.arange(max(1, math.ceil(params.gravity_reach / width))) * width / params.gravity_scale))


def grid_of(params: SyntheticParams) -> tuple[int, int]:
    """Return absolute index of the first price bin, and how many there are. Beyond them nothing is lost but speed and the map."""
    width = bin_width(params.truth_bin_bps)
    years = (params.days + params.warmup_days) / 365.0
    range_ = _SIGMAS * params.annual_volatility * math.sqrt(years) + abs(params.annual_drift) * years
    origin = math.floor((math.log(params.initial_price) - range_ - _BELOW) / width)
    return origin, math.ceil((2.0 * range_ + _BELOW + _ABOVE) / width)

"""The rules that parameters of a synthetic market must keep."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from liqbt._time import DAY_NS, parse_instant, parse_interval
from liqbt.errors import ConfigError
from liqbt.margin import LeverageTier, TierArrays

if TYPE_CHECKING:
    from .params import SyntheticParams

__all__ = ["check"]

_COUNTS: Final = {"seed": 0, "days": 1, "steps_per_bar": 2, "warmup_days": 1}
_POSITIVE: Final = (
    "initial_price", "annual_volatility", "volatility_half_life_hours", "mark_half_life_minutes", "arrivals_per_hour", "median_notional",
    "mean_holding_hours", "momentum_hours", "hedged_holding_hours", "tick_size", "lot_size", "depth_day_share", "gravity_reach",
    "gravity_scale", "cascade_half_life_minutes", "reversal_hours", "burst_depth_share", "burst_minutes",
)  # fmt: skip
_NON_NEGATIVE: Final = (
    "volatility_of_volatility", "jumps_per_day", "jump_scale", "mark_noise_bps", "notional_sigma", "holding_exponent", "cross_margin",
    "top_up_margin", "maker_churn", "funding_sensitivity", "cascade",
)  # fmt: skip
_ANY: Final = ("annual_drift", "gravity_bps_per_hour", "reversal_bps")
_FRACTIONS: Final = ("daily_seasonality", "hedged_share")
_SHARES: Final = ("cross_share", "stop_share", "top_up_share", "lasting_share")
_INSIDE: Final = ("stop_nearest", "stop_farthest", "top_up_at")
_MAX_STEPS: Final = 100_000_000  # a list head for each
_MAX_POSITIONS: Final = 1e9  # a quarter of an hour
_MAX_LIVE: Final = 1e7  # 2 GB
_MAX_SNAPSHOTS: Final = 50_000  # some 20 kB each


def check(params: SyntheticParams) -> Mapping[float, float]:
    """Return the leverage mix in order, with weights that sum to 1; raises ConfigError naming the parameter, its value and the rule."""
    for name, least in _COUNTS.items():
        value = getattr(params, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"{name}: {value!r} must be a whole number of at least {least}")
    rules: tuple[tuple[Sequence[str], Callable[[float], bool], str], ...] = (
        (_POSITIVE, lambda x: x > 0, "above 0"),
        (_NON_NEGATIVE, lambda x: x >= 0, "at least 0"),
        (_ANY, lambda _: True, "a finite number"),
        (_FRACTIONS, lambda x: 0 <= x < 1, "a fraction of at least 0 and below 1"),
        (_SHARES, lambda x: 0 <= x <= 1, "a share between 0 and 1"),
        (_INSIDE, lambda x: 0 < x < 1, "a fraction of the way between 0 and 1"),
        (("truth_bin_bps",), lambda x: 0.1 <= x <= 100, "between 0.1 and 100 basis points"),
        (("momentum_tilt",), lambda x: -0.5 <= x <= 0.5, "between -0.5 and 0.5"),
    )
    for names, rule, words in rules:
        for name in names:
            _check(name, getattr(params, name), rule, words)
    _check_pairs(params)
    _check_clock(params)
    _check_tiers(params.tiers)
    mix = _checked_mix(params)
    _check_size(params)
    return mix


def _check(name: str, value: object, rule: Callable[[float], bool], words: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not rule(value):
        raise ConfigError(f"{name}: {value!r} must be {words}")


def _check_pairs(params: SyntheticParams) -> None:
    if params.jump_variance >= params.annual_volatility**2:
        raise ConfigError(
            f"jump_scale: {params.jumps_per_day} jumps a day of {params.jump_scale} alone make an annual volatility of "
            f"{math.sqrt(params.jump_variance):.3f}, which leaves nothing of annual_volatility {params.annual_volatility}; lower one"
        )
    if params.stop_share + params.top_up_share > 1:
        raise ConfigError(
            f"stop_share: {params.stop_share} and top_up_share {params.top_up_share} are of different traders; their sum must not exceed 1"
        )
    if params.stop_farthest < params.stop_nearest:
        raise ConfigError(f"stop_farthest: {params.stop_farthest} is nearer than stop_nearest {params.stop_nearest}; swap them")
    if params.throttle not in ("largest", "latest"):
        raise ConfigError(f"throttle: {params.throttle!r} must be 'largest' or 'latest'")
    if not isinstance(params.trades, bool):
        raise ConfigError(f"trades: {params.trades!r} must be True or False")


def _check_clock(params: SyntheticParams) -> None:
    for name in ("interval", "start", "depth_every", "truth_every"):
        value = getattr(params, name)
        if not (isinstance(value, str) or (value is None and name.endswith("every"))):
            raise ConfigError(f"{name}: {value!r} must be text, such as {'2025-01-01' if name == 'start' else '5m'!r}")
    length = parse_interval(params.interval)
    if DAY_NS % length:
        raise ConfigError(f"interval: {params.interval!r} does not divide a day; use one that does, such as 5m or 1h")
    if length % params.steps_per_bar:
        raise ConfigError(f"steps_per_bar: {params.steps_per_bar} does not divide {params.interval} into whole nanoseconds; use 20")
    if parse_instant(params.start, parameter="start") % length:
        raise ConfigError(f"start: {params.start!r} is not on the {params.interval} grid; start at a whole {params.interval} of UTC")
    for name in ("depth_every", "truth_every"):
        every = getattr(params, name)
        if every is not None and parse_interval(every, parameter=name) % length:
            raise ConfigError(f"{name}: {every!r} is not a multiple of the bar interval {params.interval}")


def _check_tiers(tiers: Sequence[LeverageTier]) -> None:
    if not all(isinstance(tier, LeverageTier) for tier in tiers):
        raise ConfigError("tiers: give brackets, such as those of liqbt.leverage_tiers('binance', 'SOLUSDT')")
    if TierArrays.of(tiers).contract != "linear":
        raise ConfigError("tiers: these are the brackets of an inverse contract; the synthetic market is a linear one")
    for number, tier in enumerate(tiers, start=1):
        if tier.maintenance_margin_rate * tier.max_leverage >= 1:
            raise ConfigError(
                f"tiers: bracket {number} allows {tier.max_leverage:g}x, which its maintenance margin rate "
                f"{tier.maintenance_margin_rate:g} liquidates at once; keep their product below 1"
            )


def _checked_mix(params: SyntheticParams) -> Mapping[float, float]:
    mix, limit = params.leverage_mix, params.tiers[0].max_leverage
    if not isinstance(mix, Mapping) or not mix:
        raise ConfigError(f"leverage_mix: {mix!r} must map leverages to weights, such as {{10: 0.6, 50: 0.4}}")
    for leverage, weight in mix.items():
        _check(f"leverage_mix: leverage {leverage!r}", leverage, lambda x: x >= 1, "at least 1")
        _check(f"leverage_mix: weight of {leverage}x", weight, lambda x: x >= 0, "at least 0")
        if leverage > limit:
            raise ConfigError(f"leverage_mix: {leverage}x is above the {limit:g}x that the brackets allow; drop it, or give other tiers")
    total = math.fsum(mix.values())
    if abs(total - 1.0) > 1e-6:
        raise ConfigError(f"leverage_mix: weights sum to {total:g}, they must sum to 1; divide each by {total:g}")
    return MappingProxyType({float(leverage): float(weight) / total for leverage, weight in sorted(mix.items())})


def _check_size(params: SyntheticParams) -> None:
    if params.n_steps > _MAX_STEPS:
        raise ConfigError(
            f"days: {params.days} days of {params.interval} bars are {params.n_steps} price steps, over {_MAX_STEPS}; "
            "simulate fewer days or longer bars"
        )
    hours = 24.0 * (params.days + params.warmup_days)
    total = params.arrivals_per_hour * hours + params.mean_live_hedged * (1.0 + hours / params.hedged_holding_hours)
    live = min(params.mean_live_traders, params.arrivals_per_hour * hours) + params.mean_live_hedged
    if total > _MAX_POSITIONS or live > _MAX_LIVE:
        raise ConfigError(
            f"arrivals_per_hour: {params.arrivals_per_hour} with mean_holding_hours {params.mean_holding_hours} and hedged_share "
            f"{params.hedged_share} makes about {total:.3g} positions, {live:.3g} at a time, over {_MAX_POSITIONS:.3g} or "
            f"{_MAX_LIVE:.3g}; lower one"
        )
    if params.truth_every is not None:
        snapshots = params.days * DAY_NS // parse_interval(params.truth_every)
        if snapshots > _MAX_SNAPSHOTS:
            raise ConfigError(
                f"truth_every: {params.truth_every!r} makes {snapshots} snapshots in {params.days} days, over {_MAX_SNAPSHOTS}; "
                "take them less often, or not at all with None"
            )

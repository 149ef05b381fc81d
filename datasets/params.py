"""Parameters of the synthetic market."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np

from liqbt._time import DAY_NS, parse_instant, parse_interval
from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError, did_you_mean
from liqbt.margin import LeverageTier, leverage_tiers

from ._checks import check
from .presets import PRESETS

__all__ = ["REFERENCE_LEVERAGE", "YEAR_HOURS", "SyntheticParams"]

REFERENCE_LEVERAGE: Final = 10.0
"""The leverage that `mean_holding_hours` is stated for."""

YEAR_HOURS: Final = 365.0 * 24.0

_MIX: Final[Mapping[float, float]] = MappingProxyType({5.0: 0.15, 10.0: 0.25, 20.0: 0.25, 25.0: 0.10, 50.0: 0.15, 100.0: 0.10})


def _tiers() -> tuple[LeverageTier, ...]:
    return leverage_tiers("binance", "SOLUSDT")


@dataclass(frozen=True, kw_only=True)
class SyntheticParams:
    """What a synthetic market is drawn from; the same parameters always give the same bytes.

    Every default is an assumption, chosen so that the market looks like a mid-size perpetual (daily volume 2 to 5 times
    open interest, liquidations 0.5 to 3 % of volume on active days), unless a source is named.

    **Clock.** seed: of `numpy.random.default_rng`; the default is the start date, not a choice among outcomes.
    days: recorded days. interval: bar length, must divide a day. start: first bar's open, on the bar grid, UTC.
    steps_per_bar: points of the price path in a bar. warmup_days: simulated before `start` and not recorded, so that the
    recording starts with the open interest of a market that has been running; four times the longest mean holding.

    **Price.** initial_price: quote, where the warm-up begins. tick_size: quote. lot_size: base.
    annual_volatility: standard deviation of log returns over 365 days, jumps included.
    annual_drift: logarithm of the factor by which price is expected to grow in 365 days; 0 makes it a martingale.
    volatility_of_volatility: stationary standard deviation of log volatility. volatility_half_life_hours: of its shocks.
    daily_seasonality: amplitude of volatility and activity over the day, fraction, highest at 15:00 UTC.
    jumps_per_day: mean count. jump_scale: standard deviation of one jump's log return.
    mark_noise_bps: standard deviation of the mark from the price, in basis points; at 0 the mark is the last price.
    mark_half_life_minutes: of its deviations.

    **Traders.** arrivals_per_hour: mean count of leveraged positions opened; in proportion to volatility through time.
    median_notional: quote, of one position. notional_sigma: of its logarithm (lognormal sizes).
    leverage_mix: leverage -> probability that a trader asks for it; sums to 1. Whose position is too large for the leverage gets
    the next lower one of the mix that the bracket allows, and no more size than the lowest allows.
    tiers: the venue's brackets; those of Binance's SOLUSDT, dated in `liqbt.margin.tier_table("binance", "SOLUSDT")`.
    mean_holding_hours: mean of the exponential time after which a position at 10x is closed if nothing ends it before.
    holding_exponent: the mean at leverage L is `mean_holding_hours * (10 / L) ** holding_exponent`; 0 is one mean for all. With
    one mean a quarter of all volume would be liquidations: who takes 100x does not mean to stay for a day.
    momentum_tilt: how much likelier than one half, at most, a position is opened in the direction of the trend.
    momentum_hours: memory of that trend, the mean age of an exponential average.
    cross_share: probability that a trader margins with a whole balance (cross); Binance's form begins with cross.
    cross_margin: mean of what that balance adds, a multiple of the initial margin, exponential: the real liquidation price is farther.
    stop_share: probability of a stop loss, which closes before liquidation. stop_nearest, stop_farthest: where, uniform between
    these fractions of the way from entry to liquidation. All triggers look at the mark.
    top_up_share: probability that a trader without a stop adds margin once. top_up_at: where, fraction of the way to liquidation.
    top_up_margin: how much, a multiple of the position's margin.

    **Others.** hedged_share: share of open interest, about, held by hedged accounts that are never liquidated (basis trades and
    the like), 0 for none; without them, turnover realistic for leveraged traders is not realistic for open interest.
    hedged_holding_hours: their mean holding time, exponential.
    maker_churn: volume between market makers, as a multiple of what all others traded lately.
    depth_day_share: notional resting within 1 % of mid on one side, at usual volatility, as a share of a day's mean volume.
    depth_every: cadence of the depth table; None for each bar.
    funding_sensitivity: premium an 8-hour period, as fraction of price, at an imbalance of leveraged longs and shorts of 1.

    **What liquidations do to price**, each nothing by default; then price is a martingale that takes no notice of any trader.
    gravity_bps_per_hour: drift towards the side with more liquidations within reach, at an imbalance of 1: all on that side.
    gravity_reach: how far price feels them, log price. gravity_scale: log price over which their weight falls by e.
    cascade: impact of liquidations, a multiple of what resting depth implies: at 1, liquidating the notional that rests within
    1 % moves the next step's price by 1 % (by at most 2 %). lasting_share: fraction of it that is never taken back.
    cascade_half_life_minutes: of the rest.
    reversal_bps: drift against a burst of liquidations, in all. reversal_hours: over this long.
    burst_depth_share: liquidated notional of one side that makes a burst, as a share of the depth within 1 %. burst_minutes:
    half-life of the memory in which it adds up. Bursts are found and told in every market.

    **Recording.** trades: whether to keep every trade. throttle: which liquidation of a second the throttled feed shows,
    `largest` (Binance since 2026-04-14) or `latest` (before). truth_every: cadence of the snapshots of the true map, a multiple of
    the interval, None for none. truth_bin_bps: width of its price bins in basis points.

    Raises ConfigError naming the parameter, its value and the rule.
    """

    seed: int = 20250101
    days: int = 90
    interval: str = "5m"
    start: str = "2025-01-01"
    steps_per_bar: int = 20
    warmup_days: int = 10
    initial_price: float = 100.0
    tick_size: float = 0.001
    lot_size: float = 0.001
    annual_volatility: float = 0.75
    annual_drift: float = 0.0
    volatility_of_volatility: float = 0.45
    volatility_half_life_hours: float = 24.0
    daily_seasonality: float = 0.3
    jumps_per_day: float = 1.0
    jump_scale: float = 0.012
    mark_noise_bps: float = 0.0
    mark_half_life_minutes: float = 5.0
    arrivals_per_hour: float = 1_000.0
    median_notional: float = 2_000.0
    notional_sigma: float = 1.5
    leverage_mix: Mapping[float, float] = field(default_factory=lambda: _MIX)
    tiers: tuple[LeverageTier, ...] = field(default_factory=_tiers)
    mean_holding_hours: float = 24.0
    holding_exponent: float = 1.25
    momentum_tilt: float = 0.15
    momentum_hours: float = 4.0
    cross_share: float = 0.5
    cross_margin: float = 1.0
    stop_share: float = 0.25
    stop_nearest: float = 0.25
    stop_farthest: float = 0.95
    top_up_share: float = 0.1
    top_up_at: float = 0.7
    top_up_margin: float = 1.0
    hedged_share: float = 0.7
    hedged_holding_hours: float = 336.0
    maker_churn: float = 1.5
    depth_day_share: float = 0.01
    depth_every: str | None = None
    funding_sensitivity: float = 0.004
    gravity_bps_per_hour: float = 0.0
    gravity_reach: float = 0.05
    gravity_scale: float = 0.02
    cascade: float = 0.0
    lasting_share: float = 0.5
    cascade_half_life_minutes: float = 10.0
    reversal_bps: float = 0.0
    reversal_hours: float = 1.0
    burst_depth_share: float = 0.05
    burst_minutes: float = 5.0
    trades: bool = False
    throttle: Literal["largest", "latest"] = "largest"
    truth_every: str | None = "1h"
    truth_bin_bps: float = 5.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "leverage_mix", check(self))
        object.__setattr__(self, "tiers", tuple(self.tiers))

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> SyntheticParams:
        """Return thirty days of minutes with the effect of that name and no other: `null`, `gravity`, `cascade`, `reversal`.

        overrides: any parameters, over those of the preset (`PRESETS`).
        Raises ConfigError for a preset or parameter that does not exist.
        """
        if name not in PRESETS:
            raise ConfigError(f"preset: {name!r} is not a preset{did_you_mean(name, PRESETS)}")
        known = {one.name for one in fields(cls)}
        for key in overrides:
            if key not in known:
                raise ConfigError(f"{key}: a synthetic market has no such parameter{did_you_mean(key, known)}")
        return cls(**{**PRESETS[name].values, **overrides})

    def __reduce__(self) -> tuple[Callable[[], SyntheticParams], tuple[()]]:
        # a mapping proxy cannot be pickled, and parameters travel to worker processes
        values: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        return partial(SyntheticParams, **(values | {"leverage_mix": dict(self.leverage_mix)})), ()

    @property
    def null(self) -> bool:
        """Whether price takes no notice of liquidations."""
        return self.gravity_bps_per_hour == self.cascade == self.reversal_bps == 0

    @property
    def n_bars(self) -> int:
        """Recorded bars."""
        return self.days * DAY_NS // self.interval_ns

    @property
    def n_warmup_bars(self) -> int:
        """Bars simulated before the first recorded one."""
        return self.warmup_days * DAY_NS // self.interval_ns

    @property
    def n_steps(self) -> int:
        """Steps of the price path, warm-up included."""
        return (self.n_bars + self.n_warmup_bars) * self.steps_per_bar

    @property
    def start_ns(self) -> int:
        """Open of the first recorded bar, UTC nanoseconds."""
        return parse_instant(self.start, parameter="start")

    @property
    def interval_ns(self) -> int:
        """Length of a bar in nanoseconds."""
        return parse_interval(self.interval)

    @property
    def step_hours(self) -> float:
        """Length of a step of the price path in hours."""
        return self.interval_ns / self.steps_per_bar / 3.6e12

    @property
    def jump_variance(self) -> float:
        """Variance that jumps add to the log return of 365 days."""
        return self.jumps_per_day * 365.0 * self.jump_scale**2

    @property
    def leverages(self) -> Float64Array1D:
        """Leverages of the mix in ascending order, shape (n_leverages,)."""
        return np.array(list(self.leverage_mix), dtype=np.float64)

    @property
    def weights(self) -> Float64Array1D:
        """Their probabilities, shape (n_leverages,), summing to 1."""
        return np.array(list(self.leverage_mix.values()), dtype=np.float64)

    @property
    def holding_hours(self) -> Float64Array1D:
        """Mean holding time at each leverage in hours, shape (n_leverages,), for positions that nothing ends before."""
        return np.asarray(self.mean_holding_hours * (REFERENCE_LEVERAGE / self.leverages) ** self.holding_exponent, dtype=np.float64)

    @property
    def mean_notional(self) -> float:
        """Mean notional of a position in quote, were there no brackets."""
        return self.median_notional * math.exp(self.notional_sigma**2 / 2.0)

    @property
    def mean_live_traders(self) -> float:
        """About how many leveraged positions are live at a time.

        For Brownian motion and an exponential clock of mean tau, the distance d is reached first with probability
        `exp(-d sqrt(2 / tau) / sigma)`, and the mean life is tau times the probability that it is not. Stops, top-ups and
        cross margin count with their mean distance.
        """
        tau = self.holding_hours
        hourly = self.annual_volatility / math.sqrt(YEAR_HOURS)
        stopped = (self.stop_nearest + self.stop_farthest) / 2.0
        # of the traders, a share; what share of the way to liquidation they go; their margin as a multiple
        plans = (
            (self.stop_share, stopped, 1.0),
            (self.top_up_share, 1.0, 1.0 + self.top_up_margin),
            (1.0 - self.stop_share - self.top_up_share, 1.0, 1.0),
        )
        modes = ((1.0 - self.cross_share, 1.0), (self.cross_share, 1.0 + self.cross_margin))
        total = 0.0
        for share, way, added in plans:
            for part, margin in modes:
                distance = way * (margin * added / self.leverages - self.tiers[0].maintenance_margin_rate)
                survives = 1.0 - np.exp(-distance * np.sqrt(2.0 / tau) / hourly)
                total += share * part * float((self.weights * tau * survives).sum())
        return self.arrivals_per_hour * total

    @property
    def mean_live_hedged(self) -> float:
        """How many hedged positions are live at a time, in the mean."""
        return self.hedged_share / (1.0 - self.hedged_share) * self.mean_live_traders

    @property
    def mean_day_notional(self) -> float:
        """About a day's volume in quote: everyone comes and goes, and market makers trade with each other."""
        come = 24.0 * (self.arrivals_per_hour + self.mean_live_hedged / self.hedged_holding_hours)
        return 2.0 * come * self.mean_notional * (1.0 + self.maker_churn)

    @property
    def depth_notional(self) -> float:
        """Notional resting within 1 % of mid on one side at usual volatility, quote."""
        return self.depth_day_share * self.mean_day_notional

"""Parameters of the synthetic market."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from liqbt._time import DAY_NS, parse_instant, parse_interval
from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError

__all__ = ["REFERENCE_LEVERAGE", "SyntheticParams"]

REFERENCE_LEVERAGE: Final = 10.0
"""The leverage that `mean_holding_hours` is stated for."""

_MIX: Final[Mapping[float, float]] = MappingProxyType({5.0: 0.15, 10.0: 0.25, 20.0: 0.25, 25.0: 0.10, 50.0: 0.15, 100.0: 0.10})
_POSITIVE: Final = ("initial_price", "annual_volatility", "volatility_half_life_hours", "arrivals_per_hour", "median_notional",
                    "mean_holding_hours", "hedged_holding_hours", "tick_size", "lot_size")  # fmt: skip
_NON_NEGATIVE: Final = ("volatility_of_volatility", "jumps_per_day", "jump_scale", "notional_sigma", "holding_exponent",
                        "maker_churn", "funding_sensitivity")  # fmt: skip
_FRACTIONS: Final = ("daily_seasonality", "hedged_share", "maintenance_margin_rate")
_MAX_STEPS: Final = 50_000_000  # several GB of working memory
_MAX_POSITIONS: Final = 50_000_000
_COUNTS: Final = {"seed": 0, "days": 1, "steps_per_bar": 2, "warmup_days": 1}


@dataclass(frozen=True, kw_only=True)
class SyntheticParams:
    """What a synthetic market is drawn from; the same parameters always give the same bytes.

    Every default is an assumption, chosen so that the market looks like a mid-size perpetual (daily volume 2 to 5 times
    open interest, liquidations 0.5 to 3 % of volume on active days), unless a source is named.

    seed: of `numpy.random.default_rng`; the default is the start date, not a choice among outcomes.
    days: recorded days. interval: bar length, must divide a day. start: first bar's open, on the bar grid, UTC.
    steps_per_bar: points of the price path in a bar. warmup_days: simulated before `start` and not recorded, so that the
    recording starts with the open interest of a market that has been running; four times the longest mean holding.
    initial_price: quote, at `start`. tick_size: quote. lot_size: base.
    annual_volatility: standard deviation of log returns over 365 days, jumps included.
    volatility_of_volatility: stationary standard deviation of log volatility. volatility_half_life_hours: of its shocks.
    daily_seasonality: amplitude of volatility and activity over the day, fraction, highest at 15:00 UTC.
    jumps_per_day: mean count. jump_scale: standard deviation of one jump's log return.
    arrivals_per_hour: mean count of leveraged positions opened.
    median_notional: quote, of one position. notional_sigma: of its logarithm (lognormal sizes).
    mean_holding_hours: mean of the exponential time after which a position at 10x is closed if nothing liquidates it.
    holding_exponent: the mean at leverage L is `mean_holding_hours * (10 / L) ** holding_exponent`; 0 is one mean for all. With
    one mean a quarter of all volume would be liquidations: who takes 100x does not mean to stay for a day.
    leverage_mix: leverage -> probability that a position is opened at it; sums to 1.
    maintenance_margin_rate: fraction; 0.005 is the first bracket of most liquid Binance USDT-M symbols (`liqbt.margin.GENERIC_TIERS`).
    momentum_tilt: how much likelier than one half, at most, a position is opened in the direction of the last four hours.
    hedged_share: share of open interest, about, held by hedged accounts that are never liquidated (basis trades and the
    like), 0 for none; without them, turnover realistic for leveraged traders is not realistic for open interest.
    hedged_holding_hours: their mean holding time, exponential.
    maker_churn: volume between market makers, as a multiple of the traders' volume.
    funding_sensitivity: premium an 8-hour period, as fraction of price, at an imbalance of leveraged longs and shorts of 1.

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
    volatility_of_volatility: float = 0.45
    volatility_half_life_hours: float = 24.0
    daily_seasonality: float = 0.3
    jumps_per_day: float = 1.0
    jump_scale: float = 0.012
    arrivals_per_hour: float = 240.0
    median_notional: float = 2_000.0
    notional_sigma: float = 1.5
    mean_holding_hours: float = 24.0
    holding_exponent: float = 1.25
    leverage_mix: Mapping[float, float] = field(default_factory=lambda: _MIX)
    maintenance_margin_rate: float = 0.005
    momentum_tilt: float = 0.15
    hedged_share: float = 0.7
    hedged_holding_hours: float = 336.0
    maker_churn: float = 1.5
    funding_sensitivity: float = 0.004

    def __post_init__(self) -> None:
        for name, least in _COUNTS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ConfigError(f"{name}: {value!r} must be a whole number of at least {least}")
        for name in _POSITIVE:
            _check(name, getattr(self, name), lambda x: x > 0, "above 0")
        for name in _NON_NEGATIVE:
            _check(name, getattr(self, name), lambda x: x >= 0, "at least 0")
        for name in _FRACTIONS:
            _check(name, getattr(self, name), lambda x: 0 <= x < 1, "a fraction of at least 0 and below 1")
        _check("momentum_tilt", self.momentum_tilt, lambda x: -0.5 <= x <= 0.5, "between -0.5 and 0.5")
        self._check_clock()
        if self.jump_variance >= self.annual_volatility**2:
            raise ConfigError(
                f"jump_scale: {self.jumps_per_day} jumps a day of {self.jump_scale} alone make an annual volatility of "
                f"{math.sqrt(self.jump_variance):.3f}, which leaves nothing of annual_volatility {self.annual_volatility}; lower one"
            )
        object.__setattr__(self, "leverage_mix", self._checked_mix())
        self._check_size()

    def _check_clock(self) -> None:
        length = parse_interval(self.interval)
        if DAY_NS % length:
            raise ConfigError(f"interval: {self.interval!r} does not divide a day; use one that does, such as 5m or 1h")
        if length % self.steps_per_bar:
            raise ConfigError(f"steps_per_bar: {self.steps_per_bar} does not divide {self.interval} into whole nanoseconds; use 20")
        if parse_instant(self.start, parameter="start") % length:
            raise ConfigError(f"start: {self.start!r} is not on the {self.interval} grid; start at a whole {self.interval} of UTC")

    def _checked_mix(self) -> Mapping[float, float]:
        if not isinstance(self.leverage_mix, Mapping) or not self.leverage_mix:
            raise ConfigError(f"leverage_mix: {self.leverage_mix!r} must map leverages to weights, such as {{10: 0.6, 50: 0.4}}")
        for leverage, weight in self.leverage_mix.items():
            _check(f"leverage_mix: leverage {leverage!r}", leverage, lambda x: x >= 1, "at least 1")
            _check(f"leverage_mix: weight of {leverage}x", weight, lambda x: x >= 0, "at least 0")
            if self.maintenance_margin_rate * leverage >= 1:
                raise ConfigError(
                    f"leverage_mix: a {leverage}x position is liquidated as it opens at maintenance_margin_rate "
                    f"{self.maintenance_margin_rate}; stay below {1 / self.maintenance_margin_rate:g}x"
                )
        total = math.fsum(self.leverage_mix.values())
        if abs(total - 1.0) > 1e-6:
            raise ConfigError(f"leverage_mix: weights sum to {total:g}, they must sum to 1; divide each by {total:g}")
        return MappingProxyType({float(leverage): float(weight) / total for leverage, weight in sorted(self.leverage_mix.items())})

    def _check_size(self) -> None:
        if self.n_steps > _MAX_STEPS:
            raise ConfigError(
                f"days: {self.days} days of {self.interval} bars are {self.n_steps} price steps, over {_MAX_STEPS}; "
                "simulate fewer days or longer bars"
            )
        hours = 24.0 * (self.days + self.warmup_days)
        expected = self.arrivals_per_hour * hours + self.mean_live_hedged * (1.0 + hours / self.hedged_holding_hours)
        if expected > _MAX_POSITIONS:
            raise ConfigError(
                f"arrivals_per_hour: {self.arrivals_per_hour} with mean_holding_hours {self.mean_holding_hours} and hedged_share "
                f"{self.hedged_share} makes about {expected:.3g} positions, over {_MAX_POSITIONS}; lower one"
            )

    def __reduce__(self) -> tuple[Callable[[], SyntheticParams], tuple[()]]:
        # a mapping proxy cannot be pickled, and parameters travel to worker processes
        values: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        return partial(SyntheticParams, **(values | {"leverage_mix": dict(self.leverage_mix)})), ()

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
        """Mean holding time at each leverage in hours, shape (n_leverages,), for positions that nothing liquidates."""
        return np.asarray(self.mean_holding_hours * (REFERENCE_LEVERAGE / self.leverages) ** self.holding_exponent, dtype=np.float64)

    @property
    def mean_live_traders(self) -> float:
        """About how many leveraged positions are live at a time.

        For Brownian motion and an exponential clock of mean tau, the distance d is reached first with probability
        `exp(-d sqrt(2 / tau) / sigma)`, and the mean life is tau times the probability that it is not.
        """
        tau = self.holding_hours
        distance = 1.0 / self.leverages - self.maintenance_margin_rate
        hourly = self.annual_volatility / math.sqrt(365.0 * 24.0)
        survives = 1.0 - np.exp(-distance * np.sqrt(2.0 / tau) / hourly)
        return float(self.arrivals_per_hour * (self.weights * tau * survives).sum())

    @property
    def mean_live_hedged(self) -> float:
        """How many hedged positions are live at a time, in the mean."""
        return self.hedged_share / (1.0 - self.hedged_share) * self.mean_live_traders


def _check(name: str, value: object, rule: Callable[[float], bool], words: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or not rule(value):
        raise ConfigError(f"{name}: {value!r} must be {words}")

"""All randomness of a synthetic market: a stream for each purpose, drawn day by day."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from liqbt._typing import Float64Array1D

from ._kernels import autoregress
from ._layout import HOLDER, STEP, TRADER, Records, records
from .params import YEAR_HOURS, SyntheticParams

__all__ = ["Draws"]

# New streams go to the end: a stream is known by its place.
_STREAMS: Final = (
    "volatility", "returns", "jumps", "jump_sizes", "mark", "arrivals", "side", "leverage", "notional", "holding", "mode", "extra",
    "plan", "stop", "waiting", "holders", "holder_side", "holder_notional", "holder_holding", "churn", "lean", "depth",
)  # fmt: skip
_PEAK_HOUR: Final = 15.0  # UTC; the hour in which both Europe and America are at their desks
_CHURN_SIGMA: Final = 0.4
_LEAN_SIGMA: Final = 0.05


class Draws:
    """The streams of one market. Each draws one kind of number, so that what one knob asks for moves no other's numbers.

    Steps must be asked for in order. `depth` is the stream of the depth table.
    """

    def __init__(self, params: SyntheticParams) -> None:
        self.params = params
        self._of = dict(zip(_STREAMS, np.random.default_rng(params.seed).spawn(len(_STREAMS)), strict=True))
        self._log_volatility = params.volatility_of_volatility * float(self._of["volatility"].standard_normal())
        self._basis = 0.0
        self._drawn = 0

    @property
    def depth(self) -> np.random.Generator:
        """The stream of the depth table."""
        return self._of["depth"]

    def steps(self, count: int) -> tuple[Records, Float64Array1D]:
        """Return the draws of the next `count` steps, and activity: volatility relative to its mean, shape (count,).

        Volatility is drawn without regard to price, and each step's drift takes out the convexity of the exponential, so
        that without `annual_drift` the price, not only its logarithm, is a martingale up to rounding to ticks.
        """
        params, of = self.params, self._of
        spread, hours = params.volatility_of_volatility, params.step_hours
        persistence = 0.5 ** (hours / params.volatility_half_life_hours)
        shocks = of["volatility"].standard_normal(count) * (spread * math.sqrt(1.0 - persistence**2))
        log_volatility, basis = np.empty(count), np.empty(count)
        autoregress(self._log_volatility, persistence, shocks, log_volatility)
        self._log_volatility = float(log_volatility[-1])
        season_norm = math.sqrt(1.0 + params.daily_seasonality**2 / 2.0)
        # E[relative ** 2] = 1, so that annual_volatility means what it says
        relative = self._season(count) / season_norm * np.exp(log_volatility - spread**2)
        variance = (params.annual_volatility**2 - params.jump_variance) * hours / YEAR_HOURS * relative**2
        noise = np.sqrt(variance) * of["returns"].standard_normal(count) - variance / 2.0 + params.annual_drift * hours / YEAR_HOURS
        jumps = of["jumps"].poisson(params.jumps_per_day * hours / 24.0, count)
        noise += np.sqrt(jumps) * params.jump_scale * of["jump_sizes"].standard_normal(count) - jumps * params.jump_scale**2 / 2.0
        activity = relative * season_norm * math.exp(spread**2 / 2.0)
        wander = 0.5 ** (hours * 60.0 / params.mark_half_life_minutes)
        pushes = of["mark"].standard_normal(count) * (params.mark_noise_bps * 1e-4 * math.sqrt(1.0 - wander**2))
        autoregress(self._basis, wander, pushes, basis)
        self._basis = float(basis[-1])
        holders = of["holders"].poisson(params.mean_live_hedged / params.hedged_holding_hours * hours, count)
        if self._drawn == 0:  # hedged holders begin in their stationary law: exponential holding has no memory
            holders[0] += of["waiting"].poisson(params.mean_live_hedged)
        self._drawn += count
        columns = {
            "noise": noise,
            "basis": basis,
            "depth": 1.0 / np.sqrt(activity),
            "traders": of["arrivals"].poisson(params.arrivals_per_hour * hours * activity),
            "holders": holders,
            "churn": np.exp(_CHURN_SIGMA * of["churn"].standard_normal(count) - _CHURN_SIGMA**2 / 2.0),
            "lean": _LEAN_SIGMA * of["lean"].standard_normal(count),
        }
        return records(STEP, columns), activity

    def traders(self, count: int) -> Records:
        """Return the draws of the next `count` leveraged traders."""
        columns = {name: self._of[name].random(count) for name in ("side", "leverage", "mode", "plan", "stop")}
        columns |= {name: self._of[name].standard_exponential(count) for name in ("holding", "extra")}
        return records(TRADER, columns | {"notional": self._notional("notional", count)})

    def holders(self, count: int) -> Records:
        """Return the draws of the next `count` hedged holders."""
        steps = self.params.hedged_holding_hours / self.params.step_hours
        columns = {
            "side": self._of["holder_side"].random(count),
            "notional": self._notional("holder_notional", count),
            "holding": steps * self._of["holder_holding"].standard_exponential(count),
        }
        return records(HOLDER, columns)

    def _notional(self, stream: str, count: int) -> Float64Array1D:
        return np.asarray(self.params.median_notional * np.exp(self.params.notional_sigma * self._of[stream].standard_normal(count)))

    def _season(self, count: int) -> Float64Array1D:
        params = self.params
        first = (params.start_ns % 86_400_000_000_000) / 3.6e12  # the warm-up is whole days, so it starts at the same hour
        hour = first + params.step_hours * np.arange(self._drawn, self._drawn + count)
        return np.asarray(1.0 + params.daily_seasonality * np.cos(2.0 * np.pi * (hour - _PEAK_HOUR) / 24.0), dtype=np.float64)

"""How often price touches a level, or one of two first, if it is going nowhere: the null that gravity has to beat.

Distances are of log price: ln(level / price) up, ln(price / level) down, both above 0. Two things can be meant by going nowhere.
`martingale="price"`: the price itself is a martingale, so that its logarithm drifts by minus half its variance, and nobody earns
anything by holding. `martingale="log"`: the logarithm is one, so that equal log distances are equally likely. They differ little at
small distances (at 5 % either way .4875 against .5000 for the upper level first), but thousands of events can tell them apart.

down / (up + down) holds with all the patience in the world. Within a horizon the nearer level is touched first more often than that
among the pairs of which one was touched: with 3 % up, 2 % down and one day at 2 %, .29 and not .40. Compare those with
`first_touch_within`.

References: Doob's optional stopping for the horizonless case; Darling & Siegert (1953), Annals of Mathematical Statistics 24, and
Borodin & Salminen (2002), "Handbook of Brownian Motion", for first exits; Broadie, Glasserman & Kou (1997), "A continuity
correction for discrete barrier options", Mathematical Finance 7(4), for prices that are only looked at now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from scipy.special import log_ndtr

from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import one_of

__all__ = ["DISCRETE_SHIFT", "FirstTouch", "first_touch_probability", "first_touch_within", "touch_probability", "up_first_probability"]

DISCRETE_SHIFT: Final = 0.5825971579390107
"""-ζ(1/2) / √(2π): by how many sigma √dt a barrier that is looked at every dt lies farther away (Broadie, Glasserman & Kou 1997)."""

Martingale = Literal["price", "log"]
_TERMS = 8  # of either series, where it is used: the next is below 1e-16


@dataclass(frozen=True, kw_only=True, eq=False)
class FirstTouch:
    """Chance that the upper level is touched first, the lower one first, or neither, within the horizon; they add up to 1."""

    up: Float64Array1D
    down: Float64Array1D
    neither: Float64Array1D


def first_touch_probability(up: Any, down: Any) -> Float64Array1D:
    """Return the chance that a martingale rises by `up` before it falls by `down`: down / (up + down), whatever its volatility.

    up, down: distances above 0 in the unit of the martingale (quote for a price), any shapes that broadcast; 2 and 3 give 0.6.
    For log distances and a martingale price see `up_first_probability`. Raises ConfigError for one not above 0.
    """
    above, below = _distance("up", up), _distance("down", down)
    return np.asarray(below / (above + below))


def up_first_probability(up: Any, down: Any, *, martingale: Martingale = "price") -> Float64Array1D:
    """Return the chance that price touches the upper level before the lower, without horizon, for log distances.

    (1 - e^-down) / (e^up - e^-down) for a martingale price, down / (up + down) for a martingale log price. Shapes broadcast.
    Raises ConfigError for a distance not above 0.
    """
    above, below = _distance("up", up), _distance("down", down)
    if one_of("martingale", martingale, ("price", "log")) == "log":
        return np.asarray(below / (above + below))
    return np.asarray(-np.expm1(-below) / (np.expm1(above) - np.expm1(-below)))


def touch_probability(
    distance: Any, volatility: Any, horizon: Any, *, up: Any = True, step: Any = 0.0, martingale: Martingale = "price"
) -> Float64Array1D:
    """Return the chance that one level is touched within the horizon.

    distance: log distance, above 0. volatility: of log price, per root unit of time. horizon, step: in that unit of time; step is how
    often price is looked at, 0 for all the time (the range of a bar sees all the time, its close does not). up: whether the level
    is above. All broadcast.

    Φ((-b + m T) / s√T) + e^(2 m b / s²) Φ((-b - m T) / s√T), s the volatility, m the drift towards the level, b the distance plus
    `DISCRETE_SHIFT` s√step. Raises ConfigError for a distance, volatility or horizon not above 0.
    """
    sigma, time = _distance("volatility", volatility), _distance("horizon", horizon)
    barrier = _shifted("distance", distance, sigma, step)
    towards = np.where(np.asarray(up, dtype=np.bool_), 1.0, -1.0) * _drift(sigma, martingale)
    return np.asarray(_hit(barrier, towards, sigma, time))


def first_touch_within(
    up: Any, down: Any, volatility: Any, horizon: Any, *, step: Any = 0.0, martingale: Martingale = "price"
) -> FirstTouch:
    """Return the chances that the upper or the lower of two levels is touched first within the horizon, or neither.

    up, down: log distances above 0; the other parameters as in `touch_probability`. All broadcast. For short horizons the series of
    images is summed, for long ones that of eigenfunctions; each is exact. Raises ConfigError as `touch_probability` does.
    """
    sigma, time = _distance("volatility", volatility), _distance("horizon", horizon)
    above, below = _shifted("up", up, sigma, step), _shifted("down", down, sigma, step)
    drift = _drift(sigma, martingale)
    above, below, drift, sigma, time = np.broadcast_arrays(above, below, drift, sigma, time)
    first, second = _exit(above, below, drift, sigma, time), _exit(below, above, -drift, sigma, time)
    return FirstTouch(up=first, down=second, neither=np.clip(1.0 - first - second, 0.0, 1.0))


def _exit(near: Float64Array1D, far: Float64Array1D, drift: Float64Array1D, sigma: Float64Array1D, time: Float64Array1D) -> Float64Array1D:
    """Return the chance to leave at `near` (towards which `drift` points) before `far` and within `time`."""
    width, spread = near + far, sigma * np.sqrt(time)
    total = np.zeros(near.shape)
    tilt = drift / sigma**2
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        images = np.zeros(near.shape)
        for n in range(_TERMS):
            images += _hit(near + 2 * n * width, drift, sigma, time, -2 * n * width * tilt)
            if n:
                images -= _hit(2 * n * width - near, drift, sigma, time, tilt * (2 * near - 2 * n * width))
        ever = np.where(tilt == 0, far / width, np.expm1(-2 * tilt * far) / np.expm1(-2 * tilt * width))
        modes = np.zeros(near.shape)
        for k in range(1, _TERMS + 1):
            rate = (drift / sigma) ** 2 / 2 + (k * np.pi * sigma / width) ** 2 / 2
            modes += (-1) ** (k + 1) * k * np.sin(k * np.pi * far / width) * np.exp(-rate * time) / rate
        late = np.exp(tilt * near) * np.pi * (sigma / width) ** 2 * modes
        total = np.where(width > spread, images, ever - late)
    return np.clip(total, 0.0, 1.0)


def _hit(
    barrier: Float64Array1D, drift: Float64Array1D, sigma: Float64Array1D, time: Float64Array1D, log_weight: Any = 0.0
) -> Float64Array1D:
    """Return e**log_weight times the chance that a Brownian motion with drift reaches `barrier`; in logarithms, to overflow nowhere."""
    spread = sigma * np.sqrt(time)
    direct = log_weight + log_ndtr((drift * time - barrier) / spread)
    reflected = log_weight + 2 * drift * barrier / sigma**2 + log_ndtr((-drift * time - barrier) / spread)
    return np.asarray(np.exp(direct) + np.exp(reflected))


def _drift(sigma: Float64Array1D, martingale: Martingale) -> Float64Array1D:
    return -0.5 * sigma**2 if one_of("martingale", martingale, ("price", "log")) == "price" else np.zeros_like(sigma)


def _shifted(name: str, distance: Any, sigma: Float64Array1D, step: Any) -> Float64Array1D:
    pause = np.asarray(step, dtype=np.float64)
    if not (np.isfinite(pause) & (pause >= 0)).all():
        raise ConfigError("step: must be 0 (price is looked at all the time) or above")
    return np.asarray(_distance(name, distance) + DISCRETE_SHIFT * sigma * np.sqrt(pause))


def _distance(name: str, value: Any) -> Float64Array1D:
    array = np.asarray(value, dtype=np.float64)
    if not (np.isfinite(array) & (array > 0)).all():
        raise ConfigError(f"{name}: every value must be finite and above 0; leave out levels that price stands on")
    return array

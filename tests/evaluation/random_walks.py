"""Markets that are random walks, with made-up maps that are like real ones in what matters: heavy against the moves of the last days."""

import numpy as np
from contexts import context_of
from scipy.signal import lfilter

from liqbt.market import MarketFrame
from liqbt.volatility import daily_volatility

PER_DAY = 48


def walk(rng, days, *, push=None):
    """A market of half hours whose price is a martingale. push: drift of log price in each bar, shape (n_bars,)."""
    n, steps = days * PER_DAY, 6
    volatility = 0.03 / np.sqrt(PER_DAY) * np.exp(lfilter([1], [1, -0.99], rng.normal(size=n) * 0.35 * np.sqrt(1 - 0.99**2)))
    moves = rng.normal(size=(n, steps)) * volatility[:, None] / np.sqrt(steps) - volatility[:, None] ** 2 / (2 * steps)
    if push is not None:
        moves += push[:, None] / steps
    path = np.cumsum(moves.ravel()).reshape(n, steps)
    full = np.concatenate([np.concatenate(([0.0], path[:-1, -1]))[:, None], path], axis=1)
    prices = dict(zip(("open", "high", "low", "close"), (full[:, 0], full.max(axis=1), full.min(axis=1), full[:, -1]), strict=True))
    stamps = np.int64(1_735_689_600_000_000_000) + np.arange(n, dtype=np.int64) * np.int64(1_800_000_000_000)
    return MarketFrame(
        venue="nowhere", symbol="WALKUSDT", interval="30m", timestamp=stamps, volume=rng.lognormal(size=n), observed=np.ones(n, bool),
        **{name: 100 * np.exp(values) for name, values in prices.items()},
    )  # fmt: skip


def slow_noise(rng, n, half_life):
    """Stationary noise of variance 1."""
    keep = 0.5 ** (1 / half_life)
    return lfilter([1], [1, -keep], rng.normal(size=n)) * np.sqrt(1 - keep**2)


def with_map(market, rng, *, dominance=None, memory_days=1.5):
    """A context: zones at random distances; dominance against the moves of the last days, where None; sweeps of the day's extremes."""
    n, close = market.n_bars, market.close
    sigma = daily_volatility(market, 2.0)
    known = np.where(np.isnan(sigma), 0.03, sigma)
    if dominance is None:
        keep = 0.5 ** (1 / (memory_days * PER_DAY))
        moved = lfilter([1], [1, -keep], np.diff(np.log(close), prepend=np.log(close[0])) / 0.03)
        dominance = 1 / (1 + np.exp(0.35 * moved - 0.25 * slow_noise(rng, n, 12)))
    up, down = (0.1 + 0.9 * np.exp(0.4 * slow_noise(rng, n, 12)) for _ in range(2))
    highest, lowest = (_day_extreme(values, how) for values, how in ((market.high, np.max), (market.low, np.min)))
    return context_of(
        market, sigma=sigma, dominance=np.where(np.isnan(sigma), np.nan, dominance),
        above_near=close * np.exp(up * known), above_far=close * np.exp(up * known) * 1.005,
        below_near=close * np.exp(-down * known), below_far=close * np.exp(-down * known) * 0.995,
        above_swept=np.where(market.high > highest * (1 + 0.1 * known), 1.0, 0.0),
        below_swept=np.where(market.low < lowest * (1 - 0.1 * known), 1.0, 0.0),
    )  # fmt: skip


def _day_extreme(values, how):
    """Of the day before each bar, the bar left out."""
    windows = np.lib.stride_tricks.sliding_window_view(values, PER_DAY)[:-1]
    return np.concatenate((np.full(PER_DAY, np.nan), how(windows, axis=1)))

"""A year of minutes in a second, for benchmarks: a random walk that is drawn back to where it began."""

from __future__ import annotations

import numpy as np

from liqbt.market import MarketFrame

YEAR = 525_600


def minutes(count=YEAR, *, seed=0, volatility=6e-4):
    """Bars of a bitcoin-like market: 43 % volatility a year, bars of about 10 basis points, open interest and volume in proportion."""
    rng = np.random.default_rng(seed)
    log_price = np.cumsum(rng.normal(0, volatility, count))
    log_price -= np.linspace(0, log_price[-1], count)
    close = 50_000 * np.exp(log_price)
    open_ = np.r_[50_000.0, close[:-1]]
    up, down = np.abs(rng.normal(0, volatility / 2, (2, count)))
    return MarketFrame(
        venue="binance",
        symbol="BTCUSDT",
        interval="1m",
        timestamp=1_735_689_600_000_000_000 + 60_000_000_000 * np.arange(count),
        open=open_,
        high=np.maximum(open_, close) * np.exp(up),
        low=np.minimum(open_, close) * np.exp(-down),
        close=close,
        volume=rng.exponential(30, count),
        observed=np.ones(count, dtype=bool),
        open_interest=80_000 + np.cumsum(rng.normal(0, 3, count)),
    )

"""Many variants of sweep reversal on 100,000 bars: ours, with time exits, liquidation and Sharpe ratio, beside vectorbt's loop.

Read as the ratio of the two rows. Both get the same entries, stops and targets, made beforehand; vectorbt's loop leaves out the time
exits and the ratio.
"""

import numpy as np
import pytest
from vectorbt_loop import simulate_columns

import liqbt as lb
from liqbt.datasets import SyntheticParams, simulate
from liqbt.scoring.variants import score_variants
from liqbt.strategy import strategy_variants

DAYS = 348  # of 5-minute bars


@pytest.fixture(scope="module")
def market():
    return simulate(SyntheticParams.preset("null", seed=1, days=DAYS, interval="5m", arrivals_per_hour=200.0)).to_market()


@pytest.fixture(scope="module")
def signals(market):
    features = lb.build_features(lb.reconstruct(market))
    grid = {
        "min_swept": (0.3, 0.5, 0.7, 0.9),
        "within_hours": (1.0, 4.0),
        "stop_buffer": (0.05, 0.2),
        "reward": (1.0, 2.0),
        "max_hours": (6.0, 24.0),
    }
    return [one.signals(market, features) for one in strategy_variants("sweep_reversal", **grid)]


def test_ours(benchmark, market, signals):
    table = benchmark(score_variants, signals, market)
    assert len(table) == len(signals)
    assert table["n_trades"].sum() > 1_000


def test_vectorbt_loop(benchmark, market, signals):
    column = (-1, 1)
    bars = [np.ascontiguousarray(getattr(market, name).reshape(column)) for name in ("open", "high", "low", "close")]

    def later(values, empty):
        return np.stack([np.r_[[empty], one[:-1]].reshape(column) for one in values])

    entries = [one.entry for one in signals]
    long, short = (later([entry == side for entry in entries], False) for side in (1, -1))
    stop = later([np.abs(one.stop_price / market.close - 1) for one in signals], np.nan)
    target = later([np.abs(one.target_price / market.close - 1) for one in signals], np.nan)
    counts = np.zeros(len(signals), np.int64)
    costs = np.full((1, 1), 0.0005), np.full((1, 1), 1e-4)
    benchmark(simulate_columns, *bars, long, short, stop, target, *costs, 10_000.0, counts)
    assert counts.sum() > 2_000

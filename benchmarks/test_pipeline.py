"""Timings of the stages on one synthetic market, to be read as ratios to the yardsticks in the same table."""

import numpy as np
import pytest
from naive_map import naive_map

from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.datasets import load_dataset
from liqbt.features import build_features
from liqbt.scoring import backtest
from liqbt.strategy import load_strategy

MIX = LeverageMix.of(dict.fromkeys((3, 5, 10, 20, 25, 40, 50, 75, 100), 1.0))  # nine leverages


@pytest.fixture(scope="module")
def market():
    return load_dataset("synthetic-90d")


@pytest.fixture(scope="module")
def book(market):
    return reconstruct(market, MIX, BookParams(bin_bps=5.0))


@pytest.fixture(scope="module")
def features(book):
    return build_features(book)


def test_yardstick_memory_copy_of_the_basis(benchmark, book):
    target = np.empty_like(book.swept)
    benchmark(np.copyto, target, book.swept)


def test_yardstick_pure_python_map_1000_bars(benchmark, market):
    """The map as public tools write it: per bar and leverage one level, no closings, no path; 1,000 of the 25,920 bars."""
    bars = [column[:1000].tolist() for column in (market.high, market.low, market.close, market.volume)]
    benchmark.pedantic(naive_map, args=(*bars, MIX.leverage), rounds=3)


def test_reconstruct(benchmark, market):
    benchmark(reconstruct, market, MIX, BookParams(bin_bps=5.0))


def test_heatmap_every_15_minutes(benchmark, book):
    benchmark.pedantic(book.heatmap, args=("15m",), rounds=5)


def test_features(benchmark, book):
    benchmark(build_features, book)


@pytest.mark.parametrize("name", ["gravity", "sweep_reversal"])
def test_signals(benchmark, market, features, name):
    benchmark(load_strategy(name).signals, market, features)


def test_fills(benchmark, market, features):
    signals = load_strategy("gravity").signals(market, features)
    benchmark(backtest, signals, market, leverage=3.0)

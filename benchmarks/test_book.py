"""The book alone, on a year of minutes: nine leverages, both sides, bins of 5 basis points, the path within bars included.

Read as ratios to the yardsticks of the same table; the first of each kind is the case that the others vary in one thing.
"""

import numpy as np
import pytest
from markets import YEAR, minutes
from naive_map import naive_map

from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.passes import BookPass
from liqbt.book.reconstruct import reconstruct

NINE = (3, 5, 10, 20, 25, 40, 50, 75, 100)


def mix_of(levels):
    return LeverageMix.of(dict.fromkeys(levels, 1.0))


@pytest.fixture(scope="module")
def market():
    return minutes()


@pytest.fixture(scope="module")
def book(market):
    return reconstruct(market, mix_of(NINE))


def basis(book):
    """One pass with unit weight on each leverage."""
    passing = BookPass(book.market, book.flows, book.grid, book.levels, book.params)
    passing.run_to(book.market.n_bars)
    return passing


def test_yardstick_memory_copy_of_the_basis(benchmark, book):
    target = np.empty_like(book.swept)
    benchmark(np.copyto, target, book.swept)


def test_yardstick_pure_python_map_1000_bars(benchmark, market):
    """The map as public tools write it, without closings and path; 1,000 of the 525,600 bars."""
    bars = [column[:1000].tolist() for column in (market.high, market.low, market.close, market.volume)]
    benchmark.pedantic(naive_map, args=(*bars, NINE), rounds=3)


def test_basis(benchmark, book):
    benchmark.pedantic(basis, args=(book,), rounds=7)


def test_reconstruct_with_flows(benchmark, market):
    benchmark.pedantic(reconstruct, args=(market, mix_of(NINE)), rounds=5)


def test_basis_and_heatmap_every_15_minutes(benchmark, book):
    benchmark.pedantic(book.heatmap, args=("15m",), rounds=5)


@pytest.mark.parametrize("bars", [YEAR // 4, YEAR // 2, 2 * YEAR])
def test_growth_over_bars(benchmark, bars):
    part = reconstruct(minutes(bars), mix_of(NINE))
    benchmark.pedantic(basis, args=(part,), rounds=5)


@pytest.mark.parametrize("bin_bps", [1.0, 2.0, 10.0, 20.0])
def test_growth_over_bins(benchmark, market, bin_bps):
    other = reconstruct(market, mix_of(NINE), BookParams(bin_bps=bin_bps))
    benchmark.pedantic(basis, args=(other,), rounds=5)


@pytest.mark.parametrize("levels", [(10,), (3, 10, 50), (*NINE, *(x + 1 for x in NINE[:-1]), 99)])
def test_growth_over_leverages(benchmark, market, levels):
    other = reconstruct(market, mix_of(levels))
    benchmark.pedantic(basis, args=(other,), rounds=5)


@pytest.mark.parametrize("options", [{"hazard_exponent": 0.25}, {"fleeting_share": 0.3}, {"median_notional": 50_000.0}], ids=str)
def test_options(benchmark, market, options):
    other = reconstruct(market, mix_of(NINE), BookParams(**options))
    benchmark.pedantic(basis, args=(other,), rounds=5)

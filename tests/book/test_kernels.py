import math

import numpy as np
import pytest
from generators import with_open_interest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import ReferenceBook
from scipy.stats import triang

from liqbt.book._kernels import triangular_cdf
from liqbt.book.flows import build_flows
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.book.state import BookPass, liquidation_shift, price_grid

RATE = 0.005
SIDES = ("long", "short")


def reference_run(market, flows, leverage, bin_bps):
    """The oracle over a whole market: swept and live by bar and side, and the book at the end."""
    shift = liquidation_shift([leverage], RATE)[:, 0]
    book = ReferenceBook(width=math.log1p(bin_bps * 1e-4), shift=dict(zip(SIDES, shift, strict=True)))
    swept, live = [], []
    for t in range(market.n_bars):
        bar = {name: float(getattr(market, name)[t]) for name in ("open", "high", "low", "close")}
        trigger = {name: float(getattr(market, f"trigger_{name}")[t]) for name in ("high", "low", "close")}
        sides = [dict(zip(SIDES, map(float, values[t]), strict=True)) for values in (flows.survival, flows.opened, flows.retained)]
        out = book.step(bar, trigger, *sides)
        swept.append([out[side] for side in SIDES])
        live.append([book.live(side) for side in SIDES])
    return np.array(swept), np.array(live), book


@settings(deadline=None, max_examples=60)
@given(with_open_interest(max_bars=25), st.sampled_from((3.0, 10.0, 25.0)), st.sampled_from((17.0, 40.0)))
def test_kernel_equals_the_oracle(market, leverage, bin_bps):
    params = BookParams(bin_bps=bin_bps, churn_share=0.7, long_churn_share=0.4)
    flows = build_flows(market, params)
    shift = liquidation_shift([leverage], RATE)
    grid = price_grid(market, shift, bin_bps)
    kernel = BookPass(market, flows, grid, shift)
    heat = kernel.run_to(market.n_bars, np.where(np.arange(market.n_bars) == market.n_bars - 1, 0, -1), grid.n_bins)
    swept, live, book = reference_run(market, flows, leverage, bin_bps)
    size = max(1.0, float(np.nanmax(flows.open_interest)))
    np.testing.assert_allclose(kernel.swept[:, :, 0], swept, rtol=1e-9, atol=1e-11 * size)
    np.testing.assert_allclose(kernel.live[:, :, 0], live, rtol=1e-9, atol=1e-9 * size)
    for index, side in enumerate(SIDES):
        expected = np.zeros(grid.n_bins)
        for level, mass in book.levels[side].items():
            expected[level - grid.origin] += mass
        np.testing.assert_allclose(heat[-1, index, 0], expected, rtol=1e-8, atol=1e-11 * size)


@settings(deadline=None, max_examples=60)
@given(with_open_interest(max_bars=40))
def test_opened_is_live_plus_closed_plus_liquidated(market):
    """Each side, each leverage: what is in the bins at the end, not a running total, is what the flows leave over."""
    flows = build_flows(market, BookParams(bin_bps=20.0))
    shift = liquidation_shift((3.0, 10.0, 25.0), RATE)
    grid = price_grid(market, shift, 20.0)
    book = BookPass(market, flows, grid, shift)
    heat = book.run_to(market.n_bars, np.zeros(market.n_bars, dtype=np.int64), grid.n_bins)
    in_bins = heat.sum(axis=3)
    carried = np.concatenate([np.zeros((1, 2, 3)), in_bins[:-1]])
    closed = carried * (1 - flows.survival[:, :, None]) + (flows.opened - flows.retained)[:, :, None]
    total = closed.sum(axis=0) + in_bins[-1] + book.swept.sum(axis=0)
    opened = flows.opened.sum(axis=0)[:, None]
    np.testing.assert_allclose(total, np.broadcast_to(opened, total.shape), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(book.live, in_bins, rtol=1e-9, atol=1e-9 * max(1.0, float(opened.max())))


@settings(deadline=None, max_examples=40)
@given(with_open_interest(max_bars=40), st.lists(st.integers(1, 39), max_size=4))
def test_chunked_equals_whole_to_the_bit(market, cuts):
    flows = build_flows(market, BookParams(bin_bps=20.0))
    shift = liquidation_shift((3.0, 25.0), RATE)
    grid = price_grid(market, shift, 20.0)
    whole, parts = (BookPass(market, flows, grid, shift) for _ in range(2))
    whole.run_to(market.n_bars)
    for stop in sorted({c for c in cuts if c < market.n_bars} | {market.n_bars}):
        parts.run_to(stop)
    assert whole.swept.tobytes() == parts.swept.tobytes()
    assert whole.live.tobytes() == parts.live.tobytes()
    assert whole.book.tobytes() == parts.book.tobytes()


@settings(deadline=None, max_examples=40)
@given(with_open_interest(max_bars=40), st.tuples(*[st.floats(0.01, 1.0)] * 3))
def test_a_mix_is_the_weighted_sum_of_its_leverages(market, weights):
    mix = LeverageMix.of(dict(zip((3.0, 10.0, 25.0), weights, strict=True)))
    book = reconstruct(market, mix, BookParams(bin_bps=20.0))
    mixed = BookPass(market, book.flows, book.grid, liquidation_shift(mix.leverage, book.rate), book.weights)
    mixed.run_to(market.n_bars)
    np.testing.assert_allclose(book.swept @ book.weights, mixed.swept[:, :, 0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(book.live @ book.weights, mixed.live[:, :, 0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("jitted", [True, False])
@given(st.floats(0.0, 3.0), st.floats(0.0, 1.0))
def test_triangular_cdf_is_scipys(jitted, x, mode):
    low, high = 1.0, 2.0
    function = triangular_cdf if jitted else triangular_cdf.py_func
    assert function(x, low, low + mode, high) == pytest.approx(triang(mode, loc=low, scale=high - low).cdf(x), abs=1e-12)


def test_a_gap_leaves_no_zombie_levels(make_market):
    """Price jumps over a level without trading in it: the level must be gone, not waiting for a return."""
    market = make_market(close=[100, 100, 80, 80, 100], volume=[100, 100, 0, 0, 0], open_interest=[50, 50, 50, 50, 50])
    book = reconstruct(market, LeverageMix.of({10.0: 1.0}), BookParams(bin_bps=10.0))
    assert book.swept[2, 0, 0] > 0
    assert book.live[2, 0, 0] == 0.0
    assert book.swept[3:, 0, 0].sum() == 0.0


def test_positions_can_die_in_the_bar_that_opens_them(make_market):
    """A bar that dips 5 % after trading at its open liquidates 50x longs opened on the way down, but no 5x longs."""
    market = make_market(open=[100, 100], high=[100, 100.1], low=[100, 95], close=[100, 99], volume=[0, 100], open_interest=[1, 101])
    book = reconstruct(market, LeverageMix.of({5.0: 1.0, 50.0: 1.0}), BookParams(bin_bps=5.0))
    assert book.swept[1, 0, 1] > 20.0
    assert book.swept[1, 0, 0] == 0.0
    assert book.swept[1, 1, 1] == pytest.approx(0.0, abs=80)  # shorts: opened low, price recovers by 4 %

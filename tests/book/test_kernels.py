"""The kernel against its oracle, what it conserves, and that the length of a run does not matter."""

import math
from dataclasses import replace

import numpy as np
import pytest
from generators import with_open_interest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import ReferenceBook
from scipy.stats import triang

from liqbt.book._entry_kernels import triangular_cdf
from liqbt.book.flows import build_flows
from liqbt.book.grid import price_grid
from liqbt.book.levels import Levels
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.passes import BookPass
from liqbt.book.reconstruct import reconstruct
from liqbt.margin import liquidation_price
from liqbt.market import VolumeProfile

RATE = 0.005
SIDES = ("long", "short")


def levels_of(leverage, *, exponent=0.0, reference=0.02, sizes=((1.0, 1.0),)):
    """Levels of small linear positions; sizes: factor on the maintenance rate, and share, of each size."""
    shift = np.array([
        [
            [
                math.log(liquidation_price(side=side, entry_price=1.0, amount=1.0, leverage=x, maintenance_margin_rate=RATE * factor))
                for factor, _ in sizes
            ]
            for x in leverage
        ]
        for side in SIDES
    ])  # fmt: skip
    share = np.broadcast_to(np.array([part for _, part in sizes]), shift.shape).copy()
    distance = (np.abs(np.expm1(shift)) * share).sum(axis=2)
    return Levels(shift=shift, share=share, multiple=(distance / reference) ** -exponent)


@st.composite
def with_profile(draw, **limits):
    """Markets of which some bars have trades recorded, in bins of one basis point, now and then a bin outside of the bar."""
    market = draw(with_open_interest(**limits))
    if not draw(st.booleans()):
        return market
    width = math.log1p(5e-4) / 5
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bins, offsets = [], [0]
    for low, high in zip(market.low, market.high, strict=True):
        first, last = (math.floor(math.log(price) / width) for price in (low, high))
        count = int(rng.integers(0, 4)) if rng.random() < 0.8 else 0
        bins += sorted(set(rng.integers(first - 1, last + 2, count).tolist()))
        offsets.append(len(bins))
    buy, sell = rng.integers(0, 3, (2, len(bins))).astype(float)
    profile = VolumeProfile(width=width, offsets=np.array(offsets), bin=np.array(bins, dtype=np.int64), buy=buy, sell=sell)
    return replace(market, volume_profile=profile)


options = st.fixed_dictionaries({
    "churn_share": st.sampled_from((0.0, 0.7)),
    "long_churn_share": st.sampled_from((0.4, 1.0)),
    "count_liquidations": st.booleans(),
    "fleeting_share": st.sampled_from((0.0, 0.0, 0.3)),
    "fleeting_hazard": st.sampled_from((2.0, 30.0)),
    "bin_bps": st.sampled_from((17.0, 40.0)),
})  # fmt: skip
level_options = st.fixed_dictionaries({
    "exponent": st.sampled_from((0.0, 0.25, 1.0)),
    "sizes": st.sampled_from((((1.0, 1.0),), ((1.0, 0.5), (1.7, 0.25), (2.5, 0.25)))),
})  # fmt: skip


def traded_at(market, t, bin_bps):
    """Volume by bin of the book, of one bar."""
    if market.volume_profile is None:
        return {}
    width, traded = math.log1p(bin_bps * 1e-4), {}
    for fine, buy, sell in zip(*market.volume_profile.of(t), strict=True):
        level = math.floor((int(fine) + 0.5) * market.volume_profile.width / width)
        traded[level] = traded.get(level, 0.0) + float(buy + sell)
    return traded if sum(traded.values()) > 0 else {}


def reference_run(market, flows, levels, params):
    """The oracle of one leverage over a whole market: swept, live and closed by bar and side, and the books at the end."""
    kinds = [(1.0, 1.0)]
    if params.fleeting_share:
        kinds = [(1 - params.fleeting_share, 1.0), (params.fleeting_share, params.fleeting_hazard)]
    sizes = {side: list(zip(levels.shift[i, 0], levels.share[i, 0], strict=True)) for i, side in enumerate(SIDES)}
    books = [
        ReferenceBook(width=math.log1p(params.bin_bps * 1e-4), sizes=sizes, count_liquidations=params.count_liquidations) for _ in kinds
    ]
    out = np.zeros((3, market.n_bars, 2))
    for t in range(market.n_bars):
        bar = {name: float(getattr(market, name)[t]) for name in ("open", "high", "low", "close")}
        trigger = {name: float(getattr(market, f"trigger_{name}")[t]) for name in ("high", "low", "close")}
        for book, (share, times) in zip(books, kinds, strict=True):
            survival, opened, retained = {}, {}, {}
            for i, side in enumerate(SIDES):
                h = levels.multiple[i, 0] * times
                survival[side], kept = survives_and_stays(flows, t, i, h)
                opened[side], retained[side] = share * float(flows.opened[t, i]), share * kept
            swept = book.step(bar, trigger, survival, opened, retained, traded_at(market, t, params.bin_bps))
            for i, side in enumerate(SIDES):
                out[:, t, i] += swept[side], book.live(side), book.closed[side]
    return out, books


def survives_and_stays(flows, t, side, multiple):
    """exp(-h C / M), and the integral of what opens times what survives from then on, by the closed form's own integral."""
    hazard, growth = float(flows.hazard[t, side]), float(flows.growth[t])
    kept = float(flows.retained[t, side])
    if multiple == 1.0 or kept == 0.0:
        return math.exp(-multiple * hazard), kept
    first, other = hazard + growth, multiple * hazard + growth
    return math.exp(-multiple * hazard), kept * mean_survival(other) / mean_survival(first)


def mean_survival(z):
    return -math.expm1(-z) / z if z else 1.0


def scale_of(flows):
    return max(1.0, float(np.nanmax(flows.open_interest)), float(flows.opened.max()))


@settings(max_examples=80)
@given(with_profile(max_bars=20), st.sampled_from((3.0, 10.0, 25.0)), options, level_options)
def test_kernel_equals_the_oracle(market, leverage, options, level_options):
    params = BookParams(**options)
    flows, levels = build_flows(market, params), levels_of([leverage], **level_options)
    grid = price_grid(market, levels.shift, params.bin_bps)
    kernel = BookPass(market, flows, grid, levels, params)
    heat = kernel.run_to(market.n_bars, np.where(np.arange(market.n_bars) == market.n_bars - 1, 0, -1), grid.n_bins)
    (swept, live, closed), books = reference_run(market, flows, levels, params)
    size = scale_of(flows)
    np.testing.assert_allclose(kernel.swept[:, :, 0], swept, rtol=1e-9, atol=1e-11 * size)
    np.testing.assert_allclose(kernel.live[:, :, 0], live, rtol=1e-9, atol=1e-9 * size)
    derived = np.cumsum(closed_by(flows, kernel)[:, :, 0], axis=0)
    np.testing.assert_allclose(derived, closed, rtol=1e-9, atol=1e-9 * size)
    for index, side in enumerate(SIDES):
        expected = np.zeros(grid.n_bins)
        for book in books:
            for level, mass in book.levels[side].items():
                expected[level - grid.origin] += mass
        np.testing.assert_allclose(heat[-1, index, 0], expected, rtol=1e-8, atol=1e-11 * size)


def closed_by(flows, book):
    """What the account leaves for voluntary closings, shape (n_bars, 2, n_leverages)."""
    return np.diff(-book.live, axis=0, prepend=0.0) + flows.opened[:, :, None] - book.swept


@settings(max_examples=60)
@given(with_profile(max_bars=40), options, level_options)
def test_opened_is_live_plus_closed_plus_liquidated(market, options, level_options):
    """Each side, each leverage: what is in the bins, not a running total, is what the account says; nothing is closed twice."""
    params = BookParams(**options)
    flows, levels = build_flows(market, params), levels_of((3.0, 10.0, 25.0), **level_options)
    grid = price_grid(market, levels.shift, params.bin_bps)
    book = BookPass(market, flows, grid, levels, params)
    in_bins = book.run_to(market.n_bars, np.zeros(market.n_bars, dtype=np.int64), grid.n_bins).sum(axis=3)
    size = scale_of(flows)
    np.testing.assert_allclose(book.live, in_bins, rtol=1e-9, atol=1e-9 * size)
    assert (book.swept >= 0).all()
    assert (book.live >= 0).all()
    closed = closed_by(flows, book)
    assert (closed >= -1e-9 * size).all()
    total = in_bins[-1] + closed.sum(axis=0) + book.swept.sum(axis=0)
    np.testing.assert_allclose(total, np.broadcast_to(flows.opened.sum(axis=0)[:, None], total.shape), rtol=1e-9, atol=1e-9)


@settings(max_examples=60)
@given(with_profile(max_bars=40), st.sampled_from((0.0, 0.3, 1.0)))
def test_live_is_what_was_seen_while_liquidations_stay_within_closings(market, churn_share):
    """Both sides then hold recorded open interest exactly; once more is liquidated than is closed, they hold at most that."""
    params = BookParams(churn_share=churn_share, bin_bps=20.0)
    book = reconstruct(market, LeverageMix.of({1.5: 1.0, 10.0: 1.0, 25.0: 1.0}), params)
    seen, interest = book.flows.seen[:, :, None], book.flows.open_interest[:, None, None]
    size = scale_of(book.flows)
    before = np.concatenate([np.zeros((1, *book.live.shape[1:])), book.live[:-1]])
    allowed = (1 - book.flows.survival[:, :, None]) * before
    within = np.logical_and.accumulate(book.swept <= allowed * (1 + 1e-12), axis=0)
    np.testing.assert_allclose(book.live[within], np.broadcast_to(seen, within.shape)[within], rtol=1e-9, atol=1e-9 * size)
    assert (book.live <= seen * (1 + 1e-9) + 1e-9 * size).all()
    total = book.live + book.unexplained[:, :, None]
    known = within & ~np.isnan(interest)
    np.testing.assert_allclose(total[known], np.broadcast_to(interest, within.shape)[known], rtol=1e-9, atol=1e-9 * size)


@settings(max_examples=40)
@given(with_profile(max_bars=40), options, level_options, st.tuples(*[st.floats(0.01, 1.0)] * 3))
def test_a_mix_is_the_weighted_sum_of_its_leverages(market, options, level_options, weights):
    params = BookParams(**options)
    flows, levels = build_flows(market, params), levels_of((3.0, 10.0, 25.0), **level_options)
    grid = price_grid(market, levels.shift, params.bin_bps)
    weights = np.array(weights)
    every = np.zeros(market.n_bars, dtype=np.int64)
    apart, mixed = (BookPass(market, flows, grid, levels, params) for _ in range(2))
    heat = mixed.run_to(market.n_bars, every, grid.n_bins, weights)
    np.testing.assert_allclose(
        heat[:, :, 0], np.einsum("k,tskj->tsj", weights, apart.run_to(market.n_bars, every, grid.n_bins)), rtol=1e-12, atol=1e-9
    )
    one = Levels(shift=levels.shift[:, 1:2], share=levels.share[:, 1:2], multiple=levels.multiple[:, 1:2])
    alone = BookPass(market, flows, grid, one, params)
    alone.run_to(market.n_bars)
    size = scale_of(flows)
    np.testing.assert_allclose(alone.swept[:, :, 0], apart.swept[:, :, 1], rtol=1e-9, atol=1e-12 * size)  # none knows of the others
    np.testing.assert_allclose(alone.live[:, :, 0], apart.live[:, :, 1], rtol=1e-9, atol=1e-12 * size)


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

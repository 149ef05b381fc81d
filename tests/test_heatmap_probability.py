"""The probability map: kernel against oracle, pieces against the whole, and ensembles."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference_maps import reference_probability
from test_heatmap import heatmap
from test_heatmap_levels import leverage_heat

from liqbt.errors import ConfigError
from liqbt.heatmap import ZoneSize, dirichlet_mixes, probability_map
from liqbt.heatmap._kernels import NOTIONAL, SHARE, TIMES_MEDIAN, exceedance
from liqbt.heatmap.axes import side_windows

# eighths and powers of two add up without rounding, so that ties with the size are ties in both
MIXES = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0], [0.0, 0.125, 0.875], [0.25, 0.5, 0.25], [0.0, 1.0, 0.0]])
amounts = hnp.arrays(np.float64, (2, 2, 3, 9), elements=st.sampled_from((0.0, 0.0, 1.0, 2.0, 8.0, 64.0)))
CODES = {"notional": NOTIONAL, "share": SHARE, "times_median": TIMES_MEDIAN}


@pytest.mark.parametrize("jitted", [True, False])
@pytest.mark.parametrize("measure", list(CODES))
@settings(max_examples=40)
@given(heat=amounts, half=st.integers(0, 3), size=st.sampled_from((0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 32.0)), data=st.data())
def test_the_kernel_equals_the_oracle(jitted, measure, heat, half, size, data):
    size = size / 64 if measure == "share" else size
    windows = np.array([[sorted((data.draw(st.integers(0, 9)), data.draw(st.integers(0, 9)))) for _ in range(2)] for _ in range(2)])
    price = 2.0 ** np.arange(-2, 7)
    out = np.full((2, 2, 9), np.nan)
    (exceedance if jitted else exceedance.py_func)(heat, price, windows, half, CODES[measure], size, np.ascontiguousarray(MIXES.T), out)
    for row, side in np.ndindex(2, 2):
        expected = reference_probability(heat[row, side], price, windows[row, side], half, measure, size, MIXES)
        np.testing.assert_array_equal(out[row, side], expected)


@pytest.mark.parametrize(
    "size", [ZoneSize(measure="share", size=0.2), ZoneSize(measure="notional", size=5e3), ZoneSize(measure="times_median", size=2)]
)
def test_many_mixes_are_counted_one_by_one(size):
    """Of drawn heat and mixes: each bin's zone in each mix, by another road."""
    rng = np.random.default_rng(0)
    heat = leverage_heat(rng.gamma(0.3, 40.0, (3, 2, 4, 12)))
    heat = replace(heat, close=np.full(3, float(heat.price[6])))
    mixes = dirichlet_mixes((0.4, 0.3, 0.2, 0.1), concentration=5, n_mixes=200, seed=1)
    size = replace(size, smooth_bps=100.0, reach=0.04)
    found = probability_map(heat, mixes, size)
    counted = np.zeros((3, 2, 12))
    windows = side_windows(heat, 0.04)
    for mix in mixes:
        notional = heat.mix(mix).notional()
        for row, side in np.ndindex(3, 2):
            window = slice(*windows[row, side])
            zones = np.convolve(notional[row, side, window], np.ones(3))[1:-1]
            least = {"share": 0.2 * notional[row, side, window].sum(), "notional": 5e3, "times_median": 2 * np.median(zones)}[size.measure]
            counted[row, side, window] += zones > least
    np.testing.assert_allclose(found.probability, counted / 200, atol=1e-12)
    assert ((counted > 0) & (counted < 200)).any()
    assert (found.probability[:, 0, 7:] == 0).all()
    assert (found.probability[:, 1, :6] == 0).all()


def test_one_mix_says_yes_or_no():
    rng = np.random.default_rng(5)
    chance = probability_map(
        leverage_heat(rng.gamma(0.5, 10.0, (2, 2, 3, 9))), np.array([[0.2, 0.3, 0.5]]), ZoneSize(measure="share", size=0.3)
    )
    assert set(np.unique(chance.probability)) == {0.0, 1.0}


@pytest.mark.parametrize("measure", list(CODES))
def test_pieces_equal_the_whole_to_the_bit(measure):
    rng = np.random.default_rng(2)
    whole = leverage_heat(rng.gamma(0.3, 40.0, (9, 2, 3, 30)))
    mixes = dirichlet_mixes((0.4, 0.3, 0.3), concentration=5, n_mixes=64, seed=1)
    size = ZoneSize(measure=measure, size=0.07)
    parts = [
        replace(whole, **{name: getattr(whole, name)[a:b] for name in ("timestamp", "close", "explained_share", "intensity")})
        for a, b in ((0, 1), (1, 6), (6, 9))
    ]
    one, pieces = probability_map(whole, mixes, size), probability_map(iter(parts), mixes, size)
    assert one.probability.tobytes() == pieces.probability.tobytes()
    for name in ("timestamp", "close", "explained_share"):
        np.testing.assert_array_equal(getattr(one, name), getattr(pieces, name))
    assert pieces.n_mixes == 64


def test_a_greater_size_is_never_more_likely():
    rng = np.random.default_rng(3)
    heat = leverage_heat(rng.gamma(0.3, 40.0, (2, 2, 3, 30)))
    mixes = dirichlet_mixes((0.4, 0.3, 0.3), concentration=5, n_mixes=100, seed=1)
    for measure in CODES:
        maps = [probability_map(heat, mixes, ZoneSize(measure=measure, size=size)).probability for size in (0.01, 0.05, 0.2, 0.8)]
        assert all((b <= a).all() for a, b in pairwise(maps))
        assert maps[0].max() > 0


def test_no_heat_is_never_a_zone():
    for measure in CODES:
        assert not probability_map(leverage_heat(np.zeros((1, 2, 3, 9))), MIXES, ZoneSize(measure=measure, size=0.1)).probability.any()


def test_dirichlet_mixes_have_the_stated_mean_and_spread():
    mean = np.array([0.5, 0.3, 0.0, 0.2])
    mixes = dirichlet_mixes(mean, concentration=19, n_mixes=20_000, seed=7)
    np.testing.assert_allclose(mixes.sum(axis=1), 1)
    np.testing.assert_allclose(mixes.mean(axis=0), mean, atol=0.003)
    np.testing.assert_allclose(mixes.std(axis=0), np.sqrt(mean * (1 - mean) / 20), rtol=0.02)
    assert (mixes[:, 2] == 0).all()
    np.testing.assert_array_equal(mixes, dirichlet_mixes(mean, concentration=19, n_mixes=20_000, seed=7))
    assert not np.array_equal(mixes, dirichlet_mixes(mean, concentration=19, n_mixes=20_000, seed=8))


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("concentration", {"concentration": 0}),
        ("concentration", {"concentration": np.inf}),
        ("n_mixes", {"n_mixes": 0}),
        ("mixes", {"weights": (0.5, 0.6)}),
    ],
)
def test_ensembles_that_cannot_be(name, wrong):
    with pytest.raises(ConfigError, match=rf"^{name}: "):
        dirichlet_mixes(**{"weights": (0.5, 0.5), "concentration": 5, "n_mixes": 3, "seed": 0} | wrong)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("measure", {"measure": "amount"}),
        ("size", {"size": 0}),
        ("size", {"size": 1.0}),
        ("size", {"size": np.nan}),
        ("smooth_bps", {"smooth_bps": -1}),
        ("reach", {"reach": 1.0}),
    ],
)
def test_sizes_that_cannot_be(name, wrong):
    with pytest.raises(ConfigError, match=rf"^{name}: "):
        ZoneSize(**{"measure": "share", "size": 0.1} | wrong)


def test_parts_that_do_not_fit():
    size = ZoneSize(measure="share", size=0.1)
    heat = leverage_heat(np.ones((1, 2, 3, 9)))
    with pytest.raises(ConfigError, match=r"^mixes: shape \(5, 3\) must be \(n_mixes, 2\)"):
        probability_map(leverage_heat(np.ones((1, 2, 2, 9))), MIXES, size)
    with pytest.raises(ConfigError, match=r"^mixes: row 2 is \[0.5, 0.5, 0.5\]; weights must be at least 0 and sum to 1"):
        probability_map(heat, np.vstack((MIXES[:1], np.full(3, 0.5))), size)
    with pytest.raises(ConfigError, match=r"^heat: part 2 has other price bins than the first"):
        probability_map([heat, replace(heat, price_edges=heat.price_edges * 1.1)], MIXES, size)
    with pytest.raises(ConfigError, match=r"^heat: there are no snapshots"):
        probability_map([], MIXES, size)


def test_to_xarray_and_repr():
    chance = probability_map(leverage_heat(np.ones((2, 2, 3, 9))), MIXES, ZoneSize(measure="share", size=0.1, reach=0.02))
    array = chance.to_xarray()
    assert array.dims == ("timestamp", "side", "price")
    assert array.attrs["zone"] == "more than 10 % of the side within 2 % of price"
    assert array.attrs["n_mixes"] == 5
    np.testing.assert_array_equal(array.sel(side="long"), chance.probability[:, 0])
    assert "zones of more than 10 % of the side within 2 % of price, 5 mixes" in repr(chance)


def test_windows_of_a_price_outside_of_the_map():
    heat = heatmap(np.ones((2, 2, 5)))
    low, high = side_windows(replace(heat, close=np.array([1.0, 1e6])), 0.1)
    assert (low[:, 1] - low[:, 0] <= 0).all()
    assert (high[:, 1] - high[:, 0] <= 0).all()

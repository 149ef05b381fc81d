"""The map of each leverage, its mixes, and the liquidation map of one instant."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference_maps import reference_on_the_way
from test_heatmap import HOUR, START, heatmap

from liqbt.errors import ConfigError
from liqbt.heatmap import Heatmap, LeverageHeat, LiquidationMap, dirichlet_mixes
from liqbt.heatmap.by_leverage import leverage_groups


def leverage_heat(intensity, leverage=None):
    """Unit-weight heat of any shape (n_times, 2, n_leverages, n_prices), on the axes of `heatmap`."""
    intensity = np.asarray(intensity, dtype=float)
    axes = heatmap(intensity[:, :, 0]).axes
    return LeverageHeat(**axes, leverage=leverage or tuple(10.0 * (k + 1) for k in range(intensity.shape[2])), intensity=intensity)


SMALL = leverage_heat(np.arange(3 * 2 * 4 * 5).reshape(3, 2, 4, 5), (5.0, 20.0, 50.0, 100.0))


def level_map(long=None, short=None, *, bins=20, close_bin=10):
    """A map of one group, bins one percent wide from 100 up, with the last price in the middle of a bin."""
    amount = np.zeros((1, 2, bins))
    for side, cells in enumerate((long or {}, short or {})):
        for bin_, value in cells.items():
            amount[0, side, bin_] = value
    return replace(heatmap(amount), close=np.array([100 * np.exp(0.01 * (close_bin + 0.5))])).liquidation_map()


def test_a_mix_is_the_weighted_sum():
    heat = SMALL.mix((0.1, 0.2, 0.3, 0.4))
    assert isinstance(heat, Heatmap)
    assert heat.intensity[2, 1, 3] == pytest.approx(0.1 * 103 + 0.2 * 108 + 0.3 * 113 + 0.4 * 118)
    np.testing.assert_array_equal(heat.timestamp, SMALL.timestamp)
    np.testing.assert_array_equal(heat.price_edges, SMALL.price_edges)
    assert (heat.symbol, heat.open_interest_source) == ("TESTUSDT", "recorded")


@given(hnp.arrays(np.float64, (2, 2, 3, 4), elements=st.floats(0, 1e6, allow_subnormal=False)), st.integers(0, 99))
def test_many_mixes_are_that_many_single_ones(intensity, seed):
    heat = leverage_heat(intensity)
    mixes = dirichlet_mixes((0.2, 0.3, 0.5), concentration=4, n_mixes=6, seed=seed)
    many = heat.mixed(mixes)
    assert many.shape == (6, 2, 2, 4)
    for mix, one in zip(mixes, many, strict=True):
        np.testing.assert_allclose(heat.mix(mix).intensity, one, rtol=1e-12)
        np.testing.assert_allclose(np.einsum("tskj,k->tsj", intensity, mix), one, rtol=1e-12)


@pytest.mark.parametrize("weights", [(1.0,), (0.5, 0.5, 0.5, -0.5), (0.2, 0.2, 0.2, 0.2), (np.nan, 0.0, 0.0, 1.0), (), ((0.25,) * 4,) * 2])
def test_weights_that_are_no_mix(weights):
    with pytest.raises(ConfigError, match=r"^mixes: "):
        SMALL.mix(weights)


def test_by_leverage_to_xarray():
    array = SMALL.to_xarray()
    assert array.dims == ("timestamp", "side", "leverage", "price")
    assert array.sel(side="short", leverage=50.0).to_numpy().tolist() == SMALL.intensity[:, 1, 2].tolist()
    assert array.attrs["units"] == "base"
    assert repr(SMALL).endswith("5 prices, leverage 5, 20, 50, 100)")


def test_groups_are_labelled_by_what_is_in_them():
    assert leverage_groups((5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0), (10, 25, 50)) == (
        ("5x–10x", "20x", "30x–50x", "75x–100x"),
        (0, 0, 1, 2, 2, 3, 3),
    )
    assert leverage_groups((3.0, 125.0), (10, 25, 50)) == (("3x", "125x"), (0, 1))
    assert leverage_groups((3.0, 7.5), ()) == (("3x–7.5x",), (0, 0))
    for bad in ((25, 10), (10, 10), (0, 10), (-1,)):
        with pytest.raises(ConfigError, match=r"^groups: .* must be upper bounds of leverage that ascend"):
            leverage_groups((3.0,), bad)


def test_a_map_by_group_adds_up_to_the_mix():
    mix = (0.1, 0.2, 0.3, 0.4)
    levels = SMALL.liquidation_map(mix, START + 2 * HOUR, groups=(20, 50))
    assert levels.groups == ("5x–20x", "50x", "100x")
    assert levels.timestamp == START + 2 * HOUR
    assert levels.close == SMALL.close[1]
    np.testing.assert_allclose(levels.total, SMALL.mix(mix).intensity[1])
    np.testing.assert_allclose(levels.amount[:, 0], 0.1 * SMALL.intensity[1, :, 0] + 0.2 * SMALL.intensity[1, :, 1])
    assert SMALL.liquidation_map(mix).timestamp == START + 3 * HOUR
    with pytest.raises(ConfigError, match="nothing is known at 2026-01-01 00:00:00"):
        SMALL.liquidation_map(mix, START)


def test_curves_go_out_from_price_on_both_sides():
    levels = level_map(long={3: 4.0, 8: 2.0}, short={12: 1.0, 15: 6.0})
    assert levels.cumulative("base")[0].tolist() == [6.0] * 4 + [2.0] * 5 + [0.0] * 11
    assert levels.cumulative("base")[1].tolist() == [0.0] * 12 + [1.0] * 3 + [7.0] * 5
    assert levels.cumulative()[0, 0] == pytest.approx(4 * levels.price[3] + 2 * levels.price[8])
    np.testing.assert_allclose(levels.cumulative()[1, -1], levels.price[12] + 6 * levels.price[15])
    assert levels.on_the_way_to(float(levels.price[8]), "base") == 2.0
    assert levels.on_the_way_to(float(levels.price[8])) == pytest.approx(2 * levels.price[8])
    assert levels.on_the_way_to(levels.close, "base") == 0.0
    assert levels.on_the_way_to(1.0, "base") == 6.0
    assert levels.on_the_way_to(float(levels.price[15]) * 0.999999, "base") == 1.0
    assert levels.on_the_way_to(1e9, "base") == 7.0


@given(hnp.arrays(np.float64, (2, 12), elements=st.integers(0, 50).map(float)), st.integers(0, 11))
def test_curves_equal_the_oracle_and_never_fall_outwards(amount, close_bin):
    levels = level_map(long=dict(enumerate(amount[0])), short=dict(enumerate(amount[1])), bins=12, close_bin=close_bin)
    for at, side in enumerate(("long", "short")):
        np.testing.assert_allclose(levels.cumulative()[at], reference_on_the_way(amount[at], levels.price, levels.close, side), rtol=1e-12)
    assert (np.diff(levels.cumulative("base")[0]) <= 0).all()
    assert (np.diff(levels.cumulative("base")[1]) >= 0).all()


def test_max_pain_is_the_greatest_level_of_a_side():
    levels = level_map(long={3: 4.0, 4: 4.0, 8: 5.0}, short={12: 1.0, 15: 6.0})
    pain = levels.max_pain("long")
    assert pain.price == levels.price[8]
    assert (pain.side, pain.amount) == ("long", 5.0)
    assert pain.notional == pytest.approx(5 * levels.price[8])
    assert pain.distance == pytest.approx(1 - np.exp(-0.02))
    assert pain.cumulative == pytest.approx(pain.notional)
    assert levels.max_pain("short").price == levels.price[15]
    assert levels.max_pain("short").cumulative == pytest.approx(levels.price[12] + 6 * levels.price[15])
    broad = levels.max_pain("long", window_bps=100)
    assert broad.price == levels.price[4]
    assert broad.amount == 8.0
    assert levels.max_pain("short", reach=0.03).price == levels.price[12]
    assert levels.max_pain("short", reach=0.01) is None


def test_of_equal_levels_the_nearest_is_max_pain():
    price = level_map().price
    exact = [j for j in range(20) if 1 / price[j] * price[j] == 1]
    below, above = [j for j in exact if j < 10], [j for j in exact if j > 10]
    flat = level_map(long={j: 1 / price[j] for j in below}, short={j: 1 / price[j] for j in above})
    assert min(len(below), len(above)) > 1
    assert flat.max_pain("long").price == price[below[-1]]
    assert flat.max_pain("short").price == price[above[0]]


def test_max_pain_of_nothing():
    assert level_map().max_pain("long") is None
    for bad in ({"window_bps": -1}, {"window_bps": 1001}, {"reach": 0}, {"reach": 1.0}):
        with pytest.raises(ConfigError, match=rf"^{next(iter(bad))}: "):
            level_map().max_pain("long", **bad)
    with pytest.raises(ConfigError, match=r"^side: 'both' is neither"):
        level_map().max_pain("both")


def test_a_frame_of_levels_nearest_first():
    frame = SMALL.liquidation_map((0.1, 0.2, 0.3, 0.4), groups=(20,)).to_frame()
    assert list(frame)[:9] == ["side", "low", "high", "price", "distance", "amount", "notional", "cumulative_amount", "cumulative_notional"]
    assert list(frame)[9:] == ["amount 5x–20x", "amount 50x–100x"]
    longs, shorts = (frame[frame["side"] == side] for side in ("long", "short"))
    assert (len(longs), len(shorts)) == (5, 5)
    assert longs["price"].is_monotonic_decreasing
    assert shorts["price"].is_monotonic_increasing
    for rows in (longs, shorts):
        np.testing.assert_allclose(rows["cumulative_notional"], (rows["amount"] * rows["price"]).cumsum())
        np.testing.assert_allclose(rows["cumulative_amount"], rows["amount"].cumsum())
        np.testing.assert_allclose(rows.filter(like="amount ").sum(axis=1), rows["amount"])
    assert len(level_map(long={3: 1.0}).to_frame()) == 1


@given(st.integers(1, 25))
def test_bars_add_up_and_are_as_wide_as_each_other(n):
    levels = level_map(long={3: 4.0, 8: 2.0}, short={12: 1.0, 15: 6.0})
    bars = levels.merged(n)
    assert bars.price.size <= n
    np.testing.assert_allclose(bars.total.sum(axis=1), [6.0, 7.0])
    assert bars.price_edges[[0, -1]].tolist() == levels.price_edges[[0, -1]].tolist()
    widths = np.diff(np.log(bars.price_edges))
    np.testing.assert_allclose(widths[:-1], widths[0])
    assert widths[-1] <= widths[0] * (1 + 1e-9)


def test_a_part_of_a_map():
    levels = level_map(long={3: 4.0, 8: 2.0}, short={12: 1.0})
    part = levels.between(float(levels.price[5]), 1e9)
    assert part.price.size == 15
    assert part.cumulative("base")[0, 0] == 2.0
    with pytest.raises(ConfigError, match=r"lie outside of the map, 100 to 122.14"):
        levels.between(1, 2)
    with pytest.raises(ConfigError, match=r"^n_prices: 0 must be at least 1"):
        levels.merged(0)


@pytest.mark.parametrize("price", [0, -1, np.nan, np.inf])
def test_the_way_to_no_price(price):
    with pytest.raises(ConfigError, match=r"^price: .* must be above 0"):
        level_map().on_the_way_to(price)


def test_units_are_base_and_quote():
    for call in (level_map().cumulative, lambda unit: level_map().on_the_way_to(1.0, unit)):
        with pytest.raises(ConfigError, match=r"^unit: 'usd' is neither 'base' nor 'quote'"):
            call("usd")


def test_repr_of_a_map():
    assert isinstance(level_map(), LiquidationMap)
    assert repr(level_map(short={12: 1.0})).startswith(
        "LiquidationMap(TESTUSDT at 2026-01-01 01:00:00, price 111.071, longs 0 and shorts 113.3"
    )

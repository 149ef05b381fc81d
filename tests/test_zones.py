"""Hot zones: the scan against its oracle, and zones of maps that were made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference import reference_zone_runs
from reference_zones import reference_prominence
from scipy.signal import peak_prominences
from test_heatmap import heatmap

from liqbt.errors import ConfigError
from liqbt.volatility import daily_volatility
from liqbt.zones import ZoneParams, find_zones, hot_runs
from liqbt.zones._kernels import summits

# whole numbers add up without rounding, so that ties with the threshold are ties in both
heats = hnp.arrays(np.float64, st.integers(1, 40), elements=st.sampled_from((0.0, 0.0, 1.0, 2.0, 5.0, 64.0)))
EXACT = ZoneParams(threshold=0.5, smooth_bps=0.0, min_share=0.0, reach=0.12)


@pytest.mark.parametrize("jitted", [True, False])
@given(heats, st.integers(0, 45), st.sampled_from((0.0625, 0.25, 0.5, 0.75, 1.0)))
def test_hot_runs_equal_the_oracle(jitted, heat, half, threshold):
    first, last = np.full(heat.size, -9), np.full(heat.size, -9)
    count = (hot_runs if jitted else hot_runs.py_func)(heat, half, threshold, first, last)
    assert list(zip(first[:count].tolist(), last[:count].tolist(), strict=True)) == reference_zone_runs(heat, half, threshold)
    assert (first[count:] == -9).all()


def test_no_heat_has_no_runs():
    nowhere = np.zeros(4, dtype=np.int64)
    assert hot_runs(np.zeros(4), 1, 0.5, nowhere, nowhere) == 0


def one_row(*, long=None, short=None, bins=20, close_bin=10):
    """A map of one snapshot with the last price in the middle of a bin; bins are one percent wide from 100 up."""
    intensity = np.zeros((1, 2, bins))
    for side, cells in enumerate((long or {}, short or {})):
        for bin_, value in cells.items():
            intensity[0, side, bin_] = value
    return replace(heatmap(intensity), close=np.array([100 * np.exp(0.01 * (close_bin + 0.5))]))


def test_a_zone_of_each_side():
    heat = one_row(long={3: 4.0, 4: 8.0, 7: 1.0}, short={13: 6.0, 14: 3.0, 18: 1.0})
    zones = find_zones(heat, EXACT)
    close = heat.close[0]
    assert len(zones) == 2
    assert zones.side.tolist() == [0, 1]
    np.testing.assert_allclose(zones.low, heat.price_edges[[3, 13]])
    np.testing.assert_allclose(zones.high, heat.price_edges[[5, 15]])
    np.testing.assert_allclose(zones.peak, heat.price[[4, 13]])
    assert zones.amount.tolist() == [12.0, 9.0]
    np.testing.assert_allclose(zones.share, [12 / 13, 9 / 10])
    np.testing.assert_allclose(zones.distance, [(close - heat.price_edges[5]) / close, (heat.price_edges[13] - close) / close])
    assert (zones.timestamp == heat.timestamp[0]).all()


def test_notional_is_each_bin_at_its_own_price():
    heat = one_row(short={13: 6.0, 14: 3.0})
    (notional,) = find_zones(heat, EXACT).notional
    assert notional == pytest.approx(6.0 * heat.price[13] + 3.0 * heat.price[14])


def test_prominence_is_the_way_down_before_the_way_up():
    """Above price: 8, down to 2, up to 5, down to 4, up to 6, and nothing. The 5 falls by 1, the 6 by 4, the 8 to the ground."""
    heat = one_row(short=dict(enumerate((8.0, 2.0, 5.0, 4.0, 6.0), start=11)))
    zones = find_zones(heat, ZoneParams(threshold=0.5625, smooth_bps=0, min_share=0))
    assert zones.amount.tolist() == [8.0, 5.0, 6.0]
    np.testing.assert_allclose(zones.prominence, [1.0, 1 / 5, 4 / 6])


@pytest.mark.parametrize("jitted", [True, False])
@given(heats, st.data())
def test_prominence_equals_the_oracle_and_scipy(jitted, heat, data):
    first = data.draw(st.integers(0, heat.size - 1))
    last = data.draw(st.integers(first, heat.size - 1))
    found = (summits if jitted else summits.py_func)(heat, first, last)
    assert found == reference_prominence(heat, first, last)
    peak = first + int(heat[first : last + 1].argmax())
    ground = np.concatenate([[0.0], heat, [0.0]])
    if ground[peak + 1] > max(ground[peak], ground[peak + 2]):  # scipy knows only strict peaks
        assert found * heat[peak] == pytest.approx(peak_prominences(ground, [peak + 1])[0][0])


def test_sigma_is_of_what_was_known(week):
    """Distances in days of volatility, of the newest bar closed by the snapshot; none before there is a day of it."""
    sigma = daily_volatility(week, 2.0)
    bars = np.array([100, 600, 1500])
    known = week.timestamp[bars] + week.interval_ns
    close = week.close[bars]
    width, low = 0.001, 0.8 * close.min()
    edges = low * np.exp(width * np.arange(700))
    intensity = np.zeros((3, 2, 699))
    here = np.searchsorted(edges, close, side="right") - 1
    intensity[np.arange(3), 1, here + 20] = 1.0
    heat = replace(heatmap(intensity), timestamp=known + 1, close=close, price_edges=edges)
    zones = find_zones(heat, EXACT, market=week)
    assert np.isnan(sigma[100])
    assert np.isnan(zones.distance_sigma[0])
    np.testing.assert_allclose(zones.distance_sigma[1:], np.log(zones.low[1:] / close[1:]) / sigma[bars[1:]])
    assert np.isnan(find_zones(heat, EXACT).distance_sigma).all()
    with pytest.raises(ConfigError, match=r"^volatility_days: 0 must be above 0"):
        find_zones(heat, EXACT, market=week, volatility_days=0)


def test_a_coarser_picture_has_no_zones():
    with pytest.raises(ConfigError, match=r"its price bins differ in width.*use the map that it was made from"):
        find_zones(one_row(short={13: 1.0}).downsample(1, 7))


def test_longs_above_price_and_shorts_below_it_do_not_count():
    assert len(find_zones(one_row(long={11: 5.0}, short={9: 5.0}), EXACT)) == 0


def test_the_bin_of_the_last_price_counts_on_both_sides_at_no_distance():
    zones = find_zones(one_row(long={10: 5.0}, short={10: 7.0}), EXACT)
    assert zones.distance.tolist() == [0.0, 0.0]
    assert zones.amount.tolist() == [5.0, 7.0]


def test_small_zones_are_left_out():
    heat = one_row(short={12: 10.0, 13: 0.0, 14: 5.0})
    assert find_zones(heat, ZoneParams(threshold=0.5, smooth_bps=0, min_share=0.3)).amount.tolist() == [10.0, 5.0]
    assert find_zones(heat, ZoneParams(threshold=0.5, smooth_bps=0, min_share=0.4)).amount.tolist() == [10.0]


def test_smoothing_joins_what_is_near():
    heat = one_row(short={12: 10.0, 14: 10.0})
    assert len(find_zones(heat, EXACT)) == 2
    joined = find_zones(heat, ZoneParams(threshold=0.5, smooth_bps=100, min_share=0))
    assert joined.amount.tolist() == [20.0]


@pytest.mark.parametrize(("reach", "count"), [(0.02, 0), (0.035, 1), (0.12, 1)])
def test_nothing_counts_beyond_reach(reach, count):
    heat = one_row(long={7: 5.0}, short={13: 5.0})  # near edges 2.5 % away in log price, far ones 3.5 %
    assert len(find_zones(heat, ZoneParams(smooth_bps=0, reach=reach))) == 2 * count


def test_zones_of_several_snapshots_come_in_order():
    intensity = np.zeros((3, 2, 20))
    intensity[0, 1, 5], intensity[2, 1, [5, 9]] = 1.0, 1.0
    heat = heatmap(intensity)
    zones = find_zones(heat, EXACT)
    assert zones.timestamp.tolist() == heat.timestamp[[0, 2, 2]].tolist()
    assert (np.diff(zones.low[1:]) > 0).all()


def test_to_frame():
    frame = find_zones(one_row(long={5: 1.0}, short={13: 2.0}), EXACT).to_frame()
    assert list(frame) == [
        "timestamp", "side", "low", "high", "peak", "amount", "notional", "share", "prominence", "distance", "distance_bps",
        "distance_sigma",
    ]  # fmt: skip
    np.testing.assert_allclose(frame["distance_bps"], frame["distance"] * 1e4)
    assert frame["side"].tolist() == ["long", "short"]
    assert str(frame["timestamp"].dtype) == "datetime64[ns, UTC]"


def test_an_empty_map_has_an_empty_frame():
    zones = find_zones(one_row(), EXACT)
    assert len(zones) == 0
    assert zones.to_frame().shape == (0, 12)
    assert len(zones.snapshots) == 1


@given(heats, heats, st.sampled_from((0.25, 0.5, 1.0)), st.sampled_from((0.0, 100.0, 250.0)), st.integers(0, 39))
def test_zones_hold_what_they_say_on_any_map(long, short, threshold, smooth_bps, close_bin):
    bins = max(long.size, short.size, close_bin + 1)
    heat = one_row(long=dict(enumerate(long)), short=dict(enumerate(short)), bins=bins, close_bin=close_bin)
    zones = find_zones(heat, ZoneParams(threshold=threshold, smooth_bps=smooth_bps, min_share=0.0))
    for row in range(len(zones)):
        side = int(zones.side[row])
        inside = (heat.price > zones.low[row]) & (heat.price < zones.high[row])
        assert zones.amount[row] == heat.intensity[0, side, inside].sum()
        assert zones.low[row] < zones.peak[row] < zones.high[row]
        assert heat.intensity[0, side][heat.price == zones.peak[row]][0] == heat.intensity[0, side, inside].max()
        assert zones.distance[row] >= 0
        assert 0 <= zones.prominence[row] <= 1
    for side in (0, 1):
        assert zones.share[zones.side == side].sum() <= 1 + 1e-12


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("threshold", (0.0, -1.0, 1.01, np.nan)),
        ("smooth_bps", (-1.0, 1001.0, np.nan)),
        ("min_share", (-0.1, 1.0, np.nan)),
        ("reach", (0.0, 0.26, np.nan)),
    ],
)
def test_parameters_out_of_range(name, bad):
    for value in bad:
        with pytest.raises(ConfigError, match=rf"^{name}: .* must be "):
            ZoneParams(**{name: value})

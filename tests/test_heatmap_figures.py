"""Pictures of the maps: what is drawn is what is there."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.image import imread
from test_heatmap import heatmap
from test_heatmap_levels import level_map, leverage_heat

from liqbt.book.reconstruct import reconstruct
from liqbt.heatmap import ZoneSize, depth_adjusted, dirichlet_mixes, probability_map
from liqbt.heatmap.pictures import RATIO_RANGE, bars_of, coarse, curve, log_ratio
from liqbt.report.map_png import write_depth_png, write_liquidation_map_png, write_probability_png


def values(trace, name):
    """Numbers of a trace as the page gets them."""
    held = json.loads(trace.to_plotly_json()[name].to_json()) if hasattr(trace.to_plotly_json()[name], "to_json") else trace[name]
    return np.frombuffer(base64.b64decode(held["bdata"]), held["dtype"]) if isinstance(held, dict) else np.asarray(held, dtype=float)


@pytest.fixture(scope="module")
def adjusted(week):
    depth = np.full((week.n_bars, 2), 1e6) * np.array([1.0, 3.0])
    market = replace(week, depth_distance=np.array([0.01, 0.05]), depth_bid=depth, depth_ask=depth)
    return depth_adjusted(reconstruct(market).heatmap("6h"), market), market


def test_a_coarse_picture_shows_the_greatest_of_what_is_known():
    rng = np.random.default_rng(0)
    values_ = rng.random((7, 2, 40))
    values_[rng.random(values_.shape) < 0.5] = np.nan
    heat = heatmap(np.zeros((7, 2, 40)), low=90.0)
    axes, shown = coarse(heat, values_, (3, 5), 0.05)
    assert shown.shape == (5, 3)
    assert axes.price_edges[0] <= heat.close.min() * 0.95 < axes.price_edges[1]
    inside = (heat.price > axes.price_edges[0]) & (heat.price < axes.price_edges[-1])
    assert np.nanmax(shown) == np.nanmax(values_[:, :, inside])
    row_of = np.searchsorted(axes.timestamp, heat.timestamp, side="right") - 1
    bin_of = np.searchsorted(axes.price_edges, heat.price, side="right") - 1
    for row, column in np.ndindex(3, 5):
        cells = values_[row_of == row][:, :, inside & (bin_of == column)]
        assert shown[column, row] == np.nanmax(cells) if np.isfinite(cells).any() else np.isnan(shown[column, row])


def test_nothing_known_is_drawn_as_nothing():
    heat = heatmap(np.zeros((2, 2, 5)))
    _, shown = coarse(heat, np.full((2, 2, 5), np.nan), (9, 9), 0.1)
    assert np.isnan(shown).all()


def test_ratios_are_drawn_in_decimal_logarithms():
    ratio = np.array([[[0.0, 0.001, 0.1, 1.0, 5.0, 1e9, np.inf, np.nan]]])
    np.testing.assert_allclose(log_ratio(ratio)[0, 0], [-2, -2, -1, 0, np.log10(5), 1, 1, np.nan])
    assert RATIO_RANGE == (-2, 1)


def test_curves_begin_at_price_with_nothing():
    levels = level_map(long={3: 4.0, 8: 2.0}, short={12: 1.0, 15: 6.0})
    price, total = curve(levels, 0)
    assert (price[0], total[0]) == (levels.close, 0.0)
    assert (np.diff(price) < 0).all()
    assert total[-1] == pytest.approx(levels.cumulative()[0, 0])
    price, total = curve(levels, 1)
    assert (np.diff(price) > 0).all()
    assert total[-1] == pytest.approx(levels.cumulative()[1, -1])


def test_the_liquidation_map_figure_has_all_that_is_within_reach():
    rng = np.random.default_rng(1)
    heat = leverage_heat(rng.gamma(1.0, 10.0, (1, 2, 3, 900)), (5.0, 20.0, 100.0))
    edges = 80 * np.exp(0.0005 * np.arange(901))
    heat = replace(heat, price_edges=edges, close=np.array([100.0]))
    levels = heat.liquidation_map((0.2, 0.3, 0.5))
    figure = levels.figure(reach=0.1)
    assert [trace.name for trace in figure.data] == ["5x", "20x", "100x", "cumulative long liquidations", "cumulative short liquidations"]
    near = levels.between(90, 110)
    assert sum(np.sum(values(trace, "y")) for trace in figure.data[:3]) == pytest.approx(near.notional().sum(), rel=1e-4)
    assert bars_of(levels, 0.1).price.size <= 160
    assert np.max(values(figure.data[3], "y")) == pytest.approx(near.cumulative()[0, 0])
    assert "known at 2026-01-01 01:00:00 UTC" in figure.layout.title.text


def test_figures_of_maps_over_time(adjusted):
    one, _ = adjusted
    figure = one.figure()
    assert "SYNTHETIC" in figure.layout.title.text
    assert figure.data[0].zmax == 1.0
    rng = np.random.default_rng(1)
    heat = leverage_heat(rng.gamma(0.3, 10.0, (5, 2, 3, 40)))
    chance = probability_map(
        heat, dirichlet_mixes((0.3, 0.3, 0.4), concentration=5, n_mixes=9, seed=0), ZoneSize(measure="share", size=0.1)
    )
    drawn = values(chance.figure().data[0], "z")
    assert drawn.max() == np.float32(chance.probability.max())
    assert (chance.figure().data[0].zmin, chance.figure().data[0].zmax) == (0.0, 1.0)
    mixed = heat.mix((0.3, 0.3, 0.4))
    assert values(mixed.figure().data[0], "z").max() == np.float32(mixed.notional().max())
    assert chance.figure().layout.title.text == "TESTUSDT   share of 9 leverage mixes with more than 10 % of the side within 12 % of price"


def test_pngs(adjusted, tmp_path, week):
    one, market = adjusted
    book = reconstruct(week)
    chance = probability_map(
        leverage_heat(np.random.default_rng(0).gamma(0.3, 10.0, (4, 2, 3, 40))), np.full((1, 3), 1 / 3), ZoneSize(measure="share", size=0.1)
    )
    chance = replace(chance, timestamp=week.timestamp[[100, 700, 1300, 1900]], close=week.close[[100, 700, 1300, 1900]])
    chance = replace(chance, price_edges=np.linspace(week.low.min() * 0.9, week.high.max() * 1.1, 41))
    paths = [
        write_liquidation_map_png(tmp_path / "levels.png", book.heatmap("6h").liquidation_map(), dpi=40),
        write_probability_png(tmp_path / "chance.png", chance, week, dpi=40),
        write_depth_png(tmp_path / "depth.png", one, market, dpi=40),
    ]
    for path in paths:
        image = imread(path)
        assert image.shape[0] > 250
        assert len(np.unique(image.reshape(-1, image.shape[2]), axis=0)) > 50
    write_liquidation_map_png(tmp_path / "empty.png", level_map(), dpi=40)
    assert imread(tmp_path / "empty.png").shape[0] > 250

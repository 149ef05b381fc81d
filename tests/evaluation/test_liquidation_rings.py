"""Heat by distance of price: against the whole map, bin by bin, and against paths of a random walk."""

import numpy as np
import pytest
from liquidation_samples import hourly_book

from liqbt.evaluation.liquidation_rings import HeatRings, heat_rings

BARS = np.array([300, 301, 640])


@pytest.fixture(scope="module")
def rings():
    return heat_rings(hourly_book(), BARS)


@pytest.fixture(scope="module")
def heat():
    """The map after the same bars, of nearly all prices."""
    return hourly_book().heatmap(reach=0.28)


def expected(heat, row, low, high):
    """Heat of both sides between two prices: whole bins, and of those cut the share of their log width."""
    edges = np.log(heat.price_edges)
    inside = np.clip(np.minimum(edges[1:], np.log(high)) - np.maximum(edges[:-1], np.log(low)), 0, None) / np.diff(edges)
    return heat.intensity[row] @ inside


@pytest.mark.parametrize("ring", [45, 60, 90])
def test_a_ring_holds_what_the_map_holds_up_to_there(rings, heat, ring):
    away = np.exp(rings.distance[ring])
    for at, bar in enumerate(BARS):
        close = heat.close[bar]
        longs = expected(heat, bar, close / away, heat.price_edges[-1])[0]
        shorts = expected(heat, bar, heat.price_edges[0], close * away)[1]
        assert longs > 0
        assert shorts > 0
        assert rings.within[at, :, ring] == pytest.approx([longs, shorts], rel=1e-9)


def test_nearly_nothing_is_on_the_wrong_side_and_rings_only_grow(rings):
    assert (np.diff(rings.within, axis=2) >= -1e-9).all()
    assert (rings.within[:, :, 0] <= 0.01 * rings.within[:, :, -1]).all()


def test_between_two_distances_by_hand():
    rings = HeatRings(distance=np.array([0.0, 0.01, 0.03]), within=np.array([[[1.0, 3.0, 7.0], [0.0, 10.0, 10.0]]]))
    row = np.array([0, 0, 0, -1])
    near = np.array([[0.0, 0.005], [0.01, 0.0], [0.02, 0.0], [0.0, 0.0]])
    far = np.array([[0.02, 0.01], [0.5, np.nan], [0.01, 0.0], [0.1, 0.1]])
    found = rings.between(row, near, far)
    assert found[0] == pytest.approx([5 - 1, 10 - 5])
    assert found[1, 0] == pytest.approx(7 - 3)
    assert np.isnan(found[1, 1])
    assert found[2] == pytest.approx([0, 0])
    assert np.isnan(found[3]).all()


def test_touched_heat_is_what_a_random_walk_reaches_on_average():
    distance = np.linspace(0, 0.1, 201)
    within = np.stack([np.minimum(distance, 0.02) * 50, (distance > 0.03) * 8.0])[None]
    volatility = 0.02
    found = HeatRings(distance=distance, within=within).touched(np.array([0, -1]), np.full(2, volatility))
    rng = np.random.default_rng(0)
    steps = rng.normal(0, volatility / np.sqrt(2_000), (4_000, 2_000))
    path = np.cumsum(steps, axis=1)
    below, above = np.clip(-path.min(axis=1), 0, None), np.clip(path.max(axis=1), 0, None)
    assert found[0, 0] == pytest.approx(np.minimum(below, 0.02).mean() * 50, rel=0.03)
    assert found[0, 1] == pytest.approx(8 * (above > 0.03).mean(), rel=0.1)
    assert np.isnan(found[1]).all()

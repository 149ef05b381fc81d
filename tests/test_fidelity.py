"""Measures of agreement between two maps, against scipy and cases worked by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr, wasserstein_distance

from liqbt.errors import ConfigError
from liqbt.fidelity import compare_maps, reliability

EDGES = 100 * np.exp(0.001 * np.arange(-100, 101))  # 10 bps
STAMPS = np.array([1_700_000_000_000_000_000, 1_700_003_600_000_000_000])
CLOSE = np.array([100.05, 101.0])


def maps(seed=0):
    rng = np.random.default_rng(seed)
    return rng.exponential(size=(2, 2, 200)), rng.exponential(size=(2, 2, 200))


def compare(estimate, truth, **options):
    return compare_maps(estimate, truth, timestamp=STAMPS, price_edges=EDGES, close=CLOSE, **options)


def test_windows_and_measures_are_those_of_scipy():
    estimate, truth = maps()
    frame = compare(estimate, truth, reach=0.05)
    assert frame["side"].tolist() == ["long", "short"] * 2
    centre = np.sqrt(EDGES[:-1] * EDGES[1:])
    for _, row in frame.iterrows():
        t = int(row["timestamp"].value == STAMPS[1])
        here = np.searchsorted(EDGES, CLOSE[t], side="right") - 1
        if row["side"] == "long":
            inside = (np.arange(200) <= here) & (EDGES[:-1] >= CLOSE[t] * 0.95)
        else:
            inside = (np.arange(200) >= here) & (EDGES[:-1] < CLOSE[t] * 1.05)
        a, b = (one[t, int(row["side"] == "short")][inside] for one in (estimate, truth))
        assert row["bins"] == inside.sum()
        assert row["rank_correlation"] == pytest.approx(spearmanr(a, b).statistic)
        bps = 1e4 * np.log(centre[inside])
        assert row["earth_mover_bps"] == pytest.approx(wasserstein_distance(bps, bps, a, b))


def test_the_same_map_in_another_unit_is_perfect():
    truth, _ = maps(1)
    frame = compare(7.0 * truth, truth)
    assert frame[["rank_correlation", "precision", "recall"]].to_numpy() == pytest.approx(1.0)
    assert frame["earth_mover_bps"].to_numpy() == pytest.approx(0.0, abs=1e-9)


def test_a_map_moved_by_three_bins_is_thirty_basis_points_off():
    truth = np.zeros((2, 2, 200))
    truth[:, 0, 50], truth[:, 1, 150] = 1.0, 2.0
    estimate = np.roll(truth, 3, axis=2)
    frame = compare(estimate, truth, hottest=0.01)
    assert frame["earth_mover_bps"].to_numpy() == pytest.approx(30.0)
    assert frame[["precision", "recall"]].to_numpy() == pytest.approx(0.0)


def test_precision_and_recall_by_hand():
    """Of 101 bins below the price, 5 are hot; the estimate finds 3 of them, and has ties for its fifth."""
    truth, estimate = np.zeros((1, 2, 200)), np.zeros((1, 2, 200))
    truth[0, 0, [10, 20, 30, 40, 50]] = [9, 8, 7, 6, 5]
    estimate[0, 0, [10, 20, 30, 60, 61, 62]] = [9, 8, 7, 3, 2, 2]
    frame = compare_maps(estimate, truth, timestamp=STAMPS[:1], price_edges=EDGES, close=CLOSE[:1], reach=0.5)
    long = frame.iloc[0]
    assert long["bins"] == 101
    assert (long["precision"], long["recall"]) == (3 / 6, 3 / 5)
    assert frame.iloc[1][["rank_correlation", "precision", "earth_mover_bps"]].isna().all()  # nothing above


@pytest.mark.parametrize(
    ("change", "says"),
    [({"reach": 0.0}, "reach: 0.0"), ({"hottest": 1.0}, "hottest: 1.0"), ({"close": CLOSE[:1]}, "shapes")],
)
def test_what_does_not_fit(change, says):
    given = {"timestamp": STAMPS, "price_edges": EDGES, "close": CLOSE} | change
    with pytest.raises(ConfigError, match=says):
        compare_maps(*maps(), **given)


def test_reliability_of_honest_and_of_bold_probabilities():
    rng = np.random.default_rng(5)
    said = rng.uniform(size=200_000)
    honest = reliability(said, rng.uniform(size=said.size) < said)
    assert honest.count.sum() == said.size
    assert honest.error < 0.01
    assert honest.worst < 0.015
    bold = reliability(said, rng.uniform(size=said.size) < 0.5 + (said - 0.5) / 2)
    assert bold.error == pytest.approx(0.125, abs=0.005)  # mean of |p - 1/2| / 2
    assert bold.worst > 0.2


def test_reliability_by_hand():
    curve = reliability(np.array([0.05, 0.05, 0.95, 1.0, np.nan]), np.array([0, 1, 1, 1, 1]), bins=2)
    assert curve.to_frame().to_numpy().tolist() == [[0.05, 0.5, 2], [0.975, 1.0, 2]]
    with pytest.raises(ConfigError, match="between 0 and 1"):
        reliability(np.array([1.5]), np.array([1]))
    with pytest.raises(ConfigError, match="outcome: shape"):
        reliability(np.array([0.5]), np.array([1, 0]))

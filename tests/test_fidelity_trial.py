"""One trial: what the book gets to see, and what its map is held against."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fidelity_markets import small

from liqbt.book.reconstruct import reconstruct
from liqbt.datasets import simulate
from liqbt.fidelity import compare_maps, true_and_reconstructed
from liqbt.fidelity.recording import Recordings, true_mix
from liqbt.fidelity.trial import by_distance, run_trial
from liqbt.heatmap import Heatmap

CASES = small("matched", "another-crowd", "distance-only", "no-open-interest", "bars-1m", "trades-15m", "bars-15m", "bins-20bps")
MARKET = replace(CASES[0].market, seed=3, days=3)


@pytest.fixture(scope="module")
def synthetic():
    return simulate(MARKET)


@pytest.fixture(scope="module")
def frame():
    return run_trial(CASES, MARKET)


def rows(frame, name):
    return frame[frame["case"] == name].reset_index(drop=True)


def test_the_matched_rows_are_those_of_the_measures(frame, synthetic):
    market = synthetic.to_market()
    mix = true_mix(synthetic)
    assert mix.weights == pytest.approx(synthetic.truth.opened.sum(axis=(0, 1)) / synthetic.truth.opened.sum())
    heat = reconstruct(market, mix, CASES[0].params).heatmap("1h")
    truth = synthetic.truth.heat.intensity(heat.price_edges, heat.timestamp)
    expected = compare_maps(heat.intensity, truth, timestamp=heat.timestamp, price_edges=heat.price_edges, close=heat.close, reach=0.12)
    matched = rows(frame, "matched")
    pd.testing.assert_frame_equal(matched[expected.columns], expected)
    assert (matched["seed"] == 3).all()
    assert matched["explained_share"].to_numpy()[::2].tolist() == heat.explained_share.tolist()
    assert len(matched) == 2 * 24 * 3


def test_every_case_is_scored_on_the_same_snapshots(frame):
    counts = frame.groupby("case").size()
    assert set(counts.index) == {one.name for one in CASES}
    assert counts.nunique() == 1
    later = frame[frame["explained_share"] > 0.9]
    mean = later.groupby("case")["rank_correlation"].mean()
    assert mean["distance-only"] < mean["bars-15m"] < mean["matched"] < mean["bins-20bps"]
    assert rows(frame, "bins-20bps")["bins"].mean() == pytest.approx(rows(frame, "matched")["bins"].mean() / 4, rel=0.02)
    assert not rows(frame, "another-crowd")["rank_correlation"].equals(rows(frame, "matched")["rank_correlation"])


def test_what_the_book_gets_to_see(synthetic):
    recordings = Recordings(synthetic)
    seen = {one.name: recordings.of(one) for one in CASES}
    minutes, quarters = seen["matched"], seen["trades-15m"]
    assert seen["bars-1m"].volume_profile is None
    assert seen["bars-15m"].volume_profile is None
    assert seen["no-open-interest"].open_interest is None
    assert minutes.open_interest is not None
    for name, pick in (("high", "max"), ("low", "min"), ("mark_high", "max"), ("volume", "sum")):
        by_hand = getattr(getattr(minutes, name).reshape(-1, 15), pick)(axis=1)
        assert getattr(quarters, name) == pytest.approx(by_hand, rel=1e-12), name
    assert quarters.close.tolist() == minutes.close[14::15].tolist()
    assert quarters.open_interest.tolist() == minutes.open_interest[14::15].tolist()
    total = minutes.volume_profile.totals.reshape(-1, 15, 2).sum(axis=1)
    assert quarters.volume_profile.totals == pytest.approx(total)


def test_another_crowd_walks_on_the_same_price(synthetic):
    crowd = simulate(replace(MARKET, arrivals_per_hour=4 * MARKET.arrivals_per_hour, trades=False))
    assert crowd.bars["close"].equals(synthetic.bars["close"])
    assert crowd.truth.heat.total.sum() == pytest.approx(4 * synthetic.truth.heat.total.sum(), rel=0.15)


def test_a_map_by_distance_by_hand():
    """Two snapshots of five bins, whose last prices are in the bins 3 and 1."""
    edges = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    intensity = np.array(
        [
            [[1.0, 2.0, 3.0, 4.0, 0.0], [0.0, 0.0, 0.0, 5.0, 6.0]],
            [[7.0, 8.0, 0.0, 0.0, 0.0], [0.0, 1.0, 2.0, 3.0, 4.0]],
        ]
    )
    heat = Heatmap(
        timestamp=np.array([0, 1]), price_edges=edges, close=np.array([4.5, 2.5]), explained_share=np.ones(2), symbol="X",
        open_interest_source="recorded", intensity=intensity,
    )  # fmt: skip
    # below, by distance 0, 1, 2, 3: (4+8)/2, (3+7)/2, 2, 1; above: (5+1)/2, (6+2)/2, 3, 4
    assert by_distance(heat)[0].tolist() == [[1, 2, 5, 6, 0], [0, 0, 0, 3, 4]]
    assert by_distance(heat)[1].tolist() == [[5, 6, 0, 0, 0], [0, 3, 4, 3, 4]]


def test_an_example_holds_both_maps(synthetic):
    example = true_and_reconstructed(CASES[0], seed=3, days=3)
    assert example.true.timestamp.tolist() == example.reconstructed.timestamp.tolist()
    assert example.true.intensity.sum(axis=(1, 2)) == pytest.approx(synthetic.truth.heat.total.sum(axis=1), rel=0.2)
    assert example.market.seed == 3

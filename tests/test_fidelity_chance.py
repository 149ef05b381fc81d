"""Calibration of the probability map: sums by hand, markets drawn from what the ensemble is drawn from."""

import numpy as np
import pytest
from fidelity_markets import small

from liqbt.book.reconstruct import reconstruct
from liqbt.datasets import simulate
from liqbt.errors import ConfigError
from liqbt.fidelity import ChanceSettings, reliability
from liqbt.fidelity.chance import case_chance, chance_market, run_chance
from liqbt.fidelity.recording import Recordings
from liqbt.heatmap import ZoneSize, dirichlet_mixes
from liqbt.heatmap.axes import side_windows
from liqbt.maps import zone_probability

(MATCHED,) = small("matched")
SETTINGS = ChanceSettings(markets=2, n_mixes=30, warmup_days=2, sizes=(ZoneSize(measure="share", size=0.05),))


def test_sums_become_a_curve_and_its_noise():
    """Three markets that said .25 and .75 so often, and what came true."""
    sums = []
    for said_low, came_low, said_high, came_high in ((10, 3, 4, 4), (20, 4, 0, 0), (10, 2, 6, 3)):
        one = np.zeros((3, 10))
        one[:, 2] = said_low, 0.25 * said_low, came_low
        one[:, 7] = said_high, 0.75 * said_high, came_high
        sums.append(one)
    found = case_chance("matched", "share", sums)
    assert (found.case, found.measure, found.markets) == ("matched", "share", 3)
    assert found.curve.to_frame().to_numpy().tolist() == [[0.25, 9 / 40, 40], [0.75, 0.7, 10]]
    left = np.array([6 / 30, 5 / 20, 7 / 30]) - 0.25  # leaving out one market after the other
    assert found.noise[0] == pytest.approx(np.sqrt(2 / 3 * ((left - left.mean()) ** 2).sum()))
    assert np.isnan(case_chance("matched", "share", sums[:1]).noise).all()


def test_what_is_counted_is_what_the_map_said(tmp_path):
    """The sums of a market against the map and the truth, zone by zone."""
    sums = run_chance([MATCHED], 1, SETTINGS, 0.5)["matched", "share"]
    market = chance_market(MATCHED.market, 1, MATCHED.chance_days, SETTINGS)
    synthetic = simulate(market)
    book = reconstruct(Recordings(synthetic).of(MATCHED), _usual(), MATCHED.params)
    mixes = dirichlet_mixes(book.mix.weights, concentration=20.0, n_mixes=30, seed=np.random.default_rng([market.seed, 1]))
    said = zone_probability(book, mixes, SETTINGS.sizes[0], "4h")
    truth = synthetic.truth.heat.intensity(said.price_edges, said.timestamp)
    half = round(15e-4 / said.bin_width)
    pairs = []
    for row in np.flatnonzero(said.explained_share >= 0.5):
        for side, (first, last) in enumerate(side_windows(said, 0.12)[row]):
            heat = truth[row, side, first:last] * said.price[first:last]
            zone = np.convolve(heat, np.ones(2 * half + 1), "same")
            pairs += list(zip(said.probability[row, side, first:last], zone > 0.05 * heat.sum(), strict=True))
    by_hand = reliability(*np.array(pairs, dtype=float).T)
    found = case_chance("matched", "share", [sums]).curve
    assert found.count.tolist() == by_hand.count.tolist()
    assert found.predicted == pytest.approx(by_hand.predicted)
    assert found.observed == pytest.approx(by_hand.observed, abs=0.01)  # a bin at the edge of reach has fewer neighbours here


def _usual():
    from liqbt.book.params import LeverageMix

    return LeverageMix.of(MATCHED.market.leverage_mix)


def test_each_market_has_a_mix_and_a_seed_of_its_own():
    markets = [chance_market(MATCHED.market, number, 4, SETTINGS) for number in range(400)]
    assert [one.seed for one in markets[:3]] == [10_001, 10_002, 10_003]
    mixes = np.array([list(one.leverage_mix.values()) for one in markets])
    usual = np.array(list(MATCHED.market.leverage_mix.values()))
    assert mixes.sum(axis=1) == pytest.approx(1.0)
    spread = np.sqrt(usual * (1 - usual) / 21)
    assert mixes.mean(axis=0) == pytest.approx(usual, abs=4 * spread.max() / 20)
    assert mixes.std(axis=0) == pytest.approx(spread, rel=0.15)
    assert chance_market(MATCHED.market, 7, 4, SETTINGS) == markets[7]


def test_a_case_that_is_no_book_has_no_probability_map():
    settings = ChanceSettings(markets=5, markets_elsewhere=2)
    wanted = {one.name: settings.of(one) for one in small("matched", "cross-margin", "another-crowd", "distance-only", "bins-10bps")}
    assert wanted == {"matched": 5, "cross-margin": 2, "another-crowd": 0, "distance-only": 0, "bins-10bps": 0}
    assert ChanceSettings(markets=1).of(small("cross-margin")[0]) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [({"markets": -1}, "markets: -1 must be at least 0"), ({"n_mixes": 0}, "n_mixes: 0"), ({"sizes": ()}, "sizes: there are none")],
)
def test_settings_that_cannot_be(change, says):
    with pytest.raises(ConfigError, match=says):
        ChanceSettings(**change)

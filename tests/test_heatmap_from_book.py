"""Maps out of a reconstruction agree with each other, and with the future cut off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookahead import changed_future

from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.heatmap import ZoneSize, dirichlet_mixes, probability_map
from liqbt.maps import leverage_heat, liquidation_map, zone_probability

SIZE = ZoneSize(measure="share", size=0.05)


@pytest.fixture(scope="module")
def book(week):
    return reconstruct(week)


def test_the_mix_of_all_leverages_is_the_heatmap(book):
    heat = book.heatmap("1h")
    parts = [part.mix(book.mix.weights) for part in leverage_heat(book, "1h")]
    np.testing.assert_array_equal(np.concatenate([part.timestamp for part in parts]), heat.timestamp)
    np.testing.assert_array_equal(parts[0].price_edges, heat.price_edges)
    mixed = np.concatenate([part.intensity for part in parts])
    np.testing.assert_allclose(mixed, heat.intensity, rtol=1e-9, atol=1e-12 * heat.intensity.max())
    np.testing.assert_array_equal(np.concatenate([part.close for part in parts]), heat.close)
    np.testing.assert_array_equal(np.concatenate([part.explained_share for part in parts]), heat.explained_share)


def test_parts_are_small_and_add_up_to_the_live_positions(book):
    parts = list(leverage_heat(book, "15m", reach=0.5))
    assert len(parts) > 3
    assert max(part.intensity.nbytes for part in parts) <= 40e6
    assert sum(part.timestamp.size for part in parts) == 672
    bars = np.flatnonzero(np.isin(book.market.timestamp + book.market.interval_ns, parts[0].timestamp))
    np.testing.assert_allclose(parts[0].intensity.sum(axis=3), book.live[bars], rtol=1e-9)


@pytest.mark.parametrize("bar", [500, 1000, None])
def test_the_liquidation_map_is_the_row_of_the_heatmap(book, bar):
    market = book.market
    at = None if bar is None else int(market.timestamp[bar]) + market.interval_ns + 1
    levels = liquidation_map(book, at, reach=0.2)
    row = market.n_bars - 1 if bar is None else bar
    assert levels.timestamp == market.timestamp[row] + market.interval_ns
    assert levels.close == market.close[row]
    whole = book.heatmap().liquidation_map(at).between(float(levels.price[0]), float(levels.price[-1]))
    np.testing.assert_allclose(levels.total, whole.total, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(levels.price_edges, whole.price_edges)
    assert levels.groups == ("5x–10x", "20x", "30x–50x", "75x–100x")


def test_of_a_reconstruction_and_of_its_parts(book):
    mixes = dirichlet_mixes(book.mix.weights, concentration=20, n_mixes=50, seed=0)
    told = []
    chance = zone_probability(book, mixes, SIZE, "6h", progress=lambda share, what: told.append((share, what)))
    assert told[-1] == (1.0, "heat")
    again = probability_map(leverage_heat(book, "6h"), mixes, SIZE)
    assert chance.probability.tobytes() == again.probability.tobytes()
    assert 0 < chance.probability.max() <= 1
    assert chance.probability.min() == 0
    assert ((chance.probability > 0) & (chance.probability < 1)).any()


@settings(max_examples=4)
@given(cut=st.integers(600, 2014), seed=st.one_of(st.none(), st.integers(0, 2**32 - 1)))
def test_the_future_changes_no_map_before_it(week, cut, seed):
    known = int(week.timestamp[cut]) + week.interval_ns
    found = []
    for market in (changed_future(week, week.n_bars - 1, seed=None), changed_future(week, cut, seed=seed)):
        book = reconstruct(market)
        mixes = dirichlet_mixes(book.mix.weights, concentration=20, n_mixes=40, seed=0)
        chance = zone_probability(book, mixes, SIZE, "1h", reach=0.28)
        rows = chance.timestamp <= known
        row, side, column = np.nonzero(chance.probability[rows])
        cells = (row, side, chance.price[column], chance.probability[rows][row, side, column])
        levels = liquidation_map(book, known, reach=0.2)
        found.append((*cells, levels.price_edges, levels.amount))
    for one, other in zip(*found, strict=True):
        assert one.tobytes() == other.tobytes()


def test_what_does_not_fit_the_market(book):
    first = int(book.market.timestamp[0])
    with pytest.raises(ConfigError, match=r"^at: no bar had closed by 2025-01-01 00:00:00; the first closes at 2025-01-01 00:05:00"):
        liquidation_map(book, first)
    with pytest.raises(ConfigError, match=r"^every: '7m' is not a multiple of the bar interval 5m"):
        leverage_heat(book, "7m")
    with pytest.raises(ConfigError, match=r"^every: '52w' is longer than the span"):
        leverage_heat(book, "52w")
    with pytest.raises(ConfigError, match=r"^reach: 1.5 must be a fraction of price between 0 and 1"):
        liquidation_map(book, reach=1.5)

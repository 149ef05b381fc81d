"""Random entries: as often as asked, in no pattern, and the same on any cut."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hand_made import features_of, unknown
from scipy import stats

from liqbt.errors import ConfigError
from liqbt.strategy import load_strategy

BARS = 20_000


@pytest.fixture(scope="module")
def long_market(make_market):
    return make_market(close=[100.0] * BARS)


@pytest.fixture(scope="module")
def known(long_market):
    return features_of(long_market)


def entries(market, features, **parameters):
    return load_strategy("random_entries", **parameters).signals(market, features).entry


@pytest.mark.parametrize(("per_day", "long_share"), [(1.0, 0.5), (6.0, 0.25), (12.0, 1.0)])
def test_frequency_and_direction_are_as_asked(long_market, known, per_day, long_share):
    entry = entries(long_market, known, entries_per_day=per_day, long_share=long_share, seed=3)
    count = np.count_nonzero(entry)
    assert stats.binomtest(count, BARS, per_day / 24).pvalue > 0.01
    assert stats.binomtest(int((entry > 0).sum()), count, long_share).pvalue > 0.01


def test_no_bar_tells_of_the_next(long_market, known):
    """Throws of neighbouring bars, and of one bar under neighbouring seeds, are independent."""
    one, other = (entries(long_market, known, entries_per_day=12, seed=seed) for seed in (0, 1))
    for first, second in ((one[:-1], one[1:]), (one[:-24], one[24:]), (one, other)):
        table = [[np.sum((first == a) & (second == b)) for b in (-1, 0, 1)] for a in (-1, 0, 1)]
        assert stats.chi2_contingency(table).pvalue > 0.01


def test_gaps_between_entries_are_geometric(long_market, known):
    gaps = np.diff(np.flatnonzero(entries(long_market, known, entries_per_day=8, seed=5)))
    seen = [np.sum(gaps == k) for k in range(1, 8)] + [np.sum(gaps >= 8)]
    expected = [stats.geom.pmf(k, 1 / 3) for k in range(1, 8)] + [stats.geom.sf(7, 1 / 3)]
    assert stats.chisquare(seen, np.array(expected) * gaps.size).pvalue > 0.01


def splitmix64(number):
    """The finaliser of Steele, Lea and Flood (2014), in whole numbers without end."""
    number ^= number >> 30
    number = number * 0xBF58476D1CE4E5B9 % 2**64
    number ^= number >> 27
    number = number * 0x94D049BB133111EB % 2**64
    return number ^ number >> 31


@pytest.mark.parametrize("seed", [0, 1, 10**18])
def test_the_die_is_a_published_hash(make_market, seed):
    """So that another version of a library cannot change what a seed gives."""
    market = make_market(close=[100.0] * 48)
    dice = [splitmix64(splitmix64(int(stamp)) ^ seed) / 2**64 for stamp in market.timestamp]
    expected = [1 if one < 0.125 else -1 if one < 0.5 else 0 for one in dice]
    assert entries(market, features_of(market), entries_per_day=12, long_share=0.25, seed=seed).tolist() == expected


def test_any_part_of_a_market_gives_the_same_throws(long_market, known):
    part = slice(5_000, 9_000)
    arrays = {name: value[part] for name, value in vars(long_market).items() if isinstance(value, np.ndarray)}
    whole, cut = entries(long_market, known), entries(replace(long_market, **arrays), known.iloc[part])
    np.testing.assert_array_equal(whole[part], cut)
    assert cut.any()


def test_levels_are_in_daily_volatilities(long_market, known):
    strategy = load_strategy("random_entries", entries_per_day=24, stop_distance=0.5, target_distance=0.25, max_hours=6)
    signals = strategy.signals(long_market, known)
    side = signals.entry.astype(float)
    assert (side != 0).all()
    np.testing.assert_allclose(signals.stop_price, 100 * np.exp(-side * 0.02))
    np.testing.assert_allclose(signals.target_price, 100 * np.exp(side * 0.01))
    assert (signals.max_bars == 6).all()
    bare = load_strategy("random_entries", entries_per_day=24, stop_distance=0, target_distance=0).signals(long_market, known)
    assert np.isnan(bare.stop_price).all()
    assert np.isnan(bare.target_price).all()


def test_it_trades_only_where_the_map_is_known(make_market):
    market = make_market(close=[100.0] * 48)
    known = np.where(np.arange(48) < 24, math.nan, 0.5)
    entry = entries(market, unknown(market, sigma_day=0.04, dominance=known), entries_per_day=24)
    assert not entry[:24].any()
    assert entry[24:].all()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"entries_per_day": 0}, r"entries_per_day 0.0 must be above 0"),
        ({"long_share": 1.1}, r"long_share 1.1 must be at least 0 and at most 1"),
        ({"stop_distance": -1}, r"stop_distance -1.0"),
        ({"target_distance": -1}, r"target_distance -1.0"),
        ({"max_hours": 0}, r"max_hours 0.0"),
        ({"seed": -1}, r"seed -1 must be at least 0"),
        ({"seed": 0.5}, r"seed: 0.5 is not a whole number"),
    ],
)
def test_parameters_out_of_range(parameters, message):
    with pytest.raises(ConfigError, match=rf"^random_entries: {message}"):
        load_strategy("random_entries", **parameters)

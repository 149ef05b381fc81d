"""Features, computed again in plain Python from the map that the book hands out."""

import math

import numpy as np
import pandas as pd
import pytest
from reference import reference_zone_runs

from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.features import FEATURES, FeatureParams, build_features
from liqbt.volatility import daily_volatility
from liqbt.zones import ZoneParams

REACH = 0.3
PARAMS = FeatureParams(zones=ZoneParams(threshold=0.4, smooth_bps=22.0, min_share=0.02, reach=0.1), discount_days=2.0)


@pytest.fixture(scope="module")
def book(week):
    return reconstruct(week)


@pytest.fixture(scope="module")
def features(book):
    return build_features(book, PARAMS)


@pytest.fixture(scope="module")
def heat(book):
    return book.heatmap(reach=REACH)


def zone_of(heat, row, side, close, scale, params):
    """The map's heat on one side of price and its hottest zone after discount: heat, near, peak, far, amount, share, bins."""
    width = math.log(heat.price_edges[1] / heat.price_edges[0])
    here = int(np.searchsorted(heat.price_edges, close, side="right")) - 1
    down, up = (math.ceil(abs(math.log1p(sign * params.zones.reach)) / width) for sign in (-1, 1))
    window = range(here - down, here + 1) if side == 0 else range(here, here + up)
    cells = [float(heat.intensity[row, side, j]) for j in window]
    weight = [math.exp(-abs(j - here) * width / scale) for j in window]
    best, found = 0.0, None
    for first, last in reference_zone_runs(np.array(cells), round(params.zones.smooth_bps * 1e-4 / width), params.zones.threshold):
        amount = math.fsum(cells[first : last + 1])
        weighted = math.fsum(c * w for c, w in zip(cells[first : last + 1], weight[first : last + 1], strict=True))
        if weighted > best and amount >= params.zones.min_share * math.fsum(cells):
            best = weighted
            hottest = max(range(first, last + 1), key=cells.__getitem__)
            low, high = heat.price_edges[window[first]], heat.price_edges[window[last] + 1]
            near, far = (high, low) if side == 0 else (low, high)
            found = (near, heat.price[window[hottest]], far, amount, amount / math.fsum(cells), range(window[first], window[last] + 1))
    return math.fsum(c * w for c, w in zip(cells, weight, strict=True)), found


@pytest.mark.parametrize("side", [0, 1], ids=["below", "above"])
def test_zones_of_sampled_bars(book, features, heat, side):
    name = ("below", "above")[side]
    usable = np.flatnonzero(features["heat_above"].notna())
    assert usable.size > 1000
    zones = 0
    for t in usable[::37]:
        row = features.iloc[t]
        total, zone = zone_of(heat, t, side, book.market.close[t], math.sqrt(2.0) * row["sigma_day"], PARAMS)
        assert row[f"heat_{name}"] == pytest.approx(total, rel=1e-9)
        if zone is None:
            assert row[f"{name}_near" : f"{name}_share"].isna().all()
            continue
        zones += 1
        assert tuple(row[f"{name}_near" : f"{name}_share"]) == pytest.approx(zone[:5], rel=1e-9)
    assert zones > 20


@pytest.mark.parametrize("side", [0, 1], ids=["below", "above"])
def test_swept_share_of_sampled_bars(book, features, heat, side):
    """Of the zone at the last close, the heat in the bins whose centre this bar's range reached."""
    market, name = book.market, ("below", "above")[side]
    known = features[f"{name}_swept"].dropna()
    eaten_bars = np.flatnonzero(features[f"{name}_swept"] > 0)
    assert eaten_bars.size > 20
    assert ((known >= 0) & (known <= 1)).all()
    for t in [*eaten_bars[::5], *np.flatnonzero(features[f"{name}_swept"] == 0)[::101]]:
        scale = math.sqrt(2.0) * features["sigma_day"].iloc[t - 1]
        _, zone = zone_of(heat, t - 1, side, market.close[t - 1], scale, PARAMS)
        mass = {j: float(heat.intensity[t - 1, side, j]) for j in zone[5]}
        reached = [j for j in mass if (heat.price[j] >= market.low[t] if side == 0 else heat.price[j] <= market.high[t])]
        expected = math.fsum(mass[j] for j in reached) / math.fsum(mass.values())
        assert features[f"{name}_swept"].iloc[t] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_there_is_a_swept_share_exactly_where_a_zone_stood_at_the_last_close(features):
    for name in ("above", "below"):
        stood = features[f"{name}_near"].shift(1).notna()
        pd.testing.assert_series_equal(features[f"{name}_swept"].notna(), stood, check_names=False)


def test_dominance_is_the_share_of_heat_above(features):
    expected = features["heat_above"] / (features["heat_above"] + features["heat_below"])
    pd.testing.assert_series_equal(features["dominance"], expected, check_names=False)
    assert features["dominance"].dropna().between(0, 1).all()


def test_columns_and_index(features, week):
    assert tuple(features) == FEATURES
    assert features.index.equals(week.index)


def test_daily_volatility_is_the_weighted_mean_of_squared_returns(week):
    sigma = daily_volatility(week, 2.0)
    assert np.isnan(sigma[:288]).all()
    returns = np.diff(np.log(week.close))
    for t in (288, 700, week.n_bars - 1):
        past = returns[:t]
        weight = 0.5 ** (np.arange(t - 1, -1, -1) / (2.0 * 288))
        assert sigma[t] == pytest.approx(math.sqrt((weight * past**2).sum() / weight.sum() * 288), rel=1e-9)


def test_the_map_says_nothing_before_enough_of_the_book_was_seen(book):
    features = build_features(book, FeatureParams(min_explained_share=0.6))
    seen = (book.explained_share >= 0.6) & ~np.isnan(daily_volatility(book.market, 2.0))
    assert 0 < seen.sum() < seen.size
    for name in ("heat_above", "heat_below", "dominance"):
        np.testing.assert_array_equal(features[name].notna(), seen)
    assert features.loc[~seen, ["above_near", "below_near"]].isna().all(axis=None)
    np.testing.assert_array_equal(features["explained_share"], book.explained_share)


@pytest.fixture(scope="module")
def flat(make_market):
    """Ten days of hours at 100, hardly moving."""
    close = 100 + 0.01 * (np.arange(240) % 2)
    return make_market(close=list(close), volume=[60.0] * 240, open_interest=[100.0] * 240)


def test_zones_of_one_leverage_lie_where_it_is_liquidated(flat):
    features = build_features(reconstruct(flat, LeverageMix.of({10.0: 1.0}))).iloc[-1]
    long, short = 100 * 0.9 / 0.995, 100 * 1.1 / 1.005
    assert features["below_far"] < long < features["below_near"] < 100
    assert features["above_near"] < short < features["above_far"]
    assert features["below_peak"] == pytest.approx(long, rel=1e-3)
    assert features["above_peak"] == pytest.approx(short, rel=1e-3)
    assert features["above_share"] == pytest.approx(1)
    assert features["above_swept"] == 0


def test_half_a_zone_is_swept(make_market):
    """10x positions opened at 100 and at 101; a dip to between their levels takes the longs of 101 alone."""
    close = [100.0, 101.0] * 60 + [100.0]
    low = np.minimum(close, 100.0)
    low[-1] = 0.5 * (100 + 101) * 0.9 / 0.995
    market = make_market(close=close, open=[100.0, *close[:-1]], low=list(low), volume=[60.0] * 121, open_interest=[100.0] * 121)
    params = FeatureParams(zones=ZoneParams(threshold=0.05, smooth_bps=150.0))
    features = build_features(reconstruct(market, LeverageMix.of({10.0: 1.0}), BookParams(bin_bps=5.0)), params)
    assert features["below_swept"].iloc[-2] == 0
    assert 0.3 < features["below_swept"].iloc[-1] < 0.7


def test_reach_is_the_same_fraction_above_and_below(flat):
    """All positions die 12.5 to 13 % away: beyond a reach of 12 % on either side, so there is no heat and nothing dominates."""
    features = build_features(reconstruct(flat, LeverageMix.of({7.5: 1.0}))).iloc[-1]
    assert features["heat_below"] == 0
    assert features["heat_above"] == 0


def test_the_widest_reach_fits_the_grid(flat):
    features = build_features(reconstruct(flat, LeverageMix.of({5.0: 1.0})), FeatureParams(zones=ZoneParams(reach=0.25)))
    assert features["below_peak"].iloc[-1] == pytest.approx(100 * 0.8 / 0.995, rel=1e-3)
    assert features["above_peak"].iloc[-1] == pytest.approx(100 * 1.2 / 1.005, rel=1e-3)


def test_a_price_that_never_moves_has_no_volatility_and_so_no_map(make_market):
    market = make_market(close=[100.0] * 100, volume=[60.0] * 100, open_interest=[100.0] * 100)
    features = build_features(reconstruct(market))
    assert features["heat_above"].isna().all()
    assert features["explained_share"].iloc[-1] > 0.5


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("discount_days", (0.0, -1.0, 1001.0, math.nan, math.inf)),
        ("volatility_days", (0.0, -1.0, 1001.0, math.nan, math.inf)),
        ("min_explained_share", (-0.1, 1.0, math.nan)),
    ],
)
def test_parameters_out_of_range(name, bad):
    for value in bad:
        with pytest.raises(ConfigError, match=rf"^{name}: {value!r} must be "):
            FeatureParams(**{name: value})

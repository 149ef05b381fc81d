"""Swept zones against a plain oracle, and by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_sweeps import reference_sweeps

from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.features import build_features
from liqbt.sweeps import swept_zones

NAN = math.nan


def both(market, features, side, min_swept, bars):
    found = swept_zones(market, features, side, min_swept=min_swept, bars=bars)
    return np.column_stack((found.near, found.far, found.extreme)), np.array(reference_sweeps(market, features, side, min_swept, bars))


@pytest.fixture(scope="module")
def dip(make_market):
    """Down to 95 in three steps, and back."""
    return make_market(close=[100.0, 98.5, 97.5, 96.0, 99.0, 100.0], low=[100.0, 97.8, 97.0, 95.0, 96.0, 99.0])


@pytest.fixture(scope="module")
def bites():
    """Of a zone from 97 to 98 a bar eats 40 %, the next half of the rest, and later the last of it, by then from 95 to 96."""
    return pd.DataFrame({
        "below_swept": [NAN, 0.4, 0.5, 0.0, 1.0, NAN],
        "below_near": [98.0, 97.6, 96.5, 96.0, NAN, NAN],
        "below_far": [97.0, 96.9, 96.4, 95.0, NAN, NAN],
    })  # fmt: skip


def test_bites_compound(dip, bites):
    """40 % and half of the rest are 70 %: reached in bar 2, and in bar 3 of a window of three, no longer in one of two."""
    found = swept_zones(dip, bites[["below_swept", "below_near", "below_far"]].assign(below_swept=[NAN, 0.4, 0.5, 0, 0, 0]), "below",
                        min_swept=0.7, bars=3)  # fmt: skip
    np.testing.assert_array_equal(found.near, [NAN, NAN, 98, 98, NAN, NAN])
    np.testing.assert_array_equal(found.far, [NAN, NAN, 97, 97, NAN, NAN])
    np.testing.assert_array_equal(found.extreme, [NAN, NAN, 97, 95, NAN, NAN])


def test_the_edges_are_those_before_the_first_bite_and_the_extreme_is_since_then(dip, bites):
    found = swept_zones(dip, bites, "below", min_swept=0.5, bars=4)
    np.testing.assert_array_equal(found.near, [NAN, NAN, 98, 98, 98, 97.6])
    np.testing.assert_array_equal(found.far, [NAN, NAN, 97, 97, 97, 96.9])
    np.testing.assert_array_equal(found.extreme, [NAN, NAN, 97, 95, 95, 95])


def test_above_is_below_seen_upside_down(make_market, dip, bites):
    flipped = make_market(close=list(200 - dip.close), high=list(200 - dip.low))
    above = pd.DataFrame({name.replace("below", "above"): 200 - bites[name] for name in bites}).assign(above_swept=bites["below_swept"])
    low, high = (swept_zones(m, f, s, min_swept=0.5, bars=4) for m, f, s in ((dip, bites, "below"), (flipped, above, "above")))
    for name in ("near", "far", "extreme"):
        np.testing.assert_allclose(getattr(high, name), 200 - getattr(low, name))


@given(data=st.data(), bars=st.integers(1, 12), min_swept=st.sampled_from((0.1, 0.5, 0.75, 1.0)), side=st.sampled_from(("below", "above")))
def test_it_agrees_with_the_oracle(make_market, data, bars, min_swept, side):
    count = data.draw(st.integers(1, 30))
    share = st.sampled_from((NAN, 0.0, 0.0, 0.25, 0.5, 1.0))
    price = st.floats(90, 110)
    columns = {
        f"{side}_{name}": data.draw(st.lists(kind, min_size=count, max_size=count))
        for name, kind in (("swept", share), ("near", price), ("far", price))
    }
    low, high = (data.draw(st.lists(st.floats(*span), min_size=count, max_size=count)) for span in ((80, 100), (100, 120)))
    market = make_market(close=[100.0] * count, low=low, high=high)
    found, expected = both(market, pd.DataFrame(columns), side, min_swept, bars)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("side", ["below", "above"])
def test_it_agrees_with_the_oracle_on_a_map(week, side):
    found, expected = both(week, build_features(reconstruct(week)), side, 0.5, 48)
    np.testing.assert_array_equal(found, expected)
    assert 20 < np.isfinite(found[:, 0]).sum() < week.n_bars / 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"side": "long"}, r"side 'long' must be 'below' or 'above'"),
        ({"min_swept": 0.0}, r"min_swept 0.0 must be a share above 0 and at most 1"),
        ({"min_swept": 1.01}, r"min_swept 1.01"),
        ({"min_swept": NAN}, r"min_swept nan"),
        ({"bars": 0}, r"bars 0 must be at least 1"),
    ],
)
def test_what_cannot_be_asked(dip, bites, asked, message):
    given_ = {"side": "below", "min_swept": 0.5, "bars": 3} | asked
    with pytest.raises(ConfigError, match=rf"^swept_zones: {message}"):
        swept_zones(dip, bites, given_.pop("side"), **given_)


def test_features_of_another_market(dip, bites):
    with pytest.raises(ConfigError, match=r"5 rows of features for 6 bars; build features from the same market"):
        swept_zones(dip, bites.iloc[:5], "below", min_swept=0.5, bars=3)

"""What the simulator assumes, and what it refuses to assume."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqbt.book.params import BookParams, LeverageMix
from liqbt.errors import ConfigError
from liqbt.margin import GENERIC_TIERS, leverage_tiers

weights = st.dictionaries(st.floats(1.01, 200), st.floats(1e-6, 1e6), min_size=1, max_size=8)


@given(weights)
def test_a_mix_is_sorted_and_sums_to_one_in_the_given_proportions(given_):
    mix = LeverageMix.of(given_)
    assert list(mix.leverage) == sorted(given_)
    assert math.fsum(mix.weights) == pytest.approx(1, abs=1e-12)
    largest = max(given_, key=given_.get)
    share = dict(zip(mix.leverage, mix.weights, strict=True))
    assert all(share[x] == pytest.approx(given_[x] / given_[largest] * share[largest], rel=1e-9) for x in given_)


@given(weights)
def test_leverage_above_the_limit_is_dropped_and_the_rest_renormalised(given_):
    mix = LeverageMix.of(given_)
    limit = GENERIC_TIERS[0].max_leverage
    if min(given_) > limit:
        with pytest.raises(ConfigError, match=r"every leverage is above the venue's maximum of 100"):
            mix.allowed_by(GENERIC_TIERS)
        return
    kept, dropped = mix.allowed_by(GENERIC_TIERS)
    assert sorted((*kept.leverage, *dropped)) == list(mix.leverage)
    assert max(kept.leverage) <= limit < min(dropped, default=math.inf)
    assert math.fsum(kept.weights) == pytest.approx(1, abs=1e-12)


def test_the_default_mix_on_altusdt_keeps_what_the_venue_allows():
    kept, dropped = LeverageMix.default().allowed_by(leverage_tiers("binance", "ALTUSDT"))
    assert kept.leverage == (5, 10, 20, 30, 50)
    assert dropped == (75, 100)
    assert kept.weights == pytest.approx([0.2] * 5)


def test_a_mix_within_the_limit_is_returned_as_it_is():
    mix = LeverageMix.of({5.0: 1.0, 100.0: 3.0})
    assert mix.allowed_by(GENERIC_TIERS) == (mix, ())


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({}, r"must sum to a finite number above 0"),
        ({10.0: 0.0}, r"must sum to a finite number above 0"),
        ({10.0: math.nan}, r"must sum to a finite number above 0"),
        ({10.0: math.inf}, r"must sum to a finite number above 0"),
        ({10.0: -0.5, 20.0: 1.5}, r"weight -0.5 must be a fraction of at least 0"),
        ({1.0: 1.0}, r"leverage 1.0 must be above 1; without leverage nothing is liquidated"),
        ({math.nan: 1.0}, r"leverage nan must be above 1"),
        ({math.inf: 1.0}, r"leverage inf must be above 1"),
    ],
)
def test_bad_mixes(given_, message):
    with pytest.raises(ConfigError, match=message):
        LeverageMix.of(given_)


@pytest.mark.parametrize(
    ("leverage", "shares", "message"),
    [
        ((), (), r"0 leverages and 0 weights"),
        ((10.0, 20.0), (1.0,), r"2 leverages and 1 weights"),
        ((20.0, 10.0), (0.5, 0.5), r"must strictly ascend"),
        ((10.0, 10.0), (0.5, 0.5), r"must strictly ascend"),
        ((10.0, 20.0), (0.5, 0.4), r"weights sum to 0.9, not 1; use LeverageMix.of to normalise"),
    ],
)
def test_bad_mixes_as_written(leverage, shares, message):
    with pytest.raises(ConfigError, match=message):
        LeverageMix(leverage=leverage, weights=shares)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("churn_share", (-0.1, 1.1, math.nan)),
        ("long_churn_share", (-0.1, 1.1, math.nan)),
        ("bin_bps", (0.0, 0.05, 101.0, math.nan, math.inf)),
        ("maintenance_margin_rate", (0.0, 1.0, -0.01, math.nan)),
        ("open_interest_days", (0.0, -1.0, 1001.0, math.nan, math.inf)),
        ("volume_memory_days", (0.0, -1.0, 1001.0, math.nan, math.inf)),
        ("taker_tilt", (-1.1, 1.1, math.nan)),
        ("hazard_exponent", (-0.1, 2.1, math.nan)),
        ("hazard_distance", (0.0, 1.0, math.nan)),
        ("fleeting_share", (-0.1, 1.0, math.nan)),
        ("notional_sigma", (-0.1, 5.1, math.nan)),
        ("median_notional", (0.0, -1.0, math.nan, math.inf)),
    ],
)
def test_parameters_out_of_range_are_named_with_their_value(name, bad):
    for value in bad:
        with pytest.raises(ConfigError, match=rf"^{name}: {value!r} must be "):
            BookParams(**{name: value})
    BookParams(**{name: 0.5})


@pytest.mark.parametrize("bad", [0.5, 1001.0, math.nan])
def test_fleeting_positions_close_faster_than_the_rest(bad):
    with pytest.raises(ConfigError, match=rf"^fleeting_hazard: {bad!r} must be between 1 and 1000"):
        BookParams(fleeting_hazard=bad)


def test_a_rate_and_a_size_would_both_decide_the_bracket():
    with pytest.raises(ConfigError, match=r"^median_notional: 50000 decides the bracket, which maintenance_margin_rate 0.01 replaces"):
        BookParams(median_notional=5e4, maintenance_margin_rate=0.01)

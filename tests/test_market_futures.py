"""Markets without a future, and with another one: the past is the same bit for bit."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from generators import with_open_interest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lookahead import changed_future, difference, stages

from liqbt.book.params import BookParams
from liqbt.market import VolumeProfile
from liqbt.market.futures import cut_off, other_future


@pytest.fixture(scope="module")
def full(week):
    """The week with everything that a market can have."""
    rng = np.random.default_rng(2)
    count = week.n_bars
    offsets = np.append(0, np.cumsum(rng.integers(0, 3, count)))
    rows = int(offsets[-1])
    profile = VolumeProfile(width=1e-3, offsets=offsets, bin=np.arange(rows), buy=rng.uniform(1, 2, rows), sell=rng.uniform(1, 2, rows))
    return replace(
        week,
        taker_buy_volume=week.volume * rng.random(count),
        funding_rate=rng.normal(0, 1e-4, count),
        liquidated=rng.uniform(1, 2, (count, 2)),
        volume_profile=profile,
        depth_distance=np.array([0.001, 0.01]),
        depth_bid=rng.uniform(1, 2, (count, 2)),
        depth_ask=rng.uniform(1, 2, (count, 2)),
    )


def arrays(market):
    return {field.name: value for field in fields(market) if isinstance(value := getattr(market, field.name), np.ndarray)}


def profile_rows(market, first, stop):
    profile = market.volume_profile
    rows = slice(int(profile.offsets[first]), int(profile.offsets[stop]))
    return np.diff(profile.offsets[first : stop + 1]), profile.bin[rows], profile.buy[rows], profile.sell[rows]


@pytest.mark.parametrize(("start", "stop"), [(0, 1000), (700, 1000), (0, 2016), (5, 6)])
def test_what_is_cut_off_is_gone_and_the_rest_is_the_same(full, start, stop):
    part = cut_off(full, stop, start=start)
    assert part.n_bars == stop - start
    assert (part.findings, part.inputs) == ((), ())
    assert (part.symbol, part.interval, part.seed, part.tiers) == (full.symbol, full.interval, full.seed, full.tiers)
    for name, value in arrays(full).items():
        expected = value if name == "depth_distance" else value[start:stop]
        assert getattr(part, name).tobytes() == expected.tobytes(), name
    for one, other in zip(profile_rows(part, 0, stop - start), profile_rows(full, start, stop), strict=True):
        assert one.tobytes() == other.tobytes()
    assert part.volume_profile.n_bars == part.n_bars


def test_distances_stay_whole_where_there_are_as_many_as_bars(full):
    short = cut_off(full, 2)
    assert short.depth_distance.size == short.n_bars == 2
    assert cut_off(short, 1).depth_distance.tolist() == [0.001, 0.01]


def test_cutting_off_is_recording_less(week):
    """The same as a market made from tables that end there."""
    made = changed_future(week, 1199, seed=None)
    part = cut_off(changed_future(week, week.n_bars - 1, seed=None), 1200)
    for name, value in arrays(made).items():
        assert getattr(part, name).tobytes() == value.tobytes(), name


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=st.integers(1, 2000), seed=st.integers(0, 2**32 - 1))
def test_another_future_has_the_same_past_and_could_have_come(full, known, seed):
    other = other_future(full, known, np.random.default_rng(seed))
    assert other.n_bars == full.n_bars
    assert (other.findings, other.inputs) == ((), ())
    same = {"timestamp", "observed", "depth_distance"}
    for name, value in arrays(full).items():
        changed = getattr(other, name)
        assert changed.shape == value.shape
        assert changed[:known].tobytes() == value[:known].tobytes(), name
        if name not in same:
            assert not np.array_equal(changed[known:], value[known:], equal_nan=True), name
            assert np.isfinite(changed[known:]).all(), name
    for one, before in zip(profile_rows(other, 0, known), profile_rows(full, 0, known), strict=True):
        assert one.tobytes() == before.tobytes()
    assert int(other.volume_profile.offsets[-1]) == int(full.volume_profile.offsets[known])
    assert (other.high >= np.maximum(other.open, other.close)).all()
    assert (other.low <= np.minimum(other.open, other.close)).all()
    assert (other.low > 0).all()
    assert (other.volume >= 0).all()
    assert (other.taker_buy_volume <= other.volume).all()


def test_what_rose_falls(full):
    known = 1000
    other = other_future(full, known, np.random.default_rng(1))
    before, after = (np.log(market.close[known:] / market.close[known - 1]) for market in (full, other))
    ratio = (after / before)[np.abs(before) > 1e-9]
    assert ratio.std() < 1e-6
    assert -0.9 <= ratio.mean() <= -0.5
    for name, mirrored in (("high", "low"), ("low", "high"), ("mark_high", "mark_low"), ("mark_low", "mark_high")):
        moved = np.log(getattr(full, mirrored)[known:] / full.close[known - 1])
        assert np.log(getattr(other, name)[known:] / full.close[known - 1]) == pytest.approx(ratio.mean() * moved, abs=1e-9), name


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), market=with_open_interest(min_bars=4, max_bars=40), seed=st.integers(0, 2**32 - 1))
def test_no_stage_sees_the_difference(data, market, seed):
    known = int(np.argmax(market.open_interest > 0))
    cut = data.draw(st.integers(known, market.n_bars - 2))
    params = BookParams(bin_bps=20.0)
    before = stages(market, {}, cut, params=params)
    assert difference(before, stages(cut_off(market, cut + 1), {}, cut, params=params)) is None
    other = other_future(market, cut + 1, np.random.default_rng(seed))
    assert difference(before, stages(other, {}, cut, params=params)) is None

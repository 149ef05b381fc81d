"""Volume and open interest into flows: accounting identities, exactness, and the integral that the formula stands for."""

from dataclasses import replace

import numpy as np
import pytest
from generators import with_open_interest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import reference_flows

from liqbt.book._flow_kernels import retained_under
from liqbt.book.flows import build_flows
from liqbt.book.params import BookParams
from liqbt.errors import ConfigError, DataError

shares = st.floats(0, 1)
interests = st.lists(st.sampled_from((0.0, 1e-9, 1.0, 40.0, 40.0, 41.0, 1e6)), min_size=2, max_size=30).filter(lambda x: max(x) > 0)


def flows_of(make_market, interest, volume, **params):
    market = make_market(close=[100.0] * len(interest), volume=volume)
    return build_flows(replace(market, open_interest=np.array(interest)), BookParams(**params))


@settings(max_examples=60)
@given(with_open_interest(), shares, shares)
def test_every_trade_has_a_buyer_and_a_seller(market, churn_share, long_churn_share):
    flows = build_flows(market, BookParams(churn_share=churn_share, long_churn_share=long_churn_share))
    known = ~np.isnan(market.open_interest)
    first = int(known.argmax())
    change = np.zeros(market.n_bars)
    change[first + 1 :] = np.diff(market.open_interest[first:])
    volume = np.where(known, market.volume, 0.0)
    churn = churn_share * np.maximum(volume - np.abs(change), 0.0)
    close = {"rtol": 1e-12, "atol": 1e-9}
    np.testing.assert_allclose(flows.opened - flows.closed, np.column_stack([change, change]), **close)  # OL - CL = OS - CS = D
    # OL + CS = OS + CL = V where all churn is leveraged traders; of churn share rho, |D| + rho (V - |D|) is left of V
    traded = np.abs(change) + churn
    split = {"long": long_churn_share, "short": 1 - long_churn_share}
    np.testing.assert_allclose(flows.opened[:, 0] + flows.closed[:, 1], np.maximum(change, 0) + np.maximum(-change, 0) + churn, **close)
    np.testing.assert_allclose(flows.opened[:, 1] + flows.closed[:, 0], traded, **close)
    for side, name in enumerate(split):
        np.testing.assert_allclose(np.minimum(flows.opened[:, side], flows.closed[:, side]), split[name] * churn, **close)


@settings(max_examples=100)
@given(interests, st.sampled_from((0.0, 0.5, 3.0, 50.0, 1e4)), shares, shares)
def test_the_book_adds_up_to_open_interest_whatever_the_turnover(make_market, interest, turnover, churn_share, long_churn_share):
    flows = flows_of(
        make_market, interest, [turnover * max(interest)] * len(interest), churn_share=churn_share, long_churn_share=long_churn_share
    )
    assert np.isfinite(flows.survival).all()
    assert (flows.survival >= 0).all()
    assert (flows.survival <= 1).all()
    assert (flows.retained >= 0).all()
    before = np.array(interest[:1] + interest[:-1])[:, None]
    now = np.array(interest)[:, None]
    size = np.maximum(before, now)
    assert (np.abs(flows.survival * before + flows.retained - now) <= 1e-12 * size).all()
    assert (flows.retained <= flows.opened + 1e-12 * size).all()


@pytest.mark.parametrize("volume", [0.0, 3.0, 30.0, 2000.0])
@pytest.mark.parametrize("interest", [(40.0, 40.0), (40.0, 43.0), (40.0, 12.0), (1.0, 1000.0)])
def test_the_surviving_share_is_the_integral_over_the_bar(make_market, interest, volume):
    volume = volume + abs(interest[1] - interest[0])
    flows = flows_of(make_market, list(interest), [0.0, volume], churn_share=0.7, long_churn_share=0.3)
    expected = reference_flows(volume, interest, 0.7, 0.3)
    for side, name in enumerate(("long", "short")):
        opened, closed, survival, retained = expected[name]
        assert flows.opened[1, side] == pytest.approx(opened, rel=1e-12)
        assert flows.closed[1, side] == pytest.approx(closed, rel=1e-12)
        assert flows.survival[1, side] == pytest.approx(survival, rel=2e-4, abs=1e-12)
        assert flows.retained[1, side] == pytest.approx(retained, rel=2e-4, abs=1e-6)


def test_open_interest_that_hardly_moves_is_no_special_case(make_market):
    """The logarithmic mean switches formula at a growth of 1e-8; both sides of the switch must agree."""
    survival = [
        flows_of(make_market, [40.0, 40.0 * (1 + growth)], [0.0, 30.0]).survival[1, 0] for growth in (0, 1e-12, 9.9e-9, 1.1e-8, 1e-7)
    ]
    np.testing.assert_allclose(survival, survival[0], rtol=1e-7)


def test_the_first_known_value_opens_the_book_and_is_no_change(make_market):
    flows = flows_of(make_market, [np.nan, np.nan, 40.0, 45.0], [100.0, 100.0, 100.0, 100.0], churn_share=0.0)
    assert np.isnan(flows.open_interest[:2]).all()
    np.testing.assert_array_equal(flows.opened, [[0, 0], [0, 0], [0, 0], [5, 5]])
    np.testing.assert_array_equal(flows.closed, 0)
    np.testing.assert_array_equal(flows.survival, 1)
    np.testing.assert_array_equal(flows.retained[:, 0], [0, 0, 0, 5])


def test_open_interest_to_nothing_and_back(make_market):
    flows = flows_of(make_market, [40.0, 0.0, 0.0, 25.0], [0.0, 60.0, 60.0, 60.0])
    np.testing.assert_array_equal(flows.survival[1], 0)
    np.testing.assert_array_equal(flows.retained, [[0, 0], [0, 0], [0, 0], [25, 25]])


def test_changes_that_volume_does_not_allow_are_counted_and_believed(make_market):
    flows = flows_of(make_market, [40.0, 50.0, 45.0, 45.0, 46.0], [0.0, 10.0, 4.0, 0.0, 0.5])
    assert flows.inconsistent == 2
    assert flows.opened[4, 0] == pytest.approx(1.0)
    assert flows.closed[2, 0] == pytest.approx(5.0)


def test_without_open_interest_it_is_proportional_to_average_volume(make_market):
    volume = np.r_[np.full(48, 10.0), np.full(48, 30.0)]
    market = make_market(close=[100.0] * 96, volume=volume)
    flows = build_flows(market, BookParams(open_interest_days=0.5, volume_memory_days=1.0))
    assert flows.source == "volume"
    assert flows.inconsistent == 0
    assert np.isnan(flows.open_interest[:23]).all()
    for bar in (23, 60, 95):
        weight = 0.5 ** (np.arange(bar, -1, -1) / 24)
        assert flows.open_interest[bar] == pytest.approx(0.5 * 24 * (weight * volume[: bar + 1]).sum() / weight.sum())
    larger = build_flows(market, BookParams(open_interest_days=1.0, volume_memory_days=1.0))
    np.testing.assert_allclose(larger.open_interest, 2 * flows.open_interest)


@pytest.mark.parametrize("part", [24, 30, 59])
def test_the_volume_fallback_knows_only_the_past(make_market, part):
    volume = list(np.random.default_rng(1).uniform(1, 10, 60))
    full, cut = (build_flows(make_market(close=[100.0] * n, volume=volume[:n]), BookParams()) for n in (60, part))
    np.testing.assert_array_equal(full.open_interest[:part], cut.open_interest)


def test_the_volume_fallback_needs_a_day(make_market):
    with pytest.raises(DataError, match=r"it is taken from volume, which needs more than a day of bars with volume"):
        build_flows(make_market(close=[100.0] * 23), BookParams())


@pytest.mark.parametrize("interest", [[0.0, 0.0], [np.nan, 0.0]])
def test_open_interest_that_is_never_above_zero(make_market, interest):
    with pytest.raises(
        DataError, match=r"TESTUSDT: open interest is nowhere known and above 0 from 2026-01-01 00:00:00 .* leave open interest out"
    ):
        flows_of(make_market, interest, [1.0, 1.0])


@settings(max_examples=60)
@given(with_open_interest(), shares)
def test_what_was_seen_is_what_is_left_of_all_that_opened(market, churn_share):
    flows = build_flows(market, BookParams(churn_share=churn_share))
    left = np.zeros(2)
    for t in range(market.n_bars):
        left = flows.survival[t] * left + flows.retained[t]
        np.testing.assert_allclose(flows.seen[t], left, rtol=1e-12)
    known = ~np.isnan(market.open_interest)
    assert (flows.seen[known] <= market.open_interest[known, None] * (1 + 1e-9) + 1e-9).all()


def test_to_frame_has_a_row_a_bar(make_market):
    flows = flows_of(make_market, [40.0, 50.0], [10.0, 30.0])
    frame = flows.to_frame()
    assert list(frame) == ["open_interest", "opened_long", "closed_long", "opened_short", "closed_short"]
    assert frame.index.is_monotonic_increasing
    assert frame["opened_long"].tolist() == flows.opened[:, 0].tolist()
    assert frame["closed_short"].tolist() == flows.closed[:, 1].tolist()


# --- what may inform the flows --------------------------------------------------------------------------------------


def test_taker_volume_tilts_the_churn(make_market):
    """Half of 60 churns: at a tilt of 0.4, a bar of buying alone gives longs 0.5 + 0.4 / 2 of it, one of selling 0.3."""
    market = make_market(close=[100.0] * 5, volume=[60.0, 60.0, 60.0, 60.0, 0.0], open_interest=[100.0] * 5)
    bought = replace(market, taker_buy_volume=np.array([60.0, 0.0, 30.0, 45.0, 0.0]))
    flows = build_flows(bought, BookParams(taker_tilt=0.4))
    np.testing.assert_allclose(flows.opened[:, 0], [21.0, 9.0, 15.0, 18.0, 0.0])
    np.testing.assert_allclose(flows.opened[:, 1], [9.0, 21.0, 15.0, 12.0, 0.0])
    np.testing.assert_array_equal(flows.opened, flows.closed)
    most = build_flows(bought, BookParams(taker_tilt=1.0, long_churn_share=0.9))
    np.testing.assert_allclose(most.opened[:2, 0], [30.0, 12.0])  # a share stays within 0 and 1
    with pytest.raises(ConfigError, match=r"^taker_tilt: 0.4 needs taker_buy_volume, which TESTUSDT lacks; leave it at 0$"):
        build_flows(market, BookParams(taker_tilt=0.4))


def test_recorded_liquidations_are_closings(make_market):
    """At most what the bar's volume leaves beside the change of open interest, which closes 30 of the second bar by itself."""
    market = make_market(close=[100.0] * 4, volume=[40.0] * 4, open_interest=[100.0, 70.0, 70.0, 70.0])
    seen = replace(market, liquidated=np.array([[0.0, 0.0], [32.0, 20.0], [25.0, 500.0], [np.nan, np.nan]]))
    flows = build_flows(seen, BookParams(churn_share=0.1, recorded_liquidations_close=True))
    np.testing.assert_allclose(flows.closed, [[2.0, 2.0], [32.0, 30.5], [25.0, 40.0], [2.0, 2.0]])
    np.testing.assert_allclose(flows.opened - flows.closed, [[0.0, 0.0], [-30.0, -30.0], [0.0, 0.0], [0.0, 0.0]])
    plain = build_flows(seen, BookParams(churn_share=0.1))
    np.testing.assert_allclose(plain.closed, [[2.0, 2.0], [30.5, 30.5], [2.0, 2.0], [2.0, 2.0]])
    with pytest.raises(ConfigError, match=r"^recorded_liquidations_close: TESTUSDT has no recorded liquidations; load them"):
        build_flows(market, BookParams(recorded_liquidations_close=True))


@pytest.mark.parametrize("multiple", [0.3, 1.0, 2.5, 40.0])
@pytest.mark.parametrize("volume", [3.0, 30.0, 2000.0])
@pytest.mark.parametrize("interest", [(40.0, 40.0), (40.0, 43.0), (40.0, 12.0), (1.0, 1000.0), (0.0, 50.0)])
def test_a_multiple_of_the_hazard_is_the_integral_over_the_bar(make_market, interest, volume, multiple):
    volume = volume + abs(interest[1] - interest[0])
    flows = flows_of(make_market, list(interest), [0.0, volume], churn_share=0.7, long_churn_share=0.3)
    survival, retained = np.empty((2, 2, 1)), np.empty((2, 2, 1))
    flows.under(np.full((2, 1), multiple), np.ones(1), slice(0, 2), survival, retained)
    expected = reference_flows(volume, interest, 0.7, 0.3, multiple)
    for side, name in enumerate(("long", "short")):
        if interest[0] > 0:
            assert survival[1, side, 0] == pytest.approx(expected[name][2], rel=2e-4, abs=1e-9)
        assert retained[1, side, 0] == pytest.approx(expected[name][3], rel=2e-3, abs=1e-6)
        assert retained[1, side, 0] <= flows.opened[1, side] * (1 + 1e-12)


@pytest.mark.parametrize("hazard", [1e-9, 1e-6, 9e-5, 1.1e-4, 1e-2, 3.0])
@pytest.mark.parametrize("growth", [0.0, 1e-5, -0.7])
def test_small_hazards_are_as_exact_as_large_ones(hazard, growth):
    """What a bar retains at twice the hazard, over what it retains at once: the ratio of (1 - exp(-z)) / z at both."""
    survival, retained = np.full((1, 2, 1), np.exp(-2 * hazard)), np.empty((1, 2, 1))
    retained_under(np.full((1, 2), hazard), np.array([growth]), np.ones((1, 2)), np.full((2, 1), 2.0), np.ones(1), survival, retained)
    twice, once = 2 * hazard + growth, hazard + growth
    np.testing.assert_allclose(retained, np.expm1(-twice) / twice / (np.expm1(-once) / once), rtol=1e-11)

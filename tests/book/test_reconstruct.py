"""reconstruct(): what a user reads off the book, and where it says what it assumed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from generators import with_open_interest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqbt.book.flows import build_flows
from liqbt.book.grid import price_grid
from liqbt.book.levels import Levels
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.passes import BookPass
from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError

HOUR = 3_600_000_000_000
COARSE = BookParams(bin_bps=20.0)
FEW = LeverageMix.of({3.0: 1.0, 10.0: 2.0, 25.0: 1.0})


@pytest.fixture(scope="module")
def book(week):
    return reconstruct(week)


@pytest.fixture(scope="module")
def hourly(make_market):
    """Three days of hours that begin at midnight, with a gap and a wild move."""
    rng = np.random.default_rng(5)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.006, 72)))
    return make_market(close=list(close), open=list(np.r_[100.0, close[:-1]]), volume=[60.0] * 72, open_interest=[100.0] * 72)


# --- what is assumed ------------------------------------------------------------------------------------------------


def test_leverage_above_the_venues_maximum_is_dropped_and_said_so(hourly):
    book = reconstruct(replace(hourly, venue="binance", symbol="ALTUSDT"))
    assert book.mix.leverage == (5, 10, 20, 30, 50)
    assert book.rate == 0.015
    assert "leverage 75x, 100x is above the venue's maximum of 50x for ALTUSDT; dropped, the rest renormalised" in book.notes
    assert book.swept.shape == book.live.shape == (72, 2, 5)


def test_a_mix_that_the_venue_forbids_altogether(hourly):
    with pytest.raises(ConfigError, match=r"every leverage is above the venue's maximum of 50"):
        reconstruct(replace(hourly, venue="binance", symbol="ALTUSDT"), LeverageMix.of({75.0: 1.0}))


def test_assumed_tiers_are_said_so_and_shipped_ones_are_not(hourly):
    assert any("no leverage tiers are shipped for TESTUSDT on nowhere" in note for note in reconstruct(hourly).notes)
    assert not any("tiers" in note or "maximum" in note for note in reconstruct(replace(hourly, venue="binance", symbol="BTCUSDT")).notes)


def test_open_interest_from_volume_is_said_so(hourly):
    book = reconstruct(replace(hourly, open_interest=None))
    assert book.flows.source == book.heatmap("1h").open_interest_source == "volume"
    assert any("no open interest was recorded: it is assumed to be 0.37 days of average volume" in note for note in book.notes)


def test_open_interest_that_contradicts_volume_is_said_so(hourly):
    jumps = np.array(hourly.open_interest)
    jumps[10:] += 500
    notes = reconstruct(replace(hourly, open_interest=jumps)).notes
    assert any(note.startswith("in 1 bars open interest changed by more than the recorded volume") for note in notes)


def test_the_size_of_the_map_is_compared_with_what_was_recorded(hourly):
    expected = reconstruct(hourly, FEW).expected_liquidations().to_numpy()
    recorded = np.where(np.arange(72)[:, None] < 20, np.nan, expected / 4)
    notes = reconstruct(replace(hourly, liquidated=recorded), FEW).notes
    assert any(note.startswith("the map expects 4.0 times the liquidations that were recorded") for note in notes)
    nothing = reconstruct(replace(hourly, liquidated=np.full((72, 2), np.nan)), FEW).notes
    assert not any("the map expects" in note for note in nothing)


@pytest.mark.parametrize("rate", [0.02, 0.05])
def test_leverage_that_dies_as_it_opens(hourly, rate):
    with pytest.raises(ConfigError, match=r"leverage: (75|50|20|30|100) with a maintenance margin rate of .* is liquidated as it opens"):
        reconstruct(hourly, params=BookParams(maintenance_margin_rate=rate))


def test_bins_too_wide_for_the_nearest_liquidation(hourly):
    with pytest.raises(ConfigError, match=r"bin_bps: 50 is too wide for the highest leverage.*; use at most \d+\.\d$"):
        reconstruct(hourly, LeverageMix.of({100.0: 1.0}), BookParams(bin_bps=50.0))


# --- explained share ------------------------------------------------------------------------------------------------


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(with_open_interest(max_bars=40), st.floats(0, 1))
def test_live_is_at_most_what_was_seen_and_that_at_most_open_interest(market, churn_share):
    book = reconstruct(market, FEW, BookParams(bin_bps=20.0, churn_share=churn_share))
    interest = book.flows.open_interest
    known = ~np.isnan(interest)
    live, seen = book.live @ book.weights, interest[:, None] - book.unexplained
    size = np.nanmax(interest)
    assert (book.unexplained[known] >= -1e-9 * size).all()
    assert (live[known] <= seen[known] + 1e-9 * size).all()
    assert (book.live >= 0).all()
    assert (book.swept >= 0).all()
    for share, held in ((book.explained_share, seen), (book.live_share, live)):
        assert np.isnan(share[~known]).all()
        assert ((share[known] >= 0) & (share[known] <= 1 + 1e-9)).all()
        np.testing.assert_allclose((share * interest)[known], held.mean(axis=1)[known], rtol=1e-9, atol=1e-9 * size)


def test_explained_share_rises_as_turnover_replaces_what_was_there_before(make_market):
    market = make_market(close=[100.0] * 40, volume=[20.0] * 40, open_interest=[100.0] * 40)
    share = reconstruct(market, FEW).explained_share
    np.testing.assert_allclose(share, 1 - np.exp(-0.05 * np.arange(1, 41)), rtol=1e-9)  # half of half of 20 closes of 100 a bar


def test_explained_share_of_the_synthetic_week(book):
    assert book.explained_share[0] < 0.05
    assert 0.6 < book.explained_share[-1] < 1
    assert 0.2 < book.live_share[-1] < book.explained_share[-1]


def test_explained_share_does_not_depend_on_the_mix(book, week):
    other = reconstruct(week, LeverageMix.of({100.0: 1.0}))
    np.testing.assert_array_equal(other.explained_share, book.explained_share)
    assert other.live_share[-1] < book.live_share[-1]


def test_explained_share_is_unknown_before_open_interest_is(hourly):
    late = np.where(np.arange(72) < 30, np.nan, 100.0)
    book = reconstruct(replace(hourly, open_interest=late), FEW)
    assert np.isnan(book.explained_share[:30]).all()
    assert (book.explained_share[31:] > 0).all()
    assert not book.live[:30].any()


def test_explained_share_is_nothing_where_nobody_holds_anything(hourly):
    gone = np.where(np.arange(72) < 30, 100.0, 0.0)
    book = reconstruct(replace(hourly, open_interest=gone), FEW)
    assert (book.explained_share[30:] == 0).all()
    assert not book.live[30:].any()


# --- what is handed out ---------------------------------------------------------------------------------------------


def test_basis_liquidations_is_linear_in_the_mix(book, week):
    basis = book.basis_liquidations()
    assert basis.dims == ("timestamp", "side", "leverage")
    assert basis.shape == (week.n_bars, 2, 7)
    assert basis.side.to_numpy().tolist() == ["long", "short"]
    assert basis.leverage.to_numpy().tolist() == list(book.mix.leverage)
    assert basis.attrs == {"units": "base"}
    assert pd.DatetimeIndex(basis.timestamp.to_numpy()).equals(week.index.tz_localize(None))
    other = LeverageMix.of(dict(zip(book.mix.leverage, (3, 1, 4, 1, 5, 9, 2), strict=True)))
    mixed = (basis * np.array(other.weights)).sum("leverage").to_numpy()
    expected = reconstruct(week, other).expected_liquidations()
    assert list(expected) == ["long", "short"]
    assert expected.to_numpy().sum() > 0
    np.testing.assert_allclose(mixed, expected.to_numpy(), rtol=1e-12)


def test_heat_lies_on_the_losing_side_of_price(book, week):
    heat = book.heatmap()
    centre = heat.price
    for row in range(0, heat.timestamp.size, 7):
        long, short = heat.intensity[row]
        assert not long[centre >= week.close[row]].any()
        assert not short[centre <= week.close[row]].any()
    assert heat.intensity[:, 0].sum() > 0
    assert heat.intensity[:, 1].sum() > 0


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(with_open_interest(max_bars=40))
def test_heat_lies_on_the_losing_side_of_what_liquidates(market):
    book = reconstruct(market, FEW, COARSE)
    heat = book.heatmap(reach=0.5)
    final = np.clip(market.trigger_close, market.trigger_low, market.trigger_high)
    for row in range(market.n_bars):
        assert not heat.intensity[row, 0, heat.price > final[row] * (1 + 1e-9)].any()
        assert not heat.intensity[row, 1, heat.price < final[row] * (1 - 1e-9)].any()


def test_the_mark_liquidates_where_it_is_recorded(make_market):
    close = [100.0] * 6
    bars = pd.date_range("2026-01-01", periods=6, freq="1h", tz="UTC")
    mark = pd.DataFrame({"timestamp": bars, "open": 100.0, "high": 100.0, "low": [100.0] * 5 + [80.0], "close": 100.0})
    volume, interest = [50.0] * 6, [100.0] * 6
    calm = reconstruct(make_market(close=close, volume=volume, open_interest=interest), FEW, COARSE)
    marked = reconstruct(make_market(close=close, volume=volume, open_interest=interest, mark=mark), FEW, COARSE)
    assert calm.swept.sum() == 0
    np.testing.assert_array_equal(marked.swept[:5], 0)
    assert (marked.swept[5, 0] > 0).tolist() == [False, True, True]  # 20 % down kills longs at 10x and 25x, not at 3x
    np.testing.assert_array_equal(marked.swept[5, 1], 0)


# --- symmetry -------------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.lists(st.integers(-40, 40), min_size=2, max_size=30), st.integers(0, 2**32 - 1))
def test_mirrored_prices_swap_longs_and_shorts(make_market, moves, seed):
    """Exact in log price for bars of one price and liquidation distances that mirror each other; no price meets a bin's centre."""
    log_price = np.cumsum(moves) * 0.00371 + 0.0013
    count = len(moves)
    rng = np.random.default_rng(seed)
    survival, retained = np.repeat(rng.uniform(0, 1, (count, 1)), 2, axis=1), np.repeat(rng.uniform(0, 9, (count, 1)), 2, axis=1)
    shift = np.array([[-0.3, -0.07, -0.031], [0.3, 0.07, 0.031]])
    swept = []
    for sign in (1, -1):
        market = make_market(close=list(np.exp(sign * log_price)))
        flows = replace(build_flows(replace(market, open_interest=np.ones(count)), BookParams()), survival=survival, retained=retained)
        levels = Levels.of(shift)
        book = BookPass(market, flows, price_grid(market, levels.shift, 20.0), levels, COARSE)
        book.run_to(count)
        swept.append(book.swept)
    np.testing.assert_allclose(swept[0], swept[1][:, ::-1], rtol=1e-9, atol=1e-9)


# --- heatmap() ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("every", "step"), [(None, 1), ("1h", 1), ("4h", 4), ("1d", 24), ("24h", 24)])
def test_snapshots_are_known_at_whole_multiples_of_utc(hourly, every, step):
    heat = reconstruct(hourly, FEW).heatmap(every)
    assert heat.timestamp.size == 72 // step
    assert (heat.timestamp % (step * HOUR) == 0).all()
    np.testing.assert_array_equal(heat.close, hourly.close[step - 1 :: step])


@pytest.mark.parametrize(("minutes", "first"), [(0, 3), (20, 3), (-20, 0)])
def test_off_the_utc_grid_a_snapshot_is_of_the_first_close_after_each_multiple(hourly, minutes, first):
    shifted = replace(hourly, timestamp=hourly.timestamp + minutes * HOUR // 60)
    heat = reconstruct(shifted, FEW).heatmap("4h")
    np.testing.assert_array_equal(heat.close, hourly.close[first::4])
    assert ((heat.timestamp % (4 * HOUR)) < HOUR).all()


def test_a_coarser_cadence_picks_rows_of_the_finest(hourly):
    book = reconstruct(hourly, FEW)
    fine, coarse = book.heatmap(), book.heatmap("4h")
    np.testing.assert_array_equal(fine.intensity[3::4], coarse.intensity)
    np.testing.assert_array_equal(fine.price_edges, coarse.price_edges)


@pytest.mark.parametrize("bin_bps", [10.0, 25.0, 50.0])
def test_wide_bins_are_sums_of_narrow_ones(hourly, bin_bps):
    book = reconstruct(hourly, FEW, BookParams(bin_bps=5.0))
    fine, wide = book.heatmap("4h"), book.heatmap("4h", bin_bps=bin_bps)
    merge = round(bin_bps / 5)
    first = int(np.searchsorted(fine.price_edges, wide.price_edges[0] * (1 - 1e-12)))
    count = wide.price_edges.size - 1
    np.testing.assert_array_equal(wide.price_edges, fine.price_edges[first::merge][: count + 1])
    cells = fine.intensity[:, :, first : first + count * merge]
    np.testing.assert_allclose(wide.intensity, cells.reshape(*cells.shape[:2], count, merge).sum(axis=3), rtol=1e-12)
    assert fine.price_edges.size - 1 - count * merge < 2 * merge  # only rests of groups at the ends are left out


def test_wide_bins_have_the_same_edges_whatever_the_prices(hourly):
    high = hourly.high * 1.1
    high.setflags(write=False)  # as markets are: the kernels are compiled for read-only arrays
    books = (reconstruct(market, FEW) for market in (hourly, replace(hourly, high=high)))
    few, many = (set(book.heatmap("1d", bin_bps=35.0).price_edges) for book in books)
    assert few < many


def test_the_map_reaches_as_far_as_asked(hourly):
    book = reconstruct(hourly, FEW)
    for reach in (0.01, 0.1, 0.25):
        edges = book.heatmap("1d", reach=reach).price_edges
        assert edges[0] <= hourly.low.min() * (1 - reach) < edges[1]
        assert edges[-2] < hourly.high.max() * (1 + reach) <= edges[-1]


def test_a_heatmap_carries_what_its_reader_must_know(hourly):
    book = reconstruct(hourly, FEW)
    heat = book.heatmap("4h")
    assert (heat.symbol, heat.open_interest_source, heat.synthetic) == ("TESTUSDT", "recorded", False)
    assert reconstruct(replace(hourly, seed=3), FEW).heatmap("1d").synthetic
    np.testing.assert_array_equal(heat.explained_share, book.explained_share[3::4])


def test_heat_within_reach_of_everything_is_what_is_live(hourly):
    book = reconstruct(hourly, FEW)
    np.testing.assert_allclose(book.heatmap(reach=0.6).intensity.sum(axis=2), book.live @ book.weights, rtol=1e-9)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"every": "90m"}, r"every: '90m' is not a multiple of the bar interval 1h"),
        ({"every": "30m"}, r"every: '30m' is not a multiple of the bar interval 1h"),
        ({"every": "soon"}, r"every: 'soon' is not an interval"),
        ({"every": "7d"}, r"every: '7d' is longer than the span of the market, 2026-01-01 00:00:00 to 2026-01-04 00:00:00"),
        ({"every": "99999w"}, r"every: '99999w' is longer than a year"),
        ({"bin_bps": 7.0}, r"bin_bps: 7 is not a multiple of the book's bin_bps 5"),
        ({"bin_bps": 2.5}, r"bin_bps: 2.5 is not a multiple"),
        ({"bin_bps": 0.0}, r"bin_bps: 0.0 must be above 0"),
        ({"bin_bps": -5.0}, r"bin_bps: -5.0 must be above 0"),
        ({"bin_bps": 5000.0}, r"bin_bps: 5000.0 must be above 0 and at most 1000"),
        ({"bin_bps": np.nan}, r"bin_bps: nan"),
        ({"bin_bps": np.inf}, r"bin_bps: inf"),
        ({"reach": 0.0}, r"reach: 0.0 must be a fraction of price between 0 and 1"),
        ({"reach": 1.0}, r"reach: 1.0"),
        ({"reach": np.nan}, r"reach: nan"),
    ],
)
def test_a_heatmap_that_cannot_be_made(hourly, asked, message):
    with pytest.raises(ConfigError, match=message):
        reconstruct(hourly, FEW).heatmap(**asked)


@pytest.mark.parametrize(("start", "interval"), [("2026-01-01T00:30", "1h"), ("2026-01-05", "7d"), ("2026-01-01T16:00", "1d")])
def test_a_snapshot_after_every_bar_of_a_market_off_the_utc_grid(hourly, start, interval):
    """Hours that begin at half past, weeks that begin on Monday, days that begin at 16:00 UTC."""
    offset = pd.Timestamp(start, tz="UTC").value
    length = pd.Timedelta(int(interval[:-1]), unit=interval[-1].upper() if interval[-1] == "d" else interval[-1]).value
    market = replace(hourly, interval=interval, timestamp=offset + length * np.arange(72))
    assert reconstruct(market, FEW).heatmap().timestamp.size == 72

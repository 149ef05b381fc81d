"""The depth-adjusted map: by hand, against the oracle, and with the book as it was known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference_maps import reference_depth
from test_heatmap import HOUR, START, heatmap

from liqbt.errors import ConfigError
from liqbt.heatmap import depth_adjusted
from liqbt.market import MarketFrame

BPS = np.log(1.01)  # bins of one percent: their edges lie 1, 2.01, 3.0301 percent above price


def with_depth(make_market, bid, ask, distance=(0.01, 0.05), bars=3):
    """A market of hourly bars at 100 and the same book in all of them."""
    market = make_market(close=[100.0] * bars)
    table = {name: np.tile(np.asarray(values, dtype=float), (bars, 1)) for name, values in (("depth_bid", bid), ("depth_ask", ask))}
    return replace(market, depth_distance=np.asarray(distance, dtype=float), **table)


def flat(amount, rows=3):
    """A map whose price 100 is the edge between the bins 9 and 10, the same at all times."""
    intensity = np.zeros((rows, 2, 20))
    for (side, bin_), value in amount.items():
        intensity[:, side, bin_] = value
    heat = heatmap(intensity, low=float(100 * np.exp(-10 * BPS)), width=BPS)
    edges = heat.price_edges.copy()
    edges[10] = 100.0  # to the last bit
    return replace(heat, close=np.full(rows, 100.0), price_edges=edges)


def test_by_hand(make_market):
    """Bids of 100 within 1 % and 300 within 5 %: 100 at 1 %, then 50 for each further percent."""
    heat = flat({(0, 9): 1.0, (0, 8): 2.0, (1, 11): 3.0})
    adjusted = depth_adjusted(heat, with_depth(make_market, bid=(100.0, 300.0), ask=(50.0, 50.0)))
    down = 1 - np.exp(-BPS * np.arange(1, 11))  # distance of the far edge of the bins 9, 8, ... below price
    expected = np.where(down <= 0.01, down / 0.01 * 100, 100 + (down - 0.01) / 0.04 * 200)
    np.testing.assert_allclose(adjusted.depth[0, 0, 9::-1], np.where(down <= 0.05, expected, np.nan))
    assert np.isnan(adjusted.depth[:, 0, 10:]).all()
    assert np.isnan(adjusted.depth[:, 1, :10]).all()
    first = float(heat.price[9])
    assert adjusted.liquidated[0, 0, 9] == pytest.approx(first)
    assert adjusted.ratio[0, 0, 9] == pytest.approx(first / (down[0] / 0.01 * 100))
    assert adjusted.ratio[0, 0, 8] == pytest.approx((first + 2 * float(heat.price[8])) / expected[1])
    np.testing.assert_allclose(adjusted.ratio[0, 1, 10:13], [0.0, 3 * heat.price[11] / 50, 3 * heat.price[11] / 50])
    assert adjusted.deepest.tolist() == [[0.05, 0.05]] * 3


def test_where_it_tips(make_market):
    heat = flat({(0, 9): 0.5, (0, 7): 4.0, (1, 11): 3.0})
    adjusted = depth_adjusted(heat, with_depth(make_market, bid=(100.0, 300.0), ask=(5000.0, 5000.0)))
    np.testing.assert_allclose(adjusted.tipping_price[:, 0], heat.price_edges[7])
    assert np.isnan(adjusted.tipping_price[:, 1]).all()
    frame = adjusted.to_frame()
    assert list(frame) == ["close", "tipping_price_long", "tipping_price_short", "deepest_long", "deepest_short"]
    up = depth_adjusted(heat, with_depth(make_market, bid=(1e9, 1e9), ask=(1.0, 1.0)))
    np.testing.assert_allclose(up.tipping_price[:, 1], heat.price_edges[12])


def test_behind_the_deepest_distance(make_market):
    market = with_depth(make_market, bid=(100.0, np.nan), ask=(np.nan, np.nan))
    heat = flat({(0, 2): 1.0})
    nothing, average = (depth_adjusted(heat, market, beyond=beyond) for beyond in ("nothing", "average"))
    assert np.isnan(nothing.depth[0, 0, :9]).all()
    assert np.isfinite(nothing.depth[0, 0, 9])
    np.testing.assert_allclose(average.depth[0, 0, :10], (1 - heat.price_edges[:10] / 100) * 1e4)
    for one in (nothing, average):
        np.testing.assert_array_equal(one.deepest[0], [0.01, np.nan])
        assert np.isnan(one.depth[:, 1]).all()
        assert np.isnan(one.ratio[:, 1]).all()


def test_no_depth_and_no_liquidations_is_nothing_to_feed(make_market):
    adjusted = depth_adjusted(flat({(0, 8): 1.0}), with_depth(make_market, bid=(0.0, 10.0), ask=(0.0, 0.0)))
    assert adjusted.ratio[0, 0, 9] == 0.0
    assert adjusted.ratio[0, 0, 8] > 1
    assert (adjusted.ratio[0, 1, 10:15][adjusted.depth[0, 1, 10:15] == 0] == 0).all()
    everything = depth_adjusted(flat({(1, 10): 1.0}), with_depth(make_market, bid=(1.0, 1.0), ask=(0.0, 0.0)))
    assert np.isinf(everything.ratio[0, 1, 10])


@given(
    hnp.arrays(np.float64, 4, elements=st.sampled_from((0.0, 1.0, 5.0, 40.0, np.nan))),
    hnp.arrays(np.float64, 4, elements=st.sampled_from((0.0, 1.0, 5.0, 40.0, np.nan))),
    st.sampled_from(("nothing", "average")),
    st.floats(85, 115),
)
def test_depth_equals_the_oracle(make_market, bid, ask, beyond, close):
    distance = (0.002, 0.01, 0.02, 0.05)
    heat = replace(flat({(0, 5): 1.0}, rows=1), close=np.array([close]))
    adjusted = depth_adjusted(heat, with_depth(make_market, bid, ask, distance, bars=1), beyond=beyond)
    for side, book, edges in ((0, bid, heat.price_edges[:-1]), (1, ask, heat.price_edges[1:])):
        for bin_, edge in enumerate(edges):
            away = (close - edge) / close if side == 0 else (edge - close) / close
            expected = reference_depth(distance, book, away, beyond)
            found = adjusted.depth[0, side, bin_]
            assert np.isnan(found) if expected is None else found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_the_book_is_the_one_known_at_the_snapshot(make_market):
    """Bars close at 1, 2, 3; a snapshot between takes the bar closed before, and none where that is older than a bar."""
    market = with_depth(make_market, bid=(1.0, 1.0), ask=(1.0, 1.0))
    market = replace(market, depth_bid=market.depth_bid * np.array([[1.0], [2.0], [3.0]]))
    stamps = START + np.array([HOUR // 2, HOUR, 2 * HOUR - 1, 2 * HOUR, 4 * HOUR, 4 * HOUR + 1])
    heat = replace(flat({(0, 9): 1.0}, rows=6), timestamp=stamps)
    found = depth_adjusted(heat, market).depth[:, 0, 7]
    np.testing.assert_array_equal(found, [np.nan, 1.0, 1.0, 2.0, 3.0, np.nan])


def test_later_books_change_nothing(week):
    from liqbt.book.reconstruct import reconstruct

    book = np.full((week.n_bars, 2), 1e5) * (1 + np.arange(week.n_bars)[:, None] % 7)
    week = replace(week, depth_distance=np.array([0.01, 0.05]), depth_bid=book, depth_ask=book * 2)
    heat = reconstruct(week).heatmap("6h")
    cut = week.n_bars // 2
    after = np.arange(week.n_bars) > cut
    other = replace(
        week, depth_bid=np.where(after[:, None], 3.0, week.depth_bid), depth_ask=np.where(after[:, None], np.nan, week.depth_ask)
    )
    rows = heat.timestamp <= week.timestamp[cut] + week.interval_ns
    before, changed = depth_adjusted(heat, week), depth_adjusted(heat, other)
    assert before.ratio[rows].tobytes() == changed.ratio[rows].tobytes()
    assert before.ratio[~rows].tobytes() != changed.ratio[~rows].tobytes()


def test_depth_from_canonical_rows():
    """Through `MarketFrame`: cumulative notional of bids and asks as a venue gives it."""
    stamps = pd.date_range("2026-01-01", periods=2, freq="1h", tz="UTC")
    bars = pd.DataFrame({"timestamp": stamps, "open": 100.0, "high": 100.0, "low": 100.0, "close": 100.0, "volume": 1.0})
    rows = [
        {"timestamp": stamp + pd.Timedelta(minutes=59, seconds=30), "side": side, "distance": far, "amount": held / 100, "notional": held}
        for stamp in stamps
        for side, far, held in (("bid", 0.01, 10.0), ("bid", 0.02, 20.0), ("ask", 0.01, 30.0), ("ask", 0.02, 60.0))
    ]  # fmt: skip
    market = MarketFrame.from_frames(bars=bars, depth=pd.DataFrame(rows), venue="x", symbol="X", interval="1h")
    adjusted = depth_adjusted(flat({(1, 10): 1.0}, rows=2), market)
    np.testing.assert_allclose(adjusted.depth[:, 1, 10], 30.0)
    assert adjusted.ratio[0, 1, 10] == pytest.approx(adjusted.price[10] / 30)


def test_without_depth(make_market):
    with pytest.raises(
        ConfigError, match=r"^market: no order book was recorded for TESTUSDT; import files with depth .* load the market with depth=True"
    ):
        depth_adjusted(flat({}), make_market(close=[100.0] * 3))
    with pytest.raises(ConfigError, match=r"^beyond: 'flat' is neither 'nothing' nor 'average'"):
        depth_adjusted(flat({}), with_depth(make_market, bid=(1, 1), ask=(1, 1)), beyond="flat")


def test_to_xarray_and_repr(make_market):
    adjusted = depth_adjusted(flat({(0, 8): 9.0}), with_depth(make_market, bid=(10.0, 20.0), ask=(1.0, np.nan)))
    data = adjusted.to_xarray()
    assert data["ratio"].dims == ("timestamp", "side", "price")
    np.testing.assert_array_equal(data["ratio"], adjusted.ratio)
    np.testing.assert_array_equal(data["deepest"].sel(side="short"), adjusted.deepest[:, 1])
    assert repr(adjusted).endswith("depth known in 3, beyond 1 in 3)")

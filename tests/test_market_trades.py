"""MarketFrame from trades: bars where there are no others, and the volume profile on the grid."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trading import NS, START_NS, cut_at, random_trades, trades_of

from liqbt.book.state import PriceGrid
from liqbt.data.aggregate import LATE_NS, bars_from_trades, bin_width, volume_at_price
from liqbt.data.quality import Finding
from liqbt.data.validation import CLOCK
from liqbt.errors import ConfigError, DataError
from liqbt.market import MarketFrame, VolumeProfile

MINUTE = 60 * NS
ARRAYS = ("timestamp", "open", "high", "low", "close", "volume", "observed", "taker_buy_volume")


def market(interval="1m", **tables):
    return MarketFrame.from_frames(venue="binance", symbol="TEST", interval=interval, **tables)


def bars(*minutes, volume=2.0):
    stamps = pl.Series([START_NS + m * MINUTE for m in minutes]).cast(CLOCK)
    return pl.DataFrame({"timestamp": stamps, "open": 100.0, "high": 101.0, "low": 99.0, "close": 100.5, "volume": volume})


TRADES = trades_of((0, 100, 1, "buy"), (1, 100.01, 2, "sell"), (59, 103, 4, "buy"), (180, 101, 8, "sell"), (200, 101, 16, "buy"))


def test_bars_are_built_from_trades():
    made = market(trades=TRADES)
    given = market(bars=bars_from_trades(TRADES, "1m"))
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(made, name), getattr(given, name), err_msg=name)
    assert made.observed.tolist() == [True, False, False, True]
    assert made.close.tolist() == [103, 103, 103, 101]
    assert made.taker_buy_volume.tolist() == [5, 0, 0, 16]
    assert [one.code for one in made.findings] == ["bars_from_trades", "gap"]
    assert made.findings[0].count == 2
    assert made.findings[0].severity == "note"
    assert "2 bars, the first at 2024-01-01 00:00:00; they are built from" in made.findings[0].message


def test_recorded_bars_win_over_trades():
    made = market(trades=TRADES, bars=bars(0, 1, 2, 3))
    assert made.close.tolist() == [100.5] * 4
    assert made.taker_buy_volume is None
    assert made.volume_profile.totals.tolist() == [[5, 2], [0, 0], [0, 0], [16, 8]]


def test_neither_bars_nor_trades():
    with pytest.raises(ConfigError, match=r"bars: neither bars nor trades are given"):
        market()


def test_the_profile_by_bar():
    profile = market(trades=TRADES).volume_profile
    assert profile.n_bars == 4
    assert profile.width == math.log1p(5e-4) / 5
    levels = [math.floor(math.log(price) / profile.width) for price in (100, 100.01, 103, 101)]
    assert levels[1] == levels[0] + 1  # 100.01 is a basis point higher
    assert profile.offsets.tolist() == [0, 3, 3, 3, 4]
    assert profile.bin.tolist() == levels
    assert [column.tolist() for column in profile.of(0)] == [levels[:3], [1, 0, 4], [0, 2, 0]]
    assert [column.tolist() for column in profile.of(1)] == [[], [], []]
    assert profile.of(3)[1].tolist() == [16]
    np.testing.assert_allclose(profile.price, [100, 100.01, 103, 101], rtol=0.6e-4)
    assert profile.price[0] == math.exp((levels[0] + 0.5) * profile.width)


def test_the_profile_is_that_of_volume_at_price():
    rows = volume_at_price(TRADES, "1m", 5, parts=5)
    profile = market(trades=TRADES).volume_profile
    for name in ("bin", "buy", "sell", "price"):
        assert getattr(profile, name).tolist() == rows[name].to_list()


def test_the_profile_is_read_only():
    profile = market(trades=TRADES).volume_profile
    for name in ("offsets", "bin", "buy", "sell"):
        with pytest.raises(ValueError, match=r"read-only"):
            getattr(profile, name)[0] = 0


def test_trades_outside_of_the_bars_are_left_out():
    made = market(bars=bars(1, 2, 3), trades=trades_of((59, 1, 1, "buy"), (60, 1, 2, "buy"), (239, 1, 4, "buy"), (240, 1, 8, "buy")))
    assert made.volume_profile.totals.tolist() == [[2, 0], [0, 0], [4, 0]]


def test_bars_on_a_grid_of_their_own():
    shifted = bars(0, 1).with_columns(pl.col("timestamp").dt.offset_by("20s"))
    made = market(bars=shifted, trades=trades_of((19, 1, 1, "buy"), (20, 1, 2, "buy"), (79, 1, 4, "buy"), (80, 1, 8, "buy")))
    assert made.volume_profile.totals.tolist() == [[6, 0], [8, 0]]


def test_bars_without_a_recorded_trade_are_told():
    made = market(bars=bars(0, 1, 2, 3), trades=TRADES)
    [found] = made.findings
    assert (found.code, found.count, found.first) == ("trades_missing", 2, START_NS + MINUTE)
    silent = market(bars=bars(0, 1, 2, 3, volume=0.0), trades=TRADES)
    assert "trades_missing" not in [one.code for one in silent.findings]


def test_trades_of_another_time_give_no_profile():
    made = market(bars=bars(10, 11), trades=TRADES)
    assert made.volume_profile is None
    assert [(one.code, one.count) for one in made.findings] == [("trades_missing", 2)]


def test_trades_that_came_too_late_are_left_out_and_told():
    trades = trades_of((1, 100, 1, "buy"), (2, 500, 2, "buy"), (61, 100, 4, "buy"), known=(69, 70.5, 61))
    made = market(trades=trades)
    assert made.high.tolist() == [100, 100]
    assert made.volume.tolist() == [1, 4]
    assert made.volume_profile.totals[:, 0].tolist() == [1, 4]
    [late] = [one for one in made.findings if one.code == "late_trades"]
    assert (late.severity, late.count, late.first) == ("warning", 1, START_NS)
    beside = market(bars=bars(1, 2), trades=trades)
    assert "late_trades" not in [one.code for one in beside.findings]  # of no bar of this market


def test_no_trade_in_time_makes_no_bar():
    with pytest.raises(DataError, match=r"trades: none of them can make a bar"):
        market(trades=trades_of((1, 100, 1, "buy"), known=(100,)))
    with pytest.raises(DataError, match=r"trades: none of them can make a bar"):
        market(trades=[])


@pytest.mark.parametrize("given", [TRADES.lazy(), ["trades.csv"], 5])
def test_what_is_no_table_of_trades(given):
    with pytest.raises(DataError, match=r"trades: expected a pandas or polars DataFrame, got (LazyFrame|str|int)"):
        market(trades=given)


def test_findings_of_the_caller_come_first():
    told = Finding(code="told", severity="warning", count=1, message="before")
    assert [one.code for one in market(bars=bars(0, 2), findings=(told,)).findings] == ["told", "gap"]


def test_pandas_trades_give_the_same_market():
    one, two = market(trades=TRADES), market(trades=TRADES.to_pandas())
    assert one.to_frame().equals(two.to_frame())


def test_to_frame_and_repr():
    made = market(trades=TRADES)
    frame = made.to_frame()
    assert frame.columns.tolist() == [
        "open", "high", "low", "close", "volume", "observed", "taker_buy_volume", "profile_buy", "profile_sell",
    ]  # fmt: skip
    assert frame["profile_sell"].tolist() == [2, 0, 0, 8]
    assert "with volume_profile)" in repr(made)


def test_wider_bins():
    prices = np.exp(np.random.default_rng(2).uniform(4.5, 4.6, 400))
    trades = trades_of(*((i, price, 1 + i % 3, "buy" if i % 2 else "sell") for i, price in enumerate(prices)))
    profile = market(trades=trades).volume_profile
    wide = profile.in_bins(5)
    exact = VolumeProfile(
        width=bin_width(5), offsets=wide.offsets, **{n: volume_at_price(trades, "1m", 5)[n].to_numpy() for n in ("bin", "buy", "sell")}
    )
    assert wide.width == exact.width
    assert wide.bin.tolist() == exact.bin.tolist()
    np.testing.assert_allclose(wide.buy, exact.buy, rtol=1e-15)
    np.testing.assert_allclose(wide.sell, exact.sell, rtol=1e-15)
    np.testing.assert_allclose(wide.totals, profile.totals, rtol=1e-15)
    for bar in range(profile.n_bars):
        inside = prices[60 * bar : 60 * (bar + 1)]
        grid = PriceGrid(width=wide.width, origin=0, edges=np.ones(2))
        assert wide.of(bar)[0].tolist() == sorted(set(grid.bin_of(inside).tolist()))
    same = profile.in_bins(math.expm1(profile.width) * 1e4)
    assert same.bin.tolist() == profile.bin.tolist()


def test_wider_bins_of_bars_without_trades():
    profile = market(trades=TRADES).volume_profile
    wide = profile.in_bins(100)
    # 100 to 100.01 share bin 462 of 1 %, 103 lies in 465, 101 in 463
    assert [wide.of(bar)[0].tolist() for bar in range(4)] == [[462, 465], [], [], [463]]
    assert wide.of(0)[2].tolist() == [2, 0]


def test_wider_bins_stay_in_their_bar():
    profile = market(trades=trades_of((0, 100, 1, "buy"), (60, 100.01, 2, "buy"), (61, 100, 4, "buy"))).volume_profile
    wide = profile.in_bins(100)
    assert wide.offsets.tolist() == [0, 1, 2]
    assert wide.buy.tolist() == [1, 6]


def test_narrower_bins_are_refused():
    with pytest.raises(ConfigError, match=r"bin_bps: 0.5 is narrower than the profile's own bins of 0.9998"):
        market(trades=TRADES).volume_profile.in_bins(0.5)


SOME = (0.1, 0.2, 0.7, 3.3)


@settings(max_examples=60, deadline=None)
@given(
    rows=random_trades(delays=(0, 0.1, 5), amounts=SOME),
    cuts=st.lists(st.integers(0, 60), max_size=4),
    interval=st.sampled_from(["1s", "1m", "5m"]),
)
def test_days_give_the_same_market_as_the_whole(rows, cuts, interval):
    whole, days = market(interval, trades=rows), market(interval, trades=iter(cut_at(rows, cuts)))
    assert whole.to_frame().equals(days.to_frame())
    assert whole.findings == days.findings
    for one, other in zip(profile_columns(whole, whole.n_bars), profile_columns(days, whole.n_bars), strict=True):
        np.testing.assert_array_equal(one, other)


@settings(max_examples=150, deadline=None)
@given(rows=random_trades(amounts=SOME), seed=st.one_of(st.none(), st.integers(0, 2**32 - 1)), recorded=st.booleans(), data=st.data())
def test_what_became_known_after_a_close_never_changes_its_bar(rows, seed, recorded, data):
    """Scrambled or cut off, trades after a bar, or known later than its close allows, leave it as it was, bit for bit."""
    rows = pl.concat([trades_of((0, 100, 1, "buy")), rows])  # known at once, so that the first bar is always there
    stamps, known = (rows[name].to_physical().to_numpy() for name in ("timestamp", "available_at"))
    last = int(stamps[-1] - START_NS) // MINUTE
    tables = {"bars": bars(*range(last + 1))} if recorded else {}
    before = market(trades=rows, **tables)
    cut = data.draw(st.integers(0, before.n_bars - 1))
    close = START_NS + (cut + 1) * MINUTE
    future = (stamps >= close) | (known > close + LATE_NS)
    if seed is None:
        changed = rows.filter(pl.Series(~future))
    else:
        noise = np.where(future, np.random.default_rng(seed).lognormal(0, 1, rows.height), 1.0)
        changed = rows.with_columns(price=pl.col("price") * noise, amount=pl.col("amount") * noise)
    after = market(trades=changed, **tables)
    until = min(cut + 1, after.n_bars)  # without later trades the last bars may be missing: they held the price, and no trade
    for one, other in zip(profile_columns(before, until), profile_columns(after, until), strict=True):
        np.testing.assert_array_equal(one, other)
    for name in ARRAYS:
        if getattr(before, name) is not None:
            np.testing.assert_array_equal(getattr(before, name)[:until], getattr(after, name)[:until], err_msg=name)
    assert not before.observed[until : cut + 1].any() or recorded


def profile_columns(made, until):
    profile = made.volume_profile
    rows = int(profile.offsets[until])
    return [profile.offsets[: until + 1], profile.bin[:rows], profile.buy[:rows], profile.sell[:rows]]

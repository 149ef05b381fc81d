"""Volume at price: hand-worked, equal to the oracle, conserving, and the same bits however the trades are cut."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_trades import reference_profile
from trading import NS, START_NS, as_tuples, cut_at, random_trades, trades_of

from liqbt._time import parse_interval
from liqbt.book.state import PriceGrid
from liqbt.data.aggregate import (
    LATE_NS,
    VolumeProfileBuilder,
    bars_from_trades,
    bin_width,
    volume_at_price,
    volume_at_price_from_batches,
)
from liqbt.errors import ConfigError, DataError


def test_by_hand():
    # Bins of 1 % begin at 1.01 ** i: 100 lies in bin 462 (99.25 to 100.24), 101 in 463, 102 in 464.
    trades = trades_of((0, 100, 1, "buy"), (1, 101, 2, "sell"), (2, 100.1, 4, "sell"), (3, 102, 0, "buy"), (61, 102, 8, "buy"))
    rows = volume_at_price(trades, "1m", 100)
    assert rows.columns == ["timestamp", "available_at", "bin", "price", "buy", "sell"]
    assert rows.select("bin", "buy", "sell").rows() == [(462, 1, 4), (463, 0, 2), (464, 8, 0)]
    assert rows["timestamp"].to_physical().to_list() == [START_NS, START_NS, START_NS + 60 * NS]
    assert rows["available_at"].to_physical().to_list() == [START_NS + 60 * NS, START_NS + 60 * NS, START_NS + 120 * NS]
    np.testing.assert_allclose(rows["price"].to_numpy(), [1.01**462.5, 1.01**463.5, 1.01**464.5], rtol=1e-12)


def test_bins_are_those_of_the_book():
    prices = np.exp(np.random.default_rng(1).uniform(-9, 12, 500))
    trades = trades_of(*((i, price, 1, "buy") for i, price in enumerate(prices)))
    width = math.log1p(5e-4)
    book = PriceGrid(width=width, origin=0, edges=np.ones(2)).bin_of(prices)
    assert bin_width(5) == width
    assert sorted(volume_at_price(trades, "1d", 5)["bin"].to_list()) == sorted(set(book.tolist()))
    fine = volume_at_price(trades, "1d", 5, parts=5)["bin"].to_numpy()
    assert sorted(set((fine // 5).tolist())) == sorted(set(book.tolist()))
    assert len(fine) > 495


def test_a_price_that_drifts_far():
    """The window of bins moves and keeps what it holds."""
    prices = [1.0, 1e6, 1e-6, 1.0, 3e-6]
    trades = trades_of(*((i, price, i + 1, "buy") for i, price in enumerate(prices)))
    found = volume_at_price_from_batches(cut_at(trades, [1, 2, 3, 4]), "1m", 10)
    assert found.equals(volume_at_price(trades, "1m", 10))
    assert found["buy"].to_list() == [3, 5, 1 + 4, 2]


def test_prices_of_no_market():
    trades = trades_of((0, 1e-300, 1, "buy"), (0, 1e300, 1, "buy"))
    with pytest.raises(DataError, match=r"prices from 1e-300 to 1e\+300 are too far apart for one market"):
        volume_at_price(trades, "1m", 1)


def test_wide_bars_need_more_rows_than_one_call_writes():
    prices = np.exp(np.linspace(0, 10, 80_000))
    stamps = pl.Series(np.full(prices.size, START_NS)).cast(pl.Datetime("ns", "UTC"))
    one = pl.DataFrame({"timestamp": stamps, "price": prices, "amount": 1.0, "side": "sell"})
    two = pl.concat([one, one.with_columns(pl.col("timestamp").dt.offset_by("1m"))])
    rows = volume_at_price(two, "1m", 1)
    assert rows.group_by("timestamp").agg(pl.col("sell").sum())["sell"].to_list() == [80_000, 80_000]
    assert rows.height == 2 * len(np.unique(np.floor(np.log(prices) / bin_width(1))))


def test_more_bars_than_one_call_writes():
    count = 70_000
    stamps = pl.Series(START_NS + NS * np.arange(count)).cast(pl.Datetime("ns", "UTC"))
    trades = pl.DataFrame({"timestamp": stamps, "price": 7.0, "amount": 1.0 + np.arange(count) % 5, "side": "sell"})
    rows = volume_at_price(trades, "1s", 1)
    assert rows["timestamp"].equals(stamps.alias("timestamp"))
    assert rows["sell"].to_list() == trades["amount"].to_list()


def test_only_whole_bars_of_the_span():
    trades = trades_of(*((10 * i, 100 + i, 1, "buy") for i in range(30)))
    whole = volume_at_price(trades, "1m", 1)
    part = volume_at_price(trades, "1m", 1, start_ns=START_NS + 60 * NS, end_ns=START_NS + 180 * NS)
    assert part.equals(whole.filter(pl.col("timestamp").is_in(whole["timestamp"].unique().sort()[1:3].implode())))
    assert part.height == 12


def test_bars_on_a_grid_of_their_own():
    builder = VolumeProfileBuilder("1m", anchor_ns=START_NS + 20 * NS)
    rows = pl.concat([builder.add(trades_of((19, 1, 1, "buy"), (20, 1, 2, "buy"), (79, 1, 4, "buy"), (80, 1, 8, "buy"))), builder.finish()])
    assert rows["timestamp"].to_physical().to_list() == [START_NS + one * NS for one in (-40, 20, 80)]
    assert rows["buy"].to_list() == [1, 6, 8]


def test_nothing_gives_nothing():
    assert volume_at_price_from_batches([], "1m").height == 0
    builder = VolumeProfileBuilder("1m")
    assert builder.finish().height == 0
    builder.add(trades_of((0, 1, 1, "buy")))
    assert (builder.finish().height, builder.finish().height) == (1, 0)


@settings(max_examples=100, deadline=None)
@given(rows=random_trades(), interval=st.sampled_from(["1s", "1m", "1w"]), bins=st.sampled_from([(1, 1), (5, 1), (5, 5), (100, 1)]))
def test_equals_the_oracle(rows, interval, bins):
    anchor = 4 * 86_400 * NS if interval == "1w" else 0
    expected = reference_profile(as_tuples(rows), parse_interval(interval), bin_width(*bins), anchor=anchor, late=LATE_NS)
    found = volume_at_price(rows, interval, bins[0], parts=bins[1]).with_columns(pl.col("timestamp", "available_at").to_physical())
    assert found.select("timestamp", "available_at", "bin").rows() == [row[:3] for row in expected]
    if expected:
        np.testing.assert_allclose(found.select("buy", "sell").to_numpy(), [row[3:] for row in expected], rtol=4e-16, atol=0)


@settings(max_examples=100, deadline=None)
@given(rows=random_trades(), cuts=st.lists(st.integers(0, 60), max_size=6), interval=st.sampled_from(["1s", "10s", "1m", "1h"]))
def test_batches_give_the_same_bits_as_the_whole(rows, cuts, interval):
    assert volume_at_price_from_batches(cut_at(rows, cuts), interval, 5).equals(volume_at_price(rows, interval, 5))


@settings(max_examples=100, deadline=None)
@given(rows=random_trades(), interval=st.sampled_from(["1s", "1m", "1h"]))
def test_bins_sum_to_the_volume_of_the_bar(rows, interval):
    bars = bars_from_trades(rows, interval).filter(pl.col("volume") > 0)
    sums = volume_at_price(rows, interval).group_by("timestamp", maintain_order=True).agg(pl.col("buy", "sell").sum())
    assert sums["timestamp"].equals(bars["timestamp"])
    np.testing.assert_allclose((sums["buy"] + sums["sell"]).to_numpy(), bars["volume"].to_numpy(), rtol=1e-12)
    np.testing.assert_allclose(sums["buy"].to_numpy(), bars["taker_buy_volume"].to_numpy(), rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bin_bps": 0.05}, r"bin_bps: 0.05 must be between 0.1 and 100 basis points"),
        ({"bin_bps": float("nan")}, r"bin_bps: nan must be"),
        ({"parts": 0}, r"parts: 0 must be a whole number from 1 to 100"),
        ({"parts": 2.5}, r"parts: 2.5 must be"),
    ],
)
def test_bad_bins(arguments, message):
    with pytest.raises(ConfigError, match=message):
        volume_at_price(trades_of((0, 1, 1, "buy")), "1m", **arguments)

"""Bars, profile and depth of a recorded market: Hyperliquid's DOGE, three days of trades and two of order books."""

from __future__ import annotations

import gzip

import numpy as np
import polars as pl
import pytest

from liqbt.data.aggregate import (
    DISTANCES,
    DepthSampler,
    bars_from_batches,
    bars_from_trades,
    depth_from_levels,
    resample_bars,
    volume_at_price,
)
from liqbt.data.validation import CLOCK, canonical
from liqbt.market import MarketFrame

pytestmark = pytest.mark.recorded


def lines(recorded, name):
    files = sorted((recorded / "hyperliquid_doge").glob(f"{name}_*.jsonl.gz"))
    return [pl.read_ndjson(gzip.decompress(file.read_bytes())) for file in files]


@pytest.fixture(scope="module")
def days(recorded):
    clock = (pl.col("ts") * 1_000_000).cast(CLOCK)
    side = pl.col("side").replace_strict({"B": "buy", "A": "sell"})
    return [
        canonical(day.select(timestamp=clock, price="px", amount="sz", side=side), "trades", source="x")
        for day in lines(recorded, "trades")
    ]


@pytest.fixture(scope="module")
def books(recorded):
    return pl.concat(lines(recorded, "l2")).unique("ts", keep="last", maintain_order=True)


def levels(books, side, place):
    return books[side].list.eval(pl.element().list.get(place))


def test_bars_are_those_of_another_library(days):
    trades = pl.concat(days)
    bars = bars_from_batches(days, "1m")
    assert bars.equals(bars_from_trades(trades, "1m"))
    prices = {
        name: getattr(pl.col("price"), how)() for name, how in (("open", "first"), ("high", "max"), ("low", "min"), ("close", "last"))
    }
    bought = pl.col("amount").filter(pl.col("side") == "buy").sum()
    other = trades.group_by_dynamic("timestamp", every="1m").agg(
        **prices, volume=pl.col("amount").sum(), taker_buy_volume=bought, trade_count=pl.len().cast(pl.Int64)
    )
    assert bars.height == 4188
    for name in other.columns:  # amounts are whole coins, so that sums are exact in any order
        assert bars[name].equals(other[name]), name


def test_an_hour_is_its_minutes(days):
    trades = pl.concat(days)
    made = resample_bars(bars_from_trades(trades, "1m"), "1h", source_interval="1m")
    direct = bars_from_trades(trades, "1h")
    assert made.rows.drop("quote_volume").equals(direct.drop("quote_volume"))
    np.testing.assert_allclose(made.rows["quote_volume"].to_numpy(), direct["quote_volume"].to_numpy(), rtol=1e-15)


def test_the_profile_sums_to_the_bars(days):
    trades = pl.concat(days)
    sums = volume_at_price(trades, "5m").group_by("timestamp", maintain_order=True).agg(pl.col("buy", "sell").sum())
    bars = bars_from_trades(trades, "5m")
    assert (sums["buy"] + sums["sell"]).equals(bars["volume"].alias("buy"))
    assert sums["buy"].equals(bars["taker_buy_volume"].alias("buy"))


def test_levels_and_updates_give_the_same_depth(books):
    at = books["ts"].to_numpy() * 1_000_000
    depth = depth_from_levels(
        at, **{f"{side[:-1]}_{name}": levels(books, side, k) for side in ("bids", "asks") for k, name in enumerate(("price", "amount"))}
    )
    assert (depth.empty, depth.crossed) == (0, 0)
    assert depth.rows["distance"].max() < max(DISTANCES)  # twenty levels do not reach far
    flat = pl.concat(
        books.select((pl.col("ts") * 1_000_000).alias("ts"), level=side, bid=pl.lit(side == "bids")).explode("level")
        for side in ("bids", "asks")
    ).sort("ts", maintain_order=True)
    sampler = DepthSampler(every_ns=1_000_000)
    columns = [flat["bid"].to_numpy(), *(flat["level"].list.get(k).to_numpy() for k in range(2))]
    pieces = [
        sampler.add(flat["ts"].to_numpy()[part], np.ones(part.stop - part.start, dtype=bool), *(column[part] for column in columns))
        for part in (slice(0, 1_000_003), slice(1_000_003, flat.height))
    ]
    assert pl.concat([*pieces, sampler.finish()]).equals(depth.rows)


def test_a_market_of_trades_and_books(days, books):
    depth = depth_from_levels(
        books["ts"].to_numpy() * 1_000_000,
        **{f"{side[:-1]}_{name}": levels(books, side, k) for side in ("bids", "asks") for k, name in enumerate(("price", "amount"))},
    )
    market = MarketFrame.from_frames(trades=days, depth=depth.rows, venue="hyperliquid", symbol="DOGE", interval="5m")
    assert market.n_bars == 864
    np.testing.assert_array_equal(market.volume_profile.totals.sum(axis=1), market.volume)
    assert [(one.code, one.count) for one in market.findings] == [("bars_from_trades", 864), ("depth_stale", 287)]
    assert np.isnan(market.depth_bid[:287]).all()  # books begin a day after the trades
    assert (market.depth_bid[288:, 0] > 0).mean() > 0.9

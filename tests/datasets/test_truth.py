"""What no venue publishes: the true map and the live positions."""

from __future__ import annotations

import math
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from liqbt import margin
from liqbt.book.params import BookParams
from liqbt.book.reconstruct import reconstruct
from liqbt.datasets import SyntheticParams, simulate
from liqbt.errors import ConfigError

DAY = SyntheticParams.preset("null", days=1, seed=7, truth_every="15m", median_notional=20_000.0, top_up_share=0.2)


@pytest.fixture(scope="module")
def market():
    return simulate(DAY)


def test_the_last_snapshot_is_that_of_the_live_positions(market):
    heat, live = market.truth.heat, market.truth.live
    assert heat.timestamp[-1] == market.bars["available_at"].to_physical()[-1]
    final = live.filter(pl.col("final_price").is_between(10.0, 400.0))  # what lies beyond is in no bin
    assert final.height > 0.98 * live["final_price"].is_not_null().sum()
    edges = heat.edges(float(final["final_price"].min()), float(final["final_price"].max()))
    found = heat.intensity(edges, heat.timestamp[-1:])[0]
    for side, name in enumerate(("long", "short")):
        some = final.filter(pl.col("side") == name)
        place = np.floor(np.log(some["final_price"].to_numpy()) / heat.width).astype(int) - round(math.log(edges[0]) / heat.width)
        np.testing.assert_allclose(found[side], np.bincount(place, weights=some["amount"].to_numpy(), minlength=edges.size - 1), atol=1e-9)
    np.testing.assert_allclose(heat.total[-1], found.sum(axis=1), rtol=0.02)


def test_live_positions_keep_to_the_venues_rules(market):
    live, tiers = market.truth.live, DAY.tiers
    assert (live["opened_at"] <= market.bars["available_at"][-1]).all()
    mark = market.mark["close"][-1]
    assert live.height > 3_000
    for row in live.iter_rows(named=True):
        notional = row["amount"] * row["entry_price"]
        assert row["leverage"] <= margin.max_leverage(tiers, notional)
        price = row["liquidation_price"]
        expected = margin.liquidation_price(
            side=row["side"], entry_price=row["entry_price"], amount=row["amount"], margin=row["margin"], tiers=tiers
        )
        assert (price or 0.0) == pytest.approx(expected, rel=1e-9)
        away = 1 if row["side"] == "short" else -1
        levels = [row[name] for name in ("liquidation_price", "stop_price", "top_up_price") if row[name] is not None]
        assert all((level - mark) * away > 0 for level in levels)  # nothing that was reached is left
        # what comes before what
        assert row["stop_price"] is None or row["final_price"] is None
        if row["stop_price"] is not None and price is not None:
            assert (price - row["stop_price"]) * away > 0
        if row["top_up_price"] is not None:
            assert (price - row["top_up_price"]) * away > 0
            assert row["final_price"] is None or (row["final_price"] - price) * away > 0
    own = live["margin"] * live["leverage"] / (live["amount"] * live["entry_price"])
    kinds = live.with_columns(own=own)
    plain = kinds.filter(~pl.col("cross"))
    assert ((plain["own"] - 1).abs() < 1e-9).mean() > 0.9  # the rest has topped up, which doubles it
    assert (((plain["own"] - 1).abs() < 1e-9) | ((plain["own"] - 2).abs() < 1e-9)).all()
    assert kinds.filter("cross")["own"].mean() == pytest.approx(1 + DAY.cross_margin, rel=0.1)
    for name, share in (("stop_price", DAY.stop_share), ("top_up_price", DAY.top_up_share)):
        assert 0.5 * share < live[name].is_not_null().mean() < 1.5 * share


def test_brackets_take_leverage_from_large_positions(market):
    entries = market.truth.entries.sum(axis=0) / market.truth.entries.sum()
    assert entries[-1] < 0.75 * DAY.weights[-1]  # a fifth of the positions are above the 50,000 up to which 100x is allowed
    assert entries[-2] > DAY.weights[-2]  # and go on with the next lower leverage of the mix


def test_intensity_on_a_reconstructed_map(market):
    """The true map has the grid of a book of the same bins, and whole groups of bins add up."""
    heat = market.truth.heat
    book = reconstruct(market.to_market(), params=BookParams(bin_bps=DAY.truth_bin_bps))
    fine, coarse = book.heatmap("15m"), book.heatmap("1h", bin_bps=20.0)
    true = heat.intensity(fine.price_edges, fine.timestamp)
    assert true.shape == fine.intensity.shape
    assert not true[:, 0][:, fine.price > market.mark["high"].max()].any()
    grouped = heat.intensity(coarse.price_edges, coarse.timestamp)
    assert grouped.shape == coarse.intensity.shape
    row = int(np.searchsorted(fine.timestamp, coarse.timestamp[3]))
    edge = np.searchsorted(fine.price_edges, coarse.price_edges[[5, 6]] * (1 - 1e-9))
    assert grouped[3, :, 5] == pytest.approx(true[row][:, edge[0] : edge[1]].sum(axis=1))
    assert grouped.sum() > 0


def test_snapshots_are_where_a_heatmap_has_them():
    params = SyntheticParams(days=1, warmup_days=1, interval="1h", steps_per_bar=4, start="2025-01-01T01:00", truth_every="6h")
    heat = simulate(params).truth.heat
    assert (heat.timestamp % (6 * 3_600_000_000_000) == 0).all()
    assert heat.timestamp.size == 4
    assert heat.offsets.size == 9
    assert heat.total.shape == (4, 2)


def test_what_is_asked_for_must_be_there(market):
    heat = market.truth.heat
    edges = heat.edges(90.0, 110.0)
    assert edges[0] <= 90.0 < edges[1]
    assert edges[-2] <= 110.0 < edges[-1]
    with pytest.raises(ConfigError, match=r"no snapshot of 2025-01-01 00:01:00; simulate with a truth_every"):
        heat.intensity(edges, heat.timestamp[:1] - 14 * 60_000_000_000)
    for wrong in (edges[:1], edges[::-1], edges * 1.0001, np.array([])):
        with pytest.raises(ConfigError, match="price_edges"):
            heat.intensity(wrong)
    with pytest.raises(ConfigError, match=r"low: 3.0 must be above 0 and below high 2.0"):
        heat.edges(3.0, 2.0)


def test_truth_is_read_only(market):
    for array in (market.truth.liquidated, market.truth.entries, market.truth.heat.amount):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_bursts_are_large_sums_of_liquidations():
    params = SyntheticParams.preset("null", days=5, seed=1, burst_depth_share=0.02)
    market = simulate(params)
    bursts = market.truth.bursts
    assert bursts.height > 10
    assert (bursts["notional"] >= 0.02 * params.depth_notional).all()
    # what was liquidated within three half-lives is most of it
    events = market.liquidations
    for row in bursts.head(10).iter_rows(named=True):
        some = events.filter(
            (pl.col("side") == row["side"])
            & (pl.col("timestamp") <= row["timestamp"])
            & (pl.col("timestamp") > row["timestamp"] - timedelta(minutes=15))
        )
        assert (some["amount"] * some["price"]).sum() > 0.8 * row["notional"]

"""The synthetic market: reproducible, canonical, and in agreement with its own truth."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest

from liqbt import margin
from liqbt._typing import LONG, SHORT
from liqbt.data.validation import canonical
from liqbt.datasets import SyntheticMarket, SyntheticParams, simulate
from liqbt.datasets._kernels import CLOSED, LIQUIDATED, LIVE, autoregress, settle
from liqbt.datasets._price import draw_path
from liqbt.datasets._tables import table_sha256
from liqbt.errors import ConfigError

WEEK = SyntheticParams(days=7, seed=1)


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return simulate(WEEK)


@pytest.fixture(scope="module")
def month() -> SyntheticMarket:
    return simulate(SyntheticParams(days=30, seed=2))


def hashes(market: SyntheticMarket) -> dict[str, str]:
    return {name: table_sha256(table) for name, table in market.tables.items()} | {"live": table_sha256(market.truth.live)}


def test_same_seed_same_bytes(market: SyntheticMarket) -> None:
    np.random.seed(99)  # noqa: NPY002 - the legacy global state must not matter
    again = simulate(SyntheticParams(days=7, seed=1))
    assert hashes(again) == hashes(market)
    assert again.truth.liquidated.tobytes() == market.truth.liquidated.tobytes()
    assert simulate(pickle.loads(pickle.dumps(WEEK))).bars.equals(market.bars)  # noqa: S301 - our own bytes


def test_different_seed_differs_everywhere(market: SyntheticMarket) -> None:
    other = hashes(simulate(SyntheticParams(days=7, seed=2)))
    assert all(other[name] != value for name, value in hashes(market).items())


def test_traders_do_not_move_price(market: SyntheticMarket) -> None:
    other = simulate(SyntheticParams(days=7, seed=1, leverage_mix={20: 1.0}, arrivals_per_hour=50))
    assert other.bars.select("open", "high", "low", "close").equals(market.bars.select("open", "high", "low", "close"))
    assert not other.bars["volume"].equals(market.bars["volume"])


def test_tables_are_canonical(market: SyntheticMarket) -> None:
    for name, table in market.tables.items():
        assert canonical(table, name, source=name, interval="5m").equals(table)
    assert market.bars.height == market.open_interest.height == market.liquidation_totals.height == 7 * 288
    assert market.open_interest["timestamp"].equals(market.bars["available_at"].alias("timestamp"))
    assert market.funding["timestamp"].dt.hour().unique().sort().to_list() == [0, 8, 16]
    assert market.funding.height == 21
    assert market.funding["funding_rate"].abs().max() <= 0.0075
    assert market.depth.height == 7 * 96 * 12


def test_bars_are_consistent(market: SyntheticMarket) -> None:
    bars = market.bars
    assert bars["open"][1:].equals(bars["close"][:-1].alias("open"))
    assert bars["open"][0] == WEEK.initial_price
    assert (bars["taker_buy_volume"] <= bars["volume"]).all()
    mean_price = bars["quote_volume"] / bars["volume"]
    assert ((mean_price >= bars["low"] * (1 - 1e-9)) & (mean_price <= bars["high"] * (1 + 1e-9))).all()


def test_depth_is_cumulative(market: SyntheticMarket) -> None:
    amount = market.depth["amount"].to_numpy().reshape(-1, 2, 6)
    assert (np.diff(amount, axis=2) > 0).all()
    per_coin = market.depth.with_columns(level=pl.col("notional") / pl.col("amount"))
    assert per_coin.filter(pl.col("side") == "bid")["level"].mean() < per_coin.filter(pl.col("side") == "ask")["level"].mean()


def test_liquidations_agree_with_totals_and_truth(market: SyntheticMarket) -> None:
    step = WEEK.interval_ns
    bar = (market.liquidations["timestamp"].to_physical().to_numpy() - WEEK.start_ns) // step
    amount, side = market.liquidations["amount"].to_numpy(), market.liquidations["side"].to_numpy()
    for index, name in enumerate(("long", "short")):
        summed = np.bincount(bar, weights=np.where(side == name, amount, 0.0), minlength=WEEK.n_bars)
        total = market.liquidation_totals[name].to_numpy()
        np.testing.assert_allclose(summed, total, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(market.truth.liquidated[:, index].sum(axis=1), total, rtol=1e-9, atol=1e-9)
    assert amount.sum() > 0


def test_liquidation_prices_were_reached(market: SyntheticMarket) -> None:
    events, bars = market.liquidations, market.bars
    bar = (events["timestamp"].to_physical().to_numpy() - WEEK.start_ns) // WEEK.interval_ns
    price = events["price"].to_numpy()
    assert (price >= bars["low"].to_numpy()[bar]).all()
    assert (price <= bars["high"].to_numpy()[bar]).all()
    is_long = events["side"].to_numpy() == "long"
    bankrupt = events["bankruptcy_price"].to_numpy()
    assert (bankrupt[is_long] < price[is_long]).all()
    assert (bankrupt[~is_long] > price[~is_long]).all()


def test_open_interest_reconciles_with_positions(market: SyntheticMarket) -> None:
    truth = market.truth
    change = (truth.opened - truth.closed - truth.liquidated).sum(axis=2)
    np.testing.assert_allclose(np.diff(truth.crowd, axis=0), change[1:], atol=1e-6)
    np.testing.assert_allclose(np.diff(truth.holders, axis=0), (change + truth.hedged_opened - truth.hedged_closed)[1:], atol=1e-6)
    live = truth.live.group_by("side").agg(pl.col("amount").sum()).sort("side")["amount"].to_numpy()
    np.testing.assert_allclose(truth.crowd[-1], live, rtol=1e-9)
    open_interest = market.open_interest["open_interest"].to_numpy()
    np.testing.assert_array_equal(open_interest, truth.holders.max(axis=1))
    volume = market.bars["volume"].to_numpy()
    orders = (truth.opened + truth.closed + truth.liquidated).sum(axis=(1, 2)) + (truth.hedged_opened + truth.hedged_closed).sum(axis=1)
    assert (volume >= orders - 1e-6).all()
    assert (volume[1:] >= np.abs(np.diff(open_interest)) - 1e-6).all()


def test_higher_leverage_is_liquidated_more(month: SyntheticMarket) -> None:
    share = month.truth.liquidated.sum(axis=(0, 1)) / month.truth.opened.sum(axis=(0, 1))
    assert (np.diff(share) > 0).all()


def test_entries_follow_the_mix(month: SyntheticMarket) -> None:
    truth = month.truth
    count = truth.entries.sum()
    error = np.sqrt(truth.weights * (1 - truth.weights) / count)  # of a binomial share; five of them, six shares: p < 4e-6
    assert count > 100_000
    assert (np.abs(truth.entries.sum(axis=0) / count - truth.weights) < 5 * error).all()


def test_live_positions_are_not_beyond_their_liquidation_price(market: SyntheticMarket) -> None:
    close = market.bars["close"][-1]
    live = market.truth.live
    assert (live.filter(pl.col("side") == "long")["liquidation_price"] < close).all()
    assert (live.filter(pl.col("side") == "short")["liquidation_price"] > close).all()
    assert (live["opened_at"] <= market.bars["available_at"][-1]).all()
    for row in live.sample(20, seed=0).iter_rows(named=True):
        expected = margin.liquidation_price(
            side=row["side"], entry_price=row["entry_price"], amount=row["amount"], leverage=row["leverage"], tiers=margin.GENERIC_TIERS
        )
        assert row["liquidation_price"] == pytest.approx(expected, rel=1e-12)


def test_returns_look_like_a_market_and_are_not_predictable(month: SyntheticMarket) -> None:
    returns = np.diff(np.log(month.bars["close"].to_numpy()))
    scaled = returns / returns.std()
    assert (scaled**4).mean() > 3.5
    assert 0.45 < returns.std() * np.sqrt(365 * 288) < 1.1
    for lag in (1, 2, 12):
        # heteroskedasticity-robust standard error of an autocorrelation at zero (Taylor 1984); four of them
        product = scaled[lag:] * scaled[:-lag]
        assert abs(product.sum()) < 4 * np.sqrt((product**2).sum())
    absolute = np.abs(scaled)
    assert np.corrcoef(absolute[12:], absolute[:-12])[0, 1] > 0.05  # volatility clusters


def test_price_is_a_martingale() -> None:
    # mean of the final price over seeds, within four standard errors of where it began
    ends = [
        draw_path(SyntheticParams(days=30, warmup_days=1, interval="1h", steps_per_bar=5), np.random.default_rng(seed)).price[-1]
        for seed in range(300)
    ]
    assert abs(np.mean(ends) - 100.0) < 4 * np.std(ends) / np.sqrt(len(ends))


def test_scales_are_those_of_a_mid_size_perpetual(month: SyntheticMarket) -> None:
    volume = month.bars["volume"].to_numpy().reshape(-1, 288).sum(axis=1)
    open_interest = month.open_interest["open_interest"].to_numpy().reshape(-1, 288).mean(axis=1)
    liquidated = (month.liquidation_totals["long"] + month.liquidation_totals["short"]).sum()
    assert 2 < np.median(volume / open_interest) < 7
    assert 0.005 < liquidated / volume.sum() < 0.05


def naive_fates(price, opened_at, due_at, is_long, liquidation_price):
    """Each position on its own, by looking along the path."""
    fates, ends = [], []
    for start, due, long, level in zip(opened_at, due_at, is_long, liquidation_price, strict=True):
        fate, end = LIVE, 0
        for step in range(start + 1, price.size):
            if (price[step] <= level) if long else (price[step] >= level):
                fate, end = LIQUIDATED, step
                break
            if step >= due:
                fate, end = CLOSED, step
                break
        fates.append(fate)
        ends.append(end)
    return np.array(fates), np.array(ends)


@pytest.mark.parametrize("seed", range(20))
def test_settle_matches_the_naive_oracle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    price = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 201))), 1)  # coarse, so that levels are met exactly
    opened_at = np.sort(rng.integers(1, 201, 300))
    due_at = opened_at + rng.integers(1, 120, 300)
    is_long = rng.random(300) < 0.5
    level = np.round(price[opened_at] * np.where(is_long, 0.97, 1.03), 1)
    fate, ended_at = np.zeros(300, dtype=np.int8), np.zeros(300, dtype=np.int64)
    settle(price, opened_at, due_at, np.argsort(due_at, kind="stable"), is_long, level, fate, ended_at)
    expected = naive_fates(price, opened_at, due_at, is_long, level)
    np.testing.assert_array_equal(fate, expected[0])
    np.testing.assert_array_equal(ended_at, expected[1])
    assert set(fate) == {LIVE, CLOSED, LIQUIDATED}


def test_autoregress_matches_the_plain_function() -> None:
    shocks = np.random.default_rng(0).normal(size=50)
    compiled, plain = np.empty(50), np.empty(50)
    autoregress(0.3, 0.9, shocks, compiled)
    autoregress.py_func(0.3, 0.9, shocks, plain)
    np.testing.assert_array_equal(compiled, plain)
    assert plain[1] == pytest.approx(0.9 * (0.27 + shocks[0]) + shocks[1])


def test_to_market(market: SyntheticMarket) -> None:
    frame = market.to_market()
    assert (frame.venue, frame.symbol, frame.synthetic, frame.n_bars) == ("synthetic", "SYNUSDT", True, WEEK.n_bars)
    assert frame.findings == ()
    np.testing.assert_array_equal(frame.open_interest, market.open_interest["open_interest"].to_numpy())
    np.testing.assert_array_equal(frame.liquidated[:, LONG], market.liquidation_totals["long"].to_numpy())
    np.testing.assert_array_equal(frame.liquidated[:, SHORT], market.liquidation_totals["short"].to_numpy())
    assert np.count_nonzero(frame.funding_rate) == 21
    assert {one.source for one in frame.inputs} == {"liqbt.datasets.synthetic"}
    assert all(len(one.sha256) == 64 and one.rows for one in frame.inputs)


def test_truth_is_read_only(market: SyntheticMarket) -> None:
    with pytest.raises(ValueError, match="read-only"):
        market.truth.liquidated[0, 0, 0] = 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"leverage_mix": {1: 1.0}, "hedged_share": 0.0},  # no liquidations, no hedged accounts
        {"arrivals_per_hour": 1e-9, "hedged_share": 0.0},  # nobody comes
        {"interval": "1d"},
        {"interval": "1m", "start": "2025-01-01T05:07"},
        {"jumps_per_day": 0.0, "volatility_of_volatility": 0.0, "daily_seasonality": 0.0},
        {"mean_holding_hours": 1e12, "hedged_share": 0.0},
    ],
)
def test_unusual_parameters_still_make_a_market(change: dict[str, object]) -> None:
    market = simulate(SyntheticParams(days=1, warmup_days=1, **change))
    assert market.to_market().n_bars == market.params.n_bars
    if "leverage_mix" in change:
        assert market.liquidations.is_empty()


def test_progress_ends_at_one() -> None:
    told: list[float] = []
    simulate(SyntheticParams(days=1, warmup_days=1), progress=lambda share, _what: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, "seed: -1"),
        ({"seed": 1.5}, "seed: 1.5"),
        ({"days": 0}, "days: 0"),
        ({"days": True}, "days: True"),
        ({"interval": "7m"}, "does not divide a day"),
        ({"interval": "five"}, "interval"),
        ({"start": "soon"}, "start"),
        ({"start": "2025-01-01T00:01"}, "not on the 5m grid"),
        ({"steps_per_bar": 7}, "steps_per_bar: 7"),
        ({"annual_volatility": 0.0}, "annual_volatility: 0.0"),
        ({"annual_volatility": float("nan")}, "annual_volatility: nan"),
        ({"annual_volatility": "high"}, "annual_volatility: 'high'"),
        ({"jump_scale": 0.1}, "leaves nothing of annual_volatility"),
        ({"hedged_share": 1.0}, "hedged_share: 1.0"),
        ({"momentum_tilt": 0.6}, "momentum_tilt: 0.6"),
        ({"mean_holding_hours": 1e12}, "makes about"),
        ({"interval": "1s", "steps_per_bar": 20, "days": 90}, "price steps"),
        ({"leverage_mix": {}}, "leverage_mix"),
        ({"leverage_mix": {10: 0.5}}, "sum to 0.5"),
        ({"leverage_mix": {0.5: 1.0}}, "at least 1"),
        ({"leverage_mix": {10: 1.5, 20: -0.5}}, "weight of 20x"),
        ({"leverage_mix": {200: 1.0}}, "liquidated as it opens"),
        ({"maintenance_margin_rate": 0.01}, "100.0x"),
    ],
)
def test_parameters_are_validated(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SyntheticParams(**change)


def test_parameters_cannot_change() -> None:
    mix = {10: 0.5, 50: 0.5}
    params = SyntheticParams(leverage_mix=mix)
    mix[10] = 0.9
    assert dict(params.leverage_mix) == {10.0: 0.5, 50.0: 0.5}
    with pytest.raises(TypeError):
        params.leverage_mix[10.0] = 1.0

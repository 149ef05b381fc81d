"""The synthetic market's tables: reproducible, canonical, and in agreement with each other and with the truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from liqbt import margin
from liqbt._typing import LONG, SHORT
from liqbt.data.aggregate import bars_from_trades
from liqbt.data.validation import canonical
from liqbt.datasets import SyntheticParams, simulate
from liqbt.datasets._liquidations import throttled_table
from liqbt.datasets._tables import table_sha256

WEEK = SyntheticParams(days=7, seed=1)
RICH = SyntheticParams.preset(
    "cascade", days=3, seed=3, gravity_bps_per_hour=20.0, reversal_bps=30.0, trades=True, leverage_mix={10: 0.2, 50: 0.4, 100: 0.4}
)


@pytest.fixture(scope="module")
def market():
    return simulate(WEEK)


@pytest.fixture(scope="module")
def rich():
    """Minutes with trades, a mark of its own, and all three effects."""
    return simulate(RICH)


@pytest.fixture(scope="module")
def month():
    return simulate(SyntheticParams(days=30, seed=2))


def hashes(market):
    tables = market.tables | {"throttled": market.liquidations_throttled, "live": market.truth.live, "bursts": market.truth.bursts}
    return {name: table_sha256(table) for name, table in tables.items()}


def lots(amount, params=WEEK):
    """Amounts as whole lots; they are nothing else."""
    counted = np.rint(np.asarray(amount) / params.lot_size).astype(np.int64)
    np.testing.assert_allclose(counted * params.lot_size, amount, rtol=1e-12, atol=1e-12)
    return counted


# --- reproducible ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", [WEEK, RICH], ids=["null", "all effects"])
def test_same_seed_same_bytes(params):
    first = simulate(params)
    np.random.seed(99)  # noqa: NPY002 - the legacy global state must not matter
    again = simulate(params)
    assert hashes(again) == hashes(first)
    for name in ("opened", "closed", "liquidated", "stopped", "hedged_closed", "crowd", "entries"):
        assert getattr(again.truth, name).tobytes() == getattr(first.truth, name).tobytes()
    for name in ("timestamp", "offsets", "bin", "amount"):
        assert getattr(again.truth.heat, name).tobytes() == getattr(first.truth.heat, name).tobytes()


def test_different_seed_differs_everywhere(market):
    other = hashes(simulate(replace(WEEK, seed=2)))
    assert all(other[name] != value for name, value in hashes(market).items())


TRADERS = {
    "leverage_mix": {20: 1.0}, "arrivals_per_hour": 50.0, "median_notional": 9_000.0, "notional_sigma": 0.5, "momentum_tilt": -0.3,
    "mean_holding_hours": 3.0, "holding_exponent": 0.0, "cross_share": 0.0, "stop_share": 0.0, "top_up_share": 1.0, "hedged_share": 0.2,
    "maker_churn": 0.1, "tiers": margin.GENERIC_TIERS, "truth_bin_bps": 20.0, "truth_every": None, "depth_every": "1h", "trades": True,
}  # fmt: skip


def test_traders_do_not_move_price_where_nothing_is_switched_on():
    calm = replace(WEEK, days=3, mark_noise_bps=3.0)
    price = ("open", "high", "low", "close")
    one, other = simulate(calm), simulate(replace(calm, **TRADERS))
    assert other.bars.select(price).equals(one.bars.select(price))
    assert other.mark.equals(one.mark)
    assert not other.bars["volume"].equals(one.bars["volume"])
    felt = simulate(replace(calm, gravity_bps_per_hour=1.0))
    assert not felt.bars.select(price).equals(one.bars.select(price))


@pytest.mark.parametrize(
    "change", [{"cross_share": 0.9}, {"stop_share": 0.0}, {"holding_exponent": 0.3}, {"hedged_share": 0.1}, {"maker_churn": 3.0}]
)
def test_a_knob_does_not_reshuffle_the_others(market, change):
    other = simulate(replace(WEEK, **change))
    np.testing.assert_array_equal(other.truth.entries, market.truth.entries)
    np.testing.assert_array_equal(other.truth.opened, market.truth.opened)  # the same sizes at the same times
    assert not other.bars["volume"].equals(market.bars["volume"])


def test_progress_ends_at_one():
    told = []
    simulate(SyntheticParams(days=1, warmup_days=1), progress=lambda share, _what: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


# --- tables ---------------------------------------------------------------------------------------------------------


def test_tables_are_canonical(market, rich):
    for one in (market, rich):
        for name, table in one.tables.items():
            assert canonical(table, name, source=name, interval=one.params.interval).equals(table)
    assert market.bars.height == market.mark.height == market.open_interest.height == market.liquidation_totals.height == 7 * 288
    assert market.open_interest["timestamp"].equals(market.bars["available_at"].alias("timestamp"))
    assert market.funding["timestamp"].dt.hour().unique().sort().to_list() == [0, 8, 16]
    assert market.funding.height == 21
    assert market.funding["funding_rate"].abs().max() <= 0.0075
    assert market.trades is None
    assert list(market.tables) == [name for name in rich.tables if name != "trades"]


def test_bars_are_consistent(market):
    bars = market.bars
    assert bars["open"][1:].equals(bars["close"][:-1].alias("open"))
    assert (bars["taker_buy_volume"] <= bars["volume"]).all()
    mean_price = bars["quote_volume"] / bars["volume"]
    assert ((mean_price >= bars["low"] * (1 - 1e-9)) & (mean_price <= bars["high"] * (1 + 1e-9))).all()
    lots(bars["volume"])
    ticks = bars["close"] / WEEK.tick_size
    np.testing.assert_allclose(ticks, ticks.round(), rtol=1e-12)


def test_the_mark_is_the_last_price_or_near_it(market, rich):
    names = ("open", "high", "low", "close")
    assert market.mark.select(names).equals(market.bars.select(names))
    away = np.log(rich.mark["close"].to_numpy() / rich.bars["close"].to_numpy()) * 1e4
    assert 0.7 < away.std() < 1.4  # the tick is a sixth of a basis point
    assert abs(np.corrcoef(away[1:], away[:-1])[0, 1] - 0.5 ** (1 / 5)) < 0.1  # a half-life of five minutes


def test_trades_make_the_bars(rich):
    built = bars_from_trades(rich.trades, "1m")
    assert built.height == rich.bars.height
    for name in ("timestamp", "open", "high", "low", "close", "trade_count"):
        assert built[name].equals(rich.bars[name]), name
    for name in ("volume", "taker_buy_volume"):
        np.testing.assert_array_equal(lots(built[name]), lots(rich.bars[name]))
    np.testing.assert_allclose(built["quote_volume"], rich.bars["quote_volume"], rtol=1e-12)
    # every liquidation is one of the trades, on the other side of the position
    sold = pl.col("side").cast(pl.String).replace({"long": "sell", "short": "buy"})
    traded = rich.trades.select("timestamp", "price", "amount", pl.col("side").cast(pl.String)).unique()
    killed = rich.liquidations.select("timestamp", "price", "amount", sold)
    assert killed.join(traded, on=["timestamp", "price", "amount", "side"], how="anti").is_empty()


def test_depth_is_cumulative_and_thins_out(market):
    assert market.depth.height == 7 * 288 * 12
    amount = market.depth["amount"].to_numpy().reshape(-1, 2, 6)
    assert (np.diff(amount, axis=2) > 0).all()
    per_coin = market.depth.with_columns(level=pl.col("notional") / pl.col("amount"))
    assert per_coin.filter(pl.col("side") == "bid")["level"].mean() < per_coin.filter(pl.col("side") == "ask")["level"].mean()
    within = market.depth.filter(pl.col("distance") == 0.01)["notional"].to_numpy().reshape(-1, 2).mean(axis=1)
    assert within.mean() == pytest.approx(WEEK.depth_notional, rel=0.4)  # a calm week
    move = np.abs(np.log(market.bars["close"].to_numpy() / market.bars["open"].to_numpy()))
    assert np.corrcoef(np.log(within), np.log(move + 1e-4))[0, 1] < -0.1
    assert simulate(replace(WEEK, depth_every="1h")).depth.height == 7 * 24 * 12


# --- liquidations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["market", "rich"])
def test_liquidations_agree_with_totals_and_truth(name, request):
    market = request.getfixturevalue(name)
    params = market.params
    bar = (market.liquidations["timestamp"].to_physical().to_numpy() - params.start_ns) // params.interval_ns
    amount, side = lots(market.liquidations["amount"]), market.liquidations["side"].to_numpy()
    for index, position in enumerate(("long", "short")):
        summed = np.bincount(bar, weights=np.where(side == position, amount, 0), minlength=params.n_bars)
        np.testing.assert_array_equal(summed, lots(market.liquidation_totals[position]))
        np.testing.assert_array_equal(summed, lots(market.truth.liquidated[:, index]).sum(axis=1))
        assert summed.sum() > 0


def test_liquidation_prices_were_reached(market):
    events, bars = market.liquidations, market.bars
    bar = (events["timestamp"].to_physical().to_numpy() - WEEK.start_ns) // WEEK.interval_ns
    price = events["price"].to_numpy()
    assert (price >= bars["low"].to_numpy()[bar]).all()
    assert (price <= bars["high"].to_numpy()[bar]).all()
    is_long = (events["side"] == "long").to_numpy()
    bankrupt = events["bankruptcy_price"].to_numpy()
    assert (bankrupt[is_long] < price[is_long]).all()
    assert (bankrupt[~is_long] > price[~is_long]).all()
    assert (events["available_at"] == events["timestamp"]).all()


@pytest.mark.parametrize("rule", ["largest", "latest"])
def test_the_throttled_feed(rich, rule):
    market = rich if rule == "largest" else simulate(replace(RICH, throttle="latest"))
    assert market.liquidations.equals(rich.liquidations)
    picked = {}
    for row in rich.liquidations.iter_rows(named=True):
        second = row["timestamp"].replace(microsecond=0)
        if second not in picked or rule == "latest" or row["amount"] > picked[second]["amount"]:
            picked[second] = row
    throttled = market.liquidations_throttled
    assert throttled.drop("available_at").to_dicts() == [
        {name: value for name, value in row.items() if name != "available_at"} for row in picked.values()
    ]
    assert throttled.height < rich.liquidations.height
    known = throttled["available_at"].to_physical().to_numpy()
    assert (known % 1_000_000_000 == 0).all()
    assert (known - throttled["timestamp"].to_physical().to_numpy() > 0).all()
    assert (np.diff(known) > 0).all()
    sums = market.liquidation_totals_throttled
    assert sums.select(pl.sum("long", "short")).sum_horizontal()[0] == pytest.approx(throttled["amount"].sum())
    for side in ("long", "short"):
        assert (sums[side] <= market.liquidation_totals[side] + 1e-9).all()


@pytest.mark.parametrize(("rule", "kept"), [("largest", [1, 3, 4]), ("latest", [2, 3, 4])])
def test_one_liquidation_a_second(rule, kept):
    """By hand: three in the first second, of which two are as large as each other; one on the next second's stroke; one late."""
    at = [0.2, 0.5, 0.999, 1.0, 7.5]
    events = pl.DataFrame(
        {
            "timestamp": pl.Series([int(WEEK.start_ns + second * 1e9) for second in at]).cast(pl.Datetime("ns", "UTC")),
            "side": ["long", "short", "long", "long", "short"],
            "amount": [1.0, 5.0, 5.0, 2.0, 3.0],
        }
    )
    found = throttled_table(replace(WEEK, throttle=rule), events)
    assert found["amount"].to_list() == [[1.0, 5.0, 5.0, 2.0, 3.0][row] for row in kept]
    assert found["timestamp"].to_list() == [events["timestamp"][row] for row in kept]
    assert [(known - WEEK.start_ns) / 1e9 for known in found["available_at"].to_physical()] == [1.0, 2.0, 8.0]


# --- accounting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["market", "rich"])
def test_open_interest_reconciles_with_positions(name, request):
    market = request.getfixturevalue(name)
    truth = market.truth
    opened, closed, liquidated = (lots(one).sum(axis=2) for one in (truth.opened, truth.closed, truth.liquidated))
    change = opened - closed - liquidated
    np.testing.assert_array_equal(np.diff(lots(truth.crowd), axis=0), change[1:])
    hedged = lots(truth.hedged_opened) - lots(truth.hedged_closed)
    np.testing.assert_array_equal(np.diff(lots(truth.holders), axis=0), (change + hedged)[1:])
    live = truth.live.group_by("side").agg(pl.col("amount").sum()).sort("side")["amount"].to_numpy()
    np.testing.assert_array_equal(lots(truth.crowd[-1]), lots(live))
    open_interest = market.open_interest["open_interest"].to_numpy()
    np.testing.assert_array_equal(open_interest, truth.holders.max(axis=1))
    # every order of theirs trades with a market maker, and each trade counts once
    volume = lots(market.bars["volume"])
    orders = (opened + closed + liquidated + lots(truth.hedged_opened) + lots(truth.hedged_closed)).sum(axis=1)
    assert (volume > orders).all()
    assert (volume[1:] > np.abs(np.diff(lots(open_interest)))).all()
    assert (truth.stopped <= truth.closed).all()
    assert truth.stopped.sum() > 0


def test_higher_leverage_is_liquidated_more(month):
    share = month.truth.liquidated.sum(axis=(0, 1)) / month.truth.opened.sum(axis=(0, 1))
    assert (np.diff(share) > 0).all()


def test_entries_follow_the_mix_where_brackets_allow(month):
    flat = simulate(SyntheticParams(days=30, seed=2, tiers=margin.GENERIC_TIERS, warmup_days=1)).truth
    count = flat.entries.sum()
    error = np.sqrt(flat.weights * (1 - flat.weights) / count)  # of a binomial share; five of them, six shares: p < 4e-6
    assert count > 400_000
    assert (np.abs(flat.entries.sum(axis=0) / count - flat.weights) < 5 * error).all()
    assert month.truth.entries[:, -1].sum() / month.truth.entries.sum() < flat.weights[-1]
    assert month.truth.effective_mix.sum() == pytest.approx(1.0)
    assert month.truth.effective_mix[-1] < 0.9 * month.truth.weights[-1]


def test_scales_are_those_of_a_mid_size_perpetual(month):
    volume = month.bars["volume"].to_numpy().reshape(-1, 288).sum(axis=1)
    open_interest = month.open_interest["open_interest"].to_numpy().reshape(-1, 288).mean(axis=1)
    liquidated = (month.liquidation_totals["long"] + month.liquidation_totals["short"]).to_numpy().reshape(-1, 288).sum(axis=1)
    assert 2 < np.median(volume / open_interest) < 6
    assert 0.002 < liquidated.sum() / volume.sum() < 0.03
    assert 0.005 < np.quantile(liquidated / volume, 0.9) < 0.05
    quote = (month.bars["quote_volume"].sum()) / 30
    assert quote == pytest.approx(month.params.mean_day_notional, rel=0.3)


def test_returns_look_like_a_market_and_are_not_predictable(month):
    returns = np.diff(np.log(month.bars["close"].to_numpy()))
    scaled = returns / returns.std()
    assert (scaled**4).mean() > 3.5
    assert 0.45 < returns.std() * np.sqrt(365 * 288) < 1.2
    for lag in (1, 2, 12):
        # heteroskedasticity-robust standard error of an autocorrelation at zero (Taylor 1984); four of them
        product = scaled[lag:] * scaled[:-lag]
        assert abs(product.sum()) < 4 * np.sqrt((product**2).sum())
    absolute = np.abs(scaled)
    assert np.corrcoef(absolute[12:], absolute[:-12])[0, 1] > 0.05  # volatility clusters


# --- as a market ----------------------------------------------------------------------------------------------------


def test_to_market(market):
    frame = market.to_market()
    assert (frame.venue, frame.symbol, frame.synthetic, frame.n_bars) == ("synthetic", "SYNUSDT", True, WEEK.n_bars)
    assert frame.findings == ()
    np.testing.assert_array_equal(frame.open_interest, market.open_interest["open_interest"].to_numpy())
    np.testing.assert_array_equal(frame.liquidated[:, LONG], market.liquidation_totals["long"].to_numpy())
    np.testing.assert_array_equal(frame.liquidated[:, SHORT], market.liquidation_totals["short"].to_numpy())
    np.testing.assert_array_equal(frame.mark_close, market.mark["close"].to_numpy())
    assert np.count_nonzero(frame.funding_rate) == 21
    assert frame.volume_profile is None
    assert frame.depth_bid.shape == (WEEK.n_bars, 6)
    assert not np.isnan(frame.depth_bid).any()
    assert {one.source for one in frame.inputs} == {"liqbt.datasets.synthetic"}
    assert all(len(one.sha256) == 64 and one.rows for one in frame.inputs)


def test_to_market_with_trades_and_the_throttled_feed(rich):
    frame = replace(rich, liquidation_totals=rich.liquidation_totals_throttled).to_market()
    np.testing.assert_allclose(frame.volume_profile.totals.sum(axis=1), rich.bars["volume"].to_numpy(), rtol=1e-9)
    np.testing.assert_array_equal(frame.liquidated[:, LONG], rich.liquidation_totals_throttled["long"].to_numpy())
    assert [one.code for one in frame.findings] == ["synthetic_effect"]
    assert "gravity_bps_per_hour 20, cascade 2, reversal_bps 30" in frame.findings[0].message


@pytest.mark.parametrize(
    "change",
    [
        {"leverage_mix": {1: 1.0}, "hedged_share": 0.0},  # no liquidations, no hedged accounts
        {"arrivals_per_hour": 1e-9, "hedged_share": 0.0},  # nobody comes
        {"interval": "1d", "truth_every": "1d"},
        {"interval": "1m", "start": "2025-01-01T05:07"},
        {"jumps_per_day": 0.0, "volatility_of_volatility": 0.0, "daily_seasonality": 0.0},
        {"mean_holding_hours": 1e12, "hedged_share": 0.0},
        {"initial_price": 1e-3, "tick_size": 1e-7, "lot_size": 100.0},
        {"initial_price": 1e5, "tick_size": 0.1, "lot_size": 1e-5},
        {"truth_every": None},
    ],
)
def test_unusual_parameters_still_make_a_market(change):
    market = simulate(SyntheticParams(**({"days": 1, "warmup_days": 1} | change)))
    assert market.to_market().n_bars == market.params.n_bars
    if "leverage_mix" in change:
        assert market.liquidations.is_empty()
        assert market.liquidations_throttled.is_empty()
        assert market.liquidations.columns == [*simulate(WEEK).liquidations.columns]
    if "truth_every" in change:
        assert (market.truth.heat is None) == (change["truth_every"] is None)

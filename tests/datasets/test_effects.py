"""What liquidations do to price in each preset, and that they do nothing in the null market.

Two kinds of tests: as an analyst would see it, on one market; and against the null market of the same seed, whose noise is the
same, so that the difference of the two paths is the effect and nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl
import pytest

from liqbt._typing import LONG, SHORT
from liqbt.datasets import SyntheticParams, simulate
from liqbt.datasets._draws import Draws

SEEDS = (1, 2, 3)


@cache
def market(name, seed, **change):
    return simulate(SyntheticParams.preset(name, seed=seed, **({"arrivals_per_hour": 300.0} | change)))


def log_close(one):
    return np.log(one.bars["close"].to_numpy())


def hourly(one):
    """Bars of the hourly snapshots, and the imbalance of the true map within 5 % of price, discounted as gravity feels it."""
    params, heat, place = one.params, one.truth.heat, log_close(one)
    bar = (heat.timestamp - params.start_ns) // params.interval_ns - 1
    weight = np.zeros((bar.size, 2))
    for row, here in enumerate(place[bar]):
        for side in (LONG, SHORT):
            cells = slice(heat.offsets[2 * row + side], heat.offsets[2 * row + side + 1])
            away = np.abs((heat.bin[cells] + 0.5) * heat.width - here)
            near = away < params.gravity_reach
            weight[row, side] = (heat.amount[cells] * np.exp(-away / params.gravity_scale))[near].sum()
    return bar, (weight[:, SHORT] - weight[:, LONG]) / weight.sum(axis=1)


def next_hour(name, **change):
    """Imbalance at each hour and the log return of the next, of all seeds; hours do not overlap."""
    pairs = []
    for seed in SEEDS:
        one = market(name, seed, **change)
        bar, imbalance = hourly(one)
        place = log_close(one)
        use = bar + 60 < place.size
        pairs.append((imbalance[use], place[bar[use] + 60] - place[bar[use]]))
    return (np.concatenate(part) for part in zip(*pairs, strict=True))


def slope(x, y):
    """Least-squares slope through the origin and its heteroskedasticity-robust t (White 1980)."""
    b = (x * y).sum() / (x * x).sum()
    return b, b / (np.sqrt(((x * (y - b * x)) ** 2).sum()) / (x * x).sum())


def first_touch(one, up, down, starts):
    """For each start, not before the last touch: whether price was up by `up` before it was down by `down` (fractions)."""
    close, high, low = (one.bars[name].to_numpy() for name in ("close", "high", "low"))
    rows, touched, free = [], [], 0
    for row, k in enumerate(starts):
        if k < free:
            continue
        above, below = high[k + 1 :] >= close[k] * (1 + up), low[k + 1 :] <= close[k] * (1 - down)
        either = above | below
        if not either.any():
            break
        at = int(either.argmax())
        free = k + 1 + at
        if above[at] != below[at]:
            rows.append(row)
            touched.append(above[at])
    return np.array(rows), np.array(touched)


def bursts(one, apart, *, after=False):
    """Bars in which bursts ended, and their direction: down where longs were liquidated. Only those with none `apart` bars before.

    after: also none after. That looks ahead: who was not followed by more was followed by a turn, in any market. It serves
    where two paths are compared, and nowhere else.
    """
    table, params = one.truth.bursts, one.params
    bar = (table["timestamp"].to_physical().to_numpy() - params.start_ns - 1) // params.interval_ns
    use = (np.diff(bar, prepend=-(10**9)) > apart) & (bar > 200) & (bar + 2 * apart < params.n_bars)
    if after:
        use &= np.diff(bar, append=10**9) > apart
    return bar[use], np.where(table["side"].to_numpy() == "long", -1, 1)[use]


# --- null -----------------------------------------------------------------------------------------------------------


def test_null_returns_do_not_know_the_map():
    x, y = next_hour("null")
    assert x.size > 2_000
    assert np.abs(x).mean() > 0.2  # the map leans
    assert abs(slope(x, y)[1]) < 3.5


@pytest.mark.parametrize(("up", "down"), [(0.01, 0.01), (0.02, 0.01), (0.005, 0.015)])
def test_null_touches_mirror_levels_as_a_martingale_does(up, down):
    touched = np.concatenate([first_touch(market("null", seed), up, down, range(0, 43_000, 60))[1] for seed in SEEDS])
    expected = down / (up + down)
    assert touched.size > 300
    # four standard errors, and a hundredth for overshooting the level within a step
    assert abs(touched.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / touched.size) + 0.01


def test_null_does_not_turn_after_a_burst():
    moves = []
    for seed in SEEDS:
        one = market("null", seed)
        bar, direction = bursts(one, 60)
        moves.append(direction * (log_close(one)[bar + 60] - log_close(one)[bar]))
    moves = np.concatenate(moves)
    assert moves.size > 30
    assert abs(moves.mean()) < 3.5 * moves.std() / np.sqrt(moves.size)


# --- gravity --------------------------------------------------------------------------------------------------------


def test_gravity_can_be_seen():
    b, t = slope(*next_hour("gravity"))
    assert t > 5
    assert 20e-4 < b < 55e-4  # forty basis points an hour, less what the map changes within the hour


def test_gravity_touches_the_heavier_side_first():
    hits = []
    for seed in SEEDS:
        one = market("gravity", seed)
        bar, imbalance = hourly(one)
        rows, up = first_touch(one, 0.01, 0.01, bar)
        hits.append(up == (imbalance[rows] > 0))
    hits = np.concatenate(hits)
    assert (hits.mean() - 0.5) / np.sqrt(0.25 / hits.size) > 4


def test_gravity_is_the_drift_that_was_asked_for():
    """The difference to the null path of the same noise, hour by hour, is the drift."""
    one = market("gravity", 1, truth_every="5m", days=5)
    extra = log_close(one) - log_close(market("null", 1, days=5))
    bar, imbalance = hourly(one)
    at = np.arange(0, bar.size - 12, 12)
    drift = extra[bar[at + 12]] - extra[bar[at]]
    felt = np.add.reduceat(imbalance, at)[: at.size] / 12
    assert np.corrcoef(felt, drift)[0, 1] > 0.95
    assert (felt @ drift) / (felt @ felt) == pytest.approx(40e-4, rel=0.05)


def test_gravity_can_repel():
    b, t = slope(*next_hour("gravity", gravity_bps_per_hour=-40.0))
    assert t < -4
    assert -55e-4 < b < -20e-4


# --- cascade --------------------------------------------------------------------------------------------------------


def variance_after(one):
    """Mean square of minute returns in the half hour after a burst over that of the hundred minutes that end half an hour before it."""
    returns = np.diff(log_close(one))
    table = one.truth.bursts["timestamp"].to_physical().to_numpy()
    bar = np.unique((table - one.params.start_ns - 1) // one.params.interval_ns)
    bar = bar[(bar > 200) & (bar < returns.size - 31)]
    return np.median([(returns[k : k + 30] ** 2).mean() / (returns[k - 130 : k - 30] ** 2).mean() for k in bar])


def test_cascades_make_wilder_returns():
    for seed in SEEDS:
        calm, wild = (np.diff(log_close(market(name, seed))) for name in ("null", "cascade"))
        assert wild.var() > 1.02 * calm.var()
        assert (wild**4).mean() / wild.var() ** 2 > (calm**4).mean() / calm.var() ** 2
        assert variance_after(market("cascade", seed)) > variance_after(market("null", seed))


def test_bursts_run_on_in_cascades():
    moves = []
    for seed in SEEDS:
        one, calm = market("cascade", seed), market("null", seed)
        extra = log_close(one) - log_close(calm)
        bar, direction = bursts(one, 20)
        moves.append(direction * (extra[bar] - extra[bar - 5]))
    moves = np.concatenate(moves)
    assert moves.size > 40
    assert (moves > 0).mean() > 0.9  # each burst has pushed price its own way by the time it is found
    assert moves.mean() > 3 * moves.std() / np.sqrt(moves.size)


def test_impact_is_what_resting_depth_implies():
    """A lonely liquidation moves price by its share of the depth within 1 %, and half of that fades with its half-life."""
    change = {"days": 10, "arrivals_per_hour": 1.0, "notional_sigma": 0.1, "leverage_mix": {100: 1.0}, "stop_share": 0.0, "tick_size": 1e-6}
    one, calm = (
        simulate(SyntheticParams.preset(name, seed=5, cascade=cascade, **change)) for name, cascade in (("cascade", 0.2), ("null", 0.0))
    )
    params = one.params
    draws = Draws(params)
    depth = np.concatenate([draws.steps(1440 * 8)[0]["depth"] for _ in range(params.days + params.warmup_days)])
    extra = log_close(one) - log_close(calm)
    events = one.liquidations.with_columns(
        notional=pl.col("amount") * pl.col("price"), at=pl.col("timestamp").to_physical() - params.start_ns
    )
    bar = (events["at"] // params.interval_ns).to_numpy()
    step = (events["at"] // (params.interval_ns // 8)).to_numpy() + params.warmup_days * 1440 * 8
    lonely = (np.diff(bar, prepend=0) > 150) & (np.diff(bar, append=params.n_bars) > 65)
    assert lonely.sum() >= 5
    for row in np.flatnonzero(lonely):
        sign = -1.0 if events["side"][int(row)] == "long" else 1.0
        implied = sign * 0.2 * 0.01 * events["notional"][int(row)] / (params.depth_notional * depth[step[row]])
        moved = extra[bar[row] + 60] - extra[bar[row] - 1]
        assert moved == pytest.approx(implied * (0.5 + 0.5 * 2.0**-6), rel=0.02)


# --- reversal -------------------------------------------------------------------------------------------------------


def test_price_turns_after_a_burst():
    moves = []
    for seed in SEEDS:
        one = market("reversal", seed)
        bar, direction = bursts(one, 60)
        moves.append(direction * (log_close(one)[bar + 60] - log_close(one)[bar]))
    moves = np.concatenate(moves)
    assert moves.size > 30
    assert moves.mean() < -2.5 * moves.std() / np.sqrt(moves.size)


def test_the_turn_is_what_was_asked_for():
    """Against the null path of the same noise: sixty basis points in an hour, spread evenly, and nothing after."""
    checked = 0
    for seed in SEEDS:
        one = market("reversal", seed)
        extra = log_close(one) - log_close(market("null", seed))
        bar, direction = bursts(one, 130, after=True)
        np.testing.assert_allclose(extra[bar + 62] - extra[bar - 1], -60e-4 * direction, atol=1e-4)
        np.testing.assert_allclose(extra[bar + 30] - extra[bar], -30e-4 * direction, atol=1.5e-4)
        np.testing.assert_allclose(extra[bar + 120], extra[bar + 62], atol=1e-4)
        checked += bar.size
    assert checked > 10


# --- traders --------------------------------------------------------------------------------------------------------


def killed(**change):
    base = {"days": 7, "cross_share": 0.0, "stop_share": 0.0, "top_up_share": 0.0}
    return simulate(replace(SyntheticParams(seed=4), **(base | change))).truth.liquidated.sum()


def test_cross_margin_stops_and_top_ups_prevent_liquidations():
    """Price is the same in all of these markets."""
    plain = killed()
    assert killed(stop_share=0.5) == pytest.approx(0.5 * plain, rel=0.15)  # with a stop nobody is liquidated
    assert killed(stop_share=1.0) == 0.0
    assert 0.02 * plain < killed(top_up_share=1.0) < 0.3 * plain
    assert killed(top_up_share=1.0, top_up_margin=0.0) == plain
    assert 0.1 * plain < killed(cross_share=1.0) < 0.6 * plain
    assert killed(cross_share=1.0, cross_margin=0.0) == plain
    assert killed(cross_share=1.0, cross_margin=4.0) < killed(cross_share=1.0, cross_margin=1.0)
    assert killed(hedged_share=0.0) == plain


def test_momentum_tilts_sides():
    followed = []
    for tilt in (0.4, -0.4):
        one = simulate(SyntheticParams(days=7, seed=6, momentum_tilt=tilt))
        place = np.log(one.bars["close"].to_numpy())
        trend = place[48:] - place[:-48]
        opened = one.truth.opened.sum(axis=2)[48:]
        followed.append(np.corrcoef(trend, (opened[:, LONG] - opened[:, SHORT]) / opened.sum(axis=1))[0, 1])
    assert followed[0] > 0.2
    assert followed[1] < -0.2


def test_drift_moves_the_expected_price_and_nothing_else():
    """Over 12 seeds of 30 days, a drift of 3 a year adds 3 * 30 / 365 to the log of the mean growth; traders draw the same numbers."""
    plain, drifting = [], []
    for seed in range(12):
        for drift, found in ((0.0, plain), (3.0, drifting)):
            params = SyntheticParams(
                seed=seed, days=30, annual_drift=drift, warmup_days=1, interval="1h", steps_per_bar=2, arrivals_per_hour=5
            )
            close = simulate(params).to_market().close
            found.append(np.log(close[-1] / 100.0))
    difference = np.array(drifting) - np.array(plain)
    assert difference == pytest.approx(3 * 31 / 365, abs=2e-3)

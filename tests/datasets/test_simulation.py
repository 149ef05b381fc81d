"""The compiled simulation against slow, obvious Python, event for event."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference_market import final_of, level_of, play

from liqbt.datasets import SyntheticParams
from liqbt.datasets._draws import Draws
from liqbt.datasets._kernels import autoregress
from liqbt.datasets._rules import grid_of
from liqbt.datasets._simulation import Simulation

SIDES = ("long", "short")
KINDS = ("opened", "closed", "liquidated", "stopped")
SMALL = {
    "days": 1,
    "warmup_days": 1,
    "interval": "1h",
    "steps_per_bar": 6,
    "annual_volatility": 3.0,
    "jump_scale": 0.05,
    "arrivals_per_hour": 12.0,
    "mean_holding_hours": 8.0,
    "hedged_share": 0.3,
    "hedged_holding_hours": 30.0,
    "tick_size": 0.01,
    "trades": True,
}
STRONG = {"gravity_bps_per_hour": 300.0, "cascade": 3.0, "reversal_bps": 200.0, "reversal_hours": 2.0, "burst_depth_share": 0.02}
CASES = {
    "plain": {"cross_share": 0.0, "stop_share": 0.0, "top_up_share": 0.0},
    "default": {},
    "mark": {"mark_noise_bps": 20.0},
    "top-ups": {"top_up_share": 1.0, "stop_share": 0.0, "top_up_margin": 0.05, "cross_share": 0.2},
    "stops": {"stop_share": 1.0, "top_up_share": 0.0, "stop_nearest": 0.3, "stop_farthest": 0.3},
    "large": {"median_notional": 3e6, "notional_sigma": 2.0},
    "one leverage": {"leverage_mix": {100: 1.0}, "hedged_share": 0.0, "maker_churn": 0.0},
    "gravity": {"gravity_bps_per_hour": 300.0, "mark_noise_bps": 5.0},
    "cascade": {"cascade": 6.0, "lasting_share": 0.3},
    "reversal": {"reversal_bps": 200.0, "burst_depth_share": 0.02},
    "everything": {**STRONG, "mark_noise_bps": 5.0, "momentum_tilt": 0.4, "truth_bin_bps": 20.0},
    "coarse ticks": {"tick_size": 1.0, "lot_size": 1.0, "truth_bin_bps": 100.0},
    "falls far": {"annual_volatility": 8.0, "jumps_per_day": 20.0, "jump_scale": 0.08, "cascade": 5.0},
}


def both(change, seed):
    """The compiled simulation and the reference, on the same draws."""
    params = SyntheticParams(**(SMALL | {"seed": seed} | change))
    simulation = Simulation(params)
    simulation.run(Draws(params), lambda _share, _what: None)
    draws = Draws(params)
    a_day = 24 * params.steps_per_bar
    days = []
    for _ in range(params.days + params.warmup_days):
        steps, _activity = draws.steps(a_day)
        days.append((steps, draws.traders(int(steps["traders"].sum())), draws.holders(int(steps["holders"].sum()))))
    return params, simulation, play(params, *(np.concatenate(part) for part in zip(*days, strict=True)))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("change", CASES.values(), ids=CASES)
def test_event_for_event(change, seed):
    params, simulation, expected = both(change, seed)
    trades, killed, bursts = (np.concatenate(part) for part in (simulation.tape, simulation.killed, simulation.bursts))
    assert trades.tolist() == expected.trades
    assert len(killed) == len(expected.killed)
    for row, (time, side, leverage, lots, ticks, level, bankrupt) in zip(killed, expected.killed, strict=True):
        assert (row["time"], SIDES[row["side"]], params.leverages[row["tier"]], row["lots"], row["ticks"]) == (
            time,
            side,
            leverage,
            lots,
            ticks,
        )
        assert row["level"] == pytest.approx(level, rel=1e-12)
        assert row["bankrupt"] == pytest.approx(bankrupt, rel=1e-11)
    assert [(row["step"], SIDES[row["side"]]) for row in bursts] == [burst[:2] for burst in expected.bursts]
    np.testing.assert_allclose(bursts["notional"], [burst[2] for burst in expected.bursts], rtol=1e-12)
    check_flows(params, simulation, expected)
    check_bars(params, simulation, expected, trades)
    check_heat(params, simulation, expected)
    check_live(params, simulation, expected)


def check_flows(params, simulation, expected):
    flows = np.zeros_like(simulation.flows)
    tiers = [*params.leverages, None]
    for (bar, kind, side, leverage), lots in expected.flows.items():
        flows[bar, KINDS.index(kind), SIDES.index(side), tiers.index(leverage)] = lots
    np.testing.assert_array_equal(simulation.flows, flows)
    for k, counted in enumerate((expected.entries, expected.topped)):
        counts = [[counted[side, leverage] for leverage in params.leverages] for side in SIDES]
        np.testing.assert_array_equal(simulation.counts[k], counts)


def check_bars(params, simulation, expected, trades):
    bars = simulation.bars[params.n_warmup_bars :]
    at = trades["time"] // params.interval_ns - params.n_warmup_bars
    assert set(at) == set(range(params.n_bars))
    for bar in range(params.n_bars):
        some, row = trades[at == bar], bars[bar]
        ticks = some["ticks"]
        assert (row["open"], row["high"], row["low"], row["close"]) == (ticks[0], ticks.max(), ticks.min(), ticks[-1])
        assert (row["volume"], row["bought"]) == (some["lots"].sum(), some["lots"][some["buy"]].sum())
        assert (row["value"], row["trades"]) == ((ticks * some["lots"]).sum(), some.size)
    marks = np.array(expected.marks).reshape(-1, params.steps_per_bar)[params.n_warmup_bars :]
    before = np.array(expected.marks)[params.n_warmup_bars * params.steps_per_bar - 1 :: params.steps_per_bar][: params.n_bars]
    np.testing.assert_allclose(bars["mark_open"], before, rtol=1e-13)
    np.testing.assert_allclose(bars["mark_high"], np.maximum(marks.max(axis=1), before), rtol=1e-13)
    np.testing.assert_allclose(bars["mark_low"], np.minimum(marks.min(axis=1), before), rtol=1e-13)
    np.testing.assert_allclose(bars["mark_close"], marks[:, -1], rtol=1e-13)


def check_heat(params, simulation, expected):
    cells = np.concatenate(simulation.cells_of)
    bins = np.split(np.concatenate(simulation.cell_bin), np.cumsum(cells)[:-1])
    amounts = np.split(np.concatenate(simulation.cell_amount), np.cumsum(cells)[:-1])
    assert len(cells) == 2 * params.n_bars
    first, count = grid_of(params)
    for bar, heat in enumerate(expected.heat[params.n_warmup_bars :]):
        for side, name in enumerate(SIDES):
            wanted = {place: lots for (of, place), lots in heat.items() if of == name and first < place < first + count - 1}
            found = dict(zip(bins[2 * bar + side].tolist(), np.rint(amounts[2 * bar + side] / params.lot_size).tolist(), strict=True))
            assert found == wanted


def check_live(params, simulation, expected):
    live = simulation.positions[simulation.positions["lots"] > 0]
    assert sorted(live["serial"]) == [one.number for one in expected.live]
    for row, one in zip(live[np.argsort(live["serial"])], expected.live, strict=True):
        assert (SIDES[row["side"]], row["lots"], row["entry"], row["opened"]) == (one.side, one.lots, one.entry, one.opened)
        assert bool(row["cross"]) == one.cross
        if one.leverage is not None:
            assert params.leverages[row["tier"]] == one.leverage
            assert row["margin"] == pytest.approx(one.margin, rel=1e-13)
            assert row["level"] == pytest.approx(level_of(params, one), rel=1e-12)
            assert row["final"] == pytest.approx(final_of(params, one) or 0.0, rel=1e-12)


def test_the_cases_hold_what_they_are_for():
    """An agreement on markets in which nothing happens would say nothing."""
    assert len(both(CASES["top-ups"], 1)[2].topped) > 3
    params, simulation, expected = both(CASES["everything"], 1)
    assert len(expected.killed) > 20
    assert len(expected.bursts) > 3
    assert simulation.flows[:, 3].sum() > 0
    assert any(one.cross for one in expected.live)
    # the bracket takes leverage away from large positions
    params, simulation, _ = both(CASES["large"], 1)
    asked = params.weights[-1] * simulation.counts[0].sum()
    assert simulation.counts[0][:, -1].sum() < 0.5 * asked


def test_autoregress_matches_the_plain_function():
    shocks = np.random.default_rng(0).normal(size=50)
    compiled, plain = np.empty(50), np.empty(50)
    autoregress(0.3, 0.9, shocks, compiled)
    autoregress.py_func(0.3, 0.9, shocks, plain)
    np.testing.assert_array_equal(compiled, plain)
    assert plain[1] == pytest.approx(0.9 * (0.27 + shocks[0]) + shocks[1])


def test_draws_do_not_depend_on_how_they_are_cut():
    """A stream hands out the same numbers however many are asked for at a time."""
    params = SyntheticParams(seed=5, mark_noise_bps=2.0)
    whole, pieces = Draws(params), Draws(params)
    steps = whole.steps(600)[0]
    cut = np.concatenate([pieces.steps(count)[0] for count in (1, 7, 300, 292)])
    for name in steps.dtype.names:
        np.testing.assert_allclose(cut[name], steps[name], rtol=1e-13, atol=1e-18, err_msg=name)
    many = whole.traders(50)
    np.testing.assert_array_equal(np.concatenate([pieces.traders(count) for count in (20, 30)]), many)


def test_the_noise_of_price_is_a_martingale():
    # mean of the final price over seeds, within four standard errors of where it began
    ends = []
    for seed in range(300):
        params = SyntheticParams(days=10, warmup_days=1, interval="1h", steps_per_bar=5, seed=seed)
        ends.append(math.exp(Draws(params).steps(1200)[0]["noise"].sum()))
    assert abs(np.mean(ends) - 1.0) < 4 * np.std(ends) / np.sqrt(len(ends))
    assert np.std(ends) == pytest.approx(0.75 * math.sqrt(10 / 365), rel=0.25)

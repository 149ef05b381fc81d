"""The compiled entry point: what it counts without writing, and that sweeps can call it."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hand_markets import CALM, FREE, market_of, wishes
from hypothesis import given
from random_accounts import CASH, cases, error_of, examples

from liqbt.margin import GENERIC_TIERS
from liqbt.scoring import Costs, EquityShare, TradingRules
from liqbt.scoring._kernels import fill_orders
from liqbt.scoring._records import FULL, OK, ORDER, RUINED, TRADE
from liqbt.scoring.arrivals import arrivals_of
from liqbt.scoring.inputs import market_arrays, read_only, terms_of, wishes_of

EQUITY, RULES = EquityShare(), TradingRules()


def nothing():
    """No room for records, equity or positions."""
    return np.empty(0, ORDER), np.empty(0, TRADE), np.empty(0), np.empty((0, 0), np.int8)


def arguments(case):
    """What the compiled entry point takes for a case, but for the arrays to be filled."""
    options = case.options
    tiers = [market.tiers.tiers if market.tiers else GENERIC_TIERS for market in case.markets]
    arrays = market_arrays(case.markets, tiers, costs=options["costs"], leverage=options["leverage"], sizing=options["sizing"])
    arrivals, delay = arrivals_of(case.markets, case.frames(), options["rules"])
    terms = terms_of(options["costs"], options["leverage"], CASH, options["sizing"], options["rules"], delay)
    return *arrays._replace(arrivals=arrivals), wishes_of(case.signals), terms


@examples(200)
@given(cases())
def test_the_tally_is_that_of_the_records_whether_they_are_written_or_not(case):
    fills = case.fills()
    tally = fill_orders(*arguments(case), *nothing())
    error = error_of(fills, case.options["leverage"])
    assert (tally.orders, tally.trades, tally.equity) == (fills.orders.size, fills.trades.size, fills.equity[-1])
    assert (tally.status == RUINED, tally.rejected, tally.beyond) == (fills.ruined, fills.rejected, fills.beyond)
    assert tally.held == np.count_nonzero((fills.position != 0).any(axis=1))
    curve = np.r_[CASH, fills.equity]
    returns = np.divide(curve[1:], curve[:-1], out=np.ones(fills.equity.size), where=curve[:-1] > 0) - 1.0
    assert tally.total == pytest.approx(returns.sum(), rel=1e-9, abs=1e-9 * np.abs(returns).sum())
    assert tally.squares == pytest.approx((returns**2).sum(), rel=1e-9)
    peak = np.maximum.accumulate(curve)
    assert tally.drawdown == pytest.approx(((peak - curve) / peak).max(), rel=1e-9, abs=error)


def test_returns_of_nothing_are_0():
    # ruin in the first bar that trades: after it equity is exactly 0
    market = market_of(CALM, (100, 100, 40, 50), CALM, CALM)
    arrays = market_arrays([market], [GENERIC_TIERS], costs=FREE, leverage=2.0, sizing=EQUITY)
    terms = terms_of(FREE, 2.0, CASH, EQUITY, RULES, 0)
    tally = fill_orders(*arrays, wishes_of([wishes(market, {0: 1})]), terms, *nothing())
    assert (tally.equity, tally.total, tally.squares, tally.drawdown, tally.held) == (0.0, -1.0, 1.0, 1.0, 0)


def test_too_little_room_is_told():
    market = market_of(CALM, CALM, CALM)
    arrays = market_arrays([market], [GENERIC_TIERS], costs=FREE, leverage=1.0, sizing=EQUITY)
    terms = terms_of(FREE, 1.0, CASH, EQUITY, RULES, 0)
    wanted = wishes_of([wishes(market, {0: 1}, exits=[1])])
    for room in (1, 2):
        tally = fill_orders(*arrays, wanted, terms, np.zeros(room, ORDER), *nothing()[1:])
        assert (tally.status, tally.orders) == ({1: FULL, 2: OK}[room], 2)


@numba.njit(parallel=True)
def sweep(bars, arrivals, distance, books, venues, brackets, wanted, begins, terms, out):
    for i in numba.prange(out.shape[0]):
        orders, trades = np.empty(0, ORDER), np.empty(0, TRADE)
        equity, position = np.empty(0), np.empty((0, 0), np.int8)
        tally = fill_orders(
            bars, arrivals, distance, books, venues, brackets, wanted[begins[i] : begins[i + 1]], terms[i : i + 1],
            orders, trades, equity, position,
        )  # fmt: skip
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = tally.equity, tally.total, tally.squares, tally.trades


def test_a_parallel_sweep_gets_what_single_runs_get():
    rng = np.random.default_rng(7)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 500)))
    market = market_of(*np.column_stack([close, close * 1.01, close * 0.99, close]))
    arrays = market_arrays([market], [GENERIC_TIERS], costs=FREE, leverage=5.0, sizing=EQUITY)
    wanted, terms = [], []
    for i in range(24):
        entries = {int(bar): int(side) for bar, side in zip(rng.choice(500, 40, replace=False), rng.choice([-1, 1], 40), strict=True)}
        wanted.append(wishes_of([wishes(market, entries, trail=0.02, max_bars=i)]))
        terms.append(terms_of(Costs.binance_usdm(), 1.0 + i / 3, CASH, EQUITY, RULES, i % 3))
    out = np.zeros((24, 4))
    begins = np.r_[0, np.cumsum([one.size for one in wanted])]
    sweep(*arrays, read_only(np.concatenate(wanted)), begins, read_only(np.concatenate(terms)), out)
    alone = [fill_orders(*arrays, one, settings, *nothing()) for one, settings in zip(wanted, terms, strict=True)]
    assert out.tolist() == [[tally.equity, tally.total, tally.squares, tally.trades] for tally in alone]
    assert len(set(out[:, 0])) == 24

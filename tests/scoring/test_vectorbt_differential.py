"""Our fill loop against vectorbt's: wherever from_signals can express the case, order by order.

What it can express: market entries and exits on either side, reversals, opposite entries that only close or are ignored, wishes that
wait over unobserved bars, entries refused because their stop or target was already passed, time exits, taker fees, slippage of market
orders and of stops, stops, trailing stops and targets within a bar, gaps through them, and the stop where a bar holds both. Sizes:
a fixed notional, cut down to the cash; and a share of equity, where no entry reverses.

What it cannot, and is taken out of the drawn wishes before the comparison, or not drawn:

- a stop or target on the bar of its entry, and one in a bar at whose open the position leaves anyway: vectorbt fills one order a bar;
- leaving and entering again at one open without reversing, for the same reason;
- a trailing stop that already follows the extreme of the bar of its entry, and one beside a fixed stop;
- the size of a reversal by equity, which we know at the close that decides it and vectorbt at the open that fills it;
- liquidations, funding, leverage, a maker fee of its own, and slippage of stops but not of targets: it has one of each;
- a target that price only touches, which fills there but not here: levels lie between the ticks, so that nothing only touches them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from generators import START_NS, STEP_NS, TICK, markets, whole
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liqbt.market import MarketFrame
from liqbt.scoring import Costs, backtest
from liqbt.scoring._records import REASONS
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.sizing import EquityShare, FixedNotional
from liqbt.scoring.vectorbt_fills import simulate
from liqbt.signals import Signals

CASH = 1_000.0
BETWEEN = 0.3719  # of a tick: no level is a price


@st.composite
def cases(draw):
    """Odd markets without funding and marks, wishes on them, and settings that vectorbt has too."""
    market = draw(markets(funding=False, mark=False, open_interest=False))
    return case_on(market, lambda low, high: draw(whole(market.n_bars, low, high)), lambda options: draw(st.sampled_from(options)))


def lively_case(seed):
    """The same on a market with a life."""
    rng = np.random.default_rng(seed)
    market = lively_market(rng)
    return case_on(
        market, lambda low, high: rng.integers(low, high + 1, market.n_bars), lambda options: options[rng.integers(len(options))]
    )


def case_on(market, numbers, choose):
    """numbers(low, high): whole ones, one a bar. choose(options): one of them."""
    rules = TradingRules(on_opposite=choose(("reverse", "reverse", "close", "ignore")))
    stops, targets = choose(("none", "price", "trail")), choose((False, True))
    sides = np.array(choose(((0,) * 12 + (1, -1), (0,) * 5 + (1, -1), (0, 0, 0, 1), (0, 0, -1), (1, -1))))
    entry = sides[numbers(0, sides.size - 1)]

    def levels(sign):  # near the close, or where another bar had its extreme
        ticks, other = numbers(0, 60), numbers(0, market.n_bars - 1)
        borrowed = np.where(sign * entry > 0, market.high[other], market.low[other])
        level = np.where(ticks < 10, borrowed, market.close + sign * entry * TICK * ticks)
        return np.where((ticks == 0) | (level <= 0), np.nan, level + BETWEEN * TICK)

    signals = Signals.of(
        market,
        entry=entry,
        exit=(numbers(0, 24) == 0) & choose((False, True)),
        stop_price=levels(-1) if stops == "price" else None,
        target_price=levels(1) if targets else None,
        trailing_stop=np.array([0.0237, 0.00371, 0.0137, 0.0419])[numbers(0, 3)] if stops == "trail" else None,
        max_bars=numbers(0, 9) * choose((0, 0, 1)),
    )
    fee = choose((0.0, 0.0007, 0.01))
    costs = Costs(
        taker_fee_rate=fee,
        maker_fee_rate=fee if targets else 0.0,
        slippage_bps=0.0 if stops != "none" and targets else choose((0.0, 3.0, 40.0)),
        funding=False,
    )
    sizes = [FixedNotional(notional=137.0), FixedNotional(notional=880.0), FixedNotional(notional=5_000.0)]
    if rules.on_opposite != "reverse" or not {1, -1} <= set(sides):
        sizes += [EquityShare(), EquityShare(share=0.37)]
    options = {"costs": costs, "sizing": choose(sizes), "rules": rules, "initial_cash": CASH}
    return expressible(signals, market, options), market, options


def lively_market(rng):
    """A walk of 250 bars in ticks, with gaps, bars that go one way only, and bars that were not recorded."""
    count = 250
    body = rng.integers(-12, 13, count)
    gap = rng.integers(-9, 10, count) * (rng.random(count) < 0.3)
    close = 3_000 + np.cumsum(gap + body)
    open_ = close - body
    upper, lower = rng.integers(0, 9, (2, count)) * (rng.random((2, count)) < 0.5)
    prices = {"open": open_, "high": np.maximum(open_, close) + upper, "low": np.minimum(open_, close) - lower, "close": close}
    kept = np.append(True, rng.random(count - 1) < 0.9)
    stamps = pd.to_datetime(START_NS + STEP_NS * np.arange(count), utc=True)
    bars = pd.DataFrame({name: TICK * values for name, values in prices.items()}).assign(timestamp=stamps, volume=1.0)
    return MarketFrame.from_frames(bars=bars[kept], venue="nowhere", symbol="TESTUSDT", interval="5m")


def expressible(signals, market, options):
    """The wishes without what one order a bar cannot do; found by our own fills, which are compared afterwards all the same."""
    while True:
        fills = backtest(signals, market, **options).fills
        change = first_obstacle(signals, market, fills, options["rules"].on_opposite)
        if change is None:
            return signals
        names, bar = change
        arrays = {name: getattr(signals, name).copy() for name in names}
        for name, array in arrays.items():
            array[bar] = 0 if name == "entry" else np.nan
        signals = replace(signals, **arrays)


def first_obstacle(signals, market, fills, on_opposite):
    """The fields to be emptied at a bar, or None."""
    if fills.ruined:
        return ("entry",), int(np.flatnonzero(signals.entry[: fills.trades["entry_bar"][-1]])[-1])
    levels_of = ("stop_price", "target_price", "trailing_stop")
    before = None
    for trade in fills.trades:
        first, end, side = int(trade["entry_bar"]), int(trade["exit_bar"]), int(trade["side"])
        wish = int(np.flatnonzero(signals.entry[:first])[-1])
        reason = REASONS[trade["reason"]]
        if reason == "liquidation":
            return ("entry",), wish
        again = before is not None and before["exit_bar"] == first
        if again and (before["side"] == side or on_opposite != "reverse"):
            return ("entry",), wish
        trail = signals.trailing_stop[wish]
        best = (market.high if side > 0 else market.low)[first]
        if end == first or (not np.isnan(trail) and side * (best - trade["entry_price"]) > 0):
            return levels_of, wish
        if reason in ("exit", "time", "reversal"):
            peak = side * max(side * trade["entry_price"], (side * (market.high if side > 0 else market.low)[first:end]).max())
            levels = np.array([signals.stop_price[wish], peak * (1 - side * trail), signals.target_price[wish]])
            within = (market.low[end] <= levels) & (levels <= market.high[end])
            gone = side * (market.open[end] - levels) * np.array([1, 1, -1]) <= 0
            if (within | gone).any():
                return levels_of, wish
        before = trade
    return None


def check(case):
    """Compare all that both record; return what vectorbt filled."""
    signals, market, options = case
    ours = backtest(signals, market, **options).fills
    theirs, _ = simulate(signals, market, **options)
    for name in ("bar", "side", "reason"):
        assert ours.orders[name].tolist() == theirs.orders[name].tolist(), name
    error = 1e-9 * ours.equity.max()  # a reversal's new size is a difference of greater numbers
    for name in ("size", "price", "fee", "slippage"):
        assert theirs.orders[name] == pytest.approx(ours.orders[name], rel=1e-9, abs=error if name != "price" else 0), name
    for name in ("entry_bar", "exit_bar", "side", "reason"):
        assert ours.trades[name].tolist() == theirs.trades[name].tolist(), name
    for name in ("amount", "entry_price", "exit_price", "fees", "slippage", "pnl", "mae", "mfe"):
        assert theirs.trades[name] == pytest.approx(ours.trades[name], rel=1e-9, abs=error, nan_ok=True), name
    assert theirs.equity == pytest.approx(ours.equity, rel=1e-9, abs=error)
    assert theirs.position.tolist() == ours.position.tolist()
    assert theirs.rejected == ours.rejected
    return theirs


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(cases())
def test_orders_are_vectorbts(case):
    check(case)


def test_lively_markets_have_the_same_orders():
    seen = Counter()
    for seed in range(45):
        case = lively_case(seed)
        fills = check(case)
        seen.update(REASONS[reason] for reason in fills.trades["reason"])
        seen["refused"] += fills.rejected
        seen["waited"] += int((~case[1].observed[fills.trades["entry_bar"] - 1]).sum())
    kinds = ("exit", "stop", "trail", "target", "time", "reversal", "refused", "waited", "open")
    assert min(seen[kind] for kind in kinds) >= 5, seen

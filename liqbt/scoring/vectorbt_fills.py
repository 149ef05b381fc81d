"""Fills by vectorbt's own `Portfolio.from_signals`: what its users get from the same wishes, and a second opinion on our fill loop.

Wishes decided at a close are filled at the open of the next observed bar, as by our loop; the rest is vectorbt's:

- No leverage, no margin and no liquidation, so a short may cost more than the account holds. No funding.
- One order a bar. So nothing is stopped on the bar of its entry; an exit, wished or by time, does not come with a new entry at the same
  open, but for a reversal; and a stop or target within a bar comes before what was wished for that bar's open.
- Targets fill at a touch. Fees and slippage cannot differ by kind of order: targets pay the taker fee, and slippage too where any
  entry has a stop, for stops pay it. Without stops targets pay none.
- Levels are fractions of the entry's fill price, so they agree with the wished prices to rounding.
- A trailing stop follows the extremes of the bars after the entry's, each from the next bar on.
- A reversal puts up the equity at the open that fills it, not at the close that decided it.

vectorbt knows no time exits: they are exits put where the trades of the run before fell due, until two runs agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from liqbt._time import format_ns
from liqbt._typing import IntArray1D
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.scoring.costs import Costs
from liqbt.scoring.fills import Fills
from liqbt.scoring.portfolio import load_vectorbt, naive_index
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.sizing import EquityShare, FixedNotional, Sizing, VolatilityTarget
from liqbt.scoring.vectorbt_records import Trip, VectorbtRun, fills_of, trips_of
from liqbt.signals import Signals

__all__ = ["simulate"]


def simulate(
    signals: Signals,
    market: MarketFrame,
    *,
    costs: Costs,
    initial_cash: float,
    leverage: float = 1.0,
    sizing: Sizing | None = None,
    rules: TradingRules | None = None,
) -> tuple[Fills, tuple[str, ...]]:
    """Return the fills of `signals` by vectorbt and what a reader must know of them; the module's docstring tells the rules.

    initial_cash: quote. sizing: `EquityShare()` where None. rules: `TradingRules()` where None. `Fills.equity` is vectorbt's value.

    Raises ConfigError for what vectorbt cannot express: leverage, sizing by volatility, a share of equity where entries reverse, latency,
    cooldown, slippage by depth, limit and trigger entries, and a stop price together with a trailing stop.
    """
    sizing, rules = sizing or EquityShare(), rules or TradingRules()
    _check(signals, market, costs, leverage, sizing, rules)
    run = _asked(signals, market, costs, sizing, rules)
    due = np.zeros(run.bar.size, dtype=np.int64)  # side of the position that must leave by time, 0 for none
    while True:  # a run is right up to the first wrong `due`, so each sets at least one more right
        portfolio = _from_signals(run, due, market, costs, initial_cash, percent=isinstance(sizing, EquityShare) and sizing.share < 1)
        trips = trips_of(portfolio.orders.records)
        overdue = _due(run, trips)
        if np.array_equal(due, overdue):
            break
        due = overdue
    value = np.asarray(portfolio.value(), dtype=np.float64)
    fills = fills_of(run, trips, due, market, value=value, initial_cash=initial_cash, ruin=rules.ruin_share * initial_cash)
    return fills, _notes(run, signals, costs)


def _check(signals: Signals, market: MarketFrame, costs: Costs, leverage: float, sizing: Sizing, rules: TradingRules) -> None:
    reverses = rules.on_opposite == "reverse" and bool((signals.entry > 0).any() and (signals.entry < 0).any())
    for wrong, what, remedy in (
        (leverage != 1, f"leverage: {leverage:g}", "set it to 1"),
        (isinstance(sizing, VolatilityTarget), f"sizing: {sizing!r}", "use FixedNotional or EquityShare"),
        (
            isinstance(sizing, EquityShare) and sizing.share < 1 and reverses,
            f"sizing: {sizing!r} with entries that reverse",
            "use FixedNotional, EquityShare(share=1.0) or on_opposite='close'",
        ),
        (rules.latency_bars != 0, f"latency_bars: {rules.latency_bars}", "set it to 0"),
        (rules.latency_ms != 0, f"latency_ms: {rules.latency_ms:g}", "set it to 0"),
        (rules.cooldown_bars != 0, f"cooldown_bars: {rules.cooldown_bars}", "set it to 0"),
        (costs.depth_slippage, "depth_slippage: True", "set it to False"),
    ):
        if wrong:
            raise ConfigError(f"{what} cannot be expressed by vectorbt's from_signals; {remedy}, or use fills='liqbt'")
    has = {name: ~np.isnan(getattr(signals, name)) for name in ("limit_price", "trigger_price", "stop_price", "trailing_stop")}
    for name, at, remedy in (
        ("limit_price", has["limit_price"], "enter at the market"),
        ("trigger_price", has["trigger_price"], "enter at the market"),
        ("trailing_stop beside a stop_price", has["trailing_stop"] & has["stop_price"], "keep one of them"),
    ):
        if at.any():
            when = format_ns(market.timestamp[int(at.argmax())])
            raise ConfigError(
                f"{signals.name}: the {name} of the entry decided at {when} cannot be expressed by vectorbt's from_signals; "
                f"{remedy}, or use fills='liqbt'"
            )


def _asked(signals: Signals, market: MarketFrame, costs: Costs, sizing: Sizing, rules: TradingRules) -> VectorbtRun:
    bar = np.flatnonzero(market.observed)
    before = np.append(-1, bar[:-1])  # the observed bar before: wishes decided from its close on wait for this one
    decided = bar - 1
    at = np.arange(market.n_bars)
    newest = np.maximum.accumulate(np.where(signals.entry != 0, at, -1))[decided]
    exited = np.maximum.accumulate(np.where(signals.exit, at, -1))[decided]
    first = np.maximum(before, 0)
    waits = decided >= 0  # of the first bar nothing was decided before
    leave = waits & (exited >= first)
    wish = np.where(waits & (newest >= first) & (newest >= exited), newest, -1)
    side = np.where(wish >= 0, signals.entry[wish], 0).astype(np.int64)

    open_, slippage = market.open[bar], costs.slippage
    fill = open_ * (1.0 + side * slippage)
    stop, target, trail = (
        np.where(side != 0, getattr(signals, name)[wish], np.nan) for name in ("stop_price", "target_price", "trailing_stop")
    )
    passed = (side * (fill - stop) <= 0) | (side * (target - fill) <= 0)  # NaN compares False
    distance = np.where(np.isnan(trail), side * (fill - stop) / fill, trail)
    taken = np.where(passed, 0, side)
    size = sizing.share if isinstance(sizing, EquityShare) and sizing.share < 1 else np.inf
    stops = not np.isnan(distance[taken != 0]).all()
    return VectorbtRun(
        bar=bar,
        open=open_,
        high=market.high[bar],
        low=market.low[bar],
        close=market.close[bar],
        side=taken,
        refused=np.where(passed, side, 0),
        leave=leave,
        max_bars=np.where(taken != 0, signals.max_bars[wish], 0),
        stop=np.where(passed, np.nan, distance),
        target=np.where(passed, np.nan, side * (target - fill) / fill),
        trailing=~np.isnan(trail),
        size=sizing.notional / fill if isinstance(sizing, FixedNotional) else np.full(bar.size, size),
        slippage=slippage,
        slipped_targets=stops,
        on_opposite=rules.on_opposite,
    )


def _from_signals(run: VectorbtRun, due: IntArray1D, market: MarketFrame, costs: Costs, initial_cash: float, *, percent: bool) -> Any:
    vbt = load_vectorbt()
    closes = run.refused * (run.on_opposite != "ignore")  # an entry that is refused, but for what it would have ended
    return vbt.Portfolio.from_signals(
        pd.Series(run.close, index=naive_index(market.timestamp[run.bar])),
        open=run.open, high=run.high, low=run.low, price=run.open,
        entries=(run.side > 0) & (due <= 0), short_entries=(run.side < 0) & (due >= 0),
        exits=run.leave | (due > 0) | (closes < 0), short_exits=run.leave | (due < 0) | (closes > 0),
        upon_long_conflict="entry", upon_short_conflict="entry", upon_dir_conflict="ignore", upon_opposite_entry=run.on_opposite,
        accumulate=False, size=run.size, size_type="percent" if percent else "amount",
        min_size=0.0, max_size=np.inf, size_granularity=np.nan, reject_prob=0.0, lock_cash=True, allow_partial=True,
        fees=costs.taker_fee_rate, fixed_fees=0.0, slippage=run.slippage,
        raise_reject=False, sl_stop=run.stop, sl_trail=run.trailing, tp_stop=run.target, use_stops=True,
        stop_entry_price="fillprice", stop_exit_price="stopmarket" if run.slipped_targets else "stoplimit",
        upon_stop_exit="close", upon_stop_update="override", val_price=np.inf, update_value=False, ffill_val_price=True,
        init_cash=initial_cash, cash_sharing=False, log=False, freq=pd.Timedelta(market.interval_ns, unit="ns"),
        engine="numba",  # the Rust engine, where installed, would be taken silently
    )  # fmt: skip


def _due(run: VectorbtRun, trips: list[Trip]) -> IntArray1D:
    """Return where trades that still stand when their time is up must leave: their side, by observed bar."""
    due = np.zeros(run.bar.size, dtype=np.int64)
    for trip in trips:
        held = int(run.max_bars[trip.entry[0]])
        if held > 0:
            row = int(np.searchsorted(run.bar, run.bar[trip.entry[0]] + held))
            if row < run.bar.size and (trip.exit < 0 or trip.exit >= row):
                due[row] = trip.side
    return due


def _notes(run: VectorbtRun, signals: Signals, costs: Costs) -> tuple[str, ...]:
    held = run.side != 0
    stops, targets = (bool((~np.isnan(levels[held])).any()) for levels in (run.stop, run.target))
    notes = ["filled by vectorbt's from_signals: one order a bar, no leverage, no funding and no liquidation"]
    if stops or targets:
        notes.append("vectorbt stops nothing on the bar of its entry, and takes a stop or target before what was wished for the bar's open")
    if targets:
        slip = " and slippage" if run.slipped_targets and costs.slippage > 0 else ""
        notes.append(f"targets fill at a touch and pay the taker fee{slip}")
    if (signals.exit & (signals.entry != 0)).any():
        notes.append("an exit with an entry of the same bar was one order or none, for vectorbt fills one a bar")
    if bool((run.max_bars > 0).any()):
        notes.append("time exits were put as exits where trades fell due, for vectorbt has none")
    if bool((run.trailing & held).any()):
        notes.append("trailing stops follow the extremes of the bars after the entry's")
    return tuple(notes)

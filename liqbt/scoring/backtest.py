"""Execute signals on a market.

**When wishes arrive.** What a close decides reaches the market at the next open, or later by the latency. Of a latency within a bar the
recorded trades tell the price: the first trade stamped then or later. What is held or rests lives through the bar's trades before it, then
what is wished is done at that price, and only the trades from then on concern what it opened; the mark counts in both parts with the range
of the whole bar, for its instants are not recorded. Where no trade follows, or the bar is not observed, wishes wait for the next observed
open. Of those that wait the newest entry counts, and an exit takes back the entries before it.

**The rules**, bar by bar, in this order; of several markets each step is done for all of them, in their order:

1. In an unobserved bar nothing is filled: no order, no stop.
2. Funding stamped in a bar is paid at its open by the position carried into it: amount x price x rate, longs pay positive
   rates. The price is the mark's close of the bar before, the last that is known at the open, where marks are recorded;
   else the bar's open. What the wallet has free pays first; what it cannot cover drains the isolated margin and moves the liquidation
   price. No more is paid than that and the position are worth.
3. At the open, before anything voluntary: a carried position whose liquidation price the open has passed is liquidated. The open
   is that of trades, also where marks are recorded, for of those no open is kept. An entry wished then finds no position.
4. At the open, as market orders (taker fee, slippage): of a ruined account everything is closed. Else exits, then time exits, then
   entries. An exit also takes back the order that rests, and an entry replaces it, whatever becomes of it.
   A limit entry is executed at once where the open is at its limit or better, and never for a worse price than that; a trigger
   entry where the open is at its trigger or beyond. Else they rest, for `valid_bars` bars, this one included.
5. Within the bar, that of the entry included: a target that the open has passed fills at the open. Else the position is
   stopped (market order, at the stop or the open, whichever is worse) or liquidated, whichever price comes first on the way; where
   the open has passed both, it is liquidated. Else a target that price has traded through fills (limit order: maker
   fee, no slippage). So where a bar holds both, the stop wins. A trailing stop is a stop at its distance from the best price of the
   finished bars since entry, that of the entry included; of it and the stop price the tighter one counts.
6. Within the bar, an order that rests fills: a limit at its limit (maker fee, no slippage) once price has traded through it, also where the
   open has; a trigger as a market order at the trigger or the open, whichever is worse, once price has touched it. Meeting a position
   that ends in the same bar, the order comes first where the open has passed it but not what ends the position; where it lies against the
   position and its end does not; and on the same way where it is nearer.
7. A position opened so may have been opened anywhere in the bar: stop and liquidation are held to the whole bar's extreme
   against it. The target of a trigger entry counts if the bar's extreme is beyond it, that of a limit entry only if the close is, for the
   extreme may have come before.
8. Liquidation is triggered by the mark where recorded, else by trades, at the price that `liqbt.margin` tells, with the closing fee as
   the venue's `margin_rule` counts it. It loses the whole isolated margin: it fills at the bankruptcy price, entry - side x margin /
   amount, with no fee beyond. Margin is what the venue asks at entry, notional / leverage (and the closing fee where it is posted), or what
   funding has left of it. An exit, stop or target that would lose the margin or more, by a gap, slippage or its fee, is a liquidation
   too. So no trade loses more than its margin, entry fee and funding.
9. A position that is open at the end stays open and is valued at the last close.

**An entry** in the direction held is dropped when it comes to be filled. One against it closes it and opens (`on_opposite="reverse"`), only
closes it, or is dropped. It opens nothing in the `cooldown_bars` bars after a trade's end, nor, where stop or target are already passed at
its fill price: venues refuse orders that would trigger at once (Binance error -2021). Its size follows from the equity at the close that
decided it, open positions at that close (`liqbt.scoring.sizing`); it is cut down to what the venue allows at that leverage, and to
what is free: the balance without the profit of open positions, less the margins of other positions. It is not sent where nothing is free.
Sizes are not rounded to the venue's steps.

**Slippage** is `slippage_bps` of the price, or with `depth_slippage` what the order pays on its way through the newest book
known at the close before, if that is more: notional lies evenly between recorded distances, a greater order finds more of what the last
of them held, and the opening half of a reversal comes after the closing one. Without a known book it is `slippage_bps`.

**Ruin**: once equity at a close is at or below `ruin_share` of the initial cash, all is closed at the next open and nothing more opened.

Equity at a close is never below 0 where no marks are recorded. Where they are, an open position is still valued at the last trade,
which may lie beyond the bankruptcy price while the mark keeps the position alive; valued at the mark's close, equity is not below 0 in
any observed bar, and neither is it while nothing is held.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final, Literal

import numpy as np

from liqbt._time import format_ns
from liqbt.errors import ConfigError
from liqbt.margin import LeverageTier, max_leverage, tiers_or_generic
from liqbt.market import MarketFrame
from liqbt.scoring.arrivals import Trades, arrivals_of
from liqbt.scoring.costs import Costs
from liqbt.scoring.execution_notes import notes_of
from liqbt.scoring.fills import simulate_fills
from liqbt.scoring.inputs import wishes_of
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.score import Score
from liqbt.scoring.sizing import EquityShare, FixedNotional, Sizing
from liqbt.signals import Signals

__all__ = ["backtest", "buy_and_hold", "check_bars", "check_settings", "checked_tiers"]

SIMULATORS: Final = ("liqbt", "vectorbt")


def backtest(
    signals: Signals,
    market: MarketFrame,
    *,
    costs: Costs | None = None,
    leverage: float = 1.0,
    initial_cash: float = 10_000.0,
    sizing: Sizing | None = None,
    rules: TradingRules | None = None,
    trades: Trades | None = None,
    fills: Literal["liqbt", "vectorbt"] = "liqbt",
) -> Score:
    """Execute `signals` on `market` and return the Score; the module's docstring tells the rules.

    costs: `Costs.binance_usdm()` where None. leverage: multiple, from 1 (nothing borrowed, the default) to the venue's maximum.
    initial_cash: quote; 10,000 is a round number without meaning, but brackets and thus liquidations depend on size.
    sizing: `EquityShare()` where None: all of the equity. rules: `TradingRules()` where None.
    trades: canonical trades, one frame or frames in order of time; only a latency in milliseconds needs them.
    fills: who fills: `liqbt`, or `vectorbt` for its own simulation, which knows no leverage; the notes tell more.

    Raises ConfigError where signals are not of this market's bars, or a parameter is out of range; DataError where trades cannot be used.
    """
    costs = Costs.binance_usdm() if costs is None else costs
    sizing = EquityShare() if sizing is None else sizing
    rules = TradingRules() if rules is None else rules
    check_bars(signals, market)
    check_settings(leverage, initial_cash)
    if fills not in SIMULATORS:
        raise ConfigError(f"fills: {fills!r} must be one of {', '.join(SIMULATORS)}")
    if fills == "vectorbt":
        from liqbt.scoring.vectorbt_fills import simulate

        wishes_of([signals])  # refuses what our own loop would
        filled, notes = simulate(signals, market, costs=costs, initial_cash=initial_cash, leverage=leverage, sizing=sizing, rules=rules)
    else:
        tiers, assumed = checked_tiers(market, costs, leverage, initial_cash, sizing)
        arrivals, delay = arrivals_of([market], None if trades is None else [trades], rules)
        filled = simulate_fills(
            [signals], [market], costs=costs, leverage=leverage, sizing=sizing, rules=rules, initial_cash=initial_cash, tiers=[tiers],
            arrivals=arrivals, delay=delay,
        )  # fmt: skip
        filled = replace(filled, position=filled.position[:, 0])
        notes = (*assumed, *notes_of([signals], [market], filled, costs))
    return Score(
        name=signals.name,
        parameters=signals.parameters,
        signals=signals,
        market=market,
        costs=costs,
        leverage=float(leverage),
        sizing=sizing,
        rules=rules,
        initial_cash=float(initial_cash),
        fills=filled,
        notes=notes,
    )


def buy_and_hold(market: MarketFrame, *, costs: Costs | None = None, initial_cash: float = 10_000.0) -> Score:
    """Return the Score of a long position without leverage, wished at the first bar's close and never left.

    It pays what a strategy pays, funding included, so it is the yardstick of a long perpetual, not of spot.

    Raises ConfigError as `backtest` does.
    """
    entry = np.zeros(market.n_bars)
    entry[0] = 1.0
    return backtest(Signals.of(market, entry=entry, name="buy and hold"), market, costs=costs, initial_cash=initial_cash)


def check_settings(leverage: float, initial_cash: float) -> None:
    """Raise ConfigError for what no market allows."""
    if not (math.isfinite(initial_cash) and initial_cash > 0):
        raise ConfigError(f"initial_cash: {initial_cash!r} must be a finite number above 0")
    if not (math.isfinite(leverage) and leverage >= 1):
        raise ConfigError(f"leverage: {leverage!r} must be at least 1; use sizing to trade with less than the whole equity")


def checked_tiers(
    market: MarketFrame, costs: Costs, leverage: float, initial_cash: float, sizing: Sizing
) -> tuple[tuple[LeverageTier, ...], tuple[str, ...]]:
    """Return the brackets of `market` and what is assumed of them; raises ConfigError where they do not allow the first entry."""
    tiers, notes = tiers_or_generic(market.venue, market.symbol, market.tiers)
    highest = max_leverage(tiers)
    if leverage > highest:
        raise ConfigError(f"leverage: {leverage:g} is above the maximum of {highest:g} for {market.symbol} on {market.venue}")
    if isinstance(sizing, EquityShare):
        notional = initial_cash * sizing.share * leverage / (1 + leverage * costs.taker_fee_rate)
    else:
        notional = sizing.notional if isinstance(sizing, FixedNotional) else 0.0
    highest = max_leverage(tiers, notional)
    if leverage > highest:
        raise ConfigError(
            f"leverage: {leverage:g} is above the maximum of {highest:g} for a {market.symbol} position of {notional:g} quote on "
            f"{market.venue}; lower leverage, initial_cash or what sizing asks for"
        )
    return tiers, notes


def check_bars(signals: Signals, market: MarketFrame) -> None:
    """Raise ConfigError where signals are not of the market's bars."""
    for label, column in vars(signals).items():
        if isinstance(column, np.ndarray) and column.shape != (market.n_bars,):
            raise ConfigError(
                f"{signals.name}: {label} has shape {column.shape}, the market has {market.n_bars} bars; make signals from the same market"
            )
    if signals.timestamp is not market.timestamp and not np.array_equal(signals.timestamp, market.timestamp):
        bar = int((signals.timestamp != market.timestamp).argmax())
        raise ConfigError(
            f"{signals.name}: bar {bar} of the signals is {format_ns(signals.timestamp[bar])}, of the market "
            f"{format_ns(market.timestamp[bar])}; make signals from the same market"
        )
    both = ~np.isnan(signals.limit_price) & ~np.isnan(signals.trigger_price) & (signals.entry != 0)
    if both.any():
        when = format_ns(signals.timestamp[int(both.argmax())])
        raise ConfigError(f"{signals.name}: the entry decided at {when} has a limit and a trigger; an order has one of them, or none")

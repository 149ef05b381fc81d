"""Execute signals on a market.

The rules, bar by bar, in this order:

1. In an unobserved bar nothing is filled: no order, no stop. Wishes wait for the next observed bar, and the newest counts.
2. Funding stamped in a bar is paid at its open by the position carried into it: amount x price x rate, longs pay positive
   rates. The price is the mark's close of the bar before, the last that is known at the open, where marks are recorded;
   else the bar's open. The wallet pays first; what it cannot cover drains the isolated margin and moves the liquidation price.
   No more is paid than the wallet and the position are worth.
3. At the open, before anything voluntary: a carried position whose liquidation price the open has passed is liquidated. The open
   is that of trades, also where marks are recorded, for of those no open is kept. An entry wished then finds no position.
4. At the open, wishes decided at the close before are filled as market orders (taker fee, slippage): exits, then time exits,
   then entries. An entry in the direction held is ignored; one against it closes, then opens. An entry whose stop or target is
   already passed at its fill price is not sent, for venues refuse orders that would trigger at once (Binance error
   -2021); the position it would have reversed is closed all the same.
5. Within the bar, that of the entry included: a target that the open has passed fills at the open. Else the position is
   stopped (market order, at the stop or the open, whichever is worse) or liquidated, whichever price comes first on the way; where
   the open has passed both, it is liquidated. Else a target that price has traded through fills (limit order: maker
   fee, no slippage). So where a bar holds both, the stop wins.
6. Within the bar, liquidation is triggered by the mark where recorded, else by trades. It loses the whole isolated margin: it
   fills at the bankruptcy price, entry - side x margin / amount, with no fee beyond. Margin is notional at entry / leverage, or the
   wallet without the position's profit where funding has left less. An exit, stop or target that would lose the margin or
   more, by a gap, slippage or its fee, is a liquidation too. So no trade loses more than its margin, entry fee and funding.
7. A position that is open at the end stays open and is valued at the last close.

An entry's margin and fee together are equity x equity_share: its notional is equity x equity_share x leverage / (1 + leverage x taker
fee rate), cut down to what the venue allows at that leverage. So an entry at 1x borrows nothing. Below a millionth of the initial
cash the account counts as ruined. Order sizes are not rounded to the venue's steps.

Equity at a close is never below 0 where no marks are recorded. Where they are, an open position is still valued at the last trade,
which may lie beyond the bankruptcy price while the mark keeps the position alive; valued at the mark's close, equity is not below 0 in
any observed bar, and neither is it while nothing is held.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from liqbt._time import format_ns
from liqbt.errors import ConfigError
from liqbt.margin import max_leverage, tiers_or_generic
from liqbt.market import MarketFrame
from liqbt.scoring.costs import Costs
from liqbt.scoring.fills import Fills, simulate_fills
from liqbt.scoring.score import Score
from liqbt.signals import Signals

__all__ = ["backtest", "buy_and_hold"]

FUNDING_INTERVAL_NS: Final = 8 * 3_600_000_000_000  # of most symbols on Binance and Bybit


def backtest(
    signals: Signals,
    market: MarketFrame,
    *,
    costs: Costs | None = None,
    leverage: float = 1.0,
    equity_share: float = 1.0,
    initial_cash: float = 10_000.0,
) -> Score:
    """Execute `signals` on `market` and return the Score; the module's docstring tells the rules.

    costs: `Costs.binance_usdm()` where None. leverage: multiple, from 1 (nothing borrowed, the default) to the venue's maximum.
    equity_share: share of equity put up as margin and entry fee by each entry, above 0 and at most 1 (all of it, the default).
    initial_cash: quote; 10,000 is a round number without meaning, but brackets and thus liquidations depend on size.

    Raises ConfigError where signals are not of this market's bars, or a parameter is out of range.
    """
    _check_bars(signals, market)
    if not 0 < equity_share <= 1:
        raise ConfigError(f"equity_share: {equity_share!r} must be above 0 and at most 1")
    if not (math.isfinite(initial_cash) and initial_cash > 0):
        raise ConfigError(f"initial_cash: {initial_cash!r} must be a finite number above 0")
    if not (math.isfinite(leverage) and leverage >= 1):
        raise ConfigError(f"leverage: {leverage!r} must be at least 1; use equity_share to trade with less than the whole equity")
    costs = Costs.binance_usdm() if costs is None else costs
    tiers, notes = tiers_or_generic(market.venue, market.symbol, market.tiers)
    notional = initial_cash * equity_share * leverage / (1 + leverage * costs.taker_fee_rate)
    if leverage > max_leverage(tiers):
        raise ConfigError(f"leverage: {leverage:g} is above the maximum of {max_leverage(tiers):g} for {market.symbol} on {market.venue}")
    highest = max_leverage(tiers, notional)
    if leverage > highest:
        raise ConfigError(
            f"leverage: {leverage:g} is above the maximum of {highest:g} for a {market.symbol} position of {notional:g} quote on "
            f"{market.venue}; lower leverage, initial_cash or equity_share"
        )
    fills = simulate_fills(
        signals, market, costs=costs, leverage=leverage, equity_share=equity_share, initial_cash=initial_cash, tiers=tiers
    )
    return Score(
        name=signals.name,
        parameters=signals.parameters,
        signals=signals,
        market=market,
        costs=costs,
        leverage=float(leverage),
        equity_share=float(equity_share),
        initial_cash=float(initial_cash),
        fills=fills,
        notes=(*notes, *_notes(signals, fills, market, costs)),
    )


def buy_and_hold(market: MarketFrame, *, costs: Costs | None = None, initial_cash: float = 10_000.0) -> Score:
    """Return the Score of a long position without leverage, wished at the first bar's close and never left.

    It pays what a strategy pays, funding included, so it is the yardstick of a long perpetual, not of spot.

    Raises ConfigError as `backtest` does.
    """
    entry = np.zeros(market.n_bars)
    entry[0] = 1.0
    return backtest(Signals.of(market, entry=entry, name="buy and hold"), market, costs=costs, initial_cash=initial_cash)


def _check_bars(signals: Signals, market: MarketFrame) -> None:
    for label in ("timestamp", "entry", "exit", "stop_price", "target_price", "max_bars"):
        shape = getattr(signals, label).shape
        if shape != (market.n_bars,):
            raise ConfigError(
                f"{signals.name}: {label} has shape {shape}, the market has {market.n_bars} bars; make signals from the same market"
            )
    different = signals.timestamp != market.timestamp
    if different.any():
        bar = int(different.argmax())
        raise ConfigError(
            f"{signals.name}: bar {bar} of the signals is {format_ns(signals.timestamp[bar])}, of the market "
            f"{format_ns(market.timestamp[bar])}; make signals from the same market"
        )
    for label in ("stop_price", "target_price"):
        if np.isinf(getattr(signals, label)).any():
            raise ConfigError(f"{signals.name}: {label} is infinite in some bar; write NaN for none")


def _notes(signals: Signals, fills: Fills, market: MarketFrame, costs: Costs) -> tuple[str, ...]:
    notes = []
    if not costs.funding:
        notes.append("funding was switched off")
    elif market.funding_rate is None:
        notes.append("no funding is recorded: none was paid or received")
    elif market.interval_ns > FUNDING_INTERVAL_NS:
        notes.append("bars are longer than 8 hours: payments within a bar are charged at its open to what was carried into it")
    if signals.dropped:
        notes.append(f"{_entries(signals.dropped)} not sent: stop or target on the wrong side of the close")
    if fills.capped:
        notes.append(f"{_entries(fills.capped)} cut down to the greatest notional that the venue allows at this leverage")
    if fills.ruined:
        notes.append("the account was ruined: nothing was left to trade with")
    return tuple(notes)


def _entries(count: int) -> str:
    return "1 entry was" if count == 1 else f"{count} entries were"

"""Score: what a strategy earned on a market, what it paid, and how often it was stopped or liquidated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from liqbt.market import MarketFrame
from liqbt.scoring.base_score import AccountScore
from liqbt.scoring.portfolio import build_portfolio
from liqbt.scoring.trade_tables import orders_table, trades_table
from liqbt.signals import Signals

__all__ = ["Score"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Score(AccountScore):
    """One strategy, executed once on one market.

    name, parameters: the strategy and its settings. signals, market, costs: what it was made from.
    leverage: multiple. sizing: how large entries were. rules: how it traded. initial_cash: quote.
    fills: the records that everything below is derived from.
    notes: what a reader of the numbers must know, such as assumed leverage tiers.

    Everything else is computed when first asked for; only `portfolio` and `stats` import vectorbt, which takes seconds.
    """

    parameters: Mapping[str, Any]
    signals: Signals
    market: MarketFrame

    @property
    def frames(self) -> tuple[MarketFrame, ...]:
        """The market, alone."""
        return (self.market,)

    @property
    def wishes(self) -> tuple[Signals, ...]:
        """The wishes, alone."""
        return (self.signals,)

    @cached_property
    def position(self) -> pd.Series[int]:
        """Position at each bar's close, -1, 0 or 1; indexed by bar open time, UTC."""
        return pd.Series(self.fills.position, index=self.market.index, name="position")

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a round trip, in the order of entry.

        entry_time, exit_time: open time of the bar, UTC; exit_time is NaT while open. side: long or short. amount: base.
        entry_price, exit_price: quote, slippage included; exit_price is NaN while open.
        fees, funding, slippage: quote, costs of the whole trip, positive when paid. pnl: quote, net of all costs; of an open
        trade, at the last close. return: pnl over the notional at entry. reason: why it ended, `open` if it has not.
        bars: bars from the entry's to the exit's (or the last). mae, mfe: greatest adverse and favourable move as fractions
        of the entry price; of the bar in which the trade ended only the exit price counts.
        """
        return trades_table(self.fills, self.market.index)

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order or a funding payment, in the order they happened.

        time: open time of the bar, UTC. side: buy or sell; of funding, long or short. size: base, 0 for funding. price: quote,
        slippage included; of funding, the price it was computed at. fee: quote; of funding, the payment, negative when received.
        slippage: quote. reason: entry, exit, stop, trail (a trailing stop), target, time, reversal, liquidation, ruin or funding.
        """
        return orders_table(self.fills, self.market.index)

    @cached_property
    def portfolio(self) -> Any:
        """The account as a `vectorbt.Portfolio`, with vectorbt's statistics and plots; its index is tz-naive UTC."""
        return build_portfolio(self.fills, self.market, initial_cash=self.initial_cash, name=self.name)

    def __repr__(self) -> str:
        earned = self.fills.equity[-1] / self.initial_cash - 1.0
        return (
            f"Score({self.name} on {self.market.venue} {self.market.symbol} {self.market.interval}, {self.fills.trades.size} trades, "
            f"{earned:+.2%} at {self.leverage:g}x{', ruined' if self.fills.ruined else ''})"
        )

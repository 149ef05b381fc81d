"""PortfolioScore: several symbols traded out of one wallet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from liqbt.market import MarketFrame
from liqbt.scoring.base_score import AccountScore
from liqbt.scoring.breakdown import by_asset
from liqbt.scoring.portfolio import build_grouped_portfolio
from liqbt.scoring.trade_tables import orders_table, trades_table
from liqbt.signals import Signals

__all__ = ["PortfolioScore"]


@dataclass(frozen=True, kw_only=True, eq=False)
class PortfolioScore(AccountScore):
    """Several markets on the same bars, traded out of one wallet with isolated margins.

    name: of the account. signals, markets: one each, in the order of the fills' `asset`. costs, leverage, sizing, rules: of every
    symbol. initial_cash: quote. fills: the records that everything below is derived from; `position` has shape (n_bars, n_assets).
    notes: what a reader of the numbers must know.

    Everything else is computed when first asked for; only `portfolio` and `stats` import vectorbt, which takes seconds.
    """

    signals: tuple[Signals, ...]
    markets: tuple[MarketFrame, ...]

    @property
    def frames(self) -> tuple[MarketFrame, ...]:
        """The markets."""
        return self.markets

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Names of the markets, each once: the symbol, with its venue where two venues have it, numbered where that is not enough."""
        names = [market.symbol for market in self.markets]
        names = [f"{m.venue} {m.symbol}" if names.count(m.symbol) > 1 else m.symbol for m in self.markets]
        seen: Counter[str] = Counter()
        for place, name in enumerate(names):
            seen[name] += 1
            names[place] = f"{name} {seen[name]}" if names.count(name) > 1 or seen[name] > 1 else name
        return tuple(names)

    @property
    def wishes(self) -> tuple[Signals, ...]:
        """The wishes, one of each market."""
        return self.signals

    @cached_property
    def position(self) -> pd.DataFrame:
        """Position at each bar's close, -1, 0 or 1, a column a symbol; indexed by bar open time, UTC."""
        return pd.DataFrame(self.fills.position, index=self.markets[0].index, columns=self._columns)

    @cached_property
    def trades(self) -> pd.DataFrame:
        """One row a round trip, in the order of the fills: `symbol` and the columns of `Score.trades`."""
        return trades_table(self.fills, self.markets[0].index, self.symbols)

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order or a funding payment, in the order they happened: `symbol` and the columns of `Score.orders`."""
        return orders_table(self.fills, self.markets[0].index, self.symbols)

    @cached_property
    def contributions(self) -> pd.DataFrame:
        """What each symbol has earned by each bar's close, in quote, net of costs; with the initial cash they add up to `equity`.

        A column a symbol; indexed by bar open time, UTC.
        """
        orders, n_bars = self.fills.orders, self.markets[0].n_bars
        traded = orders["side"] * orders["size"]  # 0 for funding
        columns = {}
        for asset, (symbol, market) in enumerate(zip(self.symbols, self.markets, strict=True)):
            own = orders["asset"] == asset
            bars, amount = orders["bar"][own], traded[own]
            cash = np.bincount(bars, weights=-amount * orders["price"][own] - orders["fee"][own], minlength=n_bars)
            held = np.cumsum(np.bincount(bars, weights=amount, minlength=n_bars))
            held[self.fills.position[:, asset] == 0] = 0.0  # what rounding left of closed positions
            columns[symbol] = np.cumsum(cash) + held * market.close
        return pd.DataFrame(columns, index=self.markets[0].index).rename_axis(columns="symbol")

    @cached_property
    def by_symbol(self) -> pd.DataFrame:
        """Results by symbol; `liqbt.scoring.breakdown` tells the columns, and fees, funding and slippage are in quote."""
        return by_asset(self.fills, self.markets[0].timestamp, self.symbols)

    @cached_property
    def portfolio(self) -> Any:
        """The account as a `vectorbt.Portfolio` of one group that shares its cash, a column a symbol; its index is tz-naive UTC."""
        return build_grouped_portfolio(self.fills, self.markets, initial_cash=self.initial_cash, columns=self.symbols)

    @property
    def _columns(self) -> pd.Index[Any]:
        return pd.Index(list(self.symbols), name="symbol")

    def __repr__(self) -> str:
        earned = self.fills.equity[-1] / self.initial_cash - 1.0
        return (
            f"PortfolioScore({self.name} on {', '.join(self.symbols)}, {self.fills.trades.size} trades, "
            f"{earned:+.2%} at {self.leverage:g}x{', ruined' if self.fills.ruined else ''})"
        )

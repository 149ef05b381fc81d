"""Score: what a strategy earned on a market, what it paid, and how often it was stopped or liquidated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from liqbt._typing import Float64Array1D
from liqbt.market import MarketFrame
from liqbt.scoring._kernels import REASONS
from liqbt.scoring.costs import Costs
from liqbt.scoring.fills import Fills
from liqbt.scoring.portfolio import build_portfolio, portfolio_stats
from liqbt.signals import Signals

__all__ = ["Score"]

REPLACED = ("Max Gross Exposure [%]", "Total Fees Paid")  # vectorbt's know neither margin nor funding; ours say it better
RENAMED = {"Benchmark Return [%]": "Price Change [%]"}  # a benchmark would pay costs and funding, as `buy_and_hold` does


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """One strategy, executed once on one market.

    name, parameters: the strategy and its settings. signals, market, costs: what it was made from.
    leverage: multiple. equity_share: share of equity put up as margin and fee of each entry. initial_cash: quote.
    fills: the records that everything below is derived from.
    notes: what a reader of the numbers must know, such as assumed leverage tiers.

    Everything else is computed when first asked for; only `portfolio` and `stats` import vectorbt, which takes seconds.
    """

    name: str
    parameters: Mapping[str, Any]
    signals: Signals
    market: MarketFrame
    costs: Costs
    leverage: float
    equity_share: float
    initial_cash: float
    fills: Fills
    notes: tuple[str, ...] = ()

    @property
    def rejected(self) -> int:
        """Number of entries that were not sent because of their stop or target.

        It lay on the wrong side of the close that decided the entry, or was already passed at the fill price.
        """
        return self.fills.rejected + self.signals.dropped

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Equity in quote at each bar's close, open positions at the last trade price; indexed by bar open time, UTC."""
        return pd.Series(self.fills.equity, index=self.market.index, name="equity")

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
        rows = self.fills.trades
        closed = rows["exit_bar"] >= 0
        last = np.where(closed, rows["exit_bar"], self.market.n_bars - 1)
        return pd.DataFrame(
            {
                "entry_time": self.market.index[rows["entry_bar"]],
                "exit_time": pd.Series(self.market.index[last]).where(closed),
                "side": pd.Series(np.where(rows["side"] > 0, "long", "short"), dtype="str"),
                "amount": rows["amount"],
                "entry_price": rows["entry_price"],
                "exit_price": rows["exit_price"],
                "fees": rows["fees"],
                "funding": rows["funding"],
                "slippage": rows["slippage"],
                "pnl": rows["pnl"],
                "return": rows["pnl"] / (rows["amount"] * rows["entry_price"]),
                "reason": self._reasons(rows["reason"]),
                "bars": last - rows["entry_bar"],
                "mae": rows["mae"],
                "mfe": rows["mfe"],
            }
        )

    @cached_property
    def orders(self) -> pd.DataFrame:
        """One row an order or a funding payment, in the order they happened.

        time: open time of the bar, UTC. side: buy or sell; of funding, long or short. size: base, 0 for funding. price: quote,
        slippage included; of funding, the price it was computed at. fee: quote; of funding, the payment, negative when received.
        slippage: quote. reason: entry, exit, stop, target, time, reversal, liquidation or funding.
        """
        rows = self.fills.orders
        funding = rows["reason"] == REASONS.index("funding")
        buys = rows["side"] > 0
        side = np.where(funding, np.where(buys, "long", "short"), np.where(buys, "buy", "sell"))
        return pd.DataFrame(
            {
                "time": self.market.index[rows["bar"]],
                "side": pd.Series(side, dtype="str"),
                "size": rows["size"],
                "price": rows["price"],
                "fee": rows["fee"],
                "slippage": rows["slippage"],
                "reason": self._reasons(rows["reason"]),
            }
        )

    @cached_property
    def trading_stats(self) -> pd.Series[Any]:
        """What a perpetual trader needs and vectorbt does not know; needs no vectorbt.

        Money in quote. `Exposure [%]`: share of bars that closed in a position. `Turnover`: traded notional over mean equity.
        `Average Holding`: mean time from entry to exit, or to the end. `Ruined`: whether nothing was left to trade with.
        """
        orders, trades = self.fills.orders, self.fills.trades
        ended = {name: int(np.count_nonzero(trades["reason"] == code)) for code, name in enumerate(REASONS)}
        last = np.where(trades["exit_bar"] >= 0, trades["exit_bar"], self.market.n_bars - 1)
        bars = float((last - trades["entry_bar"]).mean()) if trades.size else np.nan
        return pd.Series(
            {
                "Fees Paid": float(trades["fees"].sum()),
                "Funding Paid": float(trades["funding"].sum()),
                "Slippage Cost": float(trades["slippage"].sum()),
                "Liquidations": ended["liquidation"],
                "Stops": ended["stop"],
                "Targets": ended["target"],
                "Time Exits": ended["time"],
                "Rejected Entries": self.rejected,
                "Exposure [%]": 100.0 * float(np.mean(self.fills.position != 0)),
                "Turnover": _turnover(orders["size"] * orders["price"], self.fills.equity),
                "Average Holding": pd.Timedelta(bars * self.market.interval_ns, unit="ns") if trades.size else pd.NaT,
                "Leverage": self.leverage,
                "Ruined": self.fills.ruined,
            },
            name=self.name,
            dtype=object,
        )

    @cached_property
    def portfolio(self) -> Any:
        """The account as a `vectorbt.Portfolio`, with vectorbt's statistics and plots; its index is tz-naive UTC."""
        return build_portfolio(self.fills, self.market, initial_cash=self.initial_cash, name=self.name)

    @cached_property
    def stats(self) -> pd.Series[Any]:
        """Statistics of `portfolio` by vectorbt, with `trading_stats` in place of its fees and exposure; times in UTC.

        `Price Change [%]` is vectorbt's benchmark: from the first close to the last, without costs, and so not `buy_and_hold`.
        `Max Drawdown [%]` is measured at bar closes: within a bar equity may have stood lower.
        """
        theirs = portfolio_stats(self.portfolio).drop(list(REPLACED), errors="ignore").astype(object).rename(index=RENAMED)
        for label in ("Start", "End"):
            theirs[label] = pd.Timestamp(theirs[label]).tz_localize("UTC")
        both: pd.Series[Any] = pd.concat([theirs, self.trading_stats])
        return both.rename(self.name)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: what was computed from them is computed again, and a vectorbt Portfolio cannot be pickled."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _reasons(self, codes: Any) -> pd.Series[str]:
        return pd.Series(np.array(REASONS, dtype=object)[codes], dtype="str")

    def __repr__(self) -> str:
        earned = self.fills.equity[-1] / self.initial_cash - 1.0
        return (
            f"Score({self.name} on {self.market.venue} {self.market.symbol} {self.market.interval}, {self.fills.trades.size} trades, "
            f"{earned:+.2%} at {self.leverage:g}x{', ruined' if self.fills.ruined else ''})"
        )


def _turnover(notional: Float64Array1D, equity: Float64Array1D) -> float:
    mean = float(equity.mean())
    return float(notional.sum()) / mean if mean > 0 else np.nan

"""What follows from the fills of an account, whether it traded one market or several."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from liqbt.market import MarketFrame
from liqbt.scoring.breakdown import by_hour, by_month, by_regime, by_weekday, monthly_returns
from liqbt.scoring.capacity import Capacity, trade_capacity
from liqbt.scoring.costs import Costs
from liqbt.scoring.fills import Fills
from liqbt.scoring.portfolio import portfolio_stats
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.sizing import Sizing
from liqbt.scoring.trade_stats import trade_stats
from liqbt.signals import Signals

__all__ = ["AccountScore"]

REPLACED: Final = ("Max Gross Exposure [%]", "Total Fees Paid")  # vectorbt's know neither margin nor funding; ours say it better
RENAMED: Final = {"Benchmark Return [%]": "Price Change [%]"}  # a benchmark would pay costs and funding, as `buy_and_hold` does


@dataclass(frozen=True, kw_only=True, eq=False)
class AccountScore:
    """One account, executed once: `Score` on one market, `PortfolioScore` on several.

    name: of the strategy. costs, leverage, sizing, rules: what it traded with; leverage is a multiple. initial_cash: quote.
    fills: the records that everything below is derived from.
    notes: what a reader of the numbers must know, such as assumed leverage tiers.

    Everything else is computed when first asked for; only `portfolio` and `stats` import vectorbt, which takes seconds.
    """

    name: str
    costs: Costs
    leverage: float
    sizing: Sizing
    rules: TradingRules
    initial_cash: float
    fills: Fills
    notes: tuple[str, ...] = ()

    @property
    def frames(self) -> tuple[MarketFrame, ...]:
        """The markets traded, in the order of the fills' `asset`; all on the same bars."""
        raise NotImplementedError

    @property
    def wishes(self) -> tuple[Signals, ...]:
        """What was wanted in each of the markets."""
        raise NotImplementedError

    @property
    def rejected(self) -> int:
        """Number of entries that were not sent because of their stop or target.

        It lay on the wrong side of the close that decided the entry, or was already passed at the fill price.
        """
        return self.fills.rejected + sum(signals.dropped for signals in self.wishes)

    @property
    def trades(self) -> pd.DataFrame:
        """One row a round trip, in the order of entry; `Score.trades` tells the columns."""
        raise NotImplementedError

    @property
    def portfolio(self) -> Any:
        """The account as a `vectorbt.Portfolio`, with vectorbt's statistics and plots; its index is tz-naive UTC."""
        raise NotImplementedError

    @cached_property
    def equity(self) -> pd.Series[float]:
        """Equity in quote at each bar's close, open positions at the last trade price; indexed by bar open time, UTC."""
        return pd.Series(self.fills.equity, index=self.frames[0].index, name="equity")

    @cached_property
    def drawdown(self) -> pd.Series[float]:
        """How far equity stands below its highest so far, as a fraction of that; 0 or less, at each bar's close; indexed as `equity`."""
        peak = np.maximum.accumulate(self.fills.equity)  # nothing is filled in the first bar, so it begins with the initial cash
        return pd.Series(self.fills.equity / peak - 1.0, index=self.frames[0].index, name="drawdown")

    @cached_property
    def trading_stats(self) -> pd.Series[Any]:
        """What a perpetual trader needs and vectorbt does not know; needs no vectorbt.

        Money in quote, over all trades, those still open included:
        `Fees Paid`, `Funding Paid`, `Slippage Cost`, and counts of what ended trades. `Largest Loss`: of one trade, net of its costs.
        `Exposure [%]`: share of bars that closed in a position. `Turnover`: traded notional over mean equity.
        `Average Holding`: mean time from entry to exit, or to the end.
        `Time Under Water [%]`: share of bars that closed below the highest equity so far. `Ruined`: whether nothing was left to trade with.

        Over the trades that ended: `Net Edge [bps]`, mean pnl over notional at entry, and `Gross Edge [bps]`, the same before
        fees, funding and slippage. `MAE` and `MFE`: the greatest move against and for a trade as a percentage of its entry price: mean,
        median and 95th percentile. `Capacity`: notional of a trade at which the edge is gone, see `capacity`.
        """
        numbers = trade_stats(
            self.fills,
            interval_ns=self.frames[0].interval_ns,
            leverage=self.leverage,
            rejected=self.rejected,
            capacity=self.capacity.capacity,
        )
        return pd.Series(numbers, name=self.name, dtype=object)

    @cached_property
    def stats(self) -> pd.Series[Any]:
        """Statistics of `portfolio` by vectorbt, with `trading_stats` in place of its fees and exposure; times in UTC.

        `Price Change [%]` is vectorbt's benchmark: from the first close to the last, without costs, and so not `buy_and_hold`; of
        several markets, with equal parts of the cash in each. `Max Drawdown [%]` is measured at bar closes: within a bar equity may
        have stood lower.
        """
        theirs = portfolio_stats(self.portfolio).drop(list(REPLACED), errors="ignore").astype(object).rename(index=RENAMED)
        for label in ("Start", "End"):
            theirs[label] = pd.Timestamp(theirs[label]).tz_localize("UTC")
        both: pd.Series[Any] = pd.concat([theirs, self.trading_stats])
        return both.rename(self.name)

    @cached_property
    def capacity(self) -> Capacity:
        """Edge against the size of a trade, from recorded depth; nothing is known where none was recorded."""
        return trade_capacity(self.fills, self.frames, self.wishes, slippage=self.costs.slippage, latency_bars=self.rules.latency_bars)

    @cached_property
    def by_month(self) -> pd.DataFrame:
        """Results by calendar month of entry; `liqbt.scoring.breakdown` tells the columns."""
        return by_month(self.fills, self.frames[0].timestamp)

    @cached_property
    def by_hour(self) -> pd.DataFrame:
        """Results by hour of entry, UTC; `liqbt.scoring.breakdown` tells the columns."""
        return by_hour(self.fills, self.frames[0].timestamp)

    @cached_property
    def by_weekday(self) -> pd.DataFrame:
        """Results by day of the week of entry, UTC; `liqbt.scoring.breakdown` tells the columns."""
        return by_weekday(self.fills, self.frames[0].timestamp)

    @cached_property
    def by_regime(self) -> pd.DataFrame:
        """Results by volatility and trend known at entry, indexed by (regime, value).

        The terciles of volatility are those of the whole sample: a description, not a signal that anybody could have had.
        """
        return by_regime(self.fills, self.frames)

    @cached_property
    def monthly_returns(self) -> pd.DataFrame:
        """Change of equity over each calendar month as a fraction, a row a year and a column a month."""
        return monthly_returns(self.equity, self.initial_cash)

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields alone: what was computed from them is computed again, and a vectorbt Portfolio cannot be pickled."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

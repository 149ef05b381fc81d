"""Results by month, hour, weekday and regime: where the money was made, and whether it was more than a few days.

Every table has the trades that ended, grouped by the bar of their entry (UTC):
trades: count. win_share: share with pnl above 0. mean_net_bps: mean pnl over the notional at entry, in basis points.
standard_error_bps: of that mean, clustered by the UTC day of entry, for trades of one day share its moves; NaN with fewer than two days.
total_pnl: quote, net of all costs.

The error is that of a mean with clusters g: sqrt(G / (G - 1) x sum over g of (sum in g of (x - mean))^2) / n, as statsmodels computes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqbt._time import DAY_NS
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.market import MarketFrame
from liqbt.scoring.fills import Fills
from liqbt.scoring.trade_tables import ended, trade_returns
from liqbt.volatility import VOLATILITY_DAYS, daily_volatility

__all__ = ["TREND_DAYS", "by_asset", "by_hour", "by_month", "by_regime", "by_weekday", "clustered_error", "monthly_returns"]

TREND_DAYS: Final = 2.0
"""Days over which the trend is taken: as many as the volatility's half-life, a convention, fitted to nothing."""

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_VOLATILITY: Final = ("low", "middle", "high", "unknown")
_TREND: Final = ("down", "flat", "up", "unknown")


def clustered_error(values: Float64Array1D, clusters: IntArray1D) -> float:
    """Return the standard error of the mean of `values`, shape (n,), clustered by `clusters`, shape (n,); NaN with fewer than two."""
    found, cluster = np.unique(clusters, return_inverse=True)
    if found.size < 2:
        return np.nan
    sums = np.bincount(cluster, weights=values - values.mean())
    return float(np.sqrt(found.size / (found.size - 1) * (sums**2).sum()) / values.size)


def by_month(fills: Fills, timestamp: IntArray1D) -> pd.DataFrame:
    """Return one row a calendar month of the market, `2026-01` and so on; timestamp: bar opens, UTC nanoseconds."""
    months = timestamp.view("datetime64[ns]").astype("datetime64[M]")
    span = np.arange(months[0], months[-1] + 1)
    return _table(fills, timestamp, (_at_entry(fills, months) - span[0]).astype(np.int64), pd.Index(span.astype(str), name="month"))


def by_hour(fills: Fills, timestamp: IntArray1D) -> pd.DataFrame:
    """Return one row an hour of the day, 0 to 23 UTC; timestamp: bar opens, UTC nanoseconds."""
    hours = timestamp % DAY_NS // (DAY_NS // 24)
    return _table(fills, timestamp, _at_entry(fills, hours), pd.Index(range(24), name="hour"))


def by_weekday(fills: Fills, timestamp: IntArray1D) -> pd.DataFrame:
    """Return one row a day of the week, Monday first; timestamp: bar opens, UTC nanoseconds."""
    weekdays = (timestamp // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday
    return _table(fills, timestamp, _at_entry(fills, weekdays), pd.Index(_WEEKDAYS, name="weekday"))


def by_asset(fills: Fills, timestamp: IntArray1D, symbols: Sequence[str]) -> pd.DataFrame:
    """Return one row a symbol, in the order of `symbols`, with fees, funding and slippage of the same trades in quote."""
    rows = ended(fills)
    table = _table(fills, timestamp, rows["asset"], pd.Index(list(symbols), name="symbol"))
    for name in ("fees", "funding", "slippage"):
        table[name] = np.bincount(rows["asset"], weights=rows[name], minlength=len(symbols))
    return table


def by_regime(fills: Fills, markets: Sequence[MarketFrame]) -> pd.DataFrame:
    """Return one row a regime, indexed by (regime, value), from what was known at the close before the entry.

    volatility: terciles of `daily_volatility` (half-life VOLATILITY_DAYS) over all observed bars of the entry's own market. The
    borders need the whole sample, so this describes what happened and is no signal: nobody knew them at the entry.
    trend: sign of the change of the close over TREND_DAYS. Trades before either is known are `unknown`; `unknown` and `flat`
    appear only where there are any.
    """
    rows = ended(fills)
    assets = rows["asset"] if len(markets) > 1 else np.zeros(rows.size, dtype=np.int64)
    volatility, trend = (np.empty(rows.size, dtype=np.int64) for _ in range(2))
    for asset, market in enumerate(markets):
        own = assets == asset
        known = rows["entry_bar"][own] - 1  # no entry is filled in the first bar
        volatility[own], trend[own] = _volatility_regime(market)[known], _trend_regime(market)[known]
    parts = {}
    for regime, codes, names in (("volatility", volatility, _VOLATILITY), ("trend", trend, _TREND)):
        table = _table(fills, markets[0].timestamp, codes, pd.Index(names, name="value"))
        parts[regime] = table[(table["trades"] > 0) | ~table.index.isin(["unknown", "flat"])]
    return pd.concat(parts, names=["regime", "value"])


def monthly_returns(equity: pd.Series[float], initial_cash: float) -> pd.DataFrame:
    """Return the change of equity over each calendar month as a fraction, a row a year and a column a month, 1 to 12; NaN outside.

    A month ends with the close of the last bar that opens in it. equity: quote at closes, indexed by bar open time, UTC.
    """
    index = pd.DatetimeIndex(equity.index)
    ends = equity.groupby([index.year, index.month]).last()
    before = np.append(initial_cash, ends.to_numpy()[:-1])
    change = (ends / before - 1.0).where(before > 0)
    table: pd.DataFrame = change.unstack().reindex(columns=range(1, 13))
    return table.rename_axis(index="year", columns="month")


def _volatility_regime(market: MarketFrame) -> IntArray1D:
    volatility = daily_volatility(market, VOLATILITY_DAYS)
    known = volatility[market.observed & ~np.isnan(volatility)]
    borders = np.quantile(known, (1 / 3, 2 / 3)) if known.size else np.zeros(2)
    return np.where(np.isnan(volatility), 3, np.searchsorted(borders, volatility, side="left"))


def _trend_regime(market: MarketFrame) -> IntArray1D:
    bars = max(1, round(TREND_DAYS * DAY_NS / market.interval_ns))
    trend = np.full(market.n_bars, 3)
    trend[bars:] = 1 + np.sign(market.close[bars:] - market.close[:-bars]).astype(np.int64)
    trend[bars:][~np.maximum.accumulate(market.observed)[:-bars]] = 3  # before the market's first bar its close is made up
    return trend


def _at_entry(fills: Fills, values: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = values[ended(fills)["entry_bar"]]
    return found


def _table(fills: Fills, timestamp: IntArray1D, groups: NDArray[Any], labels: pd.Index[Any]) -> pd.DataFrame:
    """Return the statistics of ended trades by group, numbers into `labels`; a group without trades has NaN means."""
    rows = ended(fills)
    bps, day = 1e4 * trade_returns(rows), timestamp[rows["entry_bar"]] // DAY_NS
    count = np.bincount(groups, minlength=len(labels))
    divisor = np.where(count > 0, count, np.nan)
    return pd.DataFrame(
        {
            "trades": count,
            "win_share": np.bincount(groups, weights=rows["pnl"] > 0, minlength=len(labels)) / divisor,
            "mean_net_bps": np.bincount(groups, weights=bps, minlength=len(labels)) / divisor,
            "standard_error_bps": [clustered_error(bps[groups == k], day[groups == k]) for k in range(len(labels))],
            "total_pnl": np.bincount(groups, weights=rows["pnl"], minlength=len(labels)),
        },
        index=labels,
    )

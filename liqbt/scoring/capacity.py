"""How much a strategy can trade before its own orders eat the edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.market import MarketFrame
from liqbt.scoring._records import LIQUIDATION, REVERSAL, TARGET
from liqbt.scoring._slippage import walk
from liqbt.scoring.fills import Fills
from liqbt.scoring.trade_tables import ended
from liqbt.signals import Signals

__all__ = ["NOTIONALS", "Capacity", "trade_capacity", "walk_costs"]

NOTIONALS: Final = np.geomspace(1e2, 1e9, 57)
"""Notionals of a trade that are looked at, quote: eight a decade from what anybody has to what no book holds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Capacity:
    """What the average trade earns by its size, when entries and exits at market walk the book.

    Each order walks the newest book known at the close before the bar in which it was filled, and pays that where it is more than the
    fixed slippage of the account's costs, which takes the place of what the account paid; fees and funding stay the same share of
    notional. A book is evenly filled between recorded distances, from mid on, and goes on beyond the last as thick as before it. Limit
    entries, targets and liquidations take nothing from a book. Each trade has the same notional; a reversal takes its two orders from one
    book, else books are whole again at each order, and nobody takes notice of it: so this is an upper bound.

    notional: quote at entry, shape (n,), ascending. net_bps: mean net return at that size, shape (n,). cost_bps: what the slippage
    takes of it, shape (n,). beyond: share of the market orders that exceed the recorded book, shape (n,).
    edge_bps: `net_bps` of a trade of no size, which pays the fixed slippage alone.
    capacity: quote, the notional at which `net_bps` falls to 0, interpolated; NaN where there is no depth or no edge at any size, infinite
    where the edge outlives the greatest notional.
    trades: ended trades whose books were known, which alone count. unknown: those whose were not. traded: mean notional of the former.
    """

    notional: Float64Array1D
    net_bps: Float64Array1D
    cost_bps: Float64Array1D
    beyond: Float64Array1D
    edge_bps: float
    capacity: float
    trades: int
    unknown: int
    traded: float

    def to_frame(self) -> pd.DataFrame:
        """Return net_bps, cost_bps and beyond, one row a notional."""
        columns = {"net_bps": self.net_bps, "cost_bps": self.cost_bps, "beyond": self.beyond}
        return pd.DataFrame(columns, index=pd.Index(self.notional, name="notional"))

    def __repr__(self) -> str:
        return f"Capacity({self.capacity:,.0f} quote a trade, {self.edge_bps:.1f} bps at no size, {self.trades} trades)"


def trade_capacity(
    fills: Fills,
    markets: Sequence[MarketFrame],
    signals: Sequence[Signals],
    *,
    slippage: float,
    latency_bars: int = 0,
    notional: Float64Array1D = NOTIONALS,
) -> Capacity:
    """Return the capacity of the ended trades.

    markets, signals: in the order of the trades' `asset`. slippage: the least that a market order pays, fraction of price.
    latency_bars: by which wishes arrived late. notional: quote, ascending, above 0.
    """
    rows = ended(fills)
    assets = rows["asset"] if len(markets) > 1 else np.zeros(rows.size, dtype=np.int64)
    sizes = np.append(0.0, notional)  # the first tells what the fixed slippage alone takes
    cost, beyond, orders = np.full((rows.size, sizes.size), np.nan), np.zeros((rows.size, sizes.size)), np.zeros(rows.size)
    for asset, (market, wishes) in enumerate(zip(markets, signals, strict=True)):
        if market.depth_distance is None or market.depth_bid is None or market.depth_ask is None:
            continue
        own = assets == asset
        trades, grown = rows[own], rows["exit_price"][own] / rows["entry_price"][own]
        reversed_ = trades["reason"] == REVERSAL
        enters = ~_rested(trades["entry_bar"], wishes, latency_bars)
        leaves = ~np.isin(trades["reason"], (TARGET, LIQUIDATION)) & ~(reversed_ & _rested(trades["exit_bar"], wishes, latency_bars))
        taken_before = np.zeros(trades.size)
        turns = np.flatnonzero(reversed_[:-1] & leaves[:-1] & (trades["exit_bar"][:-1] == trades["entry_bar"][1:]))
        taken_before[turns + 1] = grown[turns]
        costs, over = np.zeros((trades.size, sizes.size)), np.zeros((trades.size, sizes.size))
        side, entry_bar, exit_bar = (np.ascontiguousarray(trades[name]) for name in ("side", "entry_bar", "exit_bar"))
        walk_costs(
            side, entry_bar, exit_bar, grown, taken_before, enters, leaves, slippage,
            sizes, market.depth_distance, market.depth_bid, market.depth_ask, costs, over,
        )  # fmt: skip
        cost[own], beyond[own], orders[own] = costs, over, enters.astype(np.float64) + leaves
    known = ~np.isnan(cost).any(axis=1)
    kept, traded = rows[known], (rows["amount"] * rows["entry_price"])[known]
    if kept.size == 0:
        nothing = np.full(notional.shape, np.nan)
        net, taken, over_share, mean = np.append(np.nan, nothing), np.append(np.nan, nothing), nothing, np.nan
    else:
        taken = 1e4 * cost[known].mean(axis=0)
        net = 1e4 * float(((kept["pnl"] + kept["slippage"]) / traded).mean()) - taken
        over_share = beyond[known, 1:].sum(axis=0) / max(float(orders[known].sum()), 1.0)
        mean = float(traded.mean())
    return Capacity(
        notional=notional,
        net_bps=net[1:],
        cost_bps=taken[1:],
        beyond=over_share,
        edge_bps=float(net[0]),
        capacity=_crossing(sizes, net),
        trades=kept.size,
        unknown=rows.size - kept.size,
        traded=mean,
    )


@kernel
def walk_costs(
    side: IntArray1D, entry_bar: IntArray1D, exit_bar: IntArray1D, grown: Float64Array1D, taken_before: Float64Array1D,
    enters: BoolArray1D, leaves: BoolArray1D, slippage: float, sizes: Float64Array1D,
    distance: Float64Array1D, bid: Float64Array2D, ask: Float64Array2D, cost: Float64Array2D, beyond: Float64Array2D,
) -> None:  # fmt: skip
    """Add to `cost` what market orders pay as a fraction of entry notional, to `beyond` how many exceed the book, (n_trades, n_sizes).

    grown: exit over entry price. taken_before: what closing the trade before took from the book of the entry, as a multiple of the size.
    enters, leaves: whether entry and exit are at market. sizes: quote at entry, shape (n_sizes,).
    Where a book is not known the cost of any size above 0 is NaN.
    """
    for k in range(side.size):
        for leg in range(2):
            if not (enters[k] if leg == 0 else leaves[k]):
                continue
            bar = (entry_bar[k] if leg == 0 else exit_bar[k]) - 1
            book = ask[bar] if (side[k] > 0) == (leg == 0) else bid[bar]
            scale, before = (1.0, taken_before[k]) if leg == 0 else (grown[k], 0.0)
            for i in range(sizes.size):
                value, used, paid = scale * sizes[i], before * sizes[i], slippage
                if value > 0.0:
                    first, _, _ = walk(used, distance, book)
                    total, known, over = walk(used + value, distance, book)
                    paid = max(slippage, (total - first) / value) if known else np.nan
                    beyond[k, i] += over
                cost[k, i] += scale * paid


def _rested(bars: IntArray1D, signals: Signals, latency_bars: int) -> BoolArray1D:
    """Return whether an entry filled in each of `bars` was a limit order that rested: that of the newest wish that had arrived."""
    decided = np.maximum.accumulate(np.where(signals.entry != 0, np.arange(signals.entry.size), 0))
    newest: IntArray1D = decided[np.maximum(bars - 1 - latency_bars, 0)]
    return ~np.isnan(signals.limit_price[newest])


def _crossing(sizes: Float64Array1D, net: Float64Array1D) -> float:
    """Return where `net` falls to 0, on straight lines between the sizes."""
    if not net[0] > 0:
        return np.nan
    at = int((net <= 0).argmax())
    if at == 0:
        return np.inf
    before, after = float(net[at - 1]), float(net[at])
    return float(sizes[at - 1]) + float(sizes[at] - sizes[at - 1]) * before / (before - after)

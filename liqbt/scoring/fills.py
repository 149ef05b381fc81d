"""Fills: what wishes became on a market, as flat records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import Float64Array1D, Int8Array1D
from liqbt.margin import LeverageTier
from liqbt.market import MarketFrame
from liqbt.scoring._kernels import FULL, ORDER, RUINED, TRADE, fill_orders
from liqbt.scoring.costs import Costs
from liqbt.scoring.inputs import market_arrays, terms_of, wishes_of
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.sizing import Sizing
from liqbt.signals import Signals

__all__ = ["Fills", "simulate_fills"]

_COUNTS: Final = ("rejected", "capped", "reduced", "starved", "cooled", "unsized", "beyond", "bookless")


@dataclass(frozen=True, kw_only=True, eq=False)
class Fills:
    """Records of one simulated account.

    orders: structured array, one row an order or a funding payment, in the order they happened: bar, asset (number of the market),
        side (+1 buy, -1 sell; of funding, the position's), reason (index into `REASONS`), size in base (0 for funding), price in
        quote, fee in quote (of funding, what the position paid, negative where it received), slippage in quote.
    trades: structured array, one row a round trip, in the order of entry: asset, entry_bar, exit_bar (-1 while open), side (+1 long, -1
        short), reason, amount in base, entry_price, exit_price (NaN while open), and in quote fees, funding, slippage, pnl (net of fees
        and funding; slippage is in the prices); mae and mfe, the greatest adverse and favourable move as fractions of the entry price.
    equity: shape (n_bars,), quote, at each bar's close.
    position: -1, 0 or 1 at each bar's close, shape (n_bars,), of several markets (n_bars, n_assets).
    rejected: entries whose stop or target was already passed. capped: entries cut down to the venue's greatest notional.
    ruined: whether equity came down to the ruin share of the initial cash.
    reduced: entries cut down to the free margin. starved: entries for which there was none. cooled: entries that came in a cooldown.
    unsized: entries whose volatility was not known. beyond, bookless: market orders greater than the recorded book, and without one.
    """

    orders: NDArray[Any]
    trades: NDArray[Any]
    equity: Float64Array1D
    position: Int8Array1D
    rejected: int
    capped: int
    ruined: bool
    reduced: int = 0
    starved: int = 0
    cooled: int = 0
    unsized: int = 0
    beyond: int = 0
    bookless: int = 0


def simulate_fills(
    signals: Sequence[Signals],
    markets: Sequence[MarketFrame],
    *,
    costs: Costs,
    leverage: float,
    sizing: Sizing,
    rules: TradingRules,
    initial_cash: float,
    tiers: Sequence[Sequence[LeverageTier]],
    arrivals: NDArray[Any],
    delay: int,
) -> Fills:
    """Execute `signals`, one for each of `markets`, which are on the same bars; `position` has shape (n_bars, n_assets).

    tiers: of each market. arrivals, delay: when wishes reach the market, as `liqbt.scoring.arrivals` tells.
    The rules are told in `liqbt.scoring.backtest`, which also checks the parameters.
    """
    arrays = market_arrays(markets, tiers, costs=costs, leverage=leverage, sizing=sizing)._replace(arrivals=arrivals)
    wishes, terms = wishes_of(signals), terms_of(costs, leverage, initial_cash, sizing, rules, delay)
    entries, payments = int(np.count_nonzero(wishes["entry"])), int(np.count_nonzero(arrays.bars["funding_rate"]))
    orders = np.zeros(max(2 * entries + payments, 1), dtype=ORDER)
    trades = np.zeros(max(entries, 1), dtype=TRADE)
    equity = np.empty(markets[0].n_bars)
    position = np.zeros(arrays.bars.shape, dtype=np.int8)
    tally = fill_orders(*arrays, wishes, terms, orders, trades, equity, position)
    if tally.status == FULL:
        raise RuntimeError(
            f"{signals[0].name}: room for {orders.size} orders and {trades.size} trades did not suffice; please report this defect"
        )
    fills = Fills(
        orders=orders[: tally.orders].copy(),
        trades=trades[: tally.trades].copy(),
        equity=equity,
        position=position,
        ruined=tally.status == RUINED,
        **{name: getattr(tally, name) for name in _COUNTS},
    )
    for array in (fills.orders, fills.trades, fills.equity, fills.position):
        array.setflags(write=False)
    return fills

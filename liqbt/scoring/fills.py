"""Fills: what a strategy's wishes became on a market, as flat records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import Float64Array1D, Int8Array1D
from liqbt.margin import LeverageTier
from liqbt.margin.arrays import TierArrays
from liqbt.market import MarketFrame
from liqbt.scoring._kernels import FULL, OK, ORDER, ORDERS_A_BAR, RUINED, TRADE, fill_orders
from liqbt.scoring.costs import Costs
from liqbt.signals import Signals

__all__ = ["Fills", "simulate_fills"]

RUIN_SHARE: Final = 1e-6  # of the initial cash; rounding leaves crumbs where a liquidation took everything


@dataclass(frozen=True, kw_only=True, eq=False)
class Fills:
    """Records of one simulated account.

    orders: structured array, one row an order or a funding payment, in the order they happened: bar, side (+1 buy, -1
        sell; of funding, the position's), reason (index into `REASONS`), size in base (0 for funding), price in quote, fee in
        quote (of funding, what the position paid, negative where it received), slippage in quote.
    trades: structured array, one row a round trip: entry_bar, exit_bar (-1 while open), side (+1 long, -1 short), reason, amount
        in base, entry_price, exit_price (NaN while open), and in quote fees, funding, slippage, pnl (net of fees and
        funding; slippage is in the prices); mae and mfe, the greatest adverse and favourable move as fractions of the entry price.
    equity: shape (n_bars,), quote, at each bar's close. position: shape (n_bars,), -1, 0 or 1, at each bar's close.
    rejected: entries whose stop or target was already passed. capped: entries cut down to the venue's greatest notional.
    ruined: whether nothing was left to trade with.
    """

    orders: NDArray[Any]
    trades: NDArray[Any]
    equity: Float64Array1D
    position: Int8Array1D
    rejected: int
    capped: int
    ruined: bool


def simulate_fills(
    signals: Signals,
    market: MarketFrame,
    *,
    costs: Costs,
    leverage: float,
    equity_share: float,
    initial_cash: float,
    tiers: Sequence[LeverageTier],
) -> Fills:
    """Execute `signals` bar by bar; the rules are told in `liqbt.scoring.backtest`, which also checks the parameters."""
    funded = costs.funding and market.funding_rate is not None
    funding_rate = np.nan_to_num(market.funding_rate) if funded and market.funding_rate is not None else np.zeros(market.n_bars)
    funding_price = market.open.copy()
    if market.mark_close is not None:
        funding_price[1:] = market.mark_close[:-1]
    wishes = int(np.count_nonzero(signals.entry))
    payments = int(np.count_nonzero(funding_rate))
    orders = np.zeros(2 * wishes + payments + ORDERS_A_BAR, dtype=ORDER)
    trades = np.zeros(wishes + 2, dtype=TRADE)
    equity = np.empty(market.n_bars)
    position = np.zeros(market.n_bars, dtype=np.int8)

    def flat(values: NDArray[Any], dtype: Any = np.float64) -> NDArray[Any]:
        array = np.ascontiguousarray(values, dtype=dtype)
        if array.flags.writeable:  # one signature for all callers: numba compiles again for arrays that may be written
            array = array.view()
            array.setflags(write=False)
        return array

    brackets = TierArrays.of(tiers)
    status, n_orders, n_trades, rejected, capped = fill_orders(
        flat(market.observed, np.bool_), flat(market.open), flat(market.high), flat(market.low), flat(market.close),
        flat(market.trigger_low), flat(market.trigger_high), flat(funding_rate), flat(funding_price),
        flat(signals.entry, np.int8), flat(signals.exit, np.bool_), flat(signals.stop_price), flat(signals.target_price),
        flat(signals.max_bars, np.int64),
        float(costs.taker_fee_rate), float(costs.maker_fee_rate), float(costs.slippage),
        float(leverage), float(equity_share), float(initial_cash),
        _max_notional(tiers, leverage), RUIN_SHARE * float(initial_cash),
        brackets.rate, brackets.constant,
        orders, trades, equity, position,
    )  # fmt: skip
    if status == FULL:
        raise RuntimeError(
            f"{signals.name}: room for {orders.size} orders and {trades.size} trades did not suffice; please report this defect"
        )
    if status not in (OK, RUINED):
        raise RuntimeError(f"{signals.name}: unknown status {status} of the fill loop; please report this defect")
    fills = Fills(
        orders=orders[:n_orders].copy(),
        trades=trades[:n_trades].copy(),
        equity=equity,
        position=position,
        rejected=int(rejected),
        capped=int(capped),
        ruined=status == RUINED,
    )
    for array in (fills.orders, fills.trades, fills.equity, fills.position):
        array.setflags(write=False)
    return fills


def _max_notional(tiers: Sequence[LeverageTier], leverage: float) -> float:
    return max((tier.max_notional for tier in tiers if tier.max_leverage >= leverage), default=math.inf)

"""The fill loop: wishes of a strategy become orders, trades and equity. The only execution delay in liqbt is here.

`trades[k]` is at once the record of the k-th round trip and the state of the open position, so nothing is kept twice.
Sides are signs: +1 long or buy, -1 short or sell; multiplying by the sign lets one branch serve both.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import BoolArray1D, Float64Array1D, Int8Array1D, IntArray1D
from liqbt.margin.kernels import liquidation_price_of

__all__ = ["FULL", "OK", "ORDER", "REASONS", "RUINED", "TRADE", "fill_orders"]

ORDER: Final = np.dtype(
    [("bar", "i8"), ("side", "i8"), ("reason", "i8"), ("size", "f8"), ("price", "f8"), ("fee", "f8"), ("slippage", "f8")]
)
TRADE: Final = np.dtype(
    [("entry_bar", "i8"), ("exit_bar", "i8"), ("side", "i8"), ("reason", "i8")]
    + [(name, "f8") for name in ("amount", "entry_price", "exit_price", "fees", "funding", "slippage", "pnl", "mae", "mfe")]
)

REASONS: Final = ("open", "entry", "exit", "stop", "target", "time", "reversal", "liquidation", "funding")
"""Names of the reason codes, in order; `open` marks a trade that has not ended."""
OPEN, ENTRY, EXIT, STOP, TARGET, TIME, REVERSAL, LIQUIDATION, FUNDING = range(9)

OK, RUINED, FULL = 0, 1, 2
ORDERS_A_BAR = 4  # funding, closing of what was carried, entry, and the stop of that entry


@kernel
def _record(orders: Any, n: int, bar: int, side: int, reason: int, size: float, price: float, fee: float, slippage: float) -> int:
    order = orders[n]
    order["bar"], order["side"], order["reason"] = bar, side, reason
    order["size"], order["price"], order["fee"], order["slippage"] = size, price, fee, slippage
    return n + 1


@kernel
def _stretch(trade: Any, price: float) -> None:
    """Let the trade's excursions reach `price`."""
    move = trade["side"] * (price - trade["entry_price"]) / trade["entry_price"]
    trade["mae"] = max(trade["mae"], -move)
    trade["mfe"] = max(trade["mfe"], move)


@kernel
def _close(
    trade: Any, orders: Any, n: int, bar: int, reason: int, reference: float, slip: float, fee_rate: float, margin: float
) -> tuple[int, float]:
    """End the trade at `reference`, worsened by `slip`; return the next order number and the change of the balance.

    Where that would lose `margin` (quote) or more, and for LIQUIDATION, the trade ends at its bankruptcy price instead.
    """
    side, amount = trade["side"], trade["amount"]
    price = reference * (1.0 - side * slip)
    fee, slippage = amount * price * fee_rate, amount * reference * slip
    gain = side * amount * (price - trade["entry_price"]) - fee
    if reason == LIQUIDATION or gain <= -margin:
        reason, price, fee, slippage = LIQUIDATION, trade["entry_price"] - side * margin / amount, 0.0, 0.0
        gain = -margin  # exactly, so that nothing is left of an account that was all margin
    trade["exit_bar"], trade["reason"], trade["exit_price"] = bar, reason, price
    trade["fees"] += fee
    trade["slippage"] += slippage
    trade["pnl"] = side * amount * (price - trade["entry_price"]) - trade["fees"] - trade["funding"]
    _stretch(trade, price)
    return _record(orders, n, bar, -side, reason, amount, price, fee, slippage), gain


@kernel
def fill_orders(
    observed: BoolArray1D, open_: Float64Array1D, high: Float64Array1D, low: Float64Array1D, close: Float64Array1D,
    trigger_low: Float64Array1D, trigger_high: Float64Array1D, funding_rate: Float64Array1D, funding_price: Float64Array1D,
    entry: Int8Array1D, exit_: BoolArray1D, stop_price: Float64Array1D, target_price: Float64Array1D, max_bars: IntArray1D,
    taker: float, maker: float, slip: float, leverage: float, equity_share: float, initial_cash: float,
    max_notional: float, ruin: float, rate: Float64Array1D, constant: Float64Array1D,
    orders: Any, trades: Any, equity: Float64Array1D, position: Int8Array1D,
) -> tuple[int, int, int, int, int]:  # fmt: skip
    """Fill `orders`, `trades`, `equity` and `position`; return (status, orders, trades, rejected entries, capped entries).

    All bar arrays have shape (n_bars,). Row t of the wishes was decided at the close of bar t and is filled at the open of
    the next observed bar; of wishes that pile up over unobserved bars the newest counts. `trades` and `orders` must hold
    one row an entry wish and two, plus one a funding payment, with ORDERS_A_BAR to spare.
    max_notional: quote, the most that the venue allows at this leverage. ruin: quote, equity at which nothing more is opened.

    Status: OK; RUINED where equity came to `ruin`; FULL where `orders` or `trades` is too short, with the results void.
    """
    balance = initial_cash  # quote, without the open position's profit
    status, n, k, rejected, capped = OK, 0, 0, 0, 0  # k is the number of ended trades, trades[k] the open one
    held, due = 0, -1
    posted, margin, liquidation = 0.0, 0.0, 0.0  # of the open position: isolated margin at entry and now, quote; liquidation price
    stop, target = np.nan, np.nan
    wish, leave = -1, False

    for t in range(open_.size):
        if n + ORDERS_A_BAR > orders.size or k + 1 >= trades.size:
            return FULL, n, k, rejected, capped
        if t > 0:
            if exit_[t - 1]:
                leave, wish = True, -1
            if entry[t - 1] != 0:
                wish = t - 1
        if held != 0 and funding_rate[t] != 0.0:
            trade = trades[k]
            profit = held * trade["amount"] * (funding_price[t] - trade["entry_price"])
            # nobody pays more than he has: the rest of the wallet, and what the isolated position is worth
            payment = min(held * trade["amount"] * funding_price[t] * funding_rate[t], balance + max(profit, -margin))
            trade["funding"] += payment
            balance -= payment
            n = _record(orders, n, t, held, FUNDING, 0.0, funding_price[t], payment, 0.0)
            left = min(posted, balance)
            if left != margin:
                margin = left
                liquidation = liquidation_price_of(float(held), trade["entry_price"], trade["amount"], margin, False, rate, constant, 0.0)
        if observed[t]:
            price = open_[t]
            if held != 0 and liquidation > 0.0 and held * (price - liquidation) <= 0.0:  # before a trader could have left
                n, gain = _close(trades[k], orders, n, t, LIQUIDATION, price, 0.0, 0.0, margin)
                balance, held, k = balance + gain, 0, k + 1
            if held != 0 and (leave or 0 <= due <= t):
                n, gain = _close(trades[k], orders, n, t, EXIT if leave else TIME, price, slip, taker, margin)
                balance, held, k = balance + gain, 0, k + 1
            leave = False
            if wish >= 0 and entry[wish] != held:
                if held != 0:
                    n, gain = _close(trades[k], orders, n, t, REVERSAL, price, slip, taker, margin)
                    balance, held, k = balance + gain, 0, k + 1
                side = int(entry[wish])
                fill = price * (1.0 + side * slip)
                if balance <= ruin:
                    status = RUINED
                elif side * (fill - stop_price[wish]) <= 0.0 or side * (target_price[wish] - fill) <= 0.0:
                    rejected += 1
                else:
                    notional = balance * equity_share * leverage / (1.0 + leverage * taker)  # margin and fee are the share
                    if notional > max_notional:
                        notional, capped = max_notional, capped + 1
                    amount = notional / fill
                    fee, slippage = amount * fill * taker, amount * price * slip
                    trade = trades[k]
                    trade["entry_bar"], trade["exit_bar"], trade["side"], trade["reason"] = t, -1, side, OPEN
                    trade["amount"], trade["entry_price"], trade["exit_price"] = amount, fill, np.nan
                    trade["fees"], trade["funding"], trade["slippage"] = fee, 0.0, slippage
                    trade["mae"], trade["mfe"] = 0.0, 0.0
                    balance -= fee
                    n = _record(orders, n, t, side, ENTRY, amount, fill, fee, slippage)
                    held, stop, target = side, stop_price[wish], target_price[wish]
                    due = t + max_bars[wish] if max_bars[wish] > 0 else -1
                    posted = min(notional / leverage, balance)  # rounding alone can make the balance the lesser
                    margin = posted
                    liquidation = liquidation_price_of(float(side), fill, amount, margin, False, rate, constant, 0.0)
            wish = -1
            if held != 0:
                worst, best, trigger = (low[t], high[t], trigger_low[t]) if held > 0 else (high[t], low[t], trigger_high[t])
                stopped = held * (worst - stop) <= 0.0
                dead = liquidation > 0.0 and held * (trigger - liquidation) <= 0.0
                # the stop saves the position only where it lies before the liquidation price and the open had not passed both
                saved = stopped and held * (stop - liquidation) > 0.0 and held * (price - liquidation) > 0.0
                reason, reference, cost, rate_paid = OPEN, price, 0.0, 0.0
                if held * (price - target) > 0.0:  # the open comes before anything else in the bar
                    reason, rate_paid = TARGET, maker
                elif dead and not saved:
                    reason = LIQUIDATION
                elif stopped:
                    reason, cost, rate_paid = STOP, slip, taker
                    reference = min(stop, price) if held > 0 else max(stop, price)
                elif held * (best - target) > 0.0:
                    reason, reference, rate_paid = TARGET, target, maker
                if reason != OPEN:
                    n, gain = _close(trades[k], orders, n, t, reason, reference, cost, rate_paid, margin)
                    balance, held, k = balance + gain, 0, k + 1
                else:
                    _stretch(trades[k], low[t])
                    _stretch(trades[k], high[t])
        equity[t] = balance
        if held != 0:
            equity[t] += held * trades[k]["amount"] * (close[t] - trades[k]["entry_price"])
        elif balance <= ruin:
            status = RUINED
        position[t] = held

    if held != 0:
        trade = trades[k]
        trade["pnl"] = held * trade["amount"] * (close[-1] - trade["entry_price"]) - trade["fees"] - trade["funding"]
        k += 1
    return status, n, k, rejected, capped

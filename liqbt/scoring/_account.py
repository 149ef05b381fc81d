"""The wallet and what is posted out of it: funding, the end of a trade, and how large an entry may be.

`slots` holds one SLOT an asset, `account` is the one ACCOUNT. Records are written where there is room, and counted in any case.
"""

from __future__ import annotations

import math
from typing import Any, Final

from liqbt._jit import kernel
from liqbt._typing import Float64Array3D
from liqbt.margin.kernels import liquidation_price_of
from liqbt.scoring._records import FUNDING, LIQUIDATION

__all__ = ["close_trade", "margin_of_others", "notional_of", "pay_funding", "posted_share", "record", "reprice", "write_trade"]

CRUMBS: Final = 1e-9  # of the account: what rounding may leave of a wallet that is all posted


@kernel
def record(
    account: Any, orders: Any, bar: int, asset: int, side: int, reason: int, size: float, price: float, fee: float, slippage: float
) -> None:
    n = account["orders"]
    if n < orders.size:
        order = orders[n]
        order["bar"], order["asset"], order["side"], order["reason"] = bar, asset, side, reason
        order["size"], order["price"], order["fee"], order["slippage"] = size, price, fee, slippage
    account["orders"] = n + 1


@kernel
def margin_of_others(slots: Any, asset: int) -> float:
    """Return what the other positions have posted, in quote."""
    posted = 0.0
    for other in range(slots.size):
        if other != asset and slots[other]["side"] != 0:
            posted += slots[other]["margin"]
    return posted


@kernel
def posted_share(side: int, leverage: float, posted_fee: float) -> float:
    """Return the margin that a unit of notional at entry takes."""
    return 1.0 / leverage + posted_fee * (1.0 - side / leverage)


@kernel
def reprice(slot: Any, asset: int, venues: Any, brackets: Float64Array3D) -> None:
    """Set the liquidation price of the margin that is left, as `MarginRule.free_margin` and `liquidation_prices` do."""
    rule, rate, constant = venues[asset], brackets[asset, 0], brackets[asset, 1]
    side, amount, entry = slot["side"], slot["amount"], slot["entry_price"]
    value, free = amount * entry, slot["margin"]
    if rule["bankrupt_fee"] > 0.0:
        free -= rule["bankrupt_fee"] * max((slot["margin"] - side * value) / (rule["bankrupt_fee"] - side), 0.0)
    if rule["entry_maintenance"] != 0:
        asked = 0.0
        for i in range(rate.size):
            asked = max(asked, rate[i] * value - constant[i])
        slot["liquidation"] = max((free - asked - side * value) / (rule["mark_fee"] - side), 0.0) / amount
    else:
        slot["liquidation"] = liquidation_price_of(float(side), entry, amount, free, False, rate, constant, rule["mark_fee"])


@kernel
def pay_funding(
    slot: Any, slots: Any, account: Any, bar: int, asset: int, rate: float, price: float, venues: Any, brackets: Float64Array3D, orders: Any
) -> None:
    """Charge the wallet, and the margin with what it cannot cover; nobody pays more than the wallet and the position are worth."""
    own = account["balance"] - margin_of_others(slots, asset)
    profit = slot["side"] * slot["amount"] * (price - slot["entry_price"])
    payment = min(slot["side"] * slot["amount"] * price * rate, own + max(profit, -slot["margin"]))
    slot["funding"] += payment
    account["balance"] -= payment
    record(account, orders, bar, asset, slot["side"], FUNDING, 0.0, price, payment, 0.0)
    left = min(slot["posted"], own - payment)
    if left != slot["margin"]:
        slot["margin"] = left
        reprice(slot, asset, venues, brackets)


@kernel
def close_trade(
    slot: Any, account: Any, bar: int, asset: int, reason: int, reference: float, price: float, fee_rate: float, orders: Any, trades: Any
) -> None:
    """End the trade at `price`, which slippage made of `reference`.

    Where that would lose the margin or more, and for LIQUIDATION, the trade ends at its bankruptcy price instead.
    """
    side, amount, margin = slot["side"], slot["amount"], slot["margin"]
    fee, slippage = amount * price * fee_rate, amount * abs(price - reference)
    gain = side * amount * (price - slot["entry_price"]) - fee
    if reason == LIQUIDATION or gain <= -margin:
        reason, price, fee, slippage = LIQUIDATION, slot["entry_price"] - side * margin / amount, 0.0, 0.0
        gain = -margin  # exactly, so that nothing is left of an account that was all margin
    slot["fees"] += fee
    slot["slippage"] += slippage
    account["balance"] += gain
    record(account, orders, bar, asset, -side, reason, amount, price, fee, slippage)
    slot["lowest"], slot["highest"] = min(slot["lowest"], price), max(slot["highest"], price)
    write_trade(slot, asset, bar, reason, price, price, trades)
    slot["side"], slot["ended"] = 0, bar


@kernel
def write_trade(slot: Any, asset: int, bar: int, reason: int, price: float, value: float, trades: Any) -> None:
    """Write the trade's row; value: the price that its profit is reckoned at."""
    if slot["row"] >= trades.size:
        return
    trade, side, entry = trades[slot["row"]], slot["side"], slot["entry_price"]
    trade["asset"], trade["entry_bar"], trade["exit_bar"], trade["side"], trade["reason"] = asset, slot["entry_bar"], bar, side, reason
    trade["amount"], trade["entry_price"], trade["exit_price"] = slot["amount"], entry, price
    trade["fees"], trade["funding"], trade["slippage"] = slot["fees"], slot["funding"], slot["slippage"]
    trade["pnl"] = side * slot["amount"] * (value - entry) - slot["fees"] - slot["funding"]
    fall, rise = (entry - slot["lowest"]) / entry, (slot["highest"] - entry) / entry
    trade["mae"], trade["mfe"] = (fall, rise) if side > 0 else (rise, fall)


@kernel
def notional_of(
    account: Any, slots: Any, asset: int, side: int, known: float, volatility: float, fee_rate: float, terms: Any, rule: Any
) -> tuple[float, bool, bool]:
    """Return the notional of an entry in quote, and whether the venue and the free margin cut it down; 0.0 where nothing can be opened.

    known, volatility: equity and volatility at the close that decided the entry.
    """
    margin = posted_share(side, terms["leverage"], rule["posted_fee"])
    if terms["daily"] > 0.0:
        if math.isnan(volatility):
            account["unsized"] += 1
            return 0.0, False, False
        notional = known * min(terms["daily"] / volatility, terms["max_share"] * terms["leverage"])
    elif terms["fixed"] > 0.0:
        notional = terms["fixed"]
    else:
        notional = known * terms["share"] / (margin + terms["taker"])  # margin and fee are the share
    capped = notional > rule["max_notional"]
    notional = min(notional, rule["max_notional"])
    free = account["balance"] - margin_of_others(slots, asset)
    bound = free / (margin + max(fee_rate, 0.0))
    reduced = notional > bound * (1.0 + CRUMBS)
    notional = min(notional, bound)
    if free <= CRUMBS * max(account["balance"], terms["initial_cash"]) or notional <= 0.0:
        account["starved"] += 1
        return 0.0, False, False
    return notional, capped, reduced

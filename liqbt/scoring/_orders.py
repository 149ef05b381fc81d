"""Orders: what is wished reaches the market, rests, or is executed against what is held."""

from __future__ import annotations

import math
from typing import Any

from liqbt._jit import kernel
from liqbt._typing import Float64Array2D, Float64Array3D, Float64Array4D
from liqbt.scoring._account import close_trade, margin_of_others, notional_of, posted_share, record, reprice
from liqbt.scoring._records import CLOSE, ENTRY, EXIT, IGNORE, REVERSAL, REVERSE, TIME
from liqbt.scoring._slippage import market_price

__all__ = ["execute", "leave_at_market", "passed", "serve"]

ENDLESS = 2**62


@kernel
def passed(slot: Any, price: float) -> bool:
    """Return whether a price of trades has passed the liquidation price of what is held."""
    return bool(slot["liquidation"] > 0.0 and slot["side"] * (price - slot["liquidation"]) <= 0.0)


@kernel
def leave_at_market(
    slot: Any, account: Any, bar: int, asset: int, reason: int, reference: float, terms: Any,
    distance: Float64Array2D, books: Float64Array4D, orders: Any, trades: Any,
) -> None:  # fmt: skip
    side = -slot["side"]
    price = market_price(side, reference, slot["amount"] * reference, 0.0, math.nan, bar, asset, terms["slip"], distance, books, account)
    close_trade(slot, account, bar, asset, reason, reference, price, terms["taker"], orders, trades)


@kernel
def execute(
    slot: Any, slots: Any, account: Any, wish: Any, known: float, bar: int, asset: int, reference: float, limit: float, rested: bool,
    terms: Any, bars: Any, distance: Float64Array2D, books: Float64Array4D, venues: Any, brackets: Float64Array3D, orders: Any, trades: Any,
) -> bool:  # fmt: skip
    """Execute an entry at `reference` against what is held; return whether it opened a position.

    known: equity when it was decided. limit: the worst price it takes, NaN for any. rested: whether it is a limit order that rested, which
    fills at its limit as a maker; else it takes what the market gives.
    """
    side, held, used = int(wish["entry"]), slot["side"], 0.0
    fee_rate = terms["maker"] if rested else terms["taker"]
    if held == side or (held != 0 and terms["on_opposite"] == IGNORE):
        return False
    if held != 0:
        used = slot["amount"] * reference
        price = reference
        if not rested:
            price = market_price(side, reference, used, 0.0, limit, bar, asset, terms["slip"], distance, books, account)
        reason = REVERSAL if terms["on_opposite"] == REVERSE else EXIT
        close_trade(slot, account, bar, asset, reason, reference, price, fee_rate, orders, trades)
        if terms["on_opposite"] == CLOSE:
            return False
    if terms["cooldown"] > 0 and bar <= slot["ended"] + terms["cooldown"]:
        account["cooled"] += 1
        return False
    volatility = bars[wish["bar"], asset]["volatility"]
    notional, capped, reduced = notional_of(account, slots, asset, side, known, volatility, fee_rate, terms, venues[asset])
    if notional == 0.0:
        return False
    price = reference
    if not rested:
        price = market_price(side, reference, notional, used, limit, bar, asset, terms["slip"], distance, books, account)
    if side * (price - wish["stop"]) <= 0.0 or side * (wish["target"] - price) <= 0.0:
        account["rejected"] += 1
        return False
    account["capped"] += capped
    account["reduced"] += reduced
    amount = notional / price
    fee, slippage = notional * fee_rate, amount * abs(price - reference)
    account["balance"] -= fee
    record(account, orders, bar, asset, side, ENTRY, amount, price, fee, slippage)
    slot["side"], slot["row"], slot["entry_bar"] = side, account["trades"], bar
    account["trades"] += 1
    slot["due"] = bar + wish["max_bars"] if wish["max_bars"] > 0 else -1
    slot["amount"], slot["entry_price"], slot["stop"], slot["target"] = amount, price, wish["stop"], wish["target"]
    slot["trail"] = 0.0 if math.isnan(wish["trail"]) else wish["trail"]
    slot["best"], slot["lowest"], slot["highest"] = price, price, price
    slot["fees"], slot["funding"], slot["slippage"] = fee, 0.0, slippage
    posted = notional * posted_share(side, terms["leverage"], venues[asset]["posted_fee"])
    slot["posted"] = min(posted, account["balance"] - margin_of_others(slots, asset))  # rounding alone can make the wallet the lesser
    slot["margin"] = slot["posted"]
    reprice(slot, asset, venues, brackets)
    return True


@kernel
def serve(
    slot: Any, slots: Any, account: Any, wishes: Any, bar: int, asset: int, price: float,
    terms: Any, bars: Any, distance: Float64Array2D, books: Float64Array4D, venues: Any, brackets: Float64Array3D, orders: Any, trades: Any,
) -> None:  # fmt: skip
    """Do at an instant, at the price of trades there, what is wished: leave, leave by time, enter or let an order rest."""
    if slot["side"] != 0 and (slot["leave"] != 0 or 0 <= slot["due"] <= bar):
        reason = EXIT if slot["leave"] != 0 else TIME
        leave_at_market(slot, account, bar, asset, reason, price, terms, distance, books, orders, trades)
    if slot["leave"] != 0:
        slot["rest"], slot["leave"] = -1, 0
    if slot["wish"] < 0:
        return
    wish, known = wishes[slot["wish"]], slot["known"]
    side = wish["entry"]
    if side * (price - wish["limit"]) > 0.0 or side * (wish["trigger"] - price) > 0.0:  # not there yet
        slot["rest"], slot["rest_known"] = slot["wish"], known
        slot["last"] = bar + wish["valid_bars"] - 1 if wish["valid_bars"] > 0 else ENDLESS
    else:
        slot["rest"] = -1
        execute(
            slot, slots, account, wish, known, bar, asset, price, wish["limit"], False,
            terms, bars, distance, books, venues, brackets, orders, trades,
        )  # fmt: skip
    slot["wish"] = -1

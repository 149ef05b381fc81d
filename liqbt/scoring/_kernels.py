"""The fill loop: wishes of a strategy become orders, trades and equity. The only execution delay in liqbt is here.

The rules are told in `liqbt.scoring.backtest`. Bars in which nothing is held, rests or arrives are jumped over.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, Float64Array4D, Int8Array1D
from liqbt.scoring._account import close_trade, pay_funding, write_trade
from liqbt.scoring._curve import follow, hold, worth
from liqbt.scoring._life import exit_of, live, stretch
from liqbt.scoring._orders import leave_at_market, passed, serve
from liqbt.scoring._records import ACCOUNT, CURVE, FULL, LIQUIDATION, OK, OPEN, ORDER, REASONS, RUIN, RUINED, SLOT, TRADE, WISH, Tally

__all__ = ["FULL", "OK", "ORDER", "REASONS", "RUINED", "TRADE", "WISH", "fill_orders"]

LONG_AGO = -(2**62)


@kernel
def due(wishes: Any, row: int, asset: int, decided: int) -> bool:
    """Return whether the next wish is one for `asset`, decided at the close of bar `decided`."""
    return bool(row < wishes.size and wishes[row]["asset"] == asset and wishes[row]["bar"] == decided)


@kernel
def carried(slot: Any) -> bool:
    """Return whether a position is all there is: nothing rests, and nothing waits at the market."""
    return bool(slot["side"] != 0 and slot["rest"] < 0 and slot["wish"] < 0 and slot["leave"] == 0)


@kernel
def take(slot: Any, wishes: Any, known: Float64Array1D, row: int) -> None:
    """Let a wish reach the market; of several that wait there the newest counts, and an exit takes back an entry before it."""
    if wishes[row]["exit"] != 0:
        slot["leave"], slot["wish"] = 1, -1
    if wishes[row]["entry"] != 0:
        slot["wish"], slot["known"] = row, known[row]


@kernel
def fill_orders(
    bars: Any, arrivals: Any, distance: Float64Array2D, books: Float64Array4D, venues: Any, brackets: Float64Array3D,
    wishes: Any, settings: Any, orders: Any, trades: Any, equity: Float64Array1D, position: Int8Array1D,
) -> Tally:  # fmt: skip
    """Execute `wishes` and return the tally; callable from other kernels, also in parallel, for all state is its own.

    bars, arrivals, distance, books, venues, brackets: `MarketArrays`. wishes: WISH records, sorted by bar, then asset, one row each.
    settings: one TERMS record.
    orders, trades: ORDER and TRADE records to be filled; empty to write none. An entry makes a trade and two orders, a funding payment
    an order. equity: (n_bars,), quote, at closes; position: (n_bars, n_assets), 0 throughout; empty to write none.
    The tally is exact whatever is written, but for status FULL, where `orders` or `trades` is neither empty nor large enough.
    """
    n_bars, n_assets = bars.shape
    terms = settings[0]
    slots, accounts = np.zeros(n_assets, SLOT), np.zeros(1, ACCOUNT)
    account = accounts[0]
    account["balance"] = terms["initial_cash"]
    for asset in range(n_assets):
        slot = slots[asset]
        slot["wish"], slot["rest"], slot["ended"] = -1, -1, LONG_AGO
    known = np.empty(wishes.size)  # equity at the decision of each wish
    decided, arrived, delay = 0, 0, 1 + terms["latency"]
    timed, ruined, busy = arrivals.size > 0, False, False
    now, held, curves = terms["initial_cash"], 0, np.zeros(1, CURVE)
    curve = curves[0]
    curve["equity"], curve["peak"] = now, now

    bar = 0
    while bar < n_bars:
        if not busy:
            while arrived < wishes.size and (ruined or wishes[arrived]["entry"] == 0):
                arrived += 1
            arrives = min(wishes[arrived]["bar"] + delay, n_bars) if arrived < wishes.size else n_bars
            if equity.size > 0:
                equity[bar:arrives] = now
            bar = arrives
            if bar == n_bars:
                break
        elif n_assets == 1 and carried(slots[0]) and not ruined:
            until = min(wishes[arrived]["bar"] + delay, n_bars) if arrived < wishes.size else n_bars
            if slots[0]["due"] >= 0:
                until = min(until, slots[0]["due"])
            begin, bar = bar, hold(slots[0], account, curve, bars, bar, until, terms["ruin"], equity, position)
            held += bar - begin
            while decided < wishes.size and wishes[decided]["bar"] < bar:
                known[decided] = worth(slots[0], account, bars[wishes[decided]["bar"], 0]["close"])
                decided += 1
            now = curve["equity"]
            if bar == n_bars:
                break
        while decided < wishes.size and wishes[decided]["bar"] < bar:
            known[decided] = now
            decided += 1

        for asset in range(n_assets):  # the open, as it comes to what is carried
            slot = slots[asset]
            if slot["side"] != 0:
                rate = bars[bar, asset]["funding_rate"]
                if rate != 0.0:
                    pay_funding(slot, slots, account, bar, asset, rate, bars[bar, asset]["funding_price"], venues, brackets, orders)
                price = bars[bar, asset]["open"]
                if bars[bar, asset]["observed"] and passed(slot, price):
                    close_trade(slot, account, bar, asset, LIQUIDATION, price, price, 0.0, orders, trades)

        for asset in range(n_assets):  # what is at the market by the open
            slot = slots[asset]
            if not timed and due(wishes, arrived, asset, bar - delay) and not ruined:
                take(slot, wishes, known, arrived)
                arrived += 1
            if bars[bar, asset]["observed"]:
                if ruined:
                    if slot["side"] != 0:
                        leave_at_market(slot, account, bar, asset, RUIN, bars[bar, asset]["open"], terms, distance, books, orders, trades)
                elif slot["wish"] >= 0 or slot["leave"] != 0 or (slot["side"] != 0 and 0 <= slot["due"] <= bar):
                    serve(
                        slot, slots, account, wishes, bar, asset, bars[bar, asset]["open"],
                        terms, bars, distance, books, venues, brackets, orders, trades,
                    )  # fmt: skip

        if timed and not ruined:
            for asset in range(n_assets):  # what reaches it in the course of the bar
                if not due(wishes, arrived, asset, bar - delay):
                    continue
                slot, price = slots[asset], arrivals[bar, asset]["price"]
                comes = bars[bar, asset]["observed"] and not math.isnan(price)
                if comes:
                    low, high = arrivals[bar, asset]["early_low"], arrivals[bar, asset]["early_high"]
                    marked = venues[asset]["marked"] != 0
                    trigger_low = bars[bar, asset]["trigger_low"] if marked else low
                    trigger_high = bars[bar, asset]["trigger_high"] if marked else high
                    live(
                        slot, slots, account, wishes, bar, asset, bars[bar, asset]["open"], low, high, trigger_low, trigger_high, math.nan,
                        terms, bars, distance, books, venues, brackets, orders, trades,
                    )  # fmt: skip
                take(slot, wishes, known, arrived)
                arrived += 1
                if comes:
                    slot["split"] = 1
                    if slot["side"] != 0 and passed(slot, price):
                        close_trade(slot, account, bar, asset, LIQUIDATION, price, price, 0.0, orders, trades)
                    serve(slot, slots, account, wishes, bar, asset, price, terms, bars, distance, books, venues, brackets, orders, trades)

        profit, busy, any_held = 0.0, False, False
        for asset in range(n_assets):  # the rest of the bar
            slot = slots[asset]
            if slot["side"] == 0 and slot["rest"] < 0 and slot["wish"] < 0 and slot["leave"] == 0:
                slot["split"] = 0
                continue
            if bars[bar, asset]["observed"] and (slot["side"] != 0 or slot["rest"] >= 0):
                row = bars[bar, asset]
                price, low, high = row["open"], row["low"], row["high"]
                trigger_low, trigger_high = row["trigger_low"], row["trigger_high"]
                if slot["split"] != 0:
                    price = arrivals[bar, asset]["price"]
                    low, high = arrivals[bar, asset]["late_low"], arrivals[bar, asset]["late_high"]
                    if venues[asset]["marked"] == 0:
                        trigger_low, trigger_high = low, high
                if slot["rest"] < 0 and exit_of(slot, price, low, high, trigger_low, trigger_high)[0] == OPEN:
                    stretch(slot, low, high)  # what almost all bars come to, without a call
                else:
                    live(
                        slot, slots, account, wishes, bar, asset, price, low, high, trigger_low, trigger_high, row["close"],
                        terms, bars, distance, books, venues, brackets, orders, trades,
                    )  # fmt: skip
                slot["best"] = slot["highest"] if slot["side"] > 0 else slot["lowest"]
            slot["split"] = 0
            if slot["last"] <= bar:
                slot["rest"] = -1
            if slot["side"] != 0:
                profit += slot["side"] * slot["amount"] * (bars[bar, asset]["close"] - slot["entry_price"])
                any_held = True
                if position.size > 0:
                    position[bar, asset] = slot["side"]
            busy = busy or slot["side"] != 0 or slot["rest"] >= 0 or slot["wish"] >= 0 or slot["leave"] != 0

        now = account["balance"] + profit
        follow(curve, now)
        if equity.size > 0:
            equity[bar] = now
        held += any_held
        if now <= terms["ruin"] and not ruined:
            ruined = True
            busy = any_held
            for asset in range(n_assets):
                slots[asset]["wish"], slots[asset]["leave"], slots[asset]["rest"] = -1, 0, -1
        bar += 1

    for asset in range(n_assets):
        if slots[asset]["side"] != 0:
            write_trade(slots[asset], asset, -1, OPEN, math.nan, bars[-1, asset]["close"], trades)
    full = 0 < orders.size < accounts[0]["orders"] or 0 < trades.size < accounts[0]["trades"]
    status = FULL if full else (RUINED if ruined else OK)
    return Tally(
        status, accounts[0]["orders"], accounts[0]["trades"], now,
        curves[0]["total"], curves[0]["squares"], curves[0]["drawdown"], held,
        accounts[0]["rejected"], accounts[0]["capped"], accounts[0]["reduced"], accounts[0]["starved"],
        accounts[0]["cooled"], accounts[0]["unsized"], accounts[0]["beyond"], accounts[0]["bookless"],
    )  # fmt: skip

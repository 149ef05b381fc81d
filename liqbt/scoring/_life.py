"""What happens within a bar, or a part of it, to a position and to an order that rests."""

from __future__ import annotations

import math
from typing import Any

from liqbt._jit import kernel
from liqbt._typing import Float64Array2D, Float64Array3D, Float64Array4D
from liqbt.scoring._account import close_trade
from liqbt.scoring._orders import execute, leave_at_market
from liqbt.scoring._records import LIQUIDATION, OPEN, STOP, TARGET, TRAIL

__all__ = ["exit_of", "live", "stretch"]


@kernel
def exit_of(slot: Any, start: float, low: float, high: float, trigger_low: float, trigger_high: float) -> tuple[int, float]:
    """Return why the position ends on the way from `start` through these extremes, OPEN where it does not, and at which level.

    The level is that of stop, target or liquidation, wherever the price was that passed it. Extremes may be NaN: nothing was reached.
    """
    held, stop, target, liquidation, reason = slot["side"], slot["stop"], slot["target"], slot["liquidation"], STOP
    if slot["trail"] > 0.0:
        trail = slot["best"] * (1.0 - held * slot["trail"])
        if not held * (trail - stop) <= 0.0:  # tighter, or no stop
            stop, reason = trail, TRAIL
    worst, best, trigger = (low, high, trigger_low) if held > 0 else (high, low, trigger_high)
    if held * (start - target) > 0.0:  # the start comes before anything else
        return TARGET, target
    stopped = held * (worst - stop) <= 0.0
    # a stop saves the position only where it lies before the liquidation price and the start had not passed both
    saved = stopped and held * (stop - liquidation) > 0.0 and held * (start - liquidation) > 0.0
    if liquidation > 0.0 and held * (trigger - liquidation) <= 0.0 and not saved:
        return LIQUIDATION, liquidation
    if stopped:
        return reason, stop
    if held * (best - target) > 0.0:
        return TARGET, target
    return OPEN, math.nan


@kernel
def end(
    slot: Any, account: Any, bar: int, asset: int, reason: int, level: float, start: float, terms: Any,
    distance: Float64Array2D, books: Float64Array4D, orders: Any, trades: Any,
) -> None:  # fmt: skip
    """End the position for `reason`, at the level or where the start had already passed it."""
    held = slot["side"]
    if reason == TARGET:
        price = start if held * (start - level) > 0.0 else level
        close_trade(slot, account, bar, asset, reason, price, price, terms["maker"], orders, trades)
    elif reason == LIQUIDATION:
        close_trade(slot, account, bar, asset, reason, level, level, 0.0, orders, trades)
    else:
        reference = min(level, start) if held > 0 else max(level, start)
        leave_at_market(slot, account, bar, asset, reason, reference, terms, distance, books, orders, trades)


@kernel
def order_comes_first(held: int, reason: int, level: float, start: float, side: int, trigger: bool, price: float) -> bool:
    """Return whether an order at `price` that fires in this part of the bar does so before the position of side `held` ends at `level`.

    What the start has passed is first; then what lies against the position; of two prices on one way the nearer.
    """
    way = side if trigger else -side  # in which direction price comes to the order
    against = reason != TARGET
    own_at_start = held * (start - level) <= 0.0 if against else held * (start - level) > 0.0
    order_at_start = way * (start - price) >= 0.0 if trigger else way * (start - price) > 0.0
    if own_at_start != order_at_start:
        return bool(order_at_start)
    if against != (way != held):
        return not against
    return bool(way * (level - price) > 0.0)


@kernel
def stretch(slot: Any, low: float, high: float) -> None:
    """Let the extremes since entry reach these; NaN changes nothing, as `min` and `max` do not promise."""
    if low < slot["lowest"]:  # noqa: PLR1730
        slot["lowest"] = low
    if high > slot["highest"]:  # noqa: PLR1730
        slot["highest"] = high


@kernel
def live(
    slot: Any, slots: Any, account: Any, wishes: Any, bar: int, asset: int,
    start: float, low: float, high: float, trigger_low: float, trigger_high: float, close: float,
    terms: Any, bars: Any, distance: Float64Array2D, books: Float64Array4D, venues: Any, brackets: Float64Array3D, orders: Any, trades: Any,
) -> None:  # fmt: skip
    """Take the position and the order that rests from the price `start` through the extremes of a part of the bar.

    close: its last price, NaN where that is not known.
    """
    reason, level = OPEN, math.nan
    if slot["side"] != 0:
        reason, level = exit_of(slot, start, low, high, trigger_low, trigger_high)
    if slot["rest"] >= 0:
        wish = wishes[slot["rest"]]
        side, trigger = int(wish["entry"]), not math.isnan(wish["trigger"])
        price = wish["trigger"] if trigger else wish["limit"]
        touched = high >= price if side > 0 else low <= price
        traded_through = low < price if side > 0 else high > price
        if touched if trigger else traded_through:
            if reason != OPEN and not order_comes_first(slot["side"], reason, level, start, side, trigger, price):
                end(slot, account, bar, asset, reason, level, start, terms, distance, books, orders, trades)
            reference = price
            if trigger:
                reference = max(price, start) if side > 0 else min(price, start)
            slot["rest"] = -1
            opened = execute(
                slot, slots, account, wish, slot["rest_known"], bar, asset, reference, math.nan, not trigger,
                terms, bars, distance, books, venues, brackets, orders, trades,
            )  # fmt: skip
            if opened:
                if trigger:
                    start = reference
                else:  # the far extreme may have come before the fill, only the close came after it for certain
                    start = min(price, start) if side > 0 else max(price, start)
                    low, high = (low, close) if side > 0 else (close, high)
                reason, level = exit_of(slot, start, low, high, trigger_low, trigger_high)
    if slot["side"] != 0:
        if reason != OPEN:
            end(slot, account, bar, asset, reason, level, start, terms, distance, books, orders, trades)
        else:
            stretch(slot, low, high)

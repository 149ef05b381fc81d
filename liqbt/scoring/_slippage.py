"""What a market order pays beyond its reference price: the fixed slippage, or the way through the recorded book where that is more."""

from __future__ import annotations

import math
from typing import Any, Final

from liqbt._jit import kernel
from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array4D

__all__ = ["market_price", "walk"]

WORST: Final = 0.9  # of the price: the most that a walk may cost, so that what is sold still has a price


@kernel
def walk(value: float, distance: Float64Array1D, notional: Float64Array1D) -> tuple[float, bool, bool]:
    """Return the sum of distance times notional that taking `value` (quote) pays, whether a book is known, and whether it was less.

    distance: ascending, fractions of mid, shape (n_distances,). notional: quote from mid up to each, NaN where not known. Notional is
    spread evenly between two distances, and goes on as between the last two that hold any.
    """
    cost, taken, place, density, known = 0.0, 0.0, 0.0, 0.0, False
    for i in range(distance.size):
        if math.isnan(notional[i]) or math.isnan(distance[i]):
            continue
        known = True
        part, width = notional[i] - taken, distance[i] - place
        if part > 0.0:
            if value - taken <= part:
                left = value - taken
                return cost + left * (place + 0.5 * width * left / part), True, False
            cost += part * (place + 0.5 * width)
            taken += part
            if width > 0.0:
                density = part / width
        place = distance[i]
    left = value - taken
    return cost + left * (place + (0.5 * left / density if density > 0.0 else 0.0)), known, known


@kernel
def market_price(
    side: int, reference: float, value: float, used: float, limit: float, bar: int, asset: int, slip: float,
    distance: Float64Array2D, books: Float64Array4D, account: Any,
) -> float:  # fmt: skip
    """Return the price of a market order of `value` quote at `reference`, never worse than `limit` where that is not NaN.

    side: +1 buys, -1 sells. used: quote that the order before it took from the same book. The book is that of the close before `bar`.
    """
    paid = slip
    if books.size > 0:
        known, beyond = False, False
        if bar > 0:
            notional = books[bar - 1, asset, 1 if side > 0 else 0]
            cost, known, beyond = walk(used + value, distance[asset], notional)
            if known:
                before, _, _ = walk(used, distance[asset], notional)
                paid = min(max(slip, (cost - before) / value), WORST)
        if beyond:
            account["beyond"] += 1
        if not known:
            account["bookless"] += 1
    price = reference * (1.0 + side * paid)
    if side * (price - limit) > 0.0:
        return limit
    return price

"""What the oracle of the fill loop holds: orders, positions, and the walk through an order book."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np


def number(value):
    return None if math.isnan(value) else float(value)


@dataclass
class Order:
    """An entry: side, kind (market, limit or trigger), its levels, and what was known when it was decided."""

    side: str
    kind: str
    price: float | None
    stop: float | None
    target: float | None
    trail: float | None
    max_bars: int
    valid_bars: int
    equity: float
    volatility: float
    last_bar: float = math.inf

    @property
    def buys(self):
        return self.side == "long"

    def is_there(self, price):
        """Whether an order that has just come is executed at this price of the market."""
        if self.kind == "market":
            return True
        below = price <= self.price
        return below == (self.buys == (self.kind == "limit")) or price == self.price


@dataclass
class Position:
    side: str
    amount: float
    entry_price: float
    posted: float
    margin: float
    entry_bar: int
    stop: float | None
    target: float | None
    trail: float | None
    leaves_at: float
    fees: float
    slippage: float
    best: float
    trade: dict
    funding: float = 0.0
    seen: list[float] = field(default_factory=list)
    filled: Any = None  # (kind, price that the rest of the bar's part starts from) while that part lasts

    @property
    def is_long(self):
        return self.side == "long"

    @property
    def sign(self):
        return 1 if self.is_long else -1

    def profit(self, price):
        return self.amount * (price - self.entry_price if self.is_long else self.entry_price - price)

    @property
    def bankrupt(self):
        lost = self.margin / self.amount
        return self.entry_price - lost if self.is_long else self.entry_price + lost

    def liquidation(self, tiers, rule):
        """Requirements of all brackets are lines, and the greatest of them binds: the one that price meets first."""
        value = self.amount * self.entry_price
        asked = max(tier.maintenance_margin_rate * value - tier.maintenance_amount for tier in tiers)
        free = float(rule.free_margin(self.sign, value, self.margin, asked))
        lines = [(tier.maintenance_margin_rate, tier.maintenance_amount) for tier in tiers]
        if rule.maintenance_on == "entry":
            lines = [(0.0, 0.0)]
        met = []
        for rate, constant in lines:
            spare = (free + constant) / self.amount
            if self.is_long:
                met.append((self.entry_price - spare) / (1 - rate - rule.mark_fee_rate))
            else:
                met.append((self.entry_price + spare) / (1 + rate + rule.mark_fee_rate))
        return max(0.0, *met) if self.is_long else min(met)

    def protection(self):
        """The tighter of stop and trailing stop, and its name."""
        if self.trail is None:
            return self.stop, "stop"
        trailing = self.best * (1 - self.trail) if self.is_long else self.best * (1 + self.trail)
        if self.stop is not None and (self.stop >= trailing if self.is_long else self.stop <= trailing):
            return self.stop, "stop"
        return trailing, "trail"


def walk(value, distances, notional):
    """The mean distance that `value` pays in a book, and whether it was greater than the book; None where no book is known."""
    known = ~np.isnan(notional)
    if not known.any():
        return None
    filled = np.r_[0.0, np.maximum.accumulate(np.maximum(notional[known], 0.0))]
    place = np.r_[0.0, distances[known]]
    beyond = value > filled[-1]
    if beyond:
        rising = np.flatnonzero(np.diff(filled) > 0)
        slope = (place[rising[-1] + 1] - place[rising[-1]]) / (filled[rising[-1] + 1] - filled[rising[-1]]) if rising.size else 0.0
        filled, place = np.r_[filled, value], np.r_[place, place[-1] + slope * (value - filled[-1])]
    cost = 0.0
    for i in range(1, filled.size):
        step = min(filled[i], value) - filled[i - 1]
        if step > 0:
            reached = place[i - 1] + (place[i] - place[i - 1]) * step / (filled[i] - filled[i - 1])
            cost += step * (place[i - 1] + reached) / 2
    return cost / value, beyond

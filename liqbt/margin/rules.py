"""What a venue counts against a position's margin: maintenance and the fee of closing, and on which value of the position."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

import numpy as np

from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError, did_you_mean
from liqbt.margin._symbols import venue_key

__all__ = ["MarginRule", "margin_rule", "rule_of"]

Number = TypeVar("Number", float, Float64Array1D)


@dataclass(frozen=True, kw_only=True)
class MarginRule:
    """How a venue decides that a position is liquidated: where its equity comes down to maintenance margin and closing fee.

    maintenance_on: the value that maintenance margin is asked of, and that decides the bracket: `mark`, the value at the mark
        price, or `entry`, which fixes it when the position opens.
    closing_fee_rate: fraction, of an account without discounts; 0 where closing costs are no part of the requirement.
    closing_fee_on: the value it is charged on: `mark`, or `bankruptcy`, the value at the price where the fee takes what is left.
    closing_fee_posted: whether the margin that a leverage implies comes with the fee of closing at bankruptcy on top.
    source: where the rule is told, and how sure it is.

    The defaults are the plain formula: a rate on the mark value.
    Raises ConfigError for values out of range.
    """

    maintenance_on: Literal["mark", "entry"] = "mark"
    closing_fee_rate: float = 0.0
    closing_fee_on: Literal["mark", "bankruptcy"] = "mark"
    closing_fee_posted: bool = False
    source: str = ""

    def __post_init__(self) -> None:
        if self.maintenance_on not in ("mark", "entry"):
            raise ConfigError(f"maintenance_on: {self.maintenance_on!r} must be 'mark' or 'entry'")
        if self.closing_fee_on not in ("mark", "bankruptcy"):
            raise ConfigError(f"closing_fee_on: {self.closing_fee_on!r} must be 'mark' or 'bankruptcy'")
        if not (math.isfinite(self.closing_fee_rate) and 0 <= self.closing_fee_rate < 1):
            raise ConfigError(f"closing_fee_rate: {self.closing_fee_rate!r} must be a fraction from 0 to below 1, such as 0.0005")

    @property
    def mark_fee_rate(self) -> float:
        """The part of the closing fee rate that moves with the mark price."""
        return self.closing_fee_rate if self.closing_fee_on == "mark" else 0.0

    def posted_margin(self, slope: Number, value: Number, leverage: Number) -> Number:
        """Return what a trader pays into a position of `value` at `leverage`, in the coin of its margin.

        slope: what equity gains when the position's value in that coin gains 1: +1 for linear longs and inverse shorts, else -1.
        """
        fee = self.closing_fee_rate * value * (1.0 - slope / leverage) if self.closing_fee_posted else 0.0
        return value / leverage + fee

    def free_margin(self, slope: Number, value: Number, margin: Number, maintenance: Number) -> Number:
        """Return `margin` without the charges that no price can change, in the coin of the margin.

        value: at entry. maintenance: what the bracket of `value` asks, counted where maintenance is on the entry value.
        """
        free = margin if self.maintenance_on == "mark" else margin - maintenance
        if self.closing_fee_on == "bankruptcy":
            bankrupt = np.maximum((margin - slope * value) / (self.closing_fee_rate - slope), 0.0)
            free = free - self.closing_fee_rate * bankrupt
        return free


_RULES: Final = {
    "binance": MarginRule(source="Binance FAQ b3c689c1f50a44cabb3a84e663b81d93: maintenance margin alone; published cases agree"),
    "bybit": MarginRule(
        closing_fee_rate=0.00055,
        closing_fee_on="bankruptcy",
        closing_fee_posted=True,
        source=(
            "Bybit help, Liquidation Price Calculation under Isolated Mode (unified account, 2026-05-27): the fee of closing at "
            "bankruptcy is in both margins, so that only margin added later feels it; the published case agrees, and the rate is its"
        ),
    ),
    "hyperliquid": MarginRule(
        source="Hyperliquid docs, Liquidations and Margin tiers: half of the initial margin at the bracket's highest leverage, no fee"
    ),
    "okx": MarginRule(
        closing_fee_rate=0.0005,
        source=(
            "OKX help, Isolated margin mode: (margin balance + profit) / (mark value * (rate + taker fee)) falls to 1; "
            "no published case to hold it to; the rate is that of regular users"
        ),
    ),
}


def margin_rule(venue: str) -> MarginRule:
    """Return the rule of `venue`, which may be named as ccxt or Tardis do; brackets are apart, in `tier_table`.

    Raises ConfigError for a venue whose rule is not known.
    """
    rule = _RULES.get(venue_key(venue))
    if rule is None:
        raise ConfigError(f"venue: no margin rule is known for {venue!r}{did_you_mean(venue, _RULES)}")
    return rule


def rule_of(rule: MarginRule | None, closing_fee_rate: float | None) -> MarginRule:
    """Return `rule`, or the plain one, with the account's own closing fee where it is given."""
    rule = rule or MarginRule()
    return rule if closing_fee_rate is None else replace(rule, closing_fee_rate=closing_fee_rate)

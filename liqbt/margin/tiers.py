"""Bracket tables: the maintenance margin and the leverage that a venue allows by position size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, Literal, TypeAlias

from liqbt.errors import ConfigError

__all__ = ["AMOUNT_ROUNDING", "GENERIC_TIERS", "Contract", "LeverageTier", "TierTable", "check_tiers", "maintenance_margin", "max_leverage"]

AMOUNT_ROUNDING: Final = 1e-4
"""Share of the maintenance margin at a bracket's lower bound by which a recorded maintenance amount may be off: they are printed with
few decimals, and a table that mixes two days is off by far more."""


Contract: TypeAlias = Literal["linear", "inverse"]
"""Linear contracts are margined in quote, inverse ones (COIN-M) in base coin."""


@dataclass(frozen=True, kw_only=True)
class LeverageTier:
    """One bracket of a venue's table, with ccxt's field names.

    min_notional, max_notional: the position value that the bracket covers; max may be infinite. maintenance_amount: Binance's
    `cum`, which makes the requirement `value * maintenance_margin_rate - maintenance_amount` continuous from bracket to
    bracket. All three are in quote for linear contracts and in base coin for inverse ones.
    maintenance_margin_rate: fraction. max_leverage: multiple.
    """

    min_notional: float
    max_notional: float
    maintenance_margin_rate: float
    max_leverage: float
    maintenance_amount: float
    contract: Contract = "linear"

    def __post_init__(self) -> None:
        if not 0 <= self.min_notional < self.max_notional:
            raise ConfigError(
                f"leverage tier: min_notional {self.min_notional} must be at least 0 and below max_notional {self.max_notional}"
            )
        if not 0 < self.maintenance_margin_rate < 1:
            raise ConfigError(f"leverage tier: maintenance_margin_rate {self.maintenance_margin_rate} must be a fraction between 0 and 1")
        if not self.max_leverage >= 1:
            raise ConfigError(f"leverage tier: max_leverage {self.max_leverage} must be at least 1")
        if self.contract not in ("linear", "inverse"):
            raise ConfigError(f"leverage tier: contract {self.contract!r} must be 'linear' or 'inverse'")


@dataclass(frozen=True, kw_only=True)
class TierTable:
    """The brackets of one symbol, in ascending notional, and where they came from.

    symbol: as the source writes it. as_of: the day when the venue showed them, None where the source does not say.
    source: a file or a place to look them up. sha256: of that file's bytes, None where there was no file.
    notes: what a reader of numbers that rest on this table must know.
    """

    venue: str
    symbol: str
    tiers: tuple[LeverageTier, ...]
    as_of: date | None = None
    source: str = ""
    sha256: str | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.tiers:
            raise ConfigError(f"tiers: the table of {self.symbol!r} on {self.venue} has no brackets; give at least one")
        if len({tier.contract for tier in self.tiers}) > 1:
            raise ConfigError(f"tiers: the table of {self.symbol!r} on {self.venue} mixes linear and inverse brackets; keep them apart")

    @property
    def contract(self) -> Contract:
        """Whether notional is in quote (linear) or in base coin (inverse)."""
        return self.tiers[0].contract


GENERIC_TIERS: Final[tuple[LeverageTier, ...]] = (
    LeverageTier(min_notional=0.0, max_notional=math.inf, maintenance_margin_rate=0.005, max_leverage=100.0, maintenance_amount=0.0),
)
"""For symbols without a table: the first bracket that Binance used for most liquid USDT-M symbols in 2026 (SOL, XRP)."""


def max_leverage(tiers: Sequence[LeverageTier], notional: float = 0.0) -> float:
    """Return the highest leverage allowed for a position of `notional`, in the unit of the brackets."""
    return next((tier for tier in tiers if notional <= tier.max_notional), tiers[-1]).max_leverage


def maintenance_margin(tiers: Sequence[LeverageTier], notional: float) -> float:
    """Return the maintenance margin of a position of `notional`, both in the unit of the brackets; the last bracket has no end.

    It is the greatest `notional * maintenance_margin_rate - maintenance_amount` of all brackets: rates ascend and the
    brackets join, so the one that holds `notional` is the one that asks the most.
    """
    return max(tier.maintenance_margin_rate * notional - tier.maintenance_amount for tier in tiers)


def check_tiers(tiers: Sequence[LeverageTier]) -> None:
    """Raise ConfigError unless the brackets make one table that gives every position at most one liquidation price.

    They ascend from 0 and join, their rates never fall, and the requirement does not jump where they meet.
    """
    if not tiers:
        raise ConfigError("tiers: no brackets are given; pass those of leverage_tiers(venue, symbol), or one explicit rate")
    if len({tier.contract for tier in tiers}) > 1:
        raise ConfigError("tiers: the brackets are of linear and of inverse contracts; pass those of one symbol")
    if tiers[0].min_notional != 0 or tiers[0].maintenance_amount != 0:
        raise ConfigError(
            f"tiers: the first bracket starts at {tiers[0].min_notional:g} with maintenance_amount {tiers[0].maintenance_amount:g}; "
            "both must be 0, pass the whole table"
        )
    for number, (below, tier) in enumerate(pairwise(tiers), start=2):
        if not math.isclose(tier.min_notional, below.max_notional, rel_tol=1e-9):
            raise ConfigError(
                f"tiers: bracket {number} starts at {tier.min_notional:.15g} but the one below ends at {below.max_notional:.15g}; "
                "they must join, pass the whole table in ascending notional"
            )
        rise = tier.maintenance_margin_rate - below.maintenance_margin_rate
        if rise < 0:
            raise ConfigError(
                f"tiers: the rate {tier.maintenance_margin_rate:g} of bracket {number} is below the {below.maintenance_margin_rate:g} of "
                "the one before; no venue asks less of larger positions, pass the table as read_tiers returns it"
            )
        joined = below.maintenance_amount + tier.min_notional * rise
        if not abs(tier.maintenance_amount - joined) <= AMOUNT_ROUNDING * tier.min_notional * tier.maintenance_margin_rate:
            raise ConfigError(
                f"tiers: maintenance_amount {tier.maintenance_amount:.15g} of bracket {number} makes the requirement jump, "
                f"{joined:.15g} joins the one below; pass the table as read_tiers returns it"
            )

"""How an account trades: how late orders arrive, when it rests, and when it gives up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from liqbt.errors import ConfigError, did_you_mean

__all__ = ["OnOpposite", "TradingRules"]

OnOpposite: TypeAlias = Literal["reverse", "close", "ignore"]

MAX_LATENCY_BARS: Final = 10_000  # a week of minutes; beyond it a number of milliseconds was likelier meant
MAX_LATENCY_MS: Final = 86_400_000.0


@dataclass(frozen=True, kw_only=True)
class TradingRules:
    """What holds for every order of an account.

    latency_bars: whole bars by which wishes reach the market later than at the next open.
    latency_ms: milliseconds by which they do beyond that; needs recorded trades, which tell the price at that instant. Both are 0
        by default: a wish is filled at the next open.
    cooldown_bars: bars after the one in which a trade ended, in which nothing is opened; where it is above 0 nothing is opened in that
        bar either, so that an entry against a position only closes it.
    on_opposite: what an entry against a held position does: `reverse` closes it and opens the other way, `close` only closes it,
        `ignore` leaves it.
    ruin_share: fraction of the initial cash; once equity at a close is at or below it, all is closed at the next open and nothing
        more is opened. The default, a millionth, is what rounding may leave where liquidations took everything.

    Raises ConfigError for values out of range.
    """

    latency_bars: int = 0
    latency_ms: float = 0.0
    cooldown_bars: int = 0
    on_opposite: OnOpposite = "reverse"
    ruin_share: float = 1e-6

    def __post_init__(self) -> None:
        for name in ("latency_bars", "cooldown_bars"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
                raise ConfigError(f"{name}: {value!r} must be a whole number of bars, 0 or more")
        if self.latency_bars > MAX_LATENCY_BARS:
            raise ConfigError(f"latency_bars: {self.latency_bars!r} must be at most {MAX_LATENCY_BARS}; latency_ms takes milliseconds")
        if not 0 <= self.latency_ms <= MAX_LATENCY_MS:
            raise ConfigError(f"latency_ms: {self.latency_ms!r} must be from 0 to {MAX_LATENCY_MS:.0f} milliseconds, a day")
        if self.on_opposite not in get_args(OnOpposite):
            known = get_args(OnOpposite)
            raise ConfigError(f"on_opposite: {self.on_opposite!r} must be one of {', '.join(known)}{did_you_mean(self.on_opposite, known)}")
        if not (math.isfinite(self.ruin_share) and 0 <= self.ruin_share < 1):
            raise ConfigError(f"ruin_share: {self.ruin_share!r} must be a fraction of the initial cash from 0 to below 1")

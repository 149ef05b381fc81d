"""How large an entry is, decided with what is known when it is wished."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

from liqbt.errors import ConfigError
from liqbt.volatility import VOLATILITY_DAYS

__all__ = ["EquityShare", "FixedNotional", "Sizing", "VolatilityTarget"]


@dataclass(frozen=True, kw_only=True)
class EquityShare:
    """Put up a share of equity as margin and fee of each entry.

    share: fraction of the equity at the close that decides the entry, above 0 and at most 1 (all of it, the default). The
        notional is `equity * share * leverage / (1 + leverage * taker_fee_rate)`, so that an entry at 1x borrows nothing.

    Raises ConfigError for values out of range.
    """

    share: float = 1.0

    def __post_init__(self) -> None:
        _check_share("share", self.share)


@dataclass(frozen=True, kw_only=True)
class FixedNotional:
    """Open the same notional each time, whatever the account has become.

    notional: quote, above 0.

    Raises ConfigError for values out of range.
    """

    notional: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.notional) and self.notional > 0):
            raise ConfigError(f"notional: {self.notional!r} must be a finite number of quote above 0")


@dataclass(frozen=True, kw_only=True)
class VolatilityTarget:
    """Open what moves the account by the same share each day, as far as the volatility known at the decision tells.

    daily: that share, a fraction above 0 and below 1: notional is `equity * daily / volatility`, the volatility of log price over
        a day. 2 % is a convention, fitted to nothing.
    volatility_days: half-life of the volatility in days; the default is that of `liqbt.volatility`.
    max_share: bound of the notional, as a fraction of `equity * leverage`, above 0 and at most 1.

    While the volatility is not known (the first day of a market) nothing is opened.

    Raises ConfigError for values out of range.
    """

    daily: float = 0.02
    volatility_days: float = VOLATILITY_DAYS
    max_share: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.daily < 1:
            raise ConfigError(f"daily: {self.daily!r} must be a fraction above 0 and below 1; 0.02 is 2 % a day")
        if not (math.isfinite(self.volatility_days) and self.volatility_days > 0):
            raise ConfigError(f"volatility_days: {self.volatility_days!r} must be a finite number of days above 0")
        _check_share("max_share", self.max_share)


Sizing: TypeAlias = EquityShare | FixedNotional | VolatilityTarget


def _check_share(name: str, value: float) -> None:
    if not 0 < value <= 1:
        raise ConfigError(f"{name}: {value!r} must be above 0 and at most 1, a fraction of equity")

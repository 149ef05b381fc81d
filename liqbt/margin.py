"""Where a venue closes a leveraged position by force: bracket tables and liquidation prices of linear contracts.

Formula (isolated margin; s = +1 long, -1 short; q amount, E entry, M margin, m maintenance margin rate, c maintenance
amount, f closing fee rate where the venue counts it in the requirement):

    P = (M + c - s q E) / (q (m + f - s))

which is the price where equity `M + s q (P - E)` equals the requirement `q P (m + f) - c`.
Source: Binance support, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from liqbt._typing import Side
from liqbt.errors import ConfigError, did_you_mean

__all__ = [
    "GENERIC_TIERS",
    "LeverageTier",
    "bankruptcy_price",
    "leverage_tiers",
    "liquidation_price",
    "max_leverage",
    "tiers_from_ccxt",
    "tiers_or_generic",
]


@dataclass(frozen=True, kw_only=True)
class LeverageTier:
    """One bracket of a venue's table, with ccxt's field names.

    min_notional, max_notional: quote, the position value that the bracket covers; max may be infinite.
    maintenance_margin_rate: fraction. max_leverage: multiple.
    maintenance_amount: quote, Binance's `cum`: it makes the requirement continuous from bracket to bracket.
    """

    min_notional: float
    max_notional: float
    maintenance_margin_rate: float
    max_leverage: float
    maintenance_amount: float

    def __post_init__(self) -> None:
        if not 0 <= self.min_notional < self.max_notional:
            raise ConfigError(
                f"leverage tier: min_notional {self.min_notional} must be at least 0 and below max_notional {self.max_notional}"
            )
        if not 0 < self.maintenance_margin_rate < 1:
            raise ConfigError(f"leverage tier: maintenance_margin_rate {self.maintenance_margin_rate} must be a fraction between 0 and 1")
        if not self.max_leverage >= 1:
            raise ConfigError(f"leverage tier: max_leverage {self.max_leverage} must be at least 1")


GENERIC_TIERS: Final[tuple[LeverageTier, ...]] = (
    LeverageTier(min_notional=0.0, max_notional=math.inf, maintenance_margin_rate=0.005, max_leverage=100.0, maintenance_amount=0.0),
)
"""For symbols without a shipped table: the first bracket that Binance used for most liquid USDT-M symbols in 2026 (SOL, XRP)."""


_CCXT_FIELDS: Final = ("minNotional", "maxNotional", "maintenanceMarginRate", "maxLeverage")


@cache
def _shipped() -> Mapping[str, Mapping[str, tuple[LeverageTier, ...]]]:
    raw = json.loads(resources.files("liqbt").joinpath("leverage_tiers.json").read_text("utf-8"))
    return {venue: {symbol: tiers_from_ccxt(rows) for symbol, rows in symbols.items()} for venue, symbols in raw["venues"].items()}


def tiers_from_ccxt(rows: Iterable[Mapping[str, Any]]) -> tuple[LeverageTier, ...]:
    """Return brackets from ccxt's unified leverage tiers, in ascending notional.

    Each maintenance amount is computed, `c_n = c_{n-1} + min_notional_n (m_n - m_{n-1})`, for ccxt leaves it out.

    Raises ConfigError where brackets are missing, overlap or leave a gap.
    """
    listed = list(rows)
    for row in listed:
        missing = [name for name in _CCXT_FIELDS if name not in row]
        if missing:
            raise ConfigError(f"leverage tiers: a bracket lacks {missing[0]}; it needs {', '.join(_CCXT_FIELDS)}")
    if not listed:
        raise ConfigError("leverage tiers: the table is empty")
    ordered = sorted(listed, key=lambda row: float(row["minNotional"]))
    tiers: list[LeverageTier] = []
    for row in ordered:
        floor, rate = float(row["minNotional"]), float(row["maintenanceMarginRate"])
        if tiers and rate < tiers[-1].maintenance_margin_rate:
            raise ConfigError(f"leverage tiers: maintenance_margin_rate falls to {rate} at {floor}; venues ask more of larger positions")
        expected = tiers[-1].max_notional if tiers else 0.0
        if floor != expected:
            raise ConfigError(f"leverage tiers: a bracket starts at {floor}, the one below ends at {expected}; brackets must join")
        amount = tiers[-1].maintenance_amount + floor * (rate - tiers[-1].maintenance_margin_rate) if tiers else 0.0
        cap = row["maxNotional"]
        tiers.append(
            LeverageTier(
                min_notional=floor,
                max_notional=math.inf if cap is None else float(cap),
                maintenance_margin_rate=rate,
                max_leverage=float(row["maxLeverage"]),
                maintenance_amount=amount,
            )
        )
    return tuple(tiers)


def leverage_tiers(venue: str, symbol: str) -> tuple[LeverageTier, ...]:
    """Return the shipped brackets of `symbol` (as the venue writes it, such as `BTCUSDT`) in ascending notional.

    The tables are dated in `liqbt/leverage_tiers.json`; venues change theirs without notice.

    Raises ConfigError for a venue or symbol that is not shipped.
    """
    venues = _shipped()
    if venue not in venues:
        raise ConfigError(f"venue: no leverage tiers are shipped for {venue!r}{did_you_mean(venue, venues)}")
    if symbol not in venues[venue]:
        raise ConfigError(f"symbol: no leverage tiers are shipped for {symbol!r} on {venue}{did_you_mean(symbol, venues[venue])}")
    return venues[venue][symbol]


def tiers_or_generic(venue: str, symbol: str) -> tuple[tuple[LeverageTier, ...], tuple[str, ...]]:
    """Return the shipped brackets and no note, or `GENERIC_TIERS` and a note that says that they are assumed."""
    try:
        return leverage_tiers(venue, symbol), ()
    except ConfigError:
        tier = GENERIC_TIERS[0]
        assumed = f"{tier.maintenance_margin_rate:.2%} maintenance margin and at most {tier.max_leverage:g}x"
        return GENERIC_TIERS, (f"no leverage tiers are shipped for {symbol} on {venue}: {assumed} are assumed",)


def max_leverage(tiers: Sequence[LeverageTier], notional: float = 0.0) -> float:
    """Return the highest leverage allowed for a position of `notional` quote."""
    return _tier_at(tiers, notional).max_leverage


def liquidation_price(
    *,
    side: Side,
    entry_price: float,
    amount: float,
    leverage: float | None = None,
    margin: float | None = None,
    tiers: Sequence[LeverageTier] | None = None,
    maintenance_margin_rate: float | None = None,
    maintenance_amount: float = 0.0,
    closing_fee_rate: float = 0.0,
) -> float:
    """Return the mark price, in quote, at which a linear position is liquidated; 0.0 for a long that never is.

    amount: base. Give either `leverage` (margin is then `amount * entry_price / leverage`) or `margin` in quote: isolated
    margin, or the balance that a cross position can lose. Give either `tiers` (the bracket is the one that holds the
    notional AT the liquidation price) or one explicit bracket.
    closing_fee_rate: fraction, for venues that count the fee of closing in the requirement.

    Raises ConfigError for values out of range, and for leverage above what the bracket of the entry notional allows.
    """
    sign = _sign(side)
    _positive(entry_price=entry_price, amount=amount)
    if (leverage is None) == (margin is None):
        raise ConfigError("liquidation_price: give exactly one of leverage and margin")
    notional = amount * entry_price
    if leverage is not None:
        _positive(leverage=leverage)
        if tiers is not None and leverage > max_leverage(tiers, notional):
            limit = max_leverage(tiers, notional)
            raise ConfigError(f"leverage: {leverage:g} is above the venue's maximum of {limit:g} for a position of {notional:g} quote")
        margin = notional / leverage
    assert margin is not None  # noqa: S101 - told to the type checker; both cases are decided above
    _positive(margin=margin)
    if (tiers is None) == (maintenance_margin_rate is None):
        raise ConfigError("liquidation_price: give exactly one of tiers and maintenance_margin_rate")
    if not (math.isfinite(maintenance_amount) and math.isfinite(closing_fee_rate)):
        raise ConfigError(f"maintenance_amount: {maintenance_amount!r} and closing_fee_rate {closing_fee_rate!r} must be finite numbers")
    if tiers is not None and not tiers:
        raise ConfigError("tiers: no brackets are given; pass those of leverage_tiers(venue, symbol), or one explicit rate")
    if tiers is None:
        assert maintenance_margin_rate is not None  # noqa: S101 - as above
        return _price(sign, entry_price, amount, margin, maintenance_margin_rate, maintenance_amount, closing_fee_rate)
    for tier in tiers:
        price = _price(sign, entry_price, amount, margin, tier.maintenance_margin_rate, tier.maintenance_amount, closing_fee_rate)
        if amount * price <= tier.max_notional:
            return price
    return price


def bankruptcy_price(*, side: Side, entry_price: float, leverage: float) -> float:
    """Return the price, in quote, at which a linear isolated position has lost all of its margin: `E (1 - s / L)`."""
    _positive(entry_price=entry_price, leverage=leverage)
    return entry_price * (1.0 - _sign(side) / leverage)


def _price(sign: int, entry: float, amount: float, margin: float, rate: float, constant: float, fee: float) -> float:
    if not 0 <= rate + fee < 1:
        raise ConfigError(f"maintenance_margin_rate: {rate} with closing_fee_rate {fee} must be a fraction between 0 and 1")
    return max(0.0, (margin + constant - sign * amount * entry) / (amount * (rate + fee - sign)))


def _tier_at(tiers: Sequence[LeverageTier], notional: float) -> LeverageTier:
    return next((tier for tier in tiers if notional <= tier.max_notional), tiers[-1])


def _sign(side: Side) -> int:
    if side not in ("long", "short"):
        raise ConfigError(f"side: {side!r} must be 'long' or 'short'")
    return 1 if side == "long" else -1


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"{name}: {value!r} must be a finite number above 0")

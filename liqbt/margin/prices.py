"""Liquidation and bankruptcy prices of one position: linear or inverse, isolated or cross.

s = +1 long, -1 short; E entry, M margin, m maintenance margin rate, c maintenance amount, f closing fee rate where the venue
counts it on the mark value; q amount in base (linear), Q in quote (inverse):

    linear   P = (M + c - s q E) / (q (m + f - s))        equity M + s q (P - E),       requirement q P (m + f) - c
    inverse  P = Q (m + f + s) / (M + c + s Q / E)        equity M + s Q (1/E - 1/P),   requirement Q / P (m + f) - c

which is where equity equals the requirement. Both are one line when the position's value in the coin of its margin is the
unknown, v = q P or Q / P, with V its value at entry: equity is M + k (v - V), where k = s for linear contracts and -s for
inverse ones, the requirement (m + f) v - c, and v = (M + c - k V) / (m + f - k).

The requirement is continuous in v and its slope is below 1, so equity less requirement rises (k = 1) or falls (k = -1) all the way:
there is one root, and on a boundary both brackets give it. A bracket's own root lies above its upper bound exactly where the
true one does, so the first bracket from below whose root it holds is the right one. Notional falls with price for linear
contracts, and rises as price falls for inverse ones: a linear long comes down into laxer brackets, an inverse long goes up
into stricter ones.

Source: Binance support, "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts" and the same for COIN-M.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from liqbt._typing import Side
from liqbt.errors import ConfigError
from liqbt.margin.rules import MarginRule, rule_of
from liqbt.margin.tiers import Contract, LeverageTier, check_tiers, max_leverage

__all__ = ["bankruptcy_price", "liquidation_price"]


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
    closing_fee_rate: float | None = None,
    contract: Contract | None = None,
    rule: MarginRule | None = None,
) -> float:
    """Return the mark price, in quote, at which a position is liquidated.

    Where no price liquidates it, the result is 0.0 for a linear long, which would have to fall below nothing, and `inf` for an
    inverse short, whose debt in coin shrinks as price rises. Linear shorts and inverse longs always have a price.

    contract: `linear` or `inverse`; None takes that of `tiers`, else `linear`. amount: base for linear contracts, quote value of
    the contracts for inverse ones.
    Give either `leverage` (the margin is then that share of the value at entry, and what `rule` adds) or `margin`, in quote for
    linear and in base for inverse contracts: isolated margin, or the balance that a cross position can lose.
    Give either `tiers` (the bracket is the one that holds the notional AT the liquidation price) or one explicit bracket.
    rule: what the venue counts, `margin_rule(venue)`; None counts maintenance margin and fee on the mark value.
    closing_fee_rate: fraction, in place of the rule's; None keeps that.

    Raises ConfigError for values out of range, for brackets that do not make one table or are not those of the contract, for
    leverage above what the bracket of the entry notional allows, for a maintenance amount that belongs to larger positions,
    and for margin that the requirement eats up at entry: such a position is liquidated as it opens.
    """
    sign = _sign(side)
    _positive(entry_price=entry_price, amount=amount)
    rule = rule_of(rule, closing_fee_rate)
    brackets, contract = _brackets(tiers, maintenance_margin_rate, maintenance_amount, contract, rule)
    slope, value = _position(sign, entry_price, amount, contract)
    if leverage is not None and margin is None:
        _positive(leverage=leverage)
        if tiers is not None and leverage > max_leverage(tiers, value):
            limit, coin = max_leverage(tiers, value), "quote" if contract == "linear" else "base"
            raise ConfigError(f"leverage: {leverage:g} is above the venue's maximum of {limit:g} for a position of {value:g} {coin}")
        margin = float(rule.posted_margin(slope, value, leverage))
        given = f"leverage: {leverage:g} gives a margin of {margin:g}, which"
    elif margin is not None and leverage is None:
        _positive(margin=margin)
        given = f"margin: {margin:g}"
    else:
        raise ConfigError("liquidation_price: give exactly one of leverage and margin")
    fee = rule.mark_fee_rate
    maintenance = max(rate * value - constant for _, rate, constant in brackets)
    free = float(rule.free_margin(slope, value, margin, maintenance))
    needed = margin - free + fee * value + (maintenance if rule.maintenance_on == "mark" else 0.0)
    if not margin > needed:
        raise ConfigError(
            f"{given} is not above the {needed:g} that a position of {value:g} needs at entry; it is liquidated as it opens, give it more"
        )
    decisive = value
    for upper, rate, constant in brackets:
        if rule.maintenance_on == "entry":
            at_liquidation = max(0.0, (free - slope * value) / (fee - slope))
        else:
            decisive = at_liquidation = max(0.0, (free + constant - slope * value) / (rate + fee - slope))
        if decisive <= upper:
            break
    if tiers is None and free < slope * value and rate * decisive < constant * (1 - 1e-9):
        raise ConfigError(
            f"maintenance_amount: {constant:g} is more than {rate:g} of the {decisive:g} that decides the bracket; "
            "it is of a bracket for larger positions"
        )
    return _price(amount, at_liquidation, contract)


def bankruptcy_price(
    *,
    side: Side,
    entry_price: float,
    leverage: float | None = None,
    margin: float | None = None,
    amount: float | None = None,
    closing_fee_rate: float = 0.0,
    contract: Contract = "linear",
) -> float:
    """Return the price, in quote, at which closing a position, fee included, takes all of its margin; 0.0 or `inf` where none does.

    `E (1 - s / L)` for linear and `E L / (L + s)` for inverse contracts without a fee. Give either `leverage` or `margin` and
    `amount`, in the units of `liquidation_price`. Where a venue posts the closing fee beside the margin (Bybit), leverage takes
    no `closing_fee_rate`, for the fee is paid already.
    Source: Bybit help, "Bankruptcy Price (USDT Contract)" and "(Inverse Contract)".

    Raises ConfigError for values out of range.
    """
    sign = _sign(side)
    if margin is not None and amount is None:
        raise ConfigError("amount: is missing; margin needs the amount that it backs")
    amount = 1.0 if amount is None else amount
    _positive(entry_price=entry_price, amount=amount)
    if not 0 <= closing_fee_rate < 1:
        raise ConfigError(f"closing_fee_rate: {closing_fee_rate!r} must be a fraction from 0 to below 1, such as 0.0005")
    slope, value = _position(sign, entry_price, amount, contract)
    if leverage is not None and margin is None:
        _positive(leverage=leverage)
        margin = value / leverage
    elif margin is not None and leverage is None:
        _positive(margin=margin)
    else:
        raise ConfigError("bankruptcy_price: give exactly one of leverage and margin")
    return _price(amount, max(0.0, (margin - slope * value) / (closing_fee_rate - slope)), contract)


def _brackets(
    tiers: Sequence[LeverageTier] | None, rate: float | None, constant: float, contract: Contract | None, rule: MarginRule
) -> tuple[list[tuple[float, float, float]], Contract]:
    """Return (upper notional, rate, maintenance amount) in ascending notional, and the contract that they are of."""
    if tiers is None and rate is not None:
        if not (math.isfinite(constant) and constant >= 0):
            raise ConfigError(f"maintenance_amount: {constant!r} must be a finite number of at least 0")
        rows = [(math.inf, rate, constant)]
    elif tiers is not None and rate is None:
        check_tiers(tiers)
        if contract not in (None, tiers[0].contract):
            kind = "an inverse contract, in base coin" if tiers[0].contract == "inverse" else "a linear contract, in quote"
            raise ConfigError(f"tiers: these are the brackets of {kind}; the position is {contract}")
        contract = tiers[0].contract
        rows = [(tier.max_notional, tier.maintenance_margin_rate, tier.maintenance_amount) for tier in tiers]
    else:
        raise ConfigError("liquidation_price: give exactly one of tiers and maintenance_margin_rate")
    for _, value, _ in rows:
        if not 0 <= value + rule.mark_fee_rate < 1 or value < 0:
            raise ConfigError(
                f"maintenance_margin_rate: {value} with closing_fee_rate {rule.mark_fee_rate} must be a fraction between 0 and 1"
            )
    return rows, contract or "linear"


def _position(sign: int, entry: float, amount: float, contract: Contract) -> tuple[int, float]:
    """Return how equity moves with the position's value in the coin of its margin, +1 or -1, and that value at entry."""
    if contract not in ("linear", "inverse"):
        raise ConfigError(f"contract: {contract!r} must be 'linear' or 'inverse'")
    value = amount * entry if contract == "linear" else amount / entry
    if not (math.isfinite(value) and value > 0):
        raise ConfigError(f"amount: {amount!r} at entry_price {entry!r} is a position of {value!r}; it must be finite and above 0")
    return (sign if contract == "linear" else -sign), value


def _price(amount: float, value: float, contract: Contract) -> float:
    if contract == "linear":
        return value / amount
    return amount / value if value > 0 else math.inf


def _sign(side: Side) -> int:
    if side not in ("long", "short"):
        raise ConfigError(f"side: {side!r} must be 'long' or 'short'")
    return 1 if side == "long" else -1


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"{name}: {value!r} must be a finite number above 0")

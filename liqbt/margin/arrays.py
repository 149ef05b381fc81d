"""Liquidation prices of many positions at once, and how far from entry each leverage and size is liquidated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from liqbt._typing import LONG, SHORT, SIDES, Float64Array1D, Float64Array3D, Side
from liqbt.errors import ConfigError
from liqbt.margin.rules import MarginRule, rule_of
from liqbt.margin.tiers import Contract, LeverageTier, check_tiers

__all__ = ["TierArrays", "liquidation_distance", "liquidation_prices"]


@dataclass(frozen=True, kw_only=True, eq=False)
class TierArrays:
    """The brackets of one symbol as kernels take them, each of shape (n_brackets,) and read-only, in ascending notional.

    upper: notional where the bracket ends; the last one is taken to go on. rate: maintenance margin rate. constant: maintenance
    amount. leverage: the highest allowed. contract: whose coin `upper` and `constant` are in, quote or base.
    """

    upper: Float64Array1D
    rate: Float64Array1D
    constant: Float64Array1D
    leverage: Float64Array1D
    contract: Contract

    @classmethod
    def of(cls, tiers: Sequence[LeverageTier]) -> TierArrays:
        """Return `tiers` as arrays; raises ConfigError where they do not make one table."""
        check_tiers(tiers)
        names = ("max_notional", "maintenance_margin_rate", "maintenance_amount", "max_leverage")
        upper, rate, constant, leverage = (np.array([getattr(tier, name) for tier in tiers], dtype=np.float64) for name in names)
        for array in (upper, rate, constant, leverage):
            array.setflags(write=False)
        return cls(upper=upper, rate=rate, constant=constant, leverage=leverage, contract=tiers[0].contract)

    def max_leverage(self, notional: ArrayLike) -> NDArray[np.float64]:
        """Return the highest leverage allowed for positions of `notional`, in the shape of that."""
        return self.leverage[np.minimum(np.searchsorted(self.upper, notional, side="left"), self.upper.size - 1)]

    def maintenance_margin(self, notional: ArrayLike) -> NDArray[np.float64]:
        """Return the maintenance margin of positions of `notional`, in the shape of that."""
        asked = np.asarray(notional, dtype=np.float64)[..., None] * self.rate - self.constant
        return np.asarray(asked.max(axis=-1), dtype=np.float64)


def liquidation_prices(
    *,
    side: Side | ArrayLike,
    entry_price: ArrayLike,
    amount: ArrayLike,
    leverage: ArrayLike | None = None,
    margin: ArrayLike | None = None,
    tiers: Sequence[LeverageTier] | TierArrays,
    closing_fee_rate: float | None = None,
    rule: MarginRule | None = None,
) -> NDArray[np.float64]:
    """Return what `liquidation_price` returns for each position, in the common shape of the arguments.

    side: one side for all, or codes `LONG` (0) and `SHORT` (1). The others are in the units of `liquidation_price`; the contract
    is that of the brackets.
    It asks less than that one does: margin may be anything, down to below 0. Of a position whose margin would not have opened it, as
    when funding has drained it after it moved into profit, the price lies beyond entry. Leverage above the venue's maximum is
    priced as if it were allowed.

    Raises ConfigError for entry prices, amounts and leverage that are not finite and above 0, for margin that is not finite, for
    other sides, and for shapes that do not go together.
    """
    from liqbt.margin.kernels import fill_liquidation_prices

    table = tiers if isinstance(tiers, TierArrays) else TierArrays.of(tiers)
    rule = rule_of(rule, closing_fee_rate)
    if table.rate[-1] + rule.mark_fee_rate >= 1:
        raise ConfigError(
            f"closing_fee_rate: {rule.mark_fee_rate} with a maintenance margin rate of {table.rate[-1]:g} must stay a fraction below 1"
        )
    if (leverage is None) == (margin is None):
        raise ConfigError("liquidation_prices: give exactly one of leverage and margin")
    given = "margin" if leverage is None else "leverage"
    arrays = {"side": _signs(side), "entry_price": entry_price, "amount": amount, given: margin if leverage is None else leverage}
    try:
        parts = np.broadcast_arrays(*(np.asarray(values, dtype=np.float64) for values in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {np.shape(values)}" for name, values in arrays.items())  # type: ignore[arg-type]
        raise ConfigError(f"liquidation_prices: shapes {shapes} do not go together; give numbers, or arrays of one shape") from None
    for name, values in zip(arrays, parts, strict=True):
        wrong = ~np.isfinite(values) | ((values <= 0) & (name in ("entry_price", "amount", "leverage")))
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            bound = "" if name == "margin" else " above 0"
            raise ConfigError(f"{name}: {values.ravel()[at]!r} at position {at} must be a finite number{bound}")
    sign, entry, size, last = (np.ascontiguousarray(values).ravel() for values in parts)
    inverse = table.contract == "inverse"
    slope, value = (-sign, size / entry) if inverse else (sign, size * entry)
    posted = last if leverage is None else rule.posted_margin(slope, value, last)
    rate, constant, asked = table.rate, table.constant, np.zeros(1)
    if rule.maintenance_on == "entry":
        rate, constant, asked = np.zeros(1), np.zeros(1), table.maintenance_margin(value)
    free = rule.free_margin(slope, value, posted, asked)
    out = np.empty(sign.size)
    fill_liquidation_prices(sign, entry, size, np.asarray(free), inverse, rate, constant, rule.mark_fee_rate, out)
    return out.reshape(parts[0].shape)


def liquidation_distance(
    leverage: ArrayLike,
    notional: ArrayLike,
    tiers: Sequence[LeverageTier] | TierArrays,
    *,
    closing_fee_rate: float | None = None,
    rule: MarginRule | None = None,
) -> Float64Array3D:
    """Return how far from entry positions are liquidated, as a fraction of the entry price, shape (n_leverages, n_sizes, 2).

    The last axis is [long, short]; longs die at `entry * (1 - distance)`, shorts at `entry * (1 + distance)`, whatever the entry
    price, for the bracket follows from size and leverage. leverage: shape (n_leverages,). notional: value at entry, shape
    (n_sizes,), in the unit of the brackets: quote, of inverse contracts base.
    1.0 for a linear long and inf for an inverse short that are never liquidated. NaN where the venue has no such position: leverage
    above the maximum for that size, or margin that the requirement eats up at entry.

    Raises ConfigError as `liquidation_prices` does.
    """
    table = tiers if isinstance(tiers, TierArrays) else TierArrays.of(tiers)
    multiple, size = np.atleast_1d(np.asarray(leverage, dtype=np.float64)), np.atleast_1d(np.asarray(notional, dtype=np.float64))
    prices = liquidation_prices(
        side=np.array([LONG, SHORT]),
        entry_price=1.0,
        amount=size[None, :, None],
        leverage=multiple[:, None, None],
        tiers=table,
        closing_fee_rate=closing_fee_rate,
        rule=rule,
    )
    distance = (prices - 1.0) * np.array([-1.0, 1.0])
    allowed = multiple[:, None] <= table.max_leverage(size)
    return np.where(allowed[:, :, None] & (distance > 0), distance, np.nan)


def _signs(side: Side | ArrayLike) -> NDArray[np.float64]:
    """Return +1 for longs and -1 for shorts."""
    if isinstance(side, str):
        if side not in SIDES:
            raise ConfigError(f"side: {side!r} must be 'long' or 'short'")
        side = SIDES.index(side)
    codes = np.asarray(side)
    known = np.isin(codes, (LONG, SHORT))
    if not known.all():
        raise ConfigError(f"side: {codes[~known].ravel()[0]!r} must be LONG ({LONG}) or SHORT ({SHORT})")
    return np.where(codes == LONG, 1.0, -1.0)

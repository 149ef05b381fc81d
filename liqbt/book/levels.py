"""Where, and how fast, the positions of each leverage go: liquidation distances by size, and the rate at which they close."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import Float64Array2D, Float64Array3D
from liqbt.book.params import BookParams, LeverageMix
from liqbt.errors import ConfigError
from liqbt.margin import LeverageTier, MarginRule, TierArrays, liquidation_distance, margin_rule
from liqbt.market import MarketFrame

__all__ = ["Levels", "liquidation_levels"]

_SIZES: Final = 8
"""Sizes that stand for the distribution, each for an eighth of what is opened: a convention."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """What the book knows of each leverage. Arrays begin with [long, short] and go by the leverages of a mix.

    shift: shape (2, n_leverages, n_sizes), log(liquidation price / entry price). share: same shape, share of each size in what is
    opened at that leverage, summing to 1; 0 where the venue has no such position.
    multiple: shape (2, n_leverages), of the recorded closing rate.
    """

    shift: Float64Array3D
    share: Float64Array3D
    multiple: Float64Array2D

    @classmethod
    def of(cls, shift: Float64Array2D) -> Levels:
        """Return levels of one size, shape (2, n_leverages), all of which close at the recorded rate."""
        return cls(shift=shift[:, :, None], share=np.ones((*shift.shape, 1)), multiple=np.ones(shift.shape))


def liquidation_levels(
    market: MarketFrame, mix: LeverageMix, params: BookParams, tiers: Sequence[LeverageTier]
) -> tuple[LeverageMix, Levels, tuple[str, ...]]:
    """Return the mix that the venue allows, its levels, and what had to be left out.

    Raises ConfigError where nothing of the mix is left, and where a position would be liquidated as it opens.
    """
    kept, dropped = mix.allowed_by(tiers)
    rate, sizes = params.maintenance_margin_rate, _sizes(params, tiers)
    rule = _rule(market.venue)
    table = TierArrays.of(tiers if rate is None else (_one_bracket(tiers[0], rate),))
    distance: Float64Array3D = np.moveaxis(liquidation_distance(kept.leverage, sizes, table, rule=rule), 2, 0)  # side, leverage, size
    allowed = np.array(kept.leverage)[:, None] <= table.max_leverage(sizes)
    doomed = np.flatnonzero((np.isnan(distance) & allowed).any(axis=2).any(axis=0))
    if doomed.size:
        value, asked = kept.leverage[int(doomed[0])], float(table.rate[0])
        raise ConfigError(
            f"leverage: {value:g} with a maintenance margin rate of {asked:g} is liquidated as it opens; it must be below {1 / asked:g}"
        )
    notes: tuple[str, ...] = ()
    exists: NDArray[np.bool_] = np.asarray(np.isfinite(distance).all(axis=0))
    some = np.flatnonzero(exists.sum(axis=1))
    if some.size < len(kept.leverage):
        missing = tuple(value for place, value in enumerate(kept.leverage) if place not in some)
        kept, distance, exists = _without(kept, missing, params), distance[:, some], exists[some]
        dropped = tuple(sorted((*dropped, *missing)))
    if dropped:
        listed, limit = ", ".join(f"{value:g}x" for value in dropped), f"{tiers[0].max_leverage:g}x"
        sized = "" if params.median_notional is None else ", or has no size that the brackets allow"
        notes += (f"leverage {listed} is above the venue's maximum of {limit} for {market.symbol}{sized}; dropped, the rest renormalised",)
    if not exists.all():
        listed = ", ".join(f"{value:g}x" for value, row in zip(kept.leverage, exists, strict=True) if not row.all())
        notes += (f"the largest of the assumed positions cannot have {listed}: that leverage is left to smaller ones",)
    share = np.broadcast_to(exists / exists.sum(axis=1, keepdims=True), distance.shape)
    distance = np.where(exists, distance, np.nanmin(np.where(exists, distance, np.nan), axis=2, keepdims=True))
    shift = np.stack([np.log1p(-distance[0]), np.log1p(distance[1])])
    multiple = ((share * distance).sum(axis=2) / params.hazard_distance) ** -params.hazard_exponent
    return kept, Levels(shift=shift, share=np.ascontiguousarray(share), multiple=multiple), notes


def _sizes(params: BookParams, tiers: Sequence[LeverageTier]) -> Sequence[float]:
    """Return position sizes, in the unit of the brackets, that each stand for the same share of what is opened."""
    if params.median_notional is None:
        return [1e-3 * min(1.0, tiers[0].max_notional)]
    normal = NormalDist(math.log(params.median_notional), params.notional_sigma or 1e-12)
    return [math.exp(normal.inv_cdf((place + 0.5) / _SIZES)) for place in range(_SIZES)]


def _one_bracket(first: LeverageTier, rate: float) -> LeverageTier:
    return LeverageTier(
        min_notional=0.0,
        max_notional=math.inf,
        maintenance_margin_rate=rate,
        max_leverage=math.inf,
        maintenance_amount=0.0,
        contract=first.contract,
    )


def _rule(venue: str) -> MarginRule | None:
    try:
        return margin_rule(venue)
    except ConfigError:
        return None  # the plain rule, as for brackets that are not shipped


def _without(mix: LeverageMix, missing: Sequence[float], params: BookParams) -> LeverageMix:
    left = {value: weight for value, weight in zip(mix.leverage, mix.weights, strict=True) if value not in missing}
    if not any(left.values()):
        raise ConfigError(
            f"median_notional: {params.median_notional:g} allows none of the leverages {', '.join(f'{x:g}' for x in mix.leverage)}; "
            "assume smaller positions or a lower leverage"
        )
    return LeverageMix.of(left)

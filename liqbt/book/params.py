"""What the simulator assumes: the leverage that traders use, and how positions open and close."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from liqbt.errors import ConfigError
from liqbt.margin import LeverageTier, max_leverage

__all__ = ["BookParams", "LeverageMix"]


@dataclass(frozen=True, kw_only=True)
class LeverageMix:
    """Assumed shares of newly opened notional by leverage; not the venue's brackets, which are `LeverageTier`.

    leverage: multiples above 1, ascending. weights: fractions of the same length that sum to 1.
    """

    leverage: tuple[float, ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.leverage or len(self.leverage) != len(self.weights):
            raise ConfigError(
                f"LeverageMix: {len(self.leverage)} leverages and {len(self.weights)} weights; give as many of one as of the other"
            )
        for value in self.leverage:
            if not (math.isfinite(value) and value > 1):
                raise ConfigError(f"LeverageMix: leverage {value!r} must be above 1; without leverage nothing is liquidated")
        if any(b <= a for a, b in zip(self.leverage, self.leverage[1:], strict=False)):
            raise ConfigError(f"LeverageMix: leverage {self.leverage} must strictly ascend")
        for value in self.weights:
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"LeverageMix: weight {value!r} must be a fraction of at least 0")
        if abs(sum(self.weights) - 1) > 1e-9:
            raise ConfigError(f"LeverageMix: weights sum to {sum(self.weights)!r}, not 1; use LeverageMix.of to normalise")

    @classmethod
    def of(cls, weights: Mapping[float, float]) -> LeverageMix:
        """Return the mix with these weights by leverage, sorted and normalised to sum to 1.

        Raises ConfigError for weights below 0 or all 0, and for leverage of 1 or less.
        """
        total = sum(weights.values())
        if not (math.isfinite(total) and total > 0):
            raise ConfigError(f"LeverageMix: weights {dict(weights)} must sum to a finite number above 0")
        ordered = sorted(weights)
        return cls(leverage=tuple(float(x) for x in ordered), weights=tuple(weights[x] / total for x in ordered))

    @classmethod
    def default(cls) -> LeverageMix:
        """Return equal weights on 5, 10, 20, 30, 50, 75 and 100 times: an assumption of ignorance, fitted to nothing.

        Equal weights are what fitted ones shrink towards when recordings cannot tell leverages apart. The levels are those
        that Binance's order form offers on its slider, without the ones that its brackets forbid almost everywhere.
        """
        levels = (5.0, 10.0, 20.0, 30.0, 50.0, 75.0, 100.0)
        return cls.of(dict.fromkeys(levels, 1.0))

    def allowed_by(self, tiers: Sequence[LeverageTier]) -> tuple[LeverageMix, tuple[float, ...]]:
        """Return the mix without leverage above the venue's maximum, renormalised, and the leverages that were dropped.

        Raises ConfigError where nothing with weight is left.
        """
        limit = max_leverage(tiers)
        kept = {lev: w for lev, w in zip(self.leverage, self.weights, strict=True) if lev <= limit}
        dropped = tuple(lev for lev in self.leverage if lev > limit)
        if not dropped:
            return self, ()
        if not any(kept.values()):
            raise ConfigError(f"LeverageMix: every leverage is above the venue's maximum of {limit:g}; give the mix a lower one")
        return LeverageMix.of(kept), dropped


@dataclass(frozen=True, kw_only=True)
class BookParams:
    """How positions open, close and are binned.

    Openings and closings:
    churn_share: share, 0 to 1, of the volume that does not change open interest which is leveraged traders replacing each
        other; the rest is market making. 0.5 is the best of the values that were scored against recorded liquidations of
        BTC, ETH and SOL in 2024.
    long_churn_share: share, 0 to 1, of that churn in which a long changes hands; 0.5 for want of evidence otherwise.
    taker_tilt: by how much that share rises, -1 to 1, as the takers' buying goes from none of the bar's volume to all of it; it
        needs recorded taker volume. 0, which ignores it: it made no difference on the same recordings.
    recorded_liquidations_close: whether at least what was recorded as liquidated is closed, as far as the bar's volume allows;
        it needs recorded liquidations. Off: a map that is to be held against recorded liquidations must not be made from them.
    open_interest_days: for markets without recorded open interest, which is then taken as this many days of average volume:
        the median of the ratio over six recordings (BTC, ETH, SOL 2024; SOL, DOGE, ETH 2025-26), which range from 0.30 to 0.49.
    volume_memory_days: half-life, in days, of that average.

    Who closes:
    count_liquidations: whether what a bar liquidates counts towards what it closes, for open interest falls by both. As long as
        less is liquidated than is closed, the positions on the map then follow open interest exactly.
    hazard_exponent: positions that are liquidated at a distance d close at (d / hazard_distance) ** -hazard_exponent times the
        recorded rate, 0 to 2. 0, which makes all close alike: 0.25 moved rank correlations on the same recordings by less than 0.001.
    hazard_distance: fraction of price; with an exponent, positions of that distance close at the recorded rate. A convention.
    fleeting_share: share, 0 to below 1, of what is opened that closes at `fleeting_hazard` times the rate of the rest, 1 to 1000;
        the older a position, the less likely it is one of those. 0 leaves them out: a convention.

    Where positions die:
    bin_bps: width of a price bin in basis points of price; widths of 2 to 10 gave the same score on the same recordings.
    maintenance_margin_rate: fraction for all positions; None takes the venue's table.
    median_notional: half of what is opened is in positions of more than this, in the unit of the brackets (quote, of inverse
        contracts base); None makes all of them small enough for the first bracket.
    notional_sigma: standard deviation of the log of that size, which is lognormal; 0 to 5. A convention.
    """

    churn_share: float = 0.5
    long_churn_share: float = 0.5
    taker_tilt: float = 0.0
    recorded_liquidations_close: bool = False
    open_interest_days: float = 0.37
    volume_memory_days: float = 7.0
    count_liquidations: bool = True
    hazard_exponent: float = 0.0
    hazard_distance: float = 0.02
    fleeting_share: float = 0.0
    fleeting_hazard: float = 10.0
    bin_bps: float = 5.0
    maintenance_margin_rate: float | None = None
    median_notional: float | None = None
    notional_sigma: float = 1.5

    def __post_init__(self) -> None:
        for name in ("churn_share", "long_churn_share"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"{name}: {value!r} must be a share between 0 and 1")
        for name, low, high in (("taker_tilt", -1, 1), ("hazard_exponent", 0, 2), ("fleeting_hazard", 1, 1000), ("notional_sigma", 0, 5)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ConfigError(f"{name}: {value!r} must be between {low} and {high}")
        if not 0 <= self.fleeting_share < 1:
            raise ConfigError(f"fleeting_share: {self.fleeting_share!r} must be a share of at least 0 and below 1")
        if not 0.1 <= self.bin_bps <= 100:
            raise ConfigError(f"bin_bps: {self.bin_bps!r} must be between 0.1 and 100 basis points")
        for name in ("maintenance_margin_rate", "hazard_distance"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise ConfigError(f"{name}: {value!r} must be a fraction between 0 and 1, such as 0.005")
        for name in ("open_interest_days", "volume_memory_days"):
            value = getattr(self, name)
            if not (math.isfinite(value) and 0 < value <= 1000):
                raise ConfigError(f"{name}: {value!r} must be above 0 and at most 1000 days")
        size = self.median_notional
        if size is not None and not (math.isfinite(size) and size > 0):
            raise ConfigError(f"median_notional: {size!r} must be above 0")
        if size is not None and self.maintenance_margin_rate is not None:
            raise ConfigError(
                f"median_notional: {size:g} decides the bracket, which maintenance_margin_rate {self.maintenance_margin_rate:g} replaces; "
                "give only one of them"
            )

"""What counts as a hot zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from liqbt.errors import ConfigError

__all__ = ["MAX_REACH", "ZoneParams", "smoothing_bins"]

MAX_REACH: Final = 0.25  # the book's price grid reaches at least this far beyond every traded price


@dataclass(frozen=True, kw_only=True)
class ZoneParams:
    """What counts as a hot zone. All defaults are conventions, fitted to nothing; test others before trusting any.

    threshold: smoothed heat of at least this share of the hottest smoothed bin on the same side within reach.
    smooth_bps: half-width, in basis points, of the moving average over price. min_share: smallest share, 0 to 1, of the
    side's heat within reach that a zone holds. reach: distance from price, as a fraction of it, beyond which nothing counts.
    """

    threshold: float = 0.5
    smooth_bps: float = 15.0
    min_share: float = 0.05
    reach: float = 0.12

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"threshold: {self.threshold!r} must be a share above 0 and at most 1")
        if not 0 <= self.smooth_bps <= 1000:
            raise ConfigError(f"smooth_bps: {self.smooth_bps!r} must be between 0 and 1000 basis points")
        if not 0 <= self.min_share < 1:
            raise ConfigError(f"min_share: {self.min_share!r} must be a share of at least 0 and below 1")
        if not 0 < self.reach <= MAX_REACH:
            raise ConfigError(f"reach: {self.reach!r} must be a fraction of price above 0 and at most {MAX_REACH}")


def smoothing_bins(params: ZoneParams, width: float) -> int:
    """Return the half-width of the moving average in bins of `width` log price."""
    return round(params.smooth_bps * 1e-4 / width)

"""Ablations: the same claim without what the map adds, so that it is seen what the map adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from liqbt.errors import ConfigError
from liqbt.evaluation.context import Context
from liqbt.evaluation.events import EventFinder, Events, HotZone
from liqbt.evaluation.hypotheses import Hypothesis
from liqbt.evaluation.matching import usable
from liqbt.evaluation.volume_nodes import volume_nodes

__all__ = ["DistanceOnly", "VolumeProfileOnly", "ablations"]


@dataclass(frozen=True, kw_only=True)
class DistanceOnly:
    """The nearer zone is within reach: the claim is that price goes there, however hot it is.

    Nearer: of the hottest zone above and the hottest below, in log price. Bars with one zone claim that; with equal distances none.
    min_distance, max_distance: as in `HotZone`.
    """

    min_distance: float = 0.2
    max_distance: float = 1.5

    def __post_init__(self) -> None:
        _check_reach("DistanceOnly", self.min_distance, self.max_distance)

    def events(self, context: Context) -> Events:
        """Return an event for each bar whose nearer zone is within reach."""
        close, above, below = context.market.close, context.feature("above_near"), context.feature("below_near")
        with np.errstate(invalid="ignore", divide="ignore"):
            up, down = np.log(above / close) / context.sigma, np.log(close / below) / context.sigma
        up, down = np.where(np.isnan(up), np.inf, up), np.where(np.isnan(down), np.inf, down)
        nearer = np.minimum(up, down)
        bar = np.flatnonzero(usable(context) & (up != down) & (nearer >= self.min_distance) & (nearer <= self.max_distance))
        return Events.at(bar, np.where(up < down, 1, -1)[bar], np.where(up < down, above, below)[bar])


@dataclass(frozen=True, kw_only=True)
class VolumeProfileOnly:
    """`HotZone` with the trailing volume profile for a map: price is said to go where most was traded lately.

    threshold: share of the volume within reach, discounted by distance, that must lie on one side. The level is the heaviest node of that
    side within min_distance to max_distance, daily volatilities. days: of the profile. See `volume_nodes`.
    """

    threshold: float = 0.6
    min_distance: float = 0.2
    max_distance: float = 1.5
    days: float = 7.0

    def __post_init__(self) -> None:
        _check_reach("VolumeProfileOnly", self.min_distance, self.max_distance)
        if not 0.5 <= self.threshold < 1:
            raise ConfigError(f"VolumeProfileOnly: threshold {self.threshold!r} must be at least 0.5 and below 1")
        if not 0 < self.days <= 1000:
            raise ConfigError(f"VolumeProfileOnly: days {self.days!r} must be above 0 and at most 1000")

    def events(self, context: Context) -> Events:
        """Return an event for each bar whose heavier side has a node within reach."""
        bars = np.flatnonzero(usable(context))
        nodes = volume_nodes(context, bars, days=self.days)
        row = np.repeat(np.arange(bars.size), np.diff(nodes.offsets))
        with np.errstate(invalid="ignore"):
            share = nodes.above / (nodes.above + nodes.below)
        side = np.where(share >= self.threshold, 1, 0) - np.where(share <= 1 - self.threshold, 1, 0)
        away = side[row] * np.log(nodes.price / context.market.close[bars[row]]) / context.sigma[bars[row]]
        fits = np.flatnonzero((side[row] != 0) & (away >= self.min_distance) & (away <= self.max_distance))
        best = fits[np.lexsort((away[fits], -nodes.weight[fits], row[fits]))]
        best = best[np.diff(row[best], prepend=-1) > 0]
        return Events.at(bars[row[best]], side[row[best]], nodes.price[best])


def ablations(hypothesis: Hypothesis) -> Mapping[str, Hypothesis]:
    """Return the hypothesis with other finders of events, by what is left: `distance_only`, `volume_profile_only`.

    They are named `<hypothesis>_<what is left>`, have the thresholds of its own finder and no controls. Claims about a direction only:
    empty where events are not found by `HotZone`.
    """
    find = hypothesis.find
    if not isinstance(find, HotZone):
        return {}
    reach = {"min_distance": find.min_distance, "max_distance": find.max_distance}
    finders: dict[str, EventFinder] = {
        "distance_only": DistanceOnly(**reach),
        "volume_profile_only": VolumeProfileOnly(threshold=find.threshold, **reach),
    }
    claims = {"distance_only": "the nearer of two hot zones", "volume_profile_only": "the side on which more was traded in the last week"}
    return {
        left: replace(
            hypothesis, name=f"{hypothesis.name}_{left}", claim=f"{hypothesis.claim}, with {claims[left]} for the hot zone",
            find=finder, controls=(),
        )
        for left, finder in finders.items()
    }  # fmt: skip


def _check_reach(name: str, nearest: float, farthest: float) -> None:
    if not 0 <= nearest < farthest:
        raise ConfigError(f"{name}: min_distance {nearest!r} must be at least 0 and below max_distance {farthest!r}")

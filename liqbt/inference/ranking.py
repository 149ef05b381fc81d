"""How well a score tells where events will fall: area under the ROC curve and the Molchan diagram.

References: Hanley & McNeil (1982), Radiology 143, for the area; Molchan (1991), Physics of the Earth and Planetary Interiors 61;
Zechar & Jordan (2008), "Testing alarm-based earthquake predictions", Geophysical Journal International 172, for the area skill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError
from liqbt.inference._design import treated_mask
from liqbt.inference._inputs import finite, same_length

__all__ = ["MolchanDiagram", "molchan_diagram", "roc_auc"]


def roc_auc(score: Any, event: Any) -> float:
    """Return the chance that a random event has a higher score than a random other; ties count half.

    score: shape (n,), any order-preserving scale. event: shape (n,), booleans of both kinds. 1/2 is no skill. The same number as
    sklearn's `roc_auc_score`, from ranks. Raises ConfigError for broken input or a single kind.
    """
    from scipy.stats import rankdata

    numbers = finite("score", score, at_least=2)
    chosen = treated_mask(event, numbers.size, "event")
    hits = int(np.count_nonzero(chosen))
    above = float(rankdata(numbers)[chosen].sum()) - hits * (hits + 1) / 2
    return above / (hits * (numbers.size - hits))


@dataclass(frozen=True, kw_only=True, eq=False)
class MolchanDiagram:
    """Share of events missed against share of space and time under alarm, from no alarm, (0, 1), to alarm everywhere, (1, 0).

    alarm, missed: shape (n_levels + 1,), one step a distinct score, highest first. area_skill: area above the curve, 1 perfect, 1/2
    no skill. n_events: events counted.
    """

    alarm: Float64Array1D
    missed: Float64Array1D
    area_skill: float
    n_events: int


def molchan_diagram(score: Any, events: Any, measure: Any = None) -> MolchanDiagram:
    """Return the Molchan diagram of a score over cells.

    score: shape (n_cells,), cells are put under alarm from the highest down; cells of equal score together. events: shape
    (n_cells,), how many fell in each. measure: shape (n_cells,), how much each cell counts as alarm, such as its share of what a
    baseline expects (then 1/2 means no skill over that baseline); left out, all count alike.

    Raises ConfigError for broken or negative input, or no event.
    """
    numbers, fell = finite("score", score), finite("events", events)
    space = np.ones(numbers.size) if measure is None else finite("measure", measure)
    same_length(score=numbers, events=fell, measure=space)
    if fell.min() < 0 or fell.sum() <= 0 or space.min() < 0 or space.sum() <= 0:
        raise ConfigError("events, measure: must not be negative, and must add up to more than 0")
    level = np.unique(-numbers, return_inverse=True)[1]
    alarm = np.append(0.0, np.cumsum(np.bincount(level, weights=space)) / space.sum())
    missed = 1.0 - np.append(0.0, np.cumsum(np.bincount(level, weights=fell)) / fell.sum())
    area = float(np.sum(np.diff(alarm) * (missed[1:] + missed[:-1]) / 2))
    return MolchanDiagram(alarm=alarm, missed=missed, area_skill=1.0 - area, n_events=round(float(fell.sum())))

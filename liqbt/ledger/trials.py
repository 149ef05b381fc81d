"""How many variants were tried on the same data, and what a Sharpe ratio is worth after that many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from liqbt.inference.sharpe import deflated_sharpe_ratio
from liqbt.ledger.entry import moments_of

if TYPE_CHECKING:
    from liqbt.ledger.ledger import Ledger
    from liqbt.scoring import Score

__all__ = ["Trials", "deflated_sharpe"]


@dataclass(frozen=True, kw_only=True)
class Trials:
    """The distinct variants recorded on a market's data.

    count: how many. sharpe_variance: of their Sharpe ratios per bar of that market, with n - 1 degrees of freedom; NaN where less than
    two of them have one.
    """

    count: int
    sharpe_variance: float


def deflated_sharpe(score: Score, ledger: Ledger) -> float:
    """Return the probability that the score's true Sharpe ratio exceeds what the best of the recorded trials would show without skill.

    The number of trials and the variance of their ratios are those that the ledger holds on this data, the score's own included once it
    is recorded; see `liqbt.inference.sharpe.deflated_sharpe_ratio`. Where less than two trials have a ratio, its variance is taken as that
    of an estimate from as many bars without skill, 1 / (n_bars - 1). NaN for a score that never varied.

    Raises StoreError where the ledger cannot be read.
    """
    trials = ledger.trials(score.market)
    moments = moments_of(score)
    if math.isnan(moments.sharpe):
        return math.nan
    variance = 1.0 / (moments.n_obs - 1) if np.isnan(trials.sharpe_variance) else trials.sharpe_variance
    return deflated_sharpe_ratio(moments.sharpe, moments.n_obs, moments.skew, moments.kurtosis, max(trials.count, 1), variance)

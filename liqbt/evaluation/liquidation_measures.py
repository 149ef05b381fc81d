"""Measures of forecasts of amounts, each for the whole sample and for draws of its days at once.

`weights` has a row a draw and a column a day: how often the day was drawn. Its first row is ones, so the first value is that of the
sample itself. `day` numbers the column of each cell. All return shape (n_draws,), NaN where a draw leaves nothing to measure.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.stats import rankdata

from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.inference.blocks import automatic_block_length, stationary_indices
from liqbt.inference.skill import poisson_deviances

__all__ = ["day_weights", "explained", "gain", "log_likelihood_gain", "partial_rank_correlation", "rank_correlation", "ranked_area"]

_GROUPS: Final = 2_000
"""Ranks that areas tell apart; larger samples are ranked in as many groups of equal size, which moves an area by less than 0.0005."""


def day_weights(amount: Float64Array1D, day: IntArray1D, *, draws: int, seed: int) -> tuple[Float64Array2D, IntArray1D, float]:
    """Return weights, the column of each cell, and the mean length of the blocks of days that were drawn.

    amount: shape (n_cells,), whose daily sums say how long days resemble each other (`automatic_block_length`). day: shape (n_cells,),
    whole numbers of days; days without cells between the first and the last are drawn too.
    """
    column = day - day.min()
    n_days = int(column.max()) + 1
    length = min(automatic_block_length(np.bincount(column, weights=amount, minlength=n_days)), float(n_days))
    drawn = stationary_indices(n_days, length, draws=draws, seed=seed)
    weights = np.stack([np.ones(n_days), *(np.bincount(row, minlength=n_days) for row in drawn)])
    return np.asarray(weights, dtype=np.float64), column, length


def explained(recorded: Float64Array1D, mean: Float64Array1D, day: IntArray1D, weights: Float64Array2D) -> Float64Array1D:
    """Return the share of Poisson deviance that `mean` explains; 0 is the sample's own mean, 1 all (`d2_tweedie_score` of power 1)."""
    null = poisson_deviances(recorded, np.full(recorded.size, recorded.mean()))
    return 1 - _ratio(poisson_deviances(recorded, mean), null, day, weights)


def gain(
    recorded: Float64Array1D, mean: Float64Array1D, reference: Float64Array1D, day: IntArray1D, weights: Float64Array2D
) -> Float64Array1D:
    """Return the information gain over a reference, nats an event: the difference in Poisson likelihood per event.

    An event is any amount: taking u coins for one divides both the gain and the number of events by u. What amount is worth one
    independent event matters only for how sure one can be, and that the days tell.
    """
    return _ratio(log_likelihood_gain(recorded, mean, reference), recorded, day, weights)


def log_likelihood_gain(recorded: Float64Array1D, mean: Float64Array1D, reference: Float64Array1D) -> Float64Array1D:
    """Return by how much the Poisson log-likelihood of each cell exceeds that of the reference, in the unit of the amounts."""
    return (poisson_deviances(recorded, reference) - poisson_deviances(recorded, mean)) / 2


def rank_correlation(recorded: Float64Array1D, score: Float64Array1D, day: IntArray1D, weights: Float64Array2D) -> Float64Array1D:
    """Return Spearman's rank correlation. Draws keep the ranks of the whole sample."""
    return _correlations((rankdata(recorded), rankdata(score)), day, weights)[:, 0, 1]


def partial_rank_correlation(
    recorded: Float64Array1D, score: Float64Array1D, control: Float64Array1D, day: IntArray1D, weights: Float64Array2D
) -> Float64Array1D:
    """Return Spearman's rank correlation of what is left of both after a line through the ranks of `control`."""
    table = _correlations((rankdata(recorded), rankdata(score), rankdata(control)), day, weights)
    both, one, other = table[:, 0, 1], table[:, 0, 2], table[:, 1, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return (both - one * other) / np.sqrt((1 - one**2) * (1 - other**2))


def ranked_area(
    score: Float64Array1D, hits: Float64Array1D, space: Float64Array1D, day: IntArray1D, weights: Float64Array2D
) -> Float64Array1D:
    """Return how likely a random hit ranks above a random piece of space, ties half; 0.5 is no skill.

    With hits 1 for events and space 1 for the rest it is the area under the ROC. With hits the amounts and space the expectation of a
    reference it is the area above the Molchan curve, in which alarms cost what the reference expects (Zechar & Jordan 2008,
    Geophysical Journal International 172). All of shape (n_cells,), not negative.
    """
    group = np.unique(score, return_inverse=True)[1]
    n_groups = int(group.max()) + 1
    if n_groups > _GROUPS:
        group, n_groups = (rankdata(score, method="ordinal") - 1) * _GROUPS // score.size, _GROUPS
    place, shape = day * n_groups + group, (weights.shape[1], n_groups)
    hit, room = (np.bincount(place, weights=one, minlength=shape[0] * shape[1]).reshape(shape) for one in (hits, space))
    below = hit @ (np.cumsum(room, axis=1) - room / 2).T  # by day of the hits and day of the space below them
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((weights @ below * weights).sum(axis=1) / ((weights @ hit.sum(axis=1)) * (weights @ room.sum(axis=1))))


def _ratio(above: Float64Array1D, below: Float64Array1D, day: IntArray1D, weights: Float64Array2D) -> Float64Array1D:
    sums = [weights @ np.bincount(day, weights=part, minlength=weights.shape[1]) for part in (above, below)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(sums[1] > 0, sums[0] / sums[1], np.nan)


def _correlations(columns: tuple[Float64Array1D, ...], day: IntArray1D, weights: Float64Array2D) -> Float64Array2D:
    """Return the correlation matrix of the columns for each draw, shape (n_draws, n_columns, n_columns)."""
    ranks = np.stack([column - column.mean() for column in columns])
    count = weights @ np.bincount(day, minlength=weights.shape[1])
    sums = np.stack([weights @ np.bincount(day, weights=one, minlength=weights.shape[1]) for one in ranks], axis=1)
    products = np.stack([[weights @ np.bincount(day, weights=a * b, minlength=weights.shape[1]) for b in ranks] for a in ranks])
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = sums / count[:, None]
        covariance = np.moveaxis(products, 2, 0) / count[:, None, None] - mean[:, :, None] * mean[:, None, :]
        spread = np.sqrt(np.maximum(np.diagonal(covariance, axis1=1, axis2=2), 0.0))
        return np.asarray(covariance / (spread[:, :, None] * spread[:, None, :]))

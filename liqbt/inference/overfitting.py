"""Probability of backtest overfitting by combinatorially symmetric cross-validation.

Bailey, Borwein, López de Prado & Zhu (2017), "The probability of backtest overfitting", Journal of Computational Finance 20(4).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.inference._halves_kernels import count_measures, judge_halves
from liqbt.inference._inputs import one_of

__all__ = ["BacktestOverfitting", "backtest_overfitting"]

Measure = Literal["sharpe", "mean"]

_BATCH: Final = 2**21  # numbers held at a time: 16 MB
_GRID: Final = 512  # points at which distributions out of sample are compared
_MOST_BLOCKS: Final = 20  # 184,756 splits


@dataclass(frozen=True, kw_only=True, eq=False)
class BacktestOverfitting:
    """What becomes out of sample of the strategy that was best in sample, over all splits of time into two halves.

    probability: PBO, share of splits where the chosen strategy ends in the lower half out of sample (logit <= 0); about 1/2 for
    noise. logits: shape (n_splits,), ln(w / (1 - w)), w = rank / (n_strategies + 1), where the best of all has the greatest rank.
    chosen: shape (n_splits,), column of the strategy that was best in sample. in_sample, out_of_sample:
    shape (n_splits,), its measure per period. degradation_slope, degradation_intercept: line through out_of_sample on in_sample.
    probability_of_loss: share of splits with out_of_sample below 0. grid, chosen_distribution, any_distribution: shape (512,),
    share of splits, and of strategies and splits, at or below each value of the measure out of sample.
    """

    probability: float
    logits: Float64Array1D
    chosen: IntArray1D
    in_sample: Float64Array1D
    out_of_sample: Float64Array1D
    degradation_slope: float
    degradation_intercept: float
    probability_of_loss: float
    grid: Float64Array1D
    chosen_distribution: Float64Array1D
    any_distribution: Float64Array1D
    n_blocks: int
    measure: Measure

    @property
    def first_order_dominance(self) -> bool:
        """Whether choosing the best in sample is nowhere worse than choosing at random: its distribution is never the greater."""
        return bool((self.chosen_distribution <= self.any_distribution + 1e-12).all())

    @property
    def second_order_dominance(self) -> bool:
        """Whether somebody averse to risk prefers choosing the best in sample: the areas below the distributions say so everywhere."""
        return bool((np.cumsum(self.any_distribution - self.chosen_distribution) >= -1e-9).all())


def backtest_overfitting(returns: Any, *, n_blocks: int = 16, measure: Measure = "sharpe") -> BacktestOverfitting:
    """Return the probability that choosing the best of these strategies in sample is overfitting.

    returns: shape (n_periods, n_strategies), per period, of all strategies that were tried, not of the survivors. n_blocks: even;
    the periods are cut into that many equal blocks (what does not divide is left out at the beginning), of which every half is
    once the sample: 16 blocks make 12,870 splits. The paper recommends 16. measure: `sharpe` per period (n - 1 degrees of freedom;
    0 for a strategy that does not move), or `mean`. Equally good strategies share ranks; of equally good ones in sample the first
    is chosen.

    Raises ConfigError for less than two strategies, blocks that are odd or above 20, too few periods, or a return that is not finite.
    """
    one_of("measure", measure, ("sharpe", "mean"))
    if n_blocks % 2 or not 4 <= n_blocks <= _MOST_BLOCKS:
        raise ConfigError(f"n_blocks: {n_blocks!r} must be even, from 4 to {_MOST_BLOCKS}")
    matrix = np.asarray(returns, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[1] < 2 or matrix.shape[0] < 2 * n_blocks:
        raise ConfigError(f"returns: shape {matrix.shape} must be (n_periods, n_strategies), at least ({2 * n_blocks}, 2)")
    if not np.isfinite(matrix).all():
        raise ConfigError("returns: must be finite; take 0 where a strategy holds nothing")
    sample = _Halves(matrix, n_blocks, ratio=measure == "sharpe")
    chosen, (inside, outside, ranks), limits = sample.judge()
    share = ranks / (matrix.shape[1] + 1)
    logits = np.log(share / (1 - share))
    slope, intercept = _line(inside, outside)
    grid = np.linspace(*limits, _GRID)
    return BacktestOverfitting(
        probability=float(np.mean(logits <= 1e-12)),
        logits=logits,
        chosen=chosen,
        in_sample=inside,
        out_of_sample=outside,
        degradation_slope=slope,
        degradation_intercept=intercept,
        probability_of_loss=float(np.mean(outside < 0)),
        grid=grid,
        chosen_distribution=_share_at_or_below(outside, grid),
        any_distribution=sample.distribution(grid),
        n_blocks=n_blocks,
        measure=measure,
    )


class _Halves:
    """The measure of all strategies on every half of the blocks, from sums over blocks."""

    def __init__(self, matrix: Float64Array2D, n_blocks: int, *, ratio: bool) -> None:
        length = matrix.shape[0] // n_blocks
        matrix = matrix[matrix.shape[0] - length * n_blocks :]
        # less their mean, squares do not swallow small variances
        shift = matrix.mean(axis=0)
        blocks = (matrix - shift).reshape(n_blocks, length, -1)
        self._sums, self._squares = blocks.sum(axis=1), (blocks**2).sum(axis=1)
        all_squares = self._squares.sum(axis=0)
        still = np.maximum(1e-14 * all_squares, (1e-14 * np.abs(matrix).max(axis=0)) ** 2) / matrix.shape[0]
        self._common = (self._sums.sum(axis=0), all_squares, shift, still, length * n_blocks // 2, ratio)
        halves = np.array(list(combinations(range(n_blocks), n_blocks // 2)))
        members = np.zeros((len(halves), n_blocks))
        np.put_along_axis(members, halves, 1.0, axis=1)
        # combinations come in lexical order, so that the complement of the first is the last
        self._members: Float64Array2D = members[: len(halves) // 2]

    def judge(self) -> tuple[IntArray1D, Float64Array2D, tuple[float, float]]:
        """Return what was best in sample in each split; its measure in and out of sample and its rank there; least and greatest measure."""
        best = np.empty((len(self._members), 2), dtype=np.int64)
        values, limits = np.empty((len(self._members), 6)), np.array([np.inf, -np.inf])
        one, other = (np.empty(self._sums.shape[1]) for _ in range(2))
        for part in self._parts():
            sums, squares = self._members[part] @ self._sums, self._members[part] @ self._squares
            judge_halves(sums, squares, *self._common, one, other, best[part], values[part], limits)
        # the same halves the other way round, from the last to the first, are the rest of the combinations
        both = np.concatenate([values[:, :3], values[::-1, 3:]])
        return np.concatenate([best[:, 0], best[::-1, 1]]), both.T, (float(limits[0]), float(limits[1]))

    def distribution(self, grid: Float64Array1D) -> Float64Array1D:
        """Return the share of strategies and splits whose measure is at or below each point of the regular `grid`."""
        counts = np.zeros(grid.size, dtype=np.int64)
        for part in self._parts():
            sums, squares = self._members[part] @ self._sums, self._members[part] @ self._squares
            count_measures(sums, squares, *self._common, grid[0], max(grid[1] - grid[0], np.finfo(float).tiny), counts)
        return np.asarray(np.cumsum(counts) / counts.sum())

    def _parts(self) -> Iterator[slice]:
        some = max(1, _BATCH // self._sums.shape[1])
        return (slice(first, first + some) for first in range(0, len(self._members), some))


def _share_at_or_below(values: Float64Array1D, grid: Float64Array1D) -> Float64Array1D:
    return np.searchsorted(np.sort(values), grid, side="right") / values.size


def _line(x: Float64Array1D, y: Float64Array1D) -> tuple[float, float]:
    centred = x - x.mean()
    square = float(centred @ centred)
    slope = float(centred @ y) / square if square > 0 else math.nan
    return slope, float(y.mean()) - slope * float(x.mean())

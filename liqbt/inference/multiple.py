"""Many hypotheses at once, and many strategies against one benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import at_least, finite, one_of, share_inside
from liqbt.inference._streams import stream
from liqbt.inference.blocks import automatic_block_length

__all__ = ["AdjustedPValues", "SuperiorAbility", "adjust_p_values", "step_m", "superior_predictive_ability"]

Correction = Literal["benjamini-hochberg", "benjamini-yekutieli", "holm"]
_STATSMODELS = {"benjamini-hochberg": "fdr_bh", "benjamini-yekutieli": "fdr_by", "holm": "holm"}


@dataclass(frozen=True, kw_only=True, eq=False)
class AdjustedPValues:
    """q_value: shape (n_hypotheses,), smallest level at which each is rejected; NaN where the p-value was. rejected: at `level`."""

    q_value: Float64Array1D
    rejected: BoolArray1D
    level: float
    correction: Correction


def adjust_p_values(p_values: Any, *, correction: Correction = "benjamini-hochberg", level: float = 0.05) -> AdjustedPValues:
    """Return p-values adjusted for how many were tested; statsmodels' `multipletests`.

    p_values: shape (n_hypotheses,); NaN for hypotheses that could not be tested, which do not count. Benjamini & Hochberg (1995)
    bounds the share of false discoveries for independent or positively dependent tests, Benjamini & Yekutieli (2001) for any
    dependence, Holm (1979) the chance of a single false one. Raises ConfigError for a p-value outside 0 to 1.
    """
    from statsmodels.stats.multitest import multipletests

    one_of("correction", correction, tuple(_STATSMODELS))
    p = np.asarray(p_values, dtype=np.float64)
    tested = ~np.isnan(p)
    if p.ndim != 1 or not ((p[tested] >= 0) & (p[tested] <= 1)).all():
        raise ConfigError(f"p_values: shape {p.shape} must be one row of numbers between 0 and 1, or NaN")
    q, rejected = np.full(p.size, np.nan), np.zeros(p.size, dtype=np.bool_)
    if tested.any():
        found = multipletests(p[tested], alpha=share_inside("level", level), method=_STATSMODELS[correction])
        rejected[tested], q[tested] = found[0], found[1]
    return AdjustedPValues(q_value=q, rejected=rejected, level=level, correction=correction)


@dataclass(frozen=True, kw_only=True)
class SuperiorAbility:
    """Whether the best of many strategies beats the benchmark by more than trying so many explains.

    p_value: Hansen's consistent one. p_lower, p_upper: bounds, of which the upper is White's reality check with studentised
    differences. best: position of the strategy with the greatest mean difference. block_length: in periods.
    """

    p_value: float
    p_lower: float
    p_upper: float
    best: int
    block_length: int
    draws: int


def superior_predictive_ability(
    returns: Any, benchmark: Any, *, block_length: int | None = None, draws: int = 1000, seed: int
) -> SuperiorAbility:
    """Test the null that no strategy has a greater mean return than the benchmark; arch's `SPA`.

    returns: shape (n_periods, n_strategies). benchmark: shape (n_periods,), zeros for cash. block_length: mean periods in a block
    of the stationary bootstrap; left out, the greatest `automatic_block_length` of the differences, rounded up. p-values count the
    sample among the draws.

    Hansen (2005), "A test for superior predictive ability", Journal of Business & Economic Statistics 23(4). Raises ConfigError
    where shapes do not fit, a return is not finite, or a strategy never differs from the benchmark.
    """
    from arch.bootstrap import SPA

    strategies, base, length = _compared(returns, benchmark, block_length)
    # losses, not returns: the signs turn
    test = SPA(-base, -strategies, block_size=length, reps=at_least("draws", draws, 99), seed=stream(seed))
    test.compute()
    return SuperiorAbility(
        p_value=_counted(float(test.pvalues["consistent"]), draws),
        p_lower=_counted(float(test.pvalues["lower"]), draws),
        p_upper=_counted(float(test.pvalues["upper"]), draws),
        best=int(np.argmax((strategies - base[:, None]).mean(axis=0))),
        block_length=length,
        draws=draws,
    )


def step_m(
    returns: Any, benchmark: Any, *, level: float = 0.05, block_length: int | None = None, draws: int = 1000, seed: int
) -> IntArray1D:
    """Return positions of the strategies that beat the benchmark, such that one wrong among them has chance `level`; arch's `StepM`.

    Parameters and errors as in `superior_predictive_ability`. Romano & Wolf (2005), "Stepwise multiple testing as formalized data
    snooping", Econometrica 73(4).
    """
    from arch.bootstrap import StepM

    strategies, base, length = _compared(returns, benchmark, block_length)
    test = StepM(
        -base,
        -strategies,
        size=share_inside("level", level),
        block_size=length,
        reps=at_least("draws", draws, 99),
        seed=stream(seed),
    )
    test.compute()
    return np.asarray(sorted(int(str(one)) for one in test.superior_models), dtype=np.int64)


def _counted(share: float, draws: int) -> float:
    """Return (1 + b) / (1 + draws): the sample is one of the arrangements, and no p-value is 0."""
    return (1.0 + round(share * draws)) / (1.0 + draws)


def _compared(returns: Any, benchmark: Any, block_length: int | None) -> tuple[Float64Array2D, Float64Array1D, int]:
    strategies, base = np.asarray(returns, dtype=np.float64), finite("benchmark", benchmark, at_least=2)
    if strategies.ndim != 2 or strategies.shape[0] != base.size or strategies.shape[1] == 0:
        raise ConfigError(f"returns: shape {strategies.shape} must be ({base.size}, n_strategies), one row a period of the benchmark")
    if not np.isfinite(strategies).all():
        raise ConfigError("returns: must be finite; take 0 where a strategy holds nothing")
    excess = strategies - base[:, None]
    idle = np.flatnonzero(np.ptp(excess, axis=0) == 0)
    if idle.size:
        raise ConfigError(f"returns: strategy {idle[0]} differs from the benchmark by a constant; leave it out")
    if block_length is None:
        block_length = int(np.ceil(max(automatic_block_length(column) for column in excess.T)))
    return strategies, base, min(at_least("block_length", block_length, 1), base.size)

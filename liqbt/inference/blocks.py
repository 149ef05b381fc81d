"""Positions drawn in blocks of random length: the stationary bootstrap of arch.

References: Politis & Romano (1994), "The stationary bootstrap", JASA 89; Politis & White (2004) with the correction of Patton,
Politis & White (2009), Econometric Reviews 28(4), for the block length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from liqbt._typing import IntArray1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import at_least, finite
from liqbt.inference._streams import chunks

__all__ = ["automatic_block_length", "block_length_within", "index_chunks", "stationary_indices"]

_FEWEST = 12  # values for which all lags that are looked at exist


def automatic_block_length(values: Any) -> float:
    """Return the mean block length for the stationary bootstrap of the mean of a series: arch's `optimal_block_length`, at least 1.

    values: shape (n,), in order of time. 1 for less than 12 values or a constant. Raises ConfigError for one that is not finite.
    """
    from arch.bootstrap import optimal_block_length

    series = finite("values", values)
    if series.size < _FEWEST or np.ptp(series) == 0:
        return 1.0
    # lags at which nothing but zeros meet divide by 0 in there, and do no harm
    with np.errstate(divide="ignore", invalid="ignore"):
        length = float(optimal_block_length(series)["stationary"].iloc[0])
    return max(1.0, length) if math.isfinite(length) else 1.0


def stationary_indices(n: int, block_length: float, *, draws: int, seed: int) -> IntArray1D:
    """Return positions drawn by the stationary bootstrap, shape (draws, n), by arch's `StationaryBootstrap`.

    Every 250 draws have their own random stream, numbered from the seed: the first draws do not depend on how many follow, and
    any share of the work gives the same numbers. Raises ConfigError for n below 1 or a block length outside 1 to n.
    """
    return np.concatenate(list(index_chunks(n, block_length, draws, seed)))


def block_length_within(block_length: float, n: int) -> float:
    """Return `block_length`; raises ConfigError outside 1 to n."""
    if not 1 <= block_length <= n:
        raise ConfigError(f"block_length: {block_length!r} must lie between 1 and the {n} days or values that there are")
    return float(block_length)


def index_chunks(n: int, length: float, draws: int, seed: int) -> Iterator[IntArray1D]:
    """Yield what `stationary_indices` returns, at most 250 draws at a time."""
    from arch.bootstrap import StationaryBootstrap

    at_least("n", n, 1)
    block_length_within(length, n)
    positions, mean_length = np.arange(n), cast(Any, length)  # arch says int and takes any number of at least 1
    for count, rng in chunks(draws, seed):
        bootstrap = StationaryBootstrap(mean_length, positions, seed=rng)
        yield np.stack([np.asarray(bootstrap.update_indices()) for _ in range(count)])

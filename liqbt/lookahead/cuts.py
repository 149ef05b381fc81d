"""After which bars to take the future away: where it matters, and anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from liqbt._typing import IntArray1D
from liqbt.errors import ConfigError
from liqbt.signals import Signals

__all__ = ["deep_cuts", "quick_cuts"]


def deep_cuts(cuts: int | Sequence[int], said: Signals, features: pd.DataFrame, rng: np.random.Generator) -> list[int]:
    """Return the bars after which everything is made again, ascending: those given, or so many, half of them with an entry.

    The others are any from where the map says something. Raises ConfigError for bars that are not before the last.
    """
    last = said.entry.size - 1
    if not isinstance(cuts, int):
        wrong = [cut for cut in cuts if not 0 <= cut < last]
        if wrong:
            raise ConfigError(f"cuts: {wrong[0]} is no bar before the last, which is {last}")
        return sorted({int(cut) for cut in cuts})
    if cuts < 0:
        raise ConfigError(f"cuts: {cuts} must be at least 0")
    usable = int(features["heat_above"].notna().to_numpy().argmax())  # the first of all where the map never says anything
    chosen = _some(np.flatnonzero(said.entry[:-1]), (cuts + 1) // 2, rng)
    chosen += _some(np.setdiff1d(np.arange(min(usable, last), last), chosen), cuts - len(chosen), rng)
    return sorted(chosen)


def quick_cuts(count: int, said: Signals, rng: np.random.Generator) -> list[int]:
    """Return the bars after which only the strategy is asked, in random order, so that a fault is soon found.

    Half of them have an entry, a quarter an exit. Raises ConfigError for a negative count.
    """
    if count < 0:
        raise ConfigError(f"strategy_cuts: {count} must be at least 0")
    chosen = _some(np.flatnonzero(said.entry[:-1]), count // 2, rng)
    chosen += _some(np.setdiff1d(np.flatnonzero(said.exit[:-1]), chosen), count // 4, rng)
    chosen += _some(np.setdiff1d(np.arange(said.entry.size - 1), chosen), count - len(chosen), rng)
    return [int(one) for one in rng.permutation(chosen)]


def _some(bars: IntArray1D, count: int, rng: np.random.Generator) -> list[int]:
    return [int(one) for one in rng.choice(bars, size=min(count, bars.size), replace=False)]

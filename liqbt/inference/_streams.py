"""Random numbers that do not depend on how the work is divided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from liqbt.inference._inputs import at_least

__all__ = ["chunks", "stream"]

_CHUNK: Final = 250  # draws that share a stream, and memory


def stream(seed: int) -> np.random.Generator:
    """Return the generator of a seed; raises ConfigError for one that is no whole number of at least 0."""
    return np.random.default_rng(at_least("seed", seed, 0))


def chunks(draws: int, seed: int) -> Iterator[tuple[int, np.random.Generator]]:
    """Yield numbers of draws that add up to `draws`, each with a stream of its own, numbered from the seed.

    The first draws do not depend on how many follow, and any share of the chunks gives the same numbers. Raises ConfigError as
    `stream` does, and for less than one draw.
    """
    at_least("seed", seed, 0)
    for chunk, first in enumerate(range(0, at_least("draws", draws, 1), _CHUNK)):
        yield min(_CHUNK, draws - first), np.random.default_rng([seed, chunk])

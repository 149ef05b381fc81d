"""Ensembles of leverage mixes: what is not known about the mix, as many mixes that could be true."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array2D
from liqbt.errors import ConfigError

__all__ = ["checked_mixes", "dirichlet_mixes"]


def dirichlet_mixes(
    weights: Sequence[float] | Float64Array1D, *, concentration: float, n_mixes: int, seed: int | np.random.Generator
) -> Float64Array2D:
    """Draw leverage mixes around a mix from a Dirichlet distribution, shape (n_mixes, n_leverages); each row sums to 1.

    weights: the mean, shape (n_leverages,); a leverage with weight 0 stays at 0. concentration: above 0; a share w varies with the
    standard deviation sqrt(w (1 - w) / (concentration + 1)), so 20 means a share of .2 give or take .09. There is no default: how much
    is known about the mix is for the user to say, or for a calibration. seed: same seed, same bytes.

    Raises ConfigError for weights that are no mix, or numbers out of range.
    """
    mean = checked_mixes(np.asarray(weights, dtype=np.float64)[None], None)[0]
    if not (math.isfinite(concentration) and concentration > 0):
        raise ConfigError(f"concentration: {concentration!r} must be a finite number above 0")
    if n_mixes < 1:
        raise ConfigError(f"n_mixes: {n_mixes!r} must be at least 1")
    used = mean > 0
    drawn = np.zeros((n_mixes, mean.size))
    drawn[:, used] = np.random.default_rng(seed).dirichlet(concentration * mean[used], size=n_mixes)
    return drawn


def checked_mixes(mixes: Float64Array2D, n_leverages: int | None) -> Float64Array2D:
    """Return mixes, shape (n_mixes, n_leverages), as contiguous floats.

    Raises ConfigError where the shape is another, or a row is not of shares of at least 0 that sum to 1.
    """
    table = np.ascontiguousarray(mixes, dtype=np.float64)
    if table.ndim != 2 or table.size == 0 or (n_leverages is not None and table.shape[1] != n_leverages):
        wanted = "n_leverages" if n_leverages is None else str(n_leverages)
        raise ConfigError(f"mixes: shape {table.shape} must be (n_mixes, {wanted}), one weight for each leverage of the map")
    bad = np.flatnonzero(~((table >= 0).all(axis=1) & (np.abs(table.sum(axis=1) - 1) <= 1e-6)))
    if bad.size:
        raise ConfigError(f"mixes: row {bad[0] + 1} is {table[bad[0]].tolist()}; weights must be at least 0 and sum to 1")
    return table

"""How faithful is a map? Measures that hold a reconstructed map against the true one, where somebody knows it.

Only simulated markets have a true map. Maps are compared snapshot by snapshot and side by side, over the bins between the last
price and `reach`, where positions of that side can be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from liqbt._time import to_index
from liqbt._typing import LONG, SIDES, Float64Array1D, Float64Array3D, IntArray1D
from liqbt.errors import ConfigError

__all__ = ["Reliability", "compare_maps", "reliability"]


def compare_maps(
    estimate: Float64Array3D,
    truth: Float64Array3D,
    *,
    timestamp: IntArray1D,
    price_edges: Float64Array1D,
    close: Float64Array1D,
    reach: float = 0.12,
    hottest: float = 0.05,
) -> pd.DataFrame:
    """Return how well each snapshot of `estimate` agrees with `truth`: one row a snapshot and side.

    estimate, truth: shape (n_times, 2, n_prices), any unit each, [:, 0] longs, [:, 1] shorts. timestamp: shape (n_times,), UTC
    nanoseconds. price_edges: shape (n_prices + 1,), quote, logarithmic. close: shape (n_times,), quote, last price at each
    snapshot. reach: distance from it, as a fraction, within which bins are compared. hottest: share of bins that are called hot.

    Columns: timestamp, side, bins (compared), rank_correlation (Spearman, ties shared), precision and recall (of the truly
    hottest bins; a bin as hot as the last of the hottest counts too, bins without heat never), earth_mover_bps (area between
    the two cumulative normalised maps, in basis points of price that the mass would have to travel on average).
    NaN where one of the two maps is empty. Spearman and the earth mover's distance are as in scipy.stats.

    Raises ConfigError where shapes or shares do not fit.
    """
    if estimate.shape != truth.shape or estimate.shape != (timestamp.size, 2, price_edges.size - 1) or close.shape != timestamp.shape:
        raise ConfigError(f"maps: shapes {estimate.shape} and {truth.shape} must both be {(timestamp.size, 2, price_edges.size - 1)}")
    if not 0 < reach < 1:
        raise ConfigError(f"reach: {reach!r} must be a fraction of price above 0 and below 1")
    if not 0 < hottest < 1:
        raise ConfigError(f"hottest: {hottest!r} must be a share between 0 and 1")
    width_bps = 1e4 * float(np.log(price_edges[1] / price_edges[0]))
    rows = []
    for row, price in enumerate(close):
        here = int(np.searchsorted(price_edges, price, side="right")) - 1
        first, last = np.searchsorted(price_edges, (price * (1 - reach), price * (1 + reach)))
        for side in range(2):
            window = slice(int(first), here + 1) if side == LONG else slice(max(0, here), int(last))
            ours, true = estimate[row, side, window], truth[row, side, window]
            rows.append((timestamp[row], SIDES[side], ours.size, *_agreement(ours, true, hottest, width_bps)))
    names = ("timestamp", "side", "bins", "rank_correlation", "precision", "recall", "earth_mover_bps")
    frame = pd.DataFrame(rows, columns=list(names))
    return frame.assign(timestamp=to_index(frame["timestamp"].to_numpy(dtype=np.int64)))


def _agreement(ours: Float64Array1D, true: Float64Array1D, hottest: float, width_bps: float) -> tuple[float, float, float, float]:
    if ours.size < 2 or ours.sum() <= 0 or true.sum() <= 0:
        return np.nan, np.nan, np.nan, np.nan
    hot, truly_hot = _hot(ours, hottest), _hot(true, hottest)
    both = float((hot & truly_hot).sum())
    mover = float(np.abs(np.cumsum(ours / ours.sum() - true / true.sum())).sum()) * width_bps
    return _rank_correlation(ours, true), both / hot.sum(), both / truly_hot.sum(), mover


def _rank_correlation(one: Float64Array1D, other: Float64Array1D) -> float:
    a, b = rankdata(one), rankdata(other)
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / scale if scale > 0 else np.nan


def _hot(heat: Float64Array1D, share: float) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    count = max(1, round(share * heat.size))
    return np.asarray((heat >= np.sort(heat)[-count]) & (heat > 0))


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """A reliability curve: what was said against what was. All of shape (n_bins,), without bins in which nothing was said.

    predicted: mean probability that was said. observed: share in which it came true. count: how often it was said.
    """

    predicted: Float64Array1D
    observed: Float64Array1D
    count: IntArray1D

    @property
    def error(self) -> float:
        """Mean distance from the diagonal, weighted by how often a probability was said (expected calibration error)."""
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.count))

    @property
    def worst(self) -> float:
        """Greatest distance from the diagonal among bins with at least one in a hundred of what was said."""
        common = self.count >= 0.01 * self.count.sum()
        return float(np.abs(self.predicted - self.observed)[common].max())

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bin: predicted, observed, count."""
        return pd.DataFrame({"predicted": self.predicted, "observed": self.observed, "count": self.count})


def reliability(probability: Float64Array1D, outcome: Float64Array1D, *, bins: int = 10) -> Reliability:
    """Return how often what was said with each probability came true.

    probability: between 0 and 1, any shape. outcome: whether it came true, the same shape; pairs with a NaN are left out.
    bins: equal widths between 0 and 1. Raises ConfigError where shapes differ, or a probability is none.
    """
    said, came = np.asarray(probability, dtype=np.float64).ravel(), np.asarray(outcome, dtype=np.float64).ravel()
    if said.shape != came.shape:
        raise ConfigError(f"outcome: shape {np.shape(outcome)} is not that of the probabilities, {np.shape(probability)}")
    known = ~(np.isnan(said) | np.isnan(came))
    said, came = said[known], came[known]
    if said.size == 0 or said.min() < 0 or said.max() > 1:
        raise ConfigError("probability: must be between 0 and 1, and not all unknown")
    place = np.minimum((said * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    full = count > 0
    sums = [np.bincount(place, weights=values, minlength=bins)[full] / count[full] for values in (said, came)]
    return Reliability(predicted=sums[0], observed=sums[1], count=count[full])

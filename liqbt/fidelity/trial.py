"""One simulated market, and how well the map of each case that is about it agrees with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from liqbt._typing import LONG, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.datasets import SyntheticMarket, SyntheticParams, simulate
from liqbt.fidelity.cases import EVERY, FidelityCase
from liqbt.fidelity.measures import compare_maps
from liqbt.fidelity.recording import Recordings, reconstruction, true_mix
from liqbt.heatmap import Heatmap
from liqbt.heatmap.axes import MapAxes

__all__ = ["MAP_REACH", "by_distance", "run_trial", "true_heatmap"]

MAP_REACH: Final = 0.12
"""Distance from the last price, as a fraction of it, within which maps are compared; that of zones and features."""


def run_trial(cases: Sequence[FidelityCase], market: SyntheticParams) -> pd.DataFrame:
    """Return the columns of `compare_maps` for each case, one row a snapshot and side, with case, seed and explained_share before them.

    cases: all of one market but for `source`, interval and what the book sees. market: theirs, with the seed and the days of the study.
    """
    synthetic = simulate(market)
    recordings, mix = Recordings(synthetic), true_mix(synthetic)
    parts = []
    for case in cases:
        # other sources are scored on the snapshots and the grid of the book
        heat = reconstruction(case, recordings, mix).heatmap(EVERY, bin_bps=case.bin_bps)
        truth = true_heatmap(heat, synthetic)
        estimate = _estimate(case, heat, truth, market)
        frame = compare_maps(
            estimate, truth.intensity, timestamp=heat.timestamp, price_edges=heat.price_edges, close=heat.close, reach=MAP_REACH
        )
        frame.insert(0, "case", case.name)
        frame.insert(1, "seed", market.seed)
        frame.insert(2, "explained_share", np.repeat(heat.explained_share, 2))
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def true_heatmap(axes: MapAxes, synthetic: SyntheticMarket) -> Heatmap:
    """Return the true map of a simulated market on the snapshots and price bins of another."""
    heat = synthetic.truth.heat
    return Heatmap(**axes.axes, intensity=heat.intensity(axes.price_edges, axes.timestamp))


def _estimate(case: FidelityCase, heat: Heatmap, truth: Heatmap, market: SyntheticParams) -> Float64Array3D:
    if case.source == "book":
        return heat.intensity
    if case.source == "distance":
        return by_distance(truth)
    crowd = replace(market, arrivals_per_hour=market.arrivals_per_hour * case.crowd, trades=False)
    return true_heatmap(heat, simulate(crowd)).intensity


def by_distance(heat: Heatmap) -> Float64Array3D:
    """Return the mean map by distance from the last price, put at each snapshot's last price; shape (n_times, 2, n_prices), base.

    Each distance, in whole bins, has the mean of the snapshots whose map goes that far; longs downwards, shorts upwards.
    """
    here = np.searchsorted(heat.price_edges, heat.close, side="right") - 1
    out = np.zeros_like(heat.intensity)
    for side in range(2):
        rows = heat.intensity[:, side] if side == LONG else heat.intensity[:, side, ::-1]
        at = here if side == LONG else rows.shape[1] - 1 - here
        profile = _mean_profile(rows, at)
        for row, place in enumerate(at):
            line = np.zeros(rows.shape[1])
            line[: place + 1] = profile[place::-1]
            out[row, side] = line if side == LONG else line[::-1]
    return out


def _mean_profile(rows: Float64Array2D, at: IntArray1D) -> Float64Array1D:
    """Return the mean of the rows by how many bins below `at`, shape (n_prices,), over the rows that have such a bin."""
    total, count = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    for row, place in zip(rows, at, strict=True):
        total[: place + 1] += row[place::-1]
        count[: place + 1] += 1
    return total / np.maximum(count, 1)

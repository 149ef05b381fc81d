"""Scores of forecasts of liquidations, by region of the map and with and without the day that weighs most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from liqbt._typing import BoolArray1D, BoolArray2D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.evaluation.estimates import CONFIDENCE
from liqbt.evaluation.liquidation_cells import LiquidationCells
from liqbt.evaluation.liquidation_forecasts import Given, LiquidationForecast
from liqbt.evaluation.liquidation_measures import day_weights, explained, gain, partial_rank_correlation, rank_correlation, ranked_area

__all__ = ["Forecasts", "Sample", "day_of", "rescaled", "sample_table", "samples_of", "score_table"]

Forecasts: TypeAlias = Mapping[tuple[Given, str], LiquidationForecast]

ALL_DAYS: Final = "all"
WITHOUT_TOP_DAY: Final = "without top day"


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """Cells that are scored together. days: `all` or `without top day`. cells: shape (n_bars, 2)."""

    given: Given
    region: str
    days: str
    cells: BoolArray2D


def day_of(cells: LiquidationCells) -> IntArray1D:
    """Return the day of each cell, shape (n_bars, 2)."""
    return np.broadcast_to(cells.day[:, None], cells.recorded.shape)


def samples_of(cells: LiquidationCells, regions: Mapping[tuple[Given, str], BoolArray2D]) -> tuple[Sample, ...]:
    """Return each region with all its days, and without the day on which most was liquidated; those without any are left out."""
    found = []
    for (given, region), mask in regions.items():
        amounts = np.where(mask, cells.recorded, 0.0).sum(axis=1)
        top = cells.day[0] + int(np.argmax(np.bincount(cells.day - cells.day[0], weights=amounts)))
        for days, kept in ((ALL_DAYS, mask), (WITHOUT_TOP_DAY, mask & (cells.day != top)[:, None])):
            if cells.recorded[kept].sum() > 0:
                found.append(Sample(given=given, region=region, days=days, cells=kept))
    return tuple(found)


def sample_table(cells: LiquidationCells, samples: tuple[Sample, ...]) -> pd.DataFrame:
    """Return one row a sample; see `LiquidationSkill.samples`."""
    day, whole = day_of(cells), {one.given: cells.recorded[one.cells].sum() for one in reversed(samples) if one.region == "all"}
    rows = [
        (one.given, one.region, one.days, int(one.cells.sum()), int(np.unique(day[one.cells]).size), amount, amount / whole[one.given])
        for one in samples
        for amount in [float(cells.recorded[one.cells].sum())]
    ]
    return pd.DataFrame(rows, columns=["given", "region", "days", "n_cells", "n_days", "amount", "share"])


def score_table(
    cells: LiquidationCells,
    forecasts: Forecasts,
    samples: tuple[Sample, ...],
    *,
    references: Mapping[Given, str],
    large: float,
    draws: int,
    seed: int,
) -> pd.DataFrame:
    """Return one row a sample, forecast and measure; see `LiquidationSkill.scores`.

    references: forecast of each kind that gains are measured from. large: base; cells with more are events of the ROC.
    """
    rows = []
    for sample in samples:
        recorded, day = cells.recorded[sample.cells], day_of(cells)[sample.cells]
        weights, column, _ = day_weights(recorded, day, draws=draws, seed=seed)
        reference = forecasts[sample.given, references[sample.given]].mean[sample.cells]
        for (given, name), forecast in forecasts.items():
            if given != sample.given:
                continue
            for measure, values in _measures(recorded, forecast.mean[sample.cells], reference, recorded > large, column, weights):
                drawn = values[1:][np.isfinite(values[1:])]
                low, high = np.quantile(drawn, [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2]) if drawn.size else (np.nan, np.nan)
                rows.append((given, sample.region, sample.days, name, measure, values[0], low, high))
    return pd.DataFrame(rows, columns=["given", "region", "days", "forecast", "measure", "value", "ci_low", "ci_high"])


def _measures(
    recorded: Float64Array1D, mean: Float64Array1D, reference: Float64Array1D, event: BoolArray1D, day: IntArray1D, weights: Float64Array2D
) -> Iterator[tuple[str, Float64Array1D]]:
    yield "deviance_explained", explained(recorded, mean, day, weights)
    yield "shape_explained", explained(recorded, rescaled(mean, recorded), day, weights)
    yield "rank_correlation", rank_correlation(recorded, mean, day, weights)
    yield "roc_area", ranked_area(mean, event.astype(np.float64), (~event).astype(np.float64), day, weights)
    if not np.array_equal(mean, reference):
        yield "information_gain", gain(recorded, mean, reference, day, weights)
        yield "partial_rank_correlation", partial_rank_correlation(recorded, mean, reference, day, weights)
        yield "molchan_area", ranked_area(mean / reference, recorded, reference, day, weights)


def rescaled(mean: Float64Array1D, recorded: Float64Array1D) -> Float64Array1D:
    """Return the forecast times the one factor with which it expects as much as was recorded."""
    return np.asarray(mean * (recorded.sum() / mean.sum()))

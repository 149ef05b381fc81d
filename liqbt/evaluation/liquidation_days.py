"""Is as much liquidated as expected? Totals by day, by size of the expectation, and by share of alarms."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from liqbt._time import DAY_NS, to_index
from liqbt._typing import BoolArray2D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.evaluation.estimates import CONFIDENCE
from liqbt.evaluation.liquidation_cells import LiquidationCells
from liqbt.evaluation.liquidation_forecasts import LiquidationForecast
from liqbt.evaluation.liquidation_measures import day_weights
from liqbt.evaluation.liquidation_tables import Forecasts, day_of
from liqbt.inference.forecasts import NumberTest, number_test
from liqbt.inference.ranking import molchan_diagram

__all__ = ["alarm_table", "clustering", "day_table", "event_size", "reliability_table"]

_BINS: Final = 10
_CURVE: Final = 200
_MOST: Final = 1e6  # of 1 / clustering; a day's total then scatters as a Poisson number does


def event_size(cells: LiquidationCells, forecast: LiquidationForecast, train: BoolArray2D) -> float:
    """Return the amount that is worth one independent event, base: the quasi-Poisson dispersion around a forecast in its training cells.

    Pearson's statistic over the degrees of freedom (McCullagh & Nelder 1989, section 9.2.4): amounts counted in this unit have the
    variance of a Poisson count on average.
    """
    recorded, mean = cells.recorded[train], forecast.mean[train]
    return float(((recorded - mean) ** 2 / mean).sum() / (recorded.size - len(forecast.parameters)))


def clustering(observed: Float64Array1D, expected: Float64Array1D) -> float:
    """Return a of the variance m + a m² of daily numbers around their expectations m.

    observed, expected: shape (n_days,), events. It makes Pearson's statistic equal its degrees of freedom; 0 where days scatter no more
    than Poisson numbers.
    """

    def excess(clustered: float) -> float:
        return float(((observed - expected) ** 2 / (expected + clustered * expected**2)).sum()) - (observed.size - 1)

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, _MOST)) if excess(_MOST) < 0 else _MOST


def _number_test(recorded: float, expected: float, size: float, clustered: float) -> NumberTest:
    """Return the N-test of an amount counted in events, of variance m + clustered m² where that is more than m."""
    hoped = expected / size
    return number_test(hoped, round(recorded / size), variance=hoped + clustered * hoped**2 if clustered > 0 else None)


def day_table(
    cells: LiquidationCells, forecasts: Forecasts, train: BoolArray2D, test: BoolArray2D, size: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row a forecast and day of the test, and one a forecast; see `LiquidationSkill.days` and `LiquidationSkill.totals`."""
    rows, totals = [], []
    level = (1 - CONFIDENCE) / 2
    for (given, name), forecast in forecasts.items():
        clustered = clustering(*(_by_day(cells, values, train)[1] / size for values in (cells.recorded, forecast.mean)))
        days, recorded = _by_day(cells, cells.recorded, test)
        expected = _by_day(cells, forecast.mean, test)[1]
        tests = [_number_test(*pair, size, clustered) for pair in zip(recorded, expected, strict=True)]
        at_least, at_most = (np.array([getattr(one, name) for one in tests]) for name in ("at_least", "at_most"))
        rows.append(
            pd.DataFrame(
                {
                    "given": given, "forecast": name, "day": to_index(days * DAY_NS), "recorded": recorded, "expected": expected,
                    "p_at_least": at_least, "p_at_most": at_most,
                }
            )
        )  # fmt: skip
        pooled = clustered * float((expected**2).sum()) / float(expected.sum()) ** 2
        whole = _number_test(float(recorded.sum()), float(expected.sum()), size, pooled)
        outside = float(((at_least < level) | (at_most < level)).mean())
        totals.append((given, name, recorded.sum(), expected.sum(), whole.at_least, whole.at_most, clustered, days.size, outside))
    names = ("given", "forecast", "recorded", "expected", "p_at_least", "p_at_most", "clustering", "n_days", "share_of_days_outside")
    return pd.concat(rows, ignore_index=True), pd.DataFrame(totals, columns=list(names))


def _by_day(cells: LiquidationCells, values: Float64Array2D, mask: BoolArray2D) -> tuple[IntArray1D, Float64Array1D]:
    """Return the days that have cells, and the sum of each."""
    days, column = np.unique(day_of(cells)[mask], return_inverse=True)
    return days, np.asarray(np.bincount(column, weights=values[mask]), dtype=np.float64)


def reliability_table(cells: LiquidationCells, forecasts: Forecasts, test: BoolArray2D, *, draws: int, seed: int) -> pd.DataFrame:
    """Return one row a forecast and bin of equal expected total; see `LiquidationSkill.reliability`."""
    recorded, day = cells.recorded[test], day_of(cells)[test]
    weights, column, _ = day_weights(recorded, day, draws=draws, seed=seed)
    tables = []
    for (given, name), forecast in forecasts.items():
        mean = forecast.mean[test]
        order = np.argsort(mean, kind="stable")
        share = np.cumsum(mean[order]) / mean.sum()
        place = np.empty(mean.size, dtype=np.int64)
        place[order] = np.minimum((share * _BINS * (1 - 1e-12)).astype(np.int64), _BINS - 1)
        place = np.unique(place, return_inverse=True)[1]
        n_bins = int(place.max()) + 1
        at, shape = column * n_bins + place, (weights.shape[1], n_bins)
        sums, counts = (weights @ np.bincount(at, weights=one, minlength=shape[0] * n_bins).reshape(shape) for one in (recorded, None))
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = sums / counts
        low, high = np.nanquantile(drawn[1:], [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2], axis=0)
        expected = np.bincount(place, weights=mean) / counts[0]
        columns = {"given": given, "forecast": name, "expected": expected, "recorded": drawn[0], "ci_low": low, "ci_high": high}
        tables.append(pd.DataFrame(columns | {"n_cells": counts[0].astype(np.int64)}))
    return pd.concat(tables, ignore_index=True)


def alarm_table(cells: LiquidationCells, forecasts: Forecasts, test: BoolArray2D) -> pd.DataFrame:
    """Return Molchan curves: what alarms miss by the share of cells that are alarmed; see `LiquidationSkill.alarms`."""
    recorded = cells.recorded[test]
    tables = []
    for (given, name), forecast in forecasts.items():
        curve = molchan_diagram(forecast.mean[test], recorded)
        kept = np.unique(np.linspace(0, curve.alarm.size - 1, _CURVE + 1).round().astype(np.int64))
        columns = {"alarmed": curve.alarm[kept], "missed": curve.missed[kept]}
        tables.append(pd.DataFrame({"given": given, "forecast": name} | columns))
    return pd.concat(tables, ignore_index=True)

"""Forecasts of liquidations by bar and side: price alone, the map alone, and the map beside price. Fitted on the training span only.

Means are fitted by the Poisson likelihood, which for a mean needs no Poisson data (quasi-likelihood: Wedderburn 1974, Biometrika 61;
McCullagh & Nelder 1989, chapter 9). How far amounts scatter around them enters only what is inferred from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from scipy.optimize import minimize_scalar

from liqbt._typing import BoolArray1D, BoolArray2D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.evaluation.liquidation_cells import LiquidationCells

__all__ = ["BASELINES", "Baseline", "Given", "LiquidationForecast", "forecasts_by_past", "forecasts_by_range", "other_days"]

Given: TypeAlias = Literal["range", "past"]
"""What a forecast may know: the bar's own range and volume (a reconstruction), or only what was known when the bar began."""
Baseline: TypeAlias = Literal["constant", "distance", "distance+volatility"]
BASELINES: Final = ("constant", "distance", "distance+volatility")

_STEP: Final = 5e-4
"""Log price that is added to distances before their logarithm: a bar that went nowhere against a side still liquidates within its range."""
_FLOOR: Final = 0.01
"""Share of its training mean that is added to an amount of heat before its logarithm, for cells where the map has nothing."""
_LEAST_BACKGROUND: Final = 1e-3
"""Share of the training amount that is at least background, so that no cell is impossible."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LiquidationForecast:
    """A forecast of each cell. mean: shape (n_bars, 2), base, NaN where something is unknown. parameters: what was fitted, by term."""

    name: str
    given: Given
    mean: Float64Array2D
    parameters: Mapping[str, float]


def forecasts_by_range(
    cells: LiquidationCells, train: BoolArray1D, source: IntArray1D, *, baseline: Baseline, far: float
) -> tuple[LiquidationForecast, ...]:
    """Return the forecasts that know each bar's range and volume.

    train: shape (n_bars,), bars to fit on. source: shape (n_bars,), see `other_days`. baseline: what the map is added to. far: fraction of
    price; leverage that is liquidated farther than that from its entry is the far part of the map.

    Log-linear: `constant`; `distance`, of side, volume and how far the bar went beyond the close before; `distance+volatility`; and the
    baseline with parts of the map added, whose log is one more term (two for `+near+far map`). Linear, a scale and a background:
    `map`, `near map`, `far map`, `carried map` (as it stood at the close before) and `other day's map` (a placebo). With
    `fresh`, bars beyond the extremes of the day before have their own level and slopes of volume and distance, without which what a
    map held there a day before, `day-old map`, goes unseen even in simulated markets.
    """
    heat = cells.swept.sum(axis=2)
    near = cells.swept[:, :, cells.level <= far].sum(axis=2)
    other, _ = cells.elsewhere(source)
    whole = {"map": heat, "carried map": cells.carried, "other day's map": other, "near map": near, "far map": heat - near}
    known = {name: part for name, part in whole.items() if np.nansum(part[train]) > 0}
    price = _price_terms(cells)
    forecasts = [_log_linear(name, "range", cells, price[name], train) for name in BASELINES]
    forecasts += [_linear(name, "range", cells, part, train) for name, part in known.items()]
    terms = price[baseline]
    for name in ("map", "carried map", "other day's map", "near map"):
        if name in known:
            forecasts.append(_log_linear(f"{baseline}+{name}", "range", cells, terms | {name: _log_heat(known[name], train)}, train))
    if "near map" in known and "far map" in known:
        both = {name: _log_heat(known[name], train) for name in ("near map", "far map")}
        forecasts.append(_log_linear(f"{baseline}+near+far map", "range", cells, terms | both, train))
    fresh = cells.fresh & train[:, None]
    if cells.day_old[fresh].sum() > 0:
        first = terms | {"fresh": cells.fresh.astype(np.float64)}
        first |= {f"fresh {name}": _of_fresh(price["distance"][name], cells, fresh) for name in ("volume", "distance")}
        old = _of_fresh(np.log(cells.day_old + _FLOOR * cells.day_old[fresh].mean()), cells, fresh)
        forecasts.append(_log_linear(f"{baseline}+fresh", "range", cells, first, train))
        forecasts.append(_log_linear(f"{baseline}+fresh+day-old map", "range", cells, first | {"day-old map": old}, train))
    return tuple(forecasts)


def forecasts_by_past(cells: LiquidationCells, train: BoolArray1D, source: IntArray1D) -> tuple[LiquidationForecast, ...]:
    """Return the forecasts that know only what was known at the close before; parameters as in `forecasts_by_range`.

    `constant`; `volatility`, of side, two volatilities and the volume of the day before; `map`, a scale and a background of the heat
    that price is expected to reach; and `volatility` with that heat added, or with that of the other day's map.
    """
    known = {"volatility": cells.volatility, "quick": cells.quick, "activity": cells.activity}
    terms = {"side": _side(cells)} | {name: _log_of_bar(values) for name, values in known.items()}
    _, other = cells.elsewhere(source)
    forecasts = [
        _log_linear("constant", "past", cells, {"side": _side(cells)}, train),
        _log_linear("volatility", "past", cells, terms, train),
        _linear("map", "past", cells, cells.touched, train),
    ]
    for name, heat in (("map", cells.touched), ("other day's map", other)):
        forecasts.append(_log_linear(f"volatility+{name}", "past", cells, terms | {name: _log_heat(heat, train)}, train))
    return tuple(forecasts)


def other_days(span: BoolArray1D, bars_a_day: int) -> IntArray1D:
    """Return for each bar of a span the bar before the same time of another day in it, shape (n_bars,), -1 outside.

    span: shape (n_bars,). The days go around in a circle by half of the span's whole days, so that every map is laid around the price
    of the day that is farthest from its own.
    """
    source = np.full(span.size, -1, dtype=np.int64)
    bars = np.flatnonzero(span)
    days = (int(bars[-1]) - int(bars[0]) + 1) // bars_a_day if bars.size else 0
    if days >= 2:
        source[bars] = bars[0] + (bars - bars[0] + days // 2 * bars_a_day) % (days * bars_a_day) - 1
    return source


def _of_fresh(term: Float64Array2D, cells: LiquidationCells, fresh: BoolArray2D) -> Float64Array2D:
    """Return a term for fresh cells only, less its mean over those of training; 0 elsewhere."""
    return np.where(cells.fresh, term - term[fresh].mean(), 0.0)


def _price_terms(cells: LiquidationCells) -> dict[str, dict[str, Float64Array2D]]:
    distance = {"side": _side(cells), "volume": _log_of_bar(cells.volume), "distance": np.log(cells.distance + _STEP)}
    return {
        "constant": {"side": _side(cells)},
        "distance": distance,
        "distance+volatility": distance | {"volatility": _log_of_bar(cells.volatility)},
    }


def _log_of_bar(values: Float64Array1D) -> Float64Array2D:
    """Return the log of what both sides of a bar share, shape (n_bars, 2)."""
    with np.errstate(divide="ignore"):  # of bars that are not usable
        return np.repeat(np.log(values)[:, None], 2, axis=1)


def _side(cells: LiquidationCells) -> Float64Array2D:
    return np.broadcast_to((-0.5, 0.5), cells.recorded.shape)


def _log_heat(heat: Float64Array2D, train: BoolArray1D) -> Float64Array2D:
    return np.log(heat + _FLOOR * float(np.nanmean(heat[train])))


def _log_linear(
    name: str, given: Given, cells: LiquidationCells, terms: Mapping[str, Float64Array2D], train: BoolArray1D
) -> LiquidationForecast:
    """Fit log mean = constant + terms by the Poisson likelihood over the training bars."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    columns = np.stack(list(terms.values()), axis=-1)
    seen, recorded = columns[train].reshape(-1, len(terms)), cells.recorded[train].ravel()
    centre = seen.mean(axis=0)
    design = np.column_stack((np.ones(recorded.size), seen - centre))
    scale = recorded.mean()
    fit: Any = GLM(recorded / scale, design, family=Poisson()).fit()
    slopes = fit.params[1:]
    constant = float(fit.params[0] + np.log(scale) - centre @ slopes)
    parameters = {"constant": constant} | {term: float(slope) for term, slope in zip(terms, slopes, strict=True)}
    return LiquidationForecast(name=name, given=given, mean=np.exp(constant + columns @ slopes), parameters=MappingProxyType(parameters))


def _linear(name: str, given: Given, cells: LiquidationCells, heat: Float64Array2D, train: BoolArray1D) -> LiquidationForecast:
    """Fit mean = scale * heat + background by the Poisson likelihood over the training bars.

    At its maximum the means add up to what was recorded, which leaves one number to find: the background's share of it.
    """
    recorded, seen = cells.recorded[train].ravel(), heat[train].ravel()
    shape, level = seen / seen.mean(), recorded.mean()

    def loss(share: float) -> float:
        mean = (1 - share) * shape + share
        return float((mean - recorded / level * np.log(mean)).mean())

    share = float(minimize_scalar(loss, bounds=(_LEAST_BACKGROUND, 1.0), method="bounded", options={"xatol": 1e-6}).x)
    scale, background = float((1 - share) * level / seen.mean()), float(share * level)
    parameters = {"scale": scale, "background": background}
    return LiquidationForecast(name=name, given=given, mean=scale * heat + background, parameters=MappingProxyType(parameters))

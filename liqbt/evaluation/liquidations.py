"""Whether the map knows where recorded liquidations happen: near price, and in the far zones that traders look at."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from liqbt._time import DAY_NS, format_ns, parse_instant
from liqbt._typing import BoolArray1D
from liqbt.book.reconstruct import Reconstruction
from liqbt.errors import ConfigError, did_you_mean
from liqbt.evaluation.liquidation_cells import LiquidationCells, liquidation_cells
from liqbt.evaluation.liquidation_claims import claims_for, comparison_table
from liqbt.evaluation.liquidation_days import alarm_table, day_table, event_size, reliability_table
from liqbt.evaluation.liquidation_forecasts import BASELINES, Baseline, Given, forecasts_by_past, forecasts_by_range, other_days
from liqbt.evaluation.liquidation_tables import sample_table, samples_of, score_table
from liqbt.market import MarketFrame

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["LiquidationSkill", "liquidation_skill"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LiquidationSkill:
    """How well forecasts of recorded liquidations do on bars that they were not fitted on. A cell is a bar and a side.

    symbol, synthetic: of the market. baseline: forecast that the map is added to. train, test: first and last instant of both spans.
    far_bps, fresh_bps: see `liquidation_skill`. event_size: amount worth one independent event, base, estimated in training.
    large: base; cells with more, nine in ten of training have less, are the events of the ROC.

    Forecasts are told in `liquidation_forecasts`. `given` is `range` for those that know the bar's own range and volume, so that they
    tell how good the reconstruction is, and `past` for those that know only what was known when the bar began. Intervals are 95 %, from
    days drawn with replacement, in blocks where neighbouring days resemble each other.

    samples: given, region, days, n_cells, n_days, amount (base, recorded), share (of the whole test). Regions are `all`; `near` and
        `far`: the bar's extreme is within, or beyond, `far_bps` of the close a day before; `fresh`: it lies beyond all prices of the
        day before and `fresh_bps` from the close a day before. They depend on the bar's range, so `past` has only `all`. Days are
        `all` or `without top day`, the one on which most was liquidated in the region.
    scores: given, region, days, forecast, measure, value, ci_low, ci_high. Measures:
        deviance_explained: share of Poisson deviance, 0 for the region's mean, 1 at most; shape_explained: the same after one factor
        makes the region's total right. information_gain: over the baseline (of `past`: over `volatility`), nats an event.
        rank_correlation: Spearman's; partial_rank_correlation: given the baseline's ranks. roc_area: of `large` cells, 0.5 without skill.
        molchan_area: above the Molchan curve when alarms cost what the baseline expects there; 0.5 adds nothing to it.
    comparisons: claims, see `claims_for`: given, claim, region, days, rescaled (whether one factor made each forecast's total right
        in the region), forecast, against, n_cells, n_days, gain (nats an event) with ci_low, ci_high, p_value (studentised block
        bootstrap), minimum_detectable_gain (at 80 % power), q_value (Benjamini-Hochberg across the rows of the same days and
        scaling) and verdict, by the rule of `relevant_gain`.
    totals: given, forecast, recorded, expected (base), p_at_least, p_at_most: probability of as much, or as little, as was recorded;
        clustering: a of the variance m + a m² of daily numbers of events, from training; n_days, share_of_days_outside (of the
        central 95 %).
    days: the same by day. reliability: given, forecast, expected and recorded mean of cells (base) in bins of equal expected total,
        ci_low, ci_high, n_cells. alarms: given, forecast, alarmed (share of cells), missed (share of what was liquidated).
    parameters: given, forecast, term, value: what was fitted. notes: what a reader must know.
    """

    symbol: str
    synthetic: bool
    baseline: Baseline
    train: tuple[str, str]
    test: tuple[str, str]
    far_bps: float
    fresh_bps: float
    event_size: float
    large: float
    samples: pd.DataFrame
    scores: pd.DataFrame
    comparisons: pd.DataFrame
    totals: pd.DataFrame
    days: pd.DataFrame
    reliability: pd.DataFrame
    alarms: pd.DataFrame
    parameters: pd.DataFrame
    notes: tuple[str, ...]

    def summary(self) -> pd.DataFrame:
        """Return the scores, one row a sample and forecast, a column a measure, without intervals."""
        rows = ["given", "region", "days", "forecast"]
        wide = self.scores.pivot_table(index=rows, columns="measure", values="value", sort=False)
        return wide.rename_axis(columns=None).reset_index()

    def figure(self) -> go.Figure:
        """Return alarms, reliability, gains by region and daily totals in one interactive figure."""
        from liqbt.evaluation.liquidation_figures import skill_figure

        return skill_figure(self)


def liquidation_skill(
    market: MarketFrame,
    book: Reconstruction,
    *,
    baseline: Baseline = "distance",
    train_share: float = 0.55,
    train_until: str | None = None,
    embargo_days: float = 1.0,
    far_bps: float = 450.0,
    fresh_bps: float = 300.0,
    min_explained_share: float = 0.5,
    relevant_gain: float = 0.05,
    draws: int = 999,
    seed: int = 0,
) -> LiquidationSkill:
    """Hold a map against recorded liquidations: forecasts are fitted on the first part of the span and scored on the rest.

    market: with recorded liquidations. book: of that market, or of the same in shorter bars of which those of `market` consist.
    The map's amounts are relative, so each forecast from it has a fitted scale; its leverage mix is taken as it is, and must not have
    been fitted on what comes after `train_until`.

    baseline: what the map has to add to: `constant`, `distance` (how far the bar went, and its volume) or `distance+volatility`.
    train_share: share of the bars after which training ends; train_until: the instant instead, ISO, UTC. embargo_days: left out
    after it. far_bps, fresh_bps: basis points of log price; 450 is about where a position of 20 times leverage is liquidated, and 300
    what a fresh extreme of a day needs to be far. Both are conventions. min_explained_share: see `FeatureParams`.
    relevant_gain: gain that would matter, nats an event, by convention. A claim holds where its gain is positive with a q-value of
    at most 5 %; it does not where the interval stays below the relevant gain, or the gain is significantly negative; anything else,
    and fewer than 15 days, is not enough data. draws, seed: of the bootstrap.

    Raises ConfigError as `liquidation_cells` does, and where a span has too few days or no liquidations.
    """
    if baseline not in BASELINES:
        raise ConfigError(f"baseline: {baseline!r} is unknown{did_you_mean(str(baseline), BASELINES)}")
    for name, value in (("far_bps", far_bps), ("fresh_bps", fresh_bps), ("relevant_gain", relevant_gain)):
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"{name}: {value!r} must be above 0")
    cells = liquidation_cells(market, book, min_explained_share=min_explained_share)
    train, test = _spans(cells, train_share, train_until, embargo_days)
    source = np.maximum(other_days(train, cells.bars_a_day), other_days(test, cells.bars_a_day))
    fitted, scored = train & cells.usable, test & cells.usable
    _check(cells, fitted, "training")
    _check(cells, scored, "test")
    by_range = forecasts_by_range(cells, fitted, source, baseline=baseline, far=far_bps * 1e-4)
    forecasts = {(one.given, one.name): one for one in (*by_range, *forecasts_by_past(cells, fitted, source))}
    training, tested = (np.broadcast_to(mask[:, None], cells.recorded.shape) for mask in (fitted, scored))
    references: dict[Given, str] = {"range": baseline, "past": "volatility"}
    far = cells.from_day >= far_bps * 1e-4
    samples = samples_of(
        cells,
        {
            ("range", "all"): tested,
            ("range", "near"): tested & ~far,
            ("range", "far"): tested & far,
            ("range", "fresh"): tested & cells.fresh & (cells.from_day > fresh_bps * 1e-4),
            ("past", "all"): tested,
        },
    )
    size = event_size(cells, forecasts.get(("range", f"{baseline}+map"), forecasts["range", baseline]), training)
    days, totals = day_table(cells, forecasts, training, tested, size)
    large = float(np.quantile(cells.recorded[training], 0.9))
    return LiquidationSkill(
        symbol=market.symbol,
        synthetic=market.synthetic,
        baseline=baseline,
        train=_instants(cells, fitted, market),
        test=_instants(cells, scored, market),
        far_bps=far_bps,
        fresh_bps=fresh_bps,
        event_size=size,
        large=large,
        samples=sample_table(cells, samples),
        scores=score_table(cells, forecasts, samples, references=references, large=large, draws=draws, seed=seed),
        comparisons=comparison_table(cells, forecasts, samples, claims_for(baseline), relevant=relevant_gain, draws=draws, seed=seed),
        totals=totals,
        days=days,
        reliability=reliability_table(cells, forecasts, tested, draws=draws, seed=seed),
        alarms=alarm_table(cells, forecasts, tested),
        parameters=pd.DataFrame(
            [(given, name, term, value) for (given, name), one in forecasts.items() for term, value in one.parameters.items()],
            columns=["given", "forecast", "term", "value"],
        ),
        notes=_notes(cells, scored, book),
    )


def _spans(cells: LiquidationCells, share: float, until: str | None, embargo_days: float) -> tuple[BoolArray1D, BoolArray1D]:
    """Return the bars of training and of the test, shape (n_bars,); each reaches from its first usable bar on without holes."""
    if not 0 < share < 1:
        raise ConfigError(f"train_share: {share!r} must lie between 0 and 1, both excluded")
    if not (math.isfinite(embargo_days) and embargo_days >= 0):
        raise ConfigError(f"embargo_days: {embargo_days!r} must be at least 0")
    count = cells.timestamp.size
    end = cells.timestamp[int(share * count)] if until is None else parse_instant(until, parameter="train_until")
    usable = np.flatnonzero(cells.usable)
    first = cells.timestamp[usable[0]] if usable.size else cells.timestamp[-1]
    step = DAY_NS // cells.bars_a_day
    train = (cells.timestamp >= first) & (cells.timestamp + step <= end)
    test = (cells.timestamp >= end + round(embargo_days * DAY_NS)) & (cells.timestamp >= first)
    return train, test


def _check(cells: LiquidationCells, mask: BoolArray1D, name: str) -> None:
    days = np.unique(cells.day[mask]).size
    if days < 2 or not cells.recorded[mask].sum() > 0:
        raise ConfigError(
            f"market: the {name} span has {int(mask.sum())} usable bars on {days} days with {cells.recorded[mask].sum():g} liquidated, and "
            "needs two days and some liquidations; take a longer recording, move train_share or train_until, or lower min_explained_share"
        )


def _instants(cells: LiquidationCells, mask: BoolArray1D, market: MarketFrame) -> tuple[str, str]:
    bars = np.flatnonzero(mask)
    return format_ns(cells.timestamp[bars[0]]), format_ns(cells.timestamp[bars[-1]] + market.interval_ns)


def _notes(cells: LiquidationCells, scored: BoolArray1D, book: Reconstruction) -> tuple[str, ...]:
    days = cells.day[scored]
    amounts = np.bincount(days - days[0], weights=cells.recorded[scored].sum(axis=1))
    top = format_ns((int(days[0]) + int(amounts.argmax())) * DAY_NS)[:10]
    expected = float(cells.swept[scored].sum() / cells.recorded[scored].sum())
    return (
        "forecasts by range know how far price went, so they tell how good the reconstruction is, not whether it forecasts",
        f"{amounts.max() / amounts.sum():.0%} of what was liquidated in the test was on {top}; read the rows without the top day too",
        f"the map expects {expected:.3g} times the recorded liquidations in the test; only its shape is judged, for its scale is fitted",
        *book.notes,
    )

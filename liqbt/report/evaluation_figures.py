"""Plotly figures of an evaluation: effects beside their controls, paths around events, maps of other days, robustness."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from liqbt.evaluation.estimates import Estimate
from liqbt.evaluation.event_study import EventStudy
from liqbt.evaluation.results import Evaluation, HypothesisResult
from liqbt.evaluation.robustness import RobustnessGrid
from liqbt.report.style import DOWN, GREY, LINES, UP, dress

__all__ = ["effects_figure", "evaluation_figures", "event_study_figure", "robustness_figure", "shifted_days_figure"]

_WORD_COLOURS: Final = {"holds": UP, "does not hold": DOWN, "not enough data": GREY}
_UNITS: Final = {"probability": ("points of probability", 100.0), "bps": ("basis points", 1.0)}
_BAND: Final = "rgba(91,140,255,0.18)"


def evaluation_figures(result: Evaluation, grids: Sequence[RobustnessGrid] = ()) -> dict[str, go.Figure]:
    """Return all figures of an evaluation by the name that the page gives them."""
    figures = {"effects": effects_figure(result)}
    for name, one in result.results.items():
        if one.study is not None:
            figures[f"study-{name}"] = event_study_figure(one.study, title=name.replace("_", " "))
        if one.shifted.size:
            figures[f"shifted-{name}"] = shifted_days_figure(one)
    return figures | {f"robustness-{grid.hypothesis.name}": robustness_figure(grid) for grid in grids}


def effects_figure(result: Evaluation) -> go.Figure:
    """Return each hypothesis' effect with its interval, coloured by verdict, and below it what its controls' stand-ins did."""
    units = [unit for unit in _UNITS if any(one.hypothesis.outcome.unit == unit for one in result.results.values())]
    rows = [[one for one in result.results.values() if one.hypothesis.outcome.unit == unit] for unit in units]
    sizes = [sum(1 + len(one.controls) for one in some) for some in rows]
    figure = make_subplots(rows=len(units), cols=1, row_heights=sizes, vertical_spacing=0.12)
    for row, (unit, some) in enumerate(zip(units, rows, strict=True), start=1):
        title, scale = _UNITS[unit]
        for one in some:
            _point(figure, row, one.hypothesis.name, one.estimate, scale, _WORD_COLOURS[one.verdict.word], 9, one.verdict.word)
            for control in one.controls:
                name = f"{one.hypothesis.name} / {control.name}"
                _point(figure, row, name, control.stand_ins, scale, GREY, 5, f"stand-ins of {control.n_matched} events")
        figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"}, row=row, col=1)
        names = [name for one in some for name in (one.hypothesis.name, *(f"{one.hypothesis.name} / {c.name}" for c in one.controls))]
        figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], tickvals=names, ticktext=[_label(name) for name in names],
                            row=row, col=1)  # fmt: skip
        figure.update_xaxes(title=f"effect, {title}, with 95 % interval", row=row, col=1)
    dress(figure, height=80 * len(units) + 22 * sum(sizes))
    return figure.update_layout(showlegend=False, margin_l=210)


def event_study_figure(study: EventStudy, *, title: str) -> go.Figure:
    """Return the mean path of price around events in the claim's direction, with its band."""
    figure = go.Figure()
    hours = np.concatenate([study.hours, study.hours[::-1]])
    band = np.concatenate([study.ci_high, study.ci_low[::-1]])
    figure.add_trace(go.Scatter(x=hours, y=band, fill="toself", fillcolor=_BAND, line={"width": 0}, hoverinfo="skip", showlegend=False))
    figure.add_trace(go.Scatter(x=study.hours, y=study.mean, mode="lines", line={"color": LINES[0], "width": 2}, showlegend=False))
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.add_hline(y=0, line={"color": GREY, "width": 1, "dash": "dot"})
    dress(figure, height=300, title=f"{title}: {study.n_events} events")
    figure.update_xaxes(title="hours since the claim could be traded; what lies before chose the events")
    return figure.update_yaxes(title="bps, in the claim's direction")


def shifted_days_figure(one: HypothesisResult) -> go.Figure:
    """Return what maps of other days would have earned, and what the map of the day did."""
    title, scale = _UNITS[one.hypothesis.outcome.unit]
    figure = go.Figure(go.Histogram(x=scale * one.shifted[np.isfinite(one.shifted)], marker={"color": GREY}, nbinsx=40, showlegend=False))
    if math.isfinite(one.estimate.effect):
        text = f"this map, p = {one.p_shifted:.3f}"
        figure.add_vline(x=scale * one.estimate.effect, line={"color": _WORD_COLOURS[one.verdict.word], "width": 3}, annotation_text=text)
    dress(figure, height=260, title=f"{one.hypothesis.name}: the map moved by whole days")
    figure.update_xaxes(title=f"effect, {title}")
    return figure.update_yaxes(title="shifts")


def robustness_figure(grid: RobustnessGrid) -> go.Figure:
    """Return the effect over horizons and zone thresholds, a panel a mix, in standard errors as colour and in units as text."""
    title, scale = _UNITS[grid.hypothesis.outcome.unit]
    figure = make_subplots(rows=1, cols=len(grid.mixes), subplot_titles=grid.mixes, shared_yaxes=True, horizontal_spacing=0.03)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = grid.effect / grid.standard_error
    texts = np.where(np.isfinite(grid.effect), np.char.mod("%+.1f", scale * grid.effect), "")
    x, y = [f"{hours:g} h" for hours in grid.horizons], [f"{threshold:g}" for threshold in grid.thresholds]
    for col in range(len(grid.mixes)):
        figure.add_trace(
            go.Heatmap(
                z=ratio[col], x=x, y=y, zmin=-4, zmax=4, colorscale="RdBu", text=texts[col], texttemplate="%{text}",
                customdata=grid.n_events[col], hovertemplate="%{x}, threshold %{y}<br>%{text}, %{z:.1f} errors, %{customdata} events",
                showscale=col == len(grid.mixes) - 1, colorbar={"title": "effect /<br>error", "thickness": 12}, name="",
            ),
            row=1, col=col + 1,
        )  # fmt: skip
    dress(figure, height=320, title=None)
    figure.update_yaxes(title="zone threshold", row=1, col=1)
    return figure.update_xaxes(title=f"horizon; numbers in {title}", row=1, col=(len(grid.mixes) + 1) // 2)


def _point(figure: go.Figure, row: int, name: str, one: Estimate, scale: float, colour: str, size: int, word: str) -> None:
    if not math.isfinite(one.effect):
        return
    half = scale * (one.ci_high - one.effect)
    error = {"type": "data", "array": [half if math.isfinite(half) else 0.0], "color": colour, "thickness": 1.5}
    told = f"{name}<br>{scale * one.effect:+.2f}, {one.n_events} events on {one.n_clusters} days<br>{word}<extra></extra>"
    marker = {"color": colour, "size": size}
    figure.add_trace(
        go.Scatter(x=[scale * one.effect], y=[name], error_x=error, mode="markers", marker=marker, hovertemplate=told), row=row, col=1
    )


def _label(name: str) -> str:
    shown = name.rsplit(" / ", maxsplit=1)[-1].replace("_", " ")
    return f"<span style='opacity:.6'>{shown}</span>" if " / " in name else f"<b>{shown}</b>"

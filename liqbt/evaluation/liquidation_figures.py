"""One figure of liquidation skill: alarms, reliability, claims and days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

if TYPE_CHECKING:
    from liqbt.evaluation.liquidations import LiquidationSkill

__all__ = ["skill_figure"]

_COLOURS: Final = ("#5b8cff", "#ffb454", "#2fbf8f", "#c678dd", "#e06c9f")
_FONT: Final = {"family": "Inter, system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12}
_GREY: Final = "rgba(128,128,140,0.8)"
_VERDICTS: Final = {"holds": "#2fbf8f", "does not hold": "#f0616d", "not enough data": "#8b90a0"}


def skill_figure(skill: LiquidationSkill) -> go.Figure:
    """Return what alarms miss, what was recorded where how much was expected, each claim's gain by region, and totals by day."""
    titles = (
        "what alarms miss (Molchan); below the diagonal is skill",
        "recorded where so much was expected, mean of cells",
        "gain of each claim, nats an event; pale without the top day",
        "recorded and expected by day",
    )
    figure = make_subplots(
        rows=3, cols=2, subplot_titles=titles, specs=[[{}, {}], [{"colspan": 2}, None], [{"colspan": 2}, None]],
        row_heights=[0.36, 0.4, 0.24], horizontal_spacing=0.1, vertical_spacing=0.09,
    )  # fmt: skip
    shown = [
        ("range", skill.baseline),
        ("range", "map"),
        ("range", f"{skill.baseline}+map"),
        ("past", "volatility"),
        ("past", "volatility+map"),
    ]
    colours = dict(zip(shown, _COLOURS, strict=True))
    for (given, name), colour in colours.items():
        _alarms(figure, _of(skill.alarms, given, name), f"{name}, given the {given}", colour, dashed=given == "past")
        if given == "range":
            _reliability(figure, _of(skill.reliability, given, name), name, colour)
            _days(figure, _of(skill.days, given, name), name, colour)
    figure.add_trace(_line([0, 1], [1, 0], "no skill", _GREY, "dot"), row=1, col=1)
    _diagonal(figure, skill.reliability)
    recorded = skill.days[skill.days["given"].eq("range") & skill.days["forecast"].eq(skill.baseline)]
    figure.add_trace(
        go.Bar(x=recorded["day"].dt.tz_localize(None), y=recorded["recorded"], name="recorded", marker={"color": "rgba(128,128,140,0.45)"}),
        row=3, col=1,
    )  # fmt: skip
    _claims(figure, skill.comparisons)
    figure.update_xaxes(title_text="share of bars and sides that are alarmed", row=1, col=1)
    figure.update_yaxes(title_text="share of liquidations missed", row=1, col=1)
    figure.update_xaxes(title_text="expected, base", type="log", dtick=1, tickformat="~s", row=1, col=2)
    figure.update_yaxes(title_text="recorded, base", type="log", dtick=1, tickformat="~s", row=1, col=2)
    figure.update_xaxes(title_text="nats an event over what the claim is against", row=2, col=1)
    figure.update_yaxes(title_text="base", type="log", dtick=1, tickformat="~s", row=3, col=1)
    _dress(figure, skill)
    return figure


def _of(table: pd.DataFrame, given: str, name: str) -> pd.DataFrame:
    return table[(table["given"] == given) & (table["forecast"] == name)]


def _line(x: Any, y: Any, name: str, colour: str, dash: str = "solid", **more: Any) -> go.Scatter:
    return go.Scatter(x=x, y=y, mode="lines", name=name, line={"color": colour, "width": 2, "dash": dash}, **more)


def _alarms(figure: go.Figure, table: pd.DataFrame, name: str, colour: str, *, dashed: bool) -> None:
    hover = "alarms in %{x:.1%} of cells miss %{y:.1%}"
    trace = _line(table["alarmed"], table["missed"], name, colour, "dash" if dashed else "solid", hovertemplate=hover)
    figure.add_trace(trace, row=1, col=1)


def _reliability(figure: go.Figure, table: pd.DataFrame, name: str, colour: str) -> None:
    bars = {"array": table["ci_high"] - table["recorded"], "arrayminus": table["recorded"] - table["ci_low"], "thickness": 1, "width": 3}
    figure.add_trace(
        go.Scatter(
            x=table["expected"], y=table["recorded"], error_y=bars, mode="lines+markers", name=name, showlegend=False,
            line={"color": colour, "width": 1.5}, marker={"color": colour, "size": 6}, customdata=table["n_cells"],
            hovertemplate="expected %{x:.3s}, recorded %{y:.3s} in %{customdata} cells<extra>" + name + "</extra>",
        ),
        row=1, col=2,
    )  # fmt: skip


def _diagonal(figure: go.Figure, table: pd.DataFrame) -> None:
    ends = [float(table["expected"].min()), float(table["expected"].max())]
    figure.add_trace(_line(ends, ends, "as expected", _GREY, "dot", showlegend=False, hoverinfo="skip"), row=1, col=2)


def _days(figure: go.Figure, table: pd.DataFrame, name: str, colour: str) -> None:
    trace = _line(table["day"].dt.tz_localize(None), table["expected"], name, colour, showlegend=False)
    figure.add_trace(trace, row=3, col=1)


def _claims(figure: go.Figure, comparisons: pd.DataFrame) -> None:
    """Draw the gains as forecasts stand; the axis is cut at what most intervals need, for a crash day can make one very long."""
    table = comparisons[~comparisons["rescaled"]].copy()
    given = table["given"].map({"range": "", "past": " (from the past)"})
    table["label"] = table["claim"] + given + ", " + table["region"]
    labels = list(dict.fromkeys(table["label"]))[::-1]
    place = table["label"].map({label: i for i, label in enumerate(labels)})
    told: set[str] = set()
    for verdict, colour in _VERDICTS.items():
        for days, opacity, shift in (("all", 1.0, 0.14), ("without top day", 0.55, -0.14)):
            part = table[(table["verdict"] == verdict) & (table["days"] == days)]
            if part.empty:
                continue
            bars = {"array": part["ci_high"] - part["gain"], "arrayminus": part["gain"] - part["ci_low"], "thickness": 1.4, "width": 0}
            figure.add_trace(
                go.Scatter(
                    x=part["gain"], y=place[part.index] + shift, error_x=bars, mode="markers", opacity=opacity, name=f"claim: {verdict}",
                    legendgroup=verdict, showlegend=verdict not in told, marker={"color": colour, "size": 7},
                    text=part["label"] + ", " + part["days"] + " days", customdata=part[["ci_low", "ci_high", "n_days", "q_value"]],
                    hovertemplate="%{text}<br>%{x:.3f}, 95 % %{customdata[0]:.3f} to %{customdata[1]:.3f}<br>"
                    "%{customdata[2]} days, q %{customdata[3]:.3f}<extra>" + verdict + "</extra>",
                ),
                row=2, col=1,
            )  # fmt: skip
            told.add(verdict)
    low = min(table["gain"].min(), table["ci_low"].quantile(0.35), 0.0)
    high = max(table["gain"].max(), table["ci_high"].quantile(0.65), 0.0)
    figure.add_vline(x=0, line={"color": _GREY, "width": 1}, row=2, col=1)
    figure.update_xaxes(range=[low - 0.05 * (high - low), high + 0.05 * (high - low)], row=2, col=1)
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, range=[-0.7, len(labels) - 0.3], row=2, col=1)


def _dress(figure: go.Figure, skill: LiquidationSkill) -> None:
    name = f"SYNTHETIC  {skill.symbol}" if skill.synthetic else skill.symbol
    grid = "rgba(128,128,140,0.18)"
    figure.update_layout(
        template="none", height=1380, font=_FONT, margin={"l": 72, "r": 36, "t": 150, "b": 56},
        title={"text": f"{name}   recorded liquidations against forecasts, {skill.test[0][:10]} to {skill.test[1][:10]}", "x": 0.01,
               "y": 0.985, "yanchor": "top", "font": {"size": 14}},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", modebar={"bgcolor": "rgba(0,0,0,0)"},
        legend={"orientation": "h", "y": 1.03, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
    )  # fmt: skip
    figure.update_annotations(font={"size": 13})
    figure.update_xaxes(gridcolor=grid, zeroline=False, automargin=True)
    figure.update_yaxes(gridcolor=grid, zeroline=False, automargin=True)

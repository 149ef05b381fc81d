"""Plotly figures of one score: the account, its trades, when it earned, and how much it could trade."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from liqbt._typing import Float64Array2D
from liqbt.report.numbers import compact
from liqbt.report.style import DOWN, GREY, LINES, UP, dress, line
from liqbt.scoring.base_score import AccountScore
from liqbt.scoring.capacity import Capacity
from liqbt.scoring.portfolio_score import PortfolioScore

__all__ = ["account_figure", "breakdown_figure", "capacity_figure", "excursion_figure", "monthly_figure"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SIGNED: Final = [[0.0, DOWN], [0.5, "rgba(128,128,140,0.10)"], [1.0, UP]]
_INTERVAL: Final = 1.96  # standard errors: 95 % of a normal distribution


def account_figure(score: AccountScore) -> go.Figure:
    """Return equity over drawdown, both at closes; of several symbols also what each has contributed, in quote."""
    several = isinstance(score, PortfolioScore)
    heights = [0.45, 0.2, 0.35] if several else [0.7, 0.3]
    figure = make_subplots(rows=len(heights), cols=1, shared_xaxes=True, vertical_spacing=0.04, row_heights=heights)
    known = score.frames[0].index + pd.Timedelta(score.frames[0].interval_ns, unit="ns")
    figure.add_trace(line(score.equity.set_axis(known), "equity", {"color": LINES[0], "width": 2}), row=1, col=1)
    drawdown = {"color": DOWN, "width": 1}
    figure.add_trace(line(100 * score.drawdown.set_axis(known), "drawdown", drawdown, fill="tozeroy", showlegend=False), row=2, col=1)
    if isinstance(score, PortfolioScore):
        for k, (symbol, earned) in enumerate(score.contributions.set_axis(known).items()):
            style = {"color": LINES[1:][k % 4], "width": 1.5, "dash": ("solid", "dot", "dash")[k // 4 % 3]}
            figure.add_trace(line(earned, str(symbol), style), row=3, col=1)
        figure.update_yaxes(title="earned by symbol, quote", row=3, col=1)
    dress(figure, height=640 if several else 460)
    figure.update_yaxes(title="equity, quote", row=1, col=1)
    figure.update_yaxes(title="drawdown, %", row=2, col=1)
    return figure.update_layout(hovermode="x unified")


def excursion_figure(score: AccountScore) -> go.Figure:
    """Return the trades that ended by how far price went against them and for them, in percent of the entry price."""
    trades = score.trades[score.trades["exit_time"].notna()]
    figure = go.Figure()
    for name, colour, own in (("won", UP, trades["pnl"] > 0), ("lost", DOWN, trades["pnl"] <= 0)):
        rows = trades[own]
        figure.add_trace(
            go.Scatter(
                x=100 * rows["mae"], y=100 * rows["mfe"], mode="markers", name=f"{name} ({len(rows)})",
                marker={"color": colour, "size": 7, "opacity": 0.65, "line": {"width": 0}},
                customdata=np.column_stack([rows["side"], rows["reason"], 1e4 * rows["return"], rows["entry_time"].astype(str)]),
                hovertemplate="%{customdata[0]}, ended by %{customdata[1]}<br>%{customdata[3]}<br>against %{x:.2f}%, for %{y:.2f}%<br>"
                "%{customdata[2]:.1f} bps net<extra></extra>",
            )
        )  # fmt: skip
    reach = 105 * float(trades[["mae", "mfe"]].to_numpy().max(initial=0.001))
    figure.add_trace(
        go.Scatter(x=[0, reach], y=[0, reach], mode="lines", name="as far for as against", line={"color": GREY, "dash": "dot", "width": 1})
    )
    dress(figure, height=460)
    figure.update_xaxes(title="greatest move against the trade (MAE), % of entry", range=[0, reach])
    figure.update_yaxes(title="greatest move for it (MFE), % of entry", range=[0, reach])
    return figure


def monthly_figure(score: AccountScore) -> go.Figure:
    """Return the change of equity over each month as a table of colours, a row a year."""
    table = 100 * score.monthly_returns
    values: Float64Array2D = table.to_numpy(dtype=np.float64)
    full = float(np.nanmax(np.abs(values), initial=0.1))
    text = [["" if math.isnan(value) else f"{value:+.1f}%" for value in row] for row in values]
    figure = go.Figure(
        go.Heatmap(
            x=list(_MONTHS), y=[str(year) for year in table.index], z=values, text=text, texttemplate="%{text}", colorscale=_SIGNED,
            zmin=-full, zmax=full, xgap=2, ygap=2, showscale=False, hovertemplate="%{x} %{y}: %{z:+.2f}%<extra></extra>",
        )
    )  # fmt: skip
    dress(figure, height=96 + 44 * len(table))
    figure.update_xaxes(side="top", showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return figure


def capacity_figure(capacity: Capacity) -> go.Figure:
    """Return the mean net edge by the size of a trade, where it is gone, and how many orders exceed the recorded book."""
    figure = make_subplots(specs=[[{"secondary_y": True}]])
    figure.add_trace(
        go.Scatter(x=capacity.notional, y=100 * capacity.beyond, name="orders beyond the recorded book", mode="lines", line={"width": 0},
                   fill="tozeroy", fillcolor="rgba(128,128,140,0.20)", hovertemplate="%{y:.0f}% of orders"),
        secondary_y=True,
    )  # fmt: skip
    figure.add_trace(
        go.Scatter(x=capacity.notional, y=capacity.net_bps, name="net edge", mode="lines", line={"color": LINES[0], "width": 2.5},
                   hovertemplate="%{x:.3s} quote: %{y:.1f} bps"),
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    for at, text, colour, dash in (
        (capacity.traded, f"as traded: {compact(capacity.traded)}", UP, "dot"),
        (capacity.capacity, f"edge gone at {compact(capacity.capacity)}", DOWN, "dash"),
    ):
        if math.isfinite(at):
            figure.add_vline(x=at, line={"color": colour, "dash": dash, "width": 1.5})
            figure.add_annotation(
                x=math.log10(at), y=1.0, yref="paper", text=text, showarrow=False, xanchor="right", yanchor="top", xshift=-4
            )
    dress(figure, height=400)
    figure.update_xaxes(type="log", title="notional of a trade, quote", range=_decades(capacity), tickformat=".0s", dtick=1)
    floor = min(-20.0, -1.0 * abs(capacity.edge_bps)) if math.isfinite(capacity.edge_bps) else -20.0
    roof = 1.2 * max(5.0, abs(capacity.edge_bps)) if math.isfinite(capacity.edge_bps) else 5.0
    figure.update_yaxes(title="mean net edge of a trade, bps", range=[floor, roof], secondary_y=False)
    figure.update_yaxes(title="orders, %", range=[0, 100], tickmode="array", tickvals=[0, 50, 100], showgrid=False, secondary_y=True)
    return figure


def breakdown_figure(score: AccountScore) -> go.Figure:
    """Return the mean net edge by hour, weekday, month and regime, with 95 % intervals whose errors are clustered by day."""
    regime = score.by_regime
    tables: tuple[tuple[str, pd.DataFrame, list[str]], ...] = (
        ("hour of entry, UTC", score.by_hour, [str(hour) for hour in score.by_hour.index]),
        ("weekday of entry", score.by_weekday, [str(day)[:3] for day in score.by_weekday.index]),
        ("month of entry", score.by_month, [str(month) for month in score.by_month.index]),
        ("regime at entry", regime, [f"{kind}<br>{value}" for kind, value in regime.index]),
    )
    figure = make_subplots(rows=2, cols=2, subplot_titles=[title for title, _, _ in tables], vertical_spacing=0.16, horizontal_spacing=0.08)
    for k, (_, table, labels) in enumerate(tables):
        figure.add_trace(_bars(table, labels), row=1 + k // 2, col=1 + k % 2)
    dress(figure, height=640)
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="mean net edge, bps", col=1)
    return figure


def _bars(table: pd.DataFrame, labels: list[str]) -> go.Bar:
    mean = table["mean_net_bps"].to_numpy()
    error: dict[str, Any] = {"type": "data", "array": _INTERVAL * table["standard_error_bps"].to_numpy(), "color": GREY, "thickness": 1}
    return go.Bar(
        x=labels, y=mean, error_y=error, showlegend=False, marker={"color": np.where(mean > 0, UP, DOWN), "opacity": 0.8},
        customdata=np.column_stack([table["trades"], 100 * table["win_share"], table["total_pnl"]]),
        hovertemplate="%{customdata[0]} trades, %{customdata[1]:.0f}% won<br>%{y:.1f} bps, %{customdata[2]:.2f} quote<extra>%{x}</extra>",
    )  # fmt: skip


def _decades(capacity: Capacity) -> list[float]:
    """Return the range of sizes shown: from the least to a decade beyond where the edge is gone."""
    last = capacity.capacity if math.isfinite(capacity.capacity) else float(capacity.notional[-1])
    return [math.log10(float(capacity.notional[0])), math.log10(min(10 * last, float(capacity.notional[-1])))]

"""Interactive figures of the maps by themselves; reports add candles, zones and trades."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from liqbt._time import format_ns, to_index
from liqbt._typing import LONG, SHORT, SIDES, Float64Array2D
from liqbt.heatmap.axes import MapAxes
from liqbt.heatmap.depth import DepthAdjustedMap
from liqbt.heatmap.heatmap import Heatmap
from liqbt.heatmap.liquidation_map import LiquidationMap
from liqbt.heatmap.pictures import GROUP_COLOURS, RATIO_COLOURS, RATIO_RANGE, bars_of, coarse, columns, curve, log_ratio
from liqbt.heatmap.probability import ProbabilityMap

__all__ = ["depth_figure", "heatmap_figure", "liquidation_map_figure", "probability_figure"]

_CELLS: Final = (900, 400)
_CURVES: Final = ("#f0616d", "#2fbf8f")
_MARGIN: Final = 0.12
_AMOUNTS: Final = {"tickformat": ".2s", "rangemode": "tozero"}
_FONT: Final = {"family": "Inter, system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12}


def heatmap_figure(heat: Heatmap) -> go.Figure:
    """Return both sides of a map in quote; the colour is full at its 99.7th percentile, for a few cells would darken the rest."""
    axes, shown = coarse(heat, heat.notional(), _CELLS, _MARGIN)
    positive = shown[shown > 0]
    full = float(np.quantile(positive, 0.997)) if positive.size else 1.0
    return _field(
        axes, shown, title="where positions would be liquidated", hover="%{z:.3s} quote", zmin=0.0, zmax=full, colorscale="Viridis",
        colorbar={"title": {"text": "quote per<br>price bin"}, "tickformat": ".2s"},
    )  # fmt: skip


def probability_figure(chance: ProbabilityMap) -> go.Figure:
    """Return the share of the ensemble in which zones are great, of the surer side."""
    axes, shown = coarse(chance, chance.probability, _CELLS, min(_MARGIN, chance.size.reach))
    return _field(
        axes, shown, title=f"share of {chance.n_mixes:,} leverage mixes with {chance.size}", hover="%{z:.0%}", zmin=0.0, zmax=1.0,
        colorscale="Viridis", colorbar={"title": {"text": "share of<br>mixes"}, "tickformat": ".0%"},
    )  # fmt: skip


def depth_figure(adjusted: DepthAdjustedMap) -> go.Figure:
    """Return liquidations over resting depth on the way to each price, of the side where it is greater; colours break at 1."""
    axes, shown = coarse(adjusted, log_ratio(adjusted.ratio), _CELLS, _MARGIN)
    ticks = np.arange(RATIO_RANGE[0], RATIO_RANGE[1] + 1)
    return _field(
        axes, shown, title="liquidations over resting depth on the way to each price; above 1 a cascade would feed itself",
        hover="10^%{z:.2f} times the depth", zmin=RATIO_RANGE[0], zmax=RATIO_RANGE[1], colorscale=[list(stop) for stop in RATIO_COLOURS],
        colorbar={"title": {"text": "times the<br>depth"}, "tickvals": ticks, "ticktext": [f"{10.0**tick:g}" for tick in ticks]},
    )  # fmt: skip


def liquidation_map_figure(levels: LiquidationMap, *, reach: float) -> go.Figure:
    """Return bars by price, stacked by group of leverage, and the cumulative curves down and up from the last price."""
    bars = bars_of(levels, reach)
    figure = go.Figure()
    width = np.diff(bars.price_edges)
    for at, (group, colour) in enumerate(zip(bars.groups, _colours(len(bars.groups)), strict=True)):
        figure.add_trace(
            go.Bar(
                x=(bars.price_edges[:-1] + bars.price_edges[1:]) / 2, y=bars.notional()[:, at].sum(axis=0), width=width, name=group,
                marker={"color": colour, "line": {"width": 0}}, hovertemplate="%{x:.6g}<br>%{y:.3s} quote<extra>" + group + "</extra>",
            )
        )  # fmt: skip
    near = levels.between(levels.close * (1 - reach), levels.close * (1 + reach))
    for side in (LONG, SHORT):
        price, total = curve(near, side)
        name = f"cumulative {SIDES[side]} liquidations"
        figure.add_trace(
            go.Scatter(
                x=price, y=total, name=name, yaxis="y2", mode="lines", line={"color": _CURVES[side], "width": 2.5},
                hovertemplate="to %{x:.6g}<br>%{y:.3s} quote<extra>" + name + "</extra>",
            )
        )  # fmt: skip
    figure.add_vline(
        x=levels.close, line={"color": "rgba(140,140,155,0.9)", "dash": "dash", "width": 1}, annotation_text=f"{levels.close:g}"
    )
    _dress(figure, f"{_name(levels.symbol, synthetic=levels.synthetic)}   liquidation map, known at {format_ns(levels.timestamp)} UTC")
    figure.update_layout(
        barmode="stack", bargap=0, xaxis={"title": "price, quote"}, yaxis={"title": "quote per bar", **_AMOUNTS},
        yaxis2={"title": "cumulative, quote", "overlaying": "y", "side": "right", "showgrid": False, **_AMOUNTS},
    )  # fmt: skip
    return figure


def _colours(count: int) -> tuple[str, ...]:
    return (GROUP_COLOURS * (1 + count // len(GROUP_COLOURS)))[:count]


def _field(axes: MapAxes, shown: Float64Array2D, *, title: str, hover: str, colorbar: dict[str, Any], **scale: Any) -> go.Figure:
    times = to_index(columns(axes)).tz_localize(None)
    figure = go.Figure(
        go.Heatmap(
            x=times, y=axes.price_edges, z=shown.astype(np.float32), name="map", hoverongaps=False,
            colorbar={"thickness": 12, "outlinewidth": 0, **colorbar},
            hovertemplate="%{x|%Y-%m-%d %H:%M}<br>price %{y:.6g}<br>" + hover + "<extra></extra>", **scale,
        )
    )  # fmt: skip
    line = {"color": "#ffffff", "width": 1.2}
    figure.add_trace(go.Scatter(x=times[:-1], y=axes.close, mode="lines", line=line, name="last price", hoverinfo="skip"))
    _dress(figure, f"{_name(axes.symbol, synthetic=axes.synthetic)}   {title}")
    figure.update_layout(
        xaxis={"showgrid": False}, yaxis={"title": "price, quote", "showgrid": False, "range": list(axes.price_edges[[0, -1]])}
    )
    return figure


def _name(symbol: str, *, synthetic: bool) -> str:
    return f"SYNTHETIC  {symbol}" if synthetic else symbol


def _dress(figure: go.Figure, title: str) -> None:
    grey = "rgba(128,128,140,0.18)"
    figure.update_layout(
        template="none", height=620, margin={"l": 72, "r": 72, "t": 72, "b": 56}, font=_FONT,
        title={"text": title, "x": 0.01, "font": {"size": 14}},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        modebar={"bgcolor": "rgba(0,0,0,0)"},
    )  # fmt: skip
    figure.update_xaxes(gridcolor=grey, zeroline=False)
    figure.update_yaxes(gridcolor=grey, zeroline=False)

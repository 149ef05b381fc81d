"""How the report's figures look: colours, fonts, and lines that are thinned without hiding what they show."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from liqbt._typing import Float64Array1D, IntArray1D

__all__ = ["DOWN", "GREY", "LINES", "UP", "dress", "extremes", "line"]

UP: Final = "#2fbf8f"
DOWN: Final = "#f0616d"
GREY: Final = "#8b90a0"
LINES: Final = ("#5b8cff", "#ffb454", "#c678dd", "#56b6c2", "#e06c9f")
_PARTS: Final = 800
_FONT: Final = {"family": "Inter, system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12}
_GRID: Final = "rgba(128,128,140,0.18)"


def dress(figure: go.Figure, *, height: int, title: str | None = None) -> go.Figure:
    """Give a figure the report's look, readable on light and dark ground; return it."""
    figure.update_layout(
        template="none", height=height, margin={"l": 64, "r": 16, "t": 64 if title else 36, "b": 44}, font=_FONT,
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", legend={"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 0},
        modebar={"bgcolor": "rgba(0,0,0,0)"},
    )  # fmt: skip
    if title:
        figure.update_layout(title={"text": title, "x": 0.0, "xanchor": "left", "xref": "paper", "y": 0.98, "yanchor": "top"})
    figure.update_xaxes(gridcolor=_GRID, zeroline=False)
    figure.update_yaxes(gridcolor=_GRID, zeroline=False)
    return figure


def line(values: pd.Series[float], name: str, style: dict[str, Any], **more: Any) -> go.Scatter:
    """Return a line of `values` by UTC time, thinned to what a screen can show."""
    shown = values.iloc[extremes(np.asarray(values, dtype=np.float64))]
    x = pd.DatetimeIndex(shown.index).tz_localize(None)
    return go.Scatter(x=x, y=shown.to_numpy(), name=name, mode="lines", line=style, **more)


def extremes(values: Float64Array1D) -> IntArray1D:
    """Return the positions of the lowest and highest value of each of 800 parts, and of both ends, so that no drawdown is hidden."""
    if values.size <= 2 * _PARTS:
        return np.arange(values.size)
    parts = np.array_split(np.nan_to_num(values), _PARTS)
    starts = np.cumsum([0, *(part.size for part in parts[:-1])])
    found = [int(start) + int(one) for start, part in zip(starts, parts, strict=True) for one in (part.argmin(), part.argmax())]
    return np.unique([0, *found, values.size - 1])

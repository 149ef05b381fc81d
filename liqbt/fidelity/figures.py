"""Interactive figure of a fidelity study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import plotly.graph_objects as go
from plotly.subplots import make_subplots

if TYPE_CHECKING:
    from liqbt.fidelity.study import FidelityStudy

__all__ = ["study_figure"]

_PANELS: Final = (
    ("rank_correlation", "rank correlation"),
    ("precision", "precision of the hottest 5 %"),
    ("earth_mover_bps", "earth mover's distance, bps"),
)
_COLOURS: Final = {
    "matched": "#2fbf8f",
    "yardstick": "#8c8c9b",
    "market": "#f0616d",
    "model": "#5b6ee1",
    "bars": "#f2a93b",
    "width": "#3fb6c6",
}
_FONT: Final = {"family": "Inter, system-ui, -apple-system, 'Segoe UI', sans-serif", "size": 12}


def study_figure(study: FidelityStudy) -> go.Figure:
    """Return a panel a measure, with a row a case and a dot a seed."""
    frame = study.to_frame()
    figure = make_subplots(rows=1, cols=len(_PANELS), shared_yaxes=True, horizontal_spacing=0.03, subplot_titles=[t for _, t in _PANELS])
    names = [one.name for one in study.cases]
    groups = {one.name: one.group for one in study.cases}
    for column, (measure, _) in enumerate(_PANELS, start=1):
        for group in dict.fromkeys(groups.values()):
            rows = frame[frame["case"].map(groups) == group]
            figure.add_trace(
                go.Scatter(
                    x=rows[measure], y=rows["case"], mode="markers", name=group, legendgroup=group, showlegend=column == 1,
                    marker={"color": _COLOURS[group], "size": 8, "opacity": 0.75}, customdata=rows[["seed"]],
                    hovertemplate="%{y}, seed %{customdata[0]}<br>%{x:.3f}<extra></extra>",
                ),
                row=1, col=column,
            )  # fmt: skip
    grey = "rgba(128,128,140,0.18)"
    figure.update_layout(
        template="none", height=max(320, 120 + 20 * len(names)), margin={"l": 150, "r": 24, "t": 72, "b": 40}, font=_FONT,
        title={"text": "SYNTHETIC  how well reconstructed maps agree with true ones, a dot a seed", "x": 0.01, "font": {"size": 14}},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
    figure.update_xaxes(gridcolor=grey, zeroline=False)
    figure.update_yaxes(gridcolor=grey, categoryorder="array", categoryarray=names[::-1])
    return figure

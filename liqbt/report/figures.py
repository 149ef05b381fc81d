"""Plotly figures of the report, each from results as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from liqbt._time import to_index
from liqbt._typing import IntArray1D
from liqbt.heatmap import Heatmap
from liqbt.market import MarketFrame
from liqbt.report.candles import candles
from liqbt.report.picture import COLOUR_LABEL, column_edges, full_colour, log_ticks, notional_picture, visible, wants_log_axis
from liqbt.report.style import DOWN, LINES, UP, dress, line
from liqbt.scoring import Score
from liqbt.zones import ZoneParams, Zones, find_zones

__all__ = ["DrawnZones", "drawn_zones", "equity_figure", "explained_figure", "heatmap_figure"]

_CELLS: Final = (900, 360)
_ZONE_COLUMNS: Final = 10
_ZONE_SHARE: Final = 0.15
_EDGE: Final = {"width": 1, "color": "#14091f"}


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnZones:
    """Zones of some snapshots, and for each the time at which the next of these snapshots was known, UTC nanoseconds."""

    found: Zones
    until: IntArray1D


def drawn_zones(heat: Heatmap, params: ZoneParams, *, usable: float) -> DrawnZones:
    """Return the greater zones of every tenth usable snapshot, so that frames leave the map visible.

    usable: explained share below which a snapshot is left out.
    """
    looked = np.arange((heat.timestamp.size - 1) % _ZONE_COLUMNS, heat.timestamp.size, _ZONE_COLUMNS)
    kept = looked[heat.explained_share[looked] >= usable]
    some = replace(heat, **{name: getattr(heat, name)[kept] for name in ("timestamp", "intensity", "close", "explained_share")})
    zones = find_zones(some, params)
    great = zones.share >= _ZONE_SHARE
    found = zones.where(great)
    spacing = int(np.diff(heat.timestamp[looked]).max(initial=0)) or int(heat.timestamp[-1] - heat.timestamp[0])
    following = np.append(heat.timestamp[looked], heat.timestamp[-1] + spacing)
    return DrawnZones(found=found, until=following[np.searchsorted(following, found.timestamp, side="right")])


def heatmap_figure(heat: Heatmap, market: MarketFrame, cadence: str, zones: DrawnZones, scores: Sequence[Score]) -> go.Figure:
    """Return the map under candles of `cadence`, with the zones given and the trades of `scores` on it.

    A cell shows the map as it was known when the cell begins, so what price does inside of it is news to the map.
    """
    small = visible(heat, market).downsample(*_CELLS)
    picture = notional_picture(small)
    bars = candles(market, cadence)
    figure = go.Figure()
    figure.add_trace(
        go.Heatmap(
            x=_naive(column_edges(small, market)),
            y=small.price_edges,
            z=picture.astype(np.float32),
            colorscale="Viridis",
            zmin=0.0,
            zmax=full_colour(picture),
            colorbar={
                "title": {"text": f"{COLOUR_LABEL},<br>quote per bin".replace(" ", "<br>", 2)},
                "thickness": 12,
                "tickformat": ".2s",
                "outlinewidth": 0,
            },
            hovertemplate="%{x|%Y-%m-%d %H:%M}<br>price %{y:.6g}<br>%{z:.3s} quote<extra>map</extra>",
            name="map",
        )
    )
    figure.add_trace(_zone_boxes(zones, market))
    figure.add_trace(
        go.Candlestick(
            x=_naive(bars.start + bars.step // 2), open=bars.open, high=bars.high, low=bars.low, close=bars.close, name="price",
            increasing={"line": {"color": UP, "width": 1}, "fillcolor": UP},
            decreasing={"line": {"color": DOWN, "width": 1}, "fillcolor": DOWN},
        )
    )  # fmt: skip
    for score in scores:
        for trace in _trade_marks(score):
            figure.add_trace(trace)
    dress(figure, height=620)
    span = _naive(np.array([market.timestamp[0], market.timestamp[-1] + market.interval_ns]))
    figure.update_layout(
        xaxis={"rangeslider": {"visible": False}, "showgrid": False, "range": list(span)},
        yaxis={"title": "price, quote", "showgrid": False},
    )
    shown = np.array([small.price_edges[0], small.price_edges[-1]])
    if wants_log_axis(shown):
        ticks = log_ticks(*shown)
        figure.update_yaxes(type="log", range=list(np.log10(shown)), tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks])
    else:
        figure.update_yaxes(range=list(shown))
    return figure


def equity_figure(scores: Sequence[Score], benchmark: Score | None) -> go.Figure:
    """Return the equity of each score, and of the benchmark, in quote."""
    figure = go.Figure()
    for colour, score in zip(LINES * (1 + len(scores) // len(LINES)), scores, strict=False):
        figure.add_trace(line(_at_close(score), score.name, {"color": colour, "width": 2}))
    if benchmark is not None:
        figure.add_trace(line(_at_close(benchmark), benchmark.name, {"color": "#8b90a0", "width": 1.5, "dash": "dot"}))
    dress(figure, height=360)
    figure.update_layout(yaxis={"title": "equity, quote"}, hovermode="x unified")
    return figure


def explained_figure(explained: pd.Series[float], live: pd.Series[float], needed: float) -> go.Figure:
    """Return the share of open interest whose entry was seen, the share on the map, and the share below which it is not used."""
    figure = go.Figure(line(explained, "entry seen", {"color": LINES[0], "width": 1.5}))
    figure.add_trace(line(live, "on the map", {"color": LINES[1], "width": 1.5}))
    figure.add_hline(
        y=needed, line={"color": DOWN, "dash": "dash", "width": 1}, annotation_text="map not used below", annotation_position="bottom right"
    )
    dress(figure, height=260)
    figure.update_layout(yaxis={"title": "share of open interest", "range": [0, 1.05], "tickformat": ".0%"})
    return figure


def _at_close(score: Score) -> pd.Series[float]:
    """Return the equity by the time at which it was known."""
    return score.equity.set_axis(score.market.index + pd.Timedelta(score.market.interval_ns, unit="ns"))


def _zone_boxes(zones: DrawnZones, market: MarketFrame) -> go.Scatter:
    """Return frames that begin when a zone was known and end when price reaches it, at the latest when the next map is looked at."""
    x: list[Any] = []
    y: list[Any] = []
    for i in range(len(zones.found)):
        low, high, known = float(zones.found.low[i]), float(zones.found.high[i]), int(zones.found.timestamp[i])
        first, last = np.searchsorted(market.timestamp, (known, zones.until[i]))
        reached = (market.low[first:last] <= high) & (market.high[first:last] >= low)
        end = int(market.timestamp[first + int(reached.argmax())]) + market.interval_ns if reached.any() else int(zones.until[i])
        left, right = (str(np.datetime64(v, "ns").astype("datetime64[s]")) for v in (known, end))
        x += [left, right, right, left, left, None]
        y += [low, low, high, high, low, None]
    return go.Scatter(x=x, y=y, mode="lines", name="hot zones", line={"color": "rgba(214,208,232,0.95)", "width": 1}, hoverinfo="skip")


def _trade_marks(score: Score) -> tuple[go.Scatter, go.Scatter]:
    trades = score.trades
    closed = trades[trades["exit_time"].notna()]
    long = (trades["side"] == "long").to_numpy()
    won = (closed["pnl"] > 0).to_numpy()
    entries = go.Scatter(
        x=_stamps(trades["entry_time"]), y=trades["entry_price"], mode="markers", name=f"trades of {score.name}", legendgroup=score.name,
        marker={"symbol": np.where(long, "triangle-up", "triangle-down"), "size": 8, "color": "#ffffff", "line": _EDGE},
        customdata=np.column_stack([trades["side"], trades["reason"], trades["pnl"]]),
        hovertemplate="%{customdata[0]} entry %{y:.6g}<br>%{x|%Y-%m-%d %H:%M}<br>ends by %{customdata[1]}, %{customdata[2]:.2f} quote",
        visible=True if len(trades) <= 200 else "legendonly",
    )  # fmt: skip
    exits = go.Scatter(
        x=_stamps(closed["exit_time"]), y=closed["exit_price"], mode="markers", name=f"trades of {score.name}", legendgroup=score.name,
        showlegend=False,
        marker={"symbol": "x", "size": 6, "color": np.where(won, UP, DOWN), "line": _EDGE},
        customdata=np.column_stack([closed["reason"], closed["pnl"]]),
        hovertemplate="exit by %{customdata[0]} at %{y:.6g}<br>%{x|%Y-%m-%d %H:%M}<br>%{customdata[1]:.2f} quote",
        visible=True if len(trades) <= 200 else "legendonly",
    )  # fmt: skip
    return entries, exits


def _stamps(times: pd.Series[Any]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times).tz_localize(None)


def _naive(stamps: IntArray1D) -> pd.DatetimeIndex:
    return to_index(stamps).tz_localize(None)

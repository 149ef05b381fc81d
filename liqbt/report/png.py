"""The heatmap as a PNG: the field's gradient, purple for little and yellow for much, with candles on top."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from liqbt._time import format_ns
from liqbt._typing import LONG, SHORT, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.heatmap import Heatmap
from liqbt.market import MarketFrame
from liqbt.report.candles import Candles, candles, picture_cadence
from liqbt.report.files import write_whole
from liqbt.report.numbers import compact
from liqbt.report.picture import COLOUR_LABEL, column_edges, full_colour, log_ticks, notional_picture, visible, wants_log_axis
from liqbt.zones import Zones

__all__ = ["DOWN", "INK", "PAPER", "UP", "days", "draw_candles", "write_heatmap_png"]

INK: Final = "#e8e6f0"
PAPER: Final = "#14091f"
UP: Final = "#4fd1a5"
DOWN: Final = "#ff6b6b"
_CELLS: Final = (1600, 700)
_CANDLES: Final = 400


def write_heatmap_png(path: str | Path, heat: Heatmap, market: MarketFrame, *, zones: Zones | None = None, dpi: int = 110) -> Path:
    """Draw `heat` under the candles of `market`, its last snapshot as a profile at the side, and write a PNG.

    zones: those of the last snapshot are shaded in the profile, with their share of the side's heat within reach. Returns the path written.
    """
    shown = visible(heat, market)
    small = shown.downsample(*_CELLS)
    figure = Figure(figsize=(16, 8.5), facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes, side = figure.subplots(1, 2, width_ratios=(12, 1.6), sharey=True, gridspec_kw={"wspace": 0.015})
    picture = notional_picture(small)
    times = days(column_edges(small, market))
    mesh = axes.pcolormesh(times, small.price_edges, picture, cmap="viridis", vmin=0.0, vmax=full_colour(picture), rasterized=True)
    draw_candles(axes, candles(market, picture_cadence(market, _CANDLES)))
    _draw_profile(side, shown)
    if zones is not None:
        _draw_zones(side, zones, int(heat.timestamp[-1]))
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(small.price_edges[0], small.price_edges[-1])
    if wants_log_axis(small.price_edges):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(FixedLocator(log_ticks(small.price_edges[0], small.price_edges[-1])))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    locator = mdates.AutoDateLocator(minticks=5, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    bar = figure.colorbar(mesh, ax=[axes, side], pad=0.01, fraction=0.02, format=FuncFormatter(lambda x, _: compact(x)))
    bar.set_label(f"{COLOUR_LABEL}, quote per price bin", color=INK)
    for one in (axes, side, bar.ax):
        one.tick_params(colors=INK, labelsize=9)
        one.set_facecolor(PAPER)
        for spine in one.spines.values():
            spine.set_visible(False)
    axes.set_title(_title(heat, market), color=INK, loc="left", fontsize=13, pad=22)
    axes.text(0, 1.012, _subtitle(heat, small), transform=axes.transAxes, color=INK, alpha=0.75, fontsize=9)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=dpi, facecolor=PAPER, bbox_inches="tight", metadata={"Software": None})
    return write_whole(path, image.getvalue())


def _title(heat: Heatmap, market: MarketFrame) -> str:
    prefix = "SYNTHETIC  " if heat.synthetic else ""
    start, end = market.span
    return f"{prefix}{market.venue} {market.symbol} {market.interval}   where positions would be liquidated, {start} to {end} UTC"


def _subtitle(heat: Heatmap, small: Heatmap) -> str:
    parts = ["a reconstruction from assumed leverage, not a measurement"]
    if np.isfinite(heat.explained_share).any():
        parts.append(f"entries seen for {np.nanmean(heat.explained_share):.0%} of open interest on average")
    if heat.open_interest_source != "recorded":
        parts.append("open interest ASSUMED from volume: sizes are a guess")
    if small.timestamp.size < heat.timestamp.size:
        parts.append("each column is the hottest of the maps that it covers")
    return "   ".join(parts)


def days(stamps: IntArray1D) -> Float64Array1D:
    """Return UTC nanoseconds as matplotlib counts time."""
    return np.asarray(mdates.date2num(stamps.astype("datetime64[ns]")), dtype=np.float64)  # type: ignore[no-untyped-call]


def draw_candles(axes: Axes, bars: Candles) -> None:
    """Draw candles on axes whose times are `days`."""
    middle = days(bars.start + bars.step // 2)
    width = (middle[-1] - middle[0]) / max(1, middle.size - 1) if middle.size > 1 else 1.0
    colours = np.where(bars.close >= bars.open, UP, DOWN)
    points = 72 * 13 / max(1.0, middle.size)
    for low, high, thickness in ((bars.low, bars.high, 0.16), (np.minimum(bars.open, bars.close), np.maximum(bars.open, bars.close), 0.72)):
        lines = np.stack([np.column_stack([middle, low]), np.column_stack([middle, high])], axis=1)
        axes.add_collection(LineCollection(list(lines), colors=list(colours), linewidths=max(0.5, thickness * points), capstyle="butt"))
    axes.set_xlim(middle[0] - width, middle[-1] + width)


def _draw_profile(axes: Axes, heat: Heatmap) -> None:
    last: Float64Array2D = heat.notional()[-1]
    for side, colour in ((LONG, DOWN), (SHORT, UP)):
        axes.fill_betweenx(heat.price, last[side], color=colour, alpha=0.8, linewidth=0, label=("longs", "shorts")[side])
    axes.axhline(float(heat.close[-1]), color=INK, linewidth=0.8, linestyle="--")
    axes.set_xlabel(f"as of {format_ns(heat.timestamp[-1])[5:16]}", color=INK, fontsize=9)
    axes.tick_params(labelleft=False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: compact(x)))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3, prune="lower"))
    axes.legend(loc="upper right", fontsize=8, frameon=False, labelcolor=INK)


def _draw_zones(axes: Axes, zones: Zones, known: int) -> None:
    right = axes.get_xlim()[1]
    for row in np.flatnonzero(zones.timestamp == known):
        axes.axhspan(float(zones.low[row]), float(zones.high[row]), color=INK, alpha=0.16, linewidth=0)
        axes.text(right, float(zones.peak[row]), f"{zones.share[row]:.0%} ", color=INK, fontsize=8, va="center", ha="right")

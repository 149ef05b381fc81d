"""Maps other than the heatmap as PNG: the liquidation map of one instant, the probability map, and the depth-adjusted map."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from liqbt._time import format_ns
from liqbt._typing import LONG, SHORT, SIDES
from liqbt.heatmap import DepthAdjustedMap, LiquidationMap, ProbabilityMap
from liqbt.heatmap.axes import MapAxes
from liqbt.heatmap.pictures import GROUP_COLOURS, RATIO_COLOURS, RATIO_RANGE, bars_of, coarse, columns, curve, log_ratio
from liqbt.market import MarketFrame
from liqbt.report.candles import candles, picture_cadence
from liqbt.report.files import write_whole
from liqbt.report.numbers import compact
from liqbt.report.png import DOWN, INK, PAPER, UP, days, draw_candles

__all__ = ["write_depth_png", "write_liquidation_map_png", "write_probability_png"]

_CELLS: Final = (1600, 700)
_CANDLES: Final = 400
_CURVES: Final = (DOWN, UP)
_NOT_MEASURED: Final = "a reconstruction from assumed leverage, not a measurement"


def write_liquidation_map_png(path: str | Path, levels: LiquidationMap, *, reach: float = 0.15, dpi: int = 110) -> Path:
    """Draw bars by price, stacked by group of leverage, and the cumulative curves both ways from the last price; return the path.

    reach: how far from the last price, as a fraction of it. The hottest price of each side is marked.
    """
    figure, axes = _sheet()
    bars = bars_of(levels, reach)
    notional, width = bars.notional().sum(axis=0), np.diff(bars.price_edges)
    bottom = np.zeros(width.size)
    for at, group in enumerate(bars.groups):
        colour = GROUP_COLOURS[at % len(GROUP_COLOURS)]
        axes.bar(bars.price_edges[:-1], notional[at], width, bottom=bottom, align="edge", color=colour, linewidth=0, label=group)
        bottom += notional[at]
    near = levels.between(levels.close * (1 - reach), levels.close * (1 + reach))
    below, right = axes.twinx(), axes.twinx()
    for side in (LONG, SHORT):
        price, total = curve(near, side)
        right.plot(price, total, color=_CURVES[side], linewidth=2.2, label=f"cumulative {SIDES[side]} liquidations")
        below.fill_between(price, total, color=_CURVES[side], alpha=0.13, linewidth=0)
        pain = bars.max_pain(SIDES[side], reach=reach)  # of the bars, so that it is the highest one that is seen
        if pain is not None:
            height = float(bottom[np.searchsorted(bars.price_edges, pain.price) - 1])
            told = f"{SIDES[side]} max pain {pain.price:.5g}"
            right.annotate(
                told, (pain.price, height), xycoords=axes.transData, xytext=(0, 12), textcoords="offset points", ha="center",
                color=INK, fontsize=9, bbox={"boxstyle": "round,pad=0.25", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.75},
            )  # fmt: skip
    axes.axvline(levels.close, color=INK, linestyle="--", linewidth=1)
    axes.annotate(
        f"last price {levels.close:g}", (levels.close, 0.985), xycoords=("data", "axes fraction"),
        xytext=(6, 0), textcoords="offset points", color=INK, fontsize=9, va="top",
    )  # fmt: skip
    axes.set_xlim(near.price_edges[0], near.price_edges[-1])
    axes.set_ylim(0, 1.15 * max(float(bottom.max(initial=0.0)), 1e-12))
    right.set_ylim(bottom=0)
    below.set_ylim(right.get_ylim())
    below.set_axis_off()
    below.set_zorder(0)  # shades lie under the bars, curves over them
    axes.set_zorder(1)
    right.set_zorder(2)
    axes.patch.set_visible(False)
    axes.set_ylabel("quote per bar", color=INK)
    right.set_ylabel("cumulative from the last price, quote", color=INK)
    for one in (axes, right):
        one.yaxis.set_major_formatter(FuncFormatter(lambda x, _: compact(x)))
    (bar_handles, bar_labels), (curve_handles, curve_labels) = axes.get_legend_handles_labels(), right.get_legend_handles_labels()
    right.legend(
        bar_handles + curve_handles, bar_labels + curve_labels, loc="upper center", bbox_to_anchor=(0.5, -0.05), ncols=8, frameon=False,
        labelcolor=INK, fontsize=9,
    )  # fmt: skip
    title = f"{_name(levels.symbol, synthetic=levels.synthetic)}   liquidation map, known at {format_ns(levels.timestamp)} UTC"
    subtitle = f"{_NOT_MEASURED}   entries seen for {levels.explained_share:.0%} of open interest"
    return _finish(path, figure, axes, (axes, right), title, subtitle, dpi)


def write_probability_png(path: str | Path, chance: ProbabilityMap, market: MarketFrame, *, dpi: int = 110) -> Path:
    """Draw in which share of the leverage mixes zones are great, under the candles of `market`, and return the path."""
    figure, axes = _sheet()
    small, shown = coarse(chance, chance.probability, _CELLS, chance.size.reach)
    mesh = axes.pcolormesh(days(columns(small)), small.price_edges, shown, cmap="viridis", vmin=0.0, vmax=1.0, rasterized=True)
    bar = figure.colorbar(mesh, ax=axes, pad=0.01, fraction=0.02, format=FuncFormatter(lambda x, _: f"{x:.0%}"))
    bar.set_label("share of leverage mixes", color=INK)
    title = f"{_name(chance.symbol, synthetic=chance.synthetic)}   how sure is the map? zones of {chance.size}"
    subtitle = f"share of {chance.n_mixes:,} leverage mixes that have such a zone there   it knows nothing of what all mixes have in common"
    return _under_candles(path, figure, axes, bar.ax, small, market, title, subtitle, dpi)


def write_depth_png(path: str | Path, adjusted: DepthAdjustedMap, market: MarketFrame, *, reach: float = 0.12, dpi: int = 110) -> Path:
    """Draw liquidations over resting depth on the way to each price, under the candles of `market`, and return the path.

    reach: how far beyond the last prices, as a fraction of them. Dotted lines tell how far depth was recorded.
    """
    figure, axes = _sheet()
    colours = LinearSegmentedColormap.from_list("ratio", list(RATIO_COLOURS))
    small, shown = coarse(adjusted, log_ratio(adjusted.ratio), _CELLS, reach)
    times = days(columns(small))
    mesh = axes.pcolormesh(times, small.price_edges, shown, cmap=colours, vmin=RATIO_RANGE[0], vmax=RATIO_RANGE[1], rasterized=True)
    for side, sign in ((LONG, -1), (SHORT, 1)):
        deepest = adjusted.close * (1 + sign * adjusted.deepest[:, side])
        axes.plot(days(adjusted.timestamp), deepest, color=INK, linewidth=0.7, linestyle=":", alpha=0.8)
    ticks = np.arange(RATIO_RANGE[0], RATIO_RANGE[1] + 1)
    bar = figure.colorbar(mesh, ax=axes, pad=0.01, fraction=0.02, ticks=list(ticks), format=FuncFormatter(lambda x, _: f"{10.0**x:g}"))
    bar.set_label("liquidations over resting depth on the way", color=INK)
    title = (
        f"{_name(adjusted.symbol, synthetic=adjusted.synthetic)}   where would a cascade feed itself? warm: liquidations outweigh the book"
    )
    subtitle = f"the book that rests now is not the one that a cascade would meet   {_recorded(adjusted)}"
    return _under_candles(path, figure, axes, bar.ax, small, market, title, subtitle, dpi)


def _recorded(adjusted: DepthAdjustedMap) -> str:
    """Return how far depth was recorded, for a reader who must know what is a guess."""
    known = adjusted.deepest[np.isfinite(adjusted.deepest)]
    if not known.size:
        return "no depth was recorded at these times"
    beyond = np.isfinite(adjusted.depth[:, LONG, 0]).any() or np.isfinite(adjusted.depth[:, SHORT, -1]).any()
    share = np.isfinite(adjusted.deepest).all(axis=1).mean()
    told = f"dotted: depth is recorded up to {np.median(known):.2%} from price, in {share:.0%} of the maps"
    return told + ("; what lies beyond is EXTRAPOLATED" if beyond else "")


def _under_candles(
    path: str | Path, figure: Figure, axes: Axes, bar: Axes, small: MapAxes, market: MarketFrame, title: str, subtitle: str, dpi: int
) -> Path:
    draw_candles(axes, candles(market, picture_cadence(market, _CANDLES)))
    times = days(columns(small))
    axes.set_xlim(times[0], times[-1])
    axes.set_ylim(small.price_edges[0], small.price_edges[-1])
    locator = mdates.AutoDateLocator(minticks=5, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    return _finish(path, figure, axes, (axes, bar), title, subtitle, dpi)


def _sheet() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(16, 8.5), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure, figure.subplots()


def _finish(path: str | Path, figure: Figure, axes: Axes, dressed: tuple[Axes, ...], title: str, subtitle: str, dpi: int) -> Path:
    for one in dressed:
        one.tick_params(colors=INK, labelsize=9)
        one.set_facecolor(PAPER)
        for spine in one.spines.values():
            spine.set_visible(False)
    axes.set_title(title, color=INK, loc="left", fontsize=13, pad=22)
    axes.text(0, 1.012, subtitle, transform=axes.transAxes, color=INK, alpha=0.75, fontsize=9)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=dpi, facecolor=PAPER, bbox_inches="tight", metadata={"Software": None})
    return write_whole(path, image.getvalue())


def _name(symbol: str, *, synthetic: bool) -> str:
    return f"SYNTHETIC  {symbol}" if synthetic else symbol

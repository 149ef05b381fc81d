"""A fidelity study as PNG: agreement by case, reliability of the probability map, bars against trades, and a map beside the truth."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from liqbt._time import parse_interval
from liqbt.fidelity import FidelityStudy, TrueAndReconstructed
from liqbt.heatmap import Heatmap
from liqbt.report.candles import candles, picture_cadence
from liqbt.report.files import write_whole
from liqbt.report.picture import full_colour, notional_picture, visible
from liqbt.report.png import DOWN, INK, PAPER, UP, days, draw_candles

__all__ = ["write_bars_png", "write_cases_png", "write_reliability_png", "write_true_map_png"]

_COLOURS: Final = {"matched": UP, "yardstick": "#9a97ad", "market": DOWN, "model": "#8fa2ff", "bars": "#f2c14e", "width": "#3fb6c6"}
_PANELS: Final = (
    ("rank_correlation", "rank correlation", 0.95),
    ("precision", "precision of the hottest 5 %", 0.8),
    ("earth_mover_bps", "earth mover's distance, bps", None),
)
_CHANCE_COLOURS: Final = {"share": UP, "times_median": "#8fa2ff", "notional": DOWN}
_CHANCE_NAMES: Final = {"share": "share of the side", "times_median": "times the median zone", "notional": "notional, quote"}
_BAND: Final = 0.05
_SEEN: Final = 0.9  # share of open interest whose entry was seen, at the dashed line of a map
_CELLS: Final = (800, 500)
_CANDLES: Final = 170


def write_cases_png(path: str | Path, study: FidelityStudy, *, dpi: int = 110) -> Path:
    """Draw a row a case with a dot a seed and a bar at their mean, a panel a measure, and return the path."""
    frame, names = study.to_frame(), [one.name for one in study.cases]
    figure = Figure(figsize=(16, 1.6 + 0.29 * len(names)), facecolor=PAPER)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(_PANELS), sharey=True, gridspec_kw={"wspace": 0.04})
    for axes, (measure, title, asked) in zip(panels, _PANELS, strict=True):
        for row, case in enumerate(study.cases):
            values = frame.loc[frame["case"] == case.name, measure].to_numpy()
            colour = _COLOURS[case.group]
            axes.plot(values, np.full(values.size, row), "o", color=colour, markersize=5, alpha=0.6, markeredgewidth=0)
            axes.plot([values.mean()] * 2, [row - 0.32, row + 0.32], color=colour, linewidth=2.2)
        if asked is not None:
            axes.axvline(asked, color=INK, linewidth=1, linestyle="--", alpha=0.8)
            axes.set_xlim(min(0.0, float(frame[measure].min())), 1.03)
        else:
            axes.set_xlim(left=0)
        axes.set_title(title, color=INK, fontsize=11, pad=8)
        axes.grid(axis="x", color=INK, alpha=0.12, linewidth=0.8)
        for row, (one, other) in enumerate(zip(study.cases, study.cases[1:], strict=False)):
            if one.group != other.group:
                axes.axhline(row + 0.5, color=INK, alpha=0.25, linewidth=0.8)
        _dress(axes)
    panels[0].set_yticks(range(len(names)), names)
    panels[0].set_ylim(len(names) - 0.4, -0.6)
    told = f"mean over hourly maps and both sides, a dot for each of {len(study.seeds)} seeds, a bar at their mean; dashed: what was asked"
    _head(figure, panels[0], "SYNTHETIC   how well reconstructed maps agree with the true ones", told + " of the matched case")
    return _write(path, figure, dpi)


def write_reliability_png(path: str | Path, study: FidelityStudy, *, case: str = "matched", dpi: int = 110) -> Path:
    """Draw what the probability map said against what was, by measure of size, and how often it said it; return the path."""
    figure = Figure(figsize=(9, 9), facecolor=PAPER)
    FigureCanvasAgg(figure)
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(5, 1.3), gridspec_kw={"hspace": 0.06})
    diagonal = np.array([0.0, 1.0])
    axes.fill_between(diagonal, diagonal - _BAND, diagonal + _BAND, color=INK, alpha=0.12, linewidth=0, label=f"within {_BAND:g}")
    axes.plot(diagonal, diagonal, color=INK, linewidth=1, linestyle="--", alpha=0.8)
    curves = [one for one in study.chances if one.case == case]
    for place, one in enumerate(curves):
        curve, colour = one.curve, _CHANCE_COLOURS[one.measure]
        name = f"{_CHANCE_NAMES[one.measure]}: off by {curve.error:.3f} in the mean, {curve.worst:.3f} at worst"
        axes.errorbar(
            curve.predicted, curve.observed, yerr=one.noise, color=colour, marker="o", markersize=5, linewidth=1.8, elinewidth=1, label=name
        )
        width = 0.1 / (len(curves) + 1)
        tenth = np.minimum((curve.predicted * 10).astype(int), 9) / 10 + 0.05 + (place - (len(curves) - 1) / 2) * width
        below.bar(tenth, curve.count / curve.count.sum(), width, color=colour)
    below.set_yscale("log")
    below.yaxis.set_minor_formatter(NullFormatter())
    below.set_xlabel("share of leverage mixes in which the zone is great", color=INK)
    below.set_ylabel("share of zones", color=INK)
    axes.set_ylabel("share of these zones that truly were", color=INK)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.legend(loc="upper left", frameon=False, labelcolor=INK, fontsize=9)
    for one_axes in (axes, below):
        one_axes.grid(color=INK, alpha=0.12, linewidth=0.8)
        _dress(one_axes)
    markets = max((one.markets for one in curves), default=0)
    told = f"case {case}, {markets} markets with a leverage mix drawn for each; bars: standard error over markets"
    _head(figure, axes, "SYNTHETIC   is the probability map calibrated?", told)
    return _write(path, figure, dpi)


def write_bars_png(path: str | Path, study: FidelityStudy, *, dpi: int = 110) -> Path:
    """Draw agreement by length of bar, with trades and without, a panel a measure, and return the path."""
    frame = study.summary()
    figure = Figure(figsize=(15, 5), facecolor=PAPER)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(_PANELS), gridspec_kw={"wspace": 0.22})
    cases = [one for one in study.cases if one.group in ("matched", "bars")]
    lengths = sorted({one.interval for one in cases}, key=parse_interval)
    for axes, (measure, title, asked) in zip(panels, _PANELS, strict=True):
        for trades, name, colour in ((True, "with trades", UP), (False, "bars only", "#f2c14e")):
            rows = sorted((one for one in cases if one.trades == trades), key=lambda one: parse_interval(one.interval))
            values = frame.loc[[one.name for one in rows]]
            at = [lengths.index(one.interval) for one in rows]
            axes.fill_between(at, values[f"{measure}_min"], values[f"{measure}_max"], color=colour, alpha=0.16, linewidth=0)
            axes.plot(at, values[measure], "o-", color=colour, linewidth=2, label=name)
        if asked is not None:
            axes.axhline(asked, color=INK, linewidth=1, linestyle="--", alpha=0.8)
        axes.set_xticks(range(len(lengths)), lengths)
        axes.set_title(title, color=INK, fontsize=11, pad=8)
        axes.grid(color=INK, alpha=0.12, linewidth=0.8)
        _dress(axes)
    panels[0].legend(loc="lower left", frameon=False, labelcolor=INK, fontsize=9)
    told = "the matched market at each length of bar; shaded: least to greatest of the seeds; dashed: what was asked of the matched case"
    _head(figure, panels[0], "SYNTHETIC   what is lost where bars are all there is", told)
    return _write(path, figure, dpi)


def write_true_map_png(path: str | Path, example: TrueAndReconstructed, *, dpi: int = 110) -> Path:
    """Draw the reconstructed and the true map of one market side by side, under its candles, and return the path.

    Each is coloured to its own scale, for a map compares places, not amounts.
    """
    figure = Figure(figsize=(18, 8), facecolor=PAPER)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharex=True, sharey=True, gridspec_kw={"wspace": 0.02})
    bars = candles(example.market, picture_cadence(example.market, _CANDLES))
    for axes, heat, name in zip(panels, (example.reconstructed, example.true), ("reconstructed", "true"), strict=True):
        shown: Heatmap = visible(heat, example.market).downsample(*_CELLS)
        picture = notional_picture(shown)
        stamps = np.append(shown.timestamp, shown.timestamp[-1] + np.median(np.diff(shown.timestamp)).astype(np.int64))
        times = days(stamps)
        axes.pcolormesh(times, shown.price_edges, picture, cmap="viridis", vmin=0.0, vmax=full_colour(picture), rasterized=True)
        draw_candles(axes, bars)
        axes.set_xlim(times[0], times[-1])
        axes.set_ylim(shown.price_edges[0], shown.price_edges[-1])
        locator = mdates.AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        seen = np.flatnonzero(example.reconstructed.explained_share >= _SEEN)
        if seen.size:
            axes.axvline(days(heat.timestamp[seen[:1]])[0], color=INK, linewidth=1, linestyle="--", alpha=0.8)
        axes.text(0.01, 0.985, name, transform=axes.transAxes, color=INK, fontsize=13, va="top", fontweight="bold")
        _dress(axes)
    told = f"case {example.case.name}: {example.case.differs}; seed {example.market.seed}; each to its own colour scale"
    told += f"; dashed: entries of {_SEEN:.0%} of open interest seen"
    _head(figure, panels[0], "SYNTHETIC   where positions would be liquidated: the map that was reconstructed, and the true one", told)
    return _write(path, figure, dpi)


def _head(figure: Figure, first: Axes, title: str, told: str) -> None:
    left = first.get_position().x0
    top = first.get_position().y1
    inch = 1 / float(figure.get_figheight())
    figure.text(left, top + 0.75 * inch, title, color=INK, fontsize=13)
    figure.text(left, top + 0.48 * inch, told, color=INK, alpha=0.75, fontsize=9)


def _dress(axes: Axes) -> None:
    axes.tick_params(colors=INK, labelsize=9, length=0)
    axes.set_facecolor(PAPER)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _write(path: str | Path, figure: Figure, dpi: int) -> Path:
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=dpi, facecolor=PAPER, bbox_inches="tight", metadata={"Software": None})
    return write_whole(path, image.getvalue())

"""What a store holds over time, as a PNG: a row for each table, purple where nothing was recorded and yellow where all was."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.data.quality import Finding, QualityReport, SymbolQuality
from liqbt.data.quality.coverage import HOUR_NS, Coverage
from liqbt.data.quality.finding import SEVERITIES, Severity
from liqbt.errors import ConfigError
from liqbt.report.files import write_whole

__all__ = ["write_coverage_png"]

_INK, _PAPER = "#e8e6f0", "#14091f"
_COLOURS: Final[dict[Severity, str]] = {"error": "#ff5c5c", "warning": "#ff9f40", "note": "#8fa8ff"}
_SHARE: Final = Normalize(0.0, 1.0)
_MOST_ROWS: Final = 200  # more would be a picture that no viewer opens
_MOST_NAMED: Final = 4
_INCHES: Final = 0.36  # a row
_HALF: Final = 0.3  # of a row's height, taken by its cells
_DPI: Final = 110


def write_coverage_png(path: str | Path, report: QualityReport) -> Path:
    """Draw how much of each day, or hour, every table of a checked store was recorded, mark the findings, and write a PNG.

    Rows are the tables of each symbol. What a finding concerns is underlined from its first place to its last in the colour of
    its severity, and named at the right. Of more than 200 tables the first are shown. Returns the path written.
    Raises ConfigError where the report has no table, or the place cannot be written.
    """
    rows = [(some, one) for some in report.symbols for one in some.coverage]
    if not rows:
        raise ConfigError("report: has no table to draw; check a store that holds some")
    shown = rows[:_MOST_ROWS]
    groups = len({id(some) for some, _ in shown})
    figure = Figure(figsize=(16, 1.5 + _INCHES * (len(shown) + groups)), facecolor=_PAPER)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ticks: list[int] = []
    place, last = 0, None
    for some, one in shown:
        if some is not last:
            _draw_heading(axes, some, place)
            place, last = place + 1, some
        _draw_table(axes, one, [finding for finding in some.findings if finding.table == one.table], place)
        ticks.append(place)
        place += 1
    axes.set_yticks(ticks, [one.table for _, one in shown])
    axes.set_ylim(place - 0.4, -0.6)
    edges = _days(np.array([[one.start, one.start + one.share.size * one.step_ns] for _, one in shown]))
    axes.set_xlim(edges.min(), edges.max())
    locator = mdates.AutoDateLocator(minticks=5, maxticks=12)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.grid(axis="x", color=_INK, alpha=0.12, linewidth=0.6)
    axes.set_axisbelow(True)
    _draw_legend(figure, axes, shown[0][1].step_ns, height=1.5 + _INCHES * (len(shown) + groups))
    axes.set_title(_title(report, len(shown), len(rows)), color=_INK, loc="left", fontsize=13, pad=12)
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=_DPI, facecolor=_PAPER, bbox_inches="tight", metadata={"Software": None})
    return write_whole(path, image.getvalue())


def _draw_heading(axes: Axes, some: SymbolQuality, place: int) -> None:
    across = axes.get_yaxis_transform()
    axes.text(0, place + _HALF, f"{some.venue} {some.symbol}", transform=across, color=_INK, fontsize=11, fontweight="bold")
    _name(axes, [finding for finding in some.findings if not finding.table], place)


def _draw_table(axes: Axes, one: Coverage, findings: Sequence[Finding], place: int) -> None:
    edges = _days(one.start + one.step_ns * np.arange(one.share.size + 1))
    axes.pcolormesh(edges, [place - _HALF, place + _HALF], one.share[np.newaxis], cmap="viridis", norm=_SHARE, rasterized=True)
    level = dict(zip(SEVERITIES, (0.46, 0.41, 0.36), strict=True))
    for finding in findings:
        if finding.first is not None and finding.last is not None:
            span = _days(np.array([finding.first, finding.last]))
            colour, below = _COLOURS[finding.severity], place + level[finding.severity]
            axes.plot(span, [below, below], color=colour, linewidth=2, solid_capstyle="projecting", clip_on=False)
            axes.plot(span[:1], [below], color=colour, marker="^", markersize=4.5, clip_on=False)
    _name(axes, findings, place)


def _name(axes: Axes, findings: Sequence[Finding], place: int) -> None:
    """Write the codes of findings at the right of a row, the gravest first."""
    across = axes.get_yaxis_transform()
    names = [(f"{one.code.replace('_', ' ')} {one.count:,}", _COLOURS[one.severity]) for one in findings[:_MOST_NAMED]]
    if len(findings) > _MOST_NAMED:
        names.append((f"and {len(findings) - _MOST_NAMED} more", _INK))
    at = 1.008
    for name, colour in names:
        axes.text(at, place, name, transform=across, color=colour, fontsize=8.5, va="center")
        at += 0.012 + 0.0056 * len(name)


def _draw_legend(figure: Figure, axes: Axes, step_ns: int, *, height: float) -> None:
    bar = figure.colorbar(
        ScalarMappable(_SHARE, "viridis"), ax=axes, orientation="horizontal", location="bottom", pad=0.55 / height, shrink=0.35,
        anchor=(0.0, 1.0), aspect=40, format=PercentFormatter(1.0),
    )  # fmt: skip
    bar.set_label(f"share of each {'hour' if step_ns == HOUR_NS else 'day'} that was recorded", color=_INK, fontsize=9)
    for part in (axes, bar.ax):
        part.tick_params(colors=_INK, labelsize=9, length=0)
        part.set_facecolor(_PAPER)
        for spine in part.spines.values():
            spine.set_visible(False)


def _title(report: QualityReport, shown: int, tables: int) -> str:
    counts = [f"{count} {severity}{'s' if count > 1 else ''}" for severity, count in reversed(report.counts.items()) if count]
    some = f"{shown} of {tables} tables" if shown < tables else f"{tables} table{'s' if tables > 1 else ''}"
    return f"What was recorded, and what is wrong with it: {some}, {', '.join(counts) or 'nothing found'}"


def _days(stamps: IntArray1D) -> Float64Array1D:
    return np.asarray(mdates.date2num(stamps.astype("datetime64[ns]")), dtype=np.float64)  # type: ignore[no-untyped-call]

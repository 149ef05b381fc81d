"""The picture of what was recorded."""

from __future__ import annotations

import matplotlib.image
import numpy as np
import pytest

from liqbt.data.quality import Finding, QualityReport, SymbolQuality
from liqbt.data.quality.coverage import Coverage
from liqbt.errors import ConfigError
from liqbt.report.coverage import write_coverage_png

DAY = 86_400_000_000_000
START = int(np.datetime64("2026-01-01", "ns").astype(np.int64))
YELLOW, PURPLE = (0.99, 0.91, 0.14), (0.27, 0.0, 0.33)  # the ends of viridis
ORANGE = (1.0, 0.62, 0.25)


def report(share, findings=(), tables=1):
    parts = tuple(Coverage(table=f"bars {n + 1}m", start=START, step_ns=DAY, share=np.asarray(share, dtype=float)) for n in range(tables))
    return QualityReport(symbols=(SymbolQuality(venue="binance", symbol="AUSDT", findings=tuple(findings), coverage=parts),))


def share_of(picture, colour):
    return float((np.abs(picture[..., :3] - np.array(colour)).max(axis=-1) < 0.03).mean())


def draw(tmp_path, *args, **options):
    path = write_coverage_png(tmp_path / "coverage.png", report(*args, **options))
    return matplotlib.image.imread(path)


def test_recorded_days_are_yellow_and_missing_ones_purple(tmp_path):
    full, half, none = (draw(tmp_path, share) for share in (np.ones(100), np.arange(100) < 50, np.zeros(100)))
    assert full.shape == half.shape == none.shape
    key = share_of(none, YELLOW)  # what the scale itself has of it
    yellow = [share_of(one, YELLOW) - key for one in (full, half)]
    assert yellow[0] > 0.05
    assert yellow[1] == pytest.approx(yellow[0] / 2, rel=0.05)
    assert share_of(full, PURPLE) < 0.1 * share_of(none, PURPLE)


def test_findings_are_marked_where_they_are(tmp_path):
    clean = draw(tmp_path, np.ones(100))
    span = {"first": START + 25 * DAY, "last": START + 50 * DAY}
    gap = Finding(code="gap", severity="warning", count=7, message="", table="bars 1m", **span)
    elsewhere = Finding(code="gap", severity="warning", count=7, message="", table="mark 1m", **span)
    marked = draw(tmp_path, np.ones(100), [gap])
    assert share_of(clean, ORANGE) == 0
    assert share_of(marked, ORANGE) > 0
    assert share_of(draw(tmp_path, np.ones(100), [elsewhere]), ORANGE) == 0  # it has no row
    row = np.abs(marked[..., :3] - np.array(ORANGE)).max(axis=-1) < 0.03
    columns = np.flatnonzero(row.sum(axis=0))
    bars = np.flatnonzero((np.abs(clean[..., :3] - np.array(YELLOW)).max(axis=-1) < 0.03).sum(axis=0) > 15)
    left, width = bars.min(), np.ptp(bars)
    inside = columns[columns <= bars.max()]
    assert (inside.min() - left) / width == pytest.approx(0.25, abs=0.02)
    assert (inside.max() - left) / width == pytest.approx(0.5, abs=0.02)
    assert columns.max() > bars.max()  # its name at the right


def test_findings_without_a_table_and_many_of_them(tmp_path):
    notes = [Finding(code=f"note_{n}", severity="note", count=n, message="") for n in range(7)]
    assert draw(tmp_path, np.ones(3), notes).shape[1] > draw(tmp_path, np.ones(3)).shape[1]


def test_a_row_for_each_table_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("liqbt.report.coverage._MOST_ROWS", 20)
    heights = [draw(tmp_path, np.ones(5), tables=count).shape[0] for count in (1, 11, 20, 30)]
    assert heights[1] > heights[0] + 200
    assert heights[3] == pytest.approx(heights[2], abs=3)


def test_an_empty_report_has_no_picture(tmp_path):
    with pytest.raises(ConfigError, match="report: has no table to draw"):
        write_coverage_png(tmp_path / "x.png", QualityReport(symbols=()))

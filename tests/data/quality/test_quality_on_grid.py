"""Findings: what a reader of results is told about the data behind them."""

from __future__ import annotations

import numpy as np

from liqbt.data.quality import check_bars, check_open_interest

HOUR = 3_600_000_000_000
STAMPS = np.datetime64("2024-01-01", "ns").astype(np.int64) + HOUR * np.arange(5)


def test_a_clean_recording_has_no_findings():
    assert check_bars(STAMPS, np.ones(5, bool), np.ones(5)) == ()
    assert check_open_interest(STAMPS, np.ones(5), np.zeros(5, np.int64), HOUR) == ()


def test_missing_and_silent_bars():
    observed = np.array([True, False, False, True, True])
    volume = np.array([1.0, 0.0, 0.0, 1.0, 0.0])
    gap, silent = check_bars(STAMPS, observed, volume)
    assert (gap.code, gap.severity, gap.count) == ("gap", "warning", 2)
    assert "the first at 2024-01-01 01:00:00" in gap.message
    assert (silent.code, silent.severity, silent.count) == ("no_volume", "note", 1)
    assert "the first at 2024-01-01 04:00:00" in silent.message


def test_late_and_stale_open_interest():
    known = np.array([np.nan, 1.0, 1.0, 1.0, 1.0])
    age = HOUR * np.array([0, 0, 1, 2, 3])
    late, stale = check_open_interest(STAMPS, known, age, HOUR)
    assert (late.code, late.severity, late.count) == ("open_interest_starts_late", "note", 1)
    assert (stale.code, stale.severity, stale.count) == ("open_interest_stale", "warning", 1)
    assert "the first at 2024-01-01 04:00:00" in stale.message


def test_an_unknown_value_is_not_stale():
    (late,) = check_open_interest(STAMPS, np.full(5, np.nan), np.full(5, 10 * HOUR), HOUR)
    assert late.count == 5

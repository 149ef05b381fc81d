"""What is wrong with the bars of a market frame, told while its tables are joined."""

from __future__ import annotations

from typing import Final

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.data.quality.finding import Finding, Severity

__all__ = ["check_bars", "check_funding", "check_open_interest"]

_FUNDING_NS: Final = 8 * 3_600_000_000_000  # the usual time between two payments; no venue's is longer


def check_bars(timestamp: IntArray1D, observed: BoolArray1D, volume: Float64Array1D) -> tuple[Finding, ...]:
    """Find missing bars and bars without volume; all arrays have shape (n_bars,), `timestamp` in UTC nanoseconds."""
    found = []
    missing = ~observed
    if missing.any():
        message = (
            f"{missing.sum()} bars are missing, the first at {_first(timestamp, missing)}; price is held and nothing is filled in them"
        )
        found.append(_finding("gap", "bars", timestamp[missing], message))
    silent = observed & (volume == 0.0)
    if silent.any():
        message = f"{silent.sum()} recorded bars have no volume, the first at {_first(timestamp, silent)}"
        found.append(_finding("no_volume", "bars", timestamp[silent], message, note=True))
    return tuple(found)


def check_open_interest(timestamp: IntArray1D, open_interest: Float64Array1D, age_ns: IntArray1D, interval_ns: int) -> tuple[Finding, ...]:
    """Find bars before the first open interest and bars whose last open interest is older than two intervals.

    timestamp: shape (n_bars,), UTC nanoseconds. open_interest: shape (n_bars,), NaN where not yet known. age_ns: shape
    (n_bars,), nanoseconds at the bar's close since that value became known. interval_ns: length of a bar.
    """
    found = []
    unknown = np.isnan(open_interest)
    if unknown.any():
        message = f"open interest is not known for the first {unknown.sum()} bars; the map starts after them"
        found.append(_finding("open_interest_starts_late", "open_interest", timestamp[unknown], message, note=True))
    stale = ~unknown & (age_ns > 2 * interval_ns)
    if stale.sum() > open_interest.size / 2:
        message = "open interest was recorded more rarely than every other bar, so that its changes bunch in single bars; use longer bars"
        found.append(_finding("open_interest_coarse", "open_interest", timestamp[stale], message))
    elif stale.any():
        first = _first(timestamp, stale)
        message = f"{stale.sum()} bars use an open interest older than two intervals, the first at {first}; its last value is carried"
        found.append(_finding("open_interest_stale", "open_interest", timestamp[stale], message))
    return tuple(found)


def check_funding(timestamp: IntArray1D, stamps: IntArray1D) -> tuple[Finding, ...]:
    """Find bars for which a funding payment must be missing: none is recorded in the 16 hours up to the bar's open.

    timestamp: shape (n_bars,), bar open. stamps: shape (n_payments,), ascending; both UTC nanoseconds.
    """
    last = np.searchsorted(stamps, timestamp, side="right") - 1
    bare = (last < 0) & (timestamp - timestamp[0] >= _FUNDING_NS) | (last >= 0) & (
        timestamp - stamps[np.maximum(last, 0)] > 2 * _FUNDING_NS
    )
    if not bare.any():
        return ()
    message = f"{bare.sum()} bars lack the funding that must have been due, the first at {_first(timestamp, bare)}; none is charged in them"
    return (_finding("funding_missing", "funding", timestamp[bare], message),)


def _finding(code: str, table: str, stamps: IntArray1D, message: str, *, note: bool = False) -> Finding:
    first, last = int(stamps[0]), int(stamps[-1])
    severity: Severity = "note" if note else "warning"
    return Finding(code=code, severity=severity, count=int(stamps.size), message=message, table=table, first=first, last=last)


def _first(timestamp: IntArray1D, where: BoolArray1D) -> str:
    return format_ns(timestamp[int(where.argmax())])

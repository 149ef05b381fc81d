"""What is wrong with a recording, told to whoever uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D

__all__ = ["Finding", "check_bars", "check_funding", "check_open_interest"]

_FUNDING_NS: Final = 8 * 3_600_000_000_000  # the usual time between two payments; no venue's is longer


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a reader of results must know about the data behind them.

    code: short name, such as `gap`. severity: `note` changes how to read results, `warning` may change the results.
    count: bars concerned. message: a sentence with the first place and what liqbt does about it.
    """

    code: str
    severity: Literal["note", "warning"]
    count: int
    message: str


def check_bars(timestamp: IntArray1D, observed: BoolArray1D, volume: Float64Array1D) -> tuple[Finding, ...]:
    """Find missing bars and bars without volume; all arrays have shape (n_bars,), `timestamp` in UTC nanoseconds."""
    found = []
    missing = ~observed
    if missing.any():
        count = int(missing.sum())
        message = f"{count} bars are missing, the first at {_first(timestamp, missing)}; price is held and nothing is filled in them"
        found.append(Finding(code="gap", severity="warning", count=count, message=message))
    silent = observed & (volume == 0.0)
    if silent.any():
        count = int(silent.sum())
        message = f"{count} recorded bars have no volume, the first at {_first(timestamp, silent)}"
        found.append(Finding(code="no_volume", severity="note", count=count, message=message))
    return tuple(found)


def check_open_interest(timestamp: IntArray1D, open_interest: Float64Array1D, age_ns: IntArray1D, interval_ns: int) -> tuple[Finding, ...]:
    """Find bars before the first open interest and bars whose last open interest is older than two intervals.

    timestamp: shape (n_bars,), UTC nanoseconds. open_interest: shape (n_bars,), NaN where not yet known. age_ns: shape
    (n_bars,), nanoseconds at the bar's close since that value became known. interval_ns: length of a bar.
    """
    found = []
    unknown = np.isnan(open_interest)
    if unknown.any():
        count = int(unknown.sum())
        message = f"open interest is not known for the first {count} bars; the map starts after them"
        found.append(Finding(code="open_interest_starts_late", severity="note", count=count, message=message))
    stale = ~unknown & (age_ns > 2 * interval_ns)
    if stale.sum() > open_interest.size / 2:
        count = int(stale.sum())
        message = "open interest was recorded more rarely than every other bar, so that its changes bunch in single bars; use longer bars"
        found.append(Finding(code="open_interest_coarse", severity="warning", count=count, message=message))
    elif stale.any():
        count = int(stale.sum())
        first = _first(timestamp, stale)
        message = f"{count} bars use an open interest older than two intervals, the first at {first}; its last value is carried"
        found.append(Finding(code="open_interest_stale", severity="warning", count=count, message=message))
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
    count = int(bare.sum())
    message = f"{count} bars lack the funding that must have been due, the first at {_first(timestamp, bare)}; none is charged in them"
    return (Finding(code="funding_missing", severity="warning", count=count, message=message),)


def _first(timestamp: IntArray1D, where: BoolArray1D) -> str:
    return format_ns(timestamp[int(where.argmax())])

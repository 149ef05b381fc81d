"""Funding payments: how often they come, and whether their rates are fractions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._time import format_interval, parse_interval
from liqbt._typing import IntArray1D
from liqbt.data.quality._frames import numbers, stamps_of
from liqbt.data.quality.finding import Finding, tell

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_funding_cadence", "find_funding_units"]

_HOUR_NS: Final = 3_600_000_000_000
_EIGHT_NS: Final = 8 * _HOUR_NS
_NAMED: Final = re.compile(r"-([1-9][0-9]*[smhdw])-funding_rate")  # how freqtrade names its files
_OTHER: Final = 0.05  # share of steps from which on another cadence is told
_CAP: Final = 0.04  # a convention; the largest of 10,000 recorded payments of 3 coins is 0.005
# Venues start from 0.0001 in 8 hours and come back to it; as a percentage that is 0.01, and 0.001 lies in the middle.
_PERCENT: Final = 1e-3
_FEWEST: Final = 10


def find_funding_cadence(stamps: IntArray1D, sources: Iterable[str] = (), *, table: str = "funding") -> list[Finding]:
    """Find a time between payments that the name of the file denies or that changes; gaps are not told here.

    stamps: shape (n_payments,), UTC nanoseconds, ascending. sources: names of the files that the rows came from.
    """
    if stamps.size < 3:
        return []
    hours = np.round(np.diff(stamps) / _HOUR_NS).astype(np.int64)
    lengths, counts = np.unique(hours[hours > 0], return_counts=True)
    if lengths.size == 0:
        return []
    share = counts / counts.sum()
    usual = int(lengths[counts.argmax()])
    often = [int(length) for length in lengths[share >= _OTHER]]
    found = []
    for source in sources:
        named = _NAMED.search(source)
        if named is not None and parse_interval(named[1]) != usual * _HOUR_NS:
            what = f"payments come every {usual} h although {source} is named {format_interval(parse_interval(named[1]))}"
            then = "each is charged at its stamp, whatever the name says"
            found.append(tell("funding_cadence", "note", stamps, what=what, then=then, table=table))
    if len(often) > 1:
        what = f"the time between payments changes ({', '.join(str(length) for length in often)} h)"
        other = stamps[1:][hours != usual]
        found.append(tell("funding_cadence", "note", other, what=what, then="each is charged at its stamp", table=table))
    return found


def find_funding_units(funding: pl.DataFrame, *, table: str = "funding") -> list[Finding]:
    """Find rates that are a percentage or worse: usually above 0.001 in 8 hours, or any above 0.04."""
    rates, stamps = np.abs(numbers(funding, "funding_rate")), stamps_of(funding)
    if rates.size < _FEWEST:
        return []
    step = min(max(float(np.median(np.diff(stamps))), 1.0), _EIGHT_NS)
    usual = float(np.median(rates)) * _EIGHT_NS / step
    if usual > _PERCENT:
        what = f"the usual rate is {usual:.2g} in 8 hours, as if it were a percentage or sampled more often than paid,"
        then = "a rate is a fraction of the position for each payment: 0.0001 is one basis point"
        return [tell("funding_units", "error", stamps, what=what, then=then, table=table, noun="payment")]
    over = rates > _CAP
    if not over.any():
        return []
    what = f"the rate is up to {rates.max():.2g}, above what venues charge at once,"
    return [tell("funding_units", "warning", stamps[over], what=what, then="check these rows", table=table, noun="payment")]

"""One thing that is wrong with a recording, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from liqbt._time import format_ns
from liqbt._typing import IntArray1D

__all__ = ["SEVERITIES", "Finding", "Severity", "duration", "iso", "merged", "tell"]

Severity: TypeAlias = Literal["note", "warning", "error"]
SEVERITIES: Final[tuple[Severity, ...]] = ("note", "warning", "error")
"""From mild to grave."""

_UNITS: Final = (("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("min", 60_000_000_000), ("s", 1_000_000_000))


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a reader of results must know about the data behind them.

    code: short name, such as `gap`. severity: `note` changes how to read results, `warning` may change the results, `error` is
    data that cannot be true, so that results from it are wrong. count: rows concerned. message: one sentence with what, how
    many, the first place and what liqbt does about it or what to do.
    table: canonical table and its interval, such as `bars 5m`. first, last: the first and the last place, UTC nanoseconds; None
    where the finding has no place.
    """

    code: str
    severity: Severity
    count: int
    message: str
    table: str = ""
    first: int | None = None
    last: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields in types that JSON can hold; times as ISO text."""
        return vars(self) | {name: None if at is None else iso(at) for name, at in (("first", self.first), ("last", self.last))}


def tell(code: str, severity: Severity, stamps: IntArray1D, *, what: str, then: str, table: str, noun: str = "row") -> Finding:
    """Return a finding about the rows stamped at `stamps` (shape (n,), UTC nanoseconds, n of at least 1).

    Its message reads `WHAT in N NOUNs, the first at TIME; THEN`.
    """
    first, last = int(stamps.min()), int(stamps.max())
    count = int(stamps.size)
    places = f"{count} {noun}s, the first at {format_ns(first)}" if count > 1 else f"1 {noun}, at {format_ns(first)}"
    return Finding(code=code, severity=severity, count=count, message=f"{what} in {places}; {then}", table=table, first=first, last=last)


def duration(length_ns: int) -> str:
    """Return `21.3 h` for a length in nanoseconds, in the greatest unit of which it has at least two."""
    for name, unit in _UNITS:
        if length_ns >= 2 * unit:
            return f"{length_ns / unit:.3g} {name}"
    return f"{length_ns / _UNITS[-1][1]:.3g} s"


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return one finding for each code and table out of those that pieces of one recording, such as its days, gave."""
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for one in findings:
        alike.setdefault((one.code, one.severity, one.table), []).append(one)
    result = []
    for some in alike.values():
        count = sum(one.count for one in some)
        lasts = [one.last for one in some if one.last is not None]
        message = some[0].message if len(some) == 1 else f"{some[0].message}; {len(some) - 1} more days have such rows, {count} in all"
        result.append(replace(some[0], count=count, message=message, last=max(lasts, default=None)))
    return result


def iso(stamp: int) -> str:
    """Return `2026-01-31T12:00:00.000Z` for UTC nanoseconds."""
    return f"{np.datetime64(stamp, 'ns').astype('datetime64[ms]')}Z"

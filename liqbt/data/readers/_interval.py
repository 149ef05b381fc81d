"""The interval of a recording, from its own steps."""

from __future__ import annotations

import numpy as np

from liqbt._time import format_interval, format_ns, parse_interval
from liqbt._typing import IntArray1D
from liqbt.errors import DataError

__all__ = ["interval_name", "resolve_interval"]

_SECOND_NS = 1_000_000_000


def interval_name(step_ns: int) -> str | None:
    """Return the shortest name of a length in nanoseconds, `1h` rather than `60m`; None where it has none.

    Weeks are named in days, so that each length has one name.
    """
    return format_interval(step_ns) if step_ns > 0 and step_ns % _SECOND_NS == 0 else None


def resolve_interval(timestamp: IntArray1D, interval: str | None, *, label: str) -> str:
    """Return the interval of rows stamped at `timestamp` (shape (n_rows,), UTC nanoseconds).

    Where `interval` is None it is the smallest step between two rows; else the steps must be whole multiples of it.
    Raises DataError naming the file (`label`), the step and where it stands; ConfigError where `interval` is no interval.
    """
    steps = np.diff(timestamp)
    positive = steps[steps > 0]
    if interval is None:
        if timestamp.size == 0:
            raise DataError(f"{label}: has no rows; check that the file is complete")
        if (steps < 0).any():
            row = int((steps < 0).argmax())
            raise DataError(
                f"{label}: row {row + 2} ({format_ns(timestamp[row + 1])}) is earlier than the row above it "
                f"({format_ns(timestamp[row])}); sort the file by time"
            )
        if positive.size == 0:
            raise DataError(f"{label}: one row does not tell its interval; give it, such as interval 1h")
        smallest = int(positive.min())
        name = interval_name(smallest)
        if name is None:
            at = format_ns(timestamp[int(np.flatnonzero(steps == smallest)[0]) + 1])
            raise DataError(
                f"{label}: the smallest step, at {at}, is {smallest} ns, not whole seconds; check the times or give the interval"
            )
        return name
    length = parse_interval(interval)
    off = (steps > 0) & (steps % length != 0)
    if off.any():
        row = int(off.argmax())
        raise DataError(
            f"{label}: row {row + 2} ({format_ns(timestamp[row + 1])}) comes {interval_name(int(steps[row])) or f'{steps[row]} ns'} "
            f"after the row above it, which is no multiple of interval {interval}; check the interval"
        )
    return interval_name(length) or interval

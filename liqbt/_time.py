"""Bar intervals and UTC instants, as int64 nanoseconds."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from liqbt._typing import IntArray1D
from liqbt.errors import ConfigError

__all__ = ["DAY_NS", "format_interval", "format_ns", "parse_instant", "parse_interval", "to_index"]

_UNITS: Final = {
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
    "w": 604_800_000_000_000,
}
DAY_NS: Final = _UNITS["d"]
_LONGEST_NS: Final = 366 * DAY_NS


def parse_interval(interval: str, *, parameter: str = "interval") -> int:
    """Return the length in nanoseconds of an interval such as `30s`, `5m`, `1h`, `1d` or `1w`.

    Raises ConfigError for anything else.
    """
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smhdw])", interval)
    if match is None:
        raise ConfigError(f"{parameter}: {interval!r} is not an interval; write a number and s, m, h, d or w, such as 5m or 1h")
    length = int(match[1]) * _UNITS[match[2]]
    if length > _LONGEST_NS:
        raise ConfigError(f"{parameter}: {interval!r} is longer than a year")
    return length


def format_interval(length: int) -> str:
    """Return `4h` for a length in nanoseconds: the inverse of `parse_interval`, in the greatest unit up to days that divides it."""
    unit = next(unit for unit in ("d", "h", "m", "s") if length % _UNITS[unit] == 0)
    return f"{length // _UNITS[unit]}{unit}"


def parse_instant(text: str, *, parameter: str) -> int:
    """Return UTC nanoseconds of an ISO date or date-time; without an offset it is UTC.

    Raises ConfigError where the text is no instant.
    """
    stamp = pd.to_datetime(text, errors="coerce")
    if not isinstance(stamp, pd.Timestamp):
        raise ConfigError(f"{parameter}: {text!r} is not a date; write 2026-01-31 or 2026-01-31T12:00")
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    return int(stamp.as_unit("ns").value)


def format_ns(stamp: int) -> str:
    """Return `2026-01-31 12:00:00` for UTC nanoseconds."""
    return str(np.datetime64(int(stamp), "ns").astype("datetime64[s]")).replace("T", " ")


def to_index(timestamp: IntArray1D) -> pd.DatetimeIndex:
    """Return UTC nanoseconds as a `datetime64[ns, UTC]` index named `timestamp`."""
    return pd.DatetimeIndex(timestamp.view("datetime64[ns]"), tz="UTC", name="timestamp")

"""The exceptions that liqbt raises on purpose.

    LiqbtError
    ├── DataError (ValueError)      a file, table or column is not what it claims to be
    ├── ConfigError (ValueError)    a parameter, name or option cannot be used
    └── StoreError                  the Parquet store cannot be read or written

Every message names the file, column or parameter, the value, where it stands, and the remedy. The command line turns
them into one line on stderr and exit code 2; anything else that escapes is a defect of liqbt (exit code 1).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["ConfigError", "DataError", "LiqbtError", "StoreError", "did_you_mean"]

_MOST, _LONGEST = 12, 40  # names listed, and characters of each


class LiqbtError(Exception):
    """Base of all errors that liqbt raises on purpose."""


class DataError(LiqbtError, ValueError):
    """Recorded data is missing, malformed or contradicts itself."""


class ConfigError(LiqbtError, ValueError):
    """A parameter, a name or an option cannot be used."""


class StoreError(LiqbtError):
    """The store of imported data cannot be read or written."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the closest of `known`, else the sorted list of what is known."""
    choices = sorted(known)
    close = difflib.get_close_matches(wrong, choices, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {_readable(close[0])!r}?"
    if not choices:
        return ""
    shown = ", ".join(_readable(choice) for choice in choices[:_MOST])
    return f"; known: {shown}" + (f" and {len(choices) - _MOST} more" if len(choices) > _MOST else "")


def _readable(name: str) -> str:
    """Return a name as it can be printed on one line of a terminal, whatever a broken file holds."""
    return (name if name.isprintable() else ascii(name))[:_LONGEST]

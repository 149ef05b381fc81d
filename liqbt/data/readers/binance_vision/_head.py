"""What the first rows of a file look like."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from liqbt.data.readers._recording import Recognition
from liqbt.data.readers._source import Head
from liqbt.data.readers.binance_vision._naming import named_symbol

Row: TypeAlias = tuple[str, ...]

__all__ = ["data_rows", "is_flag", "is_stamp", "mostly", "number", "recognition"]

_FIRST_MS: Final = 946_684_800_000  # 2000
_LAST_MS: Final = 4_102_444_800_000  # 2100


def data_rows(head: Head) -> tuple[Row, ...]:
    """Return the first rows without the header."""
    return head.rows[1:] if head.has_header else head.rows


def mostly(rows: tuple[Row, ...], test: Callable[[Row], bool]) -> bool:
    """Return whether the first row passes, and half of all: what is wrong with single rows, the reader says better."""
    return bool(rows) and test(rows[0]) and 2 * sum(map(test, rows)) >= len(rows)


def is_stamp(cell: str) -> bool:
    """Return whether a cell is an instant in milliseconds or microseconds since 1970."""
    if not cell.isdecimal() or len(cell) > 16:
        return False
    stamp = int(cell)
    return any(_FIRST_MS * unit <= stamp < _LAST_MS * unit for unit in (1, 1_000))


def is_flag(cell: str) -> bool:
    """Return whether a cell is true or false, in whatever letters."""
    return cell.lower() in ("true", "false")


def number(cell: str) -> float:
    """Return a cell as a number, NaN where it is none, so that no comparison with it holds."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def recognition(head: Head, *, time: int | None = None) -> Recognition:
    """Return what a kind says of a file that it claims.

    time: position of the cell whose digits tell the unit of time; None where times are text.
    """
    details = [] if head.has_header else ["no header"]
    rows = data_rows(head)
    if time is not None and rows and len(rows[0]) > time and len(rows[0][time]) >= 16:
        details.append("microseconds, as Binance writes for spot markets")
    return Recognition(detail=", ".join(details), venue="binance", symbol=named_symbol(head.file))

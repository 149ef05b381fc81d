"""Whole numbers of JSON, which has no largest one; a column has."""

from __future__ import annotations

from typing import Final

from liqbt.errors import DataError

__all__ = ["fits", "milliseconds"]

_LIMIT: Final = 2**63


def fits(value: int) -> bool:
    """Return whether a column of 64 bits holds the number."""
    return -_LIMIT <= value < _LIMIT


def milliseconds(value: int, name: str, where: str) -> int:
    """Return ms since 1970 that a column can hold; raises DataError naming `where` and `name` for others. The years are checked later."""
    if not fits(value):
        raise DataError(
            f"{where}: {name} is {str(value)[:60]!r}, outside the years 2000 to 2100 as ms; check the file and the unit of its times"
        )
    return value

"""Rows of a whole file in the order of time, each once."""

from __future__ import annotations

import polars as pl

from liqbt.data.readers._order import in_order
from liqbt.data.validation import ROW
from liqbt.errors import DataError

__all__ = ["settled"]


def settled(rows: pl.DataFrame, *, label: str) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return rows sorted by `timestamp`, which then strictly ascends, and what that mended, by words that follow a count.

    rows: with columns `timestamp` and ROW. A row that repeats another one whole is dropped.
    Raises DataError naming both rows where two share a stamp but differ.
    """
    rows, early = in_order(rows)
    same = _same(rows)
    mended = {"rows out of order sorted": early}
    if same.any():
        kept = rows.unique([name for name in rows.columns if name != ROW], keep="first", maintain_order=True)
        mended["doubled rows dropped"] = rows.height - kept.height
        rows, same = kept, _same(kept)
    if same.any():
        at = int(same.arg_max() or 0)
        raise DataError(
            f"{label}: row {rows[ROW][at]} ({rows['timestamp'][at]:%Y-%m-%d %H:%M:%S}) has the stamp of row {rows[ROW][at - 1]} "
            "but other values; remove the wrong one"
        )
    return rows, mended


def _same(rows: pl.DataFrame) -> pl.Series:
    return (rows["timestamp"].to_physical().diff() == 0).fill_null(value=False)

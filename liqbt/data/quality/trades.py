"""Trades whose numbers tell that some are missing or there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt.data.quality._frames import stamps_of
from liqbt.data.quality.finding import Finding, tell

if TYPE_CHECKING:
    import polars as pl

__all__ = ["find_trade_numbers"]

_NUMBERED: Final = 0.5  # share of the numbers between the first and the last that are there, where a venue counts its trades


def find_trade_numbers(trades: pl.DataFrame, *, table: str = "trades") -> list[Finding]:
    """Find trades with the same id, and ids that are left out by a venue that counts them; `trades` may be one day of it."""
    if "id" not in trades.columns or trades["id"].null_count():
        return []
    ids, stamps = trades["id"].to_numpy(), stamps_of(trades)
    order = np.argsort(ids, kind="stable")
    step = np.diff(ids[order])
    after = stamps[order][1:]
    found = []
    again = step == 0
    if again.any():
        then = "their volume counts twice: import one copy"
        found.append(tell("doubled", "error", after[again], what="the id of a trade is there again", then=then, table=table, noun="trade"))
    jumps = step > 1
    missing = int((step[jumps] - 1).sum())
    if jumps.any() and missing * _NUMBERED < ids.size * (1 - _NUMBERED):
        what, then = f"{missing} ids of trades are left out", "their volume is missing: import the file again from another copy"
        found.append(tell("gap", "warning", after[jumps], what=what, then=then, table=table, noun="place"))
    return found

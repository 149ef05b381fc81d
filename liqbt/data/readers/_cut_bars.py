"""Bars that the beginning or the end of a file cuts, of which another file may have the rest.

In the store the bar of the file that was imported last counts, however little that file saw of it: a file of the next day that begins
with a price of 23:59:59.9, or one that a recorder began in mid-bar, would put a few prices in the place of a whole bar. A file cannot
know what others hold. So a cut bar is given where the file saw more than half of it: of the pieces of a bar at most one is, whichever
is imported first, but for pieces that differ by no more than the distance of two prices.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from liqbt._typing import IntArray1D

__all__ = ["CUT", "without_cut_bars"]

CUT: Final = "bars of which the file saw half or less left out"
"""What `mended` says of the bars that `without_cut_bars` leaves out."""

_USUAL: Final = 0.9
"""Share of distances between prices that are no outage: a convention, fitted to nothing. The largest counts where there are few."""


def without_cut_bars(bars: pl.DataFrame, stamps: IntArray1D, *, step: int, first_known: int) -> tuple[pl.DataFrame, int]:
    """Return the bars of which the file saw more than half, and how many it did not.

    bars: with a column `timestamp`, their opening. stamps: times of all samples of the symbol, ascending, not empty, UTC nanoseconds.
    step: length of a bar in nanoseconds. first_known: when the file's first sample was known, UTC nanoseconds.
    A file sees from its first sample to its last, and farther by the usual distance of two samples: one at 00:00:40 stands for the
    whole minute where there is one a minute. A bar that had ended when the first sample was known is of the file before.
    """
    distances = np.diff(np.unique(stamps))
    usual = int(np.quantile(distances, _USUAL, method="higher")) if distances.size else step
    begin, end = max(int(stamps[0]), first_known) - usual, int(stamps[-1]) + usual
    opens = bars["timestamp"].to_physical().to_numpy()
    closes = opens + step
    seen = np.minimum(closes, end) - np.maximum(opens, begin)
    kept = (2 * seen > step) & (closes > first_known)
    return bars.filter(pl.Series(kept)), int((~kept).sum())

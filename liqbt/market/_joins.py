"""The grid of bars, and tables that are joined by their interval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from liqbt._align import sum_by_bar
from liqbt._time import format_ns
from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    Frame = pl.DataFrame | pd.DataFrame

__all__ = ["carried", "grid_of", "liquidated_by_bar", "require_known_at_close", "same_stamp"]

MAX_BARS: Final = 50_000_000  # a year of seconds is 31.5 million; beyond it a wrong stamp is likelier than a long recording


def require_known_at_close(table: pl.DataFrame, name: str, step: int) -> None:
    """Raise DataError where a row of a table that is joined by its interval became known only after it."""
    # It would be read before a trader could have known it.
    known = table["available_at"].to_physical().to_numpy()
    end = table["timestamp"].to_physical().to_numpy() + step
    late = known > end
    if late.any():
        row = int(late.argmax())
        raise DataError(
            f"{name}: row {row + 1} ({format_ns(end[row] - step)}) became known at {format_ns(known[row])}, after its interval ended; "
            "check the interval, or leave available_at out if the delay does not matter"
        )


def grid_of(stamps: IntArray1D, step: int, interval: str) -> tuple[IntArray1D, IntArray1D]:
    """Return the regular grid from the first stamp to the last, shape (n_bars,), and the place of each stamp on it.

    Raises DataError where a stamp is off the grid or the grid would be endless.
    """
    offset = stamps - stamps[0]
    off = offset % step != 0
    if off.any():
        row = int(off.argmax())
        raise DataError(
            f"bars: row {row + 1} ({format_ns(stamps[row])}) is not on the {interval} grid that starts at {format_ns(stamps[0])}; "
            "check the interval"
        )
    position = offset // step
    count = int(position[-1]) + 1
    if count > MAX_BARS:
        raise DataError(
            f"bars: {format_ns(stamps[0])} to {format_ns(stamps[-1])} would be {count} bars of {interval}; "
            "check for a wrong stamp, or load a shorter span"
        )
    return np.ascontiguousarray(stamps[0] + step * np.arange(count, dtype=np.int64)), position


def carried(values: Float64Array1D) -> Float64Array1D:
    """Return values with each NaN replaced by the last number before it; the first is never NaN."""
    position = np.where(np.isnan(values), 0, np.arange(values.size))
    return np.ascontiguousarray(values[np.maximum.accumulate(position)])


def same_stamp(table: pl.DataFrame, name: str, grid: IntArray1D, otherwise: Float64Array1D) -> Float64Array1D:
    """Return the column at the rows stamped as the bars are, and `otherwise` where there is no such row."""
    stamps = table["timestamp"].to_physical().to_numpy()
    at = np.searchsorted(stamps, grid)
    found = (at < stamps.size) & (stamps[np.minimum(at, stamps.size - 1)] == grid)
    values = otherwise.copy()
    values[found] = table[name].to_numpy()[at[found]]
    return values


def liquidated_by_bar(
    liquidations: Frame | None, totals: Frame | None, interval: str, grid: IntArray1D, step: int
) -> Float64Array2D | None:
    """Return recorded liquidations in base, shape (n_bars, 2), [long, short], NaN where none were recorded; totals win."""
    from liqbt.data.validation import canonical

    if totals is not None:
        table = canonical(totals, "liquidation_totals", source="liquidation_totals", interval=interval)
        require_known_at_close(table, "liquidation_totals", step)
        missing = np.full(grid.size, np.nan)
        return np.column_stack([same_stamp(table, side, grid, missing) for side in ("long", "short")])
    if liquidations is None:
        return None
    table = canonical(liquidations, "liquidations", source="liquidations")
    amount, side = table["amount"].to_numpy(), table["side"].to_numpy()
    sums = np.column_stack([sum_by_bar(table, np.where(side == one, amount, 0.0), grid, step) for one in ("long", "short")])
    sums[grid + step < table["available_at"].to_physical().to_numpy().min()] = np.nan  # not yet recording is not the same as none
    return sums

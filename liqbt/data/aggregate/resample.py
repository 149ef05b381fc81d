"""Longer bars from shorter ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from liqbt._time import format_ns, parse_interval
from liqbt._typing import BoolArray1D, IntArray1D
from liqbt.data.aggregate._kernels import sum_runs
from liqbt.data.aggregate._trades import BarSpan, clock_of
from liqbt.data.validation import CLOCK
from liqbt.errors import ConfigError, DataError

__all__ = ["Resampled", "resample_bars"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampled:
    """Longer bars, and which of them are whole.

    rows: canonical, with the columns of the shorter bars. complete: shape (n_bars,), whether every shorter bar was there.
    """

    rows: pl.DataFrame
    complete: BoolArray1D

    @property
    def incomplete(self) -> int:
        """Number of bars that lack some of their shorter ones."""
        return int((~self.complete).sum())


def resample_bars(bars: pl.DataFrame, interval: str, *, source_interval: str) -> Resampled:
    """Return bars of `interval` from bars of `source_interval`, of which it is a whole multiple.

    bars: canonical table `bars`, `mark` or `liquidation_totals`. Open, high, low and close are picked, all other columns summed;
    a sum is null where one of its parts is. Bars open as in `bars_from_trades`, and there are only bars with at least one
    shorter bar. A bar is known at its close, or when the last of its shorter bars became known if that was later.

    Raises ConfigError where one interval is no multiple of the other; DataError where a shorter bar straddles two longer ones, or clocks
    are not canonical.
    """
    step, fine = parse_interval(interval), parse_interval(source_interval, parameter="source_interval")
    if step % fine:
        raise ConfigError(f"interval: {interval} is no whole multiple of {source_interval}; choose one that is, or build bars from trades")
    stamps = clock_of(bars, "timestamp", "bars")
    opens = BarSpan.of(interval).open_of(stamps)
    off = (stamps - opens) % fine != 0
    if off.any():
        row = int(off.argmax())
        raise DataError(
            f"bars: row {row + 1} ({format_ns(stamps[row])}) is not on the {source_interval} grid of its {interval} bar; "
            "check source_interval and the clock of the recording"
        )
    first = np.flatnonzero(np.diff(opens, prepend=opens[:1] - 1))
    ends = np.append(first, stamps.size)
    known = np.maximum.reduceat(clock_of(bars, "available_at", "bars"), first) if first.size else first
    clocks = {"timestamp": opens[first], "available_at": np.maximum(known, opens[first] + step)}
    columns = [pl.Series(name, values).cast(CLOCK) for name, values in clocks.items()]
    columns += [_combined(bars[name], ends) for name in bars.columns if name not in clocks]
    return Resampled(rows=pl.DataFrame(columns), complete=np.diff(ends) == step // fine)


def _combined(column: pl.Series, ends: IntArray1D) -> pl.Series:
    """Return one value for each run of a column that lies between two of `ends`."""
    match column.name:
        case "open":
            return column.gather(ends[:-1])
        case "close":
            return column.gather(ends[1:] - 1)
        case "high" | "low":
            extreme = np.maximum if column.name == "high" else np.minimum
            return pl.Series(column.name, extreme.reduceat(column.to_numpy(), ends[:-1]))
    sums = np.empty(ends.size - 1)
    sum_runs(column.cast(pl.Float64).fill_null(np.nan).to_numpy(), ends, sums)
    return pl.Series(column.name, sums).fill_nan(None).cast(column.dtype)

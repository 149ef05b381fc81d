"""Recorded trades on the grid of bars: volume at price, and the bars themselves where there are no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.data.quality import Finding
from liqbt.data.quality.finding import duration, tell
from liqbt.errors import DataError
from liqbt.market.profile import VolumeProfile

if TYPE_CHECKING:
    import polars as pl

    Frame = pl.DataFrame | pd.DataFrame

__all__ = ["Traded", "check_profile", "frames_of", "read_trades"]

# Fine bins are fifths of the bins that a book has by default, so that five of them make one of its bins exactly. Other widths
# take them by their centre, half a basis point off at most. A convention: finer ones cost memory and tell no more.
_BIN_BPS: Final = 5.0
_PARTS: Final = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Traded:
    """What one pass over the trades gave.

    bars: canonical, without rows where bars were recorded. profile: rows of `volume_at_price`. width: of its bins, in log price.
    findings: what had to be left out, and that the bars were built.
    """

    bars: pl.DataFrame
    profile: pl.DataFrame
    width: float
    findings: tuple[Finding, ...]

    def on_grid(self, grid: IntArray1D, step: int) -> VolumeProfile:
        """Return the profile by bar of the grid."""
        bar = (self.profile["timestamp"].to_physical().to_numpy() - grid[0]) // step
        offsets = np.searchsorted(bar, np.arange(grid.size + 1))
        names = ("bin", "buy", "sell")
        return VolumeProfile(width=self.width, offsets=offsets, **{name: self.profile[name].to_numpy() for name in names})


def frames_of(given: Frame | Iterable[Frame]) -> Iterator[Frame]:
    """Yield the one frame, or the frames of an iterable that have rows."""
    import polars as pl

    if isinstance(given, pl.DataFrame | pd.DataFrame) or not isinstance(given, Iterable):
        yield given  # what is no frame is told by who checks it
        return
    yield from (frame for frame in given if len(frame))


def read_trades(trades: Frame | Iterable[Frame], interval: str, *, step: int, grid: IntArray1D | None) -> Traded:
    """Pass over the trades once. grid: opens of the recorded bars; None to build bars from the trades.

    Trades that became known only long after the close of their bar were not seen by a trader at that close: they are left out.
    Raises DataError where trades are not canonical, out of order, or none at all where bars depend on them.
    """
    import polars as pl

    from liqbt.data.aggregate import BarBuilder, VolumeProfileBuilder, on_time
    from liqbt.data.validation import canonical

    anchor, end = (None, None) if grid is None else (int(grid[0]), int(grid[-1]) + step)
    builder = BarBuilder(interval)
    profiler = VolumeProfileBuilder(interval, _BIN_BPS, parts=_PARTS, start_ns=anchor, end_ns=end, anchor_ns=anchor)
    bars, profile, late = [], [], [np.empty(0, dtype=np.int64)]
    for frame in frames_of(trades):
        batch, lost = on_time(canonical(frame, "trades", source="trades"), interval, anchor_ns=anchor)
        late.append(lost)
        profile.append(profiler.add(batch))
        if grid is None:
            bars.append(builder.add(batch))
    built = pl.concat([*bars, builder.finish()])
    if grid is None and built.is_empty():
        raise DataError("trades: none of them can make a bar; give bars, or trades that were known in time")
    findings = _findings(np.concatenate(late), built, grid, step)
    return Traded(bars=built, profile=pl.concat([*profile, profiler.finish()]), width=profiler.width, findings=findings)


def check_profile(profile: VolumeProfile, grid: IntArray1D, volume: Float64Array1D) -> tuple[Finding, ...]:
    """Find bars with volume (base, shape (n_bars,)) of which no trade was recorded."""
    bare = (volume > 0) & (np.diff(profile.offsets) == 0)
    if not bare.any():
        return ()
    what, then = "volume, but no recorded trade", "at which prices they traded is not known"
    return (tell("trades_missing", "note", grid[bare], what=what, then=then, table="trades", noun="bar"),)


def _findings(late: IntArray1D, built: pl.DataFrame, grid: IntArray1D | None, step: int) -> tuple[Finding, ...]:
    from liqbt.data.aggregate import LATE_NS

    found = []
    if grid is None:
        what, then = "no recorded candle, but recorded trades,", "they are built from those, and an interval without a trade is missing"
        stamps = built["timestamp"].to_physical().to_numpy()
        found.append(tell("bars_from_trades", "note", stamps, what=what, then=then, table="bars", noun="bar"))
    else:
        late = late[(late >= grid[0]) & (late < grid[-1] + step)]
    if late.size:
        what = f"news of more than {duration(LATE_NS)} after the bar's close"
        then = "they are left out, for no trader knew of them at that close"
        found.append(tell("late_trades", "warning", late, what=what, then=then, table="trades", noun="trade"))
    return tuple(found)

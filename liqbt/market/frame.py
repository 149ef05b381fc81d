"""MarketFrame: everything recorded about one symbol, aligned to one bar grid without look-ahead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from liqbt._time import format_ns, parse_interval, to_index
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.data.provenance import Input
from liqbt.data.quality import Finding
from liqbt.margin import TierTable
from liqbt.market._alignment import aligned
from liqbt.market.profile import VolumeProfile

if TYPE_CHECKING:
    import polars as pl

    Frame = pl.DataFrame | pd.DataFrame

__all__ = ["MarketFrame"]


@dataclass(frozen=True, kw_only=True, eq=False)
class MarketFrame:
    """One perpetual market on one strictly increasing, regular grid of bars.

    All arrays have shape (n_bars,) and are read-only. A bar is labelled by its open time and known at its close,
    `timestamp + interval_ns`; every other table is joined as of that close by its own `available_at`.

    timestamp: bar open, UTC nanoseconds.
    open, high, low, close: quote. volume: base.
    observed: False where the recording has no bar; such a bar holds the previous close and no volume, and nothing trades in it.
    taker_buy_volume: base, or None.
    open_interest: base, the last value known at the bar's close, NaN before the first; or None when none was recorded.
    funding_rate: sum of the rates, as fractions, stamped in the bar, positive when longs pay; 0 in bars without one; or None.
    mark_high, mark_low, mark_close: quote, the trade prices where no mark was recorded; or None.
    liquidated: recorded liquidations in base, shape (n_bars, 2), [long, short]; NaN where none were recorded; or None.
    volume_profile: what takers bought and sold in each bar by price, from recorded trades; or None.
    depth_distance: shape (n_distances,), ascending fractions of mid; or None where no order book was recorded.
    depth_bid, depth_ask: quote, shape (n_bars, n_distances), notional of the book's side from mid to that distance, in the newest
        book known at the bar's close; NaN where that is not known, or older than two bars (one to five minutes); or None.
    tiers: the bracket table that was imported for this market; None to use the one that comes with liqbt.
    findings: what is wrong with the recording. inputs: the files that it came from.
    seed: what a synthetic market was drawn from; None for a recording.
    """

    venue: str
    symbol: str
    interval: str
    timestamp: IntArray1D
    open: Float64Array1D
    high: Float64Array1D
    low: Float64Array1D
    close: Float64Array1D
    volume: Float64Array1D
    observed: BoolArray1D
    taker_buy_volume: Float64Array1D | None = None
    open_interest: Float64Array1D | None = None
    funding_rate: Float64Array1D | None = None
    mark_high: Float64Array1D | None = None
    mark_low: Float64Array1D | None = None
    mark_close: Float64Array1D | None = None
    liquidated: Float64Array2D | None = None
    volume_profile: VolumeProfile | None = None
    depth_distance: Float64Array1D | None = None
    depth_bid: Float64Array2D | None = None
    depth_ask: Float64Array2D | None = None
    tiers: TierTable | None = None
    findings: tuple[Finding, ...] = ()
    inputs: tuple[Input, ...] = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray):
                frozen = np.ascontiguousarray(value).view()  # one layout, so that kernels compile once
                frozen.setflags(write=False)
                object.__setattr__(self, name, frozen)

    @classmethod
    def from_frames(
        cls,
        *,
        bars: Frame | None = None,
        venue: str,
        symbol: str,
        interval: str,
        open_interest: Frame | None = None,
        funding: Frame | None = None,
        mark: Frame | None = None,
        liquidations: Frame | None = None,
        liquidation_totals: Frame | None = None,
        trades: Frame | Iterable[Frame] | None = None,
        depth: Frame | Iterable[Frame] | None = None,
        findings: tuple[Finding, ...] = (),
        inputs: tuple[Input, ...] = (),
        seed: int | None = None,
    ) -> MarketFrame:
        """Align canonical tables, pandas or polars, on the grid of `bars`.

        Only `bars` or `trades` is needed. Columns are those of `liqbt.data.schema.TABLES`. Missing bars are put in as unobserved ones.
        `liquidation_totals` must have the interval of the bars and wins over `liquidations` (events), which are summed by bar.
        trades, depth: one frame, or an iterable of frames in order of time, such as days, of which one is in memory at a time.
        Trades give the volume profile, and the bars where `bars` is None, on whole multiples of the interval since the epoch.
        findings: what is known to be wrong with the recording; they come before those of this call.

        Raises DataError where a table is not canonical, bars are off their grid, or a row of `bars`, `mark` or
        `liquidation_totals` became known only after its interval; ConfigError for a bad interval, and without bars and trades.
        """
        columns = aligned(
            interval=interval,
            bars=bars,
            open_interest=open_interest,
            funding=funding,
            mark=mark,
            liquidations=liquidations,
            liquidation_totals=liquidation_totals,
            trades=trades,
            depth=depth,
        )
        found = (*findings, *columns.pop("findings"))
        return cls(venue=venue, symbol=symbol, interval=interval, findings=found, inputs=inputs, seed=seed, **columns)

    @property
    def synthetic(self) -> bool:
        """Whether the market was simulated."""
        return self.seed is not None

    @property
    def n_bars(self) -> int:
        """Number of bars on the grid, unobserved ones included."""
        return int(self.timestamp.size)

    @property
    def interval_ns(self) -> int:
        """Length of a bar in nanoseconds."""
        return parse_interval(self.interval)

    @property
    def index(self) -> pd.DatetimeIndex:
        """Bar open times, `datetime64[ns, UTC]`."""
        return to_index(self.timestamp)

    @property
    def span(self) -> tuple[str, str]:
        """Open of the first bar and close of the last, as UTC text."""
        return format_ns(self.timestamp[0]), format_ns(self.timestamp[-1] + self.interval_ns)

    @property
    def trigger_low(self) -> Float64Array1D:
        """Lowest price that can liquidate in each bar: mark where recorded, else trades."""
        return self.low if self.mark_low is None else self.mark_low

    @property
    def trigger_high(self) -> Float64Array1D:
        """Highest price that can liquidate in each bar: mark where recorded, else trades."""
        return self.high if self.mark_high is None else self.mark_high

    @property
    def trigger_close(self) -> Float64Array1D:
        """Last price of each bar that can liquidate: mark where recorded, else trades."""
        return self.close if self.mark_close is None else self.mark_close

    def to_frame(self) -> pd.DataFrame:
        """Return the bars with all recorded columns, one row a bar, indexed by open time.

        Of the volume profile it has what takers bought and sold in all, of depth a column a side and distance: `depth_bid_100bps`.
        """
        optional = ("taker_buy_volume", "open_interest", "funding_rate", "mark_high", "mark_low", "mark_close")
        names = ("open", "high", "low", "close", "volume", "observed", *(n for n in optional if getattr(self, n) is not None))
        columns = {name: getattr(self, name) for name in names}
        if self.volume_profile is not None:
            columns |= dict(zip(("profile_buy", "profile_sell"), self.volume_profile.totals.T, strict=True))
        if self.depth_distance is not None:
            for side in ("bid", "ask"):
                table = getattr(self, f"depth_{side}")
                columns |= {f"depth_{side}_{one * 1e4:g}bps": table[:, k] for k, one in enumerate(self.depth_distance)}
        return pd.DataFrame(columns, index=self.index)

    def __repr__(self) -> str:
        optional = ("open_interest", "funding_rate", "mark_close", "liquidated", "volume_profile", "depth_distance")
        extra = [name.removesuffix("_distance") for name in optional if getattr(self, name) is not None]
        return (
            f"MarketFrame({self.venue} {self.symbol} {self.interval}, {self.n_bars} bars, {self.span[0]} to {self.span[1]}, "
            f"with {', '.join(extra) or 'bars only'}{', synthetic' if self.synthetic else ''})"
        )

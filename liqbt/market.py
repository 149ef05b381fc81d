"""MarketFrame: everything recorded about one symbol, aligned to one bar grid without look-ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from liqbt._align import last_known, sum_by_bar
from liqbt._time import format_ns, parse_interval, to_index
from liqbt._typing import BoolArray1D, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.data.provenance import Input
from liqbt.data.quality import Finding, check_bars, check_funding, check_open_interest
from liqbt.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    Frame = pl.DataFrame | pd.DataFrame

__all__ = ["Input", "MarketFrame"]

MAX_BARS: Final = 50_000_000  # a year of seconds is 31.5 million; beyond it a wrong stamp is likelier than a long recording


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
        bars: Frame,
        venue: str,
        symbol: str,
        interval: str,
        open_interest: Frame | None = None,
        funding: Frame | None = None,
        mark: Frame | None = None,
        liquidations: Frame | None = None,
        liquidation_totals: Frame | None = None,
        inputs: tuple[Input, ...] = (),
        seed: int | None = None,
    ) -> MarketFrame:
        """Align canonical tables, pandas or polars, on the grid of `bars`.

        Only `bars` is needed. Columns are those of `liqbt.data.schema.TABLES`. Missing bars are put in as unobserved ones.
        `liquidation_totals` must have the interval of the bars and wins over `liquidations` (events), which are summed by bar.

        Raises DataError where a table is not canonical, bars are off their grid, or a row of `bars`, `mark` or
        `liquidation_totals` became known only after its interval; ConfigError for a bad interval.
        """
        from liqbt.data.validation import canonical

        step = parse_interval(interval)
        rows = canonical(bars, "bars", source="bars", interval=interval)
        _require_known_at_close(rows, "bars", step)
        stamps = rows["timestamp"].to_physical().to_numpy()
        grid, position = _grid(stamps, step, interval)
        count = grid.size
        observed = np.zeros(count, dtype=np.bool_)
        observed[position] = True

        def spread(name: str, fill: float = np.nan) -> Float64Array1D:
            values = np.full(count, fill)
            values[position] = rows[name].to_numpy()
            return values

        close = _carried(spread("close"))
        prices = {name: np.where(observed, spread(name), close) for name in ("open", "high", "low")}
        volume = spread("volume", 0.0)
        end = grid + step
        findings = list(check_bars(grid, observed, volume))
        columns: dict[str, Float64Array1D] = {}
        if "taker_buy_volume" in rows.columns and rows["taker_buy_volume"].null_count() == 0:
            columns["taker_buy_volume"] = spread("taker_buy_volume", 0.0)
        if open_interest is not None:
            table = canonical(open_interest, "open_interest", source="open_interest")
            known, age = last_known(table, "open_interest", end)
            columns["open_interest"] = known
            findings += check_open_interest(grid, known, age, step)
        if funding is not None:
            table = canonical(funding, "funding", source="funding")
            columns["funding_rate"] = sum_by_bar(table, table["funding_rate"].to_numpy(), grid, step)
            findings += check_funding(grid, table["timestamp"].to_physical().to_numpy())
        if mark is not None:
            table = canonical(mark, "mark", source="mark", interval=interval)
            _require_known_at_close(table, "mark", step)
            for name, traded in (("high", prices["high"]), ("low", prices["low"]), ("close", close)):
                columns[f"mark_{name}"] = _same_stamp(table, name, grid, traded)
        liquidated = _liquidated(liquidations, liquidation_totals, interval, grid, step)
        return cls(
            venue=venue,
            symbol=symbol,
            interval=interval,
            timestamp=grid,
            open=prices["open"],
            high=prices["high"],
            low=prices["low"],
            close=close,
            volume=volume,
            observed=observed,
            taker_buy_volume=columns.get("taker_buy_volume"),
            open_interest=columns.get("open_interest"),
            funding_rate=columns.get("funding_rate"),
            mark_high=columns.get("mark_high"),
            mark_low=columns.get("mark_low"),
            mark_close=columns.get("mark_close"),
            liquidated=liquidated,
            findings=tuple(findings),
            inputs=inputs,
            seed=seed,
        )

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
        """Return the bars with all recorded columns, one row a bar, indexed by open time."""
        optional = ("taker_buy_volume", "open_interest", "funding_rate", "mark_high", "mark_low", "mark_close")
        names = ("open", "high", "low", "close", "volume", "observed", *(n for n in optional if getattr(self, n) is not None))
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=self.index)

    def __repr__(self) -> str:
        extra = [n for n in ("open_interest", "funding_rate", "mark_close", "liquidated") if getattr(self, n) is not None]
        return (
            f"MarketFrame({self.venue} {self.symbol} {self.interval}, {self.n_bars} bars, {self.span[0]} to {self.span[1]}, "
            f"with {', '.join(extra) or 'bars only'}{', synthetic' if self.synthetic else ''})"
        )


def _require_known_at_close(table: pl.DataFrame, name: str, step: int) -> None:
    # These are joined by their interval, so a row that came later would be read before a trader could have known it.
    known = table["available_at"].to_physical().to_numpy()
    end = table["timestamp"].to_physical().to_numpy() + step
    late = known > end
    if late.any():
        row = int(late.argmax())
        raise DataError(
            f"{name}: row {row + 1} ({format_ns(end[row] - step)}) became known at {format_ns(known[row])}, after its interval ended; "
            "check the interval, or leave available_at out if the delay does not matter"
        )


def _grid(stamps: IntArray1D, step: int, interval: str) -> tuple[IntArray1D, IntArray1D]:
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


def _carried(values: Float64Array1D) -> Float64Array1D:
    """Return values with each NaN replaced by the last number before it; the first is never NaN."""
    position = np.where(np.isnan(values), 0, np.arange(values.size))
    return np.ascontiguousarray(values[np.maximum.accumulate(position)])


def _same_stamp(table: pl.DataFrame, name: str, grid: IntArray1D, traded: Float64Array1D) -> Float64Array1D:
    stamps = table["timestamp"].to_physical().to_numpy()
    at = np.searchsorted(stamps, grid)
    found = (at < stamps.size) & (stamps[np.minimum(at, stamps.size - 1)] == grid)
    values = traded.copy()
    values[found] = table[name].to_numpy()[at[found]]
    return values


def _liquidated(liquidations: Frame | None, totals: Frame | None, interval: str, grid: IntArray1D, step: int) -> Float64Array2D | None:
    from liqbt.data.validation import canonical

    if totals is not None:
        table = canonical(totals, "liquidation_totals", source="liquidation_totals", interval=interval)
        _require_known_at_close(table, "liquidation_totals", step)
        missing = np.full(grid.size, np.nan)
        return np.column_stack([_same_stamp(table, side, grid, missing) for side in ("long", "short")])
    if liquidations is None:
        return None
    table = canonical(liquidations, "liquidations", source="liquidations")
    amount, side = table["amount"].to_numpy(), table["side"].to_numpy()
    sums = np.column_stack([sum_by_bar(table, np.where(side == one, amount, 0.0), grid, step) for one in ("long", "short")])
    sums[grid + step < table["available_at"].to_physical().to_numpy().min()] = np.nan  # not yet recording is not the same as none
    return sums

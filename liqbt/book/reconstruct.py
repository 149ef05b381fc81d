"""reconstruct(): one pass over a market with unit weights, from which every leverage mix is a weighted sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
import pandas as pd

from liqbt._time import parse_interval, to_index
from liqbt._typing import SIDES, Float64Array1D, Float64Array2D, Float64Array3D, Float64Array4D, IntArray1D, Progress
from liqbt.book.flows import Flows, build_flows
from liqbt.book.grid import PriceGrid, price_grid
from liqbt.book.levels import Levels, liquidation_levels
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.passes import BookPass
from liqbt.book.state import BookState
from liqbt.errors import ConfigError
from liqbt.heatmap import Heatmap
from liqbt.margin import tiers_or_generic
from liqbt.market import MarketFrame

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Reconstruction", "reconstruct"]

MAX_BIN_BPS = 1000.0
_CHUNK_CELLS = 4_000_000  # heat cells held at once, 32 MB


@dataclass(frozen=True, kw_only=True, eq=False)
class Reconstruction:
    """The book of a market over time.

    Results are known at each bar's close. market, params, flows: what went in. mix: the leverage mix after leverage above
    the venue's maximum was dropped. rate: maintenance margin rate of the smallest positions, a fraction.
    levels: where each leverage is liquidated. start: the book before the first bar, None where it was empty. state: the book
    after the last bar, with which the bars that follow can be reconstructed.
    swept, live: shape (n_bars, 2, n_leverages), base: liquidated in the bar, and live after it, if all traders used that
    one leverage. notes: assumptions that a reader of results must know.
    """

    market: MarketFrame
    mix: LeverageMix
    params: BookParams
    flows: Flows
    rate: float
    grid: PriceGrid
    levels: Levels
    start: BookState | None
    state: BookState
    swept: Float64Array3D
    live: Float64Array3D
    notes: tuple[str, ...]

    @property
    def weights(self) -> Float64Array1D:
        """Shares of the mix, shape (n_leverages,)."""
        return np.array(self.mix.weights)

    @property
    def explained_share(self) -> Float64Array1D:
        """Share of open interest whose entry was seen, mean of both sides, shape (n_bars,); NaN before the book starts.

        A fact of the flows, whatever the leverage mix. The entries of the rest came before the recording and are unknown.
        """
        return self._share(self.flows.seen)

    @property
    def live_share(self) -> Float64Array1D:
        """Share of open interest that is on the map, mean of both sides, shape (n_bars,); NaN before the book starts.

        What is missing to `explained_share` are positions that the mix expects to have been liquidated, while open interest
        says that somebody still holds them: lower leverage than assumed, added margin, cross margin.
        """
        return self._share(self.live @ self.weights)

    @property
    def unexplained(self) -> Float64Array2D:
        """Open interest of each side whose entry was not seen, shape (n_bars, 2), base."""
        return self.flows.open_interest[:, None] - self.flows.seen

    @property
    def closed(self) -> Float64Array3D:
        """What is closed in each bar and not liquidated, if all traders used that one leverage, shape (n_bars, 2, n_leverages), base.

        It is what is left of the account: opened and carried in, less liquidated and live.
        """
        before = np.zeros_like(self.live)
        before[1:] = self.live[:-1]
        if self.start is not None:
            before[0] = self.start.live.reshape(2, -1, self.live.shape[2]).sum(axis=1)
        return before + self.flows.opened[:, :, None] - self.swept - self.live

    def _share(self, held: Float64Array2D) -> Float64Array1D:
        interest = self.flows.open_interest
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(interest > 0, held.mean(axis=1) / interest, np.where(np.isnan(interest), np.nan, 0.0))

    def expected_liquidations(self) -> pd.DataFrame:
        """Return expected liquidations of each bar, columns long and short, in base."""
        return pd.DataFrame(self.swept @ self.weights, index=to_index(self.market.timestamp), columns=list(SIDES))

    def basis_liquidations(self) -> xr.DataArray:
        """Return liquidations by bar for unit weight on each leverage, dims (timestamp, side, leverage), in base.

        Those of any mix are the sum over leverage, weighted by the mix.
        """
        import xarray as xr

        return xr.DataArray(
            self.swept,
            dims=("timestamp", "side", "leverage"),
            coords={"timestamp": self.market.index.tz_localize(None), "side": list(SIDES), "leverage": list(self.mix.leverage)},
            name="basis_liquidations",
            attrs={"units": "base"},
        )

    @overload
    def snapshots(
        self, first_bin: IntArray1D, n_window: int, progress: Progress | None = None, *, by_leverage: Literal[False] = False
    ) -> Iterator[Float64Array3D]: ...

    @overload
    def snapshots(
        self, first_bin: IntArray1D, n_window: int, progress: Progress | None = None, *, by_leverage: Literal[True]
    ) -> Iterator[Float64Array4D]: ...

    def snapshots(
        self, first_bin: IntArray1D, n_window: int, progress: Progress | None = None, *, by_leverage: bool = False
    ) -> Iterator[Float64Array3D] | Iterator[Float64Array4D]:
        """Yield windows of the book, chunk by chunk in the order of bars; memory does not grow with history.

        first_bin: shape (n_bars,), first bin of `grid` of the window wanted after each bar, or -1 for none. n_window: bins
        of a window. Each chunk has one row for each wanted bar, in base: of the mix, shape (n_rows, 2, n_window), or by_leverage
        the map of each leverage with unit weight, shape (n_rows, 2, n_leverages, n_window), which `weights` mixes.
        """
        book = self._again()
        groups = len(self.mix.leverage) if by_leverage else 1
        run = max(1, _CHUNK_CELLS // (2 * n_window * groups))
        for last in [*np.flatnonzero(first_bin >= 0)[run - 1 :: run], self.market.n_bars - 1]:
            heat = book.run_to(int(last) + 1, first_bin, n_window, None if by_leverage else self.weights)
            if progress is not None:
                progress(book.done / self.market.n_bars, "heat")
            yield heat if by_leverage else heat[:, :, 0]

    def _again(self) -> BookPass:
        """Return a pass over the same bars that has not begun."""
        return BookPass(self.market, self.flows, self.grid, self.levels, self.params, state=self.start, record=False)

    def heatmap(
        self, every: str | None = None, *, bin_bps: float | None = None, reach: float = 0.25, progress: Progress | None = None
    ) -> Heatmap:
        """Return the map as it was known at the first bar close at or after each multiple of `every`, in UTC.

        every: cadence such as `1h`, a multiple of the bar interval; None for every bar. bin_bps: width of the map's price
        bins, a multiple of the book's; None keeps those. reach: how far above the highest and below the lowest traded price
        the map goes, a fraction of price.

        Raises ConfigError for a cadence or width that does not fit the market's.
        """
        market, step = self.market, self.market.interval_ns
        cadence = step if every is None else parse_interval(every, parameter="every")
        if cadence % step:
            raise ConfigError(f"every: {every!r} is not a multiple of the bar interval {market.interval}")
        if bin_bps is not None and not 0 < bin_bps <= MAX_BIN_BPS:
            raise ConfigError(f"bin_bps: {bin_bps!r} must be above 0 and at most {MAX_BIN_BPS:g} basis points")
        merge = 1 if bin_bps is None else round(bin_bps / self.params.bin_bps)
        if bin_bps is not None and (merge < 1 or abs(merge * self.params.bin_bps - bin_bps) > 1e-9):
            raise ConfigError(f"bin_bps: {bin_bps:g} is not a multiple of the book's bin_bps {self.params.bin_bps:g}")
        if not 0 < reach < 1:
            raise ConfigError(f"reach: {reach!r} must be a fraction of price between 0 and 1")
        close = market.timestamp + step
        emit = close // cadence != (close - step) // cadence  # on grids off UTC, the first close after each multiple
        if not emit.any():
            raise ConfigError(f"every: {every!r} is longer than the span of the market, {market.span[0]} to {market.span[1]}")
        window = _window(self.grid, float(market.low.min()) * (1 - reach), float(market.high.max()) * (1 + reach), merge)
        first_bin = np.where(emit, window.start, -1)
        intensity = self._map(first_bin, window.stop - window.start, merge, progress)
        return Heatmap(
            timestamp=market.timestamp[emit] + step,
            price_edges=self.grid.edges[window.start : window.stop + 1 : merge],
            intensity=intensity,
            close=market.close[emit],
            explained_share=self.explained_share[emit],
            symbol=market.symbol,
            open_interest_source=self.flows.source,
            synthetic=market.synthetic,
        )

    def _map(self, first_bin: IntArray1D, n_window: int, merge: int, progress: Progress | None) -> Float64Array3D:
        """Return all windows at once, shape (n_rows, 2, n_window // merge), each cell the sum of `merge` bins."""
        intensity = np.empty((int((first_bin >= 0).sum()), 2, 1, n_window // merge))
        done = 0
        if merge == 1:  # written in place: a map of years is larger than the processor's cache, and a copy would cost as much again
            book = self._again()
            ends = np.flatnonzero(first_bin >= 0)
            run = max(1, _CHUNK_CELLS // (2 * n_window))
            for last in [*ends[run - 1 :: run], ends[-1]]:
                rows = int(np.searchsorted(ends, last, side="right")) - done
                book.run_to(int(last) + 1, first_bin, n_window, self.weights, intensity[done : done + rows])
                done += rows
                if progress is not None:
                    progress(book.done / self.market.n_bars, "heat")
            return intensity[:, :, 0]
        for heat in self.snapshots(first_bin, n_window, progress):
            rows, sides, bins = heat.shape
            heat.reshape(rows, sides, bins // merge, merge).sum(axis=3, out=intensity[done : done + rows, :, 0])
            done += rows
        return intensity[:, :, 0]


def reconstruct(
    market: MarketFrame,
    mix: LeverageMix | None = None,
    params: BookParams | None = None,
    *,
    state: BookState | None = None,
    progress: Progress | None = None,
) -> Reconstruction:
    """Reconstruct where the positions of a market would be liquidated, bar by bar, each bar from its past only.

    mix: assumed leverage; None for `LeverageMix.default()`. params: None for `BookParams()`.
    state: `Reconstruction.state` of the bars right before, to go on from; the result is that of one reconstruction of both, to the
    bit, whatever the lengths. The first chunk must reach to where open interest is known.
    Brackets are those of the market's venue and symbol where shipped, else `GENERIC_TIERS`.

    Raises ConfigError for parameters that contradict each other or the state, DataError for a market without usable open interest.
    """
    params = params or BookParams()
    tiers, notes = tiers_or_generic(market.venue, market.symbol, market.tiers)
    mix, levels, told = liquidation_levels(market, mix or LeverageMix.default(), params, tiers)
    notes += told
    rate = tiers[0].maintenance_margin_rate if params.maintenance_margin_rate is None else params.maintenance_margin_rate
    notes += ("the leverage mix is assumed, not fitted to anything: colours compare places, not amounts",)
    if state is not None:
        state.check(market, params, mix.leverage, levels)
    flows = build_flows(market, params, None if state is None else state.flows)
    if flows.source == "volume":
        assumed = f"no open interest was recorded: it is assumed to be {params.open_interest_days:g} days of average volume"
        notes += (f"{assumed}, so sizes are a guess and only the shape of the map means something",)
    if flows.inconsistent:
        notes += (f"in {flows.inconsistent} bars open interest changed by more than the recorded volume; the change is believed",)
    grid = price_grid(market, levels.shift, params.bin_bps, None if state is None else state.held)
    book = BookPass(market, flows, grid, levels, params, state=state)
    run = max(1, market.n_bars // 50)
    for end in [market.n_bars] if progress is None else [*range(run, market.n_bars, run), market.n_bars]:
        book.run_to(end)
        if progress is not None:
            progress(end / market.n_bars, "book")
    notes += _scale_note(market, flows, book.swept @ np.array(mix.weights))
    return Reconstruction(
        market=market,
        mix=mix,
        params=params,
        flows=flows,
        rate=rate,
        grid=grid,
        levels=levels,
        start=state,
        state=book.state(mix.leverage),
        swept=book.swept,
        live=book.live,
        notes=notes,
    )


def _scale_note(market: MarketFrame, flows: Flows, expected: Float64Array2D) -> tuple[str, ...]:
    """Return a note on how expected liquidations (n_bars, 2) compare in size with recorded ones, over the bars that have both."""
    if market.liquidated is None:
        return ()
    both = ~np.isnan(market.liquidated).any(axis=1) & ~np.isnan(flows.open_interest)
    recorded = float(market.liquidated[both].sum())
    if not recorded > 0:
        return ()
    return (f"the map expects {expected[both].sum() / recorded:.1f} times the liquidations that were recorded",)


def _window(grid: PriceGrid, low: float, high: float, merge: int) -> slice:
    """Return the bins of [low, high], cut to whole groups of `merge` bins counted from the grid's absolute origin."""
    first = max(0, int(np.searchsorted(grid.edges, low, side="right")) - 1)
    last = min(grid.n_bins, int(np.searchsorted(grid.edges, high, side="left")))
    first += -(first + grid.origin) % merge
    return slice(first, first + (last - first) // merge * merge)

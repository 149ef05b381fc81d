"""reconstruct(): one pass over a market with unit weights, from which every leverage mix is a weighted sum."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from liqbt._time import parse_interval, to_index
from liqbt._typing import SIDES, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D, Progress
from liqbt.book.flows import Flows, build_flows
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.state import BookPass, PriceGrid, liquidation_shift, price_grid
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
    the venue's maximum was dropped. rate: maintenance margin rate used, a fraction.
    swept, live: shape (n_bars, 2, n_leverages), base: liquidated in the bar, and live after it, if all traders used that
    one leverage. notes: assumptions that a reader of results must know.
    """

    market: MarketFrame
    mix: LeverageMix
    params: BookParams
    flows: Flows
    rate: float
    grid: PriceGrid
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

    def snapshots(self, first_bin: IntArray1D, n_window: int, progress: Progress | None = None) -> Iterator[Float64Array3D]:
        """Yield windows of the book, chunk by chunk in the order of bars; memory does not grow with history.

        first_bin: shape (n_bars,), first bin of `grid` of the window wanted after each bar, or -1 for none. n_window: bins
        of a window. Each chunk has shape (n_rows, 2, n_window), base, one row for each wanted bar.
        """
        book = BookPass(self.market, self.flows, self.grid, liquidation_shift(self.mix.leverage, self.rate), self.weights)
        run = max(1, _CHUNK_CELLS // (2 * n_window))
        for last in [*np.flatnonzero(first_bin >= 0)[run - 1 :: run], self.market.n_bars - 1]:
            heat = book.run_to(int(last) + 1, first_bin, n_window)
            if progress is not None:
                progress(book.done / self.market.n_bars, "heat")
            yield heat[:, :, 0]

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
        parts = [_merged(heat, merge) for heat in self.snapshots(first_bin, window.stop - window.start, progress)]
        return Heatmap(
            timestamp=market.timestamp[emit] + step,
            price_edges=self.grid.edges[window.start : window.stop + 1 : merge],
            intensity=np.concatenate(parts),
            close=market.close[emit],
            explained_share=self.explained_share[emit],
            symbol=market.symbol,
            open_interest_source=self.flows.source,
            synthetic=market.synthetic,
        )


def reconstruct(
    market: MarketFrame, mix: LeverageMix | None = None, params: BookParams | None = None, *, progress: Progress | None = None
) -> Reconstruction:
    """Reconstruct where the positions of a market would be liquidated, bar by bar, each bar from its past only.

    mix: assumed leverage; None for `LeverageMix.default()`. params: None for `BookParams()`.
    Brackets are those of the market's venue and symbol where shipped, else `GENERIC_TIERS`.

    Raises ConfigError for parameters that contradict each other, DataError for a market without usable open interest.
    """
    params = params or BookParams()
    tiers, notes = tiers_or_generic(market.venue, market.symbol, market.tiers)
    mix, dropped = (mix or LeverageMix.default()).allowed_by(tiers)
    if dropped:
        listed = ", ".join(f"{value:g}x" for value in dropped)
        limit = f"{tiers[0].max_leverage:g}x"
        notes += (f"leverage {listed} is above the venue's maximum of {limit} for {market.symbol}; dropped, the rest renormalised",)
    rate = tiers[0].maintenance_margin_rate if params.maintenance_margin_rate is None else params.maintenance_margin_rate
    notes += ("the leverage mix is assumed, not fitted to anything: colours compare places, not amounts",)
    flows = build_flows(market, params)
    if flows.source == "volume":
        assumed = f"no open interest was recorded: it is assumed to be {params.open_interest_days:g} days of average volume"
        notes += (f"{assumed}, so sizes are a guess and only the shape of the map means something",)
    if flows.inconsistent:
        notes += (f"in {flows.inconsistent} bars open interest changed by more than the recorded volume; the change is believed",)
    shift = liquidation_shift(mix.leverage, rate)
    grid = price_grid(market, shift, params.bin_bps)
    book = BookPass(market, flows, grid, shift)
    run = max(1, market.n_bars // 50)
    for end in [*range(run, market.n_bars, run), market.n_bars]:
        book.run_to(end)
        if progress is not None:
            progress(end / market.n_bars, "book")
    notes += _scale_note(market, flows, book.swept @ np.array(mix.weights))
    return Reconstruction(
        market=market, mix=mix, params=params, flows=flows, rate=rate, grid=grid, swept=book.swept, live=book.live, notes=notes
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


def _merged(heat: Float64Array3D, merge: int) -> Float64Array3D:
    if merge == 1:
        return heat
    rows, sides, bins = heat.shape
    return np.asarray(heat.reshape(rows, sides, bins // merge, merge).sum(axis=3))

"""BookPass: one pass over the bars of a market, which carries the book and hands out maps of it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import Float64Array1D, Float64Array3D, Float64Array4D, IntArray1D
from liqbt.book._kernels import NOWHERE, advance
from liqbt.book.flows import Flows
from liqbt.book.grid import PriceGrid
from liqbt.book.levels import Levels
from liqbt.book.params import BookParams
from liqbt.book.state import BookState
from liqbt.market import MarketFrame

__all__ = ["BookPass"]

_BLOCK: Final = 4096  # bars whose prices and survivals are prepared at once; small enough to stay in the processor's cache


class BookPass:
    """One pass over a market; `run_to` carries the book bar by bar and hands out the heat after the bars that are asked for.

    state: where to go on from; its book is copied. swept, live: shape (n_bars, 2, n_leverages), base, of unit weights; filled up to the
    bar that was reached, and not kept without `record`.
    """

    def __init__(
        self,
        market: MarketFrame,
        flows: Flows,
        grid: PriceGrid,
        levels: Levels,
        params: BookParams,
        *,
        state: BookState | None = None,
        record: bool = True,
    ) -> None:
        leverages = levels.multiple.shape[1]
        fleeting = params.fleeting_share
        self.market, self.flows, self.grid, self.levels, self.params = market, flows, grid, levels, params
        self._kinds = 2 if fleeting else 1
        columns = self._kinds * leverages
        share = [1 - fleeting, fleeting] if fleeting else [1.0]
        self._share = np.repeat(share, leverages)
        self._multiple = np.tile(levels.multiple, self._kinds) * np.repeat([1.0, params.fleeting_hazard][: self._kinds], leverages)
        places = levels.shift / grid.width
        whole = np.floor(places)
        self._shift = np.tile(whole.astype(np.int64), (1, self._kinds, 1))
        self._upper, self._size = (np.tile(one, (1, self._kinds, 1)) for one in (places - whole, levels.share))
        self._offsets, self._bins, self._traded = _traded(market, params.bin_bps)
        self.done = 0
        self._record = record
        kept = market.n_bars if record else 0
        self.swept: Float64Array3D = np.zeros((kept, 2, leverages))
        self.live: Float64Array3D = np.zeros((kept, 2, leverages))
        self.book: Float64Array3D = np.zeros((2, columns, grid.n_bins))
        if state is None:
            self._scale, self._mass = np.ones((2, columns)), np.zeros((2, columns))
            self._lowest = np.full((2, columns), NOWHERE)
            self._highest = np.full((2, columns), -NOWHERE)
        else:
            at = state.first - grid.origin
            self.book[:, :, at : at + state.book.shape[2]] = state.book
            self._scale, self._mass, self._lowest, self._highest = (
                one.copy() for one in (state.scale, state.live, state.lowest, state.highest)
            )

    def run_to(
        self,
        stop: int,
        emit: IntArray1D | None = None,
        n_window: int = 0,
        weights: Float64Array1D | None = None,
        out: Float64Array4D | None = None,
    ) -> Float64Array4D:
        """Carry the book up to bar `stop` (exclusive) and return windows of heat, in base.

        emit: shape (n_bars,), the first bin of the window wanted after each bar, or -1 for none. n_window: bins of a window.
        weights: shape (n_leverages,), the shares of a mix; None for a map of each leverage, with unit weight.
        Returns shape (n_rows, 2, 1 or n_leverages, n_window), `out` where it is given.
        """
        market, flows = self.market, self.flows
        wanted = np.full(market.n_bars, -1, dtype=np.int64) if emit is None else emit
        groups = np.eye(self.levels.multiple.shape[1]) if weights is None else weights[None, :]
        groups = np.tile(groups, self._kinds)
        if out is None:
            out = np.empty((int((wanted[self.done : stop] >= 0).sum()), 2, groups.shape[0], n_window))
        row = 0
        buffers = np.zeros((4, min(_BLOCK, max(1, stop - self.done)), *self._scale.shape))
        direct = self._record and self._kinds == 1
        while self.done < stop:
            bars = slice(self.done, min(self.done + _BLOCK, stop))
            survival, retained, swept, live = buffers[:, : bars.stop - bars.start]
            flows.under(self._multiple, self._share, bars, survival, retained)
            if direct:
                swept, live = self.swept[bars], self.live[bars]
            elif self._record:
                swept[...] = 0.0
            opened, high, low, close = (self._places(name, bars) for name in ("open", "high", "low", "close"))
            trigger_high, trigger_low, trigger_close = high, low, close
            if market.mark_close is not None:
                trigger_high, trigger_low, trigger_close = (self._places(f"mark_{name}", bars) for name in ("high", "low", "close"))
            row += advance(
                opened, high, low, close, trigger_high, trigger_low, trigger_close, _low_first(market, bars),
                self._offsets[bars.start : bars.stop + 1], self._bins, self._traded,
                survival, retained, self.params.count_liquidations, self.grid.origin, self._shift, self._upper, self._size,
                self.book, self._scale, self._mass, self._lowest, self._highest, swept, live, wanted[bars], groups, out[row:],
            )  # fmt: skip
            if self._record and not direct:
                self.swept[bars], self.live[bars] = self._by_leverage(swept), self._by_leverage(live)
            self.done = bars.stop
        return out

    def state(self, leverage: tuple[float, ...]) -> BookState:
        """Return the book after the last bar that was reached, which must be the market's last, for the flows are there already."""
        market, levels = self.market, self.levels
        some = self._highest >= self._lowest
        first, end = (int(self._lowest[some].min()), int(self._highest[some].max()) + 1) if some.any() else (self.grid.origin,) * 2
        return BookState(
            venue=market.venue,
            symbol=market.symbol,
            interval=market.interval,
            until=int(market.timestamp[-1]) + market.interval_ns,
            params=self.params,
            leverage=leverage,
            shift=levels.shift,
            share=levels.share,
            multiple=levels.multiple,
            first=first,
            book=self.book[:, :, first - self.grid.origin : end - self.grid.origin].copy(),
            scale=self._scale.copy(),
            live=self._mass.copy(),
            lowest=self._lowest.copy(),
            highest=self._highest.copy(),
            flows=self.flows.state,
        )

    def _places(self, name: str, bars: slice) -> Float64Array1D:
        """Return a price of the market as places on the grid, log price over bin width."""
        return np.asarray(np.log(getattr(self.market, name)[bars]) / self.grid.width)

    def _by_leverage(self, columns: Float64Array3D) -> Float64Array3D:
        """Return the sum over kinds of holders, shape (n, 2, n_leverages)."""
        if self._kinds == 1:
            return columns
        half = columns.shape[2] // 2
        return columns[:, :, :half] + columns[:, :, half:]


def _low_first(market: MarketFrame, bars: slice) -> NDArray[np.bool_]:
    """Return whether the low is the nearer extreme to the open; ties go against the bar's direction, so that a rising bar dips first."""
    opened, closed = market.open[bars], market.close[bars]
    down, up = opened - market.low[bars], market.high[bars] - opened
    return np.asarray((down < up) | ((down == up) & (closed >= opened)))


def _traded(market: MarketFrame, bin_bps: float) -> tuple[IntArray1D, IntArray1D, Float64Array1D]:
    """Return where each bar traded on the book's bins: offsets by bar, bins, and shares that sum to 1 a bar."""
    if market.volume_profile is None:
        return np.zeros(market.n_bars + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    profile = market.volume_profile.in_bins(bin_bps)
    traded = profile.buy + profile.sell
    bar = np.repeat(np.arange(profile.n_bars), np.diff(profile.offsets))
    total = np.bincount(bar, weights=traded, minlength=profile.n_bars)[bar]
    some = total > 0
    offsets = np.concatenate([[0], np.cumsum(np.bincount(bar[some], minlength=profile.n_bars))])
    return offsets, profile.bin[some], traded[some] / total[some]

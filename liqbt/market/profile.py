"""VolumeProfile: where, in price, each bar traded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from liqbt._typing import Float64Array1D, Float64Array2D, IntArray1D
from liqbt.errors import ConfigError

__all__ = ["VolumeProfile"]


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeProfile:
    """What takers bought and sold in each bar, by logarithmic price bin, known at the bar's close. All arrays are read-only.

    width: of a bin, in log price; bin i holds the prices with `floor(log(price) / width) == i`.
    offsets: shape (n_bars + 1,); the rows of bar t are `offsets[t]` to `offsets[t + 1] - 1`, none where no trade was recorded.
    bin: shape (n_rows,), ascending within a bar. buy, sell: shape (n_rows,), base, by the taker's side.
    """

    width: float
    offsets: IntArray1D
    bin: IntArray1D
    buy: Float64Array1D
    sell: Float64Array1D

    def __post_init__(self) -> None:
        for name in ("offsets", "bin", "buy", "sell"):
            frozen = np.ascontiguousarray(getattr(self, name)).view()
            frozen.setflags(write=False)
            object.__setattr__(self, name, frozen)

    @property
    def n_bars(self) -> int:
        """Number of bars, those without a trade included."""
        return self.offsets.size - 1

    @property
    def price(self) -> Float64Array1D:
        """Centre of each row's bin in log price, quote, shape (n_rows,)."""
        centre: Float64Array1D = np.exp((self.bin + 0.5) * self.width)
        return centre

    @property
    def totals(self) -> Float64Array2D:
        """Base bought and sold by takers in each bar, shape (n_bars, 2); 0 where no trade was recorded."""
        bar = np.repeat(np.arange(self.n_bars), np.diff(self.offsets))
        return np.column_stack([np.bincount(bar, weights=side, minlength=self.n_bars) for side in (self.buy, self.sell)])

    def of(self, bar: int) -> tuple[IntArray1D, Float64Array1D, Float64Array1D]:
        """Return bins, bought and sold of one bar, counted from 0."""
        rows = slice(int(self.offsets[bar]), int(self.offsets[bar + 1]))
        return self.bin[rows], self.buy[rows], self.sell[rows]

    def in_bins(self, bin_bps: float) -> VolumeProfile:
        """Return the profile in bins of `bin_bps` basis points, on the grid of a book with that `bin_bps`.

        A bin goes where its centre lies: exactly, where the wider bins are whole multiples of these, else to within half of one.
        Raises ConfigError where the bins asked for are narrower than these.
        """
        from liqbt.data.aggregate import bin_width

        width = bin_width(bin_bps)
        if width < self.width * (1 - 1e-12):
            raise ConfigError(
                f"bin_bps: {bin_bps:g} is narrower than the profile's own bins of {np.expm1(self.width) * 1e4:.4g}; use wider ones"
            )
        wide = np.floor((self.bin + 0.5) * self.width / width).astype(np.int64)
        bar = np.repeat(np.arange(self.n_bars), np.diff(self.offsets))
        first = np.flatnonzero((np.diff(wide, prepend=0) != 0) | (np.diff(bar, prepend=-1) != 0))
        buy, sell = (np.add.reduceat(side, first) if first.size else side for side in (self.buy, self.sell))
        return VolumeProfile(width=width, offsets=np.searchsorted(first, self.offsets), bin=wide[first], buy=buy, sell=sell)

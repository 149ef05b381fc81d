"""LiquidationMap: one instant by price, with what price would meet on the way up and down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from liqbt._time import format_ns
from liqbt._typing import LONG, SHORT, SIDES, Float64Array1D, Float64Array2D, Float64Array3D, Float64Array4D, Side
from liqbt.errors import ConfigError
from liqbt.heatmap.axes import MapAxes, Unit, check_unit, outward

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["LiquidationMap", "MaxPain"]


@dataclass(frozen=True, kw_only=True)
class MaxPain:
    """The price at which most of one side would be liquidated.

    price: geometric centre, quote. amount: base, notional: quote, both of the bin, or of the bins around it that were taken together.
    distance: from the last price, as a fraction of it. cumulative: quote, of that side from the last price to there.
    """

    side: Side
    price: float
    amount: float
    notional: float
    distance: float
    cumulative: float


@dataclass(frozen=True, kw_only=True, eq=False)
class LiquidationMap:
    """What would be liquidated at which price, as known at one instant: a reconstruction, not a measurement.

    timestamp: UTC nanoseconds, when it was known. close: quote, the last price then. price_edges: shape (n_prices + 1,), quote.
    amount: shape (2, n_groups, n_prices), base; [0] longs, [1] shorts. groups: labels of groups of leverage, lowest first.
    explained_share, symbol, open_interest_source, synthetic: as in `MapAxes`.
    """

    timestamp: int
    close: float
    price_edges: Float64Array1D
    amount: Float64Array3D
    groups: tuple[str, ...]
    explained_share: float
    symbol: str
    open_interest_source: str
    synthetic: bool = False

    @classmethod
    def of(cls, axes: MapAxes, amount: Float64Array4D, groups: Sequence[str], instant: int | None) -> LiquidationMap:
        """Return the last snapshot known at `instant`, None for the last of all, of amounts (n_times, 2, n_groups, n_prices), base.

        Raises ConfigError where nothing was known yet.
        """
        row = axes.timestamp.size - 1 if instant is None else axes.row_at(instant)
        return cls(
            timestamp=int(axes.timestamp[row]),
            close=float(axes.close[row]),
            price_edges=axes.price_edges,
            amount=np.array(amount[row]),
            groups=tuple(groups),
            explained_share=float(axes.explained_share[row]),
            symbol=axes.symbol,
            open_interest_source=axes.open_interest_source,
            synthetic=axes.synthetic,
        )

    @property
    def price(self) -> Float64Array1D:
        """Geometric centres of the price bins, shape (n_prices,), quote."""
        return np.sqrt(self.price_edges[:-1] * self.price_edges[1:])

    @property
    def total(self) -> Float64Array2D:
        """All groups together, shape (2, n_prices), base."""
        return np.asarray(self.amount.sum(axis=1))

    def notional(self) -> Float64Array3D:
        """Return the amounts valued at their own price, shape (2, n_groups, n_prices), quote."""
        return self.amount * self.price

    def cumulative(self, unit: Unit = "quote") -> Float64Array2D:
        """Return what is liquidated on the way from the last price to the far end of each bin, shape (2, n_prices).

        [0] longs add up downwards, [1] shorts upwards, as in the two curves of the maps that services publish. Each curve is all of
        its side at the far end and 0 on the other side of price.

        Raises ConfigError for a unit other than `base` and `quote`.
        """
        check_unit(unit)
        return outward(self.total if unit == "base" else self.total * self.price)

    def on_the_way_to(self, price: float, unit: Unit = "quote") -> float:
        """Return what would be liquidated if price went straight to `price`, quote: longs below the last price, shorts above it.

        A bin counts when its centre is reached, as the book has it. Raises ConfigError for a price that is not above 0 or another unit.
        """
        check_unit(unit)
        if not (np.isfinite(price) and price > 0):
            raise ConfigError(f"price: {price!r} must be above 0")
        side = LONG if price < self.close else SHORT
        reached = self.price >= price if side == LONG else self.price <= price
        amounts = self.total[side] if unit == "base" else self.total[side] * self.price
        return float(amounts[reached].sum())

    def max_pain(self, side: Side, *, window_bps: float = 0.0, reach: float = 0.25) -> MaxPain | None:
        """Return the price at which most notional of a side would be liquidated, or None where none would.

        This is what services publish under that name (CoinGlass gives one price and one size a side): the highest single level of the
        map, not the strike-weighted price of option markets that bears the same name. Of equal levels the nearest counts.

        window_bps: half-width, in basis points, of a moving sum over price, so that a broad cluster can outweigh a lone spike; 0 for
        single bins. reach: distance from the last price, as a fraction of it, beyond which nothing counts; a convention.

        Raises ConfigError for parameters out of range.
        """
        if side not in SIDES:
            raise ConfigError(f"side: {side!r} is neither 'long' nor 'short'")
        if not 0 <= window_bps <= 1000:
            raise ConfigError(f"window_bps: {window_bps!r} must be between 0 and 1000 basis points")
        if not 0 < reach < 1:
            raise ConfigError(f"reach: {reach!r} must be a fraction of price between 0 and 1")
        at = SIDES.index(side)
        near = np.abs(self.price / self.close - 1) <= reach
        half = round(window_bps * 1e-4 / float(np.log(self.price_edges[1] / self.price_edges[0])))
        amount = np.where(near, self.total[at], 0.0)
        summed = np.convolve(amount * self.price, np.ones(2 * half + 1))[half : half + amount.size]
        if not summed.max(initial=0.0) > 0:
            return None
        hottest = np.flatnonzero(summed == summed.max())
        bin_ = int(hottest[-1] if at == LONG else hottest[0])
        inside = slice(max(0, bin_ - half), bin_ + half + 1)
        return MaxPain(
            side=side,
            price=float(self.price[bin_]),
            amount=float(amount[inside].sum()),
            notional=float((amount * self.price)[inside].sum()),
            distance=abs(float(self.price[bin_]) / self.close - 1),
            cumulative=float(self.cumulative()[at, bin_]),
        )

    def merged(self, n_prices: int) -> LiquidationMap:
        """Return at most `n_prices` bins, each the sum of as many (the last of what is left): bars of a chart still add up to the whole.

        Raises ConfigError for less than one bin.
        """
        if n_prices < 1:
            raise ConfigError(f"n_prices: {n_prices} must be at least 1")
        cells = self.price_edges.size - 1
        first = np.arange(0, cells, -(-cells // n_prices))
        return self._with(np.append(self.price_edges[first], self.price_edges[-1]), np.add.reduceat(self.amount, first, axis=2))

    def between(self, low: float, high: float) -> LiquidationMap:
        """Return the bins that overlap [low, high], quote; what lies nearer to price than these no longer counts in `cumulative`.

        Raises ConfigError where none does.
        """
        first = max(0, int(np.searchsorted(self.price_edges, low, side="right")) - 1)
        last = min(self.price_edges.size - 1, int(np.searchsorted(self.price_edges, high, side="left")))
        if not (low <= high and first < last):
            raise ConfigError(f"prices {low:g} to {high:g} lie outside of the map, {self.price_edges[0]:g} to {self.price_edges[-1]:g}")
        return self._with(self.price_edges[first : last + 1], self.amount[:, :, first:last])

    def _with(self, price_edges: Float64Array1D, amount: Float64Array3D) -> LiquidationMap:
        return LiquidationMap(**{**vars(self), "price_edges": price_edges, "amount": amount})

    def to_frame(self) -> pd.DataFrame:
        """Return one row a side and price bin that holds anything, nearest first.

        Columns: side, low, high, price (quote), distance (fraction of the last price, below 0 downwards), amount (base), notional,
        cumulative_notional (quote), cumulative_amount (base), and amount by group, `amount 50x`, where there are several.
        """
        tables = []
        for at, side in enumerate(SIDES):
            held = np.flatnonzero(self.total[at] > 0)
            rows = held[::-1] if at == LONG else held
            columns = {
                "side": np.full(rows.size, side, dtype=object),
                "low": self.price_edges[rows],
                "high": self.price_edges[rows + 1],
                "price": self.price[rows],
                "distance": self.price[rows] / self.close - 1,
                "amount": self.total[at, rows],
                "notional": (self.total[at] * self.price)[rows],
                "cumulative_amount": self.cumulative("base")[at, rows],
                "cumulative_notional": self.cumulative("quote")[at, rows],
            }
            if len(self.groups) > 1:
                columns |= {f"amount {group}": self.amount[at, i, rows] for i, group in enumerate(self.groups)}
            tables.append(pd.DataFrame(columns))
        return pd.concat(tables, ignore_index=True)

    def figure(self, *, reach: float = 0.15) -> go.Figure:
        """Return an interactive figure: bars by group of leverage and the two cumulative curves, up to `reach` from the last price."""
        from liqbt.heatmap.figures import liquidation_map_figure

        return liquidation_map_figure(self, reach=reach)

    def __repr__(self) -> str:
        below, above = self.cumulative()[0, 0], self.cumulative()[1, -1]
        return (
            f"LiquidationMap({self.symbol} at {format_ns(self.timestamp)}, price {self.close:.6g}, "
            f"longs {below:.4g} and shorts {above:.4g} in quote, groups {', '.join(self.groups)})"
        )

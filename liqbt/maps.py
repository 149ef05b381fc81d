"""Maps out of a reconstruction: by leverage, at one instant, and over an ensemble of leverage mixes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from liqbt._time import format_ns, parse_interval
from liqbt._typing import BoolArray1D, Float64Array2D, Progress
from liqbt.book.reconstruct import Reconstruction
from liqbt.errors import ConfigError
from liqbt.heatmap import LEVERAGE_GROUPS, LeverageHeat, LiquidationMap, ProbabilityMap, ZoneSize, probability_map

__all__ = ["leverage_heat", "liquidation_map", "zone_probability"]


def leverage_heat(
    book: Reconstruction, every: str | None = None, *, reach: float = 0.25, progress: Progress | None = None
) -> Iterator[LeverageHeat]:
    """Yield the map of each leverage with unit weight, some snapshots at a time; memory does not grow with history.

    every, reach: as in `Reconstruction.heatmap`, whose map is `part.mix(book.mix.weights)` of these parts, up to rounding.

    Raises ConfigError for a cadence that does not fit the market's.
    """
    step = book.market.interval_ns
    cadence = step if every is None else parse_interval(every, parameter="every")
    if cadence % step:
        raise ConfigError(f"every: {every!r} is not a multiple of the bar interval {book.market.interval}")
    close = book.market.timestamp + step
    wanted = close // cadence != (close - step) // cadence
    if not wanted.any():
        raise ConfigError(f"every: {every!r} is longer than the span of the market, {book.market.span[0]} to {book.market.span[1]}")
    return _parts(book, wanted, reach, progress)


def liquidation_map(
    book: Reconstruction, at: int | None = None, *, reach: float = 0.25, groups: Sequence[float] = LEVERAGE_GROUPS
) -> LiquidationMap:
    """Return the map by price and group of leverage as it was known at the last bar close up to `at`, UTC nanoseconds; None for the end.

    reach: distance from the last price, as a fraction of it, up to which the map goes. groups: upper bounds of all groups of leverage
    but the last. Carries the book through all bars before.

    Raises ConfigError where no bar had closed by then, or for parameters out of range.
    """
    close = book.market.timestamp + book.market.interval_ns
    bar = close.size - 1 if at is None else int(np.searchsorted(close, at, side="right")) - 1
    if bar < 0:
        raise ConfigError(f"at: no bar had closed by {format_ns(at or 0)}; the first closes at {format_ns(close[0])}")
    wanted = np.arange(close.size) == bar
    price = float(book.market.close[bar])
    (part,) = _parts(book, wanted, reach, None)
    return part.liquidation_map(book.mix.weights, groups=groups).between(price * (1 - reach), price * (1 + reach))


def zone_probability(
    book: Reconstruction,
    mixes: Float64Array2D,
    size: ZoneSize,
    every: str | None = None,
    *,
    reach: float = 0.25,
    progress: Progress | None = None,
) -> ProbabilityMap:
    """Return in which share of leverage mixes the zone around each bin is greater than `size`; see `probability_map`.

    mixes: shape (n_mixes, n_leverages), of the leverages of `book.mix`; `dirichlet_mixes(book.mix.weights, ...)` draws some around it.
    """
    return probability_map(leverage_heat(book, every, reach=reach, progress=progress), mixes, size)


def _parts(book: Reconstruction, wanted: BoolArray1D, reach: float, progress: Progress | None) -> Iterator[LeverageHeat]:
    """Yield the snapshots after the wanted bars, in a window that holds all prices traded, and `reach` more."""
    if not 0 < reach < 1:
        raise ConfigError(f"reach: {reach!r} must be a fraction of price between 0 and 1")
    market, edges = book.market, book.grid.edges
    first = max(0, int(np.searchsorted(edges, float(market.low.min()) * (1 - reach), side="right")) - 1)
    stop = min(book.grid.n_bins, int(np.searchsorted(edges, float(market.high.max()) * (1 + reach), side="left")))
    explained = book.explained_share
    bars = np.flatnonzero(wanted)
    done = 0
    for heat in book.snapshots(np.where(wanted, first, -1), stop - first, progress, by_leverage=True):
        part = bars[done : done + heat.shape[0]]
        done += heat.shape[0]
        if part.size:
            yield LeverageHeat(
                timestamp=market.timestamp[part] + market.interval_ns,
                price_edges=edges[first : stop + 1],
                close=market.close[part],
                explained_share=explained[part],
                symbol=market.symbol,
                open_interest_source=book.flows.source,
                synthetic=market.synthetic,
                leverage=book.mix.leverage,
                intensity=heat,
            )

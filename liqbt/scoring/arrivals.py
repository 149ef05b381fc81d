"""When wishes reach the market: recorded trades tell the price at an instant within a bar, and what came before and after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqbt._time import format_ns
from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError, DataError
from liqbt.market import MarketFrame
from liqbt.scoring._records import ARRIVAL
from liqbt.scoring.inputs import read_only
from liqbt.scoring.rules import TradingRules

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Trades", "arrivals_of"]

Trades: TypeAlias = "pl.DataFrame | pd.DataFrame | Iterable[pl.DataFrame | pd.DataFrame]"
"""Canonical trades: one frame, or frames in order of time, such as days, of which one is in memory at a time."""


def arrivals_of(markets: Sequence[MarketFrame], trades: Sequence[Trades] | None, rules: TradingRules) -> tuple[NDArray[Any], int]:
    """Return ARRIVAL records of each bar, shape (n_bars, n_assets), and by how many bars wishes come later than in the one after.

    markets: on the same bars. trades: of each. A latency of whole bars needs no instant within them: then there are no records.
    Else a record tells the price of the first trade stamped when wishes arrive or later, and the bar's extremes before, its open
    included, and from then on, its close included; NaN where no such trade is recorded in the bar. Trades count at the venue's own
    time, whenever they became known: nothing is decided by them.

    Raises ConfigError for a latency in milliseconds without trades; DataError where trades are not canonical or frames not in order.
    """
    if rules.latency_ms > 0 and trades is None:
        raise ConfigError("latency_ms: needs recorded trades to tell the price at that instant; pass trades, or use latency_bars")
    bars, rest = divmod(round(rules.latency_ms * 1e6), markets[0].interval_ns)
    delay = rules.latency_bars + bars
    if rest == 0 or trades is None:
        return read_only(np.empty((0, 0), dtype=ARRIVAL)), delay
    arrivals = np.empty((markets[0].n_bars, len(markets)), dtype=ARRIVAL)
    for asset, (market, one) in enumerate(zip(markets, trades, strict=True)):
        for name, column in zip(arrivals.dtype.names or (), _of_one(market, one, rest), strict=True):
            arrivals[name][:, asset] = column
    return read_only(arrivals), delay


def _of_one(market: MarketFrame, trades: Trades, rest: int) -> tuple[Float64Array1D, ...]:
    from liqbt.data.validation import canonical

    price, early_low, early_high, late_low, late_high = (np.full(market.n_bars, np.nan) for _ in range(5))
    step, first, last = market.interval_ns, int(market.timestamp[0]), 0
    for frame in _frames(trades):
        rows = canonical(frame, "trades", source="trades")
        stamp, traded = rows["timestamp"].to_physical().to_numpy(), rows["price"].to_numpy()
        if stamp.size and stamp[0] < last:
            raise DataError(
                f"trades: a frame begins at {format_ns(stamp[0])}, before the one before it ends at {format_ns(last)}; "
                "give frames in order of time"
            )
        last = int(stamp[-1]) if stamp.size else last
        inside = (stamp >= first) & (stamp < first + market.n_bars * step) & (rows["amount"].to_numpy() > 0)
        stamp, traded = stamp[inside], traded[inside]
        if not stamp.size:
            continue
        bar = (stamp - first) // step
        late = stamp - first - bar * step >= rest
        begins = np.flatnonzero((np.diff(bar, prepend=-1) != 0) | (np.diff(late, prepend=False) != 0))
        low, high = np.minimum.reduceat(traded, begins), np.maximum.reduceat(traded, begins)
        for part, lows, highs in ((~late[begins], early_low, early_high), (late[begins], late_low, late_high)):
            at = bar[begins][part]
            lows[at], highs[at] = np.fmin(lows[at], low[part]), np.fmax(highs[at], high[part])
        at = bar[begins][late[begins]]
        price[at] = np.where(np.isnan(price[at]), traded[begins][late[begins]], price[at])
    early_low, early_high = np.fmin(early_low, market.open), np.fmax(early_high, market.open)
    late_low, late_high = np.minimum(late_low, market.close), np.maximum(late_high, market.close)  # NaN stays: nothing came late
    return price, early_low, early_high, late_low, late_high


def _frames(trades: Any) -> Iterable[Any]:
    """Yield the one frame, or those of an iterable that have rows."""
    import polars as pl

    if isinstance(trades, pl.DataFrame | pd.DataFrame) or not isinstance(trades, Iterable):
        yield trades  # what is no frame is told by who checks it
    else:
        yield from (frame for frame in trades if len(frame))

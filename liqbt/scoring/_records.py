"""What the fill loop reads and writes: records, codes, and the arrays of a market by name.

Sides are signs: +1 long or buy, -1 short or sell; multiplying by the sign lets one branch serve both.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import Float64Array2D, Float64Array3D, Float64Array4D

__all__ = [
    "ACCOUNT", "ARRIVAL", "BAR", "CLOSE", "CURVE", "ENTRY", "EXIT", "FULL", "FUNDING", "IGNORE", "LIQUIDATION", "OK", "ON_OPPOSITE", "OPEN",
    "ORDER", "REASONS", "REVERSAL", "REVERSE", "RUIN", "RUINED", "SLOT", "STOP", "TARGET", "TERMS", "TIME", "TRADE", "TRAIL", "VENUE",
    "WISH", "MarketArrays", "Tally",
]  # fmt: skip

WISH: Final = np.dtype(
    [("bar", "i8"), ("asset", "i8"), ("entry", "i8"), ("exit", "i8")]
    + [(name, "f8") for name in ("stop", "target", "limit", "trigger", "trail")]
    + [("max_bars", "i8"), ("valid_bars", "i8")]
)
"""What is wanted, decided at the close of `bar`; sorted by bar, then asset, one row each. Prices as in `Signals`, NaN for none."""

ORDER: Final = np.dtype(
    [("bar", "i8"), ("asset", "i8"), ("side", "i8"), ("reason", "i8"), ("size", "f8"), ("price", "f8"), ("fee", "f8"), ("slippage", "f8")]
)
TRADE: Final = np.dtype(
    [("asset", "i8"), ("entry_bar", "i8"), ("exit_bar", "i8"), ("side", "i8"), ("reason", "i8")]
    + [(name, "f8") for name in ("amount", "entry_price", "exit_price", "fees", "funding", "slippage", "pnl", "mae", "mfe")]
)

REASONS: Final = ("open", "entry", "exit", "stop", "target", "time", "reversal", "liquidation", "funding", "trail", "ruin")
"""Names of the reason codes, in order; `open` marks a trade that has not ended."""
OPEN, ENTRY, EXIT, STOP, TARGET, TIME, REVERSAL, LIQUIDATION, FUNDING, TRAIL, RUIN = range(11)

ON_OPPOSITE: Final = ("reverse", "close", "ignore")
"""Names of the codes of what an entry against a held position does."""
REVERSE, CLOSE, IGNORE = range(3)

OK, RUINED, FULL = 0, 1, 2

BAR: Final = np.dtype(
    [("observed", "i8")]
    + [(name, "f8") for name in ("open", "high", "low", "close", "trigger_low", "trigger_high")]
    + [(name, "f8") for name in ("funding_rate", "funding_price", "volatility")]
)
"""One bar of one market. funding_price: what funding is computed at, the last mark known at the open. volatility: of log price over a
day, known at the close; NaN where it is not asked for."""

ARRIVAL: Final = np.dtype([(name, "f8") for name in ("price", "early_low", "early_high", "late_low", "late_high")])
"""Price at which orders reach the market within a bar, NaN where they do not, and its extremes before and from then on."""

VENUE: Final = np.dtype(
    [(name, "f8") for name in ("max_notional", "mark_fee", "bankrupt_fee", "posted_fee")]
    + [(name, "i8") for name in ("entry_maintenance", "marked")]
)
"""The most notional that one market's venue allows at this leverage, in quote; the closing fee that it counts by the mark value, by the
value at bankruptcy, and that is posted with the margin, as fractions; whether maintenance is asked of the value at entry; whether marks are
recorded."""

TERMS: Final = np.dtype(
    [(name, "f8") for name in ("initial_cash", "leverage", "taker", "maker", "slip", "share", "fixed", "daily", "max_share", "ruin")]
    + [(name, "i8") for name in ("latency", "cooldown", "on_opposite")]
)
"""Settings of one run. initial_cash, ruin: quote. leverage: multiple. taker, maker, slip: fractions.
share, fixed, daily, max_share: sizing; daily above 0 aims at a volatility, else fixed above 0 is quote, else share counts.
latency: bars from the open after the decision to the one that fills, or in whose course it is filled. cooldown: bars.
on_opposite: REVERSE, CLOSE or IGNORE."""

SLOT: Final = np.dtype(
    [(name, "i8") for name in ("side", "row", "entry_bar", "due", "ended", "wish", "leave", "rest", "last", "split")]
    + [(name, "f8") for name in ("amount", "entry_price", "posted", "margin", "liquidation", "stop", "target", "trail", "best")]
    + [(name, "f8") for name in ("lowest", "highest", "fees", "funding", "slippage", "known", "rest_known")]
)
"""What one asset holds (side 0 for nothing), what is wished of it (wish, leave), and the order that rests (rest); -1 is no row.

row: of its trade. due: bar of the time exit. ended: bar in which the last trade ended. last: the last bar in which the order rests.
split: whether a wish reached the market within this bar. posted, margin: isolated margin at entry and now, quote. best: the best extreme
of finished bars since entry. lowest, highest: extremes since entry. known, rest_known: equity at the decision of wish and rest.
"""

ACCOUNT: Final = np.dtype(
    [("balance", "f8")]
    + [(name, "i8") for name in ("orders", "trades", "rejected", "capped", "reduced", "starved", "cooled", "unsized", "beyond", "bookless")]
)
"""The wallet in quote, without the profit of open positions, and how much was written and refused."""


CURVE: Final = np.dtype([(name, "f8") for name in ("equity", "peak", "total", "squares", "drawdown")])
"""Equity at the last close and its peak in quote, and what `Tally` tells of the way there."""


class MarketArrays(NamedTuple):
    """What the fill loop reads of markets on the same bars, in the order in which it takes it.

    bars: BAR, shape (n_bars, n_assets). arrivals: ARRIVAL, the same shape; of no bars where orders arrive at opens.
    distance: fractions of mid, shape (n_assets, n_distances), NaN beyond a market's last. books: quote up to each distance at closes, shape
    (n_bars, n_assets, 2, n_distances), [bid, ask], NaN where not known; of no bars where slippage is fixed.
    venues: VENUE, shape (n_assets,). brackets: maintenance rates and amounts, shape (n_assets, 2, n_brackets).
    """

    bars: NDArray[Any]
    arrivals: NDArray[Any]
    distance: Float64Array2D
    books: Float64Array4D
    venues: NDArray[Any]
    brackets: Float64Array3D


class Tally(NamedTuple):
    """What a run came to.

    status: OK, RUINED or FULL. orders, trades: records, written or not.
    equity: quote, at the last close. total, squares: sum of the returns from close to close, and of their squares; that of the first bar is
    from the initial cash, and from an equity of 0 or less it is 0. drawdown: the greatest fall from a peak of equity, at closes, as
    a fraction of the peak. held: bars that closed with a position.
    rejected: entries whose stop or target was passed. capped, reduced: cut down to the venue's greatest notional, and to the free margin.
    starved, cooled, unsized: entries without free margin, in a cooldown, and whose volatility was not known.
    beyond, bookless: market orders greater than the recorded book, and without one.
    """

    status: int
    orders: int
    trades: int
    equity: float
    total: float
    squares: float
    drawdown: float
    held: int
    rejected: int
    capped: int
    reduced: int
    starved: int
    cooled: int
    unsized: int
    beyond: int
    bookless: int

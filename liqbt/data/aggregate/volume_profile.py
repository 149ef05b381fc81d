"""Volume at price: what takers bought and sold in each bar, by logarithmic price bin."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from liqbt._typing import Float64Array2D
from liqbt.data.aggregate._kernels import IntArray2D, build_profile
from liqbt.data.aggregate._trades import LATE_NS, BarSpan, TradeArrays, trade_arrays
from liqbt.data.validation import CLOCK
from liqbt.errors import ConfigError, DataError

__all__ = ["VolumeProfileBuilder", "bin_width", "volume_at_price", "volume_at_price_from_batches"]

_ROWS: Final = 65_536  # rows that one call of the kernel may write, or more where a bar needs more
_MARGIN: Final = 1_024  # bins of room on both sides, so that a drifting price seldom moves the window
_MOST_BINS: Final = 4_194_304  # at 0.1 basis points prices from 1 to 10^18; beyond it a price is wrong


def bin_width(bin_bps: float, parts: int = 1) -> float:
    """Return the width, in log price, of a bin of `bin_bps` basis points that is cut into `parts` equal ones.

    A price belongs to bin `floor(log(price) / width)`: the origin is price 1, whatever the data, as in the book's grid. Bin i of
    the whole width is made of the parts `i * parts` to `(i + 1) * parts - 1`.

    Raises ConfigError where `bin_bps` is not from 0.1 to 100, or `parts` not from 1 to 100.
    """
    if not 0.1 <= bin_bps <= 100:
        raise ConfigError(f"bin_bps: {bin_bps!r} must be between 0.1 and 100 basis points")
    if not (isinstance(parts, int) and 1 <= parts <= 100):
        raise ConfigError(f"parts: {parts!r} must be a whole number from 1 to 100")
    return math.log1p(bin_bps * 1e-4) / parts


class VolumeProfileBuilder:
    """Volume at price from trades that come in batches, bit for bit that of all trades at once.

    A bar is handed out when a trade of a later bar comes, and the last one by `finish`. See `volume_at_price`.
    anchor_ns: an instant at which a bar opens, UTC nanoseconds; None for the grid of `bars_from_trades`.
    """

    def __init__(
        self,
        interval: str,
        bin_bps: float = 1.0,
        *,
        parts: int = 1,
        start_ns: int | None = None,
        end_ns: int | None = None,
        anchor_ns: int | None = None,
    ) -> None:
        self.width = bin_width(bin_bps, parts)
        self._span = BarSpan.of(interval, start_ns=start_ns, end_ns=end_ns, anchor_ns=anchor_ns)
        self._clocks = np.array([0, 0, 0, -1], dtype=np.int64)
        self._base = 0
        self._held: Float64Array2D = np.zeros((4, 0))
        self._seen = 0
        self._last: int | None = None

    def add(self, trades: pl.DataFrame) -> pl.DataFrame:
        """Take the next batch of canonical trades and return the rows of the bars that it closed; raises as `BarBuilder.add`.

        DataError also where prices lie so far apart that no market could have had them.
        """
        batch = trade_arrays(trades, before=self._seen, last=self._last)
        if batch.timestamp.size:
            self._seen += batch.timestamp.size
            self._last = int(batch.timestamp[-1])
        return self._run(batch.within(self._span))

    def finish(self) -> pl.DataFrame:
        """Return the rows of the last bar; none where there was no trade since it was asked last."""
        if self._clocks[3] < self._clocks[2]:
            return _frame(np.empty((0, 3), dtype=np.int64), np.empty((0, 2)), self.width)
        inside = math.exp((self._base + self._clocks[2] + 0.5) * self.width)
        rows = self._run(TradeArrays.one_at(int(self._clocks[0]) + self._span.step, inside))  # a trade of the next bar closes this one
        self._clocks[2:] = 0, -1
        return rows

    def _run(self, batch: TradeArrays) -> pl.DataFrame:
        pieces, reached = [], 0
        if batch.timestamp.size:
            self._cover(float(batch.price.min()), float(batch.price.max()))
        while reached < batch.timestamp.size:
            rows = max(_ROWS, self._held.shape[1])
            clocks, amounts = np.empty((rows, 3), dtype=np.int64), np.empty((rows, 2))
            reached, rows = build_profile(
                reached, batch.timestamp, batch.available, batch.price, batch.amount, batch.buy,
                self._span.step, self._span.anchor, LATE_NS, self.width, self._base, self._clocks, self._held, clocks, amounts,
            )  # fmt: skip
            pieces.append(_frame(clocks[:rows], amounts[:rows], self.width))
        return pl.concat(pieces) if pieces else _frame(np.empty((0, 3), dtype=np.int64), np.empty((0, 2)), self.width)

    def _cover(self, lowest: float, highest: float) -> None:
        """Widen the window of bins so that it holds these prices."""
        first, last = (math.floor(math.log(price) / self.width) for price in (lowest, highest))
        size = self._held.shape[1]
        if size and self._base < first and last < self._base + size - 1:
            return
        first, last = first - _MARGIN, last + _MARGIN
        if size:
            first, last = min(first, self._base), max(last, self._base + size - 1)
        if last - first >= _MOST_BINS:
            raise DataError(f"trades: prices from {lowest!r} to {highest!r} are too far apart for one market; check the recording")
        held = np.zeros((4, last - first + 1))
        moved = self._base - first if size else 0
        held[:, moved : moved + size] = self._held
        self._clocks[2:] += moved
        self._base, self._held = first, held


def volume_at_price(
    trades: pl.DataFrame,
    interval: str,
    bin_bps: float = 1.0,
    *,
    parts: int = 1,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> pl.DataFrame:
    """Return what takers bought and sold in each bar, by price bin: a row for each bin of a bar in which anything traded.

    trades: canonical table `trades`, in order of time. interval, start_ns, end_ns: as in `bars_from_trades`.
    bin_bps: width of a bin in basis points of price, cut into `parts` bins of equal width in log price, so that bin `i` belongs to
    bin `i // parts` of the book's grid of `bin_bps`.

    Columns: timestamp (bar open), available_at (as of the bar), bin (absolute, see `bin_width`), price (quote, the centre of the
    bin in log price), buy and sell (base, by taker). Sorted by timestamp and bin. Summed over bins and sides a bar gives the
    volume of `bars_from_trades` to within rounding.

    Raises DataError naming the row of a trade that is none; ConfigError for a bad interval, span or bin width.
    """
    return volume_at_price_from_batches([trades], interval, bin_bps, parts=parts, start_ns=start_ns, end_ns=end_ns)


def volume_at_price_from_batches(
    batches: Iterable[pl.DataFrame],
    interval: str,
    bin_bps: float = 1.0,
    *,
    parts: int = 1,
    start_ns: int | None = None,
    end_ns: int | None = None,
) -> pl.DataFrame:
    """Return `volume_at_price` of trades that come in batches, in order of time: the same bits, wherever they are cut."""
    builder = VolumeProfileBuilder(interval, bin_bps, parts=parts, start_ns=start_ns, end_ns=end_ns)
    pieces = [builder.add(batch) for batch in batches]
    return pl.concat([*pieces, builder.finish()])


def _frame(clocks: IntArray2D, amounts: Float64Array2D, width: float) -> pl.DataFrame:
    instants = [pl.Series(name, clocks[:, k]).cast(CLOCK) for k, name in enumerate(("timestamp", "available_at"))]
    price = np.exp((clocks[:, 2] + 0.5) * width)
    return pl.DataFrame(
        [
            *instants,
            pl.Series("bin", clocks[:, 2]),
            pl.Series("price", price),
            *(pl.Series(name, amounts[:, k]) for k, name in enumerate(("buy", "sell"))),
        ]
    )

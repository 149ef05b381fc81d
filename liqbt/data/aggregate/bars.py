"""Bars from trades."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from liqbt._typing import Float64Array2D
from liqbt.data.aggregate._kernels import IntArray2D, build_bars
from liqbt.data.aggregate._trades import LATE_NS, BarSpan, TradeArrays, trade_arrays
from liqbt.data.validation import CLOCK

__all__ = ["BarBuilder", "bars_from_batches", "bars_from_trades"]

_VALUES: Final = ("open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume")
_ROWS: Final = 65_536  # bars that one call of the kernel may close


class BarBuilder:
    """Bars from trades that come in batches, bit for bit those of all trades at once.

    A bar is handed out when a trade of a later bar comes, and the last one by `finish`. See `bars_from_trades`.
    """

    def __init__(self, interval: str, *, start_ns: int | None = None, end_ns: int | None = None) -> None:
        self._span = BarSpan.of(interval, start_ns=start_ns, end_ns=end_ns)
        self._clocks = np.zeros(3, dtype=np.int64)
        self._values = np.zeros(10)
        self._seen = 0
        self._last: int | None = None

    def add(self, trades: pl.DataFrame) -> pl.DataFrame:
        """Take the next batch of canonical trades and return the bars that it closed.

        Raises DataError naming the row where a trade is no trade or earlier than the one before it; the builder is then spent.
        """
        batch = trade_arrays(trades, before=self._seen, last=self._last)
        if batch.timestamp.size:
            self._seen += batch.timestamp.size
            self._last = int(batch.timestamp[-1])
        return self._run(batch.within(self._span))

    def finish(self) -> pl.DataFrame:
        """Return the last bar, as far as its trades go; no rows where there was no trade since it was asked last."""
        if self._clocks[1] == 0:
            return _frame(np.empty((0, 3), dtype=np.int64), np.empty((0, len(_VALUES))))
        bar = self._run(TradeArrays.one_at(int(self._clocks[0]) + self._span.step))  # a trade of the next bar closes this one
        self._clocks[1] = 0
        return bar

    def _run(self, batch: TradeArrays) -> pl.DataFrame:
        pieces, reached = [], 0
        while reached < batch.timestamp.size:
            rows = min(_ROWS, batch.timestamp.size)
            clocks, values = np.empty((rows, 3), dtype=np.int64), np.empty((rows, len(_VALUES)))
            reached, rows = build_bars(
                reached, batch.timestamp, batch.available, batch.price, batch.amount, batch.buy,
                self._span.step, self._span.anchor, LATE_NS, self._clocks, self._values, clocks, values,
            )  # fmt: skip
            pieces.append(_frame(clocks[:rows], values[:rows]))
        return pl.concat(pieces) if pieces else _frame(np.empty((0, 3), dtype=np.int64), np.empty((0, len(_VALUES))))


def _frame(clocks: IntArray2D, values: Float64Array2D) -> pl.DataFrame:
    instants = [pl.Series(name, clocks[:, k]).cast(CLOCK) for k, name in enumerate(("timestamp", "available_at"))]
    columns = [pl.Series(name, values[:, k]) for k, name in enumerate(_VALUES)]
    return pl.DataFrame([*instants, *columns, pl.Series("trade_count", clocks[:, 2])])


def bars_from_trades(trades: pl.DataFrame, interval: str, *, start_ns: int | None = None, end_ns: int | None = None) -> pl.DataFrame:
    """Return the canonical table `bars` of these trades: open, high, low, close, volumes and trade count.

    trades: canonical table `trades`, in order of time; trades of one instant keep their order.
    interval: such as `5m`. Bars open at whole multiples of it since the epoch, bars of whole weeks on Mondays.
    start_ns, end_ns: UTC nanoseconds; only bars with `start_ns <= timestamp < end_ns`, each whole.

    There are only bars with trades. Every trade counts in the bar of its own timestamp. A bar is known at its close, as a
    recorded candle is: that the trades of its last moments are milliseconds on their way concerns whoever acts on it, and fills
    wait for the next bar. Where a trade became known more than `LATE_NS` after the close, so did the bar: its
    `available_at` is that of its latest trade, and `MarketFrame` will not take it as known at its close. The first and the last
    bar hold what was recorded of them. Volumes are compensated sums, so they are off by rounding once and not once a trade.

    Raises DataError naming the row of a trade that is none; ConfigError for a bad interval or span.
    """
    return bars_from_batches([trades], interval, start_ns=start_ns, end_ns=end_ns)


def bars_from_batches(
    batches: Iterable[pl.DataFrame], interval: str, *, start_ns: int | None = None, end_ns: int | None = None
) -> pl.DataFrame:
    """Return `bars_from_trades` of trades that come in batches, in order of time: the same bits, wherever they are cut."""
    builder = BarBuilder(interval, start_ns=start_ns, end_ns=end_ns)
    pieces = [builder.add(batch) for batch in batches]
    return pl.concat([*pieces, builder.finish()])

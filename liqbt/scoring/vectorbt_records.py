"""What vectorbt was asked to fill, and its order records read as our Fills."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.market import MarketFrame
from liqbt.scoring._records import ENTRY, EXIT, OPEN, ORDER, REVERSAL, STOP, TARGET, TIME, TRADE, TRAIL
from liqbt.scoring.fills import Fills
from liqbt.scoring.rules import OnOpposite

__all__ = ["Trip", "VectorbtRun", "fills_of", "trips_of"]

_ROUNDING: Final = 1e-9  # relative: what vectorbt takes for nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class VectorbtRun:
    """What vectorbt is asked, one row an observed bar; all arrays have shape (n_observed,).

    bar: index into the market's bars. open, high, low, close: quote.
    side: of the entry to be filled here, 0 for none. refused: side of an entry whose stop or target was already passed, 0 for none; it
    still closes a position against it. leave: an exit is filled here. max_bars: of the entry, 0 for never.
    stop, target: of the entry, as fractions of its fill price, NaN for none. trailing: whether that stop trails.
    size: of the entry, base or a share of the cash, infinite for all of it. slippage: fraction. slipped_targets: whether targets pay it.
    on_opposite: as in `TradingRules`.
    """

    bar: IntArray1D
    open: Float64Array1D
    high: Float64Array1D
    low: Float64Array1D
    close: Float64Array1D
    side: IntArray1D
    refused: IntArray1D
    leave: BoolArray1D
    max_bars: IntArray1D
    stop: Float64Array1D
    target: Float64Array1D
    trailing: BoolArray1D
    size: Float64Array1D
    slippage: float
    slipped_targets: bool
    on_opposite: OnOpposite


@dataclass(kw_only=True, eq=False)
class Trip:
    """A round trip by rows of the run.

    entry, closings: orders as (row, size, price, fee); one order closes but where cash did not suffice to buy back a short.
    exit: row after which nothing was left, -1 while open.
    """

    side: int
    entry: tuple[int, float, float, float]
    closings: list[tuple[int, float, float, float]] = field(default_factory=list)
    exit: int = -1


def trips_of(records: Any) -> list[Trip]:
    """Return the round trips of vectorbt's order records of one column; a reversal is cut in two, its fee by size."""
    trips: list[Trip] = []
    held = 0.0
    columns = [np.asarray(records[name]).tolist() for name in ("idx", "size", "price", "fees", "side")]
    for row, size, price, fee, code in zip(*columns, strict=True):
        side, left = 1 - 2 * code, size  # vectorbt's Buy is 0, Sell is 1
        if held * side < 0:
            part = min(size, abs(held))
            trips[-1].closings.append((row, part, price, fee * part / size))
            left, held = size - part, held + side * part
            if abs(held) <= _ROUNDING * trips[-1].entry[1]:
                trips[-1].exit, held = row, 0.0
        if left > _ROUNDING * size:
            trips.append(Trip(side=side, entry=(row, left, price, fee * left / size)))
            held = side * left
    return trips


def fills_of(
    run: VectorbtRun, trips: list[Trip], due: IntArray1D, market: MarketFrame, *, value: Float64Array1D, initial_cash: float, ruin: float
) -> Fills:
    """Return the records of these trips in our form.

    due: where time was up, by row. value: vectorbt's value at each row's close in quote; in unobserved bars it stands still.
    initial_cash: quote, the equity before the first row. ruin: quote, value at or below which the account counts as ruined.
    """
    orders = np.zeros(sum(1 + len(trip.closings) for trip in trips), dtype=ORDER)
    trades = np.zeros(len(trips), dtype=TRADE)
    position = np.zeros(run.bar.size, dtype=np.int8)
    n = 0
    for trade, trip in zip(trades, trips, strict=True):
        first, amount, entry_price, _ = trip.entry
        ended = trip.exit >= 0
        inside = slice(first, trip.exit if ended else None)
        position[inside] = trip.side
        own = orders[n : n + 1 + len(trip.closings)]
        n += own.size
        _write(own[0], run, trip.entry, trip.side, ENTRY, run.slippage)
        for order, closing in zip(own[1:], trip.closings, strict=True):
            reason = _why(run, trip, closing[0], int(due[closing[0]]))
            _write(order, run, closing, -trip.side, reason, 0.0 if reason == TARGET and not run.slipped_targets else run.slippage)
        left = 0.0 if ended else amount - float(own["size"][1:].sum())
        returned = float((own["size"][1:] * own["price"][1:]).sum())
        trade["entry_bar"], trade["exit_bar"], trade["side"] = run.bar[first], run.bar[trip.exit] if ended else -1, trip.side
        trade["reason"] = own["reason"][-1] if ended else OPEN
        trade["amount"], trade["entry_price"], trade["exit_price"] = amount, entry_price, returned / amount if ended else np.nan
        trade["fees"], trade["slippage"] = own["fee"].sum(), own["slippage"].sum()
        trade["pnl"] = trip.side * (returned + left * run.close[-1] - amount * entry_price) - trade["fees"]
        seen = np.concatenate([run.low[inside], run.high[inside], own["price"]])  # of the last bar only the exit price counts
        moves = trip.side * (seen - entry_price) / entry_price
        trade["mae"], trade["mfe"] = -moves.min(), moves.max()  # the entry's own price is among them, so neither is below 0
    begun = np.cumsum(market.observed)  # rows so far
    fills = Fills(
        orders=orders,
        trades=trades,
        equity=np.append(initial_cash, value)[begun],
        position=np.append(np.int8(0), position)[begun],
        rejected=_rejected(run, position, due),
        capped=0,
        ruined=bool((value <= ruin).any()),
    )
    for array in (fills.orders, fills.trades, fills.equity, fills.position):
        array.setflags(write=False)
    return fills


def _write(record: Any, run: VectorbtRun, order: tuple[int, float, float, float], side: int, reason: int, slip: float) -> None:
    row, size, price, fee = order
    record["bar"], record["side"], record["reason"] = run.bar[row], side, reason
    record["size"], record["price"], record["fee"] = size, price, fee
    record["slippage"] = size * abs(price - price / (1.0 + side * slip))


def _why(run: VectorbtRun, trip: Trip, row: int, due: int) -> int:
    """Return why the trip was closed in this row, in vectorbt's order: stop, target, and what was wished for the open."""
    first, _, price, _ = trip.entry
    for level, reason, losing in ((run.stop[first], STOP, True), (run.target[first], TARGET, False)):
        start = price
        if reason == STOP and run.trailing[first]:
            extremes = (run.high if trip.side > 0 else run.low)[first + 1 : row]
            start = max(price, extremes.max(initial=price)) if trip.side > 0 else min(price, extremes.min(initial=price))
        below = (trip.side > 0) == losing
        price_of = start * (1.0 - level if below else 1.0 + level)  # as vectorbt computes it, to the bit
        gone = run.open[row] <= price_of if below else price_of <= run.open[row]
        if gone or run.low[row] <= price_of <= run.high[row]:
            return TRAIL if reason == STOP and run.trailing[first] else reason
    if run.leave[row]:
        return EXIT
    if due != 0:
        return TIME
    return REVERSAL if run.on_opposite == "reverse" else EXIT


def _rejected(run: VectorbtRun, position: NDArray[np.int8], due: IntArray1D) -> int:
    before = np.where(run.leave | (due != 0), 0, np.append(0, position[:-1]))
    looked_at = run.refused != before if run.on_opposite == "reverse" else before == 0
    return int(np.count_nonzero((run.refused != 0) & looked_at))

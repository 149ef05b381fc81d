"""Signals: what a strategy wants, decided at a bar's close."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from liqbt._time import format_ns, to_index
from liqbt._typing import BoolArray1D, Float64Array1D, Int8Array1D, IntArray1D
from liqbt.errors import ConfigError

if TYPE_CHECKING:
    from liqbt.market import MarketFrame

__all__ = ["Signals"]

MAX_BARS: Final = 2**31  # more bars than any market has
_PRICES: Final = ("stop_price", "target_price", "limit_price", "trigger_price", "trailing_stop")


@dataclass(frozen=True, kw_only=True, eq=False)
class Signals:
    """Wishes of a strategy, one a bar, each decided with what is known at that bar's close.

    They say nothing about fills: `liqbt.scoring` executes them at a later price and is the only place that adds a delay.

    All arrays have shape (n_bars,). Everything but `exit` belongs to the entry of the same bar and is empty in bars without one.
    timestamp: bar open, UTC nanoseconds.
    entry: +1 to be long, -1 to be short, 0 for no wish; an entry against an open position reverses it.
    exit: True to close whatever is open, and to take back an order that rests.
    limit_price: quote; enter by a limit order that rests at this price. NaN for none.
    trigger_price: quote; enter by a market order once price has come to this one (a stop entry). NaN for none; without a limit
    or a trigger the entry is a market order. valid_bars: how many bars such an order rests, 0 until it is replaced or taken back.
    stop_price, target_price: quote, NaN for none. trailing_stop: distance of a stop that follows the best price since entry, as a
    fraction of it, NaN for none. max_bars: close after this many bars, 0 for never.
    name, parameters: the strategy and its settings, for the record. dropped: entries left out because no trader would send them.
    """

    timestamp: IntArray1D
    entry: Int8Array1D
    exit: BoolArray1D
    stop_price: Float64Array1D
    target_price: Float64Array1D
    max_bars: IntArray1D
    limit_price: Float64Array1D
    trigger_price: Float64Array1D
    valid_bars: IntArray1D
    trailing_stop: Float64Array1D
    name: str = "unnamed"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    dropped: int = 0

    @classmethod
    def of(
        cls,
        market: MarketFrame,
        *,
        entry: ArrayLike,
        exit: ArrayLike | None = None,  # noqa: A002 - the field's standard name, as in vectorbt
        stop_price: ArrayLike | None = None,
        target_price: ArrayLike | None = None,
        max_bars: ArrayLike = 0,
        limit_price: ArrayLike | None = None,
        trigger_price: ArrayLike | None = None,
        valid_bars: ArrayLike = 1,
        trailing_stop: ArrayLike | None = None,
        name: str = "unnamed",
        parameters: Mapping[str, Any] | None = None,
    ) -> Signals:
        """Build signals for the bars of `market` from arrays, Series or scalars of shape (n_bars,) or ().

        Entries that no trader would send are dropped and counted: whose stop is not on the losing side of the price at which they
        would be filled, or whose target is not on the winning side (the limit or the trigger; the close for market orders), and
        whose trigger is not beyond the close in the direction of the entry, for it would fire at once.

        Raises ConfigError for a wrong length, an entry other than -1, 0, 1, an entry with both a limit and a trigger, a `trailing_stop`
        that is not between 0 and 1, and a negative `max_bars` or `valid_bars`.
        """
        count = market.n_bars

        def column(value: ArrayLike | None, missing: float, label: str) -> Float64Array1D:
            array = np.asarray(missing if value is None else value, dtype=np.float64)
            if array.shape not in ((), (count,)):
                raise ConfigError(f"{name}: {label} has shape {array.shape}, the market has {count} bars")
            return np.array(np.broadcast_to(array, (count,)))

        def bars(value: ArrayLike, label: str) -> IntArray1D:
            held = np.nan_to_num(column(value, 0.0, label), nan=0.0)
            wrong = ~((held >= 0) & (held <= MAX_BARS))
            if wrong.any():
                raise ConfigError(f"{name}: {label} is {held[wrong][0]!r}; it must be a number of bars from 0 to {MAX_BARS}")
            return np.where(wanted != 0, held, 0.0).astype(np.int64)

        wanted = np.nan_to_num(column(entry, 0.0, "entry"), nan=0.0)
        if not np.isin(wanted, (-1.0, 0.0, 1.0)).all():
            bar = int((~np.isin(wanted, (-1.0, 0.0, 1.0))).argmax())
            raise ConfigError(f"{name}: entry is {wanted[bar]!r} at {format_ns(market.timestamp[bar])}; it must be -1, 0 or 1")
        given = (stop_price, target_price, limit_price, trigger_price, trailing_stop)
        prices = {label: column(value, np.nan, label) for label, value in zip(_PRICES, given, strict=True)}
        stop, target, limit, trigger, trail = prices.values()
        for label, wrong, remedy in (
            ("trailing_stop", ~((trail > 0) & (trail < 1)) & ~np.isnan(trail), "it must be a fraction of price between 0 and 1"),
            ("trigger_price", ~np.isnan(trigger) & ~np.isnan(limit), "an entry has a limit or a trigger, not both"),
        ):
            at = wrong & (wanted != 0)
            if at.any():
                bar = int(at.argmax())
                raise ConfigError(f"{name}: {label} is {float(prices[label][bar])!r} at {format_ns(market.timestamp[bar])}; {remedy}")
        filled_at = np.where(np.isnan(limit), np.where(np.isnan(trigger), market.close, trigger), limit)
        senseless = (wanted * (filled_at - stop) <= 0) | (wanted * (target - filled_at) <= 0)  # NaN compares False
        senseless |= wanted * (trigger - market.close) <= 0
        senseless &= wanted != 0
        wanted[senseless] = 0.0
        for price in prices.values():
            price[wanted == 0] = np.nan
        return cls(
            timestamp=market.timestamp,
            entry=wanted.astype(np.int8),
            exit=np.nan_to_num(column(exit, 0.0, "exit"), nan=0.0).astype(np.bool_),
            max_bars=bars(max_bars, "max_bars"),
            valid_bars=bars(valid_bars, "valid_bars"),
            **prices,
            name=name,
            parameters=dict(parameters or {}),
            dropped=int(senseless.sum()),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bar, indexed by bar open time."""
        columns = {key: value for key, value in vars(self).items() if isinstance(value, np.ndarray) and key != "timestamp"}
        return pd.DataFrame(columns, index=to_index(self.timestamp))

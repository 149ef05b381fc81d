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


@dataclass(frozen=True, kw_only=True, eq=False)
class Signals:
    """Wishes of a strategy, one a bar, each decided with what is known at that bar's close.

    They say nothing about fills: `liqbt.scoring` executes them at a later price and is the only place that adds a delay.

    All arrays have shape (n_bars,).
    timestamp: bar open, UTC nanoseconds.
    entry: +1 to be long, -1 to be short, 0 for no wish; an entry against an open position reverses it.
    exit: True to close whatever is open. stop_price, target_price: quote, NaN for none; they belong to the entry of the same bar.
    max_bars: close after this many bars, 0 for never; belongs to the entry of the same bar.
    name, parameters: the strategy and its settings, for the record. dropped: entries left out because no trader would send them.
    """

    timestamp: IntArray1D
    entry: Int8Array1D
    exit: BoolArray1D
    stop_price: Float64Array1D
    target_price: Float64Array1D
    max_bars: IntArray1D
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
        name: str = "unnamed",
        parameters: Mapping[str, Any] | None = None,
    ) -> Signals:
        """Build signals for the bars of `market` from arrays, Series or scalars of shape (n_bars,) or ().

        Entries whose stop is not on the losing side of the close, or whose target is not on the winning side, are
        dropped, for no trader would send them, and counted.

        Raises ConfigError for a wrong length, an entry other than -1, 0, 1, or a negative `max_bars`.
        """
        count = market.n_bars

        def column(value: ArrayLike | None, missing: float, label: str) -> Float64Array1D:
            array = np.asarray(missing if value is None else value, dtype=np.float64)
            if array.shape not in ((), (count,)):
                raise ConfigError(f"{name}: {label} has shape {array.shape}, the market has {count} bars")
            return np.array(np.broadcast_to(array, (count,)))

        wanted = np.nan_to_num(column(entry, 0.0, "entry"), nan=0.0)
        if not np.isin(wanted, (-1.0, 0.0, 1.0)).all():
            bar = int((~np.isin(wanted, (-1.0, 0.0, 1.0))).argmax())
            raise ConfigError(f"{name}: entry is {wanted[bar]!r} at {format_ns(market.timestamp[bar])}; it must be -1, 0 or 1")
        held = np.nan_to_num(column(max_bars, 0.0, "max_bars"), nan=0.0)
        if not ((held >= 0) & (held <= MAX_BARS)).all():
            raise ConfigError(
                f"{name}: max_bars is {held[~((held >= 0) & (held <= MAX_BARS))][0]!r}; it must be a number of bars from 0 to {MAX_BARS}"
            )
        stop, target = column(stop_price, np.nan, "stop_price"), column(target_price, np.nan, "target_price")
        senseless = (wanted * (market.close - stop) <= 0) | (wanted * (target - market.close) <= 0)  # NaN compares False
        senseless &= wanted != 0
        wanted[senseless] = 0.0
        idle = wanted == 0
        stop[idle], target[idle], held[idle] = np.nan, np.nan, 0.0
        return cls(
            timestamp=market.timestamp,
            entry=wanted.astype(np.int8),
            exit=np.nan_to_num(column(exit, 0.0, "exit"), nan=0.0).astype(np.bool_),
            stop_price=stop,
            target_price=target,
            max_bars=held.astype(np.int64),
            name=name,
            parameters=dict(parameters or {}),
            dropped=int(senseless.sum()),
        )

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bar, indexed by bar open time."""
        names = ("entry", "exit", "stop_price", "target_price", "max_bars")
        return pd.DataFrame({name: getattr(self, name) for name in names}, index=to_index(self.timestamp))

"""Liquidations as venues tell them: all, or one a second."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from liqbt._typing import IntArray1D
from liqbt.data.validation import canonical

from ._layout import KILLED
from ._simulation import Simulation
from ._tables import clocked, opens
from ._units import base, price, side_names, stamp
from .params import SyntheticParams

__all__ = ["liquidations_table", "throttled_table", "throttled_totals_table"]

_SECOND_NS: Final = 1_000_000_000


def liquidations_table(simulation: Simulation) -> pl.DataFrame:
    """Return every liquidation of the recorded bars, stamped where the mark reaches it on its way from one point to the next.

    price: of the trade that closes it, between the last prices at both points.
    """
    params, killed = simulation.params, np.concatenate([*simulation.killed, np.empty(0, dtype=KILLED)])
    frame = pl.DataFrame(
        {
            "timestamp": stamp(params, killed["time"]),
            "side": side_names(killed["side"]),
            "amount": base(params, killed["lots"]),
            "price": price(params, killed["ticks"]),
            "bankruptcy_price": np.ascontiguousarray(killed["bankrupt"]),
        }
    )
    return _events(frame.with_columns(available_at=pl.col("timestamp")))


def throttled_table(params: SyntheticParams, liquidations: pl.DataFrame) -> pl.DataFrame:
    """Return at most one liquidation of each whole second of UTC, the largest or the latest, known when the second is over.

    Source: Binance's documentation of its forceOrder stream, one a symbol and 1000 ms.
    """
    second = liquidations["timestamp"].to_physical().to_numpy() // _SECOND_NS
    order = np.arange(second.size)
    if params.throttle == "largest":  # the first of equal ones
        order = np.lexsort((-order, liquidations["amount"].to_numpy(), second))
    kept = order[np.append(np.diff(second[order]) > 0, True)[: order.size]]
    known = (second[kept] + 1) * _SECOND_NS
    return _events(liquidations[np.asarray(kept)].with_columns(available_at=pl.Series(known)))


def throttled_totals_table(params: SyntheticParams, throttled: pl.DataFrame) -> pl.DataFrame:
    """Return the amounts of the throttled feed by bar."""
    bar: IntArray1D = (throttled["timestamp"].to_physical().to_numpy() - params.start_ns) // params.interval_ns
    amount, long = throttled["amount"].to_numpy(), (throttled["side"] == "long").to_numpy()
    sums = {
        name: np.bincount(bar[part], weights=amount[part], minlength=params.n_bars) for name, part in (("long", long), ("short", ~long))
    }
    frame = clocked(pl.DataFrame({"timestamp": opens(params)} | sums))
    return canonical(frame, "liquidation_totals", source="synthetic throttled totals", interval=params.interval)


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    frame = clocked(frame).select("timestamp", "available_at", pl.exclude("timestamp", "available_at"))
    if frame.is_empty():  # a canonical table has rows, but a calm week without liquidations is no error
        return frame.with_columns(pl.col("side").cast(pl.Enum(("long", "short"))))
    return canonical(frame, "liquidations", source="synthetic liquidations")

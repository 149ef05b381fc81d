"""Canonical tables of what a venue would publish."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import polars as pl

from liqbt._typing import LONG, SHORT, Float64Array1D, IntArray1D
from liqbt.data.validation import CLOCK, canonical

from ._accounting import Stock
from ._layout import LIQUIDATED
from ._simulation import Simulation
from ._units import base, price, stamp
from .params import SyntheticParams

__all__ = [
    "bars_table", "clocked", "funding_table", "mark_table", "open_interest_table", "opens", "table_sha256", "totals_table",
    "trades_table",
]  # fmt: skip

_TAKER: Final = pl.Enum(("buy", "sell"))
_FUNDING_NS: Final = 8 * 3_600_000_000_000
# Binance's funding rate: premium + clamp(interest - premium, -0.05 %, 0.05 %), interest 0.01 % in 8 hours, capped by symbol.
_INTEREST, _CLAMP, _FUNDING_CAP = 0.0001, 0.0005, 0.0075


def bars_table(simulation: Simulation) -> pl.DataFrame:
    """Return the recorded bars: each opens with a trade at the last price of the bar before."""
    params, bars = simulation.params, simulation.bars[simulation.params.n_warmup_bars :]
    columns = {name: price(params, bars[name]) for name in ("open", "high", "low", "close")}
    columns |= {
        "volume": base(params, bars["volume"]),
        "quote_volume": bars["value"] * (params.tick_size * params.lot_size),
        "taker_buy_volume": base(params, bars["bought"]),
        "trade_count": bars["trades"],
    }
    return canonical(
        clocked(pl.DataFrame({"timestamp": opens(params)} | columns)), "bars", source="synthetic bars", interval=params.interval
    )


def mark_table(simulation: Simulation) -> pl.DataFrame:
    """Return the mark's bars, from the mark at the end of the bar before on."""
    params, bars = simulation.params, simulation.bars[simulation.params.n_warmup_bars :]
    columns = {name: np.ascontiguousarray(bars[f"mark_{name}"]) for name in ("open", "high", "low", "close")}
    return canonical(
        clocked(pl.DataFrame({"timestamp": opens(params)} | columns)), "mark", source="synthetic mark", interval=params.interval
    )


def trades_table(simulation: Simulation) -> pl.DataFrame | None:
    """Return every trade, in order; None where they were not kept. Bars made of them are those of `bars_table`."""
    params = simulation.params
    if not params.trades:
        return None
    parts = []
    while simulation.tape:
        tape = simulation.tape.pop(0)
        parts.append(
            pl.DataFrame(
                {
                    "timestamp": stamp(params, tape["time"]),
                    "price": price(params, tape["ticks"]),
                    "amount": base(params, tape["lots"]),
                    "side": pl.Series(tape["buy"].astype(np.uint8)).replace_strict([1, 0], ["buy", "sell"], return_dtype=_TAKER),
                }
            )
        )
    frame = pl.concat(parts)
    return canonical(clocked(frame.with_row_index("id")), "trades", source="synthetic trades")


def open_interest_table(params: SyntheticParams, open_interest: Float64Array1D, close: Float64Array1D) -> pl.DataFrame:
    """Return one snapshot at the end of each recorded bar; both arrays of shape (n_bars,)."""
    ends = opens(params) + params.interval_ns
    frame = pl.DataFrame({"timestamp": ends, "open_interest": open_interest, "open_interest_value": open_interest * close})
    return canonical(clocked(frame), "open_interest", source="synthetic open interest")


def funding_table(params: SyntheticParams, stock: Stock) -> pl.DataFrame:
    """Return the rates at 0, 8 and 16 hours UTC, by Binance's formula.

    The premium is the mean imbalance of leveraged traders at the bars that ended in the eight hours before, times the
    sensitivity.
    """
    total = stock.crowd.sum(axis=1)
    imbalance = np.divide(stock.crowd[:, LONG] - stock.crowd[:, SHORT], total, out=np.zeros(total.size), where=total > 0)
    end = params.start_ns + params.n_bars * params.interval_ns
    stamps = np.arange(-(-params.start_ns // _FUNDING_NS) * _FUNDING_NS, end, _FUNDING_NS, dtype=np.int64)
    sums = np.concatenate([[0.0], np.cumsum(imbalance)])
    last = (stamps - params.start_ns) // params.interval_ns + params.n_warmup_bars  # bars that ended by then
    window = max(1, _FUNDING_NS // params.interval_ns)
    premium = params.funding_sensitivity * (sums[last] - sums[np.maximum(last - window, 0)]) / np.minimum(last, window)
    rate = np.clip(premium + np.clip(_INTEREST - premium, -_CLAMP, _CLAMP), -_FUNDING_CAP, _FUNDING_CAP)
    return canonical(clocked(pl.DataFrame({"timestamp": stamps, "funding_rate": np.round(rate, 8)})), "funding", source="synthetic funding")


def totals_table(simulation: Simulation) -> pl.DataFrame:
    """Return the liquidated amounts of each recorded bar."""
    params = simulation.params
    sums = base(params, simulation.flows[params.n_warmup_bars :, LIQUIDATED].sum(axis=2))
    frame = pl.DataFrame({"timestamp": opens(params), "long": sums[:, LONG], "short": sums[:, SHORT]})
    return canonical(clocked(frame), "liquidation_totals", source="synthetic liquidation totals", interval=params.interval)


def opens(params: SyntheticParams) -> IntArray1D:
    """Return the open of each recorded bar, UTC nanoseconds."""
    return params.start_ns + params.interval_ns * np.arange(params.n_bars, dtype=np.int64)


def clocked(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its clocks as such."""
    return frame.with_columns(pl.col(name).cast(CLOCK) for name in ("timestamp", "available_at") if name in frame.columns)


def table_sha256(table: pl.DataFrame) -> str:
    """Return the SHA-256 over column names and values, independent of how polars lays them out in memory."""
    digest = hashlib.sha256()
    for column in table:
        digest.update(f"{column.name}:{column.dtype}:{column.len()}\n".encode())
        if column.dtype == pl.String:
            digest.update("\n".join(column.to_list()).encode())
        else:
            digest.update(np.ascontiguousarray(column.to_physical().to_numpy()).tobytes())
    return digest.hexdigest()

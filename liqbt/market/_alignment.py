"""Canonical tables on the grid of the bars, each joined by when it was known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from liqbt._align import last_known, sum_by_bar
from liqbt._time import parse_interval
from liqbt._typing import Float64Array1D, IntArray1D
from liqbt.data.quality import Finding, check_bars, check_funding, check_open_interest
from liqbt.errors import ConfigError
from liqbt.market._depth import depth_at_closes
from liqbt.market._joins import carried, grid_of, liquidated_by_bar, require_known_at_close, same_stamp
from liqbt.market._traded import Traded, check_profile, read_trades

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    Frame = pl.DataFrame | pd.DataFrame

__all__ = ["aligned"]


def aligned(
    *,
    interval: str,
    bars: Frame | None,
    open_interest: Frame | None,
    funding: Frame | None,
    mark: Frame | None,
    liquidations: Frame | None,
    liquidation_totals: Frame | None,
    trades: Frame | Iterable[Frame] | None,
    depth: Frame | Iterable[Frame] | None,
) -> dict[str, Any]:
    """Return the columns and findings of a `MarketFrame` by name; arguments and errors are those of `MarketFrame.from_frames`."""
    from liqbt.data.validation import canonical

    step = parse_interval(interval)
    findings: list[Finding] = []
    traded: Traded | None = None
    if bars is not None:
        rows = canonical(bars, "bars", source="bars", interval=interval)
        require_known_at_close(rows, "bars", step)
    elif trades is not None:
        traded = read_trades(trades, interval, step=step, grid=None)
        rows = traded.bars
        findings += traded.findings
    else:
        raise ConfigError("bars: neither bars nor trades are given; pass one of them")
    grid, columns = _columns_of(rows, step, interval)
    close, end = columns["close"], grid + step
    findings += check_bars(grid, columns["observed"], columns["volume"])
    if open_interest is not None:
        table = canonical(open_interest, "open_interest", source="open_interest")
        columns["open_interest"], age = last_known(table, "open_interest", end)
        findings += check_open_interest(grid, columns["open_interest"], age, step)
    if funding is not None:
        table = canonical(funding, "funding", source="funding")
        columns["funding_rate"] = sum_by_bar(table, table["funding_rate"].to_numpy(), grid, step)
        findings += check_funding(grid, table["timestamp"].to_physical().to_numpy())
    if mark is not None:
        table = canonical(mark, "mark", source="mark", interval=interval)
        require_known_at_close(table, "mark", step)
        for name in ("high", "low", "close"):
            columns[f"mark_{name}"] = same_stamp(table, name, grid, columns[name])
    columns["liquidated"] = liquidated_by_bar(liquidations, liquidation_totals, interval, grid, step)
    if trades is not None and traded is None:
        traded = read_trades(trades, interval, step=step, grid=grid)
        findings += traded.findings
    if traded is not None:
        profile = traded.on_grid(grid, step)
        columns["volume_profile"] = profile if profile.bin.size else None
        findings += check_profile(profile, grid, columns["volume"])
    book = None if depth is None else depth_at_closes(depth, grid, step, close)
    if book is not None:
        columns |= {"depth_distance": book.distance, "depth_bid": book.bid, "depth_ask": book.ask}
        findings += book.findings
    return {"timestamp": grid, **columns, "findings": findings}


def _columns_of(rows: pl.DataFrame, step: int, interval: str) -> tuple[IntArray1D, dict[str, Any]]:
    """Return the grid of the bars, and their columns on it; missing bars hold the price and trade nothing."""
    grid, position = grid_of(rows["timestamp"].to_physical().to_numpy(), step, interval)
    observed = np.zeros(grid.size, dtype=np.bool_)
    observed[position] = True

    def spread(name: str, fill: float = np.nan) -> Float64Array1D:
        values = np.full(grid.size, fill)
        values[position] = rows[name].to_numpy()
        return values

    close = carried(spread("close"))
    columns: dict[str, Any] = {name: np.where(observed, spread(name), close) for name in ("open", "high", "low")}
    columns |= {"close": close, "volume": spread("volume", 0.0), "observed": observed}
    if "taker_buy_volume" in rows.columns and rows["taker_buy_volume"].null_count() == 0:
        columns["taker_buy_volume"] = spread("taker_buy_volume", 0.0)
    return grid, columns

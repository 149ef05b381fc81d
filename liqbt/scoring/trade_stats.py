"""What a perpetual trader needs and vectorbt does not know; needs no vectorbt."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from liqbt._typing import Float64Array1D
from liqbt.scoring._records import REASONS
from liqbt.scoring.fills import Fills
from liqbt.scoring.trade_tables import ended, last_bars, trade_returns

__all__ = ["trade_stats"]

_QUANTILES: Final = ((0.5, "Median"), (0.95, "95th Percentile"))
_ENDINGS: Final = (
    ("liquidation", "Liquidations"),
    ("stop", "Stops"),
    ("trail", "Trailing Stops"),
    ("target", "Targets"),
    ("time", "Time Exits"),
)


def trade_stats(fills: Fills, *, interval_ns: int, leverage: float, rejected: int, capacity: float) -> dict[str, Any]:
    """Return the statistics by name; `Score.trading_stats` tells what they mean."""
    orders, trades, over = fills.orders, fills.trades, ended(fills)
    counts = np.bincount(trades["reason"], minlength=len(REASONS))
    held = fills.position != 0
    bars = last_bars(trades, fills.equity.size) - trades["entry_bar"]
    net = trade_returns(over)
    costs = (over["fees"] + over["funding"] + over["slippage"]) / (over["amount"] * over["entry_price"])
    return {
        "Fees Paid": float(trades["fees"].sum()),
        "Funding Paid": float(trades["funding"].sum()),
        "Slippage Cost": float(trades["slippage"].sum()),
        **{label: int(counts[REASONS.index(reason)]) for reason, label in _ENDINGS},
        "Rejected Entries": rejected,
        "Exposure [%]": 100.0 * float(np.mean(held if held.ndim == 1 else held.any(axis=1))),
        "Turnover": _turnover(orders["size"] * orders["price"], fills.equity),
        "Average Holding": pd.Timedelta(float(bars.mean()) * interval_ns, unit="ns") if trades.size else pd.NaT,
        "Gross Edge [bps]": 1e4 * _mean(net + costs),
        "Net Edge [bps]": 1e4 * _mean(net),
        "Largest Loss": float(np.maximum(-trades["pnl"], 0.0).max(initial=0.0)),
        **_excursions("MAE", over["mae"]),
        **_excursions("MFE", over["mfe"]),
        "Time Under Water [%]": 100.0 * float(np.mean(fills.equity < np.maximum.accumulate(fills.equity))),
        "Capacity": capacity,
        "Leverage": leverage,
        "Ruined": fills.ruined,
    }


def _excursions(label: str, values: Float64Array1D) -> dict[str, float]:
    quantiles = {f"{name} {label} [%]": 100.0 * float(np.quantile(values, at)) if values.size else np.nan for at, name in _QUANTILES}
    return {f"Average {label} [%]": 100.0 * _mean(values), **quantiles}


def _mean(values: Float64Array1D) -> float:
    return float(values.mean()) if values.size else np.nan


def _turnover(notional: Float64Array1D, equity: Float64Array1D) -> float:
    mean = float(equity.mean())
    return float(notional.sum()) / mean if mean > 0 else np.nan

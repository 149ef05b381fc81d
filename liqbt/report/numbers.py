"""Numbers as people read them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import pandas as pd

__all__ = ["CARDS", "card_value", "compact", "display"]

from liqbt.scoring import Score

CARDS: Final = (
    ("Total Return [%]", "total return", "%"),
    ("Max Drawdown [%]", "worst drawdown", "%"),
    ("Sharpe Ratio", "Sharpe, yearly", ""),
    ("Total Trades", "trades", ""),
    ("Win Rate [%]", "won", "%"),
)
"""Headline statistics: name in `Score.stats`, what people call it, unit."""


def compact(value: float) -> str:
    """Return 1.23M for 1,234,567: three significant digits with the unit that fits."""
    value = float(f"{value:.3g}")  # rounded first, so that 999,999 is 1M and not 1000k
    for size, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def display(value: Any) -> str:
    """Return a statistic as text: numbers with two decimals, times and spans without parts of a second, a dash for none."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pd.NaT:
        return "–"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timedelta):
        return str(value.round("s")).removeprefix("0 days ")
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    if isinstance(value, float | np.floating):
        return f"{value:,.2f}" if math.isfinite(value) else "∞" if value > 0 else "-∞"
    return str(value)


def card_value(score: Score, key: str, unit: str) -> str:
    """Return one statistic of a score with its unit, or a dash."""
    shown = display(score.stats[key])
    return shown if shown == "–" else f"{shown}{unit}"

"""Event study: where price went before and after events, on average, in the direction of the claim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from liqbt._typing import Float64Array1D
from liqbt.evaluation.context import Context
from liqbt.evaluation.estimates import balanced_mean
from liqbt.evaluation.outcomes import Outcomes

__all__ = ["EventStudy", "event_study"]


@dataclass(frozen=True, kw_only=True, eq=False)
class EventStudy:
    """Mean move of price around events. All arrays have shape (n_lags,).

    hours: since the open at which the claim could first be traded, negative before. mean, ci_low, ci_high: basis points since then in the
    claim's direction, upward and downward claims weighing the same, errors clustered by day. What lies before 0 chose the
    events and is no evidence; what lies after overlaps from lag to lag, so the band is for one lag at a time.
    """

    hours: Float64Array1D
    mean: Float64Array1D
    ci_low: Float64Array1D
    ci_high: Float64Array1D
    n_events: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a lag: hours, mean, ci_low, ci_high."""
        return pd.DataFrame({name: getattr(self, name) for name in ("hours", "mean", "ci_low", "ci_high")})


def event_study(
    context: Context, outcomes: Outcomes, *, before_hours: float = 24.0, after_hours: float = 24.0, lags: int = 96
) -> EventStudy | None:
    """Return where price went around the events of `outcomes`, at about `lags` lags evenly spaced; None where no event counts.

    Only events with the whole window recorded count. Raises ConfigError for a window shorter than a bar.
    """
    before, after = context.bars(before_hours), context.bars(after_hours)
    start = outcomes.events.bar + 1
    kept = (start >= before) & (start + after <= context.market.n_bars)
    if not kept.any():
        return None
    start, direction, day = start[kept], outcomes.events.direction[kept], context.day[outcomes.events.bar][kept]
    offsets = np.unique(np.linspace(-before, after, lags + 1).round().astype(np.int64))
    log_price = np.log(np.append(context.open, context.market.close[-1]))  # the end of the last bar may be looked at
    rows = []
    for offset in offsets:
        moved = 1e4 * direction * (log_price[start + offset] - log_price[start])
        one = balanced_mean(moved, direction, day)
        rows.append((one.effect, one.ci_low, one.ci_high))
    mean, low, high = np.array(rows).T
    hours = np.asarray(offsets * (after_hours / after), dtype=np.float64)
    return EventStudy(hours=hours, mean=mean, ci_low=low, ci_high=high, n_events=int(kept.sum()))

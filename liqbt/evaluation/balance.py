"""How alike events and their stand-ins are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from liqbt.evaluation.context import Context
from liqbt.evaluation.events import Events
from liqbt.evaluation.outcomes import Outcomes

__all__ = ["balance"]


def balance(context: Context, outcomes: Outcomes, stand_ins: Events, *, hours: Sequence[float] = (1.0, 4.0, 24.0)) -> pd.DataFrame:
    """Return one row a covariate: events and stand_ins (means over matched events), difference.

    difference: of the means, in standard deviations of the matched events; within 0.1 is called balanced (Austin 2009, "Balance
    diagnostics for comparing the distribution of baseline covariates", Statistics in Medicine 28). Covariates: moves over `hours` in the
    claim's direction, daily volatilities; log volatility; hour of the day. `attrs["unmatched"]`: events without a stand-in. NaN
    where none has one.
    """
    events = outcomes.events
    count = np.bincount(stand_ins.origin, minlength=len(events))
    matched = np.flatnonzero(count)
    rows = {}
    moves = {f"move_{one:g}h": context.move(one) for one in hours}
    for name, values in {**moves, "log_volatility": np.log(context.sigma), "hour": context.hour.astype(np.float64)}.items():
        signs = [one.direction if name in moves else 1 for one in (events, stand_ins)]
        ours = (values[events.bar] * signs[0])[matched]
        theirs = np.bincount(stand_ins.origin, weights=values[stand_ins.bar] * signs[1], minlength=count.size)[matched] / count[matched]
        spread = np.std(ours) if matched.size else np.nan
        rows[name] = (_mean(ours), _mean(theirs), _mean(ours - theirs) / spread if spread > 0 else np.nan)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["events", "stand_ins", "difference"]).rename_axis("covariate")
    table.attrs["unmatched"] = int(count.size - matched.size)
    return table


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if values.size else float("nan")

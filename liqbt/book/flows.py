"""Volume and open interest -> how much was opened and closed on each side in each bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from liqbt._time import DAY_NS, to_index
from liqbt._typing import LONG, SHORT, Float64Array1D, Float64Array2D, IntArray1D
from liqbt.book._kernels import carry
from liqbt.book.params import BookParams
from liqbt.errors import DataError
from liqbt.market import MarketFrame

__all__ = ["Flows", "build_flows"]


_REMEDY: Final = {
    "recorded": "load another span, or leave open interest out",
    "volume": "where it is not recorded it is taken from volume, which needs more than a day of bars with volume",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Flows:
    """Position flows by bar, known at each bar's close. Arrays of shape (n_bars, 2) are [long, short], in base.

    open_interest: shape (n_bars,), base; NaN before the first known value. opened, closed: gross flows of each side.
    survival: fraction of the positions carried into the bar that are not closed in it.
    retained: what was opened in the bar and not closed in it again; `open_interest = survival * previous + retained`.
    seen: the part of open interest whose entry falls into the recording.
    source: `recorded`, or `volume` where open interest was not recorded and average volume stands in for it.
    inconsistent: bars in which open interest changed by more than the recorded volume allows.
    """

    timestamp: IntArray1D
    open_interest: Float64Array1D
    opened: Float64Array2D
    closed: Float64Array2D
    survival: Float64Array2D
    retained: Float64Array2D
    seen: Float64Array2D
    source: Literal["recorded", "volume"]
    inconsistent: int

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bar: open interest and, by side, opened and closed, in base."""
        columns = {"open_interest": self.open_interest}
        for side, name in ((LONG, "long"), (SHORT, "short")):
            columns[f"opened_{name}"] = self.opened[:, side]
            columns[f"closed_{name}"] = self.closed[:, side]
        return pd.DataFrame(columns, index=to_index(self.timestamp))


def build_flows(market: MarketFrame, params: BookParams) -> Flows:
    """Split each bar's volume into longs and shorts opened and closed, so that both sides add up to open interest.

    Every trade has a buyer and a seller, and each of them opens or closes. With V the volume and D the change of open
    interest, that leaves OL - CL = OS - CS = D and one free number, the split of the churn V - |D| between longs and
    shorts; `params` sets the split, and the share of the churn that is leveraged traders.

    Closings act on all carried positions alike, at a rate that is constant within the bar while open interest moves
    linearly, so the surviving fraction is exp(-closed / M) with M the logarithmic mean of open interest at the bar's two
    ends. It stays between 0 and 1 for any turnover, and conserves open interest exactly.

    Raises DataError where open interest is nowhere known or never above 0.
    """
    interest, source = _open_interest(market, params)
    if not (interest > 0).any():
        raise DataError(
            f"{market.symbol}: open interest is nowhere known and above 0 from {market.span[0]} to {market.span[1]}; {_REMEDY[source]}"
        )
    known = ~np.isnan(interest)
    before = np.empty_like(interest)
    before[0] = np.nan
    before[1:] = interest[:-1]
    before = np.where(np.isnan(before), interest, before)  # the first known value opens the book; it is not a change
    change = np.where(known, interest - before, 0.0)
    volume = np.where(known, market.volume, 0.0)
    inconsistent = int((np.abs(change) > volume * (1 + 1e-9)).sum())
    churn = params.churn_share * np.maximum(volume - np.abs(change), 0.0)
    split = np.array([params.long_churn_share, 1 - params.long_churn_share])
    sides = churn[:, None] * split
    opened = sides + np.maximum(change, 0.0)[:, None]
    closed = sides + np.maximum(-change, 0.0)[:, None]
    mean = _logarithmic_mean(before, interest)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.where(closed > 0, np.exp(-closed / mean), 1.0)
    retained = np.where(known[:, None], np.maximum(interest[:, None] - survival * before[:, None], 0.0), 0.0)
    survival = np.where(known[:, None], survival, 1.0)
    seen = np.empty_like(retained)
    carry(survival, retained, seen)
    return Flows(
        timestamp=market.timestamp,
        open_interest=interest,
        opened=opened,
        closed=closed,
        survival=survival,
        retained=retained,
        seen=seen,
        source=source,
        inconsistent=inconsistent if source == "recorded" else 0,
    )


def _open_interest(market: MarketFrame, params: BookParams) -> tuple[Float64Array1D, Literal["recorded", "volume"]]:
    if market.open_interest is not None:
        return np.asarray(market.open_interest), "recorded"
    bars_a_day = DAY_NS / market.interval_ns
    volume = pd.Series(np.where(market.observed, market.volume, np.nan))
    first_day = max(1, int(np.ceil(bars_a_day)))
    average = volume.ewm(halflife=params.volume_memory_days * bars_a_day, min_periods=first_day).mean()
    return average.to_numpy() * bars_a_day * params.open_interest_days, "volume"


def _logarithmic_mean(a: Float64Array1D, b: Float64Array1D) -> Float64Array1D:
    """Return (b - a) / ln(b / a), which is a where both are equal and 0 where either is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = (b - a) / a
        mean = a * np.where(np.abs(growth) < 1e-8, 1 + growth / 2, growth / np.log1p(growth))
    return np.where((a > 0) & (b > 0), mean, 0.0)

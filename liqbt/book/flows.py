"""Volume and open interest -> how much was opened and closed on each side in each bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd

from liqbt._time import DAY_NS, to_index
from liqbt._typing import LONG, SHORT, Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D
from liqbt.book._flow_kernels import carry, decayed_mean, retained_under
from liqbt.book.params import BookParams
from liqbt.errors import ConfigError, DataError
from liqbt.market import MarketFrame

__all__ = ["FlowState", "Flows", "InterestSource", "build_flows"]

InterestSource: TypeAlias = Literal["recorded", "volume"]

_REMEDY: Final = {
    "recorded": "load another span, or leave open interest out",
    "volume": "where it is not recorded it is taken from volume, which needs more than a day of bars with volume",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class FlowState:
    """What the flows of the next bars need to know of those before.

    open_interest: of the last bar, base, NaN where none is known yet. seen: shape (2,), base. volume_mean: shape (3,), the weighted
    sum, the weights and the count behind the average of volume that stands in for open interest.
    """

    source: InterestSource
    open_interest: float
    seen: Float64Array1D
    volume_mean: Float64Array1D


@dataclass(frozen=True, kw_only=True, eq=False)
class Flows:
    """Position flows by bar, known at each bar's close. Arrays of shape (n_bars, 2) are [long, short], in base.

    open_interest: shape (n_bars,), base; NaN before the first known value. opened, closed: gross flows of each side.
    hazard: closings over the logarithmic mean of open interest at the bar's two ends. growth: shape (n_bars,), log of open interest
    over that of the bar before.
    survival: fraction of the positions carried into the bar that are not closed in it, exp(-hazard).
    retained: what was opened in the bar and not closed in it again; `open_interest = survival * previous + retained`.
    seen: the part of open interest whose entry falls into the recording.
    source: `recorded`, or `volume` where open interest was not recorded and average volume stands in for it.
    inconsistent: bars in which open interest changed by more than the recorded volume allows.
    state: for the flows of the bars that follow.
    """

    timestamp: IntArray1D
    open_interest: Float64Array1D
    opened: Float64Array2D
    closed: Float64Array2D
    hazard: Float64Array2D
    growth: Float64Array1D
    survival: Float64Array2D
    retained: Float64Array2D
    seen: Float64Array2D
    source: InterestSource
    inconsistent: int
    state: FlowState

    def to_frame(self) -> pd.DataFrame:
        """Return one row a bar: open interest and, by side, opened and closed, in base."""
        columns = {"open_interest": self.open_interest}
        for side, name in ((LONG, "long"), (SHORT, "short")):
            columns[f"opened_{name}"] = self.opened[:, side]
            columns[f"closed_{name}"] = self.closed[:, side]
        return pd.DataFrame(columns, index=to_index(self.timestamp))

    def under(
        self, multiple: Float64Array2D, share: Float64Array1D, bars: slice, survival: Float64Array3D, retained: Float64Array3D
    ) -> None:
        """Fill `survival` and `retained`, shape (n, 2, n_columns), for some bars where positions close at a multiple of the hazard.

        multiple: shape (2, n_columns). share: shape (n_columns,), of what is opened.
        """
        if (multiple == 1).all():
            survival[...] = self.survival[bars, :, None]
            np.multiply(self.retained[bars, :, None], share, out=retained)
            return
        with np.errstate(under="ignore", invalid="ignore"):
            np.multiply(self.hazard[bars, :, None], -multiple, out=survival)
            np.exp(survival, out=survival)
        retained_under(self.hazard[bars], self.growth[bars], self.retained[bars], multiple, share, survival, retained)


def build_flows(market: MarketFrame, params: BookParams, state: FlowState | None = None) -> Flows:
    """Split each bar's volume into longs and shorts opened and closed, so that both sides add up to open interest.

    Every trade has a buyer and a seller, and each of them opens or closes. With V the volume and D the change of open
    interest, that leaves OL - CL = OS - CS = D and one free number, the split of the churn V - |D| between longs and
    shorts; `params` sets the split, and the share of the churn that is leveraged traders.

    Closings act on all carried positions alike, at a rate that is constant within the bar while open interest moves
    linearly, so the surviving fraction is exp(-closed / M) with M the logarithmic mean of open interest at the bar's two
    ends. It stays between 0 and 1 for any turnover, and conserves open interest exactly.

    state: of the flows of the bars before, to go on from there.
    Raises DataError where open interest is nowhere known or never above 0, ConfigError where `params` want what the market lacks.
    """
    before_all = state or FlowState(source=_source(market), open_interest=np.nan, seen=np.zeros(2), volume_mean=np.zeros(3))
    interest, volume_mean = _open_interest(market, params, before_all)
    if state is None and not (interest > 0).any():
        raise DataError(
            f"{market.symbol}: open interest is nowhere known and above 0 from {market.span[0]} to {market.span[1]}; "
            f"{_REMEDY[before_all.source]}"
        )
    known = ~np.isnan(interest)
    before = np.empty_like(interest)
    before[0] = before_all.open_interest
    before[1:] = interest[:-1]
    before = np.where(np.isnan(before), interest, before)  # the first known value opens the book; it is not a change
    change = np.where(known, interest - before, 0.0)
    volume = np.where(known, market.volume, 0.0)
    inconsistent = int((np.abs(change) > volume * (1 + 1e-9)).sum())
    churn = _churn(market, params, np.maximum(volume - np.abs(change), 0.0), change)
    opened = churn + np.maximum(change, 0.0)[:, None]
    closed = churn + np.maximum(-change, 0.0)[:, None]
    mean, growth = _logarithmic_mean(before, interest)
    with np.errstate(divide="ignore", invalid="ignore"):
        hazard = np.where(closed > 0, closed / mean[:, None], 0.0)
    survival = np.exp(-hazard)
    retained = np.where(known[:, None], np.maximum(interest[:, None] - survival * before[:, None], 0.0), 0.0)
    seen = np.empty_like(retained)
    carry(survival, retained, before_all.seen, seen)
    return Flows(
        timestamp=market.timestamp,
        open_interest=interest,
        opened=opened,
        closed=closed,
        hazard=hazard,
        growth=growth,
        survival=survival,
        retained=retained,
        seen=seen,
        source=before_all.source,
        inconsistent=inconsistent if before_all.source == "recorded" else 0,
        state=FlowState(source=before_all.source, open_interest=float(interest[-1]), seen=seen[-1].copy(), volume_mean=volume_mean),
    )


def _source(market: MarketFrame) -> InterestSource:
    return "volume" if market.open_interest is None else "recorded"


def _churn(market: MarketFrame, params: BookParams, most: Float64Array1D, change: Float64Array1D) -> Float64Array2D:
    """Return the churn of each side, shape (n_bars, 2), base. most: shape (n_bars,), volume that did not change open interest."""
    long_share = np.full(most.size, params.long_churn_share)
    if params.taker_tilt != 0:
        if market.taker_buy_volume is None:
            raise ConfigError(f"taker_tilt: {params.taker_tilt:g} needs taker_buy_volume, which {market.symbol} lacks; leave it at 0")
        with np.errstate(divide="ignore", invalid="ignore"):
            bought = np.where(market.volume > 0, market.taker_buy_volume / market.volume, 0.5)
        long_share = np.clip(long_share + params.taker_tilt * (bought - 0.5), 0.0, 1.0)
    churn: Float64Array2D = params.churn_share * most[:, None] * np.column_stack([long_share, 1 - long_share])
    if params.recorded_liquidations_close:
        if market.liquidated is None:
            raise ConfigError(f"recorded_liquidations_close: {market.symbol} has no recorded liquidations; load them, or leave it off")
        closed = np.maximum(-change, 0.0)[:, None]
        forced = np.nan_to_num(market.liquidated) - closed
        churn = np.maximum(churn, np.minimum(forced, most[:, None]))
    return churn


def _open_interest(market: MarketFrame, params: BookParams, state: FlowState) -> tuple[Float64Array1D, Float64Array1D]:
    """Return open interest by bar, base, and the state of the average of volume after the last one."""
    if state.source == "recorded":
        recorded = np.full(market.n_bars, np.nan) if market.open_interest is None else np.array(market.open_interest)
        unknown = np.isnan(recorded)
        recorded[: int(unknown.argmin()) if not unknown.all() else unknown.size] = state.open_interest  # as last known
        return recorded, state.volume_mean
    bars_a_day = DAY_NS / market.interval_ns
    volume = np.where(market.observed, market.volume, np.nan)
    mean, after = np.empty_like(volume), state.volume_mean.copy()
    decayed_mean(volume, 0.5 ** (1 / (params.volume_memory_days * bars_a_day)), max(1, int(np.ceil(bars_a_day))), after, mean)
    return mean * bars_a_day * params.open_interest_days, after


def _logarithmic_mean(a: Float64Array1D, b: Float64Array1D) -> tuple[Float64Array1D, Float64Array1D]:
    """Return (b - a) / ln(b / a), which is a where both are equal, and ln(b / a).

    Where `a` is 0, the mean of a book that opens at a billionth of `b`; where `b` is 0, that is the mean.
    """
    start = np.where(a > 0, a, 1e-9 * b)
    with np.errstate(divide="ignore", invalid="ignore"):
        rise = (b - start) / start
        growth = np.log1p(rise)
        mean = start * np.where(np.abs(rise) < 1e-8, 1 + rise / 2, rise / growth)
    alive = (start > 0) & (b > 0)
    return np.where(alive, mean, 0.0), np.where(alive, growth, 0.0)

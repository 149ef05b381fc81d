"""A seeded, agent-based perpetual market whose liquidations are known exactly.

Leveraged traders arrive, choose side, leverage, size and holding time, and close or are liquidated; hedged accounts hold
open interest that nothing liquidates; a market maker takes the other side of every order and carries the net, unlevered.

Price is a martingale here and **liquidations have no effect on it**: it neither seeks out liquidation levels nor cascades
nor turns after a sweep. On this market an honest test of any signal must find no edge, and a test that finds one is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from liqbt._typing import Float64Array1D, Float64Array2D, Float64Array3D, IntArray1D, Progress
from liqbt.data.validation import CLOCK
from liqbt.market import Input, MarketFrame

from ._accounting import Flows, bar_of_step, sum_flows
from ._kernels import LIVE
from ._price import draw_path
from ._tables import (
    bars_table,
    depth_table,
    funding_table,
    liquidations_table,
    open_interest_table,
    side_names,
    table_sha256,
    totals_table,
)
from ._traders import Positions, draw_hedged, draw_traders
from .params import SyntheticParams

__all__ = ["SyntheticMarket", "SyntheticParams", "SyntheticTruth", "simulate"]

SYMBOL: Final = "SYNUSDT"
VENUE: Final = "synthetic"


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticTruth:
    """What no venue publishes. Read-only arrays over the recorded bars; the `side` axis is long, short.

    leverages, weights: shape (n_leverages,), ascending leverages and the probability that a position is opened at each.
    entries: shape (2, n_leverages), number of leveraged positions opened.
    opened, closed, liquidated: base, shape (n_bars, 2, n_leverages), by leveraged traders.
    hedged_opened, hedged_closed: base, shape (n_bars, 2), by hedged accounts.
    crowd: base, shape (n_bars, 2), leveraged positions live at each bar's end.
    holders: base, shape (n_bars, 2), leveraged and hedged positions live at each bar's end; recorded open interest is the
    larger of its two sides, for the market maker holds the difference.
    live: leveraged positions live at the end of the last bar, one row each: opened_at (may be before the first bar), side,
    leverage, amount (base), entry_price, liquidation_price (quote).
    """

    leverages: Float64Array1D
    weights: Float64Array1D
    entries: IntArray1D
    opened: Float64Array3D
    closed: Float64Array3D
    liquidated: Float64Array3D
    hedged_opened: Float64Array2D
    hedged_closed: Float64Array2D
    crowd: Float64Array2D
    holders: Float64Array2D
    live: pl.DataFrame


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticMarket:
    """A simulated recording: canonical tables (`liqbt.data.schema.TABLES`) and the truth behind them.

    bars: each opens at the close of the one before. open_interest: at the end of each bar. funding: at 0, 8 and 16 hours UTC.
    depth: every 15 minutes. liquidations: every event, `side` is the POSITION side. liquidation_totals: their sums a bar.
    """

    params: SyntheticParams
    bars: pl.DataFrame
    open_interest: pl.DataFrame
    funding: pl.DataFrame
    depth: pl.DataFrame
    liquidations: pl.DataFrame
    liquidation_totals: pl.DataFrame
    truth: SyntheticTruth

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The canonical tables by name."""
        names = ("bars", "open_interest", "funding", "depth", "liquidations", "liquidation_totals")
        return {name: getattr(self, name) for name in names}

    def to_market(self) -> MarketFrame:
        """Return the recording as a MarketFrame marked synthetic, each table with the SHA-256 of its values."""
        used: dict[str, Any] = {name: table for name, table in self.tables.items() if name not in ("depth", "liquidations")}
        inputs = tuple(
            Input(table=name, source="liqbt.datasets.synthetic", sha256=table_sha256(table), reader="synthetic", rows=table.height)
            for name, table in used.items()
        )
        return MarketFrame.from_frames(
            **used, venue=VENUE, symbol=SYMBOL, interval=self.params.interval, inputs=inputs, seed=self.params.seed
        )


def simulate(params: SyntheticParams, *, progress: Progress | None = None) -> SyntheticMarket:
    """Return the market that `params` describe; the same parameters give the same bytes.

    Each part draws from its own stream of the seed, so that a change to one, such as the traders' leverage, leaves
    the others, such as price, as they were. `progress` is called between the stages.
    """
    tell = progress or _silent
    rng_price, rng_traders, rng_hedged, rng_bars, rng_depth = np.random.default_rng(params.seed).spawn(5)
    tell(0.0, "drawing prices")
    path = draw_path(params, rng_price)
    tell(0.2, "drawing traders")
    traders = draw_traders(params, path, rng_traders)
    hedged = draw_hedged(params, path, rng_hedged)
    tell(0.6, "adding up positions")
    crowd = sum_flows(params, traders, params.leverages.size)
    others = sum_flows(params, hedged, 1)
    skip = params.n_warmup_bars
    holders = crowd.live + others.live
    tell(0.8, "writing tables")
    bars = bars_table(params, path, _added(crowd, others), rng_bars)
    market = SyntheticMarket(
        params=params,
        bars=bars,
        open_interest=open_interest_table(params, holders[skip:].max(axis=1), bars["close"].to_numpy()),
        funding=funding_table(params, crowd),
        depth=depth_table(params, path, float(bars["volume"].sum()) / params.days, rng_depth),
        liquidations=liquidations_table(params, path, traders),
        liquidation_totals=totals_table(params, crowd),
        truth=_truth(params, traders, crowd, others, holders),
    )
    tell(1.0, "done")
    return market


def _silent(_share: float, _what: str) -> None:
    return None


def _added(one: Flows, other: Flows) -> Flows:
    return Flows(
        opened=one.opened.sum(axis=2, keepdims=True) + other.opened,
        closed=one.closed.sum(axis=2, keepdims=True) + other.closed,
        liquidated=one.liquidated.sum(axis=2, keepdims=True) + other.liquidated,
        live=one.live + other.live,
        bought=one.bought + other.bought,
        sold=one.sold + other.sold,
        value=one.value + other.value,
        orders=one.orders + other.orders,
    )


def _truth(params: SyntheticParams, traders: Positions, crowd: Flows, others: Flows, holders: Float64Array2D) -> SyntheticTruth:
    skip, n_tiers = params.n_warmup_bars, params.leverages.size
    recorded = bar_of_step(params, traders.opened_at) >= skip
    entries = np.bincount((traders.side * n_tiers + traders.tier)[recorded], minlength=2 * n_tiers).reshape(2, n_tiers)
    truth = SyntheticTruth(
        leverages=params.leverages,
        weights=params.weights,
        entries=entries.astype(np.int64),
        opened=crowd.opened[skip:],
        closed=crowd.closed[skip:],
        liquidated=crowd.liquidated[skip:],
        hedged_opened=others.opened[skip:, :, 0],
        hedged_closed=others.closed[skip:, :, 0],
        crowd=crowd.live[skip:],
        holders=holders[skip:],
        live=_live_table(params, traders),
    )
    for value in vars(truth).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return truth


def _live_table(params: SyntheticParams, traders: Positions) -> pl.DataFrame:
    at = np.flatnonzero(traders.fate == LIVE)
    length = params.interval_ns // params.steps_per_bar
    opened = params.start_ns + (traders.opened_at[at] - params.n_warmup_bars * params.steps_per_bar) * length
    return pl.DataFrame(
        {
            "opened_at": pl.Series(opened).cast(CLOCK),
            "side": side_names(traders.side[at]),
            "leverage": params.leverages[traders.tier[at]],
            "amount": traders.amount[at],
            "entry_price": traders.entry_price[at],
            "liquidation_price": traders.liquidation_price[at],
        }
    )

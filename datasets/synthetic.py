"""A seeded, agent-based perpetual market whose liquidations are known exactly.

Leveraged traders arrive, choose side, leverage, size, margin mode, stop and holding time, and close, are stopped or are
liquidated; hedged accounts hold open interest that nothing liquidates; market makers take the other side of every order and
carry the net, unlevered.

Price is a martingale here and **liquidations have no effect on it** unless that is switched on: then it is drawn to clusters of
liquidations, runs on when they are swept, or turns afterwards, each by a stated strength (`SyntheticParams.preset`). On the null
market an honest test of any signal must find no edge, and a test that finds one is wrong; on the others it must find what is there.

It is deliberately richer than what `liqbt.book` assumes: brackets by size, cross margin, margin that is added, stops, holding
times that depend on leverage, a mark that is not the last price. Left out: funding and fees that drain margin, partial
liquidation, insurance fund and automatic deleveraging, traders who react to liquidations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from liqbt._typing import Progress
from liqbt.data.quality import Finding
from liqbt.market import Input, MarketFrame

from ._accounting import stock_of, truth_of
from ._depth import depth_table
from ._draws import Draws
from ._liquidations import liquidations_table, throttled_table, throttled_totals_table
from ._simulation import Simulation
from ._tables import bars_table, funding_table, mark_table, open_interest_table, table_sha256, totals_table, trades_table
from ._units import base
from .params import SyntheticParams
from .truth import SyntheticTruth

__all__ = ["SyntheticMarket", "simulate"]

SYMBOL: Final = "SYNUSDT"
VENUE: Final = "synthetic"


@dataclass(frozen=True, kw_only=True, eq=False)
class SyntheticMarket:
    """A simulated recording: canonical tables (`liqbt.data.schema.TABLES`) and the truth behind them.

    bars: each opens at the close of the one before. mark: the price that triggers stops, margin calls and liquidations.
    open_interest: at the end of each bar. funding: at 0, 8 and 16 hours UTC. depth: at bar closes. trades: all of them, or None.
    liquidations: every event, `side` is the POSITION side. liquidation_totals: their sums a bar.
    liquidations_throttled, liquidation_totals_throttled: the same as a stream shows them that tells at most one a second.
    """

    params: SyntheticParams
    bars: pl.DataFrame
    mark: pl.DataFrame
    open_interest: pl.DataFrame
    funding: pl.DataFrame
    depth: pl.DataFrame
    trades: pl.DataFrame | None
    liquidations: pl.DataFrame
    liquidation_totals: pl.DataFrame
    liquidations_throttled: pl.DataFrame
    liquidation_totals_throttled: pl.DataFrame
    truth: SyntheticTruth

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """The canonical tables by name, with the complete liquidations; trades where they were kept."""
        names = ("bars", "mark", "trades", "open_interest", "funding", "depth", "liquidations", "liquidation_totals")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def to_market(self) -> MarketFrame:
        """Return the recording as a MarketFrame marked synthetic, each table with the SHA-256 of its values.

        For the throttled feed, `replace` liquidation_totals first. A market whose price feels liquidations says so in its findings.
        """
        used = {name: table for name, table in self.tables.items() if name != "liquidations"}
        inputs = tuple(
            Input(table=name, source="liqbt.datasets.synthetic", sha256=table_sha256(table), reader="synthetic", rows=table.height)
            for name, table in used.items()
        )
        return MarketFrame.from_frames(
            **used,
            venue=VENUE,
            symbol=SYMBOL,
            interval=self.params.interval,
            findings=_effects(self.params),
            inputs=inputs,
            seed=self.params.seed,
        )


def simulate(params: SyntheticParams, *, progress: Progress | None = None) -> SyntheticMarket:
    """Return the market that `params` describe; the same parameters give the same bytes.

    Each purpose draws from its own stream of the seed, so that a change to one, such as the traders' leverage, leaves what
    the others drew, such as the noise of price, as it was. `progress` is called after each day and at the end.
    """
    tell = progress or _silent
    draws, simulation = Draws(params), Simulation(params)
    simulation.run(draws, lambda share, what: tell(0.9 * share, what))
    tell(0.9, "writing tables")
    bars, stock = bars_table(simulation), stock_of(simulation)
    liquidations = liquidations_table(simulation)
    throttled = throttled_table(params, liquidations)
    open_interest = base(params, stock.holders[params.n_warmup_bars :].max(axis=1))
    market = SyntheticMarket(
        params=params,
        bars=bars,
        mark=mark_table(simulation),
        open_interest=open_interest_table(params, open_interest, bars["close"].to_numpy()),
        funding=funding_table(params, stock),
        depth=depth_table(simulation, draws.depth),
        trades=trades_table(simulation),
        liquidations=liquidations,
        liquidation_totals=totals_table(simulation),
        liquidations_throttled=throttled,
        liquidation_totals_throttled=throttled_totals_table(params, throttled),
        truth=truth_of(simulation, stock),
    )
    tell(1.0, "done")
    return market


def _silent(_share: float, _what: str) -> None:
    return None


def _effects(params: SyntheticParams) -> tuple[Finding, ...]:
    """Return a note on what moves the price of this market besides chance."""
    strengths = {name: getattr(params, name) for name in ("gravity_bps_per_hour", "cascade", "reversal_bps")}
    switched = ", ".join(f"{name} {value:g}" for name, value in strengths.items() if value)
    if not switched:
        return ()
    message = f"the price of this synthetic market feels its liquidations ({switched}); an edge found on it was put there"
    return (Finding(code="synthetic_effect", severity="note", count=params.n_bars, message=message, table=f"bars {params.interval}"),)

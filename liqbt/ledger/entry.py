"""LedgerEntry: one finished trial, small enough to be sent between processes by the thousand."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from liqbt._time import DAY_NS, parse_interval
from liqbt._typing import Float64Array1D
from liqbt.book.params import BookParams, LeverageMix
from liqbt.features import FeatureParams
from liqbt.inference.sharpe import SharpeMoments, sharpe_moments
from liqbt.ledger.identity import data_sha256, plain, sha256_of
from liqbt.scoring import Score
from liqbt.scoring._records import REASONS
from liqbt.signals import Signals

__all__ = ["LedgerEntry", "Role", "bars_a_year", "moments_of"]

Role: TypeAlias = Literal["strategy", "benchmark"]

_ASIDE: Final = ("name", "parameters", "signals", "market", "costs", "fills", "notes")  # of Score; what is left is how it was executed


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """What the ledger keeps of one finished trial; `LedgerEntry.of` makes it from a score.

    created: UTC. role: benchmarks are kept, but are no trials. strategy: what the results are called.
    trial_sha256: hash of all that makes the variant: data, source of the strategy, parameters, mix, book, features, costs, execution.
    data_sha256: of the market; span_start, span_end: open of its first bar and close of its last, UTC. seed: of a synthetic
    market, as text. source_sha256: of the strategy's file, None where it has none; the signals themselves then take its place in
    trial_sha256. mix: weight by leverage; mix, book, features: None where they are not known.

    n_bars, n_trades; total_return, max_drawdown (0 to 1, at bar closes): fractions; sharpe: of returns per bar, sharpe_year: the
    same times the root of the bars of 365 days; skew, kurtosis (3 for a normal): of returns per bar; NaN without any variation.
    fees, funding, slippage: quote, positive when paid. wall_seconds: what signals and score took, NaN where not measured.
    What a variant scored without records does not tell is NaN, liquidations None.
    """

    created: datetime
    role: Role
    strategy: str
    trial_sha256: str
    data_sha256: str
    source_sha256: str | None
    venue: str
    symbol: str
    interval: str
    span_start: datetime
    span_end: datetime
    seed: str | None
    parameters: Mapping[str, Any]
    mix: Mapping[str, Any] | None
    book: Mapping[str, Any] | None
    features: Mapping[str, Any] | None
    costs: Mapping[str, Any]
    execution: Mapping[str, Any]
    liqbt_version: str
    n_bars: int
    n_trades: int
    total_return: float
    sharpe: float
    sharpe_year: float
    skew: float
    kurtosis: float
    max_drawdown: float
    fees: float
    funding: float
    slippage: float
    liquidations: int | None
    ruined: bool
    wall_seconds: float

    @classmethod
    def of(
        cls,
        score: Score,
        *,
        source_sha256: str | None = None,
        mix: LeverageMix | None = None,
        book: BookParams | None = None,
        features: FeatureParams | None = None,
        fills: str = "liqbt",
        role: Role = "strategy",
        wall_seconds: float = math.nan,
    ) -> LedgerEntry:
        """Return the entry of a score.

        source_sha256: of the strategy's file, see `liqbt.strategy.source_sha256`. mix, book, features: what the strategy's features were
        made with; None where it used none. fills: what `backtest` was told to fill with. Whatever is left out here is not part of the
        variant, and two that differ in it count as one.
        """
        market = score.market
        executed = {f.name: getattr(score, f.name) for f in dataclasses.fields(score) if f.name not in _ASIDE}
        settings = {
            "parameters": plain(score.parameters),
            "mix": None if mix is None else plain(dict(zip(mix.leverage, mix.weights, strict=True))),
            "book": None if book is None else plain(vars(book)),
            "features": None if features is None else plain(vars(features)),
            "costs": plain(vars(score.costs)),
            "execution": plain({**executed, "fills": fills}),
        }
        data = data_sha256(market)
        source = source_sha256 or _signals_sha256(score.signals)
        values = _values(score)
        moments = moments_of(score)
        trades = score.fills.trades  # not `trading_stats`, which computes far more
        first, end = int(market.timestamp[0]), int(market.timestamp[-1]) + market.interval_ns
        return cls(
            created=datetime.now(UTC),
            role=role,
            strategy=score.name,
            trial_sha256=sha256_of({"data": data, "source": source, **settings}),
            data_sha256=data,
            source_sha256=source_sha256,
            venue=market.venue,
            symbol=market.symbol,
            interval=market.interval,
            span_start=_instant(first),
            span_end=_instant(end),
            seed=None if market.seed is None else str(market.seed),
            **settings,
            liqbt_version=importlib.import_module("liqbt").__version__,  # the package's own import stands above this room
            n_bars=market.n_bars,
            n_trades=int(trades.size),
            total_return=float(values[-1] / values[0] - 1.0),
            sharpe=moments.sharpe,
            sharpe_year=moments.sharpe * math.sqrt(bars_a_year(market.interval)),
            skew=moments.skew,
            kurtosis=moments.kurtosis,
            max_drawdown=_max_drawdown(values),
            fees=float(trades["fees"].sum()),
            funding=float(trades["funding"].sum()),
            slippage=float(trades["slippage"].sum()),
            liquidations=int(np.count_nonzero(trades["reason"] == REASONS.index("liquidation"))),
            ruined=bool(score.fills.ruined),
            wall_seconds=float(wall_seconds),
        )


def bars_a_year(interval: str) -> float:
    """Return the number of bars in 365 days, vectorbt's year."""
    return 365 * DAY_NS / parse_interval(interval)


def moments_of(score: Score) -> SharpeMoments:
    """Return the Sharpe ratio and the moments of a score's returns per bar; NaN where there is no variation, or a single bar."""
    values = _values(score)
    before = values[:-1]
    returns = np.divide(np.diff(values), before, out=np.zeros(before.size), where=before > 0)  # nothing is earned on nothing
    if returns.size < 2:
        return SharpeMoments(sharpe=math.nan, n_obs=returns.size, skew=math.nan, kurtosis=math.nan)
    return sharpe_moments(returns)


def _values(score: Score) -> Float64Array1D:
    """Return what the account was worth: the initial cash, and at each bar's close, shape (n_bars + 1,)."""
    return np.concatenate(([score.initial_cash], score.fills.equity))


def _max_drawdown(values: Float64Array1D) -> float:
    return float((1.0 - values / np.maximum.accumulate(values)).max())


def _signals_sha256(signals: Signals) -> str:
    digest = hashlib.sha256()
    for name, value in vars(signals).items():
        if isinstance(value, np.ndarray):
            digest.update(name.encode())
            digest.update(np.ascontiguousarray(value).data)
    return digest.hexdigest()


def _instant(stamp: int) -> datetime:
    return datetime.fromtimestamp(stamp // 1_000_000_000, UTC)

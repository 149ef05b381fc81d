"""Strategies of a configuration: scored, counted in the ledger, and checked for look-ahead."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from liqbt._typing import Progress
from liqbt.book.params import LeverageMix
from liqbt.book.reconstruct import Reconstruction
from liqbt.errors import ConfigError
from liqbt.features import build_features
from liqbt.ledger import NO_LEDGER, Ledger, Trials, default_ledger, deflated_sharpe
from liqbt.lookahead import LookaheadReport, check_lookahead
from liqbt.market import MarketFrame
from liqbt.report.provenance import provenance
from liqbt.run.config import RunConfig, StrategyConfig
from liqbt.run.markets import open_market, reconstruct_market
from liqbt.scoring import Score, backtest, buy_and_hold
from liqbt.strategy import ask_signals, load_strategy, source_sha256

__all__ = ["RunResult", "check_strategies", "run"]

BENCHMARK = "buy and hold"


@dataclass(frozen=True, kw_only=True, eq=False)
class RunResult:
    """What a run gives: the market, its book and features, and a score for each strategy and for buy and hold.

    sources: SHA-256 of each strategy's file, by the name of its score. trials: what the ledger holds on this data, these scores
    included, or None where nothing is recorded. notes: what a reader must know of the ledger; what it says of a score is in its notes.
    """

    config: RunConfig
    market: MarketFrame
    book: Reconstruction
    features: pd.DataFrame
    scores: tuple[Score, ...]
    benchmark: Score
    sources: Mapping[str, str]
    trials: Trials | None = None
    notes: tuple[str, ...] = ()

    def provenance(self) -> dict[str, Any]:
        """Return data, settings, versions and hashes behind the result."""
        return provenance(self.market, self.book, self.config.features, self.scores, self.sources)


def run(config: RunConfig, *, progress: Progress | None = None) -> RunResult:
    """Reconstruct the market's book, build features, and score every strategy of the configuration.

    Each score is recorded in the ledger as soon as it is finished, and how many variants were tried on this data becomes a note of it.

    Raises ConfigError, DataError or StoreError where data or settings cannot be used.
    """
    labels = _labels(config.strategies)
    strategies = [load_strategy(one.name, **one.parameters) for one in config.strategies]  # before the work, to fail early
    sources = {label: source_sha256(strategy) for label, strategy in zip(labels, strategies, strict=True)}
    ledger = _ledger(config)
    book = reconstruct_market(config, progress=progress)
    new = ledger is not None and ledger.prepare()
    market = book.market
    features = build_features(book, config.features, progress=progress)
    execution = config.execution
    made_with = {"mix": book.mix, "book": book.params, "features": config.features, "fills": execution.fills}
    scores = []
    for done, (label, strategy) in enumerate(zip(labels, strategies, strict=True), start=1):
        began = time.perf_counter()
        signals = dataclasses.replace(ask_signals(strategy, market, features), name=label)
        scores.append(
            backtest(
                signals,
                market,
                costs=config.costs,
                leverage=execution.leverage,
                initial_cash=execution.initial_cash,
                sizing=execution.sizing,
                rules=execution.rules,
                fills=execution.fills,
            )
        )
        if ledger is not None:
            ledger.record(scores[-1], source_sha256=sources[label], wall_seconds=time.perf_counter() - began, **made_with)
        if progress is not None:
            progress(done / len(strategies), f"scored {label}")
    benchmark = buy_and_hold(market, costs=config.costs, initial_cash=execution.initial_cash)
    if ledger is not None:
        ledger.record(benchmark, role="benchmark")
    return RunResult(
        config=config,
        market=market,
        book=book,
        features=features,
        scores=tuple(scores if ledger is None else [_deflated(score, ledger) for score in scores]),
        benchmark=benchmark,
        sources=sources,
        trials=None if ledger is None else ledger.trials(market),
        notes=_notes(ledger, new),
    )


def check_strategies(config: RunConfig, *, progress: Progress | None = None) -> tuple[LookaheadReport, ...]:
    """Return for each strategy of the configuration whether it looks ahead on its market; see `liqbt.lookahead.check_lookahead`.

    Raises as `run` does.
    """
    strategies = [load_strategy(one.name, **one.parameters) for one in config.strategies]
    market = open_market(config.data, progress)
    mix = None if config.mix is None else LeverageMix.of(config.mix)
    return tuple(
        check_lookahead(strategy, market, mix=mix, book=config.book, features=config.features, progress=progress) for strategy in strategies
    )


def _ledger(config: RunConfig) -> Ledger | None:
    address = config.ledger or default_ledger(config.data.store)
    return None if address == NO_LEDGER else Ledger(address)


def _deflated(score: Score, ledger: Ledger) -> Score:
    """Return the score with a note of how many variants were tried on its data, and what its Sharpe ratio is worth after that many."""
    count = ledger.trials(score.market).count
    tried = f"{count} {'variant has' if count == 1 else 'different variants have'} been tried on this data, as the ledger of runs counts"
    value = deflated_sharpe(score, ledger)
    if math.isnan(value):
        return dataclasses.replace(score, notes=(*score.notes, tried))
    chance = "is above 0" if count == 1 else f"exceeds what the best of {count} would show without skill"
    worth = f"deflated Sharpe {value:.2f}, the probability that its true ratio {chance}"
    return dataclasses.replace(score, notes=(*score.notes, tried, f"{score.name}: {worth}"))


def _notes(ledger: Ledger | None, new: bool) -> tuple[str, ...]:
    if ledger is None:
        return ("this run was not recorded, and how many variants were tried on this data is not known",)
    return (f"the ledger {ledger.label} was begun with this run: what was tried before is not counted",) if new else ()


def _labels(strategies: tuple[StrategyConfig, ...]) -> list[str]:
    """Return a name for each strategy's results; raises ConfigError where two would share one."""
    labels = [one.result_name for one in strategies]
    twice = next((label for label in labels if labels.count(label) > 1 or label == BENCHMARK), None)
    if twice is not None:
        raise ConfigError(f"strategies: two results would be called {twice!r}; give one file another name, or a label in the configuration")
    return labels

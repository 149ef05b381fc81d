"""Verdicts on the market of a configuration."""

from __future__ import annotations

from liqbt._typing import Progress
from liqbt.book.reconstruct import Reconstruction
from liqbt.evaluation import Evaluation, RobustnessGrid, evaluate, robustness
from liqbt.evaluation.hypotheses import find_hypotheses
from liqbt.run.config import RunConfig
from liqbt.run.markets import reconstruct_market

__all__ = ["evaluate_market", "robustness_of"]


def evaluate_market(config: RunConfig, *, progress: Progress | None = None) -> tuple[Reconstruction, Evaluation]:
    """Reconstruct the market's book and evaluate the hypotheses of the configuration on it; raises as `run` and `evaluate` do."""
    asked = config.evaluation
    find_hypotheses(asked.hypotheses)  # before the work, to fail early
    book = reconstruct_market(config, progress=progress)
    found = evaluate(
        book.market, book, asked.hypotheses, features=config.features, costs=config.costs, tuned_until=asked.tuned_until, draws=asked.draws,
        seed=asked.seed, progress=progress,
    )  # fmt: skip
    return book, found


def robustness_of(config: RunConfig, book: Reconstruction, hypothesis: str, *, progress: Progress | None = None) -> RobustnessGrid:
    """Return the estimates of one hypothesis over thresholds, horizons and mixes, with the configuration's features."""
    return robustness(book, hypothesis, features=config.features, progress=progress)

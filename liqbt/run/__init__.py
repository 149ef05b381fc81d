"""A run: one configuration in, results out. What the command line does, for scripts as well."""

from __future__ import annotations

from liqbt.run.config import DataConfig, EvaluationConfig, ExecutionConfig, RunConfig, StrategyConfig, read_config
from liqbt.run.evaluations import evaluate_market, robustness_of
from liqbt.run.markets import open_market, reconstruct_market
from liqbt.run.scores import RunResult, check_strategies, run

__all__ = [
    "DataConfig",
    "EvaluationConfig",
    "ExecutionConfig",
    "RunConfig",
    "RunResult",
    "StrategyConfig",
    "check_strategies",
    "evaluate_market",
    "open_market",
    "read_config",
    "reconstruct_market",
    "robustness_of",
    "run",
]

"""Scoring: signals are executed here, and nowhere else, and vectorbt judges the account."""

from __future__ import annotations

from liqbt.scoring.backtest import backtest, buy_and_hold
from liqbt.scoring.capacity import Capacity
from liqbt.scoring.costs import Costs
from liqbt.scoring.fills import Fills
from liqbt.scoring.portfolio_backtest import backtest_portfolio
from liqbt.scoring.portfolio_score import PortfolioScore
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.score import Score
from liqbt.scoring.sizing import EquityShare, FixedNotional, Sizing, VolatilityTarget
from liqbt.scoring.variants import score_variants

__all__ = [
    "Capacity",
    "Costs",
    "EquityShare",
    "Fills",
    "FixedNotional",
    "PortfolioScore",
    "Score",
    "Sizing",
    "TradingRules",
    "VolatilityTarget",
    "backtest",
    "backtest_portfolio",
    "buy_and_hold",
    "score_variants",
]

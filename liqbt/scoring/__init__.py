"""Scoring: signals are executed here, and nowhere else, and vectorbt judges the account."""

from __future__ import annotations

from liqbt.scoring.backtest import backtest, buy_and_hold
from liqbt.scoring.costs import Costs
from liqbt.scoring.fills import Fills
from liqbt.scoring.score import Score

__all__ = ["Costs", "Fills", "Score", "backtest", "buy_and_hold"]

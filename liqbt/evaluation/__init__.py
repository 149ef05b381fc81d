"""Do the signals hold? Hypotheses, controls, and verdicts that may say no.

    result = evaluate(market, book)
    result.verdicts                     # one row a hypothesis: holds, does not hold, or not enough data, and why
    result.controls                     # what stood in for the events, and how much better they did

A hypothesis of one's own is data too:

    Hypothesis(name="mine", claim="price turns at the zone's far edge", find=MyEvents(), outcome=ForwardReturn(hours=4))

where `MyEvents` is a frozen dataclass with one method, `events(context) -> Events`; row t of what it reads was known at that bar's close.
"""

from __future__ import annotations

from liqbt.evaluation.context import Context
from liqbt.evaluation.evaluate import evaluate
from liqbt.evaluation.events import Events, HotZone, SweptZone, TouchedZone
from liqbt.evaluation.hypotheses import Control, Hypothesis, shipped_hypotheses
from liqbt.evaluation.liquidations import LiquidationSkill, liquidation_skill
from liqbt.evaluation.outcomes import Bounce, FirstTouch, ForwardReturn, Outcomes, TouchWithin
from liqbt.evaluation.results import Evaluation
from liqbt.evaluation.robustness import RobustnessGrid, robustness

__all__ = [
    "Bounce",
    "Context",
    "Control",
    "Evaluation",
    "Events",
    "FirstTouch",
    "ForwardReturn",
    "HotZone",
    "Hypothesis",
    "LiquidationSkill",
    "Outcomes",
    "RobustnessGrid",
    "SweptZone",
    "TouchWithin",
    "TouchedZone",
    "evaluate",
    "liquidation_skill",
    "robustness",
    "shipped_hypotheses",
]

"""Does a strategy look ahead? Ask it again without the future, and with another one, and compare what it said before.

    from liqbt.lookahead import check_lookahead

    report = check_lookahead(load_strategy("mine.py"), market)
    report.clean, report.message

A strategy that is found out is named with the first bar that gives it away.
"""

from __future__ import annotations

from liqbt.lookahead.check import check_lookahead
from liqbt.lookahead.report import Fault, FaultKind, LookaheadReport

__all__ = ["Fault", "FaultKind", "LookaheadReport", "check_lookahead"]

"""Buy and hold: long, and nothing else. What a strategy must beat to be worth its trouble."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from liqbt import MarketFrame, Signals


@dataclass(frozen=True, kw_only=True)
class BuyAndHold:
    """Want to be long at every close: it buys once, and again should it be liquidated."""

    def signals(self, market: MarketFrame, features: pd.DataFrame) -> Signals:  # noqa: ARG002 - it looks at nothing
        """Return a wish to be long in every bar."""
        return Signals.of(market, entry=1, name="buy_and_hold", parameters=vars(self))

"""What ccxt returns, saved as JSON: one list, or an object a line. Written against ccxt 4.5.

ccxt gives all venues one form but not one meaning: amounts may count contracts, and the side of a liquidation is passed on as the venue
says it. What a venue means is read from `info`, its own words, and where they are missing the caller is asked.
"""

from __future__ import annotations

from typing import Final

from liqbt.data.readers.ccxt_unified import candles, liquidations, series, trades

__all__ = ["KINDS"]

KINDS: Final = (*candles.KINDS, *series.KINDS, *liquidations.KINDS, *trades.KINDS)
"""The kinds of files of this reader."""

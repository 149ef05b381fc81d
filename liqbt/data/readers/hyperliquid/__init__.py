"""Hyperliquid: what its own archives hold, and what recorders of its interface write.

Amounts and open interest are in coins. `A` (ask) is a sale and `B` (bid) a purchase; of trades, the taker's. Funding is paid every
full hour; the rate of a context is the one that the running hour would pay.
"""

from __future__ import annotations

from typing import Final

from liqbt.data.readers.hyperliquid import books, contexts, fills, trades

__all__ = ["KINDS"]

KINDS: Final = (*trades.KINDS, *contexts.KINDS, *books.KINDS, *fills.KINDS)
"""The kinds of files of this reader."""

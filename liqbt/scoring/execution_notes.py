"""What a reader of simulated fills must know, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from liqbt.market import MarketFrame
from liqbt.scoring.costs import Costs
from liqbt.scoring.fills import Fills
from liqbt.signals import Signals

__all__ = ["notes_of"]

FUNDING_INTERVAL_NS: Final = 8 * 3_600_000_000_000  # of most symbols on Binance and Bybit


def notes_of(signals: Sequence[Signals], markets: Sequence[MarketFrame], fills: Fills, costs: Costs) -> tuple[str, ...]:
    """Return the notes on the fills of `signals`, one for each of `markets`."""
    dropped = sum(one.dropped for one in signals)
    counted = (
        (dropped, "not sent: stop or target on the wrong side of the price, or a trigger that would fire at once"),
        (fills.capped, "cut down to the greatest notional that the venue allows at this leverage"),
        (fills.reduced, "cut down to the free margin"),
        (fills.starved, "not sent: no margin was free"),
        (fills.unsized, "not sent: the volatility was not known yet"),
        (fills.cooled, "not sent: they came in a cooldown"),
    )
    notes = [*_funding_notes(markets, costs), *(f"{_entries(count)} {what}" for count, what in counted if count)]
    if fills.beyond:
        notes.append(f"{_orders(fills.beyond)} greater than the recorded book, which was taken to go on as it ended")
    if fills.bookless:
        notes.append(f"{_orders(fills.bookless)} filled where no order book was known, at the fixed slippage")
    if fills.ruined:
        notes.append("the account was ruined: nothing was left to trade with")
    return tuple(notes)


def _funding_notes(markets: Sequence[MarketFrame], costs: Costs) -> list[str]:
    if not costs.funding:
        return ["funding was switched off"]
    notes = []
    bare = [market.symbol for market in markets if market.funding_rate is None]
    if bare:
        of = "" if len(markets) == 1 else f" of {', '.join(bare)}"
        notes.append(f"no funding{of} is recorded: none was paid or received")
    if len(bare) < len(markets) and markets[0].interval_ns > FUNDING_INTERVAL_NS:
        notes.append("bars are longer than 8 hours: payments within a bar are charged at its open to what was carried into it")
    return notes


def _entries(count: int) -> str:
    return "1 entry was" if count == 1 else f"{count} entries were"


def _orders(count: int) -> str:
    return "1 market order was" if count == 1 else f"{count} market orders were"

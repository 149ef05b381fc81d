"""Liquidations from the public websocket streams of Binance, Bybit and OKX; what recorders put around them is in `_messages`.

    Binance  forceOrder                     the order's side; contracts where the symbol is COIN-M; at most one event a second and symbol
    Bybit    allLiquidation.SYMBOL          the position's side; every liquidation; contracts of 1 USD where the symbol ends in USD
    Bybit    liquidation.SYMBOL (until 2025)  the position's side; at most one a second and symbol
    OKX      liquidation-orders             both sides; contracts of the instrument's `ctVal`; at most one order a second and contract

Of the streams that show one event a second, what they leave out is not known: sums over them are lower bounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._venue_units import ContractSize, Unit, bybit_unit, okx_unit
from liqbt.data.readers._whole import milliseconds
from liqbt.data.readers.recorder._events import Liquidation, binance_order, bybit_entry, bybit_old_entry, okx_detail
from liqbt.data.readers.recorder._messages import Messages, unwrapped
from liqbt.data.readers.recorder._tables import Collected, binance_unit, liquidation_batches
from liqbt.errors import DataError

__all__ = ["KINDS"]

_SELECTED: Final = "events from a stream that shows at most one a second"
_OKX_CONTRACT: Final = re.compile(r".*-(SWAP|[0-9]{6})")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Venue:
    """How a venue tells of liquidations.

    stream: what a message says to be part of, None where it is no message of this venue. details: what is known of the streams that
    tell of liquidations, by the first word of their names. entries: the liquidations in a message, and ms at which it was sent.
    """

    name: str
    stream: Callable[[Mapping[str, Any]], str | None]
    details: Mapping[str, str]
    entries: Callable[[Mapping[str, Any], str], tuple[list[Liquidation], int | None]]
    unit: Callable[[str, ContractSize], Unit]

    def liquidates(self, content: Mapping[str, Any]) -> str | None:
        """Return the first word of a message's stream where that tells of liquidations."""
        word = (self.stream(content) or "").partition(".")[0]
        return word if word in self.details else None


def _recognise(venue: _Venue, head: Head) -> Recognition | None:
    """Claim lines of which the first that tells of a liquidation is of this venue."""
    seen = dict.fromkeys((other, word) for other, content in _first_messages(head) if (word := other.liquidates(content)) is not None)
    if not seen or next(iter(seen))[0] is not venue:
        return None
    return Recognition(detail="; ".join(venue.details[word] for other, word in seen if other is venue), venue=venue.name)


def _first_messages(head: Head) -> Iterator[tuple[_Venue, Mapping[str, Any]]]:
    """Yield the messages in the head with their venues; what is none is left to the reader to complain of."""
    for line in head.lines:
        try:
            found = list(unwrapped(line if line in ("ping", "pong") else json.loads(line)))
        except ValueError:
            continue
        for _, content in found:
            if isinstance(content, dict):
                yield from ((venue, content) for venue in _VENUES if venue.stream(content) is not None)


def _read(venue: _Venue, file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read recorded messages as `liquidations`, the price columns as far as the venue tells them.

    Raises DataError naming the line for what is no message of the venue or no liquidation; ConfigError for options that have no meaning
    here, or a `contract_size` that is missing.
    """
    options.refuse("recorder", "mapping", "utc_offset_hours", "interval")
    messages, collected = Messages(file=file), Collected()
    for message in messages:
        where = f"{file.label}: row {message.row}"
        if venue.stream(message.content) is None:
            told = json.dumps(message.content)[:60]
            raise DataError(f"{where}: {told!r} is no message of {venue.name}'s streams; check the file and reader")
        if venue.liquidates(message.content) is None:
            messages.skipped["messages of other streams left out"] += 1
            continue
        found, sent = venue.entries(message.content, where)
        for one in found:
            collected.add(one, row=message.row, known=sent, received=message.received)
    yield Batch(table="liquidations", interval=None, rows=None, mended=messages.skipped)
    yield from liquidation_batches(collected.frame(), file, options, venue.unit)


def _sent(content: Mapping[str, Any], key: str, where: str) -> int:
    sent = content.get(key)
    if not isinstance(sent, int):
        raise DataError(f"{where}: {key} is {str(sent)[:60]!r}, no time in ms; check the file and reader")
    return milliseconds(sent, key, where)


def _objects(value: object, key: str, where: str) -> list[Mapping[str, Any]]:
    given = value if isinstance(value, list) else [value]
    found: list[Mapping[str, Any]] = [one for one in given if isinstance(one, dict)]
    if len(found) < len(given):
        raise DataError(f"{where}: {key} is {str(value)[:60]!r}, no liquidation; check the file and reader")
    return found


def _binance_entries(content: Mapping[str, Any], where: str) -> tuple[list[Liquidation], int | None]:
    return [binance_order(one, where) for one in _objects(content.get("o"), "o", where)], _sent(content, "E", where)


def _bybit_entries(content: Mapping[str, Any], where: str) -> tuple[list[Liquidation], int | None]:
    entry = bybit_old_entry if content["topic"].startswith("liquidation.") else bybit_entry
    sent = _sent(content, "ts", where) if "ts" in content else None
    return [entry(one, where) for one in _objects(content.get("data"), "data", where)], sent


def _okx_entries(content: Mapping[str, Any], where: str) -> tuple[list[Liquidation], int | None]:
    found = []
    for instrument in _objects(content.get("data"), "data", where):
        symbol = str(instrument.get("instId"))
        if _OKX_CONTRACT.fullmatch(symbol):  # margin accounts and options are liquidated in the same channel
            found += [okx_detail(one, symbol, where) for one in _objects(instrument.get("details"), "details", where)]
    return found, None  # a message says when the orders were, not when it was sent


def _okx_stream(content: Mapping[str, Any]) -> str | None:
    about = content.get("arg")
    return about.get("channel") if isinstance(about, dict) else None


def _named(key: str, content: Mapping[str, Any]) -> str | None:
    name = content.get(key)
    return name if isinstance(name, str) else None


_BINANCE: Final = _Venue(
    name="binance", stream=partial(_named, "e"), details={"forceOrder": _SELECTED}, entries=_binance_entries, unit=binance_unit
)
_BYBIT: Final = _Venue(
    name="bybit",
    stream=partial(_named, "topic"),
    details={"allLiquidation": "every liquidation", "liquidation": _SELECTED},
    entries=_bybit_entries,
    unit=bybit_unit,
)
_OKX: Final = _Venue(
    name="okx",
    stream=_okx_stream,
    details={"liquidation-orders": "events from a stream that shows at most one a second and contract"},
    entries=_okx_entries,
    unit=okx_unit,
)
_VENUES: Final = (_BINANCE, _BYBIT, _OKX)

KINDS: Final = tuple(
    Kind(
        reader="recorder",
        name=name,
        says=says,
        tables=("liquidations",),
        recognise=partial(_recognise, venue),
        read=partial(_read, venue),
    )
    for venue, name, says in (
        (_BINANCE, "binance_force_order", "recorded forceOrder messages of Binance"),
        (_BYBIT, "bybit_liquidation", "recorded liquidation messages of Bybit"),
        (_OKX, "okx_liquidation_orders", "recorded liquidation-orders messages of OKX"),
    )
)
"""The kinds of files of this module."""

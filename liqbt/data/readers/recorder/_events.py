"""Liquidations as venues tell them, each converted to one form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from liqbt.data.readers._whole import milliseconds
from liqbt.errors import DataError

__all__ = ["Liquidation", "binance_order", "bybit_entry", "bybit_old_entry", "okx_detail"]

_ORDER: Final = {"SELL": "long", "BUY": "short"}  # what the venue does to close the position
_POSITION: Final = {"BUY": "long", "SELL": "short"}  # Bybit: how the position was opened


@dataclass(frozen=True, kw_only=True)
class Liquidation:
    """One liquidation.

    time: exchange time in ms since 1970. side: position side. amount: as the venue counts it, in base coin or contracts.
    The prices are quote, None where the venue does not tell.
    """

    symbol: str
    time: int
    side: str
    amount: float
    price: float | None = None
    average_price: float | None = None
    bankruptcy_price: float | None = None


def binance_order(order: Mapping[str, Any], where: str) -> Liquidation:
    """Return the order `o` of a forceOrder event: what was filled of it (`z`), at `ap` on average.

    `p` is the order's limit, and `q` and `l` are what it asked for and what its last fill gave. `S` is the order's side.
    where: file and row, for messages. Raises DataError naming the key for what is missing or no value.
    """
    return Liquidation(
        symbol=_text(order, "s", where),
        time=_time(order, "T", where),
        side=_side(order, "S", _ORDER, where),
        amount=_number(order, "z", where),
        price=_price(order, "p", where),
        average_price=_price(order, "ap", where),
    )


def bybit_entry(entry: Mapping[str, Any], where: str) -> Liquidation:
    """Return an entry of `allLiquidation`; `S` is the side of the position, `p` its bankruptcy price. Raises as `binance_order`."""
    return Liquidation(
        symbol=_text(entry, "s", where),
        time=_time(entry, "T", where),
        side=_side(entry, "S", _POSITION, where),
        amount=_number(entry, "v", where),
        bankruptcy_price=_price(entry, "p", where),
    )


def bybit_old_entry(entry: Mapping[str, Any], where: str) -> Liquidation:
    """Return the data of the older topic `liquidation`, of the same meaning under longer names. Raises as `binance_order`."""
    return Liquidation(
        symbol=_text(entry, "symbol", where),
        time=_time(entry, "updatedTime", where),
        side=_side(entry, "side", _POSITION, where),
        amount=_number(entry, "size", where),
        bankruptcy_price=_price(entry, "price", where),
    )


def okx_detail(detail: Mapping[str, Any], symbol: str, where: str) -> Liquidation:
    """Return one of the `details` of an instrument's liquidation orders.

    `posSide` is the side of the position; where accounts net their positions it says nothing, and `side`, the order's, tells.
    Raises as `binance_order`.
    """
    position = str(detail.get("posSide") or "net")
    return Liquidation(
        symbol=symbol,
        time=_time(detail, "ts", where),
        side=position if position in ("long", "short") else _side(detail, "side", _ORDER, where),
        amount=_number(detail, "sz", where),
        bankruptcy_price=_price(detail, "bkPx", where),
    )


def _given(entry: Mapping[str, Any], key: str, where: str) -> Any:
    if not isinstance(entry, Mapping) or entry.get(key) in (None, ""):
        raise DataError(f"{where} has a liquidation without {key!r}; check the file and reader")
    return entry[key]


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    return str(_given(entry, key, where))


def _side(entry: Mapping[str, Any], key: str, words: Mapping[str, str], where: str) -> str:
    given = str(_given(entry, key, where))
    try:
        return words[given.upper()]
    except KeyError:
        raise DataError(f"{where}: {key} is {given[:60]!r}, neither buy nor sell; check the file and reader") from None


def _time(entry: Mapping[str, Any], key: str, where: str) -> int:
    given = _given(entry, key, where)
    try:
        found = int(given)
    except (ValueError, TypeError, OverflowError):
        raise DataError(f"{where}: {key} is {str(given)[:60]!r}, no time in ms; check the file and reader") from None
    return milliseconds(found, key, where)


def _number(entry: Mapping[str, Any], key: str, where: str) -> float:
    given = _given(entry, key, where)
    try:
        value = float(given)
    except (ValueError, TypeError, OverflowError):
        value = math.nan
    if not 0 <= value < math.inf:
        raise DataError(f"{where}: {key} is {str(given)[:60]!r}, not a number of at least 0; check the file and reader")
    return value


def _price(entry: Mapping[str, Any], key: str, where: str) -> float | None:
    """Return a price, None where it is empty or 0, as that of an order at the market's price."""
    return (_number(entry, key, where) or None) if entry.get(key) not in (None, "") else None

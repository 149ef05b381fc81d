"""One market, many spellings: what makes `BTCUSDT`, `BTC/USDT:USDT` and `BTC-USDT-SWAP` the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from liqbt.errors import ConfigError, did_you_mean
from liqbt.margin.tiers import Contract

__all__ = ["VENUES", "contract_of", "find_symbol", "symbol_key", "venue_key"]

VENUES: Final = ("binance", "bybit", "hyperliquid", "okx")
"""Venues whose spellings are known."""

# ccxt splits Binance in two, Tardis by product; OKX was OKEx until 2022.
_ALIASES: Final = {
    "binanceusdm": "binance",
    "binancecoinm": "binance",
    "binance-futures": "binance",
    "binance-delivery": "binance",
    "okex": "okx",
    "okex-swap": "okx",
    "okex-futures": "okx",
}
_PERPETUAL: Final = {"SWAP", "PERP", "PERPETUAL"}
# A dated contract ends in YYMMDD (Binance, OKX) or a month letter and a year (Bybit).
_INVERSE: Final = re.compile(r".+USD([0-9]{6}|[FGHJKMNQUVXZ][0-9]{2})?")


def venue_key(venue: str) -> str:
    """Return the venue's plain name: lower case, and one name for what ccxt and Tardis split by product."""
    lower = venue.strip().lower()
    return _ALIASES.get(lower, lower)


def symbol_key(venue: str, symbol: str) -> str:
    """Return what all spellings of a market have in common: `BTCUSDT`, `BTCUSD`, `BTCUSDT240329`; on Hyperliquid `BTC`.

    Separators, case and the words for a perpetual do not count, nor does the settlement coin where it is one of the pair.
    """
    name = symbol.strip().upper()
    if venue_key(venue) == "bybit" and re.fullmatch(r"[A-Z0-9]+PERP", name):
        name = name.removesuffix("PERP") + "USDC"  # Bybit's perpetuals in USDC
    parts = [part for part in re.split(r"[/:_-]", name) if part and part not in _PERPETUAL]
    if len(parts) >= 3 and parts[2] in parts[:2]:
        del parts[2]
    key = "".join(parts)
    if venue_key(venue) == "hyperliquid":  # one quote for all, so the venue names the coin alone
        key = re.sub(r"(?<=.)(USDC|USDT|USD)$", "", key)
    return key


def contract_of(venue: str, symbol: str) -> Contract:
    """Return whether a symbol is that of a linear or an inverse contract: by its settlement coin, else by a quote of plain USD."""
    pair, colon, settlement = symbol.upper().partition(":")
    if colon:
        return "inverse" if settlement.partition("-")[0] == pair.partition("/")[0] else "linear"
    if venue_key(venue) in ("binance", "bybit", "okx") and _INVERSE.fullmatch(symbol_key(venue, symbol)):
        return "inverse"
    return "linear"


def find_symbol(venue: str, symbol: str, known: Iterable[str]) -> str | None:
    """Return which of the `known` spellings means `symbol`: itself, else the only one with the same key; None where none does.

    Raises ConfigError where several do.
    """
    choices = list(known)
    if symbol in choices:
        return symbol
    key = symbol_key(venue, symbol)
    same = [choice for choice in choices if symbol_key(venue, choice) == key]
    if len(same) > 1:
        raise ConfigError(f"symbol: {symbol!r} on {venue} may mean any of {', '.join(sorted(same))}{did_you_mean(symbol, same)}")
    return same[0] if same else None

"""What Tardis' exchanges are called here, and what they count."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from liqbt.data.readers._contracts import coin_m_size
from liqbt.data.readers._venue_units import BASE, DOLLARS, ContractSize, Unit, bybit_unit, okx_unit
from liqbt.errors import ConfigError

__all__ = ["unit_of", "venue_of"]

_VENUES: Final = MappingProxyType(
    {
        "binance-futures": "binance",
        "binance-delivery": "binance",
        "binance": "binance-spot",  # its BTCUSDT is not the perpetual of that name
        "okex-swap": "okx",
        "okex-futures": "okx",
        "okex": "okx",  # spot, whose symbols tell it apart
    }
)

_IN_COINS: Final = frozenset({"binance", "binance-futures", "hyperliquid", "bybit-spot"})
_OKX: Final = frozenset({"okex", "okex-swap", "okex-futures"})
_INVERSE: Final = frozenset({"huobi-dm", "huobi-dm-swap"})
_DERIBIT_INVERSE: Final = re.compile(r"[A-Z]+-(PERPETUAL|[0-9]{1,2}[A-Z]{3}[0-9]{2})")
_BITMEX_INVERSE: Final = re.compile(r"XBT(USD|[FGHJKMNQUVXZ][0-9]{2})")


def venue_of(exchange: str) -> str:
    """Return the name of the venue whose exchange Tardis calls so; most keep their name."""
    return _VENUES.get(exchange, exchange)


def unit_of(exchange: str, symbol: str, size: ContractSize) -> Unit:
    """Return what amounts of a symbol count.

    Known: Binance, Hyperliquid and linear contracts of Bybit and Deribit count base coin, their inverse contracts and BitMEX's on
    XBT US dollars, Binance's COIN-M contracts 100 or 10 USD. The others need `contract_size`: base coin a contract (1 where amounts are
    in base coin), or USD a contract for the inverse contracts of OKX and Huobi.

    Raises ConfigError where it is needed and missing, given and wrong, or where a contract has no size in base coin (BitMEX's quanto).
    """
    if exchange in _IN_COINS:
        return size.known(symbol, BASE)
    if exchange == "bybit":
        return bybit_unit(symbol, size)
    if exchange in _OKX:
        return okx_unit(symbol, size)
    if exchange == "binance-delivery":
        return Unit(size=size.options.contract_size or coin_m_size(symbol), inverse=True)
    if exchange == "deribit":  # of perpetuals and futures margined in coin, USD; of all else, coins
        return size.known(symbol, DOLLARS if _DERIBIT_INVERSE.fullmatch(symbol) else BASE)
    if exchange == "bitmex" and _BITMEX_INVERSE.fullmatch(symbol):
        return size.known(symbol, DOLLARS)
    if exchange == "bitmex" and "USDT" not in symbol:
        raise ConfigError(
            f"contract_size: BitMEX's {symbol} in {size.file.label} is worth a fixed amount of bitcoin a point, so its contracts are no "
            "amount of its coin; leave the file out"
        )
    inverse = exchange in _INVERSE
    look_up = f"as {exchange} publishes it" if inverse else f"as {exchange} publishes it, or 1 where its amounts are in base coin"
    return Unit(size=size.asked(symbol, family=symbol, inverse=inverse, look_up=look_up), inverse=inverse)

"""Unified symbols and the venues behind them.

    BTC/USDT:USDT           linear perpetual     BTCUSDT        OKX: BTC-USDT-SWAP    Hyperliquid: BTC
    BTC/USD:BTC             inverse perpetual    BTCUSD         Binance: BTCUSD_PERP  OKX: BTC-USD-SWAP
    BTC/USDT:USDT-260626    linear future        BTCUSDT_260626                       OKX: BTC-USDT-260626

Spot pairs and options are refused: their trades are not those of the perpetual of that name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from liqbt.data.readers._contracts import coin_m_size
from liqbt.data.readers._venue_units import BASE, DOLLARS, ContractSize, Unit
from liqbt.errors import DataError

__all__ = ["Market", "market_of"]

_UNIFIED: Final = re.compile(r"(?P<base>[^/:]+)/(?P<quote>[^/:]+):(?P<settle>[^/:-]+)(-(?P<delivery>[0-9]{6}))?")


@dataclass(frozen=True, kw_only=True)
class Market:
    """A contract: coin, currency of its price, currency of its margin, and day of delivery as YYMMDD where it has one."""

    base: str
    quote: str
    settle: str
    delivery: str | None

    @property
    def inverse(self) -> bool:
        """Whether it is margined in its coin, and so worth a fixed amount of quote."""
        return self.settle == self.base

    def symbol(self, venue: str | None) -> str:
        """Return its name as the venue writes it; for a venue that is not known, as Binance writes linear contracts."""
        pair = self.base + self.quote
        if venue == "okx":
            return f"{self.base}-{self.quote}-{self.delivery or 'SWAP'}"
        if venue == "hyperliquid":
            return self.base
        if venue == "bybit" and self.quote == "USDC" and self.delivery is None:
            return f"{self.base}PERP"
        if venue == "binance" and self.inverse and self.delivery is None:
            return f"{pair}_PERP"
        return pair if self.delivery is None else f"{pair}_{self.delivery}"

    def unit(self, venue: str | None, size: ContractSize) -> Unit:
        """Return what the venue's amounts count, where it counts as it does in its own files.

        Binance, Bybit and Hyperliquid count linear contracts in base coin, Bybit inverse ones in USD, Binance in its 100 or 10 USD.
        Raises ConfigError where `contract_size` is needed and missing, or given and wrong.
        """
        name = self.symbol(venue)
        if venue in ("binance", "bybit", "hyperliquid"):
            if not self.inverse:
                return size.known(name, BASE)
            return size.known(name, Unit(size=coin_m_size(name), inverse=True) if venue == "binance" else DOLLARS)
        look_up = "OKX's ctVal of the instrument" if venue == "okx" else "as ccxt's market['contractSize'] says"
        look_up += "" if venue == "okx" or self.inverse else ", or 1 where amounts are in base coin"
        family = f"{self.base}/{self.quote}"
        return Unit(size=size.asked(name, family=family, inverse=self.inverse, look_up=look_up), inverse=self.inverse)


def market_of(symbol: object, where: str) -> Market:
    """Return the contract that a unified symbol names; raises DataError naming `where` for spot pairs, options and anything else."""
    named = _UNIFIED.fullmatch(symbol) if isinstance(symbol, str) else None
    if named is None:
        raise DataError(f"{where}: symbol is {str(symbol)[:40]!r}, no contract such as BTC/USDT:USDT; leave spot pairs and options out")
    return Market(base=named["base"], quote=named["quote"], settle=named["settle"], delivery=named["delivery"])

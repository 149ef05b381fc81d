"""What the archive's names tell: the symbol, the market with its units, and which kline table a file is of."""

from __future__ import annotations

import itertools
import re
from typing import Final, Literal

from liqbt.data.readers._contracts import coin_m_size, is_coin_m
from liqbt.data.readers._recording import ReadOptions
from liqbt.data.readers._source import SourceFile
from liqbt.errors import ConfigError

__all__ = ["READER", "Market", "contract_size", "folder_table", "market_of", "named_symbol", "needed_market", "refuse_foreign"]

Market = Literal["um", "cm"]

READER: Final = "binance_vision"
_NAME: Final = re.compile(r"(?P<symbol>[A-Z0-9]+(_(PERP|[0-9]{6}))?)-(?P<what>[A-Za-z0-9]+)-[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_PAIR: Final = re.compile(r"[A-Z0-9]*[A-Z0-9](?<!B)USD")
_KLINES: Final = ("klines", "markPriceKlines", "indexPriceKlines", "premiumIndexKlines")


def named_symbol(file: SourceFile) -> str | None:
    """Return the symbol of a file named as in the archive, `BTCUSDT-1m-2024-01.zip`; None for other names.

    A COIN-M index belongs to a pair (`BTCUSD`), which is no contract and has no symbol.
    """
    named = _NAME.fullmatch(file.stem)
    return named["symbol"] if named is not None and not _PAIR.fullmatch(named["symbol"]) else None


def folder_table(file: SourceFile) -> str | None:
    """Return the kline table whose folder the file lies in, None where it lies in none: the names of the files do not tell."""
    return next((part for part in reversed(file.path.absolute().parent.parts) if part in _KLINES), None)


def market_of(file: SourceFile, options: ReadOptions) -> Market | None:
    """Return the market: as the asked symbol says, else the file's name, else its folder; None where nothing tells.

    `um` counts in coins, `cm` (COIN-M) in contracts. Raises ConfigError where the asked symbol contradicts the file's name.
    """
    asked, named = (_symbol_market(symbol) for symbol in (options.symbol, named_symbol(file)))
    if asked is not None and named is not None and asked != named:
        kinds = {"um": "margined in USDT or USDC", "cm": "a COIN-M contract"}
        raise ConfigError(f"symbol: {options.symbol!r} is {kinds[asked]}, but {file.label} is of one {kinds[named]}; check both")
    parts = file.path.absolute().parent.parts
    inside = next((after for folder, after in itertools.pairwise(parts) if folder == "futures"), None)
    return asked or named or (inside if inside in ("um", "cm") else None)  # type: ignore[return-value]


def needed_market(file: SourceFile, options: ReadOptions) -> Market:
    """Return the market as `market_of`; raises ConfigError where nothing tells, and for a contract size that is not needed."""
    market = market_of(file, options)
    if market is None:
        raise ConfigError(
            f"symbol: nothing tells whether {file.label} counts coins or COIN-M contracts; give the symbol, such as BTCUSDT or BTCUSD_PERP"
        )
    if market == "um":
        options.refuse(READER, "contract_size")
    return market


def contract_size(file: SourceFile, options: ReadOptions, symbol: str | None = None) -> float:
    """Return USD a COIN-M contract: as asked, else by the rule for its symbol; raises ConfigError where no symbol is known."""
    if options.contract_size is not None:
        return options.contract_size
    symbol = symbol or options.symbol or named_symbol(file)
    if symbol is None:
        raise ConfigError(
            f"contract_size: {file.label} counts COIN-M contracts of an unknown symbol; give the symbol, or the USD a contract: "
            "100 for BTC, 10 for all others"
        )
    return coin_m_size(symbol)


def refuse_foreign(options: ReadOptions, *, covers_interval: bool = False) -> None:
    """Raise ConfigError for options that no file of the archive can use."""
    options.refuse(READER, "mapping", "utc_offset_hours", *(() if covers_interval else ("interval",)))


def _symbol_market(symbol: str | None) -> Market | None:
    if symbol is None or _PAIR.fullmatch(symbol):
        return None
    return "cm" if is_coin_m(symbol) else "um"

"""What the amounts of a venue count, told by its symbols: base coin, or contracts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from liqbt.data.readers._contracts import inverse_to_base
from liqbt.data.readers._recording import ReadOptions
from liqbt.data.readers._source import SourceFile
from liqbt.errors import ConfigError, DataError

__all__ = ["BASE", "DOLLARS", "ContractSize", "Unit", "bybit_unit", "okx_unit"]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What one of an amount stands for.

    size: base coin (linear) or quote (inverse). inverse: whether its value in quote is fixed, so that base coin follows from a price.
    """

    size: float
    inverse: bool

    def to_base(self, amount: pl.Expr, price: pl.Expr) -> pl.Expr:
        """Return amounts in base coin; price: quote, used where the contract is inverse."""
        if self.inverse:
            return inverse_to_base(amount, price, self.size)
        return amount if self.size == 1.0 else amount * self.size


BASE: Final = Unit(size=1.0, inverse=False)
"""Amounts in base coin already."""

DOLLARS: Final = Unit(size=1.0, inverse=True)
"""Amounts in quote, which are US dollars: inverse contracts of 1 USD."""


@dataclass(kw_only=True, eq=False)
class ContractSize:
    """The `contract_size` that the caller gave, which must belong to one family of contracts and to no symbol that needs none."""

    file: SourceFile
    options: ReadOptions
    _family: str | None = field(default=None, init=False)

    def asked(self, symbol: str, *, family: str, inverse: bool, look_up: str) -> float:
        """Return the size that was given for a symbol which needs one.

        family: symbols that share one size. look_up: where the venue tells it.
        Raises ConfigError where none was given, or where symbols of two families would share it.
        """
        size = self.options.contract_size
        if size is None:
            what = "USD" if inverse else "base coin"
            raise ConfigError(f"contract_size: {self.file.label} counts {symbol} in contracts; give {what} a contract, {look_up}")
        if self.options.symbol is None and self._family not in (None, family):
            raise ConfigError(
                f"contract_size: {self.file.label} holds {self._family} and {family}, whose contracts differ; give the symbol too"
            )
        self._family = family
        return size

    def known(self, symbol: str, unit: Unit) -> Unit:
        """Return the unit of a symbol whose size is known; raises ConfigError where another one was given."""
        given = self.options.contract_size
        if given is not None and (unit is BASE or given != unit.size):
            counted = f"in contracts of {unit.size:g} USD" if unit.inverse else "in base coin"
            raise ConfigError(f"contract_size: {self.file.label} counts {symbol} {counted}, not {given:g}; leave it out")
        return unit


_OKX: Final = re.compile(r"(?P<family>[A-Z0-9]+-(?P<quote>[A-Z0-9_]+))(?P<contract>-SWAP|-[0-9]{6})?")


def okx_unit(symbol: str, size: ContractSize) -> Unit:
    """Return what OKX counts a symbol in: contracts of `ctVal` base coin, or of `ctVal` USD where the quote is USD; spot in base coin.

    Sizes differ by coin and have been changed by the venue, so they are asked for.
    Raises DataError for a symbol that is no spot pair, swap or future; ConfigError as `ContractSize`.
    """
    named = _OKX.fullmatch(symbol)
    if named is None:
        raise DataError(
            f"{size.file.label}: {symbol[:40]!r} is no spot pair, swap or future of OKX, such as BTC-USDT-SWAP; leave the file out"
        )
    if named["contract"] is None:
        return size.known(symbol, BASE)
    inverse = named["quote"] == "USD"
    given = size.asked(symbol, family=named["family"], inverse=inverse, look_up="OKX's ctVal of the instrument")
    return Unit(size=given, inverse=inverse)


_BYBIT_INVERSE: Final = re.compile(r"[A-Z0-9]+USD([FGHJKMNQUVXZ][0-9]{2})?")


def bybit_unit(symbol: str, size: ContractSize) -> Unit:
    """Return what Bybit counts a symbol in: contracts of 1 USD where it ends in USD, as BTCUSD or BTCUSDH25, else base coin.

    Raises ConfigError where `contract_size` was given and says otherwise.
    """
    return size.known(symbol, DOLLARS if _BYBIT_INVERSE.fullmatch(symbol) else BASE)

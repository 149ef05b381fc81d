"""Contracts into coins: inverse contracts are worth a fixed amount of USD, so that a price tells how many coins they are."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from liqbt.errors import ConfigError

__all__ = ["coin_m_size", "inverse_to_base", "is_coin_m"]

_COIN_M: Final = re.compile(r"(?P<base>[A-Z0-9]+)USD_(PERP|[0-9]{6})")
# Contracts with a delivery date were margined in BUSD too, and their names look alike.
_IN_BUSD: Final = re.compile(r"(BTC|ETH)BUSD_[0-9]{6}")


def inverse_to_base(contracts: pl.Expr, price: pl.Expr, size: float) -> pl.Expr:
    """Return base coin of inverse contracts worth `size` USD each at `price` (quote a coin)."""
    return contracts * size / price


def is_coin_m(symbol: str) -> bool:
    """Return whether a symbol of Binance is a COIN-M contract: `BTCUSD_PERP`, `BTCUSD_240628`."""
    return _COIN_M.fullmatch(symbol) is not None and _IN_BUSD.fullmatch(symbol) is None


def coin_m_size(symbol: str) -> float:
    """Return USD a contract of a COIN-M symbol: 100 for BTC, 10 for all others (Binance's contract specifications).

    Raises ConfigError where the symbol is no COIN-M contract.
    """
    named = _COIN_M.fullmatch(symbol)
    if named is None or not is_coin_m(symbol):
        raise ConfigError(
            f"contract_size: {symbol!r} is no COIN-M symbol such as BTCUSD_PERP, whose size is known; "
            "give the USD a contract, as the venue's contract specification says"
        )
    return 100.0 if named["base"] == "BTC" else 10.0

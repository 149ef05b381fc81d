"""Trades and aggregated trades.

    aggTrades   agg_trade_id, price, quantity, first_trade_id, last_trade_id, transact_time, is_buyer_maker [, is_best_match]
    trades      id, price, qty, quote_qty (COIN-M: base_qty), time, is_buyer_maker [, is_best_match]

Older files have no header. Where the buyer was the maker, the taker sold. An aggregate is one taker's fills at one price within
100 ms, under the time of the last, so that it may straddle two bars.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout, typed_blocks
from liqbt.data.readers._contracts import inverse_to_base
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers.binance_vision import _head
from liqbt.data.readers.binance_vision._naming import READER, Market, contract_size, market_of, needed_market, refuse_foreign
from liqbt.data.validation import ROW, canonical
from liqbt.errors import ConfigError, DataError

__all__ = ["read_aggregates", "read_trades", "recognise_aggregates", "recognise_trades"]

_AGGREGATES: Final = Layout(
    columns={
        "agg_trade_id": pl.Int64,
        "price": pl.Float64,
        "quantity": pl.Float64,
        "first_trade_id": None,
        "last_trade_id": None,
        "transact_time": pl.Int64,
        "is_buyer_maker": pl.Boolean,
        "is_best_match": None,
    },
    optional=frozenset({"is_best_match"}),
)
_SIDE: Final = pl.Enum(["buy", "sell"])
_SIZES: Final = (10.0, 100.0)  # USD a COIN-M contract
_NEARLY: Final = 1e-3
_ROUNDED: Final = 1e-8  # coins are written with eight decimals


def _trades(counted: str, other: str) -> Layout:
    """Return the layout of trades whose amounts in coins are in column `counted`."""
    columns = {"id": pl.Int64, "price": pl.Float64, "qty": None, other: None, "time": pl.Int64, "is_buyer_maker": pl.Boolean}
    return Layout(columns={**columns, counted: pl.Float64, "is_best_match": None}, optional=frozenset({"is_best_match"}))


_TRADES: Final = {"um": _trades("qty", "quote_qty"), "cm": _trades("base_qty", "base_qty")}


def recognise_aggregates(head: Head) -> Recognition | None:
    """Claim the archive's header, or rows of two ids in order, a time and a flag at their places."""
    names = tuple(_AGGREGATES.columns)
    if head.has_header:
        return _head.recognition(head, time=5) if head.columns in (names[:-1], names) else None
    return _head.recognition(head, time=5) if _head.mostly(head.rows, _is_aggregate) else None


def recognise_trades(head: Head) -> Recognition | None:
    """Claim the archive's header, or rows whose fourth cell is worth of the third at the price of the second."""
    if head.has_header:
        fits = any(head.columns in (tuple(one.columns)[:-1], tuple(one.columns)) for one in _TRADES.values())
        return _head.recognition(head, time=4) if fits else None
    return _head.recognition(head, time=4) if _head.mostly(head.rows, _is_trade) and _markets_by_worth(head) else None


def read_aggregates(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `aggTrades` as `trades`, block by block; `id` is that of the aggregate.

    COIN-M counts contracts; they become coins at the price of the trade.
    Raises DataError for what is in the file; ConfigError where neither symbol, name nor folder tells the market.
    """
    refuse_foreign(options)
    amount = pl.col("quantity")
    if needed_market(file, options) == "cm":
        amount = inverse_to_base(amount, pl.col("price"), contract_size(file, options))
    yield from _batches(file, _AGGREGATES, "agg_trade_id", amount, "transact_time")


def read_trades(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `trades` as `trades`, block by block. COIN-M files have the amount in coins beside the contracts.

    Raises DataError for what is in the file; ConfigError where it has no header and nothing tells its market.
    """
    refuse_foreign(options)
    market = _trades_market(file, options)
    if market == "um":
        options.refuse(READER, "contract_size")
    amount = pl.col("qty" if market == "um" else "base_qty")
    yield from _batches(file, _TRADES[market], "id", amount, "time")


def _batches(file: SourceFile, layout: Layout, number: str, amount: pl.Expr, time: str) -> Iterator[Batch]:
    side = pl.col("is_buyer_maker").cast(pl.UInt8).cat.to(_SIDE)
    for block in typed_blocks(file, layout):
        stamps = epoch_to_times(block[time], unit="auto", label=file.label, rows=block[ROW])
        rows = block.select(ROW, stamps, "price", amount.alias("amount"), side.alias("side"), pl.col(number).alias("id"))
        rows, early = in_order(rows)
        rows = canonical(rows, "trades", source=file.label)
        yield Batch(table="trades", interval=None, rows=rows, mended={"rows out of order sorted": early})


def _trades_market(file: SourceFile, options: ReadOptions) -> Market:
    """Return the market as the columns tell, which the names must not contradict."""
    head = file.head
    named = market_of(file, options)
    if head.has_header:
        possible: set[Market] = {"cm"} if "base_qty" in head.columns else {"um"}
    else:
        possible = _markets_by_worth(head)
    if named is not None:
        if named not in possible and possible:
            is_in, says = ("coins", "COIN-M") if named == "cm" else ("contracts", "margined in USDT or USDC")
            raise DataError(f"{file.label}: counts {is_in}, but its symbol is {says}; check the symbol and the file")
        return named
    if len(possible) != 1:
        raise ConfigError(f"symbol: the numbers in {file.label} do not tell whether they are coins or COIN-M contracts; give the symbol")
    return possible.pop()


def _is_aggregate(row: tuple[str, ...]) -> bool:
    if len(row) not in (7, 8) or not _head.is_stamp(row[5]) or not _head.is_flag(row[6]):
        return False
    return all(row[at].isdecimal() for at in (0, 3, 4)) and int(row[3]) <= int(row[4]) and _head.number(row[1]) > 0


def _is_trade(row: tuple[str, ...]) -> bool:
    return len(row) in (6, 7) and row[0].isdecimal() and _head.number(row[1]) > 0 and _head.is_stamp(row[4]) and _head.is_flag(row[5])


def _markets_by_worth(head: Head) -> set[Market]:
    """Return the markets in whose units the first rows make sense: worth is quantity times price, or contracts by price."""
    rows = [[_head.number(cell) for cell in row[1:4]] for row in head.rows if _is_trade(row)]
    coins = [abs(worth - price * quantity) <= _NEARLY * worth for price, quantity, worth in rows]
    contracts = [
        any(abs(worth - quantity * size / price) <= _NEARLY * worth + _ROUNDED for size in _SIZES) for price, quantity, worth in rows
    ]
    by_market: dict[Market, list[bool]] = {"um": coins, "cm": contracts}
    return {market for market, fits in by_market.items() if 2 * sum(fits) > len(rows)}

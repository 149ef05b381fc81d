"""Trades: recorded lines, and the node's `node_trades`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._json_lines import json_blocks
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times, to_numbers, to_times
from liqbt.data.readers.hyperliquid._venue import READER, VENUE, by_symbol, named_symbol, perpetuals, taker_side
from liqbt.data.validation import ROW, canonical

__all__ = ["KINDS"]

_RECORDED: Final = {"ts": pl.Int64, "px": pl.Float64, "sz": pl.Float64, "side": pl.String}
_NODE: Final = {
    "coin": pl.String, "side": pl.String, "time": pl.String, "px": pl.String, "sz": pl.String, "trade_dir_override": pl.String,
}  # fmt: skip
_INTERNAL: Final = "NetChildVaultPositions"


def recognise_recorded(head: Head) -> Recognition | None:
    """Claim lines of a stamp, a price, a size and a side `A` or `B`."""
    first = next(iter(head.objects), {})
    if set(first) != set(_RECORDED) or first["side"] not in ("A", "B"):
        return None
    return Recognition(detail="recorded lines", venue=VENUE, symbol=named_symbol(head.file))


def read_recorded(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read recorded lines `{"ts", "px", "sz", "side"}` as `trades`.

    They have no numbers by which doubled ones could be told from two that are alike, so all are kept.
    Raises DataError naming row and value for what is no trade; ConfigError for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "contract_size", "interval")
    for block in json_blocks(file, _RECORDED):
        times = epoch_to_times(block["ts"], unit="ms", label=file.label, rows=block[ROW])
        side = taker_side(block, file)
        rows, early = in_order(block.select(times, ROW, price="px", amount="sz").with_columns(side=side))
        mended = {"rows out of order sorted": early}
        yield Batch(table="trades", interval=None, rows=canonical(rows, "trades", source=file.label), mended=mended)


def recognise_node(head: Head) -> Recognition | None:
    """Claim lines that name the coin, the trade and both its parties."""
    if not {*_NODE, "side_info"} <= set(next(iter(head.objects), {})):
        return None
    return Recognition(detail="one trade a line", venue=VENUE)


def read_node(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `node_trades` lines as `trades`, each known at its own time.

    `side` is the taker's. Spot markets are left out, and so is what vaults net among themselves at no market's price. Lines say
    by `trade_dir_override` that a liquidation was part of a trade, but not on which side: liquidations come from `node_fills`.
    Raises DataError naming row and value for what is no trade; ConfigError for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "contract_size", "interval")
    for block in json_blocks(file, _NODE):
        inside = block.filter(pl.col("trade_dir_override") == _INTERNAL).height
        rows, others = perpetuals(block.filter(pl.col("trade_dir_override").ne_missing(_INTERNAL)))
        mended = {"trades of spot and other markets left out": others, "transfers between vaults left out": inside}
        yield Batch(table="trades", interval=None, rows=None, mended=mended)
        parts, unasked = by_symbol(rows, options.symbol)
        for name in unasked:
            yield Batch(table="trades", interval=None, rows=None, symbol=name)
        for name, part in parts:
            times = to_times(part["time"], unit="iso", offset_ns=0, label=file.label, rows=part[ROW])
            price, amount = (to_numbers(part[key], label=file.label, rows=part[ROW]) for key in ("px", "sz"))
            side = taker_side(part, file)
            table = pl.DataFrame([times, price.alias("price"), amount.alias("amount"), side.alias("side"), part[ROW]])
            table, early = in_order(table)
            mended = {"rows out of order sorted": early}
            yield Batch(table="trades", interval=None, rows=canonical(table, "trades", source=file.label), symbol=name, mended=mended)


KINDS: Final = (
    Kind(
        reader=READER,
        name="trades",
        says="recorded Hyperliquid trades",
        tables=("trades",),
        recognise=recognise_recorded,
        read=read_recorded,
    ),
    Kind(
        reader=READER,
        name="node_trades",
        says="Hyperliquid's node_trades",
        tables=("trades",),
        recognise=recognise_node,
        read=read_node,
    ),
)
"""The kinds of files of this module."""

"""OKX's trade archives: one zip of one CSV a day or month, of one instrument or of all futures of one family.

    instrument_name,trade_id,side,price,size,created_time[,source]
    trade_id/...,side/...,size/...,price/...,created_time/...            older: names in English and Chinese, GBK or UTF-8
    the same five columns without a header                               oldest

Stamps are milliseconds since 1970. An archive of a day runs from midnight to midnight in UTC+8, so it starts at 16:00 UTC of the
day before; its stamps are UTC all the same, and nothing is shifted. `side` is the taker's. `size` counts contracts of swaps and
futures (`contract_size` says how large) and base coin of spot. Older files do not name their instrument; their name does. OKX does
not document the older columns; what is known of them is from public code that reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout, typed_blocks
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers._venue_units import ContractSize, okx_unit
from liqbt.data.validation import ROW, canonical
from liqbt.errors import ConfigError, DataError

__all__ = ["KINDS"]

_NAMED: Final = Layout(
    columns={
        "instrument_name": pl.String,
        "trade_id": pl.Int64,
        "side": pl.String,
        "price": pl.Float64,
        "size": pl.Float64,
        "created_time": pl.Int64,
    },
)
_OLD: Final = Layout(
    columns={"trade_id": pl.Int64, "side": pl.String, "size": pl.Float64, "price": pl.Float64, "created_time": pl.Int64},
)
_FILE_NAME: Final = re.compile(r"(?P<symbol>[A-Z0-9]+-[A-Z0-9_]+(-SWAP|-[0-9]{6})?)-(agg)?trades-[0-9]{4}-[0-9]{2}(-[0-9]{2})?")


def recognise(head: Head) -> Recognition | None:
    """Claim the header that names the instrument."""
    if head.columns[:2] != ("instrument_name", "trade_id"):
        return None
    return Recognition(venue="okx", detail="trades by instrument")


def recognise_old(head: Head) -> Recognition | None:
    """Claim the header in two languages, or five columns without one: number, buy or sell, two numbers, milliseconds."""
    header = head.start.removeprefix(b"\xef\xbb\xbf").startswith(b"trade_id/")
    if not header and not (head.rows and _is_trade(head.rows[0])):
        return None
    named = _FILE_NAME.fullmatch(head.file.stem)
    detail = "names in two languages" if header else "no header"
    return Recognition(venue="okx", detail=detail, symbol=named["symbol"] if named else None)


def _is_trade(row: tuple[str, ...]) -> bool:
    if len(row) != 5 or row[1].lower() not in ("buy", "sell"):
        return False
    return row[0].isdecimal() and row[4].isdecimal() and len(row[4]) == 13


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read an archive whose rows name their instrument as `trades`, one batch an instrument and block; known at their stamps.

    Raises DataError for what is in the file; ConfigError for a missing `contract_size`, or an option that it has no use for.
    """
    options.refuse("okx", "mapping", "utc_offset_hours", "interval")
    size = ContractSize(file=file, options=options)
    for block in typed_blocks(file, _NAMED):
        empty = block["instrument_name"].is_null()
        if empty.any():
            raise DataError(
                f"{file.label}: row {block[ROW][empty.arg_max() or 0]}: instrument_name is empty; check the file, it may be torn"
            )
        for rows in block.partition_by("instrument_name", maintain_order=True):
            symbol = str(rows["instrument_name"][0])
            if options.symbol not in (None, symbol):
                yield Batch(table="trades", interval=None, rows=None, symbol=symbol)
                continue
            yield _batch(rows, symbol, size, names_symbol=True)


def read_old(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read an archive whose rows name no instrument as `trades`; the file's name does, else `symbol`.

    Raises as `read`, and ConfigError where nothing tells the instrument, without which the unit of `size` is not known.
    """
    options.refuse("okx", "mapping", "utc_offset_hours", "interval")
    named = _FILE_NAME.fullmatch(file.stem)
    symbol = options.symbol or (named["symbol"] if named else None)
    if symbol is None:
        raise ConfigError(f"symbol: {file.label} does not name its instrument, nor do its rows; give it, such as BTC-USDT-SWAP")
    size = ContractSize(file=file, options=options)
    english = _English(label=file.label, path=file.path, sha256=file.sha256, state=file.state)
    for block in typed_blocks(english, _OLD):
        yield _batch(block, symbol, size, names_symbol=False)


@dataclass(frozen=True, kw_only=True)
class _English(SourceFile):
    """A file whose header is left with what stands before each slash."""

    def stream(self) -> Iterator[bytes]:
        """Yield the contents as `SourceFile.stream`, the first line in plain English."""
        pieces = super().stream()
        first = next(pieces, b"")
        line, ending, rest = first.partition(b"\n")
        if b"/" in line:
            line = b",".join(name.split(b"/")[0] for name in line.removeprefix(b"\xef\xbb\xbf").split(b","))
        yield line + ending + rest
        yield from pieces


def _batch(block: pl.DataFrame, symbol: str, size: ContractSize, *, names_symbol: bool) -> Batch:
    label = size.file.label
    rows = block.with_columns(epoch_to_times(block["created_time"], unit="ms", label=label, rows=block[ROW]))
    rows, early = in_order(rows)
    amount = okx_unit(symbol, size).to_base(pl.col("size"), pl.col("price"))
    trades = rows.select(ROW, "timestamp", "price", amount=amount, side=pl.col("side").str.to_lowercase(), id="trade_id")
    return Batch(
        table="trades",
        interval=None,
        rows=canonical(trades, "trades", source=label),
        symbol=symbol if names_symbol else None,
        mended={"rows out of order sorted": early},
    )


KINDS: Final = (
    Kind(reader="okx", name="trades", says="OKX trade archive", tables=("trades",), recognise=recognise, read=read),
    Kind(reader="okx", name="old trades", says="older OKX trade archive", tables=("trades",), recognise=recognise_old, read=read_old),
)
"""The kinds of files of this reader."""

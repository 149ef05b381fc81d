"""fetchTrades and watchTrades, saved.

`side` is the taker's; in a trade that says `maker`, one of the account's own, it is the maker's and turned round. `amount` is what
the venue counts: base coin, or contracts, of which ccxt tells the size in its markets only and not in the trade.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers._venue_units import ContractSize
from liqbt.data.readers.ccxt_unified._elements import READER, number, objects, sampled, stamp
from liqbt.data.readers.ccxt_unified._markets import Market, market_of
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["KINDS"]

_SCHEMA: Final[dict[str, type[pl.DataType]]] = {
    ROW: pl.UInt32, "time": pl.Int64, "price": pl.Float64, "amount": pl.Float64, "side": pl.String, "name": pl.String,
}  # fmt: skip
_TURNED: Final = {"buy": "sell", "sell": "buy"}
# Keys by which venues' own words are told apart, each set in the whole.
_VENUES: Final = (
    ({"p", "q", "T", "m"}, "binance"),
    ({"price", "qty", "time", "isBuyerMaker"}, "binance"),
    ({"execId", "symbol", "size", "side", "time"}, "bybit"),
    ({"T", "s", "S", "v", "p", "i"}, "bybit"),
    ({"instId", "tradeId", "px", "sz"}, "okx"),
    ({"coin", "px", "sz", "tid"}, "hyperliquid"),
)


def recognise(head: Head) -> Recognition | None:
    """Claim a list of objects of ccxt's Trade structure."""
    found = sampled(head, "id", "timestamp", "symbol", "side", "price", "amount", "takerOrMaker")
    venues = {_venue(one.get("info")) for one in found}
    return Recognition(venue=venues.pop() if len(venues) == 1 else None) if found else None


def _venue(info: object) -> str | None:
    """Tell the venue from its own words."""
    return next((venue for keys, venue in _VENUES if isinstance(info, dict) and keys <= set(info)), None)


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read trades as `trades`, each known at its own time; a trade whose id and values were there before is dropped.

    Ids that are no whole numbers, such as Bybit's, are left out.
    Raises DataError naming the row (the first element is 1) for what is no trade of a contract; ConfigError where `contract_size` is
    needed and missing, and for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "interval")
    found: dict[tuple[str, Market, str | None], list[tuple[Any, ...]]] = {}
    for row, element in objects(file):
        where = f"{file.label}: row {row}"
        venue = _venue(element.get("info"))
        market = market_of(element.get("symbol"), where)
        symbol = str(element["info"]["coin"]) if venue == "hyperliquid" else market.symbol(venue)
        side = str(element.get("side"))
        if side not in _TURNED:
            raise DataError(f"{where}: side is {side[:60]!r}, neither buy nor sell; check the file")
        price, amount = (number(element.get(name), name, where) for name in ("price", "amount"))
        name = None if element.get("id") in (None, "") else str(element["id"])
        trade = (row, stamp(element, where), price, amount, _TURNED[side] if element.get("takerOrMaker") == "maker" else side, name)
        found.setdefault((symbol, market, venue), []).append(trade)
    size = ContractSize(file=file, options=options)
    for (symbol, market, venue), trades in found.items():
        if options.symbol not in (None, symbol):
            yield Batch(table="trades", interval=None, rows=None, symbol=symbol)
            continue
        frame = pl.DataFrame(trades, schema=_SCHEMA, orient="row")
        once = _once(frame)
        stamps = epoch_to_times(once["time"], unit="ms", label=file.label, rows=once[ROW])
        amounts = market.unit(venue, size).to_base(pl.col("amount"), pl.col("price"))
        numbered = once.with_columns(stamps, amount=amounts, id=pl.col("name").cast(pl.Int64, strict=False))
        rows, early = in_order(numbered if numbered["id"].null_count() == 0 else numbered.drop("id"))
        mended = {"doubled trades dropped": frame.height - once.height, "rows out of order sorted": early}
        yield Batch(table="trades", interval=None, rows=canonical(rows, "trades", source=file.label), symbol=symbol, mended=mended)


def _once(trades: pl.DataFrame) -> pl.DataFrame:
    """Return trades without those that repeat another one, told by its id; pages that were fetched one after another overlap."""
    first = trades.with_row_index("_place").unique([name for name in trades.columns if name != ROW], keep="first", maintain_order=True)
    again = pl.col("name").is_not_null() & ~pl.int_range(pl.len()).is_in(first["_place"].implode())
    return trades.filter(~again)


KINDS: Final = (Kind(reader=READER, name="trades", says="ccxt trades", tables=("trades",), recognise=recognise, read=read),)
"""The kinds of files of this module."""

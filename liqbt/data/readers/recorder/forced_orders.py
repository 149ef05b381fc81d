"""A CSV of Binance's forced orders that a recorder in India kept: 12 columns, then 6 under the same header.

    Symbol,Side,Order Type,Time in Force,Quantity,Price,Average Price,Order Status,Last Filled Quantity,Filled Quantity,
        Event Time (IST),Trade Time (IST)
    time,Long Trade|Short Trade,order price,quantity,last fill,quantity less last fill

What the short rows mean is not written anywhere; this is how the recording of 2024-12-04 to 12-13 shows it.

Symbol. Short rows name none, and 104 of the 573 are of other coins, whose prices are at least four hundred times smaller. A short
row whose price is more than twice or less than half that of the row kept before it is left out.

Side. In the 1,844 long rows an order to sell (a long was closed) is always priced 0.05 to 0.51 % below its average fill, one to buy
0.20 to 0.58 % above: the limit is set where it surely fills. Of the 469 short rows left, all 93 `Long Trade` are priced below the
middle of the official half-hour candle and 86 below its low, all 376 `Short Trade` above the middle and 355 above its high; wherever
one follows the other within 30 s, the short is priced above the long (13 of 13). So the word is the position's side.

Amount. In the long rows the whole quantity was always filled, and the last fill was the whole in 77.4 % of them, 87.2 % of it on
average. The fourth column of the short rows is the whole in 78.5 %, 88.0 % on average, and the fifth is what is left to the third: the
fourth is the last fill, and the third, the quantity, was filled.

Time. Long rows tell when the order was filled and when the event was sent, milliseconds later. Short rows are a second or more apart
without exception, as only times of sending are; they serve for both.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import Any, Final

import polars as pl

from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import to_times
from liqbt.data.readers._venue_units import ContractSize
from liqbt.data.readers.recorder._tables import binance_unit
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["KINDS"]

_HEADER: Final = (
    "Symbol", "Side", "Order Type", "Time in Force", "Quantity", "Price", "Average Price", "Order Status", "Last Filled Quantity",
    "Filled Quantity", "Event Time (IST)", "Trade Time (IST)",
)  # fmt: skip
_SIDES: Final = {"SELL": "long", "BUY": "short", "Long Trade": "long", "Short Trade": "short"}
_SHORT: Final = 6
_OFFSET: Final = re.compile(r".*[0-9][+-][0-9]{2}:[0-9]{2}")
_OTHER_MARKET: Final = 2.0  # times the price before: no price of one coin does that between two events, and few coins cost alike
_TEXT: Final[dict[str, type[pl.DataType]]] = {ROW: pl.UInt32, "symbol": pl.String, "side": pl.String, "time": pl.String, "known": pl.String}
_NUMBERS: Final[dict[str, type[pl.DataType]]] = {"amount": pl.Float64, "price": pl.Float64, "average_price": pl.Float64}


def recognise(head: Head) -> Recognition | None:
    """Claim text under the header of the long rows."""
    if head.columns != _HEADER:
        return None
    return Recognition(detail="events from a stream that shows at most one a second", venue="binance")


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read the recording as `liquidations`: the quantity filled, `price` the order's, `average_price` where it is told.

    Raises DataError naming row (the first after the header is 1), column and value for rows of neither layout, and for times
    without an offset; ConfigError for options that have no meaning here.
    """
    options.refuse("recorder", "mapping", "utc_offset_hours", "interval")
    rows, foreign = _rows(file)
    known = rows.unique([name for name in rows.columns if name != ROW], keep="first", maintain_order=True)
    mended = {
        "doubled rows dropped": rows.height - known.height,
        "rows without a symbol at the price of another market left out": foreign,
        "orders of which nothing was filled left out": known.filter(pl.col("amount") == 0).height,
    }
    yield Batch(table="liquidations", interval=None, rows=None, mended=mended)
    size = ContractSize(file=file, options=options)
    for part in known.filter(pl.col("amount") > 0).partition_by("symbol", maintain_order=True):
        symbol = str(part["symbol"][0])
        if options.symbol not in (None, symbol):
            yield Batch(table="liquidations", interval=None, rows=None, symbol=symbol)
            continue
        stamps, available = (_times(part[name], part[ROW], file) for name in ("time", "known"))
        amount = binance_unit(symbol, size).to_base(pl.col("amount"), pl.coalesce("average_price", "price"))
        table = part.select(ROW, "side", "price", "average_price", amount=amount).with_columns(stamps, available.alias("available_at"))
        table, early = in_order(table.with_columns(pl.max_horizontal("timestamp", "available_at").alias("available_at")))
        yield Batch(
            table="liquidations",
            interval=None,
            rows=canonical(table, "liquidations", source=file.label),
            symbol=symbol,
            mended={"rows out of order sorted": early},
        )


def _rows(file: SourceFile) -> tuple[pl.DataFrame, int]:
    """Return the rows of both layouts in one, and how many were of another market."""
    try:
        lines = file.content().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{file.label}: is no text ({error.reason} at byte {error.start}); check the file") from None
    found: list[dict[str, Any]] = []
    symbols: set[str] = set()
    foreign = 0
    for row, cells in enumerate(csv.reader(lines[1:]), start=1):
        where = f"{file.label}: row {row}"
        if len(cells) == len(_HEADER):
            found.append({ROW: row, **_long(cells, where)})
            symbols.add(cells[0])
            continue
        if len(cells) != _SHORT:
            raise DataError(f"{where} has {len(cells)} cells, expected {len(_HEADER)} or {_SHORT}; check the file, it may be torn")
        if len(symbols) != 1:
            raise DataError(f"{where} names no symbol, and the rows before it name {len(symbols)}; remove the row")
        order = {ROW: row, "symbol": next(iter(symbols)), **_short(cells, where)}
        ratio = order["price"] / found[-1]["price"]
        if 1 / _OTHER_MARKET < ratio < _OTHER_MARKET:
            found.append(order)
        else:
            foreign += 1
    if not found:
        raise DataError(f"{file.label}: holds no rows; download or export it again")
    return pl.DataFrame(found, schema=_TEXT | _NUMBERS, orient="row"), foreign


def _long(cells: list[str], where: str) -> dict[str, Any]:
    return {
        "symbol": cells[0],
        "side": _side(cells[1], where),
        "time": cells[11],
        "known": cells[10],
        "amount": _number(cells, 9, where),
        "price": _number(cells, 5, where),
        "average_price": _number(cells, 6, where),
    }


def _short(cells: list[str], where: str) -> dict[str, Any]:
    quantity, last, rest = (_number(cells, place, where) for place in (3, 4, 5))
    if abs(last + rest - quantity) > 1e-9 * quantity:
        raise DataError(f"{where}: {last:g} and {rest:g} do not make {quantity:g}, so its columns are not as known; check the file")
    return {"side": _side(cells[1], where), "time": cells[0], "known": cells[0], "amount": quantity, "price": _number(cells, 2, where)}


def _side(word: str, where: str) -> str:
    if word not in _SIDES:
        raise DataError(f"{where}: the side is {word[:60]!r}, expected one of {', '.join(_SIDES)}; check the file")
    return _SIDES[word]


def _number(cells: list[str], place: int, where: str) -> float:
    try:
        value = float(cells[place])
    except ValueError:
        value = -1.0
    price = place == (2 if len(cells) == _SHORT else 5)
    if not (value > 0 if price else value >= 0) or value == float("inf"):
        raise DataError(
            f"{where}: cell {place + 1} is {cells[place][:60]!r}, not a number {'above' if price else 'of at least'} 0; check the file"
        )
    return value


def _times(text: pl.Series, rows: pl.Series, file: SourceFile) -> pl.Series:
    bare = ~text.str.contains(f"^{_OFFSET.pattern}$")
    if bare.any():
        at = int(bare.arg_max() or 0)
        raise DataError(f"{file.label}: row {rows[at]}: time {text[at][:60]!r} has no offset from UTC such as +05:30; check the file")
    return to_times(text, unit="iso", offset_ns=0, label=file.label, rows=rows)


KINDS: Final = (
    Kind(
        reader="recorder",
        name="forced_orders_csv",
        says="a recorded CSV of Binance's forced orders",
        tables=("liquidations",),
        recognise=recognise,
        read=read,
    ),
)
"""The kinds of files of this module."""

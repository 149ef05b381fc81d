"""fetchOpenInterestHistory and fetchFundingRateHistory, saved.

Open interest of one key means base coin here and contracts there:

    Binance, Bybit    `openInterestAmount` is base coin where the contract is linear
    OKX               `openInterestAmount` is contracts; `info` has base coin too, as its third number or as `oiCcy`
    others            base coin a contract is asked for

Inverse contracts are refused but for OKX's: there is only their number, and no price by which it would become coins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import polars as pl

from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._settled import settled
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers._venue_units import ContractSize
from liqbt.data.readers.ccxt_unified._elements import READER, number, objects, sampled, stamp
from liqbt.data.readers.ccxt_unified._markets import Market, market_of
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["KINDS"]

_VENUES: Final = (
    ({"oiCcy"}, "okx"),
    ({"symbol", "fundingRate", "fundingTime"}, "binance"),
    ({"symbol", "fundingRate", "fundingRateTimestamp"}, "bybit"),
    ({"instId", "realizedRate"}, "okx"),
    ({"coin", "fundingRate", "premium"}, "hyperliquid"),
)
_OKX_FIELDS: Final = 4  # time, contracts, base coin, USD; older answers are time, USD, volume


def recognise_open_interest(head: Head) -> Recognition | None:
    """Claim a list of objects with an open interest at a time."""
    found = sampled(head, "openInterestAmount", "openInterestValue", "timestamp")
    venues = {_venue(one.get("info")) for one in found}
    return Recognition(venue=venues.pop() if len(venues) == 1 else None) if found else None


def _venue(info: object) -> str | None:
    """Tell the venue from its own words."""
    if isinstance(info, list):
        return "okx"
    if not isinstance(info, dict):
        return None
    if "sumOpenInterest" in info or set(info) == {"openInterest", "symbol", "time"}:
        return "binance"
    if set(info) == {"openInterest", "timestamp"}:
        return "bybit"
    return next((venue for keys, venue in _VENUES if keys <= set(info)), None)


def read_open_interest(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read open interest as `open_interest`, each value a snapshot at its `timestamp`, known then.

    Raises DataError naming the row (the first element is 1) for what is no open interest, or cannot be told in base coin; ConfigError
    where `contract_size` is needed and missing, and for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "interval")
    size = ContractSize(file=file, options=options)

    def values(element: Mapping[str, Any], market: Market | None, where: str) -> tuple[float | None, ...]:
        venue = _venue(element.get("info"))
        if market is not None and market.inverse and venue != "okx":
            raise DataError(f"{where}: open interest of {element['symbol']} counts contracts, and no price is there; leave it out")
        if venue == "okx":
            amount = number(_okx_base(element["info"]), "info", where)
        else:
            amount = number(element.get("openInterestAmount"), "openInterestAmount", where)
            if market is None:
                raise DataError(f"{where}: symbol is {element.get('symbol')!r}; it is needed to tell what the amount counts")
            amount = None if amount is None else amount * market.unit(venue, size).size
        if amount is None:
            raise DataError(f"{where} has no open interest in coins or contracts; leave the element out")
        return amount, number(element.get("openInterestValue"), "openInterestValue", where)

    yield from _series(file, options, "open_interest", ("open_interest", "open_interest_value"), values)


def _okx_base(info: Any) -> object:
    if isinstance(info, dict):
        return info.get("oiCcy")
    return info[2] if len(info) >= _OKX_FIELDS else None


def recognise_funding(head: Head) -> Recognition | None:
    """Claim a list of objects with a funding rate at a time; those of fetchFundingRate are forecasts and left alone."""
    found = sampled(head, "fundingRate", "timestamp", "symbol", without=("nextFundingRate", "fundingTimestamp"))
    venues = {_venue(one.get("info")) for one in found}
    return Recognition(venue=venues.pop() if len(venues) == 1 else None) if found else None


def read_funding(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read the history of funding rates as `funding`: what was paid at `timestamp`, known then.

    Raises DataError naming the row (the first element is 1) for what is no rate; ConfigError for options that have no meaning here.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "interval", "contract_size")

    def values(element: Mapping[str, Any], market: Market | None, where: str) -> tuple[float | None, ...]:  # noqa: ARG001 - as above
        return (number(element.get("fundingRate"), "fundingRate", where),)

    yield from _series(file, options, "funding", ("funding_rate",), values)


def _series(
    file: SourceFile,
    options: ReadOptions,
    table: str,
    columns: tuple[str, ...],
    values: Callable[[Mapping[str, Any], Market | None, str], tuple[float | None, ...]],
) -> Iterator[Batch]:
    """Yield one table for each symbol."""
    schema: dict[str, type[pl.DataType]] = {ROW: pl.UInt32, "time": pl.Int64, **dict.fromkeys(columns, pl.Float64)}
    found: dict[str | None, list[tuple[Any, ...]]] = {}
    for row, element in objects(file):
        where = f"{file.label}: row {row}"
        market = market_of(element["symbol"], where) if element.get("symbol") else None
        info = element.get("info")
        venue = _venue(info)
        symbol = market.symbol(venue) if market else None
        if venue == "hyperliquid" and isinstance(info, dict):
            symbol = str(info["coin"])  # ccxt has its own spelling of some
        kept = found.setdefault(symbol, [])
        if options.symbol in (None, symbol) or symbol is None:
            kept.append((row, stamp(element, where), *values(element, market, where)))
    for symbol, rows in found.items():
        if not rows:
            yield Batch(table=table, interval=None, rows=None, symbol=symbol)
            continue
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        stamps = epoch_to_times(frame["time"], unit="ms", label=file.label, rows=frame[ROW])
        frame, mended = settled(frame.drop("time").with_columns(stamps), label=file.label)
        yield Batch(table=table, interval=None, rows=canonical(frame, table, source=file.label), symbol=symbol, mended=mended)


KINDS: Final = (
    Kind(
        reader=READER,
        name="open_interest",
        says="ccxt open interest",
        tables=("open_interest",),
        recognise=recognise_open_interest,
        read=read_open_interest,
    ),
    Kind(
        reader=READER,
        name="funding",
        says="ccxt funding rates",
        tables=("funding",),
        recognise=recognise_funding,
        read=read_funding,
    ),
)
"""The kinds of files of this module."""

"""watchLiquidations and fetchLiquidations, saved.

Only `info`, the venue's own words, is used. Of the unified fields `side` is the order's on Binance and OKX but the position's on
Bybit, `contracts` is Binance's last fill and not the whole, `price` is what was paid on Binance but bankruptcy on Bybit and
OKX, of OKX's `details` there is only the first, and `quoteValue` is wrong for inverse contracts. `contractSize` is used for OKX.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from liqbt.data.readers._recording import Batch, Kind, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._venue_units import ContractSize, Unit, bybit_unit, okx_unit
from liqbt.data.readers.ccxt_unified._elements import READER, number, objects, sampled
from liqbt.data.readers.recorder._events import Liquidation, binance_order, bybit_entry, bybit_old_entry, okx_detail
from liqbt.data.readers.recorder._tables import Collected, binance_unit, liquidation_batches
from liqbt.errors import ConfigError, DataError

__all__ = ["KINDS"]

_BINANCE: Final = {"s", "S", "z", "ap", "T"}
_BYBIT: Final = {"T", "s", "S", "v", "p"}
_BYBIT_OLD: Final = {"updatedTime", "symbol", "side", "size", "price"}


def recognise(head: Head) -> Recognition | None:
    """Claim a list of objects of ccxt's Liquidation structure."""
    found = sampled(head, "contracts", "contractSize", "baseValue", "quoteValue", "timestamp")
    venues = {_venue(one.get("info")) for one in found}
    return Recognition(venue=venues.pop() if len(venues) == 1 else None) if found else None


def _venue(info: object) -> str | None:
    """Tell the venue from its own words."""
    if not isinstance(info, dict):
        return None
    if set(info) >= _BINANCE:
        return "binance"
    if set(info) in (_BYBIT, _BYBIT_OLD):
        return "bybit"
    return "okx" if isinstance(info.get("details"), list) and "instId" in info else None


def read(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read liquidations of Binance, Bybit or OKX as `liquidations`, each known at its own time.

    Elements that equal an earlier one are dropped: ccxt returns what it has kept anew at every call.
    Raises ConfigError where `info` does not tell the venue, or `contract_size` is missing; DataError naming the row (the first element is
    1) for what is no liquidation, and where there are two venues.
    """
    options.refuse(READER, "mapping", "utc_offset_hours", "interval")
    collected, seen, doubled = Collected(), set(), 0
    venues: dict[str, int] = {}
    sizes: dict[str, float] = {}
    for row, element in objects(file):
        where = f"{file.label}: row {row}"
        info = element.get("info")
        text = json.dumps(info, sort_keys=True)
        if text in seen:
            doubled += 1
            continue
        seen.add(text)
        venue = _venue(info)
        if venue is None or not isinstance(info, dict):
            raise ConfigError(
                f"reader: {where} does not tell its venue in 'info', so that its side and amount could mean either of two things; "
                "save 'info' too (Binance, Bybit and OKX are known)"
            )
        venues.setdefault(venue, row)
        if len(venues) > 1:
            raise DataError(f"{where} is of {venue}, row {min(venues.values())} of {next(iter(venues))}; save one venue a file")
        for one in _events(venue, info, where):
            contract = number(element.get("contractSize"), "contractSize", where)
            if venue == "okx" and contract is not None and sizes.setdefault(one.symbol, contract) != contract:
                raise DataError(f"{where}: contractSize of {one.symbol} is {contract:g} and was {sizes[one.symbol]:g}; check the file")
            collected.add(one, row=row)
    yield Batch(table="liquidations", interval=None, rows=None, mended={"doubled elements dropped": doubled})

    def unit(symbol: str, size: ContractSize) -> Unit:
        if "okx" not in venues:
            return (binance_unit if "binance" in venues else bybit_unit)(symbol, size)
        if symbol not in sizes:
            return okx_unit(symbol, size)
        return size.known(symbol, Unit(size=sizes[symbol], inverse="-USD-" in symbol))

    yield from liquidation_batches(collected.frame(), file, options, unit)


def _events(venue: str, info: Mapping[str, Any], where: str) -> list[Liquidation]:
    if venue == "binance":
        return [binance_order(info, where)]
    if venue == "bybit":
        return [bybit_entry(info, where) if "v" in info else bybit_old_entry(info, where)]
    return [okx_detail(detail, str(info["instId"]), where) for detail in info["details"]]


KINDS: Final = (
    Kind(
        reader=READER,
        name="liquidations",
        says="ccxt liquidations",
        tables=("liquidations",),
        recognise=recognise,
        read=read,
    ),
)
"""The kinds of files of this module."""

"""The shapes in which venues and tools hand out bracket tables, told apart by their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from liqbt.errors import DataError
from liqbt.margin._brackets import Layout, plain
from liqbt.margin.tiers import Contract

__all__ = ["CCXT", "FORMAT", "Section", "sections_of"]

CCXT: Final = Layout(
    floor=("minNotional", "info.qtyFloor", "info.qtylFloor"),  # ccxt does not know Binance's own spelling of the latter
    cap=("maxNotional",),
    rate=("maintenanceMarginRate",),
    leverage=("maxLeverage",),
    amounts=("maintAmt", "info.cum", "info.mmDeduction"),  # freqtrade's, Binance's, Bybit's
)
_BINANCE_USDM: Final = Layout(
    floor=("notionalFloor",), cap=("notionalCap",), rate=("maintMarginRatio",), leverage=("initialLeverage",), amounts=("cum",)
)
_BINANCE_COINM: Final = Layout(
    floor=("qtyFloor", "qtylFloor"), cap=("qtyCap",), rate=("maintMarginRatio",), leverage=("initialLeverage",), amounts=("cum",)
)
_BYBIT: Final = Layout(cap=("riskLimitValue",), rate=("maintenanceMargin",), leverage=("maxLeverage",), amounts=("mmDeduction",))
_OKX: Final = Layout(floor=("minSz",), cap=("maxSz",), rate=("mmr",), leverage=("maxLever",))
# Source: Hyperliquid docs, "Margining": the maintenance margin is half of the initial margin at the bracket's highest leverage.
_HYPERLIQUID: Final = Layout(floor=("lowerBound",), leverage=("maxLeverage",))

_OKX_NOTE: Final = (
    "OKX asks the rate of a position's bracket on all of it; here each rate counts above its bound alone, "
    "so larger positions than the first bracket's are liquidated a little late"
)
_KNOWN: Final = (
    "ccxt's leverage tiers, freqtrade's binance_leverage_tiers.json, Binance's leverageBracket, Bybit's risk-limit, OKX's position-tiers, "
    "Hyperliquid's meta and liqbt's own"
)
_CONTRACTS: Final[Mapping[str, Contract]] = {"linear": "linear", "inverse": "inverse"}
FORMAT: Final = "liqbt leverage tiers 1"
"""What the `format` field of liqbt's own files says."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """The rows of one symbol in a file, unread; None stands for what the file does not say.

    contracts: whether bounds count contracts.
    """

    symbol: str | None
    rows: object
    layout: Layout
    venue: str | None = None
    contract: Contract | None = None
    contracts: bool = False
    as_of: date | None = None
    source: str | None = None
    sha256: str | None = None
    notes: tuple[str, ...] = ()


def sections_of(payload: Any, label: str) -> list[Section]:
    """Return the tables of a JSON file; raises DataError where it is none that liqbt knows, or a venue's error message."""
    sections: list[Section] = []
    match payload:
        case {"format": str(found)}:
            sections = _liqbt(payload, found, label)
        case {"retCode": code} | {"code": code} if str(code) != "0":
            message = payload.get("retMsg") or payload.get("msg")
            raise DataError(f"{label}: is an error message of the venue ({plain(code)}: {plain(message)}); fetch the table again")
        case {"result": {"list": [*rows]} as result}:
            sections = _bybit(rows, result.get("category"), _day(payload.get("time")))
        case {"data": [*rows]}:
            sections = _okx(rows, label)
        case {"universe": [*_]}:
            sections = _hyperliquid(payload, label)
        case [{"universe": [*_]} as meta, *_]:  # with the state of the markets, from metaAndAssetCtxs
            sections = _hyperliquid(meta, label)
        case {"marginTiers": rows}:
            sections = [Section(symbol=None, rows=rows, layout=_HYPERLIQUID, venue="hyperliquid", contract="linear")]
        case {"brackets": _}:
            sections = _binance([payload])
        case [{"brackets": _}, *_]:
            sections = _binance(payload)
        case [{"riskLimitValue": _}, *_]:
            sections = _bybit(payload, None, None)
        case [{"minSz": _}, *_]:
            sections = _okx(payload, label)
        case [{"maintenanceMarginRate": _}, *_]:
            sections = _ccxt(payload)
        case {**named} if all(isinstance(rows, list) for rows in named.values()):
            sections = [_ccxt_section(str(symbol), rows) for symbol, rows in payload.items()]
    if not sections:
        raise DataError(f"{label}: holds no leverage tiers in a shape that liqbt knows; it knows {_KNOWN}")
    return sections


def _ccxt(rows: Sequence[Any]) -> list[Section]:
    return [_ccxt_section(symbol, group) for symbol, group in _grouped(rows, "symbol")]


def _ccxt_section(symbol: str | None, rows: list[Any]) -> Section:
    first = rows[0] if rows and isinstance(rows[0], Mapping) else {}
    info = first.get("info")
    raw = info if isinstance(info, Mapping) else {}
    if "minSz" in raw:  # ccxt passes the contracts on as if they were notional
        return Section(symbol=symbol, rows=rows, layout=CCXT, venue="okx", contracts=True, notes=(_OKX_NOTE,))
    venue = "binance" if "maintMarginRatio" in raw else "bybit" if "riskLimitValue" in raw else None
    contract: Contract | None = "inverse" if "qtyCap" in raw else "linear" if "notionalCap" in raw else None
    return Section(symbol=symbol, rows=rows, layout=CCXT, venue=venue, contract=contract)


def _binance(entries: Iterable[Any]) -> list[Section]:
    sections = []
    for entry in entries:
        fields = entry if isinstance(entry, Mapping) else {}
        rows = fields.get("brackets")
        inverse = isinstance(rows, list) and any(isinstance(row, Mapping) and "qtyCap" in row for row in rows)
        share = fields.get("notionalCoef")
        adjusted = f"these brackets are those of one account, which Binance adjusted by {plain(share)}"
        sections.append(
            Section(
                symbol=_text(fields.get("symbol") or fields.get("pair")),
                rows=rows,
                layout=_BINANCE_COINM if inverse else _BINANCE_USDM,
                venue="binance",
                contract="inverse" if inverse else "linear",
                notes=() if share is None or str(share) in ("1", "1.0", "1.00") else (adjusted,),
            )
        )
    return sections


def _bybit(rows: Sequence[Any], category: object, as_of: date | None) -> list[Section]:
    contract = _CONTRACTS.get(str(category))
    return [
        Section(symbol=symbol, rows=group, layout=_BYBIT, venue="bybit", contract=contract, as_of=as_of)
        for symbol, group in _grouped(rows, "symbol")
    ]


def _okx(rows: Sequence[Any], label: str) -> list[Section]:
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Mapping) and str(row.get("instId", "")).count("-") == 1:  # a pair; contracts have a third part
            raise DataError(
                f"{label}: row {number}: instId {plain(row['instId'])!r} is spot margin, which borrows coins; ask for instType=SWAP"
            )
    return [
        Section(symbol=symbol, rows=group, layout=_OKX, venue="okx", contracts=True, notes=(_OKX_NOTE,))
        for symbol, group in _grouped(rows, "instId", "instFamily", "uly")
    ]


def _hyperliquid(meta: Mapping[str, Any], label: str) -> list[Section]:
    listed = meta.get("marginTables", [])
    try:
        tables = {str(number): table["marginTiers"] for number, table in listed}
        # Tables of a single bracket are not listed: their number is the leverage.
        assets = [(str(asset["name"]), str(asset.get("marginTableId", "")), asset["maxLeverage"]) for asset in meta["universe"]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{label}: is no whole answer of Hyperliquid's meta; fetch it again") from None
    sections = []
    for name, number, leverage in assets:
        if number not in tables and number not in ("", str(leverage)):
            raise DataError(f"{label}: {plain(name)}: marginTableId {plain(number)} is not among its marginTables; fetch it again")
        rows = tables.get(number, [{"lowerBound": 0, "maxLeverage": leverage}])
        sections.append(Section(symbol=name, rows=rows, layout=_HYPERLIQUID, venue="hyperliquid", contract="linear"))
    return sections


def _liqbt(payload: Mapping[str, Any], found: str, label: str) -> list[Section]:
    if found != FORMAT:
        raise DataError(f"{label}: format {plain(found)!r} is not {FORMAT!r}; it was written by another version of liqbt")
    try:
        return [
            Section(
                symbol=symbol,
                rows=entry["tiers"],
                layout=CCXT,
                venue=venue,
                contract=_CONTRACTS[entry["contract"]],
                as_of=None if entry["as_of"] is None else date.fromisoformat(entry["as_of"]),
                source=str(entry["source"]),
                sha256=_text(entry["sha256"]),
                notes=tuple(str(note) for note in entry["notes"]),
            )
            for venue, symbols in payload["venues"].items()
            for symbol, entry in symbols.items()
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{label}: is damaged ({plain(error)}); write it again from its sources") from None


def _grouped(rows: Iterable[Any], *fields: str) -> list[tuple[str | None, list[Any]]]:
    """Return rows by the first of `fields` that names their symbol, in the order of first sight."""
    groups: dict[str | None, list[Any]] = {}
    for row in rows:
        named = row if isinstance(row, Mapping) else {}
        symbol = next((str(named[field]) for field in fields if named.get(field)), None)
        groups.setdefault(symbol, []).append(row)
    return list(groups.items())


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _day(stamp: object) -> date | None:
    """Return the UTC day of milliseconds since 1970, where they lie between 2001 and 2100."""
    if isinstance(stamp, bool) or not isinstance(stamp, int) or not 10**12 <= stamp < 4 * 10**12:
        return None
    return datetime.fromtimestamp(stamp / 1000, tz=UTC).date()

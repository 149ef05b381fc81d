"""Bracket tables out of JSON files as people have them, and liqbt's own file of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from liqbt.errors import ConfigError, DataError, did_you_mean
from liqbt.margin._brackets import RateUnit, build_tiers, plain
from liqbt.margin._formats import CCXT, FORMAT, Section, sections_of
from liqbt.margin._symbols import VENUES, contract_of, find_symbol, venue_key
from liqbt.margin.tiers import LeverageTier, TierTable

__all__ = ["RateUnit", "decode_tables", "encode_tables", "read_tiers", "tiers_from_ccxt"]


def read_tiers(
    path: str | Path,
    *,
    venue: str | None = None,
    symbol: str | None = None,
    as_of: str | date | None = None,
    contract_size: float | None = None,
    price: float | None = None,
    rate_unit: RateUnit = "fraction",
) -> dict[str, TierTable]:
    """Return the bracket tables of a JSON file by symbol, spelled as in the file, or as `symbol` where it is given.

    Known shapes: ccxt's `fetch_leverage_tiers()` and the list of one symbol, freqtrade's `binance_leverage_tiers.json`, Binance
    `/fapi/v1/leverageBracket` and `/dapi/v1` or `/v2/leverageBracket`, Bybit `/v5/market/risk-limit`, OKX
    `/public/position-tiers`, Hyperliquid `meta`, `metaAndAssetCtxs` or one `marginTable`, and what `save_tiers` writes.

    venue: needed where the file does not say whose tables they are. symbol: needed for a table without a name; of many tables it
    picks one, in any usual spelling, and only that one is checked. as_of: ISO day when the file was fetched; by default what the
    file says, which only Bybit's and liqbt's own do.
    rate_unit: `percent` where maintenance rates are written as 0.5 for 0.5 %, as in Bybit's older answers.
    contract_size, price: for OKX, whose bounds count contracts: `ctVal` of the instrument (base coin for linear contracts, USD for
    inverse ones) and the price in quote to value them at. They are those of one symbol.

    Rows may be in any order, numbers may be text, an open end null or Infinity. Brackets must start at 0 and join; rates must
    not fall, nor leverage rise, with size. Maintenance amounts are computed, and recorded ones must agree with that but for
    rounding. Bounds and amounts of inverse contracts are in base coin, and their brackets say so.

    Raises DataError naming file, symbol, tier, field and value for what the file holds, ConfigError for a parameter that is
    missing or contradicts the file.
    """
    if rate_unit not in ("fraction", "percent"):
        raise ConfigError(f"rate_unit: {rate_unit!r} must be 'fraction' or 'percent'")
    day = _day(as_of)
    content = _content(path)
    label = str(path)
    sections = _of_symbol(_of_venue(sections_of(_parsed(content, label), label), venue, label), venue, symbol, label)
    _check_contracts(sections, contract_size, price, label)
    sha256 = hashlib.sha256(content).hexdigest()
    tables: dict[str, TierTable] = {}
    for section in sections:
        table = _table(section, label, venue=venue, contract_size=contract_size, price=price, rate_unit=rate_unit)
        if table.symbol in tables:
            raise DataError(f"{label}: {plain(table.symbol)} is there twice; delete one of the two")
        if section.source is None:
            table = replace(table, source=Path(path).name, sha256=sha256)
        tables[table.symbol] = table if day is None else replace(table, as_of=day)
    return tables


def tiers_from_ccxt(rows: Iterable[Mapping[str, Any]]) -> tuple[LeverageTier, ...]:
    """Return the brackets of one linear contract from ccxt's unified leverage tiers in memory, in ascending notional.

    Each maintenance amount is computed, `c_n = c_{n-1} + min_notional_n (m_n - m_{n-1})`; one that is in `maintAmt` or `info` must
    agree. Raises DataError where brackets are missing, overlap, leave a gap or make no sense.
    """
    return build_tiers(list(rows), CCXT, where="ccxt table")


def encode_tables(tables: Iterable[TierTable]) -> str:
    """Return tables as the JSON text of liqbt's own file: the same tables in any order give the same text."""
    venues: dict[str, dict[str, Any]] = {}
    for table in sorted(tables, key=lambda table: (table.venue, table.symbol)):
        venues.setdefault(table.venue, {})[table.symbol] = {
            "contract": table.contract,
            "as_of": None if table.as_of is None else table.as_of.isoformat(),
            "source": table.source,
            "sha256": table.sha256,
            "notes": list(table.notes),
            "tiers": [
                {
                    "minNotional": tier.min_notional,
                    "maxNotional": None if math.isinf(tier.max_notional) else tier.max_notional,
                    "maintenanceMarginRate": tier.maintenance_margin_rate,
                    "maxLeverage": tier.max_leverage,
                    "maintAmt": tier.maintenance_amount,
                }
                for tier in table.tiers
            ],
        }
    return json.dumps({"format": FORMAT, "venues": venues}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def decode_tables(content: bytes, label: str) -> list[TierTable]:
    """Return the tables of liqbt's own file; raises DataError where it is damaged or another file."""
    payload = _parsed(content, label)
    if not (isinstance(payload, dict) and isinstance(payload.get("format"), str)):
        raise DataError(f"{label}: was not written by liqbt")
    return [_table(section, label) for section in sections_of(payload, label)]


def _content(path: str | Path) -> bytes:
    where = Path(path)
    if where.is_dir():
        raise DataError(f"{path}: is a folder; give a JSON file in it")
    try:
        content = where.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; check the path") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); check its permissions") from error
    if not content.strip():
        raise DataError(f"{path}: is empty; fetch it again")
    return content


def _parsed(content: bytes, label: str) -> object:
    try:
        payload: object = json.loads(content)
    except json.JSONDecodeError as error:
        raise DataError(f"{label}: is no JSON ({error.msg} in line {error.lineno}, column {error.colno}); fetch it again") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{label}: is no JSON ({plain(error)}); fetch it again") from None
    return payload


def _of_venue(sections: list[Section], venue: str | None, label: str) -> list[Section]:
    """Return the sections of a venue, which the caller may call as the store does."""
    found = sorted({section.venue for section in sections if section.venue is not None})
    if venue is None:
        if any(section.venue is None for section in sections):
            raise ConfigError(f"venue: {label} does not say whose tables it holds; give venue, such as {VENUES[0]!r}")
        if len(found) > 1:
            raise ConfigError(f"venue: {label} holds tables of {', '.join(map(plain, found))}; give one of them")
        return sections
    key = venue_key(venue)
    wanted = [section for section in sections if section.venue is None or venue_key(section.venue) == key]
    if not wanted and len(found) == 1 and key not in VENUES:
        wanted = sections
    if not wanted:
        raise ConfigError(f"venue: {label} holds tables of {', '.join(map(plain, found))}, not of {venue!r}")
    return wanted


def _of_symbol(sections: list[Section], venue: str | None, symbol: str | None, label: str) -> list[Section]:
    """Return the sections of a symbol under the caller's spelling; all where none is asked for."""
    if symbol is None:
        if any(section.symbol is None for section in sections):
            raise ConfigError(f"symbol: {label} holds a table without a name; give symbol, such as 'BTCUSDT'")
        return sections
    names = [section.symbol for section in sections if section.symbol is not None]
    origin = sections[0].venue or venue or ""
    name = find_symbol(origin, symbol, dict.fromkeys(names)) if names else None
    if names and name is None:
        raise ConfigError(f"symbol: {label} has no leverage tiers of {symbol!r}{did_you_mean(symbol, names)}")
    # The file's spelling may show what the caller's does not: how the contract is settled.
    contract = contract_of(origin, name or symbol)
    return [replace(one, symbol=symbol, contract=one.contract or contract) for one in sections if one.symbol == name]


def _check_contracts(sections: list[Section], contract_size: float | None, price: float | None, label: str) -> None:
    counted = any(section.contracts for section in sections)
    if not counted:
        if contract_size is not None or price is not None:
            raise ConfigError(f"contract_size: bounds in {label} are values, not contracts; leave contract_size and price out")
        return
    for name, value in (("contract_size", contract_size), ("price", price)):
        if value is None:
            raise ConfigError(
                f"{name}: bounds in {label} count contracts; give contract_size (ctVal of OKX's public/instruments) and price in quote"
            )
        if not (math.isfinite(value) and value > 0):
            raise ConfigError(f"{name}: {value!r} must be a finite number above 0")
    if len(sections) > 1:
        raise ConfigError(f"symbol: {label} holds {len(sections)} symbols, contract_size and price are those of one; give symbol")


def _table(
    section: Section,
    label: str,
    *,
    venue: str | None = None,
    contract_size: float | None = None,
    price: float | None = None,
    rate_unit: RateUnit = "fraction",
) -> TierTable:
    symbol = section.symbol or ""
    contract = section.contract or contract_of(section.venue or venue or "", symbol)
    scale, notes = None, section.notes
    if section.contracts and contract_size is not None and price is not None:
        scale = contract_size * price if contract == "linear" else contract_size / price
        notes += (f"bounds were {contract_size:g} a contract, valued at a price of {price:g}",)
    where = f"{label}: {plain(symbol)}"
    tiers = build_tiers(section.rows, section.layout, where=where, contract=contract, scale=scale, rate_unit=rate_unit)
    return TierTable(
        venue=venue or section.venue or "",
        symbol=symbol,
        tiers=tiers,
        as_of=section.as_of,
        source=section.source or "",
        sha256=section.sha256,
        notes=notes,
    )


def _day(as_of: str | date | None) -> date | None:
    if as_of is None or isinstance(as_of, date):
        return as_of.date() if isinstance(as_of, datetime) else as_of
    try:
        return date.fromisoformat(as_of)
    except ValueError:
        raise ConfigError(f"as_of: {as_of!r} is no ISO day such as 2026-09-29") from None

"""From a venue's rows to brackets that join: every number is checked, and a refusal says which row and what to do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from liqbt.errors import DataError
from liqbt.margin.tiers import AMOUNT_ROUNDING, Contract, LeverageTier

__all__ = ["Layout", "RateUnit", "build_tiers", "plain"]

RateUnit: TypeAlias = Literal["fraction", "percent"]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Names of a source's fields, the first that is there counts; `info.cum` is `cum` in the object `info`.

    floor: empty where a bracket starts at the end of the one below. cap: empty where it ends at the start of the one above.
    rate: empty where half of the initial margin is maintained. amounts: recorded maintenance amounts, all of which are checked.
    """

    floor: tuple[str, ...] = ()
    cap: tuple[str, ...] = ()
    rate: tuple[str, ...] = ()
    leverage: tuple[str, ...]
    amounts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One row's numbers; `number` counts rows as the file lists them, from 1. A bound that the layout lacks is set when rows join."""

    number: int
    floor: float
    cap: float
    rate: float
    leverage: float
    fields: Mapping[str, Any]


def build_tiers(
    rows: object, layout: Layout, *, where: str, contract: Contract = "linear", scale: float | None = None, rate_unit: RateUnit = "fraction"
) -> tuple[LeverageTier, ...]:
    """Return brackets in ascending notional, each maintenance amount computed: `c_n = c_{n-1} + min_notional_n (m_n - m_{n-1})`.

    rows: objects of a JSON file. where: file and symbol, for messages. scale: value of one contract where bounds count
    contracts, whose brackets may then start one contract above the end of the one below; None where bounds are values.

    Recorded maintenance amounts are a check, not the value: what is charged is continuous only with the exact ones, and a record
    that is off by more than rounding shows a table put together from two.
    Raises DataError naming the row, the field and the value where the rows make no such table.
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise DataError(f"{where}: holds no list of tiers; fetch the table again")
    read = [_read(row, number, layout, where, rate_unit) for number, row in enumerate(rows, start=1)]
    ordered = _joined(read, layout, where, contracts=scale is not None)
    _check_rates(ordered, layout, where, rate_unit)
    tiers: list[LeverageTier] = []
    factor = 1.0 if scale is None else scale
    for row in ordered:
        below = tiers[-1] if tiers else None
        rise = 0.0 if below is None else row.rate - below.maintenance_margin_rate
        tiers.append(
            LeverageTier(
                min_notional=row.floor * factor,
                max_notional=row.cap * factor,
                maintenance_margin_rate=row.rate,
                max_leverage=row.leverage,
                maintenance_amount=(0.0 if below is None else below.maintenance_amount) + row.floor * factor * rise,
                contract=contract,
            )
        )
        _check_amounts(row, tiers[-1], layout, where)
    return tuple(tiers)


def plain(name: object) -> str:
    """Return a name out of a file as it can stand in a message of one line."""
    text = str(name)
    return (text if text.isprintable() else ascii(text))[:60]


def _read(row: object, number: int, layout: Layout, where: str, rate_unit: RateUnit) -> _Row:
    at = f"{where} tier {number}"
    if not isinstance(row, Mapping):
        raise DataError(f"{at}: is {plain(row)!r}, not an object with named fields; fetch the table again")
    leverage = _number(row, layout.leverage, at)
    if not leverage >= 1:
        raise DataError(f"{at}: {layout.leverage[0]} {leverage:g} is below 1; the highest leverage of a bracket is a multiple")
    rate = 0.5 / leverage
    if layout.rate:
        rate = _number(row, layout.rate, at) / (100 if rate_unit == "percent" else 1)
    floor = _number(row, layout.floor, at) if layout.floor else math.nan
    if layout.cap and not any(name in row for name in layout.cap):
        raise DataError(f"{at}: lacks {layout.cap[0]}; fetch the table again")
    # An open end is written as null, as nothing or as Infinity.
    named = _field(row, layout.cap)
    cap = math.inf if named is None or named[1] in (math.inf, "Infinity", "inf") else _number(row, layout.cap, at)
    return _Row(number=number, floor=floor, cap=cap, rate=rate, leverage=leverage, fields=row)


def _field(row: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, Any] | None:
    """Return the first of `names` that holds something, and what it holds."""
    for name in names:
        outer, _, inner = name.rpartition(".")
        holder = row.get(outer) if outer else row
        value = holder.get(inner) if isinstance(holder, Mapping) else None
        if value is not None and value != "":
            return name, value
    return None


def _number(row: Mapping[str, Any], names: tuple[str, ...], at: str) -> float:
    named = _field(row, names)
    if named is None:
        raise DataError(f"{at}: lacks {names[0]}; fetch the table again")
    name, value = named
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise TypeError  # noqa: TRY301 - one message for whatever is no number
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{at}: {name} is {plain(value)!r}, not a number; fetch the table again") from None
    if not math.isfinite(number):
        raise DataError(f"{at}: {name} is {plain(value)!r}, not a finite number; fetch the table again")
    return number


def _joined(rows: list[_Row], layout: Layout, where: str, *, contracts: bool) -> list[_Row]:
    """Return the rows in ascending notional with both bounds; raises where they start above 0, repeat, overlap or leave a gap."""
    key = "floor" if layout.floor else "cap"
    field = getattr(layout, key)[0]
    ordered = sorted(rows, key=lambda row: float(getattr(row, key)))
    for below, row in pairwise(ordered):
        if getattr(row, key) == getattr(below, key):
            raise DataError(
                f"{where} tier {row.number}: {field} {getattr(row, key):.15g} is that of tier {below.number} too; delete one of them"
            )
    joined: list[_Row] = []
    for place, row in enumerate(ordered):
        at = f"{where} tier {row.number}"
        end = joined[-1].cap if joined else 0.0
        floor = row.floor if layout.floor else end
        cap = row.cap if layout.cap else (ordered[place + 1].floor if place + 1 < len(ordered) else math.inf)
        if contracts and end < floor <= end + 1:
            floor = end
        if not math.isclose(floor, end, rel_tol=1e-9):
            wanted = f"tier {joined[-1].number} ends at {end:.15g}" if joined else "the first starts at 0"
            raise DataError(f"{at}: {field} is {floor:.15g} but {wanted}; brackets must join, fetch the whole table again")
        if not cap > floor:
            raise DataError(f"{at}: {(layout.cap or layout.floor)[0]} {cap:.15g} is not above its lower bound {floor:.15g}; fetch it again")
        joined.append(replace(row, floor=end, cap=cap))
    return joined


def _check_rates(rows: list[_Row], layout: Layout, where: str, rate_unit: RateUnit) -> None:
    """Refuse rates that no venue could ask: percentages, and brackets that are laxer than a smaller one."""
    name, lever = (layout.rate or layout.leverage)[0], layout.leverage[0]
    for row in rows:
        at = f"{where} tier {row.number}"
        if not row.rate > 0:
            raise DataError(f"{at}: {name} {row.rate:g} must be above 0; fetch the table again")
        if row.rate * row.leverage >= 1:
            percent = rate_unit == "fraction" and row.rate * row.leverage < 100
            remedy = "it looks like percent, read the file with rate_unit='percent'" if percent else "fetch the table again"
            raise DataError(
                f"{at}: {name} {row.rate:g} is not below the initial margin 1/{row.leverage:g} = {1 / row.leverage:g}; {remedy}"
            )
    if rate_unit == "percent" and all(row.rate * 100 * row.leverage < 1 for row in rows):
        raise DataError(f"{where}: {name} {rows[0].rate * 100:g} is a fraction already; read the file without rate_unit='percent'")
    for below, row in pairwise(rows):
        at = f"{where} tier {row.number}"
        if row.leverage > below.leverage:
            raise DataError(f"{at}: {lever} {row.leverage:g} is above the {below.leverage:g} of tier {below.number}; fetch the table again")
        if row.rate < below.rate:
            raise DataError(f"{at}: {name} {row.rate:g} is below the {below.rate:g} of tier {below.number}; fetch the table again")


def _check_amounts(row: _Row, tier: LeverageTier, layout: Layout, where: str) -> None:
    for name in layout.amounts:
        if _field(row.fields, (name,)) is None:
            continue
        at = f"{where} tier {row.number}"
        recorded, computed = _number(row.fields, (name,), at), tier.maintenance_amount
        if abs(recorded - computed) > AMOUNT_ROUNDING * tier.min_notional * tier.maintenance_margin_rate:
            raise DataError(
                f"{at}: {name} {recorded:.15g} contradicts the bounds and rates, which give {computed:.15g}; "
                "the table may mix two days, fetch it again"
            )

"""The canonical tables: what a reader must produce, and what everything after it may rely on.

Every table is a polars frame with UTC nanosecond `timestamp` (exchange time) and `available_at` (when a trader could have
known the row). Prices are in quote, `amount`, `volume` and `open_interest` in base coin, `*_value`, `*_volume` of quote and
`notional` in quote, rates are fractions. `side` of liquidations is the POSITION side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

__all__ = ["TABLES", "Column", "Table", "table"]

from liqbt.errors import ConfigError, did_you_mean

Kind = Literal["price", "amount", "rate", "fraction", "count", "side", "identifier"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a canonical table.

    kind: `price` is finite and above 0; `amount` finite and at least 0; `rate` finite and between -1 and 1; `fraction`
    between 0 and 1; `count` a whole number of at least 0; `side` one of `choices`; `identifier` any whole number.
    """

    name: str
    kind: Kind
    unit: str
    required: bool = True
    nullable: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """One canonical table: its columns beside the two clocks, and how its rows are ordered.

    known_after: `interval` where a row sums or samples the interval that starts at `timestamp`, so that it is known when
    the interval ends; `at once` where it is an instant. It fills `available_at` where a file does not say otherwise.
    unique: whether `timestamp` strictly increases (else it never decreases).
    stored_by: the span of one file of the store; tables of which a month can have a hundred million rows are kept by day.
    """

    name: str
    columns: tuple[Column, ...]
    known_after: Literal["interval", "at once"]
    unique: bool
    stored_by: Literal["month", "day"] = "month"

    @property
    def adds_up(self) -> bool:
        """Whether rows are events that are summed, so that one too many is as wrong as one too few."""
        return self.name in ("trades", "liquidations")

    @property
    def has_interval(self) -> bool:
        """Whether rows cover an interval, so that the table exists once for each interval."""
        return self.known_after == "interval"

    @property
    def names(self) -> tuple[str, ...]:
        """All column names in their canonical order, the two clocks first."""
        return ("timestamp", "available_at", *(column.name for column in self.columns))

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that a file must have."""
        return ("timestamp", *(column.name for column in self.columns if column.required))


_OHLC = tuple(Column(name=name, kind="price", unit="quote") for name in ("open", "high", "low", "close"))
_PREMIUM = tuple(Column(name=name, kind="rate", unit="fraction of index") for name in ("open", "high", "low", "close"))


def _amount(name: str, unit: str = "base", *, required: bool = True) -> Column:
    return Column(name=name, kind="amount", unit=unit, required=required, nullable=not required)


def _price(name: str, *, required: bool = True) -> Column:
    return Column(name=name, kind="price", unit="quote", required=required, nullable=not required)


_ALL = (
    Table(
        name="bars",
        known_after="interval",
        unique=True,
        columns=(
            *_OHLC,
            _amount("volume"),
            _amount("quote_volume", "quote", required=False),
            _amount("taker_buy_volume", required=False),
            Column(name="trade_count", kind="count", unit="trades", required=False, nullable=True),
        ),
    ),
    Table(name="mark", known_after="interval", unique=True, columns=_OHLC),
    Table(name="index", known_after="interval", unique=True, columns=_OHLC),
    Table(name="premium", known_after="interval", unique=True, columns=_PREMIUM),
    Table(
        name="trades",
        known_after="at once",
        unique=False,
        stored_by="day",
        columns=(
            _price("price"),
            _amount("amount"),
            Column(name="side", kind="side", unit="taker", choices=("buy", "sell")),
            Column(name="id", kind="identifier", unit="", required=False, nullable=True),
        ),
    ),
    Table(
        name="open_interest",
        known_after="at once",
        unique=True,
        columns=(_amount("open_interest"), _amount("open_interest_value", "quote", required=False)),
    ),
    Table(name="funding", known_after="at once", unique=True, columns=(Column(name="funding_rate", kind="rate", unit="fraction"),)),
    Table(
        name="liquidations",
        known_after="at once",
        unique=False,
        columns=(
            Column(name="side", kind="side", unit="position", choices=("long", "short")),
            _amount("amount"),
            _price("price", required=False),
            _price("average_price", required=False),
            _price("bankruptcy_price", required=False),
        ),
    ),
    Table(name="liquidation_totals", known_after="interval", unique=True, columns=(_amount("long"), _amount("short"))),
    Table(
        name="depth",
        known_after="at once",
        unique=False,
        stored_by="day",
        columns=(
            Column(name="side", kind="side", unit="book", choices=("bid", "ask")),
            Column(name="distance", kind="fraction", unit="fraction of mid"),
            _amount("amount"),
            _amount("notional", "quote", required=False),
        ),
    ),
)

TABLES: Final[Mapping[str, Table]] = MappingProxyType({one.name: one for one in _ALL})
"""The canonical tables by name."""


def table(name: str) -> Table:
    """Return the canonical table of that name; raises ConfigError with the closest known name."""
    try:
        return TABLES[name]
    except KeyError:
        raise ConfigError(f"table: {name!r} is not a canonical table{did_you_mean(name, TABLES)}") from None

"""Which files of Binance's public archive cover a symbol, its tables and a span of days.

    data/futures/um/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-01.zip
    data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-01-31.zip

`um` are contracts margined in USDT or USDC, `cm` (COIN-M) those margined in the coin. Nothing here asks the archive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

from liqbt._time import DAY_NS, parse_instant
from liqbt.errors import ConfigError, did_you_mean

__all__ = ["ARCHIVE_TABLES", "BASE_URL", "INTERVALS", "ArchiveFile", "ArchiveTable", "Market", "plan"]

Market = Literal["um", "cm"]

BASE_URL: Final = "https://data.binance.vision"
"""The archive itself."""

INTERVALS: Final = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d")
"""Intervals of the kline tables. Of longer ones the archive keeps no days, so that they could not start inside a month."""

_SYMBOL: Final = re.compile(r"[A-Z0-9_]+")
_COIN_MARGINED: Final = re.compile(r"[A-Z0-9]+USD_(PERP|[0-9]{6})")
_EPOCH: Final = date(1970, 1, 1)
_OPENED: Final = date(2019, 9, 1)
"""Binance futures began to trade in September 2019; the guard keeps a mistyped year from asking for thousands of files."""


@dataclass(frozen=True, kw_only=True)
class ArchiveTable:
    """One table of the archive: the periods that its files cover, and the markets that have it.

    klines: it exists once for each interval, and its file names do not say which kline table it is.
    """

    name: str
    klines: bool = False
    daily: bool = True
    monthly: bool = True
    markets: tuple[Market, ...] = ("um", "cm")


_ALL = (
    ArchiveTable(name="klines", klines=True),
    ArchiveTable(name="markPriceKlines", klines=True),
    ArchiveTable(name="indexPriceKlines", klines=True),
    ArchiveTable(name="premiumIndexKlines", klines=True),
    ArchiveTable(name="aggTrades"),
    ArchiveTable(name="trades"),
    ArchiveTable(name="metrics", monthly=False),
    ArchiveTable(name="bookDepth", monthly=False),
    ArchiveTable(name="fundingRate", daily=False),
    ArchiveTable(name="liquidationSnapshot", monthly=False, markets=("cm",)),
)

ARCHIVE_TABLES: Final[Mapping[str, ArchiveTable]] = MappingProxyType({one.name: one for one in _ALL})
"""The archive's tables by its own names."""


@dataclass(frozen=True, kw_only=True)
class ArchiveFile:
    """One file of the archive.

    path: below the archive's address, with `/`. period: `2024-01` or `2024-01-31`. days: of the asked span that it covers.
    instead: the days of a month, to ask for where the archive lacks the month.
    """

    table: str
    period: str
    path: str
    days: int
    instead: tuple[ArchiveFile, ...] = ()

    @property
    def name(self) -> str:
        """Table and file name, which together are unique for a symbol and an interval."""
        return f"{self.table}/{self.path.rpartition('/')[2]}"


def plan(
    symbol: str, *, tables: Sequence[str], start: str, end: str, interval: str | None = None, market: Market | None = None
) -> tuple[ArchiveFile, ...]:
    """Return the files to ask for: tables in the order given, each in order of time.

    symbol: as the archive writes it, `BTCUSDT` or `BTCUSD_PERP`. tables: keys of `ARCHIVE_TABLES`. start, end: ISO date or
    date-time, UTC unless they say otherwise; every day that has a moment in `[start, end)` is covered. interval: one of
    `INTERVALS`, for kline tables only. market: None tells it from the symbol.

    A month that lies whole in the span is one file, with its days to fall back on; the days at the ends are one file each.
    `fundingRate` has months only, so that its files may reach beyond the span.

    Raises ConfigError naming the parameter, its value and what would do.
    """
    place = _market(symbol, market)
    chosen = _tables(tables, place)
    _check_interval(interval, chosen)
    first, last = _days(start, end)
    files: list[ArchiveFile] = []
    for table in chosen:
        for month, days in _months(first, last):
            files.extend(_covering(table, symbol, place, interval, month, days))
    return tuple(files)


def _covering(
    table: ArchiveTable, symbol: str, market: Market, interval: str | None, month: date, days: list[date]
) -> Iterable[ArchiveFile]:
    # The index belongs to the pair: COIN-M contracts on one pair share its files.
    owner = symbol.partition("_")[0] if table.name == "indexPriceKlines" and market == "cm" else symbol

    def file(span: str, period: str, n_days: int, instead: tuple[ArchiveFile, ...] = ()) -> ArchiveFile:
        folder = f"data/futures/{market}/{span}/{table.name}/{owner}"
        path = f"{folder}/{interval}/{owner}-{interval}-{period}.zip" if table.klines else f"{folder}/{owner}-{table.name}-{period}.zip"
        return ArchiveFile(table=table.name, period=period, path=path, days=n_days, instead=instead)

    each = tuple(file("daily", day.isoformat(), 1) for day in days) if table.daily else ()
    whole = days[0] == month and (days[-1] + timedelta(days=1)).month != month.month
    if table.monthly and (whole or not table.daily):
        return (file("monthly", f"{month:%Y-%m}", len(days), each),)
    return each


def _months(first: date, last: date) -> Iterator[tuple[date, list[date]]]:
    """Each month that has a day in `[first, last)`, as its first day, and those days."""
    day = first
    while day < last:
        after = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        until = min(after, last)
        yield day.replace(day=1), [day + timedelta(days=n) for n in range((until - day).days)]
        day = until


def _market(symbol: str, market: Market | None) -> Market:
    if not _SYMBOL.fullmatch(symbol):
        raise ConfigError(f"symbol: {symbol!r} is no name of the archive; write capitals and digits, such as BTCUSDT or BTCUSD_PERP")
    inferred: Market = "cm" if _COIN_MARGINED.fullmatch(symbol) else "um"
    if market is None:
        return inferred
    if market not in ("um", "cm"):
        raise ConfigError(f"market: {market!r} is not a market; write um (margined in USDT or USDC) or cm (COIN-M)")
    if market == "cm" and inferred == "um":
        raise ConfigError(f"market: {symbol} is no COIN-M contract, which are named as BTCUSD_PERP or BTCUSD_240628; leave market out")
    # Contracts with a delivery date may be either: BTCBUSD_210129 was margined in BUSD.
    if market == "um" and symbol.endswith("_PERP"):
        raise ConfigError(f"market: {symbol} is a COIN-M contract; leave market out or write cm")
    return market


def _tables(names: Sequence[str], market: Market) -> list[ArchiveTable]:
    if isinstance(names, str):
        raise ConfigError(f"tables: give a list of names, [{names!r}]")
    if not names:
        raise ConfigError(f"tables: none were given; known: {', '.join(ARCHIVE_TABLES)}")
    chosen = []
    for name in dict.fromkeys(names):
        table = ARCHIVE_TABLES.get(name)
        if table is None:
            raise ConfigError(f"tables: {name!r} is not a table of the archive{did_you_mean(name, ARCHIVE_TABLES)}")
        if market not in table.markets:
            raise ConfigError(
                f"tables: Binance removed {name!r} from the um archive; only COIN-M has it (2023-06-25 to 2024-10-14), "
                "for a symbol such as BTCUSD_PERP"
            )
        chosen.append(table)
    return chosen


def _check_interval(interval: str | None, tables: list[ArchiveTable]) -> None:
    klines = [table.name for table in tables if table.klines]
    if interval is None and klines:
        raise ConfigError(f"interval: table {klines[0]!r} needs one, such as 1m; known: {', '.join(INTERVALS)}")
    if interval is not None and not klines:
        raise ConfigError(f"interval: {', '.join(table.name for table in tables)} have none; leave {interval!r} out")
    if interval is not None and interval not in INTERVALS:
        raise ConfigError(f"interval: {interval!r} is not in the archive; known: {', '.join(INTERVALS)}")


def _days(start: str, end: str) -> tuple[date, date]:
    """First day of the span and the day after its last."""
    start_ns, end_ns = parse_instant(start, parameter="start"), parse_instant(end, parameter="end")
    if start_ns >= end_ns:
        raise ConfigError(f"start: {start} is not before end {end}")
    if start_ns < (_OPENED - _EPOCH).days * DAY_NS:
        raise ConfigError(f"start: {start} is before {_OPENED}, when Binance futures began to trade; start there or later")
    first, last = (_EPOCH + timedelta(days=count) for count in (start_ns // DAY_NS, -(-end_ns // DAY_NS)))
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    if last > tomorrow:
        raise ConfigError(f"end: {end} is in the future, and the archive has whole days only; end at {tomorrow} or before")
    return first, last

"""Liquidations of many symbols, collected in narrow columns, to the canonical table of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import polars as pl

from liqbt.data.readers._contracts import coin_m_size, is_coin_m
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, ReadOptions
from liqbt.data.readers._source import SourceFile
from liqbt.data.readers._text import epoch_to_times
from liqbt.data.readers._venue_units import BASE, ContractSize, Unit
from liqbt.data.readers.recorder._events import Liquidation
from liqbt.data.validation import CLOCK, ROW, canonical

__all__ = ["Collected", "binance_unit", "liquidation_batches"]

_COLUMNS: Final = {
    ROW: pl.UInt32, "known": pl.Int64, "received": pl.Int64, "symbol": pl.String, "time": pl.Int64, "side": pl.String,
    "amount": pl.Float64, "price": pl.Float64, "average_price": pl.Float64, "bankruptcy_price": pl.Float64,
}  # fmt: skip
_PRICES: Final = ("average_price", "bankruptcy_price", "price")
_HELD: Final = 50_000  # rows as Python objects, a hundred times the size of columns


@dataclass(kw_only=True, eq=False)
class Collected:
    """Liquidations as they come, kept as columns."""

    _frames: list[pl.DataFrame] = field(default_factory=list)
    _rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, one: Liquidation, *, row: int, known: int | None = None, received: int | None = None) -> None:
        """Take one. row: of the file. known: ms since 1970 at which the venue sent it. received: UTC ns at which it was recorded."""
        self._rows.append({ROW: row, "known": known, "received": received, **asdict(one)})
        if len(self._rows) == _HELD:
            self._shrink()

    def frame(self) -> pl.DataFrame:
        """Return all of them, in order of their coming."""
        self._shrink()
        return pl.concat(self._frames)

    def _shrink(self) -> None:
        self._frames.append(pl.DataFrame(self._rows, schema=_COLUMNS, orient="row"))
        self._rows.clear()


def binance_unit(symbol: str, size: ContractSize) -> Unit:
    """Return what Binance counts a symbol in: base coin, or contracts of 100 USD (BTC) or 10 USD where it is COIN-M.

    Raises ConfigError where `contract_size` was given and says otherwise.
    """
    return size.known(symbol, Unit(size=coin_m_size(symbol), inverse=True) if is_coin_m(symbol) else BASE)


def liquidation_batches(
    events: pl.DataFrame, file: SourceFile, options: ReadOptions, unit_of: Callable[[str, ContractSize], Unit]
) -> Iterator[Batch]:
    """Yield the canonical `liquidations` of each symbol; events: as `Collected.frame` returns them.

    Amounts in contracts become base coin at the price that is known: the average of the fill, else bankruptcy, else the order's.
    A row is known when it was received, or sent where no receiver's clock is there, and never before it happened.
    Raises DataError naming the row for times outside 2000 to 2100, and ConfigError where `contract_size` is missing or wrong.
    """
    size = ContractSize(file=file, options=options)
    none = events.filter(pl.col("amount") == 0)
    yield Batch(table="liquidations", interval=None, rows=None, mended={"orders of which nothing was filled left out": none.height})
    for part in events.filter(pl.col("amount") > 0).partition_by("symbol", maintain_order=True):
        symbol = str(part["symbol"][0])
        if options.symbol not in (None, symbol):
            yield Batch(table="liquidations", interval=None, rows=None, symbol=symbol)
            continue
        sent = part.filter(pl.col("known").is_not_null())
        epoch_to_times(sent["known"], unit="ms", label=file.label, rows=sent[ROW])
        rows = part.with_columns(epoch_to_times(part["time"], unit="ms", label=file.label, rows=part[ROW]))
        rows, early = in_order(
            rows.select(
                ROW,
                "timestamp",
                *_PRICES,
                "side",
                amount=unit_of(symbol, size).to_base(pl.col("amount"), pl.coalesce(_PRICES)),
                available_at=pl.max_horizontal("timestamp", (pl.col("known") * 1_000_000).cast(CLOCK), pl.col("received").cast(CLOCK)),
            )
        )
        told = rows.drop([name for name in _PRICES if rows[name].null_count() == rows.height])
        mended: Mapping[str, int] = {"rows out of order sorted": early}
        checked = canonical(told, "liquidations", source=file.label)
        yield Batch(table="liquidations", interval=None, rows=checked, symbol=symbol, mended=mended)

"""Ledger: what was tried, in a database that two programs may write at once and that a killed one leaves whole."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from liqbt.errors import ConfigError
from liqbt.ledger.entry import LedgerEntry, bars_a_year
from liqbt.ledger.identity import canonical_json, data_sha256
from liqbt.ledger.trials import Trials
from liqbt.market import MarketFrame
from liqbt.scoring import Score

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from liqbt.ledger._database import Database

__all__ = ["Ledger"]

_FIELDS: Final = tuple(field.name for field in dataclasses.fields(LedgerEntry))
_INSTANTS: Final = ("created", "span_start", "span_end")
_NUMBERS: Final = tuple(field.name for field in dataclasses.fields(LedgerEntry) if field.type == "float")
_ASKED: Final = 500  # ids in one question to the database


class Ledger:
    """The record of all trials.

    address: the path of an SQLite file, `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST/DATABASE`. Nothing is opened or made before
    it is needed; the first record makes file and tables. May be sent to other processes.

    Whatever is recorded is kept: nothing here forgets a trial. Raises StoreError where the address can be none, and so does every
    method where the database cannot be used; no message holds a password.
    """

    def __init__(self, address: str | Path) -> None:
        self.address = address
        _ = self._database  # a wrong address is told at once

    @cached_property
    def _database(self) -> Database:
        from liqbt.ledger._database import Database

        return Database(self.address)

    @property
    def label(self) -> str:
        """What messages call it: the path of the file, or the address without its password."""
        return self._database.label

    def prepare(self) -> bool:
        """Make file and tables where there are none, and find out before the work whether they can be written.

        Returns whether the ledger was new.
        """
        with self._database.reading() as connection:
            new = connection is None
        with self._database.writing():
            pass
        return new

    def record(self, score: Score, **made_with: Any) -> int:
        """Record a score in a transaction of its own and return the id of the run; keywords are those of `LedgerEntry.of`."""
        return self.record_many([LedgerEntry.of(score, **made_with)])[0]

    def record_many(self, entries: Iterable[LedgerEntry]) -> list[int]:
        """Record entries in one transaction, all or none, and return the ids of the runs in their order."""
        from sqlalchemy import insert

        from liqbt.ledger._tables import RUNS

        rows = [_row(entry) for entry in entries]
        if not rows:
            return []
        with self._database.writing() as connection:
            ids = connection.execute(insert(RUNS).returning(RUNS.c.id, sort_by_parameter_order=True), rows).scalars()
            return [int(one) for one in ids]

    def runs(
        self,
        ids: Sequence[int] | None = None,
        *,
        venue: str | None = None,
        symbol: str | None = None,
        strategy: str | None = None,
        data: str | None = None,
        limit: int | None = None,
    ) -> pd.DataFrame:
        """Return recorded runs, one row each, newest first, with the columns of `LedgerEntry` and indexed by id.

        ids: only these, in this order. venue, symbol, strategy: only of this one. data: only on data whose `data_sha256` begins like
        this. limit: only so many of the newest. Settings are mappings; times are UTC.

        Raises ConfigError for an id that is not there and a `data` that is no hash.
        """
        from sqlalchemy import select

        from liqbt.ledger._tables import RUNS

        if data is not None and re.fullmatch(r"[0-9a-f]{1,64}", data) is None:
            raise ConfigError(f"data: {data!r} is not the beginning of a SHA-256; take it from the column data_sha256")
        named = {"venue": venue, "symbol": symbol, "strategy": strategy}
        conditions = [RUNS.c[name] == value for name, value in named.items() if value is not None]
        if data is not None:
            conditions.append(RUNS.c.data_sha256.startswith(data))
        query = select(RUNS).where(*conditions).order_by(RUNS.c.id.desc()).limit(limit)
        asked = [query] if ids is None else [query.where(RUNS.c.id.in_(ids[at : at + _ASKED])) for at in range(0, len(ids), _ASKED)]
        with self._database.reading() as connection:
            found = [] if connection is None else [row._asdict() for one in asked for row in connection.execute(one)]
        table = _frame(found)
        if ids is None:
            return table
        missing = [one for one in ids if one not in table.index]
        if missing:
            raise ConfigError(f"{self.label}: there is no run {missing[0]}; `liqbt runs` lists them")
        return table.loc[list(ids)]

    def compare(self, ids: Sequence[int]) -> pd.DataFrame:
        """Return runs side by side, one column each: every setting in which they differ, then all results.

        Settings have names such as `parameters.threshold`. Raises ConfigError for less than two runs, and one that is not there.
        """
        if len(set(ids)) < 2:
            raise ConfigError(f"compare: {len(set(ids))} run is given; name at least two, `liqbt runs` lists them")
        table = self.runs(list(dict.fromkeys(ids)))
        flat = pd.DataFrame({run: _flat(row.to_dict()) for run, row in table.drop(columns="created").iterrows()}, dtype=object)
        results = [name for name in flat.index if name in _RESULTS]
        settings = flat.drop(index=results)
        texts = settings.map(lambda one: canonical_json(one) if not isinstance(one, pd.Timestamp) else str(one))
        return pd.concat([settings[texts.nunique(axis=1) > 1], flat.loc[results]])

    def trials(self, market: MarketFrame) -> Trials:
        """Return how many distinct variants were recorded on the market's data, and how their Sharpe ratios vary.

        Counted is every strategy on the same venue and symbol whose span overlaps the market's, at any interval and with any version of
        the data: who has seen a stretch of prices has seen it. On a synthetic market, only what was recorded on exactly the same data. The
        same variant on the same data is one trial, however often it was run. Benchmarks are none.
        """
        from sqlalchemy import and_, func, or_, select

        from liqbt.ledger._tables import RUNS

        same: ColumnElement[bool] = RUNS.c.data_sha256 == data_sha256(market)
        if not market.synthetic:
            start, end = (datetime.fromtimestamp(stamp // 10**9, UTC) for stamp in _span_ns(market))
            alike = and_(RUNS.c.venue == market.venue, RUNS.c.symbol == market.symbol, RUNS.c.seed.is_(None))
            same = or_(same, and_(alike, RUNS.c.span_start < end, RUNS.c.span_end > start))
        newest = select(func.max(RUNS.c.id)).where(RUNS.c.role == "strategy", same).group_by(RUNS.c.trial_sha256)
        with self._database.reading() as connection:
            found = (
                [] if connection is None else connection.execute(select(RUNS.c.sharpe_year).where(RUNS.c.id.in_(newest))).scalars().all()
            )
        ratios = np.array([one for one in found if one is not None])
        variance = float(ratios.var(ddof=1)) / bars_a_year(market.interval) if ratios.size >= 2 else math.nan
        return Trials(count=len(found), sharpe_variance=variance)

    def __getstate__(self) -> dict[str, Any]:
        """Return the address alone: connections stay where they were made."""
        return {"address": self.address}

    def __repr__(self) -> str:
        return f"Ledger({self.label!r})"


_RESULTS: Final = _FIELDS[_FIELDS.index("n_bars") :]


def _span_ns(market: MarketFrame) -> tuple[int, int]:
    return int(market.timestamp[0]), int(market.timestamp[-1]) + market.interval_ns


def _row(entry: LedgerEntry) -> dict[str, Any]:
    row = {name: getattr(entry, name) for name in _FIELDS}
    return row | {name: None for name in _NUMBERS if not math.isfinite(row[name])}


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame([dict(row) for row in rows], columns=["id", *_FIELDS]).set_index("id")
    table = table.astype(dict.fromkeys(_NUMBERS, np.float64))
    for name in _INSTANTS:
        table[name] = pd.to_datetime(table[name], utc=True).dt.as_unit("us")
    return table


def _flat(row: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    """Return a run's fields with each setting under a name of its own."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat

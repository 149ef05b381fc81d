"""The tables of the ledger, the same in SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Boolean, Column, DateTime, Dialect, Double, Index, Integer, MetaData, String, Table
from sqlalchemy.types import TypeDecorator

__all__ = ["METADATA", "RUNS", "SCHEMA", "VERSION"]

VERSION: Final = 1
"""Of the tables below; whoever changes them raises it and says how to get there."""


class UtcTime(TypeDecorator[datetime]):
    """An instant in UTC; SQLite keeps no zone, so it is put on when read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return what is stored."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return what was stored."""
        if value is None:
            return None
        instant: datetime = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return instant.astimezone(UTC)


METADATA: Final = MetaData()

SCHEMA: Final = Table("liqbt_schema", METADATA, Column("version", Integer, nullable=False))

# the columns are the fields of LedgerEntry, which tells what they hold
RUNS: Final = Table(
    "liqbt_runs",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("created", UtcTime, nullable=False),
    Column("role", String, nullable=False),
    Column("strategy", String, nullable=False),
    Column("trial_sha256", String(64), nullable=False, index=True),
    Column("data_sha256", String(64), nullable=False, index=True),
    Column("source_sha256", String(64)),
    Column("venue", String, nullable=False),
    Column("symbol", String, nullable=False),
    Column("interval", String, nullable=False),
    Column("span_start", UtcTime, nullable=False),
    Column("span_end", UtcTime, nullable=False),
    Column("seed", String),
    Column("parameters", JSON, nullable=False),
    Column("mix", JSON(none_as_null=True)),
    Column("book", JSON(none_as_null=True)),
    Column("features", JSON(none_as_null=True)),
    Column("costs", JSON, nullable=False),
    Column("execution", JSON, nullable=False),
    Column("liqbt_version", String, nullable=False),
    Column("n_bars", BigInteger, nullable=False),
    Column("n_trades", BigInteger, nullable=False),
    # without a number there is NULL: SQLite has no NaN
    Column("total_return", Double),
    Column("sharpe", Double),
    Column("sharpe_year", Double),
    Column("skew", Double),
    Column("kurtosis", Double),
    Column("max_drawdown", Double),
    Column("fees", Double),
    Column("funding", Double),
    Column("slippage", Double),
    Column("liquidations", BigInteger),
    Column("ruined", Boolean, nullable=False),
    Column("wall_seconds", Double),
    Index("liqbt_runs_market", "venue", "symbol", "span_start"),
    sqlite_autoincrement=True,  # an id is never given twice
)

"""The database behind a ledger: its address, its connections, and what can be wrong with it, in one line."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from liqbt.errors import StoreError
from liqbt.ledger._tables import METADATA, SCHEMA, VERSION
from liqbt.ledger.identity import canonical_json

__all__ = ["Database"]

_PATIENCE_SECONDS: Final = 60  # how long a writer waits for others
_CONNECT_SECONDS: Final = 10
_SECRETS: Final = ("password", "sslpassword")
_CREATION: Final = 7_160_113_052_846_133_210  # PostgreSQL's advisory lock for making the tables: any number that is ours
_HINTS: Final = (
    ("locked", f"another program has held it for {_PATIENCE_SECONDS} seconds; end that program, or name another ledger"),
    ("readonly", "make file and folder writable, or name another ledger"),
    ("unable to open", "its file and folder must be readable and writable; check them, or name another ledger"),
    ("not a database", "name another file, or put that one out of the way"),
    ("malformed", "the file is damaged; restore it from a copy, or name another ledger"),
    ("already exists", "its database has tables of that name that are not a ledger's; name another database"),
    ("permission denied", "ask for the right to create, read and write tables there"),
    ("authentication failed", "check user and password"),
    ("connection", "check that the server runs and may be reached"),
)


class Database:
    """One SQLite file or PostgreSQL database; connections are made when needed and kept no longer, so that processes may fork."""

    def __init__(self, address: str | Path) -> None:
        self.url = _url_of(address)
        self.label = _label_of(self.url)
        self._known = False  # whether the tables were seen
        self._engine: Engine | None = None

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        return Path(self.url.database) if self.url.database and self.url.get_backend_name() == "sqlite" else None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Hold a transaction that writes: all of it is kept, or nothing; makes the ledger where there is none.

        Raises StoreError where the database cannot be used.
        """
        with self._told("written"):
            if self.file is not None and not self._known:
                _make_folder(self.file)
                self._log_ahead()
            with self._connected().execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
                if not self._known:
                    self._make_tables(connection)
                yield connection
            self._known = True

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection | None]:
        """Hold a transaction that reads, or None where there is no ledger yet. Raises StoreError where the database cannot be used."""
        if self.file is not None and not self.file.exists():
            yield None
            return
        with self._told("read"), self._connected().connect() as connection:
            self._known = self._known or self._has_tables(connection)
            yield connection if self._known else None

    def _connected(self) -> Engine:
        if self._engine is None:
            self._engine = _engine_of(self.url, self.label)
        return self._engine

    def _log_ahead(self) -> None:
        """Let SQLite write ahead, so that nobody who reads waits for who writes; changing the mode does not wait for locks by itself."""
        until = time.monotonic() + _PATIENCE_SECONDS
        with self._connected().connect().execution_options(begin=None) as connection:
            while True:
                try:
                    if connection.execute(text("PRAGMA journal_mode")).scalar() != "wal":
                        connection.execute(text("PRAGMA journal_mode=WAL"))
                except OperationalError as error:
                    if "locked" not in str(error.orig) or time.monotonic() > until:
                        raise
                    time.sleep(0.01)
                else:
                    return

    def _make_tables(self, connection: Connection) -> None:
        if self.file is None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CREATION})
        if not self._has_tables(connection):
            METADATA.create_all(connection)
            connection.execute(insert(SCHEMA).values(version=VERSION))

    def _has_tables(self, connection: Connection) -> bool:
        """Return whether the database holds a ledger; raises StoreError for one of a newer liqbt, and for a file of something else."""
        names = inspect(connection).get_table_names()
        if SCHEMA.name not in names:
            if self.file is not None and names:
                raise StoreError(f"{self.label}: the database is not a ledger, it holds {names[0]!r}; name another file")
            return False
        version = connection.execute(select(SCHEMA.c.version)).scalar()
        if version != VERSION:
            raise StoreError(f"{self.label}: the ledger is of schema {version}, this liqbt knows {VERSION}; install a newer liqbt")
        return True

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = _one_line(getattr(error, "orig", None) or error)
            hint = next((hint for sign, hint in _HINTS if sign in reason.lower()), "check it, or name another ledger")
            raise StoreError(f"{self.label}: the ledger cannot be {what}: {reason}; {hint}") from None


def _url_of(address: str | Path) -> URL:
    """Return the address of a database; a path is a file of SQLite."""
    given = str(address)
    if "://" not in given:
        url = URL.create("sqlite", database=given)
    else:
        scheme = given.partition("://")[0]
        try:
            url = make_url(given)
        except (ArgumentError, ValueError):
            raise StoreError(f"ledger: this {scheme}:// address cannot be read; write {_FORMS}") from None
        if scheme in ("postgres", "postgresql", "postgresql+psycopg"):
            url = url.set(drivername="postgresql+psycopg")
        elif scheme != "sqlite":
            raise StoreError(f"ledger: {scheme}:// is no database that a ledger can be kept in; write {_FORMS}")
        if "@" in (url.host or ""):
            raise StoreError("ledger: the address has two @; in a user's name or password write %40")
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:") or url.query:
            raise StoreError(f"ledger: {given!r} names no file, and what is kept in memory is lost; write {_FORMS}")
        if Path(str(url.database)).is_dir():
            raise StoreError(f"ledger: {url.database} is a folder; name a file in it")
    return url


_FORMS: Final = "the path of a file, sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


def _label_of(url: URL) -> str:
    """Return what messages call the database: without its password, wherever that stands."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").difference_update_query(_SECRETS).render_as_string(hide_password=True)


def _engine_of(url: URL, label: str) -> Engine:
    options: dict[str, Any] = {"poolclass": NullPool, "json_serializer": canonical_json}
    if url.get_backend_name() != "sqlite":
        wait = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
        try:
            return create_engine(url, connect_args=wait, **options)
        except ImportError:
            raise StoreError(f"{label}: PostgreSQL needs a driver; install it with pip install 'liqbt[postgres]'") from None
    engine = create_engine(url, connect_args={"timeout": _PATIENCE_SECONDS}, **options)

    @event.listens_for(engine, "connect")
    def _write_through(connection: sqlite3.Connection, _: Any) -> None:
        connection.execute("PRAGMA synchronous=FULL")  # what was recorded outlives a power cut too

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        statement = connection.get_execution_options().get("begin", "BEGIN")
        if statement is not None:
            connection.exec_driver_sql(statement)

    return engine


def _make_folder(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{file}: its folder cannot be made: {error.strerror}; name another ledger") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__

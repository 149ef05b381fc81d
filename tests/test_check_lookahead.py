"""A gallery of strategies that see the future: each is found out, and none that does not is accused."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace

import numpy as np
import pytest
from peeking_strategies import INNOCENT, PEEKING, UNSTEADY, written

from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.features import FeatureParams, build_features
from liqbt.lookahead import check, check_lookahead
from liqbt.lookahead.cuts import deep_cuts, quick_cuts
from liqbt.signals import Signals
from liqbt.strategy import load_strategy, shipped_strategies


@pytest.mark.parametrize("name", PEEKING)
def test_every_peek_is_found(tmp_path, week, name):
    body, columns = PEEKING[name]
    report = check_lookahead(written(tmp_path, name, body), week)
    fault = report.fault
    assert fault is not None
    assert not report.clean
    assert fault.kind == "looks ahead"
    assert fault.column in columns
    assert fault.value != fault.other
    assert report.file == str(next(tmp_path.glob("*.py")))
    assert report.message.startswith(f"{report.strategy} ({report.file}) looks ahead: {fault.column} of bar {fault.bar} (")
    assert len(report.message.splitlines()) == 1


# each way of looking finds these on its own
@pytest.mark.parametrize("ways", [{"cuts": 8, "strategy_cuts": 0}, {"cuts": 0, "strategy_cuts": 60}], ids=["all", "signals"])
@pytest.mark.parametrize("name", ["NextClose", "MeanOfAll", "CentredWindow", "Smoothed", "HoldsToTheEnd", "StopBelowWhatComes"])
def test_plain_peeks_are_found_in_both_ways(tmp_path, week, name, ways):
    report = check_lookahead(written(tmp_path, name, PEEKING[name][0]), week, **ways)
    assert report.fault is not None
    assert report.fault.kind == "looks ahead"


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_peek_is_found_whatever_the_seed(tmp_path, week, seed):
    report = check_lookahead(written(tmp_path, "OneBarInAHundred", PEEKING["OneBarInAHundred"][0]), week, seed=seed)
    assert report.fault is not None
    assert report.fault.bar % 100 == 37


@pytest.mark.parametrize("name", UNSTEADY)
def test_what_is_not_the_same_twice(tmp_path, week, name):
    above, body = UNSTEADY[name]
    report = check_lookahead(written(tmp_path, name, body, above), week, strategy_cuts=50)
    fault = report.fault
    assert fault is not None
    assert fault.kind == "is not deterministic"
    assert f"{report.strategy} ({report.file}) is not deterministic: " in report.message
    assert "draw random numbers from a generator that signals() makes from a seed" in report.message


@pytest.mark.parametrize("name", INNOCENT)
def test_the_innocent_are_not_accused(tmp_path, week, name):
    report = check_lookahead(written(tmp_path, name, INNOCENT[name]), week, strategy_cuts=200)
    assert report.clean, report.message
    assert report.message == f"{report.strategy}: no look-ahead at 8 cuts of all data and 200 of its signals"
    expected = {"Idle": "it wants nothing on this market", "NeedsADay": "it fails on data that end with 2025-01-01"}
    assert len(report.notes) == (name in expected)
    assert all(expected[name] in note for note in report.notes)


@pytest.mark.parametrize("name", shipped_strategies())
def test_shipped_strategies_are_clean(week, name):
    assert check_lookahead(load_strategy(name), week, cuts=3, strategy_cuts=30).clean


def test_the_first_bar_that_gives_it_away(tmp_path, week):
    """The close of the next bar is first missed in the last known bar, and one three bars on, two bars before."""
    one = check_lookahead(written(tmp_path, "NextClose", PEEKING["NextClose"][0]), week, cuts=[1000], strategy_cuts=0).fault
    ahead = np.sign(week.close[1001] - week.close[1000])
    assert (one.bar, one.column, one.value, one.other) == (1000, "entry", ahead, 0)
    assert one.time == "2025-01-04 11:20:00"
    assert one.given == "with everything cut off after 2025-01-04 11:25:00"
    body = "return Signals.of(market, entry=(close.shift(-3) > 0).astype(int))"
    three = check_lookahead(written(tmp_path, "ThreeOn", body), week, cuts=[1000], strategy_cuts=0).fault
    assert (three.bar, three.value, three.other) == (998, 1, 0)


def test_another_future_shows_what_the_end_of_data_hides(tmp_path, week):
    """This one covers its tracks: where nothing comes, it says what it said with the future."""
    body = """
        ahead = close.shift(-1)
        return Signals.of(market, entry=np.where(ahead.isna() | (ahead > close), 1, -1))
        """
    strategy = written(tmp_path, "Careful", body)
    rises = int(np.flatnonzero(np.diff(week.close)[1000:] > 0)[0]) + 1000
    fault = check_lookahead(strategy, week, cuts=[rises], strategy_cuts=0).fault
    assert (fault.bar, fault.value, fault.other) == (rises, 1, -1)
    assert fault.given.startswith("with another future after 2025-01-04")


def test_a_read_beyond_the_last_row(tmp_path, week):
    body = """
        entry = np.zeros(market.n_bars)
        for bar in range(40, market.n_bars, 50):
            entry[bar] = np.sign(market.close[bar + 5] - market.close[bar])
        return Signals.of(market, entry=entry)
        """
    report = check_lookahead(written(tmp_path, "ReadsOn", body), week, cuts=0)
    assert report.fault.kind == "fails without the future"
    assert report.fault.bar % 50 - 40 in range(5)
    assert "IndexError" in report.fault.other
    assert "look for reads beyond the last row" in report.message
    assert len(report.message.splitlines()) == 1


def test_one_that_fails_on_all_shorter_data(tmp_path, week):
    body = f"assert market.n_bars == {week.n_bars}\n        return Signals.of(market, entry=turn)"
    fault = check_lookahead(written(tmp_path, "WantsAll", body), week, strategy_cuts=20).fault
    assert fault.kind == "fails without the future"
    assert "AssertionError" in fault.other


def test_signals_of_another_market(tmp_path, week):
    """A strategy that gives the same object for whatever it is asked."""
    above = "KEPT = []"
    body = """
        if not KEPT:
            KEPT.append(Signals.of(market, entry=turn))
        return KEPT[0]
        """
    report = check_lookahead(written(tmp_path, "Keeps", body, above), week, strategy_cuts=10)
    assert report.fault.kind == "is not deterministic"
    assert "signals() gave 1008 bars for a market of 2016" in report.message


def test_one_that_fails_on_the_market_itself(tmp_path, week):
    with pytest.raises(ConfigError, match=r"broken\.py:\d+: ZeroDivisionError"):
        check_lookahead(written(tmp_path, "Broken", "return 1 / 0"), week)


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """Not in a file of its own, as in a notebook."""

    def signals(self, market, features):
        return Signals.of(market, entry=np.append(np.sign(np.diff(market.close)), 0))


def test_a_strategy_without_a_file_of_its_own(week):
    report = check_lookahead(Notebook(), week, cuts=2, strategy_cuts=10)
    assert (report.strategy, report.file) == ("Notebook", __file__)
    assert report.fault.kind == "looks ahead"


def test_the_same_seed_gives_the_same_report(tmp_path, week):
    strategy = written(tmp_path, "SkipsLosers", PEEKING["SkipsLosers"][0])
    first, again, other = (check_lookahead(strategy, week, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.cuts != other.cuts


def test_parameters_are_kept(tmp_path, week):
    body = "return Signals.of(market, entry=past if self.length == 20 else np.sign(close.shift(-1) - close).fillna(0))"
    strategy = written(tmp_path, "Both", body)
    assert check_lookahead(strategy, week, cuts=2, strategy_cuts=20).clean
    bold = load_strategy(next(tmp_path.glob("*.py")), length=5)
    assert check_lookahead(bold, week, cuts=2, strategy_cuts=20).fault.kind == "looks ahead"


def test_what_features_are_made_with_is_used_again(week):
    options = {"mix": LeverageMix.of({10: 1.0}), "book": BookParams(churn_share=0.3), "features": FeatureParams(discount_days=3.0)}
    assert check_lookahead(load_strategy("gravity"), week, cuts=4, strategy_cuts=20, **options).clean


def test_long_markets_are_asked_about_in_stretches(tmp_path, week, monkeypatch):
    """With a span of 300 bars a week is seven stretches; what peeks is found, and what looks back is not accused."""
    monkeypatch.setattr(check, "SPAN", 300)
    assert check_lookahead(written(tmp_path, "Momentum", INNOCENT["Momentum"]), week, cuts=0, strategy_cuts=150).clean
    assert check_lookahead(written(tmp_path, "Averages", INNOCENT["Averages"]), week, cuts=0, strategy_cuts=150).clean
    for seed in range(3):
        fault = check_lookahead(written(tmp_path, "NextClose", PEEKING["NextClose"][0]), week, cuts=0, strategy_cuts=5, seed=seed).fault
        assert fault.value == np.sign(week.close[fault.bar + 1] - week.close[fault.bar])
        assert fault.given.startswith("with everything cut off after 2025-01-0")


def test_stretches_are_long_and_end_at_the_cut(tmp_path, week, monkeypatch):
    monkeypatch.setattr(check, "SPAN", 300)
    above = "ASKED = []"
    body = "ASKED.append((market.n_bars, market.timestamp[0]))\n        return Signals.of(market, entry=turn)"
    strategy = written(tmp_path, "Tells", body, above)
    check_lookahead(strategy, week, cuts=0, strategy_cuts=200)
    asked = type(strategy).signals.__globals__["ASKED"][2:]
    sizes = [size for size, _ in asked]
    assert max(sizes) == 600
    starts = {int((stamp - week.timestamp[0]) // week.interval_ns) for _, stamp in asked}
    assert starts == {0, 300, 600, 900, 1200, 1500}
    assert all(size > 300 for size, stamp in asked if stamp != week.timestamp[0])


def test_cuts_that_are_none(week):
    for cuts, says in (([2015], "2015 is no bar before the last, which is 2015"), ([-1], "-1 is no bar"), (-1, "-1 must be at least 0")):
        with pytest.raises(ConfigError, match=f"cuts: {says}"):
            check_lookahead(load_strategy("gravity"), week, cuts=cuts)
    with pytest.raises(ConfigError, match="strategy_cuts: -1 must be at least 0"):
        check_lookahead(load_strategy("gravity"), week, strategy_cuts=-1)


def test_where_the_cuts_fall(week):
    entry, leave = np.zeros(week.n_bars), np.zeros(week.n_bars, dtype=bool)
    entry[[500, 600, 700, -1]], leave[[510, 610]] = 1, True
    said = Signals.of(week, entry=entry, exit=leave)
    table = build_features(reconstruct(week))
    usable = int(table["heat_above"].notna().to_numpy().argmax())
    assert usable > 0
    cuts = deep_cuts(8, said, table, np.random.default_rng(1))
    assert cuts == sorted(set(cuts))
    assert len(cuts) == 8
    assert {500, 600, 700} < set(cuts)
    assert usable <= min(cuts) <= max(cuts) < week.n_bars - 1
    assert deep_cuts([9, 3, 3], said, table, np.random.default_rng(1)) == [3, 9]
    many = quick_cuts(100, said, np.random.default_rng(1))
    assert len(set(many)) == len(many) == 100
    assert {500, 600, 700, 510, 610} < set(many)
    assert max(many) < week.n_bars - 1
    everything = quick_cuts(10**6, said, np.random.default_rng(1))
    assert sorted(everything) == list(range(week.n_bars - 1))


def test_the_strategy_can_be_sent_to_other_processes_afterwards(tmp_path, week):
    strategy = written(tmp_path, "Momentum", INNOCENT["Momentum"])
    check_lookahead(strategy, week, cuts=0, strategy_cuts=2)
    assert pickle.loads(pickle.dumps(strategy)) == strategy  # noqa: S301 - our own bytes


def test_progress_is_told(week):
    said = []
    check_lookahead(load_strategy("gravity"), week, cuts=2, strategy_cuts=60, progress=lambda share, what: said.append((share, what)))
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1
    assert all(what.startswith("gravity: ") for _, what in said)


def test_a_market_without_anything_but_bars(week):
    bare = replace(
        week, open_interest=None, funding_rate=None, mark_high=None, mark_low=None, mark_close=None, liquidated=None,
        depth_distance=None, depth_bid=None, depth_ask=None,
    )  # fmt: skip
    assert check_lookahead(load_strategy("gravity"), bare, cuts=3, strategy_cuts=20).clean

"""Variants scored by the thousand count as trials, and are the same trials as those scored one by one."""

import math

import numpy as np
import pytest

import liqbt as lb
from liqbt.ledger import Ledger, entries_of_variants
from liqbt.scoring import FixedNotional, TradingRules, score_variants
from liqbt.strategy import ask_signals, source_sha256, strategy_variants


@pytest.fixture(scope="module")
def tried(quarter):
    book = lb.reconstruct(quarter)
    features = lb.build_features(book)
    strategies = list(strategy_variants("gravity", threshold=[0.55, 0.6, 0.7], max_hours=[6.0, 24.0]))
    signals = [ask_signals(one, quarter, features) for one in strategies]
    return quarter, book, strategies, signals


@pytest.mark.parametrize(
    "settings", [{}, {"leverage": 3.0, "sizing": FixedNotional(notional=5_000.0), "rules": TradingRules(cooldown_bars=2)}]
)
def test_each_is_a_trial_and_the_same_as_one_by_one(tried, tmp_path, settings):
    market, book, strategies, signals = tried
    ledger = Ledger(tmp_path / "runs.sqlite")
    source = source_sha256(strategies[0])
    made_with = {"mix": book.mix, "book": book.params}
    ledger.record_many(
        entries_of_variants(score_variants(signals, market, **settings), market, source_sha256=source, **made_with, **settings)
    )
    assert ledger.trials(market).count == 6
    score = lb.backtest(signals[4], market, **settings)
    ledger.record(score, source_sha256=source, **made_with)
    assert ledger.trials(market).count == 6  # tried before
    runs = ledger.runs()
    assert len(runs) == 7
    same = runs[runs["trial_sha256"] == runs["trial_sha256"].iloc[0]]
    assert len(same) == 2
    for name in ("sharpe", "total_return", "max_drawdown", "n_trades"):
        assert same[name].iloc[0] == pytest.approx(same[name].iloc[1], rel=1e-9)
    assert math.isnan(same["fees"].iloc[1])
    assert np.isfinite(same["fees"].iloc[0])

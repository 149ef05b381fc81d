"""Thousands of variants are filled as one by one."""

import math

import numpy as np
import pytest
from generators import markets
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import liqbt as lb
from liqbt.errors import ConfigError
from liqbt.scoring import Costs
from liqbt.scoring.variants import VARIANT_COLUMNS, score_variants
from liqbt.signals import Signals


def sharpe_of(score):
    value = np.r_[score.initial_cash, score.fills.equity]
    returns = np.divide(np.diff(value), value[:-1], out=np.zeros(value.size - 1), where=value[:-1] > 0)
    return returns.mean() / returns.std(ddof=1) if returns.std() > 1e-15 else math.nan


@st.composite
def variants(draw):
    market = draw(markets(min_bars=5))
    signals = []
    for number in range(draw(st.integers(1, 5))):
        entry = draw(hnp.arrays(np.int64, market.n_bars, elements=st.integers(-1, 1)))
        away = draw(st.sampled_from((np.nan, 0.002, 0.01)))
        stop, target = market.close * (1 - entry * away), market.close * (1 + entry * 2 * away)
        signals.append(Signals.of(market, entry=entry, stop_price=stop, target_price=target, name="v", parameters={"number": number}))
    return market, signals


@settings(max_examples=60)
@given(drawn=variants(), leverage=st.sampled_from((1.0, 10.0)))
def test_each_is_what_backtest_gives(drawn, leverage):
    market, signals = drawn
    costs = Costs.binance_usdm()
    table = score_variants(iter(signals), market, costs=costs, leverage=leverage)
    assert sorted(table.index) == list(range(len(signals)))
    for number, row in table.iterrows():
        score = lb.backtest(signals[number], market, costs=costs, leverage=leverage)
        assert row["number"] == number
        assert row["n_trades"] == score.fills.trades.size
        assert row["total_return"] == score.fills.equity[-1] / score.initial_cash - 1
        assert row["exposure"] == pytest.approx(np.mean(score.fills.position != 0))
        assert row["ruined"] == score.fills.ruined
        value = np.r_[score.initial_cash, score.fills.equity]
        assert row["max_drawdown"] == pytest.approx(float((1 - value / np.maximum.accumulate(value)).max()), abs=1e-12)
        expected = sharpe_of(score)
        if not math.isnan(expected) and abs(expected) > 1e-6:
            assert row["sharpe"] == pytest.approx(expected, rel=1e-6)


def test_the_best_comes_first_and_the_idle_last(make_market):
    market = make_market(close=[100.0, 100.0, 101.0, 102.0, 101.5, 104.0])
    entries = {"short": -1, "idle": 0, "long": 1}
    signals = [Signals.of(market, entry=[side, 0, 0, 0, 0, 0], name=name) for name, side in entries.items()]
    table = score_variants(signals, market, costs=Costs.free())
    assert table["name"].tolist() == ["long", "short", "idle"]
    assert table.index.tolist() == [2, 0, 1]
    assert set(VARIANT_COLUMNS) < set(table.columns)
    assert math.isnan(table["sharpe"].iloc[-1])
    returns = np.array([0, 0, 1 / 100, 1 / 101, -0.5 / 102, 2.5 / 101.5])
    assert table["sharpe"].iloc[0] == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert table["sharpe_year"].iloc[0] == pytest.approx(table["sharpe"].iloc[0] * 8760**0.5)


def test_more_than_a_batch(make_market, monkeypatch):
    rng = np.random.default_rng(0)
    market = make_market(close=list(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 60)))))
    signals = [Signals.of(market, entry=rng.integers(-1, 2, 60), parameters={"k": k}) for k in range(20)]
    whole = score_variants(signals, market)
    told = []
    monkeypatch.setattr("liqbt.scoring.variants._BATCH", 7)
    parts = score_variants(iter(signals), market, progress=lambda share, what: told.append((share, what)), total=20)
    assert parts.to_csv() == whole.to_csv()
    assert [round(share, 2) for share, _ in told] == [0.35, 0.7, 1.0]


def test_nothing_to_score_and_other_bars_are_refused(make_market):
    market = make_market(close=[100.0] * 5)
    with pytest.raises(ConfigError, match="no variant"):
        score_variants([], market)
    with pytest.raises(ConfigError, match="the market has 5 bars"):
        score_variants([Signals.of(make_market(close=[100.0] * 4), entry=1)], market)

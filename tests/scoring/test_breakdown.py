"""Results by month, hour, weekday and regime, worked by hand; standard errors against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hand_fills import CASH, flat_market, portfolio_by_hand, score_by_hand, trip
from hypothesis import given
from hypothesis import strategies as st

from liqbt.scoring.breakdown import clustered_error, monthly_returns
from liqbt.volatility import daily_volatility

COLUMNS = ["trades", "win_share", "mean_net_bps", "standard_error_bps", "total_pnl"]


@pytest.fixture(scope="module")
def score():
    # hourly from Friday 2026-01-30: Saturday is hour 24, February hour 48, Monday hour 72
    market = flat_market(24 * 31, start="2026-01-30")
    trips = (
        trip(5, 6, exit=101.0),
        trip(24 + 5, 24 + 9, exit=99.0),
        trip(48 + 5, 48 + 7, exit=103.0, amount=2.0),
        trip(48 + 13, 48 + 17, -1, exit=101.0),
        trip(72 + 23, None, exit=150.0),
    )
    return score_by_hand(market, *trips)


def test_by_month(score):
    table = score.by_month
    assert (table.index.tolist(), table.index.name, table.columns.tolist()) == (["2026-01", "2026-02", "2026-03"], "month", COLUMNS)
    assert table["trades"].tolist() == [2, 2, 0]  # the open trade is not over
    assert table["win_share"].tolist()[:2] == [0.5, 0.5]
    assert table["mean_net_bps"].tolist()[:2] == pytest.approx([0.0, 100.0])
    assert table["total_pnl"].tolist() == pytest.approx([0.0, 5.0, 0.0])
    assert table["standard_error_bps"].iloc[0] == pytest.approx(np.sqrt(2 / 1 * (100**2 + 100**2)) / 2)  # two days, one trade each
    assert np.isnan(table["standard_error_bps"].iloc[1])  # one day tells nothing
    assert table.loc["2026-03", ["win_share", "mean_net_bps", "standard_error_bps"]].isna().all()


def test_by_hour_and_weekday(score):
    hours, days = score.by_hour, score.by_weekday
    assert hours.index.tolist() == list(range(24))
    assert hours["trades"][hours["trades"] > 0].to_dict() == {5: 3, 13: 1}
    assert hours["mean_net_bps"][5] == pytest.approx(100.0)
    assert hours["win_share"][5] == pytest.approx(2 / 3)
    assert days["trades"].to_dict() == {"Monday": 0, "Tuesday": 0, "Wednesday": 0, "Thursday": 0, "Friday": 1, "Saturday": 1, "Sunday": 2}
    assert days["total_pnl"]["Sunday"] == pytest.approx(5.0)


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.integers(0, 4)), min_size=2, max_size=30).filter(lambda v: len({c for _, c in v}) > 1))
def test_clustered_error_is_that_of_statsmodels(rows):
    import statsmodels.api as sm

    values, clusters = np.array([value for value, _ in rows]), np.array([cluster for _, cluster in rows])
    fit = sm.OLS(values, np.ones(values.size)).fit(cov_type="cluster", cov_kwds={"groups": clusters})
    assert clustered_error(values, clusters) == pytest.approx(fit.bse[0], rel=1e-6, abs=1e-9)


def test_one_day_of_trades_has_no_error():
    assert np.isnan(clustered_error(np.array([1.0, 2.0]), np.array([7, 7])))


def test_by_regime_takes_what_was_known_at_the_close_before_the_entry():
    # hourly: quiet for 6 days, then wild for 3, then middling for 3; the level falls while it is quiet and rises after
    steps = np.r_[np.tile([0.0, -0.0001], 72), np.tile([0.05, -0.0485], 36), np.tile([0.01, -0.009], 36)]
    market = flat_market(steps.size, close=100 * np.exp(np.cumsum(steps)))
    volatility = daily_volatility(market, 2.0)
    low, high = np.quantile(volatility[~np.isnan(volatility)], (1 / 3, 2 / 3))
    bars = [10, 60, 140, 145, 200, 250, 287]
    score = score_by_hand(market, *(trip(bar, bar + 0, exit=100.0 + k) for k, bar in enumerate(bars)))
    table = score.by_regime
    known = volatility[np.array(bars) - 1]
    expected = {
        "low": int((known <= low).sum()), "middle": int(((known > low) & (known <= high)).sum()),
        "high": int((known > high).sum()), "unknown": int(np.isnan(known).sum()),
    }  # fmt: skip
    assert table.loc["volatility", "trades"].to_dict() == expected
    assert min(expected.values()) > 0
    trend = [np.sign(market.close[bar - 1] - market.close[bar - 49]) if bar > 48 else np.nan for bar in bars]
    assert table.loc["trend", "trades"].to_dict() == {"down": trend.count(-1), "up": trend.count(1), "unknown": 1}
    assert table.loc[("volatility", "unknown"), "total_pnl"] == 0.0
    assert table.index.names == ["regime", "value"]


def test_regime_of_the_bar_before_not_of_the_entrys():
    close = np.full(200, 100.0)
    close[150:] = 130.0  # the entry's own bar jumps
    market = flat_market(200, close=close)
    assert score_by_hand(market, trip(150, 160)).by_regime.loc["trend", "trades"].to_dict() == {"down": 0, "flat": 1, "up": 0}
    assert score_by_hand(market, trip(151, 160)).by_regime.loc["trend", "trades"].to_dict() == {"down": 0, "up": 1}


def test_where_nothing_moves_volatility_is_low():
    assert score_by_hand(flat_market(100), trip(60, 61)).by_regime.loc["volatility", "trades"].to_dict() == {
        "low": 1,
        "middle": 0,
        "high": 0,
    }


def test_portfolio_takes_each_symbols_own_regime():
    up, down = (flat_market(200, close=100 * np.exp(sign * 1e-4 * np.arange(200)), symbol=name) for sign, name in ((1, "UP"), (-1, "DOWN")))
    score = portfolio_by_hand([up, down], trip(100, 105), trip(101, 106, asset=1, exit=90.0), trip(120, 121, asset=1))
    assert score.by_regime.loc["trend", "trades"].to_dict() == {"down": 2, "up": 1}
    assert score.by_symbol["trades"].to_dict() == {"UP": 1, "DOWN": 2}
    assert score.by_symbol.loc["DOWN", "total_pnl"] == pytest.approx(-9.0)


def test_monthly_returns_multiply_to_the_whole():
    index = pd.date_range("2025-11-15", periods=24 * 80, freq="h", tz="UTC")
    equity = pd.Series(CASH * np.exp(np.linspace(0, 0.3, index.size)), index=index)
    table = monthly_returns(equity, CASH)
    assert (table.index.tolist(), table.columns.tolist()) == ([2025, 2026], list(range(1, 13)))
    assert table.notna().sum(axis=1).tolist() == [2, 2]
    december = equity[equity.index < "2026-01-01"]
    assert table.loc[2025, 12] == pytest.approx(december.iloc[-1] / equity[equity.index < "2025-12-01"].iloc[-1] - 1)
    assert np.nanprod(1 + table.to_numpy()) == pytest.approx(equity.iloc[-1] / CASH)


def test_monthly_returns_after_ruin_are_unknown():
    index = pd.date_range("2026-01-01", periods=90, freq="D", tz="UTC")
    table = monthly_returns(pd.Series(np.where(np.arange(90) < 40, CASH, 0.0), index=index), CASH)
    assert table.loc[2026, 1] == 0.0
    assert table.loc[2026, 2] == -1.0
    assert np.isnan(table.loc[2026, 3])

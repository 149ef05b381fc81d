"""Figures of a score show what its tables say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand_fills import CASH, flat_market, portfolio_by_hand, score_by_hand, trip

from liqbt.report.score_figures import account_figure, breakdown_figure, capacity_figure, excursion_figure, monthly_figure
from liqbt.report.style import extremes

HOURS = 24 * 40


@pytest.fixture(scope="module")
def score():
    market = flat_market(HOURS, start="2025-12-20")
    market = replace(market, depth_distance=np.array([0.01]), depth_bid=np.full((HOURS, 1), 1e6), depth_ask=np.full((HOURS, 1), 1e6))
    return score_by_hand(
        market, trip(30, 40, exit=103.0, mae=0.01, mfe=0.04), trip(50, 60, -1, exit=101.0, mae=0.02, mfe=0.0), trip(900, None, exit=120.0)
    )


def traces(figure):
    return {trace.name: trace for trace in figure.data}


def test_equity_and_drawdown_at_the_time_at_which_they_were_known(score):
    drawn = traces(account_figure(score))
    assert list(drawn) == ["equity", "drawdown"]
    known = (score.market.index + pd.Timedelta("1h")).tz_localize(None)
    assert pd.DatetimeIndex(drawn["equity"].x).equals(pd.DatetimeIndex(known))
    assert drawn["equity"].y.tolist() == score.equity.tolist()
    assert min(drawn["drawdown"].y) == pytest.approx(-100 * 1.0 / (CASH + 3.0))


def test_contributions_of_each_symbol():
    markets = [flat_market(50, symbol=symbol) for symbol in "ABCDEFG"]
    score = portfolio_by_hand(markets, trip(2, 4, exit=103.0), trip(5, 9, asset=3, exit=98.0))
    drawn = traces(account_figure(score))
    assert list(drawn) == ["equity", "drawdown", *"ABCDEFG"]
    assert (drawn["A"].y[-1], drawn["D"].y[-1], drawn["G"].y[-1]) == (pytest.approx(3.0), pytest.approx(-2.0), 0.0)
    looks = [(drawn[name].line.color, drawn[name].line.dash) for name in "ABCDEFG"]
    assert len(set(looks)) == 7
    assert drawn["equity"].line.color not in {colour for colour, _ in looks}


def test_excursions_of_the_trades_that_ended(score):
    drawn = traces(excursion_figure(score))
    won, lost = drawn["won (1)"], drawn["lost (1)"]
    assert (list(won.x), list(won.y)) == ([pytest.approx(1.0)], [pytest.approx(4.0)])
    assert (list(lost.x), list(lost.y)) == ([pytest.approx(2.0)], [pytest.approx(0.0)])
    assert won.customdata[0][2] == pytest.approx(300.0)


def test_months_are_cells(score):
    (cells,) = monthly_figure(score).data
    assert list(cells.y) == ["2025", "2026"]
    assert cells.z[0][11] == pytest.approx(0.2)  # + 3 - 1 of 1,000
    assert cells.text[0][11] == "+0.2%"
    assert cells.text[0][0] == ""
    assert cells.zmax == -cells.zmin == pytest.approx(np.nanmax(np.abs(100 * score.monthly_returns.to_numpy())))


def test_capacity_is_marked_where_the_edge_ends(score):
    capacity = score.capacity
    figure = capacity_figure(capacity)
    assert traces(figure)["net edge"].y.tolist() == capacity.net_bps.tolist()
    assert traces(figure)["orders beyond the recorded book"].y.max() == 100.0
    labels = {note.text: note.x for note in figure.layout.annotations}
    assert len(labels) == 2
    assert labels["as traded: 100"] == pytest.approx(2.0)
    (gone,) = [place for text, place in labels.items() if text.startswith("edge gone at ")]
    assert gone == pytest.approx(math.log10(capacity.capacity))


def test_figures_of_an_account_that_never_traded():
    score = score_by_hand(flat_market(30))
    assert [len(trace.x) for trace in excursion_figure(score).data] == [0, 0, 2]
    assert len(capacity_figure(score.capacity).layout.annotations) == 0
    assert monthly_figure(score).data[0].text[0][0] == "+0.0%"
    assert np.isnan(breakdown_figure(score).data[0].y).all()


def test_breakdown_shows_means_with_intervals(score):
    hours, weekdays, months, regimes = breakdown_figure(score).data
    assert list(hours.y[[6, 2]]) == [pytest.approx(300.0), pytest.approx(-100.0)]  # entered at hours 30 and 50
    assert list(months.x) == ["2025-12", "2026-01"]
    assert months.error_y.array[0] == pytest.approx(1.96 * score.by_month["standard_error_bps"].iloc[0])
    assert next(iter(weekdays.x)) == "Mon"
    assert regimes.customdata[:, 0].sum() == 2 * 2


def test_thinning_keeps_every_extreme():
    values = np.random.default_rng(5).normal(size=50_000)
    values[12_345], values[40_001] = 99.0, -99.0
    kept = extremes(values)
    assert kept.size <= 1602
    assert {0, 12_345, 40_001, 49_999} <= set(kept.tolist())
    assert extremes(values[:1_600]).tolist() == list(range(1_600))

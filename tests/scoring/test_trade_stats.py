"""The statistics that vectorbt lacks, worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hand_fills import CASH, flat_market, score_by_hand, trip

MARKET = flat_market(20)
TRIPS = (
    trip(1, 3, 1, exit=103.0, fees=0.1, slippage=0.02, mae=0.01, mfe=0.03),  # + 2.9
    trip(4, 8, -1, exit=102.0, fees=0.1, funding=0.3, slippage=0.04, reason="stop", mae=0.02, mfe=0.00),  # - 2.4
    trip(8, 10, 1, exit=100.0, fees=0.1, slippage=0.0, reason="liquidation", mae=0.06, mfe=0.01),  # - 0.1
    trip(15, None, 1, exit=96.0, fees=0.05, mae=0.5, mfe=0.5),  # - 4.05, open
)


@pytest.fixture(scope="module")
def stats():
    return score_by_hand(MARKET, *TRIPS).trading_stats


def test_sums_and_counts(stats):
    assert stats["Fees Paid"] == pytest.approx(0.35)
    assert stats["Funding Paid"] == pytest.approx(0.3)
    assert stats["Slippage Cost"] == pytest.approx(0.06)
    counts = {"Liquidations": 1, "Stops": 1, "Trailing Stops": 0, "Targets": 0, "Time Exits": 0, "Rejected Entries": 0}
    assert {label: stats[label] for label in counts} == counts


def test_edge_is_of_the_trades_that_ended(stats):
    assert stats["Net Edge [bps]"] == pytest.approx((290 - 240 - 10) / 3)
    assert stats["Gross Edge [bps]"] == pytest.approx((302 - 196 + 0) / 3)


def test_largest_loss_counts_the_open_trade(stats):
    assert stats["Largest Loss"] == pytest.approx(4.05)
    assert score_by_hand(MARKET, TRIPS[0]).trading_stats["Largest Loss"] == 0.0


def test_excursions_in_percent(stats):
    assert stats["Average MAE [%]"] == pytest.approx(3.0)
    assert stats["Median MAE [%]"] == pytest.approx(2.0)
    assert stats["95th Percentile MAE [%]"] == pytest.approx(5.6)  # 0.9 of the way from 2 to 6
    assert stats["Average MFE [%]"] == pytest.approx(4 / 3)
    assert stats["Median MFE [%]"] == pytest.approx(1.0)
    assert stats["95th Percentile MFE [%]"] == pytest.approx(2.8)


def test_exposure_turnover_and_holding(stats):
    assert stats["Exposure [%]"] == pytest.approx(100 * (2 + 4 + 2 + 5) / 20)
    traded = 100 + 103 + 100 + 102 + 100 + 100 + 100
    equity = np.repeat([CASH, CASH + 2.9, CASH + 0.5, CASH + 0.4, CASH - 3.65], [3, 5, 2, 9, 1])
    assert stats["Turnover"] == pytest.approx(traded / equity.mean())
    assert stats["Average Holding"] == pd.Timedelta(hours=(2 + 4 + 2 + 4) / 4)


def test_time_under_water_counts_closes_below_the_peak(stats):
    assert stats["Time Under Water [%]"] == pytest.approx(100 * 12 / 20)  # from the stop on, in bar 8
    drawdown = score_by_hand(MARKET, *TRIPS).drawdown
    assert drawdown.iloc[:8].eq(0).all()
    assert drawdown.iloc[-1] == pytest.approx(-6.55 / 1002.9)
    assert score_by_hand(MARKET, TRIPS[3]).trading_stats["Time Under Water [%]"] == pytest.approx(5)  # against the initial cash


def test_an_account_that_never_traded_has_no_edge():
    stats = score_by_hand(MARKET).trading_stats
    missing = ("Net Edge [bps]", "Gross Edge [bps]", "Average MAE [%]", "Median MFE [%]", "Average Holding", "Capacity")
    assert all(pd.isna(stats[label]) for label in missing)
    assert (stats["Largest Loss"], stats["Time Under Water [%]"], stats["Exposure [%]"]) == (0.0, 0.0, 0.0)

"""Cells by hand, from shorter bars, and without anything from the future."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from liquidation_samples import hourly_book, hourly_market
from lookahead import tables_of

from liqbt._time import DAY_NS
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.evaluation.liquidation_cells import liquidation_cells
from liqbt.market import MarketFrame
from liqbt.volatility import daily_volatility

ARRAYS = (
    "recorded",
    "volume",
    "distance",
    "from_day",
    "fresh",
    "swept",
    "carried",
    "day_old",
    "volatility",
    "quick",
    "activity",
    "touched",
)


@pytest.fixture(scope="module")
def cells():
    return liquidation_cells(hourly_market(), hourly_book())


def totals(count, start="2026-01-01"):
    stamps = pd.date_range(start, periods=count, freq="1h", tz="UTC")
    return pd.DataFrame({"timestamp": stamps, "long": np.arange(count) * 1.0, "short": 2.0})


def test_distances_by_hand(make_market):
    close = [100.0] * 30
    low, high = [99.0] * 30, [101.0] * 30
    low[27], close[27], low[28], high[28], close[28] = 96.0, 98.0, 95.0, 99.0, 97.0
    opens = [*close[:27], 97.0, 97.0, 100.0]
    market = make_market(
        close=close, open=opens, low=low, high=high, open_interest=[50.0] * 30, volume=[4.0] * 30, liquidation_totals=totals(30)
    )
    found = liquidation_cells(market, reconstruct(market), min_explained_share=0)
    assert found.distance[28] == pytest.approx([np.log(98 / 95), np.log(99 / 98)])
    assert found.from_day[28] == pytest.approx([np.log(100 / 95), 0.0])
    assert found.distance[27] == pytest.approx([np.log(100 / 96), np.log(101 / 100)])
    assert found.fresh[27:29].tolist() == [[True, False], [True, False]]
    assert not found.fresh[29].any()
    assert np.isnan(found.distance[0]).all()
    assert np.isnan(found.from_day[:24]).all()
    assert found.recorded[5].tolist() == [5.0, 2.0]
    assert found.activity[29] == 4.0
    assert found.usable.tolist() == [False] * 25 + [False] * 3 + [True] * 2  # volatility needs moves: the first is in bar 27


def test_what_was_not_seen_traded_or_recorded_is_not_usable(cells):
    market = hourly_market()
    volume, observed, recorded = market.volume.copy(), market.observed.copy(), market.liquidated.copy()
    volume[700], observed[701], recorded[702, 1] = 0.0, False, np.nan
    broken = replace(market, volume=volume, observed=observed, liquidated=recorded)
    found = liquidation_cells(broken, replace(hourly_book(), market=broken))
    assert np.flatnonzero(found.usable != cells.usable).tolist() == [700, 701, 702]
    assert np.flatnonzero(liquidation_cells(replace(market, observed=observed), hourly_book()).usable != cells.usable).tolist() == [701]


def test_a_bar_needs_a_map_that_was_explained_at_the_close_before():
    share = hourly_book().explained_share
    found = liquidation_cells(hourly_market(), hourly_book(), min_explained_share=0.9)
    assert share[24] < 0.9
    assert found.usable.argmax() == 1 + np.argmax(share >= 0.9)


def test_heat_carried_into_a_bar_is_most_of_what_the_bar_sweeps(cells):
    """What the bar itself opens is the rest: without it nothing carried could be more than swept."""
    swept = cells.swept.sum(axis=2)[cells.usable]
    carried = cells.carried[cells.usable]
    assert 0.5 * swept.sum() < carried.sum() < 1.05 * swept.sum()
    assert np.corrcoef(carried.ravel(), swept.ravel())[0, 1] > 0.9


def test_far_positions_are_those_of_low_leverage(cells):
    leverage = np.array(hourly_book().mix.leverage)
    assert cells.level == pytest.approx(1 / leverage - 0.005, abs=0.004)


def test_day_old_heat_lies_between_the_two_extremes_and_only_of_fresh_ones(cells):
    market = hourly_market()
    fresh = np.argwhere(cells.fresh[:, 0] & cells.usable)[:, 0]
    assert (cells.day_old[~cells.fresh] == 0).all()
    bar = int(fresh[np.argmax(cells.day_old[fresh, 0])])
    start, before, now = market.close[bar - 24], market.low[bar - 24 : bar].min(), market.low[bar]
    assert now < before
    heat = hourly_book().heatmap(reach=0.28)
    edges = np.log(heat.price_edges)
    top = np.log(min(start, before))
    inside = np.clip(np.minimum(edges[1:], top) - np.maximum(edges[:-1], np.log(now)), 0, None) / np.diff(edges)
    assert cells.day_old[bar, 0] == pytest.approx(heat.intensity[bar - 24, 0] @ inside, rel=0.15)  # rings are coarser than bins


def test_volatility_and_activity_are_those_of_the_close_before(cells):
    market = hourly_market()
    assert cells.volatility[101] == pytest.approx(daily_volatility(market, 2.0)[100] / np.sqrt(24))
    assert cells.activity[101] == pytest.approx(market.volume[77:101].mean())


def test_shorter_bars_give_the_same_prices_and_the_same_recorded_liquidations(week):
    hourly = week.to_frame().resample("1h").agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"})
    sums = pd.DataFrame(week.liquidated, index=week.index, columns=["long", "short"]).resample("1h").sum()
    market = MarketFrame.from_frames(
        bars=hourly.iloc[2:].reset_index(), liquidation_totals=sums.reset_index(), venue="synthetic", symbol=week.symbol, interval="1h"
    )
    book = reconstruct(week)
    found = liquidation_cells(market, book)
    assert found.timestamp.tolist() == market.timestamp.tolist()
    assert found.recorded == pytest.approx(sums.to_numpy()[2:])
    assert found.volume == pytest.approx(market.volume)
    assert found.distance[1:, 0] == pytest.approx(np.clip(np.log(market.close[:-1] / market.low[1:]), 0, None))
    assert found.swept.sum(axis=2) == pytest.approx(book.expected_liquidations().resample("1h").sum().to_numpy()[2:])


@pytest.mark.parametrize("cut", [300, 701])
def test_nothing_is_known_before_its_time(cells, cut):
    tables = tables_of(hourly_market())
    tables = {name: table[table["timestamp"] <= hourly_market().index[cut - 1] + pd.Timedelta("1h")] for name, table in tables.items()}
    for name in ("bars", "mark", "liquidation_totals"):
        if name in tables:
            tables[name] = tables[name].iloc[:cut]
    market = MarketFrame.from_frames(**tables, venue="synthetic", symbol=hourly_market().symbol, interval="1h")
    found = liquidation_cells(market, reconstruct(market, hourly_book().mix))
    assert market.n_bars == cut
    for name in ARRAYS:
        assert np.array_equal(getattr(found, name), getattr(cells, name)[:cut], equal_nan=True), name
    assert np.array_equal(found.usable, cells.usable[:cut])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda market, book: (replace(market, liquidated=None), book), "no liquidations of SYNUSDT were recorded"),
        (lambda market, book: (replace(market, liquidated=np.full((market.n_bars, 2), np.nan)), book), "no liquidations of SYNUSDT"),
        (lambda market, book: (market, replace(book, params=BookParams(recorded_liquidations_close=True))), "held against"),
        (lambda market, book: (replace(market, symbol="ETHUSDT"), book), "it is of SYNUSDT while the liquidations are of ETHUSDT"),
        (lambda market, book: (replace(market, interval="90m"), book), "bars of 90m do not consist of its bars of 1h"),
        (lambda market, book: (replace(market, interval="1d"), book), "too long for a day before"),
        (lambda market, book: (replace(market, timestamp=market.timestamp + 1000 * DAY_NS), book), "use one span for both"),
    ],
)
def test_what_cannot_be_asked_is_refused(change, words):
    market, book = change(hourly_market(), hourly_book())
    with pytest.raises(ConfigError, match=words):
        liquidation_cells(market, book)


def test_mixes_only_weight_what_is_swept(cells):
    one = reconstruct(hourly_market(), LeverageMix.of({10.0: 1.0}))
    found = liquidation_cells(hourly_market(), one)
    place = list(hourly_book().mix.leverage).index(10.0)
    assert found.swept[:, :, 0] * hourly_book().weights[place] == pytest.approx(cells.swept[:, :, place])

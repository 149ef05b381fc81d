"""Numbers of events against published ones and scipy, and tables by hand."""

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from liquidation_samples import hourly_book, hourly_market
from scipy.stats import nbinom

from liqbt.evaluation.liquidation_cells import liquidation_cells
from liqbt.evaluation.liquidation_days import alarm_table, clustering, day_table, event_size, reliability_table
from liqbt.evaluation.liquidation_forecasts import LiquidationForecast


@pytest.fixture(scope="module")
def cells():
    return liquidation_cells(hourly_market(), hourly_book())


def forecast(mean, name="one"):
    return LiquidationForecast(name=name, given="range", mean=mean, parameters=MappingProxyType({"constant": 1.0}))


def test_clustering_is_found_again_and_none_where_there_is_none():
    rng = np.random.default_rng(5)
    expected = rng.uniform(5, 50, 4_000)
    size = 1 / 0.3
    observed = rng.negative_binomial(size, size / (size + expected)).astype(float)
    assert clustering(observed, expected) == pytest.approx(0.3, rel=0.1)
    assert clustering(expected, expected) == 0


def test_an_event_is_the_amount_that_scatters_like_one():
    rng = np.random.default_rng(1)
    cells = liquidation_cells(hourly_market(), hourly_book())
    mean = np.broadcast_to(rng.uniform(20, 60, (cells.usable.size, 1)), cells.recorded.shape)
    counted = replace(cells, recorded=rng.poisson(mean) * 7.0)
    train = np.broadcast_to(cells.usable[:, None], mean.shape)
    assert event_size(counted, forecast(mean * 7.0), train) == pytest.approx(7.0, rel=0.1)


def test_days_add_up_their_cells(cells):
    test = np.zeros(cells.recorded.shape, dtype=bool)
    test[480:480 + 60] = True  # fmt: skip
    train = np.zeros_like(test)
    train[:480] = True
    mean = np.full(cells.recorded.shape, 30.0)
    days, totals = day_table(cells, {("range", "one"): forecast(mean)}, train, test, 10.0)
    assert days["day"].dt.strftime("%m-%d").tolist() == ["01-21", "01-22", "01-23"]
    assert days["expected"].tolist() == [48 * 30.0, 48 * 30.0, 24 * 30.0]
    assert days["recorded"].tolist() == pytest.approx([cells.recorded[a:b].sum() for a, b in ((480, 504), (504, 528), (528, 540))])
    (row,) = totals.to_dict("records")
    past = cells.recorded[:480].reshape(20, 48).sum(axis=1) / 10
    assert row["clustering"] == pytest.approx(clustering(past, np.full(20, 144.0)))
    assert row["clustering"] > 0
    assert row["expected"] == 120 * 30.0
    spread = sum((30.0 * n / 10) ** 2 for n in (48, 48, 24)) / 360.0**2 * row["clustering"]
    few = nbinom(1 / spread, 1 / (1 + 360 * spread)).cdf(round(row["recorded"] / 10))
    assert row["p_at_most"] == pytest.approx(few)
    first = nbinom(1 / row["clustering"], 1 / (1 + 144 * row["clustering"]))
    assert days["p_at_most"][0] == pytest.approx(first.cdf(round(days["recorded"][0] / 10)))
    assert days["p_at_least"][0] == pytest.approx(first.sf(round(days["recorded"][0] / 10) - 1))
    outside = (days["p_at_least"] < 0.025) | (days["p_at_most"] < 0.025)
    assert row["share_of_days_outside"] == pytest.approx(outside.mean())


def test_reliability_bins_expect_alike_and_keep_every_cell(cells):
    test = np.broadcast_to(cells.usable[:, None], cells.recorded.shape)
    mean = np.exp(np.random.default_rng(2).normal(0, 1, test.shape))
    table = reliability_table(cells, {("range", "one"): forecast(mean)}, test, draws=99, seed=0)
    assert len(table) == 10
    assert table["n_cells"].sum() == test.sum()
    totals = table["expected"] * table["n_cells"]
    assert totals.to_numpy() == pytest.approx(np.full(10, mean[test].sum() / 10), rel=0.05)
    assert (table["expected"].diff().dropna() > 0).all()
    assert (table["recorded"] * table["n_cells"]).sum() == pytest.approx(cells.recorded[test].sum())
    first = np.argsort(mean[test])[: table["n_cells"][0]]
    assert table["recorded"][0] == pytest.approx(cells.recorded[test][first].mean())
    assert (table["ci_low"] <= table["recorded"]).all()
    assert (table["recorded"] <= table["ci_high"]).all()


def test_alarms_miss_what_they_do_not_cover(cells):
    test = np.zeros(cells.recorded.shape, dtype=bool)
    test[500:504] = True
    amounts = np.arange(8.0).reshape(4, 2)
    changed = replace(cells, recorded=np.where(test, 0.0, cells.recorded))
    changed.recorded[500:504] = amounts
    mean = np.ones(test.shape)
    mean[500:504] = -np.abs(amounts - 5) + 10  # alarms: 5, then 4 and 6 together, 3 and 7, then 2, 1, 0
    table = alarm_table(changed, {("range", "one"): forecast(mean)}, test)
    assert table["alarmed"].tolist() == [k / 8 for k in (0, 1, 3, 5, 6, 7, 8)]
    assert table["missed"].tolist() == pytest.approx([1 - k / 28 for k in (0, 5, 15, 25, 27, 28, 28)])

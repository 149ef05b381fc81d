"""Measures against published functions, brute force, and samples that repeat their days."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.metrics import d2_tweedie_score, roc_auc_score

from liqbt.evaluation import liquidation_measures as measures
from liqbt.inference.ranking import molchan_diagram

ONE = np.ones((1, 3))


def sample(seed, n=60):
    """Amounts with zeros, two forecasts with ties, and a day of three for each cell."""
    rng = np.random.default_rng(seed)
    mean = np.round(rng.lognormal(0, 1, n), 1) + 0.1
    recorded = rng.poisson(mean) * 0.7
    return recorded, mean, np.round(rng.lognormal(0, 1, n), 1) + 0.1, rng.integers(0, 3, n)


def test_deviance_explained_by_hand():
    """Poisson deviance of y = [2, 0, 1, 4] and [.5, .5, 2, 2] is 1.4260 a cell; of the mean 1.75 it is 5.7301 in all."""
    recorded, mean = np.array([2.0, 0.0, 1.0, 4.0]), np.array([0.5, 0.5, 2.0, 2.0])
    null = 2 * (2 * np.log(2 / 1.75) - 0.25 + 1.75 + np.log(1 / 1.75) + 0.75 + 4 * np.log(4 / 1.75) - 2.25)
    (value,) = measures.explained(recorded, mean, np.zeros(4, dtype=np.int64), np.ones((1, 1)))
    assert value == pytest.approx(1 - 4 * 1.4260 / null, abs=1e-4)


@settings(max_examples=25)
@given(seed=st.integers(0, 1000))
def test_the_sample_itself_is_measured_as_by_published_functions(seed):
    recorded, mean, other, day = sample(seed)
    assert measures.explained(recorded, mean, day, ONE)[0] == pytest.approx(d2_tweedie_score(recorded, mean, power=1))
    assert measures.rank_correlation(recorded, mean, day, ONE)[0] == pytest.approx(spearmanr(recorded, mean).statistic)
    event = recorded > 1
    hits, space = event.astype(float), (~event).astype(float)
    assert measures.ranked_area(mean, hits, space, day, ONE)[0] == pytest.approx(roc_auc_score(event, mean))
    ranks = [rankdata(one) for one in (recorded, mean, other)]
    left = [one - LinearRegression().fit(ranks[2][:, None], one).predict(ranks[2][:, None]) for one in ranks[:2]]
    found = measures.partial_rank_correlation(recorded, mean, other, day, ONE)[0]
    assert found == pytest.approx(np.corrcoef(*left)[0, 1])


def test_information_gain_by_hand_and_in_any_unit():
    recorded, mean, reference = np.array([3.0, 1.0]), np.array([2.0, 1.0]), np.array([1.0, 2.0])
    day = np.array([0, 1])
    by_hand = (3 * np.log(2) + np.log(0.5) - 3 + 3) / 4
    (value,) = measures.gain(recorded, mean, reference, day, np.ones((1, 2)))
    assert value == pytest.approx(by_hand)
    (counted,) = measures.gain(recorded / 7, mean / 7, reference / 7, day, np.ones((1, 2)))
    assert counted == pytest.approx(by_hand)


@given(seed=st.integers(0, 1000))
def test_area_is_that_of_all_pairs(seed):
    recorded, score, space, day = sample(seed, 25)
    above = (score[:, None] > score[None, :]) + 0.5 * (score[:, None] == score[None, :])
    pairs = recorded[:, None] * space[None, :]
    area = measures.ranked_area(score, recorded, space, day, ONE)[0]
    assert area == pytest.approx((pairs * above).sum() / pairs.sum())
    assert area == pytest.approx(molchan_diagram(score, recorded, space).area_skill)


@given(seed=st.integers(0, 1000))
def test_a_draw_is_the_sample_with_its_days_repeated(seed):
    recorded, mean, other, day = sample(seed)
    weights = np.array([[1.0, 1.0, 1.0], [2.0, 0.0, 1.0]])
    again = np.concatenate([np.flatnonzero(day == one) for one in (0, 0, 2)])
    drawn, alone = np.ones((1, 1)), np.zeros(again.size, dtype=np.int64)
    whole = measures.gain(recorded, mean, other, day, weights)[1]
    assert whole == pytest.approx(measures.gain(recorded[again], mean[again], other[again], alone, drawn)[0])
    area = measures.ranked_area(mean, recorded, other, day, weights)[1]
    assert area == pytest.approx(measures.ranked_area(mean[again], recorded[again], other[again], alone, drawn)[0])
    ranks = [rankdata(one)[again] for one in (recorded, mean)]
    assert measures.rank_correlation(recorded, mean, day, weights)[1] == pytest.approx(np.corrcoef(*ranks)[0, 1])


def test_many_cells_are_ranked_in_groups_that_change_little():
    rng = np.random.default_rng(0)
    score = rng.normal(size=30_000)
    event = rng.random(score.size) < 1 / (1 + np.exp(3 - score))
    day = rng.integers(0, 3, score.size)
    area = measures.ranked_area(score, event.astype(float), (~event).astype(float), day, ONE)[0]
    assert area == pytest.approx(roc_auc_score(event, score), abs=5e-4)


def test_a_draw_without_anything_to_measure_is_unknown():
    recorded, mean, day = np.array([1.0, 2.0, 0.0, 0.0]), np.array([1.0, 2.0, 1.0, 2.0]), np.array([0, 0, 1, 1])
    weights = np.array([[1.0, 1.0], [0.0, 2.0]])
    assert np.isnan(measures.gain(recorded, mean, mean[::-1], day, weights)[1])
    assert np.isnan(measures.ranked_area(mean, recorded, np.ones(4), day, weights)[1])


def test_days_are_drawn_as_often_as_there_are_days_and_the_first_row_is_the_sample():
    day = np.array([100, 100, 103, 104])
    weights, column, length = measures.day_weights(np.ones(4), day, draws=50, seed=3)
    assert weights.shape == (51, 5)
    assert column.tolist() == [0, 0, 3, 4]
    assert weights[0].tolist() == [1.0] * 5
    assert (weights.sum(axis=1) == 5).all()
    assert 1 <= length <= 5
    assert np.ptp(weights[1:], axis=0).min() > 0

"""Differences to stand-ins, when one bar stands in for many events."""

import math

import numpy as np
import pytest

from liqbt.evaluation.estimates import balanced_mean
from liqbt.evaluation.paired import paired_difference


def sample(rng, n_events=60, per_event=3, n_clusters=12):
    values, direction = rng.normal(size=n_events), rng.choice([-1, 1], n_events)
    cluster = np.sort(rng.integers(0, n_clusters, n_events))
    origin = np.repeat(np.arange(n_events), per_event)
    return values, direction, cluster, rng.normal(size=origin.size), origin, rng.integers(0, n_clusters, origin.size)


def naive(values, direction, stand_in_values, origin, kept_events, kept_stand_ins):
    sides = {1: [], -1: []}
    for i in range(values.size):
        mine = [stand_in_values[j] for j in range(origin.size) if origin[j] == i and kept_stand_ins[j]]
        if mine and kept_events[i]:
            sides[int(direction[i])].append(values[i] - sum(mine) / len(mine))
    return (np.mean(sides[1]) + np.mean(sides[-1])) / 2


def test_it_is_the_jackknife_over_all_that_happened_in_a_cluster():
    values, direction, cluster, theirs, origin, where = sample(np.random.default_rng(0))
    keep = origin != 5  # an event without stand-ins
    theirs, origin, where = theirs[keep], origin[keep], where[keep]
    found = paired_difference(values, direction, cluster, theirs, origin, where)
    effect = naive(values, direction, theirs, origin, np.full(60, True), np.full(origin.size, True))
    without = [naive(values, direction, theirs, origin, cluster != one, where != one) for one in range(12)]
    assert found.effect == pytest.approx(effect, rel=1e-12)
    assert found.standard_error == pytest.approx(math.sqrt(11 / 12 * sum((one - effect) ** 2 for one in without)), rel=1e-12)
    assert (found.n_events, found.n_clusters) == (59, 12)


def test_pairs_that_stay_together_are_a_mean_of_differences():
    values, direction, cluster, theirs, origin, _ = sample(np.random.default_rng(1))
    found = paired_difference(values, direction, cluster, theirs, origin, cluster[origin])
    differences = values - theirs.reshape(60, 3).mean(axis=1)
    expected = balanced_mean(differences, direction, cluster)
    for name, value in vars(expected).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9), name


def test_a_direction_that_is_missing_tells_nothing():
    values, direction, cluster, theirs, origin, where = sample(np.random.default_rng(2))
    found = paired_difference(values, np.ones(60, np.int64), cluster, theirs, origin, where)
    assert math.isnan(found.effect)
    assert math.isnan(found.p_value)
    one_cluster = paired_difference(values, direction, np.zeros(60, np.int64), theirs, origin, np.zeros(origin.size, np.int64))
    assert math.isfinite(one_cluster.effect)
    assert math.isnan(one_cluster.standard_error)
    nobody = paired_difference(values, direction, cluster, np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64))
    assert math.isnan(nobody.effect)
    assert nobody.n_events == nobody.n_clusters == 0


def test_stand_ins_that_serve_many_make_the_difference_less_sure():
    """Two dozen bars stand in for two hundred events: at the 5 % level the error by events alone cries wolf, this one does not."""
    rng = np.random.default_rng(3)
    alone, together = [], []
    for _ in range(400):
        values, direction = rng.normal(size=200), rng.choice([-1, 1], 200)
        cluster = np.repeat(np.arange(40), 5)
        bars, days = rng.normal(size=24), np.arange(24)
        choice = rng.integers(0, 24, (200, 2))
        found = paired_difference(values, direction, cluster, bars[choice].ravel(), np.repeat(np.arange(200), 2), days[choice].ravel())
        together.append(found.p_value < 0.05)
        alone.append(balanced_mean(values - bars[choice].mean(axis=1), direction, cluster).p_value < 0.05)
    assert np.mean(alone) > 0.2
    assert np.mean(together) < 0.085

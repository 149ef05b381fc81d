"""Permutation tests against full enumeration, Fisher's exact test and the plain kernel."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from liqbt.errors import ConfigError
from liqbt.inference import permutation
from liqbt.inference.permutation import label_permutation_test, permutation_p_value, sign_flip_test, whole_day_shifts


def test_the_sample_counts_among_the_draws():
    assert permutation_p_value(2.0, [-3.0, 1.0, 2.0, 0.0]) == 3 / 5
    assert permutation_p_value(2.0, [-3.0, 1.0, 2.0, 0.0], alternative="greater") == 2 / 5
    assert permutation_p_value(-2.0, [-3.0, 1.0, 2.0, 0.0], alternative="less") == 2 / 5
    assert permutation_p_value(9.0, [0.0] * 99) == 0.01
    # 0.1 + 0.2 and 0.3 are one number, whatever the last digit says
    assert permutation_p_value(0.3, [0.1 + 0.2 - 1e-16, 0.0, 0.0], alternative="greater") == 2 / 4


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=8), st.sampled_from(["two-sided", "greater", "less"]), st.integers(0, 99))
def test_few_clusters_are_enumerated(values, alternative, seed):
    numbers, cluster = np.array(values, dtype=float), np.arange(len(values)) // 2
    found = sign_flip_test(numbers, cluster, null=0.5, alternative=alternative, draws=99, seed=seed)
    sums = [(numbers[cluster == one] - 0.5).sum() for one in np.unique(cluster)]
    every = np.array([np.dot(signs, sums) for signs in product((-1, 1), repeat=len(sums))])
    observed = sum(sums)
    beyond = {"two-sided": abs(every) >= abs(observed) - 1e-9, "greater": every >= observed - 1e-9, "less": every <= observed + 1e-9}
    assert found.exact
    assert found.draws == 2 ** len(sums)
    assert found.p_value == pytest.approx(beyond[alternative].mean())
    assert found.effect == pytest.approx(numbers.mean() - 0.5)


def test_five_clusters_never_reach_five_percent_and_six_do():
    five, six = (sign_flip_test(np.ones(n), np.arange(n), seed=0) for n in (5, 6))
    assert five.p_value == five.smallest_p_value == 2 / 32
    assert six.p_value == six.smallest_p_value == 2 / 64


def test_drawn_signs_come_near_the_enumeration():
    rng = np.random.default_rng(4)
    values, cluster = rng.standard_normal(60) + 0.25, rng.integers(0, 14, 60)
    exact = sign_flip_test(values, cluster, draws=2**14, seed=0)
    drawn = sign_flip_test(values, cluster, draws=9999, seed=0)
    assert exact.exact
    assert not drawn.exact
    assert drawn.p_value == pytest.approx(exact.p_value, abs=3 * np.sqrt(exact.p_value / 9999))
    assert drawn == sign_flip_test(values, cluster, draws=9999, seed=0)
    assert drawn.p_value != sign_flip_test(values, cluster, draws=9999, seed=1).p_value
    assert drawn.smallest_p_value == pytest.approx(2 / 2**14)


def test_what_no_draw_reaches_is_one_in_all():
    assert sign_flip_test(np.ones(20), np.arange(20), draws=99, seed=0).p_value == 0.01
    separate = np.arange(40) < 20
    assert label_permutation_test(separate, separate, np.zeros(40), draws=99, seed=0).p_value == 0.01


def test_whole_clusters_turn():
    """Twenty equal events of two days are two signs, not twenty."""
    found = sign_flip_test(np.ones(20), np.repeat([0, 1], 10), seed=0)
    assert found.p_value == 0.5
    assert found.n_groups == 2


@pytest.mark.parametrize(("alternative", "tail"), [("greater", "greater"), ("less", "less")])
def test_labels_of_one_stratum_are_fishers_exact_test(alternative, tail):
    touched = np.array([1] * 7 + [0] * 3 + [1] * 5 + [0] * 15)
    treated = np.array([True] * 10 + [False] * 20)
    exact = stats.fisher_exact([[7, 3], [5, 15]], alternative=tail).pvalue
    found = label_permutation_test(touched, treated, np.zeros(30), alternative=alternative, draws=19_999, seed=2)
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))
    assert found.effect == pytest.approx(0.7 - 0.25)


def test_labels_move_within_strata_only():
    """All arrangements of two small strata, one by one; the third has no treated event and is left out."""
    values = np.array([1.0, 4.0, 2.0, 8.0, 3.0, 5.0, 9.0, 100.0])
    treated = np.array([0, 1, 0, 1, 1, 0, 0, 0])
    strata = np.array(list("bbbaaaac"))
    own = {one: np.flatnonzero(strata == one) for one in "ab"}
    effects = []
    for first in combinations(own["a"], 2):
        for second in combinations(own["b"], 1):
            effect = weight = 0.0
            for chosen, members in ((first, own["a"]), (second, own["b"])):
                others = [one for one in members if one not in chosen]
                importance = len(chosen) * len(others) / len(members)
                effect += importance * (values[list(chosen)].mean() - values[others].mean())
                weight += importance
            effects.append(effect / weight)
    observed = (1.0 * ((8 + 3) / 2 - (5 + 9) / 2) + 2 / 3 * (4 - 1.5)) / (1 + 2 / 3)
    found = label_permutation_test(values, treated, strata, draws=9999, seed=5)
    assert found.effect == pytest.approx(observed)
    exact = np.mean(np.abs(effects) >= abs(observed) - 1e-12)
    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 9999))
    assert found.smallest_p_value == pytest.approx(1 / len(effects))
    assert (found.n_groups, found.n_events) == (2, 7)


def test_what_differs_between_strata_says_nothing():
    rng = np.random.default_rng(1)
    strata = np.repeat(np.arange(20), 10)
    treated = rng.random(200) < np.linspace(0.2, 0.8, 20)[strata]
    values = 100.0 * strata + rng.standard_normal(200)
    shifted = label_permutation_test(values, treated, strata, draws=999, seed=0)
    plain = label_permutation_test(values - 100.0 * strata, treated, strata, draws=999, seed=0)
    assert shifted.p_value == plain.p_value
    assert shifted.effect == pytest.approx(plain.effect)


def test_the_kernel_is_its_plain_twin_and_draws_without_return():
    rng = np.random.default_rng(0)
    pool, sizes, picks = rng.standard_normal(12), np.array([5, 4, 3]), np.array([2, 4, 1])
    uniform = rng.random((50, 7))
    uniform[0] = np.nextafter(1.0, 0.0)
    sums, plain = np.zeros(50), np.zeros(50)
    permutation._pick(pool.copy(), sizes, picks, uniform, sums)
    permutation._pick.py_func(pool.copy(), sizes, picks, uniform, plain)
    np.testing.assert_array_equal(sums, plain)
    possible = [pool[list(one)].sum() + pool[5:9].sum() + pool[other] for one in combinations(range(5), 2) for other in range(9, 12)]
    assert np.abs(sums[:, None] - np.array(possible)).min(axis=1).max() < 1e-12


def test_each_member_is_drawn_equally_often():
    uniform = np.random.default_rng(6).random((30_000, 2))
    for member in range(4):
        sums = np.zeros(30_000)
        permutation._pick(np.eye(4)[member].copy(), np.array([4]), np.array([2]), uniform, sums)
        assert sums.mean() == pytest.approx(0.5, abs=0.015)


def test_shifts_by_whole_days():
    assert whole_day_shifts(6, draws=99, seed=0).tolist() == [1, 2, 3, 4, 5]
    assert whole_day_shifts(10, draws=99, min_days=3, seed=0).tolist() == [3, 4, 5, 6, 7]
    some = whole_day_shifts(365, draws=50, min_days=7, seed=1)
    assert some.size == np.unique(some).size == 50
    assert some.min() >= 7
    assert some.max() <= 358
    assert (np.diff(some) > 0).all()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: permutation_p_value(1.0, [np.nan]), "null: nan"),
        (lambda: permutation_p_value(1.0, [0.0], alternative="both"), "alternative"),
        (lambda: sign_flip_test([1.0], [0, 1], seed=0), "cluster: shape"),
        (lambda: sign_flip_test(["a"], [0], seed=0), "values: must be numbers"),
        (lambda: sign_flip_test([1.0, 2.0], np.array([0, "b"], dtype=object), seed=0), "cluster: labels of different kinds"),
        (lambda: sign_flip_test([1.0] * 20, np.arange(20), draws=99, seed=-1), "seed: -1"),
        (lambda: sign_flip_test([1.0] * 20, np.arange(20), draws=np.nan, seed=1), "draws: nan"),
        (lambda: label_permutation_test([1.0, 2.0], [0, 1], [0, 1], seed=0), "strata: none holds"),
        (lambda: label_permutation_test([1.0, 2.0], [0, 1], [0, 0], draws=5, seed=0), "draws"),
        (lambda: whole_day_shifts(4, draws=9, min_days=3, seed=0), "n_days"),
    ],
)
def test_what_cannot_be_permuted_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

"""Splits of events: the counts of the book, each path once through everything, and exactly what overlaps left out."""

from math import comb

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from liqbt.errors import ConfigError
from liqbt.inference.splits import combinatorial_splits, walk_forward_splits


@st.composite
def spans(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    count = draw(st.integers(60, 120))
    start = rng.integers(0, draw(st.sampled_from([40, 1000])) * count, count)
    return start, start + rng.integers(0, draw(st.sampled_from([1, 30, 300])), count)


def overlaps(one, other, start, end):
    return (start[one][:, None] <= end[other]) & (end[one][:, None] >= start[other])


def test_ten_folds_of_which_two_are_tested():
    start = np.arange(100)
    found = combinatorial_splits(start, start, n_folds=10, n_test_folds=2)
    assert len(found.splits) == 45
    assert found.n_paths == 9
    assert {tuple(split.tests[0]) for split in found.splits} == {tuple(range(k, k + 10)) for k in range(0, 90, 10)}
    assert all(split.purged == 0 and split.train.size == 80 for split in found.splits)


@given(spans(), st.integers(3, 6), st.integers(2, 3), st.integers(0, 400))
def test_training_is_what_neither_overlaps_nor_is_under_embargo(span, n_folds, n_test_folds, embargo):
    start, end = span
    assume(n_test_folds < n_folds)
    try:
        found = combinatorial_splits(start, end, n_folds=n_folds, n_test_folds=n_test_folds, embargo=embargo)
    except ConfigError as error:
        assume("no training event" not in str(error))
        raise
    assert len(found.splits) == comb(n_folds, n_test_folds)
    assert found.n_paths == comb(n_folds, n_test_folds) * n_test_folds // n_folds
    everything = np.arange(start.size)
    for split in found.splits:
        rest = np.setdiff1d(everything, split.test)
        expected = ~overlaps(rest, split.test, start, end).any(axis=1)
        for test in split.tests:
            ends = end[test].max()
            later = start[rest] > ends
            expected &= ~(later & (start[rest] <= ends + embargo))
        np.testing.assert_array_equal(np.sort(split.train), rest[expected])
        assert split.purged == (~expected).sum()
        assert (np.diff(start[split.train]) >= 0).all()


@given(spans())
def test_every_path_tests_each_event_once_in_order(span):
    start, _ = span
    found = combinatorial_splits(start, start, n_folds=6, n_test_folds=2)
    for number in range(found.n_paths):
        parts = found.path(number)
        tested = np.concatenate([test for _, test in parts])
        np.testing.assert_array_equal(np.sort(tested), np.arange(start.size))
        for place, test in parts:
            assert any(test is one for one in found.splits[place].tests)


@given(spans(), st.integers(1, 30), st.integers(1, 50), st.booleans(), st.integers(0, 100))
def test_walk_forward_trains_on_the_past(span, test_size, train_size, expanding, embargo):
    start, end = span
    try:
        found = walk_forward_splits(start, end, test_size=test_size, train_size=train_size, expanding=expanding, embargo=embargo)
    except ConfigError as error:
        assume("no training event" not in str(error))
        raise
    order = np.lexsort((end, start))
    tested = np.concatenate([split.test for split in found.splits])
    np.testing.assert_array_equal(tested, order[train_size:])
    for number, split in enumerate(found.splits):
        first = train_size + number * test_size
        before = order[(0 if expanding else first - train_size) : first]
        np.testing.assert_array_equal(split.train, before[end[before] < start[split.test].min() - embargo])
        assert split.train.size + split.purged == before.size
    assert found.n_paths == 1
    assert len(found.path(0)) == len(found.splits)


def test_labels_that_touch_at_one_instant_overlap():
    start = np.arange(0, 90, 10)
    meets, apart = (combinatorial_splits(start, start + length, n_folds=3, n_test_folds=2) for length in (10, 9))
    assert [split.purged for split in apart.splits] == [0, 0, 0]
    assert [split.purged for split in meets.splits] == [1, 2, 1]


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: combinatorial_splits([0, 1], [1], n_folds=3), "start, end: shapes"),
        (lambda: combinatorial_splits([0.0, 1.0], [1.0, 2.0]), "start, end"),
        (lambda: combinatorial_splits([0, 5], [1, 4]), "end: 4 of event 1 is before its start"),
        (lambda: combinatorial_splits(np.arange(29), np.arange(29)), "n_folds"),
        (lambda: combinatorial_splits(np.arange(29), np.arange(29), n_folds=3, n_test_folds=3), "n_folds"),
        (lambda: combinatorial_splits(np.arange(30), np.arange(30), embargo=-1), "embargo"),
        (lambda: combinatorial_splits(np.arange(30), np.arange(30) + 40), "no training event"),
        (lambda: walk_forward_splits(np.arange(30), np.arange(30), test_size=1, train_size=30), "train_size"),
        (lambda: walk_forward_splits(np.arange(30), np.arange(30), test_size=0, train_size=3), "test_size"),
        (lambda: walk_forward_splits(np.arange(30), np.arange(30) + 9, test_size=5, train_size=5), "no training event"),
        (lambda: walk_forward_splits(np.arange(30), np.arange(30), test_size=5, train_size=5).path(1), "path"),
    ],
)
def test_what_cannot_be_split_is_refused(call, named):
    with pytest.raises(ConfigError, match=named):
        call()

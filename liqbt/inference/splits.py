"""Splits of events into training and test sets, such that no label of a test set overlaps one that was trained on.

The folds are skfolio's; what is left out of training is decided here, by the span of each event's label, for skfolio counts
observations and events are neither equally spaced nor equally long. López de Prado (2018), "Advances in Financial Machine
Learning", chapters 7 (purging, embargo) and 12 (combinatorial purged cross-validation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from liqbt._typing import IntArray1D
from liqbt.errors import ConfigError
from liqbt.inference._inputs import at_least

__all__ = ["Split", "Splits", "combinatorial_splits", "walk_forward_splits"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Split:
    """One way to divide the events: positions in the caller's order, increasing in time.

    train: shape (n_train,). tests: one array a test fold, in order of time. paths: shape (n_tests,), to which path each belongs.
    purged: how many events are in neither, for their labels overlap a test or follow it within the embargo.
    """

    train: IntArray1D
    tests: tuple[IntArray1D, ...]
    paths: IntArray1D
    purged: int

    @property
    def test(self) -> IntArray1D:
        """All test events of the split, in order of time."""
        return np.concatenate(self.tests)


@dataclass(frozen=True, kw_only=True, eq=False)
class Splits:
    """Splits of one sample; `n_paths` is how many times every event is tested (once in walk-forward, after the first folds)."""

    splits: tuple[Split, ...]
    n_paths: int

    def path(self, number: int) -> tuple[tuple[int, IntArray1D], ...]:
        """Return (split, test positions) of one path in order of time; each event occurs once.

        Raises ConfigError for a number outside 0 to n_paths - 1.
        """
        if not 0 <= number < self.n_paths:
            raise ConfigError(f"path: {number!r} must be a number from 0 to {self.n_paths - 1}")
        return tuple(
            (place, test)
            for place, split in enumerate(self.splits)
            for test, path in zip(split.tests, split.paths, strict=True)
            if path == number
        )


def combinatorial_splits(start: Any, end: Any, *, n_folds: int = 10, n_test_folds: int = 2, embargo: int = 0) -> Splits:
    """Return all ways to test on `n_test_folds` of `n_folds` folds in time; 10 and 2 give 45 splits and 9 paths.

    start, end: shape (n_events,), whole numbers in one unit (UTC nanoseconds, bars): what an event's features and label take in,
    both ends included. embargo: in the same unit; events that start within it after the end of a test fold's last label are not
    trained on. Folds are skfolio's `CombinatorialPurgedCV`: equally many events each, the last one takes the rest.

    Training before and after the test sets is used, so a path is no history that somebody could have lived through.
    Raises ConfigError for spans that end before they start, too few events or folds, and where no training event is left.
    """
    from skfolio.model_selection import CombinatorialPurgedCV

    spans = _spans(start, end, embargo)
    n_events = spans[0].size
    if at_least("n_folds", n_folds, 3) <= at_least("n_test_folds", n_test_folds, 2) or n_events < 3 * n_folds:
        raise ConfigError(f"n_folds: {n_folds} needs more than {n_test_folds} test folds and 3 events each, of which there are {n_events}")
    folds = CombinatorialPurgedCV(n_folds=n_folds, n_test_folds=n_test_folds)
    paths = folds.get_path_ids()
    splits = [
        _split(train, tests, paths[place], spans, gap_after=embargo)
        for place, (train, tests) in enumerate(folds.split(np.empty((n_events, 1))))
    ]
    return Splits(splits=tuple(splits), n_paths=int(folds.n_test_paths))


def walk_forward_splits(start: Any, end: Any, *, test_size: int, train_size: int, expanding: bool = True, embargo: int = 0) -> Splits:
    """Return splits that train on the past only: each test follows the training events, and the next test follows it.

    start, end, embargo: as in `combinatorial_splits`; here the embargo lies before the test: a training label ends more than
    `embargo` before the first test event starts. test_size, train_size: in events, before purging; `expanding` keeps all events
    since the first. skfolio's `WalkForward`; the last test may be shorter.

    Raises ConfigError as `combinatorial_splits` does.
    """
    from skfolio.model_selection import WalkForward

    spans = _spans(start, end, embargo)
    n_events = spans[0].size
    at_least("test_size", test_size, 1)
    if at_least("train_size", train_size, 1) >= n_events:
        raise ConfigError(f"train_size: {train_size} leaves nothing to test of {n_events} events")
    folds = WalkForward(test_size=test_size, train_size=train_size, expand_train=expanding, reduce_test=True)
    splits = [
        _split(train, [test], np.zeros(1, dtype=np.int64), spans, gap_before=embargo)
        for train, test in folds.split(np.empty((n_events, 1)))
    ]
    return Splits(splits=tuple(splits), n_paths=1)


def _spans(start: Any, end: Any, embargo: int) -> tuple[IntArray1D, IntArray1D, IntArray1D]:
    """Return starts and ends in order of time, and that order."""
    first, last = np.asarray(start), np.asarray(end)
    if first.ndim != 1 or first.shape != last.shape or first.dtype.kind not in "iu" or last.dtype.kind not in "iu":
        raise ConfigError(
            f"start, end: shapes {first.shape} and {last.shape} must be two equal rows of whole numbers, such as UTC nanoseconds"
        )
    backwards = np.flatnonzero(last < first)
    if backwards.size:
        raise ConfigError(f"end: {last[backwards[0]]} of event {backwards[0]} is before its start, {first[backwards[0]]}")
    at_least("embargo", embargo, 0)
    order = np.lexsort((last, first))
    return first[order].astype(np.int64), last[order].astype(np.int64), order.astype(np.int64)


def _split(
    train: IntArray1D,
    tests: list[IntArray1D],
    paths: IntArray1D,
    spans: tuple[IntArray1D, IntArray1D, IntArray1D],
    *,
    gap_before: int = 0,
    gap_after: int = 0,
) -> Split:
    first, last, order = spans
    keep = np.ones(train.size, dtype=np.bool_)
    for test in tests:
        # events are in order of start: whatever lies between the first start and the last end of a fold overlaps one of its labels
        begins, ends = first[test[0]], last[test].max()
        keep &= np.where(train < test[0], last[train] < begins - gap_before, first[train] > ends + gap_after)
    if not keep.any():
        raise ConfigError("embargo: it and the labels' spans leave no training event; take fewer folds, shorter labels or more events")
    return Split(
        train=order[train[keep]],
        tests=tuple(order[test] for test in tests),
        paths=np.asarray(paths, dtype=np.int64),
        purged=int(np.count_nonzero(~keep)),
    )

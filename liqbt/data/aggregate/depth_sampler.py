"""Depth at a cadence from order-book updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from liqbt._time import format_ns
from liqbt._typing import BoolArray1D, Float64Array1D, IntArray1D
from liqbt.data.aggregate._book_kernels import CROSSED, EMPTY, GROW, KEPT, apply_updates, sample
from liqbt.data.aggregate.depth import DISTANCES, checked_distances, depth_frame
from liqbt.errors import ConfigError, DataError

__all__ = ["Coverage", "DepthSampler"]

Coverage = Literal["snapshot", "book"]

_SAMPLES: Final = 4_096  # that one call of the kernel may write
_LEVELS: Final = 4_096  # a side, to begin with


class DepthSampler:
    """An order book that is fed with updates, chunk by chunk, and gives its depth every `every_ns`.

    Where the chunks are cut changes nothing, not a bit: sums run over the levels from the best outwards, whatever the order
    in which they came. The first of a run of snapshot rows empties the book, and so does a snapshot row that became
    known at another instant than the one before it; an amount of 0 deletes a level.

    A sample is taken of the book as known at a whole multiple of `every_ns` since the epoch, all updates of that very instant
    included; its `available_at` is that instant, its `timestamp` the exchange time of the newest update in it. While nothing
    comes, nothing is sampled: after an outage there is a gap, not an old book with a new stamp.

    every_ns: nanoseconds between samples. distances: as in `depth_from_levels`.
    coverage: how deep the book is known. `snapshot`: as deep as both its last snapshot and its deepest level, the safe choice: a
    level that was beyond the snapshot and has not changed since is missing. `book`: as deep as its deepest level, for feeds that
    send a whole book or keep a window of the best levels up to date (Bybit, OKX). Distances beyond are left out.

    Raises ConfigError for a cadence that is not positive, bad distances, or an unknown coverage.
    """

    def __init__(self, *, every_ns: int, distances: Sequence[float] = DISTANCES, coverage: Coverage = "snapshot") -> None:
        if not every_ns > 0:
            raise ConfigError(f"every_ns: {every_ns!r} must be above 0, such as 1_000_000_000 for a second")
        if coverage not in get_args(Coverage):
            raise ConfigError(f"coverage: {coverage!r} is unknown; choose one of {', '.join(get_args(Coverage))}")
        self._every, self._trust = int(every_ns), coverage == "book"
        self._distances = checked_distances(distances)
        lowest = np.iinfo(np.int64).min
        self._clocks = np.array([lowest, lowest, lowest, 0], dtype=np.int64)
        self._key, self._amount = np.empty((2, _LEVELS)), np.empty((2, _LEVELS))
        self._count, self._edge = np.zeros(2, dtype=np.int64), np.full(2, np.inf)
        self._counts = np.zeros(3, dtype=np.int64)
        self._seen = 0

    @property
    def skipped(self) -> int:
        """Updates that came before the first snapshot."""
        return int(self._counts[0])

    @property
    def empty(self) -> int:
        """Samples that were left out because a side of the book had no levels."""
        return int(self._counts[EMPTY])

    @property
    def crossed(self) -> int:
        """Samples that were left out because the best bid was not below the best ask."""
        return int(self._counts[CROSSED])

    def add(
        self,
        timestamp: IntArray1D,
        is_snapshot: BoolArray1D,
        is_bid: BoolArray1D,
        price: Float64Array1D,
        amount: Float64Array1D,
        *,
        available_at: IntArray1D | None = None,
    ) -> pl.DataFrame:
        """Take the next updates and return the samples that they completed, as canonical table `depth`.

        All arrays of shape (n,). timestamp, available_at: UTC nanoseconds; `available_at`, or `timestamp` where it is None, must
        never run backwards. price: quote. amount: base, what the level now holds.

        Raises DataError naming the row where one is no update, or earlier than the one before it; the sampler is then spent.
        """
        stamps = np.ascontiguousarray(timestamp, dtype=np.int64)
        known = stamps if available_at is None else np.ascontiguousarray(available_at, dtype=np.int64)
        snapshot, bid = (np.ascontiguousarray(one, dtype=np.bool_) for one in (is_snapshot, is_bid))
        prices, sizes = (np.ascontiguousarray(one, dtype=np.float64) for one in (price, amount))
        lengths = {one.size for one in (stamps, known, snapshot, bid, prices, sizes)}
        if len(lengths) > 1:
            raise DataError(f"depth: columns of {sorted(lengths)} rows; give as many of each")
        self._check(known, prices, sizes)
        pieces, reached = [], 0
        while reached < stamps.size:
            clocks = np.empty((_SAMPLES, 2), dtype=np.int64)
            amounts, notionals = (np.empty((_SAMPLES, 2, self._distances.size)) for _ in range(2))
            reached, rows, reason = apply_updates(
                reached, stamps, known, snapshot, bid, prices, sizes, self._every, self._trust, self._distances,
                self._clocks, self._key, self._amount, self._count, self._edge, self._counts, clocks, amounts, notionals,
            )  # fmt: skip
            pieces.append(depth_frame(clocks[:rows, 0], clocks[:rows, 1], self._distances, amounts[:rows], notionals[:rows]))
            if reason == GROW:
                self._key, self._amount = (np.concatenate([one, np.empty_like(one)], axis=1) for one in (self._key, self._amount))
        self._seen += stamps.size
        return pl.concat(pieces) if pieces else self._nothing()

    def finish(self) -> pl.DataFrame:
        """Return the book after the last update, stamped by that update and not by the cadence: what came after it is not known.

        Nothing where no snapshot came. Call it once, at the end.
        """
        clock, newest, phase = (int(value) for value in self._clocks[1:])
        if phase == 0:
            return self._nothing()
        amounts, notionals = (np.empty((1, 2, self._distances.size)) for _ in range(2))
        status = sample(self._key, self._amount, self._count, self._edge, self._trust, self._distances, amounts[0], notionals[0])
        if status != KEPT:
            self._counts[status] += 1
            return self._nothing()
        return depth_frame(np.array([min(newest, clock)]), np.array([clock]), self._distances, amounts, notionals)

    def _check(self, known: IntArray1D, price: Float64Array1D, amount: Float64Array1D) -> None:
        if not known.size:
            return
        last = self._clocks[1] if self._seen else known[0]
        rules = (
            (np.diff(known, prepend=last) >= 0, "is earlier than the one before it; sort by available_at"),
            ((price > 0) & (price < np.inf), "has a price that is not finite and above 0; check the columns"),
            ((amount >= 0) & (amount < np.inf), "has an amount that is not finite and at least 0; check the columns"),
        )
        for good, what in rules:
            if not good.all():
                row = int((~good).argmax())
                raise DataError(f"depth: update {self._seen + row + 1} ({format_ns(known[row])}) {what}")

    def _nothing(self) -> pl.DataFrame:
        none = np.empty((0, 2, self._distances.size))
        return depth_frame(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), self._distances, none, none)

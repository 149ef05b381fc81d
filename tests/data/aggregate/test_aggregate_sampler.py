"""Depth at a cadence from order-book updates."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_trades import reference_samples

from liqbt.data.aggregate import DISTANCES, DepthSampler, depth_from_levels
from liqbt.data.validation import canonical
from liqbt.errors import ConfigError, DataError

NAMES = ("timestamp", "available_at", "is_snapshot", "is_bid", "price", "amount")
DTYPES = (np.int64, np.int64, np.bool_, np.bool_, np.float64, np.float64)
WIDE = (0.001, 0.01, 0.02)


def feed(sampler, updates):
    """Add updates given as (timestamp, available, snapshot, bid, price, amount)."""
    columns = list(zip(*updates, strict=True)) if updates else [()] * len(NAMES)
    arrays = {name: np.array(column, dtype=dtype) for name, column, dtype in zip(NAMES, columns, DTYPES, strict=True)}
    return sampler.add(**arrays)


def sampled(updates, *, every=10, distances=WIDE, **more):
    sampler = DepthSampler(every_ns=every, distances=distances, **more)
    return pl.concat([feed(sampler, updates), sampler.finish()]), sampler


def as_rows(depth):
    columns = (pl.col("timestamp", "available_at").to_physical(), pl.col("side").cast(pl.String), "distance", "amount", "notional")
    return depth.select(*columns).rows()


def book(at, *, snapshot=True, known=None):
    """Two levels a side around 100: bids 99.9 and 98, asks 100.1 and 102."""
    clocks = (at, at if known is None else known)
    levels = ((True, 99.9, 1), (True, 98, 2), (False, 100.1, 4), (False, 102, 8))
    return [(*clocks, snapshot, bid, float(price), float(amount)) for bid, price, amount in levels]


def amounts(depth, side="bid"):
    """Amounts at the distance 0.01 by instant."""
    rows = [row for row in as_rows(depth) if row[2] == side and row[3] == 0.01]
    return {row[1]: row[4] for row in rows}


def test_by_hand():
    updates = [
        *book(3),
        (10, 10, False, True, 99.5, 16.0),  # at the instant of the first sample, so in it
        (11, 11, False, True, 99.9, 0.0),
        (12, 12, False, True, 99.9, 32.0),
        (13, 13, False, False, 100.1, 64.0),
        (47, 47, False, True, 99.5, 0.0),  # nothing came from 20 to 47: one sample at 20, then silence
    ]
    depth, sampler = sampled(updates)
    assert as_rows(depth) == [
        (10, 10, "bid", 0.001, 1, 99.9),
        (10, 10, "bid", 0.01, 17, 99.9 + 16 * 99.5),
        (10, 10, "bid", 0.02, 19, 99.9 + 16 * 99.5 + 196),
        (10, 10, "ask", 0.001, 4, 4 * 100.1),
        (10, 10, "ask", 0.01, 4, 4 * 100.1),
        (10, 10, "ask", 0.02, 12, 4 * 100.1 + 816),
        (13, 20, "bid", 0.001, 32, 32 * 99.9),
        (13, 20, "bid", 0.01, 48, 32 * 99.9 + 16 * 99.5),
        (13, 20, "bid", 0.02, 50, 32 * 99.9 + 16 * 99.5 + 196),
        (13, 20, "ask", 0.001, 64, 64 * 100.1),
        (13, 20, "ask", 0.01, 64, 64 * 100.1),
        (13, 20, "ask", 0.02, 72, 64 * 100.1 + 816),
        (47, 47, "bid", 0.001, 32, 32 * 99.9),  # the last state, by its own stamp
        (47, 47, "bid", 0.01, 32, 32 * 99.9),
        (47, 47, "bid", 0.02, 34, 32 * 99.9 + 196),
        (47, 47, "ask", 0.001, 64, 64 * 100.1),
        (47, 47, "ask", 0.01, 64, 64 * 100.1),
        (47, 47, "ask", 0.02, 72, 64 * 100.1 + 816),
    ]
    assert (sampler.skipped, sampler.empty, sampler.crossed) == (0, 0, 0)
    assert canonical(depth, "depth", source="depth").equals(depth)


def test_updates_before_the_first_snapshot_are_counted_and_skipped():
    early = [(1, 1, False, True, 99.9, 5.0), (2, 2, False, False, 100.1, 5.0)]
    depth, sampler = sampled([*early, *book(13), (25, 25, False, True, 97.0, 1.0)])
    assert sampler.skipped == 2
    assert amounts(depth) == {20: 1, 25: 1}
    nothing, bare = sampled(early)
    assert (nothing.height, bare.skipped) == (0, 2)


def test_a_snapshot_forgets_the_book_before_it():
    new = [(21, 21, True, True, 99.8, 7.0), (21, 21, True, True, 90.0, 1.0), (21, 21, True, False, 100.2, 7.0)]
    depth, _ = sampled([*book(1), (15, 15, False, True, 99.5, 3.0), *new])
    assert amounts(depth) == {10: 1, 20: 4, 21: 7}


def test_a_snapshot_right_after_a_snapshot_forgets_it_too():
    depth, _ = sampled([*book(1), (11, 11, True, True, 99.8, 7.0), (11, 11, True, True, 90.0, 1.0), (11, 11, True, False, 100.2, 7.0)])
    assert amounts(depth) == {10: 1, 11: 7}


def test_what_lay_beyond_the_snapshot_is_not_known():
    deep = (2, 2, False, True, 90.0, 5.0)  # an update far beyond the snapshot tells nothing of what lies between
    distances = (0.001, 0.01, 0.02, 0.05, 0.1)
    safe, _ = sampled([*book(1), deep], distances=distances)
    assert [row[3] for row in as_rows(safe) if row[2] == "bid"] == [0.001, 0.01, 0.02]
    trusting, _ = sampled([*book(1), deep], distances=distances, coverage="book")
    assert [(row[3], row[4]) for row in as_rows(trusting) if row[2] == "bid"] == [(0.001, 1), (0.01, 1), (0.02, 3), (0.05, 3), (0.1, 8)]


def test_a_window_that_moved_up_does_not_know_what_fell_out_of_it():
    left = [(2, 2, False, True, 98.0, 0.0), (2, 2, False, True, 99.5, 1.0)]
    for coverage in ("snapshot", "book"):
        depth, _ = sampled([*book(1), *left], coverage=coverage)
        assert [row[3] for row in as_rows(depth) if row[2] == "bid"] == [0.001]


def test_price_beyond_the_snapshot_leaves_nothing_known():
    rise = [
        *((2, 2, False, False, price, 0.0) for price in (100.1, 102.0)),
        (2, 2, False, False, 103.0, 1.0),
        (2, 2, False, True, 102.9, 1.0),
    ]
    depth, _ = sampled([*book(1), *rise, (2, 2, False, False, 109.0, 1.0)])
    assert {row[2] for row in as_rows(depth)} == {"bid"}
    trusting, _ = sampled([*book(1), *rise, (2, 2, False, False, 109.0, 1.0)], coverage="book")
    assert amounts(trusting, "ask") == {2: 1}


def test_a_side_that_no_snapshot_told():
    one_sided = [update for update in book(1) if update[3]]
    depth, _ = sampled([*one_sided, (2, 2, False, False, 100.1, 4.0), (2, 2, False, False, 105.0, 4.0)])
    assert {row[2] for row in as_rows(depth)} == {"bid"}


def test_empty_and_crossed_books_are_counted_and_left_out():
    crossing = (11, 11, False, True, 100.5, 1.0)
    emptied = [(21, 21, False, False, price, 0.0) for price in (100.1, 102.0)]
    depth, sampler = sampled([*book(1), crossing, *emptied, (31, 31, True, True, 99.0, 1.0)])
    assert set(amounts(depth)) == {10}
    assert (sampler.crossed, sampler.empty) == (1, 2)


def test_a_locked_book_is_crossed():
    depth, sampler = sampled([*book(1), (2, 2, False, True, 100.1, 1.0)])
    assert (depth.height, sampler.crossed) == (0, 1)


def test_time_runs_forwards_across_chunks():
    sampler = DepthSampler(every_ns=10)
    feed(sampler, book(12))
    with pytest.raises(DataError, match=r"depth: update 5 \(1970-01-01 00:00:00\) is earlier than the one before it"):
        feed(sampler, [(11, 11, False, True, 99.0, 1.0)])
    early = DepthSampler(every_ns=10)
    feed(early, [(9, 9, False, True, 99.0, 1.0)])  # also before the first snapshot
    with pytest.raises(DataError, match=r"depth: update 2 "):
        feed(early, book(8))


def test_samples_follow_the_clock_of_whoever_watches():
    updates = [*book(5, known=9), (8, 21, False, True, 99.5, 3.0), (7, 22, False, True, 99.6, 1.0), (29, 33, False, True, 99.7, 1.0)]
    depth, _ = sampled(updates)
    assert {row[:2] for row in as_rows(depth)} == {(5, 10), (8, 30), (29, 33)}
    assert amounts(depth) == {10: 1, 30: 5, 33: 6}


def test_an_exchange_clock_that_runs_ahead():
    depth, _ = sampled([*book(25, known=4), (26, 12, False, True, 99.5, 3.0)])
    assert {row[:2] for row in as_rows(depth)} == {(10, 10), (12, 12)}
    canonical(depth, "depth", source="depth")


def test_snapshots_alone_are_reduced_as_levels_are():
    rng = np.random.default_rng(3)
    count, deep = 40, 20
    at = 10 * np.arange(1, count + 1)
    mid = 100 + np.cumsum(rng.normal(0, 0.1, count))[:, None]
    away = np.cumsum(rng.uniform(0.01, 0.3, (2, count, deep)), axis=2)
    prices = {"bid": mid - away[0], "ask": mid + away[1]}
    sizes = {side: rng.uniform(0.1, 5, (count, deep)) for side in prices}
    updates = [
        (int(at[row]), int(at[row]), True, side == "bid", prices[side][row, k], sizes[side][row, k])
        for row in range(count)
        for side in prices
        for k in rng.permutation(deep)
    ]
    depth, _ = sampled(updates, distances=DISTANCES)
    tables = {f"{side}_{name}": table[side] for name, table in (("price", prices), ("amount", sizes)) for side in prices}
    assert depth.equals(depth_from_levels(at, **tables).rows)


def test_books_of_any_size():
    """More levels than the sampler begins with, more samples than one call of the kernel writes."""
    side = np.arange(6000)
    updates = [(1, 1, True, True, 100 - 0.001 * (k + 1), 1.0) for k in side] + [
        (1, 1, True, False, 100 + 0.001 * (k + 1), 2.0) for k in side
    ]
    updates += [(at, at, False, True, 99.999, float(at % 7 + 1)) for at in range(5, 50_000, 10)]
    depth, _ = sampled(updates, distances=(0.01, 0.05))
    found = depth.filter(pl.col("side") == "bid", pl.col("distance") == 0.01)
    assert found["amount"].to_list() == [999 + (at % 7 + 1) for at in range(5, 50_000, 10)]


@st.composite
def streams(draw):
    """Updates on few prices, so that levels are set, changed and deleted again; some clocks lag, some books are crossed."""
    count = draw(st.integers(1, 40))
    updates, now = [], 0
    for _ in range(count):
        now += draw(st.sampled_from([0, 0, 0, 1, 4, 25]))
        snapshot = draw(st.sampled_from([False, False, False, True]))
        bid = draw(st.booleans())
        away = draw(st.integers(0, 30))
        price = round(100 - 0.1 * away if bid else 100.2 + 0.1 * away - draw(st.sampled_from([0, 0, 0, 0.4])), 1)
        amount = draw(st.sampled_from([0.0, 0.1, 0.2, 0.7, 5.0]))
        updates.append((max(0, now - draw(st.integers(0, 3))), now, snapshot, bid, price, amount))
    return updates


@settings(max_examples=100, deadline=None)
@given(updates=streams(), every=st.sampled_from([1, 3, 10]), coverage=st.sampled_from(["snapshot", "book"]))
def test_equals_the_oracle(updates, every, coverage):
    distances = (0.001, 0.002, 0.005, 0.01, 0.02)
    depth, sampler = sampled(updates, every=every, distances=distances, coverage=coverage)
    rows, counts = reference_samples(updates, every, distances, coverage=coverage)
    assert as_rows(depth) == rows
    assert {"skipped": sampler.skipped, "empty": sampler.empty, "crossed": sampler.crossed} == counts


@settings(max_examples=100, deadline=None)
@given(updates=streams(), cuts=st.lists(st.integers(0, 40), max_size=6))
def test_chunks_give_the_same_bits_as_the_whole(updates, cuts):
    whole, one = sampled(updates)
    sampler = DepthSampler(every_ns=10, distances=WIDE)
    edges = [0, *sorted(min(cut, len(updates)) for cut in cuts), len(updates)]
    pieces = [feed(sampler, updates[first:stop]) for first, stop in itertools.pairwise(edges)]
    assert pl.concat([*pieces, sampler.finish()]).equals(whole)
    assert (sampler.skipped, sampler.empty, sampler.crossed) == (one.skipped, one.empty, one.crossed)


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (
            (9, 9, False, True, 99.0, 1.0),
            r"depth: update 6 \(1970-01-01 00:00:00\) is earlier than the one before it; sort by available_at",
        ),
        ((20, 20, False, True, 0.0, 1.0), r"depth: update 6 .* has a price that is not finite and above 0"),
        ((20, 20, False, True, float("nan"), 1.0), r"depth: update 6 .* has a price"),
        ((20, 20, False, True, 99.0, -1.0), r"depth: update 6 .* has an amount that is not finite and at least 0"),
        ((20, 20, False, True, 99.0, float("inf")), r"depth: update 6 .* has an amount"),
    ],
)
def test_an_update_that_is_none(update, message):
    sampler = DepthSampler(every_ns=10)
    feed(sampler, book(12))
    with pytest.raises(DataError, match=message):
        feed(sampler, [(13, 13, False, True, 99.0, 1.0), update])


def test_columns_of_different_length():
    with pytest.raises(DataError, match=r"depth: columns of \[1, 2\] rows"):
        DepthSampler(every_ns=10).add(np.zeros(2), np.ones(1), np.ones(2), np.ones(2), np.ones(2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every_ns": 0}, r"every_ns: 0 must be above 0"),
        ({"every_ns": 1, "coverage": "all"}, r"coverage: 'all' is unknown; choose one of snapshot, book"),
        ({"every_ns": 1, "distances": (2.0,)}, r"distances: \(2.0,\) must ascend"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(ConfigError, match=message):
        DepthSampler(**arguments)

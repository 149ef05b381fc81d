"""Order-book snapshots as cumulative depth by distance."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_trades import reference_reduction

from liqbt.data.aggregate import DISTANCES, depth_from_levels
from liqbt.data.validation import canonical
from liqbt.errors import ConfigError, DataError

NAN = float("nan")
SECOND = 1_000_000_000


def levels(*books):
    """Padded arrays from books of (bids, asks), each a list of (price, amount), best first."""
    columns = {}
    deepest = max(len(side) for book in books for side in book)
    for side, name in enumerate(("bid", "ask")):
        for place, value in enumerate(("price", "amount")):
            table = np.full((len(books), deepest), NAN)
            for row, book in enumerate(books):
                table[row, : len(book[side])] = [level[place] for level in book[side]]
            columns[f"{name}_{value}"] = table
    return columns


def stamps(count):
    return SECOND * np.arange(1, count + 1)


BOOK = ([(99.9, 1), (99.5, 2), (99, 4)], [(100.1, 8), (100.4, 16), (102, 32)])  # mid 100


def reduced(*books, distances=DISTANCES, **more):
    return depth_from_levels(stamps(len(books)), **levels(*books), distances=distances, **more)


def test_by_hand():
    depth = reduced(BOOK, distances=(0.0005, 0.001, 0.005, 0.01, 0.02, 0.03))
    assert depth.rows.select("side", "distance", "amount", "notional").rows() == [
        ("bid", 0.0005, 0, 0),  # the best bid lies at 0.001: nothing nearer, and that is known
        ("bid", 0.001, 1, 99.9),
        ("bid", 0.005, 3, 99.9 + 199),
        ("bid", 0.01, 7, 99.9 + 199 + 396),  # 0.02 is beyond the deepest bid
        ("ask", 0.0005, 0, 0),
        ("ask", 0.001, 8, 800.8),
        ("ask", 0.005, 24, 800.8 + 1606.4),
        ("ask", 0.01, 24, 800.8 + 1606.4),
        ("ask", 0.02, 56, 800.8 + 1606.4 + 3264),
    ]
    assert (depth.empty, depth.crossed) == (0, 0)


def test_the_result_is_the_canonical_table():
    depth = reduced(BOOK, BOOK, available_at=stamps(2) + 7)
    assert canonical(depth.rows, "depth", source="depth").equals(depth.rows)
    assert depth.rows["timestamp"].to_physical().unique(maintain_order=True).to_list() == [SECOND, 2 * SECOND]
    assert (depth.rows["available_at"].to_physical() - depth.rows["timestamp"].to_physical()).unique().to_list() == [7]


def test_distances_are_those_of_the_venues():
    assert [round(1e4 * one) for one in DISTANCES] == [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500]


def test_empty_and_crossed_books_are_counted_and_left_out():
    bids, asks = BOOK
    depth = reduced(([], asks), BOOK, (bids, []), ([(100.1, 1)], [(100.1, 1)]), ([(101, 1)], [(100, 1)]), ([], []))
    assert (depth.empty, depth.crossed) == (3, 2)
    assert set(depth.rows["timestamp"].to_physical()) == {2 * SECOND}


def test_padding_is_no_level():
    plain = levels(BOOK)
    padded = {name: np.hstack([table, np.full((1, 2), fill)]) for (name, table), fill in zip(plain.items(), (0, 1, NAN, NAN), strict=True)}
    padded = {name: np.insert(table, 1, 0.0 if name.endswith("amount") else 50.0, axis=1) for name, table in padded.items()}
    assert depth_from_levels(stamps(1), **padded).rows.equals(depth_from_levels(stamps(1), **plain).rows)


def test_lists_are_levels_too():
    books = (BOOK, ([(99, 1)], []), BOOK)
    lists = {
        name: pl.Series([[value for value in row if not math.isnan(value)] or None for row in table.tolist()], dtype=pl.List(pl.Float64))
        for name, table in levels(*books).items()
    }
    made = depth_from_levels(stamps(3), **lists)
    assert made.rows.equals(reduced(*books).rows)
    assert made.rows.height > 10
    assert made.empty == 1


def test_no_snapshots():
    nothing = np.empty((0, 3))
    depth = depth_from_levels(stamps(0), bid_price=nothing, bid_amount=nothing, ask_price=nothing, ask_amount=nothing)
    assert depth.rows.height == 0
    assert depth.rows.columns == ["timestamp", "available_at", "side", "distance", "amount", "notional"]


@pytest.mark.parametrize(
    ("books", "message"),
    [
        ([BOOK, ([(99, 1), (99.5, 1)], BOOK[1])], r"snapshot 2 \(1970-01-01 00:00:02\) has levels that do not run from the best outwards"),
        ([(BOOK[0], [(101, 1), (101, 1)])], r"snapshot 1 .* has levels that do not run"),
        ([([(99, -1)], BOOK[1])], r"snapshot 1 .* has a negative or infinite level"),
        ([(BOOK[0], [(101, 1), (float("inf"), 1)])], r"snapshot 1 .* has a negative or infinite level"),
    ],
)
def test_levels_that_are_none(books, message):
    with pytest.raises(DataError, match=message):
        reduced(*books)


def test_shapes_that_do_not_fit():
    tables = levels(BOOK, BOOK)
    with pytest.raises(DataError, match=r"ask_price and ask_amount do not have the same levels for 2 snapshots"):
        depth_from_levels(stamps(2), **tables | {"ask_amount": tables["ask_amount"][:, :2]})
    with pytest.raises(DataError, match=r"bid_price and bid_amount do not have the same levels for 3 snapshots"):
        depth_from_levels(stamps(3), **tables)
    with pytest.raises(DataError, match=r"levels have shape \(3,\)"):
        depth_from_levels(stamps(1), **tables | {"bid_price": np.ones(3)})
    with pytest.raises(DataError, match=r"2 timestamps and 1 available_at"):
        depth_from_levels(stamps(2), **tables, available_at=stamps(1))
    with pytest.raises(DataError, match=r"snapshot 2 \(1970-01-01 00:00:01\) is earlier than the one before it"):
        depth_from_levels(stamps(2)[::-1], **tables)


@pytest.mark.parametrize("distances", [(), (0.01, 0.01), (0.02, 0.01), (0.0, 0.01), (0.5, 1.0), (NAN,)])
def test_bad_distances(distances):
    with pytest.raises(ConfigError, match=r"distances: .* must ascend, above 0 and below 1"):
        reduced(BOOK, distances=distances)


sides = st.dictionaries(st.integers(1, 400), st.sampled_from([0.1, 0.2, 0.7, 3.0]), max_size=12)


@settings(max_examples=100, deadline=None)
@given(books=st.lists(st.tuples(sides, sides, st.integers(-3, 60)), min_size=1, max_size=5))
def test_equals_the_oracle(books):
    made = []
    for bids, asks, gap in books:
        below = {round(100 - 0.01 * tick, 2): amount for tick, amount in bids.items()}
        above = {round(100 + 0.01 * (gap + tick), 2): amount for tick, amount in asks.items()}
        made.append((below, above))
    depth = reduced(*[(sorted(below.items(), reverse=True), sorted(above.items())) for below, above in made])
    expected = [reference_reduction(below, above, DISTANCES) for below, above in made]
    assert (depth.empty, depth.crossed) == (expected.count("empty"), expected.count("crossed"))
    rows = [
        (SECOND * row, side, distance, *sums)
        for row, found in enumerate(expected, start=1)
        if not isinstance(found, str)
        for (side, distance), sums in found.items()
    ]
    found = depth.rows.select(pl.col("timestamp").to_physical(), pl.col("side").cast(pl.String), "distance", "amount", "notional").rows()
    assert found == rows

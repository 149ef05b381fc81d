"""Trades for tests, by hand and random."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import polars as pl
from hypothesis import strategies as st

from liqbt.data.validation import CLOCK

NS = 1_000_000_000
START = datetime(2024, 1, 1, tzinfo=UTC)
START_NS = int(START.timestamp()) * NS


def trades_of(*rows, known=None, start=START):
    """Canonical trades from (seconds after `start`, price, amount, side); known: seconds after `start` when each became known."""
    zero = int(start.timestamp()) * NS
    stamps = [zero + round(row[0] * NS) for row in rows]
    available = stamps if known is None else [zero + round(one * NS) for one in known]
    return pl.DataFrame(
        {
            "timestamp": pl.Series(stamps).cast(CLOCK),
            "available_at": pl.Series(available).cast(CLOCK),
            "price": pl.Series([row[1] for row in rows], dtype=pl.Float64),
            "amount": pl.Series([row[2] for row in rows], dtype=pl.Float64),
            "side": [row[3] for row in rows],
        }
    )


def as_tuples(trades):
    """Trades as (timestamp, available, price, amount, whether the taker bought)."""
    rows = trades.with_columns(pl.col("timestamp", "available_at").to_physical()).select(
        "timestamp", "available_at", "price", "amount", "side"
    )
    return [(*row[:4], row[4] == "buy") for row in rows.rows()]


def cut_at(frame, places):
    """The frame in pieces, cut before the rows `places`; some pieces may be empty."""
    edges = [0, *sorted(min(place, frame.height) for place in places), frame.height]
    return [frame[first:stop] for first, stop in itertools.pairwise(edges)]


@st.composite
def random_trades(draw, *, delays=(0, 0, 0.1, 5, 40), amounts=(0.0, 0.1, 0.2, 0.7, 3.3, 1e9)):
    """Up to 60 trades, many at one instant or one price, some after a long silence, some known late; `delays` in seconds."""
    steps = draw(st.lists(st.sampled_from([0, 0, 1, 300, 999, 60_000, 400_000]), min_size=1, max_size=60))  # ms
    stamps, now = [], draw(st.integers(0, 120_000))
    for step in steps:
        now += step
        stamps.append(now / 1000)
    count = len(stamps)
    prices = draw(st.lists(st.sampled_from([99.13, 100.02, 100.03, 100.57, 131.7, 0.00071]), min_size=count, max_size=count))
    sizes = draw(st.lists(st.sampled_from(amounts), min_size=count, max_size=count))
    sides = draw(st.lists(st.sampled_from(["buy", "sell"]), min_size=count, max_size=count))
    late = draw(st.lists(st.sampled_from(delays), min_size=count, max_size=count))
    rows = zip(stamps, prices, sizes, sides, strict=True)
    return trades_of(*rows, known=[stamp + delay for stamp, delay in zip(stamps, late, strict=True)])

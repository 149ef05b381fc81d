"""The fill loop against a slow, obvious account, with every kind of order, cost, size and rule on random markets."""

from __future__ import annotations

import pytest
from hypothesis import given
from random_accounts import cases, error_of, examples

from liqbt.scoring._records import REASONS

COUNTS = ("rejected", "capped", "reduced", "starved", "cooled", "unsized", "beyond", "bookless")
SIDES = {"long": 1, "short": -1, "buy": 1, "sell": -1}


@examples(400)
@given(cases())
def test_kernel_equals_the_oracle(case):
    fills, oracle = case.fills(), case.oracle()
    error = error_of(fills, case.options["leverage"])
    mine = zip(fills.orders["bar"], fills.orders["asset"], fills.orders["reason"], fills.orders["side"], strict=True)
    theirs = [(bar, asset, REASONS.index(reason), SIDES[side]) for bar, asset, reason, side, *_ in oracle.orders]
    assert list(mine) == theirs
    for column, name in enumerate(("size", "price", "fee", "slippage"), start=4):
        assert fills.orders[name] == pytest.approx([order[column] for order in oracle.orders], rel=1e-9, abs=error), name
    assert fills.position.tolist() == oracle.positions
    assert fills.equity == pytest.approx(oracle.equity, rel=1e-9, abs=error)
    assert fills.ruined == oracle.ruined
    assert {name: getattr(fills, name) for name in COUNTS} == oracle.counts
    assert fills.trades.size == len(oracle.history)
    for row, expected in zip(fills.trades, oracle.history, strict=True):
        assert (row["asset"], row["entry_bar"], row["side"]) == (expected["asset"], expected["entry_bar"], SIDES[expected["side"]])
        assert row["exit_bar"] == (-1 if expected["exit_bar"] is None else expected["exit_bar"])
        assert REASONS[row["reason"]] == expected["reason"]
        for name in ("amount", "entry_price", "fees", "funding", "slippage", "pnl", "mae", "mfe"):
            assert row[name] == pytest.approx(expected[name], rel=1e-9, abs=error), name

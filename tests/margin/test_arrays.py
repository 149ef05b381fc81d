"""Prices of many positions: the same as one by one, and permissive where one is refused."""

import math
import subprocess
import sys

import numpy as np
import pytest
from bracket_tables import SIDES, any_tables, equity, positions, requirement, table_of, value_of
from hypothesis import given
from hypothesis import strategies as st

from liqbt._typing import LONG, SHORT
from liqbt.errors import ConfigError
from liqbt.margin import (
    GENERIC_TIERS,
    MarginRule,
    TierArrays,
    leverage_tiers,
    liquidation_distance,
    liquidation_price,
    liquidation_prices,
    maintenance_margin,
    margin_rule,
    max_leverage,
)
from liqbt.margin.kernels import fill_liquidation_prices, liquidation_price_of

RULES = (MarginRule(), *(margin_rule(venue) for venue in ("binance", "bybit", "hyperliquid", "okx")), MarginRule(maintenance_on="entry"))


def one_by_one(side, entry, amount, tiers, rule, **margin):
    """The scalar price, or NaN where it is refused."""
    try:
        return liquidation_price(side=side, entry_price=entry, amount=amount, tiers=tiers, rule=rule, **margin)
    except ConfigError:
        return math.nan


@given(st.data(), any_tables(), st.sampled_from(RULES), st.floats(0, 1))
def test_each_price_is_that_of_the_position_alone(data, tiers, rule, aggression):
    drawn = [data.draw(positions(tiers)) for _ in range(3)]
    side, entry, amount, value = (np.array(column) for column in zip(*drawn, strict=True))
    codes = np.where(side == "long", LONG, SHORT)
    leverage = np.array([(max_leverage(tiers, each) * 0.9) ** aggression for each in value])
    margin = np.array([requirement(tiers, each) for each in value]) * 1.01 + aggression * value
    for given_ in ({"leverage": leverage}, {"margin": margin}):
        ours = liquidation_prices(side=codes, entry_price=entry, amount=amount, tiers=tiers, rule=rule, **given_)
        for place, (which, at, size, _) in enumerate(drawn):
            expected = one_by_one(which, at, size, tiers, rule, **{name: float(values[place]) for name, values in given_.items()})
            if not math.isnan(expected):
                # what rounding of the position's value leaves of it: prices near 0, and their inverse, are differences
                assert ours[place] == pytest.approx(expected, rel=1e-12, abs=1e-12 * at) or min(ours[place], expected) > 1e3 * at
    table = TierArrays.of(tiers)
    assert table.max_leverage(value).tolist() == [max_leverage(tiers, each) for each in value]
    assert table.maintenance_margin(value) == pytest.approx([maintenance_margin(tiers, each) for each in value], rel=1e-12)


@given(st.data(), any_tables(), st.floats(-0.3, 0.3))
def test_drained_margin_gives_the_price_that_a_position_in_profit_dies_at(data, tiers, share):
    contract = tiers[0].contract
    side, entry, amount, value = data.draw(positions(tiers))
    margin = share * value
    price = float(liquidation_prices(side=side, entry_price=entry, amount=amount, margin=margin, tiers=tiers))
    held = value_of(contract, amount, price)
    assert equity(side, contract, entry, amount, margin, price) == pytest.approx(requirement(tiers, held), abs=1e-9 * max(value, held))
    in_profit = (price > entry) if side == "long" else (price < entry)
    assert in_profit == (margin < requirement(tiers, value)) or margin == pytest.approx(requirement(tiers, value), rel=1e-9)


@given(any_tables(), st.sampled_from(RULES))
def test_distances_are_those_of_prices_and_nan_where_no_position_is(tiers, rule):
    levers, sizes = [1.0, 3.0, 20.0, 101.0], [5.0, 700.0, 123_456.0]
    distance = liquidation_distance(levers, sizes, tiers, rule=rule)
    assert distance.shape == (4, 3, 2)
    for i, leverage in enumerate(levers):
        for j, size in enumerate(sizes):
            for k, side in enumerate(SIDES):
                amount = size / 50.0 if tiers[0].contract == "linear" else size * 50.0
                price = one_by_one(side, 50.0, amount, tiers, rule, leverage=leverage)
                assert distance[i, j, k] == pytest.approx(abs(price / 50.0 - 1), rel=1e-11, abs=1e-12, nan_ok=True) or (
                    max(price, distance[i, j, k]) == math.inf and min(price, distance[i, j, k]) > 1e12
                )


def test_distances_by_hand():
    """By P = (M + c - s q E) / (q (m - s)): brackets 1 %, 2 %, 5 % up to 100, 400, 1000, so c = 0, 1, 13."""
    tiers = table_of((100.0, 400.0, 1000.0), (0.01, 0.02, 0.05), (50, 25, 10))
    distance = liquidation_distance([10, 50], [50, 410], tiers)
    assert distance[0, 0] == pytest.approx([1 - 0.9 / 0.99, 1.1 / 1.01 - 1])
    assert distance[0, 1] == pytest.approx([1 - (410 - 41 - 1) / (410 * 0.98), (410 + 41 + 13) / (410 * 1.05) - 1])
    assert distance[1, 0] == pytest.approx([1 - 0.98 / 0.99, 1.02 / 1.01 - 1])
    assert np.isnan(distance[1, 1]).all()
    fee = {"closing_fee_rate": 0.0105}
    assert np.isnan(liquidation_distance([50], [50], tiers, **fee)).all()  # 2 % of margin, 2.05 % to keep
    assert np.isfinite(liquidation_distance([48], [50], tiers, **fee)).all()
    never = liquidation_distance(1, 50, tiers)
    assert never[0, 0] == pytest.approx([1.0, 2 / 1.01 - 1])
    inverse = table_of((100.0, 400.0, 1000.0), (0.01, 0.02, 0.05), (50, 25, 10), "inverse")
    assert liquidation_distance([1], [50], inverse)[0, 0].tolist() == [pytest.approx(1 - 1.01 / 2), math.inf]


def test_shapes_go_together_as_numpy_has_them():
    tiers = leverage_tiers("binance", "BTCUSDT")
    prices = liquidation_prices(side="short", entry_price=[[100.0], [200.0]], amount=[1, 2, 3], leverage=10, tiers=tiers)
    assert prices.shape == (2, 3)
    assert prices[1, 2] == liquidation_price(side="short", entry_price=200, amount=3, leverage=10, tiers=tiers)
    assert liquidation_prices(side="long", entry_price=1, amount=1, margin=0.1, tiers=tiers).shape == ()
    assert liquidation_prices(side=[], entry_price=[], amount=[], margin=[], tiers=tiers).shape == (0,)
    table = TierArrays.of(tiers)
    assert (table.contract, table.rate[0], table.leverage[0]) == ("linear", 0.004, 150)
    assert liquidation_prices(side="long", entry_price=1, amount=1, margin=0.1, tiers=table) == pytest.approx(0.9 / 0.996)


def test_kernels_answer_as_their_python_does():
    table = TierArrays.of(leverage_tiers("binance", "DOGEUSDT"))
    for inverse in (False, True):
        for side in (1.0, -1.0):
            for margin in (1e4, 1e5, 1e7, -1e3, math.nan):
                arguments = (side, 0.1, 1e7, margin, inverse, table.rate, table.constant, 0.0005)
                assert liquidation_price_of(*arguments) == pytest.approx(liquidation_price_of.py_func(*arguments), rel=1e-14, nan_ok=True)
                assert math.isnan(margin) == math.isnan(liquidation_price_of(*arguments))
    out = np.empty(2)
    one = np.ones(2)
    fill_liquidation_prices.py_func(one, one, one, one * 0.1, False, table.rate, table.constant, 0.0, out)
    assert out == pytest.approx(0.9 / (1 - table.rate[0]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": "buy"}, r"side: 'buy' must be 'long' or 'short'"),
        ({"side": [0, 2]}, r"side: .*2.* must be LONG \(0\) or SHORT \(1\)"),
        ({"entry_price": [1.0, 0.0]}, r"entry_price: .*0.0.* at position 1 must be a finite number above 0"),
        ({"amount": [1.0, math.nan]}, r"amount: .*nan.* at position 1"),
        ({"leverage": [0.0, 5.0]}, r"leverage: .*0.0.* at position 0 must be a finite number above 0"),
        ({"leverage": None, "margin": [1.0, math.inf]}, r"margin: .*inf.* at position 1 must be a finite number$"),
        ({"margin": 1.0}, r"exactly one of leverage and margin"),
        ({"leverage": None}, r"exactly one of leverage and margin"),
        ({"amount": [1.0, 2.0, 3.0], "entry_price": [1.0, 2.0]}, r"entry_price \(2,\), amount \(3,\), leverage \(\) do not go together"),
        ({"tiers": ()}, r"tiers: no brackets are given"),
        ({"closing_fee_rate": 0.999}, r"closing_fee_rate: 0.999 with a maintenance margin rate of 0.005 must stay a fraction below 1"),
    ],
)
def test_bad_arrays(changes, message):
    position = {"side": "long", "entry_price": 100.0, "amount": 1.0, "leverage": 10.0, "tiers": GENERIC_TIERS}
    with pytest.raises(ConfigError, match=message) as caught:
        liquidation_prices(**{**position, **changes})
    assert "\n" not in str(caught.value)


def test_margin_is_imported_without_compiling():
    code = "import sys, liqbt.margin; sys.exit('numba' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

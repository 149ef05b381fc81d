"""Bracket tables from rows in memory: what joins, and what is refused."""

import math
from dataclasses import replace

import pytest

from liqbt.errors import ConfigError, DataError
from liqbt.margin import GENERIC_TIERS, LeverageTier, TierTable, max_leverage, tiers_from_ccxt


def bracket(low, high, rate=0.01, leverage=50, **more):
    return {"minNotional": low, "maxNotional": high, "maintenanceMarginRate": rate, "maxLeverage": leverage, **more}


LADDER = [bracket(0, 5000, 0.015, 50), bracket(5000, 50_000, 0.02, 25), bracket(50_000, 100_000, 0.025, 20)]


def test_brackets_in_any_order_with_an_open_end():
    tiers = tiers_from_ccxt([bracket(100, None, 0.05, 10), bracket(0, 100, 0.01, 50)])
    assert [tier.min_notional for tier in tiers] == [0, 100]
    assert tiers[1].max_notional == math.inf
    assert [tier.maintenance_amount for tier in tiers] == [0, pytest.approx(4.0)]


@pytest.mark.parametrize("end", [None, math.inf, "Infinity", ""])
def test_ways_to_write_an_open_end(end):
    assert tiers_from_ccxt([bracket(0, end)])[0].max_notional == math.inf


def test_numbers_may_be_text():
    texts = [{name: str(value) for name, value in row.items()} for row in LADDER]
    assert tiers_from_ccxt(texts) == tiers_from_ccxt(LADDER)


def test_amounts_by_hand():
    """5,000 x .005 = 25; + 50,000 x .005 = 275: Binance's own figures for 1000BONKUSDT in 2024."""
    assert [tier.maintenance_amount for tier in tiers_from_ccxt(LADDER)] == pytest.approx([0, 25, 275], rel=1e-12)


@pytest.mark.parametrize("where", ["maintAmt", "cum", "mmDeduction"])
def test_recorded_amounts_are_checked_wherever_they_are(where):
    def rows(third):
        amounts = [0.0, "25.0", third]
        return [
            {**row, "maintAmt": amount} if where == "maintAmt" else {**row, "info": {where: amount}}
            for row, amount in zip(LADDER, amounts, strict=True)
        ]

    assert tiers_from_ccxt(rows(275)) == tiers_from_ccxt(LADDER)
    assert tiers_from_ccxt(rows("274.95")) == tiers_from_ccxt(LADDER)  # rounded: 1e-4 of 50,000 x .025 is .125
    assert tiers_from_ccxt(rows("")) == tiers_from_ccxt(LADDER)
    with pytest.raises(DataError, match=rf"tier 3: .*{where} 274.8 contradicts the bounds and rates, which give 275; .* fetch it again"):
        tiers_from_ccxt(rows(274.8))
    with pytest.raises(DataError, match=r"tier 1: .* 1 contradicts the bounds and rates, which give 0;"):
        tiers_from_ccxt([bracket(0, 100, maintAmt=1)])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"ccxt table: holds no list of tiers"),
        ([bracket(10, 100)], r"tier 1: minNotional is 10 but the first starts at 0; brackets must join"),
        ([bracket(-1, 100)], r"tier 1: minNotional is -1 but the first starts at 0"),
        ([bracket(0, 100), bracket(200, 300, 0.02)], r"tier 2: minNotional is 200 but tier 1 ends at 100; brackets must join"),
        ([bracket(0, 100), bracket(50, 300, 0.02)], r"tier 2: minNotional is 50 but tier 1 ends at 100"),
        ([bracket(200, 300, 0.02), bracket(0, 100)], r"tier 1: minNotional is 200 but tier 2 ends at 100"),  # as the file counts
        ([bracket(0, None), bracket(100, 300, 0.02)], r"tier 2: minNotional is 100 but tier 1 ends at inf"),
        ([bracket(0, 100), bracket(100, 300, 0.02), bracket(100, 300, 0.02)], r"tier 3: minNotional 100 is that of tier 2 too; delete one"),
        ([bracket(0, 0)], r"tier 1: maxNotional 0 is not above its lower bound 0"),
        ([bracket(0, 100), bracket(100, 90, 0.02)], r"tier 2: maxNotional 90 is not above its lower bound 100"),
        (
            [bracket(0, 100, 0.4, 150)],
            r"tier 1: maintenanceMarginRate 0.4 is not below the initial margin 1/150 = 0.00666667; it looks like percent",
        ),
        (
            [bracket(0, 100, 1.5)],
            r"maintenanceMarginRate 1.5 is not below .* it looks like percent, read the file with rate_unit='percent'",
        ),
        ([bracket(0, 100, 150)], r"maintenanceMarginRate 150 is not below .*; fetch the table again$"),  # no percentage either
        ([bracket(0, 100, 0.02, 50)], r"maintenanceMarginRate 0.02 is not below the initial margin 1/50 = 0.02"),
        ([bracket(0, 100, 0.0)], r"maintenanceMarginRate 0 must be above 0"),
        ([bracket(0, 100, -0.01)], r"maintenanceMarginRate -0.01 must be above 0"),
        ([bracket(0, 100, 0.01, 0.5)], r"maxLeverage 0.5 is below 1"),
        ([bracket(0, 100, 0.05, 10), bracket(100, None, 0.01, 5)], r"tier 2: maintenanceMarginRate 0.01 is below the 0.05 of tier 1"),
        ([bracket(0, 100, 0.01, 20), bracket(100, None, 0.02, 25)], r"tier 2: maxLeverage 25 is above the 20 of tier 1"),
        ([{"minNotional": 0.0, "maxNotional": None, "maxLeverage": 50}], r"tier 1: lacks maintenanceMarginRate"),
        ([{"maxNotional": None, "maintenanceMarginRate": 0.01, "maxLeverage": 50}], r"tier 1: lacks minNotional"),
        ([{"minNotional": 0.0, "maintenanceMarginRate": 0.01, "maxLeverage": 50}], r"tier 1: lacks maxNotional"),
        ([bracket(0, 100, None)], r"tier 1: lacks maintenanceMarginRate"),
        ([bracket(0, 100, "half")], r"maintenanceMarginRate is 'half', not a number"),
        ([bracket(0, 100, True)], r"maintenanceMarginRate is 'True', not a number"),
        ([bracket(0, 100, [0.1])], r"maintenanceMarginRate is '\[0.1\]', not a number"),
        ([bracket(0, 100, math.nan)], r"maintenanceMarginRate is 'nan', not a finite number"),
        ([bracket(0, math.nan)], r"maxNotional is 'nan', not a finite number"),
        ([bracket(0, -math.inf)], r"maxNotional is '-inf', not a finite number"),
        ([bracket(0, 100, 0.01, 10**400)], r"maxLeverage is '1000*', not a number"),
        (["BTCUSDT"], r"tier 1: is 'BTCUSDT', not an object"),
    ],
)
def test_what_is_refused(rows, message):
    with pytest.raises(DataError, match=message) as caught:
        tiers_from_ccxt(rows)
    assert "\n" not in str(caught.value)


def test_equal_rates_may_follow_each_other():
    tiers = tiers_from_ccxt([bracket(0, 100, 0.01, 50), bracket(100, 200, 0.01, 40)])
    assert [tier.maintenance_amount for tier in tiers] == [0, 0]


def test_leverage_by_notional():
    tiers = tiers_from_ccxt(LADDER)
    assert [max_leverage(tiers, notional) for notional in (0, 5000, 5001, 1e12)] == [50, 50, 25, 20]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_leverage": math.nan}, r"max_leverage nan"),
        ({"maintenance_margin_rate": 1.5}, r"maintenance_margin_rate 1.5"),
        ({"min_notional": math.inf}, r"min_notional inf must be at least 0 and below"),
        ({"contract": "quanto"}, r"contract 'quanto' must be 'linear' or 'inverse'"),
    ],
)
def test_a_bracket_by_hand_is_checked(change, message):
    with pytest.raises(ConfigError, match=message):
        replace(GENERIC_TIERS[0], **change)


def test_a_table_by_hand_is_checked():
    coin = LeverageTier(
        min_notional=0, max_notional=1, maintenance_margin_rate=0.01, max_leverage=50, maintenance_amount=0, contract="inverse"
    )
    with pytest.raises(ConfigError, match=r"'BTCUSDT' on binance has no brackets"):
        TierTable(venue="binance", symbol="BTCUSDT", tiers=())
    with pytest.raises(ConfigError, match=r"'BTCUSDT' on binance mixes linear and inverse"):
        TierTable(venue="binance", symbol="BTCUSDT", tiers=(coin, *GENERIC_TIERS))
    assert TierTable(venue="binance", symbol="BTCUSD_PERP", tiers=(coin,)).contract == "inverse"

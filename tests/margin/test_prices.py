"""What defines a liquidation price: equity meets the requirement there, and nowhere before."""

import math

import pytest
from bracket_tables import CONTRACTS, SIDES, any_tables, equity, positions, requirement, table_of, tables, value_of
from hypothesis import given
from hypothesis import strategies as st

from liqbt.errors import ConfigError
from liqbt.margin import (
    GENERIC_TIERS,
    LeverageTier,
    MarginRule,
    bankruptcy_price,
    leverage_tiers,
    liquidation_price,
    maintenance_margin,
    max_leverage,
)

INVERSE = LeverageTier(
    min_notional=0, max_notional=50, maintenance_margin_rate=0.004, max_leverage=125, maintenance_amount=0, contract="inverse"
)
THREE = table_of((100.0, 400.0, 1000.0), (0.01, 0.02, 0.05), (50, 25, 10))  # c = 0, 1, 13
THREE_INVERSE = table_of((100.0, 400.0, 1000.0), (0.01, 0.02, 0.05), (50, 25, 10), "inverse")
NEVER = (0.0, math.inf)


@given(st.data(), any_tables(), st.floats(0, 1), st.floats(0, 0.2))
def test_equity_is_the_requirement_at_the_price_and_above_it_before(data, tiers, aggression, fee_share):
    contract, fee = tiers[0].contract, fee_share * tiers[0].maintenance_margin_rate
    side, entry, amount, value = data.draw(positions(tiers))
    leverage = (max_leverage(tiers, value) * 0.9) ** aggression
    margin = value / leverage
    price = liquidation_price(side=side, entry_price=entry, amount=amount, leverage=leverage, tiers=tiers, closing_fee_rate=fee)

    def slack(at):
        held = value_of(contract, amount, at)
        return equity(side, contract, entry, amount, margin, at) - requirement(tiers, held) - fee * held

    sign = 1 if side == "long" else -1
    if price in NEVER:
        assert (side, contract, price) in (("long", "linear", 0.0), ("short", "inverse", math.inf))
        assert margin >= value * (1 - 1e-9)
        assert slack(entry * 1e-9 if price == 0 else entry * 1e9) >= -1e-8 * value
        return
    assert slack(price) == pytest.approx(0.0, abs=1e-9 * max(value, value_of(contract, amount, price)))
    assert sign * (entry - price) > 0
    for share in (0.01, 0.5, 0.99):
        assert slack(price + share * (entry - price)) > -1e-12 * value


@given(st.data(), any_tables(), st.floats(0.001, 3))
def test_margin_alone_decides_as_leverage_does(data, tiers, share):
    contract = tiers[0].contract
    side, entry, amount, value = data.draw(positions(tiers))
    margin = requirement(tiers, value) + share * value
    price = liquidation_price(side=side, entry_price=entry, amount=amount, margin=margin, tiers=tiers)
    if price in NEVER:
        assert margin >= value * (1 - 1e-9)
        return
    held = value_of(contract, amount, price)
    assert equity(side, contract, entry, amount, margin, price) == pytest.approx(requirement(tiers, held), abs=1e-9 * max(value, held))


@given(st.data(), any_tables(), st.floats(0.001, 3))
def test_the_bracket_used_holds_the_notional_at_the_price(data, tiers, share):
    side, entry, amount, value = data.draw(positions(tiers))
    margin = requirement(tiers, value) + share * value
    position = {"side": side, "entry_price": entry, "amount": amount, "margin": margin}
    price = liquidation_price(**position, tiers=tiers)
    if price in NEVER:
        return
    held = value_of(tiers[0].contract, amount, price)
    used = next((tier for tier in tiers if held <= tier.max_notional * (1 + 1e-12)), tiers[-1])
    alone = liquidation_price(
        **position,
        contract=used.contract,
        maintenance_margin_rate=used.maintenance_margin_rate,
        maintenance_amount=used.maintenance_amount,
    )
    assert price == pytest.approx(alone, rel=1e-9, abs=1e-9 * entry)


@given(st.data(), tables(), st.sampled_from(SIDES), st.floats(-0.5, 2))
def test_on_a_boundary_both_brackets_give_the_price(data, tiers, side, log_entry_share):
    if len(tiers) < 2:
        tiers = THREE
    contract = tiers[0].contract
    place = data.draw(st.integers(0, len(tiers) - 2))
    bound = tiers[place].max_notional
    rises = (side == "long") == (contract == "linear")  # equity with the position's value
    value = bound * (1 + 10**log_entry_share) if rises else bound / (1 + 10**log_entry_share)
    entry = 7.0
    amount = value / entry if contract == "linear" else value * entry
    margin = abs(value - bound) + requirement(tiers, bound)  # what loses itself exactly on the way to the bound
    position = {"side": side, "entry_price": entry, "amount": amount, "contract": contract}
    expected = bound / amount if contract == "linear" else amount / bound
    if margin > requirement(tiers, value) * (1 + 1e-9):
        assert liquidation_price(**position, margin=margin, tiers=tiers) == pytest.approx(expected, rel=1e-9)
        for step in (-1e-7, 1e-7):
            near = liquidation_price(**position, margin=margin * (1 + step), tiers=tiers)
            assert near == pytest.approx(expected, rel=1e-5 * max(1.0, value / bound))
    low, high = tiers[place], tiers[place + 1]
    for tier in (low, high):
        assert tier.maintenance_margin_rate * bound - tier.maintenance_amount == pytest.approx(requirement(tiers, bound), rel=1e-9)
    assert maintenance_margin(tiers, bound) == pytest.approx(requirement(tiers, bound), rel=1e-9)


@given(st.data(), any_tables(), st.floats(0.001, 2), st.floats(1.001, 3))
def test_more_margin_and_less_leverage_move_the_price_away(data, tiers, share, factor):
    side, entry, amount, value = data.draw(positions(tiers))
    margin = requirement(tiers, value) + share * value
    sign = 1 if side == "long" else -1

    def price(**more):
        return liquidation_price(side=side, entry_price=entry, amount=amount, tiers=tiers, **more)

    near, far = price(margin=margin), price(margin=margin * factor)
    assert near == far if near in NEVER else sign * (near - far) > 0
    high = max_leverage(tiers, value) * 0.9
    low = max(high / factor, 0.5)
    near, far = price(leverage=high), price(leverage=low)
    assert near == far if near in NEVER else sign * (near - far) > 0 or high == low


@given(st.data(), any_tables(), st.floats(0, 1), st.floats(0, 0.2))
def test_liquidation_comes_before_bankruptcy(data, tiers, aggression, fee_share):
    contract, fee = tiers[0].contract, fee_share * tiers[0].maintenance_margin_rate
    side, entry, amount, value = data.draw(positions(tiers))
    leverage = (max_leverage(tiers, value) * 0.9) ** aggression
    position = {"side": side, "entry_price": entry, "amount": amount, "margin": value / leverage, "closing_fee_rate": fee}
    ruin = bankruptcy_price(**position, contract=contract)
    sign = 1 if side == "long" else -1
    liquidation = liquidation_price(**position, tiers=tiers)
    assert liquidation == ruin if liquidation in NEVER else sign * (liquidation - ruin) >= 0
    if ruin not in NEVER:
        paid = fee * value_of(contract, amount, ruin)
        left = equity(side, contract, entry, amount, value / leverage, ruin)
        assert left == pytest.approx(paid, abs=1e-9 * max(value, value_of(contract, amount, ruin)))


def test_an_inverse_long_goes_up_into_stricter_brackets_and_an_inverse_short_down():
    """30 USD at 0.1 are 300 coins in bracket 2; at 2x a long owes more coins as the price falls, until bracket 3 decides: c = 13."""
    long = liquidation_price(side="long", entry_price=0.1, amount=30, leverage=2, tiers=THREE_INVERSE)
    assert long == pytest.approx(30 * 1.05 / (150 + 13 + 300))  # 441 coins
    short = liquidation_price(side="short", entry_price=0.1, amount=30, margin=250, tiers=THREE_INVERSE)
    assert short == pytest.approx(30 * (1 - 0.01) / (300 - 250))  # 50.5 coins, bracket 1
    assert 30 / long > 400
    assert 30 / short < 100


def test_a_linear_long_goes_down_into_laxer_brackets_and_a_linear_short_up():
    """30 at 10 are 300 in bracket 2."""
    long = liquidation_price(side="long", entry_price=10, amount=30, margin=250, tiers=THREE)
    assert long == pytest.approx((300 - 250) / (30 * (1 - 0.01)))
    short = liquidation_price(side="short", entry_price=10, amount=30, leverage=2, tiers=THREE)
    assert short == pytest.approx((150 + 13 + 300) / (30 * 1.05))


@pytest.mark.parametrize("contract", CONTRACTS)
def test_without_borrowed_money_one_side_is_never_liquidated(contract):
    tiers = GENERIC_TIERS if contract == "linear" else (INVERSE,)
    prices = {side: liquidation_price(side=side, entry_price=100, amount=1, leverage=1, tiers=tiers) for side in SIDES}
    if contract == "linear":
        assert prices == {"long": 0.0, "short": pytest.approx(200 / 1.005)}
    else:
        assert prices == {"long": pytest.approx(1.004 / (2 / 100)), "short": math.inf}


def price_of(**changes):
    given_ = {"side": "long", "entry_price": 100.0, "amount": 1.0, "leverage": 10.0, "maintenance_margin_rate": 0.01}
    return liquidation_price(**{key: value for key, value in {**given_, **changes}.items() if value is not None})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"side": "buy"}, r"side: 'buy' must be 'long' or 'short'"),
        ({"entry_price": 0.0}, r"entry_price: 0.0 must be a finite number above 0"),
        ({"entry_price": math.inf}, r"entry_price: inf"),
        ({"amount": -1.0}, r"amount: -1.0"),
        ({"amount": 1e308, "entry_price": 1e10}, r"amount: 1e\+308 at entry_price 10000000000.0 is a position of inf"),
        ({"leverage": -5.0}, r"leverage: -5.0"),
        ({"leverage": math.nan}, r"leverage: nan"),
        ({"leverage": None}, r"exactly one of leverage and margin"),
        ({"margin": 10.0}, r"exactly one of leverage and margin"),
        ({"leverage": None, "margin": -1.0}, r"margin: -1.0"),
        ({"contract": "quanto"}, r"contract: 'quanto' must be 'linear' or 'inverse'"),
        ({"maintenance_margin_rate": None}, r"exactly one of tiers and maintenance_margin_rate"),
        ({"tiers": GENERIC_TIERS}, r"exactly one of tiers and maintenance_margin_rate"),
        ({"maintenance_margin_rate": 1.0}, r"maintenance_margin_rate: 1.0 .* must be a fraction"),
        ({"maintenance_margin_rate": -0.1}, r"maintenance_margin_rate: -0.1"),
        ({"maintenance_margin_rate": math.nan}, r"maintenance_margin_rate: nan"),
        ({"maintenance_amount": -1.0}, r"maintenance_amount: -1.0 must be a finite number of at least 0"),
        ({"maintenance_amount": math.nan}, r"maintenance_amount: nan"),
        ({"closing_fee_rate": 0.99}, r"closing_fee_rate 0.99"),
        ({"closing_fee_rate": -0.001}, r"closing_fee_rate: -0.001 must be a fraction"),
        (
            {"maintenance_margin_rate": None, "tiers": GENERIC_TIERS, "leverage": 101.0},
            r"leverage: 101 is above the venue's maximum of 100 for a position of 100 quote",
        ),
        ({"maintenance_margin_rate": None, "tiers": (INVERSE,), "leverage": 126.0}, r"maximum of 125 for a position of 0.01 base"),
    ],
)
def test_bad_positions(changes, message):
    with pytest.raises(ConfigError, match=message) as caught:
        price_of(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leverage": 100.0}, r"leverage: 100 gives a margin of 1, which is not above the 1 that a position of 100 needs at entry"),
        ({"leverage": 200.0}, r"leverage: 200 gives a margin of 0.5, which is not above the 1 "),
        ({"leverage": 99.0, "closing_fee_rate": 0.0005}, r"is not above the 1.05 that a position of 100 needs"),
        ({"leverage": None, "margin": 0.9}, r"margin: 0.9 is not above the 1 that"),
        ({"leverage": None, "margin": 0.009, "contract": "inverse", "amount": 100.0}, r"not above the 0.01 that a position of 1 "),
        ({"leverage": 100.0, "rule": MarginRule(maintenance_on="entry")}, r"gives a margin of 1, which is not above the 1 "),
        ({"leverage": 95.0, "rule": MarginRule(closing_fee_on="bankruptcy", closing_fee_rate=0.001)}, r"is not above the 1.099\d* that"),
    ],
)  # fmt: skip
def test_margin_that_is_used_up_at_entry(changes, message):
    with pytest.raises(ConfigError, match=message):
        price_of(**changes)


def test_margin_hardly_above_the_requirement_is_liquidated_hardly_away():
    assert price_of(leverage=None, margin=1.0001) == pytest.approx(100, rel=2e-6)
    assert price_of(leverage=None, margin=1.0001) < 100


def test_a_maintenance_amount_of_larger_positions():
    """Of bracket 3 of THREE, whose rate of 5 % less 13 asks nothing of positions below 260."""
    assert price_of(leverage=2.0, amount=30, maintenance_margin_rate=0.05, maintenance_amount=13) > 0
    message = r"maintenance_amount: 13 is more than 0.05 of the 38\.9\d* that decides the bracket; it is of a bracket for larger positions"
    with pytest.raises(ConfigError, match=message):
        price_of(leverage=2.0, maintenance_margin_rate=0.05, maintenance_amount=13)
    assert price_of(leverage=None, margin=101.0, maintenance_margin_rate=0.05, maintenance_amount=13) == 0.0  # whatever the bracket
    at_entry = MarginRule(maintenance_on="entry")
    with pytest.raises(ConfigError, match=r"0.05 of the 100 that decides"):
        price_of(leverage=2.0, maintenance_margin_rate=0.05, maintenance_amount=13, rule=at_entry)


def test_leverage_is_limited_by_the_bracket_of_the_entry():
    tiers = leverage_tiers("binance", "BTCUSDT")
    assert [max_leverage(tiers, notional) for notional in (0, 300_000, 300_001, 1e12)] == [150, 150, 100, tiers[-1].max_leverage]
    with pytest.raises(ConfigError, match=r"leverage: 150 is above the venue's maximum of 100 for a position of 400000 quote"):
        liquidation_price(side="long", entry_price=100_000, amount=4, leverage=150, tiers=tiers)


def test_the_contract_is_that_of_the_brackets():
    assert price_of(maintenance_margin_rate=None, tiers=(INVERSE,)) == price_of(maintenance_margin_rate=0.004, contract="inverse")
    assert price_of(maintenance_margin_rate=None, tiers=(INVERSE,), contract="inverse") == pytest.approx(100 * 1.004 / 1.1)
    with pytest.raises(ConfigError, match=r"brackets of an inverse contract, in base coin; the position is linear"):
        price_of(maintenance_margin_rate=None, tiers=(INVERSE,), contract="linear")
    with pytest.raises(ConfigError, match=r"brackets of a linear contract, in quote; the position is inverse"):
        price_of(maintenance_margin_rate=None, tiers=GENERIC_TIERS, contract="inverse")


def with_changes(place, **changes):
    tiers = list(THREE)
    fields = {name: getattr(tiers[place], name) for name in LeverageTier.__dataclass_fields__}
    tiers[place] = LeverageTier(**{**fields, **changes})
    return tuple(tiers)


@pytest.mark.parametrize(
    ("tiers", "message"),
    [
        ((), r"tiers: no brackets are given"),
        ((*GENERIC_TIERS, INVERSE), r"of linear and of inverse contracts"),
        (THREE[1:], r"the first bracket starts at 100 with maintenance_amount 1; both must be 0"),
        (with_changes(0, min_notional=5.0), r"starts at 5 with maintenance_amount 0; both must be 0"),
        (with_changes(0, maintenance_amount=5.0), r"starts at 0 with maintenance_amount 5; both must be 0"),
        (with_changes(1, min_notional=101.0), r"bracket 2 starts at 101 but the one below ends at 100; they must join"),
        ((THREE[0], THREE[2], THREE[1]), r"bracket 2 starts at 400 but the one below ends at 100"),
        (with_changes(2, maintenance_margin_rate=0.015), r"the rate 0.015 of bracket 3 is below the 0.02 of the one before"),
        (with_changes(1, maintenance_amount=0.0), r"maintenance_amount 0 of bracket 2 makes the requirement jump, 1 joins the one below"),
        (with_changes(2, maintenance_amount=math.nan), r"maintenance_amount nan of bracket 3 makes the requirement jump, 13 joins"),
    ],
)
def test_brackets_that_are_no_table(tiers, message):
    with pytest.raises(ConfigError, match=message):
        price_of(maintenance_margin_rate=None, tiers=tiers)


def test_amounts_rounded_by_the_venue_are_taken():
    rounded = with_changes(2, maintenance_amount=13.0001)
    exact, near = (price_of(maintenance_margin_rate=None, tiers=tiers, amount=9.0) for tiers in (THREE, rounded))
    assert near == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"leverage": None}, r"exactly one of leverage and margin"),
        ({"amount": 1.0, "margin": 10.0}, r"exactly one of leverage and margin"),
        ({"leverage": None, "margin": 10.0}, r"amount: is missing; margin needs the amount that it backs"),
        ({"leverage": None, "margin": -1.0, "amount": 1.0}, r"margin: -1.0"),
        ({"leverage": math.inf}, r"leverage: inf"),
        ({"side": "sell"}, r"side: 'sell'"),
        ({"entry_price": math.nan}, r"entry_price: nan"),
        ({"closing_fee_rate": 1.0}, r"closing_fee_rate: 1.0"),
        ({"closing_fee_rate": math.nan}, r"closing_fee_rate: nan"),
        ({"contract": "usd"}, r"contract: 'usd'"),
    ],
)
def test_bad_bankruptcies(changes, message):
    with pytest.raises(ConfigError, match=message):
        bankruptcy_price(**{"side": "long", "entry_price": 100.0, "leverage": 10.0, **changes})

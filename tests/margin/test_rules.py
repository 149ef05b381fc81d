"""What each venue counts: against its own formulas, and against the definition of its requirement."""

import math

import pytest
from bracket_tables import CONTRACTS, SIDES, any_tables, equity, positions, requirement, value_of
from hypothesis import assume, given
from hypothesis import strategies as st

from liqbt.errors import ConfigError
from liqbt.margin import MarginRule, bankruptcy_price, leverage_tiers, liquidation_price, margin_rule, max_leverage

FEE = 0.00055  # Bybit's taker fee


def rules():
    return st.builds(
        MarginRule,
        maintenance_on=st.sampled_from(("mark", "entry")),
        closing_fee_on=st.sampled_from(("mark", "bankruptcy")),
        closing_fee_rate=st.floats(0, 0.001),
        closing_fee_posted=st.booleans(),
    )


@given(st.data(), any_tables(), rules(), st.floats(0.002, 1.5))
def test_equity_is_what_the_rule_asks_for(data, tiers, rule, share):
    contract, fee = tiers[0].contract, rule.closing_fee_rate
    side, entry, amount, value = data.draw(positions(tiers))
    margin = requirement(tiers, value) + (share + 3 * fee) * value
    position = {"side": side, "entry_price": entry, "amount": amount, "margin": margin}
    price = liquidation_price(**position, tiers=tiers, rule=rule)
    assume(0 < price < math.inf)
    held = value_of(contract, amount, price)
    asked = requirement(tiers, held if rule.maintenance_on == "mark" else value)
    if rule.closing_fee_on == "mark":
        asked += fee * held
    else:
        ruin = bankruptcy_price(**position, closing_fee_rate=fee, contract=contract)
        asked += 0 if ruin in (0, math.inf) else fee * value_of(contract, amount, ruin)
    assert equity(side, contract, entry, amount, margin, price) == pytest.approx(asked, abs=1e-9 * max(value, held))


@given(
    st.sampled_from(SIDES), st.floats(2, 90), st.floats(0, 0.2), st.floats(0.001, 0.009), st.floats(0, 1),
)  # fmt: skip
def test_bybit_inverse_as_its_help_tells_it(side, leverage, added, rate, share):
    """`Q (m + 1) / (Q/E + Q/E/L + added / (1 + fee) + deduction)` for longs, with the other signs for shorts."""
    quantity, entry = 60_000.0, 50_000.0
    value, sign = quantity / entry, 1 if side == "long" else -1
    extra, deduction = added * value, share * rate * value / 2
    below = value + sign * (value / leverage + extra / (1 + sign * FEE) + deduction)
    expected = quantity * (1 + sign * rate) / below
    assume(below > 0.01 * value and quantity / expected * rate >= deduction)  # a bracket of the position's own size
    posted = value / leverage + FEE * value * (1 + sign / leverage)  # order cost: the fee of closing at bankruptcy on top
    bracket = {"maintenance_margin_rate": rate, "maintenance_amount": deduction, "rule": margin_rule("bybit"), "contract": "inverse"}
    position = {"side": side, "entry_price": entry, "amount": quantity}
    assert liquidation_price(**position, margin=posted + extra, **bracket) == pytest.approx(expected, rel=1e-12)
    if extra == 0:
        assert liquidation_price(**position, leverage=leverage, **bracket) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("side", SIDES)
def test_bybit_leverage_alone_feels_no_fee(side, contract):
    position = {"side": side, "entry_price": 100.0, "amount": 5.0, "leverage": 20, "maintenance_margin_rate": 0.01, "contract": contract}
    plain = liquidation_price(**position)
    assert liquidation_price(**position, rule=margin_rule("bybit")) == pytest.approx(plain, rel=1e-12)
    assert liquidation_price(**position, rule=margin_rule("bybit"), closing_fee_rate=0.001) == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_okx_counts_the_taker_fee_of_the_mark_value(side):
    sign = 1 if side == "long" else -1
    position = {"side": side, "entry_price": 100.0, "amount": 2.0, "leverage": 10, "maintenance_margin_rate": 0.004}
    linear = liquidation_price(**position, rule=margin_rule("okx"))
    assert linear == pytest.approx((20 - sign * 200) / (2 * (0.004 + 0.0005 - sign)), rel=1e-12)
    assert (20 + sign * 2 * (linear - 100)) / (2 * linear * 0.0045) == pytest.approx(1)  # its margin ratio
    inverse = liquidation_price(**{**position, "amount": 200.0}, rule=margin_rule("okx"), contract="inverse")
    assert (0.2 + sign * 200 * (1 / 100 - 1 / inverse)) / (200 / inverse * 0.0045) == pytest.approx(1)


@given(st.sampled_from(SIDES), st.floats(1, 9), st.floats(0.01, 1), st.floats(-0.05, 0.05), st.floats(1.05, 3))
def test_hyperliquid_as_its_docs_tell_it(side, log_notional, aggression, moved, spare):
    """`price - side * margin_available / size / (1 - l * side)`, asked at any price that the position has reached since."""
    tiers = leverage_tiers("hyperliquid", "BTC")
    assert all(tier.maintenance_margin_rate == pytest.approx(0.5 / tier.max_leverage) for tier in tiers)
    entry, size, sign = 50_000.0, 10**log_notional / 50_000, 1 if side == "long" else -1
    leverage = max_leverage(tiers, 10**log_notional) ** aggression
    margin = spare * 10**log_notional / leverage
    ours = liquidation_price(side=side, entry_price=entry, amount=size, margin=margin, tiers=tiers, rule=margin_rule("hyperliquid"))
    tier = next((tier for tier in tiers if size * ours <= tier.max_notional), tiers[-1])
    price = entry * (1 + moved)
    available = margin + sign * size * (price - entry) - (size * price * tier.maintenance_margin_rate - tier.maintenance_amount)
    theirs = price - sign * available / size / (1 - tier.maintenance_margin_rate * sign)
    assert ours == pytest.approx(max(0.0, theirs), rel=1e-9, abs=1e-9 * entry)


@given(st.floats(1, 100), st.floats(0.01, 1))
def test_binance_counts_maintenance_margin_alone(leverage, share):
    position = {
        "side": "long",
        "entry_price": 100.0,
        "amount": 1.0,
        "leverage": leverage,
        "maintenance_margin_rate": 0.99 * share / leverage,
    }
    assert liquidation_price(**position, rule=margin_rule("binance")) == liquidation_price(**position)


def test_what_cannot_go_bankrupt_pays_no_fee_at_bankruptcy():
    """100.5 behind a long of 100 that must keep 1: half a coin of quote is needed, and closing at no price costs nothing."""
    rule = MarginRule(maintenance_on="entry", closing_fee_on="bankruptcy", closing_fee_rate=0.001)
    price = liquidation_price(side="long", entry_price=100, amount=1, margin=100.5, maintenance_margin_rate=0.01, rule=rule)
    assert price == pytest.approx(0.5, rel=1e-9)


def test_venues_by_any_of_their_names():
    assert margin_rule("binanceusdm") is margin_rule(" Binance") is margin_rule("binance")
    assert margin_rule("okex-swap") is margin_rule("okx")
    assert all(margin_rule(venue).source for venue in ("binance", "bybit", "hyperliquid", "okx"))
    with pytest.raises(ConfigError, match=r"venue: no margin rule is known for 'okz'; did you mean 'okx'\?"):
        margin_rule("okz")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"maintenance_on": "index"}, r"maintenance_on: 'index' must be 'mark' or 'entry'"),
        ({"closing_fee_on": "entry"}, r"closing_fee_on: 'entry' must be 'mark' or 'bankruptcy'"),
        ({"closing_fee_rate": 1.0}, r"closing_fee_rate: 1.0 must be a fraction from 0 to below 1"),
        ({"closing_fee_rate": math.nan}, r"closing_fee_rate: nan"),
    ],
)
def test_bad_rules(fields, message):
    with pytest.raises(ConfigError, match=message):
        MarginRule(**fields)

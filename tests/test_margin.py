"""Liquidation prices: published cases, and the definition itself on every shipped bracket table."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liqbt.errors import ConfigError
from liqbt.margin import (
    GENERIC_TIERS,
    LeverageTier,
    _shipped,
    bankruptcy_price,
    leverage_tiers,
    liquidation_price,
    max_leverage,
    tiers_from_ccxt,
    tiers_or_generic,
)

SHIPPED = [(venue, symbol) for venue, symbols in _shipped().items() for symbol in symbols]
HUGE = 1e8  # quote: past the last bracket of small symbols, deep in those of large ones


def maintenance_margin(tiers, notional):
    """What the venue demands, bracket by bracket as an income tax; the last bracket goes on for ever."""
    open_ended = [*(tier.max_notional for tier in tiers[:-1]), math.inf]
    return math.fsum(
        tier.maintenance_margin_rate * max(0.0, min(notional, top) - tier.min_notional) for tier, top in zip(tiers, open_ended, strict=True)
    )


@pytest.mark.parametrize(
    ("side", "amount", "entry", "margin", "rate", "constant", "fee", "expected", "tolerance"),
    [
        # Binance FAQ b3c689c1f50a44cabb3a84e663b81d93, as in freqtrade tests/exchange/test_binance.py @c9ae5e1e9
        pytest.param("long", 3683.979, 1456.84, 1535443.01, 0.1, 135365, 0, 1114.78, 0.01, id="binance isolated ETH"),
        pytest.param("long", 109.488, 32481.98, 1535443.01, 0.025, 16300, 0, 18778.73, 0.01, id="binance isolated BTC"),
        # the same; margin is wallet balance - maintenance of other positions + their unrealised profit
        pytest.param("long", 3683.979, 1456.84, 1407887.62856, 0.1, 135365, 0, 1153.26, 0.01, id="binance cross ETH"),
        pytest.param("long", 109.488, 32481.98, 730737.612, 0.025, 16300, 0, 26316.89, 0.01, id="binance cross BTC"),
        # Bybit UTA trading rules, "Liquidation Price Calculation under Isolated Mode"
        pytest.param("long", 1, 40000, 3801.6509079994, 0.005, 0, 0, 36380.25, 0.01, id="bybit"),
        # phemex.com/help-center/liq-price-for-USDTM: taker fee in the requirement
        pytest.param("long", 500, 0.4, 40.096, 0.01, 0, 0.0006, 0.3232, 1e-4, id="phemex"),
        # derived: Hyperliquid's price - side * margin_available / size / (1 - l * side), l = 1 / (2 * 50)
        pytest.param("long", 1, 100, 10, 0.01, 0, 0, 90.909090909, 1e-6, id="hyperliquid long"),
        pytest.param("short", 1, 100, 10, 0.01, 0, 0, 108.910891089, 1e-6, id="hyperliquid short"),
    ],
)
def test_published_cases(side, amount, entry, margin, rate, constant, fee, expected, tolerance):
    price = liquidation_price(
        side=side,
        entry_price=entry,
        amount=amount,
        margin=margin,
        maintenance_margin_rate=rate,
        maintenance_amount=constant,
        closing_fee_rate=fee,
    )
    assert price == pytest.approx(expected, abs=tolerance)


def test_the_bracket_is_that_of_the_notional_at_liquidation():
    """Derived from the rule of the Binance FAQ: 820k at entry is bracket 3 (90404.70), 741k at liquidation is bracket 2."""
    price = liquidation_price(side="long", entry_price=100_000, amount=8.2, leverage=10, tiers=leverage_tiers("binance", "BTCUSDT"))
    assert price == pytest.approx(90415.49209461943, abs=1e-6)


def test_a_50x_altusdt_long_dies_after_half_a_percent():
    tiers = leverage_tiers("binance", "ALTUSDT")
    assert max_leverage(tiers) == 50
    price = liquidation_price(side="long", entry_price=0.01, amount=1000, leverage=50, tiers=tiers)
    assert 1 - price / 0.01 == pytest.approx(0.005, abs=2e-4)


def test_bankruptcy():
    assert bankruptcy_price(side="long", entry_price=60_000, leverage=50) == pytest.approx(58_800, abs=1e-9)  # Bybit, "Bankruptcy Price"
    assert bankruptcy_price(side="short", entry_price=60_000, leverage=50) == pytest.approx(61_200, abs=1e-9)


positions = st.tuples(
    st.sampled_from(SHIPPED), st.sampled_from(("long", "short")), st.floats(-1, math.log10(HUGE)), st.floats(-5, 5), st.floats(0, 1)
)


@given(positions)
def test_equity_is_the_requirement_at_the_liquidation_price(position):
    (venue, symbol), side, log_notional, log_price, aggression = position
    tiers = leverage_tiers(venue, symbol)
    entry = 10**log_price
    amount = 10**log_notional / entry
    leverage = max_leverage(tiers, amount * entry) ** aggression
    price = liquidation_price(side=side, entry_price=entry, amount=amount, leverage=leverage, tiers=tiers)
    sign = 1 if side == "long" else -1

    def slack(at):
        return amount * entry / leverage + sign * amount * (at - entry) - maintenance_margin(tiers, amount * at)

    if price == 0.0:
        assert slack(0.0) >= -1e-9 * amount * entry
        return
    assert slack(price) == pytest.approx(0.0, abs=1e-9 * amount * max(entry, price))
    assert slack(price * (1 + sign * 1e-6)) > 0 > slack(price * (1 - sign * 1e-6))
    assert sign * (entry - price) > 0  # the venue's own limit on leverage leaves every position some room


@given(st.sampled_from(SHIPPED), st.sampled_from(("long", "short")), st.floats(-1, math.log10(HUGE)), st.floats(0.002, 3))
def test_the_bracket_used_holds_the_notional_at_the_price(shipped, side, log_notional, margin_share):
    tiers, notional = leverage_tiers(*shipped), 10**log_notional
    price = liquidation_price(side=side, entry_price=1.0, amount=notional, margin=margin_share * notional, tiers=tiers)
    used = next((tier for tier in tiers if tier.min_notional <= notional * price <= tier.max_notional), tiers[-1])
    alone = liquidation_price(
        side=side,
        entry_price=1.0,
        amount=notional,
        margin=margin_share * notional,
        maintenance_margin_rate=used.maintenance_margin_rate,
        maintenance_amount=used.maintenance_amount,
    )
    assert price == pytest.approx(alone, rel=1e-9)


@pytest.mark.parametrize(("venue", "symbol"), SHIPPED)
def test_shipped_brackets_are_continuous_and_get_stricter(venue, symbol):
    tiers = leverage_tiers(venue, symbol)
    assert tiers[0].min_notional == 0
    for below, above in pairwise(tiers):
        edge = above.min_notional
        assert below.max_notional == edge
        demanded = [edge * tier.maintenance_margin_rate - tier.maintenance_amount for tier in (below, above)]
        assert demanded[0] == pytest.approx(demanded[1], rel=1e-12)
        assert demanded[0] == pytest.approx(maintenance_margin(tiers, edge), rel=1e-12)
        assert above.maintenance_margin_rate > below.maintenance_margin_rate
        assert above.max_leverage <= below.max_leverage
    for tier in tiers:
        assert tier.max_leverage * tier.maintenance_margin_rate < 1


def test_a_long_without_borrowed_money_is_never_liquidated():
    assert liquidation_price(side="long", entry_price=100, amount=1, leverage=1, tiers=GENERIC_TIERS) == 0.0
    assert liquidation_price(side="short", entry_price=100, amount=1, leverage=1, tiers=GENERIC_TIERS) == pytest.approx(200 / 1.005)


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
        ({"leverage": -5.0}, r"leverage: -5.0"),
        ({"leverage": math.nan}, r"leverage: nan"),
        ({"leverage": None}, r"exactly one of leverage and margin"),
        ({"margin": 10.0}, r"exactly one of leverage and margin"),
        ({"leverage": None, "margin": -1.0}, r"margin: -1.0"),
        ({"maintenance_margin_rate": None}, r"exactly one of tiers and maintenance_margin_rate"),
        ({"tiers": GENERIC_TIERS}, r"exactly one of tiers and maintenance_margin_rate"),
        ({"maintenance_margin_rate": 1.0}, r"maintenance_margin_rate: 1.0 .* must be a fraction"),
        ({"maintenance_margin_rate": -0.1}, r"maintenance_margin_rate: -0.1"),
        ({"maintenance_margin_rate": math.nan}, r"maintenance_margin_rate: nan"),
        ({"closing_fee_rate": 0.99}, r"closing_fee_rate 0.99"),
        (
            {"maintenance_margin_rate": None, "tiers": GENERIC_TIERS, "leverage": 101.0},
            r"leverage: 101 is above the venue's maximum of 100",
        ),
    ],
)
def test_bad_positions(changes, message):
    with pytest.raises(ConfigError, match=message):
        price_of(**changes)


def test_leverage_is_limited_by_the_bracket_of_the_entry():
    tiers = leverage_tiers("binance", "BTCUSDT")
    assert [max_leverage(tiers, notional) for notional in (0, 300_000, 300_001, 1e12)] == [150, 150, 100, tiers[-1].max_leverage]
    with pytest.raises(ConfigError, match=r"leverage: 150 is above the venue's maximum of 100 for a position of 400000 quote"):
        liquidation_price(side="long", entry_price=100_000, amount=4, leverage=150, tiers=tiers)


@pytest.mark.parametrize(
    ("venue", "symbol", "message"),
    [
        ("binanse", "BTCUSDT", r"no leverage tiers are shipped for 'binanse'; did you mean 'binance'\?"),
        ("binance", "BTCUSD", r"no leverage tiers are shipped for 'BTCUSD' on binance; did you mean 'BTCUSDT'\?"),
        ("binance", "qqqq", r"'qqqq' on binance; known: .*ALTUSDT"),
    ],
)
def test_what_is_not_shipped(venue, symbol, message):
    with pytest.raises(ConfigError, match=message):
        leverage_tiers(venue, symbol)
    tiers, notes = tiers_or_generic(venue, symbol)
    assert tiers == GENERIC_TIERS
    assert notes == (f"no leverage tiers are shipped for {symbol} on {venue}: 0.50% maintenance margin and at most 100x are assumed",)


def test_shipped_tiers_come_without_a_note():
    assert tiers_or_generic("binance", "BTCUSDT") == (leverage_tiers("binance", "BTCUSDT"), ())


def bracket(low, high, rate=0.01, leverage=50):
    return {"minNotional": low, "maxNotional": high, "maintenanceMarginRate": rate, "maxLeverage": leverage}


def test_ccxt_brackets_in_any_order_with_an_open_end():
    tiers = tiers_from_ccxt([bracket(100, None, 0.05, 10), bracket(0, 100, 0.01, 50)])
    assert [tier.min_notional for tier in tiers] == [0, 100]
    assert tiers[1].max_notional == math.inf
    assert [tier.maintenance_amount for tier in tiers] == [0, pytest.approx(4.0)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], r"the table is empty"),
        ([bracket(10, 100)], r"a bracket starts at 10.0, the one below ends at 0.0"),
        ([bracket(0, 100), bracket(200, 300, 0.02)], r"a bracket starts at 200.0, the one below ends at 100.0; brackets must join"),
        ([bracket(0, 100), bracket(50, 300, 0.02)], r"a bracket starts at 50.0, the one below ends at 100.0"),
        ([bracket(0, None), bracket(100, 300, 0.02)], r"the one below ends at inf"),
        ([bracket(0, 0)], r"min_notional 0.0 must be at least 0 and below max_notional 0.0"),
        ([bracket(0, 100, 1.5)], r"maintenance_margin_rate 1.5"),
        ([bracket(0, 100, 0.0)], r"maintenance_margin_rate 0.0"),
        ([bracket(0, 100, 0.01, 0.5)], r"max_leverage 0.5"),
        ([bracket(0, 100, 0.05), bracket(100, None, 0.01)], r"maintenance_margin_rate falls to 0.01 at 100.0"),
        ([{"minNotional": 0.0, "maxNotional": None, "maxLeverage": 50}], r"a bracket lacks maintenanceMarginRate"),
        ([{"maxNotional": None}], r"a bracket lacks minNotional"),
    ],
)
def test_bad_ccxt_tables(rows, message):
    with pytest.raises(ConfigError, match=message):
        tiers_from_ccxt(rows)


def test_a_bracket_takes_no_nan():
    with pytest.raises(ConfigError, match=r"max_leverage nan"):
        LeverageTier(min_notional=0, max_notional=1, maintenance_margin_rate=0.01, max_leverage=math.nan, maintenance_amount=0)

"""Every published or derived case, with its source; figures of another account are rebuilt here from what the source gives."""

import math

import pytest

from liqbt.margin import MarginRule, bankruptcy_price, leverage_tiers, liquidation_price, margin_rule

AT_ENTRY = MarginRule(maintenance_on="entry")
BITMEX = MarginRule(maintenance_on="entry", closing_fee_on="bankruptcy", closing_fee_rate=0.00075)


def case(name, expected, tolerance, **position):
    return pytest.param({"side": "long", **position}, expected, tolerance, id=name)


@pytest.mark.parametrize(
    ("position", "expected", "tolerance"),
    [
        # Binance FAQ b3c689c1f50a44cabb3a84e663b81d93, as in freqtrade tests/exchange/test_binance.py @c9ae5e1e9
        case(
            "binance_um_iso_1", 1114.78, 0.01,
            entry_price=1456.84, amount=3683.979, margin=1535443.01, maintenance_margin_rate=0.1, maintenance_amount=135365,
        ),
        case(
            "binance_um_iso_2", 18778.73, 0.01,
            entry_price=32481.98, amount=109.488, margin=1535443.01, maintenance_margin_rate=0.025, maintenance_amount=16300,
        ),
        # the same; margin is wallet balance - maintenance of other positions + their unrealised profit
        case(
            "binance_um_cross_1", 1153.26, 0.01,
            entry_price=1456.84, amount=3683.979, margin=1407887.62856, maintenance_margin_rate=0.1, maintenance_amount=135365,
        ),
        case(
            "binance_um_cross_2", 26316.89, 0.01,
            entry_price=32481.98, amount=109.488, margin=730737.612, maintenance_margin_rate=0.025, maintenance_amount=16300,
        ),
        # what Binance's page showed (dev.binance.vision/t/.../6292), cum from FAQ ceccfcfb4e3a45e3b48b0b1bb1a8ae46
        case(
            "binance_cm_1", 33599.4, 0.05, contract="inverse",
            entry_price=45000, amount=10_000_000, margin=101, maintenance_margin_rate=0.125, maintenance_amount=11.605,
        ),
        # Bybit, "Liquidation Price Calculation under Isolated Mode": 50x, then 3,000 added, which counts 3,000 / (1 - 0.00055)
        case("bybit_linear_2026", 36380.25, 0.01, entry_price=40000, amount=1, margin=3801.6509079994, maintenance_margin_rate=0.005),
        case(
            "bybit_linear_2026 from its parts", 36380.25, 0.01, rule=margin_rule("bybit"),
            entry_price=40000, amount=1, margin=800 + 0.00055 * 39200 + 3000, maintenance_margin_rate=0.005,
        ),
        # Bybit, "Liquidation Price (USDT Contract)", before unified accounts: maintenance margin of the value at entry
        case("bybit_linear_legacy", 19700, 1e-9, rule=AT_ENTRY, entry_price=20000, amount=1, leverage=50, maintenance_margin_rate=0.005),
        # help.mcs.io 360041008371, which does as BitMEX did: E L / (L (1 -+ m) +- 1)
        case(
            "mcs_inverse_long", 1826.48, 0.01, rule=AT_ENTRY, contract="inverse",
            entry_price=2000, amount=1, leverage=10, maintenance_margin_rate=0.005,
        ),
        case(
            "mcs_inverse_short", 2209.94, 0.01, rule=AT_ENTRY, contract="inverse", side="short",
            entry_price=2000, amount=1, leverage=10, maintenance_margin_rate=0.005,
        ),
        # phemex.com/help-center/liq-price-for-USDTM: taker fee in the requirement
        case(
            "phemex_linear", 0.3232, 1e-4,
            entry_price=0.4, amount=500, margin=40.096, maintenance_margin_rate=0.01, closing_fee_rate=0.0006,
        ),
        # derived: Hyperliquid's price - side * margin_available / size / (1 - l * side), l = 1 / (2 * 50)
        case("hl_equiv_long", 90.909090909, 1e-6, entry_price=100, amount=1, margin=10, maintenance_margin_rate=0.01),
        case("hl_equiv_short", 108.910891089, 1e-6, side="short", entry_price=100, amount=1, margin=10, maintenance_margin_rate=0.01),
        # derived from the rule of the Binance FAQ: 820k at entry is bracket 3 (90404.70), 741k at liquidation is bracket 2
        case(
            "binance_tier_at_liq_notional", 90415.49209461943, 1e-6,
            entry_price=100_000, amount=8.2, leverage=10, tiers=leverage_tiers("binance", "BTCUSDT"),
        ),
        # derived, medium @zoomerjd 2020-02-24 and docs.twilight.finance: maintenance of the entry value, fee and funding of the value
        # at bankruptcy
        case(
            "bitmex_like_long", 9577.557866407435, 0.01, rule=BITMEX, contract="inverse",
            entry_price=10000, amount=200_000, leverage=20, maintenance_margin_rate=0.005, closing_fee_rate=0.00075 + 0.0001,
        ),
        # help.bybit.com 360039261334, cross margin before unified accounts; its 5739.50 is rounded up to the tick of 0.5
        case(
            "bybit_inverse_legacy_cross", 5739.5, 0.5, rule=BITMEX, contract="inverse",
            entry_price=8000, amount=10_000, margin=0.5, maintenance_margin_rate=0.005,
        ),
    ],
)  # fmt: skip
def test_liquidation_price(position, expected, tolerance):
    assert liquidation_price(**position) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("position", "expected", "tolerance"),
    [
        case("bybit_bankruptcy_long", 58800, 1e-9, entry_price=60_000, leverage=50),  # Bybit, "Bankruptcy Price (USDT Contract)"
        case("linear short", 61200, 1e-9, side="short", entry_price=60_000, leverage=50),
        # help.bybit.com 360039261334: 1.00075 * 10000 / (10000 / 8000 + 0.5)
        case(
            "bybit_inverse_legacy_cross", 5718.57, 0.005, contract="inverse",
            entry_price=8000, amount=10_000, margin=0.5, closing_fee_rate=0.00075,
        ),
        # docs.twilight.finance: E L / (L +- 1)
        case("inverse long", 10000 * 20 / 21, 1e-9, contract="inverse", entry_price=10_000, leverage=20),
        case("inverse short", 10000 * 20 / 19, 1e-9, contract="inverse", side="short", entry_price=10_000, leverage=20),
        case("linear long that cannot lose it all", 0.0, 0, entry_price=100, amount=2, margin=201),
        case("inverse short that cannot lose it all", math.inf, 0, contract="inverse", side="short", entry_price=100, leverage=1),
    ],
)  # fmt: skip
def test_bankruptcy_price(position, expected, tolerance):
    assert bankruptcy_price(**position) == pytest.approx(expected, abs=tolerance)


def test_a_50x_altusdt_long_dies_after_half_a_percent():
    tiers = leverage_tiers("binance", "ALTUSDT")
    price = liquidation_price(side="long", entry_price=0.01, amount=1000, leverage=50, tiers=tiers)
    assert 1 - price / 0.01 == pytest.approx(0.005, abs=2e-4)

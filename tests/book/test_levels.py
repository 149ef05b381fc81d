"""Where each leverage and size is liquidated, and how fast it closes."""

import math
from dataclasses import replace

import numpy as np
import pytest

from liqbt.book.levels import liquidation_levels
from liqbt.book.params import BookParams, LeverageMix
from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.margin import GENERIC_TIERS, LeverageTier, TierTable, liquidation_price

SMALL = LeverageTier(min_notional=0, max_notional=50_000, maintenance_margin_rate=0.005, max_leverage=100, maintenance_amount=0)
LARGE = LeverageTier(min_notional=50_000, max_notional=math.inf, maintenance_margin_rate=0.02, max_leverage=20, maintenance_amount=750)
TIERS = (SMALL, LARGE)
MIX = LeverageMix.of({10.0: 1.0, 50.0: 3.0})


@pytest.fixture(scope="module")
def market(make_market):
    return make_market(close=[100.0] * 3, open_interest=[5.0] * 3)


def test_small_positions_die_where_the_formula_says(market):
    _, levels, notes = liquidation_levels(market, MIX, BookParams(), GENERIC_TIERS)
    np.testing.assert_allclose(np.exp(levels.shift[:, :, 0]), [[0.9 / 0.995, 0.98 / 0.995], [1.1 / 1.005, 1.02 / 1.005]], rtol=1e-12)
    np.testing.assert_array_equal(levels.share, 1)
    np.testing.assert_array_equal(levels.multiple, 1)
    assert notes == ()


def test_a_rate_of_ones_own_replaces_the_brackets(market):
    _, levels, _ = liquidation_levels(market, MIX, BookParams(maintenance_margin_rate=0.01), TIERS)
    np.testing.assert_allclose(np.exp(levels.shift[:, 0, 0]), [0.9 / 0.99, 1.1 / 1.01], rtol=1e-12)


def test_inverse_contracts_die_at_inverse_prices(market):
    tiers = (
        LeverageTier(
            min_notional=0, max_notional=math.inf, maintenance_margin_rate=0.004, max_leverage=125, maintenance_amount=0, contract="inverse"
        ),
    )
    _, levels, _ = liquidation_levels(market, MIX, BookParams(), tiers)
    np.testing.assert_allclose(np.exp(levels.shift[:, 0, 0]), [1.004 / 1.1, 0.996 / 0.9], rtol=1e-12)


def test_sizes_spread_over_the_brackets_and_what_cannot_be_is_left_to_smaller_ones(market):
    """Eighths of a lognormal: z = +-0.157, +-0.489, +-0.887, +-1.534. At a median of the bound, half of them may not have 50x."""
    _, levels, notes = liquidation_levels(market, MIX, BookParams(median_notional=50_000, notional_sigma=1.0), TIERS)
    np.testing.assert_allclose(levels.share[:, 0], 1 / 8)
    np.testing.assert_allclose(levels.share[:, 1], np.broadcast_to([0.25] * 4 + [0.0] * 4, (2, 8)))
    notional = 50_000 * math.exp(1.5341205)
    expected = [liquidation_price(side=side, entry_price=1.0, amount=notional, leverage=10, tiers=TIERS) for side in ("long", "short")]
    np.testing.assert_allclose(np.exp(levels.shift[:, 0, 7]), expected, rtol=1e-9)
    np.testing.assert_allclose(np.exp(levels.shift[0, 0, 0]), 0.9 / 0.995, rtol=1e-12)
    assert np.isfinite(levels.shift).all()
    assert notes == ("the largest of the assumed positions cannot have 50x: that leverage is left to smaller ones",)


def test_leverage_that_no_size_can_have_is_dropped(market):
    mix, levels, notes = liquidation_levels(market, MIX, BookParams(median_notional=5e6, notional_sigma=0.1), TIERS)
    assert mix.leverage == (10.0,)
    assert levels.shift.shape == (2, 1, 8)
    assert any(note.startswith("leverage 50x is above the venue's maximum of 100x for TESTUSDT, or has no size") for note in notes)
    with pytest.raises(ConfigError, match=r"^median_notional: 5e\+06 allows none of the leverages 50; assume smaller"):
        liquidation_levels(market, LeverageMix.of({50.0: 1.0}), BookParams(median_notional=5e6, notional_sigma=0.1), TIERS)


def test_nearer_positions_close_faster(market):
    _, levels, _ = liquidation_levels(market, MIX, BookParams(hazard_exponent=0.5, hazard_distance=0.02), GENERIC_TIERS)
    long = [1 - 0.9 / 0.995, 1 - 0.98 / 0.995]
    np.testing.assert_allclose(levels.multiple[0], [(d / 0.02) ** -0.5 for d in long], rtol=1e-12)
    assert levels.multiple[0, 1] > 1 > levels.multiple[0, 0]


def test_sizes_reach_the_book(make_market):
    """A fall of 8.4 % at 10x: small positions die at 9.55 %, those of millions at 8.3 %, and so only part of what was opened."""
    table = TierTable(venue="nowhere", symbol="TESTUSDT", tiers=TIERS)
    market = make_market(close=[100.0, 100.0, 91.6], volume=[0, 100, 0], open_interest=[5.0, 105.0, 105.0])
    market = replace(market, tiers=table)
    ten = LeverageMix.of({10.0: 1.0})
    small, mixed = (reconstruct(market, ten, BookParams(median_notional=size)) for size in (None, 50_000))
    assert small.swept[2, 0, 0] == 0.0
    assert 0.1 * 100 < mixed.swept[2, 0, 0] < 0.5 * 100
    np.testing.assert_allclose(mixed.live[2, 0] + mixed.swept[2, 0], 100.0, rtol=1e-12)

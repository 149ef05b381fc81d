"""Margin, funding and liquidation, worked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hand_markets import CALM, FREE, FUNDED, ended, market_of, reasons, wishes

from liqbt._jit import kernel
from liqbt.margin import GENERIC_TIERS, MarginRule, TierArrays, leverage_tiers, liquidation_price, liquidation_prices, margin_rule
from liqbt.scoring import EquityShare, backtest
from liqbt.scoring._account import reprice
from liqbt.scoring._records import SLOT, VENUE


def test_funding_is_not_paid_at_the_open_of_the_entry():
    market = market_of(CALM, CALM, (110, 111, 109, 110), funding={1: 0.01, 2: 0.02})
    long = backtest(wishes(market, {0: 1}), market, costs=FUNDED)
    assert long.fills.trades["funding"].tolist() == pytest.approx([100 * 110 * 0.02])
    short = backtest(wishes(market, {0: -1}), market, costs=FUNDED)
    assert short.fills.trades["funding"].tolist() == pytest.approx([-100 * 110 * 0.02])


def test_funding_is_paid_by_a_position_that_leaves_at_that_open_at_the_mark_known_then():
    mark = [CALM, (105, 105, 105, 105), CALM, CALM]
    market = market_of(CALM, CALM, (110, 111, 109, 110), CALM, funding={2: 0.02}, mark=mark)
    score = backtest(wishes(market, {0: 1}, max_bars=1), market, costs=FUNDED)
    assert score.fills.trades["funding"].tolist() == pytest.approx([100 * 105 * 0.02])
    assert reasons(score) == ["entry", "funding", "time"]


def test_liquidation_at_10x_loses_the_margin():
    market = market_of(CALM, CALM, (100, 100, 90, 95))
    score = backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=10, sizing=EquityShare(share=0.5))
    assert ended(score) == [(1, 2, 1, pytest.approx(90.0), "liquidation")]  # 90.45 triggers, 90 is bankruptcy
    assert score.fills.equity[-1] == pytest.approx(5_000)
    alive = market_of(CALM, CALM, (100, 100, 90.46, 95))
    assert ended(backtest(wishes(alive, {0: 1}), alive, costs=FREE, leverage=10))[0][-1] == "open"


def test_the_mark_liquidates_where_it_is_recorded():
    bars = (CALM, CALM, (100, 100, 85, 95))
    spared = market_of(*bars, mark=[CALM, CALM, (100, 100, 95, 95)])
    assert ended(backtest(wishes(spared, {0: 1}), spared, costs=FREE, leverage=10))[0][-1] == "open"
    struck = market_of(CALM, CALM, CALM, mark=[CALM, CALM, (100, 100, 85, 95)])
    assert ended(backtest(wishes(struck, {0: 1}), struck, costs=FREE, leverage=10))[0][-1] == "liquidation"


@pytest.mark.parametrize(("stop", "bar", "reason", "price"), [
    (92, (100, 100, 80, 85), "stop", 92.0),             # the stop lies before the liquidation price
    (89, (100, 100, 80, 85), "liquidation", 90.0),      # behind it
    (90.2, (100, 100, 80, 85), "liquidation", 90.0),    # behind it, though before bankruptcy
    (92, (88, 89, 80, 85), "liquidation", 90.0),        # the open has passed both
    (92, (91, 91, 80, 85), "stop", 91.0),               # the open has passed the stop alone
])  # fmt: skip
def test_stop_or_liquidation(stop, bar, reason, price):
    market = market_of(CALM, CALM, bar)
    assert ended(backtest(wishes(market, {0: 1}, stop=stop), market, costs=FREE, leverage=10)) == [(1, 2, 1, pytest.approx(price), reason)]


def test_margin_and_entry_fee_are_the_share_of_equity():
    market = market_of(CALM, CALM, (100, 100, 90, 90))
    costs = dataclasses.replace(FREE, taker_fee_rate=0.0005)
    score = backtest(wishes(market, {0: 1}), market, costs=costs, leverage=100)
    entry = score.fills.orders[0]
    assert entry["size"] * entry["price"] == pytest.approx(1_000_000 / 1.05)
    assert entry["size"] * entry["price"] / 100 + entry["fee"] == pytest.approx(10_000)
    assert score.fills.equity[-1] == pytest.approx(0.0, abs=1e-9)  # margin and fee are lost, and no more
    half = backtest(wishes(market, {0: 1}), market, costs=costs, leverage=100, sizing=EquityShare(share=0.5))
    assert half.fills.equity[-1] == pytest.approx(5_000)


@pytest.mark.parametrize(("share", "rates", "low", "ending"), [
    (1.0, {}, 91.4, "open"),                        # 90.45 triggers
    (1.0, {2: 0.01}, 91.4, 91.0),                   # a tenth of the margin is gone: (100 - 9) / 0.995 = 91.457 triggers
    (1.0, {2: 0.01}, 91.46, "open"),
    (0.5, {2: 0.01}, 91.4, "open"),                 # the wallet pays
    (1.0, {2: 0.01, 3: -0.01}, 91.4, "open"),       # what is received fills the margin again
    (1.0, {2: 0.5}, 99.9, 100.0),                   # nothing is left
])  # fmt: skip
def test_funding_that_the_wallet_cannot_cover_drains_the_margin(share, rates, low, ending):
    market = market_of(CALM, CALM, (100, 100, 99.8, 100), (100, 100, low, 100), funding=rates)
    score = backtest(wishes(market, {0: 1}), market, costs=FUNDED, leverage=10, sizing=EquityShare(share=share))
    _, _, _, price, reason = ended(score)[0]
    if ending == "open":
        assert reason == "open"
    else:
        assert (reason, price) == ("liquidation", pytest.approx(ending))
        assert score.fills.equity[-1] == 0
        assert score.fills.trades["funding"][0] <= 10_000


def test_funding_at_a_gap_beyond_bankruptcy_is_paid_from_the_rest_of_the_wallet():
    market = market_of(CALM, CALM, (50, 51, 49, 50), funding={2: 0.01})
    score = backtest(wishes(market, {0: 1}), market, costs=FUNDED, leverage=10, sizing=EquityShare(share=0.5))
    assert score.fills.trades["funding"].tolist() == pytest.approx([500 * 50 * 0.01])
    assert ended(score) == [(1, 2, 1, pytest.approx(90.0), "liquidation")]
    assert score.fills.equity[-1] == pytest.approx(5_000 - 250)


def test_funding_is_paid_from_profit_too():
    # 15 % of 110,000 is more than the margin of 10,000: 6,500 of the profit is owed, and 106.5 / 0.995 = 107.04 triggers
    rise, fall = (100, 110, 100, 110), (110, 110, 107, 109)
    market = market_of(CALM, rise, fall, funding={2: 0.15})
    score = backtest(wishes(market, {0: 1}), market, costs=FUNDED, leverage=10)
    assert ended(score) == [(1, 2, 1, pytest.approx(106.5), "liquidation")]
    assert score.fills.trades["pnl"][0] == pytest.approx(-10_000)
    assert score.fills.equity[-1] == pytest.approx(0.0, abs=1e-9)
    alive = market_of(CALM, rise, (110, 110, 107.1, 109), funding={2: 0.15})
    assert backtest(wishes(alive, {0: 1}), alive, costs=FUNDED, leverage=10).fills.equity[-1] == pytest.approx(2_500)


@pytest.mark.parametrize("leaving", [{"exits": [1]}, {"max_bars": 1}, {"entries": {0: 1, 1: -1}}], ids=["exit", "time", "reversal"])
@pytest.mark.parametrize("price", [90.2, 80.0])  # 90.45 triggers, 90 is bankruptcy
def test_an_open_beyond_the_liquidation_price_comes_before_all_that_is_voluntary(leaving, price):
    market = market_of(CALM, CALM, (price, price, price, price))
    options = {"entries": {0: 1}, **leaving}
    score = backtest(wishes(market, **options), market, costs=FREE, leverage=10, sizing=EquityShare(share=0.5))
    assert ended(score)[0] == (1, 2, 1, pytest.approx(90.0), "liquidation")
    assert score.fills.position[-1] == (-1 if "entries" in leaving else 0)
    assert score.fills.equity[-1] == pytest.approx(5_000)


def test_an_entry_in_the_direction_that_was_liquidated_opens_anew():
    market = market_of(CALM, CALM, (80, 81, 79, 80))
    score = backtest(wishes(market, {0: 1, 1: 1}), market, costs=FREE, leverage=10, sizing=EquityShare(share=0.5))
    assert [one[:2] for one in ended(score)] == [(1, 2), (2, -1)]
    assert score.fills.trades["entry_price"][1] == 80


def test_the_open_that_liquidates_is_that_of_trades():
    market = market_of(CALM, CALM, (80, 100, 80, 100), mark=[CALM] * 3)
    assert ended(backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=10))[0][-1] == "liquidation"


def test_a_stop_whose_slippage_would_lose_more_than_the_margin_is_a_liquidation():
    # entry at 103, bankrupt at 92.7, liquidated at 93.17; a stop at 94 would fill at 91.18
    market = market_of(CALM, CALM, (100, 100, 93.5, 95))
    costs = dataclasses.replace(FREE, slippage_bps=300)
    score = backtest(wishes(market, {0: 1}, stop=94), market, costs=costs, leverage=10)
    assert ended(score) == [(1, 2, 1, pytest.approx(92.7), "liquidation")]
    assert score.fills.orders["slippage"][1] == 0
    assert score.fills.equity[-1] == 0


def test_an_exit_whose_fee_would_lose_more_than_the_margin_is_a_liquidation():
    market = market_of(CALM, CALM, (91, 92, 91, 91))  # 9 of 10 are lost, and the fee is 1.82
    costs = dataclasses.replace(FREE, taker_fee_rate=0.02)
    score = backtest(wishes(market, {0: 1}, exits=[1]), market, costs=costs, leverage=10)
    assert ended(score) == [(1, 2, 1, pytest.approx(90.0), "liquidation")]
    assert score.fills.equity[-1] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("venue", "leverage"), [("bybit", 10), ("bybit", 50), ("okx", 10), ("okx", 50), ("binance", 50), ("nowhere", 3)])
def test_the_closing_fee_counts_as_the_venue_counts_it(venue, leverage, side):
    rule = MarginRule() if venue == "nowhere" else margin_rule(venue)
    sizing = EquityShare(share=0.4)
    price = liquidation_price(
        side="long" if side > 0 else "short", entry_price=100, amount=1, leverage=leverage, tiers=GENERIC_TIERS, rule=rule
    )
    for nearly, reason in ((1e-9, "open"), (-1e-9, "liquidation")):
        reached = price * (1 + side * nearly)
        extremes = (100, reached) if side > 0 else (reached, 100)
        market = market_of(CALM, (100, 100, 100, 100), (100, *extremes, 100), venue=venue)
        score = backtest(wishes(market, {0: side}), market, costs=FREE, leverage=leverage, sizing=sizing)
        assert ended(score)[0][-1] == reason


def test_margin_posts_the_closing_fee_where_the_venue_does():
    # Bybit, 10x long: 0.055 % of the value at bankruptcy, 90, comes with the 10 % of margin; both are put up, and both are lost
    market = market_of(CALM, CALM, (100, 100, 80, 85), venue="bybit")
    score = backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=10, sizing=EquityShare(share=0.5))
    notional = 5_000 / (0.1 + 0.00055 * 0.9)
    assert score.fills.orders["size"][0] * 100 == pytest.approx(notional)
    assert score.fills.equity[-1] == pytest.approx(5_000)
    short = backtest(wishes(market, {0: -1}), market, costs=FREE, leverage=10, sizing=EquityShare(share=0.5))
    assert short.fills.orders["size"][0] * 100 == pytest.approx(5_000 / (0.1 + 0.00055 * 1.1))


@kernel
def repriced(slots, venues, brackets):
    reprice(slots[0], 0, venues, brackets)
    return slots[0]["liquidation"]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("margin", [150_000.0, 90_000.0, -20_000.0])
@pytest.mark.parametrize("rule", [
    MarginRule(), margin_rule("bybit"), margin_rule("okx"),
    MarginRule(maintenance_on="entry", closing_fee_rate=0.0007), MarginRule(maintenance_on="entry", closing_fee_on="bankruptcy",
    closing_fee_rate=0.001),
])  # fmt: skip
def test_liquidation_prices_are_those_of_the_margin_room(rule, margin, side):
    tiers = leverage_tiers("binance", "BTCUSDT")  # 30 of them are 1.2 million: beyond the first bracket
    table = TierArrays.of(tiers)
    slots, venues = np.zeros(1, dtype=SLOT), np.zeros(1, dtype=VENUE)
    slots["side"], slots["amount"], slots["entry_price"], slots["margin"] = side, 30.0, 40_000.0, margin
    venues["mark_fee"], venues["entry_maintenance"] = rule.mark_fee_rate, rule.maintenance_on == "entry"
    venues["bankrupt_fee"] = rule.closing_fee_rate if rule.closing_fee_on == "bankruptcy" else 0.0
    expected = liquidation_prices(side=0 if side > 0 else 1, entry_price=40_000.0, amount=30.0, margin=margin, tiers=tiers, rule=rule)
    assert repriced(slots, venues, np.stack([table.rate, table.constant])[None]) == pytest.approx(float(expected), rel=1e-12)

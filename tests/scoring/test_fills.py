"""The fill loop: hand-worked bars, the oracle, conservation of money, and no look-ahead."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from generators import markets, signals_for
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from reference_fills import Account

from liqbt._typing import SIDES
from liqbt.errors import ConfigError
from liqbt.margin import GENERIC_TIERS
from liqbt.market import MarketFrame
from liqbt.scoring import Costs, backtest
from liqbt.scoring._kernels import REASONS
from liqbt.signals import Signals

FREE = Costs.free()
FEES = Costs(taker_fee_rate=0.001, maker_fee_rate=-0.0005, slippage_bps=10.0)
HEAVY = Costs(taker_fee_rate=0.049, maker_fee_rate=0.049, slippage_bps=1_000.0)  # the most that Costs admits


def market_of(*bars, funding=None, mark=None, missing=()):
    """A 1h market of (open, high, low, close) bars; `funding` is {bar: rate}, `mark` a list of bars."""
    stamps = pd.date_range("2026-01-05", periods=len(bars), freq="h", tz="UTC")
    kept = [i for i in range(len(bars)) if i not in missing]

    def table(rows):
        return pd.DataFrame(np.array(rows, dtype=float)[kept], columns=["open", "high", "low", "close"]).assign(timestamp=stamps[kept])

    tables = {}
    if funding:
        tables["funding"] = pd.DataFrame({"timestamp": stamps[list(funding)], "funding_rate": list(funding.values())})
    if mark:
        tables["mark"] = table(mark)
    return MarketFrame.from_frames(bars=table(bars).assign(volume=1.0), venue="nowhere", symbol="X", interval="1h", **tables)


def wishes(market, entries, *, exits=(), stop=None, target=None, max_bars=0):
    entry, leave = np.zeros(market.n_bars), np.zeros(market.n_bars)
    for bar, side in entries.items():
        entry[bar] = side
    leave[list(exits)] = 1
    return Signals.of(market, entry=entry, exit=leave, stop_price=stop, target_price=target, max_bars=max_bars)


def ended(score):
    """(entry bar, exit bar or -1, side, exit price, reason) of each trade."""
    rows = score.fills.trades
    return [(int(r["entry_bar"]), int(r["exit_bar"]), int(r["side"]), float(r["exit_price"]), REASONS[r["reason"]]) for r in rows]


CALM = (100, 101, 99, 100)


def test_a_wish_is_filled_at_the_next_open():
    market = market_of(CALM, (102, 103, 101, 102), CALM)
    score = backtest(wishes(market, {0: 1}), market, costs=FREE)
    assert score.fills.trades["entry_price"].tolist() == [102.0]
    assert score.fills.position.tolist() == [0, 1, 1]
    assert score.fills.equity == pytest.approx([10_000, 10_000, 10_000 * 100 / 102])


def test_a_wish_at_the_last_close_is_never_filled():
    market = market_of(CALM, CALM)
    assert backtest(wishes(market, {1: 1}), market, costs=FREE).fills.orders.size == 0


def test_stop_on_the_entry_bar():
    market = market_of(CALM, (100, 101, 94, 100), CALM)
    assert ended(backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE)) == [(1, 1, 1, 95.0, "stop")]


def test_gap_through_the_stop_fills_at_the_open():
    market = market_of(CALM, CALM, (90, 92, 89, 91))
    assert ended(backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE)) == [(1, 2, 1, 90.0, "stop")]


def test_stop_of_a_short_pays_slippage_and_taker_fee():
    market = market_of(CALM, (100, 106, 99, 100))
    costs = Costs(taker_fee_rate=0.001, maker_fee_rate=0, slippage_bps=10)
    row = backtest(wishes(market, {0: -1}, stop=105), market, costs=costs).fills.trades[0]
    assert row["entry_price"] == pytest.approx(99.9)
    assert row["exit_price"] == pytest.approx(105 * 1.001)
    notional = 10_000 / 1.001  # and the fee on it
    assert row["fees"] == pytest.approx(notional * 0.001 + notional / 99.9 * 105.105 * 0.001)
    assert row["slippage"] == pytest.approx(notional / 99.9 * (0.1 + 0.105))


def test_stop_and_target_in_one_bar_the_stop_wins():
    market = market_of(CALM, (100, 111, 94, 100))
    assert ended(backtest(wishes(market, {0: 1}, stop=95, target=110), market, costs=FREE)) == [(1, 1, 1, 95.0, "stop")]


def test_a_target_needs_trade_through():
    market = market_of(CALM, (100, 110, 99, 100), (100, 110.5, 99, 100))
    assert ended(backtest(wishes(market, {0: 1}, target=110), market, costs=FREE)) == [(1, 2, 1, 110.0, "target")]


def test_a_target_pays_the_maker_fee_and_no_slippage():
    market = market_of(CALM, (100, 112, 99, 100))
    row = backtest(wishes(market, {0: 1}, target=110), market, costs=FEES).fills.orders[1]
    assert (row["price"], row["slippage"]) == (110.0, 0.0)
    assert row["fee"] == pytest.approx(-0.0005 * 110 * row["size"])


def test_gap_beyond_the_target_fills_at_the_open_even_where_the_stop_follows():
    market = market_of(CALM, CALM, (115, 116, 90, 100))
    assert ended(backtest(wishes(market, {0: 1}, stop=95, target=110), market, costs=FREE)) == [(1, 2, 1, 115.0, "target")]


def test_reversal_closes_and_opens_at_one_open():
    market = market_of(CALM, CALM, (103, 104, 102, 103), CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE)
    assert ended(score)[0] == (1, 2, 1, 103.0, "reversal")
    assert score.fills.trades["side"].tolist() == [1, -1]
    assert score.fills.trades["entry_price"].tolist() == [100.0, 103.0]


def test_an_entry_in_the_direction_held_is_ignored():
    market = market_of(CALM, CALM, CALM, CALM)
    assert ended(backtest(wishes(market, {0: 1, 1: 1, 2: 1}), market, costs=FREE))[0][:3] == (1, -1, 1)


def test_exit_and_time_exit():
    market = market_of(*[CALM] * 8)
    assert ended(backtest(wishes(market, {0: 1}, max_bars=3), market, costs=FREE)) == [(1, 4, 1, 100.0, "time")]
    assert ended(backtest(wishes(market, {0: 1}, exits=[3]), market, costs=FREE)) == [(1, 4, 1, 100.0, "exit")]
    again = backtest(wishes(market, {0: 1, 3: 1}, exits=[3]), market, costs=FREE)
    assert [one[:2] for one in ended(again)] == [(1, 4), (4, -1)]


def test_funding_is_not_paid_at_the_open_of_the_entry():
    market = market_of(CALM, CALM, (110, 111, 109, 110), funding={1: 0.01, 2: 0.02})
    long = backtest(wishes(market, {0: 1}), market, costs=dataclasses.replace(FREE, funding=True))
    assert long.fills.trades["funding"].tolist() == pytest.approx([100 * 110 * 0.02])
    short = backtest(wishes(market, {0: -1}), market, costs=dataclasses.replace(FREE, funding=True))
    assert short.fills.trades["funding"].tolist() == pytest.approx([-100 * 110 * 0.02])


def test_funding_is_paid_by_a_position_that_leaves_at_that_open_at_the_mark_known_then():
    mark = [CALM, (105, 105, 105, 105), CALM, CALM]
    market = market_of(CALM, CALM, (110, 111, 109, 110), CALM, funding={2: 0.02}, mark=mark)
    score = backtest(wishes(market, {0: 1}, max_bars=1), market, costs=dataclasses.replace(FREE, funding=True))
    assert score.fills.trades["funding"].tolist() == pytest.approx([100 * 105 * 0.02])
    assert [REASONS[code] for code in score.fills.orders["reason"]] == ["entry", "funding", "time"]


def test_liquidation_at_10x_loses_the_margin():
    market = market_of(CALM, CALM, (100, 100, 90, 95))
    score = backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=10, equity_share=0.5)
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
    half = backtest(wishes(market, {0: 1}), market, costs=costs, leverage=100, equity_share=0.5)
    assert half.fills.equity[-1] == pytest.approx(5_000)


FUNDED = dataclasses.replace(FREE, funding=True)


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
    score = backtest(wishes(market, {0: 1}), market, costs=FUNDED, leverage=10, equity_share=share)
    _, _, _, price, reason = ended(score)[0]
    if ending == "open":
        assert reason == "open"
    else:
        assert (reason, price) == ("liquidation", pytest.approx(ending))
        assert score.fills.equity[-1] == 0
        assert score.fills.trades["funding"][0] <= 10_000


def test_funding_at_a_gap_beyond_bankruptcy_is_paid_from_the_rest_of_the_wallet():
    market = market_of(CALM, CALM, (50, 51, 49, 50), funding={2: 0.01})
    score = backtest(wishes(market, {0: 1}), market, costs=FUNDED, leverage=10, equity_share=0.5)
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
    score = backtest(wishes(market, **options), market, costs=FREE, leverage=10, equity_share=0.5)
    assert ended(score)[0] == (1, 2, 1, pytest.approx(90.0), "liquidation")
    assert score.fills.position[-1] == (-1 if "entries" in leaving else 0)
    assert score.fills.equity[-1] == pytest.approx(5_000)


def test_an_entry_in_the_direction_that_was_liquidated_opens_anew():
    market = market_of(CALM, CALM, (80, 81, 79, 80))
    score = backtest(wishes(market, {0: 1, 1: 1}), market, costs=FREE, leverage=10, equity_share=0.5)
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


def test_ruin_ends_trading():
    market = market_of(CALM, CALM, (100, 100, 80, 85), *[CALM] * 5)
    score = backtest(wishes(market, {0: 1, 3: 1, 5: -1}), market, costs=FREE, leverage=10)
    assert len(ended(score)) == 1
    assert score.fills.ruined
    assert score.notes[-1].startswith("the account was ruined")


def test_an_entry_beyond_its_stop_or_target_is_rejected():
    market = market_of(CALM, (94, 96, 93, 95), CALM)
    assert backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE).rejected == 1
    assert backtest(wishes(market, {0: -1}, target=95), market, costs=FREE).rejected == 1
    assert backtest(wishes(market, {0: 1}, stop=94), market, costs=FREE).rejected == 1


def test_a_rejected_reversal_still_closes():
    market = market_of(CALM, CALM, (94, 96, 93, 95), CALM)
    score = backtest(wishes(market, {0: 1, 1: -1}, target=np.array([np.nan, 95, np.nan, np.nan])), market, costs=FREE)
    assert ended(score) == [(1, 2, 1, 94.0, "reversal")]
    assert score.rejected == 1


def test_unobserved_bars_wait():
    market = market_of(CALM, CALM, CALM, (101, 102, 100, 101), CALM, missing=(1, 2))
    assert ended(backtest(wishes(market, {0: 1}), market, costs=FREE))[0][:3] == (3, -1, 1)
    assert ended(backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE))[0][:3] == (3, -1, -1)
    assert ended(backtest(wishes(market, {0: 1}, exits=[1]), market, costs=FREE)) == []


def test_holding_time_counts_unobserved_bars_and_funding_is_charged_in_them():
    market = market_of(*[CALM] * 7, missing=(3,), funding={3: 0.01})
    score = backtest(wishes(market, {0: 1}, max_bars=2), market, costs=dataclasses.replace(FREE, funding=True))
    assert ended(score) == [(1, 4, 1, 100.0, "time")]
    assert score.fills.trades["funding"].tolist() == [pytest.approx(score.fills.trades["amount"][0] * 100.0 * 0.01)]


def test_excursions_count_only_the_exit_price_of_the_last_bar():
    market = market_of(CALM, (100, 104, 98, 100), (100, 120, 94, 100))
    row = backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE).fills.trades[0]
    assert (row["mae"], row["mfe"]) == (pytest.approx(0.05), pytest.approx(0.04))


def test_notional_is_cut_to_what_the_venue_allows():
    stamps = pd.date_range("2026-01-05", periods=4, freq="h", tz="UTC")
    bars = pd.DataFrame({"timestamp": stamps, "open": 100.0, "high": 101.0, "low": 100.0, "close": 100.0, "volume": 1.0})
    bars.loc[2, ["high", "close"]] = 110.0
    bars.loc[3, ["open", "high"]] = 110.0
    market = MarketFrame.from_frames(bars=bars, venue="binance", symbol="BTCUSDT", interval="1h")
    score = backtest(wishes(market, {0: 1, 2: -1}), market, costs=FREE, leverage=150, initial_cash=2_000)
    assert score.fills.trades["amount"][1] * 110 == pytest.approx(300_000)  # 150x is allowed up to here
    assert score.fills.capped == 1
    with pytest.raises(ConfigError, match="above the maximum of 100 "):
        backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=150, initial_cash=2_001)


@st.composite
def accounts(draw):
    market = draw(markets())
    costs = draw(st.sampled_from((FREE, FEES, Costs.binance_usdm())))
    # Round ones would put liquidation and bankruptcy on the grid of prices (50x: from 1,005 ticks to 1,020), where rounding decides.
    leverage, share = draw(st.sampled_from((1, 1.53, 3.07, 10.3, 50.7))), draw(st.sampled_from((0.1, 0.5, 1.0)))
    return draw(signals_for(market)), market, {"costs": costs, "leverage": leverage, "equity_share": share, "initial_cash": 1_000.0}


@st.composite
def wild_accounts(draw, *, mark=True):
    """Accounts among gaps of up to 80 %, with funding and costs that no venue has; whatever an account can lose, it loses here."""
    count = draw(st.integers(2, 25))

    def whole(low, high):  # every number drawn by itself: filled arrays would make one long trend of a market
        return draw(hnp.arrays(np.int64, count, elements=st.integers(low, high), fill=st.nothing()))

    gap, body = whole(-8, 8), whole(-3, 3)
    close = np.clip(np.cumsum(gap + body), -20, 20)
    open_ = np.clip(close - body, -20, 20)
    upper, lower = whole(0, 3), whole(0, 3)
    steps = (open_, np.maximum(open_, close) + upper, np.minimum(open_, close) - lower, close)
    bars = 99.7231 * 1.2 ** np.stack(steps, axis=1)
    rates = {bar: tenths / 10 for bar, tenths in enumerate(whole(-5, 5)) if abs(tenths) < 4}
    missing = draw(st.sets(st.integers(1, count - 2), max_size=5)) if count > 2 else ()
    recorded = mark and draw(st.booleans())
    market = market_of(
        *bars,
        funding={bar: rate for bar, rate in rates.items() if rate != 0},
        mark=(bars * draw(st.sampled_from((0.96, 1.0, 1.05)))).tolist() if recorded else None,
        missing=missing,
    )
    costs = draw(st.sampled_from((FREE, FUNDED, FEES, HEAVY)))
    leverage, share = draw(st.sampled_from((1, 3, 20, 100))), draw(st.sampled_from((0.3, 1.0)))
    return draw(signals_for(market)), market, {"costs": costs, "leverage": leverage, "equity_share": share, "initial_cash": 1_000.0}


def error_of(fills, leverage):
    """Rounding, in quote, of the greatest position that the account may have had."""
    assume(fills.equity.max() < 1e9)  # a million times the initial cash
    return 1e-9 + 1e-13 * leverage * fills.equity.max()


def examples(count):
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@examples(400)
@given(st.one_of(accounts(), wild_accounts()))
def test_kernel_equals_the_oracle(account):
    signals, market, options = account
    score = backtest(signals, market, **options)
    oracle = Account(market, signals, tiers=GENERIC_TIERS, **options).run()
    fills = score.fills
    error = error_of(fills, options["leverage"])

    mine = zip(fills.orders["bar"], score.orders["reason"], score.orders["side"], strict=True)
    assert list(mine) == [order[:3] for order in oracle.orders]
    for column, name in enumerate(("size", "price", "fee"), start=3):
        assert fills.orders[name] == pytest.approx([order[column] for order in oracle.orders], rel=1e-9, abs=error)
    assert fills.position.tolist() == oracle.held
    assert fills.equity == pytest.approx(oracle.equity, rel=1e-9, abs=error)
    assert (fills.rejected, fills.ruined) == (oracle.rejected, oracle.ruined)
    assert len(score.trades) == len(oracle.trades)
    for row, expected in zip(fills.trades, oracle.trades, strict=True):
        assert row["entry_bar"] == expected["entry_bar"]
        assert row["exit_bar"] == (-1 if expected["exit_bar"] is None else expected["exit_bar"])
        assert (REASONS[row["reason"]], SIDES[0 if row["side"] > 0 else 1]) == (expected["reason"], expected["side"])
        for name in ("amount", "entry_price", "fees", "funding", "slippage", "pnl", "mae", "mfe"):
            assert row[name] == pytest.approx(expected[name], rel=1e-9, abs=error), name


@examples(300)
@given(wild_accounts(mark=False))
def test_equity_is_never_below_0_where_trades_liquidate(account):
    # a close beyond the liquidation price would have liquidated, and before it something of the margin is left
    signals, market, options = account
    fills = backtest(signals, market, **options).fills
    assert fills.equity.min() >= -error_of(fills, options["leverage"])


@examples(300)
@given(wild_accounts())
def test_equity_at_the_mark_is_never_below_0(account):
    signals, market, options = account
    fills = backtest(signals, market, **options).fills
    error = error_of(fills, options["leverage"])
    value = fills.equity.copy()
    for row in fills.trades:
        open_at_close = slice(row["entry_bar"], None if row["exit_bar"] < 0 else row["exit_bar"])
        value[open_at_close] += row["side"] * row["amount"] * (market.trigger_close - market.close)[open_at_close]
    assert value[market.observed].min() >= -error  # in other bars nothing is liquidated, and no mark is recorded
    assert fills.equity[fills.position == 0].min(initial=0.0) >= -error


@examples(300)
@given(st.one_of(accounts(), wild_accounts()))
def test_margin_and_entry_fee_are_all_that_an_entry_commits_and_a_trade_loses(account):
    signals, market, options = account
    fills = backtest(signals, market, **options).fills
    error, leverage = error_of(fills, options["leverage"]), options["leverage"]
    entries = fills.orders[fills.orders["reason"] == REASONS.index("entry")]
    equity = 1_000.0 + np.r_[0.0, np.cumsum(fills.trades["pnl"])[:-1]] if fills.trades.size else np.empty(0)
    margin = entries["size"] * entries["price"] / leverage
    assert margin + entries["fee"] == pytest.approx(equity * options["equity_share"], rel=1e-9, abs=error)
    closed = fills.trades["exit_bar"] >= 0
    least = -margin - entries["fee"] - np.maximum(fills.trades["funding"], 0.0)
    assert (fills.trades["pnl"] >= least - error)[closed].all()


@examples(120)
@given(st.one_of(accounts(), wild_accounts()))
def test_money_is_conserved(account):
    signals, market, options = account
    score = backtest(signals, market, **options)
    rows, last = score.fills.trades, market.close[-1]
    slip = options["costs"].slippage
    gross = 0.0
    for row in rows:  # at prices before slippage
        side, reason = row["side"], REASONS[row["reason"]]
        slipped = reason not in ("open", "target", "liquidation")
        start = row["entry_price"] / (1 + side * slip)
        end = last if reason == "open" else row["exit_price"] / (1 - side * slip if slipped else 1)
        gross += side * row["amount"] * (end - start)
    paid = rows["fees"].sum() + rows["slippage"].sum() + rows["funding"].sum()
    scale = 1e9 * error_of(score.fills, options["leverage"]) + np.abs(rows["pnl"]).sum() + abs(paid)
    assert score.fills.equity[-1] == pytest.approx(1_000.0 + gross - paid, abs=1e-9 * scale)
    assert score.fills.equity[-1] == pytest.approx(1_000.0 + rows["pnl"].sum(), abs=1e-9 * scale)
    orders, funding = score.fills.orders, score.fills.orders["reason"] == REASONS.index("funding")
    assert orders["fee"][~funding].sum() == pytest.approx(rows["fees"].sum(), abs=1e-9 * scale)
    assert orders["fee"][funding].sum() == pytest.approx(rows["funding"].sum(), abs=1e-9 * scale)


def scrambled(value, start, order, factor=None):
    if value is None:
        return None
    tail = value[start:][order[: value.size - start]]
    changed = value.copy()
    changed[start:] = tail if factor is None else tail * factor
    return changed


@examples(120)
@given(st.one_of(accounts(), wild_accounts()), st.data())
def test_nothing_that_comes_later_changes_what_was(account, data):
    signals, market, options = account
    cut = data.draw(st.integers(0, market.n_bars - 1), label="cut")
    bars = np.array(data.draw(st.permutations(range(market.n_bars - cut - 1))), dtype=int)
    rows = np.array(data.draw(st.permutations(range(market.n_bars - cut))), dtype=int)
    factor = data.draw(st.sampled_from((0.5, 1.0, 1.3)))
    prices = ("open", "high", "low", "close", "mark_high", "mark_low", "mark_close")
    other = dataclasses.replace(
        market,
        **{name: scrambled(getattr(market, name), cut + 1, bars, factor) for name in prices},
        **{name: scrambled(getattr(market, name), cut + 1, bars) for name in ("observed", "funding_rate")},
    )
    wished = ("entry", "exit", "stop_price", "target_price", "max_bars")  # row `cut` is decided at its close: it may change too
    later = dataclasses.replace(signals, **{name: scrambled(getattr(signals, name), cut, rows) for name in wished})
    one, two = backtest(signals, market, **options).fills, backtest(later, other, **options).fills
    assert one.equity[: cut + 1].tobytes() == two.equity[: cut + 1].tobytes()
    assert one.position[: cut + 1].tobytes() == two.position[: cut + 1].tobytes()
    assert one.orders[one.orders["bar"] <= cut].tobytes() == two.orders[two.orders["bar"] <= cut].tobytes()
    past = [fills.trades[(fills.trades["exit_bar"] >= 0) & (fills.trades["exit_bar"] <= cut)] for fills in (one, two)]
    assert past[0].tobytes() == past[1].tobytes()

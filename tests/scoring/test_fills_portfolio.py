"""Several markets and one wallet, worked by hand; and the union of their bars."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hand_markets import CALM, FREE, FUNDED, market_of, wishes

from liqbt.errors import ConfigError
from liqbt.market import VolumeProfile
from liqbt.scoring import EquityShare, FixedNotional, TradingRules, backtest, backtest_portfolio
from liqbt.scoring._records import REASONS


def trips(score):
    """(asset, entry bar, exit bar, reason) of each trade."""
    rows = score.fills.trades
    return [(int(r["asset"]), int(r["entry_bar"]), int(r["exit_bar"]), REASONS[r["reason"]]) for r in rows]


def notional(score):
    return score.fills.trades["amount"] * score.fills.trades["entry_price"]


def test_the_second_takes_what_the_first_has_left():
    one, two = market_of(CALM, CALM, CALM), market_of(CALM, CALM, CALM, symbol="Y")
    score = backtest_portfolio(
        [wishes(one, {0: 1}), wishes(two, {0: -1})], [one, two], costs=FREE, leverage=4, sizing=EquityShare(share=0.7)
    )
    assert notional(score) == pytest.approx([28_000, 12_000])  # 7,000 and the 3,000 that are left, at 4x
    assert score.fills.reduced == 1
    assert score.fills.position.tolist() == [[0, 0], [1, -1], [1, -1]]
    whole = backtest_portfolio([wishes(one, {0: 1}), wishes(two, {0: 1})], [one, two], costs=FREE, leverage=4)
    assert trips(whole) == [(0, 1, -1, "open")]
    assert whole.fills.starved == 1


def test_profit_that_is_open_counts_for_size_but_cannot_be_put_up():
    rising = market_of(CALM, (100, 151, 100, 150), (150, 151, 149, 150))
    other = market_of(CALM, CALM, CALM, symbol="Y")
    signals = [wishes(rising, {0: 1}), wishes(other, {1: 1})]
    score = backtest_portfolio(signals, [rising, other], costs=FREE, sizing=EquityShare(share=0.5))
    assert notional(score) == pytest.approx([5_000, 5_000])  # half of 12,500 is 6,250, but 5,000 are free
    small = backtest_portfolio(signals, [rising, other], costs=FREE, sizing=EquityShare(share=0.4))
    assert notional(small) == pytest.approx([4_000, 0.4 * 12_000])


def test_a_liquidation_loses_one_margin_and_no_other():
    falling = market_of(CALM, CALM, (100, 100, 80, 85), CALM)
    other = market_of(CALM, CALM, CALM, CALM, symbol="Y")
    signals = [wishes(falling, {0: 1}), wishes(other, {0: 1}, exits=[2])]
    score = backtest_portfolio(signals, [falling, other], costs=FREE, leverage=10, sizing=EquityShare(share=0.5))
    assert trips(score) == [(0, 1, 2, "liquidation"), (1, 1, 3, "exit")]
    assert score.fills.equity.tolist() == pytest.approx([10_000, 10_000, 5_000, 5_000])


def test_funding_drains_the_margin_only_after_what_is_free():
    paying = market_of(CALM, CALM, (100, 100, 99.8, 100), CALM, funding={2: 0.04})
    other = market_of(CALM, CALM, CALM, CALM, symbol="Y")
    signals = [wishes(paying, {0: 1}), wishes(other, {0: 1})]
    # 0.45 of 10,000 each, at 10x: 1,000 are free, and 1,800 of funding take 800 from the margin of 4,500
    score = backtest_portfolio(signals, [paying, other], costs=FUNDED, leverage=10, sizing=EquityShare(share=0.45))
    assert score.fills.trades["funding"].tolist() == pytest.approx([1_800, 0])
    drained = (100 - 100 * 3_700 / 45_000) / 0.995  # where 3,700 of margin are down to the requirement
    for low, reason in ((drained + 0.01, "open"), (drained - 0.01, "liquidation")):
        last = market_of(CALM, CALM, (100, 100, 99.8, 100), (100, 100, low, 100), funding={2: 0.04})
        ends = trips(backtest_portfolio(signals, [last, other], costs=FUNDED, leverage=10, sizing=EquityShare(share=0.45)))
        assert ends[0][-1] == reason
        assert ends[1][-1] == "open"


def test_money_of_an_exit_is_there_for_the_markets_after_it():
    one, two = market_of(*[CALM] * 4), market_of(*[CALM] * 4, symbol="Y")
    leaves_first = backtest_portfolio([wishes(one, {0: 1}, exits=[1]), wishes(two, {1: 1})], [one, two], costs=FREE)
    assert trips(leaves_first) == [(0, 1, 2, "exit"), (1, 2, -1, "open")]
    leaves_last = backtest_portfolio([wishes(one, {1: 1}), wishes(two, {0: 1}, exits=[1])], [one, two], costs=FREE)
    assert trips(leaves_last) == [(1, 1, 2, "exit")]
    assert leaves_last.fills.starved == 1


def test_ruin_closes_everything():
    falling = market_of(CALM, CALM, (100, 100, 55, 60), (60, 61, 59, 60))
    other = market_of(CALM, CALM, CALM, (98, 99, 97, 98), symbol="Y")
    signals = [wishes(falling, {0: 1}), wishes(other, {0: 1, 2: -1})]
    rules = TradingRules(ruin_share=0.85)
    score = backtest_portfolio(signals, [falling, other], costs=FREE, sizing=EquityShare(share=0.4), rules=rules)
    assert trips(score) == [(0, 1, 3, "ruin"), (1, 1, 3, "ruin")]


def test_markets_are_put_on_the_union_of_their_bars():
    early = market_of(CALM, CALM, CALM, start="2026-01-05T00:00")
    late = market_of((50, 51, 49, 50), (50, 51, 49, 50), (50, 55, 49, 55), start="2026-01-05T02:00", symbol="Y", funding={1: 0.01})
    score = backtest_portfolio(
        [wishes(early, {0: 1}), wishes(late, {0: 1})], [early, late], costs=FUNDED, sizing=FixedNotional(notional=1_000)
    )
    assert [market.n_bars for market in score.markets] == [5, 5]
    assert score.markets[0].timestamp.tolist() == score.markets[1].timestamp.tolist()
    assert score.markets[0].observed.tolist() == [True] * 3 + [False] * 2
    assert score.markets[1].observed.tolist() == [False] * 2 + [True] * 3
    assert trips(score) == [(0, 1, -1, "open"), (1, 3, -1, "open")]
    assert score.fills.equity[-1] == pytest.approx(10_000 + 20 * 5)
    assert score.equity.index[0] == pd.Timestamp("2026-01-05", tz="UTC")


def test_everything_a_market_knows_comes_along():
    rng = np.random.default_rng(1)
    two = market_of(*[CALM] * 4, start="2026-01-05T02:00", symbol="Y", mark=[CALM] * 4)
    rich = dataclasses.replace(
        two, depth_distance=np.array([0.01]), depth_bid=rng.random((4, 1)), depth_ask=rng.random((4, 1)), open_interest=np.arange(4.0),
        liquidated=np.ones((4, 2)), taker_buy_volume=np.ones(4),
        volume_profile=VolumeProfile(
            width=0.001, offsets=np.array([0, 1, 1, 3, 3]), bin=np.array([4, 4, 5]), buy=rng.random(3), sell=rng.random(3)
        ),
    )  # fmt: skip
    one = market_of(CALM, CALM)
    wide = backtest_portfolio([wishes(one, {}), wishes(rich, {})], [one, rich]).markets[1]
    for name in ("depth_bid", "depth_ask", "open_interest", "liquidated", "taker_buy_volume", "mark_high", "high", "volume"):
        before, after = getattr(rich, name), getattr(wide, name)
        assert after[2:].tobytes() == before.tobytes(), name
        assert after.shape == (6, *before.shape[1:])
    assert wide.volume_profile.totals.tolist() == [[0, 0], [0, 0], *rich.volume_profile.totals.tolist()]
    assert np.isnan(wide.depth_bid[:2]).all()
    assert wide.volume[:2].tolist() == [0, 0]


def test_one_market_is_what_backtest_makes_of_it():
    market = market_of(CALM, CALM, (103, 104, 102, 103), CALM)
    signals = wishes(market, {0: 1, 1: -1})
    alone, shared = backtest(signals, market), backtest_portfolio([signals], [market])
    assert shared.fills.position.shape == (4, 1)
    assert shared.fills.position[:, 0].tolist() == alone.fills.position.tolist()
    for name in ("orders", "trades", "equity"):
        assert getattr(shared.fills, name).tobytes() == getattr(alone.fills, name).tobytes()
    assert shared.notes == alone.notes


def test_names_and_notes():
    one, two = market_of(CALM, CALM, funding={1: 0.01}), market_of(CALM, CALM, symbol="Y")
    signals = [dataclasses.replace(wishes(one, {0: 1}), name="a"), dataclasses.replace(wishes(two, {}), name="b")]
    score = backtest_portfolio(signals, [one, two])
    assert score.name == "a + b"
    assert [note.split(":")[0] for note in score.notes] == [
        "no leverage tiers are shipped for X on nowhere", "no leverage tiers are shipped for Y on nowhere", "no funding of Y is recorded",
    ]  # fmt: skip


def test_markets_that_do_not_go_together():
    one = market_of(CALM, CALM)
    wanted = wishes(one, {})
    with pytest.raises(ConfigError, match=r"^signals: 1 for 2 markets; give one for each"):
        backtest_portfolio([wanted], [one, one])
    with pytest.raises(ConfigError, match=r"^signals: 0 for 0 markets"):
        backtest_portfolio([], [])
    shifted = market_of(CALM, CALM, start="2026-01-05T00:30", symbol="Y")
    with pytest.raises(ConfigError, match=r"^markets: bars of Y begin at 2026-01-05 00:30:00, off the 1h grid of X"):
        backtest_portfolio([wanted, wishes(shifted, {})], [one, shifted])
    daily = dataclasses.replace(one, interval="1d", symbol="Y")
    with pytest.raises(ConfigError, match=r"^markets: Y has bars of 1d, X of 1h"):
        backtest_portfolio([wanted, wanted], [one, daily])
    with pytest.raises(ConfigError, match=r"^trades: 1 for 2 markets"):
        backtest_portfolio([wanted, wanted], [one, one], trades=[pd.DataFrame()])

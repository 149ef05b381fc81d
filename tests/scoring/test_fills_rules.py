"""Cooldown, entries against a position, ruin and latency in bars, worked by hand; and what the parameters may be."""

from __future__ import annotations

import pytest
from hand_markets import CALM, FREE, ended, market_of, reasons, wishes

from liqbt.errors import ConfigError
from liqbt.scoring import EquityShare, TradingRules, backtest


@pytest.mark.parametrize(("bars", "entry_bars"), [(0, [1, 3]), (1, [1, 4]), (2, [1, 5]), (3, [1])])
def test_a_cooldown_follows_the_end_of_a_trade(bars, entry_bars):
    market = market_of(CALM, CALM, (100, 100, 94, 96), *[CALM] * 4)
    signals = wishes(market, {0: 1, 2: 1, 3: 1, 4: 1}, stop=95)
    score = backtest(signals, market, costs=FREE, rules=TradingRules(cooldown_bars=bars))
    assert score.fills.trades["entry_bar"].tolist() == entry_bars
    assert score.fills.cooled == bars


def test_in_a_cooldown_a_reversal_only_closes():
    market = market_of(*[CALM] * 5)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE, rules=TradingRules(cooldown_bars=1))
    assert ended(score) == [(1, 2, 1, 100.0, "reversal")]
    assert score.notes[-1] == "1 entry was not sent: they came in a cooldown"


@pytest.mark.parametrize(("policy", "orders", "position"), [
    ("reverse", ["entry", "reversal", "entry"], [0, 1, -1, -1]),
    ("close", ["entry", "exit"], [0, 1, 0, 0]),
    ("ignore", ["entry"], [0, 1, 1, 1]),
])  # fmt: skip
def test_an_entry_against_a_position(policy, orders, position):
    market = market_of(*[CALM] * 4)
    score = backtest(wishes(market, {0: 1, 1: -1}), market, costs=FREE, rules=TradingRules(on_opposite=policy))
    assert reasons(score) == orders
    assert score.fills.position.tolist() == position


def test_ruin_ends_trading():
    market = market_of(CALM, CALM, (100, 100, 80, 85), *[CALM] * 5)
    score = backtest(wishes(market, {0: 1, 3: 1, 5: -1}), market, costs=FREE, leverage=10)
    assert len(ended(score)) == 1
    assert score.fills.ruined
    assert score.notes[-1].startswith("the account was ruined")


def test_ruin_closes_at_the_next_open():
    market = market_of(CALM, CALM, (100, 100, 79, 80), (82, 83, 81, 82), CALM, CALM)
    score = backtest(wishes(market, {0: 1, 3: 1}), market, costs=FREE, leverage=3, rules=TradingRules(ruin_share=0.4))
    assert score.fills.equity[2] == pytest.approx(4_000)  # 300 x 20 lost: at the threshold
    assert ended(score) == [(1, 3, 1, 82.0, "ruin")]
    assert score.fills.equity[3:] == pytest.approx([4_600] * 3)
    above = backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=3, rules=TradingRules(ruin_share=0.399))
    assert ended(above)[0][-1] == "open"


def test_ruin_takes_back_what_rests_and_waits_for_an_observed_bar():
    market = market_of(CALM, CALM, (100, 100, 79, 80), CALM, (82, 106, 81, 82), CALM, missing=(3,))
    signals = wishes(market, {0: 1, 1: -1}, limit=[None, 105, None, None, None, None], valid_bars=0)
    score = backtest(signals, market, costs=FREE, leverage=3, rules=TradingRules(ruin_share=0.5))
    assert ended(score) == [(1, 4, 1, 82.0, "ruin")]


def test_an_open_beyond_liquidation_comes_before_the_exit_of_the_ruined():
    market = market_of(CALM, CALM, (100, 100, 91, 91), (80, 81, 79, 80))
    score = backtest(wishes(market, {0: 1}), market, costs=FREE, leverage=10, rules=TradingRules(ruin_share=0.5))
    assert ended(score) == [(1, 3, 1, pytest.approx(90.0), "liquidation")]


@pytest.mark.parametrize("late", [0, 1, 3])
def test_latency_in_bars_shifts_all_that_is_wished(late):
    market = market_of(*[(100 + i, 101 + i, 99 + i, 100 + i) for i in range(9)])
    score = backtest(wishes(market, {0: 1}, exits=[3]), market, costs=FREE, rules=TradingRules(latency_bars=late))
    assert ended(score) == [(1 + late, 4 + late, 1, 104.0 + late, "exit")]


def test_latency_does_not_shift_stops_and_time():
    market = market_of(*[CALM] * 4, (100, 101, 94, 95), *[CALM] * 3)
    assert ended(backtest(wishes(market, {0: 1}, stop=95), market, costs=FREE, rules=TradingRules(latency_bars=2))) == [
        (3, 4, 1, 95.0, "stop")
    ]
    assert ended(backtest(wishes(market, {0: 1}, max_bars=2), market, costs=FREE, rules=TradingRules(latency_bars=2))) == [
        (3, 5, 1, 100.0, "time")
    ]


def test_size_is_that_of_the_decision_also_when_it_comes_late():
    # decided at a close where equity is 10,000, come when it is 12,000 after a trade decided before
    market = market_of(CALM, CALM, CALM, (100, 120, 100, 120), (120, 121, 119, 120), (120, 121, 119, 120))
    signals = wishes(market, {0: 1, 2: -1})
    score = backtest(signals, market, costs=FREE, rules=TradingRules(latency_bars=1), sizing=EquityShare(share=0.5))
    assert score.fills.trades["amount"] * score.fills.trades["entry_price"] == pytest.approx([5_000, 5_000])
    assert score.fills.trades["pnl"][0] == pytest.approx(1_000)


@pytest.mark.parametrize(("name", "value"), [
    ("latency_bars", -1), ("latency_bars", 1.5), ("latency_bars", 10_001), ("latency_bars", True), ("latency_bars", float("nan")),
    ("latency_ms", -1.0), ("latency_ms", float("nan")), ("latency_ms", 1e9),
    ("cooldown_bars", -1), ("cooldown_bars", 0.5), ("on_opposite", "flip"),
    ("ruin_share", -0.1), ("ruin_share", 1.0), ("ruin_share", float("nan")),
])  # fmt: skip
def test_rules_out_of_range(name, value):
    with pytest.raises(ConfigError, match=f"^{name}: "):
        TradingRules(**{name: value})

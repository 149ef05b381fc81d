"""Wishes that reach the market within a bar, worked by hand on trades."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hand_markets import CALM, FREE, ended, market_of, wishes

from liqbt.errors import ConfigError, DataError
from liqbt.scoring import TradingRules, backtest
from liqbt.scoring.arrivals import arrivals_of

MINUTE = TradingRules(latency_ms=60_000.0)
HOUR_NS, SECOND_NS = 3_600_000_000_000, 1_000_000_000


def trades_of(market, by_bar):
    """{bar: [(seconds after the open, price), ...]} as canonical trades."""
    rows = [(market.timestamp[bar] + int(s * SECOND_NS), price) for bar, one in sorted(by_bar.items()) for s, price in one]
    stamps = pd.to_datetime([stamp for stamp, _ in rows], utc=True)
    return pd.DataFrame({"timestamp": stamps, "price": [float(price) for _, price in rows], "amount": 1.0, "side": "buy"})


def run(market, signals, by_bar, *, rules=MINUTE, **options):
    return backtest(signals, market, trades=trades_of(market, by_bar), rules=rules, costs=FREE, **options)


def test_a_wish_is_filled_at_the_first_trade_after_it_came():
    market = market_of(CALM, (100, 110, 95, 104), CALM)
    ticks = {1: [(0, 100), (30, 110), (59.999, 95), (60, 102), (90, 103), (3_000, 104)]}
    score = run(market, wishes(market, {0: 1}), ticks)
    assert score.fills.trades["entry_price"].tolist() == [102.0]
    row = score.fills.trades[0]
    assert (row["mae"], row["mfe"]) == (pytest.approx(1 - 99 / 102), pytest.approx(104 / 102 - 1))  # of bar 1 only what came later


def test_only_what_comes_later_concerns_the_new_position():
    market = market_of(CALM, (100, 110, 90, 104), CALM)
    before = {1: [(0, 100), (30, 90), (60, 102), (90, 104)]}
    after = {1: [(0, 100), (60, 102), (80, 90), (90, 104)]}
    signals = wishes(market, {0: 1}, stop=95)
    assert ended(run(market, signals, before)) == [(1, -1, 1, pytest.approx(np.nan, nan_ok=True), "open")]
    assert ended(run(market, signals, after)) == [(1, 1, 1, 95.0, "stop")]


@pytest.mark.parametrize(("ticks", "end"), [
    ([(30, 94), (60, 100), (90, 101)], (2, 95.0, "stop")),          # stopped before the exit came
    ([(30, 96), (60, 100), (70, 94)], (2, 100.0, "exit")),          # the exit came before
    ([(30, 111), (60, 100), (70, 94)], (2, 110.0, "target")),
    ([(30, 96), (60, 93), (70, 94)], (2, 93.0, "exit")),            # at that instant what is wished comes before the stop
])  # fmt: skip
def test_what_is_held_lives_through_what_comes_before(ticks, end):
    market = market_of(CALM, CALM, (100, 111, 93, 100), CALM)
    score = run(market, wishes(market, {0: 1}, exits=[1], stop=95, target=110), {1: [(60, 100), (61, 100)], 2: [(0, 100), *ticks]})
    assert [(one[1], *one[3:]) for one in ended(score)] == [end]


def test_liquidation_before_and_at_the_instant():
    market = market_of(CALM, CALM, (100, 100, 85, 95), CALM)
    signals = wishes(market, {0: 1}, exits=[1])
    entry = {1: [(60, 100)]}
    early = run(market, signals, {**entry, 2: [(10, 90), (60, 99)]}, leverage=10)
    assert ended(early) == [(1, 2, 1, pytest.approx(90.0), "liquidation")]
    at_once = run(market, signals, {**entry, 2: [(10, 95), (60, 90.4)]}, leverage=10)
    assert ended(at_once) == [(1, 2, 1, pytest.approx(90.0), "liquidation")]
    spared = run(market, signals, {**entry, 2: [(10, 91), (60, 91), (61, 85)]}, leverage=10)
    assert ended(spared) == [(1, 2, 1, 91.0, "exit")]


def test_marks_count_in_both_parts_with_the_range_of_the_bar():
    mark = [CALM, CALM, (100, 100, 85, 95), CALM]
    market = market_of(CALM, CALM, (100, 100, 95, 95), CALM, mark=mark)
    score = run(market, wishes(market, {0: 1}, exits=[1]), {1: [(60, 100)], 2: [(10, 99), (60, 99)]}, leverage=10)
    assert ended(score)[0][-1] == "liquidation"


def test_without_a_trade_after_it_came_a_wish_waits_for_the_next_open():
    market = market_of(CALM, CALM, (107, 108, 106, 107), CALM)
    score = run(market, wishes(market, {0: 1}), {1: [(0, 100), (59, 100)], 2: [(0, 107), (60, 106)]})
    assert score.fills.trades["entry_bar"].tolist() == [2]
    assert score.fills.trades["entry_price"].tolist() == [107.0]


def test_the_newest_of_those_that_wait_counts():
    # the long of bar 0 waits for the open of bar 2, and is there before the short of bar 1 comes a minute later
    market = market_of(CALM, CALM, (107, 108, 106, 107), CALM)
    score = run(market, wishes(market, {0: 1, 1: -1}), {1: [(0, 100)], 2: [(0, 107), (60, 106)]})
    assert ended(score) == [(2, 2, 1, 106.0, "reversal"), (2, -1, -1, pytest.approx(np.nan, nan_ok=True), "open")]
    missing = market_of(CALM, CALM, (107, 108, 106, 107), CALM, CALM, missing=(1, 2))
    late = run(missing, wishes(missing, {0: 1, 1: -1}), {1: [(60, 100)], 3: [(0, 100), (60, 99)]})
    assert late.fills.trades["side"].tolist() == [-1]
    assert late.fills.trades["entry_bar"].tolist() == [3]


def test_orders_that_rest_live_in_both_parts():
    market = market_of(CALM, CALM, (100, 101, 93, 96), CALM)
    signals = wishes(market, {0: 1}, exits=[1], limit=95)
    filled = run(market, signals, {1: [(60, 100)], 2: [(10, 94), (60, 96), (70, 97)]})
    assert ended(filled) == [(2, 2, 1, 96.0, "exit")]
    taken_back = run(market, signals, {1: [(60, 100)], 2: [(10, 96), (60, 96), (70, 93)]})
    assert ended(taken_back) == []


def test_a_limit_that_comes_within_the_bar_is_held_to_the_price_there():
    market = market_of(CALM, (100, 101, 90, 96), CALM)
    signals = wishes(market, {0: 1}, limit=95)
    assert run(market, signals, {1: [(0, 100), (60, 94), (70, 96)]}).fills.trades["entry_price"].tolist() == [94.0]
    assert run(market, signals, {1: [(0, 90), (60, 96), (70, 94.9)]}).fills.trades["entry_price"].tolist() == [95.0]
    assert run(market, signals, {1: [(0, 90), (60, 96), (70, 95)]}).fills.trades.size == 0


def test_time_is_up_at_the_open_and_not_later():
    market = market_of(CALM, CALM, (105, 106, 104, 105), CALM)
    score = run(market, wishes(market, {0: 1, 1: -1}, max_bars=1), {1: [(60, 100)], 2: [(60, 104)]})
    assert ended(score)[0] == (1, 2, 1, 105.0, "time")
    assert score.fills.trades["entry_price"].tolist() == [100.0, 104.0]


def test_whole_bars_of_milliseconds_are_bars():
    market = market_of(*[(100 + i, 101 + i, 99 + i, 100 + i) for i in range(6)])
    ticks = {bar: [(60, 100 + bar + 0.5)] for bar in range(6)}
    score = run(market, wishes(market, {0: 1}), ticks, rules=TradingRules(latency_ms=2 * 3_600_000.0))
    assert score.fills.trades["entry_price"].tolist() == [103.0]
    beyond = run(market, wishes(market, {0: 1}), ticks, rules=TradingRules(latency_bars=1, latency_ms=3_660_000.0))
    assert beyond.fills.trades["entry_price"].tolist() == [103.5]


def test_milliseconds_need_trades():
    market = market_of(CALM, CALM)
    with pytest.raises(ConfigError, match=r"^latency_ms: needs recorded trades"):
        backtest(wishes(market, {0: 1}), market, rules=MINUTE)


@pytest.mark.parametrize("kind", ["pandas", "polars", "frames", "with empty ones"])
def test_arrivals(kind):
    market = market_of(CALM, CALM, (50, 51, 49, 50), CALM, missing=(1,))
    by_bar = {-1: [(60, 1.0)], 0: [(0, 100), (10, 98), (59, 103), (60, 101), (61, 97)], 2: [(70, 50.5)], 3: [(5, 104)], 4: [(60, 2.0)]}
    rows = [(market.timestamp[0] + bar * HOUR_NS + s * SECOND_NS, float(price)) for bar, one in by_bar.items() for s, price in one]
    stamps, prices = zip(*rows, strict=True)
    frame = pl.DataFrame({"timestamp": pd.to_datetime(stamps, utc=True), "price": prices, "amount": 1.0, "side": "sell"})
    given = {
        "pandas": frame.to_pandas(), "polars": frame, "frames": iter([frame[:4], frame[4:5], frame[5:]]),
        "with empty ones": [frame[:0], frame],
    }[kind]  # fmt: skip
    found, delay = arrivals_of([market], [given], MINUTE)
    assert delay == 0
    nan = np.nan
    expected = {
        "price": [101, nan, 50.5, nan], "early_low": [98, 100, 50, 100], "early_high": [103, 100, 50, 104],
        "late_low": [97, nan, 50, nan], "late_high": [101, nan, 50.5, nan],
    }  # fmt: skip
    for name, values in expected.items():
        assert found[name][:, 0] == pytest.approx(np.array(values, dtype=float), nan_ok=True), name


def test_frames_out_of_order_are_refused():
    market = market_of(CALM, CALM)
    first, second = trades_of(market, {0: [(5, 100)]}), trades_of(market, {1: [(5, 100)]})
    with pytest.raises(DataError, match=r"^trades: a frame begins at 2026-01-05 00:00:05, before the one before it ends at 2026-01-05 01"):
        arrivals_of([market], [[second, first]], MINUTE)


def test_trades_without_an_amount_are_none():
    market = market_of(CALM, CALM)
    frame = trades_of(market, {1: [(60, 100), (61, 101)]}).assign(amount=[0.0, 1.0])
    assert arrivals_of([market], [frame], MINUTE)[0]["price"][1, 0] == 101

"""DESIGN promise 1: all that comes after bar t may change without changing any output up to t."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from generators import with_open_interest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lookahead import changed_future, changed_tables, difference, stages, tables_of

from liqbt.book.params import BookParams
from liqbt.market import MarketFrame, VolumeProfile
from liqbt.signals import Signals
from liqbt.strategy import load_strategy, shipped_strategies

futures = st.one_of(st.none(), st.integers(0, 2**32 - 1))


def shipped():
    return {name: load_strategy(name) for name in shipped_strategies()}


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cut=st.integers(600, 2014), seed=futures)
def test_every_stage_and_strategy_on_a_week(week, cut, seed):
    market = changed_future(week, week.n_bars - 1, seed=None)  # through the same tables, without liquidations
    assert (
        difference(stages(market, shipped(), cut, every="1h"), stages(changed_future(market, cut, seed=seed), shipped(), cut, every="1h"))
        is None
    )


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), market=with_open_interest(min_bars=4, max_bars=40), seed=futures)
def test_flows_book_and_map_on_random_markets(data, market, seed):
    known = int(np.argmax(market.open_interest > 0))
    bars = np.flatnonzero(market.observed[:-1] & (np.arange(market.n_bars - 1) >= known))
    assume(bars.size > 0)
    cut = int(data.draw(st.sampled_from(bars)))
    params = BookParams(bin_bps=20.0)
    assert (
        difference(stages(market, {}, cut, params=params), stages(changed_future(market, cut, seed=seed), {}, cut, params=params)) is None
    )


book_options = st.fixed_dictionaries({
    "bin_bps": st.just(20.0),
    "count_liquidations": st.booleans(),
    "hazard_exponent": st.sampled_from((0.0, 0.5)),
    "fleeting_share": st.sampled_from((0.0, 0.3)),
    "median_notional": st.sampled_from((None, 1e5)),
    "taker_tilt": st.sampled_from((0.0, -0.7)),
    "recorded_liquidations_close": st.booleans(),
})  # fmt: skip


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.data(), drawn=with_open_interest(min_bars=4, max_bars=40), seed=futures, options=book_options, noise=st.integers(0, 2**32 - 1)
)
def test_every_option_of_the_book_on_random_markets(data, drawn, seed, options, noise):
    """With taker volume, recorded liquidations and volume at price, all of which change after the cut too."""
    rng = np.random.default_rng(noise)
    count = drawn.n_bars
    width = np.log1p(5e-4) / 5
    offsets = np.append(0, np.cumsum(rng.integers(0, 3, count)))
    bar = np.repeat(np.arange(count), np.diff(offsets))
    lowest = np.floor(np.log(drawn.low) / width).astype(np.int64)[bar]
    bins = lowest + (np.arange(bar.size) - offsets[bar])
    buy, sell = rng.uniform(0, 5, (2, bar.size))
    full = replace(
        drawn,
        taker_buy_volume=drawn.volume * rng.random(count),
        liquidated=rng.uniform(0, 20, (count, 2)),
        volume_profile=VolumeProfile(width=width, offsets=offsets, bin=bins, buy=buy, sell=sell),
    )
    market = changed_future(full, count - 1, seed=None)
    known = int(np.argmax(market.open_interest > 0))
    bars = np.flatnonzero(market.observed[:-1] & (np.arange(count - 1) >= known))
    assume(bars.size > 0)
    cut = int(data.draw(st.sampled_from(bars)))
    params = BookParams(**options)
    assert (
        difference(stages(market, {}, cut, params=params), stages(changed_future(market, cut, seed=seed), {}, cut, params=params)) is None
    )


@settings(deadline=None, max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cut=st.integers(600, 2010), seed=futures, missing=st.integers(0, 2**32 - 1))
def test_strategies_with_missing_bars_and_late_open_interest(week, cut, seed, missing):
    """A twentieth of the bars was never recorded, and half of the snapshots came up to an hour late."""
    rng = np.random.default_rng(missing)
    tables = tables_of(week)
    lost = rng.random(week.n_bars) < 0.05
    lost[[0, cut, -1]] = False
    tables["bars"] = tables["bars"][~lost]
    late = pd.to_timedelta(rng.integers(0, 60, week.n_bars) * (rng.random(week.n_bars) < 0.5), unit="min")
    interest = tables["open_interest"]
    tables["open_interest"] = interest.assign(available_at=interest["timestamp"] + late[: len(interest)])
    market = MarketFrame.from_frames(**tables, venue="nowhere", symbol="TESTUSDT", interval="5m")
    before = stages(market, shipped(), cut, every="1h")
    other = changed_tables(tables, market.timestamp[cut] + market.interval_ns, market.interval_ns, seed=seed)
    after = stages(MarketFrame.from_frames(**other, venue="nowhere", symbol="TESTUSDT", interval="5m"), shipped(), cut, every="1h")
    assert difference(before, after) is None


def test_without_open_interest(week):
    market = replace(changed_future(week, week.n_bars - 1, seed=None), open_interest=None)
    other = changed_future(market, 1500, seed=7)
    assert other.open_interest is None
    assert difference(stages(market, shipped(), 1500, every="1h"), stages(other, shipped(), 1500, every="1h")) is None


@dataclass(frozen=True, kw_only=True)
class Peeker:
    """Looks one bar ahead: the property must see it."""

    def signals(self, market, features):
        ahead = np.append(market.close[1:], market.close[-1])
        return Signals.of(market, entry=np.sign(ahead - market.close), name="peeker")


@pytest.mark.parametrize("seed", [None, 3])
def test_a_peeking_strategy_is_caught(week, seed):
    market = changed_future(week, week.n_bars - 1, seed=None)
    peeker = {"peeker": Peeker()}
    other = changed_future(market, 1000, seed=seed)
    assert difference(stages(market, peeker, 1000, every="1h"), stages(other, peeker, 1000, every="1h")) == "signals of peeker"


def test_the_shipped_strategies_trade_on_the_markets_of_these_tests(quarter):
    """A property about signals that are never given would hold for nothing."""
    found = stages(quarter, shipped(), quarter.n_bars - 1, every="1d")
    for name in shipped_strategies():
        assert (found[f"signals of {name}"]["entry"] != 0).sum() > 10

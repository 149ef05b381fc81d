"""Hypothesis strategies: accounts on one or several random markets, with every kind of order, cost, size and rule."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from generators import TICK
from hand_markets import FEES, FREE, FUNDED, HEAVY
from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from reference_fills import Account

from liqbt._time import parse_interval
from liqbt.margin import GENERIC_TIERS, LeverageTier, TierTable
from liqbt.market import MarketFrame
from liqbt.scoring import Costs, EquityShare, FixedNotional, TradingRules, VolatilityTarget, backtest, backtest_portfolio
from liqbt.scoring.inputs import rule_of_venue
from liqbt.signals import Signals

CASH = 1_000.0
MS = 1_000_000
LATENCY_MS = 61_000.0
RIGHT_AT = 61_000 * MS  # after an open


def examples(count):
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@dataclass
class Case:
    """What `backtest` or `backtest_portfolio` takes, and the recorded trades as (nanoseconds, price) by market."""

    markets: list[MarketFrame]
    signals: list[Signals]
    options: dict[str, Any]
    ticks: list[list[tuple[int, float]]] | None

    def frames(self):
        if self.ticks is None:
            return None
        return [trades_frame(rows) for rows in self.ticks]

    def fills(self):
        return backtest_portfolio(self.signals, self.markets, trades=self.frames(), **self.options).fills

    def score(self):
        trades = self.frames()
        return backtest(self.signals[0], self.markets[0], trades=None if trades is None else trades[0], **self.options)

    def oracle(self):
        rules = [rule_of_venue(market.venue) for market in self.markets]
        tiers = [market.tiers.tiers if market.tiers else GENERIC_TIERS for market in self.markets]
        return Account(self.markets, self.signals, tiers=tiers, venue_rules=rules, trades=self.ticks, **self.options).run()


def trades_frame(rows):
    stamps = pd.to_datetime(np.array([stamp for stamp, _ in rows], dtype=np.int64), utc=True)
    return pd.DataFrame({"timestamp": stamps, "price": [price for _, price in rows], "amount": 1.0, "side": "buy"})


def market_of(rng, count, step, *, wild, mark, tiers):
    """Prices on a coarse grid, so that ties and gaps to a level happen often; wild ones gap by up to 80 % and pay funding as no venue does.

    The grid has no short decimal form, so that no computed level falls on it by chance.
    """
    if wild:
        close = np.clip(np.cumsum(rng.integers(-8, 9, count) + rng.integers(-3, 4, count)), -20, 20)
        open_ = np.clip(close - rng.integers(-3, 4, count), -20, 20)
        upper, lower = rng.integers(0, 4, (2, count))
    else:
        scale = rng.choice([1, 4, 15])
        body = rng.integers(-10, 11, count)
        close = 1000 + scale * np.cumsum(body + rng.integers(-6, 7, count) * rng.integers(0, 2))
        open_ = close - scale * body
        upper, lower = scale * rng.integers(0, 9, (2, count))
    steps = np.stack((open_, np.maximum(open_, close) + upper, np.minimum(open_, close) - lower, close), axis=1)
    bars = 99.7231 * 1.2**steps if wild else TICK * np.maximum(steps, 4)
    stamps = pd.date_range("2026-01-05", periods=count, freq=pd.Timedelta(parse_interval(step), unit="ns"), tz="UTC")
    kept = rng.random(count) > rng.choice([0.0, 0.2])
    kept[[0, -1]] = True

    def table(rows):
        return pd.DataFrame(rows[kept], columns=["open", "high", "low", "close"]).assign(timestamp=stamps[kept])

    tables = {}
    rates = rng.integers(-5, 6, count) * (0.1 if wild else 1e-3) * (rng.random(count) < rng.choice([0.0, 0.3]))
    if rates.any():
        tables["funding"] = pd.DataFrame({"timestamp": stamps[rates != 0], "funding_rate": rates[rates != 0]})
    if mark and rng.random() < 0.4:
        tables["mark"] = table(bars * rng.choice([0.96, 1.0, 1.05]) if wild else bars + TICK * rng.integers(-3, 4))
    venue = str(rng.choice(["nowhere", "bybit", "okx"]))
    market = MarketFrame.from_frames(bars=table(bars).assign(volume=1.0), venue=venue, symbol="TESTUSDT", interval=step, **tables)
    return dataclasses.replace(market, tiers=TierTable(venue=venue, symbol="TESTUSDT", tiers=tiers)) if tiers else market


def tiers_for(leverage, sizing):
    """Brackets that allow the first entry at this leverage, and little more."""
    first = 1.1 * max(CASH * leverage, getattr(sizing, "notional", 0.0))
    return (
        LeverageTier(min_notional=0, max_notional=first, maintenance_margin_rate=0.004, max_leverage=leverage, maintenance_amount=0),
        LeverageTier(
            min_notional=first, max_notional=1e15, maintenance_margin_rate=0.009, max_leverage=1 + leverage / 3,
            maintenance_amount=first * 0.005,
        ),
    )  # fmt: skip


def wishes_on(rng, market):
    """Market, limit and trigger entries with levels near the close or taken from extremes of other bars."""
    count = market.n_bars
    entry = rng.choice([-1, 0, 1], count, p=[(0.1, 0.8, 0.1), (0.3, 0.4, 0.3), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5)][rng.integers(4)])
    kind = rng.integers(0, 4, count)

    def near(base, sign, share):
        """A price on the side of `sign` (times the entry's) from `base`, in some bars."""
        other = rng.integers(0, count, count)
        borrowed = np.where(sign * entry > 0, market.high[other], market.low[other])
        away = TICK * 3 * rng.integers(1, 25, count) * rng.choice([1, 8])
        level = np.where(rng.random(count) < 0.3, borrowed, base + sign * entry * away)
        return np.where((level > 0) & (rng.random(count) < share), level, np.nan)

    limit = np.where(kind == 2, near(market.close, -1.0, 1.0), np.nan)
    trigger = np.where(kind == 3, near(market.close, 1.0, 1.0), np.nan)
    start = np.where(np.isnan(limit), np.where(np.isnan(trigger), market.close, trigger), limit)
    trail = np.where(rng.random(count) < rng.choice([0.0, 0.5]), rng.choice([0.003, 0.021, 0.3], count), np.nan)
    return Signals.of(
        market,
        entry=entry,
        exit=rng.random(count) < rng.choice([0.0, 0.15]),
        limit_price=limit,
        trigger_price=trigger,
        stop_price=near(start, -1.0, rng.choice([0.0, 0.6])),
        target_price=near(start, 1.0, rng.choice([0.0, 0.6])),
        trailing_stop=trail,
        max_bars=rng.integers(0, 7, count) * rng.integers(0, 2),
        valid_bars=rng.integers(0, 5, count),
        name="random",
    )


def books_on(rng, market):
    """The market with books of which some are not known, some are empty, and many are too thin for the account."""
    distances = [(0.001,), (0.0007, 0.003), (0.001, 0.002, 0.05)][rng.integers(3)]
    shape = (market.n_bars, len(distances))
    sides = []
    for _ in range(2):
        book = np.cumsum(rng.integers(0, 10, shape), axis=1) * rng.choice([13.7, 131.0, 2_011.0])
        sides.append(np.where((rng.random(market.n_bars) < 0.2)[:, None], np.nan, book))
    if rng.random() < 0.3:
        sides[0][:, 0] = np.nan  # a distance that some recorder left out
    return dataclasses.replace(market, depth_distance=np.array(distances), depth_bid=sides[0], depth_ask=sides[1])


def ticks_on(rng, market):
    """Trades of each bar, some right when orders arrive, some bars without any; they need not agree with the bars."""
    rows = [(int(market.timestamp[0]), float(market.open[0]))]
    for bar in range(market.n_bars):
        offsets = np.sort(rng.choice((0, 5 * MS, RIGHT_AT - 1, RIGHT_AT, RIGHT_AT + 7, 290_000 * MS), rng.integers(0, 5)))
        for offset, name in zip(offsets, rng.choice(["open", "high", "low", "close"], offsets.size), strict=True):
            rows.append((int(market.timestamp[bar] + offset), float(getattr(market, name)[bar])))
    return rows


def cases(*, most_assets=3, mark=True):
    return st.builds(
        case_of, assets=st.integers(1, most_assets), count=st.integers(2, 4) | st.integers(15, 45), seed=st.integers(0, 2**32 - 1),
        mark=st.just(mark),
    )  # fmt: skip


def case_of(assets, count, seed, mark):
    rng = np.random.default_rng(seed)
    wild, walks, timed = bool(rng.integers(2)), rng.random() < 0.25, rng.random() < 0.25
    sizing = (EquityShare(), EquityShare(share=0.31), FixedNotional(notional=733.1), FixedNotional(notional=12_000.0),
              VolatilityTarget(daily=0.37, volatility_days=2.0, max_share=0.83))[rng.integers(5)]  # fmt: skip
    step = "1d" if isinstance(sizing, VolatilityTarget) else "5m"  # volatility is known after a day
    # Round multiples would put liquidation and bankruptcy on the grid of prices (50x: from 1,005 ticks to 1,020), where rounding decides.
    leverage = float(rng.choice([1.0, 3.0, 20.0, 100.0] if wild else [1.0, 1.53, 3.07, 10.3, 50.7]))
    tiers = tiers_for(leverage, sizing) if rng.random() < 0.3 else None
    drawn = [market_of(rng, count, step, wild=wild, mark=mark, tiers=tiers) for _ in range(assets)]
    wanted = [wishes_on(rng, market) for market in drawn]
    drawn = [books_on(rng, market) for market in drawn] if walks else drawn
    rules = TradingRules(
        latency_bars=int(rng.choice([0, 0, 0, 1, 3])),
        latency_ms=LATENCY_MS if timed else 0.0,
        cooldown_bars=int(rng.choice([0, 0, 0, 1, 3])),
        on_opposite=str(rng.choice(["reverse", "reverse", "close", "ignore"])),
        ruin_share=float(rng.choice([1e-6, 1e-6, 0.4711, 0.0])),
    )
    costs = (FREE, FUNDED, FEES, HEAVY, Costs.binance_usdm())[rng.integers(5)]
    options = {"costs": dataclasses.replace(costs, depth_slippage=walks), "leverage": leverage, "sizing": sizing, "rules": rules}
    return Case(drawn, wanted, {**options, "initial_cash": CASH}, [ticks_on(rng, market) for market in drawn] if timed else None)


def error_of(fills, leverage):
    """Rounding, in quote, of the greatest position that the account may have had."""
    assume(fills.equity.max() < 1e9)  # a million times the initial cash
    return 1e-9 + 1e-13 * leverage * fills.equity.max()

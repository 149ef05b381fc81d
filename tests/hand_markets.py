"""Markets and wishes of a few bars, written by hand, and what became of them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from liqbt.market import MarketFrame
from liqbt.scoring import Costs
from liqbt.scoring._records import REASONS
from liqbt.signals import Signals

FREE = Costs.free()
FUNDED = dataclasses.replace(FREE, funding=True)
FEES = Costs(taker_fee_rate=0.001, maker_fee_rate=-0.0005, slippage_bps=10.0)
HEAVY = Costs(taker_fee_rate=0.049, maker_fee_rate=0.049, slippage_bps=1_000.0)  # the most that Costs admits

CALM = (100, 101, 99, 100)


def market_of(*bars, funding=None, mark=None, missing=(), venue="nowhere", symbol="X", start="2026-01-05"):
    """A 1h market of (open, high, low, close) bars; `funding` is {bar: rate}, `mark` a list of bars, `missing` bars are not recorded."""
    stamps = pd.date_range(start, periods=len(bars), freq="h", tz="UTC")
    kept = [i for i in range(len(bars)) if i not in missing]

    def table(rows):
        return pd.DataFrame(np.array(rows, dtype=float)[kept], columns=["open", "high", "low", "close"]).assign(timestamp=stamps[kept])

    tables = {}
    if funding:
        tables["funding"] = pd.DataFrame({"timestamp": stamps[list(funding)], "funding_rate": list(funding.values())})
    if mark:
        tables["mark"] = table(mark)
    return MarketFrame.from_frames(bars=table(bars).assign(volume=1.0), venue=venue, symbol=symbol, interval="1h", **tables)


def wishes(market, entries, *, exits=(), stop=None, target=None, limit=None, trigger=None, trail=None, max_bars=0, valid_bars=0):
    """Signals that enter as `entries` says, {bar: side}, and leave at `exits`; the levels are of every entry, or one a bar."""
    entry, leave = np.zeros(market.n_bars), np.zeros(market.n_bars)
    for bar, side in entries.items():
        entry[bar] = side
    leave[list(exits)] = 1
    return Signals.of(
        market, entry=entry, exit=leave, stop_price=stop, target_price=target, limit_price=limit, trigger_price=trigger,
        trailing_stop=trail, max_bars=max_bars, valid_bars=valid_bars,
    )  # fmt: skip


def ended(score):
    """(entry bar, exit bar or -1, side, exit price, reason) of each trade."""
    rows = score.fills.trades
    return [(int(r["entry_bar"]), int(r["exit_bar"]), int(r["side"]), float(r["exit_price"]), REASONS[r["reason"]]) for r in rows]


def reasons(score):
    """Why each order was sent."""
    return [REASONS[code] for code in score.fills.orders["reason"]]

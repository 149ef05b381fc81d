"""What holds of every account: money is conserved, losses are bounded, and nothing that comes later changes what was."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_accounts import CASH, cases, error_of, examples

from liqbt.scoring._records import REASONS
from liqbt.scoring.inputs import rule_of_venue

FUNDING, ENTRY = (REASONS.index(name) for name in ("funding", "entry"))


@examples(200)
@given(cases())
def test_money_is_conserved(case):
    fills = case.fills()
    trades, orders = fills.trades, fills.orders[fills.orders["reason"] != FUNDING]
    reference = orders["price"] - orders["side"] * orders["slippage"] / orders["size"]  # before slippage
    earned = -orders["side"] * orders["size"] * reference
    last = np.array([market.close[-1] for market in case.markets])
    still = trades[trades["exit_bar"] < 0]
    value = (still["side"] * still["amount"] * last[still["asset"]]).sum()
    paid = trades["fees"].sum() + trades["slippage"].sum() + trades["funding"].sum()
    scale = 1e9 * error_of(fills, case.options["leverage"]) + np.abs(trades["pnl"]).sum() + abs(paid) + np.abs(earned).max(initial=0.0)
    assert fills.equity[-1] == pytest.approx(CASH + earned.sum() + value - paid, abs=1e-9 * scale)
    assert fills.equity[-1] == pytest.approx(CASH + trades["pnl"].sum(), abs=1e-9 * scale)
    funded = fills.orders["reason"] == FUNDING
    assert fills.orders["fee"][~funded].sum() == pytest.approx(trades["fees"].sum(), abs=1e-9 * scale)
    assert fills.orders["fee"][funded].sum() == pytest.approx(trades["funding"].sum(), abs=1e-9 * scale)
    assert fills.orders["slippage"].sum() == pytest.approx(trades["slippage"].sum(), abs=1e-9 * scale)


@examples(150)
@given(cases(mark=False))
def test_equity_is_never_below_0_where_trades_liquidate(case):
    # a close beyond the liquidation price would have liquidated, and before it something of the margin is left
    fills = case.fills()
    assert fills.equity.min() >= -error_of(fills, case.options["leverage"])


@examples(150)
@given(cases(most_assets=1))
def test_equity_at_the_mark_is_never_below_0(case):
    fills, market = case.fills(), case.markets[0]
    error = error_of(fills, case.options["leverage"])
    value = fills.equity.copy()
    for row in fills.trades:
        open_at_close = slice(row["entry_bar"], None if row["exit_bar"] < 0 else row["exit_bar"])
        value[open_at_close] += row["side"] * row["amount"] * (market.trigger_close - market.close)[open_at_close]
    assert value[market.observed].min() >= -error  # in other bars nothing is liquidated, and no mark is recorded
    assert fills.equity[fills.position[:, 0] == 0].min(initial=0.0) >= -error


@examples(200)
@given(cases())
def test_no_trade_loses_more_than_margin_entry_fee_and_funding(case):
    fills = case.fills()
    error, leverage = error_of(fills, case.options["leverage"]), case.options["leverage"]
    rows, entries = fills.trades, fills.orders[fills.orders["reason"] == ENTRY]
    posted = np.array([rule_of_venue(market.venue).closing_fee_posted for market in case.markets])[rows["asset"]]
    fee = np.array([rule_of_venue(market.venue).closing_fee_rate for market in case.markets])[rows["asset"]]
    margin = entries["size"] * entries["price"] * (1 / leverage + posted * fee * (1 - entries["side"] / leverage))
    closed = rows["exit_bar"] >= 0
    least = -margin - entries["fee"] - np.maximum(rows["funding"], 0.0)
    assert (rows["pnl"] >= least - error)[closed].all()


@examples(150)
@given(cases())
def test_margins_never_exceed_the_wallet(case):
    fills = case.fills()
    error, leverage = error_of(fills, case.options["leverage"]), case.options["leverage"]
    cash, margins = CASH, np.zeros(len(case.markets))
    trades = {(row["asset"], row["entry_bar"]): row for row in fills.trades}
    entered = {}
    for order in fills.orders:
        asset, reason = order["asset"], order["reason"]
        cash -= order["fee"]
        if reason == ENTRY:
            entered[asset] = (order["side"], order["size"], order["price"])
            margins[asset] = order["size"] * order["price"] / leverage
            assert (asset, order["bar"]) in trades
            assert margins.sum() <= cash + error
        elif reason == FUNDING:
            margins[asset] = min(margins[asset], cash - np.delete(margins, asset).sum())
        else:
            side, size, price = entered.pop(asset)
            cash += side * size * (order["price"] - price)
            margins[asset] = 0.0


def scrambled(value, start, order, factor=None):
    if value is None:
        return None
    tail = value[start:][order[: len(value) - start]]
    changed = value.copy()
    changed[start:] = tail if factor is None else tail * factor
    return changed


PRICES = ("open", "high", "low", "close", "mark_high", "mark_low", "mark_close")
OTHER = ("observed", "funding_rate", "depth_bid", "depth_ask")
WISHED = (
    "entry", "exit", "stop_price", "target_price", "max_bars", "limit_price", "trigger_price", "valid_bars", "trailing_stop",
)  # fmt: skip


@examples(250)
@given(cases(), st.integers(0, 44), st.integers(0, 2**32 - 1), st.sampled_from((0.5, 1.0, 1.3)))
def test_nothing_that_comes_later_changes_what_was(case, cut, seed, factor):
    count = case.markets[0].n_bars
    cut %= count
    rng = np.random.default_rng(seed)
    bars, rows = rng.permutation(count - cut - 1), rng.permutation(count - cut)
    markets = [
        dataclasses.replace(
            market,
            **{name: scrambled(getattr(market, name), cut + 1, bars, factor) for name in PRICES},
            **{name: scrambled(getattr(market, name), cut + 1, bars) for name in OTHER},
        )
        for market in case.markets
    ]
    # row `cut` is decided at its close: it may change too
    signals = [dataclasses.replace(one, **{name: scrambled(getattr(one, name), cut, rows) for name in WISHED}) for one in case.signals]
    ticks = None
    if case.ticks is not None:
        end = case.markets[0].timestamp[cut] + case.markets[0].interval_ns
        ticks = [[(stamp, price if stamp < end else price * factor) for stamp, price in one] for one in case.ticks]
    one, two = case.fills(), dataclasses.replace(case, markets=markets, signals=signals, ticks=ticks).fills()
    assert one.equity[: cut + 1].tobytes() == two.equity[: cut + 1].tobytes()
    assert one.position[: cut + 1].tobytes() == two.position[: cut + 1].tobytes()
    assert one.orders[one.orders["bar"] <= cut].tobytes() == two.orders[two.orders["bar"] <= cut].tobytes()
    past = [fills.trades[(fills.trades["exit_bar"] >= 0) & (fills.trades["exit_bar"] <= cut)] for fills in (one, two)]
    assert past[0].tobytes() == past[1].tobytes()

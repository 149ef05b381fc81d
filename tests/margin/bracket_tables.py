"""Bracket tables that Hypothesis makes up, and the requirement that they mean, told another way than the code does."""

import math
from itertools import pairwise

from hypothesis import strategies as st

from liqbt.margin import LeverageTier, leverage_tiers, shipped_tables

CONTRACTS = ("linear", "inverse")
SIDES = ("long", "short")
SHIPPED = [(table.venue, table.symbol) for table in shipped_tables()]


def requirement(tiers, notional):
    """What the venue demands, bracket by bracket as an income tax; the last bracket goes on for ever."""
    open_ended = [*(tier.max_notional for tier in tiers[:-1]), math.inf]
    return math.fsum(
        tier.maintenance_margin_rate * max(0.0, min(notional, top) - tier.min_notional) for tier, top in zip(tiers, open_ended, strict=True)
    )


def value_of(contract, amount, price):
    """What a position is worth at `price`, in the coin of its margin; an inverse one at no price at all is worth nothing."""
    return amount * price if contract == "linear" else amount / price


def equity(side, contract, entry, amount, margin, price):
    """What is left of the margin at `price`, in its coin."""
    sign = 1 if side == "long" else -1
    move = price - entry if contract == "linear" else 1 / entry - 1 / price
    return margin + sign * amount * move


def table_of(bounds, rates, leverages, contract="linear"):
    """The brackets with these ends, rates and leverages, amounts by `c_n = c_{n-1} + min_notional_n (m_n - m_{n-1})`."""
    tiers, amount = [], 0.0
    for place, ((low, high), rate, leverage) in enumerate(zip(pairwise([0.0, *bounds]), rates, leverages, strict=True)):
        amount += low * (rate - rates[place - 1]) if place else 0.0
        tiers.append(
            LeverageTier(
                min_notional=low,
                max_notional=high,
                maintenance_margin_rate=rate,
                max_leverage=leverage,
                maintenance_amount=amount,
                contract=contract,
            )
        )
    return tuple(tiers)


@st.composite
def tables(draw, contract=None):
    """One to eight brackets; some rates repeat, and the last may have no end."""
    count = draw(st.integers(1, 8))
    steps = draw(st.lists(st.floats(1.01, 30), min_size=count, max_size=count))
    bounds = [10.0 * math.prod(steps[: place + 1]) for place in range(count)]
    if draw(st.booleans()):
        bounds[-1] = math.inf
    rates = sorted(draw(st.lists(st.floats(0.001, 0.6) | st.sampled_from((0.004, 0.01, 0.05)), min_size=count, max_size=count)))
    leverages = [max(1.0, 0.8 / rate) for rate in rates]
    return table_of(bounds, rates, leverages, contract or draw(st.sampled_from(CONTRACTS)))


@st.composite
def any_tables(draw):
    """Tables made up, and those that venues had."""
    return draw(tables() | st.sampled_from(SHIPPED).map(lambda key: leverage_tiers(*key)))


@st.composite
def positions(draw, tiers):
    """Side, entry price, amount, and the value at entry that goes with them, anywhere in the table and beyond its end."""
    ends = [tier.max_notional for tier in tiers if tier.max_notional < math.inf] or [1e6]
    value = draw(st.floats(-2, math.log10(ends[-1]) + 0.5).map(lambda power: 10**power) | st.sampled_from(ends))
    entry = 10 ** draw(st.floats(-5, 5))
    amount = value / entry if tiers[0].contract == "linear" else value * entry
    return draw(st.sampled_from(SIDES)), entry, amount, value_of(tiers[0].contract, amount, entry)

"""The synthetic market as slow, obvious Python: every position is looked at in every step.

It takes the same draws as the compiled simulation and must come to the same events.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from liqbt import margin

YEAR = 365 * 24


@dataclass
class Position:
    number: int
    side: str
    leverage: float | None  # None: a hedged holder
    lots: int
    entry: float
    margin: float
    cross: bool
    opened: int
    due: int
    stop: float | None = None
    top_up: float | None = None
    top_up_done: bool = False


@dataclass
class Market:
    params: object
    trades: list = field(default_factory=list)  # (time ns, ticks, lots, taker bought)
    killed: list = field(default_factory=list)  # (time ns, side, leverage, lots, ticks, level, bankruptcy price)
    bursts: list = field(default_factory=list)  # (step, side, notional)
    marks: list = field(default_factory=list)  # the mark after each step
    flows: dict = field(default_factory=lambda: defaultdict(int))  # (bar, kind, side, leverage) -> lots
    topped: dict = field(default_factory=lambda: defaultdict(int))
    entries: dict = field(default_factory=lambda: defaultdict(int))
    heat: list = field(default_factory=list)  # per bar: {(side, bin): lots}
    live: list = field(default_factory=list)


def level_of(params, position, extra=0.0):
    """Where the position would be liquidated with its margin and `extra`; 0 for never."""
    amount = position.lots * params.lot_size
    return margin.liquidation_price(
        side=position.side, entry_price=position.entry, amount=amount, margin=position.margin + extra, tiers=params.tiers
    )


def final_of(params, position):
    """Where a straight move would liquidate it; None where it would not."""
    if position.leverage is None or position.stop is not None:
        return None
    more = params.top_up_margin * position.margin if position.top_up is not None and not position.top_up_done else 0.0
    return level_of(params, position, more) or None


def next_of(params, position):
    """What the mark meets next: (kind, level), or None."""
    if position.leverage is None:
        return None
    if position.stop is not None:
        return "stop", position.stop
    if position.top_up is not None and not position.top_up_done:
        return "top up", position.top_up
    level = level_of(params, position)
    return ("liquidate", level) if level > 0 else None


def arrive(params, draw, entry, side, number, step):
    lots = max(1, round(draw["notional"] / entry / params.lot_size))
    wanted = next((lev for lev, upto in zip(params.leverages, np.cumsum(params.weights), strict=True) if draw["leverage"] < upto), None)
    wanted = params.leverages[-1] if wanted is None else wanted
    allowed = [
        lev for lev in params.leverages if lev <= wanted and lev <= margin.max_leverage(params.tiers, lots * params.lot_size * entry)
    ]
    if allowed:
        leverage = allowed[-1]
    else:
        leverage = params.leverages[0]
        cap = max(tier.max_notional for tier in params.tiers if tier.max_leverage >= leverage)
        lots = max(1, math.floor(cap / entry / params.lot_size))
    own = lots * params.lot_size * entry / leverage
    cross = draw["mode"] < params.cross_share
    if cross:
        own *= 1 + params.cross_margin * draw["extra"]
    mean = params.holding_hours[list(params.leverages).index(leverage)] / params.step_hours
    due = step + max(1, math.ceil(draw["holding"] * mean))
    position = Position(number, side, leverage, lots, entry, own, cross, step, due)
    level = level_of(params, position)
    if draw["plan"] < params.stop_share:
        way = params.stop_nearest + (params.stop_farthest - params.stop_nearest) * draw["stop"]
        position.stop = entry + way * (level - entry)
    elif draw["plan"] < params.stop_share + params.top_up_share and level > 0:
        position.top_up = entry + params.top_up_at * (level - entry)
    return position


def play(params, steps, traders, holders):
    """Play all steps, the warm-up's too. Times count from where the warm-up begins."""
    market = Market(params)
    width = math.log1p(params.truth_bin_bps * 1e-4)
    hours, n_in_bar, skip = params.step_hours, params.steps_per_bar, params.n_warmup_bars
    length = params.interval_ns // n_in_bar
    digits = max(0, math.ceil(-math.log10(params.tick_size)) + 2)
    hourly = params.annual_volatility / math.sqrt(YEAR)
    traders, holders = iter(traders), iter(holders)
    live: list[Position] = []
    lasting = mean = math.log(params.initial_price)
    passing = to_last = to_pass = pull = turn = lately = 0.0
    press = {"long": 0.0, "short": 0.0}
    turn_left = number = 0
    ticks = round(params.initial_price / params.tick_size)
    mark = round(ticks * params.tick_size, digits)
    for step, draw in enumerate(steps, start=1):
        bar, started = (step - 1) // n_in_bar, (step - 1) * length
        recorded = bar >= skip

        def trade(time, ticks, lots, buy, bar=bar, recorded=recorded):
            if recorded:
                market.trades.append((time // 1_000_000 * 1_000_000, ticks, lots, buy))

        if (step - 1) % n_in_bar == 0:
            trade(started, ticks, 1, bool(draw["lean"] >= 0))
        # price
        if params.gravity_bps_per_hour and step % max(1, round(60 / 3600 / hours)) == 0:
            here, reach = math.floor(math.log(mark) / width), math.ceil(params.gravity_reach / width)
            weight = {"long": 0.0, "short": 0.0}
            for one in live:
                final = final_of(params, one)
                if final:
                    away = (math.floor(math.log(final) / width) - here) * (1 if one.side == "short" else -1)
                    if 0 <= away < reach:
                        weight[one.side] += one.lots * math.exp(-away * width / params.gravity_scale)
            both = weight["long"] + weight["short"]
            pull = (weight["short"] - weight["long"]) / both if both else 0.0
        drift = params.gravity_bps_per_hour * 1e-4 * hours * pull
        horizon = max(1, round(params.reversal_hours / hours))
        if turn_left:
            drift += turn * params.reversal_bps * 1e-4 / horizon
            turn_left -= 1
        was = lasting + passing
        lasting += draw["noise"] + drift + to_last
        passing = passing * 0.5 ** (hours * 60 / params.cascade_half_life_minutes) + to_pass
        place = lasting + passing
        mean += (1 - math.exp(-hours / params.momentum_hours)) * (place - mean)
        ticks_before, mark_before = ticks, mark
        ticks = max(1, round(math.exp(place) / params.tick_size))
        price = round(ticks * params.tick_size, digits)
        mark = math.exp(place + draw["basis"]) if params.mark_noise_bps else price
        market.marks.append(mark)
        # what the mark reaches
        hits = []
        for one in live:
            ahead = next_of(params, one)
            while ahead is not None and (mark <= ahead[1] if one.side == "long" else mark >= ahead[1]):
                if ahead[0] != "top up":
                    way = mark - mark_before
                    hits.append((min(max((ahead[1] - mark_before) / way, 0.0), 1.0) if way else 0.0, one.number, ahead[0], one))
                    break
                one.top_up_done = True
                one.margin *= 1 + params.top_up_margin
                if recorded:
                    market.topped[one.side, one.leverage] += 1
                ahead = next_of(params, one)
        swept, agents = 0.0, 0
        for at, _, kind, one in sorted(hits, key=lambda hit: hit[:2]):
            time, paid = started + min(int(at * length), length - 1), ticks_before + round(at * (ticks - ticks_before))
            trade(time, paid, one.lots, one.side == "short")
            agents += one.lots
            live.remove(one)
            if kind == "stop":
                market.flows[bar, "closed", one.side, one.leverage] += one.lots
                market.flows[bar, "stopped", one.side, one.leverage] += one.lots
                continue
            market.flows[bar, "liquidated", one.side, one.leverage] += one.lots
            notional = one.lots * params.lot_size * round(paid * params.tick_size, digits)
            swept += notional if one.side == "short" else -notional
            press[one.side] += notional
            if recorded:
                away = one.margin / (one.lots * params.lot_size)
                bankrupt = one.entry - away if one.side == "long" else one.entry + away
                stamp = time // 1_000_000 * 1_000_000
                market.killed.append((stamp, one.side, one.leverage, one.lots, paid, level_of(params, one), bankrupt))
        # what that does to price
        moved = params.cascade * 0.01 * swept / (params.depth_notional * draw["depth"])
        moved = min(max(moved, -0.02), 0.02)
        to_last = params.lasting_share * moved
        to_pass = moved - to_last
        for side in ("long", "short"):
            if press[side] >= params.burst_depth_share * params.depth_notional:
                if recorded:
                    market.bursts.append((step, side, press[side]))
                turn, turn_left, press[side] = (1 if side == "long" else -1), horizon, 0.0
            press[side] *= 0.5 ** (hours * 60 / params.burst_minutes)
        # what is due, the youngest first
        ends = started + length - 1
        for one in sorted((one for one in live if one.due == step), key=lambda one: -one.number):
            trade(ends, ticks, one.lots, one.side == "short")
            agents += one.lots
            market.flows[bar, "closed", one.side, one.leverage] += one.lots
            live.remove(one)
        # who comes
        trend = math.tanh((place - mean) / (hourly * math.sqrt(params.momentum_hours / 2)))
        for k in range(draw["traders"] + draw["holders"]):
            number += 1
            if k < draw["traders"]:
                one = next(traders)
                side = "long" if one["side"] < 0.5 + params.momentum_tilt * trend else "short"
                new = arrive(params, one, price, side, number, step)
                if recorded:
                    market.entries[new.side, new.leverage] += 1
            else:
                one = next(holders)
                lots = max(1, round(one["notional"] / price / params.lot_size))
                due = step + max(1, math.ceil(one["holding"]))
                new = Position(number, "long" if one["side"] < 0.5 else "short", None, lots, price, 0.0, False, step, due)
            live.append(new)
            trade(ends, ticks, new.lots, new.side == "long")
            agents += new.lots
            market.flows[bar, "opened", new.side, new.leverage] += new.lots
        # market makers
        lately += (1 - math.exp(-hours)) * (agents - lately)
        lean = 0.5 + 0.1 * math.tanh((place - was) / (hourly * math.sqrt(hours))) + draw["lean"]
        lean = min(max(lean, 0.05), 0.95)
        churn = params.maker_churn * lately * draw["churn"]
        trade(ends, ticks, max(1, round(churn * (1 - lean))), False)
        trade(ends, ticks, max(1, round(churn * lean)), True)
        if step % n_in_bar == 0:
            heat = defaultdict(int)
            for one in live:
                final = final_of(params, one)
                if final:
                    heat[one.side, math.floor(math.log(final) / width)] += one.lots
            market.heat.append(dict(heat))
    market.live = live
    return market

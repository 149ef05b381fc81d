"""The compiled simulation of the synthetic market.

One call carries the market over a stretch of steps. Within a step: price moves; whatever the mark reaches is topped up, stopped
or liquidated, the nearest first; what is due closes; new positions open; market makers trade with each other.

Amounts are whole lots and traded prices whole ticks, so that all sums are exact. A position waits in two doubly linked lists:
that of the price bin where something happens to it next (a stop, a call for margin that it answers, liquidation), and that of
the step at which it closes. So a step costs the bins that it crosses and the positions that it touches, however many live.
"""

from __future__ import annotations

import math

from liqbt._jit import kernel
from liqbt._typing import LONG, SHORT, Float64Array1D, IntArray1D
from liqbt.margin.kernels import liquidation_price_of

from ._layout import (
    CLOSED,
    LIQUIDATE,
    LIQUIDATED,
    OPENED,
    STOP,
    STOPPED,
    TOP_UP,
    IntArray2D,
    IntArray3D,
    IntArray4D,
    Record,
    Records,
)

__all__ = ["advance", "autoregress", "price_of"]

_LARGEST_IMPACT = 0.02  # of one step's liquidations, in log price: books refill, and venues halt, before price runs farther in seconds
_MS = 1_000_000


@kernel
def autoregress(first: float, persistence: float, shocks: Float64Array1D, out: Float64Array1D) -> None:
    """Fill `out` with `out[t] = persistence * out[t - 1] + shocks[t]`, `first` before it; all of shape (n,)."""
    value = first
    for step in range(shocks.size):
        value = persistence * value + shocks[step]
        out[step] = value


@kernel
def price_of(ticks: int, tick: float, decimals: float) -> float:
    """Return the price of so many ticks, rounded to its decimals: 100.123, not 100.12300000000001."""
    return round(ticks * tick * decimals) / decimals


@kernel
def _bin(rules: Record, price: float) -> int:
    place: int = math.floor(math.log(price) / rules.width) - rules.origin
    # the outermost bins also hold what lies beyond the grid
    return min(max(place, 0), int(rules.n_bins) - 1)


@kernel
def _link(head: IntArray1D, place: int, links: IntArray2D, slot: int) -> None:
    first = head[place]
    links[slot, 0], links[slot, 1] = first, -1
    if first >= 0:
        links[first, 1] = slot
    head[place] = slot


@kernel
def _unlink(head: IntArray1D, place: int, links: IntArray2D, slot: int) -> None:
    after, before = links[slot, 0], links[slot, 1]
    if after >= 0:
        links[after, 1] = before
    if before >= 0:
        links[before, 0] = after
    else:
        head[place] = after


@kernel
def _arm(rules: Record, slot: int, one: Record, in_bin: IntArray2D, by_bin: IntArray2D, reach: IntArray1D) -> None:
    """Put a position into the list of its trigger's bin."""
    one.bin = -1
    if one.trigger > 0.0:
        place = _bin(rules, one.trigger)
        one.bin = place
        _link(by_bin[one.side], place, in_bin, slot)
        reach[one.side] = max(reach[LONG], place) if one.side == LONG else min(reach[SHORT], place)


@kernel
def _trade(now: Record, bar: Record, tape: Records, time: int, ticks: int, lots: int, buy: bool) -> None:
    """Record a trade. Times are whole milliseconds, as venues stamp them."""
    if bar.trades == 0:
        bar.open, bar.high, bar.low = ticks, ticks, ticks
    bar.high, bar.low, bar.close = max(bar.high, ticks), min(bar.low, ticks), ticks
    bar.volume += lots
    bar.value += ticks * lots
    bar.trades += 1
    if buy:
        bar.bought += lots
    if tape.size > 0:
        row = tape[now.trades]
        row.time, row.ticks, row.lots, row.buy = time // _MS * _MS, ticks, lots, buy
        now.trades += 1


@kernel
def _imbalance(rules: Record, mark: float, mass: IntArray2D, discount: Float64Array1D) -> float:
    """Return how much more discounted mass lies above the mark than below, over both together."""
    here = _bin(rules, mark)
    above, below = 0.0, 0.0
    for j in range(discount.size):
        if here + j < rules.n_bins:
            above += discount[j] * mass[SHORT, here + j]
        if here - j >= 0:
            below += discount[j] * mass[LONG, here - j]
    return (above - below) / (above + below) if above + below > 0.0 else 0.0


@kernel
def _move(rules: Record, now: Record, draw: Record, mass: IntArray2D, discount: Float64Array1D) -> None:
    """Move price and mark by one step."""
    now.step += 1
    if rules.gravity != 0.0 and now.step % rules.look == 0:
        now.pull = _imbalance(rules, now.mark, mass, discount)
    drift = rules.gravity * now.pull
    if now.turn_left > 0:
        drift += now.turn
        now.turn_left -= 1
    now.before = now.lasting + now.passing
    # with nothing switched on this adds exact zeros: the path is that of the draws, bit for bit
    now.lasting += draw.noise + drift + now.queued_lasting
    now.passing = now.passing * rules.fade + now.queued_passing
    place = now.lasting + now.passing
    now.mean += rules.momentum_pace * (place - now.mean)
    now.ticks = max(1, round(math.exp(place) / rules.tick))
    now.mark = math.exp(place + draw.basis) if rules.marked else price_of(now.ticks, rules.tick, rules.decimals)


@kernel
def _reached(
    rules: Record, mark: float, before: float, side: int, hits: int, recorded: bool, position: Records, in_bin: IntArray2D,
    hit: IntArray1D, hit_at: Float64Array1D, by_bin: IntArray2D, reach: IntArray1D, counts: IntArray3D,
) -> int:  # fmt: skip
    """Take the positions of a side that the mark reached out of their bins and append them to `hit`; return how many are there now.

    Whoever tops up here and is reached no more goes on.
    """
    here, way = _bin(rules, mark), mark - before
    step = -1 if side == LONG else 1
    place = reach[side]
    while (here - place) * step >= 0:
        slot = by_bin[side, place]
        while slot >= 0:
            following = in_bin[slot, 0]
            one = position[slot]
            if (mark - one.trigger) * step >= 0.0:
                _unlink(by_bin[side], place, in_bin, slot)
                one.bin = -1
                if one.plan == TOP_UP:
                    one.plan = LIQUIDATE
                    one.margin *= 1.0 + rules.top_up_margin
                    one.level, one.trigger = one.final, one.final
                    if recorded:
                        counts[1, side, one.tier] += 1
                if one.trigger == 0.0 or (mark - one.trigger) * step < 0.0:
                    _arm(rules, slot, one, in_bin, by_bin, reach)
                else:
                    hit[hits] = slot
                    hit_at[hits] = min(max((one.trigger - before) / way, 0.0), 1.0) if way != 0.0 else 0.0
                    hits += 1
            slot = following
        place += step
    reach[side] = min(reach[LONG], here) if side == LONG else max(reach[SHORT], here)
    return hits


@kernel
def _sort(hits: int, position: Records, hit: IntArray1D, hit_at: Float64Array1D) -> None:
    """Sort what was reached by place on the way, then by age; bin by bin it is nearly sorted already."""
    for i in range(1, hits):
        slot, at, j = hit[i], hit_at[i], i - 1
        while j >= 0 and (hit_at[j] > at or (hit_at[j] == at and position[hit[j]].serial > position[slot].serial)):
            hit[j + 1], hit_at[j + 1] = hit[j], hit_at[j]
            j -= 1
        hit[j + 1], hit_at[j + 1] = slot, at


@kernel
def _note_killed(now: Record, one: Record, row: Record, time: int, ticks: int, amount: float) -> None:
    away = one.margin / amount
    row.time, row.side, row.tier, row.lots, row.ticks = time // _MS * _MS, one.side, one.tier, one.lots, ticks
    row.level, row.bankrupt = one.level, one.entry - away if one.side == LONG else one.entry + away
    now.killed += 1


@kernel
def _settle(rules: Record, now: Record, press: Float64Array1D, swept: float, depth: float, bursts: Records, recorded: bool) -> None:
    """Let liquidations move the price of the next step, and find bursts."""
    moved = min(max(rules.impact * swept / depth, -_LARGEST_IMPACT), _LARGEST_IMPACT)
    now.queued_lasting = rules.lasting_share * moved
    now.queued_passing = moved - now.queued_lasting
    for side in range(2):
        if press[side] >= rules.burst:
            if recorded:
                row = bursts[now.bursts]
                row.step, row.side, row.notional = now.step, side, press[side]
                now.bursts += 1
            now.turn = rules.turn if side == LONG else -rules.turn
            now.turn_left = rules.turn_steps
            press[side] = 0.0
        press[side] *= rules.burst_fade


@kernel
def _fill_trader(
    rules: Record, draw: Record, tiers: Records, rate: Float64Array1D, constant: Float64Array1D, one: Record, entry: float, step: int
) -> None:
    """Fill a slot with a trader: as much leverage as drawn and its bracket allows, and no more size than the lowest allows."""
    lots = max(1, round(draw.notional / entry / rules.lot))
    tier = tiers.size - 1
    while tier > 0 and (draw.leverage < tiers[tier - 1].cumulative or lots * rules.lot * entry > tiers[tier].largest):
        tier -= 1
    if lots * rules.lot * entry > tiers[0].largest:
        lots = max(1, math.floor(tiers[0].largest / entry / rules.lot))
    amount, sign = lots * rules.lot, 1.0 if one.side == LONG else -1.0
    margin = amount * entry / tiers[tier].leverage
    one.cross = draw.mode < rules.cross_share
    if one.cross:
        margin *= 1.0 + rules.cross_margin * draw.extra
    level = liquidation_price_of(sign, entry, amount, margin, False, rate, constant, 0.0)
    one.tier, one.lots, one.entry, one.margin, one.level = tier, lots, entry, margin, level
    one.plan, one.trigger, one.final = LIQUIDATE, level, level
    if draw.plan < rules.stop_share:
        way = rules.stop_nearest + (rules.stop_farthest - rules.stop_nearest) * draw.stop
        one.plan, one.trigger, one.final = STOP, entry + way * (level - entry), 0.0
    elif draw.plan < rules.stop_share + rules.top_up_share and level > 0.0:
        one.plan, one.trigger = TOP_UP, entry + rules.top_up_at * (level - entry)
        added = margin * (1.0 + rules.top_up_margin)
        one.final = liquidation_price_of(sign, entry, amount, added, False, rate, constant, 0.0)
    # absurd means are cut before the cast, which would overflow
    one.due = step + max(1, int(min(math.ceil(draw.holding * tiers[tier].holding), 1e9)))


@kernel
def _fill_holder(rules: Record, draw: Record, n_tiers: int, one: Record, entry: float, step: int) -> None:
    """Fill a slot with a hedged holder, whom no price moves."""
    one.side, one.tier, one.lots = LONG if draw.side < 0.5 else SHORT, n_tiers, max(1, round(draw.notional / entry / rules.lot))
    one.plan, one.cross, one.entry, one.margin = LIQUIDATE, False, entry, 0.0
    one.level, one.trigger, one.final = 0.0, 0.0, 0.0
    one.due = step + max(1, int(min(math.ceil(draw.holding), 1e9)))


@kernel
def _leave(
    slot: int, one: Record, now: Record, free: IntArray1D, in_bin: IntArray2D, in_step: IntArray2D, by_bin: IntArray2D,
    by_step: IntArray1D, mass: IntArray2D,
) -> None:  # fmt: skip
    """Take a position out of all lists and free its slot."""
    if one.bin >= 0:
        _unlink(by_bin[one.side], one.bin, in_bin, slot)
    if one.heat >= 0:
        mass[one.side, one.heat] -= one.lots
    if one.due < by_step.size:
        _unlink(by_step, one.due, in_step, slot)
    one.lots = 0
    free[now.free] = slot
    now.free += 1


@kernel
def _snapshot(now: Record, mass: IntArray2D, cells: Records, ends: IntArray1D) -> None:
    for side in range(2):
        for j in range(1, mass.shape[1] - 1):  # the outermost bins stand for no price
            if mass[side, j] > 0:
                cells[now.cells].bin, cells[now.cells].lots = j, mass[side, j]
                now.cells += 1
        ends[2 * now.snapshots + side] = now.cells
    now.snapshots += 1


@kernel
def advance(
    start: int, all_rules: Records, tiers: Records, rate: Float64Array1D, constant: Float64Array1D, discount: Float64Array1D,
    position: Records, in_bin: IntArray2D, in_step: IntArray2D, free: IntArray1D, hit: IntArray1D, hit_at: Float64Array1D,
    by_bin: IntArray2D, by_step: IntArray1D, mass: IntArray2D, all_now: Records, press: Float64Array1D, reach: IntArray1D,
    counts: IntArray3D, steps: Records, traders: Records, holders: Records, bars: Records, flows: IntArray4D,
    tape: Records, killed: Records, bursts: Records, cells: Records, ends: IntArray1D,
) -> int:  # fmt: skip
    """Carry the market over the steps from `start` on; return the step that was reached, before the end where `cells` is full.

    Arrays are told in `_layout`. flows: lots by bar, kind, side and tier. `tape` must have room for two trades a step, one a bar,
    two a new position and one a live one, or have none; `killed` for every position; `bursts` for two a step. State is updated
    in place.
    """
    rules, now = all_rules[0], all_now[0]
    for k in range(start, steps.size):
        at = now.step // rules.steps_per_bar
        first, last = now.step % rules.steps_per_bar == 0, (now.step + 1) % rules.steps_per_bar == 0
        bar, draw, recorded = bars[at], steps[k], at >= rules.skip
        if last and bar.emit and (cells.size - now.cells < mass.size or ends.size < 2 * (now.snapshots + 1)):
            return k
        opening = now.step * rules.length
        before, ticks = now.mark, now.ticks
        if first:
            bar.mark_open, bar.mark_high, bar.mark_low = before, before, before
            _trade(now, bar, tape, opening, ticks, 1, draw.lean >= 0.0)
        _move(rules, now, draw, mass, discount)
        mark, traded = now.mark, bar.volume
        bar.mark_high, bar.mark_low, bar.mark_close = max(bar.mark_high, mark), min(bar.mark_low, mark), mark

        hits, swept = 0, 0.0
        for side in range(2):
            hits = _reached(rules, mark, before, side, hits, recorded, position, in_bin, hit, hit_at, by_bin, reach, counts)
        _sort(hits, position, hit, hit_at)
        time = opening + rules.length - 1
        closing = by_step[now.step]
        i = 0
        while i < hits or closing >= 0:
            # first what was reached, on the way from the last price to this one; then what is due
            paid, when = now.ticks, time
            if i < hits:
                slot = hit[i]
                paid = ticks + round(hit_at[i] * (now.ticks - ticks))
                when = opening + min(int(hit_at[i] * rules.length), rules.length - 1)
            else:
                slot = closing
            one = position[slot]
            side, lots = one.side, one.lots
            _trade(now, bar, tape, when, paid, lots, side == SHORT)
            if i < hits and one.plan != STOP:
                flows[at, LIQUIDATED, side, one.tier] += lots
                amount = lots * rules.lot
                notional = amount * price_of(paid, rules.tick, rules.decimals)
                swept += notional if side == SHORT else -notional
                press[side] += notional
                if recorded:
                    _note_killed(now, one, killed[now.killed], when, paid, amount)
            else:
                flows[at, CLOSED, side, one.tier] += lots
                if i < hits:
                    flows[at, STOPPED, side, one.tier] += lots
            i += 1
            _leave(slot, one, now, free, in_bin, in_step, by_bin, by_step, mass)
            closing = by_step[now.step]
        _settle(rules, now, press, swept, draw.depth, bursts, recorded)

        entry = price_of(now.ticks, rules.tick, rules.decimals)
        trend = math.tanh((now.lasting + now.passing - now.mean) / rules.usual_trend) if draw.traders > 0 else 0.0
        for arrival in range(draw.traders + draw.holders):
            now.free -= 1
            now.serial += 1
            slot = free[now.free]
            one = position[slot]
            if arrival < draw.traders:
                one.side = LONG if traders[now.trader].side < 0.5 + rules.tilt * trend else SHORT
                _fill_trader(rules, traders[now.trader], tiers, rate, constant, one, entry, now.step)
                now.trader += 1
                if recorded:
                    counts[0, one.side, one.tier] += 1
            else:
                _fill_holder(rules, holders[now.holder], tiers.size, one, entry, now.step)
                now.holder += 1
            one.serial, one.opened, one.heat = now.serial, now.step, -1
            _arm(rules, slot, one, in_bin, by_bin, reach)
            if one.final > 0.0:
                one.heat = _bin(rules, one.final)
                mass[one.side, one.heat] += one.lots
            if one.due < by_step.size:
                _link(by_step, one.due, in_step, slot)
            _trade(now, bar, tape, time, now.ticks, one.lots, one.side == LONG)
            flows[at, OPENED, one.side, one.tier] += one.lots

        # market makers trade with each other in proportion to what others traded lately, and takers lean with the step's move
        now.traded += rules.churn_pace * (bar.volume - traded - now.traded)
        buying = 0.5 + 0.1 * math.tanh((now.lasting + now.passing - now.before) / rules.usual_step) + draw.lean
        buying = min(max(buying, 0.05), 0.95)
        churn = rules.churn * now.traded * draw.churn
        _trade(now, bar, tape, time, now.ticks, max(1, round(churn * (1.0 - buying))), False)
        _trade(now, bar, tape, time, now.ticks, max(1, round(churn * buying)), True)
        if last and bar.emit:
            _snapshot(now, mass, cells, ends)
    return steps.size

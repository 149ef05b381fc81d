"""Slow, obvious oracles of what is made from trades and order books: dictionaries, replays from the start, exact sums."""

from __future__ import annotations

import math

SLACK = 1e-9


def bar_open(stamp, step, anchor=0):
    return anchor + math.floor((stamp - anchor) / step) * step


def by_bar(trades, step, anchor=0):
    """Trades, as (timestamp, available, price, amount, buy), by the open of their bar, bars in order."""
    bars = {}
    for trade in trades:
        bars.setdefault(bar_open(trade[0], step, anchor), []).append(trade)
    return dict(sorted(bars.items()))


def known_at(opens, step, inside, late):
    latest = max(available for _, available, *_ in inside)
    return latest if latest - (opens + step) > late else opens + step


def reference_bars(trades, step, *, anchor=0, late):
    """Rows of the table `bars`, as tuples; sums are correctly rounded."""
    rows = []
    for opens, inside in by_bar(trades, step, anchor).items():
        prices = [price for _, _, price, _, _ in inside]
        rows.append(
            (
                opens,
                known_at(opens, step, inside, late),
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
                math.fsum(amount for *_, amount, _ in inside),
                math.fsum(amount * price for _, _, price, amount, _ in inside),
                math.fsum(amount for *_, amount, buy in inside if buy),
                len(inside),
            )
        )
    return rows


def reference_profile(trades, step, width, *, anchor=0, late):
    """Rows of volume at price, as tuples (open, known, bin, bought, sold)."""
    rows = []
    for opens, inside in by_bar(trades, step, anchor).items():
        bins = {}
        for _, _, price, amount, buy in inside:
            bins.setdefault(math.floor(math.log(price) / width), ([], []))[0 if buy else 1].append(amount)
        known = known_at(opens, step, inside, late)
        rows += [
            (opens, known, level, math.fsum(bought), math.fsum(sold))
            for level, (bought, sold) in sorted(bins.items())
            if math.fsum(bought) + math.fsum(sold) > 0
        ]
    return rows


def reference_reduction(bids, asks, distances, *, edges=None):
    """Cumulative depth of a book, as {(side, distance): (amount, notional)}, or "empty" or "crossed".

    bids, asks: dicts of amounts by price. edges: deepest known price of each side; by default the deepest level.
    """
    if not bids or not asks:
        return "empty"
    if max(bids) >= min(asks):
        return "crossed"
    mid = (max(bids) + min(asks)) / 2
    edges = edges or {"bid": min(bids), "ask": max(asks)}
    found = {}
    for side, levels in (("bid", sorted(bids.items(), reverse=True)), ("ask", sorted(asks.items()))):
        sign = -1 if side == "bid" else 1
        for distance in distances:
            if distance > sign * (edges[side] - mid) / mid * (1 + SLACK):
                continue
            inside = [(price, amount) for price, amount in levels if sign * (price - mid) / mid <= distance * (1 + SLACK)]
            found[side, distance] = (sum(amount for _, amount in inside), sum(price * amount for price, amount in inside))
    return found


def replay(updates):
    """The book after updates, as (timestamp, available, snapshot, bid, price, amount): levels, edges, latest stamp, skipped; or None."""
    levels = edges = None
    skipped, newest, before = 0, None, None
    for update in updates:
        stamp, available, snapshot, bid, price, amount = update
        if snapshot and (before is None or not before[2] or before[1] != available):
            levels = {"bid": {}, "ask": {}}
            edges = {"bid": math.inf, "ask": -math.inf}  # nothing known
        before = update
        if levels is None:
            skipped += 1
            continue
        side = "bid" if bid else "ask"
        if amount > 0:
            levels[side][price] = amount
        else:
            levels[side].pop(price, None)
        if snapshot and amount > 0:
            edges[side] = (min if bid else max)(edges[side], price)
        newest = stamp if newest is None else max(newest, stamp)
    return levels, edges, newest, skipped


def reference_samples(updates, every, distances, *, coverage):
    """Rows of depth, as (timestamp, available, side, distance, amount, notional), and counts of what was left out.

    Every instant of the cadence that follows an update and has an update after it, each replayed from the first update on.
    """
    rows, counts = [], {"empty": 0, "crossed": 0}
    instants = sorted({-(-available // every) * every for _, available, *_ in updates})
    for instant in instants:
        if not any(update[1] > instant for update in updates):
            continue
        levels, edges, newest, _ = replay([update for update in updates if update[1] <= instant])
        if levels is None:
            continue
        add_sample(rows, counts, levels, edges, (min(newest, instant), instant), distances, coverage)
    levels, edges, newest, skipped = replay(updates)
    if levels is not None:
        last = updates[-1][1]
        add_sample(rows, counts, levels, edges, (min(newest, last), last), distances, coverage)
    return rows, counts | {"skipped": skipped}


def add_sample(rows, counts, levels, edges, clocks, distances, coverage):
    if levels["bid"] and levels["ask"]:
        held = {"bid": min(levels["bid"]), "ask": max(levels["ask"])}
        edges = held if coverage == "book" else {"bid": max(held["bid"], edges["bid"]), "ask": min(held["ask"], edges["ask"])}
    found = reference_reduction(levels["bid"], levels["ask"], distances, edges=edges)
    if isinstance(found, str):
        counts[found] += 1
        return
    rows += [(*clocks, side, distance, *sums) for (side, distance), sums in found.items()]

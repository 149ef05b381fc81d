"""Slow, obvious oracles of the maps that follow from heat: one cell, one mix and one level at a time."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction


def reference_probability(heat, price, window, half, measure, size, mixes):
    """Share of mixes in which the zone around each bin is greater than `size`, of one side of one snapshot.

    heat: (n_leverages, n_prices). window: first bin that counts and one past the last. Exact where the inputs are.
    """
    bins = range(*window)
    above = dict.fromkeys(bins, 0)
    for mix in mixes:
        notional = {j: sum(Fraction(w) * Fraction(row[j]) for w, row in zip(mix, heat, strict=True)) * Fraction(price[j]) for j in bins}
        zones = {j: sum(notional.get(i, Fraction(0)) for i in range(j - half, j + half + 1)) for j in bins}
        if measure == "notional":
            least = Fraction(size)
        elif measure == "share":
            least = Fraction(size) * sum(notional.values())
        else:
            held = [zone for zone in zones.values() if zone > 0]
            least = Fraction(size) * statistics.median(held) if held else Fraction(0)
        for j in bins:
            above[j] += zones[j] > least
    return [above[j] / len(mixes) if j in above else 0.0 for j in range(len(price))]


def reference_on_the_way(amount, price, close, side):
    """What is liquidated from the last price to the far end of each bin, one level at a time."""
    found = []
    for j in range(len(amount)):
        passed = range(j, len(amount)) if side == "long" else range(j + 1)
        found.append(sum(amount[i] * price[i] for i in passed))
    return found


def reference_depth(distance, recorded, away, beyond):
    """Depth from mid to a distance, by walking the recorded steps; None where it is not known."""
    if away <= 0:
        return None
    steps = [(d, c) for d, c in zip(distance, recorded, strict=True) if not math.isnan(c)]
    if not steps:
        return None
    last_d, last_c = 0.0, 0.0
    for d, held in steps:
        c = max(held, last_c)
        if away <= d:
            return last_c + (c - last_c) * (away - last_d) / (d - last_d)
        last_d, last_c = d, c
    return last_c / last_d * away if beyond == "average" else None

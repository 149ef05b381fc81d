"""Slow, obvious oracle of swept zones: look at all bars of the window, again at every bar."""

from __future__ import annotations

import math


def reference_sweeps(market, features, side, min_swept, bars):
    """Near edge, far edge and extreme for each bar, as lists of tuples; NaN where less than `min_swept` was eaten in the window."""
    swept, near, far = (list(features[f"{side}_{name}"]) for name in ("swept", "near", "far"))
    farthest = min if side == "below" else max
    extremes = market.low if side == "below" else market.high
    found = []
    for t in range(market.n_bars):
        eaten = [k for k in range(max(1, t - bars + 1), t + 1) if swept[k] > 0]
        left = math.prod(1 - swept[k] for k in eaten)
        if not eaten or left > 1 - min_swept:
            found.append((math.nan, math.nan, math.nan))
            continue
        before = eaten[0] - 1
        found.append((near[before], far[before], farthest(extremes[k] for k in range(eaten[0], t + 1))))
    return found

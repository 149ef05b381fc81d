"""Slow, obvious oracles of the book: plain Python, one position pile a price level, nothing clever."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import triang


@dataclass
class ReferenceBook:
    """One leverage on both sides; `levels[side]` maps an absolute bin to the mass that would be liquidated there."""

    width: float
    shift: dict[str, float]  # log(liquidation price / entry price)
    levels: dict[str, dict[int, float]] = field(default_factory=lambda: {"long": {}, "short": {}})
    opened: dict[str, float] = field(default_factory=lambda: {"long": 0.0, "short": 0.0})
    closed: dict[str, float] = field(default_factory=lambda: {"long": 0.0, "short": 0.0})

    def centre(self, level):
        return math.exp((level + 0.5) * self.width)

    def is_hit(self, side, level, price):
        """Whether a market at `price` liquidates that level; in logs, so that the boundary is the kernel's."""
        at = math.log(price) / self.width
        return level + 0.5 >= at if side == "long" else level + 0.5 <= at

    def live(self, side):
        return math.fsum(self.levels[side].values())

    def step(self, bar, trigger, survival, opened, retained):
        """Carry one bar; return what was liquidated by side.

        bar, trigger: dicts with open, high, low, close (trigger has no open). survival, opened, retained: dicts by side.
        """
        swept = {"long": 0.0, "short": 0.0}
        for side in ("long", "short"):
            for level in list(self.levels[side]):
                before = self.levels[side][level]
                self.levels[side][level] = before * survival[side]
                self.closed[side] += before - before * survival[side]
        for side, extreme in (("long", trigger["low"]), ("short", trigger["high"])):
            for level in list(self.levels[side]):
                if self.is_hit(side, level, extreme):
                    swept[side] += self.levels[side].pop(level)
        for side in ("long", "short"):
            self.opened[side] += opened[side]
            self.closed[side] += opened[side] - retained[side]
        for price_log, share, futures in self.entries(bar, trigger):
            for side in ("long", "short"):
                worst = min if side == "long" else max
                at = (price_log + self.shift[side]) / self.width - 0.5
                for level, part in ((math.floor(at), 1 - (at - math.floor(at))), (math.floor(at) + 1, at - math.floor(at))):
                    for future in futures:
                        mass = retained[side] * share * part / len(futures)
                        if self.is_hit(side, level, worst(future)):
                            swept[side] += mass
                        else:
                            self.levels[side][level] = self.levels[side].get(level, 0.0) + mass
        return swept

    def entries(self, bar, trigger):
        """Yield (log entry price, share of the bar's openings, the trigger prices still to come for each leg that trades there)."""
        low, high, close, open_ = bar["low"], bar["high"], bar["close"], bar["open"]
        down, up = open_ - low, high - open_
        low_first = down < up or (down == up and close >= open_)
        final = min(max(trigger["close"], trigger["low"]), trigger["high"])
        near, far = ("low", "high") if low_first else ("high", "low")
        nodes = [open_, bar[near], bar[far], close]
        ahead = [trigger[near], trigger[far], final]
        mode = (low + high + close) / 3
        first, last = (math.floor(math.log(p) / self.width) for p in (low, high))
        for level in range(first, last + 1):
            bottom, top = max(low, math.exp(level * self.width)), min(high, math.exp((level + 1) * self.width))
            if first == last:
                share = 1.0
            else:
                shape = triang((mode - low) / (high - low), loc=low, scale=high - low)
                share = shape.cdf(top if level < last else high) - shape.cdf(bottom if level > first else low)
            if share <= 0:
                continue
            futures = []
            for leg in range(3):
                a, b = sorted(math.floor(math.log(p) / self.width) for p in nodes[leg : leg + 2])
                if a <= level <= b:
                    futures.append(ahead[leg:])
            edges = [max(level, math.log(low) / self.width), min(level + 1, math.log(high) / self.width)]
            yield sum(edges) / 2 * self.width, share, futures


def reference_flows(volume, interest, churn_share, long_churn_share, steps=20_000):
    """Opened, closed, survival and retained of longs and shorts in one bar, by integrating small steps of constant flow.

    interest: open interest before and after.
    """
    before, after = interest
    change = after - before
    churn = churn_share * max(volume - abs(change), 0.0)
    result = {}
    for side, share in (("long", long_churn_share), ("short", 1 - long_churn_share)):
        opened, closed = max(change, 0.0) + share * churn, max(-change, 0.0) + share * churn
        old, new = before, 0.0
        for step in range(steps):
            total = before + change * (step + 0.5) / steps
            rate = closed / steps / total if total > 0 else 0.0
            old, new = old * math.exp(-rate), new * math.exp(-rate) + opened / steps * math.exp(-rate / 2)
        result[side] = (opened, closed, old / before if before > 0 else 0.0, new)
    return result


def reference_zone_runs(heat, half, threshold):
    """Inclusive bounds of the runs of bins whose moving average is at least `threshold` of its highest value."""
    padded = np.concatenate([np.zeros(half), heat, np.zeros(half)])
    smooth = np.array([padded[i : i + 2 * half + 1].sum() for i in range(len(heat))])
    if smooth.max(initial=0.0) <= 0:
        return []
    hot = [i for i, value in enumerate(smooth) if value >= threshold * smooth.max()]
    runs = []
    for i in hot:
        if runs and runs[-1][1] == i - 1:
            runs[-1][1] = i
        else:
            runs.append([i, i])
    return [tuple(run) for run in runs]

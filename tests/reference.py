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
    sizes: dict[str, list[tuple[float, float]]]  # by side: log(liquidation price / entry price) and share of each position size
    count_liquidations: bool = True
    levels: dict[str, dict[int, float]] = field(default_factory=lambda: {"long": {}, "short": {}})
    opened: dict[str, float] = field(default_factory=lambda: {"long": 0.0, "short": 0.0})
    closed: dict[str, float] = field(default_factory=lambda: {"long": 0.0, "short": 0.0})

    def is_hit(self, side, level, price):
        """Whether a market at `price` liquidates that level; in logs, so that the boundary is the kernel's."""
        at = math.log(price) / self.width
        return level + 0.5 >= at if side == "long" else level + 0.5 <= at

    def live(self, side):
        return math.fsum(self.levels[side].values())

    def step(self, bar, trigger, survival, opened, retained, traded=None):
        """Carry one bar; return what was liquidated by side.

        bar, trigger: dicts with open, high, low, close (trigger has no open). survival, opened, retained: dicts by side.
        traded: volume by absolute bin, where recorded.
        """
        swept = {}
        entries = list(self.entries(bar, trigger, traded))
        for side, extreme in (("long", trigger["low"]), ("short", trigger["high"])):
            book = self.levels[side]
            to_close = (1 - survival[side]) * self.live(side)
            if not self.count_liquidations:
                self._close(side, to_close)
            old = math.fsum(book.pop(level) for level in list(book) if self.is_hit(side, level, extreme))
            survivors, young = {}, 0.0
            for level, mass, futures in self.placed(side, retained[side], entries):
                worst = min if side == "long" else max
                if self.is_hit(side, level, worst(futures)):
                    young += mass
                else:
                    survivors[level] = survivors.get(level, 0.0) + mass
            if self.count_liquidations:
                self._close(side, max(0.0, to_close - old - young))
            for level, mass in survivors.items():
                book[level] = book.get(level, 0.0) + mass
            self.opened[side] += opened[side]
            self.closed[side] += opened[side] - retained[side]
            swept[side] = old + young
        return swept

    def _close(self, side, amount):
        """Take `amount` from all positions of a side in proportion."""
        held = self.live(side)
        taken = min(amount, held)
        if held > 0:
            for level in self.levels[side]:
                self.levels[side][level] *= (held - taken) / held
            self.closed[side] += taken

    def placed(self, side, amount, entries):
        """Yield (level, mass, the trigger prices still to come) of all that opens on a side; bins stand for their centres."""
        for entry, share, legs in entries:
            for shift, size in self.sizes[side]:
                at = entry + shift / self.width
                for level, part in ((math.floor(at), 1 - (at - math.floor(at))), (math.floor(at) + 1, at - math.floor(at))):
                    for futures in legs:
                        yield level, amount * share * size * part / len(legs), futures

    def entries(self, bar, trigger, traded):
        """Yield (bin, share of the bar's openings, the trigger prices still to come for each leg that trades there)."""
        low, high, close, open_ = bar["low"], bar["high"], bar["close"], bar["open"]
        down, up = open_ - low, high - open_
        low_first = down < up or (down == up and close >= open_)
        final = min(max(trigger["close"], trigger["low"]), trigger["high"])
        near, far = ("low", "high") if low_first else ("high", "low")
        nodes = [open_, bar[near], bar[far], close]
        ahead = [trigger[near], trigger[far], final]
        places = {name: math.log(price) / self.width for name, price in bar.items()}
        first, last = math.floor(places["low"]), math.floor(places["high"])
        span = places["high"] - places["low"]
        if traded:
            shares = {}
            for level, volume in traded.items():
                inside = min(max(level, first), last)
                shares[inside] = shares.get(inside, 0.0) + volume / math.fsum(traded.values())
        elif first == last:
            shares = {first: 1.0}
        else:
            mode = (places["low"] + places["high"] + places["close"]) / 3
            below = triang.cdf(np.arange(first, last + 2), (mode - places["low"]) / span, places["low"], span)
            shares = dict(enumerate(np.diff(below).tolist(), start=first))
        for level, share in shares.items():
            legs = []
            for leg in range(3):
                a, b = sorted(math.floor(math.log(p) / self.width) for p in nodes[leg : leg + 2])
                if a <= level <= b:
                    legs.append(ahead[leg:])
            if share > 0:
                yield level, share, legs


def reference_flows(volume, interest, churn_share, long_churn_share, multiple=1.0, steps=20_000):
    """Opened, closed, survival and retained of longs and shorts in one bar, by integrating small steps of constant flow.

    interest: open interest before and after. multiple: of the recorded rate at which the positions asked for close.
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
            rate = multiple * closed / steps / total if total > 0 else 0.0
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

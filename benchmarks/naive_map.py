"""What a user would write first: a dictionary of levels, a loop over bars."""

from __future__ import annotations


def naive_map(high, low, close, volume, leverages, bin_bps=5.0):
    """Liquidation levels by side after all bars; each bar's volume opens at its close, price that passes a level removes it."""
    longs: dict[int, float] = {}
    shorts: dict[int, float] = {}
    for top, bottom, last, amount in zip(high, low, close, volume, strict=True):
        width = last * bin_bps * 1e-4
        for level in [key for key in longs if key * width >= bottom]:
            del longs[level]
        for level in [key for key in shorts if key * width <= top]:
            del shorts[level]
        for leverage in leverages:
            share = amount / len(leverages) / 2
            below, above = round(last * (1 - 1 / leverage) / width), round(last * (1 + 1 / leverage) / width)
            longs[below] = longs.get(below, 0.0) + share
            shorts[above] = shorts.get(above, 0.0) + share
    return longs, shorts

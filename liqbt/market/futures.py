"""The same market without what came later, or with something else coming later: what look-ahead is measured with."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np

from liqbt._typing import Float64Array1D
from liqbt.market.frame import MarketFrame
from liqbt.market.profile import VolumeProfile

__all__ = ["cut_off", "other_future"]

_NO_BARS: Final = ("depth_distance",)  # arrays that are not one value a bar
_PRICES: Final = (("open", "open"), ("high", "low"), ("low", "high"), ("close", "close"))  # what a mirror makes of each
_MARKS: Final = (("mark_high", "mark_low"), ("mark_low", "mark_high"), ("mark_close", "mark_close"))


def cut_off(market: MarketFrame, n_bars: int, *, start: int = 0) -> MarketFrame:
    """Return the bars `start` to `n_bars - 1` alone, as they would have been recorded by the close of the last one.

    Without findings and inputs, which speak of the whole recording.
    """
    rows = slice(start, n_bars)
    changes: dict[str, Any] = {
        field.name: value[rows]
        for field in fields(market)
        if isinstance(value := getattr(market, field.name), np.ndarray) and field.name not in _NO_BARS
    }
    if market.volume_profile is not None:
        changes["volume_profile"] = _profile(market.volume_profile, start, n_bars, n_bars)
    return replace(market, **changes, findings=(), inputs=())


def other_future(market: MarketFrame, n_bars: int, rng: np.random.Generator) -> MarketFrame:
    """Return a market whose first `n_bars` bars are the same, and whose others are others that could have come.

    Their prices are mirrored in the last known close, and moves shrunk to 50 to 90 %, so that what rose falls; their amounts are drawn
    anew.
    Of the volume profile only the known bars are left, and no findings or inputs, which speak of the whole recording.
    """
    later = market.n_bars - n_bars
    anchor, shrink = market.close[n_bars - 1], rng.uniform(0.5, 0.9)

    def changed(values: Float64Array1D, future: Float64Array1D) -> Float64Array1D:
        return np.concatenate((values[:n_bars], future))

    def mirrored(name: str) -> Float64Array1D:
        prices: Float64Array1D = anchor * (anchor / getattr(market, name)[n_bars:]) ** shrink
        return prices

    def redrawn(values: Float64Array1D, spread: float) -> Float64Array1D:
        factor = rng.lognormal(0.0, spread, later)
        return changed(values, values[n_bars:] * (factor if values.ndim == 1 else factor[:, None]))

    future = {name: mirrored(of) for name, of in _PRICES}
    future["high"] = np.maximum.reduce([future["high"], future["open"], future["close"]])  # powers round
    future["low"] = np.minimum.reduce([future["low"], future["open"], future["close"]])
    if market.mark_close is not None:
        future |= {name: mirrored(of) for name, of in _MARKS}
    changes: dict[str, Any] = {name: changed(getattr(market, name), values) for name, values in future.items()}
    changes["volume"] = redrawn(market.volume, 1.0)
    if market.taker_buy_volume is not None:
        changes["taker_buy_volume"] = changed(market.taker_buy_volume, changes["volume"][n_bars:] * rng.random(later))
    if market.funding_rate is not None:
        changes["funding_rate"] = changed(market.funding_rate, -2.0 * market.funding_rate[n_bars:])
    for name, spread in (("open_interest", 0.2), ("liquidated", 1.0), ("depth_bid", 1.0), ("depth_ask", 1.0)):
        values = getattr(market, name)
        if values is not None:
            changes[name] = redrawn(values, spread)
    if market.volume_profile is not None:
        changes["volume_profile"] = _profile(market.volume_profile, 0, n_bars, market.n_bars)
    return replace(market, **changes, findings=(), inputs=())


def _profile(profile: VolumeProfile, start: int, known: int, n_bars: int) -> VolumeProfile:
    """Return the profile of the bars `start` to `n_bars - 1`, with nothing traded from bar `known` on."""
    first, last = int(profile.offsets[start]), int(profile.offsets[known])
    offsets = np.minimum(profile.offsets[start : n_bars + 1], last) - first
    rows = slice(first, last)
    return VolumeProfile(width=profile.width, offsets=offsets, bin=profile.bin[rows], buy=profile.buy[rows], sell=profile.sell[rows])

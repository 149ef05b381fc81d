"""Maps of several venues on one price axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liqbt._time import parse_interval
from liqbt._typing import Float64Array1D
from liqbt.errors import ConfigError
from liqbt.heatmap.heatmap import Heatmap

__all__ = ["combine"]


def combine(heats: Sequence[Heatmap], *, max_age: str = "1d") -> Heatmap:
    """Return the sum, in base, of maps of one coin at several venues, or of several contracts at one.

    The price axis runs from the lowest to the highest bin of any map. At every snapshot of any map the newest snapshot that was known of
    each is added, from the first instant on at which all are known; so a row says nothing that was not known then. A snapshot older than
    `max_age`, an interval such as `1d`, is not known any more, and rows without all maps are left out.

    The first map leads: its last prices are those of the result, for venues differ by some basis points. The explained share is the
    smallest of all, open interest counts as recorded where it is in all maps. Prices must be in one currency, or in such as are worth
    the same; bins must be as wide in all maps, and lie on whole widths from price 1, as those of the book do.

    Raises ConfigError for no maps, other bins, or maps that are never known at the same time.
    """
    if not heats:
        raise ConfigError("heats: give at least one map")
    oldest = parse_interval(max_age, parameter="max_age")
    first, edges = _union(heats)
    stamps = np.unique(np.concatenate([heat.timestamp for heat in heats]))
    rows = [np.searchsorted(heat.timestamp, stamps, side="right") - 1 for heat in heats]
    known = np.ones(stamps.size, dtype=bool)
    for heat, row in zip(heats, rows, strict=True):
        known &= (row >= 0) & (stamps - heat.timestamp[np.maximum(row, 0)] <= oldest)
    if not known.any():
        raise ConfigError(
            f"heats: there is no instant at which all maps have a snapshot younger than {max_age}; give maps of the same time"
        )
    intensity = np.zeros((int(known.sum()), 2, edges.size - 1))
    for heat, row, start in zip(heats, rows, first, strict=True):
        intensity[:, :, start : start + heat.price.size] += heat.intensity[row[known]]
    sources = {heat.open_interest_source for heat in heats}
    return Heatmap(
        timestamp=stamps[known],
        price_edges=edges,
        close=heats[0].close[rows[0][known]],
        explained_share=np.min([heat.explained_share[row[known]] for heat, row in zip(heats, rows, strict=True)], axis=0),
        symbol=" + ".join(dict.fromkeys(heat.symbol for heat in heats)),
        open_interest_source=sources.pop() if len(sources) == 1 else "volume",
        synthetic=any(heat.synthetic for heat in heats),
        intensity=intensity,
    )


def _union(heats: Sequence[Heatmap]) -> tuple[list[int], Float64Array1D]:
    """Return the bin of the union at which each map begins, and the edges of the union, those of the maps where there are any."""
    width = heats[0].bin_width
    places = []
    for number, heat in enumerate(heats, 1):
        if abs(heat.bin_width / width - 1) > 1e-6:
            raise ConfigError(
                f"heats: map {number} ({heat.symbol}) has bins of {np.expm1(heat.bin_width) * 1e4:.4g} bps, the first of "
                f"{np.expm1(width) * 1e4:.4g}; make all with the same bin_bps"
            )
        at = float(np.log(heat.price_edges[0])) / width
        if abs(at - round(at)) > 0.01:
            raise ConfigError(
                f"heats: bins of map {number} ({heat.symbol}) do not lie on whole widths from price 1; take all maps from the book"
            )
        places.append(round(at))
    origin = min(places)
    stop = max(place + heat.price_edges.size for place, heat in zip(places, heats, strict=True))
    edges = np.exp(np.arange(origin, stop) * width)
    for place, heat in zip(places, heats, strict=True):
        edges[place - origin : place - origin + heat.price_edges.size] = heat.price_edges
    return [place - origin for place in places], edges

"""Zones followed through time: when each was born, how it grew or shrank, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from liqbt._time import to_index
from liqbt._typing import SIDES, BoolArray1D, Float64Array1D, IntArray1D
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.zones._kernels import FADED, GRAZED, LASTS, MERGED, OPEN, SWEPT, follow
from liqbt.zones.zones import Zones

__all__ = ["FATES", "ZoneTracks", "track_zones"]

FATES: Final = {OPEN: "open", SWEPT: "swept", GRAZED: "grazed", MERGED: "merged", FADED: "faded"}
"""How a track ends.

swept: price traded through the zone, or through its hottest price and nothing of it was left that counts: its amount was eaten.
grazed: price came into the zone but not to its hottest price, and it no longer counts. faded: it no longer counts, and price never touched
it: positions were closed, or others outgrew it. merged: another zone of the same side went on in its place. open: it was there at the last
snapshot, and its end is not known.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class ZoneTracks:
    """Zones and the track that each belongs to.

    What is said of a zone was known at its snapshot: `track`, `parent`, `born`, `change`, `covered`. What is said of a track, `summary()`,
    was known at its end. Arrays have shape (n_zones,), in the order of `zones`.

    track: number of the track, counted in the order of birth. parent: the track that the zone was split off from at this snapshot, or -1.
    born: UTC nanoseconds of the snapshot at which the track began. change: amount less that of the snapshot before, base; NaN at birth.
    covered: share, 0 to 1, of the width that the track's zone had at the snapshot before that price traded since; NaN at birth.
    ending: shape (n_zones,), of each track's last zone how it ended, key of `FATES`, and 0 for the others; ended: UTC nanoseconds of the
    snapshot at which that was known, 0 where it is not; met: the share of that zone's width that price traded by then; into: the track
    that went on in its place where it merged, else -1.
    """

    zones: Zones
    track: IntArray1D
    parent: IntArray1D
    born: IntArray1D
    change: Float64Array1D
    covered: Float64Array1D
    ending: IntArray1D
    ended: IntArray1D
    met: Float64Array1D
    into: IntArray1D

    @property
    def age(self) -> IntArray1D:
        """Nanoseconds since the zone's track was born, shape (n_zones,)."""
        return self.zones.timestamp - self.born

    def to_frame(self) -> pd.DataFrame:
        """Return one row a zone and snapshot, all of it known then.

        The columns of `Zones.to_frame`, and track, parent (-1 for none), born, age, state (`born`, `grew`, `shrank` or `held`), change
        (base), covered (share).
        """
        state = np.select([np.isnan(self.change), self.change > 0, self.change < 0], ["born", "grew", "shrank"], "held")
        return self.zones.to_frame().assign(
            track=self.track, parent=self.parent, born=to_index(self.born), age=pd.to_timedelta(self.age, unit="ns"),
            state=state, change=self.change, covered=self.covered,
        )  # fmt: skip

    def summary(self) -> pd.DataFrame:
        """Return one row a track, indexed by its number, with how it ended, which was known at `ended` and not before.

        side, parent, born, last_seen, ended (NaT while open), fate (see `FATES`), into (the track that it merged into, or -1), life
        (`ended`, or `last_seen` while open, less `born`), n_snapshots, first_notional, peak_notional, last_notional (quote), peak_share,
        low and high (outermost bounds ever, quote), covered (share of the last zone's width that price traded by its end).
        """
        zones = self.zones
        columns = {
            "track": self.track, "side": np.array(SIDES)[zones.side], "parent": self.parent, "stamp": zones.timestamp,
            "notional": zones.notional, "share": zones.share, "low": zones.low, "high": zones.high, "ending": self.ending,
            "ended": self.ended, "met": self.met, "into": self.into,
        }  # fmt: skip
        grouped = pd.DataFrame(columns).groupby("track")
        found = grouped.agg(
            side=("side", "first"), parent=("parent", "first"), born=("stamp", "first"), last_seen=("stamp", "last"),
            ended=("ended", "last"), fate=("ending", "last"), into=("into", "last"), n_snapshots=("stamp", "size"),
            first_notional=("notional", "first"), peak_notional=("notional", "max"), last_notional=("notional", "last"),
            peak_share=("share", "max"), low=("low", "min"), high=("high", "max"), covered=("met", "last"),
        )  # fmt: skip
        is_open = found["fate"].to_numpy(dtype=np.int64) == OPEN
        stamps = {name: found[name].to_numpy(dtype=np.int64) for name in ("born", "last_seen", "ended")}
        life = np.where(is_open, stamps["last_seen"], stamps["ended"]) - stamps["born"]
        found["ended"] = pd.Series(to_index(stamps["ended"]), index=found.index).mask(is_open)
        found["born"], found["last_seen"] = to_index(stamps["born"]), to_index(stamps["last_seen"])
        found["fate"] = found["fate"].map(FATES)
        found.insert(7, "life", pd.to_timedelta(life, unit="ns"))
        return found


def track_zones(zones: Zones, market: MarketFrame) -> ZoneTracks:
    """Follow zones from snapshot to snapshot: the same zone is the one that overlaps most with it, on the same side.

    Each zone goes on at most one zone of the snapshot before, and is gone on by at most one; the greatest overlap in log price comes first.
    Where a zone splits, the others are born as its children; where zones merge, the others end. A zone that price traded through has
    ended, whatever stands there afterwards. market: tells where price went between snapshots: the range that liquidates, as in the book.

    Raises ConfigError where the market does not reach as far as the snapshots.
    """
    snapshots = zones.snapshots
    lowest, highest = _ranges(snapshots, market)
    begins = np.searchsorted(zones.timestamp, np.append(snapshots, np.iinfo(np.int64).max))
    count = len(zones)
    before, fate, met = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int8), np.full(count, np.nan)
    if count:
        with np.errstate(divide="ignore"):  # no bar between two snapshots: price went nowhere
            extremes = np.log(lowest), np.log(highest)
        follow(begins, zones.side, np.log(zones.low), np.log(zones.high), np.log(zones.peak), *extremes, before, fate, met)
    goes_on = before >= 0
    first_of = np.where(goes_on, before, np.arange(count))
    while count and not np.array_equal(first_of, first_of[first_of]):  # jump twice as far each time
        first_of = first_of[first_of]
    track = (np.cumsum(~goes_on) - 1)[first_of]
    change, covered = np.full(count, np.nan), np.full(count, np.nan)
    change[goes_on] = zones.amount[goes_on] - zones.amount[before[goes_on]]
    covered[goes_on] = met[before[goes_on]]
    ending = fate.astype(np.int64)
    newborn = np.flatnonzero(~goes_on)
    next_snapshot = np.append(snapshots, 0)[np.searchsorted(snapshots, zones.timestamp, side="right")]
    return ZoneTracks(
        zones=zones,
        track=track,
        parent=_beside(zones, begins, newborn[newborn >= begins[:2][-1]], -1, ending == LASTS, track),
        into=_beside(zones, begins, np.flatnonzero(ending == MERGED), 1, np.ones(count, dtype=bool), track),
        born=zones.timestamp[first_of],
        change=change,
        covered=covered,
        ending=ending,
        ended=np.where((ending != LASTS) & (ending != OPEN), next_snapshot, 0),
        met=met,
    )


def _ranges(snapshots: IntArray1D, market: MarketFrame) -> tuple[Float64Array1D, Float64Array1D]:
    """Return the extremes of price since the snapshot before, each of shape (n_snapshots,); of the first only its own bar's."""
    close = market.timestamp + market.interval_ns
    after = np.searchsorted(close, snapshots, side="right")
    if snapshots.size and (after[0] == 0 or snapshots[-1] - close[-1] >= market.interval_ns):
        raise ConfigError(
            f"market: its bars, {market.span[0]} to {market.span[1]}, do not cover the snapshots of the zones; give the market of the map"
        )
    from_ = np.append(after[:1] - 1, after[:-1])
    lowest = [market.trigger_low[a:b].min(initial=np.inf) for a, b in zip(from_, after, strict=True)]
    highest = [market.trigger_high[a:b].max(initial=0.0) for a, b in zip(from_, after, strict=True)]
    return np.array(lowest), np.array(highest)


def _beside(zones: Zones, begins: IntArray1D, rows: IntArray1D, step: int, allowed: BoolArray1D, track: IntArray1D) -> IntArray1D:
    """Return for each of these rows the track that it overlaps most, of the allowed zones `step` snapshots later; -1 for none."""
    found = np.full(len(zones), -1, dtype=np.int64)
    snapshot = np.searchsorted(begins, np.arange(len(zones)), side="right") - 1
    for row in rows:
        there = snapshot[row] + step
        others = slice(int(begins[there]), int(begins[there + 1]))
        overlap = np.log(np.minimum(zones.high[others], zones.high[row])) - np.log(np.maximum(zones.low[others], zones.low[row]))
        overlap = np.where((zones.side[others] == zones.side[row]) & allowed[others], overlap, -1.0)
        if overlap.size and overlap.max() > 0:
            found[row] = track[others.start + int(overlap.argmax())]
    return found

"""Slow, obvious oracles of zones: prominence by walking, and tracks by keeping a list of what is open."""

from __future__ import annotations

import numpy as np


def reference_prominence(smooth, first, last):
    """Prominence of the highest bin of first..last over its height, on ground that is 0 beyond both ends."""
    ground = [0.0, *smooth, 0.0]
    inside = range(first + 1, last + 2)
    peak = max(inside, key=lambda j: (ground[j], -j))
    height = ground[peak]
    if height <= 0:
        return 0.0
    ways = []
    for way in (ground[peak + 1 :], ground[:peak][::-1]):
        passed = []
        for value in way:
            if value > height:
                break
            passed.append(value)
        ways.append(min(passed, default=height))
    return (height - max(ways)) / height


def reference_tracks(snapshots, lowest, highest):
    """Tracks as lists of (snapshot, zone number), and what is said of them.

    snapshots: for each snapshot a list of zones (side, low, high, peak), in log price. lowest, highest: extremes of log price since the
    snapshot before. Returns tracks in the order of birth: dicts with seen, fate, ended (snapshot or None), met, covered (by snapshot),
    parent, into.
    """
    tracks = []
    alive = []
    for now, zones in enumerate(snapshots):
        candidates, ended = [], []
        for track in alive:
            side, low, high, peak = track["zone"]
            depth = (high - lowest[now]) if side == 0 else (highest[now] - low)
            track["met"] = float(np.clip(depth / (high - low), 0, 1))
            beyond = lowest[now] <= low if side == 0 else highest[now] >= high
            hottest = lowest[now] <= peak if side == 0 else highest[now] >= peak
            rivals = [n for n, z in enumerate(zones) if z[0] == side and min(z[2], high) > max(z[1], low)]
            if beyond or (not rivals and hottest):
                ended.append((track, "swept"))
            elif not rivals:
                ended.append((track, "grazed" if depth >= 0 else "faded"))
            else:
                candidates += [(min(zones[n][2], high) - max(zones[n][1], low), track, n) for n in rivals]
        candidates.sort(key=lambda one: (-one[0], one[1]["seen"][-1][1], one[2]))
        went_on, taken = [], {}
        for _, track, n in candidates:
            if n not in taken and track not in went_on:
                went_on.append(track)
                taken[n] = track
        for _, track, _ in candidates:
            if track not in went_on and track not in [one for one, _ in ended]:
                ended.append((track, "merged"))
        for track, fate in ended:
            track.update(fate=fate, ended=now, last=track["zone"])
        before = {id(track): track["zone"] for track in went_on}
        following = []
        for n, zone in enumerate(zones):
            if n in taken:
                track = taken[n]
                track["covered"][now] = track["met"]
            else:
                overlaps = [
                    (min(zone[2], before[id(one)][2]) - max(zone[1], before[id(one)][1]), one)
                    for one in sorted(went_on, key=lambda one: one["seen"][-1][1])
                    if before[id(one)][0] == zone[0]
                ]
                best = max(overlaps, key=lambda one: one[0], default=(0.0, None))
                parent = best[1]["number"] if best[0] > 0 else -1
                track = {"number": len(tracks), "seen": [], "fate": "open", "ended": None, "covered": {}, "parent": parent, "into": -1}
                tracks.append(track)
            following.append((track, n, zone))
        for track, fate in ended:
            if fate == "merged":
                side, low, high, _ = track["last"]
                rivals = [(min(z[2], high) - max(z[1], low), -n, one) for one, n, z in following if z[0] == side]
                track["into"] = max(rivals, key=lambda one: one[:2])[2]["number"]
        for track, n, zone in following:
            track["seen"] = [*track["seen"], (now, n)]
            track["zone"] = zone
        alive = [track for track, _, _ in following]
    return tracks

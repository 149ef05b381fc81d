"""Tracks of zones: by hand, against the oracle, and without a look at the future."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookahead import changed_future
from reference_zones import reference_tracks

from liqbt.book.reconstruct import reconstruct
from liqbt.errors import ConfigError
from liqbt.zones import Zones, find_zones, track_zones

HOUR = 3_600_000_000_000
START = pd.Timestamp("2026-01-01", tz="UTC").value
WIDTH = 0.01


def price(step):
    """Prices on a grid of one percent."""
    return 100.0 * np.exp(WIDTH * np.asarray(step, dtype=float))


def zones_of(snapshots, amounts=None):
    """Zones from lists, one a snapshot, of (side, low, high, peak) in steps of one percent; the first is known an hour after the start."""
    rows = [(START + HOUR * (t + 1), *zone) for t, one in enumerate(snapshots) for zone in sorted(one)]
    table = np.array(rows, dtype=float).reshape(-1, 5)
    stamp = np.array([row[0] for row in rows], dtype=np.int64)
    amount = np.ones(stamp.size) if amounts is None else np.asarray(amounts, dtype=float)
    filler = np.full(stamp.size, 0.5)
    return Zones(
        timestamp=stamp, side=table[:, 1].astype(np.int64), low=price(table[:, 2]), high=price(table[:, 3]), peak=price(table[:, 4]),
        amount=amount, notional=amount * 100, share=filler, prominence=filler, distance=filler, distance_sigma=filler,
        snapshots=START + HOUR * np.arange(1, len(snapshots) + 1),
    )  # fmt: skip


@pytest.fixture
def followed(make_market):
    """Tracks of zones from lists, on a market whose bar before each snapshot ranges over (low, high), in steps."""

    def follow(snapshots, ranges, amounts=None):
        low, high = price([one[0] for one in ranges]), price([one[1] for one in ranges])
        return track_zones(zones_of(snapshots, amounts), make_market(close=low.tolist(), low=low.tolist(), high=high.tolist()))

    return follow


LONG, SHORT = 0, 1
CALM = (0, 1)


def test_a_zone_that_lasts_grows_shrinks_and_holds(followed):
    zone = (SHORT, 10, 12, 11)
    tracks = followed([[zone]] * 4, [CALM] * 4, amounts=[5.0, 7.0, 6.0, 6.0])
    frame = tracks.to_frame()
    assert frame["track"].tolist() == [0, 0, 0, 0]
    assert frame["state"].tolist() == ["born", "grew", "shrank", "held"]
    np.testing.assert_array_equal(frame["change"], [np.nan, 2.0, -1.0, 0.0])
    assert frame["age"].tolist() == [pd.Timedelta(h, unit="h") for h in range(4)]
    assert (frame["born"] == pd.Timestamp(START + HOUR, tz="UTC")).all()
    (row,) = tracks.summary().to_dict("records")
    assert (row["fate"], row["n_snapshots"], row["side"], row["parent"]) == ("open", 4, "short", -1)
    assert row["life"] == pd.Timedelta(3, unit="h")
    assert pd.isna(row["ended"])
    assert (row["first_notional"], row["peak_notional"], row["last_notional"]) == (500.0, 700.0, 600.0)


@pytest.mark.parametrize(
    ("range_", "fate", "covered"),
    [
        ((0, 9), "faded", 0.0),
        ((0, 10), "grazed", 0.0),
        ((0, 10.5), "grazed", 0.25),
        ((0, 11), "swept", 0.5),
        ((0, 12), "swept", 1.0),
        ((0, 30), "swept", 1.0),
    ],
)
def test_how_a_short_zone_ends(followed, range_, fate, covered):
    tracks = followed([[(SHORT, 10, 12, 11)], []], [CALM, range_])
    (row,) = tracks.summary().to_dict("records")
    assert row["fate"] == fate
    assert row["covered"] == pytest.approx(covered, abs=1e-12)
    assert row["ended"] == pd.Timestamp(START + 2 * HOUR, tz="UTC")
    assert row["last_seen"] == pd.Timestamp(START + HOUR, tz="UTC")
    assert row["life"] == pd.Timedelta(1, unit="h")


@pytest.mark.parametrize(("lowest", "fate"), [(-9, "faded"), (-10, "grazed"), (-11, "swept"), (-12, "swept"), (-20, "swept")])
def test_how_a_long_zone_ends(followed, lowest, fate):
    tracks = followed([[(LONG, -12, -10, -11)], []], [CALM, (lowest, 0)])
    assert tracks.summary()["fate"].tolist() == [fate]


def test_what_stands_where_price_went_through_is_another_zone(followed):
    zone = (SHORT, 10, 12, 11)
    tracks = followed([[zone], [zone]], [CALM, (0, 12)])
    assert tracks.track.tolist() == [0, 1]
    assert tracks.summary()["fate"].tolist() == ["swept", "open"]
    assert tracks.parent.tolist() == [-1, -1]


def test_what_price_left_of_a_zone_is_the_same_zone(followed):
    tracks = followed([[(SHORT, 10, 14, 11)], [(SHORT, 12, 14, 13)], []], [CALM, (0, 12), (0, 13.5)], amounts=[9.0, 4.0])
    assert tracks.track.tolist() == [0, 0]
    frame = tracks.to_frame()
    assert frame["covered"].tolist()[1] == pytest.approx(0.5)
    assert frame["change"].tolist()[1] == -5.0
    (row,) = tracks.summary().to_dict("records")
    assert row["fate"] == "swept"
    assert row["covered"] == pytest.approx(0.75)


def test_the_greatest_overlap_goes_on_when_zones_merge_and_split(followed):
    two, one = [(SHORT, 10, 12, 11), (SHORT, 13, 18, 14)], [(SHORT, 10, 18, 14)]
    merged = followed([two, one], [CALM] * 2)
    assert merged.track.tolist() == [0, 1, 1]
    assert merged.summary()["fate"].tolist() == ["merged", "open"]
    assert merged.summary()["into"].tolist() == [1, -1]
    split = followed([one, two], [CALM] * 2)
    assert split.track.tolist() == [0, 1, 0]
    assert split.parent.tolist() == [-1, 0, -1]


def test_sides_never_mix(followed):
    tracks = followed([[(LONG, -3, -1, -2)], [(SHORT, -3, -1, -2)]], [CALM, (0, 0)])
    assert tracks.track.tolist() == [0, 1]
    assert tracks.summary()["side"].tolist() == ["long", "short"]


def test_a_zone_that_comes_back_is_another(followed):
    zone = (SHORT, 10, 12, 11)
    tracks = followed([[zone], [], [zone]], [CALM] * 3)
    assert tracks.track.tolist() == [0, 1]
    assert tracks.summary()["fate"].tolist() == ["faded", "open"]


def test_no_zones_have_no_tracks(followed):
    tracks = followed([[], []], [CALM] * 2)
    assert tracks.to_frame().empty
    assert tracks.summary().empty
    assert {"fate", "life", "ended"} <= set(tracks.summary())


def test_a_market_that_ends_before_the_zones(make_market):
    zones = zones_of([[(SHORT, 10, 12, 11)]] * 3)
    with pytest.raises(ConfigError, match=r"^market: its bars.*do not cover the snapshots of the zones; give the market of the map"):
        track_zones(zones, make_market(close=[100.0]))
    late = make_market(close=[100.0] * 9)
    with pytest.raises(ConfigError, match="do not cover"):
        track_zones(replace(zones, snapshots=zones.snapshots - 2 * HOUR), late)


@st.composite
def histories(draw):
    """Disjoint zones on both sides on a coarse grid, so that ties happen, and ranges of price between snapshots."""
    snapshots, ranges = [], []
    for _ in range(draw(st.integers(1, 7))):
        here = []
        for side in (LONG, SHORT):
            cuts = sorted(draw(st.lists(st.integers(0, 12), max_size=6, unique=True)))
            for low, high in zip(cuts[::2], cuts[1::2], strict=False):
                here.append((side, low, high, low + draw(st.sampled_from((0.25, 0.5, 0.75))) * (high - low)))
        snapshots.append(here)
        low = draw(st.integers(-1, 13))
        ranges.append((low, draw(st.integers(low, 13))))
    return snapshots, ranges


@settings(max_examples=300)
@given(history=histories())
def test_tracks_equal_the_oracle(make_market, history):
    snapshots, ranges = history
    zones = zones_of(snapshots)
    low, high = price([one[0] for one in ranges]), price([one[1] for one in ranges])
    tracks = track_zones(zones, make_market(close=low.tolist(), low=low.tolist(), high=high.tolist()))
    logs = np.column_stack([np.log(zones.low), np.log(zones.high), np.log(zones.peak)])
    begins = np.cumsum([0, *map(len, snapshots)])
    expected = reference_tracks(
        [[(int(zones.side[i]), *logs[i]) for i in range(a, b)] for a, b in pairwise(begins)], np.log(low), np.log(high)
    )
    summary = tracks.summary()
    assert len(summary) == len(expected)
    for number, track in enumerate(expected):
        rows = [int(begins[t]) + n for t, n in track["seen"]]
        assert np.flatnonzero(tracks.track == number).tolist() == rows
        assert summary["fate"][number] == track["fate"]
        assert summary["parent"][number] == track["parent"]
        assert summary["into"][number] == track["into"]
        for row, (t, _) in zip(rows, track["seen"], strict=True):
            assert tracks.born[row] == zones.snapshots[track["seen"][0][0]]
            np.testing.assert_equal(tracks.covered[row], track["covered"].get(t, np.nan))
        if track["ended"] is not None:
            assert summary["ended"][number].value == zones.snapshots[track["ended"]]
            assert summary["covered"][number] == track["met"]


@settings(max_examples=4)
@given(cut=st.integers(600, 1900), seed=st.one_of(st.none(), st.integers(0, 2**32 - 1)))
def test_nothing_is_said_of_a_snapshot_that_was_not_known_then(week, cut, seed):
    """Also of tracks: one that had ended by then ended in the same way."""
    known = week.timestamp[cut] + week.interval_ns
    found = []
    for market in (changed_future(week, week.n_bars - 1, seed=None), changed_future(week, cut, seed=seed)):
        zones = find_zones(reconstruct(market).heatmap("1h", reach=0.28), market=market)
        tracks = track_zones(zones, market)
        frame, summary = tracks.to_frame(), tracks.summary()
        found.append(
            (frame[frame["timestamp"] <= pd.Timestamp(known, tz="UTC")], summary[summary["ended"] <= pd.Timestamp(known, tz="UTC")])
        )
    (frame, summary), (other_frame, other_summary) = found
    assert len(frame) > 20
    pd.testing.assert_frame_equal(frame, other_frame, check_exact=True)
    pd.testing.assert_frame_equal(summary, other_summary, check_exact=True)


def test_price_eats_zones_on_the_synthetic_week(week):
    tracks = track_zones(find_zones(reconstruct(week).heatmap("1h")), week)
    summary = tracks.summary()
    assert set(summary["fate"]) <= {"swept", "grazed", "merged", "faded", "open"}
    assert (summary["fate"] == "swept").sum() > 5
    assert (summary["fate"] == "open").sum() == (tracks.zones.timestamp == tracks.zones.snapshots[-1]).sum()
    assert (summary["n_snapshots"] == np.bincount(tracks.track)).all()

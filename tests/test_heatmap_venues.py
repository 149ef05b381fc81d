"""Maps of several venues on one price axis, and at the times at which they were known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_heatmap import HOUR, START, heatmap

from liqbt.errors import ConfigError
from liqbt.heatmap import combine

WIDTH = 0.01


def venue(first_bin, intensity, *, hours=None, close=None, symbol="A", **fields):
    """A map whose bins lie on whole widths from price 1, with snapshots at these hours."""
    intensity = np.asarray(intensity, dtype=float)
    rows, _, bins = intensity.shape
    heat = heatmap(intensity)
    return replace(
        heat,
        price_edges=np.exp(WIDTH * np.arange(first_bin, first_bin + bins + 1)),
        timestamp=START + HOUR * np.asarray(hours if hours is not None else range(1, rows + 1), dtype=np.int64),
        close=np.asarray(close if close is not None else [100.0] * rows),
        symbol=symbol,
        **fields,
    )


def test_by_hand():
    one = venue(460, np.full((2, 2, 3), 1.0), symbol="DOGEUSDT", close=[1.0, 2.0])
    two = venue(462, np.full((2, 2, 4), 10.0), symbol="DOGE", close=[7.0, 8.0], explained_share=np.array([0.05, 0.95]))
    both = combine([one, two])
    assert both.intensity[0, 0].tolist() == [1.0, 1.0, 11.0, 10.0, 10.0, 10.0]
    np.testing.assert_array_equal(both.price_edges, np.exp(WIDTH * np.arange(460, 467)))
    assert both.close.tolist() == [1.0, 2.0]
    assert both.explained_share.tolist() == [0.05, 0.9]
    assert both.symbol == "DOGEUSDT + DOGE"
    assert both.open_interest_source == "recorded"
    assert not both.synthetic


def test_edges_are_those_of_the_maps_to_the_bit():
    """Merged bins are counted in another width, whose edges may differ in the last bit."""
    one, two = venue(460, np.ones((1, 2, 3))), venue(470, np.ones((1, 2, 3)))
    nudged = replace(two, price_edges=np.nextafter(two.price_edges, np.inf))
    both = combine([one, nudged])
    assert both.price_edges[:4].tolist() == one.price_edges.tolist()
    assert both.price_edges[10:].tolist() == nudged.price_edges.tolist()
    assert both.price_edges.size == 14
    assert (both.intensity[0, 0] > 0).tolist() == [True] * 3 + [False] * 7 + [True] * 3


def test_each_row_takes_what_was_known_then():
    one = venue(460, np.arange(1, 5).reshape(4, 1, 1) * np.ones((4, 2, 1)), hours=[1, 2, 3, 4], close=[1, 2, 3, 4])
    two = venue(460, np.array([10.0, 20.0]).reshape(2, 1, 1) * np.ones((2, 2, 1)), hours=[2, 4])
    both = combine([one, two])
    assert ((both.timestamp - START) // HOUR).tolist() == [2, 3, 4]
    assert both.intensity[:, 0, 0].tolist() == [12.0, 13.0, 24.0]
    offset = combine([one, replace(two, timestamp=two.timestamp + HOUR // 2)])
    assert offset.intensity[:, 0, 0].tolist() == [12.0, 13.0, 14.0, 24.0]
    assert offset.close.tolist() == [2.0, 3.0, 4.0, 4.0]


def test_old_snapshots_are_not_known_any_more():
    one = venue(460, np.ones((5, 2, 1)))
    two = venue(460, np.ones((1, 2, 1)))
    assert ((combine([one, two], max_age="2h").timestamp - START) // HOUR).tolist() == [1, 2, 3]
    assert combine([one, two]).timestamp.size == 5
    with pytest.raises(ConfigError, match=r"^heats: there is no instant at which all maps have a snapshot younger than 2h"):
        combine([venue(460, np.ones((1, 2, 1)), hours=[9]), two], max_age="2h")
    with pytest.raises(ConfigError, match=r"^max_age: "):
        combine([one], max_age="soon")


def test_one_map_is_itself():
    one = venue(460, np.random.default_rng(0).random((3, 2, 4)))
    same = combine([one])
    for name in ("timestamp", "price_edges", "intensity", "close", "explained_share"):
        np.testing.assert_array_equal(getattr(same, name), getattr(one, name))


def test_a_guess_and_a_simulation_show():
    both = combine([venue(460, np.ones((1, 2, 1))), venue(460, np.ones((1, 2, 1)), open_interest_source="volume", synthetic=True)])
    assert both.open_interest_source == "volume"
    assert both.synthetic
    assert both.symbol == "A"


def test_maps_that_do_not_fit():
    one = venue(460, np.ones((1, 2, 3)))
    wide = replace(one, price_edges=np.exp(0.02 * np.arange(230, 234)), symbol="W")
    with pytest.raises(ConfigError, match=r"^heats: map 2 \(W\) has bins of 202 bps, the first of 100.5; make all with the same bin_bps"):
        combine([one, wide])
    with pytest.raises(ConfigError, match=r"^heats: bins of map 1 \(A\) do not lie on whole widths from price 1"):
        combine([replace(one, price_edges=one.price_edges * 1.003)])
    with pytest.raises(ConfigError, match=r"^heats: give at least one map"):
        combine([])


histories = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), min_size=1, max_size=6, unique_by=lambda one: one[0])


@given(st.lists(histories, min_size=1, max_size=3), st.integers(1, 12), st.integers(0, 13))
def test_the_future_of_any_venue_changes_no_earlier_row(venues, max_age, cut):
    maps = []
    for number, history in enumerate(venues):
        ordered = sorted(history)
        amounts = np.array([one[1] for one in ordered], dtype=float)[:, None, None] * np.ones((1, 2, 2))
        maps.append(venue(460 + number, amounts, hours=[one[0] for one in ordered]))
    known_until = START + HOUR * cut

    def rows(heats):
        try:
            both = combine(heats, max_age=f"{max_age}h")
        except ConfigError:
            return []
        return [(int(t), cells.tobytes()) for t, cells in zip(both.timestamp, both.intensity, strict=True) if t <= known_until]

    past = []
    for one in maps:
        kept = one.timestamp <= known_until
        past.append(replace(one, **{name: getattr(one, name)[kept] for name in ("timestamp", "intensity", "close", "explained_share")}))
    if all(one.timestamp.size for one in past):
        assert rows(past) == rows(maps)
    else:
        assert rows(maps) == []
    for stamp, cells in rows(maps):
        expected = np.zeros((2, len(venues) + 1))
        for number, one in enumerate(maps):
            row = [i for i, t in enumerate(one.timestamp) if t <= stamp][-1]
            assert stamp - one.timestamp[row] <= max_age * HOUR
            expected[:, number : number + 2] += one.intensity[row]
        np.testing.assert_array_equal(np.frombuffer(cells).reshape(2, -1), expected)

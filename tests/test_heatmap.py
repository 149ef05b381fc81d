"""Heatmap: labels, cuts and coarser pictures of a map that was made by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from liqbt.errors import ConfigError
from liqbt.heatmap import Heatmap

HOUR = 3_600_000_000_000
START = pd.Timestamp("2026-01-01", tz="UTC").value


def heatmap(intensity, low=100.0, width=0.01):
    intensity = np.asarray(intensity, dtype=float)
    rows, _, bins = intensity.shape
    return Heatmap(
        timestamp=START + HOUR * np.arange(1, rows + 1),
        price_edges=low * np.exp(width * np.arange(bins + 1)),
        intensity=intensity,
        close=np.linspace(101.0, 103.0, rows),
        explained_share=np.linspace(0.1, 0.9, rows),
        symbol="TESTUSDT",
        open_interest_source="recorded",
    )


SMALL = heatmap(np.arange(3 * 2 * 5).reshape(3, 2, 5))
intensities = hnp.arrays(
    np.float64, st.tuples(st.integers(1, 9), st.just(2), st.integers(1, 12)), elements=st.floats(0, 1e9, allow_subnormal=False)
)


def test_to_xarray():
    array = SMALL.to_xarray()
    assert array.dims == ("timestamp", "side", "price")
    assert array.name == "liquidation_intensity"
    assert array.attrs == {"units": "base", "symbol": "TESTUSDT", "open_interest_source": "recorded", "synthetic": 0}
    assert str(array.timestamp.dtype) == "datetime64[ns]"
    assert array.timestamp.to_numpy()[0] == np.datetime64("2026-01-01T01:00")
    assert array.sel(side="short").to_numpy().tolist() == SMALL.intensity[:, 1].tolist()
    np.testing.assert_array_equal(array.price, SMALL.price)
    np.testing.assert_array_equal(array["close"], SMALL.close)
    np.testing.assert_array_equal(array.explained_share, SMALL.explained_share)
    np.testing.assert_array_equal(array.price_low, SMALL.price_edges[:-1])
    np.testing.assert_array_equal(array.price_high, SMALL.price_edges[1:])


def test_base_and_quote_of_a_side():
    np.testing.assert_array_equal(SMALL.of("short"), SMALL.intensity[:, 1])
    np.testing.assert_array_equal(SMALL.of("long", "quote"), SMALL.intensity[:, 0] * SMALL.price)
    in_quote = SMALL.to_xarray("quote")
    assert in_quote.attrs["units"] == "quote"
    np.testing.assert_array_equal(in_quote, SMALL.notional())
    with pytest.raises(ConfigError, match=r"^side: 'shorts' is not a position side; did you mean 'short'"):
        SMALL.of("shorts")
    for call in (SMALL.to_xarray, lambda unit: SMALL.of("long", unit)):
        with pytest.raises(ConfigError, match=r"^unit: 'usd' is neither 'base' nor 'quote'"):
            call("usd")


def test_the_map_of_one_instant():
    levels = SMALL.liquidation_map(START + 2 * HOUR)
    np.testing.assert_array_equal(levels.total, SMALL.intensity[1])
    assert levels.groups == ("all",)
    assert SMALL.liquidation_map().close == SMALL.close[2]


def test_prices_are_geometric_centres():
    np.testing.assert_allclose(SMALL.price, 100 * np.exp(0.01 * (np.arange(5) + 0.5)))


def test_total_and_notional():
    np.testing.assert_array_equal(SMALL.total, SMALL.intensity[:, 0] + SMALL.intensity[:, 1])
    assert SMALL.notional()[2, 1, 4] == pytest.approx(29 * SMALL.price[4])


def test_index_is_utc():
    assert SMALL.index[0] == pd.Timestamp("2026-01-01T01:00", tz="UTC")


@given(st.floats(100.0, 105.0), st.floats(0.001, 5))
def test_between_keeps_exactly_the_bins_that_overlap(low, length):
    high = low + length
    part = SMALL.between(low, high)
    overlap = (SMALL.price_edges[:-1] < high) & (SMALL.price_edges[1:] > low)
    np.testing.assert_array_equal(part.intensity, SMALL.intensity[:, :, overlap])
    np.testing.assert_array_equal(part.price_edges[:-1], SMALL.price_edges[:-1][overlap])
    assert part.price_edges[-1] == SMALL.price_edges[1:][overlap][-1]


def test_between_of_everything_is_the_map():
    np.testing.assert_array_equal(SMALL.between(1.0, 1e9).intensity, SMALL.intensity)


@pytest.mark.parametrize(("low", "high"), [(1, 2), (200, 300), (104, 103), (np.nan, 103), (100, np.nan)])
def test_between_outside_of_the_map(low, high):
    with pytest.raises(ConfigError, match=r"lie outside of the heatmap, 100 to 105.127"):
        SMALL.between(low, high)


@given(intensities, st.integers(1, 12), st.integers(1, 15))
def test_a_coarser_map_loses_no_hot_cell_and_adds_none(intensity, n_times, n_prices):
    heat = heatmap(intensity)
    coarse = heat.downsample(n_times, n_prices)
    rows, _, bins = coarse.intensity.shape
    assert rows == min(n_times, intensity.shape[0])
    assert bins == min(n_prices, intensity.shape[2])
    assert coarse.price_edges[[0, -1]].tolist() == heat.price_edges[[0, -1]].tolist()
    assert coarse.timestamp[0] == heat.timestamp[0]
    row_of = np.searchsorted(coarse.timestamp, heat.timestamp, side="right") - 1
    bin_of = np.searchsorted(coarse.price_edges, heat.price, side="right") - 1
    expected = np.zeros_like(coarse.intensity)
    for row, side, bin_ in np.ndindex(intensity.shape):
        cell = (row_of[row], side, bin_of[bin_])
        expected[cell] = max(expected[cell], intensity[row, side, bin_])
    np.testing.assert_array_equal(coarse.intensity, expected)
    np.testing.assert_array_equal(coarse.close, heat.close[np.isin(heat.timestamp, coarse.timestamp)])


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_a_picture_of_no_cells(size):
    with pytest.raises(ConfigError, match=r"both must be at least 1"):
        SMALL.downsample(*size)


@pytest.mark.parametrize(("hours", "row"), [(1, 0), (1.99, 0), (2, 1), (3, 2), (1000, 2)])
def test_at_is_what_was_known_then(hours, row):
    np.testing.assert_array_equal(SMALL.at(START + round(hours * HOUR)), SMALL.intensity[row])


def test_nothing_is_known_before_the_first_snapshot():
    with pytest.raises(ConfigError, match=r"nothing is known at 2026-01-01 00:59:59; the first snapshot is of 2026-01-01 01:00:00"):
        SMALL.at(START + HOUR - 1)


def test_repr_names_symbol_span_and_peaks():
    assert repr(SMALL) == (
        "Heatmap(TESTUSDT, 3 snapshots 2026-01-01 01:00:00 to 2026-01-01 03:00:00, 5 prices 100 to 105.127, peak long 24, short 29)"
    )

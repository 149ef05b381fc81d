"""Heatmaps on disk: to the last bit, whole or not at all, and readable by others."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from test_heatmap import SMALL, heatmap

from liqbt.errors import ConfigError, DataError
from liqbt.heatmap import files, read_heatmap

ARRAYS = ("timestamp", "price_edges", "intensity", "close", "explained_share")


def assert_same(one, other):
    for name in ARRAYS:
        left, right = getattr(one, name), getattr(other, name)
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes(), name
    for name in ("symbol", "open_interest_source", "synthetic"):
        assert getattr(one, name) == getattr(other, name)
        assert type(getattr(one, name)) is type(getattr(other, name))


@settings(max_examples=15)
@given(
    hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(2), st.integers(1, 7)), elements=st.floats(0, allow_infinity=False)),
    st.booleans(),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12),
)
def test_what_is_read_is_what_was_written(tmp_path_factory, intensity, synthetic, symbol):
    heat = replace(heatmap(intensity), synthetic=synthetic, symbol=symbol, open_interest_source="volume")
    heat = replace(heat, explained_share=np.where(np.arange(len(intensity)) == 0, np.nan, 0.1), timestamp=heat.timestamp + 1)
    path = tmp_path_factory.mktemp("maps") / "one.zarr"
    assert heat.to_zarr(path) == path
    assert_same(read_heatmap(path), heat)


def test_others_can_read_it(tmp_path):
    path = SMALL.to_zarr(tmp_path / "deep" / "map.zarr")
    with xr.open_zarr(path, chunks=None) as data:
        array = data["liquidation_intensity"].load()
    xr.testing.assert_identical(array, SMALL.to_xarray())
    assert str(array["timestamp"].dtype) == "datetime64[ns]"
    assert array.sel(side="short").shape == (3, 5)
    np.testing.assert_array_equal(zarr.open_group(path, mode="r")["liquidation_intensity"][:], SMALL.intensity)


def test_chunks_are_whole_snapshots(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_CHUNK_BYTES", 2 * SMALL.intensity[0].nbytes)
    path = SMALL.to_zarr(tmp_path / "map.zarr")
    assert zarr.open_group(path, mode="r")["liquidation_intensity"].chunks == (2, 2, 5)
    assert_same(read_heatmap(path), SMALL)


def test_a_map_takes_the_place_of_another_and_leaves_nothing_beside_it(tmp_path):
    path = heatmap(np.ones((40, 2, 9))).to_zarr(tmp_path / "map.zarr")
    SMALL.to_zarr(path)
    assert_same(read_heatmap(path), SMALL)
    assert [one.name for one in tmp_path.iterdir()] == ["map.zarr"]


@pytest.mark.parametrize("failing", ["to_zarr", "first rename", "second rename"])
def test_a_writer_that_fails_leaves_the_former_map(tmp_path, monkeypatch, failing):
    path = SMALL.to_zarr(tmp_path / "map.zarr")
    renames = []
    rename = Path.rename

    def renaming(self, target):
        renames.append(target)
        if len(renames) == (1 if failing == "first rename" else 2):
            raise OSError(28, "No space left on device")
        return rename(self, target)

    def writing(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if failing == "to_zarr":
            patch.setattr(xr.Dataset, "to_zarr", writing)
        else:
            patch.setattr(Path, "rename", renaming)
        with pytest.raises(ConfigError, match=r"map.zarr: cannot be written: No space left on device"):
            heatmap(np.ones((4, 2, 9))).to_zarr(path)
    assert_same(read_heatmap(path), SMALL)
    assert [one.name for one in tmp_path.iterdir()] == ["map.zarr"]


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
sys.path.insert(0, {tests!r})
from test_heatmap import heatmap
from liqbt.heatmap import files
when, rename, done = {when}, Path.rename, []
def renaming(self, target):
    done.append(target)
    if len(done) == when:
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(self, target)
Path.rename = renaming
heatmap(np.ones((4, 2, 9))).to_zarr({path!r})
"""


@pytest.mark.parametrize("when", [1, 2])
def test_a_writer_that_is_killed_leaves_the_former_map(tmp_path, when):
    """Before each of its two renames; the next writer puts things in order."""
    path = SMALL.to_zarr(tmp_path / "map.zarr")
    script = KILLED.format(tests=str(Path(__file__).parent), when=when, path=str(path))
    done = subprocess.run([sys.executable, "-c", script], env=os.environ.copy(), check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert_same(read_heatmap(path), SMALL)
    other = heatmap(np.ones((2, 2, 3)))
    other.to_zarr(path)
    assert_same(read_heatmap(path), other)
    assert not (tmp_path / ".before-map.zarr").exists()


def test_places_that_hold_something_else(tmp_path):
    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("precious")
    for name in ("file", "folder"):
        with pytest.raises(ConfigError, match=rf"{name}: is there already and is no zarr group; choose another place"):
            SMALL.to_zarr(tmp_path / name)
    assert (tmp_path / "folder" / "thesis.txt").read_text() == "precious"
    with pytest.raises(ConfigError, match="cannot be written: "):
        SMALL.to_zarr(tmp_path / "file" / "map.zarr")


def test_what_is_no_heatmap(tmp_path):
    with pytest.raises(DataError, match=r"nowhere.zarr: there is no heatmap; give the path that"):
        read_heatmap(tmp_path / "nowhere.zarr")
    SMALL.to_xarray().to_dataset().to_zarr(tmp_path / "other.zarr", zarr_format=2)
    with pytest.raises(DataError, match=r"other.zarr: heatmap format none instead of 1; write it again"):
        read_heatmap(tmp_path / "other.zarr")
    turned = SMALL.to_xarray().transpose("side", "timestamp", "price").to_dataset()
    turned.attrs = {"liqbt_heatmap": 1}
    turned.to_zarr(tmp_path / "turned.zarr", zarr_format=2)
    with pytest.raises(DataError, match=r"turned.zarr: its dimensions are \('side', 'timestamp', 'price'\) instead of"):
        read_heatmap(tmp_path / "turned.zarr")

"""Heatmaps on disk, as zarr groups that any zarr or xarray opens."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from liqbt._typing import SIDES
from liqbt.errors import ConfigError, DataError
from liqbt.heatmap.heatmap import Heatmap

__all__ = ["read_heatmap", "write_heatmap"]

_FORMAT: Final = 1
_CHUNK_BYTES: Final = 16_000_000  # before compression: a day of minutes comes in some pieces, and a single piece is read in no time
_ASIDE: Final = ".before-"


def write_heatmap(heat: Heatmap, path: str | Path) -> Path:
    """Write a map as a zarr group (format 2, which every zarr reads) and return its path.

    Variables: intensity (timestamp, side, price), base, in chunks of whole snapshots; coordinates timestamp, side, price and its bounds,
    close and explained_share; attributes as in `Heatmap.to_xarray`. The group is written beside its place and renamed, so a reader finds
    the former map or the new one; `read_heatmap` also finds the former where a writer was killed between its two renames.

    Raises ConfigError where the place cannot be written, or holds something that is no zarr group.
    """
    target = Path(path)
    if target.exists() and not (target / ".zgroup").is_file():
        raise ConfigError(f"{target}: is there already and is no zarr group; choose another place")
    data = heat.to_xarray().to_dataset()
    data.attrs = {"liqbt_heatmap": _FORMAT}
    # xarray would make cftime-like offsets from the first stamp; whole nanoseconds since the epoch are exact
    rows = max(1, _CHUNK_BYTES // max(1, heat.intensity[0].nbytes)) if heat.timestamp.size else 1
    encoding = {
        "timestamp": {"units": "nanoseconds since 1970-01-01", "dtype": "int64"},
        "liquidation_intensity": {"chunks": (min(rows, max(1, heat.timestamp.size)), len(SIDES), max(1, heat.price.size))},
    }
    aside = target.with_name(f"{_ASIDE}{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
        try:
            data.to_zarr(temporary, mode="w", zarr_format=2, consolidated=True, encoding=encoding)
            temporary.chmod(0o755)
            if target.exists():
                shutil.rmtree(aside, ignore_errors=True)
                target.rename(aside)
            temporary.rename(target)
            shutil.rmtree(aside, ignore_errors=True)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            if aside.exists() and not target.exists():
                with contextlib.suppress(OSError):
                    aside.rename(target)
            raise
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}; choose another place") from error
    return target


def read_heatmap(path: str | Path) -> Heatmap:
    """Read what `write_heatmap` wrote, to the last bit.

    Raises DataError where nothing is there, or it is not a map of this format.
    """
    import xarray as xr

    place = Path(path)
    aside = place.with_name(f"{_ASIDE}{place.name}")
    if not place.exists() and aside.exists():
        place = aside
    if not (place / ".zgroup").is_file():
        raise DataError(f"{path}: there is no heatmap; give the path that `Heatmap.to_zarr` returned")
    with xr.open_zarr(place, consolidated=True, chunks=None) as data:
        if data.attrs.get("liqbt_heatmap") != _FORMAT:
            found = data.attrs.get("liqbt_heatmap", "none")
            raise DataError(f"{path}: heatmap format {found} instead of {_FORMAT}; write it again with this version")
        array = data["liquidation_intensity"].load()
    if array.dims != ("timestamp", "side", "price") or array["side"].to_numpy().tolist() != list(SIDES):
        raise DataError(f"{path}: its dimensions are {array.dims} instead of timestamp, side (long, short) and price; write it again")
    stamps = array["timestamp"].to_numpy().astype("datetime64[ns]").view(np.int64)
    return Heatmap(
        timestamp=stamps,
        price_edges=np.append(array["price_low"].to_numpy(), array["price_high"].to_numpy()[-1]),
        intensity=array.to_numpy(),
        close=array["close"].to_numpy(),
        explained_share=array["explained_share"].to_numpy(),
        symbol=array.attrs["symbol"],
        open_interest_source=array.attrs["open_interest_source"],
        synthetic=bool(array.attrs["synthetic"]),
    )

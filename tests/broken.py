"""Broken recordings: how one is written, and what must be said of it."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lz4.frame
import samples_bybit
import samples_okx

__all__ = ["Case", "case", "good_swaps", "packed", "raw", "replaced", "text"]


def good_trades(folder):
    """A file that nothing is wrong with, and that needs no option."""
    return samples_bybit.write(folder / "SOLUSDT2024-03-01.csv.gz", [samples_bybit.row("1.5", "Buy", "2", "130.5", symbol="SOLUSDT")])


def good_swaps(folder):
    """A file that nothing is wrong with, and that needs the size of its contracts."""
    return samples_okx.write(folder / "BTC-USDT-SWAP-trades-2024-03-02.zip", samples_okx.ROWS[:1])


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing that can be wrong.

    make: writes the broken file in a folder and returns its path. says: part of the message. row: the row that it must name.
    options: of `liqbt import`; FOLDER stands for the folder. beside: writes a good file that is given first, in the same command; None
    where the options fit no other.
    names_file: whether the message must name the broken file; where only an option is wrong there may be none to name.
    """

    name: str
    make: Callable[[Path], Path]
    says: str
    row: int | None = None
    options: tuple[str, ...] = ()
    beside: Callable[[Path], Path] | None = good_trades
    names_file: bool = True


def case(name, make, says, *options, **more):
    """A case; options that no file could be read with go without a good one beside."""
    if more.get("names_file") is False:
        more = {"beside": None, **more}
    return Case(name=name, make=make, says=says, options=options, **more)


def packed(path, content):
    """Write bytes, packed as the path's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{path.stem}.csv", content)
    else:
        path.write_bytes({".gz": gzip.compress, ".lz4": lz4.frame.compress}.get(path.suffix, bytes)(content))
    return path


def raw(name, content):
    """A file of these bytes, as they are."""

    def make(folder):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return make


def text(name, *lines):
    """A file of lines: text, or objects as JSON; packed as its name says."""
    content = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines).encode()
    return lambda folder: packed(folder / name, content)


def replaced(line, position, cell):
    """The line with another cell."""
    cells = line.split(",")
    cells[position] = str(cell)
    return ",".join(cells)

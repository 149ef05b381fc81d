"""What all files of the venue share: names, sides, names of recorded files."""

from __future__ import annotations

import re
from typing import Final

import polars as pl

from liqbt.data.readers._source import SourceFile
from liqbt.data.validation import ROW
from liqbt.errors import DataError

__all__ = ["READER", "TAKER", "VENUE", "by_symbol", "named_symbol", "perpetuals", "taker_side"]

READER: Final = "hyperliquid"
VENUE: Final = "hyperliquid"
TAKER: Final = pl.Enum(["buy", "sell"])

_SIDES: Final = {"A": "sell", "B": "buy"}
_RECORDED: Final = re.compile(r"(?:trades|ctx|l2)_([A-Za-z0-9]+)_[0-9]{8}")
# Spot pairs are called `@107` or `PURR/USDC`; markets of other deployers carry the name of their exchange, `xyz:NVDA`.
_PERPETUAL: Final = r"^([A-Za-z0-9]+:)?[A-Za-z0-9_]+$"


def named_symbol(file: SourceFile) -> str | None:
    """Return the coin of a recorded file that is named as `trades_DOGE_20260613.jsonl.gz`."""
    match = _RECORDED.fullmatch(file.stem)
    return match[1] if match else None


def taker_side(rows: pl.DataFrame, file: SourceFile, *, flip: bool = False) -> pl.Series:
    """Return column `side`, `A` or `B`, as sell or buy (`flip`: of the other party); raises DataError for anything else."""
    sides = rows["side"]
    known = sides.is_in(list(_SIDES)).fill_null(value=False)
    if not known.all():
        at = int((~known).arg_max() or 0)
        raise DataError(f"{file.label}: row {rows[ROW][at]}: side is {sides[at]!r}, not 'A' or 'B'; check the file and reader")
    words = {"A": "buy", "B": "sell"} if flip else _SIDES
    return sides.replace_strict(words, return_dtype=TAKER)


def perpetuals(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return the rows of perpetuals, with `coin` as a plain name (`xyz:NVDA` as `xyz-NVDA`), and how many others there were."""
    kept = rows.filter(pl.col("coin").str.contains(_PERPETUAL))
    return kept.with_columns(pl.col("coin").str.replace(":", "-", literal=True)), rows.height - kept.height


def by_symbol(rows: pl.DataFrame, asked: str | None) -> tuple[list[tuple[str, pl.DataFrame]], list[str]]:
    """Return the rows of each coin, in order of appearance, and the names of coins that nobody asked for."""
    names = rows["coin"].unique(maintain_order=True).to_list()
    if asked is not None:
        return [(asked, rows.filter(pl.col("coin") == asked))] if asked in names else [], [name for name in names if name != asked]
    parts = rows.partition_by("coin", maintain_order=True)
    return [(str(part["coin"][0]), part) for part in parts], []

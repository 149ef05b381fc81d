"""Book depth: what stands in the book within some percent of the mid price, about every thirty seconds.

    timestamp, percentage, depth, notional

Negative percentages are bids. Depth is cumulative. USDT-M depth is in coins and its notional in quote. COIN-M depth is in contracts;
what its notional is, no documentation says, and the book itself tells: bids farther from the mid are cheaper, so that
`notional / depth` falls with the distance where it is a price, and rises where notional is in coins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

import polars as pl

from liqbt.data.readers._blocks import Layout
from liqbt.data.readers._contracts import inverse_to_base
from liqbt.data.readers._order import in_order
from liqbt.data.readers._recording import Batch, ReadOptions, Recognition
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers.binance_vision import _head
from liqbt.data.readers.binance_vision._naming import contract_size, needed_market, refuse_foreign
from liqbt.data.readers.binance_vision._rows import each_once, text_to_times, whole
from liqbt.data.validation import ROW, canonical
from liqbt.errors import DataError

__all__ = ["read_depth", "recognise_depth"]

_LAYOUT: Final = Layout(columns={"timestamp": pl.String, "percentage": pl.Float64, "depth": pl.Float64, "notional": pl.Float64})
_SIDE: Final = pl.Enum(["bid", "ask"])
_FLAT: Final = 1e-9


def recognise_depth(head: Head) -> Recognition | None:
    """Claim the archive's header."""
    return _head.recognition(head) if head.columns == tuple(_LAYOUT.columns) else None


def read_depth(file: SourceFile, options: ReadOptions) -> Iterator[Batch]:
    """Read `bookDepth` as `depth`, known at its stamp.

    Raises DataError for what is in the file; ConfigError where neither symbol, name nor folder tells the market.
    """
    refuse_foreign(options)
    market = needed_market(file, options)
    mended: Counter[str] = Counter()
    rows = whole(file, _LAYOUT)
    rows = rows.with_columns(text_to_times(rows, "timestamp", file))
    sided = rows.filter(pl.col("percentage").is_null() | (pl.col("percentage") != 0))
    mended["rows at the mid itself, of neither side, left out"] += rows.height - sided.height
    rows, early = in_order(each_once(sided, mended))
    mended["rows out of order sorted"] += early
    if market == "cm":
        rows = _in_coins(rows, contract_size(file, options), file)
    percentage = pl.col("percentage")
    side = pl.when(percentage < 0).then(pl.lit("bid", dtype=_SIDE)).otherwise(pl.lit("ask", dtype=_SIDE))
    rows = rows.select(
        ROW, "timestamp", side.alias("side"), (percentage.abs() / 100).alias("distance"), amount="depth", notional="notional"
    )
    yield Batch(table="depth", interval=None, rows=canonical(rows, "depth", source=file.label), mended=mended)


def _in_coins(rows: pl.DataFrame, size: float, file: SourceFile) -> pl.DataFrame:
    """Return COIN-M depth in coins, and its notional in USD."""
    slope = _slope(rows)
    if slope is None or abs(slope) < _FLAT:
        raise DataError(
            f"{file.label}: the bids of no two distances tell whether notional is in coins or in quote, "
            "without which contracts cannot be converted; check the file"
        )
    contracts, notional = pl.col("depth"), pl.col("notional")
    # Contracts times price over contracts is what a coin costs on average in the band.
    by_price = pl.when(contracts > 0).then(inverse_to_base(contracts, notional / contracts, size)).otherwise(contracts)
    coins = notional if slope > 0 else by_price
    return rows.with_columns(coins.alias("depth"), (contracts * size).alias("notional"))


def _slope(rows: pl.DataFrame) -> float | None:
    """Return by how much `notional / depth` of the farthest bid exceeds that of the nearest, relative, in most snapshots."""
    bids = rows.filter((pl.col("percentage") < 0) & (pl.col("depth") > 0)).with_columns(ratio=pl.col("notional") / pl.col("depth"))
    ratio, percentage = pl.col("ratio"), pl.col("percentage")
    ends = bids.group_by("timestamp").agg(
        near=ratio.get(percentage.arg_max()), far=ratio.get(percentage.arg_min()), bands=percentage.n_unique()
    )
    slopes = ends.filter(pl.col("bands") > 1).select(pl.col("far") / pl.col("near") - 1).to_series()
    median = slopes.median()
    return None if median is None else float(median)  # type: ignore[arg-type]

"""Are the volumes of klines coins or contracts? The average price of a bar lies between its low and its high."""

from __future__ import annotations

from typing import Final

import polars as pl

from liqbt.data.readers._recording import ReadOptions
from liqbt.data.readers._source import SourceFile
from liqbt.data.readers.binance_vision._naming import READER, market_of
from liqbt.data.validation import ROW
from liqbt.errors import ConfigError, DataError

__all__ = ["in_coins"]

_SIZES: Final = (10.0, 100.0)  # USD a COIN-M contract
_ROUNDING: Final = 1e-4  # of an average price, since volumes are rounded to the eighth decimal
_ENOUGH: Final = 0.99
"""Share of bars that must fit: a convention, which leaves room for a few bars that the archive has wrong."""
_POSSIBLE: Final = (
    (pl.col("low") <= pl.min_horizontal("open", "close"))
    & (pl.max_horizontal("open", "close") <= pl.col("high"))
    & (pl.min_horizontal("volume", "quote_volume") >= 0)
)
"""Other bars are refused for what they are, not for their units."""


def in_coins(rows: pl.DataFrame, file: SourceFile, options: ReadOptions) -> pl.DataFrame:
    """Return klines with `volume` and `taker_buy_volume` in coins and `quote_volume` in quote, and `trade_count`.

    A bar in coins has `quote_volume / volume` between its low and high; one in contracts of s USD has `volume * s / quote_volume`
    there. Bars without volume show nothing, and without any other bar it does not matter.
    Raises DataError where the volumes fit neither, or not what the symbol says; ConfigError where they fit both.
    """
    rows = rows.with_columns(trade_count="count")
    size = _contract_size(rows, file, options)
    if size is None:
        options.refuse(READER, "contract_size")
        return rows
    return rows.with_columns(
        volume=pl.col("quote_volume"), quote_volume=pl.col("volume") * size, taker_buy_volume=pl.col("taker_buy_quote_volume")
    )


def _contract_size(rows: pl.DataFrame, file: SourceFile, options: ReadOptions) -> float | None:
    """Return USD a contract, None where volumes are coins."""
    market = market_of(file, options)
    sizes = (options.contract_size,) if options.contract_size is not None else _SIZES
    asked: list[float | None] = [*([None] if market != "cm" else []), *(sizes if market != "um" else ())]
    traded = rows.filter(_POSSIBLE, (pl.col("volume") > 0) | (pl.col("quote_volume") > 0))
    if traded.is_empty():
        return sizes[0] if market == "cm" else None
    fits = {size: traded.select(_fits(size)).to_series().fill_null(value=False) for size in asked}
    shares = {size: fit.sum() / traded.height for size, fit in fits.items()}
    good = [size for size, share in shares.items() if share >= _ENOUGH]
    if len(good) == 1:
        return good[0]
    if good:
        unit = "coins or contracts" if None in good else "contracts of 10 or of 100 USD"
        raise ConfigError(
            f"{'symbol' if None in good else 'contract_size'}: the volumes of {file.label} may be {unit} at its prices; give it, "
            "such as symbol BTCUSDT or BTCUSD_PERP"
        )
    wrong = int((~fits[max(shares, key=lambda size: shares[size])]).arg_max() or 0)
    row = traded.row(wrong, named=True)
    wanted = " nor ".join([*(["coins"] if None in asked else []), *(f"contracts of {size:g} USD" for size in asked if size is not None)])
    raise DataError(
        f"{file.label}: row {row[ROW]} ({row['timestamp']:%Y-%m-%d %H:%M:%S}): volume {row['volume']!r} and quote_volume "
        f"{row['quote_volume']!r} are not {wanted} at prices of {row['low']!r} to {row['high']!r}; check the symbol and the file"
    )


def _fits(size: float | None) -> pl.Expr:
    coins, worth = (pl.col("volume"), pl.col("quote_volume")) if size is None else (pl.col("quote_volume"), pl.col("volume") * size)
    return (worth >= coins * pl.col("low") * (1 - _ROUNDING)) & (worth <= coins * pl.col("high") * (1 + _ROUNDING))

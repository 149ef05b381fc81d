"""Binance's public archive, data.binance.vision: futures margined in USDT or USDC (`um`) and in coins (`cm`, COIN-M).

Zip files of one CSV each, or the CSV. Which table a file is of shows in its columns and numbers; only klines need the folder that
the archive keeps them in, where mark price and index look alike. Column orders are those of the files and of the README of
binance/binance-public-data.
"""

from __future__ import annotations

from typing import Final

from liqbt.data.readers._recording import Kind
from liqbt.data.readers.binance_vision._depth import read_depth, recognise_depth
from liqbt.data.readers.binance_vision._funding import read_funding, recognise_funding
from liqbt.data.readers.binance_vision._klines import read_klines, recognise_klines
from liqbt.data.readers.binance_vision._liquidations import read_liquidations, recognise_liquidations
from liqbt.data.readers.binance_vision._metrics import read_metrics, recognise_metrics
from liqbt.data.readers.binance_vision._naming import READER
from liqbt.data.readers.binance_vision._trades import read_aggregates, read_trades, recognise_aggregates, recognise_trades

__all__ = ["KINDS"]


def _klines(name: str, table: str, says: str) -> Kind:
    return Kind(reader=READER, name=name, says=says, tables=(table,), recognise=recognise_klines(name), read=read_klines(name))


KINDS: Final = (
    _klines("klines", "bars", "Binance klines"),
    _klines("markPriceKlines", "mark", "Binance mark price klines"),
    _klines("indexPriceKlines", "index", "Binance index price klines"),
    _klines("premiumIndexKlines", "premium", "Binance premium index klines"),
    Kind(
        reader=READER,
        name="aggTrades",
        says="Binance aggregated trades",
        tables=("trades",),
        recognise=recognise_aggregates,
        read=read_aggregates,
    ),
    Kind(reader=READER, name="trades", says="Binance trades", tables=("trades",), recognise=recognise_trades, read=read_trades),
    Kind(reader=READER, name="metrics", says="Binance metrics", tables=("open_interest",), recognise=recognise_metrics, read=read_metrics),
    Kind(
        reader=READER, name="fundingRate", says="Binance funding rates", tables=("funding",), recognise=recognise_funding, read=read_funding
    ),
    Kind(reader=READER, name="bookDepth", says="Binance book depth", tables=("depth",), recognise=recognise_depth, read=read_depth),
    Kind(
        reader=READER,
        name="liquidationSnapshot",
        says="Binance liquidation snapshots",
        tables=("liquidations",),
        recognise=recognise_liquidations,
        read=read_liquidations,
    ),
)
"""The kinds of files of this reader, by the archive's names of their tables."""

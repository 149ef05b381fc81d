"""Tardis.dev's CSV files: one gzipped file a day, exchange, kind of data and symbol (or group of symbols).

    trades, liquidations     exchange,symbol,timestamp,local_timestamp,id,side,price,amount
    derivative_ticker        exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,
                             open_interest,last_price,index_price,mark_price
    book_snapshot_N          exchange,symbol,timestamp,local_timestamp,asks[0].price,asks[0].amount,bids[0].price,bids[0].amount,...
    incremental_book_L2      exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount

Both clocks are microseconds since 1970, UTC: the exchange's (Tardis' own where the exchange gives none), and when the message
reached Tardis. Rows run in the order of the second. See docs.tardis.dev, downloadable CSV files, data types; what the columns
carry is told exchange by exchange by the mappers of the public `tardis-node`.
"""

from __future__ import annotations

from typing import Final

from liqbt.data.readers.tardis.books import INCREMENTAL, SNAPSHOTS
from liqbt.data.readers.tardis.events import LIQUIDATIONS, TRADES
from liqbt.data.readers.tardis.ticker import TICKER

__all__ = ["KINDS"]

KINDS: Final = (TRADES, LIQUIDATIONS, TICKER, SNAPSHOTS, INCREMENTAL)
"""The kinds of files of this reader."""

"""Broken text of Bybit, OKX, Tardis, Hyperliquid's archive and Coinalyze, and broken feather files."""

from __future__ import annotations

import samples_bybit as bybit
import samples_hyperliquid as hyperliquid
import samples_okx as okx
import samples_plain as plain
import samples_tardis as tardis
from broken import case, good_swaps, replaced, text


def _bybit(row, column, cell):
    rows = [replaced(line, bybit.HEADER.split(",").index(column), cell) if n == row else line for n, line in enumerate(bybit.ROWS, start=1)]
    return text("BTCUSDT2024-03-01.csv.gz", bybit.HEADER, *rows)


def _okx(row, column, cell, name="BTC-USDT-SWAP-trades-2024-03-01.zip"):
    rows = [replaced(line, okx.HEADER.split(",").index(column), cell) if n == row else line for n, line in enumerate(okx.ROWS, start=1)]
    return text(name, okx.HEADER, *rows)


def _tardis(kind, header, rows, row, column, cell):
    names = header.split(",")
    lines = [replaced(line, names.index(column), cell) if n == row else line for n, line in enumerate(rows, start=1)]
    return text(f"binance-futures_{kind}_2024-03-01_BTCUSDT.csv.gz", header, *lines)


TRADED = [tardis.line(n, 4711 + n, "sell", 61000.0, 0.011) for n in range(3)]
BOOKS = [tardis.line(12 * n, 101, 1, 99, 2, 102, 3, 98, 4) for n in range(3)]
UPDATES = [tardis.line(n, "true", side, price, 2) for n, (side, price) in enumerate((("bid", 99), ("ask", 101), ("bid", 95), ("ask", 106)))]
TICKS = [tardis.line(62 * n, tardis.stamp(28_800), 0.0001, "", 82011.5, 61000.0, 61001.0, 61002.0) for n in range(3)]
COINS = [f"2025-10-10T20:5{n}:00Z,BTC,0.0000125,31000.5,121000,1000,0.0001,116000,115900,115950,115940,115960" for n in range(3)]
HOURS = [f"{plain.hour(n)},{candle},5,2,9,4" for n, candle in enumerate(plain.CANDLES)]
SUMS = [f"{plain.hour(n)},{n},0.25" for n in range(4)]
EXPORT = "BTCUSDT_PERP.A_{}-history.csv"


def _tardis_trades(row, column, cell):
    return _tardis("trades", tardis.EVENTS, TRADED, row, column, cell)


def _book(row, column, cell):
    return _tardis("book_snapshot_5", tardis.levels(2), BOOKS, row, column, cell)


def _update(row, column, cell):
    return _tardis("incremental_book_L2", tardis.UPDATES, UPDATES, row, column, cell)


def _tick(row, column, cell):
    return _tardis("derivative_ticker", tardis.TICKER, TICKS, row, column, cell)


def _context(row, column, cell):
    names = hyperliquid.CONTEXTS.split(",")
    lines = [replaced(line, names.index(column), cell) if n == row else line for n, line in enumerate(COINS, start=1)]
    return text("20251010.csv.lz4", hyperliquid.CONTEXTS, *lines)


def _feather(name="SOL_USDT_USDT-1h-futures.feather", **changes):
    return lambda folder: plain.feather(folder / name, **changes)


def _torn_feather(folder):
    path = plain.feather(folder / "SOL_USDT_USDT-1h-futures.feather")
    path.write_bytes(path.read_bytes()[:-60])
    return path


_BYBIT = (
    case("bybit: row torn", text("BTCUSDT2024-03-01.csv.gz", bybit.HEADER, *bybit.ROWS[:3], bybit.ROWS[3][:50]), "it may be torn", row=4),
    case("bybit: milliseconds", _bybit(2, "timestamp", "1709251200054.7"), "outside the years 2000 to 2100 as s", row=2),
    case("bybit: side of a book", _bybit(3, "side", "bid"), "side is 'bid', expected one of buy, sell", row=3),
    case("bybit: negative size", _bybit(4, "size", "-2.25"), "amount is -2.25; an amount must be", row=4),
    case("bybit: price NaN", _bybit(1, "price", "nan"), "price is empty or NaN", row=1),
    case("bybit: symbol empty", _bybit(3, "symbol", ""), "symbol is empty", row=3),
    case("bybit: symbol that climbs", _bybit(2, "symbol", "../../up"), "is no plain name"),
    case("bybit: column missing", text("BTCUSDT2024-03-01.csv.gz", bybit.HEADER.replace("price", "px"), *bybit.ROWS),
         "has no column 'price'"),
    case("bybit: stamps as text, which are BitMEX's",
         text("XBTUSD.csv.gz", bybit.HEADER, replaced(bybit.ROWS[0], 0, "2024-03-01D00:00:00.054")), "is of no kind that liqbt knows"),
)  # fmt: skip
_OKX = (
    case("okx: nobody tells the size of a contract", _okx(1, "size", "250"), "give base coin a contract, OKX's ctVal"),
    case("okx: contracts of two coins under one size", _okx(3, "instrument_name", "ETH-USDT-SWAP"),
         "whose contracts differ; give the symbol too", "--contract-size", "0.01", beside=good_swaps),
    case("okx: an option", _okx(2, "instrument_name", "BTC-USD-240628-50000-C"), "is no spot pair, swap or future of OKX",
         "--contract-size", "0.01", beside=good_swaps),
    case("okx: seconds", _okx(2, "created_time", okx.START // 1000), "outside the years 2000 to 2100 as ms", "--contract-size", "0.01",
         row=2, beside=good_swaps),
    case("okx: side", _okx(3, "side", "long"), "side is 'long', expected one of buy, sell", "--contract-size", "0.01", row=3,
         beside=good_swaps),
    case("okx: size of a spot pair", text("DOGE-USDT-aggtrades-2024-03-01.zip", *okx.OLD_ROWS),
         "counts DOGE-USDT in base coin, not 0.01; leave it out", "--contract-size", "0.01", beside=good_swaps),
    case("okx: nobody tells the instrument", text("trades.csv", *okx.OLD_ROWS), "does not name its instrument, nor do its rows; give it"),
    case("okx: old row torn", text("DOGE-USDT-aggtrades-2024-03-01.zip", *okx.OLD_ROWS, "719977058,sell,3"), "it may be torn", row=3),
)  # fmt: skip
_TARDIS = (
    case("tardis: row torn", text("binance-futures_trades_2024-03-01_BTCUSDT.csv.gz", tardis.EVENTS, *TRADED, TRADED[0][:44]),
         "it may be torn", row=4),
    case("tardis: milliseconds", _tardis_trades(2, "timestamp", tardis.START // 1000), "outside the years 2000 to 2100 as us", row=2),
    case("tardis: local clock of the future", _tardis_trades(3, "local_timestamp", 4_200_000_000_000_000), "local_timestamp is", row=3),
    case("tardis: exchange empty", _tardis_trades(2, "exchange", ""), "exchange is empty", row=2),
    case("tardis: negative amount", _tardis_trades(3, "amount", "-1"), "amount is -1.0; an amount must be", row=3),
    case("tardis: exchange whose contracts nobody knows", _tardis_trades(2, "exchange", "cryptofacilities"),
         "give base coin a contract, as cryptofacilities publishes it"),
    case("tardis: trades or liquidations", text("BTCUSDT.csv.gz", tardis.EVENTS, *TRADED),
         "could be Tardis trades (trades) or Tardis liquidations (liquidations); give the table to say which"),
    case("tardis: side of a liquidation", _tardis("liquidations", tardis.EVENTS, TRADED, 2, "side", "unknown"),
         "side is 'unknown', expected buy or sell", row=2),
    case("tardis: column missing", text("binance-futures_trades_2024-03-01_X.csv.gz", tardis.EVENTS.replace("amount", "size"), *TRADED),
         "has no column 'amount'"),
    case("tardis: book with a negative price", _book(2, "bids[0].price", "-99"), "has a negative or infinite level"),
    case("tardis: book with unordered levels", _book(2, "asks[1].price", "100.5"), "has levels that do not run from the best outwards"),
    case("tardis: book without depth",
         text("binance-futures_book_snapshot_1_2024-03-01_BTCUSDT.csv.gz", tardis.levels(1),
         *(tardis.line(12 * n, 100.001, 1, 100.0, 2) for n in range(3))), "never reach 0.01 percent from mid"),
    case("tardis: update of no side", _update(3, "side", "buy"), "side is 'buy', expected bid or ask", row=3),
    case("tardis: update that is perhaps a snapshot", _update(2, "is_snapshot", "maybe"), "is_snapshot is 'maybe', not true or false",
         row=2),
    case("tardis: update of a negative amount", _update(4, "amount", "-2"), "amount is -2.0, an amount must be", row=4),
    case("tardis: mark price of 0", _tick(2, "mark_price", "0"), "mark_price is 0.0; a price must be", row=2),
    case("tardis: payment in seconds", _tick(3, "funding_timestamp", tardis.START // 10**6), "funding_timestamp is", row=3),
    case("tardis: negative open interest", _tick(2, "open_interest", "-5"), "open_interest is -5.0; an amount must be", row=2),
)  # fmt: skip
_ARCHIVE = (
    case("asset_ctxs: time", _context(2, "time", "soon"), "time is 'soon', not an ISO time", row=2),
    case("asset_ctxs: negative open interest", _context(3, "open_interest", "-1"), "open_interest is -1.0; an amount must be", row=3),
    case("asset_ctxs: negative mark price", _context(2, "mark_px", "-5"), "open is -5.0; a price must be", row=2),
    case("asset_ctxs: contradicting contexts", text("20251010.csv.lz4", hyperliquid.CONTEXTS, *COINS, COINS[1].replace("31000.5", "99")),
         "has the stamp of row 2 but other values", row=4),
    case("asset_ctxs: torn", text("20251010.csv.lz4", hyperliquid.CONTEXTS, *COINS, COINS[1][:30]), "it may be torn", row=4),
)  # fmt: skip
_COINALYZE = (
    case("coinalyze: unsorted", text(EXPORT.format("liquidation"), SUMS[0], SUMS[2], SUMS[1]), "is earlier than the row above it", row=3),
    case("coinalyze: contradicting rows", text(EXPORT.format("liquidation"), *SUMS[:2], SUMS[3], SUMS[3].replace(",3,", ",4,")),
         "has the stamp of the row above it but other values", row=4),
    case("coinalyze: copies that stand for nothing", text(EXPORT.format("liquidation"), *SUMS, SUMS[3]),
         "are not missing; remove the duplicates", row=4),
    case("coinalyze: one row", text(EXPORT.format("liquidation"), SUMS[0]), "one row does not tell its interval"),
    case("coinalyze: negative liquidation", text(EXPORT.format("liquidation"), *SUMS, f"{plain.hour(4)},-1,0"),
         "long is -1.0; an amount must be", row=5),
    case("coinalyze: low above high", text(EXPORT.format("ohlcv"), *HOURS[:2], HOURS[2].replace("101", "108")),
         "high 107.0 is below low 108.0", row=3),
    case("coinalyze: text for a number far down",
         text(EXPORT.format("liquidation"), *(f"{plain.hour(n)},{n},0.25" for n in range(60)), f"{plain.hour(60)},many,0"),
         "long is 'many', not a number", row=61),
    case("coinalyze: no time far down", text(EXPORT.format("liquidation"), *(f"{plain.hour(n)},{n},0.25" for n in range(60)), "later,1,0"),
         "time is 'later', not an ISO time", row=61),
    case("coinalyze: other columns far down",
         text(EXPORT.format("liquidation"), *(f"{plain.hour(n)},{n},0.25" for n in range(60)), f"{plain.hour(60)},1,0,9"),
         "has 4 cells, expected 3", row=61),
)  # fmt: skip
_FREQTRADE = (
    case("freqtrade: torn", _torn_feather, "is not a readable feather file"),
    case("freqtrade: column missing", _feather(volume=None), "has no column 'volume'"),
    case("freqtrade: dates that are numbers", _feather(date=[1, 2, 3]), "column 'date' holds Int64, not times"),
    case("freqtrade: nobody tells the table", _feather("candles.feather"), "give the table: bars, mark or funding"),
    case("freqtrade: name of another interval", _feather("SOL_USDT_USDT-4h-futures.feather"),
         "the name says 4h, but the smallest step is 1h"),
    case("freqtrade: doubled date", _feather(date=[plain.START, plain.START, plain.START.replace(hour=1)]),
         "has the same timestamp as the row above it", row=2),
    case("freqtrade: negative volume", _feather(volume=[5.0, -5.0, 5.0]), "volume is -5.0; an amount must be", row=2),
    case("freqtrade: text for prices", _feather(close=["105", "high", "102"]), "close is 'high', not a number", row=2),
    case("freqtrade: price NaN", _feather(close=[105.0, float("nan"), 102.0]), "close is empty or NaN", row=2),
    case("freqtrade: prices that are funding", _feather("SOL_USDT_USDT-1h-funding_rate.feather"),
         "funding_rate is 100.0; a rate is a fraction", row=1),
)  # fmt: skip
CASES = (*_BYBIT, *_OKX, *_TARDIS, *_ARCHIVE, *_COINALYZE, *_FREQTRADE)

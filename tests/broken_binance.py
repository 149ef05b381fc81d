"""Broken files of Binance's public archive."""

from __future__ import annotations

import samples_binance as binance
from broken import case, replaced, text
from samples_binance import T0, kline

HEADER = binance.KLINES
BARS = [kline(n, f"{100 + n},110,90,{101 + n}", ("2", "205", "4", "1", "102")) for n in range(6)]
AGGREGATES = [f"{n},42000.5,0.25,{2 * n},{2 * n + 1},{T0 + n},true" for n in range(5)]
TRADES = [f"{n},40000.0,0.5,20000.0,{T0 + n},false" for n in range(5)]
METRICS = [f"2024-01-01 00:{5 * n:02}:00,BTCUSDT,80000.{n},3360021000.0,1.1,1.2,1.3,0.9" for n in range(1, 6)]
RATES = [f"{T0 + n * 28_800_000},8,0.0001" for n in range(4)]
DEPTH = [f"2024-01-01 00:00:07,{percentage},{10 * abs(percentage)},{1000 * abs(percentage)}" for percentage in (-5, -1, 1, 5)]
FORCED = [f"{T0 + n},SELL,LIMIT,IOC,5,42000,42100,FILLED,5,5" for n in range(3)]


def changed(lines, row, position, cell):
    """The lines with another cell in one row, counted from 1."""
    return [replaced(line, position, cell) if number == row else line for number, line in enumerate(lines, start=1)]


def klines(*lines, name="BTCUSDT-1m-2024-01-01.zip", header=HEADER):
    return text(name, *([header] if header else []), *lines)


def _of(kind, header, lines, symbol="BTCUSDT"):
    """A function of row, column and cell that makes a file of a kind with that cell in it."""
    columns = header.split(",")

    def make(row, column, cell):
        return text(f"{symbol}-{kind}-2024-01-01.zip", header, *changed(lines, row, columns.index(column), cell))

    return make


bars, aggregates, trades = _of("1m", HEADER, BARS), _of("aggTrades", binance.AGGREGATES, AGGREGATES), _of("trades", binance.TRADES, TRADES)
metrics, rates, depth = (
    _of("metrics", binance.METRICS, METRICS),
    _of("fundingRate", binance.FUNDING, RATES),
    _of("bookDepth", binance.DEPTH, DEPTH),
)
forced = _of("liquidationSnapshot", binance.LIQUIDATIONS, FORCED, "BTCUSD_PERP")
OFF_GRID = [line if n != 2 else kline(n, "102,110,90,103", ("2", "205", "4", "1", "102")).replace(str(T0 + 120_000), str(T0 + 137_000), 1)
            for n, line in enumerate(BARS)]  # fmt: skip
MONTHS = [kline(n, "100,110,90,101", ("2", "205", "4", "1", "102"), step=31 * 86_400_000) for n in range(3)]
VALUES = [kline(n, "100,110,90,105", ("0", "0", "60", "0", "0")) for n in range(3)]
CHEAP = [kline(n, "1,1,1,1", ("10", "10", "4", "1", "1")) for n in range(3)]

CASES = (
    case("klines: only a header", klines(), "holds no rows"),
    case("klines: row torn in the middle", klines(*BARS[:2], BARS[2][:40], *BARS[3:]), "expected 12; check the file, it may be torn",
         row=3),
    case("klines: last row torn", klines(*BARS[:-1], BARS[-1][:-6]), "expected 12; check the file, it may be torn", row=6),
    case("klines: row with a cell too many", klines(*BARS[:3], f"{BARS[3]},7", *BARS[4:]), "has 13 cells, expected 12", row=4),
    case("klines: last row cut in a number", klines(*BARS[:-1], BARS[-1][:45], header=None), "it may be torn", row=6),
    case("klines: seconds", klines(*(replaced(line, 0, (T0 + 60_000 * n) // 1000) for n, line in enumerate(BARS))),
         "open_time is 1704067200, outside the years 2000 to 2100 as ms", row=1),
    case("klines: nanoseconds in one row", bars(3, "open_time", (T0 + 120_000) * 10**6), "outside the years 2000 to 2100 as ms", row=3),
    case("klines: year 2103", bars(6, "open_time", 4_200_000_000_000), "outside the years 2000 to 2100 as ms", row=6),
    case("klines: text for a time", bars(2, "open_time", "2024-01-01"), "open_time is '2024-01-01', not a whole number", row=2),
    case("klines: empty time", bars(2, "open_time", ""), "open_time is empty", row=2),
    case("klines: text for a price", bars(4, "close", "n/a"), "close is 'n/a', not a number", row=4),
    case("klines: price NaN", bars(4, "close", "NaN"), "close is empty or NaN for 1 row", row=4),
    case("klines: price infinite", bars(4, "high", "inf"), "high is inf; a price must be finite and above 0", row=4),
    case("klines: price 0", bars(2, "low", "0"), "low is 0.0; a price must be finite and above 0", row=2),
    case("klines: price missing", bars(5, "open", ""), "open is empty or NaN", row=5),
    case("klines: high below low", bars(3, "high", "80"), "high 80.0 is below", row=3),
    case("klines: negative volume", bars(3, "volume", "-2"), "volume is -2.0; an amount must be finite and at least 0", row=3),
    case("klines: count with a fraction", bars(3, "count", "4.5"), "count is '4.5', not a whole number", row=3),
    case("klines: column missing", klines(*(line.rpartition(",")[0] for line in BARS), header=HEADER.replace(",close_time", "")),
         "is of no kind that liqbt knows"),
    case("klines: column of another name", klines(*BARS, header=HEADER.replace("open_time", "time")), "is of no kind that liqbt knows"),
    case("klines: column twice", klines(*BARS, header=HEADER.replace("ignore", "count")), "is of no kind that liqbt knows"),
    case("klines: contradicting bars of one stamp", klines(*BARS, replaced(BARS[1], 4, "104")), "has the stamp of row 2 but other values",
         row=7),
    case("klines: many bars off the grid",
         klines(*OFF_GRID[:3], *(line.replace(str(T0 + 60_000 * n), str(T0 + 60_000 * n + 7), 1) for n, line in enumerate(BARS) if n > 3)),
         "do not open on the 1m grid"),
    case("klines: bars of a month", klines(*MONTHS), "holds bars of 31 days, months perhaps"),
    case("klines: volume neither coins nor contracts", bars(1, "quote_volume", "77777"), "are not coins", row=1),
    case("klines: nobody tells the symbol", text("bars.csv", HEADER, *CHEAP), "does not tell it; give it, such as symbol"),
    case("klines: mark or index", klines(*VALUES),
         "could be Binance mark price klines (mark) or Binance index price klines (index); give the table"),
    case("klines: mark called bars", klines(*VALUES), "not table 'bars'; leave the table out", "--table", "bars", beside=None),
    case("aggTrades: nobody tells the symbol", text("a.csv", *AGGREGATES), "symbol: nothing tells whether"),
    case("aggTrades: flag", aggregates(3, "is_buyer_maker", "maybe"), "is_buyer_maker is 'maybe', not true or false", row=3),
    case("aggTrades: id with letters", aggregates(2, "agg_trade_id", "x7"), "agg_trade_id is 'x7', not a whole number", row=2),
    case("aggTrades: negative quantity", aggregates(5, "quantity", "-0.25"), "amount is -0.25; an amount must be", row=5),
    case("aggTrades: seconds in one row", aggregates(5, "transact_time", T0 // 1000), "outside the years 2000 to 2100 as ms", row=5),
    case("aggTrades: flag missing", aggregates(5, "is_buyer_maker", ""), "side is None, expected one of buy, sell", row=5),
    case("trades: contracts under a symbol in coins",
         text("BTCUSDT-trades-2024-01-01.zip", binance.COIN_TRADES, f"3,40000.0,4.0,0.01,{T0},false"),
         "counts contracts, but its symbol is margined in USDT or USDC"),
    case("trades: price infinite", trades(2, "price", "1e999"), "price is inf", row=2),
    case("metrics: day without a time", metrics(3, "create_time", "2024-01-01"), "create_time is '2024-01-01', not a time such as", row=3),
    case("metrics: symbol empty", metrics(2, "symbol", ""), "symbol is empty", row=2),
    case("metrics: negative open interest", metrics(4, "sum_open_interest", "-1"), "open_interest is -1.0; an amount must be", row=4),
    case("metrics: text for open interest", metrics(4, "sum_open_interest", "lots"), "sum_open_interest is 'lots', not a number", row=4),
    case("fundingRate: percentage", rates(2, "last_funding_rate", "1.5"), "funding_rate is 1.5; a rate is a fraction", row=2),
    case("fundingRate: contradicting payments", text("BTCUSDT-fundingRate-2024-01.zip", binance.FUNDING, *RATES, f"{T0 + 9},8,0.0007"),
         "but other values; remove the wrong one", row=5),
    case("fundingRate: rate missing", rates(3, "last_funding_rate", ""), "funding_rate is empty or NaN", row=3),
    case("bookDepth: 500 percent", depth(4, "percentage", "500"), "distance is 5.0; a fraction lies between 0 and 1", row=4),
    case("bookDepth: negative depth", depth(3, "depth", "-1"), "amount is -1.0; an amount must be", row=3),
    case("bookDepth: nobody tells the market", text("depth.csv", binance.DEPTH, *DEPTH), "symbol: nothing tells whether"),
    case("liquidationSnapshot: side of a position", forced(2, "side", "LONG"), "side is 'LONG', expected one of long, short", row=2),
    case("liquidationSnapshot: contracts without a price", forced(2, "average_price", "0"), "average_price is 0.0, without which", row=2),
)  # fmt: skip

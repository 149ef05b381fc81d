"""Broken JSON: what recorders, Hyperliquid and ccxt write."""

from __future__ import annotations

import json

import samples_ccxt as ccxt
import samples_hyperliquid as hyperliquid
import samples_recorder as recorder
from broken import case, good_swaps, raw, text

ALICE, BOB = hyperliquid.ALICE, hyperliquid.BOB
TRADES = [{"ts": hyperliquid.T0 + n, "px": 0.25, "sz": 100.0, "side": "A"} for n in range(3)]
STATES = [{"ts": hyperliquid.T0 + n * hyperliquid.MINUTE, "funding": 1e-5, "oi": 1000.0, "mark": 0.25, "oracle": 0.25} for n in range(3)]
BOOKS = [{"ts": hyperliquid.T0 + 20_000 * n, "bids": [[99.99, 2.0], [99.0, 3.0]], "asks": [[100.01, 1.0], [101.0, 4.0]]} for n in range(3)]
FILLS = [[ALICE, hyperliquid.fill()], [BOB, hyperliquid.fill(side="B", crossed=False)]]
SIDES = ([(99.99, 2), (99, 3)], [(100.01, 1), (101, 4)])
ARCHIVED = [hyperliquid.archived_book(hyperliquid.T0 + 20_000 * n, *SIDES) for n in range(3)]
FORCED = [recorder.force_order(T=recorder.T0 + 1000 * n) for n in range(3)]
ALL = [recorder.all_liquidation({"T": recorder.T0 + 1000 * n}) for n in range(3)]
ORDERS = [recorder.liquidation_orders({"ts": str(recorder.T0 + 1000 * n)}) for n in range(3)]
LONG = ("BTCUSDT,SELL,LIMIT,IOC,0.033,94413.17,94790.0,FILLED,0.002,0.033,"
        "2024-12-04 22:16:38.690000+05:30,2024-12-04 22:16:38.687000+05:30")  # fmt: skip
SHORT = "2024-12-06 23:45:39.043000+05:30,Short Trade,94500.5,0.033,0.025,0.008"
CANDLES = [[ccxt.T0 + n * ccxt.MINUTE, 100.0, 110.0, 90.0, 105.0, 2.5] for n in range(3)]
CCXT_TRADES = [ccxt.trade(n, time=ccxt.T0 + n) for n in range(3)]
HELD = [ccxt.open_interest(ccxt.T0 + 5 * n * ccxt.MINUTE) for n in range(3)]
RATES = [ccxt.funding_rate(ccxt.T0 + 8 * n * ccxt.HOUR) for n in range(3)]
EVENTS = [ccxt.liquidation(ccxt.binance_info(T=ccxt.T0 + 1000 * n), side="sell", contracts=0.013) for n in range(3)]


def lines(name, values, row, **changes):
    """JSON lines, of which one has other values."""
    return text(name, *({**value, **changes} if n == row else value for n, value in enumerate(values, start=1)))


def array(name, values, row, **changes):
    """A JSON list, of which one element has other values."""
    made = [{**value, **changes} if n == row else value for n, value in enumerate(values, start=1)]
    return raw(name, json.dumps(made).encode())


TR, CTX, L2 = "trades_DOGE_20260613.jsonl.gz", "ctx_DOGE_20260613.jsonl.gz", "l2_DOGE_20260613.jsonl.gz"
_HYPERLIQUID = (
    case("recorded trades: last line torn", text(TR, *TRADES, '{"ts":1760129400009,"px":0.2'), "it may be torn", row=4),
    case("recorded trades: line in the middle torn", text(TR, TRADES[0], '{"ts":17', *TRADES[1:]), "it may be torn", row=2),
    case("recorded trades: a list among objects", text(TR, *TRADES[:2], "[1, 2]"), "row 3 is", row=3),
    case("recorded trades: side", lines(TR, TRADES, 3, side="buy"), "side is 'buy', not 'A' or 'B'", row=3),
    case("recorded trades: seconds", lines(TR, TRADES, 2, ts=hyperliquid.T0 // 1000), "outside the years 2000 to 2100 as ms", row=2),
    case("recorded trades: time of the future", lines(TR, TRADES, 3, ts=4_200_000_000_000), "outside the years 2000 to 2100 as ms", row=3),
    case("recorded trades: text for a price", lines(TR, TRADES, 2, px="dear"), "px is 'dear'", row=2),
    case("recorded trades: negative size", lines(TR, TRADES, 2, sz=-1.0), "amount is -1.0; an amount must be", row=2),
    case("recorded trades: price null", lines(TR, TRADES, 3, px=None), "price is empty or NaN", row=3),
    case("recorded trades: empty line", text(TR, TRADES[0], "", TRADES[1]), "row 2 is empty; remove the line", row=2),
    case("recorded contexts: contradicting", text(CTX, *STATES, {**STATES[1], "oi": 7.0}), "has the stamp of row 2 but other values",
         row=4),
    case("recorded contexts: negative open interest", lines(CTX, STATES, 2, oi=-1.0), "open_interest is -1.0; an amount must be", row=2),
    case("recorded contexts: infinite mark", text(CTX, STATES[0], json.dumps(STATES[1]).replace('"mark": 0.25', '"mark": 1e999')),
         "mark is", row=2),
    case("recorded books: bids missing", lines(L2, BOOKS, 2, bids=None), "bids are missing, or hold a level without", row=2),
    case("recorded books: level without a size", lines(L2, BOOKS, 3, asks=[[100.01]]), "asks are missing, or hold a level without", row=3),
    case("recorded books: unordered levels", lines(L2, BOOKS, 2, asks=[[101.0, 4.0], [100.01, 1.0]]), "levels that do not run", row=2),
    case("recorded books: negative size", lines(L2, BOOKS, 2, bids=[[99.99, -2.0]]), "negative or infinite level", row=2),
    case("l2Book: text for a price",
         text("SOL.lz4", *ARCHIVED[:2], hyperliquid.archived_book(hyperliquid.T0 + 60_000, [("cheap", 2)], SIDES[1])),
         "bids are missing, or hold a level without", row=3),
    case("l2Book: coin missing", text("SOL.lz4", ARCHIVED[0], {**ARCHIVED[1], "raw": {"channel": "l2Book", "data": {}}}), "row 2", row=2),
    case("l2Book: time of writing", text("SOL.lz4", ARCHIVED[0], {**ARCHIVED[1], "time": "noon"}), "time is 'noon', not an ISO time",
         row=2),
    case("node_trades: text for a size", text("13.lz4", hyperliquid.node_trade(), hyperliquid.node_trade(sz="some")),
         "sz is 'some', not a number", row=2),
    case("node_trades: side", text("13.lz4", hyperliquid.node_trade(), hyperliquid.node_trade(side="X")), "side is 'X', not 'A' or 'B'",
         row=2),
    case("node_fills: no fill", text("14.lz4", *map(json.dumps, FILLS), '["0xabc"]'), "no fill; check the reader", row=3),
    case("node_fills: key missing", text("14.lz4", json.dumps(FILLS[0]), json.dumps([BOB, {"coin": "ETH", "px": "1"}])),
         "row 2 has no 'sz'", row=2),
    case("node_fills: number for a price", text("14.lz4", json.dumps(FILLS[0]), json.dumps([BOB, hyperliquid.fill(px=7)])), "px is '7'",
         row=2),
    case("node_fills: text for a price", text("14.lz4", json.dumps(FILLS[0]), json.dumps([BOB, hyperliquid.fill(px="?")])),
         "px is '?', not a number", row=2),
    case("node_fills_by_block: torn", text("20.lz4", hyperliquid.block(FILLS[0]), json.dumps(hyperliquid.block(FILLS[1]))[:90]),
         "it may be torn", row=2),
    case("node_fills_by_block: clock", text("20.lz4", hyperliquid.block(FILLS[0]), hyperliquid.block(FILLS[1], local_time="soon")),
         "local_time is 'soon', not an ISO time", row=2),
)  # fmt: skip
_RECORDER = (
    case("forceOrder: last line torn", text("a.jsonl", *FORCED, json.dumps(FORCED[0])[:70]), "it may be torn", row=4),
    case("forceOrder: a number for a message", text("a.jsonl", *FORCED, "17"), "holds '17', no message", row=4),
    case("forceOrder: a message of Bybit", text("a.jsonl", *FORCED, ALL[0]), "is no message of binance's streams", row=4),
    case("forceOrder: side", text("a.jsonl", FORCED[0], recorder.force_order(S="LONG")), "S is 'LONG', neither buy nor sell", row=2),
    case("forceOrder: negative amount", text("a.jsonl", FORCED[0], recorder.force_order(z="-1")), "z is '-1', not a number of at least 0",
         row=2),
    case("forceOrder: NaN", text("a.jsonl", FORCED[0], recorder.force_order(ap="nan")), "ap is 'nan', not a number of at least 0", row=2),
    case("forceOrder: amount missing", text("a.jsonl", FORCED[0], recorder.force_order(z=None)), "has a liquidation without 'z'", row=2),
    case("forceOrder: seconds", text("a.jsonl", FORCED[0], recorder.force_order(T=recorder.T0 // 1000)),
         "outside the years 2000 to 2100 as ms", row=2),
    case("forceOrder: sent in microseconds", text("a.jsonl", FORCED[0], recorder.force_order(E=recorder.T0 * 1000)),
         "outside the years 2000 to 2100 as ms", row=2),
    case("forceOrder: the recorder's clock", text("a.jsonl", FORCED[0], {"received": "noon", "data": FORCED[1]}),
         "the recorder's clock is 'noon'", row=2),
    case("allLiquidation: side", text("a.jsonl", ALL[0], recorder.all_liquidation({"S": "None"})), "S is 'None', neither buy nor sell",
         row=2),
    case("allLiquidation: text for an entry", text("a.jsonl", ALL[0], {**ALL[1], "data": ["?"]}),
         "no liquidation; check the file and reader", row=2),
    case("allLiquidation: price missing its digits", text("a.jsonl", ALL[0], recorder.all_liquidation({"p": "dear"})),
         "p is 'dear', not a number", row=2),
    case("liquidation-orders: nobody tells the size of a contract", text("a.jsonl", *ORDERS), "give base coin a contract, OKX's ctVal"),
    case("liquidation-orders: time", text("a.jsonl", ORDERS[0], recorder.liquidation_orders({"ts": "late"})), "ts is 'late', no time in ms",
         "--contract-size", "0.01", row=2, beside=good_swaps),
    case("liquidation-orders: contracts of two coins", text("a.jsonl", ORDERS[0], recorder.liquidation_orders(instrument="ETH-USDT-SWAP")),
         "whose contracts differ; give the symbol too", "--contract-size", "0.01", beside=good_swaps),
    case("forced orders: cells", text("a.csv", recorder.HEADER, LONG, LONG.rpartition(",")[0]), "has 11 cells, expected 12 or 6", row=2),
    case("forced orders: time without an offset", text("a.csv", recorder.HEADER, LONG, SHORT.replace("+05:30", "")),
         "has no offset from UTC", row=2),
    case("forced orders: short row first", text("a.csv", recorder.HEADER, SHORT, LONG), "names no symbol, and the rows before it name 0",
         row=1),
    case("forced orders: side", text("a.csv", recorder.HEADER, LONG, SHORT.replace("Short", "Swing")), "the side is 'Swing Trade'", row=2),
    case("forced orders: numbers that do not add up", text("a.csv", recorder.HEADER, LONG, SHORT.replace("0.008", "0.009")),
         "do not make 0.033", row=2),
    case("forced orders: price of 0", text("a.csv", recorder.HEADER, LONG, SHORT.replace("94500.5", "0")),
         "cell 3 is '0', not a number above 0", row=2),
)  # fmt: skip
_CCXT = (
    case("ccxt: list cut short", raw("ohlcv.json", json.dumps(CANDLES).encode()[:-20]), "is no JSON"),
    case("ccxt: empty list", raw("ohlcv.json", b"[]"), "is of no kind that liqbt knows"),
    case("ccxt: an object, not a list of candles", raw("ohlcv.json", json.dumps({"candles": CANDLES}).encode()),
         "is of no kind that liqbt knows"),
    case("ccxt: candle with five numbers", raw("ohlcv.json", json.dumps([*CANDLES, CANDLES[0][:5]]).encode()),
         "not [ms, open, high, low, close, volume]", "--symbol", "X", row=4, beside=None),
    case("ccxt: candles without volume", raw("ohlcv.json", json.dumps([[*one[:5], None] for one in CANDLES]).encode()),
         "no candle has a volume; give the table"),
    case("ccxt: contradicting candles", raw("ohlcv.json", json.dumps([*CANDLES, [*CANDLES[1][:5], 9]]).encode()),
         "has the stamp of row 2 but other values", row=4),
    case("ccxt: candles in seconds", raw("ohlcv.json", json.dumps([CANDLES[0], [CANDLES[1][0] // 1000, *CANDLES[1][1:]]]).encode()),
         "outside the years 2000 to 2100 as ms", row=2),
    case("ccxt: nobody tells the symbol of candles", raw("ohlcv.json", json.dumps(CANDLES).encode()),
         "does not tell it; give it, such as symbol"),
    case("ccxt: spot pair", array("trades.json", CCXT_TRADES, 2, symbol="BTC/USDT"), "no contract such as BTC/USDT:USDT", row=2),
    case("ccxt: trade without a side", array("trades.json", CCXT_TRADES, 3, side=None), "side is 'None', neither buy nor sell", row=3),
    case("ccxt: trade without a time", array("trades.json", CCXT_TRADES, 3, timestamp=None), "timestamp is 'None', no ms since 1970",
         row=3),
    case("ccxt: negative amount", array("trades.json", CCXT_TRADES, 2, amount=-0.5), "amount is -0.5; an amount must be", row=2),
    case("ccxt: text for a price", array("trades.json", CCXT_TRADES, 2, price="dear"), "price is 'dear', not a number", row=2),
    case("ccxt: a number among trades", raw("trades.json", json.dumps([*CCXT_TRADES, 7]).encode()), "is a JSON int, not an object", row=4),
    case("ccxt: open interest of inverse contracts", array("oi.json", HELD, 2, symbol="BTC/USD:BTC"),
         "counts contracts, and no price is there", row=2),
    case("ccxt: open interest missing", array("oi.json", HELD, 2, openInterestAmount=None), "has no open interest in coins or contracts",
         row=2),
    case("ccxt: contradicting open interest", array("oi.json", [*HELD, HELD[0]], 4, openInterestAmount=1.0), "but other values", row=4),
    case("ccxt: rate in percent", array("funding.json", RATES, 3, fundingRate=1.5), "funding_rate is 1.5; a rate is a fraction", row=3),
    case("ccxt: liquidation without the venue's words", array("liq.json", EVENTS, 2, info={}), "does not tell its venue in 'info'", row=2),
    case("ccxt: liquidations of two venues", array("liq.json", EVENTS, 3, info=ccxt.bybit_info()), "save one venue a file", row=3),
    case("ccxt: liquidations without the size of a contract",
         raw("liq.json", json.dumps([ {**ccxt.liquidation(ccxt.okx_info(), side="buy", contracts=13), "contractSize": None}]).encode()),
         "give base coin a contract, OKX's ctVal"),
)  # fmt: skip
CASES = (*_HYPERLIQUID, *_RECORDER, *_CCXT)

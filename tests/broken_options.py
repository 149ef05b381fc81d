"""Text with named columns that is broken, mappings that are, and options that contradict the files."""

from __future__ import annotations

import samples_binance as binance
import samples_bybit as bybit
import samples_hyperliquid as hyperliquid
import samples_okx as okx
import samples_plain as plain
import samples_recorder as recorder
import samples_tardis as tardis
from broken import case, good_swaps, packed, replaced, text

ROWS = [f"{plain.hour(n)},{candle},5" for n, candle in enumerate(plain.CANDLES)]
EVENTS = ["when;px;qty;who", "1704067200000;100.5;2;B", "1704067200007;100.4;1;S"]
MAPPING = """
table = "trades"
delimiter = ";"
[time]
column = "when"
unit = "ms"
[columns]
price = "px"
amount = "qty"
side = "who"
[values.side]
B = "buy"
S = "sell"
"""


def _bars(row, column, cell):
    names = plain.OHLCV.split(",")
    lines = [replaced(line, names.index(column), cell) if n == row else line for n, line in enumerate(ROWS, start=1)]
    return text("ETHUSDT_1h.csv", plain.OHLCV, *lines)


def _bars_as(*lines):
    return text("ETHUSDT_1h.csv", *lines)


def _good_bars(folder):
    return packed(folder / "good" / "ETHUSDT_1h.csv", "".join(f"{line}\n" for line in (plain.OHLCV, *ROWS)).encode())


def _mapped(*changes, rows=EVENTS, encoding="utf-8"):
    """A file of trades beside a mapping with these texts replaced by others."""

    def make(folder):
        mapping = MAPPING
        for old, new in changes:
            assert old in mapping, old
            mapping = mapping.replace(old, new)
        folder.mkdir(exist_ok=True)
        (folder / "trades.toml").write_text(mapping, encoding=encoding)
        return packed(folder / "trades.txt", "".join(f"{line}\n" for line in rows).encode())

    return make


def mapped(name, make, says, *options, **more):
    """A case of a mapping; where the mapping is at fault, no recording is."""
    return case(name, make, says, "--mapping", "FOLDER/trades.toml", "--symbol", "X", *options, **{"beside": None, **more})


def _sample(module, kind):
    return lambda folder: module.samples(folder / "sample")[kind]


KLINES, METRICS = _sample(binance, "klines"), _sample(binance, "metrics")
_TEXT = (
    case("text: unsorted", _bars_as(plain.OHLCV, ROWS[1], ROWS[0]), "is earlier than the row above it", row=2),
    case("text: doubled stamp", _bars_as(plain.OHLCV, *ROWS[:2], ROWS[1]), "has the same timestamp as the row above it", row=3),
    case("text: yesterday", _bars(2, "time", "yesterday"), "time is 'yesterday', not an ISO time", row=2),
    case("text: year 2150", _bars(3, "time", "2150-01-01 00:00:00"), "outside the years 2000 to 2100", row=3),
    case("text: negative price", _bars(3, "low", "-1"), "low is -1.0; a price must be", row=3),
    case("text: comma for a point", _bars(2, "volume", '"5,5"'), "volume is '5,5', not a number", row=2),
    case("text: infinite volume", _bars(1, "volume", "inf"), "volume is inf; an amount must be", row=1),
    case("text: row cut short", _bars_as(plain.OHLCV, *ROWS, f"{plain.hour(3)},102,103"), "has 3 cells, expected 6", row=4),
    case("text: row with a cell too many", _bars_as(plain.OHLCV, *ROWS, f"{ROWS[0]},9"), "has 7 cells, expected 6", row=4),
    case("text: only a header", _bars_as(plain.OHLCV), "has no rows; check that the file is complete"),
    case("text: column missing", _bars_as(plain.OHLCV.removesuffix(",volume"), *(row.rpartition(",")[0] for row in ROWS)),
         "of no kind that liqbt knows"),
    case("text: column missing, mapping given", _bars_as(plain.OHLCV.replace("volume", "vol"), *ROWS),
         "has no column 'volume'; did you mean 'vol'?", "--mapping", "ohlcv", beside=_good_bars),
    case("text: interest in seconds", text("ETHUSDT_oi.csv", plain.INTEREST, "1704067200,80,4000", "1704067500,81,4050"),
         "t is '1704067200', outside the years 2000 to 2100 as ms", row=1),
    case("text: negative interest", text("ETHUSDT_oi.csv", plain.INTEREST, "1704067200000,80,4000", "1704067500000,-1,4050"),
         "open_interest is -1.0; an amount must be", row=2),
)  # fmt: skip
_MAPPINGS = (
    case("mapping: no such file", _good_bars, "mapping nowhere.toml: cannot be read", "--mapping", "nowhere.toml", names_file=False),
    case("mapping: no such name", _good_bars, "there is no built-in 'candles'", "--mapping", "candles", names_file=False),
    mapped("mapping: no TOML", _mapped(("table = ", "table: ")), "trades.toml: is not TOML", names_file=False),
    mapped("mapping: no UTF-8", _mapped(("[time]", "[time] # é"), encoding="latin-1"), "is not UTF-8 text", names_file=False),
    mapped("mapping: unknown key", _mapped(("delimiter", "delimeter")), "unknown key 'delimeter'; did you mean 'delimiter'?",
         names_file=False),
    mapped("mapping: unknown table", _mapped(('"trades"', '"trade"')), "table is 'trade', no canonical table", names_file=False),
    mapped("mapping: unit of time", _mapped(('"ms"', '"minutes"')), "time.unit is 'minutes'", names_file=False),
    mapped("mapping: column of the table missing", _mapped(('amount = "qty"', "")), "table 'trades' needs 'amount'", names_file=False),
    mapped("mapping: column that the table lacks", _mapped(("price =", "prize =")),
         "table 'trades' has no such column; did you mean 'price'?", names_file=False),
    mapped("mapping: side of a position", _mapped(('B = "buy"', 'B = "long"')), "'long' is not one of buy, sell", names_file=False),
    mapped("mapping: number for a named column", _mapped(('"px"', "2")), "columns.price is 2; write the column's name", names_file=False),
    mapped("mapping: two delimiters", _mapped(('";"', '";;"')), "delimiter is ';;'", names_file=False),
    mapped("mapping: column that the file lacks", _mapped(('"qty"', '"size"')), "has no column 'size'"),
    mapped("mapping: value that it does not know", _mapped(rows=[*EVENTS, "1704067200009;100;1;X"]),
         "the mapping's values.side does not know it", row=3),
    mapped("mapping: another delimiter", _mapped(rows=[row.replace(";", ",") for row in EVENTS]), "has no column 'when'"),
    mapped("mapping: another table", _mapped(), "contradicts mapping", "--table", "bars", names_file=False),
    mapped("mapping: another reader", _mapped(), "reader 'coinalyze' knows its columns", "--reader", "coinalyze", names_file=False),
    case("mapping: for files that need none", KLINES, "mapping: reader 'binance_vision' knows its columns and takes none", "--reader",
         "binance_vision", "--mapping", "ohlcv", names_file=False),
    case("mapping: not given", text("a.csv", "a,b", "1,2"), "mapping: reader 'generic_csv' needs one", "--reader", "generic_csv",
         names_file=False, beside=_good_bars),
)  # fmt: skip
_OPTIONS = (
    case("reader: unknown", KLINES, "reader: 'binance' is not a reader; did you mean 'binance_vision'?", "--reader", "binance",
         names_file=False),
    case("reader: of another venue", METRICS, "is no file of reader 'tardis'", "--reader", "tardis", beside=_sample(tardis, "trades")),
    case("table: unknown", KLINES, "table: 'candles' is not a canonical table", "--table", "candles", names_file=False),
    case("table: that the file does not give", METRICS, "is Binance metrics, which gives open_interest, not table 'bars'", "--table",
         "bars", beside=KLINES),
    case("interval: no interval", KLINES, "interval: '1 minute' is not an interval", "--interval", "1 minute", names_file=False),
    case("interval: another", KLINES, "holds bars of 1m, not 5m", "--interval", "5m", beside=None),
    case("interval: that does not divide the steps", text("ETHUSDT_1h.csv", plain.OHLCV, *ROWS), "no multiple of interval 7m", "--interval",
         "7m", beside=None, row=2),
    case("interval: of rows that cover none", METRICS, "interval: reader 'binance_vision' reads rows that cover no interval", "--interval",
         "5m", names_file=False),
    case("venue: another", KLINES, "is Binance klines, of 'binance', not 'bybit'; leave the venue out", "--venue", "bybit",
         beside=_sample(bybit, "trades")),
    case("venue: that climbs", text("ETHUSDT_1h.csv", plain.OHLCV, *ROWS), "venue: '../up' is no plain name", "--venue", "../up",
         names_file=False),
    case("venue: empty", text("ETHUSDT_1h.csv", plain.OHLCV, *ROWS), "venue: '' is no plain name", "--venue", "", names_file=False),
    case("symbol: that climbs", text("candles.csv", plain.OHLCV, *ROWS), "symbol: '../../up' is no plain name", "--symbol", "../../up",
         names_file=False),
    case("symbol: absolute path", text("candles.csv", plain.OHLCV, *ROWS), "symbol: '/etc/passwd' is no plain name", "--symbol",
         "/etc/passwd", names_file=False),
    case("symbol: two folders", text("candles.csv", plain.OHLCV, *ROWS), "is no plain name", "--symbol", "BTC/USDT", names_file=False),
    case("symbol: hidden", text("candles.csv", plain.OHLCV, *ROWS), "is no plain name", "--symbol", ".staging", names_file=False),
    case("symbol: line break", text("candles.csv", plain.OHLCV, *ROWS), "is no plain name", "--symbol", "BTC\nUSDT", names_file=False),
    case("symbol: partition", text("candles.csv", plain.OHLCV, *ROWS), "is no plain name", "--symbol", "X=Y", names_file=False),
    case("symbol: nobody tells it", text("candles.csv", plain.OHLCV, *ROWS), "does not tell it; give it"),
    case("symbol: another than the name says", KLINES, "is of BTCUSDT by its name, not 'ETHUSDT'", "--symbol", "ETHUSDT", beside=None),
    case("symbol: of another market than the name says", KLINES, "is of BTCUSDT by its name, not 'BTCUSD_PERP'", "--symbol", "BTCUSD_PERP",
         beside=None),
    case("symbol: that the rows do not have", _sample(bybit, "trades"), "has no 'BTCUSDC'; did you mean 'BTCUSDT'?", "--symbol", "BTCUSDC",
         beside=None),
    case("utc offset: of no clock", KLINES, "utc_offset_hours: 30.0 is not a clock's offset", "--utc-offset", "30", names_file=False),
    case("utc offset: not a number", KLINES, "utc_offset_hours: nan is not a clock's offset", "--utc-offset", "nan", names_file=False),
    case("utc offset: of stamps since 1970", KLINES, "utc_offset_hours: reader 'binance_vision' reads stamps that are UTC", "--utc-offset",
         "6", names_file=False),
    case("contract size: of 0", _sample(okx, "trades"), "contract_size: 0.0 must be a finite number above 0", "--contract-size", "0",
         names_file=False),
    case("contract size: NaN", _sample(okx, "trades"), "contract_size: nan must be a finite number above 0", "--contract-size", "nan",
         names_file=False),
    case("contract size: of coins", KLINES, "contract_size: reader 'binance_vision' reads amounts in base coin", "--contract-size", "10",
         names_file=False, beside=good_swaps),
    case("contract size: wrong for bars of COIN-M",
         text("BTCUSD_PERP-1m-2024-01-01.zip", binance.KLINES,
         *(binance.kline(n, "40000,40100,39900,40000", ("4", "0.01", "4", "2", "0.005")) for n in range(3))), "are not contracts of 10 USD",
         "--contract-size", "10", row=1, beside=good_swaps),
    case("contract size: missing", _sample(okx, "trades"), "give base coin a contract, OKX's ctVal"),
    case("contract size: of Bybit's dollars",
         text("BTCUSD2024-03-01.csv.gz", bybit.HEADER, bybit.row("1", "Buy", "10", "60000", symbol="BTCUSD")),
         "counts BTCUSD in contracts of 1 USD, not 5; leave it out", "--contract-size", "5", beside=good_swaps),
    case("contract size: of recorded coins", _sample(recorder, "binance_force_order"), "counts BTCUSDT in base coin, not 10; leave it out",
         "--contract-size", "10", beside=good_swaps),
    case("depth interval: none", _sample(hyperliquid, "l2"), "depth_interval: 'often' is not an interval", "--depth-interval", "often",
         names_file=False),
)  # fmt: skip
CASES = (*_TEXT, *_MAPPINGS, *_OPTIONS)

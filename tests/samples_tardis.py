"""Files as Tardis.dev makes them."""

import gzip

START = 1709251200_000_000  # 2024-03-01 00:00 UTC
EVENTS = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
TICKER = (
    "exchange,symbol,timestamp,local_timestamp,funding_timestamp,funding_rate,predicted_funding_rate,open_interest,last_price,"
    "index_price,mark_price"
)
UPDATES = "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount"
PERPETUAL = "binance-futures,BTCUSDT"


def levels(count):
    """The header of order-book snapshots."""
    names = [f"{side}[{k}].{what}" for k in range(count) for side in ("asks", "bids") for what in ("price", "amount")]
    return ",".join(["exchange,symbol,timestamp,local_timestamp", *names])


def line(seconds, *cells, of=PERPETUAL, delay=0.15):
    """One row; seconds since midnight of the exchange's clock, delay: seconds until it reached Tardis."""
    stamp = START + round(seconds * 1_000_000)
    return ",".join([of, str(stamp), str(stamp + round(delay * 1_000_000)), *(str(cell) for cell in cells)])


def stamp(seconds):
    """Microseconds since 1970 of seconds since midnight."""
    return START + round(seconds * 1_000_000)


def write(path, header, rows):
    """Write a gzipped file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{one}\n" for one in (header, *rows)).encode()))
    return path


def samples(folder):
    """One file of each kind."""
    day = "2024-03-01_BTCUSDT.csv.gz"
    eight = stamp(8 * 3600)
    return {
        "trades": write(
            folder / f"binance-futures_trades_{day}",
            EVENTS,
            [line(0.245, 4711, "sell", 61000.0, 0.011), line(0.49, 4712, "buy", 61000.1, 1.215), line(61.0, 4713, "buy", 61010.0, 0.5)],
        ),
        "liquidations": write(
            folder / f"binance-futures_liquidations_{day}",
            EVENTS,
            [line(14.331, "", "sell", 60900.5, 0.014), line(3000.0, "", "buy", 61500.0, 2)],
        ),
        "derivative_ticker": write(
            folder / f"binance-futures_derivative_ticker_{day}",
            TICKER,
            [
                line(1, eight, 0.0001, "", 82011.5, 61000.0, 61001.0, 61002.0),
                line(62, eight, 0.0001, "", 82012.5, 61010.0, 61011.0, 61012.0),
                line(28799, eight, 0.0002, "", 82012.5, 61010.0, 61011.0, 61012.0),
                line(28801, stamp(16 * 3600), 0.0003, "", 82012.5, 61010.0, 61011.0, 61012.0),
            ],
        ),
        "book_snapshot": write(
            folder / f"binance-futures_book_snapshot_5_{day}",
            levels(2),
            [line(1, 101, 1, 99, 2, 102, 3, 98, 4), line(12, 101, 5, 99, 6, 102, 7, 98, 8)],
        ),
        "incremental_book_L2": write(
            folder / f"binance-futures_incremental_book_L2_{day}",
            UPDATES,
            [
                line(1, "true", "bid", 99, 2),
                line(1, "true", "ask", 101, 1),
                line(1, "true", "bid", 95, 2),
                line(1, "true", "ask", 106, 1),
                line(12, "false", "ask", 101, 0),
                line(12, "false", "ask", 102, 4),
                line(31, "false", "bid", 99, 3),
            ],
        ),
    }

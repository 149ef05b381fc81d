"""Files as in Bybit's trade archive."""

import gzip

HEADER = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional"
START = 1709251200  # 2024-03-01 00:00 UTC
ID = "d6b9a5ac-3439-5cea-b590-fd245e5b3992"


def row(seconds, side, size, price, *, symbol="BTCUSDT", more=""):
    """One trade; seconds since midnight, as text so that its decimals stay."""
    whole, _, fraction = str(seconds).partition(".")
    stamp = f"{START + int(whole)}" + (f".{fraction}" if fraction else "")
    return (
        f"{stamp},{symbol},{side},{size},{price},PlusTick,{ID},{float(size) * float(price) * 1e8},{size},{float(size) * float(price)}{more}"
    )


ROWS = (
    row("0.0547", "Buy", "0.038", "61150.40"),
    row("0.0547", "Sell", "0.5", "61150.30"),
    row("1.2", "Buy", "0.001", "61151.00"),
    row("7.9999", "Sell", "2.25", "61140.10"),
)


def write(path, rows=ROWS, *, header=HEADER):
    """Write a gzipped archive."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in (header, *rows)).encode()))
    return path


def samples(folder):
    """One file of each kind."""
    return {"trades": write(folder / "BTCUSDT2024-03-01.csv.gz")}

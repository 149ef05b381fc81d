"""Files as in OKX's trade archive."""

import zipfile

START = 1709222400000  # 2024-02-29 16:00 UTC, midnight in UTC+8
HEADER = "instrument_name,trade_id,side,price,size,created_time"
OLD_HEADER = "trade_id/撮合id,side/交易方向,size/数量,price/价格,created_time/成交时间".encode("gbk")

ROWS = (
    f"BTC-USDT-SWAP,1001,buy,61000.5,250.0,{START + 12}",
    f"BTC-USDT-SWAP,1002,sell,61000.4,3.5,{START + 12}",
    f"BTC-USDT-SWAP,1003,buy,61002,1e-1,{START + 40_000}",
)
OLD_ROWS = (
    f"719977054,buy,2,0.4,{START}",
    f"719977057,sell,10,0.5,{START + 1}",
)


def write(path, rows=ROWS, *, header=HEADER):
    """Write a zip of one CSV; header: text, bytes, or None for none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first = b"" if header is None else (header if isinstance(header, bytes) else header.encode()) + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{path.stem}.csv", first + "".join(f"{line}\n" for line in rows).encode())
    return path


def samples(folder):
    """One file of each kind; swaps need `contract_size`."""
    return {
        "trades": write(folder / "BTC-USDT-SWAP-trades-2024-03-01.zip"),
        "old trades": write(folder / "DOGE-USDT-aggtrades-2024-03-01.zip", OLD_ROWS, header=OLD_HEADER),
    }

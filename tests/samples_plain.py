"""Small files that no venue's module makes: Coinalyze's exports, freqtrade's feather files, and text with named columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

START = datetime(2024, 1, 1, tzinfo=UTC)
KINDS = {"export": "coinalyze", "feather": "freqtrade", "mapped": "generic_csv"}  # reader by kind
CANDLES = ("100,110,90,105", "105,106,104,105.5", "105.5,107,101,102")
OHLCV = "time,open,high,low,close,volume"
INTEREST = "t,oi,oi_usd"


def hour(number, unit=3600):
    """`2024-01-01 05:00:00` for hour 5 of the first day."""
    return (START + timedelta(seconds=number * unit)).strftime("%Y-%m-%d %H:%M:%S")


def write(path, *lines):
    """Write lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def feather(path, *, hours=1.0, rows=3, prices=None, **changes):
    """Write candles as freqtrade does; changes: columns in place of its own, None for none."""
    values = prices or [[100.0, 110.0, 90.0, 105.0], [105.0, 106.0, 104.0, 105.5], [105.5, 107.0, 101.0, 102.0]][:rows]
    dates = [START + timedelta(hours=hours * number) for number in range(len(values))]
    columns = dict(zip(("open", "high", "low", "close"), zip(*values, strict=True), strict=True))
    columns = {"date": dates, **columns, "volume": [5.0] * len(values), **changes}
    path.parent.mkdir(parents=True, exist_ok=True)
    frame = pl.DataFrame({name: column for name, column in columns.items() if column is not None})
    frame.write_ipc(path, compression="lz4")
    return path


def samples(folder):
    """Write one small file of each kind and return their paths by the names of the kinds."""
    bars = [f"{hour(number)},{candle},5,2,9,4" for number, candle in enumerate(CANDLES)]
    return {
        "export": write(folder / "BTCUSDT_PERP.A_ohlcv-history.csv", *bars),
        "feather": feather(folder / "SOL_USDT_USDT-1h-futures.feather"),
        "mapped": write(folder / "ETHUSDT_1h.csv", OHLCV, *(f"{hour(number)},{candle},5" for number, candle in enumerate(CANDLES))),
    }


def other_forms(folder):
    """Write the other tables of the same kinds; pairs of kind and path."""
    rates = [[0.0001, 0.0, 0.0, 0.0], [-0.0002, 0.0, 0.0, 0.0]]
    return [
        ("export", write(folder / "BTCUSDT_PERP.A_open-interest-history.csv", *(f"{hour(n)},8,9.5,7,{8 + n}" for n in range(3)))),
        ("export", write(folder / "BTCUSDT_PERP.A_liquidation-history.csv", *(f"{hour(n)},{n},0.25" for n in range(3)))),
        ("feather", feather(folder / "SOL_USDT_USDT-1h-mark.feather", volume=[0.0] * 3)),
        ("feather", feather(folder / "SOL_USDT_USDT-8h-funding_rate.feather", hours=8, prices=rates)),
        ("mapped", write(folder / "ETHUSDT_oi.csv", INTEREST, "1704067200000,80,4000", "1704067500000,81,4050.5")),
    ]

"""Small files in the form of Binance's public archive, one of each kind."""

from __future__ import annotations

import zipfile

KLINES = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
AGGREGATES = "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker"
TRADES = "id,price,qty,quote_qty,time,is_buyer_maker"
COIN_TRADES = "id,price,qty,base_qty,time,is_buyer_maker"
METRICS = (
    "create_time,symbol,sum_open_interest,sum_open_interest_value,count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
    "count_long_short_ratio,sum_taker_long_short_vol_ratio"
)
FUNDING = "calc_time,funding_interval_hours,last_funding_rate"
DEPTH = "timestamp,percentage,depth,notional"
LIQUIDATIONS = (
    "time,side,order_type,time_in_force,original_quantity,price,average_price,order_status,last_fill_quantity,accumulated_fill_quantity"
)
T0 = 1_704_067_200_000  # 2024-01-01 00:00


def kline(minute, prices, volumes=("0", "0", "0", "0", "0"), *, step=60_000, unit=1):
    """One kline; volumes: volume, quote_volume, count, taker_buy_volume, taker_buy_quote_volume."""
    opened = (T0 + minute * step) * unit
    closed = opened + step * unit - 1
    volume, quote, count, taker, taker_quote = volumes
    return f"{opened},{prices},{volume},{closed},{quote},{count},{taker},{taker_quote},0"


def write(path, *lines):
    """Write lines as a CSV file, or as the zip of one where the path ends in .zip."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{path.stem}.csv", text)
    else:
        path.write_text(text)
    return path


def samples(folder):
    """Write one small file of each kind and return their paths by the names of the kinds."""
    bars = [kline(0, "100,110,90,105", ("2", "200", "4", "1", "101")), kline(1, "105,106,104,105", ("1", "105", "2", "0", "0"))]
    values = [kline(0, "100,110,90,105", ("0", "0", "60", "0", "0")), kline(1, "105,106,104,105", ("0", "0", "60", "0", "0"))]
    rates = [kline(0, "-0.0002,0.0001,-0.0005,-0.0003"), kline(1, "-0.0003,0.0004,-0.0003,0.0002")]
    bids_and_asks = [f"2024-01-01 00:00:0{second},{percentage},{10 * abs(percentage)},{1000 * abs(percentage)}" for second in (0, 7)
                     for percentage in (-5, -1, 1, 5)]  # fmt: skip
    aggregates = [f"7,42000.5,0.25,11,12,{T0 + 5},true", f"8,42000.6,0.5,13,13,{T0 + 9},false"]
    rates_paid = [f"{T0 + 3},8,0.00010000", f"{T0 + 28_800_000},8,-0.00020000"]
    liquidation = f"{T0 + 1},SELL,LIMIT,IOC,5,42000,42100,FILLED,5,5"
    return {
        "klines": write(folder / "BTCUSDT-1m-2024-01-01.zip", KLINES, *bars),
        "markPriceKlines": write(folder / "markPriceKlines" / "BTCUSDT-1m-2024-01-01.zip", KLINES, *values),
        "indexPriceKlines": write(folder / "indexPriceKlines" / "BTCUSDT-1m-2024-01-01.zip", *values),
        "premiumIndexKlines": write(folder / "premiumIndexKlines" / "BTCUSDT-1m-2024-01-01.zip", KLINES, *rates),
        "aggTrades": write(folder / "BTCUSDT-aggTrades-2024-01-01.zip", *aggregates),
        "trades": write(folder / "BTCUSD_PERP-trades-2024-01-01.zip", COIN_TRADES, f"3,40000.0,4.0,0.01000000,{T0 + 5},false"),
        "metrics": write(
            folder / "BTCUSDT-metrics-2024-01-01.zip",
            METRICS,
            "2024-01-01 00:05:00,BTCUSDT,80000.5,3360021000.0,1.1,1.2,1.3,0.9",
            '2024-01-01 00:10:00,BTCUSDT,80001.5,3360063000.0,"","","",0.9',
        ),
        "fundingRate": write(folder / "BTCUSDT-fundingRate-2024-01.zip", FUNDING, *rates_paid),
        "bookDepth": write(folder / "BTCUSDT-bookDepth-2024-01-01.zip", DEPTH, *bids_and_asks),
        "liquidationSnapshot": write(folder / "BTCUSD_PERP-liquidationSnapshot-2024-01-01.zip", LIQUIDATIONS, liquidation, liquidation),
    }  # fmt: skip

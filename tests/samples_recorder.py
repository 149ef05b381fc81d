"""Small files as people record public liquidation streams, one of each kind."""

from __future__ import annotations

import json

HEADER = (
    "Symbol,Side,Order Type,Time in Force,Quantity,Price,Average Price,Order Status,Last Filled Quantity,Filled Quantity,"
    "Event Time (IST),Trade Time (IST)"
)
T0 = 1_733_330_785_584  # 2024-12-04 16:46:25.584


def write(path, *lines):
    """Write lines of text, or objects as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def force_order(**changes):
    """A forceOrder event of Binance; changes: of its order, `E` of the event."""
    sent = changes.pop("E", T0 + 3)
    order = {
        "s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "0.040", "p": "94434.91", "ap": "94809.60", "X": "FILLED",
        "l": "0.013", "z": "0.033", "T": T0,
    }  # fmt: skip
    return {"e": "forceOrder", "E": sent, "o": {**order, **changes}}


def all_liquidation(*entries, sent=T0 + 300):
    """An allLiquidation message of Bybit; entries: changes of its entries."""
    entry = {"T": T0, "s": "ROSEUSDT", "S": "Buy", "v": "20000", "p": "0.04499"}
    data = [{**entry, **changes} for changes in entries or ({},)]
    return {"topic": f"allLiquidation.{data[0]['s']}", "type": "snapshot", "ts": sent, "data": data}


def old_liquidation(**changes):
    """A message of Bybit's older topic."""
    data = {"price": "0.03803", "side": "Buy", "size": "1637", "symbol": "GALAUSDT", "updatedTime": T0}
    return {"data": {**data, **changes}, "topic": "liquidation.GALAUSDT", "ts": T0 + 5, "type": "snapshot"}


def liquidation_orders(*details, instrument="BTC-USDT-SWAP"):
    """A liquidation-orders message of OKX; details: changes of its details."""
    detail = {"bkLoss": "0", "bkPx": "50000", "ccy": "", "posSide": "short", "side": "buy", "sz": "13", "ts": str(T0)}
    data = {
        "details": [{**detail, **changes} for changes in details or ({},)],
        "instFamily": instrument.rpartition("-")[0], "instId": instrument, "instType": "SWAP", "uly": instrument.rpartition("-")[0],
    }  # fmt: skip
    return {"arg": {"channel": "liquidation-orders", "instType": "SWAP"}, "data": [data]}


def samples(folder):
    """Write one small file of each kind and return their paths by the names of the kinds."""
    wrapped = {"stream": "!forceOrder@arr", "data": force_order(S="BUY", E=T0 + 2_000, T=T0 + 1_998)}
    return {
        "binance_force_order": write(folder / "force_orders.jsonl", {"result": None, "id": 1}, force_order(), wrapped),
        "bybit_liquidation": write(folder / "bybit.jsonl", {"success": True, "ret_msg": "", "op": "subscribe"}, all_liquidation()),
        "okx_liquidation_orders": write(
            folder / "okx.jsonl", {"event": "subscribe", "arg": {"channel": "liquidation-orders"}}, liquidation_orders()
        ),
        "forced_orders_csv": write(
            folder / "liquidation_orders.csv",
            HEADER,
            "BTCUSDT,SELL,LIMIT,IOC,0.033,94413.17,94790.0,FILLED,0.002,0.033,"
            "2024-12-04 22:16:38.690000+05:30,2024-12-04 22:16:38.687000+05:30",
            "2024-12-06 23:45:39.043000+05:30,Short Trade,102080.5,0.033,0.025,0.008",
        ),
    }

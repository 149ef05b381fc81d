"""Small files of what ccxt returns, saved as JSON, one of each kind."""

from __future__ import annotations

import json

T0 = 1_760_133_600_000  # 2025-10-10 22:00
MINUTE = 60_000
HOUR = 60 * MINUTE


def write(path, value):
    """Write a value as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


def open_interest(time=T0, amount=80_872.801, value=3_508_262_107.38, symbol="BTC/USDT:USDT", info=None):
    """An open interest as of Binance."""
    if info is None:
        info = {"symbol": "BTCUSDT", "sumOpenInterest": str(amount), "sumOpenInterestValue": str(value), "timestamp": time}
    return {
        "symbol": symbol, "baseVolume": amount, "quoteVolume": value, "openInterestAmount": amount, "openInterestValue": value,
        "timestamp": time, "datetime": None, "info": info,
    }  # fmt: skip


def funding_rate(time=T0, rate=0.0001, symbol="BTC/USDT:USDT", info=None):
    """A rate of the history of funding rates, as of Binance."""
    if info is None:
        info = {"symbol": "BTCUSDT", "fundingRate": str(rate), "fundingTime": str(time), "markPrice": "100000.0"}
    return {"info": info, "symbol": symbol, "fundingRate": rate, "timestamp": time, "datetime": None}


def liquidation(info, *, side, contracts, size=1.0, price=1.0, symbol="BTC/USDT:USDT", time=T0):
    """A liquidation; `info`: the venue's own words."""
    return {
        "info": info, "symbol": symbol, "timestamp": time, "datetime": None, "price": price, "baseValue": contracts * size,
        "quoteValue": contracts * size * price, "contracts": contracts, "contractSize": size, "side": side,
    }  # fmt: skip


def binance_info(**changes):
    """Binance's own words of a liquidation."""
    info = {
        "s": "BTCUSDT", "S": "SELL", "o": "LIMIT", "f": "IOC", "q": "0.040", "p": "94434.91", "ap": "94809.60", "X": "FILLED",
        "l": "0.013", "z": "0.033", "T": T0,
    }  # fmt: skip
    return {**info, **changes}


def bybit_info(**changes):
    """Bybit's own words of a liquidation."""
    return {"T": T0, "s": "BTCUSDT", "S": "Buy", "v": "0.5", "p": "100000", **changes}


def okx_info(*details, instrument="BTC-USDT-SWAP"):
    """OKX's own words of liquidations of one instrument."""
    detail = {"bkLoss": "0", "bkPx": "50000", "ccy": "", "posSide": "short", "side": "buy", "sz": "13", "ts": str(T0)}
    found = [{**detail, **changes} for changes in details or ({},)]
    return {"details": found, "instFamily": "BTC-USDT", "instId": instrument, "instType": "SWAP", "uly": "BTC-USDT"}


def trade(number=1, *, time=T0, symbol="BTC/USDT:USDT", side="sell", price=100_000.0, amount=0.5, role="taker", info=None):
    """A trade as of Binance."""
    if info is None:
        info = {"a": number, "p": str(price), "q": str(amount), "f": number, "l": number, "T": time, "m": side == "sell"}
    return {
        "info": info, "timestamp": time, "datetime": None, "symbol": symbol, "id": None if number is None else str(number), "order": None,
        "type": None, "side": side, "takerOrMaker": role, "price": price, "amount": amount, "cost": price * amount, "fee": None, "fees": [],
    }  # fmt: skip


def samples(folder):
    """Write one small file of each kind and return their paths by the names of the kinds."""
    return {
        "ohlcv": write(folder / "ohlcv.json", [[T0, 100.0, 110.0, 90, 105.0, 2.5], [T0 + MINUTE, 105.0, 106.0, 104.0, 105.5, 1]]),
        "open_interest": write(folder / "open_interest.json", [open_interest(), open_interest(T0 + 5 * MINUTE, 80_900.0)]),
        "funding": write(folder / "funding.json", [funding_rate(), funding_rate(T0 + 8 * HOUR, -0.0002)]),
        "liquidations": write(
            folder / "liquidations.json",
            [
                liquidation(binance_info(), side="sell", contracts=0.013, price=94_809.6),
                liquidation(binance_info(S="BUY", T=T0 + 2_000), side="buy", contracts=0.013, price=94_809.6, time=T0 + 2_000),
            ],
        ),
        "trades": write(folder / "trades.json", [trade(), trade(2, time=T0 + 7, side="buy")]),
    }

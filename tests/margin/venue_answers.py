"""What venues and tools answer when asked for bracket tables, field by field."""

# Binance /fapi/v1/leverageBracket, all symbols: figures of 1000BONKUSDT in 2024
USDM = [
    {
        "symbol": "1000BONKUSDT",
        "brackets": [
            {"bracket": 1, "initialLeverage": 50, "notionalCap": 5000, "notionalFloor": 0, "maintMarginRatio": 0.015, "cum": 0.0},
            {"bracket": 2, "initialLeverage": 25, "notionalCap": 50000, "notionalFloor": 5000, "maintMarginRatio": 0.02, "cum": 25.0},
            {"bracket": 3, "initialLeverage": 20, "notionalCap": 100000, "notionalFloor": 50000, "maintMarginRatio": 0.025, "cum": 275.0},
        ],
    },
    {
        "symbol": "ETHUSDT",
        "notionalCoef": 1.5,
        "brackets": [
            {"bracket": 1, "initialLeverage": 75, "notionalCap": 10000, "notionalFloor": 0, "maintMarginRatio": 0.0065, "cum": 0.0}
        ],
    },
]
# /dapi/v2/leverageBracket; `qtylFloor` is how Binance spells it. c = 5 x .001 = .005 BTC; + 10 x .005 = .055 BTC
COINM = [
    {
        "symbol": "BTCUSD_PERP",
        "brackets": [
            {"bracket": 1, "initialLeverage": 125, "qtyCap": 5, "qtylFloor": 0, "maintMarginRatio": 0.004, "cum": 0.0},
            {"bracket": 2, "initialLeverage": 100, "qtyCap": 10, "qtylFloor": 5, "maintMarginRatio": 0.005, "cum": 0.005},
            {"bracket": 3, "initialLeverage": 50, "qtyCap": 20, "qtylFloor": 10, "maintMarginRatio": 0.01, "cum": 0.055},
        ],
    }
]
# freqtrade's binance_leverage_tiers.json: numbers as floats, those of `info` as text
FREQTRADE = {
    "1000BONK/USDT:USDT": [
        {
            "tier": float(number),
            "currency": "USDT",
            "minNotional": float(row["notionalFloor"]),
            "maxNotional": float(row["notionalCap"]),
            "maintenanceMarginRate": row["maintMarginRatio"],
            "maxLeverage": float(row["initialLeverage"]),
            "info": {name: str(value) for name, value in row.items()},
        }
        for number, row in enumerate(USDM[0]["brackets"], start=1)
    ]
}
# Bybit /v5/market/risk-limit: caps alone, numbers as text, no deduction in the first. 200,000 x .0025 = 500; + 300,000 x .005 = 2,000
BYBIT = {
    "retCode": 0,
    "retMsg": "OK",
    "result": {
        "category": "linear",
        "list": [
            {
                "id": 1, "symbol": "ADAUSDT", "riskLimitValue": "200000", "maintenanceMargin": "0.0075", "initialMargin": "0.0133",
                "isLowestRisk": 1, "maxLeverage": "75.00", "mmDeduction": "",
            },
            {
                "id": 3, "symbol": "ADAUSDT", "riskLimitValue": "500000", "maintenanceMargin": "0.015", "initialMargin": "0.03",
                "isLowestRisk": 0, "maxLeverage": "33.33", "mmDeduction": "2000",
            },
            {
                "id": 2, "symbol": "ADAUSDT", "riskLimitValue": "300000", "maintenanceMargin": "0.01", "initialMargin": "0.02",
                "isLowestRisk": 0, "maxLeverage": "50.00", "mmDeduction": "500",
            },
        ],
        "nextPageCursor": "",
    },
    "retExtInfo": {},
    "time": 1785888000000,  # 2026-08-05
}  # fmt: skip
# the same venue's older answer: percent, and an inverse contract, whose limits are in BTC
BYBIT_INVERSE = {
    "retCode": 0,
    "result": {
        "category": "inverse",
        "list": [
            {
                "id": 1,
                "symbol": "BTCUSD",
                "riskLimitValue": "150",
                "maintenanceMargin": "0.5",
                "initialMargin": "1",
                "maxLeverage": "100.00",
            },
            {
                "id": 2,
                "symbol": "BTCUSD",
                "riskLimitValue": "300",
                "maintenanceMargin": "1",
                "initialMargin": "1.5",
                "maxLeverage": "66.67",
            },
        ],
    },
    "time": 1672054488010,
}


def okx_rows(family="BTC-USDT"):
    common = {"baseMaxLoan": "", "instFamily": family, "instId": "", "optMgnFactor": "0", "quoteMaxLoan": "", "uly": family}
    return [
        {**common, "tier": "1", "minSz": "0", "maxSz": "1000", "mmr": "0.004", "imr": "0.01", "maxLever": "100"},
        {**common, "tier": "2", "minSz": "1001", "maxSz": "2500", "mmr": "0.005", "imr": "0.0133", "maxLever": "75"},
        {**common, "tier": "3", "minSz": "2500", "maxSz": "5000", "mmr": "0.01", "imr": "0.02", "maxLever": "50"},
    ]


OKX = {"code": "0", "msg": "", "data": okx_rows()}
# Hyperliquid's meta: tables of one bracket are not listed, their number is the leverage
META = {
    "universe": [
        {"szDecimals": 5, "name": "BTC", "maxLeverage": 40, "marginTableId": 56},
        {"szDecimals": 0, "name": "kPEPE", "maxLeverage": 10, "marginTableId": 52, "onlyIsolated": True},
        {"szDecimals": 1, "name": "XYZ", "maxLeverage": 3, "marginTableId": 3},
    ],
    "marginTables": [
        [
            52,
            {
                "description": "tiered 10x (2)",
                "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 10}, {"lowerBound": "20000000.0", "maxLeverage": 5}],
            },
        ],
        [
            56,
            {
                "description": "tiered 40x",
                "marginTiers": [{"lowerBound": "0.0", "maxLeverage": 40}, {"lowerBound": "150000000.0", "maxLeverage": 20}],
            },
        ],
    ],
    "collateralToken": 0,
}


def ccxt_rows(brackets, symbol, floor, cap):
    """What ccxt makes of Binance's rows."""
    return [
        {
            "tier": row["bracket"],
            "symbol": symbol,
            "currency": "USD",
            "minNotional": row.get(floor),
            "maxNotional": row.get(cap),
            "maintenanceMarginRate": row["maintMarginRatio"],
            "maxLeverage": row["initialLeverage"],
            "info": row,
        }
        for row in brackets
    ]

from datetime import UTC, datetime, timedelta

import pytest

from liqbt.data.download import ARCHIVE_TABLES, plan
from liqbt.errors import ConfigError


def paths(files):
    return [file.path for file in files]


def test_whole_months_are_one_file_and_the_ends_are_days():
    files = plan("BTCUSDT", tables=["klines"], start="2024-01-30", end="2024-04-02", interval="1m")
    assert paths(files) == [
        "data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-01-30.zip",
        "data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-01-31.zip",
        "data/futures/um/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-02.zip",
        "data/futures/um/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-2024-03.zip",
        "data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-04-01.zip",
    ]
    assert [file.days for file in files] == [1, 1, 29, 31, 1]  # 2024 is a leap year
    february = files[2].instead
    assert len(february) == 29
    assert february[-1].path == "data/futures/um/daily/klines/BTCUSDT/1m/BTCUSDT-1m-2024-02-29.zip"
    assert not files[0].instead


def test_a_year_is_twelve_files_and_its_last_month_ends_with_it():
    files = plan("BTCUSDT", tables=["trades"], start="2023-01-01", end="2024-01-01")
    assert [file.period for file in files] == [f"2023-{month:02}" for month in range(1, 13)]
    assert sum(file.days for file in files) == 365


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ("markPriceKlines", "um/monthly/markPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-02.zip"),
        ("indexPriceKlines", "um/monthly/indexPriceKlines/BTCUSDT/5m/BTCUSDT-5m-2024-02.zip"),
        ("premiumIndexKlines", "um/monthly/premiumIndexKlines/BTCUSDT/5m/BTCUSDT-5m-2024-02.zip"),
        ("aggTrades", "um/monthly/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2024-02.zip"),
        ("trades", "um/monthly/trades/BTCUSDT/BTCUSDT-trades-2024-02.zip"),
        ("fundingRate", "um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2024-02.zip"),
    ],
)
def test_monthly_paths_are_the_archives(table, path):
    interval = "5m" if ARCHIVE_TABLES[table].klines else None
    assert paths(plan("BTCUSDT", tables=[table], start="2024-02-01", end="2024-03-01", interval=interval)) == [f"data/futures/{path}"]


@pytest.mark.parametrize("table", ["metrics", "bookDepth"])
def test_tables_without_months_are_days_even_of_a_whole_month(table):
    files = plan("BTCUSDT", tables=[table], start="2024-02-01", end="2024-03-01")
    assert len(files) == 29
    assert files[0].path == f"data/futures/um/daily/{table}/BTCUSDT/BTCUSDT-{table}-2024-02-01.zip"


def test_a_table_without_days_has_every_month_that_the_span_touches():
    files = plan("BTCUSDT", tables=["fundingRate"], start="2024-01-31", end="2024-03-02")
    assert [file.period for file in files] == ["2024-01", "2024-02", "2024-03"]
    assert [file.days for file in files] == [1, 29, 1]
    assert all(not file.instead for file in files)


def test_coin_margined_contracts_are_told_by_their_name():
    files = plan("BTCUSD_PERP", tables=["liquidationSnapshot"], start="2023-06-25", end="2023-06-26")
    assert paths(files) == ["data/futures/cm/daily/liquidationSnapshot/BTCUSD_PERP/BTCUSD_PERP-liquidationSnapshot-2023-06-25.zip"]
    assert "/cm/" in plan("ETHUSD_240628", tables=["trades"], start="2024-01-01", end="2024-02-01")[0].path
    assert "/um/" in plan("BTCUSDT_240628", tables=["trades"], start="2024-01-01", end="2024-02-01")[0].path
    # margined in BUSD, and named as if in coin
    assert "/um/" in plan("BTCBUSD_210129", tables=["trades"], start="2021-01-01", end="2021-02-01", market="um")[0].path


def test_the_index_of_coin_margined_contracts_is_the_pairs():
    files = plan("BTCUSD_PERP", tables=["indexPriceKlines", "markPriceKlines"], start="2024-01-01", end="2024-02-01", interval="1m")
    assert paths(files) == [
        "data/futures/cm/monthly/indexPriceKlines/BTCUSD/1m/BTCUSD-1m-2024-01.zip",
        "data/futures/cm/monthly/markPriceKlines/BTCUSD_PERP/1m/BTCUSD_PERP-1m-2024-01.zip",
    ]
    assert "/BTCUSD/" in files[0].instead[0].path


def test_times_of_day_widen_the_span_to_whole_days():
    files = plan("BTCUSDT", tables=["metrics"], start="2024-01-30T12:00", end="2024-02-01T00:01")
    assert [file.period for file in files] == ["2024-01-30", "2024-01-31", "2024-02-01"]
    offset = plan("BTCUSDT", tables=["metrics"], start="2024-01-31T00:00+06:00", end="2024-01-31T06:00+06:00")
    assert [file.period for file in offset] == ["2024-01-30"]


def test_tables_come_in_the_order_given_and_once():
    files = plan("BTCUSDT", tables=["trades", "metrics", "trades"], start="2024-01-01", end="2024-01-03")
    assert [file.name for file in files] == [
        "trades/BTCUSDT-trades-2024-01-01.zip",
        "trades/BTCUSDT-trades-2024-01-02.zip",
        "metrics/BTCUSDT-metrics-2024-01-01.zip",
        "metrics/BTCUSDT-metrics-2024-01-02.zip",
    ]


def test_today_may_be_asked_for():
    today = datetime.now(UTC).date()
    files = plan("BTCUSDT", tables=["metrics"], start=f"{today}", end=f"{today + timedelta(days=1)}")
    assert len(files) == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"symbol": "../BTCUSDT"}, r"symbol: '\.\./BTCUSDT' is no name of the archive; write capitals"),
        ({"symbol": "btcusdt"}, "symbol: 'btcusdt' is no name"),
        ({"symbol": "BTC/USDT"}, "symbol: 'BTC/USDT' is no name"),
        ({"symbol": ""}, "symbol: '' is no name"),
        ({"symbol": "BTCUSDT\n"}, r"symbol: 'BTCUSDT\\n' is no name"),
        ({"tables": ["kline"]}, "tables: 'kline' is not a table of the archive; did you mean 'klines'"),
        ({"tables": "klines"}, r"tables: give a list of names, \['klines'\]"),
        ({"tables": []}, "tables: none were given; known: klines, markPriceKlines"),
        ({"tables": ["liquidationSnapshot"], "interval": None}, "tables: Binance removed 'liquidationSnapshot' from the um archive"),
        ({"interval": None}, "interval: table 'klines' needs one, such as 1m"),
        ({"interval": "7m"}, "interval: '7m' is not in the archive; known: 1m, 3m"),
        ({"interval": "1w"}, "interval: '1w' is not in the archive"),
        ({"tables": ["metrics", "trades"]}, "interval: metrics, trades have none; leave '1m' out"),
        ({"market": "spot"}, "market: 'spot' is not a market; write um"),
        ({"market": "cm"}, "market: BTCUSDT is no COIN-M contract"),
        ({"symbol": "BTCUSD_PERP", "market": "um"}, "market: BTCUSD_PERP is a COIN-M contract"),
        ({"start": "yesterday's"}, 'start: "yesterday\'s" is not a date'),
        ({"end": "2024-13-01"}, "end: '2024-13-01' is not a date"),
        ({"start": "2024-02-01", "end": "2024-02-01"}, "start: 2024-02-01 is not before end 2024-02-01"),
        ({"start": "2004-01-01"}, "start: 2004-01-01 is before 2019-09-01, when Binance futures began"),
        ({"end": "2200-01-01"}, "end: 2200-01-01 is in the future"),
    ],
)
def test_bad_parameters_say_what_would_do(changed, message):
    parameters = {"symbol": "BTCUSDT", "tables": ["klines"], "start": "2024-01-01", "end": "2024-02-01", "interval": "1m"}
    with pytest.raises(ConfigError, match=f"^{message}") as caught:
        plan(**(parameters | changed))
    assert "\n" not in str(caught.value)

"""load_market(): bars from what there is, volume profile and depth, a day at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from test_loading import put

from liqbt.data.aggregate import bars_from_trades, resample_bars
from liqbt.data.quality import Finding
from liqbt.data.store import Store
from liqbt.data.validation import CLOCK
from liqbt.errors import DataError, StoreError
from liqbt.loading import load_market
from liqbt.market import MarketFrame

START = datetime(2024, 1, 30, tzinfo=UTC)
DAYS = 4
NAMES = ("timestamp", "open", "high", "low", "close", "volume", "observed", "taker_buy_volume")


def minutes(count=DAYS * 1440, step=1):
    return pl.Series("timestamp", [START + timedelta(minutes=step * i) for i in range(count)]).cast(CLOCK)


def prices(stamps):
    at = (stamps.to_physical() // 60_000_000_000 % 1000).to_numpy()
    close = 100 + np.sin(at / 50)
    return {"open": close, "high": close + 1, "low": close - 1, "close": close + 0.25}


def trades():
    """Every 37 seconds, across the days' ends."""
    count = DAYS * 86_400 // 37
    stamps = pl.Series("timestamp", [START + timedelta(seconds=37 * i) for i in range(count)]).cast(CLOCK)
    rng = np.random.default_rng(0)
    columns = {"price": 100 + rng.normal(0, 1, count).cumsum() / 50, "amount": rng.integers(1, 9, count) / 10}
    return pl.DataFrame([stamps, stamps.dt.offset_by("120ms").alias("available_at")]).with_columns(
        **{name: pl.Series(values) for name, values in columns.items()}, side=pl.Series(np.where(rng.random(count) < 0.5, "buy", "sell"))
    )


def depth():
    """A book every 50 seconds."""
    count = DAYS * 86_400 // 50
    stamps = pl.Series("timestamp", [START + timedelta(seconds=50 * i) for i in range(count)]).cast(CLOCK)
    one = pl.DataFrame([stamps]).with_columns(value=pl.int_range(pl.len()).cast(pl.Float64) + 1)
    sides = pl.DataFrame({"side": ["bid", "ask", "bid", "ask"], "distance": [0.01, 0.01, 0.02, 0.02], "times": [1.0, 3.0, 2.0, 6.0]})
    return one.join(sides, how="cross").select(
        "timestamp", "side", "distance", amount=pl.col("value") * pl.col("times") / 100, notional=pl.col("value") * pl.col("times")
    )


def bars(step=1):
    stamps = minutes(DAYS * 1440 // step, step)
    return pl.DataFrame([stamps]).with_columns(**{name: pl.Series(values) for name, values in prices(stamps).items()}, volume=pl.lit(0.1))


@pytest.fixture(scope="module")
def only_trades(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("trades"))
    put(store, "trades", trades())
    put(store, "depth", depth())
    return store


@pytest.fixture(scope="module")
def with_minutes(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("minutes"))
    put(store, "trades", trades())
    put(store, "bars", bars(), "1m")
    put(store, "bars", bars(2), "2m")
    put(store, "mark", bars().drop("volume"), "1m")
    stamps = minutes()
    put(
        store,
        "liquidation_totals",
        pl.DataFrame([stamps]).with_columns(long=pl.lit(1.0), short=pl.lit(2.0)).filter(stamps != stamps[7]),
        "1m",
    )
    return store


def load(store, interval, **more):
    return load_market(store, venue="binance", symbol="BTCUSDT", interval=interval, **more)


def codes(market):
    return [one.code for one in market.findings]


def made_codes(market):
    """How tables were made; the minutes here are no plausible market, which the quality checks tell too."""
    return [code for code in codes(market) if code.endswith(("_resampled", "_from_trades"))]


@pytest.mark.parametrize("interval", ["1m", "1h", "1d"])
def test_bars_are_made_from_trades_alone(only_trades, interval):
    market = load(only_trades, interval)
    whole = MarketFrame.from_frames(trades=trades(), depth=depth(), venue="binance", symbol="BTCUSDT", interval=interval)
    for name in (*NAMES, "depth_distance", "depth_bid", "depth_ask"):
        np.testing.assert_array_equal(getattr(market, name), getattr(whole, name), err_msg=name)
    for name in ("offsets", "bin", "buy", "sell"):
        np.testing.assert_array_equal(getattr(market.volume_profile, name), getattr(whole.volume_profile, name), err_msg=name)
    assert codes(market) == codes(whole)
    assert codes(market)[0] == "bars_from_trades"
    given = {one.table: one for one in market.inputs}
    assert sorted(given) == ["depth", "trades"]
    assert given["trades"].rows == trades().height
    assert given["depth"].rows == depth().height


@pytest.mark.parametrize(
    ("first", "last"), [("2024-01-31", "2024-02-01"), ("2024-01-30T22:30", "2024-02-01T03:00"), ("2024-01-30T22:31", None)]
)
def test_a_slice_equals_the_whole(only_trades, first, last):
    whole, part = load(only_trades, "30m"), load(only_trades, "30m", start=first, end=last)
    inside = (whole.index >= first) & (whole.index < (last or "2025"))
    assert 0 < part.n_bars == inside.sum()
    for name in (*NAMES, "depth_bid", "depth_ask"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[inside], err_msg=name)
    np.testing.assert_array_equal(part.volume_profile.totals, whole.volume_profile.totals[inside])


def test_longer_stored_bars_win_over_shorter_ones_and_trades(with_minutes):
    market = load(with_minutes, "4m")
    made = resample_bars(bars(2).with_columns(available_at=pl.col("timestamp").dt.offset_by("2m")), "4m", source_interval="2m").rows
    assert market.close.tolist() == made["close"].to_list()
    assert made_codes(market) == ["bars_resampled", "mark_resampled", "liquidation_totals_resampled"]
    found = market.findings[0]
    assert (found.severity, found.count) == ("note", DAYS * 360)
    assert "no recorded 4m bars in 1440 bars, the first at 2024-01-30 00:00:00; they are made from 2m bars, and 0 lack" in found.message
    assert market.volume_profile is None
    assert {one.table for one in market.inputs} == {"bars", "mark", "liquidation_totals"}


def test_recorded_bars_win_over_all(with_minutes):
    assert made_codes(load(with_minutes, "2m")) == ["mark_resampled", "liquidation_totals_resampled"]
    assert made_codes(load(with_minutes, "1m")) == []


def test_only_divisors_of_the_interval_are_used(with_minutes):
    market = load(with_minutes, "5m")
    assert "made from 1m bars" in market.findings[0].message
    assert market.n_bars == DAYS * 288


def test_marks_and_totals_of_shorter_bars(with_minutes):
    market = load(with_minutes, "10m")
    stamps = minutes()
    close = prices(stamps)["close"] + 0.25 - 0.25
    np.testing.assert_allclose(market.mark_close, close[9::10])
    np.testing.assert_allclose(market.mark_high, (prices(stamps)["close"].reshape(-1, 10) - 0.25 + 1).max(axis=1))
    assert np.isnan(market.liquidated[0]).all()  # a minute is missing
    assert market.liquidated[1].tolist() == [10, 20]


def test_the_volume_profile_on_demand(with_minutes):
    market = load(with_minutes, "5m", trades=True)
    built = MarketFrame.from_frames(trades=trades(), venue="binance", symbol="BTCUSDT", interval="5m")
    np.testing.assert_array_equal(market.volume_profile.totals, built.volume_profile.totals)
    assert market.close.tolist() != built.close.tolist()
    assert "bars_from_trades" not in codes(market)
    part = load(with_minutes, "5m", trades=True, start="2024-01-31", end="2024-02-01")
    np.testing.assert_array_equal(part.volume_profile.totals, built.volume_profile.totals[288:576])


def test_bars_from_trades_where_the_stored_ones_end(tmp_path):
    store = Store(tmp_path)
    put(store, "trades", trades())
    put(store, "bars", bars(5)[:10], "5m")
    market = load(store, "5m", start="2024-02-01")
    assert codes(market)[0] == "bars_from_trades"
    assert market.close.tolist() == bars_from_trades(trades(), "5m")["close"].to_list()[2 * 288 :]


def test_depth_can_be_left_out(only_trades):
    assert load(only_trades, "1h", depth=False).depth_bid is None


def test_depth_from_before_the_span_is_known_at_the_first_close(tmp_path):
    store = Store(tmp_path)
    put(store, "bars", bars(), "1m")
    put(store, "depth", depth().filter(pl.col("timestamp") < START + timedelta(days=1)))
    market = load(store, "1m", start="2024-01-31", end="2024-01-31T00:10")
    value = 86_400 // 50  # the last of the first day, at 23:59:10
    assert market.depth_bid[0].tolist() == [value, 2 * value]
    assert np.isnan(market.depth_bid[1:]).all()  # two minutes later it is too old


def test_findings_of_the_caller_come_first(only_trades):
    told = Finding(code="told", severity="warning", count=1, message="before")
    assert codes(load(only_trades, "1h", findings=(told,)))[:2] == ["told", "bars_from_trades"]


def test_trades_that_are_not_there(tmp_path):
    store = Store(tmp_path)
    put(store, "bars", bars(), "1m")
    with pytest.raises(StoreError, match=r"has no table 'trades' of binance BTCUSDT; known: bars"):
        load(store, "1m", trades=True)


def test_trades_that_may_not_be_used(only_trades):
    with pytest.raises(StoreError, match=r"has no bars of binance BTCUSDT, only trades; leave trades=False out"):
        load(only_trades, "1m", trades=False)


def test_bars_that_nothing_can_make(with_minutes):
    with pytest.raises(StoreError, match=r"has no 1s bars of binance BTCUSDT; stored intervals: 1m, 2m; use one of them, or import bars"):
        load(with_minutes, "1s", trades=False)
    assert load(with_minutes, "1s", start="2024-01-31", end="2024-01-31T00:10").n_bars > 500  # from trades


def test_nothing_in_the_span(with_minutes, only_trades):
    with pytest.raises(
        DataError,
        match=r"1m bars of binance BTCUSDT are stored from 2024-01-30 00:00:00 to 2024-02-02 23:59:00; trades of binance BTCUSDT are "
        r"stored from 2024-01-30 00:00:00 to 2024-02-02 23:59:\d\d, none from 2025-01-01 to the last",
    ):
        load(with_minutes, "5m", start="2025-01-01")
    with pytest.raises(DataError, match=r": trades of binance BTCUSDT are stored from .*, none from the first to 2023-01-01"):
        load(only_trades, "5m", end="2023-01-01")
    with pytest.raises(DataError, match=r"1m bars of binance BTCUSDT are stored from [^;]*, none from 2025"):
        load(with_minutes, "1m", start="2025-01-01", trades=False)

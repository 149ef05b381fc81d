"""load_market(): what is stored, joined on the bars, and slices that equal the whole."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from liqbt.data.readers import Recording
from liqbt.data.store import Store
from liqbt.data.validation import canonical
from liqbt.errors import ConfigError, DataError, StoreError
from liqbt.loading import load_market

START = datetime(2024, 1, 30, tzinfo=UTC)
HOURS = 96


def put(store, name, frame, interval=None):
    rows = canonical(frame, name, source=name, interval=interval)
    recording = Recording(
        table=name,
        interval=interval,
        rows=rows,
        venue=None,
        symbol=None,
        source=f"{name}{interval or ''}.csv",
        sha256=f"{name}{interval}",
        reader="test",
        kind="a test",
    )
    store.write(recording, "binance", "BTCUSDT")


def stamps(count, step=1.0, first=0.0):
    return [START + timedelta(hours=first + step * i) for i in range(count)]


def bars(count=HOURS, step=1.0):
    price = 100.0 + np.arange(count) % 7
    prices = {"open": price, "high": price + 1, "low": price - 1, "close": price + 0.5}
    return pl.DataFrame({"timestamp": stamps(count, step), **prices, "volume": [1.0] * count})


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("full") / "store")
    put(store, "bars", bars(), "1h")
    put(store, "bars", bars(4 * HOURS, 0.25), "15m")
    put(store, "mark", bars().with_columns(low=pl.col("low") - 5).drop("volume"), "1h")
    values = np.arange(HOURS + 1, dtype=float)
    at = stamps(HOURS + 1)
    # Every third snapshot is published five hours late.
    late = [one + timedelta(hours=5 if i % 3 == 0 else 0) for i, one in enumerate(at)]
    put(store, "open_interest", pl.DataFrame({"timestamp": at, "open_interest": values, "available_at": late}))
    put(store, "funding", pl.DataFrame({"timestamp": at[::8], "funding_rate": values[::8] / 1e4, "available_at": late[::8]}))
    put(store, "liquidations", pl.DataFrame({"timestamp": at, "side": "long", "amount": values, "available_at": late}))
    return store


def load(store, interval="1h", **span):
    return load_market(store, venue="binance", symbol="BTCUSDT", interval=interval, **span)


def test_everything_stored_is_joined(full):
    market = load(full)
    assert (market.venue, market.symbol, market.interval, market.n_bars) == ("binance", "BTCUSDT", "1h", HOURS)
    assert market.mark_low[0] == market.low[0] - 5
    assert market.liquidated[1].tolist() == [1, 0]
    assert market.funding_rate is not None
    assert [(one.table, one.source) for one in market.inputs] == [
        ("bars", "bars1h.csv"),
        ("open_interest", "open_interest.csv"),
        ("funding", "funding.csv"),
        ("mark", "mark1h.csv"),
        ("liquidations", "liquidations.csv"),
    ]
    assert all(one.sha256 and one.rows for one in market.inputs)


def test_mark_of_another_interval_is_not_used(full):
    market = load(full, "15m")
    assert market.mark_low is None
    assert market.open_interest is not None


@pytest.mark.parametrize("path", [str, lambda path: path])
def test_a_path_is_a_store(full, path):
    assert load(path(full.path)).n_bars == HOURS


@pytest.mark.parametrize(("first", "last"), [(0, 96), (3, 50), (47, 49), (49, 96), (95, 96)])
def test_a_slice_equals_the_whole(full, first, last):
    whole = load(full)
    start, end = (str(START.replace(tzinfo=None) + timedelta(hours=h)) for h in (first, last))
    part = load(full, start=start, end=end)
    assert part.n_bars == last - first
    for name in ("timestamp", "open", "high", "low", "close", "volume", "open_interest", "funding_rate", "mark_low", "liquidated"):
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[first:last], err_msg=name)


def test_open_interest_before_the_start_is_known_at_the_first_bar(tmp_path):
    store = Store(tmp_path)
    put(store, "bars", bars(), "1h")
    put(store, "open_interest", pl.DataFrame({"timestamp": stamps(2), "open_interest": [7.0, 8.0]}))
    assert load(store, start="2024-01-31").open_interest[0] == 8.0
    assert load(store, start="2024-02-02").open_interest is None  # older than is looked for


def test_bars_alone(tmp_path):
    store = Store(tmp_path)
    put(store, "bars", bars(), "1h")
    market = load(store)
    assert (market.open_interest, market.funding_rate, market.mark_close, market.liquidated) == (None, None, None, None)


def test_totals_win_over_events(full, tmp_path):
    store = Store(tmp_path)
    put(store, "bars", bars(), "1h")
    put(store, "liquidations", pl.DataFrame({"timestamp": stamps(2), "side": "long", "amount": [7.0, 8.0]}))
    put(store, "liquidation_totals", pl.DataFrame({"timestamp": stamps(2), "long": [1.0, 2.0], "short": [3.0, 4.0]}), "1h")
    market = load(store)
    assert market.liquidated[:2].tolist() == [[1, 3], [2, 4]]
    assert "liquidations" not in {one.table for one in market.inputs}
    assert (load(store, start="2024-01-31").liquidated == 0).all()  # totals end before it; the feed of events had begun


def test_missing_interval_lists_those_there_are(full):
    with pytest.raises(StoreError, match=r"has no 5m bars of binance BTCUSDT; stored intervals: 15m, 1h; use one of them"):
        load(full, "5m")


def test_missing_symbol_and_table(full, tmp_path):
    with pytest.raises(StoreError, match=r"has no symbol 'BTCUSD' of binance; did you mean 'BTCUSDT'\?"):
        load_market(full, venue="binance", symbol="BTCUSD", interval="1h")
    with pytest.raises(StoreError, match=r"holds no data; import some first"):
        load(tmp_path)
    put(Store(tmp_path), "funding", pl.DataFrame({"timestamp": stamps(2), "funding_rate": [0.0, 0.0]}))
    with pytest.raises(StoreError, match=r"has no table 'bars' of binance BTCUSDT; known: funding"):
        load(tmp_path)


def test_no_bars_in_the_span(full):
    with pytest.raises(
        DataError, match=r"1h bars of binance BTCUSDT are stored from 2024-01-30 00:00:00 to 2024-02-02 23:00:00, none from 2025"
    ):
        load(full, start="2025-01-01", end="2025-02-01")


@pytest.mark.parametrize(
    ("span", "message"),
    [
        ({"start": "soon"}, "start: 'soon' is not a date"),
        ({"end": "2024-13-01"}, "end: '2024-13-01' is not a date"),
        ({"start": "2024-02-01", "end": "2024-02-01"}, "start: 2024-02-01 is not before end 2024-02-01"),
    ],
)
def test_bad_spans(full, span, message):
    with pytest.raises(ConfigError, match=message):
        load(full, **span)
    with pytest.raises(ConfigError, match=r"is not an interval"):
        load(full, "1 h")


def test_the_market_module_does_not_load_polars():
    code = "import sys, liqbt.market; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0

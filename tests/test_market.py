"""MarketFrame: the grid, its gaps, and joins that never use a row before it was available."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqbt._align import last_known, sum_by_bar
from liqbt.data.provenance import Input
from liqbt.data.validation import canonical
from liqbt.errors import ConfigError, DataError
from liqbt.market import Input as MarketInput
from liqbt.market import MarketFrame

START = datetime(2024, 1, 1, tzinfo=UTC)
MINUTE = 60_000_000_000


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def ohlc(stamps, price=100.0, **columns) -> pl.DataFrame:
    prices = np.broadcast_to(np.asarray(price, float), (len(stamps),))
    frame = {"open": prices, "high": prices + 1, "low": prices - 1, "close": prices + 0.5}
    return pl.DataFrame({"timestamp": [at(m) for m in stamps], **frame, **columns})


def bars(stamps=range(0, 30, 5), price=100.0, **columns) -> pl.DataFrame:
    return ohlc(stamps, price, volume=[2.0] * len(stamps), **columns)


def frame(interval="5m", bar_rows=None, **tables) -> MarketFrame:
    rows = bars() if bar_rows is None else bar_rows
    return MarketFrame.from_frames(bars=rows, venue="binance", symbol="TEST", interval=interval, **tables)


def snapshots(*rows) -> pl.DataFrame:
    """Open interest as (minute, value) or (minute, value, minute known)."""
    return pl.DataFrame(
        {
            "timestamp": [at(row[0]) for row in rows],
            "open_interest": [float(row[1]) for row in rows],
            "available_at": [at(row[2] if len(row) > 2 else row[0]) for row in rows],
        }
    )


def events(*rows) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["minute", "side", "amount"], orient="row").select(
        pl.Series("timestamp", [at(row[0]) for row in rows]), "side", pl.col("amount").cast(pl.Float64)
    )


def test_bars_alone():
    market = frame()
    assert market.n_bars == 6
    assert market.interval_ns == 5 * MINUTE
    assert market.span == ("2024-01-01 00:00:00", "2024-01-01 00:30:00")
    assert market.observed.all()
    assert market.findings == ()
    for name in ("taker_buy_volume", "open_interest", "funding_rate", "mark_close", "liquidated"):
        assert getattr(market, name) is None
    assert market.trigger_low is market.low
    assert market.trigger_high is market.high
    assert market.trigger_close is market.close
    assert "bars only" in repr(market)


def test_arrays_are_read_only():
    market = frame(open_interest=snapshots((0, 1)), mark=ohlc(range(0, 30, 5)), liquidations=events((1, "long", 1)))
    for name in ("timestamp", "open", "close", "observed", "open_interest", "mark_low", "liquidated"):
        with pytest.raises(ValueError, match=r"read-only"):
            getattr(market, name)[0] = 0


def test_input_is_one_class():
    assert MarketInput is Input


def test_gaps_hold_the_price_without_volume():
    market = frame(bar_rows=bars([0, 5, 20, 25], price=[100, 110, 120, 130]))
    assert market.observed.tolist() == [True, True, False, False, True, True]
    assert market.close.tolist() == [100.5, 110.5, 110.5, 110.5, 120.5, 130.5]
    for held in (market.open, market.high, market.low):
        assert held[2:4].tolist() == [110.5, 110.5]
    assert market.volume.tolist() == [2, 2, 0, 0, 2, 2]
    (gap,) = market.findings
    assert (gap.code, gap.count) == ("gap", 2)
    assert np.diff(market.timestamp).tolist() == [5 * MINUTE] * 5


def test_bars_off_their_grid():
    with pytest.raises(DataError, match=r"bars: row 3 \(2024-01-01 00:12:00\) is not on the 5m grid that starts at 2024-01-01 00:00:00"):
        frame(bar_rows=bars([0, 5, 12]))


def test_grid_need_not_start_at_a_round_time():
    assert frame(bar_rows=bars([2, 7, 12])).n_bars == 3


def test_a_wrong_stamp_does_not_fill_the_memory():
    far = bars([0, 5]).with_columns(timestamp=pl.Series([START, START.replace(year=2200)]))
    with pytest.raises(DataError, match=r"would be .* bars of 1s; check for a wrong stamp"):
        frame("1s", far)


def test_bad_interval():
    with pytest.raises(ConfigError, match=r"is not an interval"):
        frame("5 minutes")


def test_open_interest_is_as_of_the_close():
    market = frame(open_interest=snapshots((5, 50), (12, 60), (20, 70)))
    # Closes at 5, 10, 15, 20, 25, 30: a snapshot at a close is known at it.
    assert market.open_interest.tolist() == [50, 50, 60, 70, 70, 70]


def test_open_interest_before_the_first_snapshot_is_unknown():
    market = frame(open_interest=snapshots((6, 50)))
    assert np.isnan(market.open_interest[0])
    assert market.open_interest[1:].tolist() == [50] * 5
    assert [finding.code for finding in market.findings] == ["open_interest_starts_late", "open_interest_stale"]


def test_open_interest_from_before_the_bars_counts():
    assert frame(open_interest=snapshots((-60, 40), (12, 50))).open_interest.tolist() == [40, 40, 50, 50, 50, 50]


def test_open_interest_is_not_known_before_it_was_published():
    market = frame(open_interest=snapshots((0, 40), (5, 50, 11)))
    assert market.open_interest.tolist() == [40, 40, 50, 50, 50, 50]


def test_a_late_correction_does_not_replace_a_newer_row():
    market = frame(open_interest=snapshots((0, 40), (4, 41, 17), (8, 50), (14, 60)))
    assert market.open_interest.tolist() == [40, 50, 60, 60, 60, 60]


def test_funding_is_summed_where_it_is_stamped():
    funding = pl.DataFrame(
        {"timestamp": [at(-1), at(0), at(4), at(5), at(29), at(30)], "funding_rate": [0.5, 1e-4, 2e-4, -3e-4, 4e-4, 0.5]}
    )
    market = frame(funding=funding)
    assert market.funding_rate == pytest.approx([3e-4, -3e-4, 0, 0, 0, 4e-4])


def test_mark_where_recorded_else_trades():
    market = frame(mark=ohlc([5, 10], price=[200, 300]))
    assert market.mark_close.tolist() == [100.5, 200.5, 300.5, 100.5, 100.5, 100.5]
    assert market.mark_low.tolist() == [99, 199, 299, 99, 99, 99]
    assert market.trigger_high.tolist() == [101, 201, 301, 101, 101, 101]


def test_liquidation_events_are_summed_by_bar_and_side():
    market = frame(liquidations=events((0, "long", 1), (4, "long", 2), (4, "short", 8), (5, "long", 16), (40, "long", 99)))
    assert market.liquidated.tolist() == [[3, 8], [16, 0], [0, 0], [0, 0], [0, 0], [0, 0]]


def test_totals_win_over_events():
    totals = pl.DataFrame({"timestamp": [at(0), at(10)], "long": [1.0, 3.0], "short": [2.0, 4.0]})
    market = frame(liquidations=events((5, "long", 16)), liquidation_totals=totals)
    assert market.liquidated[[0, 2]].tolist() == [[1, 2], [3, 4]]
    assert np.isnan(market.liquidated[[1, 3, 4, 5]]).all()


def test_taker_volume_is_used_where_every_bar_has_it():
    assert frame(bar_rows=bars([0, 10], taker_buy_volume=[1.0, 0.5])).taker_buy_volume.tolist() == [1, 0, 0.5]
    assert frame(bar_rows=bars([0, 10], taker_buy_volume=[1.0, None])).taker_buy_volume is None


@pytest.mark.parametrize("name", ["bars", "mark", "liquidation_totals"])
def test_rows_of_an_interval_that_came_late_are_refused(name):
    tables = {"bars": bars(), "mark": ohlc([0]), "liquidation_totals": pl.DataFrame({"timestamp": [START], "long": [1.0], "short": [1.0]})}
    late = tables[name].with_columns(available_at=pl.col("timestamp") + timedelta(minutes=6))
    with pytest.raises(
        DataError, match=rf"{name}: row 1 \(2024-01-01 00:00:00\) became known at 2024-01-01 00:06:00, after its interval ended"
    ):
        frame(**{"bar_rows" if name == "bars" else name: late})


def test_pandas_tables_give_the_same_market():
    oi, mark = snapshots((5, 50), (12, 60)), ohlc([5, 10])
    one = frame(open_interest=oi, mark=mark)
    two = frame(bar_rows=bars().to_pandas(), open_interest=oi.to_pandas().set_index("timestamp"), mark=mark.to_pandas())
    assert one.to_frame().equals(two.to_frame())


def test_to_frame():
    columns = frame(open_interest=snapshots((0, 1)), bar_rows=bars([0, 10])).to_frame()
    assert columns.columns.tolist() == ["open", "high", "low", "close", "volume", "observed", "open_interest"]
    assert str(columns.index.dtype) == "datetime64[ns, UTC]"
    assert columns["volume"].tolist() == [2, 0, 2]


minutes = st.integers(-20, 60)
rows_of_three = st.lists(
    st.tuples(minutes, st.integers(1, 1000), st.integers(0, 40)), min_size=1, max_size=12, unique_by=lambda row: row[0]
).map(sorted)


@settings(max_examples=150, deadline=None)
@given(rows=rows_of_three, cut=st.integers(0, 5), data=st.data())
def test_rows_known_after_a_close_never_change_its_bar(rows, cut, data):
    """Whatever becomes known after a bar's close, its open interest, funding and liquidations stay, bit for bit."""
    close = 5 * (cut + 1)
    table = [(minute, value, minute + delay) for minute, value, delay in rows]
    other = [row if row[2] <= close else (row[0], data.draw(st.integers(1, 1000)), row[2]) for row in table]
    removed = [row for row in other if row[2] <= close or data.draw(st.booleans())]
    expected = joined(table)
    for changed in (other, removed):
        if changed:
            for name, values in joined(changed).items():
                np.testing.assert_array_equal(values[: cut + 1], expected[name][: cut + 1], err_msg=name)
        else:
            assert np.isnan(expected["open_interest"][: cut + 1]).all()


def joined(table) -> dict[str, np.ndarray]:
    oi = snapshots(*table)
    amount = oi["open_interest"]
    market = frame(
        open_interest=oi,
        funding=oi.select("timestamp", "available_at", funding_rate=amount / 1e4),
        liquidations=oi.select("timestamp", "available_at", side=pl.lit("long"), amount=amount),
    )
    return {name: getattr(market, name) for name in ("open_interest", "funding_rate", "liquidated")}


@settings(max_examples=150, deadline=None)
@given(rows=rows_of_three)
def test_joins_equal_slow_obvious_ones(rows):
    table = [(minute, value, minute + delay) for minute, value, delay in rows]
    oi = canonical(snapshots(*table), "open_interest", source="x")
    end = np.array([int(at(m).timestamp()) * 1_000_000_000 for m in range(5, 35, 5)])
    values, age = last_known(oi, "open_interest", end)
    sums = sum_by_bar(oi, oi["open_interest"].to_numpy(), end - 5 * MINUTE, 5 * MINUTE)
    for k, close in enumerate(range(5, 35, 5)):
        known = [row for row in table if row[2] <= close]
        if known:
            latest = max(known)
            assert (values[k], age[k]) == (latest[1], (close - latest[2]) * MINUTE)
        else:
            assert np.isnan(values[k])
        inside = [row for row in table if max(5 * (row[0] // 5), 5 * -(-row[2] // 5) - 5) == close - 5]
        assert sums[k] == sum(row[1] for row in inside)

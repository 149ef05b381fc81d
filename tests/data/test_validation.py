"""canonical(): what it passes unchanged, and every way in which it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from liqbt.data.validation import CLOCK, canonical
from liqbt.errors import ConfigError, DataError

START = datetime(2024, 1, 1, tzinfo=UTC)


def bars(n: int = 4, **columns: object) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "timestamp": [START + timedelta(hours=i) for i in range(n)],
            "open": [100.0] * n,
            "high": [101.0] * n,
            "low": [99.0] * n,
            "close": [100.5] * n,
            "volume": [10.0] * n,
        }
    )
    return frame.with_columns(pl.Series(name, values, strict=False) for name, values in columns.items())


def check(frame: pl.DataFrame | pd.DataFrame, name: str = "bars") -> pl.DataFrame:
    return canonical(frame, name, source="test.csv", interval="1h")


def events(**columns: object) -> pl.DataFrame:
    frame = pl.DataFrame({"timestamp": [START, START], "side": ["long", "short"], "amount": [1.0, 2.0]})
    return frame.with_columns(pl.Series(name, values, strict=False) for name, values in columns.items())


def test_bars_get_both_clocks_and_canonical_order():
    rows = check(bars().select(*reversed(bars().columns), extra=pl.lit(1)))
    assert rows.columns == ["timestamp", "available_at", "open", "high", "low", "close", "volume"]
    assert rows.schema["timestamp"] == rows.schema["available_at"] == CLOCK
    assert (rows["available_at"] - rows["timestamp"]).unique().to_list() == [timedelta(hours=1)]


def test_an_instant_is_known_at_once():
    rows = check(pl.DataFrame({"timestamp": [START], "funding_rate": [0.0001]}), "funding")
    assert rows["available_at"].to_list() == rows["timestamp"].to_list()


def test_canonical_is_idempotent():
    once = check(bars())
    assert check(once).equals(once)


def test_naive_times_are_utc():
    naive = bars().with_columns(pl.col("timestamp").dt.replace_time_zone(None))
    assert check(naive).equals(check(bars()))


def test_aware_times_are_converted():
    elsewhere = bars().with_columns(pl.col("timestamp").dt.convert_time_zone("Asia/Kolkata"))
    assert check(elsewhere).equals(check(bars()))


def test_dates_are_midnights():
    rows = check(pl.DataFrame({"timestamp": [START.date()], "funding_rate": [0.0]}), "funding")
    assert rows["timestamp"][0] == START


@pytest.mark.parametrize("unit", ["ns", "us", "ms", "s"])
def test_pandas_column_and_index(unit):
    frame = bars().to_pandas()
    frame["timestamp"] = frame["timestamp"].dt.as_unit(unit)
    assert check(frame).equals(check(bars()))
    assert check(frame.set_index("timestamp")).equals(check(bars()))


@pytest.mark.parametrize("column", ["timestamp", "open", "high", "low", "close", "volume"])
def test_missing_column(column):
    with pytest.raises(DataError, match=rf"test.csv: table 'bars' needs column '{column}'"):
        check(bars().drop(column))


def test_missing_column_did_you_mean():
    with pytest.raises(DataError, match=r"needs column 'volume', which is not there; did you mean 'Volume'\?"):
        check(bars().rename({"volume": "Volume"}))


def test_unknown_table_did_you_mean():
    with pytest.raises(ConfigError, match=r"'bar' is not a canonical table; did you mean 'bars'\?"):
        check(bars(), "bar")


def test_no_rows():
    with pytest.raises(DataError, match=r"has no rows"):
        check(bars().clear())


def test_no_frame():
    with pytest.raises(DataError, match=r"expected a pandas or polars DataFrame, got list"):
        check([1, 2])
    with pytest.raises(DataError, match=r"got Series"):
        check(pd.Series([1.0]))


def test_interval_is_needed_by_bars_and_not_by_instants():
    with pytest.raises(ConfigError, match=r"needs its interval"):
        canonical(bars(), "bars", source="x")
    canonical(events(), "liquidations", source="x")


def test_unsorted():
    with pytest.raises(DataError, match=r"row 2 \(2024-01-01 02:00:00\) is earlier than the row above it|row 3"):
        check(bars()[[0, 2, 1, 3]])


def test_duplicates_are_refused_in_bars_and_kept_in_events():
    with pytest.raises(DataError, match=r"row 2 \(2024-01-01 00:00:00\) has the same timestamp as the row above it \(1 such rows\)"):
        check(bars()[[0, 0, 1]])
    assert check(events(), "liquidations").height == 2


@pytest.mark.parametrize("value", [-1.0, 0.0, float("inf")])
def test_price_out_of_range(value):
    with pytest.raises(DataError, match=r"test.csv: row 3 \(2024-01-01 02:00:00\): low is .*a price must be finite and above 0"):
        check(bars(low=[99.0, 99.0, value, 99.0]))


def test_amount_out_of_range():
    with pytest.raises(DataError, match=r"row 1 .*: volume is -0.1; an amount"):
        check(bars(volume=[-0.1, 1.0, 1.0, 1.0]))
    assert check(bars(volume=[0, 1, 2, 3]))["volume"].dtype == pl.Float64


@pytest.mark.parametrize("rate", [1.0, -3.0, float("inf")])
def test_rate_in_percent_or_worse(rate):
    with pytest.raises(DataError, match=r"a rate is a fraction"):
        check(pl.DataFrame({"timestamp": [START], "funding_rate": [rate]}), "funding")


def test_fraction_out_of_range():
    frame = pl.DataFrame({"timestamp": [START], "side": ["bid"], "distance": [1.5], "amount": [1.0]})
    with pytest.raises(DataError, match=r"distance is 1.5; a fraction lies between 0 and 1"):
        check(frame, "depth")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("high", 98.0, "high 98.0 is below low 99.0"),
        ("high", 100.2, "high 100.2 is below close 100.5"),
        ("low", 100.2, "open 100.0 is below low 100.2"),
        ("close", 98.5, "close 98.5 is below low 99.0"),
    ],
)
def test_candle_contradicts_itself(column, value, message):
    values = bars()[column].to_list()
    values[1] = value
    with pytest.raises(DataError, match=rf"row 2 \(2024-01-01 01:00:00\): {message}"):
        check(bars(**{column: values}))


@pytest.mark.parametrize("empty", [None, float("nan")])
def test_run_of_empty_values(empty):
    with pytest.raises(DataError, match=r"row 2 .*: close is empty or NaN for 2 rows in a row"):
        check(bars(close=[100.5, empty, empty, 100.5]))
    with pytest.raises(DataError, match=r"row 4 .*: close is empty or NaN for 1 row in a row"):
        check(bars(close=[100.5, 100.5, 100.5, empty]))


def test_optional_values_may_be_empty():
    rows = check(bars(taker_buy_volume=[1.0, None, float("nan"), 2.0], trade_count=[1.0, None, float("nan"), 4.0]))
    assert rows["taker_buy_volume"].to_list() == [1.0, None, None, 2.0]
    assert rows["trade_count"].to_list() == [1, None, None, 4]
    assert rows.schema["trade_count"] == pl.Int64


def test_pandas_nan_counts():
    frame = bars().to_pandas().assign(trade_count=[1.0, np.nan, 3.0, 4.0])
    assert check(frame)["trade_count"].to_list() == [1, None, 3, 4]


@pytest.mark.parametrize("count", [1.5, -1])
def test_bad_counts(count):
    with pytest.raises(DataError, match=rf"row 2 .*: trade_count is {count}"):
        check(bars(trade_count=[1, count, 1, 1]))


def test_text_in_a_number_column():
    with pytest.raises(DataError, match=r"row 3 \(2024-01-01 02:00:00\): close is 'n/a', not a number"):
        check(bars(close=["100.5", "100.5", "n/a", "100.5"]))


def test_numbers_as_text_are_numbers():
    assert check(bars(close=["100.5"] * 4)).equals(check(bars()))


def test_pandas_mix_of_numbers_and_text():
    frame = bars().to_pandas()
    frame["close"] = pd.Series([100.5, "n/a", None, 100.5], dtype=object)
    with pytest.raises(DataError, match=r"row 2 .*: close is 'n/a', not a number"):
        check(frame)


def test_pandas_column_twice():
    frame = bars().to_pandas()
    with pytest.raises(DataError, match=r"column 'close' is there more than once"):
        check(pd.concat([frame, frame[["close"]]], axis=1))


@pytest.mark.parametrize("values", [[True] * 4, [START] * 4, [[1.0]] * 4])
def test_other_types_are_no_numbers(values):
    with pytest.raises(DataError, match=r"column 'volume' holds .*, not numbers"):
        check(bars().drop("volume").with_columns(pl.Series("volume", values)))


@pytest.mark.parametrize("side", [["long", "Buy"], ["long", None], [1, 2]])
def test_unknown_side(side):
    with pytest.raises(DataError, match=r"side is .*, expected one of long, short; convert it"):
        check(events().drop("side").with_columns(side=pl.Series(side)), "liquidations")


def test_categorical_side_and_numbers():
    frame = events().with_columns(pl.col("side").cast(pl.Categorical))
    assert check(frame, "liquidations")["side"].dtype == pl.Enum(["long", "short"])


def test_time_column_of_numbers_or_empty():
    with pytest.raises(DataError, match=r"column 'timestamp' holds Int64, not times"):
        check(bars(timestamp=[1, 2, 3, 4]))
    stamps = bars()["timestamp"].to_list()
    with pytest.raises(DataError, match=r"row 2: column 'timestamp' is empty"):
        check(bars(timestamp=[stamps[0], None, stamps[2], stamps[3]]))


def test_time_out_of_range():
    with pytest.raises(DataError, match=r"row 1: column 'timestamp' is 9999"):
        check(pl.DataFrame({"timestamp": [datetime(9999, 1, 1, tzinfo=UTC)], "funding_rate": [0.0]}), "funding")


def test_known_before_it_happened():
    early = bars().with_columns(available_at=pl.col("timestamp") - timedelta(seconds=1))
    with pytest.raises(DataError, match=r"row 1 \(2024-01-01 00:00:00\): available_at 2023-12-31 23:59:59 is before timestamp"):
        check(early)


def test_available_at_is_kept():
    late = bars().with_columns(available_at=pl.col("timestamp") + timedelta(hours=3))
    assert check(late)["available_at"][0] == START + timedelta(hours=3)

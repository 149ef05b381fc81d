"""Amounts, values and rates in another unit."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from quality_frames import DAY, HOUR, MINUTE, START, codes, make_bars, make_open_interest, set_at, table

from liqbt.data.quality.funding import find_funding_cadence, find_funding_units
from liqbt.data.quality.units import (
    find_excess_liquidations,
    find_open_interest_scale,
    find_open_interest_units,
    find_scale_changes,
    find_turnover,
    find_volume_units,
)

BARS = make_bars(10 * 288).with_columns(
    quote_volume=pl.col("volume") * (pl.col("low") + pl.col("high")) / 2, taker_buy_volume=pl.col("volume") * 0.5
)
HELD = make_open_interest(BARS, value=True)


def scaled(frame, column, factor, since=0):
    return frame.with_columns(
        pl.when(pl.int_range(pl.len()) >= since).then(pl.col(column) * factor).otherwise(pl.col(column)).alias(column)
    )


def test_units_of_a_good_recording():
    assert find_volume_units(BARS, table="bars 5m") == []
    assert find_open_interest_units(HELD, BARS) == []
    assert find_turnover(HELD, BARS) == []
    assert find_open_interest_scale(HELD) == []
    assert find_scale_changes(BARS, table="bars 5m") == []


def test_takers_cannot_buy_more_than_was_traded():
    (found,) = find_volume_units(scaled(BARS, "taker_buy_volume", 2.1), table="bars 5m")
    assert (found.code, found.severity, found.count) == ("taker_volume", "error", BARS.height)


@pytest.mark.parametrize(("factor", "shown"), [(1000.0, "0.001"), (0.001, "1e+03")])
def test_volume_in_contracts_against_quote_volume(factor, shown):
    (found,) = find_volume_units(scaled(BARS.drop("taker_buy_volume"), "volume", factor), table="bars 5m")
    assert (found.code, found.severity) == ("quote_volume", "error")
    assert found.count == BARS.height
    assert f"{shown} times the price" in found.message


def test_one_wrong_quote_volume():
    (found,) = find_volume_units(set_at(BARS, "quote_volume", [70], 1.0), table="bars 5m")
    assert (found.code, found.severity, found.count, found.first) == ("quote_volume", "warning", 1, START + 70 * 5 * MINUTE)
    empty = BARS.with_columns(quote_volume=pl.lit(None, dtype=pl.Float64), taker_buy_volume=pl.lit(None, dtype=pl.Float64))
    assert find_volume_units(empty, table="bars 5m") == []


@pytest.mark.parametrize(("column", "factor", "shown"), [("open_interest", 1000.0, "0.001"), ("open_interest_value", 1000.0, "1,000")])
def test_open_interest_in_contracts(column, factor, shown):
    (found,) = find_open_interest_units(scaled(HELD, column, factor), BARS)
    assert (found.code, found.severity) == ("open_interest_units", "error")
    assert f"is {shown} times the price" in found.message
    assert "contracts of 1000 coins" in found.message


def test_one_wrong_value_of_open_interest():
    (found,) = find_open_interest_units(set_at(HELD, "open_interest_value", [30], 1.0), BARS)
    assert (found.severity, found.count, found.first) == ("warning", 1, START + 31 * 5 * MINUTE)


def test_open_interest_outside_the_bars_is_not_compared_with_them():
    later = HELD.with_columns((pl.col("timestamp").to_physical() + 30 * DAY).cast(HELD.schema["timestamp"]))
    assert find_open_interest_units(scaled(later, "open_interest_value", 3.0), BARS) == []


@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_turnover_that_no_market_shows(factor):
    usual = float(np.median(BARS["volume"].sum() / 10) / HELD["open_interest"].median())
    assert 0.5 < usual < 5
    (found,) = find_turnover(scaled(HELD, "open_interest", factor), BARS)
    assert (found.code, found.severity) == ("turnover", "warning")
    assert f"{usual / factor:.1g}"[0] in found.message


def test_open_interest_that_changes_its_unit():
    (found,) = find_open_interest_scale(scaled(HELD, "open_interest", 0.001, since=500))
    assert (found.code, found.severity, found.count, found.first) == ("open_interest_scale", "error", 1, START + 501 * 5 * MINUTE)
    assert "0.001" in found.message
    assert find_open_interest_scale(set_at(HELD, "open_interest", [500], 1.0)) == []  # back at once: a spike


def test_volume_that_changes_its_unit():
    (found,) = find_scale_changes(scaled(BARS, "volume", 1000.0, since=5 * 288), table="bars 5m")
    assert (found.code, found.severity, found.first) == ("volume_scale", "warning", START + 5 * DAY)
    assert find_scale_changes(scaled(BARS, "volume", 20.0, since=5 * 288), table="bars 5m") == []
    wild = set_at(BARS, "volume", np.arange(5 * 288, 6 * 288), 300 * BARS["volume"].to_numpy()[5 * 288 : 6 * 288])
    assert find_scale_changes(wild, table="bars 5m") == []  # a day of it


def test_more_liquidated_than_traded():
    stamps, volume = START + HOUR * np.arange(300), np.full(300, 100.0)
    calm = np.full(300, 3.0)
    assert find_excess_liquidations(stamps, calm, volume, table="x") == []
    calm[7] = 101.0
    (one,) = find_excess_liquidations(stamps, calm, volume, table="x")
    assert (one.code, one.severity, one.count, one.first) == ("liquidations_exceed_volume", "warning", 1, stamps[7])
    (all_of_them,) = find_excess_liquidations(stamps, calm * 1000, volume, table="x")
    assert (all_of_them.severity, all_of_them.count) == ("error", 300)


def payments(count=100, hours=8, rate=1e-4, jitter=0):
    rng = np.random.default_rng(1)
    rates = rate * rng.choice([1.0, 1.0, 0.3, -0.5, 3.0], count)
    return table("funding", START + hours * HOUR * np.arange(count) + rng.integers(0, jitter + 1, count), funding_rate=rates)


def stamps_of(frame):
    return frame["timestamp"].to_physical().to_numpy()


@pytest.mark.parametrize(("hours", "rate"), [(8, 1e-4), (4, 5e-5), (1, 1.25e-5)])
def test_funding_of_a_good_recording(hours, rate):
    rows = payments(hours=hours, rate=rate, jitter=16_000_000)
    assert find_funding_units(rows) == []
    assert find_funding_cadence(stamps_of(rows), (f"BTC_USDT_USDT-{hours}h-funding_rate.feather", "other.csv")) == []


def test_funding_as_a_percentage():
    (found,) = find_funding_units(payments(rate=1e-2))
    assert (found.code, found.severity, found.count) == ("funding_units", "error", 100)
    (hourly,) = find_funding_units(payments(hours=1, rate=8e-4))  # 0.0064 in eight hours
    assert hourly.severity == "error"


def test_a_rate_that_no_venue_charges():
    rows = set_at(payments(), "funding_rate", [5], 0.3)
    (found,) = find_funding_units(rows)
    assert (found.severity, found.count, found.first) == ("warning", 1, START + 40 * HOUR)
    assert find_funding_units(set_at(payments(), "funding_rate", [5], -0.02)) == []  # the cap, reached


def test_a_file_named_for_another_time_between_payments():
    (found,) = find_funding_cadence(stamps_of(payments()), ("ADA_USDT_USDT-1h-funding_rate.feather",))
    assert (found.code, found.severity) == ("funding_cadence", "note")
    assert "every 8 h although ADA_USDT_USDT-1h-funding_rate.feather is named 1h" in found.message


def test_payments_that_change_from_eight_hours_to_four():
    eight, four = stamps_of(payments()), stamps_of(payments(hours=4))
    (found,) = find_funding_cadence(np.concatenate([eight, eight[-1] + 4 * HOUR + four - START]))
    assert found.count in (99, 100)
    assert "changes (4, 8 h)" in found.message
    gap = np.delete(eight, 50)
    assert codes(find_funding_cadence(gap)) == []

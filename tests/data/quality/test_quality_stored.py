"""Checking a store: which tables are compared, what the report holds, and days of trades and depth."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from quality_frames import DAY, HOUR, MINUTE, START, codes, make_bars, make_events, make_open_interest, moved, put, set_at, table

from liqbt.data.aggregate import resample_bars
from liqbt.data.quality import check_store
from liqbt.data.quality.coverage import cover
from liqbt.data.quality.gaps import interval_gaps
from liqbt.errors import ConfigError, StoreError

DAYS = 20
BARS = make_bars(DAYS * 288, crash=False)
HOURLY = resample_bars(BARS, "1h", source_interval="5m").rows


def without(rows, first, last):
    at = rows["timestamp"].to_physical()
    return rows.filter((at < first) | (at >= last))


def one(report):
    (only,) = report.symbols
    return only


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    put(folder, "good", "AUSDT", "bars", BARS, "5m")
    put(folder, "good", "AUSDT", "bars", HOURLY, "1h")
    put(folder, "good", "AUSDT", "open_interest", make_open_interest(BARS))
    put(folder, "good", "AUSDT", "liquidations", make_events(BARS, rate=4.0))
    return folder


def test_a_good_store(store):
    some = one(check_store(store))
    assert (some.venue, some.symbol, some.findings) == ("good", "AUSDT", ())
    assert [part.table for part in some.coverage] == ["bars 5m", "bars 1h", "liquidations", "open_interest"]
    for part in some.coverage:
        assert (part.start, part.step_ns) == (START, DAY)
        np.testing.assert_allclose(part.share[: DAYS - 1], 1.0, atol=0.05)


def test_gaps_lower_the_coverage_of_their_days(store):
    put(store, "gaps", "AUSDT", "bars", without(BARS, START + 2 * DAY, START + 2 * DAY + 6 * HOUR), "5m")
    some = one(check_store(store, venue="gaps"))
    assert codes(some.findings) == ["gap"]
    assert some.findings[0].count == 72
    np.testing.assert_allclose(some.coverage[0].share, [1, 1, 0.75, *[1] * 17])


def test_cover_is_the_share_of_each_bucket():
    stamps = np.delete(START + 10 * HOUR + HOUR * np.arange(40), np.arange(20, 30))
    part = cover("bars 1h", stamps[0], stamps[-1] + HOUR, interval_gaps(stamps, HOUR), step_ns=DAY)
    # 14 of 24 hours; 16 of which 24 - 10 + ... : from 06:00 to 16:00 of the second day nothing; then 2 hours of the third.
    np.testing.assert_allclose(part.share, [14 / 24, 14 / 24, 2 / 24])
    whole = cover("bars 1h", START, START + 2 * DAY, interval_gaps(START + HOUR * np.arange(48), HOUR), step_ns=DAY)
    np.testing.assert_array_equal(whole.share, [1.0, 1.0])
    assert cover("x", START, START + 1, interval_gaps(np.array([START]), HOUR), step_ns=HOUR).share.shape == (1,)


def test_a_clock_is_found_against_another_venue(store):
    put(store, "raw", "AUSDT", "bars", moved(HOURLY, 6 * HOUR), "1h")
    put(store, "raw", "AUSDT", "open_interest", moved(make_open_interest(BARS), 6 * HOUR))
    assert codes(one(check_store(store, venue="raw")).findings) == []  # by itself all its tables agree
    (found,) = one(check_store(store, venue="raw", against="good")).findings
    assert (found.code, found.severity, found.table) == ("clock_shift", "error", "bars 1h")
    assert "the clock of raw runs 6 h ahead of that of good" in found.message
    assert one(check_store(store, venue="good", against="good")).findings == ()


def test_missing_volume_is_found_against_another_venue(store):
    put(store, "short", "AUSDT", "bars", set_at(HOURLY, "volume", [30, 31], 1.0), "1h")
    (found,) = one(check_store(store, venue="short", against="good")).findings
    assert (found.code, found.count, found.first) == ("volume_missing", 2, START + 30 * HOUR)


def test_each_interval_is_compared_with_the_one_that_shares_its_time(store):
    later = make_bars(200, start=START + 400 * DAY)
    put(store, "two", "AUSDT", "bars", later, "5m")
    put(store, "two", "AUSDT", "bars", set_at(HOURLY, "volume", [30], 1.0), "1h")
    assert codes(one(check_store(store, venue="two", against="good")).findings) == ["volume_missing"]
    found = one(check_store(store, venue="good", against="two")).findings
    assert sorted((finding.code, finding.table) for finding in found) == [("volume_missing", "bars 1h"), ("volume_missing", "bars 5m")]


def test_tables_without_bars_use_those_of_the_other_venue(store):
    put(store, "feed", "AUSDT", "liquidations", moved(make_events(BARS, rate=4.0), 6 * HOUR))
    assert codes(one(check_store(store, venue="feed")).findings) == []
    found = one(check_store(store, venue="feed", against="good")).findings
    assert codes(found) == ["clock_shift", "not_compared"]


def test_a_symbol_that_the_other_venue_lacks(store):
    put(store, "alone", "BUSDT", "bars", BARS, "5m")
    (found,) = one(check_store(store, venue="alone", against="good")).findings
    assert (found.code, found.severity) == ("not_compared", "note")


def test_intervals_of_one_venue_are_compared(store):
    put(store, "mixed", "AUSDT", "bars", BARS, "5m")
    put(store, "mixed", "AUSDT", "bars", set_at(HOURLY, "low", [100], 0.9 * HOURLY["low"][100]), "1h")
    found = one(check_store(store, venue="mixed")).findings
    assert codes(found) == ["bad_tick", "range_missing"]
    assert "the range of the 1h bars is missing from the 5m bars" in found[1].message
    put(store, "gaps", "AUSDT", "bars", without(BARS, START + 30 * HOUR + 20 * MINUTE, START + 33 * HOUR), "5m")
    put(store, "gaps", "AUSDT", "bars", HOURLY, "1h")
    assert codes(one(check_store(store, venue="gaps")).findings) == ["gap"]  # hours in part are not compared
    put(store, "shifted", "AUSDT", "bars", BARS, "5m")
    put(store, "shifted", "AUSDT", "bars", moved(HOURLY, HOUR), "1h")
    (shift,) = one(check_store(store, venue="shifted")).findings
    assert shift.code == "clock_shift"


def test_a_table_that_ends_before_the_bars(store):
    put(store, "ends", "AUSDT", "bars", BARS, "5m")
    put(store, "ends", "AUSDT", "open_interest", make_open_interest(BARS).head(15 * 288))
    events = make_events(BARS, rate=4.0)
    put(store, "ends", "AUSDT", "liquidations", events.filter(pl.col("timestamp").to_physical() > START + 5 * DAY))
    found = one(check_store(store, venue="ends")).findings
    assert [(finding.code, finding.table) for finding in found] == [("ends_early", "open_interest"), ("starts_late", "liquidations")]
    assert found[0].first == START + 15 * DAY + 1


def test_totals_are_compared_with_events(store):
    events = make_events(BARS, rate=4.0)
    hour = events.group_by(pl.col("timestamp").dt.truncate("1h"), maintain_order=True).agg(
        pl.col("amount").filter(pl.col("side") == side).sum().alias(side) for side in ("long", "short")
    )
    stamps = hour["timestamp"].to_physical().to_numpy()
    put(store, "both", "AUSDT", "liquidations", events)
    put(
        store,
        "both",
        "AUSDT",
        "liquidation_totals",
        table("liquidation_totals", stamps, "1h", long=hour["long"] * 2, short=hour["short"] * 2),
        "1h",
    )
    (found,) = one(check_store(store, venue="both")).findings
    assert (found.code, found.severity) == ("liquidations_differ", "note")
    assert "hold 50%" in found.message
    longer = table("liquidation_totals", stamps, "1h", long=hour["long"], short=hour["short"])
    put(store, "part", "AUSDT", "liquidations", events.filter(pl.col("timestamp").to_physical() > START + 10 * DAY + HOUR // 2))
    put(store, "part", "AUSDT", "liquidation_totals", longer, "1h")
    assert codes(one(check_store(store, venue="part")).findings) == []  # what was not recorded is no disagreement


def test_the_name_of_a_funding_file_is_looked_at(store):
    rows = table("funding", START + 8 * HOUR * np.arange(30), funding_rate=[1e-4] * 30)
    put(store, "paid", "AUSDT", "funding", rows, source="A_USDT_USDT-1h-funding_rate.feather")
    assert codes(one(check_store(store, venue="paid")).findings) == ["funding_cadence"]


def trades_of(bars, seed=1):
    """Ten trades a bar that make it: its open, high, low and close, and its volume."""
    rng = np.random.default_rng(seed)
    price = np.stack([bars[name].to_numpy() for name in ("open", "high", "low", "close", "close")], axis=1)
    at = bars["timestamp"].to_physical().to_numpy()[:, None] + np.sort(rng.integers(0, 5 * MINUTE, (bars.height, 5)), axis=1)
    amount = np.repeat(bars["volume"].to_numpy() / 5, 5)
    count = 5 * bars.height
    return table(
        "trades", at.ravel(), price=price.ravel(), amount=amount, side=np.where(np.arange(count) % 2, "buy", "sell"), id=np.arange(count)
    )


def test_trades_are_compared_with_bars_day_by_day(store):
    trades = trades_of(BARS[: 5 * 288])
    put(store, "ticks", "AUSDT", "bars", BARS, "5m")
    put(store, "ticks", "AUSDT", "trades", trades)
    assert one(check_store(store, venue="ticks")).findings == ()
    put(store, "later", "AUSDT", "bars", BARS, "5m")
    put(store, "later", "AUSDT", "trades", without(trades, START, START + 3 * HOUR + 4 * MINUTE))
    assert one(check_store(store, venue="later")).findings == ()  # the first bar is there in part
    put(store, "holes", "AUSDT", "bars", BARS, "5m")
    put(store, "holes", "AUSDT", "trades", without(trades, START + 30 * HOUR, START + 32 * HOUR))
    found = one(check_store(store, venue="holes")).findings
    assert sorted((finding.code, finding.severity, finding.table) for finding in found) == [("gap", "warning", "trades")] * 2
    assert {finding.count for finding in found} == {1}
    (silent,) = [finding for finding in found if "ids" not in finding.message]
    assert "one gap of 2.0" in silent.message
    put(store, "lost", "AUSDT", "bars", BARS, "5m")
    put(store, "lost", "AUSDT", "trades", without(trades, START + 30 * HOUR, START + 30 * HOUR + 5 * MINUTE))
    found = {finding.code: finding for finding in one(check_store(store, venue="lost")).findings}
    assert "gap" in found
    volume = found["volume_missing"]
    assert (volume.count, volume.first) == (1, START + 30 * HOUR)
    assert "of the 5m bars is missing from the trades" in volume.message


def test_trades_without_bars_take_their_place(store):
    trades = trades_of(BARS)
    put(store, "only", "AUSDT", "trades", trades)
    put(store, "only", "AUSDT", "open_interest", moved(make_open_interest(BARS), 9 * HOUR))
    assert codes(one(check_store(store, venue="only")).findings) == ["clock_shift"]


def book(hours, freeze=()):
    rng = np.random.default_rng(1)
    stamps = START + MINUTE * np.arange(60 * hours)
    amounts = rng.lognormal(3, 0.5, (stamps.size, 2, 3)).cumsum(axis=2)
    for first, last in freeze:
        amounts[first:last] = amounts[first]
    sides = np.tile(np.repeat(["bid", "ask"], 3), stamps.size)
    return table("depth", np.repeat(stamps, 6), side=sides, distance=np.tile([0.01, 0.02, 0.05], 2 * stamps.size), amount=amounts.ravel())


def test_depth_is_checked_day_by_day(store):
    put(store, "books", "AUSDT", "depth", book(30))
    some = one(check_store(store, venue="books"))
    assert some.findings == ()
    assert some.coverage[0].step_ns == HOUR  # a short span is shown by the hour
    rows = without(book(30, freeze=[(60, 90), (1500, 1540)]), START + 10 * HOUR, START + 12 * HOUR)
    put(store, "stuck", "AUSDT", "depth", rows)
    some = one(check_store(store, venue="stuck"))
    assert codes(some.findings) == ["frozen", "gap"]
    frozen, gap = some.findings
    assert (frozen.count, frozen.first, frozen.last) == (70, START + HOUR, START + 1539 * MINUTE)
    assert "1 more days have such rows" in frozen.message
    assert (gap.severity, gap.count) == ("warning", 120)
    np.testing.assert_allclose(some.coverage[0].share[9:13], [1, 0, 0, 1], atol=0.02)


def test_a_span(store):
    put(store, "gaps", "AUSDT", "bars", without(BARS, START + 2 * DAY, START + 2 * DAY + 6 * HOUR), "5m")
    assert codes(one(check_store(store, venue="gaps", end="2026-01-07")).findings) == []
    assert codes(one(check_store(store, venue="gaps", start="2026-01-06", end="2026-01-08")).findings) == ["gap"]
    assert len(one(check_store(store, venue="gaps", start="2026-01-20")).coverage[0].share) == 5 * 24
    put(store, "books", "AUSDT", "depth", book(30))
    (part,) = one(check_store(store, venue="books", start="2026-01-05T06:00", end="2026-01-05T08:00")).coverage
    np.testing.assert_allclose(part.share, [1, 59 / 60], atol=1e-6)


def test_progress_is_told(store):
    told = []
    check_store(store, progress=lambda share, what: told.append((round(share, 2), what)))
    assert told == [
        (0.0, "good AUSDT bars 5m"), (0.25, "good AUSDT bars 1h"), (0.5, "good AUSDT liquidations"), (0.75, "good AUSDT open_interest"),
        (1.0, "checked 4 tables"),
    ]  # fmt: skip


def test_what_is_not_stored(store, tmp_path):
    with pytest.raises(StoreError, match=r"holds nothing of bad .*stored: good AUSDT"):
        check_store(store, venue="bad")
    with pytest.raises(StoreError, match="holds nothing of any venue from 2030-01-01 to the last"):
        check_store(store, start="2030-01-01")
    with pytest.raises(StoreError, match="stored: nothing"):
        check_store(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"against: 'goood' is no venue .*did you mean 'good'"):
        check_store(store, against="goood")
    with pytest.raises(ConfigError, match="start: 2026-02-01 is not before end 2026-01-01"):
        check_store(store, start="2026-02-01", end="2026-01-01")


def test_the_report_as_frame_and_json(store):
    put(store, "bad", "AUSDT", "bars", without(set_at(BARS, "high", [5], 1.0), START + DAY, START + 2 * DAY), "5m")
    put(store, "bad", "AUSDT", "open_interest", set_at(make_open_interest(BARS), "open_interest", [0], 0.0).head(3))
    report = check_store(store)
    assert report.counts["error"] == 2
    frame = report.to_frame()
    assert list(frame.columns) == ["venue", "symbol", "table", "severity", "code", "count", "first", "last", "message"]
    assert frame["severity"].to_list()[:2] == ["error", "error"]  # the gravest first
    row = frame[frame["code"] == "inconsistent_prices"].iloc[0]
    assert (row["venue"], row["table"], row["count"]) == ("bad", "bars 5m", 1)
    assert row["first"] == pd.Timestamp("2026-01-05 00:25", tz="UTC")
    shown = json.loads(json.dumps(report.to_dict()))
    assert shown["counts"] == report.counts
    assert [some["venue"] for some in shown["symbols"]] == ["bad", "good"]
    assert {"code", "severity", "count", "message", "table", "first", "last"} == set(shown["symbols"][0]["findings"][0])
    assert shown["symbols"][0]["coverage"][0] == {
        "table": "bars 5m", "start": "2026-01-05T00:00:00.000Z", "step": "day", "share": [1.0, 0.0, *[1.0] * 18],
    }  # fmt: skip
    empty = check_store(store, venue="good").to_frame()
    assert empty.empty
    assert str(empty["first"].dtype) == "datetime64[ns, UTC]"

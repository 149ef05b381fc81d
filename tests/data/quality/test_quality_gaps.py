"""Gaps of bars, samples and events, and what is told of them."""

from __future__ import annotations

import numpy as np
from quality_frames import DAY, HOUR, MINUTE, START, make_bars, make_events

from liqbt.data.quality.finding import Finding, duration, merged, tell
from liqbt.data.quality.gaps import activity, cadence, interval_gaps, sample_gaps, silences, tell_gaps
from liqbt.data.quality.spans import find_span_differences

SECOND = 1_000_000_000


def regular(count, step, start=START):
    return start + step * np.arange(count)


def test_bars_without_a_gap():
    assert interval_gaps(regular(100, HOUR), HOUR).start.size == 0
    assert tell_gaps(interval_gaps(regular(100, HOUR), HOUR), table="bars 1h", what="bars", then="") == []


def test_missing_bars_are_counted_where_they_are():
    stamps = np.delete(regular(100, HOUR), [10, 11, 50])
    gaps = interval_gaps(stamps, HOUR)
    np.testing.assert_array_equal(gaps.start, START + HOUR * np.array([10, 50]))
    np.testing.assert_array_equal(gaps.end, START + HOUR * np.array([12, 51]))
    np.testing.assert_array_equal(gaps.rows, [2, 1])
    (found,) = tell_gaps(gaps, table="bars 1h", what="bars", then="price is held")
    assert (found.code, found.severity, found.count, found.table) == ("gap", "warning", 3, "bars 1h")
    assert (found.first, found.last) == (START + 10 * HOUR, START + 51 * HOUR)
    assert found.message == (
        "3 bars are missing in 2 gaps, the first from 2026-01-05 10:00:00, the longest of 2 h from 2026-01-05 10:00:00 to "
        "2026-01-05 12:00:00; price is held"
    )


def test_cadence_is_that_of_the_rows_around():
    stamps = np.concatenate([regular(50, HOUR), regular(100, 5 * MINUTE, START + 50 * HOUR)])
    usual = cadence(stamps)
    np.testing.assert_array_equal(usual[:50], HOUR)
    np.testing.assert_array_equal(usual[50:], 5 * MINUTE)


def test_samples_at_two_cadences_have_no_gap():
    fine_then_coarse = np.concatenate([regular(100, 5 * MINUTE), regular(50, HOUR, START + 500 * MINUTE)])
    coarse_then_fine = np.concatenate([regular(50, HOUR), regular(100, 5 * MINUTE, START + 50 * HOUR)])
    for stamps in (fine_then_coarse, coarse_then_fine):
        assert sample_gaps(stamps).start.size == 0


def test_samples_with_jitter_have_no_gap():
    rng = np.random.default_rng(1)
    assert sample_gaps(regular(500, 5 * MINUTE) + rng.integers(0, 90 * SECOND, 500)).start.size == 0
    # A book that is sampled every two seconds, with pauses that no bar of a minute can see.
    assert sample_gaps(START + np.cumsum(rng.choice([2 * SECOND, 50 * SECOND], 5000, p=[0.98, 0.02]))).start.size == 0


def test_missing_samples_by_the_cadence_around_them():
    stamps = np.delete(regular(200, 5 * MINUTE), [40, 100, 101, 102])
    gaps = sample_gaps(stamps)
    np.testing.assert_array_equal(gaps.start, START + 5 * MINUTE * np.array([40, 100]))
    np.testing.assert_array_equal(gaps.rows, [1, 3])
    (found,) = tell_gaps(gaps, table="open_interest", what="snapshots", then="", mild_rows=1)
    assert found.severity == "warning"
    (mild,) = tell_gaps(
        sample_gaps(np.delete(regular(200, 5 * MINUTE), [40])), table="open_interest", what="snapshots", then="", mild_rows=1
    )
    assert (mild.severity, mild.count) == ("note", 1)


def test_activity_counts_a_burst_once():
    stamps = START + np.array([0, 1, 2, 59 * SECOND, 60 * SECOND, 200 * SECOND])
    by_minute, by_second = activity(stamps), activity(stamps, SECOND)
    np.testing.assert_array_equal(by_minute.ticks, [1, 1, 1])
    np.testing.assert_array_equal(by_second.ticks, [2, 1, 1])
    np.testing.assert_array_equal(by_second.first - START, SECOND * np.array([0, 60, 200]))
    np.testing.assert_array_equal(by_second.last - START, SECOND * np.array([59, 60, 200]))
    assert activity(stamps[:0]).first.size == 0


def test_a_feed_of_events_without_outage_has_no_silence():
    # Fourteen days whose rate swings tenfold, as between day and night.
    stamps = make_events(make_bars(14 * 288), rate=2.0)["timestamp"].to_physical().to_numpy()
    hour = (stamps - START) // HOUR % 24
    rng = np.random.default_rng(2)
    asleep = (hour < 8) & (rng.random(stamps.size) < 0.9)
    assert silences(activity(stamps[~asleep])).start.size == 0


def test_a_feed_of_a_small_market_may_be_silent_for_hours():
    rng = np.random.default_rng(3)
    clusters = START + np.sort(rng.integers(0, 60 * DAY, 700))  # one in two hours
    stamps = np.sort((clusters[:, None] + rng.integers(0, 20 * SECOND, (700, 8))).ravel())
    assert np.diff(stamps).max() > 10 * HOUR
    assert silences(activity(stamps)).start.size == 0


def test_outages_of_a_feed_of_events_are_found():
    stamps = make_events(make_bars(4 * 288), rate=2.0)["timestamp"].to_physical().to_numpy()
    out = [(START + 20 * HOUR, START + 25 * HOUR), (START + 50 * HOUR, START + 71 * HOUR)]
    for low, high in out:
        stamps = stamps[(stamps < low) | (stamps >= high)]
    gaps = silences(activity(stamps))
    assert gaps.start.size == 2
    for k, (low, high) in enumerate(out):
        assert low - 30 * MINUTE < gaps.start[k] <= low
        assert high <= gaps.end[k] < high + 30 * MINUTE
    (found,) = tell_gaps(gaps, table="liquidations", what="liquidations", then="")
    assert (found.count, found.severity) == (2, "warning")
    assert found.message.startswith("liquidations are missing in 2 gaps")


def test_a_silence_under_an_hour_is_none_of_liquidations_but_of_trades():
    rng = np.random.default_rng(4)
    stamps = np.sort(START + rng.integers(0, 6 * HOUR, 20_000))
    stamps = stamps[(stamps < START + 2 * HOUR) | (stamps > START + 2 * HOUR + 10 * MINUTE)]
    assert silences(activity(stamps)).start.size == 0
    (start,) = silences(activity(stamps, SECOND), shortest_ns=MINUTE).start
    assert abs(start - START - 2 * HOUR) < 30 * SECOND


def test_a_table_that_begins_late_or_ends_early():
    bars = START, START + 10 * DAY
    late, early = find_span_differences("funding", (START + DAY, START + 8 * DAY), bars, slack_ns=HOUR, table="funding")
    assert (late.code, late.severity) == ("starts_late", "note")
    assert (early.code, early.severity, early.first, early.last) == ("ends_early", "warning", START + 8 * DAY, bars[1])
    assert (
        early.message
        == "the record of funding ends at 2026-01-13 00:00:00, 2 d before that of the bars; none is charged after it: end runs there"
    )


def test_a_table_with_the_span_of_the_bars_is_not_told():
    bars = START, START + 10 * DAY
    for span in ((START + HOUR, bars[1] - HOUR), (START - DAY, bars[1] + DAY)):
        assert find_span_differences("open_interest", span, bars, slack_ns=HOUR, table="open_interest") == []
    assert find_span_differences("open_interest", (bars[1], bars[1] + DAY), bars, slack_ns=HOUR, table="open_interest") == []
    assert find_span_differences("depth", (START + DAY, bars[1]), bars, slack_ns=HOUR, table="depth") == []


def test_a_finding_says_what_where_and_how_many():
    (one, two) = (
        tell("x", "note", START + HOUR * np.arange(n), what="the high is low", then="look", table="bars 1h", noun="bar") for n in (1, 3)
    )
    assert one.message == "the high is low in 1 bar, at 2026-01-05 00:00:00; look"
    assert two.message == "the high is low in 3 bars, the first at 2026-01-05 00:00:00; look"
    assert two.to_dict() == {
        "code": "x", "severity": "note", "count": 3, "message": two.message, "table": "bars 1h",
        "first": "2026-01-05T00:00:00.000Z", "last": "2026-01-05T02:00:00.000Z",
    }  # fmt: skip
    assert Finding(code="y", severity="note", count=1, message="").to_dict()["first"] is None


def test_findings_of_many_days_become_one():
    days = [tell("x", "note", START + DAY * np.array([day]), what="odd", then="look", table="depth") for day in range(3)]
    (one,) = merged(days)
    assert (one.count, one.first, one.last) == (3, START, START + 2 * DAY)
    assert one.message.endswith("2 more days have such rows, 3 in all")
    assert merged(days[:1]) == days[:1]


def test_durations():
    assert [duration(n) for n in (1, 3 * SECOND, 90 * SECOND, 3 * MINUTE, 5 * HOUR, 36 * HOUR, 3 * DAY)] == [
        "1e-09 s", "3 s", "90 s", "3 min", "5 h", "36 h", "3 d",
    ]  # fmt: skip

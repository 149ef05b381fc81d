"""Open interest and funding of Binance's archive: which instant a row is of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from samples_binance import FUNDING, METRICS, T0, write

from liqbt.data.readers import read_file
from liqbt.errors import ConfigError, DataError

BEFORE, CHANGE = datetime(2026, 6, 24, tzinfo=UTC), datetime(2026, 6, 25, tzinfo=UTC)
STEP = timedelta(minutes=5)


def row(stamp, amount="80000.5", value="3360021000.0", symbol="BTCUSDT", ratios=",1.1,1.2,1.3,0.9"):
    text = stamp if isinstance(stamp, str) else f"{stamp:%Y-%m-%d %H:%M:%S}"
    return f"{text},{symbol},{amount},{value}{ratios}"


def snapshot(stamp, *, label):
    """A row whose open interest is 1000 plus the minutes since 2026-06-24 at the instant of its snapshot."""
    return row(label, amount=1000 + (stamp - BEFORE) // timedelta(minutes=1))


def metrics(path, *lines, **options):
    [recording] = read_file(write(path, METRICS, *lines), **options)
    return recording


def clock_and_amount(recording):
    return recording.rows.select("timestamp", "open_interest").rows()


OLD_DAY = [snapshot(BEFORE + n * STEP, label=BEFORE + n * STEP) for n in range(1, 289)]
NEW_DAY = [snapshot(CHANGE + n * STEP, label=CHANGE + (n - 1) * STEP) for n in range(1, 289)]


def test_labels_before_and_after_the_change(tmp_path):
    assert OLD_DAY[-1].startswith("2026-06-25 00:00:00")
    assert NEW_DAY[0].startswith("2026-06-25 00:00:00")
    old = metrics(tmp_path / "BTCUSDT-metrics-2026-06-24.zip", *OLD_DAY)
    new = metrics(tmp_path / "BTCUSDT-metrics-2026-06-25.zip", *NEW_DAY)
    assert (old.notes, new.notes) == ((), ())
    both = pl.concat([old.rows, new.rows])
    # one row every five minutes from 00:05 to the midnight after the next day, none twice, each of its own instant
    assert both["timestamp"].to_list() == [BEFORE + n * STEP for n in range(1, 577)]
    assert both["open_interest"].to_list() == [1000.0 + 5 * n for n in range(1, 577)]
    assert both["available_at"].equals(both["timestamp"].alias("available_at"))


def test_a_file_joined_across_the_change(tmp_path):
    for lines in ([*OLD_DAY, *NEW_DAY], [*NEW_DAY, *OLD_DAY], [*OLD_DAY[:-1], *NEW_DAY]):
        recording = metrics(tmp_path / "BTCUSDT-metrics.csv", *lines)
        instants = [1000 + (stamp - BEFORE) // timedelta(minutes=1) for stamp in recording.rows["timestamp"]]
        assert recording.rows["open_interest"].to_list() == instants
        assert recording.rows.height == 574
        left_out = len(lines) - 574
        assert f"{left_out} rows labelled 2026-06-25 00:00 left out, since the file has labels of both meanings" in recording.notes


def test_coin_m_is_in_contracts_and_labelled_five_minutes_early(tmp_path):
    lines = [
        '2023-06-25 00:00:00,BTCUSD_PERP,5578700.00000000,18265.00911826,"","","",0.00855776',
        '2023-06-25 00:05:00,BTCUSD_PERP,5578209.00000000,18261.90678854,"","","",1.19645130',
    ]
    recording = metrics(tmp_path / "BTCUSD_PERP-metrics-2023-06-25.zip", *lines)
    assert recording.symbol == "BTCUSD_PERP"
    assert recording.rows.rows() == [
        (datetime(2023, 6, 25, 0, 5, tzinfo=UTC), datetime(2023, 6, 25, 0, 5, tzinfo=UTC), 18265.00911826, 557_870_000.0),
        (datetime(2023, 6, 25, 0, 10, tzinfo=UTC), datetime(2023, 6, 25, 0, 10, tzinfo=UTC), 18261.90678854, 557_820_900.0),
    ]
    other = metrics(tmp_path / "a.csv", row("2023-06-25 00:00:00", "300", "1.5", "ETHUSD_PERP"))
    assert other.rows.row(0)[2:] == (1.5, 3000.0)
    after = metrics(tmp_path / "a.csv", row("2026-07-01 00:00:00", "300", "1.5", "ETHUSD_PERP"), contract_size=20.0)
    assert after.rows.row(0) == (datetime(2026, 7, 1, 0, 5, tzinfo=UTC), datetime(2026, 7, 1, 0, 5, tzinfo=UTC), 1.5, 6000.0)


def test_rows_without_open_interest(tmp_path):
    lines = [row("2024-01-01 00:05:00"), row("2024-01-01 00:10:00", '""', '""'), row("2024-01-01 00:15:00", "", ""),
             row("2024-01-01 00:20:00", "7", '""'), row("2024-01-01 00:25:00", ratios=',"","","",""')]  # fmt: skip
    recording = metrics(tmp_path / "a.csv", *lines)
    assert [stamp.minute for stamp in recording.rows["timestamp"]] == [5, 20, 25]
    assert recording.rows["open_interest_value"].to_list() == [3360021000.0, None, 3360021000.0]
    assert recording.notes == ("2 rows without open interest left out",)
    with pytest.raises(DataError, match="holds no rows"):
        metrics(tmp_path / "b.csv", row("2024-01-01 00:10:00", '""', '""'))


def test_order_doubles_and_contradictions(tmp_path):
    lines = [row("2024-01-01 00:15:00", "3"), row("2024-01-01 00:05:00", "1"), row("2024-01-01 00:10:00", "2"),
             row("2024-01-01 00:05:00", "1"), row("2024-01-01 00:10:00", "9")]  # fmt: skip
    recording = metrics(tmp_path / "a.csv", *lines)
    assert [(stamp.minute, amount) for stamp, amount in clock_and_amount(recording)] == [(5, 1.0), (10, 2.0), (15, 3.0)]
    assert set(recording.notes) == {
        "1 doubled rows dropped",
        "1 rows out of order sorted",
        "1 rows left out that contradict an earlier one of the same instant",
    }


def test_several_symbols(tmp_path):
    path = write(tmp_path / "a.csv", METRICS, row("2024-01-01 00:05:00"), row("2024-01-01 00:05:00", "300", "1.5", "ETHUSD_PERP"))
    one, other = read_file(path)
    assert (one.symbol, one.rows["timestamp"][0].minute) == ("BTCUSDT", 5)
    assert (other.symbol, other.rows["timestamp"][0].minute) == ("ETHUSD_PERP", 10)
    [only] = read_file(path, symbol="ETHUSD_PERP")
    assert only.symbol == "ETHUSD_PERP"
    with pytest.raises(ConfigError, match=r"symbol: .*a.csv has no 'SOLUSDT'"):
        read_file(path, symbol="SOLUSDT")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (row("2024-01-01"), "row 2: create_time is '2024-01-01', not a time such as 2024-01-31 23:55:00"),
        (row("1704067200000"), "row 2: create_time is '1704067200000', not a time"),
        (row("2124-01-01 00:05:00"), "row 2: create_time is '2124-01-01 00:05:00', not a time"),
        (row(""), "row 2: create_time is None, not a time"),
        (row("2024-01-01 00:05:00", symbol=""), "row 2: symbol is empty"),
        (row("2024-01-01 00:05:00", "many"), "row 2: sum_open_interest is 'many', not a number"),
        (row("2024-01-01 00:05:00", "-5"), r"row 2 \(2024-01-01 00:05:00\): open_interest is -5.0; an amount"),
        ("2024-01-01 00:05:00,BTC", "row 2 has 2 cells, expected 8; check the file, it may be torn"),
    ],
)
def test_broken_metrics(tmp_path, line, message):
    with pytest.raises(DataError, match=rf"a.csv: {message}") as raised:
        metrics(tmp_path / "a.csv", row("2024-01-01 00:00:00"), line)
    assert "\n" not in str(raised.value)


def funding(path, *lines):
    [recording] = read_file(write(path, FUNDING, *lines))
    return recording


EIGHT = T0 + 28_800_000


def test_funding_is_due_at_the_hour_and_never_known_before_it(tmp_path):
    lines = [
        f"{T0 + 3},8,0.00010000",
        f"{EIGHT - 2},8,-0.00020000",
        f"{EIGHT + 28_800_000},4,0.0003",
        f"{EIGHT + 43_200_000 + 1_500},4,0.0004",
    ]
    recording = funding(tmp_path / "BTCUSDT-fundingRate-2024-01.zip", *lines)
    assert (recording.table, recording.interval, recording.symbol) == ("funding", None, "BTCUSDT")
    midnight = datetime(2024, 1, 1, tzinfo=UTC)
    assert recording.rows.rows() == [
        (midnight, midnight + timedelta(milliseconds=3), 0.0001),
        (midnight + timedelta(hours=8), midnight + timedelta(hours=8), -0.0002),
        (midnight + timedelta(hours=16), midnight + timedelta(hours=16), 0.0003),
        (midnight + timedelta(hours=20, seconds=1.5), midnight + timedelta(hours=20, seconds=1.5), 0.0004),
    ]
    assert recording.notes == ("2 stamps moved to the whole hour, by a second at most",)


def test_funding_order_and_doubles(tmp_path):
    recording = funding(tmp_path / "a.csv", f"{EIGHT},8,0.0002", f"{T0 + 3},8,0.0001", f"{T0 + 9},8,0.0001")
    assert recording.rows["funding_rate"].to_list() == [0.0001, 0.0002]
    assert recording.rows["available_at"][0].microsecond == 3000
    assert {"1 doubled rows dropped", "1 rows out of order sorted"} <= set(recording.notes)
    with pytest.raises(DataError, match=r"row 2 \(2024-01-01 00:00:00\) has the stamp of row 1 but other values"):
        funding(tmp_path / "a.csv", f"{T0 + 3},8,0.0001", f"{T0 + 9},8,0.0002")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f"{EIGHT},8,high", "row 2: last_funding_rate is 'high', not a number"),
        (f"{EIGHT},8,", r"row 2 \(2024-01-01 08:00:00\): funding_rate is empty or NaN"),
        (f"{EIGHT},8,1.5", r"row 2 .*: funding_rate is 1.5; a rate is a fraction"),
        (f"{EIGHT},8", "row 2 has 2 cells, expected 3"),
        ("1704067200,8,0.0001", "row 2: calc_time is 1704067200, outside the years 2000 to 2100 as ms"),
    ],
)
def test_broken_funding(tmp_path, line, message):
    with pytest.raises(DataError, match=rf"a.csv: {message}"):
        funding(tmp_path / "a.csv", f"{T0},8,0.0001", line)

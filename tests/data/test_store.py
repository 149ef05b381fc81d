"""The store: merging, idempotence, atomicity, provenance, and what it says where something is not there."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liqbt.data import _partition
from liqbt.data._places import ConflictError, Folder
from liqbt.data.readers import Recording
from liqbt.data.schema import table
from liqbt.data.store import Store
from liqbt.data.validation import canonical
from liqbt.errors import ConfigError, DataError, StoreError

START = datetime(2024, 1, 31, 20, tzinfo=UTC)  # rows spill into February


def ns(stamp: datetime) -> int:
    return int(stamp.timestamp()) * 1_000_000_000


def bars(hours, *, close=100.0, name="a.csv", **columns) -> Recording:
    hours = list(hours)
    frame = pl.DataFrame(
        {
            "timestamp": [START + timedelta(hours=h) for h in hours],
            **{price: [close] * len(hours) for price in ("open", "high", "low", "close")},
            "volume": [1.0] * len(hours),
            **columns,
        }
    )
    return record("bars", frame, name, interval="1h")


def events(minutes, *, name="e.csv", amount=1.0) -> Recording:
    stamps = [START + timedelta(minutes=m) for m in minutes]
    return record("liquidations", pl.DataFrame({"timestamp": stamps, "side": "long", "amount": amount}), name)


def record(name, frame, source, interval=None) -> Recording:
    rows = canonical(frame, name, source=source, interval=interval)
    sha256 = hashlib.sha256(source.encode()).hexdigest()
    return Recording(
        table=name, interval=interval, rows=rows, venue=None, symbol=None, source=source, sha256=sha256, reader="test", kind="a test"
    )


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def write(store, *recordings):
    return [store.write(one, "binance", "BTCUSDT") for one in recordings][-1]


def read(store, name="bars", interval="1h", **span):
    return store.read("binance", "BTCUSDT", name, interval, **span)


def bytes_of(store):
    return {str(p.relative_to(store.path)): p.read_bytes() for p in sorted(store.path.rglob("*.parquet"))}


def stored(store, name="bars", interval="1h"):
    return read(store, name, interval)[0].height


def test_round_trip_and_layout(store):
    recording = bars(range(10))
    result = write(store, recording)
    assert (result.rows_new, result.rows_replaced, stored(store), result.partitions) == (10, 0, 10, ("2024-01", "2024-02"))
    folder = "venue=binance/symbol=BTCUSDT/table=bars/interval=1h"
    assert list(bytes_of(store)) == [f"{folder}/month=2024-01/part.parquet", f"{folder}/month=2024-02/part.parquet"]
    rows, inputs = read(store)
    assert rows.equals(recording.rows)
    assert rows.schema == recording.rows.schema
    assert [(i.table, i.source, i.sha256, i.reader, i.rows) for i in inputs] == [("bars", "a.csv", recording.sha256, "test", 10)]


def test_a_new_row_replaces_the_stored_one(store):
    write(store, bars(range(6)))
    result = write(store, bars(range(3, 8), close=200.0, name="b.csv"))
    assert (result.rows_new, result.rows_replaced, stored(store)) == (2, 3, 8)
    assert read(store)[0]["close"].to_list() == [100.0] * 3 + [200.0] * 5


def test_equal_rows_are_not_replaced(store):
    write(store, bars(range(6)))
    result = write(store, bars(range(6), name="b.csv"))
    assert (result.rows_new, result.rows_replaced, stored(store)) == (0, 0, 6)
    assert [i.source for i in read(store)[1]] == ["a.csv", "b.csv"]


def test_the_same_file_again_changes_nothing(store):
    write(store, bars(range(6)), bars(range(3, 8), close=200.0, name="b.csv"))
    before = bytes_of(store)
    result = write(store, bars(range(6)))
    assert (result.rows_new, result.rows_replaced, stored(store), result.partitions) == (0, 0, 8, ())
    assert bytes_of(store) == before


def test_the_same_file_read_otherwise_is_refused(store):
    write(store, bars(range(6)))
    before = bytes_of(store)
    with pytest.raises(StoreError, match=r"a.csv was imported before with other reading options, and .*part.parquet holds .* delete that"):
        store.write(bars(range(1, 7)), "binance", "BTCUSDT")
    assert bytes_of(store) == before


def test_the_same_file_on_another_clock_is_refused_beside_its_rows(store):
    """Six hours earlier its rows fall into the month before, which has nothing of it yet."""
    late = bars(range(4, 8))
    write(store, late)
    before = bytes_of(store)
    moved = dataclasses.replace(late, rows=late.rows.with_columns(pl.col("timestamp", "available_at").dt.offset_by("-6h")))
    with pytest.raises(StoreError, match=r"a.csv was imported before with other reading options, and .*month=2024-02/part.parquet holds"):
        write(store, moved)
    assert bytes_of(store) == before


def test_a_stamp_twice_in_a_recording_is_refused(store):
    twice = bars(range(3))
    with pytest.raises(DataError, match=r"a.csv: bars of 2024-01-31 21:00:00 come after later ones or twice"):
        write(store, dataclasses.replace(twice, rows=twice.rows[[0, 1, 1, 2]]))


def test_two_kinds_of_recording_of_the_same_events_are_not_added_up(store):
    """As aggregated trades beside trades: the same minutes, other amounts."""
    write(store, events(range(60)))
    before = bytes_of(store)
    with pytest.raises(StoreError, match=r"f.csv has no liquidations in common with .*part.parquet, which is of the same time"):
        write(store, events(range(60), amount=2.0, name="f.csv"))
    assert bytes_of(store) == before
    write(store, events(range(59, 120), name="g.csv"))  # an overlap of one recording
    write(store, events(range(200, 260), name="h.csv"))
    write(store, events(range(130, 190), amount=3.0, name="i.csv"))  # a piece between two others, with nothing in common
    assert stored(store, "liquidations", None) == 240


def test_what_lies_beside_partitions_does_no_harm(store):
    write(store, bars(range(2)))
    folder = store.path / "venue=binance" / "symbol=BTCUSDT" / "table=bars"
    (folder / "interval=foo").mkdir()
    (folder / "interval=5m" / "month=2024-01").mkdir(parents=True)
    assert store.intervals("binance", "BTCUSDT", "bars") == ("1h",)
    assert [one.interval for one in store.contents()] == ["1h"]
    assert store.extent("binance", "BTCUSDT", "bars", "1h") == (ns(START), ns(START + timedelta(hours=1)))


def test_new_rows_win_whole(store):
    write(store, bars(range(2), taker_buy_volume=[0.5, 0.6]), bars(range(1, 3), name="b.csv"))
    rows, _ = read(store)
    assert rows["taker_buy_volume"].to_list() == [0.5, None, None]
    assert rows.columns == [name for name in table("bars").names if name in rows.columns]
    write(store, bars(range(1), name="c.csv"))
    assert "taker_buy_volume" not in read(store)[0].columns


def test_columns_of_one_month_only(store):
    write(store, bars(range(2)), bars(range(10, 12), name="b.csv", taker_buy_volume=[0.5, 0.6]))
    assert read(store)[0]["taker_buy_volume"].to_list() == [None, None, 0.5, 0.6]


def test_the_fingerprint_does_not_depend_on_how_rows_are_held():
    rows = bars(range(20), taker_buy_volume=[None, 0.5] * 10).rows
    cut = pl.concat([rows[:7], rows[7:8], rows[8:]], rechunk=False)
    assert cut.n_chunks() == 3
    assert _partition.fingerprint(cut) == _partition.fingerprint(rows)
    for name, value in (("close", 1.0), ("taker_buy_volume", 0.0)):  # where nothing was, a zero is another value
        other = rows.with_columns(pl.when(pl.int_range(pl.len()) == 4).then(value).otherwise(name).alias(name))
        assert _partition.fingerprint(other) != _partition.fingerprint(rows)


def test_equal_events_in_one_file_stay(store):
    recording = events([0, 1, 1, 1, 2])
    write(store, recording)
    assert read(store, "liquidations", None)[0].equals(recording.rows)


def test_an_overlap_of_event_files_adds_nothing(store):
    write(store, events([0, 1, 1, 2]))
    result = write(store, events([1, 1, 2, 3], name="f.csv"))
    assert (result.rows_new, result.rows_replaced, stored(store, "liquidations", None)) == (1, 0, 5)
    result = write(store, events([1], amount=9.0, name="g.csv"))
    assert result.rows_new == 1
    assert read(store, "liquidations", None)[0]["amount"].to_list() == [1, 1, 1, 9, 1, 1]


def test_events_are_the_same_whenever_a_recorder_had_them(store):
    """Two recorders of one stream, whose clocks or connections differ by milliseconds."""
    stamps = [START + timedelta(minutes=m) for m in (0, 1, 1, 2)]
    for name, delay in (("e.csv", 20), ("f.csv", 35)):
        known = [stamp + timedelta(milliseconds=delay) for stamp in stamps]
        write(
            store, record("liquidations", pl.DataFrame({"timestamp": stamps, "available_at": known, "side": "long", "amount": 1.0}), name)
        )
    rows, _ = read(store, "liquidations", None)
    assert rows["timestamp"].to_list() == stamps
    assert (rows["available_at"] - rows["timestamp"]).unique().to_list() == [timedelta(milliseconds=20)]


def test_a_book_that_was_known_at_two_instants_stays_whole(store):
    for name, delay, amounts in (("d.csv", 1, [3.0, 5.0]), ("e.csv", 2, [3.0, 6.0])):
        frame = pl.DataFrame({"timestamp": [START] * 2, "side": "bid", "distance": [0.01, 0.02], "amount": amounts})
        write(store, record("depth", frame.with_columns(available_at=pl.col("timestamp") + pl.duration(seconds=delay)), name))
    rows, _ = read(store, "depth", None)
    assert rows["amount"].to_list() == [3.0, 5.0, 3.0, 6.0]


def trades(seconds, ids, name) -> Recording:
    frame = pl.DataFrame({"timestamp": [START + timedelta(seconds=s) for s in seconds], "price": 1.0, "amount": 2.0, "side": "buy"})
    return record("trades", frame if ids is None else frame.with_columns(id=pl.Series(ids)), name)


@pytest.mark.parametrize("turn", [1, -1])
def test_trades_with_and_without_ids_are_the_same(store, turn):
    files = [trades([0, 1, 1, 2], [4, 5, 6, 7], "a.csv"), trades([1, 1, 2, 3], None, "b.csv")]
    write(store, *files[::turn])
    assert [stamp.second for stamp in read(store, "trades", None)[0]["timestamp"].to_list()] == [0, 1, 1, 2, 3]


def test_trades_of_one_instant_are_in_the_order_of_their_ids_whatever_came_first(tmp_path):
    files = [trades([0, 1, 1], [3, 4, 5], "a.csv"), trades([1, 1, 2], [6, 7, 8], "b.csv"), trades([0, 0], [1, 2], "c.csv")]
    for number, order in enumerate(itertools.permutations(files)):
        store = Store(tmp_path / str(number))
        write(store, *order)
        assert read(store, "trades", None)[0]["id"].to_list() == [1, 2, 3, 4, 5, 6, 7, 8]


def test_trades_whose_ids_tell_no_order_stay_as_they_came(store):
    write(store, trades([0, 0, 0], [9, 2, 5], "a.csv"), trades([0, 0, 1], [9, 2, 1], "b.csv"))
    assert read(store, "trades", None)[0]["id"].to_list() == [9, 2, 5, 1]


def test_order_of_equal_stamps_is_kept(store):
    amounts = [3.0, 1.0, 2.0]
    write(store, record("liquidations", pl.DataFrame({"timestamp": [START] * 3, "side": "long", "amount": amounts}), "o.csv"))
    assert read(store, "liquidations", None)[0]["amount"].to_list() == amounts


@settings(max_examples=25, deadline=None)
@given(files=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=6).map(sorted), min_size=1, max_size=4))
def test_events_are_kept_as_often_as_the_file_that_has_them_most_often(files):
    merged = None
    for minutes in files:
        rows = events(minutes).rows
        merged = rows if merged is None else _partition.merge(merged, rows, table("liquidations"))[0]
    stored = [(stamp - START).total_seconds() // 60 for stamp in merged["timestamp"].to_list()]
    assert stored == sorted(minute for minute in range(4) for _ in range(max(f.count(minute) for f in files)))


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, range(10)),
        (2, 5, range(2, 5)),
        (4, None, range(4, 10)),
        (None, 4, range(4)),
        (5, 6, [5]),
        (20, 30, []),
        (1000, None, []),
    ],
)
def test_span_end_is_exclusive(store, first, last, expected):
    write(store, bars(range(10)))
    span = {
        "start_ns": None if first is None else ns(START + timedelta(hours=first)),
        "end_ns": None if last is None else ns(START + timedelta(hours=last)),
    }
    rows, inputs = read(store, **span)
    assert rows["timestamp"].to_list() == [START + timedelta(hours=h) for h in expected]
    assert rows.schema == bars([0]).rows.schema
    assert sum(i.rows for i in inputs) <= 10


def test_only_months_of_the_span_are_opened(store):
    write(store, bars(range(10)))
    february = next(p for p in store.path.rglob("*.parquet") if "2024-02" in str(p))
    february.write_bytes(b"damaged")
    rows, inputs = read(store, end_ns=ns(START + timedelta(hours=4)))
    assert rows.height == 4
    assert inputs[0].rows == 4


def test_the_same_writes_give_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("liqbt.data.store._now", lambda: "2026-01-01T00:00:00Z")  # a footer tells when its files were imported
    stores = [Store(tmp_path / name) for name in ("one", "two")]
    for one in stores:
        write(one, bars(range(6)), events([0, 1, 1]), bars(range(3, 8), close=200.0, name="b.csv"))
    assert bytes_of(stores[0]) == bytes_of(stores[1])


def test_contents(store):
    assert store.contents() == []
    write(store, bars(range(6)), bars(range(3, 8), close=200.0, name="b.csv"), events([0, 1]))
    (store.path / "notes.txt").write_text("mine")
    (store.path / "venue=binance" / ".hidden").mkdir()
    first, second = store.contents()
    assert (first.venue, first.symbol, first.table, first.interval, first.rows) == ("binance", "BTCUSDT", "bars", "1h", 8)
    assert (first.first, first.last) == (ns(START), ns(START + timedelta(hours=7)))
    assert [(i.source, i.rows) for i in first.sources] == [("a.csv", 6), ("b.csv", 5)]
    assert (second.table, second.interval, second.rows) == ("liquidations", None, 2)


def test_contents_reads_footers_alone(store, monkeypatch):
    write(store, bars(range(6)))
    monkeypatch.setattr(pl, "scan_parquet", None)
    assert store.contents()[0].rows == 6


def test_one_name_a_length(store):
    write(store, bars(range(3)))
    assert read(store, interval="60m")[0].height == 3
    assert store.intervals("binance", "BTCUSDT", "bars") == ("1h",)
    assert store.has("binance", "BTCUSDT", "bars", "60m")
    assert not store.has("binance", "BTCUSDT", "bars", "5m")
    assert not store.has("okx", "BTCUSDT", "funding")


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "a b", "ключ", "a\n"])
def test_names_that_are_no_folders(store, name):
    with pytest.raises(ConfigError, match=r"is no plain name"):
        store.write(bars(range(2)), "binance", name)
    with pytest.raises(ConfigError, match=r"is no plain name"):
        store.read(name, "BTCUSDT", "bars", "1h")
    assert not store.path.exists()


def test_what_is_not_there_is_listed(store):
    with pytest.raises(StoreError, match=r"holds no data; import some first"):
        read(store)
    write(store, bars(range(2)))
    cases = [
        (("binanse", "BTCUSDT", "bars", "1h"), r"has no venue 'binanse'; did you mean 'binance'\?; known: binance"),
        (("binance", "BTCUSD", "bars", "1h"), r"has no symbol 'BTCUSD' of binance; did you mean 'BTCUSDT'\?"),
        (("binance", "BTCUSDT", "funding"), "has no table 'funding' of binance BTCUSDT; known: bars"),
        (("binance", "BTCUSDT", "bars", "5m"), "has no interval '5m' of binance BTCUSDT bars; known: 1h"),
    ]
    for arguments, message in cases:
        with pytest.raises(StoreError, match=message):
            store.read(*arguments)
    with pytest.raises(ConfigError, match=r"did you mean 'bars'\?"):
        store.read("binance", "BTCUSDT", "bar", "1h")
    with pytest.raises(ConfigError, match=r"table 'bars' needs one; stored: 1h"):
        store.read("binance", "BTCUSDT", "bars")
    with pytest.raises(ConfigError, match=r"table 'funding' has none"):
        store.has("binance", "BTCUSDT", "funding", "1h")


@pytest.mark.parametrize("keep", [0, 10, 0.5])
def test_damaged_files_are_named(store, keep):
    write(store, bars(range(4)))
    (file,) = store.path.rglob("*.parquet")
    content = file.read_bytes()
    file.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    for call in (lambda: read(store), store.contents, lambda: write(store, bars(range(2), name="b.csv"))):
        with pytest.raises(StoreError, match=r"part.parquet: is damaged .*; delete this file and import"):
            call()


def test_damaged_pages_behind_a_sound_footer(store):
    write(store, bars(range(10)))
    february = next(p for p in store.path.rglob("*.parquet") if "2024-02" in str(p))
    content = bytearray(february.read_bytes())
    content[4:200] = bytes(196)
    february.write_bytes(bytes(content))
    with pytest.raises(StoreError, match=r"month=2024-02/part.parquet: is damaged"):
        read(store)


def test_foreign_parquet_files(store):
    write(store, bars(range(4)))
    (file,) = store.path.rglob("*.parquet")
    bars(range(4)).rows.write_parquet(file)
    with pytest.raises(StoreError, match=r"was not written by this version of liqbt"):
        store.contents()


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(StoreError, match=r"is a file; a store is a folder"):
        Store(tmp_path / "x")


def test_a_failed_write_changes_nothing(store, monkeypatch):
    write(store, bars(range(10)))
    before = bytes_of(store)
    whole, calls = _partition.write, []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise StoreError("no space")
        whole(*arguments)

    monkeypatch.setattr(_partition, "write", full)
    with pytest.raises(StoreError, match=r"no space"):
        write(store, bars(range(10), close=200.0, name="b.csv"))
    assert bytes_of(store) == before
    assert not (store.path / ".staging").exists()


def test_no_space_while_writing(store, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with pytest.raises(StoreError, match=r"cannot be written .No space left on device.; nothing was changed"):
        write(store, bars(range(2)))
    assert not (store.path / ".staging").exists()


def test_a_killed_write_is_finished_by_the_next(store, monkeypatch):
    write(store, bars(range(10)))
    put, calls = Folder.put, []

    class Killed(BaseException):
        pass

    def killed(self, *arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise Killed
        put(self, *arguments)

    other = bars(range(10), close=200.0, name="b.csv")
    monkeypatch.setattr(Folder, "put", killed)
    with pytest.raises(Killed):
        write(store, other)
    assert read(store)[0]["close"].to_list() == [200.0] * 4 + [100.0] * 6  # each month is old or new
    monkeypatch.setattr(Folder, "put", put)
    result = write(store, other)
    assert (result.partitions, result.rows_replaced) == (("2024-02",), 6)
    assert read(store)[0].equals(other.rows)


def test_what_others_changed_meanwhile_is_merged_again_and_told_whole(store, monkeypatch):
    put, calls = Folder.put, []

    def conflicting(self, *arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise ConflictError("changed")
        put(self, *arguments)

    monkeypatch.setattr(Folder, "put", conflicting)
    recording = bars(range(10))
    result = write(store, recording)
    assert (result.rows_new, result.partitions, len(calls)) == (10, ("2024-01", "2024-02"), 3)
    assert read(store)[0].equals(recording.rows)


def test_folders_that_a_killed_write_left_empty(store):
    write(store, bars(range(2)))
    for empty in ("table=bars/interval=5m", "table=mark/interval=1h"):
        (store.path / "venue=binance" / "symbol=BTCUSDT" / empty / "month=2024-01").mkdir(parents=True)
    assert store.intervals("binance", "BTCUSDT", "bars") == ("1h",)
    assert store.intervals("binance", "BTCUSDT", "mark") == ()
    assert not store.has("binance", "BTCUSDT", "mark", "1h")
    with pytest.raises(StoreError, match=r"table=mark/interval=1h: holds no data; import it again"):
        read(store, "mark")


def test_copies_beside_a_file_are_not_read(store):
    write(store, bars(range(4)))
    (file,) = store.path.rglob("*.parquet")
    file.with_name("part (conflicted copy).parquet").write_bytes(file.read_bytes())
    assert stored(store) == 4
    assert store.contents()[0].rows == 4

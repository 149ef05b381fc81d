"""Tardis' order books: sampled as they were known, to depth that is known."""

from __future__ import annotations

import polars as pl
import pytest
from reading import read_one
from samples_tardis import START, UPDATES, levels, line, samples, write

from liqbt.data.aggregate import DISTANCES
from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError

START_NS = START * 1_000
OKX = "okex-swap,BTC-USDT-SWAP"


def seconds(values):
    return [(value - START_NS) / 1e9 for value in values.to_physical()]


def instants(recording):
    """Pairs of timestamp and available_at, each once."""
    rows = recording.rows.select("timestamp", "available_at").unique(maintain_order=True)
    return list(zip(seconds(rows["timestamp"]), seconds(rows["available_at"]), strict=True))


def depth(recording, side, *, second=None):
    """Amount by distance of one side, of the book known at a second."""
    rows = recording.rows.filter(pl.col("side") == side)
    if second is not None:
        rows = rows.filter(pl.col("available_at").to_physical() == START_NS + round(second * 1e9))
    return dict(zip(rows["distance"].to_list(), rows["amount"].to_list(), strict=True))


def snapshots(tmp_path, *rows, count=3):
    return write(tmp_path / "book.csv.gz", levels(count), rows)


def updates(tmp_path, *rows):
    return write(tmp_path / "updates.csv.gz", UPDATES, rows)


# Mid 100: asks at 1, 2 and 4 percent, bids at 1, 3 and 5 percent.
BOOK = (101, 1, 99, 10, 102, 2, 97, 20, 104, 4, 95, 40)


def test_a_snapshot_is_cumulative_up_to_its_deepest_level(tmp_path):
    recording = read_one(snapshots(tmp_path, line(9.85, *BOOK)))
    assert (recording.table, recording.venue, recording.symbol, recording.reader) == ("depth", "binance", "BTCUSDT", "tardis")
    assert depth(recording, "ask") == {one: 0.0 for one in DISTANCES if one < 0.01} | {0.01: 1.0, 0.02: 3.0, 0.03: 3.0, 0.04: 7.0}
    assert depth(recording, "bid") == {one: 0.0 for one in DISTANCES if one < 0.01} | {
        0.01: 10.0,
        0.02: 10.0,
        0.03: 30.0,
        0.04: 30.0,
        0.05: 70.0,
    }
    notional = recording.rows.filter((pl.col("side") == "ask") & (pl.col("distance") == 0.02))["notional"]
    assert notional.to_list() == [1 * 101 + 2 * 102]
    assert "3 levels" in recording.kind


def test_one_book_an_interval_the_last_that_was_known_by_its_end(tmp_path):
    path = snapshots(
        tmp_path,
        line(1, *BOOK),
        line(9.85, *BOOK),  # known at 10 exactly
        line(9.9, 101, 7, 99, 7, 102, 7, 97, 7, 104, 7, 95, 7),  # known at 10.05
        line(41, 101, 8, 99, 8, 102, 8, 97, 8, 104, 8, 95, 8),
    )
    recording = read_one(path)
    # Nothing came from 20 to 40, so nothing is sampled there; the last book is cut off by the end of the file.
    assert instants(recording) == [(9.85, 10), (9.9, 20), (41, 41.15)]
    assert depth(recording, "ask", second=10)[0.01] == 1
    assert depth(recording, "ask", second=20)[0.01] == 7
    assert depth(recording, "ask", second=41.15)[0.01] == 8
    assert instants(read_one(path, depth_interval="1m")) == [(41, 41.15)]
    assert instants(read_one(path, depth_interval="1s")) == [(1, 2), (9.85, 10), (9.9, 11), (41, 41.15)]


def test_blank_levels_are_none(tmp_path):
    recording = read_one(snapshots(tmp_path, line(1, 101, 1, 99, 10, 102, 2, "", "", "", "", "", "")))
    assert 0.01 in depth(recording, "bid")
    assert 0.02 not in depth(recording, "bid")
    assert depth(recording, "ask")[0.02] == 3
    assert 0.03 not in depth(recording, "ask")


def test_books_that_cannot_be_used_are_counted(tmp_path):
    path = snapshots(
        tmp_path,
        line(1, "", "", 99, 10, "", "", 97, 20, "", "", 95, 40),
        line(11, 98, 1, 99, 10, 102, 2, 97, 20, 104, 4, 95, 40),
        line(21, *BOOK, delay=-1),
    )
    recording = read_one(path)
    assert instants(recording) == [(21, 21)]
    assert set(recording.notes) == {
        "1 books with an empty side left out",
        "1 crossed books left out",
        "1 rows whose local clock ran behind the exchange's",
    }


def test_levels_that_reach_nowhere(tmp_path):
    near = (100.001, 1, 99.999, 1, 100.002, 1, 99.998, 1, 100.003, 1, 99.997, 1)
    with pytest.raises(DataError, match=r"its 3 levels a side never reach 0.01 percent from mid, .*; use book_snapshot files with more"):
        read_file(snapshots(tmp_path, line(1, *near), line(12, *near)))
    recording = read_one(snapshots(tmp_path, line(1, *near), line(12, *BOOK)))
    assert instants(recording) == [(12, 12.15)]
    assert recording.notes == ("1 books whose levels reach no distance of the depth table left out",)


def test_contracts_of_each_level_become_coins(tmp_path):
    linear = read_one(snapshots(tmp_path, line(1, *BOOK, of=OKX)), contract_size=0.1)
    assert depth(linear, "ask")[0.02] == pytest.approx(0.3, rel=1e-15)
    with pytest.raises(ConfigError, match="counts BTC-USDT-SWAP in contracts"):
        read_file(snapshots(tmp_path, line(1, *BOOK, of=OKX)))
    inverse = read_one(snapshots(tmp_path, line(1, *BOOK, of="binance-delivery,ETHUSD_PERP")))
    assert depth(inverse, "ask")[0.02] == pytest.approx(10 / 101 + 20 / 102, rel=1e-15)


def test_updates_build_a_book(tmp_path):
    recording = read_one(samples(tmp_path)["incremental_book_L2"])
    assert (recording.table, recording.venue, recording.symbol) == ("depth", "binance", "BTCUSDT")
    assert instants(recording) == [(1, 10), (12, 20), (31, 31.15)]
    assert (depth(recording, "bid", second=10)[0.01], depth(recording, "ask", second=10)[0.01]) == (2, 1)
    # The ask at 101 is gone and one at 102 has come: mid 100.5, so that it lies within 2 percent and not within 1.
    assert (depth(recording, "ask", second=20)[0.01], depth(recording, "ask", second=20)[0.02]) == (0, 4)
    assert depth(recording, "bid", second=20)[0.02] == 2
    assert depth(recording, "bid", second=31.15)[0.02] == 3
    assert recording.notes == ()


def test_updates_before_the_first_snapshot_are_skipped(tmp_path):
    path = updates(
        tmp_path,
        line(0.1, "false", "bid", 100.5, 9),
        line(0.2, "false", "ask", 90, 9),
        line(1, "true", "bid", 99, 2),
        line(1, "true", "ask", 101, 1),
    )
    recording = read_one(path)
    assert depth(recording, "bid") == {one: 0.0 for one in DISTANCES if one < 0.01} | {0.01: 2.0}
    assert recording.notes == ("2 updates before the first snapshot skipped",)
    with pytest.raises(DataError, match="holds no rows"):
        read_file(updates(tmp_path, line(0.1, "false", "bid", 100.5, 9)))


def test_a_new_snapshot_empties_the_book(tmp_path):
    path = updates(
        tmp_path,
        line(1, "true", "bid", 99, 2),
        line(1, "true", "ask", 101, 1),
        line(2, "false", "ask", 100.5, 7),
        line(11, "true", "bid", 99, 5),
        line(11, "true", "ask", 101, 6),
    )
    recording = read_one(path)
    assert depth(recording, "ask", second=11.15)[0.01] == 6
    assert depth(recording, "bid", second=11.15)[0.01] == 5


@pytest.mark.parametrize(
    ("of", "known"), [("binance-futures,BTCUSDT", False), ("bybit,BTCUSDT", True), ("deribit,BTC_USDC-PERPETUAL", True)]
)
def test_depth_beyond_a_snapshot_is_known_where_the_feed_sends_the_whole_book(tmp_path, of, known):
    path = updates(
        tmp_path,
        *(line(1, "true", side, price, 1, of=of) for side, price in (("bid", 99), ("ask", 101))),
        *(line(2, "false", side, price, 1, of=of) for side, price in (("bid", 90), ("ask", 110))),
    )
    recording = read_one(path)
    assert (0.05 in depth(recording, "ask")) == known
    assert depth(recording, "ask")[0.01] == 1


def test_updates_in_contracts(tmp_path):
    rows = [line(1, "true", side, price, 500, of="bybit,BTCUSD") for side, price in (("bid", 99), ("ask", 101))]
    assert depth(read_one(updates(tmp_path, *rows)), "ask")[0.01] == 500 / 101
    rows = [line(1, "true", side, price, 500, of=OKX) for side, price in (("bid", 99), ("ask", 101))]
    assert depth(read_one(updates(tmp_path, *rows), contract_size=0.01), "ask")[0.01] == 5
    with pytest.raises(ConfigError, match="counts BTC-USDT-SWAP in contracts"):
        read_file(updates(tmp_path, *rows))


def test_clocks_that_were_set_back_do_not_undo_the_order(tmp_path):
    path = updates(
        tmp_path,
        line(1, "true", "bid", 99, 2),
        line(1, "true", "ask", 101, 1),
        line(12, "false", "ask", 101, 5, delay=-1),
        line(11.5, "false", "ask", 101, 6, delay=0.1),
    )
    recording = read_one(path)
    assert instants(recording) == [(1, 10), (12, 12)]
    assert depth(recording, "ask", second=12)[0.01] == 6
    assert recording.notes == ("1 rows whose local clock ran behind the exchange's",)


@pytest.mark.parametrize("block", [1 << 24, 200])
def test_such_clocks_across_blocks(tmp_path, monkeypatch, block):
    monkeypatch.setattr("liqbt.data.readers._blocks._BLOCK", block)
    monkeypatch.setattr("liqbt.data.readers._containers._PIECE", 100)
    path = updates(
        tmp_path,
        *(line(1, "true", side, price, 1) for side, price in (("bid", 99), ("ask", 101))),
        *(line(15 - k / 100, "false", "ask", 101, k + 1) for k in range(9)),
    )
    recording = read_one(path)
    assert instants(recording) == [(1, 10), (15, 15.15)]
    assert depth(recording, "ask", second=15.15)[0.01] == 9


@pytest.mark.parametrize("block", [1 << 24, 200])
def test_snapshots_by_such_clocks(tmp_path, monkeypatch, block):
    monkeypatch.setattr("liqbt.data.readers._blocks._BLOCK", block)
    monkeypatch.setattr("liqbt.data.readers._containers._PIECE", 100)
    sizes = {8.0: 1, 15.0: 2, 9.5: 3, 16.0: 4, 25.0: 5}
    rows = [line(second, 101, size, 99, size, 104, size, 96, size) for second, size in sizes.items()]
    recording = read_one(snapshots(tmp_path, *rows, count=2))
    assert instants(recording) == [(8, 10), (16, 20), (25, 25.15)]  # the third came after the second, whatever its clock says
    assert [depth(recording, "ask", second=second)[0.01] for second in (10, 20, 25.15)] == [1, 4, 5]


def many_updates(count):
    start = [line(0.5, "true", side, price, 1 + k) for k in range(4) for side, price in (("bid", 99 - k), ("ask", 101 + k))]
    return start + [
        line(1 + step * 0.7, "false", ("bid", "ask")[step % 2], (99 - step % 5, 101 + step % 3)[step % 2], step % 7)
        for step in range(count)
    ]


@pytest.mark.parametrize("kind", ["snapshots", "updates"])
def test_where_blocks_end_changes_nothing(tmp_path, monkeypatch, kind):
    if kind == "updates":
        path = updates(tmp_path, *many_updates(200))
    else:
        path = snapshots(tmp_path, *(line(k * 0.9, *(cell + k / 100 for cell in BOOK)) for k in range(100)))
    whole = read_one(path)
    monkeypatch.setattr("liqbt.data.readers._blocks._BLOCK", 1500)
    monkeypatch.setattr("liqbt.data.readers._containers._PIECE", 700)
    assert len(list(open_reading(path).batches())) > 3
    assert read_one(path).rows.equals(whole.rows)
    assert whole.rows["available_at"].n_unique() > 8


@pytest.mark.parametrize("kind", ["snapshots", "updates"])
def test_what_comes_later_changes_no_book_before(tmp_path, kind):
    if kind == "updates":
        rows, write_to = many_updates(200), updates
    else:
        rows, write_to = [line(k * 0.9, *(cell + k / 100 for cell in BOOK)) for k in range(100)], snapshots
    whole = read_one(write_to(tmp_path, *rows)).rows
    cut = read_one(write_to(tmp_path, *rows[:60])).rows
    full = cut.filter(pl.col("available_at").to_physical() % 10_000_000_000 == 0)
    assert full["available_at"].n_unique() >= 3
    assert full.equals(whole.filter(pl.col("available_at") <= full["available_at"].max()))


def test_several_symbols(tmp_path):
    other = "binance-futures,ETHUSDT"
    path = snapshots(tmp_path, line(1, *BOOK), line(2, *(2 * cell for cell in BOOK), of=other), line(12, *BOOK))
    first, second = read_file(path)
    assert (first.symbol, instants(first)) == ("BTCUSDT", [(1, 10), (12, 12.15)])
    assert (second.symbol, instants(second)) == ("ETHUSDT", [(2, 2.15)])
    assert read_one(path, symbol="ETHUSDT").rows.equals(second.rows)
    rows = [line(1, "true", side, price, 1, of=of) for of in ("x,A", "x,B") for side, price in (("bid", 99), ("ask", 101))]
    assert read_one(updates(tmp_path, *rows), symbol="B", contract_size=2).rows["amount"].max() == 2


@pytest.mark.parametrize(
    ("position", "value", "message"),
    [
        (4, "", "row 2: is_snapshot is None, expected true or false"),
        (4, "maybe", "row 2: is_snapshot is 'maybe', not true or false"),
        (5, "buy", "row 2: side is 'buy', expected bid or ask"),
        (6, "0", "row 2: price is 0.0, a price must be"),
        (6, "", "row 2: price is None, a price must be"),
        (7, "-1", "row 2: amount is -1.0, an amount must be"),
        (7, "inf", "row 2: amount is inf, an amount must be"),
        (2, "17", "row 2: timestamp is 17, outside the years 2000 to 2100 as us"),
    ],
)
def test_broken_updates_are_named(tmp_path, position, value, message):
    rows = [line(1, "true", "bid", 99, 2), line(1, "true", "ask", 101, 1), line(2, "false", "ask", 102, 1)]
    cells = rows[1].split(",")
    cells[position] = value
    path = updates(tmp_path, rows[0], ",".join(cells), rows[2])
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("book", "message"),
    [
        (
            (101, 1, 99, 10, 100.5, 2, 97, 20, 104, 4, 95, 40),
            "rows 1 to 2: depth: snapshot 2 .* has levels that do not run from the best outwards",
        ),
        ((101, 1, 99, 10, 102, -2, 97, 20, 104, 4, 95, 40), "rows 1 to 2: depth: snapshot 2 .* has a negative or infinite level"),
        ((101, 1, 99, 10, 102, "x", 97, 20, 104, 4, 95, 40), r"row 2: asks\[1\].amount is 'x', not a number"),
    ],
)
def test_broken_snapshots_are_named(tmp_path, book, message):
    path = snapshots(tmp_path, line(1, *BOOK), line(12, *book), line(22, *BOOK))
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_files(tmp_path):
    for k, (header, message) in enumerate(
        [(levels(3).replace("bids[1].amount", "bids[1].size"), r"has no column 'bids\[1\].amount'"), (levels(3), "holds no rows")]
    ):
        rows = [line(1, *BOOK)] if k == 0 else []
        with pytest.raises(DataError, match=message):
            read_file(write(tmp_path / f"{k}.csv.gz", header, rows))
    with pytest.raises(ConfigError, match="depth_interval"):
        read_file(samples(tmp_path)["book_snapshot"], depth_interval="often")

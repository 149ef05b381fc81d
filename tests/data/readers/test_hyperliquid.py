"""Hyperliquid: trades, contexts and order books, recorded and archived."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from reading import read_one
from samples_hyperliquid import CONTEXTS, MINUTE, T0, archived_book, node_trade, samples, write

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError

HOUR = 60 * MINUTE
EIGHT = 1_760_126_400_000  # 2025-10-10 20:00


def ms(recording, column="timestamp", start=T0):
    return [(stamp - start * 1_000_000) / 1_000_000 for stamp in recording.rows[column].to_physical()]


def tables(path, **options):
    return {(one.symbol, one.table): one for one in read_file(path, **options)}


def trade(ts=T0, **changes):
    return {"ts": ts, "px": 0.25, "sz": 100.0, "side": "A", **changes}


def context(ts, **changes):
    return {"ts": ts, "funding": 1e-5, "oi": 1000.0, "mark": 0.25, "oracle": 0.251, **changes}


def book(ts, bids=((99, 1),), asks=((101, 1),)):
    return {"ts": ts, "bids": [list(one) for one in bids], "asks": [list(one) for one in asks]}


def market(time, coin="BTC", *, mark="100.5", oracle="100", funding="0.00001", oi="31000.5"):
    return f"{time},{coin},{funding},{oi},99,1000,0.0001,{oracle},{mark},100.2,100.1,100.3"


# --- trades


def test_an_ask_is_a_taker_that_sold(tmp_path):
    recording = read_one(samples(tmp_path)["trades"])
    assert (recording.table, recording.venue, recording.symbol, recording.reader) == ("trades", "hyperliquid", "DOGE", "hyperliquid")
    assert recording.rows["side"].to_list() == ["sell", "buy"]
    assert recording.rows["price"].to_list() == [0.25, 0.26]
    assert recording.rows["amount"].to_list() == [100.0, 40.0]
    assert ms(recording) == ms(recording, "available_at") == [0, 5]
    assert recording.notes == ()


def test_trades_that_are_alike_are_all_kept(tmp_path):
    assert read_one(write(tmp_path / "a.jsonl", trade(), trade(), trade())).rows.height == 3


def test_trades_out_of_order_are_sorted_and_those_of_one_instant_stay(tmp_path):
    path = write(tmp_path / "a.jsonl", trade(T0 + 5, sz=1.0), trade(T0, sz=2.0), trade(T0, sz=3.0))
    recording = read_one(path)
    assert recording.rows["amount"].to_list() == [2.0, 3.0, 1.0]
    assert recording.notes == ("1 rows out of order sorted",)
    assert recording.symbol is None


def test_only_the_recorder_s_own_names_tell_the_coin(tmp_path):
    assert open_reading(write(tmp_path / "trades_kPEPE_20260613.jsonl", trade())).recognition.symbol == "kPEPE"
    assert open_reading(write(tmp_path / "my_trades_DOGE_20260613.jsonl", trade())).recognition.symbol is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (trade(side="C"), r"row 2: side is 'C', not 'A' or 'B'"),
        (trade(side=None), r"row 2: side is None, not 'A' or 'B'"),
        (trade(px=-1.0), r"row 2 .*: price is -1.0; a price must be finite and above 0"),
        (trade(sz=-1.0), r"row 2 .*: amount is -1.0"),
        (trade(ts=T0 // 1000), r"row 2: ts is 1760129400, outside the years 2000 to 2100 as ms"),
        (trade(ts=T0 * 1000), r"row 2: ts is 1760129400000000, outside the years 2000 to 2100"),
        (trade(px="cheap"), r"row 2: px is 'cheap'"),
        ('{"ts": 1760129400000, "px": 0.2', r"row 2 is no JSON object .* torn"),
        ("", r"row 2 is empty"),
    ],
)
def test_what_is_no_trade_is_named_with_its_row(tmp_path, line, message):
    path = write(tmp_path / "a.jsonl", trade(), line, trade())
    with pytest.raises(DataError, match=message) as caught:
        read_file(path, reader="hyperliquid", table="trades")
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_node_trades(tmp_path):
    recording = read_one(samples(tmp_path)["node_trades"])
    assert (recording.table, recording.symbol, recording.kind) == ("trades", "AAVE", "Hyperliquid's node_trades, one trade a line")
    assert recording.rows["timestamp"].to_physical()[0] == 1_748_181_599_974_190_721
    assert recording.rows["side"].to_list() == ["buy", "sell"]
    assert recording.rows["price"].to_list() == [264.56, 264.5]
    assert recording.rows["amount"].to_list() == [0.06, 0.06]


def test_node_trades_of_other_markets_and_between_vaults_are_left_out(tmp_path):
    lines = [
        node_trade(),
        node_trade(coin="@107"),
        node_trade(coin="PURR/USDC"),
        node_trade(coin="xyz:NVDA"),
        node_trade(trade_dir_override="NetChildVaultPositions"),
        node_trade(trade_dir_override="LiquidatedMarket", side="A"),
    ]
    path = write(tmp_path / "13.lz4", *lines)
    found = {one.symbol: one for one in read_file(path)}
    assert sorted(found) == ["AAVE", "xyz-NVDA"]
    assert found["AAVE"].rows["side"].to_list() == ["buy", "sell"]
    assert found["AAVE"].notes == ("2 trades of spot and other markets left out", "1 transfers between vaults left out")
    assert read_one(path, symbol="xyz-NVDA").symbol == "xyz-NVDA"
    with pytest.raises(ConfigError, match=r"symbol: .* has no 'xyz:NVDA'; did you mean 'xyz-NVDA'"):
        read_file(path, symbol="xyz:NVDA")


def test_a_node_trade_without_a_time_is_named(tmp_path):
    with pytest.raises(DataError, match=r"row 2: time is 'yesterday', not an ISO time"):
        read_file(write(tmp_path / "a.lz4", node_trade(), node_trade(time="yesterday")))


@pytest.mark.parametrize(("name", "value"), [("utc_offset_hours", 1.0), ("contract_size", 10.0), ("interval", "1m")])
def test_options_without_a_meaning_are_refused(tmp_path, name, value):
    paths = samples(tmp_path)
    for kind in ("trades", "node_trades", "l2", "l2_book", "node_fills", "node_fills_by_block"):
        with pytest.raises(ConfigError, match=rf"{name}: reader 'hyperliquid'"):
            read_file(paths[kind], **{name: value})


# --- contexts


def test_contexts_give_four_tables(tmp_path):
    found = tables(samples(tmp_path)["contexts"])
    assert sorted(table for _, table in found) == ["index", "mark", "open_interest"]  # no full hour follows within five minutes
    interest = found["DOGE", "open_interest"]
    assert interest.rows["open_interest"].to_list() == [1000.0, 1100.0]
    assert interest.rows.columns == ["timestamp", "available_at", "open_interest"]
    assert ms(interest) == ms(interest, "available_at") == [0, MINUTE]
    assert found["DOGE", "index"].rows["close"].to_list() == [0.251, 0.253]


def test_samples_become_bars_that_are_known_at_their_end(tmp_path):
    marks = [(2, 0.5), (30, 0.7), (59, 0.4), (61, 0.6), (200, 0.9)]
    lines = [context(T0 + 1_000 * second, mark=mark, oracle=2 * mark) for second, mark in marks]
    path = write(tmp_path / "a.jsonl", *lines)
    mark = tables(path)[None, "mark"]
    assert mark.interval == "1m"
    assert ms(mark) == [0, MINUTE, 3 * MINUTE]  # the third minute has no sample
    assert ms(mark, "available_at") == [MINUTE, 2 * MINUTE, 4 * MINUTE]
    assert mark.rows.select("open", "high", "low", "close").rows() == [(0.5, 0.7, 0.4, 0.4), (0.6, 0.6, 0.6, 0.6), (0.9, 0.9, 0.9, 0.9)]
    five = read_one(path, table="index", interval="5m")
    assert (five.interval, ms(five), ms(five, "available_at")) == ("5m", [0], [5 * MINUTE])
    assert five.rows.select("open", "high", "low", "close").rows() == [(1.0, 1.8, 0.8, 1.8)]


def test_an_hour_paid_the_last_rate_before_it(tmp_path):
    lines = [
        context(EIGHT + HOUR - 90_000, funding=1e-5),
        context(EIGHT + HOUR - 30_000, funding=2e-5),  # 21:00 paid this
        context(EIGHT + HOUR, funding=9e-5),  # the hour itself is past the payment
        context(EIGHT + HOUR + 30_000, funding=3e-5),
        context(EIGHT + 2 * HOUR - 300_000, funding=4e-5),  # 22:00, exactly five minutes before
        context(EIGHT + 3 * HOUR - 300_001, funding=5e-5),  # too long before 23:00
        context(EIGHT + 3 * HOUR + 1, funding=6e-5),
        context(EIGHT + 4 * HOUR - 1, funding=-7e-5),  # 24:00, after the file's end
    ]
    funding = tables(write(tmp_path / "a.jsonl", *lines))[None, "funding"]
    assert ms(funding, start=EIGHT) == ms(funding, "available_at", start=EIGHT) == [HOUR, 2 * HOUR, 4 * HOUR]
    assert funding.rows["funding_rate"].to_list() == [2e-5, 4e-5, -7e-5]
    assert funding.notes == ("1 hours without a context in their last five minutes, funding left out",)


def test_one_table_of_several(tmp_path):
    path = write(tmp_path / "a.jsonl", context(EIGHT + HOUR - 40_000), context(EIGHT + HOUR + 20_000))
    for name in ("open_interest", "funding", "mark", "index"):
        assert read_one(path, table=name).table == name
    for name in ("open_interest", "funding"):
        with pytest.raises(ConfigError, match=r"interval: reader 'hyperliquid' reads rows that cover no interval"):
            read_file(path, table=name, interval="1m")


def test_contexts_that_are_doubled_or_out_of_order_are_mended(tmp_path):
    lines = [context(T0 + 60_000, oi=5.0), context(T0, oi=4.0), context(T0, oi=4.0)]
    found = read_one(write(tmp_path / "a.jsonl", *lines), table="open_interest")
    assert found.rows["open_interest"].to_list() == [4.0, 5.0]
    assert found.notes == ("1 rows out of order sorted", "1 doubled rows dropped")
    with pytest.raises(DataError, match=r"row 3 \(2025-10-10 20:50:00\) has the stamp of row 2 but other values"):
        read_file(write(tmp_path / "b.jsonl", *lines[:2], context(T0, oi=4.5)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"oi": -1.0}, r"open_interest is -1.0"),
        ({"funding": 1.5}, r"funding_rate is 1.5; a rate is a fraction"),
        ({"mark": -0.1}, r"low is -0.1|open is -0.1"),
        ({"ts": 1.5}, r"row 2: ts is"),
        ({"oracle": "high"}, r"row 2: oracle is 'high'"),
    ],
)
def test_what_is_no_context_is_named(tmp_path, changes, message):
    path = write(tmp_path / "a.jsonl", context(EIGHT + HOUR - 120_000), {**context(EIGHT + HOUR - 60_000), **changes})
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert "row 2" in str(caught.value)


def test_contexts_without_a_value_are_left_out_and_counted(tmp_path):
    path = write(tmp_path / "a.jsonl", context(T0), context(T0 + MINUTE, mark=None), context(T0 + 2 * MINUTE, oi=None))
    found = tables(path)
    assert ms(found[None, "mark"]) == [0, 2 * MINUTE]
    assert ms(found[None, "open_interest"]) == [0, MINUTE]
    assert found[None, "index"].rows.height == 3
    assert found[None, "mark"].notes == (
        "1 contexts without open interest left out of it",
        "1 contexts without a mark price left out of it",
    )


def test_archived_contexts_of_all_coins(tmp_path):
    lines = [
        market("2025-10-10T20:58:00Z"),
        market("2025-10-10T20:58:00Z", "ETH", mark="4000", funding="-0.00002"),
        market("2025-10-10T20:59:04Z", mark="0.0", oracle="0.0", funding="0.00003"),
        market("2025-10-10T20:59:04Z", "@107"),
        market("2025-10-10T21:00:00Z", funding="0.5"),
    ]
    path = write(tmp_path / "20251010.csv.lz4", CONTEXTS, *lines)
    found = tables(path)
    assert sorted(found) == [(coin, name) for coin in ("BTC", "ETH") for name in ("funding", "index", "mark", "open_interest")]
    assert found["BTC", "funding"].rows["funding_rate"].to_list() == [0.00003]
    assert found["ETH", "funding"].rows["funding_rate"].to_list() == [-0.00002]
    assert ms(found["BTC", "mark"], start=EIGHT) == [58 * MINUTE, 60 * MINUTE]  # a price of 0 is none
    assert found["BTC", "open_interest"].rows["open_interest"].to_list() == [31000.5] * 3
    assert found["ETH", "mark"].rows["close"].to_list() == [4000.0]
    assert "1 rows of spot and other markets left out" in found["BTC", "mark"].notes
    assert "1 contexts without a mark price left out of it" in found["BTC", "mark"].notes
    assert [one.symbol for one in read_file(path, symbol="ETH", table="mark")] == ["ETH"]
    with pytest.raises(ConfigError, match=r"has no 'SOL'"):
        read_file(path, symbol="SOL")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([CONTEXTS, market("2025-10-10T20:58:00Z", oi="many")], r"row 1: open_interest is 'many', not a number"),
        ([CONTEXTS, market("noon")], r"row 1: time is 'noon', not an ISO time"),
        ([CONTEXTS, market("2025-10-10T20:58:00Z")[:-8]], r"row 1 has 11 cells, expected 12"),
        ([CONTEXTS, market("2025-10-10T20:58:00Z", mark="-5")], r"row 1 .*(open|low) is -5"),
        ([CONTEXTS], r"holds no rows"),
    ],
)
def test_what_is_no_archived_context_is_named(tmp_path, lines, message):
    with pytest.raises(DataError, match=message):
        read_file(write(tmp_path / "20251010.csv.lz4", *lines))


# --- order books


def test_a_recorded_book_becomes_cumulative_depth(tmp_path):
    path = write(tmp_path / "a.jsonl", book(T0, [(99.99, 2), (99.9, 3), (99, 4)], [(100.01, 1), (100.5, 2), (102, 5)]))
    recording = read_one(path)
    rows = {(side, distance): (amount, notional) for _, _, side, distance, amount, notional in recording.rows.rows()}
    assert (recording.table, recording.interval) == ("depth", None)
    assert rows["bid", 0.0005] == (2.0, pytest.approx(199.98))  # mid 100: down to 99.95
    assert rows["bid", 0.005] == (5.0, pytest.approx(199.98 + 299.7))
    assert rows["bid", 0.01] == (9.0, pytest.approx(199.98 + 299.7 + 396))
    assert ("bid", 0.02) not in rows  # deeper than what was recorded
    assert rows["ask", 0.0002] == (1.0, pytest.approx(100.01))
    assert rows["ask", 0.02] == (8.0, pytest.approx(100.01 + 201 + 510))


def test_the_last_book_of_each_interval_is_kept(tmp_path):
    times = [0, 4_000, 9_999, 9_999, 10_000, 25_000]
    path = write(tmp_path / "a.jsonl", *(book(T0 + time, [(99, 1 + time)]) for time in times))
    recording = read_one(path)
    assert sorted(set(ms(recording))) == [9_999, 10_000, 25_000]
    assert recording.rows["available_at"].to_list() == recording.rows["timestamp"].to_list()
    bids = recording.rows.filter((pl.col("side") == "bid") & (pl.col("distance") == 0.01))
    assert bids["amount"].to_list() == [10_000.0, 10_001.0, 25_001.0]
    assert sorted(set(ms(read_one(path, depth_interval="1m")))) == [25_000]


def test_books_out_of_order_are_sorted(tmp_path):
    recording = read_one(write(tmp_path / "a.jsonl", book(T0 + 30_000), book(T0)))
    assert sorted(set(ms(recording))) == [0, 30_000]
    assert recording.notes == ("1 rows out of order sorted",)


def test_crossed_and_one_sided_books_are_left_out_and_counted(tmp_path):
    lines = [book(T0), book(T0 + 10_000, [(101, 1)], [(100, 1)]), book(T0 + 20_000, []), book(T0 + 30_000, asks=[])]
    recording = read_one(write(tmp_path / "a.jsonl", *lines))
    assert set(ms(recording)) == {0}
    assert recording.notes == ("1 crossed order books left out", "2 order books without bids or asks left out")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"ts": T0 + 60_000, "bids": [[99]], "asks": [[101, 1]]}, r"row 3: bids are missing, or hold a level without a price or size"),
        ({"ts": T0 + 60_000, "bids": [[99, 1]], "asks": [[101, None]]}, r"row 3: asks are missing, or hold"),
        ({"ts": T0 + 60_000, "bids": None, "asks": [[101, 1]]}, r"row 3: bids are missing"),
        ({"ts": T0 + 60_000, "bids": [[98, 1], [99, 1]], "asks": [[101, 1]]}, r"row 3: the book has levels that do not run from the best"),
        ({"ts": T0 + 60_000, "bids": [[99, -1]], "asks": [[101, 1]]}, r"row 3: the book has a negative or infinite level"),
        ({"ts": T0 // 1000, "bids": [[99, 1]], "asks": [[101, 1]]}, r"row 3: ts is 1760129400, outside the years"),
    ],
)
def test_what_is_no_book_is_named_with_its_row(tmp_path, line, message):
    path = write(tmp_path / "a.jsonl", book(T0), book(T0 + 30_000), line)
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert "\n" not in str(caught.value)


def test_an_archived_book_is_known_when_it_was_written(tmp_path):
    late, early = "2025-10-10T20:50:00.100000000", "2025-10-10T20:50:09.999000000"
    lines = [
        archived_book(T0, [(99.5, 2)], [(100.5, 1)], written=late),
        archived_book(T0 + 10_000, [(99.5, 3)], [(100.5, 1)], written=early),  # a clock that runs behind
        archived_book(T0, [(9.5, 2)], [(10.5, 1)], coin="xyz:NVDA", written=late),
        archived_book(T0, [(9.5, 2)], [(10.5, 1)], coin="@107", written=late),
    ]
    path = write(tmp_path / "SOL.lz4", *lines)
    sol, other = read_file(path)
    assert (sol.symbol, other.symbol) == ("SOL", "xyz-NVDA")
    assert sol.notes == ("1 order books of spot and other markets left out",)
    assert sorted(set(ms(sol))) == [0, 10_000]
    assert sorted(set(ms(sol, "available_at"))) == [100, 10_000]
    assert [one.symbol for one in read_file(path, symbol="SOL")] == ["SOL"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (archived_book(T0, [("a lot", 1)], [(101, 1)]), r"row 2: bids are missing, or hold a level without a price"),
        (archived_book(T0, [(99, 1)], [(101, 1)], coin=None), r"row 2 names no coin"),
        (archived_book(T0, [(99, 1)], [(101, 1)], written="later"), r"row 2: time is 'later', not an ISO time"),
    ],
)
def test_what_is_no_archived_book_is_named(tmp_path, line, message):
    with pytest.raises(DataError, match=message):
        read_file(write(tmp_path / "SOL.lz4", archived_book(T0, [(99, 1)], [(101, 1)]), line))


# --- recorded


@pytest.mark.recorded
def test_three_recorded_days(recorded):
    folder = recorded / "hyperliquid_doge"
    counts = {}
    for path in sorted(folder.iterdir()):
        for one in read_file(path):
            assert (one.venue, one.symbol, one.notes) == ("hyperliquid", "DOGE", ())
            counts.setdefault(one.table, []).append(one.rows.height)
    assert counts["trades"] == [12_064, 11_954, 18_923]
    assert counts["open_interest"] == counts["mark"] == counts["index"] == [1_426, 1_428, 1_427]
    assert counts["funding"] == [24, 24, 24]
    assert counts["depth"] == [38_547, 40_108]


@pytest.mark.recorded
def test_recorded_rates_drop_to_a_fresh_average_after_each_full_hour(recorded):
    path = recorded / "hyperliquid_doge" / "ctx_DOGE_20260613.jsonl.gz"
    funding = read_one(path, table="funding")
    assert funding.rows["timestamp"][0] == datetime(2026, 6, 13, 1, tzinfo=UTC)
    assert funding.rows["timestamp"][-1] == datetime(2026, 6, 14, 0, tzinfo=UTC)
    assert funding.rows["funding_rate"][:4].to_list() == [7.5838e-06, 9.7189e-06, 9.7818e-06, 8.5465e-06]


@pytest.mark.recorded
def test_recorded_trades_and_books_agree(recorded):
    folder = recorded / "hyperliquid_doge"
    trades = read_one(folder / "trades_DOGE_20260614.jsonl.gz").rows
    mark = read_one(folder / "ctx_DOGE_20260614.jsonl.gz", table="mark").rows
    both = trades.join_asof(mark, on="timestamp", strategy="backward").drop_nulls("close")
    assert both.height > 11_900
    assert (both["price"] / both["close"] - 1).abs().max() < 0.01
    depth = read_one(folder / "l2_DOGE_20260614.jsonl.gz", depth_interval="1m").rows
    assert depth["timestamp"].n_unique() == 1_441
    price = depth["notional"] / depth["amount"]
    assert 0.08 < price.min() < price.max() < 0.1

"""Hyperliquid's fills: pairs of rows to trades, and positions that were closed by force."""

from __future__ import annotations

import json

import pytest
from reading import read_one
from samples_hyperliquid import ALICE, BOB, T0, VAULT, block, fill, liquidated, write

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError

TURNED = {"A": "B", "B": "A"}


def pair(taker, maker, *, side="A", liquidation=None, ways=("Close Long", "Open Long"), **changes):
    """Both rows of a trade, the taker's first; side: the taker's."""
    rows = [fill(side=one, crossed=crossed, way=way, liquidation=liquidation, **changes)
            for one, crossed, way in zip((side, TURNED[side]), (True, False), ways, strict=True)]  # fmt: skip
    return [[taker, rows[0]], [maker, rows[1]]]


def fills(folder, *rows):
    return write(folder / "14.lz4", *rows)


def tables(path, **options):
    return {(one.symbol, one.table): one for one in read_file(path, **options)}


def test_a_trade_is_its_taker_s_row(tmp_path):
    first = pair(ALICE, BOB, side="A", tid=7, px="1500.5", sz="2.0")
    second = pair(BOB, ALICE, side="B", tid=8, px="1501", sz="0.25", time=T0 + 3)
    path = fills(tmp_path, *reversed(first), *second)
    recording = read_one(path)
    assert (recording.table, recording.venue, recording.symbol) == ("trades", "hyperliquid", "ETH")
    assert recording.rows["side"].to_list() == ["sell", "buy"]
    assert recording.rows["price"].to_list() == [1500.5, 1501.0]
    assert recording.rows["amount"].to_list() == [2.0, 0.25]
    assert recording.rows["id"].to_list() == [7, 8]
    assert recording.rows["timestamp"].to_physical().to_list() == [T0 * 1_000_000, (T0 + 3) * 1_000_000]
    assert recording.rows["available_at"].to_list() == recording.rows["timestamp"].to_list()
    assert recording.notes == ()


def test_where_only_the_maker_s_row_is_there_its_side_is_turned_round(tmp_path):
    path = fills(tmp_path, pair(ALICE, BOB, side="A", tid=1)[1], pair(ALICE, BOB, side="B", tid=2)[1])
    recording = read_one(path)
    assert recording.rows["side"].to_list() == ["sell", "buy"]
    assert recording.notes == ("2 trades taken from their maker's row, the taker's is not there",)


def test_rows_that_were_written_again_count_once(tmp_path):
    rows = pair(ALICE, BOB, tid=1) + pair(ALICE, BOB, tid=2, time=T0 + 1, liquidation=liquidated(ALICE))
    found = tables(fills(tmp_path, *rows, *rows))
    assert found["ETH", "trades"].rows["id"].to_list() == [1, 2]
    assert found["ETH", "liquidations"].rows.height == 1
    assert found["ETH", "trades"].notes == ("1 rows out of order sorted",)


def test_the_same_number_in_another_coin_is_another_trade(tmp_path):
    found = tables(fills(tmp_path, *pair(ALICE, BOB, tid=1), *pair(ALICE, BOB, tid=1, coin="BTC")))
    assert {key: one.rows.height for key, one in found.items()} == {("ETH", "trades"): 1, ("BTC", "trades"): 1}


@pytest.mark.parametrize(("side", "position"), [("A", "long"), ("B", "short")])
@pytest.mark.parametrize("seen", ["both", "taker", "maker"])
def test_a_liquidation_tells_the_position_s_side_whichever_row_is_there(tmp_path, side, position, seen):
    ways = ("Close Long", "Open Long") if side == "A" else ("Close Short", "Open Short")
    rows = pair(ALICE, BOB, side=side, liquidation=liquidated(ALICE.upper().replace("0X", "0x")), ways=ways)
    kept = {"both": rows, "taker": rows[:1], "maker": rows[1:]}[seen]
    liquidation = read_one(fills(tmp_path, *kept), table="liquidations")
    assert liquidation.rows.select("side", "amount", "price").rows() == [(position, 2.0, 1500.5)]
    assert read_one(fills(tmp_path, *kept), table="trades").rows["side"].to_list() == ["sell" if side == "A" else "buy"]


def test_an_order_that_took_two_makers_is_two_rows(tmp_path):
    rows = pair(ALICE, BOB, tid=1, sz="1", liquidation=liquidated(ALICE)) + pair(ALICE, VAULT, tid=2, sz="3", liquidation=liquidated(ALICE))
    found = tables(fills(tmp_path, *rows))
    assert found["ETH", "liquidations"].rows["amount"].to_list() == [1.0, 3.0]
    assert found["ETH", "trades"].rows["amount"].to_list() == [1.0, 3.0]


@pytest.mark.parametrize("ways", [("Liquidated Cross Long", "Liquidated Cross Long"), ("Open Long", "Close Long")])
def test_a_backstop_is_a_liquidation_and_no_trade(tmp_path, ways):
    # The vault is the taker of what it takes over: it buys a long.
    taken = pair(VAULT, ALICE, side="B", tid=9, px="67.5499", liquidation=liquidated(ALICE, "backstop"), ways=ways)
    found = tables(fills(tmp_path, *pair(ALICE, BOB, tid=1), *taken))
    assert found["ETH", "liquidations"].rows.select("side", "price").rows() == [("long", 67.5499)]
    assert found["ETH", "trades"].rows["id"].to_list() == [1]
    assert found["ETH", "trades"].notes == ("1 fills outside the order book left out of trades",)


def test_what_is_deleveraged_afterwards_is_neither(tmp_path):
    # The vault's long is closed against the short of a trader who was not liquidated.
    closed = pair(
        BOB, VAULT, side="B", tid=10, liquidation=liquidated(VAULT, "backstop"), ways=("Auto-Deleveraging", "Close Long"), time=T0 + 1
    )
    found = tables(fills(tmp_path, *pair(ALICE, BOB, tid=1, liquidation=liquidated(ALICE)), *closed))
    assert found["ETH", "liquidations"].rows.height == 1
    assert found["ETH", "trades"].rows["id"].to_list() == [1]
    assert found["ETH", "liquidations"].notes == (
        "1 fills outside the order book left out of trades",
        "1 auto-deleveraged fills left out of liquidations",
    )


@pytest.mark.parametrize("way", ["Net Child Vaults", "Settlement", "something new"])
def test_what_vaults_net_among_themselves_is_no_trade(tmp_path, way):
    found = tables(fills(tmp_path, *pair(ALICE, BOB, tid=1), *pair(ALICE, BOB, tid=2, ways=(way, way))))
    assert found["ETH", "trades"].rows["id"].to_list() == [1]


def test_spot_is_left_out_and_markets_of_others_have_plain_names(tmp_path):
    rows = [row for coin in ("@107", "PURR/USDC", "xyz:NVDA", "kPEPE") for row in pair(ALICE, BOB, coin=coin)]
    found = tables(fills(tmp_path, *rows))
    assert sorted(found) == [("kPEPE", "trades"), ("xyz-NVDA", "trades")]
    assert "4 fills of spot and other markets left out" in found["kPEPE", "trades"].notes
    assert list(tables(fills(tmp_path, *rows), symbol="kPEPE")) == [("kPEPE", "trades")]
    with pytest.raises(ConfigError, match=r"has no 'BTC'"):
        read_file(fills(tmp_path, *rows), symbol="BTC")


def test_blocks_give_the_same_and_are_known_when_they_were_written(tmp_path):
    rows = pair(ALICE, BOB, tid=1, liquidation=liquidated(ALICE)) + pair(BOB, ALICE, side="B", tid=2)
    lines = fills(tmp_path, *rows)
    blocks = write(tmp_path / "20.lz4", block(), block(*rows[:3]), block(rows[3]))
    for name in ("trades", "liquidations"):
        one, other = read_one(lines, table=name), read_one(blocks, table=name)
        assert other.rows.drop("available_at").equals(one.rows.drop("available_at"))
        assert set(other.rows["available_at"].to_physical()) == {T0 * 1_000_000 + 250_000_001}


def test_a_node_s_clock_that_runs_behind_makes_nothing_known_before_it_happened(tmp_path):
    blocks = write(tmp_path / "20.lz4", block(*pair(ALICE, BOB), local_time="2025-10-10T20:49:59.999"))
    recording = read_one(blocks)
    assert recording.rows["available_at"].to_list() == recording.rows["timestamp"].to_list()


def test_spaces_between_the_words_change_nothing(tmp_path):
    rows = pair(ALICE, BOB, tid=1, liquidation=liquidated(ALICE))
    plain = fills(tmp_path, *(json.dumps(row) for row in rows))
    spaced = write(tmp_path / "20.lz4", json.dumps(block(*rows)))
    for path in (plain, spaced):
        found = tables(path)
        assert found["ETH", "trades"].rows["side"].to_list() == ["sell"]
        assert found["ETH", "liquidations"].rows["side"].to_list() == ["long"]


def test_a_block_that_is_longer_than_the_head_is_recognised(tmp_path):
    rows = [row for tid in range(400) for row in pair(ALICE, BOB, tid=tid)]
    path = write(tmp_path / "20.lz4", block(*rows))
    assert open_reading(path).kind.name == "node_fills_by_block"
    assert read_one(path).rows.height == 400


def test_other_files_of_the_node_are_not_claimed(tmp_path):
    order = block([ALICE, {"coin": "ETH", "side": "A", "limitPx": "1500", "sz": "1", "oid": 1}])
    with pytest.raises(DataError, match=r"is of no kind that liqbt knows"):
        open_reading(write(tmp_path / "orders.lz4", order))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (f'["{ALICE}",{{"coin":"ETH","px":"15', r"row 3 is no JSON .* torn"),
        ("", r"row 3 is no JSON"),
        ([ALICE, fill(side="C")], r"row 3: side is 'C', not 'A' or 'B'"),
        ([ALICE, fill(px="cheap")], r"row 3: px is 'cheap', not a number"),
        ([ALICE, fill(px="-1")], r"row 3 .*: price is -1"),
        ([ALICE, fill(sz="-1")], r"row 3 .*: amount is -1"),
        ([ALICE, fill(time=T0 // 1000)], r"row 3: time is 1760129400, outside the years"),
        ([ALICE, fill(time="noon")], r"row 3: time is 'noon'"),
        ([ALICE, {key: value for key, value in fill().items() if key != "tid"}], r"row 3 has no 'tid'"),
        ([ALICE, {key: value for key, value in fill().items() if key != "crossed"}], r"row 3 has no 'crossed'"),
        (fill(), r"row 3 is .* no fill; check the reader"),
        ([None, fill()], r"row 3: user is empty"),
        ([ALICE, fill(coin=None)], r"row 3: coin is empty"),
        ([ALICE, fill(crossed="yes")], r"row 3: crossed is 'yes'"),
        ([ALICE, fill(liquidation="yes")], r"row 3 is .* no fill"),
    ],
)
def test_what_is_no_fill_is_named_with_its_row(tmp_path, line, message):
    path = fills(tmp_path, *pair(ALICE, BOB, tid=1), line, *pair(ALICE, BOB, tid=2))
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert "\n" not in str(caught.value)


def test_what_is_no_block_is_named_with_its_row(tmp_path):
    good = block(*pair(ALICE, BOB))
    for line, message in (
        ({key: value for key, value in good.items() if key != "events"}, r"row 2 has no 'events'"),
        ({**good, "local_time": "noon"}, r"row 2: local_time is 'noon', not an ISO time"),
        (json.dumps(good)[:-30], r"row 2 is no JSON"),
        ({**good, "events": "none"}, r"row 2 is .*, no fill; check the reader"),
    ):
        with pytest.raises(DataError, match=message):
            read_file(write(tmp_path / "20.lz4", good, line, good))

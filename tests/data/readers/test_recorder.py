"""Recorded liquidation streams: sides, units, clocks, and what recorders put around the messages."""

from __future__ import annotations

import json

import pytest
from reading import read_one
from samples_recorder import T0, all_liquidation, force_order, liquidation_orders, old_liquidation, samples, write

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError

COIN_M = {"s": "BTCUSD_PERP", "z": "500", "ap": "50000", "p": "49900"}


def ms(recording, column="timestamp"):
    return [(stamp - T0 * 1_000_000) / 1_000_000 for stamp in recording.rows[column].to_physical()]


def lines(folder, *messages):
    return write(folder / "a.jsonl", *messages)


# --- Binance


def test_a_sold_order_closed_a_long(tmp_path):
    recording = read_one(samples(tmp_path)["binance_force_order"])
    assert (recording.table, recording.venue, recording.symbol, recording.reader) == ("liquidations", "binance", "BTCUSDT", "recorder")
    assert recording.kind == "recorded forceOrder messages of Binance, events from a stream that shows at most one a second"
    assert recording.rows["side"].to_list() == ["long", "short"]
    assert recording.rows["amount"].to_list() == [0.033, 0.033]  # z, neither q nor l
    assert recording.rows["price"].to_list() == [94434.91, 94434.91]
    assert recording.rows["average_price"].to_list() == [94809.6, 94809.6]
    assert "bankruptcy_price" not in recording.rows.columns
    assert ms(recording) == [0, 1_998]
    assert ms(recording, "available_at") == [3, 2_000]
    assert recording.notes == ("1 answers, pings and pongs skipped",)


def test_contracts_on_coins_are_converted_at_the_price_of_the_fill(tmp_path):
    other = force_order(s="ETHUSD_PERP", z="500", ap="2500")
    found = {one.symbol: one for one in read_file(lines(tmp_path, force_order(**COIN_M), other, force_order()))}
    assert found["BTCUSD_PERP"].rows["amount"].to_list() == [1.0]  # 500 contracts of 100 USD at 50,000
    assert found["ETHUSD_PERP"].rows["amount"].to_list() == [2.0]  # of 10 USD at 2,500
    assert found["BTCUSDT"].rows["amount"].to_list() == [0.033]
    assert read_one(lines(tmp_path, force_order(**COIN_M)), contract_size=100).rows["amount"].to_list() == [1.0]
    with pytest.raises(ConfigError, match=r"contract_size: .* counts BTCUSDT in base coin, not 100; leave it out"):
        read_file(lines(tmp_path, force_order()), contract_size=100)


def test_one_symbol_of_many(tmp_path):
    path = lines(tmp_path, force_order(**COIN_M), force_order())
    assert read_one(path, symbol="BTCUSDT").rows["amount"].to_list() == [0.033]
    with pytest.raises(ConfigError, match=r"symbol: .* has no 'BTCUSD'; did you mean"):
        read_file(path, symbol="BTCUSD")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: event,
        lambda event: [event],
        lambda event: {"stream": "btcusdt@forceOrder", "data": event},
        lambda event: [{"stream": "!forceOrder@arr", "data": event}],
        lambda event: {"received": T0 + 40, "data": event},
        lambda event: {"received_at": "2024-12-04T16:46:25.624Z", "msg": event},
        lambda event: {"recv_ts": (T0 + 40) / 1_000, "message": json.dumps(event)},
        lambda event: {"local_timestamp": (T0 + 40) * 1_000, "payload": {"stream": "btcusdt@forceOrder", "data": event}},
        lambda event: {"received": (T0 + 40) * 1_000_000, **event},
        lambda event: {"received": "2024-12-04 22:16:25.624+05:30", "stream": "btcusdt@forceOrder", "data": [event]},
    ],
)
def test_whatever_is_around_a_message_is_taken_off(tmp_path, wrap):
    event = force_order()
    wrapped = wrap(event)
    recording = read_one(lines(tmp_path, wrapped))
    assert recording.rows["amount"].to_list() == [0.033]
    own_clock = isinstance(wrapped, dict) and set(wrapped) & {"received", "received_at", "recv_ts", "local_timestamp"}
    assert ms(recording, "available_at") == [40 if own_clock else 3]
    assert ms(recording) == [0]


def test_a_recorder_s_clock_that_runs_behind_makes_nothing_known_before_it_was_sent(tmp_path):
    recording = read_one(lines(tmp_path, {"received": T0 - 5_000, "data": force_order()}, force_order(E=T0 + 900, T=T0 + 1_000)))
    assert ms(recording, "available_at") == [3, 1_000]


def test_doubled_messages_are_dropped_and_two_alike_a_second_later_are_not(tmp_path):
    later = force_order(E=T0 + 1_003, T=T0 + 1_000)
    doubled = [force_order(), {"stream": "x", "data": force_order()}, later, {"received": T0 + 9, "data": force_order()}]
    recording = read_one(lines(tmp_path, *doubled))
    assert ms(recording) == [0, 1_000]
    assert recording.notes == ("2 doubled messages dropped",)


def test_answers_and_other_streams_are_skipped_and_counted(tmp_path):
    skipped = [{"result": None, "id": 1}, {"id": 1, "error": {"code": 2}}, '"pong"', "ping", {"ping": 1_700_000_000}]
    other = {"e": "aggTrade", "E": T0, "s": "BTCUSDT", "p": "1", "q": "1"}
    recording = read_one(lines(tmp_path, *skipped, other, force_order(), force_order(z="0", ap="0", E=T0 + 5)))
    assert recording.rows.height == 1
    assert recording.notes == (
        "5 answers, pings and pongs skipped",
        "1 messages of other streams left out",
        "1 orders of which nothing was filled left out",
    )


def test_events_out_of_order_are_sorted(tmp_path):
    recording = read_one(lines(tmp_path, force_order(T=T0 + 9_000, E=T0 + 9_001), force_order()))
    assert ms(recording) == [0, 9_000]
    assert recording.notes == ("1 rows out of order sorted",)


def test_an_order_at_the_market_s_price_has_none(tmp_path):
    recording = read_one(lines(tmp_path, force_order(p="0")))
    assert recording.rows.columns == ["timestamp", "available_at", "side", "amount", "average_price"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (force_order(S="HOLD"), r"row 2: S is 'HOLD', neither buy nor sell"),
        (force_order(z="many"), r"row 2: z is 'many', not a number of at least 0"),
        (force_order(z="-1"), r"row 2: z is '-1', not a number of at least 0"),
        (force_order(ap="nan"), r"row 2: ap is 'nan', not a number"),
        (force_order(T=T0 // 1_000), r"row 2: time is 1733330785, outside the years 2000 to 2100 as ms"),
        (force_order(T="noon"), r"row 2: T is 'noon', no time in ms"),
        (force_order(E=T0 * 1_000), r"row 2: known is 1733330785584000, outside the years"),
        (force_order(T=2**63), r"row 2: T is '9223372036854775808', outside the years 2000 to 2100 as ms"),
        (force_order(E=2**63), r"row 2: E is '9223372036854775808', outside the years 2000 to 2100 as ms"),
        (force_order(z=10**400), r"row 2: z is '1000.*', not a number of at least 0"),
        ({"received": 2**63, "data": force_order(E=T0 + 9)}, r"row 2: the recorder's clock is '9223372036854775808'"),
        (force_order(E=None), r"row 2: E is 'None', no time in ms"),
        (force_order(s=""), r"row 2 has a liquidation without 's'"),
        ({"e": "forceOrder", "E": T0}, r"row 2: o is 'None', no liquidation"),
        ({"received": "noon", "data": force_order(E=T0 + 9)}, r"row 2: the recorder's clock is 'noon'"),
        ({"price": 1}, r"""row 2: '\{"price": 1\}' is no message of binance's streams"""),
        (all_liquidation(), r"row 2: .* is no message of binance's streams"),
        ([1], r"row 2 holds '1', no message"),
        (json.dumps(force_order())[:-9], r"row 2 is no JSON .* torn"),
    ],
)
def test_what_is_no_event_is_named_with_its_row(tmp_path, line, message):
    path = lines(tmp_path, force_order(), line)
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("option", [{"utc_offset_hours": 5.5}, {"interval": "1m"}])
def test_options_without_a_meaning_are_refused(tmp_path, option):
    for kind, path in samples(tmp_path).items():
        with pytest.raises(ConfigError, match=rf"{next(iter(option))}: reader 'recorder'"):
            read_file(path, **option)
        assert kind


# --- Bybit


def test_bought_means_a_long_was_liquidated_on_bybit(tmp_path):
    message = all_liquidation({}, {"S": "Sell", "T": T0 + 1, "v": "7"})
    recording = read_one(lines(tmp_path, message))
    assert (recording.venue, recording.symbol) == ("bybit", "ROSEUSDT")
    assert recording.kind == "recorded liquidation messages of Bybit, every liquidation"
    assert recording.rows["side"].to_list() == ["long", "short"]
    assert recording.rows["amount"].to_list() == [20_000.0, 7.0]
    assert recording.rows["bankruptcy_price"].to_list() == [0.04499, 0.04499]
    assert recording.rows.columns == ["timestamp", "available_at", "side", "amount", "bankruptcy_price"]
    assert ms(recording) == [0, 1]
    assert ms(recording, "available_at") == [300, 300]


def test_two_alike_in_one_message_of_bybit_are_two(tmp_path):
    recording = read_one(lines(tmp_path, all_liquidation({}, {}), all_liquidation({}, {})))
    assert recording.rows.height == 2
    assert recording.notes == ("1 doubled messages dropped",)


def test_inverse_contracts_of_bybit_are_dollars(tmp_path):
    recording = read_one(lines(tmp_path, all_liquidation({"s": "BTCUSD", "v": "2000", "p": "50000"})))
    assert recording.rows["amount"].to_list() == [0.04]


def test_the_older_topic_of_bybit(tmp_path):
    recording = read_one(lines(tmp_path, old_liquidation(), old_liquidation(side="Sell", updatedTime=T0 + 2)))
    assert recording.kind.endswith("events from a stream that shows at most one a second")
    assert recording.symbol == "GALAUSDT"
    assert recording.rows["side"].to_list() == ["long", "short"]
    assert recording.rows["amount"].to_list() == [1637.0, 1637.0]
    assert recording.rows["bankruptcy_price"].to_list() == [0.03803, 0.03803]
    assert ms(recording, "available_at") == [5, 5]


# --- OKX


def test_okx_tells_the_position_s_side_or_the_order_s(tmp_path):
    details = [
        {},
        {"posSide": "long", "side": "sell", "ts": str(T0 + 1)},
        {"posSide": "net", "side": "sell", "ts": str(T0 + 2)},
        {"posSide": "", "side": "buy", "ts": str(T0 + 3)},
        {"posSide": "long", "side": "", "ts": str(T0 + 4)},
    ]
    recording = read_one(lines(tmp_path, liquidation_orders(*details)), contract_size=0.01)
    assert (recording.venue, recording.symbol) == ("okx", "BTC-USDT-SWAP")
    assert recording.rows["side"].to_list() == ["short", "long", "long", "short", "long"]
    assert recording.rows["amount"].to_list() == [0.13] * 5
    assert recording.rows["bankruptcy_price"].to_list() == [50_000.0] * 5
    assert ms(recording) == ms(recording, "available_at") == [0, 1, 2, 3, 4]


def test_the_size_of_okx_contracts_is_asked_for(tmp_path):
    path = samples(tmp_path)["okx_liquidation_orders"]
    with pytest.raises(ConfigError, match=r"contract_size: .* counts BTC-USDT-SWAP in contracts; give base coin a contract, OKX's ctVal"):
        read_file(path)
    both = lines(tmp_path, liquidation_orders(), liquidation_orders(instrument="ETH-USDT-SWAP"))
    with pytest.raises(ConfigError, match=r"holds BTC-USDT and ETH-USDT, whose contracts differ; give the symbol too"):
        read_file(both, contract_size=0.01)
    assert read_one(both, contract_size=0.1, symbol="ETH-USDT-SWAP").rows["amount"].to_list() == [1.3]


def test_inverse_contracts_of_okx_are_worth_dollars(tmp_path):
    recording = read_one(lines(tmp_path, liquidation_orders(instrument="BTC-USD-SWAP")), contract_size=100)
    assert recording.rows["amount"].to_list() == [0.026]  # 13 contracts of 100 USD at 50,000


def test_margin_accounts_and_options_of_okx_are_left_out(tmp_path):
    path = lines(tmp_path, liquidation_orders(), liquidation_orders(instrument="BTC-USDT"))
    assert read_one(path, contract_size=0.01).rows.height == 1


def test_files_of_answers_only_are_not_claimed(tmp_path):
    with pytest.raises(DataError, match=r"is no file of reader 'recorder'"):
        open_reading(lines(tmp_path, {"result": None, "id": 1}), reader="recorder")

"""Tardis' derivative_ticker: what is new in rows that repeat what is old."""

from __future__ import annotations

import pytest
from samples_tardis import START, TICKER, line, samples, stamp, write

from liqbt.data.readers import read_file
from liqbt.errors import ConfigError, DataError

START_NS = START * 1_000
EIGHT, SIXTEEN, MIDNIGHT = stamp(8 * 3600), stamp(16 * 3600), stamp(24 * 3600)
H = 3600.0


def seconds(values):
    return [(value - START_NS) / 1e9 for value in values.to_physical()]


def row(second, *, due="", rate="", interest="", last="", index="", mark="", of="binance-futures,BTCUSDT", delay=0.15):
    return line(second, due, rate, "", interest, last, index, mark, of=of, delay=delay)


def ticker(tmp_path, *rows):
    return write(tmp_path / "ticker.csv.gz", TICKER, rows)


def table(path, name, **options):
    """The only recording of a table; None where there is none."""
    found = [one for one in read_file(path, **options) if one.table == name]
    assert len(found) <= 1
    return found[0] if found else None


def test_all_tables_of_a_file(tmp_path):
    recordings = read_file(samples(tmp_path)["derivative_ticker"])
    assert [(one.table, one.interval, one.venue, one.symbol) for one in recordings] == [
        ("open_interest", None, "binance", "BTCUSDT"),
        ("funding", None, "binance", "BTCUSDT"),
        ("mark", "1m", "binance", "BTCUSDT"),
        ("index", "1m", "binance", "BTCUSDT"),
    ]
    interest, funding, mark, index = recordings
    assert interest.rows["open_interest"].to_list() == [82011.5, 82012.5, 82012.5, 82012.5]
    assert funding.rows["funding_rate"].to_list() == [0.0002]
    assert mark.rows["open"].to_list() == [61002.0, 61012.0, 61012.0, 61012.0]
    assert index.rows["close"].to_list() == [61001.0, 61011.0, 61011.0, 61011.0]
    assert [one.table for one in read_file(samples(tmp_path)["derivative_ticker"], table="funding")] == ["funding"]


def test_open_interest_is_kept_where_it_changed_and_at_the_end_of_each_minute(tmp_path):
    path = ticker(
        tmp_path,
        row(1, interest=100),
        row(2, interest=100),  # nothing new
        row(3, interest=101),
        row(4, mark=5),  # none given
        row(58, interest=101),  # the last of its minute
        row(61, interest=101),  # nothing new, and not the last of its minute
        row(119, interest=101),
        row(125, interest=99),
    )
    rows = table(path, "open_interest").rows
    assert seconds(rows["timestamp"]) == [1, 3, 58, 119, 125]
    assert rows["open_interest"].to_list() == [100, 101, 101, 101, 99]
    assert seconds(rows["available_at"]) == [1.15, 3.15, 58.15, 119.15, 125.15]


def test_of_rows_with_one_stamp_the_last_to_arrive_counts(tmp_path):
    path = ticker(tmp_path, row(1, interest=100, delay=0.1), row(1, interest=105, delay=2.0), row(2, interest=105, delay=1.5))
    recording = table(path, "open_interest")
    assert recording.rows["open_interest"].to_list() == [105, 105]
    assert seconds(recording.rows["available_at"]) == [3.0, 3.5]
    assert recording.notes == ()


def test_rows_are_put_in_order_of_the_exchange(tmp_path):
    path = ticker(tmp_path, row(5, interest=7, mark=50, delay=0.1), row(4, interest=6, mark=40, delay=9), row(70, interest=8, mark=60))
    assert table(path, "open_interest").rows["open_interest"].to_list() == [6, 7, 8]
    assert table(path, "mark").rows.select("open", "close").rows() == [(40, 50), (60, 60)]


def test_inverse_open_interest_needs_a_price(tmp_path):
    of = "binance-delivery,BTCUSD_PERP"
    path = ticker(
        tmp_path,
        row(1, interest=500, of=of),
        row(2, interest=500, last=40_000, of=of),
        row(3, interest=500, last=40_000, mark=50_000, of=of),
        row(70, interest=600, index=30_000, of=of),
    )
    recording = table(path, "open_interest")
    # 500 contracts of 100 USD at 40,000; the row at 3 s is kept as the last of its minute
    assert recording.rows["open_interest"].to_list() == [1.25, 1.0, 2.0]
    assert recording.notes == ("1 rows of open interest without a price to convert it by left out",)


def test_open_interest_in_contracts(tmp_path):
    path = ticker(tmp_path, row(1, interest=500, mark=50_000, of="okex-swap,BTC-USDT-SWAP"))
    assert table(path, "open_interest", contract_size=0.01).rows["open_interest"].to_list() == [5.0]
    with pytest.raises(ConfigError, match="counts BTC-USDT-SWAP in contracts"):
        read_file(path)
    assert table(path, "mark", table="mark").rows["open"].to_list() == [50_000]  # prices need no size


def test_funding_is_the_last_rate_before_the_payment(tmp_path):
    path = ticker(
        tmp_path,
        row(1 * H, due=EIGHT, rate=0.0001),
        row(7.99 * H, due=EIGHT, rate=0.0002),
        row(8 * H - 0.2, due=EIGHT, rate=0.0003),
        row(8 * H - 0.1, due=EIGHT, rate=0.0009),  # arrives after the payment
        row(8 * H + 1, due=EIGHT, rate=0.0008),  # the old payment, too late
        row(8 * H + 2, due=SIXTEEN, rate=0.0004),
        row(16 * H - 1, due=SIXTEEN, rate=-0.0005),
        row(16 * H + 1, due=MIDNIGHT, rate=0.0006),
        row(23.0 * H, due=MIDNIGHT, rate=0.0007),  # the file ends an hour before it
    )
    recording = table(path, "funding")
    assert seconds(recording.rows["timestamp"]) == [8 * H, 16 * H]
    assert seconds(recording.rows["available_at"]) == [8 * H, 16 * H]
    assert recording.rows["funding_rate"].to_list() == [0.0003, -0.0005]


def test_a_rate_that_was_on_its_way_when_it_was_paid_is_not_known(tmp_path):
    path = ticker(
        tmp_path,
        row(8 * H - 20, due=EIGHT, rate=0.0002),
        row(8 * H - 5, due=EIGHT, rate=0.0003),
        row(8 * H - 10, due=EIGHT, rate=0.0009, delay=12),
    )
    assert table(path, "funding").rows["funding_rate"].to_list() == [0.0003]


@pytest.mark.parametrize(
    ("end", "given"), [(24 * H - 301, False), (24 * H - 299, True), (24 * H - 1, True), (24 * H + 299, True), (24 * H + 301, False)]
)
def test_a_payment_at_the_end_of_the_file(tmp_path, end, given):
    path = ticker(tmp_path, row(23 * H, due=MIDNIGHT, rate=0.0007), row(end, mark=5, delay=0))
    recording = table(path, "funding")
    assert (recording is not None) == given
    if recording is not None:
        assert recording.rows["funding_rate"].to_list() == [0.0007]
        assert recording.notes == ("1 funding rates last seen over 5 minutes before their payment",)


def test_the_day_after_does_not_pay_again(tmp_path):
    path = ticker(tmp_path, row(0.1, due=START, rate=0.0007), row(0.5, due=EIGHT, rate=0.0001), row(8 * H - 1, due=EIGHT, rate=0.0001))
    assert seconds(table(path, "funding").rows["timestamp"]) == [8 * H]


def test_a_payment_that_was_moved_is_not_made(tmp_path):
    path = ticker(
        tmp_path,
        row(7 * H, due=EIGHT, rate=0.0001),
        row(7.5 * H, due=SIXTEEN, rate=0.0002),  # eight o'clock is called off
        row(15.9 * H, due=SIXTEEN, rate=0.0003),
        row(16.1 * H, due=MIDNIGHT, rate=0.0003),
    )
    recording = table(path, "funding")
    assert seconds(recording.rows["timestamp"]) == [16 * H]
    assert recording.notes == ("1 funding rates last seen over 5 minutes before their payment",)


def test_a_payment_that_was_moved_up_is_made_once(tmp_path):
    twelve = stamp(12 * H)
    path = ticker(
        tmp_path,
        row(9 * H, due=SIXTEEN, rate=0.0001),
        row(12 * H - 1, due=twelve, rate=0.0002),
        row(12 * H + 1, due=SIXTEEN, rate=0.0003),
        row(16 * H - 1, due=SIXTEEN, rate=0.0004),
        row(16 * H + 1, due=MIDNIGHT, rate=0.0005),
    )
    assert table(path, "funding").rows["funding_rate"].to_list() == [0.0002, 0.0004]


def test_rates_without_a_time_give_no_funding(tmp_path):
    path = ticker(
        tmp_path,
        row(1, rate=0.00001, interest=5, mark=10, of="hyperliquid,BTC"),
        row(70, rate=0.00002, interest=6, mark=11, of="hyperliquid,BTC"),
    )
    assert table(path, "funding") is None
    assert read_file(path)[0].notes == ("2 rows with a funding rate but no time of payment, which give no funding",)


def test_mark_and_index_bars(tmp_path):
    path = ticker(
        tmp_path,
        row(1, mark=10, index=100),
        row(20, mark=12, index=101),
        row(40, mark=9),
        row(59.999, mark=11, index=99),
        row(60, mark=13, index=98),
        row(200, mark=14, index=97),
    )
    mark = table(path, "mark")
    assert mark.interval == "1m"
    assert seconds(mark.rows["timestamp"]) == [0, 60, 180]
    assert seconds(mark.rows["available_at"]) == [60, 120, 240]
    assert mark.rows.select("open", "high", "low", "close").rows() == [(10, 12, 9, 11), (13, 13, 13, 13), (14, 14, 14, 14)]
    index = table(path, "index")
    assert index.rows.select("open", "high", "low", "close").rows() == [(100, 101, 99, 99), (98, 98, 98, 98), (97, 97, 97, 97)]
    longer = table(path, "mark", interval="5m")
    assert (longer.interval, longer.rows.select("open", "high", "low", "close").rows()) == ("5m", [(10, 14, 9, 14)])
    assert seconds(longer.rows["available_at"]) == [300]


def test_prices_that_came_late_are_not_in_a_bar_that_is_known_at_its_end(tmp_path):
    path = ticker(tmp_path, row(30, mark=10), row(50, mark=11, delay=20), row(51, mark=99, delay=19.001))
    recording = table(path, "mark")
    assert recording.rows.select("open", "high", "low", "close").rows() == [(10, 11, 10, 11)]
    assert recording.notes == ("1 mark prices that came over 10 s after the end of their bar left out",)


def test_a_clock_behind_is_told_once(tmp_path):
    path = ticker(tmp_path, row(1, interest=1, mark=2, index=3, delay=-1), row(41, interest=1, mark=2, index=3))
    assert read_file(path)[0].notes == ("1 rows whose local clock ran behind the exchange's",)


def test_several_symbols_and_blocks(tmp_path, monkeypatch):
    rows = [row(k, interest=k + 1, mark=10 + k, due=EIGHT, rate=0.1, of=f"binance-futures,{'AB'[k % 2]}") for k in range(100)]
    path = ticker(tmp_path, *rows)
    whole = {(one.table, one.symbol): one.rows for one in read_file(path)}
    assert whole["open_interest", "B"]["open_interest"].to_list() == [float(k) for k in range(2, 101, 2)]
    monkeypatch.setattr("liqbt.data.readers._blocks._BLOCK", 1000)
    monkeypatch.setattr("liqbt.data.readers._containers._PIECE", 700)
    again = {(one.table, one.symbol): one.rows for one in read_file(path)}
    assert whole.keys() == again.keys()
    assert all(whole[name].equals(again[name]) for name in whole)
    assert {one.symbol for one in read_file(path, symbol="B")} == {"B"}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"mark": 0}, "row 2: mark_price is 0.0; a price must be finite and above 0"),
        ({"index": -4}, "row 2: index_price is -4.0; a price must be"),
        ({"interest": -1}, r"row 2 \(2024-03-01 00:00:02\): open_interest is -1.0; an amount must be"),
        ({"interest": "many"}, "row 2: open_interest is 'many', not a number"),
        ({"due": EIGHT // 1000, "rate": 0.1}, "row 2: funding_timestamp is 1709280000000, outside the years 2000 to 2100 as us"),
    ],
)
def test_broken_rows_are_named(tmp_path, cells, message):
    path = ticker(tmp_path, row(1, interest=1, mark=1, index=1), row(2, **cells), row(3, interest=2, mark=1, index=1))
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_rate_that_is_no_rate(tmp_path):
    path = ticker(tmp_path, row(1, mark=1), row(8 * H - 1, due=EIGHT, rate=1.5), row(8 * H + 1, due=SIXTEEN, rate=0.1))
    with pytest.raises(DataError, match=r"row 2 \(2024-03-01 08:00:00\): funding_rate is 1.5; a rate is a fraction"):
        read_file(path)


def test_broken_files(tmp_path):
    with pytest.raises(DataError, match="has no column 'mark_price'"):
        read_file(write(tmp_path / "a.csv.gz", TICKER.replace("mark_price", "mark"), [row(1, mark=1)]))
    with pytest.raises(DataError, match="holds no rows"):
        read_file(write(tmp_path / "b.csv.gz", TICKER, []))
    with pytest.raises(DataError, match="holds no rows"):
        read_file(ticker(tmp_path, row(1, mark=1)), table="funding")


def test_an_interval_is_of_no_use_where_rows_cover_none(tmp_path):
    path = samples(tmp_path)["derivative_ticker"]
    with pytest.raises(ConfigError, match="interval: reader 'tardis' reads rows that cover no interval"):
        read_file(path, table="funding", interval="5m")
    with pytest.raises(ConfigError, match="mapping: reader 'tardis'"):
        read_file(path, reader="tardis", mapping="ohlcv")

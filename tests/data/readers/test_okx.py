"""OKX's trade archive: contracts, days of UTC+8, and the older forms."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from reading import read_one
from samples_okx import HEADER, OLD_HEADER, OLD_ROWS, ROWS, START, samples, write

from liqbt.data.readers import open_reading, read_file
from liqbt.errors import ConfigError, DataError


def ms(recording):
    return [(stamp - START * 1_000_000) / 1_000_000 for stamp in recording.rows["timestamp"].to_physical()]


def test_swap_sizes_are_contracts(tmp_path):
    recording = read_one(samples(tmp_path)["trades"], contract_size=0.01)
    assert (recording.table, recording.venue, recording.symbol, recording.reader) == ("trades", "okx", "BTC-USDT-SWAP", "okx")
    assert recording.rows["amount"].to_list() == pytest.approx([2.5, 0.035, 0.001], rel=1e-15)
    assert recording.rows["price"].to_list() == [61000.5, 61000.4, 61002.0]
    assert recording.rows["side"].to_list() == ["buy", "sell", "buy"]
    assert recording.rows["id"].to_list() == [1001, 1002, 1003]
    assert recording.notes == ()


def test_a_day_of_utc_plus_8_is_not_shifted(tmp_path):
    recording = read_one(samples(tmp_path)["trades"], contract_size=0.01)
    assert recording.rows["timestamp"][0] == datetime(2024, 2, 29, 16, 0, 0, 12_000, tzinfo=UTC)
    assert recording.rows["available_at"].to_list() == recording.rows["timestamp"].to_list()


def test_the_contract_size_is_asked_for(tmp_path):
    path = samples(tmp_path)["trades"]
    with pytest.raises(
        ConfigError, match=r"contract_size: .*2024-03-01.zip counts BTC-USDT-SWAP in contracts; give base coin a contract, OKX's ctVal"
    ):
        read_file(path)


def test_inverse_contracts_are_dollars(tmp_path):
    rows = [f"BTC-USD-SWAP,1,buy,50000,10,{START}", f"BTC-USD-240628,2,sell,40000,4,{START + 1}"]
    path = write(tmp_path / "a.zip", rows)
    swap, future = read_file(path, contract_size=100)
    assert (swap.symbol, swap.rows["amount"].to_list()) == ("BTC-USD-SWAP", [0.02])
    assert (future.symbol, future.rows["amount"].to_list()) == ("BTC-USD-240628", [0.01])
    with pytest.raises(ConfigError, match=r"counts BTC-USD-SWAP in contracts; give USD a contract"):
        read_file(path)


def test_futures_on_usd_with_a_margin_in_dollar_coins_are_linear(tmp_path):
    path = write(tmp_path / "a.zip", [f"BTC-USD_UM-SWAP,1,buy,50000,10,{START}"])
    assert read_one(path, contract_size=0.01).rows["amount"].to_list() == [0.1]


def test_one_size_does_not_fit_two_coins(tmp_path):
    path = write(tmp_path / "a.zip", [f"BTC-USDT-SWAP,1,buy,50000,10,{START}", f"ETH-USDT-SWAP,2,buy,3000,10,{START}"])
    with pytest.raises(ConfigError, match=r"contract_size: .* holds BTC-USDT and ETH-USDT, whose contracts differ; give the symbol too"):
        read_file(path, contract_size=0.01)
    assert read_one(path, contract_size=0.1, symbol="ETH-USDT-SWAP").rows["amount"].to_list() == [1.0]


def test_spot_has_no_contracts(tmp_path):
    path = write(tmp_path / "a.zip", [f"BTC-USDT,5477185,buy,91461.1,1.772e-05,{START},1"], header=f"{HEADER},source")
    assert read_one(path).rows["amount"].to_list() == [1.772e-05]
    with pytest.raises(ConfigError, match=r"counts BTC-USDT in base coin, not 0.01; leave it out"):
        read_file(path, contract_size=0.01)


def test_options_contracts_are_refused(tmp_path):
    path = write(tmp_path / "a.zip", [f"BTC-USD-240628-60000-C,1,buy,0.05,1,{START}"])
    with pytest.raises(DataError, match="'BTC-USD-240628-60000-C' is no spot pair, swap or future of OKX"):
        read_file(path, contract_size=1)


def test_rows_out_of_order(tmp_path):
    recording = read_one(write(tmp_path / "a.zip", (ROWS[2], ROWS[0], ROWS[1])), contract_size=1)
    assert recording.rows["id"].to_list() == [1001, 1002, 1003]
    assert recording.notes == ("1 rows out of order sorted",)


@pytest.mark.parametrize(
    "header", [OLD_HEADER, OLD_HEADER.decode("gbk").encode(), b"\xef\xbb\xbf" + OLD_HEADER.decode("gbk").encode(), None]
)
def test_older_archives_name_their_instrument_in_their_name(tmp_path, header):
    recording = read_one(write(tmp_path / "DOGE-USDT-aggtrades-2024-03-01.zip", OLD_ROWS, header=header))
    assert (recording.venue, recording.symbol) == ("okx", "DOGE-USDT")
    assert recording.rows["amount"].to_list() == [2.0, 10.0]
    assert recording.rows["price"].to_list() == [0.4, 0.5]
    assert recording.rows["id"].to_list() == [719977054, 719977057]
    assert ms(recording) == [0.0, 1.0]


def test_older_archives_of_swaps(tmp_path):
    path = write(tmp_path / "DOGE-USDT-SWAP-trades-2022-03-01.zip", OLD_ROWS, header=OLD_HEADER)
    assert read_one(path, contract_size=1000).rows["amount"].to_list() == [2000.0, 10000.0]
    with pytest.raises(ConfigError, match="counts DOGE-USDT-SWAP in contracts"):
        read_file(path)
    renamed = path.rename(tmp_path / "swap.zip")
    with pytest.raises(ConfigError, match=r"symbol: .*swap.zip does not name its instrument, nor do its rows; give it"):
        read_file(renamed)
    recording = read_one(renamed, contract_size=1000, symbol="DOGE-USDT-SWAP")
    assert (recording.symbol, recording.rows["amount"][0]) == ("DOGE-USDT-SWAP", 2000.0)


def test_upper_case_sides(tmp_path):
    rows = [one.replace("buy", "BUY").replace("sell", "SELL") for one in OLD_ROWS]
    assert read_one(write(tmp_path / "DOGE-USDT-trades-2021-10-01.zip", rows, header=None)).rows["side"].to_list() == ["buy", "sell"]


def test_five_columns_of_others_are_left_alone(tmp_path):
    for k, line in enumerate(("1,buy,2,3,1709222400", "1,hold,2,3,1709222400000", "1,buy,2,3,1709222400000,x")):
        with pytest.raises(DataError, match="of no kind that liqbt knows"):
            open_reading(write(tmp_path / f"{k}.zip", [line], header=None))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("61000.4", "6100x", "row 2: price is '6100x', not a number"),
        ("61000.4", "-5", r"row 2 \(2024-02-29 16:00:00\): price is -5.0; a price must be"),
        ("3.5", "-3.5", r"row 2 \(2024-02-29 16:00:00\): amount is -0.035; an amount must be"),
        ("3.5", "", r"row 2 \(2024-02-29 16:00:00\): amount is empty"),
        ("sell", "s", r"row 2 \(2024-02-29 16:00:00\): side is 's', expected one of buy, sell"),
        ("1002", "10.02", "row 2: trade_id is '10.02', not a whole number"),
        ("BTC-USDT-SWAP", "", "row 2: instrument_name is empty"),
        (str(START + 12), str(START // 1000), "row 2: created_time is 1709222400, outside the years 2000 to 2100 as ms"),
        (str(START + 12), str(START * 1000), "row 2: created_time is 1709222400000000, outside the years 2000 to 2100 as ms"),
        (f",{START + 12}", "", "row 2 has 5 cells, expected 6"),
    ],
)
def test_broken_rows_are_named(tmp_path, old, new, message):
    path = write(tmp_path / "a.zip", [ROWS[0], ROWS[1].replace(old, new), ROWS[2]])
    with pytest.raises(DataError, match=message) as caught:
        read_file(path, contract_size=0.01)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_files(tmp_path):
    with pytest.raises(DataError, match=r"has no column 'size'"):
        read_file(write(tmp_path / "a.zip", ROWS, header=HEADER.replace("size", "sz")), contract_size=1)
    with pytest.raises(DataError, match="holds no rows"):
        read_file(write(tmp_path / "b.zip", []), contract_size=1)


@pytest.mark.parametrize("name", ["trades", "old trades"])
@pytest.mark.parametrize("option", [{"mapping": "ohlcv", "reader": "okx"}, {"utc_offset_hours": 8.0}, {"interval": "1m"}])
def test_options_of_no_use(tmp_path, name, option):
    with pytest.raises(ConfigError, match=f"{next(iter(option))}: reader 'okx'"):
        read_file(samples(tmp_path)[name], **option)

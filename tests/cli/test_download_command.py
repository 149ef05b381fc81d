"""`liqbt download` against a copy of the archive on loopback: from the server to the store."""

from __future__ import annotations

import pytest
from command import fingerprint, refused, run
from data.archive_server import DAYS, Archive
from samples_binance import FUNDING, KLINES, METRICS, kline, write

from liqbt.data.store import Store

FIVE = 300_000
DAY_OF = {"2024-01-30": 29, "2024-01-31": 30, "2024-02-01": 31}  # days after that of the samples
TRADED = ("2", "205", "4", "1", "102")
VALUES = ("0", "0", "60", "0", "0")
ENDS = ("--start", DAYS[0], "--end", "2024-02-02")


def path_of(table, period, symbol="BTCUSDT", interval=None, market="um"):
    span = "daily" if len(period) == 10 else "monthly"
    inside = f"{symbol}/{interval}/{symbol}-{interval}" if interval else f"{symbol}/{symbol}-{table}"
    return f"data/futures/{market}/{span}/{table}/{inside}-{period}.zip"


def bars(day, volumes=TRADED):
    """The first three bars of five minutes of a day."""
    return [kline(288 * DAY_OF[day] + n, "100,110,90,101", volumes, step=FIVE) for n in range(3)]


CONTENTS = {
    **{path_of("klines", day, interval="5m"): [KLINES, *bars(day)] for day in DAYS},
    **{path_of("markPriceKlines", day, interval="5m"): [KLINES, *bars(day, VALUES)] for day in DAYS},
    **{path_of("metrics", day): [METRICS, *(f"{day} 00:{5 * n:02}:00,BTCUSDT,{80 + n},8000,,,,0.9" for n in (1, 2))] for day in DAYS},
    path_of("fundingRate", "2024-01"): [FUNDING, "1706572800003,8,0.0001", "1706601600000,8,0.0002"],
    path_of("fundingRate", "2024-02"): [FUNDING, "1706745600000,8,-0.0001"],
}
ROWS = {("bars", "5m"): 9, ("mark", "5m"): 9, ("open_interest", None): 6, ("funding", None): 3}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def zipped(folder, path, lines):
    return write(folder / path.rpartition("/")[2], *lines).read_bytes()


@pytest.fixture
def archive(tmp_path):
    """Three days of what is downloaded by default."""
    with Archive() as one:
        for path, lines in CONTENTS.items():
            one.put(path, body=zipped(tmp_path / "served", path, lines))
        yield one


@pytest.fixture
def download(archive, tmp_path):
    """Run the command into `there` and `store`."""

    def command(*more, symbol="BTCUSDT", ends=ENDS):
        return run("download", symbol, *ends, "--to", tmp_path / "there", "--store", tmp_path / "store", "--base-url", archive.url, *more)

    return command


def stored(folder, symbol="BTCUSDT"):
    entries = Store(folder / "store").contents()
    assert {(one.venue, one.symbol) for one in entries} == {("binance", symbol)}
    return {(one.table, one.interval): one.rows for one in entries}


def name_of(path):
    """As messages call a file of the archive."""
    return f"{path.split('/')[4]}/{path.rpartition('/')[2]}"


def test_three_days_are_fetched_imported_and_listed(archive, download, tmp_path):
    done = download()
    assert done.code == 0, done.err
    assert done.err.splitlines() == [
        "BTCUSDT-fundingRate-2024-01.zip: 1 stamps moved to the whole hour, by a second at most",
        "11 files fetched, 0 were there, 0 are not in the archive",
    ]
    for path in CONTENTS:
        assert path.rpartition("/")[2] in done.out
        assert (tmp_path / "there" / path).read_bytes() == archive.files[path]
    for taken in ("Binance klines", "Binance mark price klines", "Binance metrics", "Binance funding rates"):
        assert taken in done.out
    assert stored(tmp_path) == ROWS
    funding, _ = Store(tmp_path / "store").read("binance", "BTCUSDT", "funding")
    assert funding["funding_rate"].to_list() == [0.0001, 0.0002, -0.0001]
    listed = run("data", "ls", "--store", tmp_path / "store", "--json").json["store"]
    assert {(one["table"], one["interval"]): one["rows"] for one in listed} == ROWS
    assert {source["source"] for one in listed for source in one["sources"]} == {path.rpartition("/")[2] for path in CONTENTS}


def test_a_second_run_fetches_and_changes_nothing(archive, download, tmp_path):
    first = download("--json").json
    assert (len(first["fetched"]), len(first["already"]), first["missing"], first["failed"]) == (11, 0, [], [])
    asked, before = len(archive.log()), [fingerprint(tmp_path / name) for name in ("there", "store")]
    again = download("--json")
    assert again.code == 0
    assert (len(again.json["fetched"]), len(again.json["already"])) == (0, 11)
    assert [one["written"]["rows_new"] for file in again.json["imported"] for one in file["stored"]] == [0] * 11
    assert len(archive.log()) == asked
    assert [fingerprint(tmp_path / name) for name in ("there", "store")] == before
    assert "0 files fetched, 11 were there" in download().err


def test_a_longer_span_fetches_what_is_new_only(archive, download):
    assert download("--tables", "metrics", ends=("--start", DAYS[0], "--end", DAYS[2])).code == 0
    assert len(archive.bodies()) == 2
    assert download("--tables", "metrics").code == 0
    assert [one.path for one in archive.bodies()][2:] == [path_of("metrics", DAYS[2])]


def test_a_missing_day_is_told(archive, download, tmp_path):
    lost = path_of("klines", DAYS[1], interval="5m")
    for name in (lost, f"{lost}.CHECKSUM"):
        del archive.files[name]
    done = download()
    assert done.code == 0
    assert done.err.splitlines()[1:] == ["10 files fetched, 0 were there, 1 are not in the archive", f"missing: {name_of(lost)}"]
    assert stored(tmp_path) == {**ROWS, ("bars", "5m"): 6}
    assert download("--json").json["missing"] == [name_of(lost)]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_wrong_checksum_fails_and_the_others_are_imported(archive, download, tmp_path, options):
    bad = path_of("metrics", DAYS[1])
    archive.put(bad, body=archive.files[bad], listed=b"another file")
    done = download(*options)
    assert done.code == 2
    *before, line = done.err.splitlines()
    assert line.startswith(f"liqbt: download: 1 files could not be had, the first {name_of(bad)} (")
    assert line.endswith("; run it again")
    assert "its CHECKSUM says" in line
    assert [one for one in before if "failed: " in one] == ([] if options else [one for one in before if name_of(bad) in one])
    assert "Traceback" not in done.err
    assert stored(tmp_path) == {**ROWS, ("open_interest", None): 4}
    assert not (tmp_path / "there" / bad).exists()
    if options:
        assert [one["name"] for one in done.json["failed"]] == [name_of(bad)]
        assert len(done.json["imported"]) == 10
    archive.put(bad, body=archive.files[bad])
    mended = download("--json")
    assert mended.code == 0
    assert [one.rpartition("/")[2] for one in mended.json["fetched"]] == [bad.rpartition("/")[2]]
    assert stored(tmp_path) == ROWS


def test_only_fetching(download, tmp_path):
    done = download("--only-fetch")
    assert (done.code, done.out) == (0, "")
    assert done.err == "11 files fetched, 0 were there, 0 are not in the archive\n"
    assert not (tmp_path / "store").exists()
    assert download("--json").json["fetched"] == []
    assert stored(tmp_path) == ROWS


def test_nothing_there_at_all(archive, download, tmp_path):
    archive.files.clear()
    done = download("--tables", "metrics,fundingRate")
    assert (done.code, done.out) == (2, "")
    *missing, line = done.err.splitlines()
    assert line == ("liqbt: download: the archive has nothing of BTCUSDT from 2024-01-30 to 2024-02-02; check symbol, tables and dates")
    assert missing[0] == "0 files fetched, 0 were there, 5 are not in the archive"
    assert len(missing) == 6
    assert not (tmp_path / "store").exists()


def test_a_file_that_is_whole_but_wrong_is_kept_and_nothing_is_stored(archive, download, tmp_path):
    bad = path_of("klines", DAYS[2], interval="5m")
    archive.put(bad, body=zipped(tmp_path / "served", bad, [KLINES, *bars(DAYS[2])[:2], "1706745600000,1,2"]))
    done = download()
    assert (done.code, done.out) == (2, "")
    [line] = done.err.splitlines()
    assert line.startswith(f"liqbt: {tmp_path / 'there' / bad}: row 3 has 3 cells, expected 12")
    assert (tmp_path / "there" / bad).exists()
    assert not (tmp_path / "store").exists()


def test_coin_margined_contracts_with_the_index_of_their_pair(archive, download, tmp_path):
    contracts = ("4", "0.01", "4", "2", "0.005")  # four contracts of 100 USD at 40,000
    prices = "40000,40100,39900,40050"
    for table, symbol, volumes in (("klines", "BTCUSD_PERP", contracts), ("indexPriceKlines", "BTCUSD", VALUES)):
        for day in DAYS:
            path = path_of(table, day, symbol, "5m", "cm")
            lines = [kline(288 * DAY_OF[day] + n, prices, volumes, step=FIVE) for n in range(2)]
            archive.put(path, body=zipped(tmp_path / "served", path, lines))
    done = download("--tables", "klines, indexPriceKlines", symbol="BTCUSD_PERP")
    assert done.code == 0, done.err
    assert stored(tmp_path, "BTCUSD_PERP") == {("bars", "5m"): 6, ("index", "5m"): 6}
    rows, _ = Store(tmp_path / "store").read("binance", "BTCUSD_PERP", "bars", "5m")
    assert rows["volume"].to_list() == [0.01] * 6
    assert rows["quote_volume"].to_list() == [400.0] * 6


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["BTCUSDT", "--tables", "candles"], "tables: 'candles' is not a table of the archive"),
        (["BTCUSDT", "--tables", ","], "tables: none were given"),
        (["BTCUSDT", "--tables", "liquidationSnapshot"], "Binance removed 'liquidationSnapshot' from the um archive"),
        (["BTCUSDT", "--tables", "metrics", "--interval", "5m"], "interval: metrics have none; leave '5m' out"),
        (["BTCUSDT", "--interval", "7m"], "interval: '7m' is not in the archive"),
        (["btcusdt"], "symbol: 'btcusdt' is no name of the archive"),
        (["../up"], "symbol: '../up' is no name of the archive"),
        (["BTCUSDT", "--end", "2024-01-01"], "start: 2024-01-30 is not before end 2024-01-01"),
        (["BTCUSDT", "--start", "soon"], "start: 'soon' is not a date"),
        (["BTCUSDT", "--workers", "0"], "workers: 0 is not from 1 to 64"),
        (["BTCUSDT", "--base-url", "archive"], "base_url: 'archive' is no address of an archive"),
    ],
)
def test_options_that_cannot_be_used(tmp_path, options, says):
    places = ("--to", tmp_path / "there", "--store", tmp_path / "store")
    refused("download", *ENDS, *places, "--base-url", "http://127.0.0.1:9", *options, says=says)
    assert list(tmp_path.iterdir()) == []

import re
import socket
import subprocess
import sys
import threading

import pytest
from data.archive_server import DAYS, Fault, contents, klines, metrics

from liqbt.errors import ConfigError, DataError, StoreError


def test_files_land_in_the_archives_layout_with_their_checksums(archive, fetch, tmp_path):
    result = fetch()
    assert contents(tmp_path / "there") == archive.files
    assert result.files == result.fetched == tuple(tmp_path / "there" / metrics(day) for day in DAYS)
    assert (result.already, result.missing, result.failed) == ((), (), ())


def test_a_second_run_asks_for_nothing(archive, fetch):
    first = fetch()
    asked = len(archive.log())
    second = fetch()
    assert len(archive.log()) == asked
    assert second.files == second.already == first.files
    assert second.fetched == ()


def test_kline_tables_whose_files_are_called_alike_stay_apart(archive, fetch, tmp_path):
    body = {table: archive.put(klines("2024-01", table)) for table in ("klines", "markPriceKlines")}
    result = fetch(tables=list(body), start="2024-01-01", end="2024-02-01", interval="1m")
    assert [file.read_bytes() for file in result.files] == list(body.values())
    assert {file.name for file in result.files} == {"BTCUSDT-1m-2024-01.zip"}


def test_days_that_the_archive_lacks_are_named_and_not_asked_for_again(archive, fetch):
    del archive.files[f"{metrics(DAYS[1])}.CHECKSUM"]
    result = fetch()
    assert [file.name[-14:-4] for file in result.files] == [DAYS[0], DAYS[2]]
    assert result.missing == (f"metrics/BTCUSDT-metrics-{DAYS[1]}.zip",)
    assert len(archive.log(f"{metrics(DAYS[1])}.CHECKSUM")) == 1
    assert not archive.log(metrics(DAYS[1]))


def test_a_missing_month_is_fetched_by_its_days(archive, fetch):
    archive.put(klines("2024-01"))
    for day in range(1, 30):
        if day != 17:
            archive.put(klines(f"2024-02-{day:02}"))
    archive.put(klines("2024-03-01"))
    result = fetch(tables=["klines"], start="2024-01-01", end="2024-03-02", interval="1m")
    days = [f"2024-02-{day:02}" for day in range(1, 30) if day != 17]
    assert [file.name for file in result.files] == [f"BTCUSDT-1m-{period}.zip" for period in ("2024-01", *days, "2024-03-01")]
    assert result.missing == ("klines/BTCUSDT-1m-2024-02-17.zip",)
    assert len(archive.bodies()) == 30  # no day of January was asked for


def test_a_missing_month_of_a_table_without_days_is_missing(fetch):
    assert fetch(tables=["fundingRate"]).missing == tuple(f"fundingRate/BTCUSDT-fundingRate-2024-0{month}.zip" for month in (1, 2))


def test_results_are_in_the_same_order_for_any_number_of_workers(archive, fetch, tmp_path):
    """Of January's days 1 to 20, three are missing, one fails and one was there."""
    for day in range(1, 21):
        if day not in (3, 8, 15):
            archive.put(metrics(f"2024-01-{day:02}"), size=5000 - 200 * day)
            archive.put(klines(f"2024-01-{day:02}"))
    archive.err_always(metrics("2024-01-11"), Fault(status=404))
    archive.err_always(metrics("2024-01-12"), Fault(status=403))
    results = []
    for workers in (1, 4, 16):
        root = tmp_path / str(workers)
        parameters = {"tables": ["metrics", "klines"], "interval": "1m", "start": "2024-01-01", "folder": root, "workers": workers}
        fetch(**parameters, end="2024-01-02")
        result = fetch(**parameters, end="2024-01-21")
        named = [[file.relative_to(root).as_posix() for file in files] for files in (result.files, result.fetched, result.already)]
        results.append((named, result.missing, result.failed))
    (files, fetched, already), missing, failed = results[0]
    assert results[1] == results[2] == results[0]
    assert files == sorted(files, key=lambda path: "/klines/" in path)  # stable: by table, and each by day
    assert [path[-14:-4] for path in files[:2]] == ["2024-01-01", "2024-01-02"]
    assert (len(files), len(fetched), len(already)) == (15 + 17, 14 + 16, 2)
    assert [name[-6:-4] for name in missing] == ["03", "08", "11", "15", "03", "08", "15"]
    assert [one.name for one in failed] == ["metrics/BTCUSDT-metrics-2024-01-12.zip"]


def test_two_downloads_at_once_share_the_work(archive, fetch, tmp_path):
    archive.dribble = (100, 0.02)
    ends = {}

    def run(name):
        ends[name] = fetch()

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(tmp_path / "there") == archive.files
    assert ends["one"].files == ends["other"].files
    assert len(ends["one"].files) == 3
    assert sorted(ends["one"].fetched + ends["other"].fetched) == sorted(ends["one"].files)
    assert len(archive.bodies()) == 3


def test_progress_rises_to_one_and_tells_what_was_done(archive, fetch):
    archive.dribble = (100, 0.05)
    told = []
    fetch(progress=lambda share, what: told.append((share, what)), workers=1)
    shares = [share for share, _ in told]
    assert shares[0] == 0.0
    assert shares == sorted(shares)
    assert told[-1] == (1.0, "3 files in place, 0 missing, 0 failed")
    assert told[0][1] == "asking for 3 files"
    fetched = [share for share, what in told if what == f"fetched metrics/BTCUSDT-metrics-{DAYS[0]}.zip"]
    assert fetched[0] == pytest.approx(1 / 3)
    assert any(1 / 3 < share < 2 / 3 for share in fetched)  # parts of a file count


def test_progress_of_a_missing_month_counts_its_days_once(archive, fetch):
    archive.put(klines("2024-02-10"))
    told = []
    fetch(tables=["klines"], interval="1m", start="2024-01-31", end="2024-03-01", progress=lambda *one: told.append(one), workers=1)
    by_name = {what: share for share, what in reversed(told)}
    assert by_name["missing klines/BTCUSDT-1m-2024-01-31.zip"] == pytest.approx(1 / 30)
    assert by_name["missing klines/BTCUSDT-1m-2024-02.zip"] == pytest.approx(1 / 30)
    assert by_name["missing klines/BTCUSDT-1m-2024-02-09.zip"] == pytest.approx(10 / 30)
    assert by_name["fetched klines/BTCUSDT-1m-2024-02-10.zip"] == pytest.approx(11 / 30)


def test_whatever_progress_raises_stops_all_and_the_next_run_goes_on(archive, fetch, tmp_path):
    archive.dribble = (50, 0.05)

    class Enough(Exception):  # noqa: N818
        pass

    def stop(share, what):
        if share > 0.1:
            raise Enough

    with pytest.raises(Enough):
        fetch(progress=stop, workers=2)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("liqbt-download")]
    archive.dribble = None
    fetch()
    assert contents(tmp_path / "there") == archive.files
    assert [one for one in archive.bodies() if one.wanted]


def test_a_server_that_is_not_there_is_told_at_once(fetch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DataError, match=f"^{url}: cannot be reached: connect error .+, at attempt 2 of 2; check base_url") as caught:
            fetch(base_url=url, attempts=2)
    assert "\n" not in str(caught.value)


def test_files_in_place_need_no_server(archive, fetch):
    fetch()
    assert len(fetch(base_url="http://127.0.0.1:9", attempts=1).already) == 3


def test_a_server_that_falls_silent_later_is_told_by_file(archive, fetch):
    archive.err_always(f"{metrics(DAYS[1])}.CHECKSUM", Fault(body=b"x", cut=0, end="reset"))
    result = fetch(workers=1)
    assert len(result.fetched) == 2
    assert "at attempt 4 of 4" in result.failed[0].reason


@pytest.mark.parametrize("below", ["a file", "a file/deeper"])
def test_a_folder_that_cannot_be_made_is_told(fetch, archive, tmp_path, below):
    (tmp_path / "a file").write_text("")
    with pytest.raises(StoreError, match=re.escape(f"{tmp_path / below}: cannot be written (")) as caught:
        fetch(folder=tmp_path / below)
    assert "\n" not in str(caught.value)
    assert not archive.log()


def test_a_place_that_cannot_be_written_is_told(fetch, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "data").write_text("no folder")
    with pytest.raises(StoreError, match=r"there: cannot be written \(.+\); check space and permissions"):
        fetch()


def test_a_full_disk_is_told_and_what_was_written_is_resumed(archive, fetch, tmp_path):
    """The limit of a file's size stands in for the end of the disk: both fail in the middle of writing."""
    archive.put(metrics(DAYS[1]), size=300_000)
    script = f"""
import resource
from liqbt.data.download import download
from liqbt.data.download.fetch import _locked
from liqbt.errors import StoreError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    download("BTCUSDT", tables=["metrics"], start={DAYS[0]!r}, end="2024-02-02", folder={str(tmp_path / "there")!r},
             base_url={archive.url!r}, backoff_s=0.0)
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    there = re.escape(str(tmp_path / "there"))
    assert re.fullmatch(rf"{there}: cannot be written \(File too large\); check space and permissions and download again\n", done.stdout)
    fetch()
    assert contents(tmp_path / "there") == archive.files
    assert archive.log(metrics(DAYS[1]))[-1].wanted.startswith("bytes=")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"base_url": "ftp://data.binance.vision"}, "base_url: 'ftp://data.binance.vision' is no address of an archive; write http:// or"),
        ({"base_url": "file:///tmp"}, "base_url: 'file:///tmp' is no address"),
        ({"base_url": "data.binance.vision"}, "base_url: 'data.binance.vision' is no address"),
        ({"base_url": "https://"}, "base_url: 'https://' is no address"),
        ({"base_url": "http://host:port"}, "base_url: 'http://host:port' is no address"),
        ({"base_url": "http://host/?list=1"}, r"base_url: 'http://host/\?list=1' is no address"),
        ({"base_url": "http://host\n"}, r"base_url: 'http://host\\n' is no address"),
        ({"base_url": ""}, "base_url: '' is no address"),
        ({"base_url": "https://me:secret@host"}, "base_url: a name and password cannot stand in it; write https://host"),
        ({"workers": 0}, "workers: 0 is not from 1 to 64"),
        ({"workers": 1000}, "workers: 1000 is not from 1 to 64"),
        ({"attempts": 0}, "attempts: 0 is below 1"),
        ({"timeout_s": 0.0}, "timeout_s: 0.0 is not above 0"),
        ({"timeout_s": float("nan")}, "timeout_s: nan is not above 0"),
        ({"backoff_s": -1.0}, "backoff_s: -1.0 is not at least 0"),
        ({"tables": ["metric"]}, "tables: 'metric' is not a table of the archive; did you mean 'metrics'"),
    ],
)
def test_bad_parameters_are_refused_before_anything_is_done(archive, fetch, tmp_path, changed, message):
    with pytest.raises(ConfigError, match=f"^{message}") as caught:
        fetch(**changed)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "there").exists()
    assert not archive.log()


def test_an_address_may_end_in_a_slash_and_have_a_path(archive, fetch):
    archive.files = {f"mirror/{path}": body for path, body in archive.files.items()}
    assert len(fetch(base_url=f"{archive.url}/mirror/").fetched) == 3

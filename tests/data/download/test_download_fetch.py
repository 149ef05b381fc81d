import fcntl
import re
import threading

import pytest
from data.archive_server import DAYS, Fault, contents, metrics

from liqbt.data.download.fetch import _locked


def test_a_checksum_without_its_file_is_a_missing_file(archive, fetch, tmp_path):
    del archive.files[metrics(DAYS[1])]
    assert fetch().missing == (f"metrics/BTCUSDT-metrics-{DAYS[1]}.zip",)
    assert sorted(contents(tmp_path / "there")) == sorted(f"{metrics(day)}{end}" for day in (DAYS[0], DAYS[2]) for end in ("", ".CHECKSUM"))


def test_a_wrong_checksum_is_refused_after_a_second_fetch_and_others_go_on(archive, fetch, tmp_path):
    archive.put(metrics(DAYS[1]), listed=b"what the archive thinks it serves")
    result = fetch()
    (failed,) = result.failed
    assert failed.name == f"metrics/BTCUSDT-metrics-{DAYS[1]}.zip"
    assert re.fullmatch(r"http://\S+-2024-01-31.zip: has SHA-256 \w{16}..., its CHECKSUM says \w{16}..., in two fetches; .+", failed.reason)
    assert len(result.fetched) == 2
    assert [one.wanted for one in archive.log(metrics(DAYS[1]))] == ["", ""]
    assert not [name for name in contents(tmp_path / "there") if DAYS[1] in name]


def test_a_body_that_was_wrong_once_is_fetched_again_from_its_beginning(archive, fetch, tmp_path):
    archive.err(metrics(DAYS[1]), Fault(body=b"something else"))
    assert len(fetch().fetched) == 3
    assert [one.wanted for one in archive.log(metrics(DAYS[1]))] == ["", ""]
    assert contents(tmp_path / "there") == archive.files


def test_a_file_that_the_archive_replaces_between_checksum_and_body_is_had(archive, fetch, tmp_path):
    path = metrics(DAYS[1])
    old = archive.files[f"{path}.CHECKSUM"]
    archive.put(path, body=b"mended by the archive")
    archive.err(f"{path}.CHECKSUM", Fault(body=old))
    assert len(fetch().fetched) == 3
    assert contents(tmp_path / "there") == archive.files


@pytest.mark.parametrize(
    "listed", [b"<html>log in first</html>", b"", b"0" * 64 + b"  BTCUSDT-metrics-1999-01-01.zip\n", b"0" * 63 + b"  x\n"]
)
def test_a_checksum_that_is_none_is_told(archive, fetch, listed):
    archive.files[f"{metrics(DAYS[1])}.CHECKSUM"] = listed
    (failed,) = fetch().failed
    assert ".CHECKSUM: holds '" in failed.reason
    assert "not a SHA-256 and BTCUSDT-metrics-2024-01-31.zip; check that base_url is a copy of the archive" in failed.reason
    assert not archive.log(metrics(DAYS[1]))


@pytest.mark.parametrize("end", ["close", "reset", "silence"])
def test_a_broken_body_is_resumed_where_it_broke(archive, fetch, tmp_path, end):
    archive.err(metrics(DAYS[0]), Fault(cut=300, end=end), Fault(cut=700, end=end))
    assert len(fetch(timeout_s=1.0, end=DAYS[1]).fetched) == 1
    first, second, third = archive.log(metrics(DAYS[0]))
    assert first.wanted == ""
    if end != "reset":  # a reset may take along what had arrived and was not yet read
        assert (second.wanted, third.wanted) == ("bytes=300-", "bytes=700-")
        assert (second.status, third.status) == (206, 206)
    assert (tmp_path / "there" / metrics(DAYS[0])).read_bytes() == archive.files[metrics(DAYS[0])]


def test_a_run_that_gave_up_is_resumed_by_the_next(archive, fetch, tmp_path):
    archive.err(metrics(DAYS[0]), Fault(cut=300))
    (failed,) = fetch(attempts=1).failed
    assert re.fullmatch(r"http://\S+.zip: remote protocol error \(.+\), at attempt 1 of 1; check the connection and .+", failed.reason)
    part = tmp_path / "there" / f"{metrics(DAYS[0])}.part"
    assert part.read_bytes() == archive.files[metrics(DAYS[0])][:300]
    assert len(fetch().fetched) == 1
    assert archive.log(metrics(DAYS[0]))[-1].wanted == "bytes=300-"
    assert contents(tmp_path / "there") == archive.files


def test_a_server_without_ranges_starts_over(archive, fetch, tmp_path):
    archive.ranges = False
    archive.err(metrics(DAYS[0]), Fault(cut=300))
    fetch()
    assert [(one.wanted, one.status) for one in archive.log(metrics(DAYS[0]))] == [("", 200), ("bytes=300-", 200)]
    assert contents(tmp_path / "there") == archive.files


def test_a_range_that_was_not_asked_for_is_not_appended(archive, fetch, tmp_path):
    archive.err(metrics(DAYS[0]), Fault(cut=300), Fault(content_range="bytes 100-999/1000"), Fault(cut=300), Fault(content_range="none"))
    fetch(attempts=5)
    assert [one.wanted for one in archive.log(metrics(DAYS[0]))] == ["", "bytes=300-", "", "bytes=300-", ""]
    assert contents(tmp_path / "there") == archive.files


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_answers_are_tried_again(archive, fetch, tmp_path, status):
    archive.err(f"{metrics(DAYS[0])}.CHECKSUM", Fault(status=status), Fault(status=status))
    archive.err(metrics(DAYS[0]), Fault(status=status), Fault(status=status, headers={"Retry-After": "0"}))
    assert len(fetch().fetched) == 3
    assert [one.status for one in archive.log(metrics(DAYS[0]))] == [status, status, 200]
    assert contents(tmp_path / "there") == archive.files


@pytest.mark.parametrize("status", [400, 401, 403, 410, 451])
def test_refusals_are_not_tried_again(archive, fetch, status):
    archive.err_always(f"{metrics(DAYS[0])}.CHECKSUM", Fault(status=status))
    (failed,) = fetch().failed
    assert f"the server answered {status} " in failed.reason
    assert len(archive.log(f"{metrics(DAYS[0])}.CHECKSUM")) == 1


def test_a_file_that_never_comes_is_told_after_its_attempts_and_others_go_on(archive, fetch, tmp_path):
    archive.err_always(metrics(DAYS[0]), Fault(status=503))
    result = fetch(attempts=3)
    (failed,) = result.failed
    assert "the server answered 503 Service Unavailable, at attempt 3 of 3; check the connection" in failed.reason
    assert len(archive.log(metrics(DAYS[0]))) == 3
    assert len(result.fetched) == 2
    assert not [name for name in contents(tmp_path / "there") if name.endswith(".part")]


def test_redirects_are_followed(archive, fetch, tmp_path):
    archive.put("elsewhere/BTCUSDT-metrics-2024-01-30.zip", body=archive.files[metrics(DAYS[0])])
    archive.err_always(metrics(DAYS[0]), Fault(status=302, headers={"Location": "/elsewhere/BTCUSDT-metrics-2024-01-30.zip"}))
    assert len(fetch().fetched) == 3
    assert (tmp_path / "there" / metrics(DAYS[0])).read_bytes() == archive.files[metrics(DAYS[0])]


@pytest.mark.parametrize("location", ["/" + metrics(DAYS[0]), "ftp://127.0.0.1/x"])
def test_redirects_that_lead_nowhere_are_told(archive, fetch, location):
    archive.err_always(metrics(DAYS[0]), Fault(status=302, headers={"Location": location}))
    (failed,) = fetch().failed
    assert "; check base_url" in failed.reason


def left(place):
    """What a killed run, another program or a broken disk may leave of one file; None is its checksum as the archive has it."""
    return {
        "nothing": {},
        "the beginning": {".part": place[:400]},
        "an empty part": {".part": b""},
        "all of the part": {".part": place},
        "a part of another file": {".part": b"x" * 400},
        "a longer part of another file": {".part": b"x" * 4000},
        "the checksum before the file": {".CHECKSUM": None, ".part": place},
        "the file without its checksum": {"": place},
        "the file and half its checksum": {"": place, ".CHECKSUM.part": b"0123"},
        "the file, its checksum and a part": {"": place, ".CHECKSUM": None, ".part": place[:10]},
        "a damaged file": {"": place[:-1] + b"?", ".CHECKSUM": None},
        "a file cut short": {"": place[:500], ".CHECKSUM": None},
        "an older file": {"": b"as it was", ".CHECKSUM": b"0" * 64 + b"  BTCUSDT-metrics-2024-01-30.zip\n"},
        "no file and a broken checksum": {".CHECKSUM": b"\xff\x00"},
        "a broken checksum": {"": place, ".CHECKSUM": b"\xff\x00"},
    }


@pytest.mark.parametrize("state", list(left(b"")))
def test_whatever_was_left_ends_as_an_uninterrupted_run(archive, fetch, tmp_path, state):
    path = metrics(DAYS[0])
    for ending, content in left(archive.files[path])[state].items():
        file = tmp_path / "there" / f"{path}{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(archive.files[f"{path}.CHECKSUM"] if content is None else content)
    result = fetch()
    assert len(result.files) == 3
    assert contents(tmp_path / "there") == archive.files
    assert (result.files[0] in result.already) == state.startswith(("the file", "a broken"))
    asked = [one.wanted for one in archive.log(path)]
    expected = {"the beginning": ["bytes=400-"], "all of the part": ["bytes=1000-"], "the checksum before the file": ["bytes=1000-"]}
    expected |= {"a part of another file": ["bytes=400-", ""], "a longer part of another file": ["bytes=4000-", ""]}
    assert asked == expected.get(state, [] if result.files[0] in result.already else [""])


def test_a_damaged_file_is_kept_while_the_archive_has_no_better(archive, fetch, tmp_path):
    fetch()
    place = tmp_path / "there" / metrics(DAYS[0])
    place.write_bytes(b"damaged")
    archive.err_always(metrics(DAYS[0]), Fault(status=500))
    result = fetch()
    assert [one.name for one in result.failed] == ["metrics/BTCUSDT-metrics-2024-01-30.zip"]
    assert place not in result.files
    assert place.read_bytes() == b"damaged"


def test_whoever_waited_for_a_finished_file_locks_the_next_one(tmp_path):
    """The lock is a file's; when that file is put in its place, its lock says nothing of a new .part."""
    part = tmp_path / "file.part"
    entered = threading.Event()
    owned = []

    def wait():
        entered.set()
        with _locked(part, threading.Event()), part.open("ab") as handle:
            with pytest.raises(BlockingIOError):
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            owned.append(part.stat().st_size)

    other = threading.Thread(target=wait)
    with _locked(part, threading.Event()):
        other.start()
        entered.wait()
        other.join(0.3)
        assert other.is_alive()
        part.write_bytes(b"whole")
        part.replace(tmp_path / "file")
    other.join()
    assert owned == [0]
    assert [file.name for file in tmp_path.iterdir()] == ["file"]

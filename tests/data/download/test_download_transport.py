import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from data.archive_server import Archive, Fault

from liqbt.data.download.transport import StoppedError, Transport
from liqbt.errors import ConfigError, DataError


class Clock(threading.Event):
    """Remembers the pauses that were asked for instead of making them."""

    def __init__(self):
        super().__init__()
        self.pauses = []

    def wait(self, timeout=None):
        self.pauses.append(timeout)
        return self.is_set()


@pytest.fixture
def archive():
    with Archive() as one:
        one.put("file")
        yield one


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def transport(clock):
    with Transport(attempts=9, timeout_s=10.0, backoff_s=2.0, connections=1, stop=clock) as one:
        yield one


def test_pauses_double_up_to_a_minute_and_vary(archive, clock, transport):
    archive.err("file", *[Fault(status=503)] * 8)
    assert transport.get(f"{archive.url}/file") == archive.files["file"]
    assert len(clock.pauses) == 8
    for pause, least in zip(clock.pauses, (2, 4, 8, 16, 32, 60, 60, 60), strict=True):
        assert least <= pause <= least + 2
    assert len({pause % 1 for pause in clock.pauses}) == 8


def test_a_server_that_says_how_long_is_heeded(archive, clock, transport):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=200), usegmt=True)
    earlier = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    for header in ("77", later, earlier, "soon", "1"):
        archive.err("file", Fault(status=429, headers={"Retry-After": header}))
    transport.get(f"{archive.url}/file")
    seconds, until, past, unclear, short = clock.pauses
    assert seconds == 77
    assert 150 < until <= 200
    assert 8 <= past <= 10  # the pause that would have been made anyway
    assert 16 <= unclear <= 18
    assert 32 <= short <= 34


def test_a_server_that_asks_for_hours_is_not_waited_for(archive, clock, transport):
    archive.err("file", Fault(status=503, headers={"Retry-After": "7200"}))
    with pytest.raises(DataError, match="the server answered 503 Service Unavailable and asks to wait 7200 s; download again after that"):
        transport.get(f"{archive.url}/file")
    assert clock.pauses == []
    assert len(archive.log()) == 1


def test_once_stopped_nothing_is_asked(archive, clock, transport):
    clock.set()
    with pytest.raises(StoppedError):
        transport.get(f"{archive.url}/file")
    assert not archive.log()


def test_a_stop_ends_the_attempts(archive, clock, transport):
    archive.err_always("file", Fault(status=503))
    clock.wait = lambda _: clock.set()
    with pytest.raises(StoppedError):
        transport.get(f"{archive.url}/file")
    assert len(archive.log()) == 1


def test_bodies_come_as_they_are_stored(archive, transport, tmp_path):
    archive.err("file", Fault(cut=10))
    part = tmp_path / "part"
    shares = []
    assert transport.complete(f"{archive.url}/file", part, shares.append)
    assert part.read_bytes() == archive.files["file"]
    assert shares[0] == pytest.approx(0.01)
    assert shares[-1] == 1.0
    assert shares == sorted(shares)


def test_a_proxy_that_cannot_be_used_is_told(monkeypatch, clock):
    monkeypatch.setenv("HTTP_PROXY", "gopher://127.0.0.1:1")
    with pytest.raises(ConfigError, match=r"^environment: its proxy or certificates cannot be used"):
        Transport(attempts=1, timeout_s=1.0, backoff_s=0.0, connections=1, stop=clock)

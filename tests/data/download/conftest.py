import pytest
from data.archive_server import DAYS, Archive, metrics

from liqbt.data.download import download


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def archive():
    """Three days of metrics of 1,000 bytes each."""
    with Archive() as one:
        for day in DAYS:
            one.put(metrics(day))
        yield one


@pytest.fixture
def fetch(archive, tmp_path):
    """Download those days into `there`; keywords replace the parameters."""

    def run(**changed):
        parameters = {"tables": ["metrics"], "start": DAYS[0], "end": "2024-02-02", "folder": tmp_path / "there"}
        quick = {"base_url": archive.url, "attempts": 4, "timeout_s": 10.0, "backoff_s": 0.0}
        return download("BTCUSDT", **(parameters | quick | changed))

    return run

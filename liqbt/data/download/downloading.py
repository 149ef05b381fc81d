"""Many files of the archive at once, and what came of each."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Lock
from typing import Final, TypeAlias

import httpx

from liqbt._typing import Progress
from liqbt.data.download.archive import BASE_URL, ArchiveFile, Market, plan
from liqbt.data.download.fetch import Status, fetch_file
from liqbt.data.download.transport import Transport, UnreachableError
from liqbt.errors import ConfigError, DataError, StoreError

__all__ = ["DownloadResult", "FailedFile", "download"]

_TELL_S: Final = 0.2
_MOST_WORKERS: Final = 64


@dataclass(frozen=True, kw_only=True)
class FailedFile:
    """A file that the archive may have and that could not be had. name: as `klines/BTCUSDT-1m-2024-01.zip`."""

    name: str
    reason: str


Outcome: TypeAlias = Status | FailedFile


@dataclass(frozen=True, kw_only=True)
class DownloadResult:
    """What came of each file, by table and then by time, in the same order for any number of workers.

    files: paths in place whose bytes are those of their checksum; each is in `fetched` or was there `already`.
    missing: names of days (of months, for tables without days) that the archive lacks. failed: files that it may have.
    """

    files: tuple[Path, ...]
    fetched: tuple[Path, ...]
    already: tuple[Path, ...]
    missing: tuple[str, ...]
    failed: tuple[FailedFile, ...]


def download(
    symbol: str,
    *,
    tables: Sequence[str],
    start: str,
    end: str,
    folder: str | Path,
    interval: str | None = None,
    market: Market | None = None,
    base_url: str = BASE_URL,
    workers: int = 4,
    attempts: int = 5,
    timeout_s: float = 30.0,
    backoff_s: float = 1.0,
    progress: Progress | None = None,
) -> DownloadResult:
    """Fetch the archive's files of one symbol in `[start, end)` into `folder`, in the archive's own layout.

    symbol, tables, start, end, interval, market: as in `plan`. base_url: the archive or a copy of it, http or https.
    workers: files under way at once. attempts: requests for one answer before it is given up; resets, timeouts, 408, 425, 429
    and 5xx are tried again. timeout_s: seconds without a byte that end an attempt. backoff_s: pause before the second attempt,
    doubled at each further one up to a minute, plus as much again at random; a Retry-After is honoured up to five minutes.
    These defaults are conventions, fitted to nothing.
    progress: called on the calling thread with the share of the span's days done, 0 to 1, and what was done last.

    A file in place whose bytes are those of the checksum beside it is not asked for again. A run that was killed, or that
    could not have all files, goes on where it stopped when it is run again; two runs at once into one folder share the work.
    Files that fail do not keep others from being fetched: read `failed`.

    Raises ConfigError for a bad parameter, StoreError where `folder` cannot be written, DataError where no server ever answered.
    """
    files = plan(symbol, tables=tables, start=start, end=end, interval=interval, market=market)
    base = _base(base_url)
    _check_numbers(workers=workers, attempts=attempts, timeout_s=timeout_s, backoff_s=backoff_s)
    root = Path(folder)
    stop = Event()
    teller = _Teller(progress, total=sum(file.days for file in files))
    outcomes: dict[str, Outcome] = {}
    with _writing(root):
        root.mkdir(parents=True, exist_ok=True)
    with Transport(attempts=attempts, timeout_s=timeout_s, backoff_s=backoff_s, connections=workers, stop=stop) as transport:

        def fetch(file: ArchiveFile) -> Outcome:
            try:
                with _writing(root):
                    return fetch_file(f"{base}/{file.path}", root / file.path, transport=transport, tell=partial(teller.note, file))
            except DataError as error:
                if isinstance(error, UnreachableError) and not transport.reached:
                    raise DataError(f"{base}: cannot be reached: {error.reason}; check base_url, the network and any proxy") from error
                return FailedFile(name=file.name, reason=str(error))

        wanted = list(files)
        while wanted:
            for file, outcome in _all(wanted, fetch, workers, stop, teller):
                outcomes[file.path] = outcome
            wanted = [day for file in wanted if outcomes[file.path] == "missing" for day in file.instead]
    result = _result(files, outcomes, root)
    teller.finish(f"{len(result.files)} files in place, {len(result.missing)} missing, {len(result.failed)} failed")
    return result


@contextlib.contextmanager
def _writing(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{root}: cannot be written ({error.strerror or error}); check space and permissions and download again"
        ) from error


def _all(
    files: Sequence[ArchiveFile], fetch: Callable[[ArchiveFile], Outcome], workers: int, stop: Event, teller: _Teller
) -> Iterator[tuple[ArchiveFile, Outcome]]:
    """Yield each file with what came of it, in the order in which they end; whatever is raised stops the others first."""
    ended: SimpleQueue[Future[Outcome]] = SimpleQueue()
    with ThreadPoolExecutor(workers, thread_name_prefix="liqbt-download") as pool:
        try:
            teller.tell(f"asking for {len(files)} files")
            file_of = {pool.submit(fetch, file): file for file in files}
            for future in file_of:
                future.add_done_callback(ended.put)
            for _ in files:
                future = _next(ended, teller)
                file, outcome = file_of[future], future.result()
                # The share of a month that is missing stays open for its days.
                teller.note(file, 0.0 if outcome == "missing" and file.instead else 1.0)
                teller.tell(f"{outcome if isinstance(outcome, str) else 'failed'} {file.name}")
                yield file, outcome
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _next(ended: SimpleQueue[Future[Outcome]], teller: _Teller) -> Future[Outcome]:
    """Wait for the next file to end, telling the share of those under way meanwhile."""
    while True:
        try:
            return ended.get(timeout=_TELL_S)
        except Empty:
            teller.tell()


class _Teller:
    """Turns the shares of single files into one that never falls, each file weighing as many days as it covers."""

    def __init__(self, progress: Progress | None, *, total: int) -> None:
        self._progress = progress
        self._total = total
        self._lock = Lock()
        self._shares: dict[str, float] = {}
        self._done = 0.0
        self._most = 0.0
        self._what = ""

    def note(self, file: ArchiveFile, share: float) -> None:
        """Remember the share of a file; from any thread."""
        with self._lock:
            self._done += file.days * (share - self._shares.get(file.path, 0.0))
            self._shares[file.path] = share

    def tell(self, what: str | None = None) -> None:
        """Call back with the share of all; without `what`, with what was told last."""
        if self._progress is not None:
            self._what = self._what if what is None else what
            self._most = min(max(self._most, self._done / self._total), 1.0)
            self._progress(self._most, self._what)

    def finish(self, what: str) -> None:
        """Call back with 1."""
        self._most = 1.0
        self.tell(what)


def _result(files: Sequence[ArchiveFile], outcomes: dict[str, Outcome], root: Path) -> DownloadResult:
    ordered = [each for file in files for each in (file.instead if file.instead and outcomes[file.path] == "missing" else (file,))]

    def paths(*wanted: Status) -> tuple[Path, ...]:
        return tuple(root / file.path for file in ordered if outcomes[file.path] in wanted)

    return DownloadResult(
        files=paths("fetched", "already"),
        fetched=paths("fetched"),
        already=paths("already"),
        missing=tuple(file.name for file in ordered if outcomes[file.path] == "missing"),
        failed=tuple(outcome for outcome in (outcomes[file.path] for file in ordered) if isinstance(outcome, FailedFile)),
    )


def _base(text: str) -> str:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise ConfigError(f"base_url: {text!r} is no address of an archive; write http:// or https:// and a host, such as {BASE_URL}")
    if url.userinfo:  # it would stand in every message
        raise ConfigError(f"base_url: a name and password cannot stand in it; write https://{url.host}")
    return str(url).rstrip("/")


def _check_numbers(*, workers: int, attempts: int, timeout_s: float, backoff_s: float) -> None:
    if not 1 <= workers <= _MOST_WORKERS:
        raise ConfigError(f"workers: {workers} is not from 1 to {_MOST_WORKERS}; 4 is kind to the archive")
    if attempts < 1:
        raise ConfigError(f"attempts: {attempts} is below 1; 1 tries each request once")
    if not (math.isfinite(timeout_s) and timeout_s > 0):
        raise ConfigError(f"timeout_s: {timeout_s} is not above 0; write seconds, such as 30")
    if not (math.isfinite(backoff_s) and backoff_s >= 0):
        raise ConfigError(f"backoff_s: {backoff_s} is not at least 0; write seconds, such as 1")

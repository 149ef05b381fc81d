"""A loopback server with the layout of Binance's archive, which errs on command and remembers what it was asked."""

import contextlib
import hashlib
import random
import socket
import struct
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DAYS = ("2024-01-30", "2024-01-31", "2024-02-01")


def metrics(day):
    return f"data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-{day}.zip"


def klines(period, table="klines"):
    """Path of a day or a month."""
    span = "monthly" if len(period) == 7 else "daily"
    return f"data/futures/um/{span}/{table}/BTCUSDT/1m/BTCUSDT-1m-{period}.zip"


def contents(folder):
    """Bytes of each file below a folder, by its path in it."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one answer.

    status: answered instead, without a body, with `headers`. body: served instead of the file's. cut: bytes of the body after
    which the connection ends, where `end` is `close`, `reset` or `silence`. whole: a wanted range is not heeded.
    content_range: sent instead of the right one.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    cut: int | None = None
    end: str = "close"
    whole: bool = False
    content_range: str = ""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: path, the Range that it had (or ""), and the status of the answer."""

    path: str
    wanted: str
    status: int


class Archive:
    """Serves what `put` gave it, from a with block.

    ranges: whether Range is heeded. dribble: bytes sent at a time and the seconds between them; None sends all at once.
    """

    def __init__(self, *, ranges=True, dribble=None):
        self.ranges = ranges
        self.dribble = dribble
        self.files = {}
        self.closing = threading.Event()
        self._faults = defaultdict(deque)
        self._always = {}
        self._log = []
        self._lock = threading.Lock()

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.archive = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def put(self, path, size=1000, *, body=None, listed=None):
        """Keep a file of random bytes that its path determines, with its checksum (or that of `listed`); return its bytes."""
        body = random.Random(path).randbytes(size) if body is None else body  # noqa: S311
        self.files[path] = body
        digest = hashlib.sha256(body if listed is None else listed).hexdigest()
        self.files[f"{path}.CHECKSUM"] = f"{digest}  {path.rpartition('/')[2]}\n".encode()
        return body

    def err(self, path, *faults):
        """Answer the next requests for a path with these faults, one each."""
        self._faults[path].extend(faults)

    def err_always(self, path, fault):
        self._always[path] = fault

    def fault_for(self, path):
        with self._lock:
            return self._faults[path].popleft() if self._faults[path] else self._always.get(path, Fault())

    def remember(self, path, wanted, status):
        with self._lock:
            self._log.append(Request(path=path, wanted=wanted, status=status))

    def log(self, path=None):
        """Requests so far, of one path or all."""
        with self._lock:
            return [one for one in self._log if path in (None, one.path)]

    def bodies(self):
        """Requests for files themselves, not for their checksums."""
        return [one for one in self.log() if not one.path.endswith(".CHECKSUM")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # clients that go away in the middle are what the tests are about


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        archive, path = self.server.archive, self.path.lstrip("/")
        wanted = self.headers.get("Range", "")
        fault = archive.fault_for(path)
        body = archive.files.get(path) if fault.body is None else fault.body
        if fault.status or body is None:
            self._answer(path, wanted, fault.status or 404, {"Content-Length": "0", **fault.headers})
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and archive.ranges and not fault.whole else 0
        if start and start >= len(body):
            self._answer(path, wanted, 416, {"Content-Length": "0", "Content-Range": f"bytes */{len(body)}"})
            return
        headers = {"Content-Length": str(len(body) - start)}
        if start:
            headers["Content-Range"] = fault.content_range or f"bytes {start}-{len(body) - 1}/{len(body)}"
        self._answer(path, wanted, 206 if start else 200, headers)
        self._send(body[start:] if fault.cut is None else body[start : fault.cut])
        if fault.cut is not None:
            self._end(fault.end)

    def _answer(self, path, wanted, status, headers):
        self.server.archive.remember(path, wanted, status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body):
        if self.server.archive.dribble is None:
            self.wfile.write(body)
            return
        size, pause = self.server.archive.dribble
        for first in range(0, len(body), size):
            self.wfile.write(body[first : first + size])
            if self.server.archive.closing.wait(pause):
                return

    def _end(self, how):
        self.close_connection = True
        if how == "silence":
            self.server.archive.closing.wait(20)
        if how == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            for stream in (self.rfile, self.wfile, self.connection):
                with contextlib.suppress(OSError):
                    stream.close()

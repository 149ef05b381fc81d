"""HTTP as the archive needs it: small answers whole, large bodies into files, and another attempt where one may help."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event
from typing import Final, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential, wait_random

from liqbt.errors import ConfigError, DataError

__all__ = ["StoppedError", "Transport", "UnreachableError"]

Answer = TypeVar("Answer")

_OK, _PARTIAL, _MISSING, _BEYOND = 200, 206, 404, 416
_PASSING: Final = frozenset({408, 425, 429})
_LONGEST_BACKOFF_S: Final = 60.0
_LONGEST_RETRY_AFTER_S: Final = 300.0
"""A server that asks for more gets no second attempt in this run: waiting would look like hanging."""


class StoppedError(Exception):
    """The download was stopped elsewhere; what is on disk is left as it is."""


class UnreachableError(DataError):
    """Not one answer of any kind has come from the server so far. reason: what failed last, without the address."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class _PassingError(Exception):
    """What may be over at the next attempt. wait_s: how long the server asks to wait first."""

    def __init__(self, reason: str, *, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class Transport:
    """A client that several threads share.

    attempts: requests made for one answer before it is given up. timeout_s: seconds without a byte after which an attempt has
    failed. backoff_s: pause before the second attempt, doubled at each further one up to a minute, plus as much again at random.
    stop: once set, every call ends with StoppedError. reached: whether any answer has come.

    Raises ConfigError where proxy or certificates that the environment names cannot be used.
    """

    def __init__(self, *, attempts: int, timeout_s: float, backoff_s: float, connections: int, stop: Event) -> None:
        self.stop = stop
        self.reached = False
        self._attempts = attempts
        self._backoff_s = backoff_s
        try:
            # Bodies are hashed as they are stored, so none may be compressed on its way.
            self._client = httpx.Client(
                timeout=httpx.Timeout(timeout_s, pool=None),
                limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
                headers={"Accept-Encoding": "identity", "User-Agent": "liqbt"},
                follow_redirects=True,
            )
        except (OSError, ValueError) as error:
            raise ConfigError(f"environment: its proxy or certificates cannot be used, {_reason(error)}; mend or unset them") from error

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, url: str) -> bytes | None:
        """Return the body, or None where the server says that there is no such file.

        Raises DataError naming the address where it cannot be had, UnreachableError where no server ever answered.
        """

        def once() -> bytes | None:
            with self._open(url, {}) as response:
                return None if response.status_code == _MISSING else response.read()

        return self._retried(url, once)

    def complete(self, url: str, part: Path, tell: Callable[[float], None]) -> bool:
        """Append to `part` what it lacks of the body, or write it anew where the server gives whole bodies only.

        Return False where the server says that there is no such file. True says that the server has no more to send, not that
        the bytes are right. tell: called with the share that is there, 0 to 1.

        Raises as `get`, and OSError where `part` cannot be written. What arrived stays in `part` whatever happens.
        """

        def once() -> bool:
            have = part.stat().st_size if part.exists() else 0
            with self._open(url, {"Range": f"bytes={have}-"} if have else {}) as response:
                if response.status_code == _MISSING:
                    return False
                if response.status_code == _BEYOND:
                    return True
                if response.status_code == _OK:
                    have = 0
                elif _begins(response) != have:
                    part.write_bytes(b"")
                    raise _PassingError("the server sent another part of the file than was asked for")
                total = have + int(response.headers.get("Content-Length", 0))
                with part.open("ab" if have else "wb") as file:
                    for chunk in response.iter_raw():
                        self._check_stop()
                        file.write(chunk)
                        have += len(chunk)
                        tell(min(have / total, 1.0) if total else 0.0)
            return True

        return self._retried(url, once)

    def _retried(self, url: str, once: Callable[[], Answer]) -> Answer:
        backoff = wait_exponential(multiplier=self._backoff_s, max=_LONGEST_BACKOFF_S) + wait_random(0, self._backoff_s)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            asked = error.wait_s if isinstance(error, _PassingError) else 0.0
            return max(asked, backoff(state))

        retrying = Retrying(
            retry=retry_if_exception_type(_PassingError),
            stop=stop_after_attempt(self._attempts),
            wait=wait,
            sleep=self._pause,
            reraise=True,
        )
        try:
            return retrying(once)
        except _PassingError as error:
            reason = f"{error}, at attempt {self._attempts} of {self._attempts}"
            message = f"{url}: {reason}; check the connection and download again to go on from here"
            raise DataError(message) if self.reached else UnreachableError(message, reason=reason) from error

    @contextlib.contextmanager
    def _open(self, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """Yield an answer that says something about the file; raise for all others, and for connections that fail."""
        self._check_stop()
        try:
            with self._client.stream("GET", url, headers=headers) as response:
                self.reached = True
                status = response.status_code
                if status in _PASSING or status >= 500:
                    raise _PassingError(f"the server answered {_status(response)}", wait_s=_retry_after(url, response))
                if status not in (_OK, _MISSING, *((_PARTIAL, _BEYOND) if headers else ())):
                    raise DataError(f"{url}: the server answered {_status(response)}; check base_url and that it may be read")
                yield response
        except (httpx.TooManyRedirects, httpx.UnsupportedProtocol) as error:
            raise DataError(f"{url}: {_reason(error)}; check base_url") from error
        except httpx.TransportError as error:
            raise _PassingError(_reason(error)) from error

    def _pause(self, seconds: float) -> None:
        self.stop.wait(seconds)

    def _check_stop(self) -> None:
        if self.stop.is_set():
            raise StoppedError


def _status(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def _begins(response: httpx.Response) -> int | None:
    """First byte of the range that was sent; None where the answer does not say."""
    match = re.match(r"bytes ([0-9]+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _retry_after(url: str, response: httpx.Response) -> float:
    """Seconds that the server asks to wait, 0 where it does not say; raises DataError where they are too many."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdecimal():
        seconds = float(text)
    else:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = max((moment - datetime.now(UTC)).total_seconds(), 0.0)
    if seconds > _LONGEST_RETRY_AFTER_S:
        raise DataError(f"{url}: the server answered {_status(response)} and asks to wait {seconds:.0f} s; download again after that")
    return seconds


def _reason(error: Exception) -> str:
    """One line that says what failed; several of httpx's errors have no text of their own."""
    name = re.sub(r"(?<!^)([A-Z])", r" \1", type(error).__name__).lower()
    text = (str(error).splitlines() or [""])[0]
    return f"{name} ({text})" if text else name

"""One file of the archive into its place: verified by its checksum, resumed, and never seen half.

    NAME.zip            whole and verified when it was put there
    NAME.zip.CHECKSUM   what the archive said of it, as it was served
    NAME.zip.part       the beginning of a file under way; it carries the lock of whoever fetches it

A process killed at any moment leaves these three in a state from which the next run goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import IO, Literal

from liqbt.data.download.transport import StoppedError, Transport
from liqbt.errors import DataError

try:
    import fcntl
except ImportError:  # Windows: two downloads at once into one folder are then the user's care
    fcntl = None  # type: ignore[assignment]

__all__ = ["Status", "fetch_file"]

Status = Literal["fetched", "already", "missing"]

_POLL_S = 0.1


def fetch_file(url: str, place: Path, *, transport: Transport, tell: Callable[[float], None]) -> Status:
    """Have the file of `url` at `place`, with its checksum beside it, and say how it came there.

    `already`: it was there, and its bytes are those of the checksum. `missing`: the archive has no such file. tell: called with
    the share of the body that is there, 0 to 1.
    A body that does not fit its checksum is fetched once more from its beginning, with the checksum, and then refused.

    Raises DataError naming the address and the reason where the file cannot be had, OSError where it cannot be written.
    """
    sidecar, part = (place.with_name(place.name + ending) for ending in (".CHECKSUM", ".part"))
    # Beside a leftover .part the slow way is taken, which clears it away under its lock.
    if not part.exists() and place.exists() and sidecar.exists() and _digest(place) == _parse(sidecar.read_bytes(), place.name):
        return "already"
    listed = transport.get(f"{url}.CHECKSUM")
    if listed is None:
        return "missing"
    expected = _expected(listed, url, place.name)
    place.parent.mkdir(parents=True, exist_ok=True)
    with _locked(part, transport.stop):
        if _digest(place) == expected:
            _write_whole(sidecar, listed)
            part.unlink(missing_ok=True)
            return "already"
        for attempt in ("first", "last"):
            if not transport.complete(url, part, tell):
                part.write_bytes(b"")
                return "missing"
            found = _digest(part)
            if found == expected:
                _write_whole(sidecar, listed)
                _sync(part)
                part.replace(place)
                return "fetched"
            part.write_bytes(b"")
            if attempt == "first":  # the archive may have replaced the file since its checksum was read
                listed = transport.get(f"{url}.CHECKSUM") or listed
                expected = _expected(listed, url, place.name)
    raise DataError(
        f"{url}: has SHA-256 {str(found)[:16]}..., its CHECKSUM says {expected[:16]}..., in two fetches; it was not kept, "
        "download again once the archive has mended it"
    )


def _expected(listed: bytes, url: str, name: str) -> str:
    digest = _parse(listed, name)
    if digest is None:
        raise DataError(
            f"{url}.CHECKSUM: holds {ascii(listed[:40])[1:]}, not a SHA-256 and {name}; check that base_url is a copy of the archive"
        )
    return digest


def _parse(listed: bytes, name: str) -> str | None:
    match = re.fullmatch(rb"\s*([0-9a-fA-F]{64})[ \t]+\*?(\S+)\s*", listed)
    return match[1].decode().lower() if match and match[2] == name.encode() else None


def _digest(file: Path) -> str | None:
    """Return the SHA-256 of a file's bytes, None where there is no file."""
    try:
        with file.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        return None


def _write_whole(file: Path, content: bytes) -> None:
    staged = file.with_name(f"{file.name}.part")
    staged.write_bytes(content)
    _sync(staged)
    staged.replace(file)


def _sync(file: Path) -> None:
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


@contextlib.contextmanager
def _locked(part: Path, stop: Event) -> Iterator[None]:
    """Hold the lock that the .part carries, creating it; a killed process lets go of it. An empty .part is taken away at the end."""
    with contextlib.ExitStack() as held:
        while fcntl is not None and not _lock(held.enter_context(part.open("ab")), part, stop):
            pass
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                if part.stat().st_size == 0:
                    part.unlink()


def _lock(handle: IO[bytes], part: Path, stop: Event) -> bool:
    """Wait for the lock, and return whether it is still that of the .part: its last holder may have put that file in its place."""
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if stop.wait(_POLL_S):
                raise StoppedError from None
            continue
        with contextlib.suppress(FileNotFoundError):
            return os.path.samestat(part.stat(), os.fstat(handle.fileno()))
        return False

"""Where a store lies: a local folder, or a prefix of an S3 bucket. Files are put in their place whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from liqbt.errors import StoreError

try:
    import fcntl
except ImportError:  # Windows: two imports at once into one store are then the user's care
    fcntl = None  # type: ignore[assignment]

__all__ = ["Bucket", "ConflictError", "Folder", "Place", "Snapshot", "open_place"]

_STAGING: Final = ".staging"
_LOCK: Final = ".lock"
_ENDING: Final = ".parquet"


class ConflictError(StoreError):
    """Somebody else changed a file between our reading it and our putting a new one in its place."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A file as it was at one moment. content: its path, where nobody can change it meanwhile, or its bytes. version: changes with it."""

    content: str | bytes
    version: str


class Place(Protocol):
    """A tree of folders with Parquet files in it; keys are paths below its root, with slashes."""

    @property
    def label(self) -> str:
        """What messages call it."""

    @property
    def options(self) -> dict[str, str] | None:
        """Storage options with which polars opens its files."""

    def folders(self, key: str) -> list[str]:
        """Return the names of the folders in a folder, sorted; none where it is not there."""

    def files(self, key: str) -> list[str]:
        """Return the names of the Parquet files in a folder, sorted; none where it is not there."""

    def url(self, key: str) -> str:
        """Return the address of a file, as polars opens it."""

    def snapshot(self, key: str) -> Snapshot | None:
        """Return a file as it is at one moment; None where there is none."""

    def writing(self) -> contextlib.AbstractContextManager[Path]:
        """Hold the right to write, with an empty local folder for files that are not yet in place."""

    def put(self, staged: Path, key: str, version: str | None) -> None:
        """Put a staged file in its place in one step; raises ConflictError where the file there is not of that version any more."""


def open_place(path: str | Path) -> Place:
    """Return the place at a local path or an `s3://bucket/prefix`; raises StoreError where it can be none."""
    if str(path).startswith("s3://"):
        return Bucket(str(path))
    if "://" in str(path):
        raise StoreError(f"{path}: a store is a local folder or s3://bucket/prefix")
    return Folder(Path(path))


class Folder:
    """A local folder, which need not exist before the first write."""

    options: dict[str, str] | None = None

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_dir():
            raise StoreError(f"{path}: is a file; a store is a folder")
        self.path = path

    @property
    def label(self) -> str:
        return str(self.path)

    def folders(self, key: str) -> list[str]:
        return [entry.name for entry in self._entries(key) if entry.is_dir()]

    def files(self, key: str) -> list[str]:
        return [entry.name for entry in self._entries(key) if entry.name.endswith(_ENDING) and not entry.name.startswith(".")]

    def _entries(self, key: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.path / key) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StoreError(f"{self.path / key}: cannot be read ({error.strerror}); check its permissions") from error

    def url(self, key: str) -> str:
        return str(self.path / key)

    def snapshot(self, key: str) -> Snapshot | None:
        # A file is never changed, only replaced, and the lock keeps others from that.
        return Snapshot(content=self.url(key), version="") if (self.path / key).exists() else None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Path]:
        staging = self.path / _STAGING
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = (self.path / _LOCK).open("a")
        except OSError as error:
            raise StoreError(f"{self.path}: cannot be written ({error.strerror}); check the path and its permissions") from error
        with handle:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX)  # a killed process lets go of it
            try:
                shutil.rmtree(staging, ignore_errors=True)  # what a killed import left
                staging.mkdir()
                yield staging
            except OSError as error:
                raise StoreError(f"{self.path}: cannot be written ({error.strerror}); check space and permissions") from error
            finally:
                shutil.rmtree(staging, ignore_errors=True)

    def put(self, staged: Path, key: str, version: str | None) -> None:  # noqa: ARG002 - the lock stands for the version
        target = self.path / key
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _sync(staged)
            staged.replace(target)
            _sync(target.parent)
        except OSError as error:
            raise StoreError(f"{target}: cannot be put in place ({error.strerror}); import again to finish") from error


def _sync(path: Path) -> None:
    """Have the disk hold a file's bytes, or a folder's names."""
    if os.name == "nt":  # folders cannot be opened there
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Bucket:
    """A prefix of an S3 bucket; credentials, region and endpoint are taken from the usual AWS_* environment variables.

    Nobody is kept out while somebody writes: a file is put in place only if it is still the one that was merged into.
    """

    def __init__(self, url: str, environment: Mapping[str, str] | None = None) -> None:
        from obstore.exceptions import BaseError
        from obstore.store import S3Store

        self._url = url.rstrip("/")
        self.options: dict[str, str] | None = _settings(os.environ if environment is None else environment)
        http = self.options.get("aws_allow_http") == "true"
        config: Any = {key: value for key, value in self.options.items() if key != "aws_allow_http"}
        try:
            self._store = S3Store.from_url(self._url, config=config, client_options={"allow_http": http})
        except (BaseError, ValueError) as error:
            raise StoreError(f"{url}: is no S3 address ({_told(error)}); write s3://bucket/prefix") from error

    @property
    def label(self) -> str:
        return self._url

    def folders(self, key: str) -> list[str]:
        return sorted(Path(one).name for one in self._listed(key)["common_prefixes"])

    def files(self, key: str) -> list[str]:
        return sorted(Path(one["path"]).name for one in self._listed(key)["objects"] if one["path"].endswith(_ENDING))

    def _listed(self, key: str) -> Any:
        with self._told("listed"):
            return self._store.list_with_delimiter(f"{key}/" if key else None)

    def url(self, key: str) -> str:
        return f"{self._url}/{key}"

    def snapshot(self, key: str) -> Snapshot | None:
        # One request, so that bytes and version belong together whatever others write.
        with self._told("read"), contextlib.suppress(FileNotFoundError):
            got = self._store.get(key)
            return Snapshot(content=bytes(got.bytes()), version=str(got.meta["e_tag"]))
        return None

    @contextlib.contextmanager
    def writing(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="liqbt-") as staging:
            yield Path(staging)

    def put(self, staged: Path, key: str, version: str | None) -> None:
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with self._told("written"):
            try:
                mode: Any = "create" if version is None else {"e_tag": version}
                self._store.put(key, staged, mode=mode, use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                raise ConflictError(f"{self.url(key)}: was changed by somebody else meanwhile; import again") from None

    @contextlib.contextmanager
    def _told(self, done: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except FileNotFoundError:
            raise
        except (BaseError, OSError) as error:
            raise StoreError(f"{self._url}: cannot be {done} ({_told(error)}); check address, credentials and AWS_ENDPOINT_URL") from error


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    names = {
        "aws_endpoint_url": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        "aws_access_key_id": ("AWS_ACCESS_KEY_ID",),
        "aws_secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
        "aws_session_token": ("AWS_SESSION_TOKEN",),
        "aws_region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    }
    found = {key: next((environment[name] for name in choices if environment.get(name)), None) for key, choices in names.items()}
    settings = {key: value for key, value in found.items() if value is not None}
    settings.setdefault("aws_region", "us-east-1")
    if settings.get("aws_endpoint_url", "").startswith("http://"):
        settings["aws_allow_http"] = "true"
    return settings


def _told(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]

"""Compressed files as a stream of bytes: plain, gzip, zip with one member, LZ4 frames; told by their first bytes.

Deflate is undone by ISA-L, which takes a third of zlib's time, in a thread of its own.
"""

from __future__ import annotations

import contextlib
import queue
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final, TypeVar, cast

from isal import igzip_lib, isal_zlib

from liqbt.errors import DataError

__all__ = ["decompressed", "prefetched"]

_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = b"PK\x03\x04"
_LZ4: Final = b"\x04\x22\x4d\x18"
_READ: Final = 1 << 20
_PIECE: Final = 1 << 24  # most bytes handed on at once, whatever the ratio of compression
_DEFLATED: Final = 8
_LOCAL_HEADER: Final = 30

_DAMAGED: Final = cast("type[Exception]", igzip_lib.IsalError)  # its stub does not say that it is an exception

T = TypeVar("T")


def decompressed(file: BinaryIO, label: str) -> Iterator[bytes]:
    """Yield the contents of a file from its start, undone where it is compressed, in pieces of at most 16 MiB.

    Raises DataError naming `label` where it is damaged, encrypted, or an archive of several files.
    """
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    if magic.startswith(_GZIP):
        return _gunzipped(file, label)
    if magic == _ZIP:
        return _unzipped(file, label)
    if magic == _LZ4:
        return _unlz4(file, label)
    return _plain(file)


def prefetched(pieces: Iterator[T], ahead: int = 2) -> Iterator[T]:
    """Yield the same items, made by a thread that runs up to `ahead` items before whoever takes them."""
    waiting: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(ahead)
    stopped = threading.Event()

    def offer(item: tuple[T | None, BaseException | None]) -> None:
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put(item, timeout=0.05)
                return

    def work() -> None:
        try:
            for piece in pieces:
                offer((piece, None))
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by whoever takes the items
            offer((None, error))
        else:
            offer((None, None))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            piece, error = waiting.get()
            if error is not None:
                raise error
            if piece is None:
                return
            yield piece
    finally:
        stopped.set()
        thread.join()


def _plain(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def _gunzipped(file: BinaryIO, label: str) -> Iterator[bytes]:
    data = file.read(_READ)
    while data:  # a gzip file is one member or several, one after the other
        member = isal_zlib.decompressobj(wbits=31)
        try:
            while not member.eof:
                if not data:
                    raise DataError(f"{label}: is a damaged gzip file (it ends too early); download it again")
                piece = member.decompress(data, _PIECE)
                data = member.unused_data if member.eof else member.unconsumed_tail or file.read(_READ)
                if piece:
                    yield piece
        except _DAMAGED as error:
            raise DataError(f"{label}: is a damaged gzip file ({error}); download it again") from error
        while not (data := data.lstrip(b"\0")):  # some writers pad with zeros
            if not (data := file.read(_READ)):
                break


def _unlz4(file: BinaryIO, label: str) -> Iterator[bytes]:
    import lz4.frame

    data = file.read(_READ)
    while data:
        frame = lz4.frame.LZ4FrameDecompressor()
        try:
            while not frame.eof:
                if not data and frame.needs_input:
                    raise DataError(f"{label}: is a damaged LZ4 file (it ends too early); download it again")
                piece = frame.decompress(data, max_length=_PIECE)
                data = (frame.unused_data or b"") if frame.eof else (file.read(_READ) if frame.needs_input else b"")
                if piece:
                    yield piece
        except (RuntimeError, EOFError) as error:
            raise DataError(f"{label}: is a damaged LZ4 file ({error}); download it again") from error
        data = data or file.read(_READ)


def _unzipped(file: BinaryIO, label: str) -> Iterator[bytes]:
    member, start = _member(file, label)
    file.seek(start)
    left = member.compress_size
    checksum = size = 0

    def stored() -> bytes:
        nonlocal left
        data = file.read(min(_READ, left))
        if not data and left:
            raise DataError(f"{label}: is a damaged zip file (it ends too early); download it again")
        left -= len(data)
        return data

    for piece in _inflated(stored, label) if member.compress_type == _DEFLATED else iter(stored, b""):
        checksum = isal_zlib.crc32(piece, checksum)
        size += len(piece)
        yield piece
    if checksum != member.CRC or size != member.file_size:
        raise DataError(f"{label}: is a damaged zip file ({member.filename!r} does not match its checksum); download it again")


def _inflated(stored: Callable[[], bytes], label: str) -> Iterator[bytes]:
    stream = isal_zlib.decompressobj(wbits=-15)
    data = stored()
    try:
        while not stream.eof:
            piece = stream.decompress(data, _PIECE)
            if piece:
                yield piece
            data = stream.unconsumed_tail
            if not data and not stream.eof:
                data = stored()
                if not data and not piece:
                    raise DataError(f"{label}: is a damaged zip file (it ends too early); download it again")
    except _DAMAGED as error:
        raise DataError(f"{label}: is a damaged zip file ({error}); download it again") from error


def _member(file: BinaryIO, label: str) -> tuple[zipfile.ZipInfo, int]:
    """Return the one file of a zip archive and where its bytes start."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise DataError(f"{label}: is a damaged zip file ({error}); download it again") from error
    if len(members) != 1:
        raise DataError(f"{label}: holds {len(members)} files, not one; unpack it and give the files")
    member = members[0]
    if member.flag_bits & 0x1:
        raise DataError(f"{label}: is encrypted; unpack it and give the file in it")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise DataError(f"{label}: uses zip method {member.compress_type}, not deflate; unpack it and give the file in it")
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(_ZIP):
        raise DataError(f"{label}: is a damaged zip file (no file where its index says); download it again")
    name, extra = struct.unpack("<HH", header[26:30])
    return member, member.header_offset + _LOCAL_HEADER + name + extra

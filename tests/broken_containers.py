"""Files that are broken before anything is in them: containers, and contents of no kind."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib

import lz4.frame
import samples_plain
from broken import case, raw, text

ROWS = "".join(f"{samples_plain.hour(n)},100,110,90,{100 + n % 7},5\n" for n in range(400))
CONTENT = f"{samples_plain.OHLCV}\n{ROWS}".encode()


def _zip(*members, method=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def _flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


ZIP, GZIP, LZ4 = _zip(("bars.csv", CONTENT)), gzip.compress(CONTENT, mtime=0), lz4.frame.compress(CONTENT, content_checksum=True)


def _encrypted():
    data = bytearray(ZIP)
    data[6] |= 1  # local header
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def _wrong_sum():
    """A zip whose index and header give another checksum."""
    other = zlib.crc32(CONTENT) ^ 1
    return ZIP.replace(zlib.crc32(CONTENT).to_bytes(4, "little"), other.to_bytes(4, "little"))


def _folder(*names):
    def make(folder):
        path = folder / "recordings"
        path.mkdir()
        for name in names:
            (path / name).write_text("nothing to import")
        return path

    return make


CASES = (
    case("no such file", lambda folder: folder / "absent.csv", "there is no such file or folder; check the path"),
    case("empty folder", _folder(), "holds no files to import"),
    case("folder of texts only", _folder("README.md", "LICENSE", ".hidden", "a.zip.part", "a.zip.CHECKSUM"), "holds no files to import"),
    case("empty file", raw("bars.csv", b""), "is empty; download or export it again"),
    case("only line breaks", raw("bars.csv", b"\n\r\n\n"), "holds no rows"),
    case("only a byte order mark", raw("bars.csv", b"\xef\xbb\xbf"), "holds no rows"),
    case("picture", raw("bars.csv", b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe"), "it begins with the bytes b'\\x89PNG"),
    case("text of no kind", text("notes.txt", "bought some coins", "sold them"),
         "it begins with 'bought some coins'; check the file, or read it as text with a mapping"),
    case("text in UTF-16", raw("bars.csv", CONTENT.decode().encode("utf-16")), "is of no kind that liqbt knows"),
    case("parquet", raw("bars.parquet", b"PAR1" + bytes(40) + b"PAR1"), "is of no kind that liqbt knows"),
    case("xz", raw("bars.csv.xz", b"\xfd7zXZ\x00" + bytes(range(40))), "is of no kind that liqbt knows"),
    case("gzip cut short", raw("bars.csv.gz", GZIP[:-40]), "is a damaged gzip file"),
    case("gzip of one header", raw("bars.csv.gz", GZIP[:10]), "is a damaged gzip file"),
    case("gzip with a changed byte", raw("bars.csv.gz", _flipped(GZIP, len(GZIP) // 2)), "is a damaged gzip file"),
    case("gzip with a wrong checksum", raw("bars.csv.gz", _flipped(GZIP, -8)), "is a damaged gzip file"),
    case("gzip with something after it", raw("bars.csv.gz", GZIP + b"<html>"), "is a damaged gzip file"),
    case("gzip of nothing", raw("bars.csv.gz", gzip.compress(b"")), "holds no rows"),
    case("gzip in a zip", raw("bars.zip", _zip(("bars.csv.gz", GZIP))), "is of no kind that liqbt knows"),
    case("zip cut short", raw("bars.zip", ZIP[:-30]), "is a damaged zip file"),
    case("zip without its index", raw("bars.zip", ZIP[: len(ZIP) // 2]), "is a damaged zip file"),
    case("zip with a changed byte", raw("bars.zip", _flipped(ZIP, len(ZIP) // 2)), "is a damaged zip file"),
    case("zip with a wrong checksum", raw("bars.zip", _wrong_sum()), "does not match its checksum"),
    case("zip of two files", raw("bars.zip", _zip(("a.csv", CONTENT), ("b.csv", CONTENT))), "holds 2 files, not one"),
    case("zip of no file", raw("bars.zip", _zip()), "is of no kind that liqbt knows"),
    case("zip of a folder", raw("bars.zip", _zip(("inside/", b""))), "holds 0 files, not one"),
    case("zip of an empty file", raw("bars.zip", _zip(("bars.csv", b""))), "holds no rows"),
    case("encrypted zip", raw("bars.zip", _encrypted()), "is encrypted; unpack it"),
    case("zip by another method", raw("bars.zip", _zip(("bars.csv", CONTENT), method=zipfile.ZIP_LZMA)), "not deflate; unpack it"),
    case("lz4 cut short", raw("bars.csv.lz4", LZ4[:-20]), "is a damaged LZ4 file"),
    case("lz4 with a changed byte", raw("bars.csv.lz4", _flipped(LZ4, len(LZ4) // 2)), "is a damaged LZ4 file"),
    case("lz4 with a wrong checksum", raw("bars.csv.lz4", _flipped(LZ4, -1)), "is a damaged LZ4 file"),
)  # fmt: skip

"""Compressed files as streams, and text in blocks: whatever the form, the same rows; whatever is broken, one clear line."""

from __future__ import annotations

import gzip
import io
import itertools
import os
import zipfile

import lz4.frame
import polars as pl
import pytest

from liqbt.data.readers import _blocks
from liqbt.data.readers._blocks import Layout, typed_blocks
from liqbt.data.readers._containers import prefetched
from liqbt.data.readers._json_lines import json_blocks, json_lines
from liqbt.data.readers._source import open_source
from liqbt.errors import DataError

LAYOUT = Layout(columns={"time": pl.Int64, "skipped": None, "price": pl.Float64, "maker": pl.Boolean}, optional=frozenset({"maker"}))
ROWS = [(1_700_000_000_000 + i, f"x{i}", 100.0 + i / 4, i % 3 == 0) for i in range(1000)]
TEXT = "".join(f"{time},{skipped},{price},{str(maker).lower()}\n" for time, skipped, price, maker in ROWS).encode()
EXPECTED = [(i + 1, time, price, maker) for i, (time, _, price, maker) in enumerate(ROWS)]


def zipped(*members, method=zipfile.ZIP_DEFLATED):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def opened(tmp_path, content, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(content)
    return open_source(path)


def rows_of(file):
    return [row for block in typed_blocks(file, LAYOUT) for row in block.rows()]


FORMS = {
    "plain": TEXT,
    "no last line break": TEXT[:-1],
    "CRLF": TEXT.replace(b"\n", b"\r\n"),
    "header": b"time,skipped,price,maker\n" + TEXT,
    "header with a mark of order": b"\xef\xbb\xbftime,skipped,price,maker\r\n" + TEXT,
    "empty lines at the end": TEXT + b"\n\n",
    "booleans of another writer": TEXT.replace(b"true", b"True").replace(b"false", b"False"),
    "gzip": gzip.compress(TEXT),
    "gzip, several members": gzip.compress(TEXT[:777]) + gzip.compress(TEXT[777:]),
    "gzip, padded": gzip.compress(TEXT) + b"\0" * 512,
    "gzip, padded between members": gzip.compress(TEXT[:777]) + b"\0" * (5 << 19) + gzip.compress(TEXT[777:]),
    "zip": zipped(("a.csv", TEXT)),
    "zip, stored": zipped(("a.csv", TEXT), method=zipfile.ZIP_STORED),
    "zip, with a folder": zipped(("a/", b""), ("a/a.csv", TEXT), ("__MACOSX/a", b"x")),
    "lz4": lz4.frame.compress(TEXT),
    "lz4, several frames": lz4.frame.compress(TEXT[:777]) + lz4.frame.compress(TEXT[777:]),
}


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("block", [1 << 24, 1000, 1])
def test_every_form_gives_the_same_rows(tmp_path, monkeypatch, content, block):
    monkeypatch.setattr(_blocks, "_BLOCK", block)
    assert rows_of(opened(tmp_path, content)) == EXPECTED


def test_columns_by_name_in_any_order(tmp_path):
    file = opened(tmp_path, b"price,new,time\n1.5,z,7\n")
    [block] = typed_blocks(file, LAYOUT)
    assert block.rows(named=True) == [{"_row": 1, "price": 1.5, "time": 7}]


def test_delimiters_in_quoted_cells_are_no_cells(tmp_path):
    assert rows_of(opened(tmp_path, b'7,"a,b",2.5,\n8,c,3.5,true\n')) == [(1, 7, 2.5, None), (2, 8, 3.5, True)]


def damaged(content, at):
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :]


def encrypted():
    content = bytearray(FORMS["zip"])
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flags] |= 1
    return bytes(content)


BROKEN = {
    "gzip cut short": (FORMS["gzip"][:-20], "is a damaged gzip file"),
    "gzip without its checksum": (FORMS["gzip"][:-8], "is a damaged gzip file .it ends too early"),
    "gzip with another checksum": (damaged(FORMS["gzip"], len(FORMS["gzip"]) - 6), "is a damaged gzip file"),
    "gzip with a wrong byte": (damaged(FORMS["gzip"], 400), "is a damaged gzip file"),
    "text after gzip": (FORMS["gzip"] + b"more", "is a damaged gzip file"),
    "zip cut short": (FORMS["zip"][:300], "is a damaged zip file"),
    "zip with a wrong byte": (damaged(FORMS["zip"], 400), "is a damaged zip file|has a line|row"),
    "zip with a wrong byte, stored": (damaged(FORMS["zip, stored"], 400), "does not match its checksum|row"),
    "zip of nothing": (zipped(("a/", b"")), "holds 0 files, not one"),
    "zip of two": (zipped(("a.csv", TEXT), ("b.csv", TEXT)), "holds 2 files, not one"),
    "zip of an empty file": (zipped(("a.csv", b"")), "holds no rows"),
    "zip, encrypted": (encrypted(), "is encrypted"),
    "zip of another method": (zipped(("a.csv", TEXT), method=zipfile.ZIP_BZIP2), "uses zip method 12, not deflate"),
    "lz4 cut short": (FORMS["lz4"][:-20], "is a damaged LZ4 file"),
    "lz4 with a wrong byte": (damaged(FORMS["lz4"], 4), "is a damaged LZ4 file"),
    "a header and nothing else": (b"time,skipped,price,maker\n", "holds no rows"),
    "a header without a column": (b"time,skipped,prices\n1,2,3\n", r"has no column 'price'; did you mean 'prices'\?"),
    "a header with a column twice": (b"time,price,price\n1,2,3\n", "column 'price' is there more than once"),
    "too few columns": (b"1,x\n", "row 1 has 2 cells, expected 4: time, skipped, price, maker"),
    "too many columns": (b"1,x,2.0,true,5\n", "row 1 has 5 cells, expected 4"),
    "a row with too many cells": (TEXT[:-1] + b",9\n", "row 1000 has 5 cells, expected 4; check the file, it may be torn"),
    "a torn row": (TEXT.replace(b"1700000000500,x500,225.0,false", b"17000000"), "row 501 has 1 cells, expected 4"),
    "a torn last row": (TEXT + b"170", "row 1001 has 1 cells, expected 4"),
    "text for a number": (TEXT.replace(b"x7,101.75", b"x7,many"), "row 8: price is 'many', not a number"),
    "text for a whole number": (TEXT.replace(b"1700000000007", b"17:07", 1), "row 8: time is '17:07', not a whole number"),
    "text for a boolean": (TEXT.replace(b"101.75,false", b"101.75,no"), "row 8: maker is 'no', not true or false"),
    "a torn row among quoted cells": (TEXT.replace(b"x3,", b'"x3",').replace(b"x500,225.0,false", b"x500,22"), "row 501 has 3 cells"),
    "a quotation mark alone": (TEXT.replace(b"x7,101.75", b'x7,"'), "row 8 has a quotation mark that nothing closes"),
    "quotation marks in pairs, each alone": (TEXT.replace(b"x7,101.75", b'x7,"').replace(b"x9,", b'x"9,'), "row 8 has a quotation mark"),
    "not text": (b"\xff\xfe1,2,3", "is no text"),
    "nothing": (b"\n\n\n", "row 1 has 1 cells|holds no rows"),
}


@pytest.mark.parametrize(("content", "says"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_told_in_one_line(tmp_path, content, says):
    with pytest.raises(DataError, match=says) as caught:
        rows_of(opened(tmp_path, content))
    assert "file.csv: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rows_are_counted_over_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(_blocks, "_BLOCK", 1000)
    with pytest.raises(DataError, match=r"row 901: price is 'many'"):
        rows_of(opened(tmp_path, TEXT.replace(b"x900,325.0", b"x900,many")))


def test_a_file_that_changes_while_it_is_read(tmp_path):
    file = opened(tmp_path, TEXT)
    file.path.write_bytes(TEXT[:500])
    with pytest.raises(DataError, match=r"changed while it was read; wait until"):
        rows_of(file)
    os.unlink(file.path)  # noqa: PTH108 - what another program does
    with pytest.raises(DataError, match=r"cannot be read"):
        rows_of(file)


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(_blocks, "_LONGEST_LINE", 100)
    monkeypatch.setattr(_blocks, "_BLOCK", 1000)
    with pytest.raises(DataError, match=r"has a line of over 100 characters"):
        rows_of(opened(tmp_path, b"1" * 5000))


# --- JSON lines -----------------------------------------------------------------------------------------------------

LINES = b"".join(b'{"t":%d,"x":[[%d.5,2.0]],"more":"y"}\n' % (i, i) for i in range(300))
SCHEMA = {"t": pl.Int64, "x": pl.List(pl.List(pl.Float64))}


@pytest.mark.parametrize("block", [1 << 24, 1000, 1])
def test_json_lines(tmp_path, monkeypatch, block):
    monkeypatch.setattr(_blocks, "_BLOCK", block)
    file = opened(tmp_path, gzip.compress(LINES))
    assert [row for part in json_blocks(file, SCHEMA) for row in part.rows()] == [(i + 1, i, [[i + 0.5, 2.0]]) for i in range(300)]
    assert [(row, one["t"]) for row, one in json_lines(file)] == [(i + 1, i) for i in range(300)]


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + LINES, LINES + b"\r\n\n", LINES[:-1]])
def test_json_lines_with_marks_and_empty_lines_at_the_end(tmp_path, content):
    file = opened(tmp_path, content)
    assert [row for part in json_blocks(file, SCHEMA) for row in part["t"]] == list(range(300))
    assert [one["t"] for _, one in json_lines(file)] == list(range(300))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b'{"t":7,', b'{"t":true,', "row 8: t is 'True'; check"),
        (b"[[7.5,", b"[[NaN,", r"row 8: x is '\[\[nan, 2.0\]\]'; check"),
        (b'{"t":7,', b'{"t":', "row 8 is no JSON"),
        (b'{"t":7,', b'{"t":"late",', "row 8: t is 'late'"),
        (b'{"t":7,"x":[[7.5,2.0]]', b'{"t":7,"x":5', "row 8: x is '5'"),
        (b'{"t":7,"x":[[7.5,2.0]],"more":"y"}', b"[1,2]", "row 8 is a JSON list, not an object"),
        (b'{"t":7,"x":[[7.5,2.0]],"more":"y"}\n', b"\n", "row 8 is empty"),
    ],
)
def test_broken_json_lines(tmp_path, old, new, says):
    file = opened(tmp_path, LINES.replace(old, new), "file.jsonl")
    with pytest.raises(DataError, match=says):
        list(json_blocks(file, SCHEMA))


def test_json_lines_name_what_is_no_object(tmp_path):
    with pytest.raises(DataError, match=r"row 2 is no JSON"):
        list(json_lines(opened(tmp_path, b'{"a":1}\n{"a":\n')))
    with pytest.raises(DataError, match=r"row 1 is a JSON list, not an object"):
        list(json_lines(opened(tmp_path, b"[1]\n")))
    with pytest.raises(DataError, match=r"holds no rows"):
        list(json_lines(opened(tmp_path, b"\n")))


# --- the thread behind ----------------------------------------------------------------------------------------------


def test_prefetched_gives_the_same_and_raises_the_same():
    assert list(prefetched(iter(range(100)))) == list(range(100))

    def failing():
        yield 1
        raise ValueError("two")

    taken = prefetched(failing())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="two"):
        next(taken)


def test_prefetched_stops_when_nobody_takes():
    made = []
    taken = prefetched(made.append(i) or i for i in itertools.count())
    assert [next(taken), next(taken)] == [0, 1]
    taken.close()
    count = len(made)
    assert count < 10
    assert len(made) == count

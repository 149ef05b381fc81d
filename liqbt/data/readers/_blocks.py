"""Delimited text, block by block, to typed columns: files of any size in little memory."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from liqbt.data.readers._source import SourceFile
from liqbt.data.validation import ROW
from liqbt.errors import DataError, did_you_mean

__all__ = ["Layout", "line_blocks", "typed_blocks"]

_BLOCK: Final = 1 << 24  # bytes parsed at once: enough to be quick, and a few of them fit in any memory
_LONGEST_LINE: Final = 1 << 22
_MORE: Final = "_more"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Columns of a delimited text file, in their order where there is no header.

    columns: dtype by name: Int64, Float64, String or Boolean; None for a column that nobody needs.
    optional: names that a file may lack. delimiter: one character.
    """

    columns: Mapping[str, type[pl.DataType] | None]
    optional: frozenset[str] = field(default_factory=frozenset)
    delimiter: str = ","


def typed_blocks(file: SourceFile, layout: Layout) -> Iterator[pl.DataFrame]:
    """Yield the rows of a delimited text file as typed columns, block by block, with a column ROW of row numbers from 1.

    A header is told by its first cell. Columns of a header that the layout does not know are left out; columns that it knows
    and that the file lacks are left out where they are optional. Empty cells are null.
    Raises DataError naming row, column and value where a cell is not of its column's type, or a row has too many cells.
    """
    names: list[str] | None = None
    first_row = 1
    for block in line_blocks(file):
        text = block
        if names is None:
            text = text.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
            line, _, rest = text.partition(b"\n")
            cells = _cells(line, layout.delimiter, file)
            if _is_header(cells):
                names, text = _named(cells, layout, file), rest
            else:
                names = _counted(cells, layout, file)
        text = text.rstrip(b"\r\n")
        if not text:
            continue
        rows = _parsed(text, names, layout, first_row, file)
        first_row += rows.height
        yield rows
    if first_row == 1:
        raise DataError(f"{file.label}: holds no rows; download or export it again")


def line_blocks(file: SourceFile) -> Iterator[bytes]:
    """Yield the contents in blocks that end with a line."""
    held: list[bytes] = []
    size = 0
    for piece in file.stream():
        held.append(piece)
        size += len(piece)
        cut = piece.rfind(b"\n") + 1
        if cut == 0 and size > _BLOCK + _LONGEST_LINE:
            raise DataError(f"{file.label}: has a line of over {_LONGEST_LINE} characters; it is damaged or no text table")
        if cut and size >= _BLOCK:
            held[-1] = piece[:cut]
            yield b"".join(held)
            held = [piece[cut:]]
            size = len(held[0])
    last = b"".join(held)
    if last:
        yield last


def _cells(line: bytes, delimiter: str, file: SourceFile) -> list[str]:
    try:
        cells = next(_split(line.decode().strip("\r"), delimiter), []) or [""]
    except UnicodeDecodeError as error:
        raise DataError(f"{file.label}: is no text ({error.reason} at byte {error.start}); check the file") from None
    return [cell.strip().strip('"').strip() for cell in cells]


def _is_header(cells: list[str]) -> bool:
    return re.match(r"[A-Za-z_]", cells[0]) is not None and not any(re.fullmatch(r"-?[0-9.]+(e-?[0-9]+)?", cell) for cell in cells)


def _named(cells: list[str], layout: Layout, file: SourceFile) -> list[str]:
    repeated = next((cell for position, cell in enumerate(cells) if cell in cells[:position]), None)
    if repeated is not None:
        raise DataError(f"{file.label}: column {repeated!r} is there more than once; rename one")
    for name, dtype in layout.columns.items():
        if dtype is not None and name not in cells and name not in layout.optional:
            raise DataError(f"{file.label}: has no column {name!r}{did_you_mean(name, cells)}")
    return cells


def _counted(cells: list[str], layout: Layout, file: SourceFile) -> list[str]:
    names = list(layout.columns)
    least = len(names) - sum(1 for name in reversed(names) if name in layout.optional)
    if not least <= len(cells) <= len(names):
        raise DataError(f"{file.label}: row 1 has {len(cells)} cells, expected {len(names)}: {', '.join(names)}; check the file and reader")
    return names[: len(cells)]


def _parsed(text: bytes, names: list[str], layout: Layout, first_row: int, file: SourceFile) -> pl.DataFrame:
    last = len(names) - 1
    # Of a row with too many cells polars drops the rest, and one with too few it fills up: one column more shows the first, nulls
    # in the last column hint at the second.
    wanted = [position for position, name in enumerate(names) if layout.columns.get(name) is not None or position == last]
    schema = {name: layout.columns.get(name) or pl.String for name in names} | {_MORE: pl.String}
    if text.count(b'"') % 2:  # polars would panic, or take all that follows for text
        raise _misread(text, names, layout, first_row, file)
    try:
        rows = pl.read_csv(
            text, has_header=False, separator=layout.delimiter, schema=schema, columns=[*wanted, last + 1], missing_columns="insert"
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        lower = text.replace(b"True", b"true").replace(b"False", b"false")  # some writers' booleans
        if pl.Boolean in layout.columns.values() and lower != text:
            return _parsed(lower, names, layout, first_row, file)
        raise _misread(text, names, layout, first_row, file) from error
    torn = rows[_MORE].null_count() < rows.height
    if rows[names[-1]].null_count():
        bare = re.sub(rb'"[^"\n]*"', b"", text) if b'"' in text else text
        torn |= bare.count(layout.delimiter.encode()) != rows.height * last
    if torn:
        raise _misread(text, names, layout, first_row, file)
    unwanted = [_MORE] if layout.columns.get(names[-1]) is not None else [_MORE, names[-1]]
    return rows.drop(unwanted).with_row_index(ROW, offset=first_row)


def _misread(text: bytes, names: list[str], layout: Layout, first_row: int, file: SourceFile) -> DataError:
    """Return the error that names the first cell of a block which polars could not read."""
    for row, line in enumerate(text.decode(errors="replace").splitlines(), start=first_row):
        if line.count('"') % 2:
            return DataError(f"{file.label}: row {row} has a quotation mark that nothing closes; check the file, it may be torn")
        cells = next(_split(line, layout.delimiter), [])
        if len(cells) != len(names):
            return DataError(f"{file.label}: row {row} has {len(cells)} cells, expected {len(names)}; check the file, it may be torn")
        for name, cell in zip(names, cells, strict=False):
            dtype = layout.columns.get(name)
            if dtype is not None and not _readable(cell.strip(), dtype):
                return DataError(f"{file.label}: row {row}: {name} is {cell[:60]!r}, not {_EXPECTED[dtype]}; check the file and reader")
    return DataError(f"{file.label}: cannot be read as delimited text near row {first_row}; check the file and reader")


def _split(line: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader([line], delimiter=delimiter)
    except csv.Error:
        yield line.split(delimiter)


_EXPECTED: Final[Mapping[type[pl.DataType], str]] = {
    pl.Int64: "a whole number",
    pl.Float64: "a number",
    pl.Boolean: "true or false",
    pl.String: "text",
}


def _readable(cell: str, dtype: type[pl.DataType]) -> bool:
    if cell == "" or dtype is pl.String:
        return True
    if dtype is pl.Boolean:
        return cell in ("true", "false")
    return pl.Series([cell]).cast(dtype, strict=False).null_count() == 0

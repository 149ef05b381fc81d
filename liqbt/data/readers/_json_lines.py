"""JSON lines: one object a line, as recorders write them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from liqbt.data.readers._blocks import line_blocks
from liqbt.data.readers._source import SourceFile
from liqbt.data.validation import ROW
from liqbt.errors import DataError

__all__ = ["json_blocks", "json_lines", "need"]


def json_lines(file: SourceFile) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of each line that is not empty; raises DataError naming the line that holds none."""
    row, found = 0, False
    for block in line_blocks(file):
        for line in block.split(b"\n"):
            row += 1
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                raise DataError(f"{file.label}: row {row} is no JSON ({error}); check the file, it may be torn") from None
            if not isinstance(value, dict):
                raise DataError(f"{file.label}: row {row} is a JSON {type(value).__name__}, not an object; check the reader")
            found = True
            yield row, value
        row -= block.endswith(b"\n")  # what follows the last line break is the next block's first line
    if not found:
        raise DataError(f"{file.label}: holds no rows; download or export it again")


def json_blocks(file: SourceFile, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> Iterator[pl.DataFrame]:
    """Yield flat objects of one form as columns of the schema, block by block, with a column ROW of row numbers from 1.

    Keys that are missing in a line are null; keys that the schema does not know are left out.
    Raises DataError naming the line and key where a value is of another type.
    """
    first_row = 1
    for block in line_blocks(file):
        text = (block.removeprefix(b"\xef\xbb\xbf") if first_row == 1 else block).rstrip()  # empty lines at the end are nobody's harm
        if not text:
            continue
        try:
            rows = pl.read_ndjson(text, schema=dict(schema))
        except pl.exceptions.PolarsError as error:
            raise _misread(text, schema, first_row, file) from error
        if rows.height != text.count(b"\n") + 1:
            raise _misread(text, schema, first_row, file)
        yield rows.with_row_index(ROW, offset=first_row)
        first_row += block.count(b"\n") + (not block.endswith(b"\n"))
    if first_row == 1:
        raise DataError(f"{file.label}: holds no rows; download or export it again")


def need(value: Mapping[str, Any], key: str, file: SourceFile, row: int) -> Any:
    """Return `value[key]`; raises DataError naming row and key where it is not there."""
    try:
        return value[key]
    except (KeyError, TypeError):
        raise DataError(f"{file.label}: row {row} has no {key!r}; check the file and reader") from None


def _misread(block: bytes, schema: Mapping[str, pl.DataType | type[pl.DataType]], first_row: int, file: SourceFile) -> DataError:
    for row, line in enumerate(block.split(b"\n"), start=first_row):
        if not line.strip():
            return DataError(f"{file.label}: row {row} is empty; remove the line")
        try:
            value = json.loads(line)
        except ValueError as error:
            return DataError(f"{file.label}: row {row} is no JSON object ({error}); check the file, it may be torn")
        if not isinstance(value, dict):
            return DataError(f"{file.label}: row {row} is a JSON {type(value).__name__}, not an object; check the file and reader")
        wrong = next((key for key in schema if not _fits(value, key, schema)), None)
        if wrong is not None:
            return DataError(f"{file.label}: row {row}: {wrong} is {str(value.get(wrong))[:60]!r}; check the file and reader")
    return DataError(f"{file.label}: cannot be read as JSON lines near row {first_row}; check the file and reader")


def _fits(value: dict[str, Any], key: str, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> bool:
    try:
        pl.read_ndjson(json.dumps({key: value.get(key)}).encode(), schema={key: schema[key]})
    except pl.exceptions.PolarsError:
        return False
    return True

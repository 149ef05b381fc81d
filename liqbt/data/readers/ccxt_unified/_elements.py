"""The elements of a saved list: a JSON array, or an object a line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from liqbt.data.readers._json_lines import json_lines
from liqbt.data.readers._source import Head, SourceFile
from liqbt.data.readers._whole import milliseconds
from liqbt.errors import DataError

__all__ = ["READER", "elements", "first_elements", "number", "objects", "sampled", "stamp"]

READER: Final = "ccxt"
_SAMPLE: Final = 50
_BLANK: Final = " \t\r\n"


def first_elements(head: Head) -> list[Any]:
    """Return the first elements of a list, up to 50; none where the file is no list of JSON values."""
    text = head.start.decode("utf-8-sig", errors="ignore").lstrip(_BLANK)
    if not text.startswith("["):
        return list(head.objects)
    found: list[Any] = []
    decoder, at = json.JSONDecoder(), 1
    while len(found) < _SAMPLE:
        at += len(text[at:]) - len(text[at:].lstrip(_BLANK + ("," if found else "")))
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            return found
        found.append(value)
    return found


def sampled(head: Head, *needed: str, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return the first elements that are objects, where the very first has these keys and none of the others, else none."""
    found = first_elements(head)
    first = set(found[0]) if found and isinstance(found[0], dict) else set()
    return [one for one in found if isinstance(one, dict)] if set(needed) <= first and not set(without) & first else []


def elements(file: SourceFile) -> Iterator[tuple[int, Any]]:
    """Yield the elements with their numbers, from 1; raises DataError where the file is no such list."""
    if not file.head.start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        yield from json_lines(file)
        return
    try:
        values = json.loads(file.content())
    except ValueError as error:
        raise DataError(f"{file.label}: is no JSON ({error}); check the file, it may be torn") from None
    if not values:
        raise DataError(f"{file.label}: holds an empty list; check that it was saved whole")
    yield from enumerate(values, start=1)


def objects(file: SourceFile) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the elements that must be objects; raises as `elements`, and where one is none."""
    for row, value in elements(file):
        if not isinstance(value, dict):
            raise DataError(f"{file.label}: row {row} is a JSON {type(value).__name__}, not an object; check the reader")
        yield row, value


def number(value: object, name: str, where: str) -> float | None:
    """Return a number, or text that is one, None for null and NaN; raises DataError for anything else."""
    if value is None:
        return None
    try:
        found = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        raise DataError(f"{where}: {name} is {str(value)[:60]!r}, not a number; check the file and reader") from None
    return None if math.isnan(found) else found


def stamp(element: Mapping[str, Any], where: str) -> int:
    """Return the element's `timestamp` in ms since 1970; raises DataError where it has none, or one that no column can hold."""
    given = element.get("timestamp")
    if isinstance(given, bool) or not isinstance(given, int):
        raise DataError(f"{where}: timestamp is {str(given)[:60]!r}, no ms since 1970; leave out what has no time")
    return milliseconds(given, "timestamp", where)

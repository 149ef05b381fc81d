"""Which kind of file is this? Its contents tell; where they fit several kinds or none, the caller is asked."""

from __future__ import annotations

from collections.abc import Sequence

from liqbt.data.readers._recording import Kind, ReadOptions, Recognition
from liqbt.data.readers._source import SourceFile
from liqbt.errors import DataError

__all__ = ["detect"]

_SHOWN = 60


def detect(file: SourceFile, kinds: Sequence[Kind], options: ReadOptions) -> tuple[Kind, Recognition]:
    """Return the one kind that takes the file for its own, and what it saw.

    A single kind is taken without looking, since its own errors say best what is wrong. Of several, those that give
    `options.table` are asked.
    Raises DataError where none or more than one claims the file.
    """
    if len(kinds) == 1:
        return kinds[0], kinds[0].recognise(file.head) or Recognition()
    claims = [(kind, seen) for kind in kinds if (seen := kind.recognise(file.head)) is not None]
    fitting = [claim for claim in claims if options.table in (None, *claim[0].tables)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        says = " or ".join(f"{kind.says} ({'/'.join(kind.tables)})" for kind, _ in fitting)
        same = len({kind.reader for kind, _ in fitting}) == 1
        raise DataError(f"{file.label}: could be {says}; give the {'table' if same else 'reader'} to say which")
    if claims:
        says = " or ".join(f"{kind.says}, which gives {'/'.join(kind.tables)}" for kind, _ in claims)
        raise DataError(f"{file.label}: is {says}, not table {options.table!r}; leave the table out")
    if not file.head.start.removeprefix(b"\xef\xbb\xbf").strip():
        raise DataError(f"{file.label}: holds no rows; download or export it again")
    first = next(iter(file.head.lines), None)
    told = f"begins with {first[:_SHOWN]!r}" if first is not None else f"begins with the bytes {file.head.start[:8]!r}"
    asked = f"no file of reader {kinds[0].reader!r}" if len({kind.reader for kind in kinds}) == 1 else "of no kind that liqbt knows"
    raise DataError(f"{file.label}: is {asked}: it {told}; check the file, or read it as text with a mapping")

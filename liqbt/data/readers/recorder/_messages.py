"""Recorded websocket messages, unwrapped from what recorders and combined streams put around them.

A line holds a message, a list of messages, or a message with the recorder's own clock, as numbers since 1970 (seconds to nanoseconds,
their size tells) or ISO text:

    {"received": 1733330785590, "data": {"e": "forceOrder", ...}}       the clock beside the message
    {"received": "2024-12-04T16:46:25.590Z", "e": "forceOrder", ...}    the clock in the message

The clock is called `received`, `received_at`, `recv_ts` or `local_timestamp`, the message `data`, `msg`, `message` or `payload`; a
message may be text that holds JSON.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from liqbt.data.readers._blocks import line_blocks
from liqbt.data.readers._source import SourceFile
from liqbt.data.readers._whole import fits
from liqbt.errors import DataError

__all__ = ["Message", "Messages", "unwrapped"]

_RECEIVED: Final = ("received", "received_at", "recv_ts", "local_timestamp")
_INNER: Final = ("data", "msg", "message", "payload")
_VENUES: Final = ("e", "topic", "arg", "stream")  # keys by which Binance, Bybit and OKX tell what a message is
_ANSWERS: Final = ("result", "event", "op", "success", "error", "ping", "pong")
_BARE: Final = ("ping", "pong")
_DEPTH: Final = 4  # a combined stream in a recorder's wrapper, as text, in a list
_UNITS_NS: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))  # numbers below the first are counts of the second


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message of a venue.

    row: line of the file, from 1. received: the recorder's clock in UTC nanoseconds, None where it kept none.
    """

    row: int
    received: int | None
    content: Mapping[str, Any]


@dataclass(kw_only=True, eq=False)
class Messages:
    """The messages of a file, each once.

    skipped: what was passed over so far, by words that follow a count.
    """

    file: SourceFile
    skipped: Counter[str] = field(default_factory=Counter)
    _seen: set[bytes] = field(default_factory=set)

    def __iter__(self) -> Iterator[Message]:
        """Yield messages in order; raises DataError naming the line that holds none.

        Answers to subscriptions, pings and pongs are skipped. No event has a number of its own, but a venue sends each at one
        instant only: a message that equals an earlier one to the last digit was recorded twice, as when two connections overlap.
        """
        for row, line in self._lines():
            try:
                found = list(unwrapped(line.decode() if line in (b"ping", b"pong") else json.loads(line)))
            except ValueError as error:
                raise DataError(f"{self.file.label}: row {row} is no JSON ({error}); check the file, it may be torn") from None
            for received, content in found:
                if content is None:
                    self.skipped["answers, pings and pongs skipped"] += 1
                    continue
                if not isinstance(content, dict):
                    raise DataError(f"{self.file.label}: row {row} holds {str(content)[:60]!r}, no message; check the file and reader")
                if self._repeats(content):
                    self.skipped["doubled messages dropped"] += 1
                    continue
                yield Message(row=row, received=self._clock(received, row), content=content)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        row = 0
        for block in line_blocks(self.file):
            for line in block.removesuffix(b"\n").split(b"\n"):
                row += 1
                if line.strip():
                    yield row, line.strip()

    def _repeats(self, content: Mapping[str, Any]) -> bool:
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        digest = hashlib.blake2b(text.encode(), digest_size=12).digest()
        if digest in self._seen:
            return True
        self._seen.add(digest)
        return False

    def _clock(self, received: object, row: int) -> int | None:
        if received is None:
            return None
        try:
            return _nanoseconds(received)
        except (ValueError, TypeError, OverflowError):
            raise DataError(
                f"{self.file.label}: row {row}: the recorder's clock is {str(received)[:60]!r}; write numbers since 1970 or ISO times"
            ) from None


def unwrapped(value: object, received: object = None, depth: int = _DEPTH) -> Iterator[tuple[object, object]]:
    """Yield the messages in a value, each with the recorder's clock; None for an answer, ping or pong, itself where it is no message."""
    if isinstance(value, str) and value in _BARE:
        yield received, None
    elif isinstance(value, str) and value[:1] in ("{", "[") and depth:
        yield from unwrapped(json.loads(value), received, depth - 1)
    elif isinstance(value, list) and depth:
        for one in value:
            yield from unwrapped(one, received, depth - 1)
    elif not isinstance(value, dict):
        yield received, value
    else:
        clock = next((key for key in _RECEIVED if key in value), None)
        if clock is not None:
            received = value[clock]
            value = {key: one for key, one in value.items() if key != clock}
        inner = "data" if "stream" in value else next((key for key in _INNER if key in value), None)
        if inner in value and depth and ("stream" in value or (clock is not None and not any(key in value for key in _VENUES))):
            yield from unwrapped(value[inner], received, depth - 1)
        elif "e" not in value and "topic" not in value and any(key in value for key in _ANSWERS):
            yield received, None
        else:
            yield received, value


def _nanoseconds(clock: object) -> int:
    if isinstance(clock, str):
        stamp = pd.Timestamp(clock)
        stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
        return int(stamp.as_unit("ns").value)
    if isinstance(clock, bool) or not isinstance(clock, int | float):
        raise TypeError
    unit = next((unit for limit, unit in _UNITS_NS if clock < limit), 1)
    # A float of seconds since 1970 carries no more than microseconds.
    stamp_ns = clock * unit if isinstance(clock, int) else round(clock * unit / 1_000) * 1_000
    if not fits(stamp_ns):
        raise OverflowError
    return stamp_ns

"""Tables that begin after the bars or end before them."""

from __future__ import annotations

from typing import Final

from liqbt._time import format_ns
from liqbt.data.quality.finding import Finding, duration

__all__ = ["find_span_differences"]

_BEFORE: Final = {
    "mark": "trade prices trigger liquidations before it",
    "open_interest": "the map starts with it",
    "funding": "none is charged before it",
    "liquidations": "what was liquidated before it counts as not recorded",
    "liquidation_totals": "what was liquidated before it counts as not recorded",
}
_AFTER: Final = {
    "mark": "trade prices trigger liquidations after it",
    "open_interest": "its last value is carried, as if no position opened or closed: end runs there",
    "funding": "none is charged after it: end runs there",
    "liquidations": "bars after it read as if nothing was liquidated: end runs there",
    "liquidation_totals": "what was liquidated after it counts as not recorded",
}


def find_span_differences(name: str, span: tuple[int, int], bars: tuple[int, int], *, slack_ns: int, table: str) -> list[Finding]:
    """Find a table that begins later, or ends earlier, than the bars, by more than `slack_ns`.

    name: canonical table. span, bars: first instant and end of what each covers, UTC nanoseconds. A late begin is a note,
    since what is missing before it is known to be missing; an early end is a warning.
    """
    if name not in _BEFORE or span[1] <= bars[0] or span[0] >= bars[1]:
        return []
    found = []
    subject = "the mark price" if name == "mark" else name.replace("_", " ")
    late, early = span[0] - bars[0], bars[1] - span[1]
    if late > slack_ns:
        message = f"the record of {subject} begins at {format_ns(span[0])}, {duration(late)} after that of the bars; {_BEFORE[name]}"
        found.append(Finding(code="starts_late", severity="note", count=1, message=message, table=table, first=bars[0], last=span[0]))
    if early > slack_ns:
        message = f"the record of {subject} ends at {format_ns(span[1])}, {duration(early)} before that of the bars; {_AFTER[name]}"
        found.append(Finding(code="ends_early", severity="warning", count=1, message=message, table=table, first=span[1], last=bars[1]))
    return found

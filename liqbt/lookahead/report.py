"""What asking a strategy again has shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

__all__ = ["AHEAD", "FAILS", "UNSTEADY", "Fault", "FaultKind", "LookaheadReport"]

FaultKind: TypeAlias = Literal["looks ahead", "is not deterministic", "fails without the future"]

AHEAD: Final = "looks ahead"
UNSTEADY: Final = "is not deterministic"
FAILS: Final = "fails without the future"
_REMEDIES: Final = {
    AHEAD: "look for shift(-1), bfill, centred windows, and means, ranks or extremes over all rows",
    UNSTEADY: "keep nothing between calls, and draw random numbers from a generator that signals() makes from a seed",
    FAILS: "look for reads beyond the last row",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """The first thing found.

    given: what the strategy was given the second time. bar, time: the first bar, and its open in UTC, of which it said something else; of a
    failure, the last bar of the data. column: of `Signals`. value, other: what it said of that bar first, and then; of a failure, None
    and the error.
    """

    kind: FaultKind
    given: str
    bar: int
    time: str
    column: str
    value: Any
    other: Any


@dataclass(frozen=True, kw_only=True)
class LookaheadReport:
    """What asking again has shown. Without a fault a strategy is not proven innocent: it said the same at all cuts that were tried.

    strategy: name of the file, or of the class. file: where it was defined. cuts: last known bars for which book, features and signals
    were made again. strategy_cuts: how many more for which only the strategy was asked. fault: the first one found, or None.
    notes: what limits the check.
    """

    strategy: str
    file: str
    cuts: tuple[int, ...]
    strategy_cuts: int
    fault: Fault | None
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no fault was found."""
        return self.fault is None

    @property
    def message(self) -> str:
        """What was found, in one line."""
        fault = self.fault
        if fault is None:
            return f"{self.strategy}: no look-ahead at {len(self.cuts)} cuts of all data and {self.strategy_cuts:,} of its signals"
        found = f"it ends in {fault.other}" if fault.kind == FAILS else f"{fault.column} of bar {fault.bar} ({fault.time}) is "
        if fault.kind != FAILS:
            found += f"{fault.value!r} at first, and {fault.other!r}"
        return f"{self.strategy} ({self.file}) {fault.kind}: {found} {fault.given}; {_REMEDIES[fault.kind]}"

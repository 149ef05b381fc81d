"""What checking a store found, as objects, a frame and JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from liqbt.data.quality.coverage import Coverage
from liqbt.data.quality.finding import SEVERITIES, Finding, Severity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QualityReport", "SymbolQuality"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SymbolQuality:
    """What is wrong with everything stored of one symbol, the gravest first, and how much of it was recorded, by table."""

    venue: str
    symbol: str
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class QualityReport:
    """What is wrong with a store, by venue and symbol."""

    symbols: tuple[SymbolQuality, ...]

    @property
    def counts(self) -> dict[Severity, int]:
        """Number of findings of each severity."""
        counted = Counter(one.severity for some in self.symbols for one in some.findings)
        return {severity: counted[severity] for severity in SEVERITIES}

    def to_frame(self) -> pd.DataFrame:
        """Return one row a finding: venue, symbol, table, severity, code, count, first, last (UTC, NaT without a place), message."""
        import pandas as pd

        columns = ("venue", "symbol", "table", "severity", "code", "count", "first", "last", "message")
        rows = [{"venue": some.venue, "symbol": some.symbol, **vars(one)} for some in self.symbols for one in some.findings]
        frame = pd.DataFrame(rows, columns=list(columns))
        for name in ("first", "last"):
            frame[name] = pd.to_datetime(frame[name].astype("Int64"), unit="ns", utc=True)
        return frame

    def to_dict(self) -> dict[str, Any]:
        """Return everything in types that JSON can hold; times as ISO text."""
        return {
            "counts": self.counts,
            "symbols": [
                {
                    "venue": some.venue,
                    "symbol": some.symbol,
                    "findings": [one.to_dict() for one in some.findings],
                    "coverage": [one.to_dict() for one in some.coverage],
                }
                for some in self.symbols
            ],
        }

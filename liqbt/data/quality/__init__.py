"""What is wrong with a recording, told to whoever uses it.

    from liqbt.data.quality import check_store

    report = check_store("store/", venue="binance", against="other")
    report.to_frame()

Names that need polars are loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from liqbt.data.quality.finding import Finding
from liqbt.data.quality.on_grid import check_bars, check_funding, check_open_interest

if TYPE_CHECKING:
    from liqbt.data.quality.report import QualityReport, SymbolQuality
    from liqbt.data.quality.stored import check_store
    from liqbt.data.quality.tables import check_tables

__all__ = [
    "Finding",
    "QualityReport",
    "SymbolQuality",
    "check_bars",
    "check_funding",
    "check_open_interest",
    "check_store",
    "check_tables",
]

_HOME_OF = {"QualityReport": "report", "SymbolQuality": "report", "check_store": "stored", "check_tables": "tables"}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'liqbt.data.quality' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"liqbt.data.quality.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value

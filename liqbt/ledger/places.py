"""Where the ledger is kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["NO_LEDGER", "default_ledger"]

NO_LEDGER: Final = "none"
"""Given as a ledger, nothing is recorded."""

_VARIABLE: Final = "LIQBT_LEDGER"
_FILE: Final = "runs.sqlite"
_ELSEWHERE: Final = "liqbt-runs.sqlite"


def default_ledger(store: str | Path = "store") -> str:
    """Return where runs are recorded unless something else is asked for: `$LIQBT_LEDGER`, else beside the data.

    That is `runs.sqlite` in the store's folder, so that the count of trials goes with the data and not with the folder where somebody
    happens to work; and `liqbt-runs.sqlite` in the current folder where there is no such folder, it may not be written, or the store
    is on S3.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        return named
    if "://" not in str(store) and os.access(f"{store}/.", os.W_OK):  # a folder that is there, and may be written
        return str(Path(store) / _FILE)
    return _ELSEWHERE

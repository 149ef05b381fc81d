"""Where rows came from."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Input"]


@dataclass(frozen=True, kw_only=True)
class Input:
    """One file that rows came from: canonical table, file name, SHA-256 of the file's bytes, reader, rows it gave.

    imported_at: ISO time in UTC when it came into the store; empty where the rows come from elsewhere.
    """

    table: str
    source: str
    sha256: str
    reader: str
    rows: int
    imported_at: str = ""

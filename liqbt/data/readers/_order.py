"""Rows of events in the order of time."""

from __future__ import annotations

import polars as pl

__all__ = ["in_order"]


def in_order(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Return rows sorted by `timestamp`, those of one instant as they stand in the file, and how many were earlier than the row above."""
    early = int((rows["timestamp"].to_physical().diff() < 0).sum())
    return (rows.sort("timestamp", maintain_order=True) if early else rows), early

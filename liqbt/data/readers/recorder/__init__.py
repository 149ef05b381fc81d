"""What people record from venues' public streams of liquidations: websocket messages as JSON lines, and one CSV in the wild."""

from __future__ import annotations

from typing import Final

from liqbt.data.readers.recorder import forced_orders, streams

__all__ = ["KINDS"]

KINDS: Final = (*streams.KINDS, *forced_orders.KINDS)
"""The kinds of files of this reader."""

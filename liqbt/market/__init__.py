"""Everything recorded about one symbol, aligned to one bar grid without look-ahead."""

from __future__ import annotations

from liqbt.data.provenance import Input
from liqbt.market._depth import oldest_depth
from liqbt.market.frame import MarketFrame
from liqbt.market.profile import VolumeProfile

__all__ = ["Input", "MarketFrame", "VolumeProfile", "oldest_depth"]

"""Recorded trades and order books reduced to tables: bars, volume at price, cumulative depth.

Every function has a form that takes its input in pieces and gives the same bits, so that a year of trades need not fit in memory.
"""

from __future__ import annotations

from liqbt.data.aggregate._trades import LATE_NS, BarSpan, on_time
from liqbt.data.aggregate.bars import BarBuilder, bars_from_batches, bars_from_trades
from liqbt.data.aggregate.depth import DISTANCES, DepthRows, depth_from_levels
from liqbt.data.aggregate.depth_sampler import DepthSampler
from liqbt.data.aggregate.resample import Resampled, resample_bars
from liqbt.data.aggregate.volume_profile import VolumeProfileBuilder, bin_width, volume_at_price, volume_at_price_from_batches

__all__ = [
    "DISTANCES",
    "LATE_NS",
    "BarBuilder",
    "BarSpan",
    "DepthRows",
    "DepthSampler",
    "Resampled",
    "VolumeProfileBuilder",
    "bars_from_batches",
    "bars_from_trades",
    "bin_width",
    "depth_from_levels",
    "on_time",
    "resample_bars",
    "volume_at_price",
    "volume_at_price_from_batches",
]

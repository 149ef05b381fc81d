"""Maps: how much would be liquidated at which price, as it was known at which time, and what follows from that."""

from liqbt.heatmap.by_leverage import LEVERAGE_GROUPS, LeverageHeat
from liqbt.heatmap.depth import DepthAdjustedMap, depth_adjusted
from liqbt.heatmap.ensemble import dirichlet_mixes
from liqbt.heatmap.files import read_heatmap
from liqbt.heatmap.heatmap import Heatmap
from liqbt.heatmap.liquidation_map import LiquidationMap, MaxPain
from liqbt.heatmap.probability import ProbabilityMap, ZoneSize, probability_map
from liqbt.heatmap.venues import combine

__all__ = [
    "LEVERAGE_GROUPS",
    "DepthAdjustedMap",
    "Heatmap",
    "LeverageHeat",
    "LiquidationMap",
    "MaxPain",
    "ProbabilityMap",
    "ZoneSize",
    "combine",
    "depth_adjusted",
    "dirichlet_mixes",
    "probability_map",
    "read_heatmap",
]

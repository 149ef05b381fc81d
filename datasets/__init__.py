"""Named data sets and the seeded synthetic markets whose liquidations are known exactly.

    from liqbt.datasets import SyntheticParams, load_dataset, simulate

    market = load_dataset("synthetic-90d")                        # a MarketFrame
    synthetic = simulate(SyntheticParams.preset("gravity", seed=3))   # canonical tables, and the truth behind them
    synthetic.to_market(), synthetic.truth.live
    synthetic.truth.heat.intensity(heatmap.price_edges, heatmap.timestamp)   # the true map, on the grid of a reconstructed one

On the null market, and on those called synthetic-7d and synthetic-90d, price is a martingale that ignores liquidations: an
honest test of a signal finds no edge. The other presets hold one that a test must find.
"""

from __future__ import annotations

from .catalogue import DATASETS, Dataset, describe_datasets, load_dataset
from .params import SyntheticParams
from .presets import PRESETS, Preset
from .synthetic import SyntheticMarket, simulate
from .truth import SyntheticTruth, TrueHeat

__all__ = [
    "DATASETS",
    "PRESETS",
    "Dataset",
    "Preset",
    "SyntheticMarket",
    "SyntheticParams",
    "SyntheticTruth",
    "TrueHeat",
    "describe_datasets",
    "load_dataset",
    "simulate",
]

"""Named data sets and the seeded synthetic markets whose liquidations are known exactly.

    from liqbt.datasets import SyntheticParams, load_dataset, simulate

    market = load_dataset("synthetic-90d")                # a MarketFrame
    synthetic = simulate(SyntheticParams(days=7, seed=3))   # canonical tables, and the truth behind them
    synthetic.to_market(), synthetic.truth.live

On these markets price is a martingale that ignores liquidations: an honest test of a signal finds no edge.
"""

from __future__ import annotations

from .catalogue import DATASETS, Dataset, describe_datasets, load_dataset
from .params import SyntheticParams
from .synthetic import SyntheticMarket, SyntheticTruth, simulate

__all__ = [
    "DATASETS",
    "Dataset",
    "SyntheticMarket",
    "SyntheticParams",
    "SyntheticTruth",
    "describe_datasets",
    "load_dataset",
    "simulate",
]

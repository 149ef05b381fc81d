"""liqbt: reconstruct liquidation heatmaps without look-ahead, and find out whether their signals hold.

    import liqbt as lb

    market = lb.load_market("store/", venue="binance", symbol="SOLUSDT", interval="5m")
    book = lb.reconstruct(market)
    features = lb.build_features(book)
    signals = lb.load_strategy("gravity").signals(market, features)
    score = lb.backtest(signals, market, costs=lb.Costs.binance_usdm())
    lb.write_report("out/report.html", market=market, book=book, scores=[score])

Names are loaded when first used, so that `import liqbt` takes no time.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from liqbt.book.flows import Flows, build_flows
    from liqbt.book.params import BookParams, LeverageMix
    from liqbt.book.reconstruct import Reconstruction, reconstruct
    from liqbt.data.aggregate import bars_from_trades, volume_at_price
    from liqbt.data.download import download
    from liqbt.data.importing import import_files
    from liqbt.data.quality import check_store
    from liqbt.data.readers import read_file
    from liqbt.errors import ConfigError, DataError, LiqbtError, StoreError
    from liqbt.features import FeatureParams, build_features
    from liqbt.fidelity import Reliability, compare_maps, reliability
    from liqbt.heatmap import Heatmap, LiquidationMap, ProbabilityMap, ZoneSize, combine, depth_adjusted, dirichlet_mixes, read_heatmap
    from liqbt.loading import load_market
    from liqbt.maps import leverage_heat, liquidation_map, zone_probability
    from liqbt.margin import (
        LeverageTier,
        MarginRule,
        TierTable,
        bankruptcy_price,
        leverage_tiers,
        liquidation_price,
        margin_rule,
        read_tiers,
        save_tiers,
    )
    from liqbt.market import MarketFrame
    from liqbt.report.html import write_report
    from liqbt.report.png import write_heatmap_png
    from liqbt.scoring import Costs, Score, backtest, buy_and_hold
    from liqbt.signals import Signals
    from liqbt.strategy import Strategy, load_strategy
    from liqbt.zones import ZoneParams, Zones, ZoneTracks, find_zones, track_zones

__version__ = "0.1.0"

__all__ = [
    "BookParams",
    "ConfigError",
    "Costs",
    "DataError",
    "FeatureParams",
    "Flows",
    "Heatmap",
    "LeverageMix",
    "LeverageTier",
    "LiqbtError",
    "LiquidationMap",
    "MarginRule",
    "MarketFrame",
    "ProbabilityMap",
    "Reconstruction",
    "Reliability",
    "Score",
    "Signals",
    "StoreError",
    "Strategy",
    "TierTable",
    "ZoneParams",
    "ZoneSize",
    "ZoneTracks",
    "Zones",
    "backtest",
    "bankruptcy_price",
    "bars_from_trades",
    "build_features",
    "build_flows",
    "buy_and_hold",
    "check_store",
    "combine",
    "compare_maps",
    "depth_adjusted",
    "dirichlet_mixes",
    "download",
    "find_zones",
    "import_files",
    "leverage_heat",
    "leverage_tiers",
    "liquidation_map",
    "liquidation_price",
    "load_market",
    "load_strategy",
    "margin_rule",
    "read_file",
    "read_heatmap",
    "read_tiers",
    "reconstruct",
    "reliability",
    "save_tiers",
    "track_zones",
    "volume_at_price",
    "write_heatmap_png",
    "write_report",
    "zone_probability",
]

_HOMES = {
    "liqbt.book.flows": ("Flows", "build_flows"),
    "liqbt.book.params": ("BookParams", "LeverageMix"),
    "liqbt.book.reconstruct": ("Reconstruction", "reconstruct"),
    "liqbt.data.aggregate": ("bars_from_trades", "volume_at_price"),
    "liqbt.data.download": ("download",),
    "liqbt.data.importing": ("import_files",),
    "liqbt.data.quality": ("check_store",),
    "liqbt.data.readers": ("read_file",),
    "liqbt.errors": ("ConfigError", "DataError", "LiqbtError", "StoreError"),
    "liqbt.features": ("FeatureParams", "build_features"),
    "liqbt.fidelity": ("Reliability", "compare_maps", "reliability"),
    "liqbt.heatmap": (
        "Heatmap",
        "LiquidationMap",
        "ProbabilityMap",
        "ZoneSize",
        "combine",
        "depth_adjusted",
        "dirichlet_mixes",
        "read_heatmap",
    ),
    "liqbt.maps": ("leverage_heat", "liquidation_map", "zone_probability"),
    "liqbt.loading": ("load_market",),
    "liqbt.margin": (
        "LeverageTier",
        "MarginRule",
        "TierTable",
        "bankruptcy_price",
        "leverage_tiers",
        "liquidation_price",
        "margin_rule",
        "read_tiers",
        "save_tiers",
    ),
    "liqbt.market": ("MarketFrame",),
    "liqbt.report.html": ("write_report",),
    "liqbt.report.png": ("write_heatmap_png",),
    "liqbt.scoring": ("Costs", "Score", "backtest", "buy_and_hold"),
    "liqbt.signals": ("Signals",),
    "liqbt.strategy": ("Strategy", "load_strategy"),
    "liqbt.zones": ("ZoneParams", "ZoneTracks", "Zones", "find_zones", "track_zones"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'liqbt' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]

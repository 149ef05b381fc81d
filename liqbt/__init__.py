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
    from liqbt.evaluation import Evaluation, Hypothesis, LiquidationSkill, evaluate, liquidation_skill, robustness
    from liqbt.features import FeatureParams, build_features
    from liqbt.fidelity import FidelityStudy, Reliability, compare_maps, fidelity_study, reliability
    from liqbt.heatmap import Heatmap, LiquidationMap, ProbabilityMap, ZoneSize, combine, depth_adjusted, dirichlet_mixes, read_heatmap
    from liqbt.ledger import Ledger
    from liqbt.loading import load_market
    from liqbt.lookahead import LookaheadReport, check_lookahead
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
    from liqbt.parameters import check_parameters
    from liqbt.report.html import write_report
    from liqbt.report.png import write_heatmap_png
    from liqbt.scoring import (
        Costs,
        EquityShare,
        FixedNotional,
        PortfolioScore,
        Score,
        TradingRules,
        VolatilityTarget,
        backtest,
        backtest_portfolio,
        buy_and_hold,
        score_variants,
    )
    from liqbt.signals import Signals
    from liqbt.strategy import Strategy, load_strategy, strategy_variants
    from liqbt.sweeps import SweptZones, swept_zones
    from liqbt.zones import ZoneParams, Zones, ZoneTracks, find_zones, track_zones

__version__ = "0.1.0"

__all__ = [
    "BookParams",
    "ConfigError",
    "Costs",
    "DataError",
    "EquityShare",
    "Evaluation",
    "FeatureParams",
    "FidelityStudy",
    "FixedNotional",
    "Flows",
    "Heatmap",
    "Hypothesis",
    "Ledger",
    "LeverageMix",
    "LeverageTier",
    "LiqbtError",
    "LiquidationMap",
    "LiquidationSkill",
    "LookaheadReport",
    "MarginRule",
    "MarketFrame",
    "PortfolioScore",
    "ProbabilityMap",
    "Reconstruction",
    "Reliability",
    "Score",
    "Signals",
    "StoreError",
    "Strategy",
    "SweptZones",
    "TierTable",
    "TradingRules",
    "VolatilityTarget",
    "ZoneParams",
    "ZoneSize",
    "ZoneTracks",
    "Zones",
    "backtest",
    "backtest_portfolio",
    "bankruptcy_price",
    "bars_from_trades",
    "build_features",
    "build_flows",
    "buy_and_hold",
    "check_lookahead",
    "check_parameters",
    "check_store",
    "combine",
    "compare_maps",
    "depth_adjusted",
    "dirichlet_mixes",
    "download",
    "evaluate",
    "fidelity_study",
    "find_zones",
    "import_files",
    "leverage_heat",
    "leverage_tiers",
    "liquidation_map",
    "liquidation_price",
    "liquidation_skill",
    "load_market",
    "load_strategy",
    "margin_rule",
    "read_file",
    "read_heatmap",
    "read_tiers",
    "reconstruct",
    "reliability",
    "robustness",
    "save_tiers",
    "score_variants",
    "strategy_variants",
    "swept_zones",
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
    "liqbt.evaluation": ("Evaluation", "Hypothesis", "LiquidationSkill", "evaluate", "liquidation_skill", "robustness"),
    "liqbt.features": ("FeatureParams", "build_features"),
    "liqbt.fidelity": ("FidelityStudy", "Reliability", "compare_maps", "fidelity_study", "reliability"),
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
    "liqbt.ledger": ("Ledger",),
    "liqbt.loading": ("load_market",),
    "liqbt.lookahead": ("LookaheadReport", "check_lookahead"),
    "liqbt.maps": ("leverage_heat", "liquidation_map", "zone_probability"),
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
    "liqbt.parameters": ("check_parameters",),
    "liqbt.report.html": ("write_report",),
    "liqbt.report.png": ("write_heatmap_png",),
    "liqbt.scoring": (
        "Costs",
        "EquityShare",
        "FixedNotional",
        "PortfolioScore",
        "Score",
        "TradingRules",
        "VolatilityTarget",
        "backtest",
        "backtest_portfolio",
        "buy_and_hold",
        "score_variants",
    ),
    "liqbt.signals": ("Signals",),
    "liqbt.strategy": ("Strategy", "load_strategy", "strategy_variants"),
    "liqbt.sweeps": ("SweptZones", "swept_zones"),
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

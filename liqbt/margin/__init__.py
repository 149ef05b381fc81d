"""Where a venue closes a leveraged position by force: bracket tables, shipped or imported, and liquidation prices."""

from __future__ import annotations

from liqbt.margin.arrays import TierArrays, liquidation_distance, liquidation_prices
from liqbt.margin.prices import bankruptcy_price, liquidation_price
from liqbt.margin.rules import MarginRule, margin_rule
from liqbt.margin.shipped import leverage_tiers, shipped_tables, tier_table, tiers_or_generic
from liqbt.margin.tier_files import read_tiers, tiers_from_ccxt
from liqbt.margin.tier_store import SavedTiers, load_tiers, save_tiers, saved_tables
from liqbt.margin.tiers import GENERIC_TIERS, Contract, LeverageTier, TierTable, maintenance_margin, max_leverage

__all__ = [
    "GENERIC_TIERS",
    "Contract",
    "LeverageTier",
    "MarginRule",
    "SavedTiers",
    "TierArrays",
    "TierTable",
    "bankruptcy_price",
    "leverage_tiers",
    "liquidation_distance",
    "liquidation_price",
    "liquidation_prices",
    "load_tiers",
    "maintenance_margin",
    "margin_rule",
    "max_leverage",
    "read_tiers",
    "save_tiers",
    "saved_tables",
    "shipped_tables",
    "tier_table",
    "tiers_from_ccxt",
    "tiers_or_generic",
]

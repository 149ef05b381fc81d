"""Signals, markets and settings as the arrays that the fill loop takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from liqbt._typing import Float64Array2D, Float64Array3D, Float64Array4D
from liqbt.errors import ConfigError
from liqbt.margin import LeverageTier, MarginRule, margin_rule
from liqbt.margin.arrays import TierArrays
from liqbt.market import MarketFrame
from liqbt.scoring._records import ARRIVAL, BAR, ON_OPPOSITE, TERMS, VENUE, WISH, MarketArrays
from liqbt.scoring.costs import Costs
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.sizing import FixedNotional, Sizing, VolatilityTarget
from liqbt.signals import Signals
from liqbt.volatility import daily_volatility

__all__ = ["market_arrays", "max_notional", "read_only", "rule_of_venue", "terms_of", "wishes_of"]
_PRICES: Final = {
    "stop": "stop_price", "target": "target_price", "limit": "limit_price", "trigger": "trigger_price", "trail": "trailing_stop",
}  # fmt: skip


def wishes_of(signals: Sequence[Signals]) -> NDArray[Any]:
    """Return the wishes of `signals`, one for each asset, all on the same bars, as WISH records sorted by bar, then asset.

    Raises ConfigError for a price that is infinite.
    """
    parts = []
    for asset, one in enumerate(signals):
        bar = np.flatnonzero((one.entry != 0) | one.exit)
        part = np.zeros(bar.size, dtype=WISH)
        part["bar"], part["asset"], part["entry"], part["exit"] = bar, asset, one.entry[bar], one.exit[bar]
        part["stop"], part["target"], part["trail"] = one.stop_price[bar], one.target_price[bar], one.trailing_stop[bar]
        part["limit"], part["trigger"] = one.limit_price[bar], one.trigger_price[bar]
        part["max_bars"], part["valid_bars"] = one.max_bars[bar], one.valid_bars[bar]
        for name, label in _PRICES.items():
            if np.isinf(part[name]).any():
                raise ConfigError(f"{one.name}: {label} is infinite in some bar; write NaN for none")
        parts.append(part)
    wishes = np.concatenate(parts)
    return read_only(wishes if len(parts) == 1 else wishes[np.lexsort((wishes["asset"], wishes["bar"]))])


def market_arrays(
    markets: Sequence[MarketFrame], tiers: Sequence[Sequence[LeverageTier]], *, costs: Costs, leverage: float, sizing: Sizing
) -> MarketArrays:
    """Return what the fill loop reads of `markets`, all on the same bars; orders arrive at opens, unless `arrivals` is replaced.

    tiers: brackets of each. Funding is 0 where it is not recorded or not to be charged.
    Raises ConfigError where slippage by depth is asked for and a market has no order book.
    """
    bars = np.zeros((markets[0].n_bars, len(markets)), dtype=BAR)
    for asset, market in enumerate(markets):
        column = bars[:, asset]
        for name in ("observed", "open", "high", "low", "close", "trigger_low", "trigger_high"):
            column[name] = getattr(market, name)
        if costs.funding and market.funding_rate is not None:
            column["funding_rate"] = np.nan_to_num(market.funding_rate)
        column["funding_price"] = market.open
        if market.mark_close is not None:
            column["funding_price"][1:] = market.mark_close[:-1]
        column["volatility"] = daily_volatility(market, sizing.volatility_days) if isinstance(sizing, VolatilityTarget) else np.nan
    distance, books = _books(markets, costs)
    venues, brackets = _venues(markets, tiers, leverage)
    arrays = (bars, np.empty((0, 0), dtype=ARRIVAL), distance, books, venues, brackets)
    return MarketArrays(*(read_only(array) for array in arrays))


def _books(markets: Sequence[MarketFrame], costs: Costs) -> tuple[Float64Array2D, Float64Array4D]:
    if not costs.depth_slippage:
        return np.empty((0, 0)), np.empty((0, 0, 0, 0))
    tables = []
    for market in markets:
        if market.depth_distance is None or market.depth_bid is None or market.depth_ask is None:
            raise ConfigError(
                f"depth_slippage: no order book is recorded for {market.symbol} on {market.venue}; import depth, or leave it False"
            )
        tables.append((market.depth_distance, np.stack([market.depth_bid, market.depth_ask], axis=1)))
    most = max(steps.size for steps, _ in tables)
    distance, books = np.full((len(markets), most), np.nan), np.full((markets[0].n_bars, len(markets), 2, most), np.nan)
    for asset, (steps, sides) in enumerate(tables):
        distance[asset, : steps.size], books[:, asset, :, : steps.size] = steps, sides
    return distance, books


def _venues(
    markets: Sequence[MarketFrame], tiers: Sequence[Sequence[LeverageTier]], leverage: float
) -> tuple[NDArray[Any], Float64Array3D]:
    tables = [TierArrays.of(one) for one in tiers]
    venues = np.zeros(len(markets), dtype=VENUE)
    brackets = np.empty((len(markets), 2, max(table.rate.size for table in tables)))
    for asset, (market, table) in enumerate(zip(markets, tables, strict=True)):
        rule = rule_of_venue(market.venue)
        venue = venues[asset]
        venue["max_notional"] = max_notional(tiers[asset], leverage)
        venue["mark_fee"] = rule.mark_fee_rate
        venue["bankrupt_fee"] = rule.closing_fee_rate if rule.closing_fee_on == "bankruptcy" else 0.0
        venue["posted_fee"] = rule.closing_fee_rate if rule.closing_fee_posted else 0.0
        venue["entry_maintenance"] = rule.maintenance_on == "entry"
        venue["marked"] = market.mark_low is not None
        for row, values in zip(brackets[asset], (table.rate, table.constant), strict=True):
            row[:] = values[0]  # a bracket told twice changes nothing
            row[: values.size] = values
    return venues, brackets


def rule_of_venue(venue: str) -> MarginRule:
    """Return the venue's margin rule, the plain one where it is not known."""
    try:
        return margin_rule(venue)
    except ConfigError:
        return MarginRule()


def max_notional(tiers: Sequence[LeverageTier], leverage: float) -> float:
    """Return the most that the venue allows at this leverage, in quote."""
    return max((tier.max_notional for tier in tiers if tier.max_leverage >= leverage), default=math.inf)


def terms_of(costs: Costs, leverage: float, initial_cash: float, sizing: Sizing, rules: TradingRules, delay: int) -> NDArray[Any]:
    """Return the settings as one TERMS record; delay: bars by which orders come later than in the bar after the decision."""
    terms = np.zeros(1, dtype=TERMS)
    terms["initial_cash"], terms["leverage"], terms["ruin"] = initial_cash, leverage, rules.ruin_share * initial_cash
    terms["taker"], terms["maker"], terms["slip"] = costs.taker_fee_rate, costs.maker_fee_rate, costs.slippage
    if isinstance(sizing, VolatilityTarget):
        terms["daily"], terms["max_share"] = sizing.daily, sizing.max_share
    elif isinstance(sizing, FixedNotional):
        terms["fixed"] = sizing.notional
    else:
        terms["share"] = sizing.share
    terms["latency"], terms["cooldown"], terms["on_opposite"] = delay, rules.cooldown_bars, ON_OPPOSITE.index(rules.on_opposite)
    return read_only(terms)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array in the one form that kernels are compiled for: contiguous and read-only."""
    array = np.ascontiguousarray(array)
    array.setflags(write=False)
    return array

"""Execute signals on several markets out of one wallet; the rules are those of `liqbt.scoring.backtest`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liqbt._time import format_ns
from liqbt._typing import IntArray1D
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.scoring.arrivals import Trades, arrivals_of
from liqbt.scoring.backtest import check_bars, check_settings, checked_tiers
from liqbt.scoring.costs import Costs
from liqbt.scoring.execution_notes import notes_of
from liqbt.scoring.fills import simulate_fills
from liqbt.scoring.portfolio_score import PortfolioScore
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.sizing import EquityShare, Sizing
from liqbt.signals import Signals

__all__ = ["backtest_portfolio"]


def backtest_portfolio(
    signals: Sequence[Signals],
    markets: Sequence[MarketFrame],
    *,
    costs: Costs | None = None,
    leverage: float = 1.0,
    initial_cash: float = 10_000.0,
    sizing: Sizing | None = None,
    rules: TradingRules | None = None,
    trades: Sequence[Trades] | None = None,
) -> PortfolioScore:
    """Execute `signals`, one for each of `markets`, out of one wallet with isolated margins, and return the PortfolioScore.

    The markets share an interval; they are put on the union of their bars, unobserved where one of them has none. Of what is free at an
    open the first market's entry takes first. trades: those of each market. The other arguments are those of `backtest`.

    Raises ConfigError as `backtest` does, and where markets are none, of different intervals or off each other's grid; DataError where
    trades cannot be used.
    """
    costs = Costs.binance_usdm() if costs is None else costs
    sizing = EquityShare() if sizing is None else sizing
    rules = TradingRules() if rules is None else rules
    if len(markets) == 0 or len(signals) != len(markets):
        raise ConfigError(f"signals: {len(signals)} for {len(markets)} markets; give one for each market, and at least one")
    if trades is not None and len(trades) != len(markets):
        raise ConfigError(f"trades: {len(trades)} for {len(markets)} markets; give those of each market")
    check_settings(leverage, initial_cash)
    for wanted, market in zip(signals, markets, strict=True):
        check_bars(wanted, market)
    checked = [checked_tiers(market, costs, leverage, initial_cash, sizing) for market in markets]
    grid = _union(markets)
    wide = tuple(_on_grid(market, grid) for market in markets)
    wanted_wide = tuple(_wishes_on_grid(one, grid) for one in signals)
    arrivals, delay = arrivals_of(wide, trades, rules)
    fills = simulate_fills(
        wanted_wide, wide, costs=costs, leverage=leverage, sizing=sizing, rules=rules, initial_cash=initial_cash,
        tiers=[tiers for tiers, _ in checked], arrivals=arrivals, delay=delay,
    )  # fmt: skip
    assumed = [note for _, notes in checked for note in notes]
    return PortfolioScore(
        name=" + ".join(dict.fromkeys(one.name for one in signals)),
        signals=wanted_wide,
        markets=wide,
        costs=costs,
        leverage=float(leverage),
        sizing=sizing,
        rules=rules,
        initial_cash=float(initial_cash),
        fills=fills,
        notes=(*dict.fromkeys(assumed), *notes_of(wanted_wide, wide, fills, costs)),
    )


def _union(markets: Sequence[MarketFrame]) -> IntArray1D:
    step, first = markets[0].interval_ns, markets[0].timestamp[0]
    for market in markets[1:]:
        if market.interval_ns != step:
            raise ConfigError(f"markets: {market.symbol} has bars of {market.interval}, {markets[0].symbol} of {markets[0].interval}")
        if (market.timestamp[0] - first) % step != 0:
            raise ConfigError(
                f"markets: bars of {market.symbol} begin at {format_ns(market.timestamp[0])}, off the {market.interval} grid of "
                f"{markets[0].symbol}, which begins at {format_ns(first)}; load them with the same start"
            )
    return np.arange(min(m.timestamp[0] for m in markets), max(m.timestamp[-1] for m in markets) + step, step, dtype=np.int64)


def _on_grid(market: MarketFrame, grid: IntArray1D) -> MarketFrame:
    """Return the market on a wider grid: unobserved before its first bar, at its open, and after its last, at its close."""
    start = int(np.searchsorted(grid, market.timestamp[0]))
    if grid.size == market.n_bars:
        return market
    after = grid.size - start - market.n_bars
    changed: dict[str, Any] = {"timestamp": grid}
    first, last = float(market.open[0]), float(market.close[-1])

    def padded(values: NDArray[Any], before: Any, behind: Any) -> NDArray[Any]:
        shape = values.shape[1:]
        return np.concatenate([np.full((start, *shape), before, values.dtype), values, np.full((after, *shape), behind, values.dtype)])

    for name in ("open", "high", "low", "close", "mark_high", "mark_low", "mark_close"):
        if getattr(market, name) is not None:
            changed[name] = padded(getattr(market, name), first, last)
    for name, empty in (("volume", 0.0), ("observed", False), ("taker_buy_volume", 0.0), ("funding_rate", 0.0)):
        if getattr(market, name) is not None:
            changed[name] = padded(getattr(market, name), empty, empty)
    for name in ("open_interest", "liquidated", "depth_bid", "depth_ask"):
        if getattr(market, name) is not None:
            changed[name] = padded(getattr(market, name), np.nan, np.nan)
    if market.volume_profile is not None:
        offsets = market.volume_profile.offsets
        changed["volume_profile"] = replace(market.volume_profile, offsets=np.pad(offsets, (start, after), mode="edge"))
    return replace(market, **changed)


def _wishes_on_grid(signals: Signals, grid: IntArray1D) -> Signals:
    """Return the signals on a wider grid, with no wishes in the bars that are new."""
    start = int(np.searchsorted(grid, signals.timestamp[0]))
    changed: dict[str, Any] = {"timestamp": grid}
    for one in fields(signals):
        values = getattr(signals, one.name)
        if isinstance(values, np.ndarray) and one.name != "timestamp":
            wide = np.full(grid.size, np.nan if values.dtype.kind == "f" else 0).astype(values.dtype)
            wide[start : start + values.size] = values
            changed[one.name] = wide
    return replace(signals, **changed)

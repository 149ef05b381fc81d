"""Score variants of a strategy by the thousand: the same fills as `backtest`, without records, on all cores."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from liqbt._time import DAY_NS
from liqbt._typing import Float64Array1D, Float64Array2D, Progress
from liqbt.errors import ConfigError
from liqbt.market import MarketFrame
from liqbt.scoring._records import ORDER, RUINED, TRADE, MarketArrays
from liqbt.scoring._variants import fill_variants
from liqbt.scoring.arrivals import Trades, arrivals_of
from liqbt.scoring.backtest import check_bars, check_settings, checked_tiers
from liqbt.scoring.costs import Costs
from liqbt.scoring.inputs import market_arrays, terms_of, wishes_of
from liqbt.scoring.rules import TradingRules
from liqbt.scoring.sizing import EquityShare, Sizing
from liqbt.signals import Signals

__all__ = ["VARIANT_COLUMNS", "score_variants"]

VARIANT_COLUMNS: Final = (
    "n_trades", "total_return", "sharpe", "sharpe_year", "max_drawdown", "exposure", "rejected", "ruined",
)  # fmt: skip
"""Columns of `score_variants` beside name and parameters."""

_BATCH: Final = 512  # variants whose wishes are in memory at once


def score_variants(
    signals: Iterable[Signals],
    market: MarketFrame,
    *,
    costs: Costs | None = None,
    leverage: float = 1.0,
    initial_cash: float = 10_000.0,
    sizing: Sizing | None = None,
    rules: TradingRules | None = None,
    trades: Trades | None = None,
    progress: Progress | None = None,
    total: int | None = None,
) -> pd.DataFrame:
    """Return one row a variant, best Sharpe ratio first, ties in the order given; the index is the number in that order.

    signals: of each variant; an iterator is taken a batch at a time, so memory does not grow with their number. total: how many they
    are, for `progress`. The rest as in `backtest`, whose fills these are, to the bit.

    Columns: name, one a parameter, n_trades, total_return, sharpe (of returns per bar), sharpe_year (times the root of the bars in 365
    days, as vectorbt), max_drawdown (at closes), exposure (share of bars that closed in a position), rejected, ruined. The ratio of an
    account that never moved is NaN, and comes last. The best of many is the luckiest of many: see `liqbt.inference.deflated_sharpe_ratio`.

    Raises ConfigError as `backtest` does.
    """
    costs = Costs.binance_usdm() if costs is None else costs
    sizing = EquityShare() if sizing is None else sizing
    rules = TradingRules() if rules is None else rules
    check_settings(leverage, initial_cash)
    tiers, _ = checked_tiers(market, costs, leverage, initial_cash, sizing)
    arrivals, delay = arrivals_of([market], None if trades is None else [trades], rules)
    arrays = market_arrays([market], [tiers], costs=costs, leverage=leverage, sizing=sizing)._replace(arrivals=arrivals)
    terms = terms_of(costs, leverage, initial_cash, sizing, rules, delay)
    names: list[dict[str, Any]] = []
    results: list[pd.DataFrame] = []
    rest = _sparse(signals, market, names)
    while batch := list(itertools.islice(rest, _BATCH)):
        results.append(_results(_filled(batch, arrays, terms), market, initial_cash))
        if progress is not None:
            progress(len(names) / max(total or 0, len(names)), f"{len(names):,} variants scored")
    if not results:
        raise ConfigError("signals: there is no variant to score")
    table = pd.concat([pd.DataFrame(names), pd.concat(results, ignore_index=True)], axis=1)
    return table.sort_values("sharpe", ascending=False, kind="stable", na_position="last")


def _sparse(signals: Iterable[Signals], market: MarketFrame, names: list[dict[str, Any]]) -> Iterator[NDArray[Any]]:
    """Yield the wishes of each variant, and write its name and parameters down; what is dense is let go of at once."""
    for one in signals:
        check_bars(one, market)
        names.append({"name": one.name, **one.parameters})
        yield wishes_of([one])


def _filled(parts: Sequence[NDArray[Any]], arrays: MarketArrays, terms: Any) -> Float64Array2D:
    wishes = np.concatenate(parts)
    wishes.setflags(write=False)
    offsets = np.cumsum([0, *(part.size for part in parts)])
    out = np.empty((len(parts), 8))
    orders, trades = np.zeros(0, dtype=ORDER), np.zeros(0, dtype=TRADE)
    fill_variants(*arrays, wishes, offsets, terms, orders, trades, np.empty(0), np.empty((0, 1), dtype=np.int8), out)
    return out


def _results(filled: Float64Array2D, market: MarketFrame, initial_cash: float) -> pd.DataFrame:
    status, n_trades, equity, total, squares, drawdown, held, rejected = filled.T
    sharpe = _sharpe(total, squares, market.n_bars)
    bars_a_year = 365 * DAY_NS / market.interval_ns
    columns = (
        n_trades.astype(np.int64), equity / initial_cash - 1.0, sharpe, sharpe * math.sqrt(bars_a_year), drawdown,
        held / market.n_bars, rejected.astype(np.int64), status == RUINED,
    )  # fmt: skip
    return pd.DataFrame(dict(zip(VARIANT_COLUMNS, columns, strict=True)))


def _sharpe(total: Float64Array1D, squares: Float64Array1D, n_bars: int) -> Float64Array1D:
    """Return the ratio of mean and standard deviation (n - 1) of per-bar returns, NaN where they do not vary."""
    mean = total / n_bars
    variance = np.maximum(squares - n_bars * mean**2, 0.0) / max(n_bars - 1, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(variance > 0, mean / np.sqrt(variance), np.nan)
